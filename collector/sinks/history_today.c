/* SPDX-License-Identifier: MIT */
#include "collector/sinks/history_today.h"

#include "collector/base/json_out.h"
#include "collector/sinks/history_rows.h"
#include <stdio.h>

static const char count_visits[] =
    "SELECT pbx, queue, outcome, count(*), total(wait_seconds), max(wait_seconds), "
    "total(outcome = 'answered' AND wait_seconds <= coalesce(service_level_seconds, ?2)) "
    "FROM queue_visits WHERE ce_time >= ?1 GROUP BY pbx, queue, outcome";

static const char count_calls[] =
    "SELECT pbx, '', CASE WHEN answer IS NULL THEN 'unanswered' ELSE 'answered' END AS outcome, "
    "count(*), 0, 0, 0 FROM calls WHERE ce_time >= ?1 GROUP BY pbx, outcome";

static const char count_cdrs[] =
    "SELECT pbx, '', 'cdr', count(*), 0, 0, 0 FROM cdr WHERE ce_time >= ?1 GROUP BY pbx";

static int64_t microseconds(sqlite3_stmt *statement, int i)
{
    return (int64_t)(sqlite3_column_double(statement, i) * 1e6 + 0.5);
}

struct asking {
    struct sqlite_file file;
    char since[TIME_TEXT_SIZE];
    double service_level;
};

/* Runs one of the queries. An SQLite result code. */
static int count(struct asking *asking, const char *sql, history_count_fn *fn, void *ctx)
{
    sqlite3_stmt *statement = sqlite_file_prepare(&asking->file, sql);
    if (!statement)
        return SQLITE_ERROR;
    sqlite3_bind_text(statement, 1, asking->since, -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_double(statement, 2, asking->service_level);
    int rc = SQLITE_OK;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct history_count c = {
            .pbx = sqlite_file_text(statement, 0),
            .queue = sqlite_file_text(statement, 1),
            .outcome = sqlite_file_text(statement, 2),
            .count = (uint64_t)sqlite3_column_int64(statement, 3),
            .wait_us = microseconds(statement, 4),
            .wait_us_max = microseconds(statement, 5),
            .within = (uint64_t)sqlite3_column_int64(statement, 6),
        };
        fn(ctx, &c);
    }
    sqlite3_finalize(statement);
    return rc;
}

int history_today(const struct history_today *query, history_count_fn *fn, void *ctx, char *error,
                  size_t error_size)
{
    struct asking asking = {.service_level = (double)query->service_level_us / 1e6};
    time_text(query->midnight_us, asking.since);
    if (sqlite_file_open_to_read(&asking.file, query->path, &history_schema, error, error_size) < 0)
        return -1;
    int rc = count(&asking, count_visits, fn, ctx);
    if (rc == SQLITE_DONE)
        rc = count(&asking, count_calls, fn, ctx);
    if (rc == SQLITE_DONE)
        rc = count(&asking, count_cdrs, fn, ctx);
    if (rc != SQLITE_DONE)
        snprintf(error, error_size, "%s: %s", query->path, sqlite3_errmsg(asking.file.db));
    sqlite_file_close(&asking.file);
    return rc == SQLITE_DONE ? 0 : -1;
}
