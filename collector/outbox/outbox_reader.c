/* SPDX-License-Identifier: MIT */
#include "collector/outbox/outbox_reader.h"

#include "collector/outbox/outbox_schema.h"
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)1024 * 1024)
/* The largest body is a fact's bound six times over, when each byte must be escaped. */
#define CHUNK_BYTES_MAX (CHUNK_BYTES + (size_t)8 * 1024 * 1024)

enum column { SEQ, KIND, FLAGS, PBX, SUBJECT, KEY, ID, TIME, SEQUENCE, BODY };

static const char select_rows[] = "SELECT seq, kind, flags, pbx, subject, key, ce_id, ce_time, "
                                  "ce_sequence, body FROM facts WHERE seq > ?1 ORDER BY seq";

struct outbox_reader {
    struct sqlite_file file;
    sqlite3_stmt *select;
    struct buf text;
    struct outbox_chunk chunk;
};

struct outbox_reader *outbox_reader_new(const char *path, char *error, size_t error_size)
{
    struct outbox_reader *r = calloc(1, sizeof(*r));
    if (!r) {
        snprintf(error, error_size, "%s: out of memory", path);
        return NULL;
    }
    r->text = buf_new(CHUNK_BYTES_MAX);
    if (sqlite_file_open_to_read(&r->file, path, &outbox_schema, error, error_size) < 0) {
        free(r);
        return NULL;
    }
    r->select = sqlite_file_prepare(&r->file, select_rows);
    if (!r->select || !buf_reserve(&r->text, CHUNK_BYTES_MAX)) {
        snprintf(error, error_size, "%s: %s", path,
                 r->select ? "out of memory" : sqlite3_errmsg(r->file.db));
        outbox_reader_free(r);
        return NULL;
    }
    return r;
}

void outbox_reader_free(struct outbox_reader *r)
{
    if (!r)
        return;
    sqlite3_finalize(r->select);
    sqlite_file_close(&r->file);
    buf_free(&r->text);
    free(r);
}

/* A copy of a column's text; NULL stays NULL. The buffer has its full size and never moves. */
static struct slice copy_column(struct outbox_reader *r, enum column column)
{
    const char *text = (const char *)sqlite3_column_text(r->select, (int)column);
    size_t n = (size_t)sqlite3_column_bytes(r->select, (int)column);
    if (!text)
        return (struct slice){0};
    struct slice copy = {r->text.p + r->text.n, n};
    buf_put(&r->text, text, n);
    return copy;
}

static void copy_row(struct outbox_reader *r, struct outbox_row *row)
{
    row->seq = (uint64_t)sqlite3_column_int64(r->select, SEQ);
    row->kind_name = copy_column(r, KIND);
    row->head.flags = (unsigned)sqlite3_column_int(r->select, FLAGS);
    row->head.time = sqlite3_column_int64(r->select, TIME);
    row->head.sequence = (uint64_t)sqlite3_column_int64(r->select, SEQUENCE);
    row->head.pbx = copy_column(r, PBX);
    row->head.subject = copy_column(r, SUBJECT);
    row->head.key = copy_column(r, KEY);
    row->head.id = copy_column(r, ID);
    row->body = copy_column(r, BODY);
    row->head.kind = fact_kind_by_name(row->kind_name);
}

const struct outbox_chunk *outbox_read(struct outbox_reader *r, uint64_t after)
{
    struct outbox_chunk *chunk = &r->chunk;
    int rc = SQLITE_DONE;
    chunk->count = 0;
    buf_clear(&r->text);
    sqlite3_bind_int64(r->select, 1, (sqlite3_int64)after);
    while (chunk->count < OUTBOX_CHUNK_ROWS && r->text.n < CHUNK_BYTES &&
           (rc = sqlite3_step(r->select)) == SQLITE_ROW)
        copy_row(r, &chunk->rows[chunk->count++]);
    sqlite3_reset(r->select);
    return (rc == SQLITE_ROW || rc == SQLITE_DONE) && !r->text.failed ? chunk : NULL;
}
