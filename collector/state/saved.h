/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_STATE_SAVED_H
#define COLLECTOR_STATE_SAVED_H

#include "collector/base/buf.h"

/* What of the live state has changed since it was last saved, so that a turn of the loop costs
 * what it changed and not what is live. Each entity that is saved has a struct saved inside. */

enum saved_kind {
    SAVED_CHANNEL,
    SAVED_CALL,
    SAVED_VISIT,
    SAVED_AGENT,
    SAVED_ENDPOINT,
    SAVED_REGISTRATION,
    SAVED_TRUNK,
    SAVED_DRIFT,
    SAVED_DRIFT_CHANNEL,
    SAVED_LOAD
};

struct saved_list;

struct saved {
    enum saved_kind kind;
    struct saved_list *list; /* NULL: nobody saves it */
    struct saved *next, *previous;
    bool dirty;
    bool stored; /* the store has it: its end must be told */
};

/* Keys of ended entities that the store still has; past the bound they stay there until the next
 * start, which finds them ended (counted in lost). */
#define SAVED_GONE_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct saved_list {
    struct saved *first;
    struct saved *taken; /* by next, since the last saved_settle */
    struct buf gone;     /* each key with a NUL behind it */
    uint64_t lost;
};

/* Nothing to be saved yet. It must not move while entities point to it. */
struct saved_list saved_list_new(void);
/* Frees the keys of what is gone; the entities are their owners'. */
void saved_list_free(struct saved_list *list);

/* The entity has changed. */
void saved_touch(struct saved *s);

/* The entity ends; key is what it is stored under. */
void saved_end(struct saved *s, struct slice kind, struct slice key);

/* Any of what is still to be saved, taken off the list; NULL when there is none. */
struct saved *saved_take(struct saved_list *list);

/* Whether what was taken, and told to be gone, is stored. If not it is all still to be saved. To be
 * called after the last saved_take of a save, before anything else. */
void saved_settle(struct saved_list *list, bool stored);

/* The entity that a saved is inside of. */
#define SAVED_OWNER(saved_pointer, type, member)                                                   \
    ((type *)(void *)((char *)(saved_pointer)-offsetof(type, member)))

#endif
