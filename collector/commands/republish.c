/* SPDX-License-Identifier: MIT */
#include "collector/commands/republish.h"

#include "collector/base/clock.h"
#include "collector/base/rfc3339.h"
#include "collector/commands/figures_time.h"
#include "collector/commands/options.h"
#include "collector/commands/privacy_config.h"
#include "collector/commands/tap_config.h"
#include "collector/outbox/outbox_guest.h"
#include "collector/sinks/history_rows.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* So many rows a transaction: a running amitap waits no longer than for these. */
#define BATCH 256u
/* So many may wait in the outbox: live records are not far behind them, and its bound is not
 * passed. */
#define WAITING_MAX 20000u
#define WAIT_MS     100
#define TELL_US     INT64_C(5000000)

struct republish {
    const char *config_path;
    int64_t from, to;
    struct config *config;
    const struct config_section *kafka;
    struct sqlite_file file;
    bool open;
    struct privacy *policy; /* that Kafka gets records under */
    const char *tables[FACT_KIND_COUNT];
    sqlite3_stmt *rows[FACT_KIND_COUNT]; /* one row of each table */
    size_t table_count;
    sqlite3_stmt *next, *put;
    struct clock clock;
    int64_t told_at;
    uint64_t wanted, done, waiting_max;
    char up_to[TIME_TEXT_SIZE];
};

enum column { KIND, PBX, SUBJECT, KEY, ID, TIME, SEQUENCE, BODY };

static bool fail(const char *text)
{
    fprintf(stderr, "amitap: republish: %s\n", text);
    return false;
}

static bool fail_sqlite(struct republish *r)
{
    return fail(sqlite3_errmsg(r->file.db));
}

static bool run(struct republish *r, const char *sql)
{
    return sqlite3_exec(r->file.db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_sqlite(r);
}

static bool take_time(const char *option, const char *text, int64_t *ret_us)
{
    return figures_time_read(text, ret_us) ||
           options_refuse("republish", option, text,
                          "a time: 2026-03-29, 2026-03-29T09:30 or RFC 3339");
}

static bool read_arguments(struct republish *r, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    bool good = true, from = false;
    options_begin();
    for (int option; good && (option = options_next(argc, argv, ":c:", options)) != -1;) {
        if (option == 'c')
            r->config_path = optarg;
        else
            good = option == 'f'   ? take_time("--from", optarg, &r->from)
                   : option == 't' ? take_time("--to", optarg, &r->to)
                                   : false;
        from |= option == 'f';
    }
    if (good && options_end(argc, argv) && options_need(argv[0], "-c FILE", r->config_path) &&
        options_need(argv[0], "--from TIME", from))
        return true;
    fputs("usage: amitap republish -c FILE --from TIME [--to TIME]\n", stderr);
    return false;
}

static bool load_config(struct republish *r)
{
    r->config = tap_config_file(r->config_path);
    if (!r->config)
        return false;
    r->kafka = config_section(r->config, CONFIG_KAFKA);
    if (!r->kafka)
        return fail("the configuration has no kafka section");
    uint64_t bound = (uint64_t)config_number(r->kafka, CONFIG_KAFKA_BACKLOG_MAX) / 4;
    r->waiting_max = bound < WAITING_MAX ? bound : WAITING_MAX;
    return true;
}

static bool open_files(struct republish *r)
{
    char error[SQLITE_FILE_ERROR_SIZE];
    const char *path = config_text(config_section(r->config, CONFIG_STORE), CONFIG_STORE_PATH);
    r->open = sqlite_file_open_beside(&r->file, path, &history_schema, error, sizeof(error)) == 0;
    if (!r->open ||
        outbox_guest_attach(&r->file, config_outbox_path(r->config), error, sizeof(error)) < 0)
        return fail(error);
    return run(r, "PRAGMA temp_store = FILE");
}

/* What the history keeps is all that there is: records of another policy cannot be made of it. */
static bool check_policies(struct republish *r)
{
    char secret[OUTBOX_GUEST_SECRET_SIZE];
    if (!outbox_guest_secret(&r->file, secret))
        return fail_sqlite(r);
    struct privacy *kept =
        privacy_config(config_section(r->config, CONFIG_STORE), slice_from(secret));
    r->policy = privacy_config(r->kafka, slice_from(secret));
    explicit_bzero(secret, sizeof(secret));
    bool same = kept && r->policy && strcmp(privacy_name(kept), privacy_name(r->policy)) == 0;
    if (kept && r->policy && !same)
        fprintf(stderr,
                "amitap: republish: privacy differs: the history is kept as '%s', and Kafka gets "
                "'%s', which cannot be made of it\n",
                privacy_name(kept), privacy_name(r->policy));
    privacy_free(kept);
    return same;
}

static bool is_listed(const struct republish *r, const char *table)
{
    for (size_t i = 0; i < r->table_count; i++) {
        if (strcmp(r->tables[i], table) == 0)
            return true;
    }
    return false;
}

/* A statement for each table that facts are kept in. */
static bool prepare_rows(struct republish *r)
{
    char sql[256];
    for (unsigned kind = 0; kind < FACT_KIND_COUNT; kind++) {
        const char *table = fact_kind_info((enum fact_kind)kind)->table;
        if (!table[0] || is_listed(r, table))
            continue;
        snprintf(sql, sizeof(sql),
                 "SELECT body ->> 'kind', pbx, ce_subject, ce_key, ce_id, ce_time, ce_sequence, "
                 "body FROM \"%s\" WHERE ce_id = ?1",
                 table);
        r->rows[r->table_count] = sqlite_file_prepare(&r->file, sql);
        if (!r->rows[r->table_count])
            return fail_sqlite(r);
        r->tables[r->table_count++] = table;
    }
    return true;
}

static void bind_time(sqlite3_stmt *s, int at, int64_t us)
{
    char text[TIME_TEXT_SIZE];
    time_text(us, text);
    sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

static bool find_in(struct republish *r, size_t table)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "INSERT INTO temp.found SELECT %zu, ce_id, ce_time, ce_sequence, "
             "coalesce(privacy, 'clear') FROM main.\"%s\" WHERE ce_time >= ?1 AND ce_time <= ?2",
             table, r->tables[table]);
    sqlite3_stmt *find = sqlite_file_prepare(&r->file, sql);
    int rc = SQLITE_ERROR;
    if (find) {
        bind_time(find, 1, r->from);
        bind_time(find, 2, r->to);
        rc = sqlite_file_run(find);
        r->wanted += (uint64_t)sqlite3_changes64(r->file.db);
    }
    sqlite3_finalize(find);
    return rc == SQLITE_OK || fail_sqlite(r);
}

/* Rows from before the policy was what it is now. */
static bool check_rows(struct republish *r)
{
    sqlite3_stmt *ask = sqlite_file_prepare(
        &r->file, "SELECT privacy, count(*) FROM temp.found WHERE privacy <> ?1 GROUP BY privacy");
    int rc = SQLITE_ERROR;
    if (ask) {
        sqlite3_bind_text(ask, 1, privacy_name(r->policy), -1, SQLITE_STATIC);
        rc = sqlite3_step(ask);
    }
    if (rc == SQLITE_ROW)
        fprintf(stderr,
                "amitap: republish: privacy differs: %d records of that time are kept as '%s', and "
                "Kafka gets '%s'\n",
                sqlite3_column_int(ask, 1), (const char *)sqlite3_column_text(ask, 0),
                privacy_name(r->policy));
    sqlite3_finalize(ask);
    return rc == SQLITE_DONE || (rc != SQLITE_ROW && fail_sqlite(r));
}

/* Lists what is to be sent, oldest first, on disk: no read transaction stays open meanwhile. */
static bool find_wanted(struct republish *r)
{
    bool good = run(r, "CREATE TEMP TABLE found (source INTEGER, ce_id TEXT, ce_time TEXT, "
                       "ce_sequence INTEGER, privacy TEXT)");
    for (size_t i = 0; good && i < r->table_count; i++)
        good = find_in(r, i);
    good = good && check_rows(r) &&
           run(r, "CREATE TEMP TABLE wanted (n INTEGER PRIMARY KEY, source INTEGER, ce_id TEXT);"
                  "INSERT INTO wanted (source, ce_id) SELECT source, ce_id FROM found "
                  "ORDER BY ce_time, ce_sequence, ce_id; DROP TABLE temp.found");
    if (!good)
        return false;
    r->next = sqlite_file_prepare(
        &r->file, "SELECT source, ce_id FROM temp.wanted WHERE n > ?1 ORDER BY n LIMIT ?2");
    r->put = outbox_guest_prepare(&r->file, privacy_name(r->policy));
    return (r->next && r->put) || fail_sqlite(r);
}

/* Puts one record into the outbox; a row that was deleted since is left out. */
static int put(struct republish *r, sqlite3_stmt *row, const char *id)
{
    struct outbox_row record = {0};
    sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
    int rc = sqlite3_step(row);
    if (rc == SQLITE_ROW) {
        record.kind_name = sqlite_file_text(row, KIND);
        record.head.flags = FACT_IS_AGAIN;
        record.head.pbx = sqlite_file_text(row, PBX);
        record.head.subject = sqlite_file_text(row, SUBJECT);
        record.head.key = sqlite_file_text(row, KEY);
        record.head.id = sqlite_file_text(row, ID);
        record.head.sequence = (uint64_t)sqlite3_column_int64(row, SEQUENCE);
        record.body = sqlite_file_text(row, BODY);
        struct slice time = sqlite_file_text(row, TIME);
        snprintf(r->up_to, sizeof(r->up_to), "%.*s", (int)time.n, time.p ? time.p : "");
        rc = rfc3339_read(time, &record.head.time) ? outbox_guest_put(r->put, &record)
                                                   : SQLITE_CORRUPT;
    }
    sqlite3_reset(row);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static bool put_batch(struct republish *r)
{
    int rc = SQLITE_OK, step = SQLITE_DONE;
    uint64_t count = 0;
    if (!run(r, "BEGIN IMMEDIATE"))
        return false;
    sqlite3_bind_int64(r->next, 1, (sqlite3_int64)r->done);
    sqlite3_bind_int64(r->next, 2, BATCH);
    while (rc == SQLITE_OK && (step = sqlite3_step(r->next)) == SQLITE_ROW) {
        size_t table = (size_t)sqlite3_column_int64(r->next, 0);
        rc = put(r, r->rows[table], (const char *)sqlite3_column_text(r->next, 1));
        count++;
    }
    sqlite3_reset(r->next);
    if (rc == SQLITE_OK && step == SQLITE_DONE && run(r, "COMMIT")) {
        r->done += count;
        return true;
    }
    fail_sqlite(r);
    sqlite_file_rollback(&r->file);
    return false;
}

/* Says how far it is, and what it waits for, every few seconds. */
static void tell(struct republish *r, bool waits)
{
    int64_t now = clock_mono(&r->clock);
    if (now - r->told_at < TELL_US)
        return;
    r->told_at = now;
    fprintf(stderr, "amitap: republish: %" PRIu64 " of %" PRIu64 " records%s%s%s\n", r->done,
            r->wanted, r->up_to[0] ? ", up to " : "", r->up_to,
            waits ? "; waiting for a running amitap to publish them" : "");
}

/* Waits until few enough records wait for Kafka. */
static bool await_room(struct republish *r)
{
    const struct timespec pause = {0, WAIT_MS * 1000000L};
    uint64_t waiting = 0;
    for (;;) {
        if (!outbox_guest_waiting(&r->file, "kafka", &waiting))
            return fail_sqlite(r);
        if (waiting < r->waiting_max)
            return true;
        tell(r, true);
        nanosleep(&pause, NULL);
    }
}

static bool put_all(struct republish *r)
{
    r->told_at = clock_mono(&r->clock);
    while (r->done < r->wanted) {
        if (!await_room(r) || !put_batch(r))
            return false;
        tell(r, false);
    }
    return true;
}

static void close_all(struct republish *r)
{
    for (size_t i = 0; i < r->table_count; i++)
        sqlite3_finalize(r->rows[i]);
    sqlite3_finalize(r->next);
    sqlite3_finalize(r->put);
    if (r->open)
        sqlite_file_close(&r->file);
    privacy_free(r->policy);
    config_free(r->config);
}

int republish_command(int argc, char **argv)
{
    struct republish r = {.to = INT64_C(253402300799999999), .clock = clock_system()};
    if (!read_arguments(&r, argc, argv))
        return 2;
    bool good = load_config(&r) && open_files(&r) && check_policies(&r) && prepare_rows(&r) &&
                find_wanted(&r) && put_all(&r);
    if (good)
        printf("%" PRIu64 " records of the history go to Kafka again%s\n", r.done,
               r.done ? ": a running amitap publishes them now, else the next one that is started"
                      : "");
    close_all(&r);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
