/* SPDX-License-Identifier: MIT */
#include "collector/base/rfc3339.h"

#define SECOND 1000000

/* Takes exactly n digits off the front. */
static bool take_digits(struct slice *rest, size_t n, int *ret_number)
{
    int number = 0;
    if (rest->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (rest->p[i] < '0' || rest->p[i] > '9')
            return false;
        number = number * 10 + (rest->p[i] - '0');
    }
    *ret_number = number;
    *rest = slice_from_offset(*rest, n);
    return true;
}

static bool take_char(struct slice *rest, char c)
{
    if (!rest->n || rest->p[0] != c)
        return false;
    *rest = slice_from_offset(*rest, 1);
    return true;
}

static bool take_decimals(struct slice *rest, int64_t *ret_us)
{
    int64_t us = 0, worth = SECOND;
    if (!take_char(rest, '.'))
        return true;
    for (int digit; worth > 1 && take_digits(rest, 1, &digit);) {
        worth /= 10;
        us += digit * worth;
    }
    *ret_us = us;
    return worth < SECOND;
}

/* Z or an offset, to the end. */
static bool take_offset(struct slice rest, int *ret_seconds)
{
    int hours, minutes;
    if (take_char(&rest, 'Z')) {
        *ret_seconds = 0;
        return rest.n == 0;
    }
    bool west = take_char(&rest, '-');
    if ((!west && !take_char(&rest, '+')) || !take_digits(&rest, 2, &hours) ||
        !take_char(&rest, ':') || !take_digits(&rest, 2, &minutes) || rest.n)
        return false;
    *ret_seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

static bool is_in_range(const struct tm *tm)
{
    return tm->tm_mon >= 1 && tm->tm_mon <= 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

bool rfc3339_is_day(const struct tm *tm)
{
    struct tm day = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday};
    timegm(&day);
    return day.tm_mday == tm->tm_mday;
}

bool rfc3339_read(struct slice text, int64_t *ret_us)
{
    struct tm tm = {0};
    int64_t us = 0;
    int offset;
    bool good = take_digits(&text, 4, &tm.tm_year) && take_char(&text, '-') &&
                take_digits(&text, 2, &tm.tm_mon) && take_char(&text, '-') &&
                take_digits(&text, 2, &tm.tm_mday) && take_char(&text, 'T') &&
                take_digits(&text, 2, &tm.tm_hour) && take_char(&text, ':') &&
                take_digits(&text, 2, &tm.tm_min) && take_char(&text, ':') &&
                take_digits(&text, 2, &tm.tm_sec) && take_decimals(&text, &us) &&
                take_offset(text, &offset);
    if (!good || !is_in_range(&tm))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    if (!rfc3339_is_day(&tm))
        return false;
    *ret_us = ((int64_t)timegm(&tm) - offset) * SECOND + us;
    return true;
}
