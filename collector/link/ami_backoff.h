/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_AMI_BACKOFF_H
#define COLLECTOR_LINK_AMI_BACKOFF_H

#include "collector/base/random.h"

/* Growing, jittered delays between attempts, in microseconds. Plain data; next starts at 0. */
struct ami_backoff {
    int64_t first;
    int64_t max;
    int64_t next;
};

/* The next delay: first, twice that, and so on up to max, each made up to a quarter shorter by
 * chance, so that many taps of one PBX do not come back at the same moment. */
int64_t ami_backoff_next(struct ami_backoff *b, const struct random_source *random);

/* The next delay is the first one again. */
void ami_backoff_reset(struct ami_backoff *b);

#endif
