/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_QUEUE_DRIFT_H
#define COLLECTOR_FACTS_QUEUE_DRIFT_H

#include "collector/facts/agent.h"
#include "collector/facts/drift.h"
#include "collector/facts/visit.h"

/* The live state of queues against QueueStatus (app_queue, Asterisk 12 to 23): who waits, how many
 * calls were completed and abandoned since the last reading, and whether members are paused. Only
 * what was confirmed since the stream is followed is compared, and nothing that had an event since
 * QueueStatus was sent; the answer may even be ahead of an event, so a difference is told a moment
 * after it was seen, unless an event explained it. A difference is a fact of kind drift, told once
 * for as long as it stays the same. A reading that is under way is not saved. */

#define QUEUE_DRIFT_SETTLE_US   ((int64_t)1000000)
#define QUEUE_DRIFT_QUEUES_MAX  10000u
#define QUEUE_DRIFT_MEMBERS_MAX 1000000u
/* Uniqueids of callers that only Asterisk has, in one queue; more are left out of the fact. */
#define QUEUE_DRIFT_CALLERS_BYTES 8192u

struct queue_watch {
    char *name;
    uint64_t confirmed;            /* number of the event when a reading was complete; 0: none */
    uint64_t listed;               /* of its QueueParams in the reading at hand */
    uint64_t ended;                /* of the last event that ended a visit */
    int64_t calls;                 /* as QueueParams has it */
    int64_t counts[2], told_of[2]; /* Completed and Abandoned: in this reading, in the base */
    int64_t ours[2];               /* the same as we counted them since the base */
    bool based;                    /* told_of is from a reading of this connection */
    bool ending;                   /* a visit is just ending */
    bool rebase;                   /* a visit that we could not follow has ended */
    struct buf callers;            /* who only Asterisk has, each with a NUL behind it */
    struct buf moved;              /* who had an event since QueueStatus was sent */
    struct buf known;              /* the same as told last */
    struct buf counted;            /* whose calls go on and count as completed already */
    uint64_t left_out;             /* callers past the bound of such a list */
    uint64_t told;                 /* what of it was told last (emit_end_state) */
};

struct member_watch {
    char *key;       /* queue, a newline, interface */
    uint64_t seen;   /* number of its last event */
    uint64_t listed; /* of its last item */
    unsigned talks;  /* calls that it took and that are not complete to Asterisk */
    bool overlapped; /* more than one of them at a time */
    char *caller;    /* Uniqueid of whom it took last, or NULL */
    bool differs;    /* in the reading at hand */
    bool paused;     /* as the item has it */
    int64_t penalty;
    bool unknown; /* told as missing on our side */
    uint64_t told;
};

struct queue_drift_counters {
    uint64_t readings;
    uint64_t compared; /* queues and members */
    uint64_t differing;
};

struct queue_drift {
    struct emitter *emit;
    struct queues *queues;
    const struct visits *visits;
    struct agents *agents;
    const struct drift *drift; /* since when the stream is followed */
    struct table watches, members;
    bool live;          /* the reading is no snapshot: it fills and overrides nothing */
    bool asked;         /* a reading is under way */
    uint64_t connected; /* number of the last event before the stream began */
    uint64_t began;     /* of the last one before QueueStatus was sent */
    uint64_t refused;   /* what the tables had refused by then */
    int64_t until;      /* a complete reading is told then; 0: there is none */
    struct queue_drift_counters counters;
};

/* Nothing was read yet. What it looks at is borrowed for its life, and set by the owner. */
struct queue_drift queue_drift_new(struct emitter *emit);
void queue_drift_free(struct queue_drift *d);

/* The stream begins, or begins anew. */
void queue_drift_connected(struct queue_drift *d);
/* An event with a header Queue, before it is taken in. */
void queue_drift_event(struct queue_drift *d, const struct ami_message *m);
/* A fact of kind queue: a visit ended. */
void queue_drift_visit(struct queue_drift *d, struct slice fact);

/* QueueStatus was sent; live: the stream is being followed, and this is no snapshot. */
void queue_drift_begin(struct queue_drift *d, bool live);
/* An item of its answer, before it is taken in. False when it is not to be taken in: what is known
 * by events is not overridden, and what is not known waits until it was told. */
bool queue_drift_item(struct queue_drift *d, const struct ami_message *m);
/* The answer ended, now by this machine's clock. */
void queue_drift_end(struct queue_drift *d, bool complete, int64_t now);
/* Time has passed: the last reading is told when it is due. True when it was and is no snapshot's:
 * who waits in a queue but was not in it, nor had an event since, may be closed. A member that
 * neither the reading nor we have any more is forgotten. */
bool queue_drift_expire(struct queue_drift *d, int64_t now);

/* Takes members out of their queues that the reading did not have, though they were known before
 * and had no event since. None where a table had no room for what the reading had. */
void queue_drift_lose_members(struct queue_drift *d);

#endif
