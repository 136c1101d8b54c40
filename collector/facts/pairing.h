/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_PAIRING_H
#define COLLECTOR_FACTS_PAIRING_H

#include <stdbool.h>
#include <stddef.h>

/* Which rows of two sides are the same one: equal rows first, in their order; of what is left each
 * of ours goes with the one of theirs that differs least. */

#define PAIRING_NONE ((size_t)-1)

struct pairing {
    size_t ours, theirs; /* how many rows */
    size_t *partner_of;  /* of each of ours: a number of theirs, or PAIRING_NONE */
    bool *taken;         /* of each of theirs: it has a partner */
};

/* The columns, as bits, in which ours[i] and theirs[j] differ; 0: none. */
typedef unsigned pairing_differences(void *ctx, size_t i, size_t j);

/* Fills partner_of and taken, which the caller has made large enough. */
void pairing_make(struct pairing *p, pairing_differences *differences, void *ctx);

#endif
