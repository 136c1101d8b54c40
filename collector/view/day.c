/* SPDX-License-Identifier: MIT */
#include "collector/view/day.h"

#include <time.h>

#define SECOND 1000000

/* Midnight, or the first moment after it where the clocks are put forward at midnight, of the day
 * that lies this many days after the one that holds the moment. */
static int64_t midnight(int64_t us, int days)
{
    time_t now = (time_t)(us / SECOND);
    struct tm day;
    localtime_r(&now, &day);
    struct tm wanted = {.tm_year = day.tm_year,
                        .tm_mon = day.tm_mon,
                        .tm_mday = day.tm_mday + days,
                        .tm_isdst = -1};
    struct tm noon = wanted;
    noon.tm_hour = 12;
    mktime(&noon);
    time_t start = mktime(&wanted);
    /* A midnight that does not exist may come out as the evening before. */
    struct tm got;
    for (localtime_r(&start, &got); got.tm_mday != noon.tm_mday; localtime_r(&start, &got))
        start += 900;
    return (int64_t)start * SECOND;
}

int64_t day_start(int64_t us)
{
    return midnight(us, 0);
}

int64_t day_next(int64_t us)
{
    return midnight(us, 1);
}
