/* SPDX-License-Identifier: MIT */
#include "collector/sinks/history_today.h"

#include "collector/sinks/history.h"
#include "tests/unit/outbox/store_fixture.h"
#include <inttypes.h>

#define MIDNIGHT INT64_C(1763683200000000)
#define SECOND   INT64_C(1000000)

static struct outbox *outbox;
static struct history *history;

static void setup(void)
{
    struct clock clock = clock_system();
    store_setup();
    struct outbox_options options = {.path = in_directory("out")};
    outbox = outbox_open(&options, error, sizeof(error));
    history = history_open(
        &(struct history_options){.path = in_directory("db"), .outbox = outbox, .clock = &clock},
        error, sizeof(error));
    ck_assert_msg(history != NULL, "%s", error);
}

static void teardown(void)
{
    history_stop(history);
    outbox_free(outbox);
    store_teardown();
}

static void put_visit(const char *queue, const char *outcome, int64_t time, int64_t waited)
{
    static unsigned n;
    char id[32];
    snprintf(id, sizeof(id), "queue/%u", n++);
    struct fact_head head = head_of(FACT_QUEUE, id, id);
    head.time = time;
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_QUEUE, slice_from(queue));
    fact_put_string(&builder, FIELD_UNIQUEID, slice_from(id));
    fact_put_string(&builder, FIELD_OUTCOME, slice_from(outcome));
    fact_put_seconds(&builder, FIELD_WAIT_SECONDS, waited);
    if (strcmp(queue, "own") == 0)
        fact_put_int(&builder, FIELD_SERVICE_LEVEL_SECONDS, 60);
    put_built();
}

static void put_whole_call(int64_t time, int64_t answer)
{
    static unsigned n;
    char id[32];
    snprintf(id, sizeof(id), "call/%u", n++);
    struct fact_head head = head_of(FACT_CALL, id, id);
    head.time = time;
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_LINKEDID, slice_from(id));
    fact_put_time(&builder, FIELD_ANSWER, answer);
    put_built();
}

static void put_row(int64_t time)
{
    static unsigned n;
    char id[32];
    snprintf(id, sizeof(id), "cdr/%u", n++);
    struct fact_head head = head_of(FACT_CDR, id, id);
    head.time = time;
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_UNIQUEID, slice_from(id));
    put_built();
}

static void print_count(void *ctx, const struct history_count *c)
{
    char *text = ctx;
    size_t n = strlen(text);
    snprintf(text + n, 1024 - n, "%.*s %.*s %.*s %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n",
             (int)c->pbx.n, c->pbx.p, (int)c->queue.n, c->queue.p, (int)c->outcome.n, c->outcome.p,
             c->count, c->wait_us, c->wait_us_max, c->within);
}

static const char *today(void)
{
    static char text[1024];
    struct history_today query = {in_directory("db"), MIDNIGHT, 20 * SECOND};
    text[0] = '\0';
    ck_assert_int_eq(outbox_commit(outbox, buf_slice(&batch)), SQLITE_OK);
    ck_assert_int_eq(history_catch_up(history), SQLITE_OK);
    ck_assert_msg(history_today(&query, print_count, text, error, sizeof(error)) == 0, "%s", error);
    return text;
}

START_TEST(nothing_yet)
{
    ck_assert_str_eq(today(), "");
}
END_TEST

START_TEST(visits_and_calls_since_midnight)
{
    put_visit("sales", "answered", MIDNIGHT - 1, SECOND);
    put_visit("sales", "answered", MIDNIGHT, 20 * SECOND);
    put_visit("sales", "answered", MIDNIGHT + 5, 20 * SECOND + 1);
    put_visit("sales", "abandoned", MIDNIGHT + 5, SECOND);
    put_visit("own", "answered", MIDNIGHT + 5, 50 * SECOND);
    put_whole_call(MIDNIGHT - 1, MIDNIGHT - 2);
    put_whole_call(MIDNIGHT + 1, MIDNIGHT - 2);
    put_whole_call(MIDNIGHT + 1, 0);
    put_whole_call(MIDNIGHT + 1, 0);
    put_row(MIDNIGHT - 1);
    put_row(MIDNIGHT);
    ck_assert_str_eq(today(), "main own answered 1 50000000 50000000 1\n"
                              "main sales abandoned 1 1000000 1000000 0\n"
                              "main sales answered 2 40000001 20000001 1\n"
                              "main  answered 1 0 0 0\n"
                              "main  unanswered 2 0 0 0\n"
                              "main  cdr 1 0 0 0\n");
}
END_TEST

START_TEST(no_file_is_an_error)
{
    struct history_today query = {in_directory("nowhere"), MIDNIGHT, 20 * SECOND};
    ck_assert_int_eq(history_today(&query, print_count, NULL, error, sizeof(error)), -1);
    ck_assert_ptr_nonnull(strstr(error, "nowhere: unable to open database file"));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("history_today");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_yet);
    tcase_add_test(tcase, visits_and_calls_since_midnight);
    tcase_add_test(tcase, no_file_is_an_error);
    return run_suite(tcase, "history_today");
}
