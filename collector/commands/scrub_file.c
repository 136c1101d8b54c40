/* SPDX-License-Identifier: MIT */
#include "collector/commands/scrub_file.h"

#include <errno.h>

#define READ_SIZE ((size_t)256 * 1024)

struct pass {
    struct scrub *scrub;
    struct buf input;
    struct buf output;
    FILE *to; /* NULL: this pass only learns */
    bool in_cut_line;
    uint64_t cut_lines;
};

/* One line, with its end as it came. */
static int take_line(struct pass *p, struct slice line, struct slice end)
{
    if (line.n > SCRUB_FILE_LINE_MAX) {
        p->cut_lines++;
        line = slice_head(line, SCRUB_FILE_LINE_MAX);
    }
    if (!p->to) {
        scrub_learn(p->scrub, line);
        return 0;
    }
    buf_clear(&p->output);
    if (!scrub_line(p->scrub, line, &p->output) || !buf_put_slice(&p->output, end)) {
        errno = ENOMEM;
        return -1;
    }
    return fwrite(p->output.p, 1, p->output.n, p->to) == p->output.n ? 0 : -1;
}

/* Takes the whole lines off the input; of a line that grows past the bound, its beginning. */
static int take_lines(struct pass *p)
{
    struct slice rest = buf_slice(&p->input);
    const char *newline;
    int result = 0;
    while (result == 0 && rest.n && (newline = memchr(rest.p, '\n', rest.n))) {
        size_t n = (size_t)(newline - rest.p);
        size_t end = n && rest.p[n - 1] == '\r' ? 2 : 1;
        struct slice line = slice_head(rest, n + 1 - end);
        if (!p->in_cut_line)
            result = take_line(p, line, (struct slice){line.p + line.n, end});
        p->in_cut_line = false;
        rest = slice_from_offset(rest, n + 1);
    }
    if (rest.n > SCRUB_FILE_LINE_MAX) {
        if (result == 0 && !p->in_cut_line)
            result = take_line(p, rest, SLICE("\r\n"));
        p->in_cut_line = true;
        rest.n = 0;
    }
    buf_drop(&p->input, p->input.n - rest.n);
    return result;
}

static int run_pass(struct pass *p, FILE *from)
{
    buf_clear(&p->input);
    if (fseek(from, 0, SEEK_SET) < 0)
        return -1;
    for (;;) {
        char *to = buf_reserve(&p->input, READ_SIZE);
        if (!to) {
            errno = ENOMEM;
            return -1;
        }
        size_t n = fread(to, 1, READ_SIZE, from);
        if (n == 0 && ferror(from))
            return -1;
        if (n == 0)
            break;
        p->input.n += n;
        if (take_lines(p) < 0)
            return -1;
    }
    /* A last line that was not sent to its end. */
    if (p->input.n && !p->in_cut_line)
        return take_line(p, buf_slice(&p->input), SLICE(""));
    return 0;
}

int scrub_file(FILE *from, FILE *to, const uint8_t key[SCRUB_KEY_SIZE],
               struct scrub_file_totals *ret_totals)
{
    struct pass p = {.scrub = scrub_new(key),
                     .input = buf_new(SCRUB_FILE_LINE_MAX + 2 * READ_SIZE),
                     .output = buf_new(16 * SCRUB_FILE_LINE_MAX),
                     .to = NULL};
    int result = -1;
    if (!p.scrub)
        errno = ENOMEM;
    else
        result = run_pass(&p, from);
    p.to = to;
    p.in_cut_line = false;
    p.cut_lines = 0;
    if (result == 0)
        result = run_pass(&p, from);
    if (result == 0)
        *ret_totals = (struct scrub_file_totals){scrub_counters(p.scrub), p.cut_lines};
    int saved = errno;
    buf_free(&p.input);
    buf_free(&p.output);
    scrub_free(p.scrub);
    errno = saved;
    return result;
}
