/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_FIGURES_TIME_H
#define COLLECTOR_COMMANDS_FIGURES_TIME_H

#include "collector/sinks/figures.h"

/* Times and windows of `amitap figures`, in the zone of the process. */

/* Makes this the process's zone: a name of the zone database. False when there is none. */
bool figures_time_zone(const char *name);

/* An RFC 3339 time, or a day, or a day and a time of day in the zone: "2026-03-29",
 * "2026-03-29T09:30", "2026-03-29T09:30:00". False when it is none of these. */
bool figures_time_read(const char *text, int64_t *ret_us);

enum figures_every { EVERY_WHOLE, EVERY_15_MINUTES, EVERY_30_MINUTES, EVERY_HOUR, EVERY_DAY };

/* "15m", "30m", "1h", "day". False when it is none of these. */
bool figures_every_read(const char *text, enum figures_every *ret_every);

#define FIGURES_WINDOWS_MAX 131072u

/* Parts the time at the clock's quarters, hours or midnights, so that the first and the last window
 * may be shorter, and days on which the clocks change have 23 or 25 hours. The windows are to be
 * freed; NULL when there would be more than FIGURES_WINDOWS_MAX, or memory is short. */
struct figures_window *figures_windows(int64_t from, int64_t to, enum figures_every every,
                                       size_t *ret_count);

#endif
