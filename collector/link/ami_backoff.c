/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_backoff.h"

int64_t ami_backoff_next(struct ami_backoff *b, const struct random_source *random)
{
    int64_t delay = b->next ? b->next : b->first;
    b->next = delay > b->max / 2 ? b->max : delay * 2;
    return delay - (int64_t)random_below(random, (uint64_t)delay / 4 + 1);
}

void ami_backoff_reset(struct ami_backoff *b)
{
    b->next = 0;
}
