/* SPDX-License-Identifier: MIT */
#include "collector/outbox/outbox_reader.h"

#include "collector/facts/privacy.h"
#include "collector/outbox/outbox_schema.h"
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)1024 * 1024)
/* The largest body is a fact's bound six times over, when each byte must be escaped. */
#define CHUNK_BYTES_MAX (CHUNK_BYTES + (size_t)8 * 1024 * 1024)

/* As many changes of a sink's policy, and policies, are told apart; older ones are let go. */
#define EPOCHS_MAX   32
#define POLICIES_MAX 64

enum column { SEQ, KIND, FLAGS, PBX, SUBJECT, KEY, ID, TIME, SEQUENCE, BODY, POLICY };

/* ?2 is the policy that is asked for, NULL for the one a row has. */
#define RENDERED(column) "CASE WHEN r.seq IS NULL THEN f." column " ELSE r." column " END"
static const char select_rows[] =
    "SELECT f.seq, kind, flags, pbx, " RENDERED("subject") ", " RENDERED("key") ", " RENDERED(
        "ce_id") ", ce_time, ce_sequence, " RENDERED("body") ", coalesce(?2, f.policy) "
                                                             "FROM facts f LEFT JOIN renderings r "
                                                             "ON r.seq = f.seq AND r.policy = ?2 "
                                                             "AND f.policy <> ?2 "
                                                             "WHERE f.seq > ?1 AND f.seq <= ?3 AND "
                                                             "(?2 IS NULL OR f.policy = ?2 OR "
                                                             "r.seq IS NOT NULL) "
                                                             "ORDER BY f.seq";

/* The policy of what came behind since. */
struct epoch {
    uint64_t since;
    int64_t policy;
    bool absent; /* there was no such sink: only what its policy of now fits is for it */
};

struct outbox_reader {
    struct sqlite_file file;
    sqlite3_stmt *select;
    const char *sink;
    bool known; /* epochs and names are loaded */
    struct epoch epochs[EPOCHS_MAX];
    size_t epoch_count;
    char names[POLICIES_MAX][PRIVACY_TEXT_SIZE];
    struct buf text;
    struct outbox_chunk chunk;
};

struct outbox_reader *outbox_reader_new(const char *path, const char *sink, char *error,
                                        size_t error_size)
{
    struct outbox_reader *r = calloc(1, sizeof(*r));
    if (!r) {
        snprintf(error, error_size, "%s: out of memory", path);
        return NULL;
    }
    r->sink = sink;
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
static struct slice copy_text(struct outbox_reader *r, sqlite3_stmt *from, int column)
{
    struct slice text = sqlite_file_text(from, column);
    if (!text.p)
        return text;
    struct slice copy = {r->text.p + r->text.n, text.n};
    buf_put_slice(&r->text, text);
    return copy;
}

static struct slice copy_column(struct outbox_reader *r, enum column column)
{
    return copy_text(r, r->select, (int)column);
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
    int policy = sqlite3_column_int(r->select, POLICY);
    row->policy = policy >= 0 && policy < POLICIES_MAX ? slice_from(r->names[policy]) : SLICE("?");
}

static bool load_names(struct outbox_reader *r)
{
    sqlite3_stmt *ask = sqlite_file_prepare(&r->file, "SELECT policy, name FROM policies");
    int rc = SQLITE_ERROR;
    while (ask && (rc = sqlite3_step(ask)) == SQLITE_ROW) {
        int policy = sqlite3_column_int(ask, 0);
        if (policy >= 0 && policy < POLICIES_MAX)
            snprintf(r->names[policy], PRIVACY_TEXT_SIZE, "%s",
                     (const char *)sqlite3_column_text(ask, 1));
    }
    sqlite3_finalize(ask);
    return rc == SQLITE_DONE;
}

/* The newest ones, oldest first. */
static bool load_epochs(struct outbox_reader *r)
{
    sqlite3_stmt *ask = sqlite_file_prepare(
        &r->file, "SELECT since, policy, policy IS NULL FROM (SELECT * FROM sink_policies WHERE "
                  "sink = ?1 ORDER BY since DESC LIMIT ?2) ORDER BY since");
    int rc = SQLITE_ERROR;
    r->epoch_count = 0;
    if (ask) {
        sqlite3_bind_text(ask, 1, r->sink, -1, SQLITE_STATIC);
        sqlite3_bind_int(ask, 2, EPOCHS_MAX);
    }
    while (ask && (rc = sqlite3_step(ask)) == SQLITE_ROW && r->epoch_count < EPOCHS_MAX)
        r->epochs[r->epoch_count++] =
            (struct epoch){(uint64_t)sqlite3_column_int64(ask, 0), sqlite3_column_int64(ask, 1),
                           sqlite3_column_int(ask, 2) != 0};
    sqlite3_finalize(ask);
    return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* The epoch of the row behind after; the first one for what was before it. */
static size_t epoch_at(const struct outbox_reader *r, uint64_t after)
{
    size_t i = r->epoch_count;
    while (i > 1 && r->epochs[i - 1].since > after)
        i--;
    return i - 1;
}

/* Binds which rows to read and under which policy. Returns the last seq they may have. */
static uint64_t bind_range(struct outbox_reader *r, uint64_t after)
{
    uint64_t to = INT64_MAX;
    sqlite3_bind_int64(r->select, 1, (sqlite3_int64)after);
    sqlite3_bind_null(r->select, 2);
    if (r->sink && r->epoch_count > 0) {
        size_t i = epoch_at(r, after);
        const struct epoch *newest = &r->epochs[r->epoch_count - 1];
        const struct epoch *epoch = r->epochs[i].absent ? newest : &r->epochs[i];
        to = i + 1 < r->epoch_count ? r->epochs[i + 1].since : to;
        sqlite3_bind_int64(r->select, 2, epoch->policy);
    }
    sqlite3_bind_int64(r->select, 3, (sqlite3_int64)to);
    return to;
}

/* Reads a chunk of one epoch. False when the file could not be read. */
static bool read_epoch(struct outbox_reader *r)
{
    struct outbox_chunk *chunk = &r->chunk;
    int rc = SQLITE_DONE;
    while (chunk->count < OUTBOX_CHUNK_ROWS && r->text.n < CHUNK_BYTES &&
           (rc = sqlite3_step(r->select)) == SQLITE_ROW)
        copy_row(r, &chunk->rows[chunk->count++]);
    sqlite3_reset(r->select);
    return (rc == SQLITE_ROW || rc == SQLITE_DONE) && !r->text.failed;
}

const struct outbox_chunk *outbox_read(struct outbox_reader *r, uint64_t after)
{
    uint64_t to = after;
    r->known = r->known || (load_names(r) && (!r->sink || load_epochs(r)));
    r->chunk.count = 0;
    buf_clear(&r->text);
    if (!r->known)
        return NULL;
    while (r->chunk.count == 0 && to < INT64_MAX) {
        to = bind_range(r, to);
        if (!read_epoch(r))
            return NULL;
    }
    return &r->chunk;
}

/* Into the empty chunk. False when the file could not be read. */
static bool read_bare(struct outbox_reader *r, uint64_t seq)
{
    sqlite3_stmt *ask = sqlite_file_prepare(
        &r->file, "SELECT kind, pbx, ce_time, ce_sequence FROM facts WHERE seq = ?1");
    if (!ask)
        return false;
    sqlite3_bind_int64(ask, 1, (sqlite3_int64)seq);
    int rc = sqlite3_step(ask);
    if (rc == SQLITE_ROW) {
        struct slice empty = SLICE("");
        struct outbox_row *row = &r->chunk.rows[r->chunk.count++];
        *row = (struct outbox_row){.seq = seq,
                                   .kind_name = copy_text(r, ask, 0),
                                   .head = {.subject = empty, .key = empty, .id = empty},
                                   .policy = SLICE("hidden")};
        row->head.pbx = copy_text(r, ask, 1);
        row->head.time = sqlite3_column_int64(ask, 2);
        row->head.sequence = (uint64_t)sqlite3_column_int64(ask, 3);
        row->head.kind = fact_kind_by_name(row->kind_name);
    }
    sqlite3_finalize(ask);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

const struct outbox_chunk *outbox_read_one(struct outbox_reader *r, uint64_t seq)
{
    const struct outbox_chunk *chunk = outbox_read(r, seq - 1);
    if (!chunk)
        return NULL;
    bool there = chunk->count > 0 && chunk->rows[0].seq == seq;
    r->chunk.count = there;
    if (there)
        return chunk;
    buf_clear(&r->text);
    return read_bare(r, seq) ? chunk : NULL;
}
