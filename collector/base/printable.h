/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_PRINTABLE_H
#define COLLECTOR_BASE_PRINTABLE_H

#include "parsers/slice.h"
#include <stdio.h>

/* All that a person reads, on a terminal or in a log, goes through one of these: names of callers,
 * headers of a PBX and files may hold anything, and a terminal must not obey it. Of what is hidden
 * each byte becomes '?': control characters (line ends and DEL too) and their eight-bit forms
 * (U+0080 to U+009F), what turns the direction of writing (U+061C, U+200E, U+200F, U+202A to
 * U+202E, U+2066 to U+2069), the line ends U+2028 and U+2029, and bytes that are no UTF-8. */

/* In place; the length stays. */
void printable_make(char *text, size_t n);

/* To a file, without a line end. */
void printable_put(struct slice text, FILE *to);

#endif
