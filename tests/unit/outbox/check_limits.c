/* SPDX-License-Identifier: MIT */
#include "collector/outbox/limits.h"

#include "collector/outbox/outbox.h"
#include "collector/outbox/outbox_reader.h"
#include "store_fixture.h"

#define MIB ((uint64_t)1 << 20)
#define DAY (INT64_C(86400) * 1000000)

static struct outbox *outbox;
static int history, kafka;
static int64_t now, mono;
static unsigned put_count;
static const char *pbx;
static int64_t ahead; /* of the PBX's clock */

static int64_t shown(void *ctx)
{
    return *(int64_t *)ctx;
}

static int64_t fixed_now(void *ctx)
{
    (void)ctx;
    return now;
}

static void open_bounded(struct limits_bounds bounds)
{
    struct outbox_options options = {.path = in_directory("out")};
    bounds.clock = (struct clock){fixed_now, shown, &mono};
    outbox = outbox_open(&options, error, sizeof(error));
    must(outbox != NULL);
    history = outbox_add_sink(outbox, "history", NULL);
    kafka = outbox_add_sink(outbox, "kafka", NULL);
    must(outbox_limit(outbox, kafka, &bounds) == 0);
}

/* A fact whose time is its number, of one of seven keys. */
static void put(enum fact_kind kind, unsigned flags, size_t bytes)
{
    static char filler[2048];
    char id[32], key[16];
    unsigned n = ++put_count;
    snprintf(id, sizeof(id), "%08u", n);
    snprintf(key, sizeof(key), "%u", n % 7);
    struct fact_head head = head_of(kind, "1763683071.4", id);
    head.pbx = slice_from(pbx);
    head.flags = flags;
    head.key = slice_from(key);
    head.time = n + ahead;
    fact_begin(&builder, &head);
    memset(filler, 'x', sizeof(filler));
    if (bytes)
        fact_put_string(&builder, FIELD_CONTEXT, (struct slice){filler, bytes});
    put_built();
}

/* As many of each worth, mixed. */
static void put_mixed(unsigned rounds, size_t bytes)
{
    static const enum fact_kind kinds[] = {FACT_CDR, FACT_CALL_STATE, FACT_CALL, FACT_CALL_STARTED};
    for (unsigned i = 0; i < rounds * 4; i++)
        put(kinds[i % 4], 0, bytes);
}

static void commit(void)
{
    ck_assert_int_eq(outbox_commit(outbox, buf_slice(&batch)), SQLITE_OK);
    buf_clear(&batch);
}

/* What the writer does when nothing comes. Returns how many steps it took. */
static unsigned settle(void)
{
    unsigned steps = 0;
    bool more = true;
    for (; more && steps < 1000; steps++)
        ck_assert_int_eq(outbox_tidy(outbox, &more), SQLITE_OK);
    ck_assert_uint_lt(steps, 1000);
    return steps;
}

static void pass_history(void)
{
    outbox_cursor_set(outbox, history, outbox_committed(outbox));
    settle();
}

static long rows_of(const char *where)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM facts WHERE %s", where);
    return ask_long(in_directory("out"), sql);
}

static void ck_given_up(uint64_t live, uint64_t event, uint64_t log, uint64_t cdr)
{
    struct given_up gone = {0};
    ck_assert(outbox_take_given_up(outbox, &gone));
    ck_assert_uint_eq(gone.rows[FACT_WORTH_LIVE], live);
    ck_assert_uint_eq(gone.rows[FACT_WORTH_EVENT], event);
    ck_assert_uint_eq(gone.rows[FACT_WORTH_LOG], log);
    ck_assert_uint_eq(gone.rows[FACT_WORTH_CDR], cdr);
    ck_assert(!outbox_take_given_up(outbox, &gone));
}

START_TEST(live_states_go_first_and_cdrs_last)
{
    open_bounded((struct limits_bounds){.rows = 1600});
    put_mixed(500, 0);
    commit();
    settle();
    ck_assert_int_eq(rows_of("1"), 2000);
    /* Only what the history has may go. */
    pass_history();
    ck_assert_int_eq(rows_of("kind = 'call_state'"), 0);
    ck_assert_int_eq(rows_of("1"), 1500);
    ck_given_up(500, 0, 0, 0);
    put_mixed(100, 0);
    commit();
    pass_history();
    ck_assert_int_eq(rows_of("1"), 1500);
    ck_given_up(100, 300, 0, 0);
    ck_assert_int_eq(ask_long(in_directory("out"), "SELECT min(seq) FROM facts WHERE kind = "
                                                   "'call_started'"),
                     301 * 4);
    put_mixed(1000, 0);
    commit();
    pass_history();
    ck_given_up(1000, 1300, 1600, 100);
    ck_assert_int_eq(rows_of("kind = 'cdr'"), 1500);
    outbox_free(outbox);
}
END_TEST

/* The history has not seen the newest states, but will; nothing else goes in their place. */
START_TEST(what_may_go_soon_goes_instead)
{
    struct given_up gone;
    open_bounded((struct limits_bounds){.rows = 160});
    for (unsigned i = 0; i < 100; i++)
        put(FACT_CDR, 0, 0);
    commit();
    pass_history();
    for (unsigned i = 0; i < 100; i++)
        put(FACT_CALL_STATE, 0, 0);
    commit();
    settle();
    ck_assert_int_eq(rows_of("1"), 200);
    pass_history();
    ck_assert_int_eq(rows_of("kind = 'cdr'"), 100);
    ck_given_up(50, 0, 0, 0);
    /* They are too few: the others go as far as they do not suffice. */
    for (unsigned i = 0; i < 80; i++)
        put(FACT_CALL, 0, 0);
    commit();
    pass_history();
    ck_given_up(50, 0, 30, 0);
    for (unsigned i = 0; i < 20; i++)
        put(FACT_CALL_STATE, 0, 0);
    for (unsigned i = 0; i < 30; i++)
        put(FACT_CDR, 0, 0);
    commit();
    settle();
    ck_assert_int_eq(rows_of("kind = 'call'"), 20);
    ck_assert(!outbox_take_given_up(outbox, &gone));
    pass_history();
    ck_given_up(20, 0, 30, 0);
    outbox_free(outbox);
}
END_TEST

START_TEST(what_is_left_is_read_in_order)
{
    open_bounded((struct limits_bounds){.rows = 2000});
    for (int i = 0; i < 10; i++) {
        put_mixed(100, 0);
        commit();
        pass_history();
    }
    char last[7][32] = {""};
    uint64_t after = 0, rows = 0;
    struct outbox_reader *r = outbox_reader_new(outbox_path(outbox), "kafka", error, sizeof(error));
    const struct outbox_chunk *chunk;
    while ((chunk = outbox_read(r, after)) && chunk->count > 0) {
        for (size_t i = 0; i < chunk->count; i++, rows++) {
            const struct outbox_row *row = &chunk->rows[i];
            char *newest = last[row->head.key.p[0] - '0'];
            char id[32];
            snprintf(id, sizeof(id), "%.*s", (int)row->head.id.n, row->head.id.p);
            ck_assert_int_lt(strcmp(newest, id), 0);
            memcpy(newest, id, sizeof(id));
            after = row->seq;
        }
    }
    outbox_reader_free(r);
    ck_assert_uint_eq(rows, outbox_waiting(outbox, kafka));
    ck_assert_uint_eq(rows, (uint64_t)rows_of("1"));
    outbox_free(outbox);
}
END_TEST

static void put_gap(int64_t from, int64_t to)
{
    struct fact_head head = head_of(FACT_GAP, pbx, "gap");
    head.pbx = slice_from(pbx);
    fact_begin(&builder, &head);
    fact_put_time(&builder, FIELD_FROM, from);
    fact_put_time(&builder, FIELD_TO, to);
    fact_put_string(&builder, FIELD_REASON, SLICE("kafka_backlog"));
    put_built();
}

/* Nothing is untold where first is 0. */
static void ck_untold(const char *of, int64_t first, int64_t last)
{
    struct untold_span span = {0};
    ck_assert_int_eq(outbox_untold(outbox, of, &span), first != 0);
    ck_assert_int_eq(span.first, first);
    ck_assert_int_eq(span.last, last);
}

static void give_up_states_of_two(void)
{
    open_bounded((struct limits_bounds){.rows = 160});
    put_mixed(25, 0);
    pbx = "east";
    put_mixed(25, 0);
    commit();
    pass_history();
}

START_TEST(times_of_what_went_are_told)
{
    give_up_states_of_two();
    ck_untold("main", 2, 4 * 24 + 2);
    ck_untold("east", 102, 4 * 49 + 2);
    ck_untold("west", 0, 0);
    put_gap(102, 198);
    commit();
    ck_untold("east", 0, 0);
    ck_untold("main", 2, 4 * 24 + 2);
    outbox_free(outbox);
}
END_TEST

/* More goes while the gap is on its way. */
START_TEST(what_the_gap_does_not_tell_stays_untold)
{
    struct untold_span before, now_untold;
    give_up_states_of_two();
    ck_assert(outbox_untold(outbox, "east", &before));
    put_mixed(25, 0);
    commit();
    pass_history();
    ck_assert(outbox_untold(outbox, "east", &now_untold));
    ck_assert_int_ne(before.mark, now_untold.mark);
    put_gap(before.first, before.last);
    commit();
    ck_untold("east", before.last, 300);
    put_gap(before.last + 1, 300);
    commit();
    ck_untold("east", before.last, 300);
    outbox_free(outbox);
}
END_TEST

START_TEST(what_is_untold_outlives_a_kill)
{
    in_killed_child(give_up_states_of_two);
    open_bounded((struct limits_bounds){.rows = 160});
    ck_untold("main", 2, 4 * 24 + 2);
    ck_untold("east", 102, 4 * 49 + 2);
    pbx = "east";
    put_gap(102, 198);
    commit();
    outbox_free(outbox);
    open_bounded((struct limits_bounds){.rows = 160});
    ck_untold("main", 2, 4 * 24 + 2);
    ck_untold("east", 0, 0);
    outbox_free(outbox);
}
END_TEST

START_TEST(the_file_is_bounded)
{
    open_bounded((struct limits_bounds){.bytes = 4 * MIB});
    for (int i = 0; i < 12; i++) {
        put_mixed(100, 1000);
        commit();
        pass_history();
    }
    ck_assert_int_eq(rows_of("kind = 'call_state' AND seq <= 4400"), 0);
    ck_assert_int_eq(rows_of("kind = 'cdr'"), 1200);
    ck_assert_int_le(ask_long(in_directory("out"),
                              "SELECT (SELECT page_count FROM pragma_page_count) - (SELECT "
                              "freelist_count FROM pragma_freelist_count)"),
                     1024);
    ck_assert_int_gt(rows_of("kind = 'call'"), 600);
    outbox_free(outbox);
}
END_TEST

/* Imported and republished rows tell of a time long ago, but have not waited. */
START_TEST(what_is_too_old_goes_whatever_it_is)
{
    open_bounded((struct limits_bounds){.age_us = 7 * DAY});
    put_mixed(10, 0);
    put(FACT_CDR, FACT_IS_IMPORTED, 0);
    put(FACT_CDR, FACT_IS_AGAIN, 0);
    now = 7 * DAY + 21;
    commit();
    pass_history();
    ck_given_up(5, 5, 5, 5);
    ck_assert_int_eq(rows_of("1"), 22);
    /* Looked at once a minute. */
    now += DAY;
    settle();
    ck_assert_int_eq(rows_of("1"), 22);
    mono += 60000000;
    settle();
    ck_given_up(5, 5, 5, 5);
    ck_assert_int_eq(rows_of("1"), 2);
    outbox_free(outbox);
}
END_TEST

/* Rows of two PBXes by turns, the clock of one a day ahead. */
static void put_two(unsigned rows)
{
    for (unsigned i = 0; i < rows; i++) {
        pbx = i % 2 ? "east" : "main";
        ahead = i % 2 ? DAY : 0;
        put(FACT_CDR, 0, 0);
    }
    commit();
}

static void look_after(int64_t us)
{
    now += us;
    mono += 60000000;
    settle();
}

START_TEST(a_clock_that_is_ahead_keeps_no_other_row)
{
    open_bounded((struct limits_bounds){.age_us = 7 * DAY});
    put_two(10000);
    pass_history();
    look_after(7 * DAY + 9000);
    ck_assert_int_eq(rows_of("pbx = 'main'"), 500);
    ck_assert_int_eq(rows_of("pbx = 'east'"), 5000);
    look_after(1001);
    ck_assert_int_eq(rows_of("pbx = 'main'"), 0);
    /* The others go when it is their turn, also behind where the last look ended. */
    look_after(DAY - 10001 + 6001);
    ck_assert_int_eq(rows_of("pbx = 'east'"), 2000);
    outbox_free(outbox);
}
END_TEST

/* A gap that tells what was given up is as old as that: it would be given up, and told, each
 * minute.
 */
START_TEST(gaps_are_never_too_old)
{
    static const enum fact_kind kinds[] = {FACT_GAP, FACT_TAP_CONNECTED, FACT_TAP_DISCONNECTED,
                                           FACT_DRIFT};
    open_bounded((struct limits_bounds){.age_us = 7 * DAY});
    for (unsigned i = 0; i < 4; i++)
        put(kinds[i], FACT_IS_TAP, 0);
    now = 8 * DAY;
    commit();
    pass_history();
    ck_given_up(0, 0, 0, 1);
    ck_assert_int_eq(rows_of("kind <> 'drift'"), 3);
    outbox_free(outbox);
}
END_TEST

START_TEST(what_the_sink_has_taken_stays)
{
    open_bounded((struct limits_bounds){.rows = 160});
    put_mixed(50, 0);
    commit();
    outbox_hold(outbox, kafka, 100);
    pass_history();
    ck_assert_int_eq(rows_of("seq <= 100"), 100);
    ck_given_up(25, 25, 0, 0);
    /* It gives them back: they may go like any other. */
    outbox_hold(outbox, kafka, 0);
    put_mixed(10, 0);
    commit();
    pass_history();
    ck_assert_int_eq(rows_of("kind = 'call_state'"), 0);
    ck_given_up(35, 5, 0, 0);
    outbox_free(outbox);
}
END_TEST

START_TEST(the_end_of_a_state_is_worth_a_log)
{
    open_bounded((struct limits_bounds){.rows = 160});
    for (unsigned i = 0; i < 100; i++) {
        put(FACT_CALL_STATE, FACT_IS_TOMBSTONE, 0);
        put(FACT_CALL_STATE, 0, 0);
    }
    commit();
    pass_history();
    ck_given_up(50, 0, 0, 0);
    ck_assert_int_eq(rows_of("body IS NULL"), 100);
    outbox_free(outbox);
}
END_TEST

START_TEST(the_other_rendering_goes_too)
{
    struct mask mask = {.mode = MASK_DROP};
    struct privacy *drop = privacy_new(&mask);
    struct outbox_options options = {.path = in_directory("out")};
    struct limits_bounds bounds = {.rows = 160};
    outbox = outbox_open(&options, error, sizeof(error));
    history = outbox_add_sink(outbox, "history", NULL);
    kafka = outbox_add_sink(outbox, "kafka", drop);
    must(outbox_limit(outbox, kafka, &bounds) == 0);
    put_mixed(50, 0);
    commit();
    pass_history();
    ck_assert_int_eq(rows_of("1"), 150);
    ck_assert_int_eq(rows_of("seq IN (SELECT seq FROM renderings)"), 150);
    ck_assert_int_eq(ask_long(in_directory("out"), "SELECT count(*) FROM renderings"), 150);
    outbox_free(outbox);
    privacy_free(drop);
}
END_TEST

/* New rows of the least worth come with every batch; those of the next worth go all the same. */
START_TEST(a_steady_stream_is_bounded)
{
    open_bounded((struct limits_bounds){.rows = 160});
    for (unsigned i = 0; i < 50; i++) {
        put(FACT_CALL_STATE, 0, 0);
        for (unsigned j = 0; j < 9; j++)
            put(FACT_CALL_STARTED, 0, 0);
        commit();
        outbox_cursor_set(outbox, history, outbox_committed(outbox));
        ck_assert_int_le(rows_of("1"), 170);
    }
    outbox_free(outbox);
}
END_TEST

/* Each step is one transaction, which the next batch waits for. */
START_TEST(steps_are_bounded)
{
    open_bounded((struct limits_bounds){.rows = 16000});
    put_mixed(5000, 0);
    commit();
    outbox_cursor_set(outbox, history, outbox_committed(outbox));
    bool more;
    ck_assert_int_eq(outbox_tidy(outbox, &more), SQLITE_OK);
    ck_assert(more);
    ck_assert_int_eq(rows_of("1"), 20000 - 1024);
    struct given_up gone;
    ck_assert(!outbox_take_given_up(outbox, &gone));
    /* A step goes with a commit, too. */
    put_mixed(1, 0);
    commit();
    ck_assert_int_eq(rows_of("1"), 20004 - 2048);
    settle();
    /* The last state is to go once the history has it. */
    ck_assert_uint_eq(outbox_waiting(outbox, kafka), 15001);
    pass_history();
    ck_assert_uint_eq(outbox_waiting(outbox, kafka), 15000);
    outbox_free(outbox);
}
END_TEST

START_TEST(holes_at_the_end_do_not_wait)
{
    open_bounded((struct limits_bounds){.rows = 16});
    for (unsigned i = 0; i < 32; i++)
        put(FACT_CALL_STATE, 0, 0);
    commit();
    outbox_hold(outbox, kafka, 10);
    pass_history();
    ck_assert_int_eq(rows_of("1"), 15);
    outbox_cursor_set(outbox, kafka, 15 + 17);
    settle();
    ck_assert_uint_eq(outbox_waiting(outbox, kafka), 0);
    ck_assert_int_eq(rows_of("1"), 0);
    outbox_free(outbox);
}
END_TEST

static unsigned seed;

static unsigned any(unsigned n)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 16) % n;
}

/* However rows go, by cursors, limits or at a restart: those that are left are counted. */
START_TEST(rows_are_counted)
{
    seed = (unsigned)_i + 1;
    unsigned first = seed;
    struct limits_bounds bounds = {.rows = 200};
    open_bounded(bounds);
    for (unsigned i = 0; i < 60; i++) {
        put_mixed(any(30), 0);
        commit();
        uint64_t committed = outbox_committed(outbox);
        uint64_t cursor = outbox_cursor_get(outbox, kafka);
        outbox_cursor_set(outbox, history, committed);
        if (any(3) == 0)
            outbox_cursor_set(outbox, kafka, cursor + any((unsigned)(committed - cursor) + 1));
        settle();
        if (any(8) == 0) {
            outbox_free(outbox);
            open_bounded(bounds);
        }
        long rows = rows_of("1");
        ck_assert_msg(outbox_stats(outbox).backlog == (uint64_t)rows && rows <= 200,
                      "seed %u, step %u: %ld rows, %lu counted", first, i, rows,
                      (unsigned long)outbox_stats(outbox).backlog);
    }
    outbox_free(outbox);
}
END_TEST

static void setup(void)
{
    store_setup();
    now = mono = 0;
    put_count = 0;
    pbx = "main";
    ahead = 0;
}

int main(void)
{
    TCase *tcase = tcase_create("limits");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, store_teardown);
    tcase_add_test(tcase, live_states_go_first_and_cdrs_last);
    tcase_add_test(tcase, what_may_go_soon_goes_instead);
    tcase_add_test(tcase, what_is_left_is_read_in_order);
    tcase_add_test(tcase, times_of_what_went_are_told);
    tcase_add_test(tcase, what_the_gap_does_not_tell_stays_untold);
    tcase_add_test(tcase, what_is_untold_outlives_a_kill);
    tcase_add_test(tcase, the_file_is_bounded);
    tcase_add_test(tcase, what_is_too_old_goes_whatever_it_is);
    tcase_add_test(tcase, a_clock_that_is_ahead_keeps_no_other_row);
    tcase_add_test(tcase, gaps_are_never_too_old);
    tcase_add_test(tcase, what_the_sink_has_taken_stays);
    tcase_add_test(tcase, the_end_of_a_state_is_worth_a_log);
    tcase_add_test(tcase, the_other_rendering_goes_too);
    tcase_add_test(tcase, a_steady_stream_is_bounded);
    tcase_add_test(tcase, steps_are_bounded);
    tcase_add_test(tcase, holes_at_the_end_do_not_wait);
    tcase_add_loop_test(tcase, rows_are_counted, 0, 5);
    return run_suite(tcase, "limits");
}
