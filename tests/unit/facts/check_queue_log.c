/* SPDX-License-Identifier: MIT */
#include "collector/facts/queue_log.h"

#include "tests/unit/facts/facts_kit.h"

static struct buf text;
static struct emitter *emit;
static bool is_line;

static void sink(void *ctx, struct slice fact)
{
    (void)ctx;
    buf_clear(&text);
    is_line = queue_log_text(fact, &text);
    buf_put_char(&text, 0);
}

static void setup(void)
{
    text = buf_new(4096);
    emit = emitter_new(SLICE("main"), SLICE("tap-1"), sink, NULL);
    emit->now = 1763683071990059;
}

static void teardown(void)
{
    emitter_free(emit);
    buf_free(&text);
}

static const char *line_of(const struct queue_log_line *line)
{
    queue_log_emit(emit, line);
    ck_assert(is_line);
    return text.p;
}

START_TEST(line_is_as_asterisk_writes_it)
{
    char number[QUEUE_LOG_NUMBER_SIZE];
    struct queue_log_line line = {
        .event = "CONNECT",
        .uniqueid = SLICE("1.1"),
        .queue = SLICE("sales"),
        .agent = SLICE("Alice"),
        .args = {queue_log_number(4, number), SLICE("1.2"), SLICE("")},
        .count = 3,
    };
    ck_assert_str_eq(line_of(&line), "1763683071|1.1|sales|Alice|CONNECT|4|1.2|");
}
END_TEST

START_TEST(line_may_have_no_arguments_or_all)
{
    struct queue_log_line line = {.event = "AGENTDUMP",
                                  .uniqueid = SLICE("1.1"),
                                  .queue = SLICE("sales"),
                                  .agent = SLICE("Alice")};
    ck_assert_str_eq(line_of(&line), "1763683071|1.1|sales|Alice|AGENTDUMP");
    for (size_t i = 0; i < QUEUE_LOG_ARGS_MAX; i++)
        line.args[i] = SLICE("x");
    line.count = QUEUE_LOG_ARGS_MAX;
    ck_assert_str_eq(line_of(&line), "1763683071|1.1|sales|Alice|AGENTDUMP|x|x|x|x|x|x");
}
END_TEST

/* What would break the line apart. */
START_TEST(separators_are_replaced)
{
    struct queue_log_line line = {.event = "PAUSE",
                                  .uniqueid = SLICE("NONE"),
                                  .queue = SLICE("sa|les"),
                                  .agent = SLICE("Al\nice"),
                                  .args = {SLICE("a|b\r\nc")},
                                  .count = 1};
    ck_assert_str_eq(line_of(&line), "1763683071|NONE|sa_les|Al_ice|PAUSE|a_b__c");
}
END_TEST

START_TEST(other_facts_are_no_lines)
{
    struct emit_about about = {.kind = FACT_QUEUE, .subject = SLICE("1.1")};
    emit_begin(emit, &about);
    emit_end(emit);
    ck_assert(!is_line);
    ck_assert(!queue_log_text(SLICE("no fact"), &text));
    ck_assert(!queue_log_text((struct slice){NULL, 0}, &text));
}
END_TEST

START_TEST(numbers_are_whole)
{
    char number[QUEUE_LOG_NUMBER_SIZE];
    ck_slice(queue_log_number(0, number), "0");
    ck_slice(queue_log_number(-5, number), "-5");
    ck_slice(queue_log_number(INT64_MIN, number), "-9223372036854775808");
    ck_slice(queue_log_number(INT64_MAX, number), "9223372036854775807");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("queue_log");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, line_is_as_asterisk_writes_it);
    tcase_add_test(tcase, line_may_have_no_arguments_or_all);
    tcase_add_test(tcase, separators_are_replaced);
    tcase_add_test(tcase, other_facts_are_no_lines);
    tcase_add_test(tcase, numbers_are_whole);
    return kit_run("queue_log", tcase);
}
