/* SPDX-License-Identifier: MIT */
#include "collector/sinks/history.h"

#include "collector/sinks/history_retention.h"

#include "collector/outbox/writer.h"
#include "collector/sinks/history_rows.h"
#include "tests/unit/outbox/store_fixture.h"
#include <signal.h>
#include <sys/resource.h>

static struct outbox *outbox;
static struct history *history;
static int64_t mono;

static int64_t fixed(void *ctx)
{
    (void)ctx;
    return 0;
}

static int64_t moved_by_hand(void *ctx)
{
    return *(int64_t *)ctx;
}

/* So many syncs fail that are asked for by name (rules.mk). */
static int failing_syncs;

int __real_sqlite_file_sync(struct sqlite_file *f);
int __wrap_sqlite_file_sync(struct sqlite_file *f);

int __wrap_sqlite_file_sync(struct sqlite_file *f)
{
    if (failing_syncs == 0)
        return __real_sqlite_file_sync(f);
    failing_syncs--;
    return SQLITE_IOERR;
}

static const struct clock by_hand = {fixed, moved_by_hand, &mono};

static void open_outbox(void)
{
    struct outbox_options options = {.path = in_directory("out")};
    outbox = outbox_open(&options, error, sizeof(error));
    must(outbox != NULL);
}

static void open_both(void)
{
    open_outbox();
    history = history_open(
        &(struct history_options){.path = in_directory("db"), .outbox = outbox, .clock = &by_hand},
        error, sizeof(error));
    must(history != NULL);
}

static void close_both(void)
{
    history_stop(history);
    outbox_free(outbox);
}

static void commit(void)
{
    ck_assert_int_eq(outbox_commit(outbox, buf_slice(&batch)), SQLITE_OK);
    buf_clear(&batch);
}

static void catch_up(void)
{
    ck_assert_int_eq(history_catch_up(history), SQLITE_OK);
}

static void ck_answer(const char *sql, const char *expect)
{
    ck_assert_str_eq(ask(in_directory("db"), sql), expect);
}

static void put_cdr(const char *id, const char *uniqueid)
{
    struct fact_head head = head_of(FACT_CDR, "1763683071.4", id);
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_CLID, SLICE("\"O'Brien\" <100>"));
    fact_put_string(&builder, FIELD_DSTCHANNEL, (struct slice){0});
    fact_put_time(&builder, FIELD_START, 1763683071090059);
    fact_put_time(&builder, FIELD_ANSWER, 0);
    fact_put_seconds(&builder, FIELD_DURATION, 3000000);
    fact_put_seconds(&builder, FIELD_BILLSEC, 1500000);
    fact_put_known(&builder, FIELD_UNIQUEID, slice_from(uniqueid));
    fact_open_array(&builder, FIELD_GUESSED);
    fact_put_string(&builder, FIELD_NAME, SLICE("lastdata"));
    fact_close(&builder);
    put_built();
}

START_TEST(record_becomes_a_row)
{
    open_both();
    put_cdr("cdr/1", "1763683071.4");
    commit();
    catch_up();
    ck_answer("SELECT ce_id || '|' || ce_subject || '|' || ce_time || '|' || ce_key || '|' || "
              "ce_sequence || '|' || pbx FROM cdr",
              "cdr/1|1763683071.4|2025-11-20T23:57:51.090059Z|1763683070.1|7|main");
    ck_answer("SELECT clid FROM cdr", "\"O'Brien\" <100>");
    ck_answer("SELECT start FROM cdr", "2025-11-20T23:57:51.090059Z");
    ck_answer("SELECT typeof(dstchannel) || typeof(answer) || typeof(tenant) || typeof(duration) "
              "FROM cdr",
              "textnullnullreal");
    ck_answer("SELECT duration + billsec FROM cdr", "4.5");
    ck_answer("SELECT guessed FROM cdr", "[\"lastdata\"]");
    ck_answer("SELECT body ->> '$.kind' || (body ->> '$.id') FROM cdr", "cdrcdr/1");
    close_both();
}
END_TEST

START_TEST(kinds_go_where_their_table_is)
{
    open_both();
    calls(1, 2);
    struct fact_head head = head_of(FACT_CALL_STATE, "1", "state");
    fact_begin(&builder, &head);
    put_built();
    head.flags = FACT_IS_TOMBSTONE;
    fact_begin(&builder, &head);
    put_built();
    head = head_of(FACT_GAP, "main", "gap");
    head.flags = FACT_IS_TAP;
    fact_begin(&builder, &head);
    fact_put_time(&builder, FIELD_FROM, 1763683071090059);
    put_built();
    commit();
    catch_up();
    ck_answer("SELECT count(*) || kind FROM call_events", "2call_started");
    ck_answer("SELECT \"from\" || tap || (inferred IS NULL) FROM gaps",
              "2025-11-20T23:57:51.090059Z11");
    ck_answer("SELECT count(*) FROM dead_letters", "0");
    ck_assert_uint_eq(history_stats(history).rows, 5);
    close_both();
}
END_TEST

/* Every column is a field of a record or one of the few that belong to the row itself. */
START_TEST(columns_are_known)
{
    static const char *const fields[] = {
#define FACT_FIELD(id, name, privacy) name,
#include "schemas/fact_fields.def"
#undef FACT_FIELD
        "ce_id", "ce_subject", "ce_time", "ce_key",   "ce_sequence", "body",   "kind",
        "pbx",   "tenant",     "tap",     "inferred", "imported",    "privacy"};
    char list[4096] = "''";
    char sql[8192];
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof(list) - n, ",'%s'", fields[i]);
    }
    open_both();
    snprintf(sql, sizeof(sql),
             "SELECT group_concat(t.name || '.' || c.name) FROM sqlite_schema t, "
             "pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT IN "
             "('dead_letters', 'outbox_cursor') AND c.name NOT IN (%s)",
             list);
    ck_answer(sql, "");
    for (unsigned kind = 0; kind < FACT_KIND_COUNT; kind++) {
        const char *table = fact_kind_info((enum fact_kind)kind)->table;
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM pragma_table_info('%s')", table);
        ck_assert_int_eq(ask_long(in_directory("db"), sql) > 10, table[0] != '\0');
    }
    close_both();
}
END_TEST

START_TEST(cdr_has_asterisks_columns)
{
    open_both();
    ck_answer("SELECT clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, start, "
              "answer, \"end\", duration, billsec, disposition, amaflags, accountcode, "
              "peeraccount, uniqueid, linkedid, userfield, recording FROM cdr",
              "");
    close_both();
}
END_TEST

START_TEST(doubles_change_nothing)
{
    open_both();
    put_cdr("cdr/1", "1763683071.4");
    commit();
    put_cdr("cdr/1", "another");
    put_cdr("cdr/2", "1763683071.4");
    commit();
    catch_up();
    ck_answer("SELECT group_concat(ce_id || '=' || uniqueid) FROM cdr",
              "cdr/1=1763683071.4,cdr/2=1763683071.4");
    ck_assert_uint_eq(history_stats(history).refused, 0);
    close_both();
}
END_TEST

START_TEST(refused_records_are_kept_with_the_reason)
{
    open_both();
    put_cdr("cdr/1", NULL);
    put_cdr("cdr/2", "1763683071.4");
    put_cdr("cdr/3", "1763683071.4");
    put_cdr("cdr/4", "1763683071.4");
    put_cdr("cdr/5", "1763683071.4");
    commit();
    ask(in_directory("out"), "UPDATE facts SET body = '{\"broken' WHERE ce_id = 'cdr/3'");
    ask(in_directory("out"), "UPDATE facts SET kind = 'of_tomorrow' WHERE ce_id = 'cdr/4'");
    catch_up();
    ck_answer("SELECT group_concat(ce_id) FROM cdr", "cdr/2,cdr/5");
    ck_answer("SELECT group_concat(ce_id || ':' || sink || ':' || kind || ':' || reason) FROM "
              "dead_letters",
              "cdr/1:history:cdr:NOT NULL constraint failed: cdr.uniqueid,"
              "cdr/3:history:cdr:malformed JSON,"
              "cdr/4:history:of_tomorrow:unknown kind");
    ck_assert_uint_eq(history_stats(history).refused, 3);
    close_both();
}
END_TEST

START_TEST(history_catches_up_and_lets_rows_go)
{
    open_outbox();
    ck_assert_int_eq(outbox_commit(outbox, calls(1, 3000)), SQLITE_OK);
    outbox_free(outbox);
    open_both();
    ck_assert_int_eq(outbox_commit(outbox, calls(3001, 3100)), SQLITE_OK);
    catch_up();
    ck_answer("SELECT count(*) || max(uniqueid = '1763683071.3100') FROM call_events", "31001");
    /* Not before the history's own file is synced, a second later. */
    ck_assert_uint_eq(outbox_cursor_get(outbox, 0), 0);
    mono += 1000000;
    catch_up();
    ck_assert_uint_eq(outbox_cursor_get(outbox, 0), 3100);
    close_both();
    ck_assert_str_eq(ask(in_directory("out"), "SELECT count(*) FROM facts"), "0");
    ck_assert_str_eq(ask(in_directory("out"), "SELECT seq FROM cursors WHERE sink = 'history'"),
                     "3100");
}
END_TEST

static void catch_up_and_die(void)
{
    open_both();
    outbox_commit(outbox, calls(1, 1500));
    history_catch_up(history);
    outbox_commit(outbox, calls(1501, 2000));
}

START_TEST(kill_loses_and_doubles_nothing)
{
    in_killed_child(catch_up_and_die);
    open_both();
    catch_up();
    ck_assert_uint_eq(history_stats(history).rows, 500);
    ck_answer("SELECT count(*) || ' ' || count(DISTINCT uniqueid) FROM call_events", "2000 2000");
    close_both();
}
END_TEST

static void remove_outbox(void)
{
    unlink(in_directory("out"));
    unlink(in_directory("out-wal"));
    unlink(in_directory("out-shm"));
}

START_TEST(new_outbox_is_read_from_its_start)
{
    open_both();
    ck_assert_int_eq(outbox_commit(outbox, calls(1, 10)), SQLITE_OK);
    catch_up();
    close_both();
    remove_outbox();
    open_both();
    ck_assert_int_eq(outbox_commit(outbox, calls(6, 12)), SQLITE_OK);
    catch_up();
    ck_answer("SELECT count(*) FROM call_events", "12");
    close_both();
}
END_TEST

/* An outbox put back from a copy is behind the history's cursor: its next rows must not be missed.
 */
START_TEST(outbox_from_a_copy_is_read_again)
{
    open_both();
    ck_assert_int_eq(outbox_commit(outbox, calls(1, 10)), SQLITE_OK);
    catch_up();
    close_both();
    ask(in_directory("out"), "UPDATE sqlite_sequence SET seq = 2");
    open_both();
    ck_assert_int_eq(outbox_commit(outbox, calls(11, 13)), SQLITE_OK);
    catch_up();
    ck_answer("SELECT count(*) FROM call_events", "13");
    close_both();
}
END_TEST

static void commit_calls_11_to_30_and_die(void)
{
    open_both();
    must(outbox_commit(outbox, calls(11, 30)) == SQLITE_OK);
    _exit(1);
}

/* Nor when its numbers have passed that cursor before the history took any of them. */
START_TEST(outbox_from_a_copy_is_read_again_after_a_kill)
{
    open_both();
    ck_assert_int_eq(outbox_commit(outbox, calls(1, 10)), SQLITE_OK);
    catch_up();
    close_both();
    ask(in_directory("out"), "DELETE FROM facts");
    ask(in_directory("out"), "UPDATE sqlite_sequence SET seq = 2");
    in_killed_child(commit_calls_11_to_30_and_die);
    open_both();
    catch_up();
    ck_answer("SELECT count(*) FROM call_events", "30");
    close_both();
}
END_TEST

/* A row that republish hands on to Kafka, and that was deleted meanwhile. */
START_TEST(what_is_sent_again_does_not_come_back)
{
    _Static_assert(FACT_IS_AGAIN == 32, "as the statement has it");
    open_both();
    put_cdr("cdr/1", "1763683071.4");
    put_cdr("cdr/2", "1763683071.5");
    commit();
    ask(in_directory("out"), "UPDATE facts SET flags = 32 WHERE ce_id = 'cdr/2'");
    catch_up();
    ck_answer("SELECT group_concat(ce_id) FROM cdr", "cdr/1");
    close_both();
}
END_TEST

START_TEST(new_history_takes_what_is_left)
{
    open_outbox();
    int sink = outbox_add_sink(outbox, "other", NULL);
    ck_assert_int_eq(outbox_commit(outbox, calls(1, 10)), SQLITE_OK);
    outbox_cursor_set(outbox, sink, 10);
    outbox_free(outbox);
    open_both();
    catch_up();
    ck_assert_int_eq(outbox_commit(outbox, calls(11, 11)), SQLITE_OK);
    catch_up();
    ck_answer("SELECT count(*) FROM call_events", "1");
    close_both();
}
END_TEST

static void ck_refused(const char *path, const char *reason)
{
    open_outbox();
    history =
        history_open(&(struct history_options){.path = path, .outbox = outbox, .clock = &by_hand},
                     error, sizeof(error));
    ck_assert_ptr_null(history);
    ck_assert_msg(strstr(error, reason) && slice_starts(slice_from(error), slice_from(path)), "%s",
                  error);
    outbox_free(outbox);
}

START_TEST(wrong_files_are_refused)
{
    open_both();
    close_both();
    char path[400], version[64];
    snprintf(path, sizeof(path), "%s", in_directory("db"));
    ask(path, "PRAGMA user_version = 999");
    ck_refused(path, "made by a newer amitap (version 999, this one knows ");
    snprintf(path, sizeof(path), "%s", in_directory("out2"));
    struct outbox_options options = {.path = path};
    outbox_free(outbox_open(&options, error, sizeof(error)));
    ck_refused(path, "is an SQLite file, but no history of amitap's");
    snprintf(path, sizeof(path), "%s", in_directory("db"));
    snprintf(version, sizeof(version), "PRAGMA user_version = %d", history_schema.version);
    ask(path, version);
    ask(path, "DROP TABLE cdr");
    ck_refused(path, "has no table cdr");
}
END_TEST

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(failing_disk_loses_nothing)
{
    signal(SIGXFSZ, SIG_IGN);
    open_both();
    ck_assert_int_eq(outbox_commit(outbox, calls(1, 400)), SQLITE_OK);
    limit_files(16384);
    ck_assert_int_ne(history_catch_up(history), SQLITE_OK);
    ck_assert_int_ne(history_catch_up(history), SQLITE_OK);
    ck_assert_uint_eq(history_stats(history).failures, 2);
    limit_files(RLIM_INFINITY);
    catch_up();
    ck_answer("SELECT count(*) FROM call_events", "400");
    close_both();
}
END_TEST

static int64_t a_second_later(void *ctx)
{
    return *(int64_t *)ctx += 1000000;
}

/* The end does not wait for a long backlog, and neither does a row that is to be buried; the rest
 * is copied after the next start. */
START_TEST(a_long_backlog_keeps_nobody_from_stopping)
{
    static const struct clock slow = {fixed, a_second_later, &mono};
    open_outbox();
    for (unsigned n = 1; n <= 40000; n += 4000)
        ck_assert_int_eq(outbox_commit(outbox, calls(n, n + 3999)), SQLITE_OK);
    history = history_open(
        &(struct history_options){.path = in_directory("db"), .outbox = outbox, .clock = &slow},
        error, sizeof(error));
    must(history != NULL);
    ck_assert(!history_bury(history, "kafka", 1, "too large"));
    ck_assert_int_eq(history_start(history), 0);
    close_both();
    long copied = ask_long(in_directory("db"), "SELECT count(*) FROM call_events");
    ck_assert_int_gt(copied, 0);
    ck_assert_int_lt(copied, 40000);
    ck_answer("SELECT count(*) FROM dead_letters WHERE sink = 'kafka'", "1");
    open_both();
    catch_up();
    close_both();
    ck_answer("SELECT count(*) || ' ' || count(DISTINCT uniqueid) FROM call_events", "40000 40000");
}
END_TEST

/* The threads as the daemon runs them. */
START_TEST(threads_carry_everything)
{
    struct clock clock = clock_system();
    struct ring *ring = ring_new((size_t)8 << 20);
    open_outbox();
    history = history_open(
        &(struct history_options){.path = in_directory("db"), .outbox = outbox, .clock = &clock},
        error, sizeof(error));
    ck_assert_int_eq(history_start(history), 0);
    struct writer *writer = writer_start(outbox, ring, &clock);
    for (unsigned n = 1; n <= 4000; n += 10) {
        ck_assert(ring_push(ring, calls(n, n + 9)));
        if (n % 1000 == 1)
            usleep(60000);
    }
    ring_close(ring);
    ck_assert_int_eq(writer_stop(writer), 0);
    close_both();
    ring_free(ring);
    ck_answer("SELECT count(*) || ' ' || count(DISTINCT uniqueid) FROM call_events", "4000 4000");
    ck_assert_str_eq(ask(in_directory("out"), "SELECT count(*) FROM facts"), "0");
}
END_TEST

START_TEST(a_last_sync_that_fails_is_tried_again)
{
    open_both();
    put_cdr("cdr/1", "1763683071.4");
    commit();
    ck_assert_int_eq(history_start(history), 0);
    while (strcmp(ask(in_directory("db"), "SELECT count(*) FROM cdr"), "1") != 0)
        usleep(1000);
    failing_syncs = 2;
    history_stop(history);
    ck_assert_int_eq(failing_syncs, 0);
    ck_assert_uint_eq(outbox_cursor_get(outbox, 0), 1);
    outbox_free(outbox);
}
END_TEST

/* Another sink's refusal is kept with its reason, by the thread, and asked for until it is. */
START_TEST(buries_for_another_sink)
{
    open_both();
    put_cdr("cdr/1", "1763683071.4");
    put_cdr("cdr/2", "1763683071.4");
    commit();
    ck_assert_int_eq(history_start(history), 0);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        for (int i = 0; i < 500 && !history_bury(history, "kafka", seq, "too large"); i++)
            usleep(10000);
    }
    ck_answer("SELECT group_concat(sink || ce_id || reason || (body ->> '$.kind')) FROM "
              "dead_letters",
              "kafkacdr/1too largecdr,kafkacdr/2too largecdr");
    close_both();
}
END_TEST

static void ck_not_opened(const char *reason)
{
    char wanted[600];
    snprintf(wanted, sizeof(wanted), "%s: %s", in_directory("out"), reason);
    open_outbox();
    history = history_open(
        &(struct history_options){.path = in_directory("db"), .outbox = outbox, .clock = &by_hand},
        error, sizeof(error));
    ck_assert_ptr_null(history);
    ck_assert_str_eq(error, wanted);
    outbox_free(outbox);
}

/* The line names the file that is at fault, and what SQLite says of it. */
START_TEST(an_outbox_that_does_not_take_the_sink_is_named)
{
    open_both();
    close_both();
    ask(in_directory("out"), "CREATE TRIGGER no BEFORE INSERT ON policies BEGIN SELECT "
                             "RAISE(ABORT, 'in use by another process'); END");
    ck_not_opened("in use by another process");
}
END_TEST

/* A row of another policy, as an import puts in for Kafka: the history must not have its texts. */
START_TEST(buries_what_the_history_must_not_see)
{
    open_both();
    put_cdr("cdr/1", "1763683071.4");
    commit();
    catch_up();
    outbox_cursor_set(outbox, 0, 0);
    ask(in_directory("out"), "INSERT INTO policies VALUES (9, 'drop')");
    ask(in_directory("out"), "UPDATE facts SET policy = 9");
    ck_assert_int_eq(history_start(history), 0);
    for (int i = 0; i < 500 && !history_bury(history, "kafka", 1, "too large"); i++)
        usleep(10000);
    ck_answer(
        "SELECT group_concat(sink || kind || pbx || reason || ce_id || coalesce(body, '-') || "
        "substr(ce_time, 1, 10)) FROM dead_letters",
        "kafkacdrmaintoo large-2025-11-20");
    close_both();
}
END_TEST

static const char *path_of_config(const char *text)
{
    const char *path = in_directory("conf");
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    return path;
}

/* Facts of 2025-11-20 under a clock of 100 days later. */
static int64_t later(void *ctx)
{
    (void)ctx;
    return 1763683071090059 + INT64_C(100) * 86400 * 1000000;
}

/* A history that keeps no call for so long, with 1200 of them. The configuration is to be freed. */
static struct config *open_with_old_calls(const char *retain_days)
{
    char text[256];
    static struct clock clock;
    clock = clock_system();
    clock.now = later;
    struct config_report *report = config_report_new();
    snprintf(text, sizeof(text),
             "pbx main {\nhost = a\nuser = a\nsecret = a\n}\nstore {\n"
             "retain_days = %s\nretain_days_of = { \"call_events=99\" }\n}\n",
             retain_days);
    struct config *config = config_load(path_of_config(text), report);
    config_report_free(report);
    ck_assert_ptr_nonnull(config);
    open_outbox();
    history =
        history_open(&(struct history_options){.path = in_directory("db"),
                                               .outbox = outbox,
                                               .clock = &clock,
                                               .section = config_section(config, CONFIG_STORE)},
                     error, sizeof(error));
    ck_assert_msg(history != NULL, "%s", error);
    ck_assert_int_eq(outbox_commit(outbox, calls(1, 1200)), SQLITE_OK);
    catch_up();
    ck_answer("SELECT count(*) FROM call_events", "1200");
    return config;
}

static void await_expired(void)
{
    ck_assert_int_eq(history_start(history), 0);
    for (int i = 0; i < 500 && history_stats(history).expired < 1200; i++)
        usleep(10000);
    ck_assert_uint_eq(history_stats(history).expired, 1200);
}

START_TEST(old_rows_are_deleted_in_slices)
{
    struct config *config = open_with_old_calls("101");
    await_expired();
    ck_answer("SELECT count(*) FROM call_events", "0");
    close_both();
    config_free(config);
}
END_TEST

static off_t wal_size(void)
{
    struct stat st;
    return stat(in_directory("db-wal"), &st) == 0 ? st.st_size : -1;
}

/* What was deleted stands in the WAL as long as a reader keeps it, and no longer. */
START_TEST(old_rows_go_from_the_wal_after_its_reader)
{
    sqlite3 *reader = NULL;
    struct config *config = open_with_old_calls("0");
    ck_assert_int_eq(sqlite3_open(in_directory("db"), &reader), SQLITE_OK);
    sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM call_events", NULL, NULL, NULL);
    await_expired();
    usleep(500000);
    ck_assert_int_gt(wal_size(), 0);
    ck_assert_int_eq(sqlite3_close(reader), SQLITE_OK);
    for (int i = 0; i < 500 && wal_size() > 0; i++)
        usleep(10000);
    ck_assert_int_eq(wal_size(), 0);
    close_both();
    config_free(config);
}
END_TEST

/* What is to be deleted is found by its time, and a row says under which policy it was written. */
START_TEST(every_table_has_time_and_policy)
{
    const char *table;
    open_both();
    for (size_t i = 0; (table = history_table(i)); i++) {
        char sql[512];
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) > 0 FROM pragma_index_list('%s') l, pragma_index_info(l.name) c "
                 "WHERE c.seqno = 0 AND c.name IN ('ce_time', 'stored')",
                 table);
        ck_assert_msg(strcmp(ask(in_directory("db"), sql), "1") == 0, "%s has no index", table);
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM pragma_table_info('%s') WHERE name = 'privacy'", table);
        ck_assert_msg(strcmp(ask(in_directory("db"), sql), "1") == 0, "%s has no privacy", table);
    }
    close_both();
}
END_TEST

START_TEST(rows_name_their_policy)
{
    struct mask mask = {.mode = MASK_DROP, .key = "key", .key_n = 3, .key_id = "p1"};
    struct privacy *policy = privacy_new(&mask);
    open_both();
    put_call(1);
    commit();
    catch_up();
    close_both();
    open_outbox();
    history = history_open(
        &(struct history_options){
            .path = in_directory("db"), .outbox = outbox, .clock = &by_hand, .policy = policy},
        error, sizeof(error));
    put_call(2);
    commit();
    catch_up();
    ck_answer("SELECT group_concat(coalesce(privacy, 'NULL'), ' ') FROM call_events ORDER BY ce_id",
              "NULL drop:0:p1:e493afa4");
    close_both();
    privacy_free(policy);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("history");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_test(tcase, record_becomes_a_row);
    tcase_add_test(tcase, kinds_go_where_their_table_is);
    tcase_add_test(tcase, columns_are_known);
    tcase_add_test(tcase, cdr_has_asterisks_columns);
    tcase_add_test(tcase, doubles_change_nothing);
    tcase_add_test(tcase, refused_records_are_kept_with_the_reason);
    tcase_add_test(tcase, history_catches_up_and_lets_rows_go);
    tcase_add_test(tcase, kill_loses_and_doubles_nothing);
    tcase_add_test(tcase, new_outbox_is_read_from_its_start);
    tcase_add_test(tcase, outbox_from_a_copy_is_read_again);
    tcase_add_test(tcase, outbox_from_a_copy_is_read_again_after_a_kill);
    tcase_add_test(tcase, what_is_sent_again_does_not_come_back);
    tcase_add_test(tcase, new_history_takes_what_is_left);
    tcase_add_test(tcase, wrong_files_are_refused);
    tcase_add_test(tcase, failing_disk_loses_nothing);
    tcase_add_test(tcase, a_long_backlog_keeps_nobody_from_stopping);
    tcase_add_test(tcase, threads_carry_everything);
    tcase_add_test(tcase, a_last_sync_that_fails_is_tried_again);
    tcase_add_test(tcase, buries_for_another_sink);
    tcase_add_test(tcase, an_outbox_that_does_not_take_the_sink_is_named);
    tcase_add_test(tcase, buries_what_the_history_must_not_see);
    tcase_add_test(tcase, old_rows_are_deleted_in_slices);
    tcase_add_test(tcase, old_rows_go_from_the_wal_after_its_reader);
    tcase_add_test(tcase, every_table_has_time_and_policy);
    tcase_add_test(tcase, rows_name_their_policy);
    return run_suite(tcase, "history");
}
