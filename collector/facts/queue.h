/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_QUEUE_H
#define COLLECTOR_FACTS_QUEUE_H

#include "collector/facts/emit.h"
#include "collector/state/table.h"
#include "parsers/ami_message.h"

struct visit;

/* One queue as app_queue knows it, with who waits in it. */
struct queue {
    char *name;
    char *strategy;
    int64_t service_level; /* microseconds, 0: not known */
    struct visit *waiting; /* the line, its first one first; linked by next_waiting */
    bool changed;          /* to be told at the end of the event */
    uint64_t told;         /* what of it was told last (emit_end_state) */
    struct queue *next_changed;
};

struct queues {
    struct table by_name;
    struct emitter *emit;
    struct queue *changed;
};

/* No queues yet. emit is borrowed; past max queues further ones are refused. */
struct queues queues_new(struct emitter *emit, size_t max);
/* Frees them all; the visits must be gone before. */
void queues_free(struct queues *queues);

/* The queue of this name, made when there is none. NULL when it cannot be held. */
struct queue *queues_get(struct queues *queues, struct slice name);

/* The queue of this name, or NULL when none is known. */
struct queue *queues_find(const struct queues *queues, struct slice name);

/* QueueParams, an item of QueueStatus: strategy and service level. */
void queues_params(struct queues *queues, const struct ami_message *m);

/* The queue's live state is to be told when the event at hand is done. */
void queues_touch(struct queues *queues, struct queue *queue);
void queues_tell(struct queues *queues);

#endif
