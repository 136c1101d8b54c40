/* SPDX-License-Identifier: MIT */
#include "collector/outbox/outbox.h"

#include "collector/outbox/outbox_guest.h"
#include "collector/outbox/outbox_reader.h"
#include "collector/outbox/outbox_schema.h"
#include "store_fixture.h"
#include <jansson.h>
#include <pthread.h>

static struct outbox *open_outbox(void)
{
    struct outbox_options options = {.path = in_directory("out")};
    struct outbox *o = outbox_open(&options, error, sizeof(error));
    must(o != NULL);
    return o;
}

/* How many rows the file has past a seq, checking that their seqs grow and their ids are those of
 * calls first, first + 1, ... */
static size_t count_rows(uint64_t after, unsigned first)
{
    struct outbox_reader *r = outbox_reader_new(in_directory("out"), NULL, error, sizeof(error));
    const struct outbox_chunk *chunk;
    size_t count = 0;
    ck_assert_msg(r != NULL, "%s", error);
    do {
        chunk = outbox_read(r, after);
        ck_assert_ptr_nonnull(chunk);
        for (size_t i = 0; i < chunk->count; i++) {
            char id[64];
            snprintf(id, sizeof(id), "call_started/1763683071.%u", first++);
            ck_assert_uint_gt(chunk->rows[i].seq, after);
            ck_assert(slice_is(chunk->rows[i].head.id, id));
            after = chunk->rows[i].seq;
        }
        count += chunk->count;
    } while (chunk->count > 0);
    outbox_reader_free(r);
    return count;
}

static void collect_state(void *ctx, struct slice entity, struct slice body)
{
    char *text = ctx;
    size_t n = strlen(text);
    snprintf(text + n, 1024 - n, "%.*s=%.*s;", (int)entity.n, entity.p, (int)body.n, body.p);
}

static const char *state_of(struct outbox *o, const char *pbx)
{
    static char text[1024];
    text[0] = '\0';
    ck_assert_int_eq(outbox_load_state(o, slice_from(pbx), collect_state, text), 0);
    return text;
}

START_TEST(facts_come_back_as_they_were)
{
    struct outbox *o = open_outbox();
    struct fact_head head = head_of(FACT_CALL_STATE, "1763683071.4", "id/1");
    buf_clear(&batch);
    head.flags = FACT_IS_INFERRED;
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_STATE, SLICE("ringing"));
    put_built();
    head.flags = FACT_IS_TOMBSTONE;
    head.key = (struct slice){0};
    fact_begin(&builder, &head);
    put_built();
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_OK);
    ck_assert_uint_eq(outbox_committed(o), 2);

    struct outbox_reader *r = outbox_reader_new(outbox_path(o), NULL, error, sizeof(error));
    const struct outbox_chunk *chunk = outbox_read(r, 0);
    ck_assert_uint_eq(chunk->count, 2);
    const struct outbox_row *row = &chunk->rows[0];
    ck_assert_uint_eq(row->seq, 1);
    ck_assert_int_eq(row->head.kind, FACT_CALL_STATE);
    ck_assert_uint_eq(row->head.flags, FACT_IS_INFERRED);
    ck_assert_int_eq(row->head.time, head.time);
    ck_assert_uint_eq(row->head.sequence, 7);
    ck_assert(slice_is(row->head.pbx, "main") && slice_is(row->head.subject, "1763683071.4"));
    ck_assert(slice_is(row->head.key, "1763683070.1") && slice_is(row->head.id, "id/1"));
    ck_assert(slice_starts(row->body, SLICE("{\"kind\":\"call_state\",\"id\":\"id/1\"")));
    ck_assert(slice_ends(row->body, SLICE("\"state\":\"ringing\",\"inferred\":true}")));
    ck_assert_ptr_null(chunk->rows[1].body.p);
    ck_assert_uint_eq(chunk->rows[1].head.key.n, 0);
    ck_assert_uint_eq(chunk->rows[1].head.flags, FACT_IS_TOMBSTONE);
    outbox_reader_free(r);
    outbox_free(o);
}
END_TEST

START_TEST(what_is_no_utf8_is_replaced_in_ids_as_in_bodies)
{
    struct outbox *o = open_outbox();
    struct fact_head head = head_of(FACT_CALL_STARTED, "a\xFFz", "\xC3\xBC\xC3");
    buf_clear(&batch);
    fact_begin(&builder, &head);
    put_built();
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_OK);
    const char *path = in_directory("out");
    ck_assert_str_eq(ask(path, "SELECT subject FROM facts"), "a\xEF\xBF\xBDz");
    ck_assert_str_eq(ask(path, "SELECT ce_id FROM facts"), "\xC3\xBC\xEF\xBF\xBD");
    ck_assert_str_eq(ask(path, "SELECT body ->> '$.subject' = subject AND body ->> '$.id' = ce_id "
                               "FROM facts"),
                     "1");
    outbox_free(o);
}
END_TEST

START_TEST(state_goes_with_its_facts)
{
    struct outbox *o = open_outbox();
    calls(1, 2);
    put_state("call/1", "{\"a\":1}");
    put_state("call/2", "{}");
    put_state("call/1", "{\"a\":2}");
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_OK);
    ck_assert_str_eq(state_of(o, "main"), "call/1={\"a\":2};call/2={};");
    ck_assert_str_eq(state_of(o, "other"), "");
    buf_clear(&batch);
    put_state("call/1", NULL);
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_OK);
    outbox_free(o);
    o = open_outbox();
    ck_assert_str_eq(state_of(o, "main"), "call/2={};");
    outbox_free(o);
}
END_TEST

START_TEST(what_is_no_fact_is_left_out_and_counted)
{
    struct outbox *o = open_outbox();
    calls(1, 1);
    struct batch_item item = {.kind = BATCH_FACT, .body = SLICE("no fact")};
    batch_put(&batch, &item);
    item.kind = BATCH_NOTE;
    batch_put(&batch, &item);
    put_call(2);
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_OK);
    ck_assert_uint_eq(outbox_stats(o).malformed, 1);
    ck_assert_uint_eq(outbox_stats(o).facts, 2);
    ck_assert_uint_eq(count_rows(0, 1), 2);
    outbox_free(o);
}
END_TEST

START_TEST(largest_fact_fits)
{
    static char big[256 * 1024];
    struct outbox *o = open_outbox();
    struct fact_head head = head_of(FACT_CALL_STARTED, "1", "2");
    size_t n = sizeof(big) - 256;
    memset(big, '\x01', sizeof(big));
    buf_clear(&batch);
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_CONTEXT, (struct slice){big, n});
    ck_assert_uint_gt(fact_finish(&builder).n, 0);
    put_built();
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_OK);
    ck_assert_uint_eq(outbox_stats(o).malformed, 0);
    struct outbox_reader *r = outbox_reader_new(outbox_path(o), NULL, error, sizeof(error));
    const struct outbox_chunk *chunk = outbox_read(r, 0);
    json_t *json = json_loadb(chunk->rows[0].body.p, chunk->rows[0].body.n, 0, NULL);
    ck_assert_uint_eq(json_string_length(json_object_get(json, "context")), n);
    json_decref(json);
    outbox_reader_free(r);
    outbox_free(o);
}
END_TEST

static void commit_and_die(void)
{
    struct outbox *o = open_outbox();
    calls(1, 1000);
    put_state("call/1", "{\"before\":true}");
    outbox_commit(o, buf_slice(&batch));
}

/* Dies with a transaction half written, as between rows_written and commit_returned. */
static void die_in_transaction(void)
{
    sqlite3 *db;
    sqlite3_open(in_directory("out"), &db);
    sqlite3_exec(db, "PRAGMA cache_size=10; BEGIN IMMEDIATE", NULL, NULL, NULL);
    sqlite3_exec(db,
                 "INSERT INTO facts SELECT seq + 1000, kind, flags, pbx, subject, key, ce_id, "
                 "ce_time, ce_sequence, body FROM facts",
                 NULL, NULL, NULL);
    sqlite3_exec(db, "DELETE FROM live_state", NULL, NULL, NULL);
}

START_TEST(what_was_committed_survives_a_kill)
{
    in_killed_child(commit_and_die);
    in_killed_child(die_in_transaction);
    struct outbox *o = open_outbox();
    ck_assert_uint_eq(outbox_committed(o), 1000);
    ck_assert_uint_eq(count_rows(0, 1), 1000);
    ck_assert_str_eq(state_of(o, "main"), "call/1={\"before\":true};");
    ck_assert_str_eq(ask(in_directory("out"), "PRAGMA integrity_check"), "ok");
    ck_assert_int_eq(outbox_commit(o, calls(1001, 1001)), SQLITE_OK);
    ck_assert_uint_eq(outbox_committed(o), 1001);
    ck_assert_uint_eq(count_rows(0, 1), 1001);
    outbox_free(o);
}
END_TEST

START_TEST(rows_stay_until_every_sink_has_passed)
{
    struct outbox *o = open_outbox();
    int slow = outbox_add_sink(o, "slow", NULL);
    int fast = outbox_add_sink(o, "fast", NULL);
    bool more;
    ck_assert_int_eq(outbox_commit(o, calls(1, 100)), SQLITE_OK);
    outbox_cursor_set(o, fast, 100);
    ck_assert_int_eq(outbox_tidy(o, &more), SQLITE_OK);
    ck_assert_uint_eq(count_rows(0, 1), 100);
    outbox_cursor_set(o, slow, 40);
    ck_assert_int_eq(outbox_tidy(o, &more), SQLITE_OK);
    ck_assert(!more);
    ck_assert_uint_eq(count_rows(0, 41), 60);
    ck_assert_uint_eq(outbox_stats(o).backlog, 60);
    outbox_free(o);

    o = open_outbox();
    ck_assert_uint_eq(outbox_stats(o).backlog, 60);
    ck_assert_uint_eq(outbox_cursor_get(o, outbox_add_sink(o, "slow", NULL)), 40);
    ck_assert_uint_eq(outbox_cursor_get(o, outbox_add_sink(o, "fast", NULL)), 100);
    ck_assert_uint_eq(outbox_cursor_get(o, outbox_add_sink(o, "new", NULL)), 0);
    outbox_free(o);
}
END_TEST

/* Another process puts call n in, by way of a file of its own. */
static void put_as_guest(unsigned n)
{
    struct sqlite_file own;
    struct outbox_row row = {.kind_name = SLICE("call_started"), .body = SLICE("{}")};
    char id[64];
    snprintf(id, sizeof(id), "call_started/1763683071.%u", n);
    row.head = head_of(FACT_CALL_STARTED, "1763683071.4", id);
    must(sqlite_file_open(&own, in_directory("own"), &outbox_schema, error, sizeof(error)) == 0);
    must(outbox_guest_attach(&own, in_directory("out"), error, sizeof(error)) == 0);
    sqlite3_stmt *put = outbox_guest_prepare(&own, "clear");
    ck_assert_int_eq(outbox_guest_put(put, &row), SQLITE_OK);
    sqlite3_finalize(put);
    sqlite_file_close(&own);
}

START_TEST(rows_of_another_process_go_to_the_sinks)
{
    struct outbox *o = open_outbox();
    int sink = outbox_add_sink(o, "history", NULL);
    bool more;
    ck_assert_int_eq(outbox_commit(o, calls(1, 2)), SQLITE_OK);
    put_as_guest(3);
    ck_assert_uint_eq(outbox_committed(o), 2);
    ck_assert_int_eq(outbox_tidy(o, &more), SQLITE_OK);
    ck_assert_uint_eq(outbox_committed(o), 3);
    put_as_guest(4);
    ck_assert_uint_eq(count_rows(0, 1), 4);
    /* A sink that has read it before anybody noticed. */
    outbox_cursor_set(o, sink, 4);
    ck_assert_uint_eq(outbox_committed(o), 4);
    ck_assert_int_eq(outbox_commit(o, calls(5, 5)), SQLITE_OK);
    ck_assert_uint_eq(outbox_committed(o), 5);
    ck_assert_uint_eq(count_rows(4, 5), 1);
    outbox_free(o);
}
END_TEST

START_TEST(no_guest_in_what_is_no_outbox)
{
    struct sqlite_file own;
    must(sqlite_file_open(&own, in_directory("own"), &outbox_schema, error, sizeof(error)) == 0);
    ck_assert_int_eq(outbox_guest_attach(&own, in_directory("none"), error, sizeof(error)), -1);
    ck_assert_ptr_nonnull(strstr(error, "none: "));
    sqlite_file_close(&own);
}
END_TEST

START_TEST(rows_are_deleted_in_slices)
{
    struct outbox *o = open_outbox();
    int sink = outbox_add_sink(o, "sink", NULL);
    bool more;
    ck_assert_int_eq(outbox_commit(o, calls(1, 10000)), SQLITE_OK);
    outbox_cursor_set(o, sink, 9000);
    ck_assert_int_eq(outbox_tidy(o, &more), SQLITE_OK);
    ck_assert(more);
    ck_assert_uint_eq(count_rows(0, 4097), 10000 - 4096);
    /* A slice goes with a commit, too. */
    ck_assert_int_eq(outbox_commit(o, calls(10001, 10001)), SQLITE_OK);
    ck_assert_uint_eq(count_rows(0, 8193), 10001 - 8192);
    outbox_free(o);
    o = open_outbox();
    ck_assert_uint_eq(count_rows(0, 9001), 1001);
    outbox_free(o);
}
END_TEST

START_TEST(no_seq_is_given_twice)
{
    struct outbox *o = open_outbox();
    int sink = outbox_add_sink(o, "sink", NULL);
    ck_assert_int_eq(outbox_commit(o, calls(1, 10)), SQLITE_OK);
    outbox_cursor_set(o, sink, 10);
    outbox_free(o);
    o = open_outbox();
    ck_assert_uint_eq(outbox_committed(o), 10);
    ck_assert_uint_eq(count_rows(0, 1), 0);
    ck_assert_int_eq(outbox_commit(o, calls(11, 11)), SQLITE_OK);
    ck_assert_uint_eq(outbox_committed(o), 11);
    outbox_free(o);
}
END_TEST

START_TEST(full_file_changes_nothing_and_recovers)
{
    struct outbox_options options = {.path = in_directory("out"), .pages_max = 100};
    struct outbox *o = outbox_open(&options, error, sizeof(error));
    int sink = outbox_add_sink(o, "sink", NULL);
    unsigned next = 1;
    put_state("call/1", "{}");
    while (outbox_commit(o, calls(next, next + 99)) == SQLITE_OK)
        next += 100;
    ck_assert_uint_gt(next, 200);
    ck_assert_uint_eq(outbox_stats(o).failures, 1);
    ck_assert_uint_eq(outbox_committed(o), next - 1);
    ck_assert_uint_eq(count_rows(0, 1), next - 1);
    calls(next, next + 99);
    put_state("call/1", NULL);
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_FULL);
    ck_assert_int_eq(outbox_commit(o, buf_slice(&batch)), SQLITE_FULL);
    ck_assert_uint_eq(count_rows(0, 1), next - 1);
    outbox_cursor_set(o, sink, 150);
    ck_assert_int_eq(outbox_commit(o, calls(next, next + 99)), SQLITE_OK);
    ck_assert_uint_eq(count_rows(0, 151), next + 99 - 150);
    outbox_free(o);
}
END_TEST

START_TEST(name_tells_outboxes_apart)
{
    struct outbox *o = open_outbox();
    char first[64];
    snprintf(first, sizeof(first), "%s", outbox_name(o));
    ck_assert_uint_eq(strlen(first), 32);
    outbox_free(o);
    o = open_outbox();
    ck_assert_str_eq(outbox_name(o), first);
    outbox_free(o);
    unlink(in_directory("out"));
    o = open_outbox();
    ck_assert_str_ne(outbox_name(o), first);
    outbox_free(o);
}
END_TEST

static void *commit_later(void *o)
{
    usleep(20000);
    outbox_commit(o, buf_slice(&batch));
    return NULL;
}

START_TEST(waiting_ends_by_commit_wake_and_time)
{
    struct outbox *o = open_outbox();
    int sink = outbox_add_sink(o, "sink", NULL);
    pthread_t thread;
    calls(1, 3);
    ck_assert_uint_eq(outbox_wait(o, sink, 0, 10), 0);
    pthread_create(&thread, NULL, commit_later, o);
    ck_assert_uint_eq(outbox_wait(o, sink, 0, 10000), 3);
    pthread_join(thread, NULL);
    /* A wake before the wait is not lost. */
    outbox_wake(o, sink);
    ck_assert_uint_eq(outbox_wait(o, sink, 3, 10000), 3);
    outbox_close(o);
    ck_assert_uint_eq(outbox_wait(o, sink, 3, 10000), 3);
    ck_assert(outbox_closed(o));
    outbox_free(o);
}
END_TEST

/* A sink that began at 0 would get everything again. */
START_TEST(a_cursor_that_cannot_be_read_is_an_error)
{
    struct outbox *o = open_outbox();
    ask(outbox_path(o), "ALTER TABLE cursors RENAME TO lost");
    ck_assert_int_eq(outbox_add_sink(o, "sink", NULL), -1);
    ck_assert_ptr_nonnull(strstr(outbox_error(o), "out: no such table: cursors"));
    ask(outbox_path(o), "ALTER TABLE lost RENAME TO cursors");
    ck_assert_int_eq(outbox_add_sink(o, "sink", NULL), 0);
    outbox_free(o);
}
END_TEST

START_TEST(sinks_are_bounded)
{
    struct outbox *o = open_outbox();
    for (int i = 0; i < OUTBOX_SINKS_MAX; i++)
        ck_assert_int_eq(outbox_add_sink(o, "sink", NULL), i);
    ck_assert_int_eq(outbox_add_sink(o, "one more", NULL), -1);
    ck_assert_ptr_nonnull(strstr(outbox_error(o), "out: too many sinks"));
    outbox_free(o);
}
END_TEST

static struct privacy *policy_of(enum mask_mode mode)
{
    struct mask mask = {
        .mode = mode, .digits = 3, .extension_digits = 4, .key = "key", .key_n = 3, .key_id = "p1"};
    return privacy_new(&mask);
}

static struct slice one_number(const char *id)
{
    struct fact_head head = head_of(FACT_CALL_STARTED, "1763683071.1", id);
    head.key = SLICE("+4930901820");
    buf_clear(&batch);
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_CALLER_NUMBER, SLICE("+4930901820"));
    put_built();
    return buf_slice(&batch);
}

/* What one sink reads past a seq: the number of its first row as it sees it, "-" for no row. */
static const char *seen_by(struct outbox *o, const char *sink, uint64_t after)
{
    static char seen[128];
    struct outbox_reader *r = outbox_reader_new(outbox_path(o), sink, error, sizeof(error));
    const struct outbox_chunk *chunk = outbox_read(r, after);
    struct slice body = chunk && chunk->count ? chunk->rows[0].body : (struct slice){0};
    const char *at = body.n ? memmem(body.p, body.n, "caller_number\":", 15) : NULL;
    snprintf(seen, sizeof(seen), "%.*s", at ? (int)strcspn(at + 15, ",}") : 1, at ? at + 15 : "-");
    outbox_reader_free(r);
    return seen;
}

/* Each differing policy has a rendering of its own, and in no other form does the number stand in
 * the file. */
START_TEST(rendered_once_for_each_policy)
{
    struct outbox *o = open_outbox();
    struct privacy *digits = policy_of(MASK_DIGITS), *drop = policy_of(MASK_DROP);
    outbox_add_sink(o, "history", digits);
    outbox_add_sink(o, "kafka", drop);
    outbox_add_sink(o, "third", digits);
    ck_assert_int_eq(outbox_commit(o, one_number("a")), SQLITE_OK);
    ck_assert_str_eq(seen_by(o, "history", 0), "\"*****820\"");
    ck_assert_str_eq(seen_by(o, "third", 0), "\"*****820\"");
    ck_assert_str_eq(seen_by(o, "kafka", 0), "null");
    ck_assert_str_eq(ask(outbox_path(o), "SELECT count(*) FROM renderings"), "1");
    ck_assert_str_eq(ask(outbox_path(o), "SELECT count(*) FROM facts WHERE key LIKE '%4930901820%' "
                                         "OR body LIKE '%4930901820%'"),
                     "0");
    ck_assert_str_eq(
        ask(outbox_path(o), "SELECT count(*) FROM facts f, renderings r WHERE f.key = r.key"), "1");
    for (int sink = 0; sink < 3; sink++)
        outbox_cursor_set(o, sink, outbox_committed(o));
    bool more;
    ck_assert_int_eq(outbox_tidy(o, &more), SQLITE_OK);
    ck_assert_str_eq(ask(outbox_path(o), "SELECT count(*) FROM renderings"), "0");
    outbox_free(o);
    privacy_free(digits);
    privacy_free(drop);
}
END_TEST

START_TEST(clear_is_rendered_once)
{
    struct outbox *o = open_outbox();
    struct privacy *clear = policy_of(MASK_CLEAR);
    outbox_add_sink(o, "history", NULL);
    outbox_add_sink(o, "kafka", clear);
    ck_assert_int_eq(outbox_commit(o, one_number("a")), SQLITE_OK);
    ck_assert_str_eq(seen_by(o, "kafka", 0), "\"+4930901820\"");
    ck_assert_str_eq(ask(outbox_path(o), "SELECT count(*) FROM renderings"), "0");
    outbox_free(o);
    privacy_free(clear);
}
END_TEST

/* What waits keeps the rendering that it had when it was written, also over two restarts. */
START_TEST(a_changed_policy_holds_for_what_comes)
{
    struct privacy *drop = policy_of(MASK_DROP), *digits = policy_of(MASK_DIGITS);
    struct outbox *o = open_outbox();
    outbox_add_sink(o, "history", NULL);
    outbox_add_sink(o, "kafka", NULL);
    ck_assert_int_eq(outbox_commit(o, one_number("a")), SQLITE_OK);
    outbox_free(o);
    o = open_outbox();
    outbox_add_sink(o, "history", NULL);
    outbox_add_sink(o, "kafka", drop);
    ck_assert_int_eq(outbox_commit(o, one_number("b")), SQLITE_OK);
    outbox_free(o);
    o = open_outbox();
    outbox_add_sink(o, "history", NULL);
    outbox_add_sink(o, "kafka", digits);
    ck_assert_int_eq(outbox_commit(o, one_number("c")), SQLITE_OK);
    ck_assert_str_eq(seen_by(o, "kafka", 0), "\"+4930901820\"");
    ck_assert_str_eq(seen_by(o, "kafka", 1), "null");
    ck_assert_str_eq(seen_by(o, "kafka", 2), "\"*****820\"");
    ck_assert_str_eq(seen_by(o, "kafka", 3), "-");
    ck_assert_str_eq(seen_by(o, "history", 1), "\"+4930901820\"");
    outbox_free(o);
    privacy_free(drop);
    privacy_free(digits);
}
END_TEST

/* A sink that was not there when a row was written gets it only where it is rendered as its policy
 * says. */
START_TEST(nothing_reaches_a_sink_that_was_not_meant_for_it)
{
    struct privacy *drop = policy_of(MASK_DROP);
    struct outbox *o = open_outbox();
    outbox_add_sink(o, "history", NULL);
    outbox_add_sink(o, "kafka", drop);
    ck_assert_int_eq(outbox_commit(o, one_number("a")), SQLITE_OK);
    outbox_free(o);
    o = open_outbox();
    outbox_add_sink(o, "history", NULL);
    ck_assert_int_eq(outbox_commit(o, one_number("b")), SQLITE_OK);
    outbox_free(o);
    o = open_outbox();
    outbox_add_sink(o, "history", NULL);
    outbox_add_sink(o, "kafka", drop);
    outbox_add_sink(o, "clear", NULL);
    outbox_add_sink(o, "new", drop);
    ck_assert_str_eq(seen_by(o, "kafka", 0), "null");
    ck_assert_str_eq(seen_by(o, "kafka", 1), "-");
    ck_assert_str_eq(seen_by(o, "new", 0), "null");
    ck_assert_str_eq(seen_by(o, "new", 1), "-");
    ck_assert_str_eq(seen_by(o, "clear", 1), "\"+4930901820\"");
    outbox_free(o);
    privacy_free(drop);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("outbox");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_test(tcase, facts_come_back_as_they_were);
    tcase_add_test(tcase, what_is_no_utf8_is_replaced_in_ids_as_in_bodies);
    tcase_add_test(tcase, state_goes_with_its_facts);
    tcase_add_test(tcase, what_is_no_fact_is_left_out_and_counted);
    tcase_add_test(tcase, largest_fact_fits);
    tcase_add_test(tcase, what_was_committed_survives_a_kill);
    tcase_add_test(tcase, rows_stay_until_every_sink_has_passed);
    tcase_add_test(tcase, rows_of_another_process_go_to_the_sinks);
    tcase_add_test(tcase, no_guest_in_what_is_no_outbox);
    tcase_add_test(tcase, rows_are_deleted_in_slices);
    tcase_add_test(tcase, no_seq_is_given_twice);
    tcase_add_test(tcase, full_file_changes_nothing_and_recovers);
    tcase_add_test(tcase, name_tells_outboxes_apart);
    tcase_add_test(tcase, waiting_ends_by_commit_wake_and_time);
    tcase_add_test(tcase, a_cursor_that_cannot_be_read_is_an_error);
    tcase_add_test(tcase, sinks_are_bounded);
    tcase_add_test(tcase, rendered_once_for_each_policy);
    tcase_add_test(tcase, clear_is_rendered_once);
    tcase_add_test(tcase, a_changed_policy_holds_for_what_comes);
    tcase_add_test(tcase, nothing_reaches_a_sink_that_was_not_meant_for_it);
    return run_suite(tcase, "outbox");
}
