/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_VISIT_FACT_H
#define COLLECTOR_FACTS_VISIT_FACT_H

#include "collector/facts/visit.h"

/* The facts and queue_log lines of a visit. */

/* A queue_log line of the visit; agent is "NONE" when empty. */
void visit_line(struct emitter *e, const struct visit *v, const char *event, struct slice agent,
                const struct slice *args, size_t count);

void visit_fact_joined(struct emitter *e, const struct visit *v);
void visit_fact_connected(struct emitter *e, const struct visit *v);

/* The event that ended it (queue_completed, queue_abandoned, queue_timed_out, queue_left) and the
 * record of the whole visit (queue). */
void visit_fact_ended(struct emitter *e, const struct visit *v, enum visit_end end);

#endif
