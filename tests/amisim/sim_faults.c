/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_faults.h"

#define BYTES_MAX   ((size_t)1024 * 1024)
#define LONG_LINE   20000u  /* past AMI_LINE_MAX */
#define LONGER_LINE 100000u /* past AMI_FRAME_MAX */

struct sim_faults sim_faults_new(const struct sim_faults_options *options)
{
    return (struct sim_faults){.options = *options,
                               .random = options->seed * UINT64_C(0xd1342543de82ef95),
                               .bytes = buf_new(BYTES_MAX)};
}

void sim_faults_free(struct sim_faults *f)
{
    buf_free(&f->bytes);
}

/* splitmix64 */
static uint64_t draw(struct sim_faults *f)
{
    uint64_t z = f->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(struct sim_faults *f, size_t n)
{
    return n ? (size_t)(draw(f) % n) : 0;
}

static bool happens(struct sim_faults *f, double chance)
{
    return (double)(draw(f) >> 11) / 9007199254740992.0 < chance;
}

/* Where a line begins, drawn among all lines but the first and the blank one. */
static size_t some_line(struct sim_faults *f, struct slice event)
{
    size_t lines = 0, at = 0;
    for (size_t i = 0; i + 2 < event.n; i++)
        lines += event.p[i] == '\n';
    size_t wanted = lines > 1 ? 1 + below(f, lines - 1) : 0;
    for (size_t i = 0; wanted && i < event.n; i++) {
        if (event.p[i] == '\n' && --wanted == 0)
            at = i + 1;
    }
    return at;
}

static size_t line_end(struct slice event, size_t at)
{
    const char *newline = memchr(event.p + at, '\n', event.n - at);
    return newline ? (size_t)(newline - event.p) + 1 : event.n;
}

/* Puts something in front of a line. */
static void insert(struct sim_faults *f, struct slice event, struct slice text, size_t times)
{
    size_t at = some_line(f, event);
    buf_put(&f->bytes, event.p, at);
    for (size_t i = 0; i < times; i++)
        buf_put_slice(&f->bytes, text);
    if (times > 1)
        buf_put(&f->bytes, "\r\n", 2);
    buf_put_slice(&f->bytes, slice_from_offset(event, at));
}

static void flip(struct sim_faults *f, struct slice event)
{
    buf_put_slice(&f->bytes, event);
    for (size_t left = 1 + below(f, 3); left > 0; left--)
        f->bytes.p[below(f, event.n)] ^= (char)(1 << below(f, 8));
}

static void drop_line(struct sim_faults *f, struct slice event)
{
    size_t at = some_line(f, event);
    buf_put(&f->bytes, event.p, at);
    buf_put_slice(&f->bytes, slice_from_offset(event, line_end(event, at)));
}

static void break_utf8(struct sim_faults *f, struct slice event)
{
    static const char *const wrong[] = {"\xff", "\xc3(", "\xe2\x82", "\xf0\x28\x8c\xbc",
                                        "\xed\xa0\x80"};
    size_t end = line_end(event, some_line(f, event));
    size_t at = end >= 2 ? end - 2 : end;
    buf_put(&f->bytes, event.p, at);
    buf_put_slice(&f->bytes, slice_from(wrong[below(f, sizeof(wrong) / sizeof(wrong[0]))]));
    buf_put_slice(&f->bytes, slice_from_offset(event, at));
}

static void garble(struct sim_faults *f, struct slice event, enum sim_garble way)
{
    buf_clear(&f->bytes);
    switch (way) {
    case SIM_GARBLE_FLIP:
        flip(f, event);
        break;
    case SIM_GARBLE_DROP:
        drop_line(f, event);
        break;
    case SIM_GARBLE_BLANK:
        insert(f, event, SLICE("\r\n"), 1);
        break;
    case SIM_GARBLE_LONG:
        insert(f, event, SLICE("X: xxxxxxx"), (below(f, 2) ? LONG_LINE : LONGER_LINE) / 10);
        break;
    case SIM_GARBLE_UTF8:
        break_utf8(f, event);
        break;
    case SIM_GARBLE_TRUNCATE:
    case SIM_GARBLE_COUNT:
        buf_put(&f->bytes, event.p, 1 + below(f, event.n - 1));
        break;
    }
    f->garbled[way]++;
}

struct slice sim_faults_event(struct sim_faults *f, struct slice event)
{
    const struct sim_faults_options *o = &f->options;
    f->events++;
    bool over = o->garble_first_n && f->events > o->garble_first_n;
    if (over || o->garble <= 0 || event.n < 4 || !happens(f, o->garble))
        return event;
    garble(f, event, (enum sim_garble)below(f, SIM_GARBLE_COUNT));
    return f->bytes.failed ? event : buf_slice(&f->bytes);
}

bool sim_faults_cut(struct sim_faults *f)
{
    const struct sim_faults_options *o = &f->options;
    bool cut = o->cut_every && f->events % o->cut_every == 0;
    for (unsigned i = 0; i < o->cut_after_count; i++)
        cut = cut || o->cut_after[i] == f->events;
    f->cuts += cut;
    return cut;
}

bool sim_faults_stall(struct sim_faults *f)
{
    bool stall = f->options.stall_after && f->options.stall_after == f->events;
    f->stalls += stall;
    return stall;
}

const char *sim_faults_garble_name(enum sim_garble way)
{
    static const char *const names[SIM_GARBLE_COUNT] = {"flip",      "drop_line", "blank_line",
                                                        "long_line", "utf8",      "truncate"};
    return names[way];
}
