/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_SHORT_MEMORY_H
#define TESTS_UNIT_SHORT_MEMORY_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Allocations that fail when a test wants it. For the programs alone that rules.mk links with
 * --wrap: each call of our rooms goes to __wrap_… here. */

/* The allocation that fails, counted from 0; negative: none. */
static long memory_fails_at = -1;
/* How many there were since memory_begin. */
static long memory_allocations;

/* From now on, that one allocation fails. */
static inline void memory_begin(long fails_at)
{
    memory_fails_at = fails_at;
    memory_allocations = 0;
}

/* None fails any more. True when one did. */
static inline bool memory_end(void)
{
    bool failed = memory_fails_at >= 0 && memory_allocations > memory_fails_at;
    memory_fails_at = -1;
    return failed;
}

static inline bool memory_refuses(void)
{
    return memory_allocations++ == memory_fails_at;
}

/* Defined by the linker. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);

/* Called in place of malloc and its kin. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t size)
{
    return memory_refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_refuses() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return memory_refuses() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
    return memory_refuses() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return memory_refuses() ? NULL : __real_strndup(s, n);
}

#endif
