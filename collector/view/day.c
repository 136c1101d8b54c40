/* SPDX-License-Identifier: MIT */
#include "collector/view/day.h"

#include <time.h>

#define SECOND 1000000

/* Zones change their clocks by whole quarters of an hour. */
#define STEP 900

static int day_of_month(time_t t)
{
    struct tm tm;
    localtime_r(&t, &tm);
    return tm.tm_mday;
}

/* The first moment of the day that lies this many days after the one that holds us. */
static int64_t first_moment(int64_t us, int days)
{
    time_t now = (time_t)(us / SECOND);
    struct tm day;
    localtime_r(&now, &day);
    struct tm midnight = {.tm_year = day.tm_year,
                          .tm_mon = day.tm_mon,
                          .tm_mday = day.tm_mday + days,
                          .tm_isdst = -1};
    struct tm noon = midnight;
    noon.tm_hour = 12;
    mktime(&noon);
    time_t start = mktime(&midnight);
    /* Where the clocks change at midnight there may be none, or two. */
    while (day_of_month(start) != noon.tm_mday)
        start += STEP;
    while (day_of_month(start - STEP) == noon.tm_mday)
        start -= STEP;
    return (int64_t)start * SECOND;
}

int64_t day_start(int64_t us)
{
    return first_moment(us, 0);
}

int64_t day_next(int64_t us)
{
    return first_moment(us, 1);
}
