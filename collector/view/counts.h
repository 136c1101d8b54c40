/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_VIEW_COUNTS_H
#define COLLECTOR_VIEW_COUNTS_H

#include "collector/base/json_out.h"

/* Today's counters, from facts alone: calls and CDRs of each PBX, visits of each queue. */
struct counts;

enum visit_outcome {
    VISIT_ANSWERED,
    VISIT_ABANDONED,  /* the caller hung up */
    VISIT_FLOWED_OUT, /* timeout, leave_empty, exit_key, withdrawn */
    VISIT_REFUSED,    /* blocked_full, blocked_empty: never in the queue */
    VISIT_LOST,       /* lost_sight: nobody saw how it ended */
    VISIT_OUTCOME_COUNT
};

/* The outcome for a queue record's word; what is unknown flowed out. */
enum visit_outcome visit_outcome_by_name(struct slice name);

enum call_count { CALLS_STARTED, CALLS_ANSWERED, CALLS_UNANSWERED, CDRS, CALL_COUNT_COUNT };

/* At most max queues and PBXs, and as many visits that are not over. NULL when memory is short. */
struct counts *counts_new(size_t max, size_t max_visits);
void counts_free(struct counts *c);

/* n more calls or CDRs of a PBX. */
void counts_add_calls(struct counts *c, struct slice pbx, enum call_count what, uint64_t n);

struct visit_name {
    struct slice pbx, queue, uniqueid;
};

/* A caller joined a queue, or was connected to a member after wait_us. Each counts once a visit,
 * also when it is told twice. */
void counts_visit_joined(struct counts *c, const struct visit_name *visit);
void counts_visit_answered(struct counts *c, const struct visit_name *visit, int64_t wait_us);

/* A visit is over: counts what has not been counted of it. With today false it is only forgotten.
 */
void counts_visit_ended(struct counts *c, const struct visit_name *visit,
                        enum visit_outcome outcome, int64_t wait_us, bool today);

/* n visits that are over, each of which waited so long. */
void counts_add_visits(struct counts *c, struct slice pbx, struct slice queue,
                       enum visit_outcome outcome, uint64_t n, int64_t wait_us);

/* The queue's service level target; 0 when unknown. */
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
