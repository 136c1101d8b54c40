/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_HISTORY_TODAY_H
#define COLLECTOR_SINKS_HISTORY_TODAY_H

#include "parsers/slice.h"
#include <stdint.h>

/* What the history knows of today, so that a wallboard does not begin at zero after a restart. */

struct history_count {
    struct slice pbx;
    struct slice queue;   /* empty: calls, not visits */
    struct slice outcome; /* of a visit; "answered" or "unanswered" of calls; "cdr": CDR rows */
    uint64_t count;
    int64_t wait_us; /* the sum of the visits' waits */
    int64_t wait_us_max;
    uint64_t within; /* visits answered within the service level */
};

struct history_today {
    const char *path;
    int64_t midnight_us; /* microseconds since 1970 UTC */
    int64_t service_level_us;
};

typedef void history_count_fn(void *ctx, const struct history_count *count);

/* Hands out the queue visits that ended since midnight, one count for each PBX, queue and outcome,
 * then the calls that ended since, and the CDR rows. within counts by the visit's own service level
 * where its record has one, else by service_level_us. The slices are borrowed during the call.
 * Opens the file for reading only. 0, or -1 with one line in error. */
int history_today(const struct history_today *query, history_count_fn *fn, void *ctx, char *error,
                  size_t error_size);

#endif
