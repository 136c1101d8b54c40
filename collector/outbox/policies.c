/* SPDX-License-Identifier: MIT */
#include "collector/outbox/policies.h"

#include <assert.h>

static int run_named(struct sqlite_file *file, const char *sql, const char *text,
                     const int64_t numbers[2])
{
    sqlite3_stmt *statement = sqlite_file_prepare(file, sql);
    if (!statement)
        return sqlite3_errcode(file->db);
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    for (int i = 0; numbers && i < 2; i++)
        sqlite3_bind_int64(statement, 2 + i, numbers[i]);
    int rc = sqlite_file_run(statement);
    sqlite3_finalize(statement);
    return rc;
}

/* The number of the policy with this name. */
static int find_number(struct sqlite_file *file, const char *name, int64_t *ret_number)
{
    int rc = run_named(file, "INSERT INTO policies (name) VALUES (?1) ON CONFLICT DO NOTHING", name,
                       NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_stmt *ask = sqlite_file_prepare(file, "SELECT policy FROM policies WHERE name = ?1");
    if (!ask)
        return sqlite3_errcode(file->db);
    sqlite3_bind_text(ask, 1, name, -1, SQLITE_STATIC);
    rc = sqlite3_step(ask);
    *ret_number = sqlite3_column_int64(ask, 0);
    sqlite3_finalize(ask);
    return rc == SQLITE_ROW ? SQLITE_OK : SQLITE_ERROR;
}

/* A change of policy takes effect behind what is there; the same again is no change. */
static const char put_policy[] =
    "INSERT INTO sink_policies (sink, since, policy) SELECT ?1, ?2, ?3 WHERE ?3 IS NOT "
    "(SELECT policy FROM sink_policies WHERE sink = ?1 ORDER BY since DESC LIMIT 1) "
    "ON CONFLICT (sink, since) DO UPDATE SET policy = excluded.policy";

/* A sink that was never there before needs nothing of what is: not even its first row may be
 * another policy's. */
static const char put_absence[] =
    "INSERT INTO sink_policies (sink, since, policy) SELECT ?1, 0, NULL WHERE NOT EXISTS "
    "(SELECT 1 FROM sink_policies WHERE sink = ?1)";

int policies_add(struct policies *p, struct sqlite_file *file, const char *sink,
                 struct privacy *privacy, uint64_t since)
{
    int64_t number = 0;
    int rc = find_number(file, privacy_name(privacy), &number);
    if (rc == SQLITE_OK)
        rc = run_named(file, put_absence, sink, NULL);
    if (rc == SQLITE_OK)
        rc = run_named(file, put_policy, sink, (const int64_t[]){(int64_t)since, number});
    if (rc != SQLITE_OK)
        return rc;
    for (size_t i = 0; i < p->count; i++) {
        if (p->list[i].number == number)
            return SQLITE_OK;
    }
    assert(p->count < POLICIES_MAX);
    p->list[p->count++] = (struct policy){number, privacy};
    return SQLITE_OK;
}

static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

int policies_leave_out(struct sqlite_file *file, const char *const *names, size_t count,
                       uint64_t since)
{
    sqlite3_stmt *ask = sqlite_file_prepare(
        file, "SELECT sink FROM sink_policies AS s WHERE policy IS NOT NULL AND since = "
              "(SELECT max(since) FROM sink_policies WHERE sink = s.sink)");
    sqlite3_stmt *put = sqlite_file_prepare(
        file, "INSERT OR REPLACE INTO sink_policies (sink, since, policy) VALUES (?1, ?2, NULL)");
    int rc = ask && put ? SQLITE_ROW : SQLITE_ERROR;
    while (rc == SQLITE_ROW && (rc = sqlite3_step(ask)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(ask, 0);
        if (has_name(names, count, name))
            continue;
        sqlite3_bind_text(put, 1, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(put, 2, (sqlite3_int64)since);
        rc = sqlite_file_run(put) == SQLITE_OK ? SQLITE_ROW : SQLITE_ERROR;
    }
    sqlite3_finalize(ask);
    sqlite3_finalize(put);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
