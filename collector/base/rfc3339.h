/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_RFC3339_H
#define COLLECTOR_BASE_RFC3339_H

#include "parsers/slice.h"
#include <stdint.h>
#include <time.h>

/* Reads a time as records have it, "2026-11-20T23:57:51.090059Z": a date and a time of day, up to
 * six decimals, then Z or an offset as "+01:00". False when it is none; microseconds since 1970. */
bool rfc3339_read(struct slice text, int64_t *ret_us);

/* Whether the calendar has this year, month and day, which 30 February is none of. */
bool rfc3339_is_day(const struct tm *tm);

#endif
