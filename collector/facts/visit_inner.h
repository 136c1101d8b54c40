/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_VISIT_INNER_H
#define COLLECTOR_FACTS_VISIT_INNER_H

#include "collector/facts/visit.h"

/* What the files of the visits share; nobody else includes it. */

/* AgentComplete and the transfer's own event come from two threads of Asterisk, within
 * milliseconds; what has not come after this will not. */
#define VISIT_CLOSING_US 2000000

/* States as bits, to be looked for. */
#define VISIT_IN(state) (1u << (state))

/* The caller's visit in one of the states given as bits; in any queue when queue is empty. */
struct visit *visits_find(const struct visits *visits, struct slice caller, struct slice queue,
                          unsigned states);
/* The same, of the caller and queue that the event names. */
struct visit *visits_find_by(const struct visits *visits, const struct ami_message *m,
                             unsigned states);

/* Whole seconds between two moments as Asterisk counts them: it subtracts truncated clocks. */
int64_t visit_whole_seconds(int64_t from, int64_t to);

/* The visit is over as soon as what it waits for has come, or has not come in time. */
void visits_await(struct visits *visits, struct visit *v);

/* The caller no longer stands in the queue's line. */
void visits_leave_line(struct visits *visits, struct visit *v);

/* The waiting caller is in a bridge, where the manager's Park or Bridge put him. Asterisk 22 counts
 * that as abandoned, in events and a line of queue_log about a channel that AMI does not show. */
void visits_taken_away(struct visits *visits, struct visit *v);

/* Ends the visit, tells it and frees it. */
void visits_end(struct visits *visits, struct visit *v, enum visit_end end);

/* The ringing phone of this Uniqueid, or NULL. */
struct visit_attempt *visit_attempt_of(const struct visit *v, struct slice uniqueid);
/* None rings any more. */
void visit_clear_attempts(struct visit *v);
/* RINGCANCELED of the phones that rang until the caller went. Told only then: a dial that is
 * cancelled because somebody picked the call up is told before the Pickup. */
void visit_tell_cancelled(struct visits *visits, struct visit *v);

/* Forgets what is remembered of a transfer. */
void visit_clear_transfer(struct visit_past_transfer *t);

#endif
