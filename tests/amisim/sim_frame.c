/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_frame.h"

#include <strings.h>

bool sim_frame_line(struct slice *rest, struct slice *ret_line)
{
    if (rest->n == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    *ret_line = (struct slice){rest->p, n && rest->p[n - 1] == '\r' ? n - 1 : n};
    *rest = slice_from_offset(*rest, n + 1);
    return true;
}

bool sim_frame_header(struct slice line, struct slice *ret_name, struct slice *ret_value)
{
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon)
        return false;
    *ret_name = (struct slice){line.p, (size_t)(colon - line.p)};
    *ret_value = slice_from_offset(line, ret_name->n + 1);
    while (ret_value->n && *ret_value->p == ' ')
        *ret_value = slice_from_offset(*ret_value, 1);
    if (!ret_value->p)
        *ret_value = SLICE("");
    return true;
}

struct slice sim_frame_get(struct slice frame, const char *name)
{
    struct slice line, key, value;
    while (sim_frame_line(&frame, &line))
        if (sim_frame_header(line, &key, &value) && sim_frame_same(key, name))
            return value;
    return (struct slice){NULL, 0};
}

struct slice sim_frame_block(struct slice frame, const char *from, const char *to)
{
    struct slice line, key, value;
    const char *start = NULL;
    while (sim_frame_line(&frame, &line)) {
        if (!sim_frame_header(line, &key, &value))
            continue;
        if (!start && slice_is(key, from))
            start = line.p;
        if (start && slice_is(key, to))
            return (struct slice){start, (size_t)(line.p + line.n - start) + 2};
    }
    return (struct slice){NULL, 0};
}

int64_t sim_frame_int(struct slice value)
{
    int64_t n = 0;
    for (size_t i = 0; i < value.n && i < 18 && value.p[i] >= '0' && value.p[i] <= '9'; i++)
        n = n * 10 + (value.p[i] - '0');
    return n;
}

bool sim_frame_same(struct slice a, const char *b)
{
    return a.n == strlen(b) && (a.n == 0 || strncasecmp(a.p, b, a.n) == 0);
}
