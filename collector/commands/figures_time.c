/* SPDX-License-Identifier: MIT */
#include "collector/commands/figures_time.h"

#include "collector/base/rfc3339.h"
#include "collector/view/day.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000

bool figures_time_zone(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    const char *database = getenv("TZDIR");
    char path[512];
    if (!*name || *name == '/' || name[strspn(name, letters)])
        return false;
    snprintf(path, sizeof(path), "%s/%s", database ? database : "/usr/share/zoneinfo", name);
    /* The C library takes a name that it does not know as UTC. */
    if (strcmp(name, "UTC") != 0 && access(path, R_OK) != 0)
        return false;
    if (setenv("TZ", name, 1) != 0)
        return false;
    tzset();
    return true;
}

bool figures_time_read(const char *text, int64_t *ret_us)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
    if (rfc3339_read(slice_from(text), ret_us))
        return true;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &tm);
        if (!end || *end || !rfc3339_is_day(&tm))
            continue;
        tm.tm_isdst = -1;
        *ret_us = (int64_t)mktime(&tm) * SECOND;
        return true;
    }
    return false;
}

bool figures_every_read(const char *text, enum figures_every *ret_every)
{
    static const char *const words[] = {[EVERY_15_MINUTES] = "15m",
                                        [EVERY_30_MINUTES] = "30m",
                                        [EVERY_HOUR] = "1h",
                                        [EVERY_DAY] = "day"};
    for (size_t i = EVERY_15_MINUTES; i <= EVERY_DAY; i++) {
        if (strcmp(words[i], text) == 0) {
            *ret_every = (enum figures_every)i;
            return true;
        }
    }
    return false;
}

/* The next moment at which the clock on the wall shows a whole quarter, half or hour. */
static int64_t next_part_of_hour(int64_t us, int seconds)
{
    time_t t = (time_t)(us / SECOND);
    struct tm tm;
    localtime_r(&t, &tm);
    return (t + seconds - (tm.tm_min * 60 + tm.tm_sec) % seconds) * SECOND;
}

static int64_t next_boundary(int64_t us, enum figures_every every)
{
    switch (every) {
    case EVERY_15_MINUTES:
        return next_part_of_hour(us, 900);
    case EVERY_30_MINUTES:
        return next_part_of_hour(us, 1800);
    case EVERY_HOUR:
        return next_part_of_hour(us, 3600);
    case EVERY_DAY:
        return day_next(us);
    case EVERY_WHOLE:
        break;
    }
    return INT64_MAX;
}

static bool grow(struct figures_window **windows, size_t *size)
{
    size_t wanted = *size ? *size * 2 : 64;
    struct figures_window *more =
        wanted <= FIGURES_WINDOWS_MAX ? realloc(*windows, wanted * sizeof(*more)) : NULL;
    if (!more)
        return false;
    *windows = more;
    *size = wanted;
    return true;
}

struct figures_window *figures_windows(int64_t from, int64_t to, enum figures_every every,
                                       size_t *ret_count)
{
    struct figures_window *windows = NULL;
    size_t count = 0, size = 0;
    while (from < to) {
        if (count == size && !grow(&windows, &size)) {
            free(windows);
            return NULL;
        }
        int64_t next = next_boundary(from, every);
        windows[count++] = (struct figures_window){from, next < to ? next : to};
        from = next < to ? next : to;
    }
    *ret_count = count;
    return windows;
}
