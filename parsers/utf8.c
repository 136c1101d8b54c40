/* SPDX-License-Identifier: MIT */
#include "parsers/utf8.h"

#include <assert.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

static size_t three_bytes(const unsigned char *u, size_t n)
{
    if (n < 3 || !is_tail(u[1]) || !is_tail(u[2]))
        return 0;
    if ((u[0] == 0xE0 && u[1] < 0xA0) || (u[0] == 0xED && u[1] > 0x9F))
        return 0; /* overlong, or a surrogate */
    return 3;
}

static size_t four_bytes(const unsigned char *u, size_t n)
{
    if (n < 4 || !is_tail(u[1]) || !is_tail(u[2]) || !is_tail(u[3]))
        return 0;
    if ((u[0] == 0xF0 && u[1] < 0x90) || (u[0] == 0xF4 && u[1] > 0x8F))
        return 0; /* overlong, or past U+10FFFF */
    return 4;
}

size_t utf8_char_length(struct slice s)
{
    assert(s.n > 0);
    const unsigned char *u = (const unsigned char *)s.p;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xC2 || u[0] > 0xF4)
        return 0;
    if (u[0] < 0xE0)
        return s.n >= 2 && is_tail(u[1]) ? 2 : 0;
    return u[0] < 0xF0 ? three_bytes(u, s.n) : four_bytes(u, s.n);
}
