/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_SLICE_H
#define PARSERS_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Borrowed bytes. Never owns: it lives as long as what it points into. Not NUL terminated. An
 * empty slice has n == 0; p may then be NULL. */
struct slice {
    const char *p;
    size_t n;
};

/* A string literal as a slice. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* The bytes of a C string, without its NUL. NULL gives the empty slice. */
static inline struct slice slice_from(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
    return slice_equal(a, slice_from(s));
}

static inline bool slice_starts(struct slice a, struct slice prefix)
{
    return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}

static inline bool slice_ends(struct slice a, struct slice suffix)
{
    return a.n >= suffix.n &&
           (suffix.n == 0 || memcmp(a.p + a.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The first n bytes at most. */
static inline struct slice slice_head(struct slice a, size_t n)
{
    return (struct slice){a.p, a.n < n ? a.n : n};
}

/* What stands before the first such character; all where there is none. */
static inline struct slice slice_until(struct slice a, char c)
{
    const char *at = a.n ? memchr(a.p, c, a.n) : NULL;
    return slice_head(a, at ? (size_t)(at - a.p) : a.n);
}

/* What follows the first n bytes; empty when there are no more. */
static inline struct slice slice_from_offset(struct slice a, size_t n)
{
    return n >= a.n ? (struct slice){NULL, 0} : (struct slice){a.p + n, a.n - n};
}

#endif
