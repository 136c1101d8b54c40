/* SPDX-License-Identifier: MIT */
#include "collector/base/json_out.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

static struct buf out;
static struct json_out json;

static void begin(void)
{
    buf_free(&out);
    out = buf_new(1 << 20);
    json = json_out_to(&out);
}

static void check_text(const char *expected)
{
    ck_assert_msg(slice_is(buf_slice(&out), expected), "%.*s", (int)out.n, out.p);
    begin();
}

static void check_string(struct slice value, const char *expected)
{
    json_out_string(&json, NULL, value);
    check_text(expected);
}

START_TEST(nesting_and_commas)
{
    begin();
    json_out_object(&json, NULL);
    json_out_int(&json, "a", -5);
    json_out_array(&json, "b");
    json_out_bool(&json, NULL, true);
    json_out_object(&json, NULL);
    json_out_close(&json, '}');
    json_out_object(&json, NULL);
    json_out_null(&json, "x");
    json_out_close(&json, '}');
    json_out_close(&json, ']');
    json_out_string(&json, "c", SLICE(""));
    json_out_raw(&json, "d", SLICE("[1]"));
    json_out_close(&json, '}');
    check_text("{\"a\":-5,\"b\":[true,{},{\"x\":null}],\"c\":\"\",\"d\":[1]}");
}
END_TEST

START_TEST(numbers)
{
    begin();
    json_out_int(&json, NULL, INT64_MIN);
    check_text("-9223372036854775808");
    static const struct {
        int64_t us;
        const char *text;
    } seconds[] = {{0, "0"},           {1500000, "1.5"},        {123, "0.000123"},
                   {3000000, "3"},     {-1, "-0.000001"},       {-1500000, "-1.5"},
                   {100000000, "100"}, {59999999, "59.999999"}, {1000001, "1.000001"}};
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        json_out_seconds(&json, NULL, seconds[i].us);
        check_text(seconds[i].text);
    }
}
END_TEST

START_TEST(times)
{
    begin();
    json_out_time(&json, NULL, 1795219071090059);
    check_text("\"2026-11-20T23:57:51.090059Z\"");
    json_out_time(&json, NULL, 0);
    check_text("\"1970-01-01T00:00:00.000000Z\"");
    json_out_time(&json, NULL, 253402300799999999);
    check_text("\"9999-12-31T23:59:59.999999Z\"");
}
END_TEST

START_TEST(escapes)
{
    begin();
    check_string(SLICE("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    check_string(SLICE("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    check_string((struct slice){"\0\x01\x1F\x7F", 4}, "\"\\ufffd\\u0001\\u001f\\u007f\"");
    check_string(SLICE("J\xC3\xBCrgen \xF0\x9F\x93\x9E"), "\"J\xC3\xBCrgen \xF0\x9F\x93\x9E\"");
    check_string((struct slice){NULL, 0}, "\"\"");
}
END_TEST

#define REPLACED "\xEF\xBF\xBD"

/* Only the bytes that are not UTF-8 are replaced, each by itself. */
START_TEST(bytes_that_are_not_utf8)
{
    begin();
    check_string(SLICE("J\xFCrgen"), "\"J" REPLACED "rgen\"");
    check_string(SLICE("\xFF\xFE"), "\"" REPLACED REPLACED "\"");
    check_string(SLICE("a\xC3"), "\"a" REPLACED "\"");
    check_string(SLICE("\xE2\x82"), "\"" REPLACED REPLACED "\"");
    check_string(SLICE("\xC3\xA9\xE2\x82x\xC3\xA9"), "\"\xC3\xA9" REPLACED REPLACED "x\xC3\xA9\"");
    check_string(SLICE("\xED\xA0\x80"), "\"" REPLACED REPLACED REPLACED "\"");
    check_string(SLICE("\xC0\xAF\""), "\"" REPLACED REPLACED "\\\"\"");
}
END_TEST

/* Whatever the bytes, a reader of JSON takes them. */
START_TEST(any_bytes_are_json)
{
    begin();
    srandom(1);
    for (int round = 0; round < 3000; round++) {
        char bytes[40];
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] =
                (char)(round % 2 ? random() : "\xC3\xA9\xF0\x9F\x93\xE2\x82\xACx"[random() % 9]);
        size_t n = (size_t)random() % sizeof(bytes);
        json_out_array(&json, NULL);
        json_out_string(&json, NULL, (struct slice){bytes, n});
        json_out_close(&json, ']');
        json_error_t error;
        json_t *read = json_loadb(out.p, out.n, JSON_ALLOW_NUL, &error);
        ck_assert_msg(read != NULL, "%s: %.*s", error.text, (int)out.n, out.p);
        json_decref(read);
        begin();
    }
}
END_TEST

/* A record that does not fit is known to have failed, once, at its end. */
START_TEST(past_the_bound)
{
    struct buf small = buf_new(8);
    struct json_out j = json_out_to(&small);
    json_out_object(&j, NULL);
    json_out_string(&j, "key", SLICE("value"));
    json_out_close(&j, '}');
    ck_assert(small.failed);
    buf_free(&small);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("json_out");
    tcase_add_test(tcase, nesting_and_commas);
    tcase_add_test(tcase, numbers);
    tcase_add_test(tcase, times);
    tcase_add_test(tcase, escapes);
    tcase_add_test(tcase, bytes_that_are_not_utf8);
    tcase_add_test(tcase, any_bytes_are_json);
    tcase_add_test(tcase, past_the_bound);
    Suite *suite = suite_create("json_out");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    buf_free(&out);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
