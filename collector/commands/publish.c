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
    publish_turn(p);
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

bool publish_turn(struct publish *p)
{
    bool kept = true;
    if (p->batch.n) {
        kept = ring_push(p->writer, buf_slice(&p->batch));
        if (p->view)
            ring_push(p->view, buf_slice(&p->batch));
    }
    buf_clear(&p->batch);
    p->has_facts = false;
    return kept;
}
