/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_NUMBER_SCAN_H
#define PARSERS_NUMBER_SCAN_H

#include "parsers/slice.h"
#include <stdint.h>

/* What digits in free text are: an id, a date or an address that must stay, or a telephone number.
 * Pure functions over borrowed bytes. */

/* The fewest digits of what looks like a number without having been seen as one. */
#define NUMBER_SCAN_NUMBER_MIN 7u

/* An ASCII digit. */
bool number_scan_is_digit(char c);
/* A byte of a word: a letter, a digit, a part of a character beyond ASCII. */
bool number_scan_is_word(char c);

/* How many bytes at `at`, where no word goes on, are to stay though they hold digits; 0: none.
 *   - a unique id's own part, "1795219459.123", when its seconds are near `epoch` (0: any)
 *   - a UUID, as bridges have
 *   - a date, "2026-11-21"
 *   - an IPv4 address */
size_t number_scan_id(struct slice text, size_t at, int64_t epoch);

/* How many bytes at `at` are a channel's serial, "-0000002a" behind a name with '/'; 0: none. */
size_t number_scan_serial(struct slice text, size_t at);

/* How many bytes at `at`, where no digit goes on, look like a number: an optional '+' and at least
 * NUMBER_SCAN_NUMBER_MIN digits, in one run, or in groups of two to five as people write them
 * ("+1 415 555 0135", "(415) 555-0135", "01.23.45.67.89"); 0: none. */
size_t number_scan_number(struct slice text, size_t at);

/* The seconds since 1970 in a unique id, "pbxA-1795219459.123"; 0: it has none. */
int64_t number_scan_epoch(struct slice uniqueid);

#endif
