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

/* A clock whose `now` goes on as mono does, whatever the machine's time is set to. */
struct steady {
    struct clock machine;
    int64_t from; /* now less mono */
};

/* It shows the machine's time at first. machine is copied. */
void steady_begin(struct steady *s, const struct clock *machine);
/* The clock itself; it borrows s. */
struct clock steady_clock(struct steady *s);
/* By how much it is ahead of the machine's time now, microseconds. */
int64_t steady_ahead(const struct steady *s);
/* Sets it to the machine's time, unless they are less than a second apart. Returns by how much it
 * was moved. */
int64_t steady_set(struct steady *s);

#endif
