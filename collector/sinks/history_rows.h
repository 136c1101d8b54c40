/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_HISTORY_ROWS_H
#define COLLECTOR_SINKS_HISTORY_ROWS_H

#include "collector/outbox/outbox_reader.h"
#include "collector/outbox/sqlite_file.h"

/* How records become rows: a table's columns are asked of the file, so that a column is added by a
 * migration alone. ce_id, ce_subject, ce_time, ce_key, ce_sequence and body come from the outbox's
 * row, every other column is the body's field of that name; nested values are kept as JSON. */
struct history_rows;

extern const struct sqlite_schema history_schema;

/* Prepares the statements for every kind that is kept. NULL with one line in error, e.g. when a
 * table is missing. */
struct history_rows *history_rows_new(struct sqlite_file *f, const char *path, char *error,
                                      size_t error_size);
void history_rows_free(struct history_rows *h);

/* Inserts a record where its kind is kept; one that is there already, by its ce_id, changes
 * nothing, nor does one that came out of a history (FACT_IS_AGAIN): it may have been deleted there
 * since. A record that its table refuses goes to dead_letters with the reason, and
 * *ret_refused is set. An SQLite result code: an error is the file's, not the record's. */
int history_rows_insert(struct history_rows *h, const struct outbox_row *row, bool *ret_refused);

/* Inserts a record into dead_letters. An SQLite result code. */
int history_rows_bury(struct history_rows *h, const struct outbox_row *row, const char *sink,
                      const char *reason);

#endif
