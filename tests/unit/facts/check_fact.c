/* SPDX-License-Identifier: MIT */
#include "collector/facts/fact.h"

#include <check.h>
#include <stdlib.h>

static struct fact_builder builder;
static struct buf text;

static void setup(void)
{
    builder = fact_builder_new();
    text = buf_new((size_t)1 << 22);
}

static void teardown(void)
{
    fact_builder_free(&builder);
    buf_free(&text);
}

static struct fact_head head_of(enum fact_kind kind)
{
    return (struct fact_head){
        .kind = kind,
        .time = 1763683071090059,
        .sequence = 7,
        .pbx = SLICE("main"),
        .subject = SLICE("1763683071.4"),
        .key = SLICE("1763683070.1"),
        .id = SLICE("cdr/1763683071.4/1763683071.090059/0"),
    };
}

static const char *json_of(struct slice bytes)
{
    struct json_out j = json_out_to(&text);
    buf_clear(&text);
    fact_json(bytes, &j);
    buf_put_char(&text, '\0');
    ck_assert(!text.failed);
    return text.p;
}

#define HEAD_JSON(kind)                                                                            \
    "{\"kind\":\"" kind "\",\"id\":\"cdr/1763683071.4/1763683071.090059/0\","                      \
    "\"subject\":\"1763683071.4\",\"time\":\"2025-11-20T23:57:51.090059Z\",\"pbx\":\"main\","      \
    "\"tenant\":null"

START_TEST(head_comes_back)
{
    struct fact_head in = head_of(FACT_CDR);
    in.flags = FACT_IS_QUIET;
    fact_begin(&builder, &in);
    fact_put_string(&builder, FIELD_SRC, SLICE("100"));
    struct fact_head out;
    ck_assert(fact_read_head(fact_finish(&builder), &out));
    ck_assert_int_eq(out.kind, FACT_CDR);
    ck_assert_uint_eq(out.flags, FACT_IS_QUIET);
    ck_assert_int_eq(out.time, in.time);
    ck_assert_uint_eq(out.sequence, 7);
    ck_assert(slice_equal(out.pbx, in.pbx) && slice_equal(out.subject, in.subject));
    ck_assert(slice_equal(out.key, in.key) && slice_equal(out.id, in.id));
}
END_TEST

START_TEST(json_keeps_order_and_types)
{
    struct fact_head head = head_of(FACT_CDR);
    head.cause = AMI_EVENT_HANGUP;
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_SRC, SLICE("100"));
    fact_put_string(&builder, FIELD_CLID, (struct slice){0});
    fact_put_known(&builder, FIELD_DST, (struct slice){0});
    fact_put_int(&builder, FIELD_POSITION, -3);
    fact_put_bool(&builder, FIELD_PAUSED, true);
    fact_put_seconds(&builder, FIELD_DURATION, 1500000);
    fact_put_time(&builder, FIELD_ANSWER, 0);
    fact_put_time(&builder, FIELD_START, 1763683071000001);
    ck_assert_str_eq(json_of(fact_finish(&builder)),
                     HEAD_JSON("cdr") ",\"cause_event\":\"Hangup\",\"src\":\"100\",\"clid\":\"\","
                                      "\"dst\":null,\"position\":-3,"
                                      "\"paused\":true,\"duration\":1.5,\"answer\":null,"
                                      "\"start\":\"2025-11-20T23:57:51.000001Z\"}");
}
END_TEST

START_TEST(json_nests)
{
    struct fact_head head = head_of(FACT_CALL_STATE);
    head.flags = FACT_IS_TAP | FACT_IS_INFERRED;
    fact_begin(&builder, &head);
    fact_open_array(&builder, FIELD_RINGING);
    fact_open_object(&builder, FIELD_RINGING);
    fact_put_string(&builder, FIELD_NUMBER, SLICE("7\"8"));
    fact_open_array(&builder, FIELD_ARGS);
    fact_put_string(&builder, FIELD_ARGS, SLICE("a"));
    fact_put_null(&builder, FIELD_ARGS);
    fact_close(&builder);
    fact_close(&builder);
    fact_open_object(&builder, FIELD_RINGING);
    fact_close(&builder);
    fact_close(&builder);
    fact_put_string(&builder, FIELD_STATE, SLICE("ringing"));
    ck_assert_str_eq(json_of(fact_finish(&builder)),
                     HEAD_JSON("call_state") ",\"ringing\":[{\"number\":\"7\\\"8\",\"args\":[\"a\","
                                             "null]},{}],\"state\":\"ringing\",\"tap\":true,"
                                             "\"inferred\":true}");
}
END_TEST

START_TEST(find_sees_the_top_level_only)
{
    struct fact_head head = head_of(FACT_CALL_STATE);
    struct slice s = SLICE("untouched");
    int64_t n = 42;
    fact_begin(&builder, &head);
    fact_open_object(&builder, FIELD_TALKING_WITH);
    fact_put_string(&builder, FIELD_NUMBER, SLICE("inner"));
    fact_close(&builder);
    fact_put_null(&builder, FIELD_QUEUE);
    fact_put_string(&builder, FIELD_NUMBER, SLICE("outer"));
    fact_put_seconds(&builder, FIELD_DURATION, 12);
    struct slice bytes = fact_finish(&builder);
    ck_assert(!fact_find(bytes, FIELD_QUEUE, &s, &n));
    ck_assert(!fact_find(bytes, FIELD_TALKING_WITH, &s, &n));
    ck_assert(!fact_find(bytes, FIELD_AGENT, &s, &n));
    ck_assert(slice_is(s, "untouched") && n == 42);
    ck_assert(fact_find(bytes, FIELD_NUMBER, &s, NULL) && slice_is(s, "outer"));
    ck_assert(fact_find(bytes, FIELD_DURATION, NULL, &n) && n == 12);
    ck_assert(fact_find(bytes, FIELD_NUMBER, NULL, NULL));
}
END_TEST

START_TEST(elements_are_found_by_index)
{
    struct fact_head head = head_of(FACT_QUEUE_LOG);
    struct slice s = SLICE("untouched");
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_QUEUE, SLICE("sales"));
    fact_open_array(&builder, FIELD_WAITING);
    fact_put_string(&builder, FIELD_ARGS, SLICE("of another array"));
    fact_close(&builder);
    fact_open_array(&builder, FIELD_ARGS);
    fact_put_string(&builder, FIELD_ARGS, SLICE("a"));
    fact_put_string(&builder, FIELD_ARGS, SLICE(""));
    fact_open_object(&builder, FIELD_ARGS);
    fact_put_string(&builder, FIELD_ARGS, SLICE("deeper"));
    fact_close(&builder);
    fact_put_string(&builder, FIELD_ARGS, SLICE("c"));
    fact_close(&builder);
    fact_put_string(&builder, FIELD_ARGS, SLICE("behind"));
    struct slice bytes = fact_finish(&builder);
    ck_assert(fact_find_element(bytes, FIELD_ARGS, 0, &s) && slice_is(s, "a"));
    ck_assert(fact_find_element(bytes, FIELD_ARGS, 1, &s) && slice_is(s, ""));
    ck_assert(fact_find_element(bytes, FIELD_ARGS, 2, &s) && slice_is(s, "c"));
    s = SLICE("untouched");
    ck_assert(!fact_find_element(bytes, FIELD_ARGS, 3, &s));
    ck_assert(!fact_find_element(bytes, FIELD_QUEUE, 0, &s));
    ck_assert(!fact_find_element(bytes, FIELD_RINGING, 0, &s));
    ck_assert(!fact_find_element(slice_head(bytes, 20), FIELD_ARGS, 0, &s));
    ck_assert(slice_is(s, "untouched"));
}
END_TEST

/* At the bound a fact is whole, one byte past it there is none; the builder works on. */
START_TEST(bound_is_kept)
{
    static char big[256 * 1024];
    memset(big, 'x', sizeof(big));
    struct fact_head head = head_of(FACT_CDR);
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_USERFIELD, (struct slice){0});
    size_t room = sizeof(big) - fact_finish(&builder).n;
    for (size_t n = room - 1; n <= room + 1; n++) {
        fact_begin(&builder, &head);
        fact_put_string(&builder, FIELD_USERFIELD, (struct slice){big, n});
        ck_assert_uint_eq(fact_finish(&builder).n, n <= room ? sizeof(big) - room + n : 0);
    }
    fact_begin(&builder, &head);
    ck_assert_uint_gt(fact_finish(&builder).n, 0);
}
END_TEST

START_TEST(cut_bytes_are_no_fact)
{
    struct fact_head head = head_of(FACT_CDR);
    fact_begin(&builder, &head);
    size_t whole = fact_finish(&builder).n;
    for (size_t n = 0; n < whole; n++) {
        char *copy = malloc(n + 1);
        memcpy(copy, builder.bytes.p, n);
        struct fact_head out;
        ck_assert(!fact_read_head((struct slice){copy, n}, &out));
        ck_assert(!fact_find((struct slice){copy, n}, FIELD_SRC, NULL, NULL));
        free(copy);
    }
}
END_TEST

START_TEST(kinds_are_the_tables)
{
    ck_assert_int_eq(fact_kind_by_name(SLICE("queue_log")), FACT_QUEUE_LOG);
    ck_assert_int_eq(fact_kind_by_name(SLICE("queue_lo")), FACT_KIND_COUNT);
    ck_assert_int_eq(fact_kind_by_name(SLICE("")), FACT_KIND_COUNT);
    ck_assert_str_eq(fact_kind_info(FACT_QUEUE)->table, "queue_visits");
    ck_assert_int_eq(fact_kind_info(FACT_QUEUE)->key, FACT_KEY_QUEUE);
    ck_assert(fact_kind_info(FACT_AGENT_STATE)->state && !fact_kind_info(FACT_CALL)->state);
    for (unsigned i = 0; i < FACT_KIND_COUNT; i++)
        ck_assert_uint_eq(fact_kind_by_name(slice_from(fact_kind_info((enum fact_kind)i)->kind)),
                          i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fact");
    TCase *tcase = tcase_create("fact");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, head_comes_back);
    tcase_add_test(tcase, json_keeps_order_and_types);
    tcase_add_test(tcase, json_nests);
    tcase_add_test(tcase, find_sees_the_top_level_only);
    tcase_add_test(tcase, elements_are_found_by_index);
    tcase_add_test(tcase, bound_is_kept);
    tcase_add_test(tcase, cut_bytes_are_no_fact);
    tcase_add_test(tcase, kinds_are_the_tables);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
