/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_HISTORY_RETENTION_H
#define COLLECTOR_SINKS_HISTORY_RETENTION_H

#include "collector/base/clock.h"
#include "collector/config/config.h"
#include "collector/outbox/sqlite_file.h"

/* Deletes rows of the history that are older than the configuration keeps them, in slices, one
 * table after the other; once all are done it rests for a minute. */
struct history_retention;

/* Everything is borrowed. With store NULL, or where every table is kept for ever, there is nothing
 * to do. NULL when memory is short or a table is missing. */
struct history_retention *history_retention_new(struct sqlite_file *file,
                                                const struct config_section *store,
                                                const struct clock *clock);
void history_retention_free(struct history_retention *r);

/* Deletes a slice, in a transaction of its own; ret_more says whether more is due now. An SQLite
 * result code. */
int history_retention_step(struct history_retention *r, uint64_t *ret_rows, bool *ret_more);

/* The i-th of the history's tables that hold records, NULL behind the last one. */
const char *history_table(size_t i);

#endif
