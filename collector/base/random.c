/* SPDX-License-Identifier: MIT */
#include "collector/base/random.h"
#include <stddef.h>
#include <sys/random.h>

/* getrandom() of up to 256 bytes is never cut short once the pool is ready; before that, at boot,
 * a signal may cut the wait, and jitter of nothing is still correct. */
static uint64_t system_next(void *ctx)
{
    (void)ctx;
    uint64_t bits = 0;
    ssize_t n = getrandom(&bits, sizeof bits, 0);
    return n == (ssize_t)sizeof bits ? bits : 0;
}

struct random_source random_system(void)
{
    return (struct random_source){system_next, NULL};
}

uint64_t random_below(const struct random_source *source, uint64_t bound)
{
    return bound ? source->next(source->ctx) % bound : 0;
}
