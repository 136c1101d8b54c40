/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_VIEW_COUNTS_H
#define COLLECTOR_VIEW_COUNTS_H

#include "collector/base/json_out.h"

/* Today's counters, from facts alone: calls and CDRs of each PBX, visits of each queue. */
struct counts;

enum counts_outcome {
    COUNTS_ANSWERED,
    COUNTS_ABANDONED,  /* the caller hung up */
    COUNTS_FLOWED_OUT, /* timeout, leave_empty, exit_key, withdrawn */
    COUNTS_REFUSED,    /* blocked_full, blocked_empty: never in the queue */
    COUNTS_LOST,       /* lost_sight: nobody saw how it ended */
    COUNTS_OUTCOME_COUNT
};

/* The outcome for a queue record's word; what is unknown flowed out. */
enum counts_outcome counts_outcome_by_name(struct slice name);

enum counts_calls {
    COUNTS_CALLS_STARTED,
    COUNTS_CALLS_ANSWERED,   /* of those that are over */
    COUNTS_CALLS_UNANSWERED, /* of those that are over */
    COUNTS_CDRS,
    COUNTS_CALLS_COUNT
};

/* At most max queues and PBXs, and as many visits that are not over. NULL when memory is short. */
struct counts *counts_new(size_t max, size_t max_visits);
void counts_free(struct counts *c);

/* n more calls or CDRs of a PBX. */
void counts_add_calls(struct counts *c, struct slice pbx, enum counts_calls what, uint64_t n);

struct counts_visit {
    struct slice pbx, queue, uniqueid;
};

/* A caller joined a queue, or was connected to a member after wait_us. Each counts once a visit,
 * also when it is told twice. */
void counts_visit_joined(struct counts *c, const struct counts_visit *visit);
void counts_visit_answered(struct counts *c, const struct counts_visit *visit, int64_t wait_us);

/* A visit is over: counts what has not been counted of it. With today false it is only forgotten.
 */
void counts_visit_ended(struct counts *c, const struct counts_visit *visit,
                        enum counts_outcome outcome, int64_t wait_us, bool today);

/* Visits that are over and were counted elsewhere: n of them, the sum and the longest of their
 * waits, and how many were answered within the service level. */
struct counts_visits {
    enum counts_outcome outcome;
    uint64_t n, within;
    int64_t wait_us, wait_us_max;
};
void counts_add_visits(struct counts *c, struct slice pbx, struct slice queue,
                       const struct counts_visits *visits);

/* The queue's service level target in seconds; 0 when unknown. */
void counts_set_service_level(struct counts *c, struct slice pbx, struct slice queue,
                              int64_t seconds);

/* A new day: every counter is 0 again. Targets and visits that are not over stay known. */
void counts_reset(struct counts *c);

/* Calls back for each set of counters that changed since the last call: subject is "calls" or
 * "queue/<name>", json an object with pbx, subject and the counters. */
typedef void (*counts_seen)(void *ctx, struct slice pbx, struct slice subject, struct slice json);
void counts_changed(struct counts *c, counts_seen seen, void *ctx);

/* Queues, PBXs and visits that were not counted because of a bound. */
uint64_t counts_dropped(const struct counts *c);

#endif
