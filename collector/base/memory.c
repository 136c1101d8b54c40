/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"

#include <stdlib.h>

static _Thread_local uint64_t failures;

static void *count(void *p)
{
    failures += !p;
    return p;
}

void *memory_bytes(size_t n)
{
    return count(malloc(n));
}

void *memory_zeroed(size_t n, size_t size)
{
    return count(calloc(n, size));
}

void *memory_resized(void *p, size_t n)
{
    return count(realloc(p, n));
}

uint64_t memory_failures(void)
{
    return failures;
}
