/* SPDX-License-Identifier: MIT */
#include "collector/commands/publish.h"

#include "collector/facts/latest.h"
#include <stdlib.h>

/* One turn of the loop takes a few hundred KiB off the sockets at most; a snapshot of a large PBX
 * is the largest batch. Where the writer's ring is small, a quarter of it. */
#define BATCH_BYTES_MAX ((size_t)32 * 1024 * 1024)

/* Of a ring, so that it fits together with a turn into the room that is waited for after a loss. */
#define ROOM_PART   4
#define LATEST_PART 16

/* A ring, and what still has to get into it. */
struct way {
    struct ring *ring; /* or NULL */
    struct latest *latest;
};

struct publish {
    struct way writer, view;
    struct buf batch;
    struct buf again;  /* scratch */
    size_t turn_bytes; /* of this turn's batches so far */
    size_t last_bytes; /* of the turn before */
    bool has_facts;
    bool cut; /* a part of this turn was lost */
};

static bool open_way(struct way *way, struct ring *ring)
{
    size_t max = ring ? ring_max(ring) / LATEST_PART : 0;
    way->ring = ring;
    way->latest = ring ? latest_new(max < BATCH_BYTES_MAX ? max : BATCH_BYTES_MAX) : NULL;
    return !ring || way->latest;
}

struct publish *publish_new(struct ring *writer, struct ring *view)
{
    struct publish *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    size_t part = ring_max(writer) / ROOM_PART;
    p->batch = buf_new(part < BATCH_BYTES_MAX ? part : BATCH_BYTES_MAX);
    p->again = buf_new(BATCH_BYTES_MAX);
    if (open_way(&p->writer, writer) && open_way(&p->view, view))
        return p;
    publish_free(p);
    return NULL;
}

void publish_free(struct publish *p)
{
    if (!p)
        return;
    latest_free(p->writer.latest);
    latest_free(p->view.latest);
    buf_free(&p->batch);
    buf_free(&p->again);
    free(p);
}

static bool has_room(struct ring *ring)
{
    size_t max = ring_max(ring);
    return ring_bytes(ring) <= max - max / ROOM_PART;
}

static void lose(struct way *way, struct slice batch)
{
    if (!batch.n)
        return;
    ring_refuse(way->ring);
    latest_take(way->latest, batch);
}

/* What was lost before goes first, so that no subject's states change places. */
static bool catch_up(struct way *way, struct buf *scratch)
{
    if (latest_is_empty(way->latest))
        return true;
    buf_clear(scratch);
    if (!has_room(way->ring) || !latest_put(way->latest, scratch) ||
        !ring_push(way->ring, buf_slice(scratch)))
        return false;
    latest_clear(way->latest);
    buf_free(scratch);
    return true;
}

/* False when the batch is lost. */
static bool pass(struct way *way, struct slice batch, struct buf *scratch)
{
    if (!catch_up(way, scratch)) {
        lose(way, batch);
        return !batch.n;
    }
    if (!batch.n || ring_push(way->ring, batch))
        return true;
    latest_take(way->latest, batch);
    return false;
}

static void next_batch(struct publish *p)
{
    if (p->view.ring)
        pass(&p->view, buf_slice(&p->batch), &p->again);
    buf_clear(&p->batch);
    p->has_facts = false;
    p->cut = false;
}

/* Hands the batch to both rings. False when it, or an earlier part of this turn, is lost. */
static bool send_on(struct publish *p)
{
    p->turn_bytes += p->batch.n;
    bool kept = pass(&p->writer, buf_slice(&p->batch), &p->again) && !p->cut;
    next_batch(p);
    return kept;
}

static void put(struct publish *p, const struct batch_item *item)
{
    if (batch_put(&p->batch, item))
        return;
    /* The batch is full: send it on and begin another. */
    p->cut = !send_on(p);
    if (batch_put(&p->batch, item))
        return;
    ring_refuse(p->writer.ring);
    p->cut = true;
    p->turn_bytes += ring_max(p->writer.ring);
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
    bool kept = send_on(p);
    p->last_bytes = p->turn_bytes;
    p->turn_bytes = 0;
    return kept;
}

bool publish_outgrown(const struct publish *p)
{
    return p->last_bytes >= ring_max(p->writer.ring);
}

size_t publish_turn_bytes(const struct publish *p)
{
    return p->last_bytes;
}

bool publish_has_room(const struct publish *p, size_t turn)
{
    size_t bytes = ring_bytes(p->writer.ring);
    return bytes == 0 || (has_room(p->writer.ring) && bytes + turn <= ring_max(p->writer.ring));
}

void publish_drop(struct publish *p)
{
    lose(&p->writer, buf_slice(&p->batch));
    next_batch(p);
    p->turn_bytes = 0;
}

struct publish_losses publish_states_lost(const struct publish *p)
{
    return (struct publish_losses){.writer = latest_lost(p->writer.latest),
                                   .view = p->view.ring ? latest_lost(p->view.latest) : 0};
}
