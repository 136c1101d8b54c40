/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_EXPLAIN_WORDS_H
#define COLLECTOR_COMMANDS_EXPLAIN_WORDS_H

#include "collector/commands/timeline.h"
#include <jansson.h>

/* One call's records in plain words. The same records give the same lines, whether they come from
 * the history or from a recording. */

/* Adds the lines of all records (objects as fact_json writes them, in their order) and sorts them.
 * A record of kind cdr that has a reason is a row that Asterisk does not write. Kinds and fields
 * that are not known here are passed over. */
void explain_words(const json_t *records, struct timeline *timeline);

/* Values of a record: the text or NULL, the number or 0, the time in microseconds or 0. */
const char *explain_text(const json_t *record, const char *field);
double explain_number(const json_t *record, const char *field);
int64_t explain_time(const json_t *record, const char *field);

#endif
