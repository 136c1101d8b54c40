/* SPDX-License-Identifier: MIT */
#include "collector/sinks/eraser.h"

#include "collector/base/buf.h"
#include <stdio.h>

/* So many rows in a transaction: some 10 ms. */
#define SLICE_ROWS "500"
#define SQL_MAX    ((size_t)64 * 1024)
#define TEXT_MAX   ((size_t)32 * 1024 * 1024)
#define TABLES_MAX 64
#define TABLE_SIZE 64

/* Ours, without anything of a call, or, live_state, in clear as long as the call is up. */
static const char *const skipped[] = {"outbox",  "live_state",    "policies", "sink_policies",
                                      "cursors", "outbox_cursor", "untold"};

struct table {
    char name[TABLE_SIZE];
    bool by_seq; /* it has no rowid, its first key is seq */
};

static struct slice text_of(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    return (struct slice){text ? text : "", text ? (size_t)sqlite3_value_bytes(value) : 0};
}

/* erase_holds(text, …): does one of them hold a number that goes? */
static void sql_holds(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct erasure *e = sqlite3_user_data(context);
    bool holds = false;
    for (int i = 0; i < count && !holds; i++)
        holds =
            sqlite3_value_type(values[i]) == SQLITE_TEXT && erasure_holds(e, text_of(values[i]));
    sqlite3_result_int(context, holds);
}

/* erase_from(text): without it. */
static void sql_from(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct erasure *e = sqlite3_user_data(context);
    (void)count;
    if (sqlite3_value_type(values[0]) != SQLITE_TEXT || !erasure_holds(e, text_of(values[0]))) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    struct buf text = buf_new(TEXT_MAX);
    erasure_text(e, text_of(values[0]), &text);
    if (text.failed)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_text64(context, text.n ? text.p : "", text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    buf_free(&text);
}

static bool is_skipped(const char *table)
{
    for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
        if (strcmp(skipped[i], table) == 0)
            return true;
    }
    return strncmp(table, "sqlite_", 7) == 0;
}

/* How many tables there are to go through, or -1. */
static int list_tables(struct sqlite_file *f, struct table tables[TABLES_MAX])
{
    int count = 0, rc;
    sqlite3_stmt *ask = sqlite_file_prepare(
        f, "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'");
    if (!ask)
        return -1;
    while ((rc = sqlite3_step(ask)) == SQLITE_ROW && count < TABLES_MAX) {
        const char *name = (const char *)sqlite3_column_text(ask, 0);
        if (is_skipped(name))
            continue;
        snprintf(tables[count].name, TABLE_SIZE, "%s", name);
        tables[count++].by_seq = sqlite3_column_int(ask, 1);
    }
    sqlite3_finalize(ask);
    return rc == SQLITE_DONE ? count : -1;
}

/* The number whose owner's name stands in this column. */
static const char *number_of(const char *column)
{
    if (strcmp(column, "caller_name") == 0)
        return "caller_number";
    return strcmp(column, "clid") == 0 ? "clid" : NULL;
}

static void put_words(struct buf *sql, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_put(sql, words[i], strlen(words[i]));
}

#define PUT(sql, ...)                                                                              \
    put_words(sql, (const char *const[]){__VA_ARGS__},                                             \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Appends to one list "column = what remains of it", to the other the column. False: none of its
 * columns can hold a number. */
static bool list_columns(struct sqlite_file *f, const char *table, struct buf *sets,
                         struct buf *columns)
{
    sqlite3_stmt *ask =
        sqlite_file_prepare(f, "SELECT name FROM pragma_table_info(?1) WHERE type = 'TEXT'");
    if (!ask)
        return false;
    sqlite3_bind_text(ask, 1, table, -1, SQLITE_STATIC);
    while (sqlite3_step(ask) == SQLITE_ROW) {
        const char *column = (const char *)sqlite3_column_text(ask, 0);
        const char *number = number_of(column), *comma = sets->n ? ", " : "";
        PUT(columns, comma, "\"", column, "\"");
        PUT(sets, comma, "\"", column, "\" = ");
        if (number)
            PUT(sets, "CASE erase_holds(\"", number, "\") WHEN 0 THEN ");
        PUT(sets, "erase_from(\"", column, number ? "\") END" : "\")");
    }
    sqlite3_finalize(ask);
    return sets->n > 0;
}

static sqlite3_stmt *prepare_and_free(struct sqlite_file *f, struct buf *sql)
{
    buf_put_char(sql, '\0');
    sqlite3_stmt *statement = sql->failed ? NULL : sqlite_file_prepare(f, sql->p);
    buf_free(sql);
    return statement;
}

/* Statements that find a slice's end and that erase within it: behind ?1, up to ?2. */
static int prepare(struct sqlite_file *f, const struct table *table, sqlite3_stmt **ret_end,
                   sqlite3_stmt **ret_erase)
{
    struct buf sets = buf_new(SQL_MAX), columns = buf_new(SQL_MAX), sql = buf_new(SQL_MAX);
    const char *at = table->by_seq ? "seq" : "rowid";
    *ret_end = *ret_erase = NULL;
    bool any = list_columns(f, table->name, &sets, &columns);
    buf_put_char(&sets, '\0');
    buf_put_char(&columns, '\0');
    bool fits = !any || (!sets.failed && !columns.failed);
    if (any && fits) {
        PUT(&sql, "SELECT max(at) FROM (SELECT ", at, " AS at FROM \"", table->name, "\" WHERE ",
            at, " > ?1 ORDER BY ", at, " LIMIT " SLICE_ROWS ")");
        *ret_end = prepare_and_free(f, &sql);
        PUT(&sql, "UPDATE \"", table->name, "\" SET ", sets.p, " WHERE ", at, " > ?1 AND ", at,
            " <= ?2 AND erase_holds(", columns.p, ")");
        *ret_erase = prepare_and_free(f, &sql);
    }
    buf_free(&sets);
    buf_free(&columns);
    return fits && (!any || (*ret_end && *ret_erase)) ? SQLITE_OK : SQLITE_ERROR;
}

/* Where the slice behind `from` ends; `from` itself when there is none. */
static int slice_end(sqlite3_stmt *end, sqlite3_int64 from, sqlite3_int64 *ret_to)
{
    sqlite3_bind_int64(end, 1, from);
    int rc = sqlite3_step(end);
    bool any = rc == SQLITE_ROW && sqlite3_column_type(end, 0) != SQLITE_NULL;
    *ret_to = any ? sqlite3_column_int64(end, 0) : from;
    rc = sqlite3_reset(end);
    return rc;
}

static int erase_slices(struct sqlite_file *f, sqlite3_stmt *end, sqlite3_stmt *erase,
                        uint64_t *rows)
{
    sqlite3_int64 from = -1, to = -1;
    int rc;
    while ((rc = slice_end(end, from, &to)) == SQLITE_OK && to != from) {
        rc = sqlite3_exec(f->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return rc;
        sqlite3_bind_int64(erase, 1, from);
        sqlite3_bind_int64(erase, 2, to);
        rc = sqlite_file_run(erase);
        if (rc == SQLITE_OK) {
            *rows += (uint64_t)sqlite3_changes64(f->db);
            rc = sqlite3_exec(f->db, "COMMIT", NULL, NULL, NULL);
        }
        sqlite_file_rollback(f);
        if (rc != SQLITE_OK)
            return rc;
        from = to;
    }
    return rc;
}

static int erase_table(const struct eraser *e, const struct table *table)
{
    sqlite3_stmt *end, *erase;
    uint64_t rows = 0;
    int rc = prepare(e->file, table, &end, &erase);
    if (rc == SQLITE_OK && erase)
        rc = erase_slices(e->file, end, erase, &rows);
    sqlite3_finalize(end);
    sqlite3_finalize(erase);
    if (rc == SQLITE_OK && rows > 0)
        e->told(e->ctx, table->name, rows);
    return rc;
}

static int make_functions(sqlite3 *db, const struct erasure *erasure)
{
    int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY | SQLITE_DETERMINISTIC;
    int rc = sqlite3_create_function(db, "erase_holds", -1, flags, (void *)erasure, sql_holds, NULL,
                                     NULL);
    if (rc != SQLITE_OK)
        return rc;
    return sqlite3_create_function(db, "erase_from", 1, flags, (void *)erasure, sql_from, NULL,
                                   NULL);
}

int eraser_run(const struct eraser *e, char *error, size_t error_size)
{
    struct table tables[TABLES_MAX];
    sqlite3 *db = e->file->db;
    int rc = make_functions(db, e->erasure);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "PRAGMA secure_delete=ON", NULL, NULL, NULL);
    int count = rc == SQLITE_OK ? list_tables(e->file, tables) : -1;
    for (int i = 0; i < count && rc == SQLITE_OK; i++)
        rc = erase_table(e, &tables[i]);
    if (rc == SQLITE_OK && count >= 0)
        return 0;
    snprintf(error, error_size, "%s: %s", sqlite3_db_filename(db, "main"), sqlite3_errmsg(db));
    return -1;
}

int eraser_compact(struct sqlite_file *f, char *error, size_t error_size)
{
    const char *path = sqlite3_db_filename(f->db, "main");
    if (sqlite3_exec(f->db, "VACUUM", NULL, NULL, NULL) != SQLITE_OK) {
        snprintf(error, error_size, "%s: cannot be written anew: %s", path, sqlite3_errmsg(f->db));
        return -1;
    }
    int rc = sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) & 0xFF;
    if (rc == SQLITE_OK)
        return 0;
    snprintf(error, error_size, "%s-wal: %s", path,
             rc == SQLITE_BUSY
                 ? "somebody reads the file without a pause; what was erased is still "
                   "in its WAL: end that, and erase again"
                 : sqlite3_errstr(rc));
    return -1;
}
