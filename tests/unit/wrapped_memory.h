/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_WRAPPED_MEMORY_H
#define TESTS_UNIT_WRAPPED_MEMORY_H

#include <stddef.h>

/* malloc and its kin as a program that is linked with --wrap calls them. Who includes this has
 * defined MEMORY_REFUSES(): whether the allocation that is asked for fails. */

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
    return MEMORY_REFUSES() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return MEMORY_REFUSES() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return MEMORY_REFUSES() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
    return MEMORY_REFUSES() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return MEMORY_REFUSES() ? NULL : __real_strndup(s, n);
}

#endif
