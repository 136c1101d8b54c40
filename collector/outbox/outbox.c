/* SPDX-License-Identifier: MIT */
#include "collector/outbox/outbox.h"

#include "collector/base/crash_point.h"
#include "collector/outbox/outbox_schema.h"
#include "collector/outbox/policies.h"
#include "parsers/utf8.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A fact of 256 KiB grows six times at most, when each byte must be escaped; and then its keys. */
#define JSON_BYTES_MAX ((size_t)4 * 1024 * 1024)
/* Its head grows three times at most. Both are had from the start, so that memory that is short
 * later costs no fact. */
#define CLEAN_BYTES_MAX ((size_t)1024 * 1024)
/* Rows deleted in one transaction: some milliseconds' work, and more than a transaction adds. */
#define DELETE_ROWS 4096U

enum statement {
    BEGIN,
    COMMIT,
    PUT_FACT,
    PUT_RENDERING,
    PUT_STATE,
    DELETE_STATE,
    PUT_CURSOR,
    DELETE_FACTS,
    DELETE_RENDERINGS,
    PUT_HOLES,
    STATEMENTS
};

static const char *const statement_sql[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [PUT_FACT] = "INSERT INTO facts (kind, flags, pbx, subject, key, ce_id, ce_time, ce_sequence, "
                 "body, policy) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [PUT_RENDERING] = "INSERT INTO renderings (seq, policy, subject, key, ce_id, body) VALUES "
                      "(?1, ?10, ?4, ?5, ?6, ?9)",
    [PUT_STATE] = "INSERT INTO live_state (pbx, entity, body) VALUES (?1, ?2, ?3) "
                  "ON CONFLICT (pbx, entity) DO UPDATE SET body = excluded.body",
    [DELETE_STATE] = "DELETE FROM live_state WHERE pbx = ?1 AND entity = ?2",
    [PUT_CURSOR] = "INSERT INTO cursors (sink, seq) VALUES (?1, ?2) "
                   "ON CONFLICT (sink) DO UPDATE SET seq = excluded.seq",
    [DELETE_FACTS] = "DELETE FROM facts WHERE seq <= ?1",
    [DELETE_RENDERINGS] = "DELETE FROM renderings WHERE seq <= ?1",
    [PUT_HOLES] = "UPDATE outbox SET holes = ?1",
};

struct sink {
    const char *name;
    uint64_t cursor;
    uint64_t held;  /* nothing up to here is given up */
    uint64_t saved; /* the cursor as the file has it */
    bool woken;
};

struct outbox {
    struct sqlite_file file;
    sqlite3_stmt *statements[STATEMENTS];
    char *path;
    char name[64];
    char secret[80];
    char error[SQLITE_FILE_ERROR_SIZE];
    struct buf json;
    struct buf clean;
    uint64_t deleted;     /* every row up to this seq is gone, and no more in a row */
    uint64_t holes;       /* and so many behind it */
    struct untold untold; /* found under the mutex */
    struct limits limits;
    int limited; /* the sink whose rows they bound */
    struct policies policies;
    bool untold_moved; /* and are to be read again */
    bool renderings;   /* there may be some */
    bool absences;     /* sinks that are not there any more have been put down */

    pthread_mutex_t mutex; /* for what follows, and sinks' cursors */
    pthread_cond_t changed;
    struct sink sinks[OUTBOX_SINKS_MAX];
    int sink_count;
    uint64_t committed;
    bool closed;
    struct outbox_stats stats;
    struct given_up given_up;
    bool giving_up; /* there is more to go */
};

/* What a transaction will have done once it is committed. */
struct changes {
    uint64_t facts;
    uint64_t malformed;
    uint64_t newest;
    uint64_t committed; /* before it */
    uint64_t deleted;
    uint64_t holes;
    uint64_t passed; /* by every sink */
    uint64_t cursors[OUTBOX_SINKS_MAX];
    struct limits_range range; /* of what may be given up */
    bool stepped;
    bool told; /* a gap tells of what was given up */
    struct limits_step limits;
};

static int ask_number(struct outbox *o, const char *sql, const char *text, uint64_t *ret_number)
{
    sqlite3_stmt *statement = sqlite_file_prepare(&o->file, sql);
    if (!statement)
        return -1;
    if (text)
        sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *ret_number = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

static int load_name(struct outbox *o)
{
    sqlite3_stmt *statement = sqlite_file_prepare(&o->file, "SELECT name, secret FROM outbox");
    if (statement && sqlite3_step(statement) == SQLITE_ROW) {
        snprintf(o->name, sizeof(o->name), "%s", (const char *)sqlite3_column_text(statement, 0));
        snprintf(o->secret, sizeof(o->secret), "%s",
                 (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    return o->name[0] ? 0 : -1;
}

/* Prepares the statements and reads where the file stands. */
static int load(struct outbox *o, int pages_max)
{
    char bound[64];
    snprintf(bound, sizeof(bound), "PRAGMA max_page_count=%d", pages_max);
    if (pages_max > 0 && sqlite3_exec(o->file.db, bound, NULL, NULL, NULL) != SQLITE_OK)
        return -1;
    for (int i = 0; i < STATEMENTS; i++) {
        o->statements[i] = sqlite_file_prepare(&o->file, statement_sql[i]);
        if (!o->statements[i])
            return -1;
    }
    uint64_t oldest = 0;
    uint64_t rendered = 0;
    if (load_name(o) < 0 || ask_number(o, "SELECT max(seq) FROM renderings", NULL, &rendered) < 0 ||
        ask_number(o, "SELECT seq FROM sqlite_sequence WHERE name = ?1", "facts", &o->committed) <
            0 ||
        ask_number(o, "SELECT min(seq) FROM facts", NULL, &oldest) < 0 ||
        ask_number(o, "SELECT holes FROM outbox", NULL, &o->holes) < 0 ||
        !untold_init(&o->untold, &o->file))
        return -1;
    o->renderings = rendered > 0;
    o->deleted = oldest > 0 ? oldest - 1 : o->committed;
    if (o->holes > o->committed - o->deleted)
        o->holes = o->committed - o->deleted;
    o->stats.backlog = o->committed - o->deleted - o->holes;
    return 0;
}

static void init_waiting(struct outbox *o)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&o->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&o->mutex, NULL);
}

static void release(struct outbox *o)
{
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(o->statements[i]);
    limits_free(&o->limits);
    untold_free(&o->untold);
    sqlite_file_close(&o->file);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->mutex);
    buf_free(&o->json);
    buf_free(&o->clean);
    explicit_bzero(o->secret, sizeof(o->secret));
    free(o->path);
    free(o);
}

struct outbox *outbox_open(const struct outbox_options *options, char *error, size_t error_size)
{
    struct outbox *o = calloc(1, sizeof(*o));
    char *path = strdup(options->path);
    if (!o || !path) {
        snprintf(error, error_size, "%s: out of memory", options->path);
        free(path);
        free(o);
        return NULL;
    }
    o->path = path;
    o->json = buf_new(JSON_BYTES_MAX);
    o->clean = buf_new(CLEAN_BYTES_MAX);
    init_waiting(o);
    if (sqlite_file_open(&o->file, path, &outbox_schema, error, error_size) == 0) {
        bool room =
            buf_reserve(&o->json, JSON_BYTES_MAX) && buf_reserve(&o->clean, CLEAN_BYTES_MAX);
        if (room && load(o, options->pages_max) == 0)
            return o;
        snprintf(error, error_size, "%s: %s", path,
                 room ? sqlite3_errmsg(o->file.db) : "out of memory");
    }
    release(o);
    return NULL;
}

void outbox_free(struct outbox *o)
{
    bool more = true;
    if (!o)
        return;
    /* Nobody would tell of it any more. */
    limits_free(&o->limits);
    while (more && outbox_tidy(o, &more) == SQLITE_OK)
        ;
    release(o);
}

const char *outbox_path(const struct outbox *o)
{
    return o->path;
}

const char *outbox_name(const struct outbox *o)
{
    return o->name;
}

struct slice outbox_secret(const struct outbox *o)
{
    return slice_from(o->secret);
}

const char *outbox_error(const struct outbox *o)
{
    return o->error;
}

/* Puts the line down; -1. */
static int refuse(struct outbox *o, const char *reason)
{
    snprintf(o->error, sizeof(o->error), "%s: %s", o->path, reason);
    return -1;
}

int outbox_load_state(struct outbox *o, struct slice pbx, outbox_state_fn *fn, void *ctx)
{
    sqlite3_stmt *statement = sqlite_file_prepare(
        &o->file, "SELECT entity, body FROM live_state WHERE pbx = ?1 ORDER BY entity");
    int rc = SQLITE_ERROR;
    if (statement) {
        sqlite_file_bind(statement, 1, pbx);
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
            fn(ctx, sqlite_file_text(statement, 0), sqlite_file_text(statement, 1));
    }
    if (rc != SQLITE_DONE)
        refuse(o, sqlite3_errmsg(o->file.db));
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? 0 : -1;
}

int outbox_add_sink(struct outbox *o, const char *name, struct privacy *policy)
{
    uint64_t saved = 0;
    if (o->sink_count == OUTBOX_SINKS_MAX)
        return refuse(o, "too many sinks");
    if (policies_add(&o->policies, &o->file, name, policy, o->committed) != SQLITE_OK ||
        ask_number(o, "SELECT seq FROM cursors WHERE sink = ?1", name, &saved) < 0)
        return refuse(o, sqlite3_errmsg(o->file.db));
    pthread_mutex_lock(&o->mutex);
    int sink = o->sink_count++;
    o->sinks[sink] = (struct sink){name, saved, saved, saved, false};
    pthread_mutex_unlock(&o->mutex);
    return sink;
}

uint64_t outbox_cursor_get(struct outbox *o, int sink)
{
    pthread_mutex_lock(&o->mutex);
    assert(sink >= 0 && sink < o->sink_count);
    uint64_t cursor = o->sinks[sink].cursor;
    pthread_mutex_unlock(&o->mutex);
    return cursor;
}

void outbox_cursor_set(struct outbox *o, int sink, uint64_t seq)
{
    pthread_mutex_lock(&o->mutex);
    assert(sink >= 0 && sink < o->sink_count);
    o->sinks[sink].cursor = seq;
    /* The sink has read a row that another process put in. */
    if (seq > o->committed)
        o->committed = seq;
    pthread_mutex_unlock(&o->mutex);
}

int outbox_limit(struct outbox *o, int sink, const struct limits_bounds *bounds)
{
    o->limited = sink;
    return limits_init(&o->limits, &o->untold, bounds) ? 0 : refuse(o, sqlite3_errmsg(o->file.db));
}

void outbox_hold(struct outbox *o, int sink, uint64_t seq)
{
    pthread_mutex_lock(&o->mutex);
    assert(sink >= 0 && sink < o->sink_count);
    o->sinks[sink].held = seq;
    pthread_mutex_unlock(&o->mutex);
}

bool outbox_take_given_up(struct outbox *o, struct given_up *ret)
{
    pthread_mutex_lock(&o->mutex);
    bool any = !o->giving_up && given_up_rows(&o->given_up) > 0;
    *ret = o->given_up;
    if (any)
        o->given_up = (struct given_up){0};
    pthread_mutex_unlock(&o->mutex);
    return any;
}

bool outbox_untold(struct outbox *o, const char *pbx, struct untold_span *ret)
{
    pthread_mutex_lock(&o->mutex);
    bool any = !o->giving_up && untold_find(&o->untold, pbx, ret);
    pthread_mutex_unlock(&o->mutex);
    return any;
}

/* How many rows past the cursor there are, with so many in the file. */
static uint64_t rows_past(uint64_t cursor, uint64_t committed, uint64_t rows)
{
    uint64_t most = committed > cursor ? committed - cursor : 0;
    return most < rows ? most : rows;
}

uint64_t outbox_waiting(struct outbox *o, int sink)
{
    pthread_mutex_lock(&o->mutex);
    assert(sink >= 0 && sink < o->sink_count);
    uint64_t waiting = rows_past(o->sinks[sink].cursor, o->committed, o->stats.backlog);
    pthread_mutex_unlock(&o->mutex);
    return waiting;
}

uint64_t outbox_committed(struct outbox *o)
{
    pthread_mutex_lock(&o->mutex);
    uint64_t committed = o->committed;
    pthread_mutex_unlock(&o->mutex);
    return committed;
}

static struct timespec deadline_after(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    long ns = t.tv_nsec + (long)(ms % 1000) * 1000000L;
    t.tv_sec += ms / 1000 + ns / 1000000000L;
    t.tv_nsec = ns % 1000000000L;
    return t;
}

uint64_t outbox_wait(struct outbox *o, int sink, uint64_t seen, int timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    int rc = 0;
    pthread_mutex_lock(&o->mutex);
    assert(sink >= 0 && sink < o->sink_count);
    while (o->committed <= seen && !o->sinks[sink].woken && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&o->changed, &o->mutex, &deadline);
    o->sinks[sink].woken = false;
    uint64_t committed = o->committed;
    pthread_mutex_unlock(&o->mutex);
    return committed;
}

void outbox_wake(struct outbox *o, int sink)
{
    pthread_mutex_lock(&o->mutex);
    assert(sink >= 0 && sink < o->sink_count);
    o->sinks[sink].woken = true;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->mutex);
}

void outbox_close(struct outbox *o)
{
    pthread_mutex_lock(&o->mutex);
    o->closed = true;
    for (int i = 0; i < o->sink_count; i++)
        o->sinks[i].woken = true;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->mutex);
}

bool outbox_closed(struct outbox *o)
{
    pthread_mutex_lock(&o->mutex);
    bool closed = o->closed;
    pthread_mutex_unlock(&o->mutex);
    return closed;
}

struct outbox_stats outbox_stats(struct outbox *o)
{
    pthread_mutex_lock(&o->mutex);
    struct outbox_stats stats = o->stats;
    pthread_mutex_unlock(&o->mutex);
    stats.wal_bytes = sqlite_file_wal_bytes(&o->file);
    return stats;
}

/* Text that can stand in a column: what is not UTF-8 becomes U+FFFD, as in the body. The result
 * lies in o->clean, or is the text itself. */
static struct slice clean(struct outbox *o, struct slice text)
{
    struct slice rest = text;
    while (rest.n && rest.p[0] && utf8_char_length(rest))
        rest = slice_from_offset(rest, utf8_char_length(rest));
    if (!rest.n)
        return text;
    size_t at = o->clean.n;
    buf_put(&o->clean, text.p, text.n - rest.n);
    while (rest.n) {
        size_t n = rest.p[0] ? utf8_char_length(rest) : 0;
        buf_put(&o->clean, n ? rest.p : "\xEF\xBF\xBD", n ? n : 3);
        rest = slice_from_offset(rest, n ? n : 1);
    }
    return (struct slice){o->clean.p + at, o->clean.n - at};
}

/* Renders the record; a tombstone has none. False when it does not fit its bound. */
static bool render(struct outbox *o, const struct fact_head *head, struct slice fact)
{
    struct json_out json = json_out_to(&o->json);
    buf_clear(&o->json);
    buf_clear(&o->clean);
    if (!(head->flags & FACT_IS_TOMBSTONE))
        fact_json(fact, &json);
    return !o->json.failed;
}

/* Writes one rendering, the first with the fact itself. */
static int write_rendering(struct outbox *o, const struct fact_head *head, int64_t policy,
                           sqlite3_stmt *put)
{
    sqlite_file_bind(put, 4, clean(o, head->subject));
    sqlite_file_bind(put, 5, clean(o, head->key));
    sqlite_file_bind(put, 6, clean(o, head->id));
    if (head->flags & FACT_IS_TOMBSTONE)
        sqlite3_bind_null(put, 9);
    else
        sqlite_file_bind(put, 9, buf_slice(&o->json));
    sqlite3_bind_int64(put, 10, policy);
    return sqlite_file_run(put);
}

/* Masks and renders. False when nothing may be written of it. */
static bool render_for(struct outbox *o, const struct policy *policy, struct slice fact,
                       struct fact_head *ret_head)
{
    struct slice masked = privacy_mask(policy->privacy, fact);
    return masked.n && fact_read_head(masked, ret_head) && render(o, ret_head, masked);
}

/* For the sinks whose policy is not the first one's. */
static int write_renderings(struct outbox *o, struct slice fact, struct changes *changes)
{
    sqlite3_stmt *put = o->statements[PUT_RENDERING];
    int rc = SQLITE_OK;
    for (size_t i = 1; i < o->policies.count && rc == SQLITE_OK; i++) {
        struct fact_head head;
        if (!render_for(o, &o->policies.list[i], fact, &head)) {
            changes->malformed++;
            continue;
        }
        sqlite3_bind_int64(put, 1, (sqlite3_int64)changes->newest);
        rc = write_rendering(o, &head, o->policies.list[i].number, put);
        o->renderings = true;
    }
    return rc;
}

static int write_fact(struct outbox *o, struct slice fact, struct changes *changes)
{
    static const struct policy clear = {0, NULL};
    const struct policy *policy = o->policies.count > 0 ? &o->policies.list[0] : &clear;
    sqlite3_stmt *put = o->statements[PUT_FACT];
    struct fact_head head;
    if (!render_for(o, policy, fact, &head)) {
        changes->malformed++;
        return SQLITE_OK;
    }
    sqlite_file_bind(put, 1, slice_from(fact_kind_info(head.kind)->kind));
    sqlite3_bind_int64(put, 2, head.flags);
    sqlite_file_bind(put, 3, clean(o, head.pbx));
    sqlite3_bind_int64(put, 7, head.time);
    sqlite3_bind_int64(put, 8, (sqlite3_int64)head.sequence);
    int rc = write_rendering(o, &head, policy->number, put);
    if (rc == SQLITE_OK) {
        changes->facts++;
        changes->newest = (uint64_t)sqlite3_last_insert_rowid(o->file.db);
        rc = write_renderings(o, fact, changes);
    }
    if (rc == SQLITE_OK)
        rc = untold_fact(&o->untold, fact, &changes->told);
    return rc;
}

static int write_item(struct outbox *o, const struct batch_item *item, struct changes *changes)
{
    sqlite3_stmt *statement = o->statements[DELETE_STATE];
    switch (item->kind) {
    case BATCH_FACT:
        return write_fact(o, item->body, changes);
    case BATCH_STATE_PUT:
        statement = o->statements[PUT_STATE];
        sqlite_file_bind(statement, 3, item->body);
        break;
    case BATCH_STATE_DELETE:
        break;
    case BATCH_NOTE:
    default:
        return SQLITE_OK;
    }
    sqlite_file_bind(statement, 1, item->pbx);
    sqlite_file_bind(statement, 2, item->entity);
    int rc = sqlite_file_run(statement);
    crash_point("state_saved");
    return rc;
}

/* What no sink needs any more, a slice of it. */
static uint64_t deletable(struct outbox *o, struct changes *changes)
{
    uint64_t passed = UINT64_MAX;
    for (int i = 0; i < o->sink_count; i++)
        passed = changes->cursors[i] < passed ? changes->cursors[i] : passed;
    changes->passed = passed;
    if (o->sink_count == 0 || passed <= o->deleted)
        return o->deleted;
    return passed - o->deleted < DELETE_ROWS ? passed : o->deleted + DELETE_ROWS;
}

/* What the bounded sink has not taken and every other one has passed. */
static struct limits_range may_give_up(const struct outbox *o)
{
    const struct sink *limited = &o->sinks[o->limited];
    struct limits_range range = {limited->cursor, o->committed, o->committed};
    if (limited->held > range.after)
        range.after = limited->held;
    for (int i = 0; i < o->sink_count; i++) {
        if (i != o->limited && o->sinks[i].cursor < range.to)
            range.to = o->sinks[i].cursor;
    }
    return range;
}

/* Rows in the file before a transaction. */
static uint64_t rows_before(const struct outbox *o, const struct changes *changes)
{
    return changes->committed - o->deleted - o->holes;
}

/* Is something to be given up, with so many rows in the file? What only waits to be deleted is
 * nobody's backlog. */
static bool is_limit_due(struct outbox *o, const struct changes *changes, uint64_t rows,
                         uint64_t *ret_waiting)
{
    *ret_waiting = rows_past(changes->cursors[o->limited], changes->committed, rows);
    return changes->deleted >= changes->passed && limits_due(&o->limits, *ret_waiting);
}

/* Looks at the cursors; true when some are to be saved or rows to be deleted. */
static bool look_at_cursors(struct outbox *o, struct changes *changes)
{
    bool moved = false;
    pthread_mutex_lock(&o->mutex);
    for (int i = 0; i < o->sink_count; i++) {
        changes->cursors[i] = o->sinks[i].cursor;
        moved |= o->sinks[i].cursor != o->sinks[i].saved;
    }
    changes->deleted = deletable(o, changes);
    changes->committed = o->committed;
    changes->holes = o->holes;
    changes->range = may_give_up(o);
    pthread_mutex_unlock(&o->mutex);
    return moved || changes->deleted > o->deleted;
}

/* Inside a transaction: deletes a slice of what every sink has passed. */
static int delete_passed(struct outbox *o, const struct changes *changes, uint64_t *ret_rows)
{
    *ret_rows = 0;
    if (changes->deleted <= o->deleted)
        return SQLITE_OK;
    sqlite3_bind_int64(o->statements[DELETE_FACTS], 1, (sqlite3_int64)changes->deleted);
    int rc = sqlite_file_run(o->statements[DELETE_FACTS]);
    *ret_rows = (uint64_t)sqlite3_changes64(o->file.db);
    if (rc == SQLITE_OK && o->renderings) {
        sqlite3_bind_int64(o->statements[DELETE_RENDERINGS], 1, (sqlite3_int64)changes->deleted);
        rc = sqlite_file_run(o->statements[DELETE_RENDERINGS]);
    }
    crash_point("rows_deleted");
    return rc;
}

/* Gives up a slice of what is too much or too old. */
static int give_up(struct outbox *o, uint64_t rows, struct changes *changes)
{
    uint64_t waiting;
    if (!is_limit_due(o, changes, rows, &waiting))
        return SQLITE_OK;
    changes->stepped = true;
    return limits_step(&o->limits, changes->range, waiting, &changes->limits);
}

/* Rows are missing in the middle: where the first one is now, and how many are behind it. */
static int count_holes(struct outbox *o, uint64_t rows, struct changes *changes)
{
    uint64_t oldest = 0;
    if (ask_number(o, "SELECT min(seq) FROM facts", NULL, &oldest) < 0)
        return sqlite3_errcode(o->file.db);
    changes->deleted = oldest > 0 && oldest <= changes->committed ? oldest - 1 : changes->committed;
    uint64_t span = changes->committed - changes->deleted;
    changes->holes = span > rows ? span - rows : 0;
    if (changes->holes == o->holes)
        return SQLITE_OK;
    sqlite3_bind_int64(o->statements[PUT_HOLES], 1, (sqlite3_int64)changes->holes);
    return sqlite_file_run(o->statements[PUT_HOLES]);
}

static int delete_rows(struct outbox *o, struct changes *changes)
{
    uint64_t rows = rows_before(o, changes);
    uint64_t gone = 0;
    int rc = delete_passed(o, changes, &gone);
    rows -= gone < rows ? gone : rows;
    if (rc == SQLITE_OK)
        rc = give_up(o, rows, changes);
    uint64_t given_up = given_up_rows(&changes->limits.given_up);
    if (rc != SQLITE_OK || (given_up == 0 && o->holes == 0))
        return rc;
    return count_holes(o, rows - given_up, changes);
}

/* Inside a transaction: saves cursors that moved, deletes a slice. */
static int write_cursors(struct outbox *o, struct changes *changes)
{
    int rc = SQLITE_OK;
    for (int i = 0; i < o->sink_count && rc == SQLITE_OK; i++) {
        if (changes->cursors[i] == o->sinks[i].saved)
            continue;
        sqlite_file_bind(o->statements[PUT_CURSOR], 1, slice_from(o->sinks[i].name));
        sqlite3_bind_int64(o->statements[PUT_CURSOR], 2, (sqlite3_int64)changes->cursors[i]);
        rc = sqlite_file_run(o->statements[PUT_CURSOR]);
        crash_point("cursor_moved");
    }
    return rc == SQLITE_OK ? delete_rows(o, changes) : rc;
}

/* The transaction is safe on disk: now the sinks may see it. */
static void note_commit(struct outbox *o, const struct changes *changes)
{
    o->untold_moved =
        o->untold_moved || changes->told || given_up_rows(&changes->limits.given_up) > 0;
    bool read = o->untold_moved && untold_read(&o->untold);
    o->untold_moved = o->untold_moved && !read;
    pthread_mutex_lock(&o->mutex);
    if (read)
        untold_take(&o->untold);
    o->deleted = changes->deleted;
    o->holes = changes->holes;
    given_up_add(&o->given_up, &changes->limits.given_up);
    o->giving_up = changes->limits.more || changes->limits.waits;
    for (int i = 0; i < o->sink_count; i++)
        o->sinks[i].saved = changes->cursors[i];
    if (changes->newest > o->committed)
        o->committed = changes->newest;
    o->stats.facts += changes->facts;
    o->stats.malformed += changes->malformed;
    o->stats.transactions++;
    o->stats.backlog = o->committed - o->deleted - o->holes;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->mutex);
    if (changes->stepped)
        limits_keep(&o->limits, &changes->limits);
}

static int end_transaction(struct outbox *o, int rc, const struct changes *changes)
{
    if (rc == SQLITE_OK)
        rc = sqlite_file_run(o->statements[COMMIT]);
    if (rc == SQLITE_OK) {
        crash_point("commit_returned");
        note_commit(o, changes);
        sqlite_file_bound_wal(&o->file);
        return rc;
    }
    sqlite_file_rollback(&o->file);
    pthread_mutex_lock(&o->mutex);
    o->stats.failures++;
    pthread_mutex_unlock(&o->mutex);
    return rc;
}

/* The first transaction says which sinks are not there any more. */
static int write_absences(struct outbox *o)
{
    const char *names[OUTBOX_SINKS_MAX];
    if (o->absences)
        return SQLITE_OK;
    for (int i = 0; i < o->sink_count; i++)
        names[i] = o->sinks[i].name;
    return policies_leave_out(&o->file, names, (size_t)o->sink_count, o->committed);
}

int outbox_commit(struct outbox *o, struct slice batch)
{
    struct changes changes = {0};
    struct batch_item item;
    size_t offset = 0;
    look_at_cursors(o, &changes);
    int rc = sqlite_file_run(o->statements[BEGIN]);
    crash_point("batch_begun");
    if (rc == SQLITE_OK)
        rc = write_absences(o);
    if (rc == SQLITE_OK)
        rc = write_cursors(o, &changes);
    while (rc == SQLITE_OK && batch_next(batch, &offset, &item))
        rc = write_item(o, &item, &changes);
    crash_point("rows_written");
    rc = end_transaction(o, rc, &changes);
    o->absences = o->absences || rc == SQLITE_OK;
    return rc;
}

/* Rows that `amitap import` put in: commits of ours show them too, but there may be none. */
static void notice_others(struct outbox *o)
{
    uint64_t newest = 0;
    ask_number(o, "SELECT seq FROM sqlite_sequence WHERE name = ?1", "facts", &newest);
    pthread_mutex_lock(&o->mutex);
    if (newest > o->committed) {
        o->committed = newest;
        o->stats.backlog = o->committed - o->deleted - o->holes;
        pthread_cond_broadcast(&o->changed);
    }
    pthread_mutex_unlock(&o->mutex);
}

int outbox_tidy(struct outbox *o, bool *ret_more)
{
    struct changes changes = {0};
    uint64_t waiting;
    *ret_more = false;
    notice_others(o);
    if (!look_at_cursors(o, &changes) &&
        !is_limit_due(o, &changes, rows_before(o, &changes), &waiting))
        return SQLITE_OK;
    int rc = sqlite_file_run(o->statements[BEGIN]);
    if (rc == SQLITE_OK)
        rc = write_cursors(o, &changes);
    rc = end_transaction(o, rc, &changes);
    *ret_more = rc == SQLITE_OK && (changes.limits.more || look_at_cursors(o, &changes));
    return rc;
}

bool outbox_forget(struct outbox *o)
{
    return sqlite_file_empty_wal(&o->file);
}
