/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_BATCH_H
#define COLLECTOR_FACTS_BATCH_H

#include "collector/base/buf.h"

/* What one turn of the loop produced: facts and the live state they left behind. It is committed
 * whole or not at all. Packed into bytes, so that a ring can carry it. */

enum batch_item_kind {
    BATCH_FACT,         /* body is a packed fact (fact.h) */
    BATCH_STATE_PUT,    /* live state of one entity: pbx, entity, body is JSON */
    BATCH_STATE_DELETE, /* the entity is gone */
    BATCH_NOTE /* for the view alone: connected, stale, lag; body is JSON, entity names it */
};

struct batch_item {
    enum batch_item_kind kind;
    struct slice pbx;    /* empty for facts, whose head has it */
    struct slice entity; /* empty for facts */
    struct slice body;
};

/* Appends an item to a batch. False when the batch's bound would be passed. */
bool batch_put(struct buf *batch, const struct batch_item *item);

/* Walks a batch: *offset starts at 0. False at its end. The slices point into the batch. */
bool batch_next(struct slice batch, size_t *offset, struct batch_item *ret_item);

#endif
