/* SPDX-License-Identifier: MIT */
#include "collector/sinks/history.h"

#include "collector/base/crash_point.h"
#include "collector/base/log.h"
#include "collector/base/metrics.h"
#include "collector/sinks/history_retention.h"
#include "collector/sinks/history_rows.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* A chunk that is not full waits so long for company: the history need not be of this instant. */
#define PACE_MS  50
#define IDLE_MS  1000
#define RETRY_MS 500
#define SYNC_US  1000000
/* Of the WAL: only a reader that does not end keeps it from starting over for so long. */
#define WAL_BYTES_TOLD (UINT64_C(64) << 20)
/* Tries that are left to a disk that keeps failing once the end was asked for. */
#define LAST_TRIES 3
/* How soon it is tried again to empty the WAL, which takes 100 ms where a reader keeps it. */
#define FORGET_AGAIN_US 2000000
/* How long the end waits for a backlog to be copied; the rest stays in the outbox. */
#define STOP_US 10000000

/* One row that another sink wants buried. The state says whose turn it is: the sink's while EMPTY
 * or DONE, the history's while ASKED. */
enum letter_state { LETTER_EMPTY, LETTER_ASKED, LETTER_DONE };

struct letter {
    atomic_int state;
    uint64_t seq;
    char sink[32];
    char reason[256];
};

struct history {
    struct sqlite_file file;
    char *path;
    struct outbox *outbox;
    struct outbox_reader *reader;
    struct history_rows *rows;
    struct history_retention *retention;
    sqlite3_stmt *begin, *commit, *put_cursor;
    struct clock clock;
    int sink;
    atomic_ullong cursor; /* committed to the file */
    uint64_t synced;      /* survives power loss: the outbox may forget these */
    int64_t synced_at;
    int failing;       /* the SQLite code that was logged */
    bool wal_told;     /* that it grows */
    bool expiring;     /* rows were deleted that still stand in the WAL */
    int64_t forget_at; /* not to be emptied of them before */
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    int64_t stop_at; /* 0: nobody asked for the end yet */
    int last_tries;
    struct metric_line *took; /* how long transactions take */
    atomic_ullong copied, refused, expired, failures;
    struct letter letter;
};

static int put_cursor(struct history *h, uint64_t seq)
{
    sqlite3_bind_text(h->put_cursor, 1, outbox_name(h->outbox), -1, SQLITE_STATIC);
    sqlite3_bind_int64(h->put_cursor, 2, (sqlite3_int64)seq);
    return sqlite_file_run(h->put_cursor);
}

/* Where this file stands in this outbox: at 0 when it was filled from another one, or from a later
 * state of this one. Rows that come twice do nothing. A later state's cursor is put back at once,
 * before this outbox's numbers reach it. */
static int load_cursor(struct history *h)
{
    sqlite3_stmt *ask = sqlite_file_prepare(
        &h->file, "SELECT seq, seq > ?2 FROM outbox_cursor WHERE one = 1 AND outbox = ?1");
    if (!ask)
        return -1;
    sqlite3_bind_text(ask, 1, outbox_name(h->outbox), -1, SQLITE_STATIC);
    sqlite3_bind_int64(ask, 2, (sqlite3_int64)outbox_committed(h->outbox));
    int rc = sqlite3_step(ask);
    bool later = rc == SQLITE_ROW && sqlite3_column_int(ask, 1);
    if (rc == SQLITE_ROW && !later)
        h->cursor = (uint64_t)sqlite3_column_int64(ask, 0);
    sqlite3_finalize(ask);
    if (later && put_cursor(h, 0) != SQLITE_OK)
        return -1;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

static int prepare(struct history *h)
{
    h->begin = sqlite_file_prepare(&h->file, "BEGIN IMMEDIATE");
    h->commit = sqlite_file_prepare(&h->file, "COMMIT");
    h->put_cursor =
        sqlite_file_prepare(&h->file, "INSERT INTO outbox_cursor (one, outbox, seq) VALUES (1, ?1, "
                                      "?2) ON CONFLICT (one) DO UPDATE SET outbox = "
                                      "excluded.outbox, seq = excluded.seq");
    return h->begin && h->commit && h->put_cursor ? load_cursor(h) : -1;
}

/* Lets the outbox forget what power loss cannot take back from this file. */
static int sync_cursor(struct history *h)
{
    int rc = sqlite_file_sync(&h->file);
    if (rc == SQLITE_OK) {
        h->synced = h->cursor;
        outbox_cursor_set(h->outbox, h->sink, h->synced);
    }
    h->synced_at = clock_mono(&h->clock);
    return rc;
}

static void release(struct history *h)
{
    sqlite3_finalize(h->begin);
    sqlite3_finalize(h->commit);
    sqlite3_finalize(h->put_cursor);
    history_rows_free(h->rows);
    history_retention_free(h->retention);
    outbox_reader_free(h->reader);
    sqlite_file_close(&h->file);
    free(h->path);
    free(h);
}

/* Everything that needs the opened file. */
static int open_parts(struct history *h, const struct history_options *options, char *error,
                      size_t error_size)
{
    h->rows = history_rows_new(&h->file, h->path, error, error_size);
    if (!h->rows)
        return -1;
    h->reader = outbox_reader_new(outbox_path(h->outbox), "history", error, error_size);
    if (!h->reader)
        return -1;
    h->retention = history_retention_new(&h->file, options->section, &h->clock);
    if (!h->retention || prepare(h) < 0) {
        snprintf(error, error_size, "%s: %s", h->path, sqlite3_errmsg(h->file.db));
        return -1;
    }
    h->sink = outbox_add_sink(h->outbox, "history", options->policy);
    if (h->sink < 0) {
        snprintf(error, error_size, "%s", outbox_error(h->outbox));
        return -1;
    }
    int rc = sync_cursor(h);
    if (rc != SQLITE_OK)
        snprintf(error, error_size, "%s: %s", h->path, sqlite3_errstr(rc));
    return rc == SQLITE_OK ? 0 : -1;
}

struct history *history_open(const struct history_options *options, char *error, size_t error_size)
{
    struct history *h = calloc(1, sizeof(*h));
    char *copy = strdup(options->path);
    if (!h || !copy) {
        snprintf(error, error_size, "%s: out of memory", options->path);
        free(copy);
        free(h);
        return NULL;
    }
    h->path = copy;
    h->outbox = options->outbox;
    h->clock = *options->clock;
    h->last_tries = LAST_TRIES;
    h->took = metrics_line(METRIC_COMMIT, "history", NULL);
    if (sqlite_file_open(&h->file, h->path, &history_schema, error, error_size) == 0 &&
        open_parts(h, options, error, error_size) == 0)
        return h;
    release(h);
    return NULL;
}

/* Inside a transaction: the rows, and the cursor behind them. */
static int write_chunk(struct history *h, const struct outbox_chunk *chunk, uint64_t *ret_refused)
{
    int rc = SQLITE_OK;
    bool refused = false;
    for (size_t i = 0; i < chunk->count && rc == SQLITE_OK; i++) {
        rc = history_rows_insert(h->rows, &chunk->rows[i], &refused);
        *ret_refused += refused;
    }
    return rc == SQLITE_OK ? put_cursor(h, chunk->rows[chunk->count - 1].seq) : rc;
}

/* Says once that the WAL grows, and once that it does not any more. */
static void look_at_wal(struct history *h)
{
    uint64_t bytes = sqlite_file_wal_bytes(&h->file);
    bool large = bytes > (h->wal_told ? WAL_BYTES_TOLD / 4 : WAL_BYTES_TOLD);
    if (large == h->wal_told)
        return;
    h->wal_told = large;
    if (large)
        log_line(LOG_LEVEL_WARNING,
                 "%s-wal: grows, %" PRIu64 " MiB by now: somebody has been reading the history for "
                 "long and keeps it from starting over",
                 h->path, bytes >> 20);
    else
        log_line(LOG_LEVEL_WARNING, "%s-wal: has started over", h->path);
}

static int commit_chunk(struct history *h, const struct outbox_chunk *chunk)
{
    uint64_t refused = 0;
    int64_t begin = clock_mono(&h->clock);
    int rc = sqlite_file_run(h->begin);
    if (rc == SQLITE_OK)
        rc = write_chunk(h, chunk, &refused);
    crash_point("history_written");
    if (rc == SQLITE_OK)
        rc = sqlite_file_run(h->commit);
    crash_point("history_committed");
    metrics_observe(h->took, clock_mono(&h->clock) - begin);
    if (rc != SQLITE_OK) {
        sqlite_file_rollback(&h->file);
        atomic_fetch_add(&h->failures, 1);
        return rc;
    }
    h->cursor = chunk->rows[chunk->count - 1].seq;
    atomic_fetch_add(&h->copied, chunk->count);
    atomic_fetch_add(&h->refused, refused);
    if (refused)
        log_line(LOG_LEVEL_ERROR, "%s: %" PRIu64 " records refused, see its table dead_letters",
                 h->path, refused);
    sqlite_file_bound_wal(&h->file);
    look_at_wal(h);
    return rc;
}

/* Copies one chunk; *ret_behind says whether there is another. */
static int copy_chunk(struct history *h, bool *ret_behind)
{
    uint64_t committed = outbox_committed(h->outbox);
    if (h->cursor < committed) {
        const struct outbox_chunk *chunk = outbox_read(h->reader, h->cursor);
        if (!chunk)
            return SQLITE_IOERR;
        int rc = chunk->count > 0 ? commit_chunk(h, chunk) : SQLITE_OK;
        if (rc != SQLITE_OK)
            return rc;
        /* A new file beside an outbox whose rows are gone. */
        if (chunk->count == 0)
            h->cursor = committed;
    }
    *ret_behind = h->cursor < outbox_committed(h->outbox);
    bool due = clock_mono(&h->clock) - h->synced_at >= SYNC_US;
    return h->synced < h->cursor && due ? sync_cursor(h) : SQLITE_OK;
}

int history_catch_up(struct history *h)
{
    int rc;
    bool behind = true;
    do
        rc = copy_chunk(h, &behind);
    while (rc == SQLITE_OK && behind);
    return rc;
}

static int write_letter(struct history *h, const struct outbox_row *row)
{
    int rc = sqlite_file_run(h->begin);
    if (rc == SQLITE_OK)
        rc = history_rows_bury(h->rows, row, h->letter.sink, h->letter.reason);
    if (rc == SQLITE_OK)
        rc = sqlite_file_run(h->commit);
    if (rc == SQLITE_OK)
        rc = sqlite_file_sync(&h->file);
    sqlite_file_rollback(&h->file);
    return rc;
}

/* Buries the row that another sink asked for. */
static int bury_letter(struct history *h)
{
    struct letter *letter = &h->letter;
    if (atomic_load(&letter->state) != LETTER_ASKED)
        return SQLITE_OK;
    const struct outbox_chunk *chunk = outbox_read_one(h->reader, letter->seq);
    if (!chunk)
        return SQLITE_IOERR;
    int rc = chunk->count > 0 ? write_letter(h, &chunk->rows[0]) : SQLITE_OK;
    if (rc == SQLITE_OK)
        atomic_store(&letter->state, LETTER_DONE);
    else
        atomic_fetch_add(&h->failures, 1);
    return rc;
}

bool history_bury(struct history *h, const char *sink, uint64_t seq, const char *reason)
{
    struct letter *letter = &h->letter;
    int state = atomic_load(&letter->state);
    if (state == LETTER_ASKED)
        return false;
    if (state == LETTER_DONE && letter->seq == seq) {
        atomic_store(&letter->state, LETTER_EMPTY);
        return true;
    }
    letter->seq = seq;
    snprintf(letter->sink, sizeof(letter->sink), "%s", sink);
    snprintf(letter->reason, sizeof(letter->reason), "%s", reason);
    atomic_store(&letter->state, LETTER_ASKED);
    outbox_wake(h->outbox, h->sink);
    return false;
}

static void report(struct history *h, int rc)
{
    rc &= SQLITE_FILE_PRIMARY;
    if (rc == h->failing)
        return;
    if (rc != SQLITE_OK)
        log_line(LOG_LEVEL_ERROR, "%s: cannot write: %s; trying again", h->path,
                 sqlite3_errstr(rc));
    else
        log_line(LOG_LEVEL_WARNING, "%s: writing again", h->path);
    h->failing = rc;
}

/* Takes what was deleted out of the WAL, too, as soon as no reader keeps it there. */
static void forget(struct history *h)
{
    int64_t now = clock_mono(&h->clock);
    if (now < h->forget_at)
        return;
    h->expiring = !sqlite_file_empty_wal(&h->file);
    h->forget_at = now + FORGET_AGAIN_US;
}

/* Deletes some of what is too old. More at once would keep new rows waiting. */
static int expire(struct history *h, bool *ret_more)
{
    uint64_t rows = 0;
    int rc = history_retention_step(h->retention, &rows, ret_more);
    atomic_fetch_add(&h->expired, rows);
    h->expiring = h->expiring || rows > 0;
    if (rows > 0)
        sqlite_file_bound_wal(&h->file);
    if (h->expiring && !*ret_more)
        forget(h);
    if (rc != SQLITE_OK)
        atomic_fetch_add(&h->failures, 1);
    return rc;
}

/* Whether the thread is to end after a round, once it was asked to. rc is the round's, and that of
 * a last sync if there is one. */
static bool has_ended(struct history *h, int *rc, bool behind)
{
    int64_t now = clock_mono(&h->clock);
    h->stop_at = h->stop_at ? h->stop_at : now + STOP_US;
    if (*rc == SQLITE_OK && behind && now < h->stop_at)
        return false;
    if (*rc == SQLITE_OK && h->synced < h->cursor) {
        *rc = sync_cursor(h);
        report(h, *rc);
    }
    if (*rc != SQLITE_OK)
        return --h->last_tries == 0;
    if (behind)
        log_line(LOG_LEVEL_WARNING,
                 "%s: %" PRIu64 " records wait in the outbox until the next start", h->path,
                 outbox_committed(h->outbox) - (uint64_t)h->cursor);
    return true;
}

/* Copies chunk by chunk, so that neither the end nor another sink waits for a long backlog. */
static void *run(void *arg)
{
    struct history *h = arg;
    for (;;) {
        bool last = atomic_load(&h->stopping), more = false, behind = false;
        int rc = copy_chunk(h, &behind);
        if (rc == SQLITE_OK)
            rc = bury_letter(h);
        if (rc == SQLITE_OK && !last && !behind)
            rc = expire(h, &more);
        report(h, rc);
        if (last && has_ended(h, &rc, behind))
            return NULL;
        if (rc == SQLITE_OK && behind)
            continue;
        outbox_wait(h->outbox, h->sink, UINT64_MAX, rc == SQLITE_OK ? PACE_MS : RETRY_MS);
        /* Woken by a commit, or to sync what it has. */
        if (rc == SQLITE_OK && !more && !atomic_load(&h->stopping))
            outbox_wait(h->outbox, h->sink, h->cursor, IDLE_MS);
    }
}

int history_start(struct history *h)
{
    h->started = pthread_create(&h->thread, NULL, run, h) == 0;
    return h->started ? 0 : -1;
}

void history_stop(struct history *h)
{
    if (!h)
        return;
    atomic_store(&h->stopping, true);
    if (h->started) {
        outbox_wake(h->outbox, h->sink);
        pthread_join(h->thread, NULL);
    }
    release(h);
}

struct history_stats history_stats(struct history *h)
{
    uint64_t cursor = atomic_load(&h->cursor);
    uint64_t committed = outbox_committed(h->outbox);
    return (struct history_stats){
        .rows = atomic_load(&h->copied),
        .refused = atomic_load(&h->refused),
        .expired = atomic_load(&h->expired),
        .failures = atomic_load(&h->failures),
        .wal_bytes = sqlite_file_wal_bytes(&h->file),
        .lag = committed > cursor ? committed - cursor : 0,
    };
}
