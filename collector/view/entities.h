/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_VIEW_ENTITIES_H
#define COLLECTOR_VIEW_ENTITIES_H

#include "parsers/slice.h"
#include <stdint.h>

/* What the wallboard shows, one rendered JSON object an entity, and which of them changed since
 * the last time that was asked. */
enum entity_kind {
    ENTITY_PBX,
    ENTITY_CALL,
    ENTITY_QUEUE,
    ENTITY_AGENT,
    ENTITY_ENDPOINT,
    ENTITY_TRUNK,
    ENTITY_REGISTRATION,
    ENTITY_LOAD,
    ENTITY_COUNTS,
    ENTITY_KIND_COUNT
};

/* "pbx", "call", "queue", "agent", "endpoint", "trunk", "registration", "load", "counts": the
 * names of SSE events. */
const char *entity_kind_name(enum entity_kind kind);

struct entities;

/* At most max entities holding at most max_bytes of JSON. NULL when memory is short. */
struct entities *entities_new(size_t max, size_t max_bytes);
void entities_free(struct entities *e);

/* Which entity; the slices are borrowed for the call. */
struct entity_name {
    enum entity_kind kind;
    struct slice pbx;
    struct slice subject;
};

/* Sets an entity's JSON, which is copied. An entity that does not fit, or memory for which is
 * short, is dropped whole, so that no old state stays, and counted: then false. */
bool entities_put(struct entities *e, const struct entity_name *name, struct slice json);

/* The entity is gone. Nothing happens when there was none. */
void entities_remove(struct entities *e, const struct entity_name *name);

/* Calls back for each entity of a kind that is there, in no particular order. */
typedef void (*entity_seen)(void *ctx, const struct entity_name *name, struct slice json);
void entities_each(struct entities *e, enum entity_kind kind, entity_seen seen, void *ctx);

/* Calls back for each entity that changed, in the order of the first change, and forgets that it
 * did. json is empty for those that are gone. */
void entities_changed(struct entities *e, entity_seen seen, void *ctx);

/* How many of a kind are live. */
size_t entities_count(const struct entities *e, enum entity_kind kind);
/* Entities that were dropped because of a bound. */
uint64_t entities_dropped(const struct entities *e);

#endif
