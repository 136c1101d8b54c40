/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_BUF_H
#define COLLECTOR_BASE_BUF_H

#include "parsers/slice.h"
#include <stdint.h>

/* A growing byte buffer that is appended to and emptied, with a bound given at its start. A write
 * past the bound is refused whole and remembered in `failed`, so that a caller may write a record
 * without looking at each step and ask once at its end. */
struct buf {
    char *p;
    size_t n;
    size_t size;
    size_t max;
    bool failed;
};

/* An empty buffer that will never hold more than max bytes. Allocates nothing yet. */
struct buf buf_new(size_t max);

/* Frees the bytes; the buffer is empty and usable again. */
void buf_free(struct buf *b);

/* Forgets contents and failure, keeps the memory. */
void buf_clear(struct buf *b);

/* Makes room for n more bytes and returns where they go, or NULL (and failed is set) when that
 * would pass the bound or memory is short. Does not change b->n; the caller adds what it wrote. */
char *buf_reserve(struct buf *b, size_t n);

/* Append, text of any length too; false and b->failed when refused. */
bool buf_put(struct buf *b, const void *bytes, size_t n);
bool buf_put_slice(struct buf *b, struct slice s);
bool buf_put_char(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes, moving the rest to the front. */
void buf_drop(struct buf *b, size_t n);

/* The contents, borrowed until the next write. */
static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->p, b->n};
}

#endif
