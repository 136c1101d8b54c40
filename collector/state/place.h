/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_STATE_PLACE_H
#define COLLECTOR_STATE_PLACE_H

#include "collector/base/buf.h"
#include "collector/state/table.h"

/* What was seen to run at which place of the dialplan (context, extension, priority). Asterisk
 * does not show what a channel runs first after it was sent elsewhere from outside (blind transfer,
 * Redirect, park comeback); another call's Newexten at the same place does. */
struct place_memory {
    struct table places;
};

/* Past so many places nothing new is remembered (counted in places.refused). */
#define PLACES_MAX 65536u

struct place_key {
    struct slice context;
    struct slice exten;
    int priority;
};

/* Nothing is remembered yet. */
struct place_memory place_memory_new(void);
/* Forgets everything and frees it. */
void place_memory_free(struct place_memory *memory);

/* Remembers that application with data runs there; the newest counts. */
void place_memory_put(struct place_memory *memory, const struct place_key *key,
                      struct slice application, struct slice data);

enum place_found {
    PLACE_UNKNOWN,
    PLACE_SEEN,    /* seen at this very place */
    PLACE_SIBLING, /* seen at another extension of the same context and priority */
};

/* The data of that application at that place, written to an emptied `to`; a sibling's has its
 * extension's digits replaced by this one's. PLACE_UNKNOWN also when it passes the bound of to. */
enum place_found place_memory_data(const struct place_memory *memory, const struct place_key *key,
                                   struct slice application, struct buf *to);

#endif
