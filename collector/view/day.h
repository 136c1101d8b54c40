/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_VIEW_DAY_H
#define COLLECTOR_VIEW_DAY_H

#include <stdint.h>

/* Days of the process's time zone (TZ, or the machine's), with 23, 24 or 25 hours. All times are
 * microseconds since 1970 UTC. Usable from any thread once tzset has run. */

/* When the day that holds us began. */
int64_t day_start(int64_t us);

/* When the day after it begins: always later than us. */
int64_t day_next(int64_t us);

#endif
