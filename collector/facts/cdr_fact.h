/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_FACT_H
#define COLLECTOR_FACTS_CDR_FACT_H

#include "collector/facts/cdr_row.h"
#include "collector/facts/emit.h"

struct cdr_sight {
    const struct cdr_options *options;
    /* The account gets events of the dialplan class; without them lastapp, lastdata and userfield
     * are not known, and null. */
    bool dialplan;
    enum cdr_dropped dropped; /* of a row that Asterisk does not write: field reason */
    /* The recording of one of the row's channels while it was open; p NULL: none. */
    struct slice recording;
};

/* One finished row as a fact, with the columns of Asterisk's own CDR. sequence is its call's count
 * of facts, or NULL. */
void cdr_fact(struct emitter *e, const struct cdr_row *row, const struct cdr_sight *sight,
              uint64_t *sequence);

#endif
