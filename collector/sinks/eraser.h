/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_ERASER_H
#define COLLECTOR_SINKS_ERASER_H

#include "collector/facts/erasure.h"
#include "collector/outbox/sqlite_file.h"
#include <stdint.h>

/* Takes numbers out of the rows of a history or an outbox, beside an amitap that may be writing to
 * it: in short transactions, a slice of rows each. The outbox's live state is not looked at: it
 * goes with the calls. */

/* Told once for each table with such rows. */
typedef void eraser_fn(void *ctx, const char *table, uint64_t rows);

struct eraser {
    struct sqlite_file *file; /* opened by sqlite_file_open_beside */
    const struct erasure *erasure;
    eraser_fn *told;
    void *ctx;
};

/* Goes through every table. 0, or -1 with one line in error. Called again it goes on: what was
 * erased has nothing to erase. */
int eraser_run(const struct eraser *e, char *error, size_t error_size);

/* Writes the file anew and empties its WAL, so that no byte remains of what was deleted or changed
 * before. Takes as long as copying it, and as much room; an amitap that runs waits meanwhile. 0, or
 * -1 with one line in error, also where somebody who reads keeps the WAL as it is. */
int eraser_compact(struct sqlite_file *f, char *error, size_t error_size);

#endif
