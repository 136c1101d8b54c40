/* SPDX-License-Identifier: MIT */
#include "collector/base/buf.h"

#include "collector/base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct buf buf_new(size_t max)
{
    return (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = buf_new(b->max);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

static bool buf_grow(struct buf *b, size_t need)
{
    size_t size = b->size ? b->size : 256;
    while (size < need)
        size *= 2;
    if (size > b->max)
        size = b->max;
    char *p = memory_resized(b->p, size + 1);
    if (!p)
        return false;
    b->p = p;
    b->size = size;
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    assert(b->n <= b->max);
    if (b->failed || n > b->max - b->n || (b->n + n > b->size && !buf_grow(b, b->n + n))) {
        b->failed = true;
        return NULL;
    }
    return b->p + b->n;
}

bool buf_put(struct buf *b, const void *bytes, size_t n)
{
    if (n == 0)
        return !b->failed;
    char *to = buf_reserve(b, n);
    if (!to)
        return false;
    memcpy(to, bytes, n);
    b->n += n;
    return true;
}

bool buf_put_slice(struct buf *b, struct slice s)
{
    return buf_put(b, s.p, s.n);
}

bool buf_put_char(struct buf *b, char c)
{
    return buf_put(b, &c, 1);
}

/* Room is one byte more than the buffer counts, for the NUL that printing ends with (buf_grow). */
static int __attribute__((format(printf, 2, 0)))
print_at_end(struct buf *b, const char *format, va_list args)
{
    return vsnprintf(b->p ? b->p + b->n : NULL, b->p ? b->size - b->n + 1 : 0, format, args);
}

bool buf_printf(struct buf *b, const char *format, ...)
{
    if (b->failed)
        return false;
    va_list args;
    va_start(args, format);
    int n = print_at_end(b, format, args);
    va_end(args);
    if (n >= 0 && (!b->p || (size_t)n > b->size - b->n) && buf_reserve(b, (size_t)n)) {
        va_start(args, format);
        n = print_at_end(b, format, args);
        va_end(args);
    }
    b->failed |= n < 0;
    if (b->failed)
        return false;
    b->n += (size_t)n;
    return true;
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->n);
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}
