/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_STAND_IN_H
#define COLLECTOR_BASE_STAND_IN_H

#include "collector/base/buf.h"

/* Bytes that are not UTF-8, in a text that has to be and from which they are to come back: for each
 * stands the character U+10FF00 plus its number; so it does for each byte of such a character that
 * was there itself. */

#define STAND_IN_SIZE 4
/* How each begins. */
#define STAND_IN_LEAD SLICE("\xF4\x8F")

/* Appends the character that stands for a byte, 0x80 to 0xFF. */
void stand_in_put(struct buf *to, unsigned char byte);

/* The byte that the character at the start of a UTF-8 text stands for; 0: it stands for itself. */
unsigned char stand_in_byte(struct slice text);

#endif
