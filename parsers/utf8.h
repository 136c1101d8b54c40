/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_UTF8_H
#define PARSERS_UTF8_H

#include "parsers/slice.h"

/* How many bytes at the start of s are one well-formed UTF-8 character (1 to 4; no surrogates, no
 * overlong forms, at most U+10FFFF), or 0 when its first byte begins none. s must not be empty. */
size_t utf8_char_length(struct slice s);

#endif
