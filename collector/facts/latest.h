/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_LATEST_H
#define COLLECTOR_FACTS_LATEST_H

#include "collector/base/buf.h"
#include <stdbool.h>
#include <stdint.h>

/* What of lost batches must still arrive: of each subject the last state (facts of a state kind, a
 * tombstone too), and of each PBX whether its tap is connected. So nothing that has ended is shown
 * for ever, and nothing live as it was before the loss. */
struct latest;

/* Holds at most so many bytes. NULL when memory is short. */
struct latest *latest_new(size_t bytes_max);
/* NULL is allowed. */
void latest_free(struct latest *l);

/* Takes from a batch what must still arrive, in place of what it held of the same subjects. What it
 * has no room or memory for is counted and lost, with the older one. */
void latest_take(struct latest *l, struct slice batch);

/* Whether there is nothing to hand on. */
bool latest_is_empty(const struct latest *l);
/* How many states were lost for want of room. */
uint64_t latest_lost(const struct latest *l);

/* Appends what it holds to a batch, subjects in the order in which they were lost first. False when
 * the batch's bound would be passed; then the batch is to be thrown away. */
bool latest_put(const struct latest *l, struct buf *batch);
/* It has arrived. */
void latest_clear(struct latest *l);

#endif
