/* SPDX-License-Identifier: MIT */
#include "collector/outbox/untold.h"

#include <stdio.h>
#include <string.h>

static const char sql_add[] =
    "INSERT INTO untold (pbx, \"first\", \"last\", mark) VALUES (?1, ?2, ?3, random()) "
    "ON CONFLICT (pbx) DO UPDATE SET \"first\" = min(\"first\", excluded.\"first\"), "
    "\"last\" = max(\"last\", excluded.\"last\"), mark = excluded.mark";
static const char sql_told[] =
    "DELETE FROM untold WHERE pbx = ?1 AND \"first\" >= ?2 AND \"last\" <= ?3";
/* Later ones were added since. */
static const char sql_told_partly[] =
    "UPDATE untold SET \"first\" = ?3 WHERE pbx = ?1 AND \"first\" >= ?2 AND \"first\" <= ?3";
static const char sql_list[] =
    "SELECT pbx, \"first\", \"last\", mark FROM untold ORDER BY pbx LIMIT ?1";

bool untold_init(struct untold *u, struct sqlite_file *file)
{
    *u = (struct untold){.file = file};
    u->add = sqlite_file_prepare(file, sql_add);
    u->told = sqlite_file_prepare(file, sql_told);
    u->told_partly = sqlite_file_prepare(file, sql_told_partly);
    u->list = sqlite_file_prepare(file, sql_list);
    if (!u->add || !u->told || !u->told_partly || !u->list || !untold_read(u))
        return false;
    untold_take(u);
    return true;
}

void untold_free(struct untold *u)
{
    sqlite3_finalize(u->add);
    sqlite3_finalize(u->told);
    sqlite3_finalize(u->told_partly);
    sqlite3_finalize(u->list);
    *u = (struct untold){0};
}

static int run(sqlite3_stmt *statement, struct slice pbx, int64_t from, int64_t to)
{
    sqlite_file_bind(statement, 1, pbx);
    sqlite3_bind_int64(statement, 2, from);
    sqlite3_bind_int64(statement, 3, to);
    return sqlite_file_run(statement);
}

int untold_add(struct untold *u, const struct untold_span *span)
{
    return span->pbx[0] ? run(u->add, slice_from(span->pbx), span->first, span->last) : SQLITE_OK;
}

int untold_fact(struct untold *u, struct slice fact, bool *ret_told)
{
    struct fact_head head;
    struct slice reason;
    int64_t from, to;
    if (!fact_read_head(fact, &head) || head.kind != FACT_GAP ||
        !fact_find(fact, FIELD_REASON, &reason, NULL) || !slice_is(reason, "kafka_backlog") ||
        !fact_find(fact, FIELD_FROM, NULL, &from) || !fact_find(fact, FIELD_TO, NULL, &to))
        return SQLITE_OK;
    *ret_told = true;
    int rc = run(u->told, head.pbx, from, to);
    return rc == SQLITE_OK ? run(u->told_partly, head.pbx, from, to) : rc;
}

bool untold_read(struct untold *u)
{
    size_t count = 0;
    int rc;
    sqlite3_bind_int(u->list, 1, UNTOLD_MAX);
    while ((rc = sqlite3_step(u->list)) == SQLITE_ROW && count < UNTOLD_MAX) {
        struct untold_span *span = &u->read[count++];
        snprintf(span->pbx, sizeof(span->pbx), "%s", (const char *)sqlite3_column_text(u->list, 0));
        span->first = sqlite3_column_int64(u->list, 1);
        span->last = sqlite3_column_int64(u->list, 2);
        span->mark = sqlite3_column_int64(u->list, 3);
    }
    sqlite3_reset(u->list);
    u->read_count = count;
    return rc == SQLITE_DONE;
}

void untold_take(struct untold *u)
{
    u->count = u->read_count;
    memcpy(u->spans, u->read, u->count * sizeof(u->spans[0]));
}

bool untold_find(const struct untold *u, const char *pbx, struct untold_span *ret)
{
    for (size_t i = 0; i < u->count; i++) {
        if (strcmp(u->spans[i].pbx, pbx) == 0) {
            *ret = u->spans[i];
            return true;
        }
    }
    return false;
}
