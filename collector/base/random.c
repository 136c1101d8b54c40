/* SPDX-License-Identifier: MIT */
#include "collector/base/random.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool random_key(void *bytes, size_t n)
{
    char *to = bytes;
    size_t have = 0;
    while (have < n) {
        ssize_t got = getrandom(to + have, n - have, 0);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            explicit_bzero(bytes, n);
            return false;
        }
    }
    return true;
}

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
