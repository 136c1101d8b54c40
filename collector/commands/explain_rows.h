/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_EXPLAIN_ROWS_H
#define COLLECTOR_COMMANDS_EXPLAIN_ROWS_H

#include "collector/commands/explain_words.h"

/* What the files of explain's words share. */

#define EXPLAIN_TEXT_MAX   4096
#define EXPLAIN_TEXTS_SIZE (16 * EXPLAIN_TEXT_MAX)

struct explain_telling {
    json_t *channels; /* names by Uniqueid */
    struct timeline *timeline;
    char texts[EXPLAIN_TEXTS_SIZE]; /* of the record at hand */
    size_t used;
};

/* The text, valid until the next record; cut to EXPLAIN_TEXT_MAX, empty when the record's texts are
 * full. */
const char *explain_say(struct explain_telling *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds a line; time, event and channel are the record's where the line has none. */
void explain_line(struct explain_telling *t, const json_t *record, struct timeline_line line);

/* The channel that a record is about, else its caller's number, else its Uniqueid. */
const char *explain_channel(const struct explain_telling *t, const json_t *record);

/* CDR rows, numbered in the order in which they began, with why they begin, end or are dropped. */
void explain_rows(struct explain_telling *t, const json_t *records);

/* A queue visit: joined, taken, ended. */
void explain_visit(struct explain_telling *t, const json_t *record);
/* A derived line of queue_log: of these only the rings without an answer; the visit has the rest.
 */
void explain_queue_line(struct explain_telling *t, const json_t *record);

#endif
