/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_DRIFT_FACT_H
#define COLLECTOR_FACTS_DRIFT_FACT_H

#include "collector/facts/drift.h"

/* Tells that a derived CDR row and Asterisk's differ in these columns; with one of them NULL, that
 * the other has no counterpart. A fact of the moment at hand, and the tap's own. */
void drift_fact_cdr(struct emitter *e, const struct drift_row *ours, const struct drift_row *theirs,
                    unsigned columns);

#endif
