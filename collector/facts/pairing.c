/* SPDX-License-Identifier: MIT */
#include "collector/facts/pairing.h"

#include <limits.h>

static void pair(struct pairing *p, size_t i, size_t j)
{
    p->partner_of[i] = j;
    if (j != PAIRING_NONE)
        p->taken[j] = true;
}

/* The first of theirs that is free and equal. */
static size_t equal(const struct pairing *p, size_t i, pairing_differences *differences, void *ctx)
{
    for (size_t j = 0; j < p->theirs; j++) {
        if (!p->taken[j] && !differences(ctx, i, j))
            return j;
    }
    return PAIRING_NONE;
}

static size_t nearest(const struct pairing *p, size_t i, pairing_differences *differences,
                      void *ctx)
{
    int least = INT_MAX;
    size_t best = PAIRING_NONE;
    for (size_t j = 0; j < p->theirs; j++) {
        int count = p->taken[j] ? INT_MAX : __builtin_popcount(differences(ctx, i, j));
        if (count < least) {
            least = count;
            best = j;
        }
    }
    return best;
}

void pairing_make(struct pairing *p, pairing_differences *differences, void *ctx)
{
    for (size_t j = 0; j < p->theirs; j++)
        p->taken[j] = false;
    for (size_t i = 0; i < p->ours; i++)
        pair(p, i, equal(p, i, differences, ctx));
    for (size_t i = 0; i < p->ours; i++) {
        if (p->partner_of[i] == PAIRING_NONE)
            pair(p, i, nearest(p, i, differences, ctx));
    }
}
