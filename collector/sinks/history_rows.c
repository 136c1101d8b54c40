/* SPDX-License-Identifier: MIT */
#include "collector/sinks/history_rows.h"

#include "schemas/history_migrations.h"
#include <stdio.h>
#include <stdlib.h>

const struct sqlite_schema history_schema = {
    .what = "history",
    .application_id = 0x616D7468, /* "amth" */
    .migrations = history_migrations,
    .version = sizeof(history_migrations) / sizeof(history_migrations[0]),
    .durable = false,
    .secret = false,
};

/* The parameters of every statement here. */
enum parameter {
    CE_ID = 1,
    CE_SUBJECT,
    CE_TIME,
    CE_KEY,
    CE_SEQUENCE,
    BODY,
    KIND,
    PBX,
    REASON,
    SINK,
    PRIVACY
};

struct fixed_column {
    const char *name;
    enum parameter parameter;
};

static const struct fixed_column fixed_columns[] = {
    {"ce_id", CE_ID},     {"ce_subject", CE_SUBJECT},   {"ce_time", CE_TIME},
    {"ce_key", CE_KEY},   {"ce_sequence", CE_SEQUENCE}, {"body", BODY},
    {"privacy", PRIVACY},
};

static const char insert_dead_letter[] =
    "INSERT INTO dead_letters (sink, reason, kind, pbx, ce_id, ce_subject, ce_time, ce_key, "
    "ce_sequence, body, privacy) VALUES (?10, ?9, ?7, ?8, ?1, ?2, ?3, ?4, ?5, ?6, ?11)";

struct history_rows {
    struct sqlite_file *file;
    sqlite3_stmt *insert[FACT_KIND_COUNT]; /* NULL: the kind is not kept */
    sqlite3_stmt *dead_letter;
};

/* Writes one column's value: a parameter, or a field of the body. */
static void put_value(struct buf *sql, const char *column)
{
    for (size_t i = 0; i < sizeof(fixed_columns) / sizeof(fixed_columns[0]); i++) {
        if (strcmp(fixed_columns[i].name, column) == 0) {
            buf_printf(sql, "?%d", fixed_columns[i].parameter);
            return;
        }
    }
    buf_printf(sql, "?%d ->> '$.%s'", BODY, column);
}

/* Lists the table's columns, or their values. False when the table has none: there is no such. */
static bool put_columns(struct sqlite_file *f, struct buf *sql, const char *table, bool values)
{
    bool any = false;
    sqlite3_stmt *columns = sqlite_file_prepare(f, "SELECT name FROM pragma_table_info(?1)");
    if (!columns)
        return false;
    sqlite3_bind_text(columns, 1, table, -1, SQLITE_STATIC);
    while (sqlite3_step(columns) == SQLITE_ROW) {
        const char *column = (const char *)sqlite3_column_text(columns, 0);
        if (any)
            buf_put(sql, ", ", 2);
        if (values)
            put_value(sql, column);
        else
            buf_printf(sql, "\"%s\"", column);
        any = true;
    }
    sqlite3_finalize(columns);
    return any;
}

static sqlite3_stmt *prepare_insert(struct sqlite_file *f, const char *table)
{
    struct buf sql = buf_new((size_t)64 * 1024);
    sqlite3_stmt *statement = NULL;
    buf_printf(&sql, "INSERT INTO \"%s\" (", table);
    bool found = put_columns(f, &sql, table, false);
    buf_printf(&sql, ") VALUES (");
    found = put_columns(f, &sql, table, true) && found;
    buf_printf(&sql, ") ON CONFLICT (ce_id) DO NOTHING");
    buf_put_char(&sql, '\0');
    if (found && !sql.failed)
        statement = sqlite_file_prepare(f, sql.p);
    buf_free(&sql);
    return statement;
}

struct history_rows *history_rows_new(struct sqlite_file *f, const char *path, char *error,
                                      size_t error_size)
{
    struct history_rows *h = calloc(1, sizeof(*h));
    if (!h) {
        snprintf(error, error_size, "%s: out of memory", path);
        return NULL;
    }
    h->file = f;
    const char *table = "dead_letters";
    h->dead_letter = sqlite_file_prepare(f, insert_dead_letter);
    bool ok = h->dead_letter != NULL;
    for (unsigned kind = 0; kind < FACT_KIND_COUNT && ok; kind++) {
        table = fact_kind_info((enum fact_kind)kind)->table;
        if (table[0])
            h->insert[kind] = prepare_insert(f, table);
        ok = !table[0] || h->insert[kind];
    }
    if (ok)
        return h;
    snprintf(error, error_size, "%s: has no table %s as this amitap knows it", path, table);
    history_rows_free(h);
    return NULL;
}

void history_rows_free(struct history_rows *h)
{
    if (!h)
        return;
    for (unsigned kind = 0; kind < FACT_KIND_COUNT; kind++)
        sqlite3_finalize(h->insert[kind]);
    sqlite3_finalize(h->dead_letter);
    free(h);
}

/* Text as it is; an empty slice is an empty text, one without bytes at all is NULL. */
static void bind(sqlite3_stmt *statement, enum parameter parameter, struct slice text)
{
    sqlite3_bind_text64(statement, (int)parameter, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_row(sqlite3_stmt *statement, const struct outbox_row *row)
{
    char time[TIME_TEXT_SIZE];
    time_text(row->head.time, time);
    bind(statement, CE_ID, row->head.id);
    bind(statement, CE_SUBJECT, row->head.subject);
    sqlite3_bind_text(statement, CE_TIME, time, -1, SQLITE_TRANSIENT);
    bind(statement, CE_KEY, row->head.key);
    sqlite3_bind_int64(statement, CE_SEQUENCE, (sqlite3_int64)row->head.sequence);
    bind(statement, BODY, row->body);
    bool clear = slice_is(row->policy, "clear");
    bind(statement, PRIVACY, clear ? (struct slice){NULL, 0} : row->policy);
}

/* Is this error the record's own, so that trying again would not help? */
static bool is_refusal(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return true;
    default:
        return false;
    }
}

int history_rows_bury(struct history_rows *h, const struct outbox_row *row, const char *sink,
                      const char *reason)
{
    bind_row(h->dead_letter, row);
    bind(h->dead_letter, KIND, row->kind_name);
    bind(h->dead_letter, PBX, row->head.pbx);
    sqlite3_bind_text(h->dead_letter, REASON, reason, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(h->dead_letter, SINK, sink, -1, SQLITE_TRANSIENT);
    return sqlite_file_run(h->dead_letter);
}

int history_rows_insert(struct history_rows *h, const struct outbox_row *row, bool *ret_refused)
{
    *ret_refused = false;
    if (row->head.kind == FACT_KIND_COUNT) {
        *ret_refused = true;
        return history_rows_bury(h, row, "history", "unknown kind");
    }
    sqlite3_stmt *insert = h->insert[row->head.kind];
    if (!insert || row->head.flags & FACT_IS_AGAIN)
        return SQLITE_OK;
    bind_row(insert, row);
    int rc = sqlite_file_run(insert);
    if (!is_refusal(rc))
        return rc;
    *ret_refused = true;
    return history_rows_bury(h, row, "history", sqlite3_errmsg(h->file->db));
}
