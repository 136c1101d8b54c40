/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_DRIFT_FACT_H
#define COLLECTOR_FACTS_DRIFT_FACT_H

#include "collector/facts/drift.h"

/* What a fact of kind drift is about. */
struct drift_about {
    struct slice what;
    struct slice queue, interface; /* {NULL, 0} where it is about none */
};
struct emit_about drift_fact_about(const struct drift_about *about);
/* Begins a fact about a queue or a member of one; what differs follows. */
struct fact_builder *drift_fact_begin(struct emitter *e, const struct drift_about *about,
                                      const struct emit_about *fact);

/* Tells that a derived CDR row and Asterisk's differ in these columns; with one of them NULL, that
 * the other has no counterpart. A fact of the moment at hand, and the tap's own. */
void drift_fact_cdr(struct emitter *e, const struct drift_row *ours, const struct drift_row *theirs,
                    unsigned columns);

#endif
