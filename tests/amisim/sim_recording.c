/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_recording.h"
#include "tests/amisim/sim_frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define FILE_MAX (256u * 1024 * 1024)

static const char *const truth_files[SIM_TRUTH_COUNT] = {"cdr.csv", "cel.csv", "queue_log"};

/* main/manager.c's classes; "all" stands beside each and asks for nothing more. */
static const char *const classes[] = {"system", "call",     "log",       "verbose", "command",
                                      "agent",  "user",     "config",    "dtmf",    "reporting",
                                      "cdr",    "dialplan", "originate", "agi",     "cc",
                                      "aoc",    "test",     "security",  "message"};

#define CLASS_COUNT (sizeof(classes) / sizeof(classes[0]))

uint32_t sim_class_bits(struct slice privilege)
{
    uint32_t bits = 0;
    while (privilege.n) {
        const char *comma = memchr(privilege.p, ',', privilege.n);
        struct slice one = slice_head(privilege, comma ? (size_t)(comma - privilege.p) : SIZE_MAX);
        for (size_t i = 0; i < CLASS_COUNT; i++)
            if (slice_is(one, classes[i]))
                bits |= 1u << i;
        privilege = slice_from_offset(privilege, one.n + 1);
    }
    return bits;
}

uint32_t sim_class_mask(struct slice mask)
{
    if (sim_frame_same(mask, "on") || sim_frame_same(mask, "all"))
        return SIM_CLASS_ALL;
    return sim_class_bits(mask);
}

/* The whole file; NULL when it can't be read, with errno. */
static char *read_file(const char *folder, const char *name, size_t *ret_size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    struct buf b = buf_new(FILE_MAX);
    char *to;
    size_t n = 0;
    do {
        b.n += n;
        to = buf_reserve(&b, 65536);
        n = to ? fread(to, 1, 65536, f) : 0;
    } while (n);
    if (!to || ferror(f)) {
        errno = ferror(f) ? EIO : EFBIG;
        buf_free(&b);
    }
    fclose(f);
    *ret_size = b.n;
    return b.p;
}

static int64_t stamp_us(struct slice frame)
{
    struct slice stamp = sim_frame_get(frame, "Timestamp");
    const char *dot = stamp.n ? memchr(stamp.p, '.', stamp.n) : NULL;
    if (!dot)
        return 0;
    return sim_frame_int(stamp) * 1000000 +
           sim_frame_int(slice_from_offset(stamp, (size_t)(dot + 1 - stamp.p)));
}

static bool in_list(const char *list, struct slice name)
{
    while (list && *list) {
        size_t n = strcspn(list, ",");
        if (slice_equal((struct slice){list, n}, name))
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

/* What the recorder's own session brought, and what the derivation must not read. */
static bool is_left_out(struct slice name, const char *keep)
{
    if (slice_is(name, "FullyBooted") || slice_is(name, "SuccessfulAuth"))
        return true;
    return in_list("Cdr,CEL,TestEvent", name) && !in_list(keep, name);
}

/* Room for one item more behind the count items of array, doubling when count is a power of two
 * less one; the old array stays as it is when memory is short. */
static void *with_room(void *array, size_t count, size_t item)
{
    return count & (count + 1) ? array : realloc(array, (2 * count + 1) * item);
}

static bool add_event(struct sim_recording *r, struct slice frame, struct slice name,
                      const struct sim_words *words)
{
    struct sim_event *events = with_room(r->events, r->count, sizeof(*events));
    if (!events)
        return false;
    r->events = events;
    struct sim_event *e = &events[r->count];
    *e = (struct sim_event){.name = name,
                            .classes = sim_class_bits(sim_frame_get(frame, "Privilege")),
                            .text = sim_text_new(frame, words)};
    if (!e->text)
        return false;
    int64_t us = stamp_us(frame);
    if (r->count == 0)
        r->first_us = us;
    e->offset_us = us > r->first_us ? us - r->first_us : 0;
    if (e->offset_us < r->length_us)
        e->offset_us = r->length_us;
    r->length_us = e->offset_us;
    sim_text_serials(e->text, &r->serials);
    r->count++;
    return true;
}

static bool add_queue_item(struct sim_recording *r, struct slice frame,
                           const struct sim_words *words)
{
    struct sim_text **items = with_room(r->queue_items, r->queue_items_count, sizeof(*items));
    if (!items)
        return false;
    r->queue_items = items;
    items[r->queue_items_count] = sim_text_new(frame, words);
    return items[r->queue_items_count++] != NULL;
}

static bool add_frame(struct sim_recording *r, struct slice frame,
                      const struct sim_recording_options *o)
{
    struct slice name = sim_frame_get(slice_head(frame, 80), "Event");
    if (!name.n)
        return true;
    if (sim_frame_get(frame, "ActionID").p) {
        bool wanted = slice_is(name, "QueueParams") || slice_is(name, "QueueMember");
        return !wanted || add_queue_item(r, frame, o->words);
    }
    return is_left_out(name, o->keep) || add_event(r, frame, name, o->words);
}

/* Frames end with an empty line; Asterisk 22 writes one more behind TestEvent. */
static bool add_frames(struct sim_recording *r, const struct sim_recording_options *o)
{
    struct slice rest = {r->raw, r->raw_size};
    while (rest.n) {
        if (slice_starts(rest, SLICE("\r\n"))) {
            rest = slice_from_offset(rest, 2);
            continue;
        }
        const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
        if (!end)
            break;
        struct slice frame = slice_head(rest, (size_t)(end - rest.p) + 4);
        if (!add_frame(r, frame, o))
            return false;
        rest = slice_from_offset(rest, frame.n);
    }
    return true;
}

static bool add_truth(struct sim_recording *r, const char *folder, const struct sim_words *words)
{
    for (int i = 0; i < SIM_TRUTH_COUNT; i++) {
        size_t size = 0;
        r->truth_raw[i] = read_file(folder, truth_files[i], &size);
        if (!r->truth_raw[i])
            size = 0;
        r->truth[i] = sim_text_new((struct slice){r->truth_raw[i], size}, words);
        if (!r->truth[i])
            return false;
        sim_text_serials(r->truth[i], &r->serials);
    }
    return true;
}

struct sim_recording *sim_recording_load(const char *folder,
                                         const struct sim_recording_options *options, char *error,
                                         size_t error_size)
{
    struct sim_recording *r = calloc(1, sizeof(*r));
    if (!r) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    r->serials = (struct sim_serials){1, 0, 1, 0};
    const char *slash = strrchr(folder, '/');
    r->name = strdup(slash && slash[1] ? slash + 1 : folder);
    r->raw = read_file(folder, "ami.raw", &r->raw_size);
    if (!r->raw)
        snprintf(error, error_size, "%s/ami.raw: %s", folder, strerror(errno));
    else if (!r->name || !add_frames(r, options) || !add_truth(r, folder, options->words))
        snprintf(error, error_size, "%s: out of memory", folder);
    else if (r->count == 0)
        snprintf(error, error_size, "%s/ami.raw: there are no events to play", folder);
    else
        return r;
    sim_recording_free(r);
    return NULL;
}

void sim_recording_free(struct sim_recording *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        sim_text_free(r->events[i].text);
    for (size_t i = 0; i < r->queue_items_count; i++)
        sim_text_free(r->queue_items[i]);
    for (int i = 0; i < SIM_TRUTH_COUNT; i++) {
        sim_text_free(r->truth[i]);
        free(r->truth_raw[i]);
    }
    free(r->events);
    free(r->queue_items);
    free(r->raw);
    free(r->name);
    free(r);
}
