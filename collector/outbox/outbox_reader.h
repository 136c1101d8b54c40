/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_OUTBOX_READER_H
#define COLLECTOR_OUTBOX_OUTBOX_READER_H

#include "collector/facts/fact.h"

/* One sink's view of the outbox's committed rows, through a connection of its own: each as it was
 * rendered for this sink, and no row that was not. Rows are copied
 * out in chunks, so that a slow sink never holds a read transaction open and with it the WAL. */
struct outbox_reader;

struct outbox_row {
    uint64_t seq;
    struct slice kind_name;
    struct fact_head head; /* kind is FACT_KIND_COUNT where this amitap does not know it */
    struct slice body;     /* the record's JSON; p is NULL for a tombstone */
    struct slice policy;   /* the name of the privacy policy it was rendered under (privacy_name) */
};

#define OUTBOX_CHUNK_ROWS 512

struct outbox_chunk {
    size_t count;
    struct outbox_row rows[OUTBOX_CHUNK_ROWS];
};

/* Opens the outbox file at path for one thread of a sink, which is registered before the first
 * read; NULL reads each fact as it was rendered first. NULL with one line in error. */
struct outbox_reader *outbox_reader_new(const char *path, const char *sink, char *error,
                                        size_t error_size);
void outbox_reader_free(struct outbox_reader *r);

/* Reads the rows past after, oldest first, as many as fit a chunk (512 rows or about 1 MiB). The
 * chunk is borrowed until the next read. NULL when the file could not be read. */
const struct outbox_chunk *outbox_read(struct outbox_reader *r, uint64_t after);

/* Reads one row as this sink sees it; where it has no rendering for the sink, only what no policy
 * hides: kind, PBX, time and sequence, with empty texts otherwise and no body. Borrowed as a chunk
 * of one row or none. NULL as above. */
const struct outbox_chunk *outbox_read_one(struct outbox_reader *r, uint64_t seq);

#endif
