/* SPDX-License-Identifier: MIT */
#include "collector/outbox/outbox_guest.h"

#include "collector/outbox/outbox_schema.h"
#include <stdio.h>

/* What the file is, looked at through a connection of its own. */
static int check(const char *path, const struct sqlite_schema *schema, char *error,
                 size_t error_size)
{
    struct sqlite_file file = {0};
    if (sqlite_file_open_to_read(&file, path, schema, error, error_size) < 0)
        return -1;
    sqlite_file_close(&file);
    return 0;
}

/* 0, or -1 with a line that says what SQLite says of this file. */
static int attach(struct sqlite_file *f, const char *path, const char *sql, char *error,
                  size_t error_size)
{
    sqlite3_stmt *attach = sqlite_file_prepare(f, sql);
    if (attach)
        sqlite3_bind_text(attach, 1, path, -1, SQLITE_STATIC);
    int rc = attach ? sqlite_file_run(attach) : SQLITE_ERROR;
    sqlite3_finalize(attach);
    if (rc != SQLITE_OK)
        snprintf(error, error_size, "%s: %s", path, sqlite3_errmsg(f->db));
    return rc == SQLITE_OK ? 0 : -1;
}

int outbox_guest_attach(struct sqlite_file *f, const char *path, char *error, size_t error_size)
{
    if (check(path, &outbox_schema, error, error_size) < 0 ||
        attach(f, path, "ATTACH ?1 AS outbox", error, error_size) < 0)
        return -1;
    int rc = sqlite3_exec(f->db, "PRAGMA outbox.synchronous=FULL", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        snprintf(error, error_size, "%s: %s", path, sqlite3_errmsg(f->db));
    return rc == SQLITE_OK ? 0 : -1;
}

int outbox_guest_open(struct sqlite_file *f, const char *path, char *error, size_t error_size)
{
    if (sqlite_file_open_beside(f, path, &outbox_schema, error, error_size) < 0)
        return -1;
    /* The first file of a connection is the first to be committed. */
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_MAINDBNAME, "outbox");
    return 0;
}

int outbox_guest_add(struct sqlite_file *f, const char *path, const struct sqlite_schema *schema,
                     char *error, size_t error_size)
{
    if (check(path, schema, error, error_size) < 0)
        return -1;
    return attach(f, path, "ATTACH ?1 AS beside", error, error_size);
}

bool outbox_guest_secret(struct sqlite_file *f, char text[OUTBOX_GUEST_SECRET_SIZE])
{
    sqlite3_stmt *ask = sqlite_file_prepare(f, "SELECT secret FROM outbox.outbox");
    bool good = ask && sqlite3_step(ask) == SQLITE_ROW;
    text[0] = 0;
    if (good)
        snprintf(text, OUTBOX_GUEST_SECRET_SIZE, "%s", (const char *)sqlite3_column_text(ask, 0));
    sqlite3_finalize(ask);
    return good && text[0];
}

bool outbox_guest_waiting(struct sqlite_file *f, const char *sink, uint64_t *ret_rows)
{
    sqlite3_stmt *ask =
        sqlite_file_prepare(f, "SELECT coalesce((SELECT max(seq) FROM outbox.facts), 0) - "
                               "coalesce((SELECT seq FROM outbox.cursors WHERE sink = ?1), 0)");
    if (ask)
        sqlite3_bind_text(ask, 1, sink, -1, SQLITE_STATIC);
    bool good = ask && sqlite3_step(ask) == SQLITE_ROW;
    int64_t rows = good ? sqlite3_column_int64(ask, 0) : 0;
    sqlite3_finalize(ask);
    *ret_rows = rows > 0 ? (uint64_t)rows : 0;
    return good;
}

sqlite3_stmt *outbox_guest_prepare(struct sqlite_file *f, const char *policy)
{
    sqlite3_stmt *know = sqlite_file_prepare(
        f, "INSERT INTO outbox.policies (name) VALUES (?1) ON CONFLICT DO NOTHING");
    if (know)
        sqlite3_bind_text(know, 1, policy, -1, SQLITE_STATIC);
    int rc = know ? sqlite_file_run(know) : SQLITE_ERROR;
    sqlite3_finalize(know);
    sqlite3_stmt *put =
        rc == SQLITE_OK
            ? sqlite_file_prepare(f, "INSERT INTO outbox.facts (kind, flags, pbx, subject, key, "
                                     "ce_id, ce_time, ce_sequence, body, policy) VALUES (?1, ?2, "
                                     "?3, ?4, ?5, ?6, ?7, ?8, ?9, (SELECT policy FROM "
                                     "outbox.policies WHERE name = ?10))")
            : NULL;
    if (put)
        sqlite3_bind_text(put, 10, policy, -1, SQLITE_TRANSIENT);
    return put;
}

int outbox_guest_put(sqlite3_stmt *put, const struct outbox_row *row)
{
    sqlite_file_bind(put, 1, row->kind_name);
    sqlite3_bind_int64(put, 2, row->head.flags);
    sqlite_file_bind(put, 3, row->head.pbx);
    sqlite_file_bind(put, 4, row->head.subject);
    sqlite_file_bind(put, 5, row->head.key);
    sqlite_file_bind(put, 6, row->head.id);
    sqlite3_bind_int64(put, 7, row->head.time);
    sqlite3_bind_int64(put, 8, (sqlite3_int64)row->head.sequence);
    sqlite_file_bind(put, 9, row->body);
    return sqlite_file_run(put);
}
