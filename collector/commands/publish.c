/* SPDX-License-Identifier: MIT */
#include "collector/commands/publish.h"

#include <stdlib.h>

/* One turn of the loop takes a few hundred KiB off the sockets at most; a snapshot of a large PBX
 * is the largest batch. */
#define BATCH_BYTES_MAX ((size_t)32 * 1024 * 1024)

struct publish {
    struct ring *writer;
    struct ring *view;
    struct buf batch;
    bool has_facts;
    bool cut; /* a part of this turn was lost */
};

struct publish *publish_new(struct ring *writer, struct ring *view)
{
    struct publish *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->writer = writer;
    p->view = view;
    p->batch = buf_new(BATCH_BYTES_MAX);
    return p;
}

void publish_free(struct publish *p)
{
    if (!p)
        return;
    buf_free(&p->batch);
    free(p);
}

static void put(struct publish *p, const struct batch_item *item)
{
    if (batch_put(&p->batch, item))
        return;
    /* The batch is full: send it on and begin another. */
    p->cut = !publish_turn(p);
    batch_put(&p->batch, item);
}

void publish_fact(struct publish *p, struct slice fact)
{
    struct batch_item item = {.kind = BATCH_FACT, .body = fact};
    put(p, &item);
    p->has_facts = true;
}

void publish_state(struct publish *p, struct slice pbx, struct slice entity, struct slice body)
{
    struct batch_item item = {.kind = body.n ? BATCH_STATE_PUT : BATCH_STATE_DELETE,
                              .pbx = pbx,
                              .entity = entity,
                              .body = body};
    put(p, &item);
}

void publish_note(struct publish *p, struct slice pbx, struct slice json)
{
    struct batch_item item = {.kind = BATCH_NOTE, .pbx = pbx, .body = json};
    put(p, &item);
}

bool publish_has_facts(const struct publish *p)
{
    return p->has_facts;
}

static void next_batch(struct publish *p)
{
    if (p->batch.n && p->view)
        ring_push(p->view, buf_slice(&p->batch));
    buf_clear(&p->batch);
    p->has_facts = false;
    p->cut = false;
}

bool publish_turn(struct publish *p)
{
    bool kept = !p->batch.n || ring_push(p->writer, buf_slice(&p->batch));
    kept = kept && !p->cut;
    next_batch(p);
    return kept;
}

bool publish_has_room(const struct publish *p)
{
    size_t max = ring_max(p->writer);
    return ring_bytes(p->writer) <= max - max / 4;
}

void publish_drop(struct publish *p)
{
    if (p->batch.n)
        ring_refuse(p->writer);
    next_batch(p);
}
