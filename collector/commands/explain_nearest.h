/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_EXPLAIN_NEAREST_H
#define COLLECTOR_COMMANDS_EXPLAIN_NEAREST_H

#include "parsers/slice.h"
#include <stdint.h>

/* What to say when there is no such call: which one began next to it, and what there is. */
struct explain_nearest {
    int64_t wanted; /* the second in the id that was asked for; -1: it has none */
    int64_t distance;
    int64_t from, to; /* what the source spans, microseconds; 0: nothing */
    char linkedid[256];
};

/* Nothing known yet but what was asked for. */
struct explain_nearest explain_nearest_to(const char *id);
/* A call that there is. */
void explain_nearest_add(struct explain_nearest *n, struct slice linkedid);
/* A moment of which the source tells something. */
void explain_nearest_span(struct explain_nearest *n, int64_t time);
/* One line on stderr: no call id in where, the nearest, and from when to when where reaches. */
void explain_nearest_print(const struct explain_nearest *n, const char *id, const char *where);

#endif
