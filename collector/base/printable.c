/* SPDX-License-Identifier: MIT */
#include "collector/base/printable.h"

#include "parsers/utf8.h"

/* The value of one well-formed character of n bytes. */
static unsigned value_of(const char *p, size_t n)
{
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned value = (unsigned char)p[0] & first[n];
    for (size_t i = 1; i < n; i++)
        value = value << 6 | ((unsigned char)p[i] & 0x3f);
    return value;
}

static bool is_hidden(unsigned c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* How many bytes the text begins with that are all shown or all hidden; it is not empty. */
static size_t next(struct slice text, bool *ret_hidden)
{
    size_t n = utf8_char_length(text);
    *ret_hidden = n == 0 || is_hidden(value_of(text.p, n));
    return n ? n : 1;
}

void printable_make(char *text, size_t n)
{
    bool hidden;
    for (size_t i = 0, step; i < n; i += step) {
        step = next((struct slice){text + i, n - i}, &hidden);
        if (hidden)
            memset(text + i, '?', step);
    }
}

void printable_put(struct slice text, FILE *to)
{
    bool hidden;
    for (size_t i = 0, step; i < text.n; i += step) {
        step = next(slice_from_offset(text, i), &hidden);
        fwrite(hidden ? "????" : text.p + i, 1, step, to);
    }
}
