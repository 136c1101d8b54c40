/* SPDX-License-Identifier: MIT */
#include "collector/base/clock_skew.h"

/* Asterisk hangs up on a client long before its messages are so late: the clock was set. */
#define STEP_US 30000000

static void forget(struct clock_skew *s, unsigned except)
{
    for (unsigned i = 0; i < CLOCK_SKEW_BUCKETS; i++)
        s->used[i] &= i == except;
}

static bool least_of(const struct clock_skew *s, unsigned except, int64_t *ret_least)
{
    bool any = false;
    for (unsigned i = 0; i < CLOCK_SKEW_BUCKETS; i++) {
        if (!s->used[i] || i == except || (any && s->least[i] >= *ret_least))
            continue;
        *ret_least = s->least[i];
        any = true;
    }
    return any;
}

/* The bucket before the present one is full now: had it nothing but messages that were far too
 * late, the clock was set, and what was before tells nothing any more. */
static void judge(struct clock_skew *s, unsigned full)
{
    int64_t before = 0;
    if (s->used[full] && least_of(s, full, &before) && s->least[full] > before + STEP_US)
        forget(s, full);
}

static void turn_to(struct clock_skew *s, int64_t bucket)
{
    if (bucket == s->bucket)
        return;
    judge(s, (unsigned)(s->bucket % CLOCK_SKEW_BUCKETS));
    int64_t passed = bucket - s->bucket;
    for (int64_t i = 1; i <= passed && i <= CLOCK_SKEW_BUCKETS; i++)
        s->used[(s->bucket + i) % CLOCK_SKEW_BUCKETS] = false;
    s->bucket = bucket;
}

int64_t clock_skew_take(struct clock_skew *s, int64_t mono, int64_t delay)
{
    int64_t least = delay;
    turn_to(s, mono / CLOCK_SKEW_BUCKET_US);
    unsigned i = (unsigned)(s->bucket % CLOCK_SKEW_BUCKETS);
    if (!s->used[i] || delay < s->least[i])
        s->least[i] = delay;
    s->used[i] = true;
    least_of(s, CLOCK_SKEW_BUCKETS, &least);
    return delay - least;
}

bool clock_skew_get(const struct clock_skew *s, int64_t *ret_ahead)
{
    int64_t least = 0;
    if (!least_of(s, CLOCK_SKEW_BUCKETS, &least))
        return false;
    *ret_ahead = -least;
    return true;
}
