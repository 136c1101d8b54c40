/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_SHORT_MEMORY_H
#define TESTS_UNIT_SHORT_MEMORY_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Allocations that fail when a test wants it. For the programs alone that rules.mk links with
 * --wrap: each call of our rooms comes here. */

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

#define MEMORY_REFUSES() (memory_allocations++ == memory_fails_at)
#include "tests/unit/wrapped_memory.h"

#endif
