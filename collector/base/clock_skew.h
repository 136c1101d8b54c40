/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_CLOCK_SKEW_H
#define COLLECTOR_BASE_CLOCK_SKEW_H

#include <stdbool.h>
#include <stdint.h>

/* How far another machine's clock is off, and how late its messages come, from nothing but the
 * times that they carry: the quickest message of the last minutes is taken to have come at once. */

#define CLOCK_SKEW_BUCKETS   30u
#define CLOCK_SKEW_BUCKET_US 10000000

struct clock_skew {
    int64_t least[CLOCK_SKEW_BUCKETS]; /* least delay of each ten seconds */
    bool used[CLOCK_SKEW_BUCKETS];
    int64_t bucket; /* number of the present one, counted from mono 0 */
};

/* A message that came `delay` after the time it carries, both by their own clocks, at mono (only
 * grows). Microseconds. Returns how late it came, never less than 0. A clock that was set shows at
 * once when that makes delays shorter, and within twenty seconds when it makes them longer. */
int64_t clock_skew_take(struct clock_skew *s, int64_t mono, int64_t delay);

/* By how much the other clock is ahead of this one (less than 0: behind). False before the first
 * message. */
bool clock_skew_get(const struct clock_skew *s, int64_t *ret_ahead);

#endif
