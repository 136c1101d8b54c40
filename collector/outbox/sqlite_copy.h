/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_SQLITE_COPY_H
#define COLLECTOR_OUTBOX_SQLITE_COPY_H

#include "collector/outbox/sqlite_file.h"
#include <stdint.h>

/* Told how far a copy is, in pages; after every some MiB and at the end. */
typedef void sqlite_copy_fn(void *ctx, int done, int all);

struct sqlite_copy {
    const char *from;
    const struct sqlite_schema *schema; /* what `from` must be */
    const char *to;                     /* must not exist */
    sqlite_copy_fn *progress;
    void *ctx;
};

/* Copies a file as it is at one moment, by SQLite's backup API, while others write to it: they do
 * not wait, but the WAL grows meanwhile. The copy is one file, readable by its owner only, checked
 * and synced; it has its name once it is whole, and stands behind "TO-partial" before. 0, or -1
 * with one line in error; then there is no copy. */
int sqlite_copy_run(const struct sqlite_copy *copy, char *error, size_t error_size);

#endif
