/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_CLOCK_H
#define COLLECTOR_BASE_CLOCK_H

#include <stdint.h>

/* Time as it is passed in, in microseconds: tests own it. */
struct clock {
    int64_t (*now)(void *ctx);  /* since 1970 UTC; may jump when the machine's time is set */
    int64_t (*mono)(void *ctx); /* since some start; only grows. For delays and durations */
    void *ctx;
};

/* The machine's clock. Usable from any thread, owns nothing. */
struct clock clock_system(void);

/* Microseconds since 1970 UTC. */
static inline int64_t clock_now(const struct clock *c)
{
    return c->now(c->ctx);
}

/* Microseconds that only grow. */
static inline int64_t clock_mono(const struct clock *c)
{
    return c->mono(c->ctx);
}

#endif
