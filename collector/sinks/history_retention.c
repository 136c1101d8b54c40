/* SPDX-License-Identifier: MIT */
#include "collector/sinks/history_retention.h"

#include "collector/base/json_out.h"
#include "collector/facts/fact.h"
#include <stdio.h>
#include <stdlib.h>

#define SLICE_ROWS 500
#define REST_US    (INT64_C(60) * 1000000)
#define DAY_US     (INT64_C(86400) * 1000000)
#define TABLES_MAX (FACT_KIND_COUNT + 1)

struct rule {
    sqlite3_stmt *delete;
    int64_t keep_us;
};

struct history_retention {
    struct sqlite_file *file;
    struct clock clock;
    struct rule rules[TABLES_MAX];
    size_t count;
    size_t at;
    int64_t rest_until; /* monotonic */
};

/* Is this kind the first of its table? */
static bool is_first(unsigned kind)
{
    const char *table = fact_kind_info((enum fact_kind)kind)->table;
    for (unsigned other = 0; other < kind; other++) {
        if (strcmp(fact_kind_info((enum fact_kind)other)->table, table) == 0)
            return false;
    }
    return table[0] != '\0';
}

const char *history_table(size_t i)
{
    for (unsigned kind = 0; kind < FACT_KIND_COUNT; kind++) {
        if (is_first(kind) && i-- == 0)
            return fact_kind_info((enum fact_kind)kind)->table;
    }
    return i == 0 ? "dead_letters" : NULL;
}

static bool add_rule(struct history_retention *r, const char *table, int64_t days)
{
    char sql[256];
    const char *time = strcmp(table, "dead_letters") == 0 ? "stored" : "ce_time";
    snprintf(sql, sizeof(sql),
             "DELETE FROM \"%s\" WHERE rowid IN (SELECT rowid FROM \"%s\" WHERE %s < ?1 LIMIT %d)",
             table, table, time, SLICE_ROWS);
    struct rule *rule = &r->rules[r->count++];
    rule->keep_us = days * DAY_US;
    rule->delete = sqlite_file_prepare(r->file, sql);
    return rule->delete != NULL;
}

struct history_retention *history_retention_new(struct sqlite_file *file,
                                                const struct config_section *store,
                                                const struct clock *clock)
{
    struct history_retention *r = calloc(1, sizeof(*r));
    const char *table;
    bool good = r != NULL;
    if (!r)
        return NULL;
    r->file = file;
    r->clock = *clock;
    for (size_t i = 0; good && store && (table = history_table(i)); i++) {
        int64_t days = config_retain_days(store, table);
        good = days == 0 || add_rule(r, table, days);
    }
    if (good)
        return r;
    history_retention_free(r);
    return NULL;
}

void history_retention_free(struct history_retention *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        sqlite3_finalize(r->rules[i].delete);
    free(r);
}

int history_retention_step(struct history_retention *r, uint64_t *ret_rows, bool *ret_more)
{
    char before[TIME_TEXT_SIZE];
    *ret_rows = 0;
    *ret_more = false;
    if (r->count == 0 || clock_mono(&r->clock) < r->rest_until)
        return SQLITE_OK;
    struct rule *rule = &r->rules[r->at];
    int64_t now = clock_now(&r->clock);
    time_text(now > rule->keep_us ? now - rule->keep_us : 0, before);
    sqlite3_bind_text(rule->delete, 1, before, -1, SQLITE_STATIC);
    int rc = sqlite_file_run(rule->delete);
    if (rc != SQLITE_OK)
        return rc;
    *ret_rows = (uint64_t)sqlite3_changes64(r->file->db);
    if (*ret_rows < SLICE_ROWS)
        r->at = (r->at + 1) % r->count;
    if (r->at == 0 && *ret_rows < SLICE_ROWS)
        r->rest_until = clock_mono(&r->clock) + REST_US;
    else
        *ret_more = true;
    return rc;
}
