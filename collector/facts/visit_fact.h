/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_VISIT_FACT_H
#define COLLECTOR_FACTS_VISIT_FACT_H

#include "collector/facts/visit.h"

/* The facts and queue_log lines of a visit. */

/* What a queue_log line of a visit says; agent is "NONE" when empty. */
struct visit_words {
    const char *event;
    struct slice agent;
    const struct slice *args;
    size_t count;
};
/* Emits the line. */
void visit_line(struct emitter *e, const struct visit *v, const struct visit_words *words);

/* The facts queue_joined and queue_connected. */
void visit_fact_joined(struct emitter *e, const struct visit *v);
void visit_fact_connected(struct emitter *e, const struct visit *v);

/* The event that ended it (queue_completed, queue_abandoned, queue_timed_out, queue_left) and the
 * record of the whole visit (queue), with the file it was recorded in; p NULL without one. */
void visit_fact_ended(struct emitter *e, const struct visit *v, enum visit_end end,
                      struct slice recording);

#endif
