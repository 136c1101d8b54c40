/* SPDX-License-Identifier: MIT */
#include "collector/base/clock.h"
#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts = {0};
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t system_now(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC);
}

struct clock clock_system(void)
{
    return (struct clock){system_now, system_mono, NULL};
}

#define APART_US 1000000

static int64_t steady_now(void *ctx)
{
    const struct steady *s = ctx;
    return clock_mono(&s->machine) + s->from;
}

static int64_t steady_mono(void *ctx)
{
    const struct steady *s = ctx;
    return clock_mono(&s->machine);
}

void steady_begin(struct steady *s, const struct clock *machine)
{
    s->machine = *machine;
    s->from = clock_now(machine) - clock_mono(machine);
}

struct clock steady_clock(struct steady *s)
{
    return (struct clock){steady_now, steady_mono, s};
}

int64_t steady_ahead(const struct steady *s)
{
    return clock_mono(&s->machine) + s->from - clock_now(&s->machine);
}

int64_t steady_set(struct steady *s)
{
    int64_t ahead = steady_ahead(s);
    if (ahead < APART_US && ahead > -APART_US)
        return 0;
    s->from -= ahead;
    return -ahead;
}
