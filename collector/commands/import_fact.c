/* SPDX-License-Identifier: MIT */
#include "collector/commands/import_fact.h"

#include "collector/commands/truth_load.h"
#include "collector/config/config.h"
#include <inttypes.h>
#include <stdio.h>

#define ID_MAX 512u

/* The statements' columns; behind them come those of the kind. */
enum { ROW_REPLACES, ROW_COUNT, ROW_END, ROW_FIRST };

struct slice import_fact_replaces(sqlite3_stmt *row)
{
    return sqlite_file_text(row, ROW_REPLACES);
}

sqlite3_stmt *import_fact_rows(struct truth *t, enum truth_kind kind)
{
    struct buf sql = buf_new(8192);
    const char *table = kind == TRUTH_CDR ? "truth_cdr" : "truth_queue_log";
    buf_printf(&sql,
               "SELECT w.replaces, (SELECT count(*) FROM %s o WHERE o.row_key = r.row_key AND "
               "o.end_us = r.end_us AND o.n < r.n), r.end_us",
               table);
    for (unsigned i = 0; kind == TRUTH_CDR && i < CDR_COLUMNS; i++)
        buf_printf(&sql, ", r.\"%s\"", cdr_column_name((enum cdr_column)i));
    if (kind == TRUTH_QUEUE_LOG)
        buf_printf(&sql, ", r.call, r.queue, r.agent, r.event, r.args");
    buf_printf(&sql,
               " FROM wanted w JOIN %s r ON r.n = w.n WHERE w.kind = %d AND ?1 NOTNULL ORDER BY "
               "w.n",
               table, (int)kind);
    buf_put_char(&sql, 0);
    sqlite3_stmt *rows = truth_prepare(t, sql.p, 0, 0);
    buf_free(&sql);
    return rows;
}

static struct fact_head head_of(const struct truth *t, enum fact_kind kind, sqlite3_stmt *row)
{
    return (struct fact_head){.kind = kind,
                              .flags = FACT_IS_IMPORTED,
                              .time = sqlite3_column_int64(row, ROW_END),
                              .pbx = slice_from(config_section_name(t->section))};
}

static void put_cdr_column(struct fact_builder *f, const struct cdr_record *r,
                           enum cdr_column column)
{
    enum fact_field field = cdr_column_field(column);
    unsigned bit = CDR_COLUMN_BIT(column);
    if (!(r->has & bit))
        fact_put_null(f, field);
    else if (bit & CDR_COLUMN_TIMES)
        fact_put_time(f, field, truth_time_from_local(r->number[column]));
    else if (bit & CDR_COLUMN_SPANS)
        fact_put_seconds(f, field, r->number[column]);
    else
        fact_put_string(f, field, r->text[column]);
}

static void build_cdr(struct fact_builder *f, struct truth *t, sqlite3_stmt *row)
{
    char id[ID_MAX];
    struct cdr_record r = {0};
    struct fact_head head = head_of(t, FACT_CDR, row);
    for (int i = 0; i < CDR_COLUMNS; i++) {
        struct slice text = sqlite_file_text(row, ROW_FIRST + i);
        if (text.p)
            cdr_record_set(&r, (enum cdr_column)i, text);
    }
    head.subject = r.text[CDR_COLUMN_UNIQUEID];
    head.key = r.text[CDR_COLUMN_LINKEDID].n ? r.text[CDR_COLUMN_LINKEDID] : head.subject;
    snprintf(id, sizeof(id), "cdr:%.*s:%" PRId64 ":%d@import",
             (int)slice_head(head.subject, ID_MAX / 2).n, head.subject.p, head.time,
             sqlite3_column_int(row, ROW_COUNT));
    head.id = slice_from(id);
    fact_begin(f, &head);
    for (unsigned i = 0; i < CDR_COLUMNS; i++)
        put_cdr_column(f, &r, (enum cdr_column)i);
    fact_put_null(f, FIELD_OPENED_BECAUSE);
    fact_put_null(f, FIELD_CLOSED_BECAUSE);
    fact_put_null(f, FIELD_RECORDING);
    if (import_fact_replaces(row).p)
        fact_put_string(f, FIELD_REPLACES, import_fact_replaces(row));
}

static void put_args(struct fact_builder *f, struct slice rest)
{
    fact_open_array(f, FIELD_ARGS);
    for (bool more = true; more;) {
        const char *bar = rest.n ? memchr(rest.p, '|', rest.n) : NULL;
        struct slice arg = slice_head(rest, bar ? (size_t)(bar - rest.p) : rest.n);
        fact_put_string(f, FIELD_ARGS, arg);
        rest = slice_from_offset(rest, arg.n + 1);
        more = bar != NULL;
    }
    fact_close(f);
}

static void build_line(struct fact_builder *f, struct truth *t, sqlite3_stmt *row)
{
    enum { CALL = ROW_FIRST, QUEUE, AGENT, EVENT, ARGS };
    char id[ID_MAX];
    struct fact_head head = head_of(t, FACT_QUEUE_LOG, row);
    struct slice call = slice_head(sqlite_file_text(row, CALL), 160);
    struct slice queue = slice_head(sqlite_file_text(row, QUEUE), 160);
    head.subject = sqlite_file_text(row, CALL);
    head.key = sqlite_file_text(row, QUEUE);
    snprintf(id, sizeof(id), "queue_log:%.*s:%.*s:%.*s:%" PRId64 ":%d@import", (int)call.n, call.p,
             (int)queue.n, queue.p, (int)slice_head(sqlite_file_text(row, EVENT), 64).n,
             sqlite_file_text(row, EVENT).p, head.time, sqlite3_column_int(row, ROW_COUNT));
    head.id = slice_from(id);
    fact_begin(f, &head);
    fact_put_string(f, FIELD_EVENT, sqlite_file_text(row, EVENT));
    fact_put_string(f, FIELD_UNIQUEID, sqlite_file_text(row, CALL));
    fact_put_string(f, FIELD_QUEUE, sqlite_file_text(row, QUEUE));
    fact_put_string(f, FIELD_AGENT, sqlite_file_text(row, AGENT));
    put_args(f, sqlite_file_text(row, ARGS));
}

void import_fact_build(struct fact_builder *f, struct truth *t, enum truth_kind kind,
                       sqlite3_stmt *row)
{
    if (kind == TRUTH_CDR)
        build_cdr(f, t, row);
    else
        build_line(f, t, row);
}
