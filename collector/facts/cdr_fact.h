/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_FACT_H
#define COLLECTOR_FACTS_CDR_FACT_H

#include "collector/facts/cdr_row.h"
#include "collector/facts/emit.h"

/* One finished row as a fact, with the columns of Asterisk's own CDR. */
void cdr_fact(struct emitter *e, const struct cdr_row *row, const struct cdr_options *options,
              uint64_t *sequence);

#endif
