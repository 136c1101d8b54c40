/* SPDX-License-Identifier: MIT */
#include "collector/base/rfc3339.h"
#include "collector/commands/explain_nearest.h"
#include "collector/commands/explain_source.h"
#include "collector/outbox/sqlite_file.h"
#include "collector/sinks/history_rows.h"
#include <stdio.h>
#include <string.h>

/* ?1 is what was asked for, ?2 the PBX or NULL. Merged calls are followed both ways. */
static const char find_linkedids[] =
    "WITH RECURSIVE seed(linkedid) AS ("
    " SELECT linkedid FROM call_events WHERE uniqueid = ?1 AND pbx = coalesce(?2, pbx)"
    " UNION SELECT linkedid FROM cdr WHERE uniqueid = ?1 AND pbx = coalesce(?2, pbx)"
    " UNION SELECT linkedid FROM queue_visits WHERE uniqueid = ?1 AND pbx = coalesce(?2, pbx)"
    " UNION SELECT ?1),"
    "same(linkedid) AS (SELECT linkedid FROM seed"
    " UNION SELECT merged_into FROM call_aliases NATURAL JOIN same WHERE pbx = coalesce(?2, pbx)"
    " UNION SELECT a.linkedid FROM call_aliases a JOIN same ON a.merged_into = same.linkedid"
    "  WHERE pbx = coalesce(?2, pbx))"
    "SELECT json_group_array(linkedid) FROM same WHERE linkedid IS NOT NULL";

/* ?1 is the array of linkedids. */
static const char find_records[] =
    "SELECT pbx, body FROM ("
    " SELECT pbx, ce_time, ce_sequence, body, linkedid FROM call_events"
    " UNION ALL SELECT pbx, ce_time, ce_sequence, body, linkedid FROM call_aliases"
    " UNION ALL SELECT pbx, ce_time, ce_sequence, body, linkedid FROM calls"
    " UNION ALL SELECT pbx, ce_time, ce_sequence, body, linkedid FROM cdr"
    " UNION ALL SELECT pbx, ce_time, ce_sequence, body, linkedid FROM queue_visits"
    " UNION ALL SELECT pbx, ce_time, ce_sequence, body, linkedid FROM agent_intervals)"
    "WHERE linkedid IN (SELECT value FROM json_each(?1)) AND pbx = coalesce(?2, pbx) "
    "ORDER BY ce_time, ce_sequence";

static const char find_next[] = "SELECT linkedid FROM (SELECT linkedid FROM calls WHERE linkedid < "
                                "?1 AND pbx = coalesce(?2, pbx)"
                                "  ORDER BY linkedid DESC LIMIT 1)"
                                "UNION ALL "
                                "SELECT linkedid FROM (SELECT linkedid FROM calls WHERE linkedid > "
                                "?1 AND pbx = coalesce(?2, pbx)"
                                "  ORDER BY linkedid LIMIT 1)";

static const char find_span[] =
    "SELECT min(ce_time) FROM call_events WHERE ?1 <> '' AND pbx = coalesce(?2, pbx)"
    " UNION ALL SELECT max(ce_time) FROM call_events WHERE ?1 <> '' AND pbx = coalesce(?2, pbx)";

struct asking {
    struct sqlite_file file;
    const char *path;
    const struct explain_wanted *wanted;
};

static sqlite3_stmt *ask(struct asking *a, const char *sql, const char *first)
{
    sqlite3_stmt *statement = sqlite_file_prepare(&a->file, sql);
    if (!statement)
        return NULL;
    sqlite3_bind_text(statement, 1, first, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, a->wanted->pbx, -1, SQLITE_STATIC);
    return statement;
}

static bool fail_sqlite(const struct asking *a)
{
    fprintf(stderr, "amitap: explain: %s: %s\n", a->path, sqlite3_errmsg(a->file.db));
    return true;
}

/* The records of the linkedids. Two PBXs that were not told apart in the question are refused. */
static json_t *read_records(struct asking *a, const char *linkedids)
{
    sqlite3_stmt *statement = ask(a, find_records, linkedids);
    json_t *records = json_array();
    char pbx[256] = "";
    bool mixed = false, good = statement && records;
    while (good && !mixed && sqlite3_step(statement) == SQLITE_ROW) {
        struct slice body = sqlite_file_text(statement, 1);
        struct slice name = sqlite_file_text(statement, 0);
        mixed = pbx[0] && !slice_is(name, pbx);
        if (mixed)
            fprintf(stderr, "amitap: explain: %s is on %s and on %.*s; name one with --pbx\n",
                    a->wanted->id, pbx, (int)name.n, name.p);
        snprintf(pbx, sizeof(pbx), "%.*s", (int)name.n, name.p);
        json_t *record = json_loadb(body.p, body.n, 0, NULL);
        good = record && json_array_append_new(records, record) == 0;
        if (!good)
            fprintf(stderr, "amitap: explain: %s: a record of %s cannot be read\n", a->path,
                    a->wanted->id);
    }
    /* What was found so far would pass for all of it. */
    if (sqlite3_finalize(statement) != SQLITE_OK || !statement)
        good = !fail_sqlite(a);
    if (good && !mixed)
        return records;
    json_decref(records);
    return NULL;
}

static void say_nearest(struct asking *a)
{
    struct explain_nearest nearest = explain_nearest_to(a->wanted->id);
    sqlite3_stmt *statement = ask(a, find_next, a->wanted->id);
    while (statement && sqlite3_step(statement) == SQLITE_ROW)
        explain_nearest_add(&nearest, sqlite_file_text(statement, 0));
    sqlite3_finalize(statement);
    statement = ask(a, find_span, a->wanted->id);
    while (statement && sqlite3_step(statement) == SQLITE_ROW) {
        int64_t time = 0;
        rfc3339_read(sqlite_file_text(statement, 0), &time);
        explain_nearest_span(&nearest, time);
    }
    sqlite3_finalize(statement);
    explain_nearest_print(&nearest, a->wanted->id, a->path);
}

static json_t *find(struct asking *a)
{
    sqlite3_stmt *statement = ask(a, find_linkedids, a->wanted->id);
    json_t *records = NULL;
    if (statement && sqlite3_step(statement) == SQLITE_ROW)
        records = read_records(a, (const char *)sqlite3_column_text(statement, 0));
    else
        fail_sqlite(a);
    sqlite3_finalize(statement);
    if (!records || json_array_size(records))
        return records;
    say_nearest(a);
    json_decref(records);
    return NULL;
}

json_t *explain_from_history(const char *path, const struct explain_wanted *wanted)
{
    struct asking a = {.path = path, .wanted = wanted};
    char error[SQLITE_FILE_ERROR_SIZE];
    if (sqlite_file_open_to_read(&a.file, path, &history_schema, error, sizeof(error)) < 0) {
        fprintf(stderr, "amitap: explain: %s\n", error);
        return NULL;
    }
    json_t *records = find(&a);
    sqlite_file_close(&a.file);
    return records;
}
