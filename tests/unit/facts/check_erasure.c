/* SPDX-License-Identifier: MIT */
/* What goes with a number that is erased, and what stays. */
#include "collector/facts/erasure.h"
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER "4930901820"

static struct erasure *erasure;
static struct buf text, other;

static void setup(void)
{
    unsigned char key[ERASURE_KEY_N] = "any";
    erasure = erasure_new(key);
    text = buf_new(1 << 20);
    other = buf_new(1 << 20);
    ck_assert(erasure_add(erasure, SLICE("+49 (30) 901820")));
}

static void teardown(void)
{
    erasure_free(erasure);
    buf_free(&text);
    buf_free(&other);
}

/* The text as it is afterwards, what stands for the number written as "#". */
static const char *erased(const char *value)
{
    buf_clear(&text);
    buf_clear(&other);
    erasure_text(erasure, slice_from(value), &text);
    for (size_t i = 0; i < text.n;) {
        bool token = slice_starts(slice_from_offset(buf_slice(&text), i), SLICE("erased-"));
        buf_put_char(&other, token ? '#' : text.p[i]);
        i += token ? sizeof("erased-") - 1 + 16 : 1;
    }
    buf_put_char(&other, '\0');
    return other.p;
}

START_TEST(texts)
{
    static const char *const cases[][2] = {
        {"+4930901820", "#"},
        {"004930901820", "#"},
        {"+49 30 901820", "+#"},
        {"04930901820", "#"},
        {"PJSIP/carrier/sip:4930901820@10.0.0.1,30", "PJSIP/carrier/sip:#@10.0.0.1,30"},
        {"PJSIP/4930901820-0000002a", "PJSIP/#-0000002a"},
        {"493090182", "493090182"},
        {"+4930901821", "+4930901821"},
        {"1795219459.123", "1795219459.123"},
        {"cdr:pbxA-1795219459.123:1795219459493090", "cdr:pbxA-1795219459.123:1795219459493090"},
        {"2026-11-21T23:57:51.090182Z", "2026-11-21T23:57:51.090182Z"},
        {"", ""},
        {"{4930901820", "{#"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(erased(cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(records)
{
    static const char *const cases[][2] = {
        {"{\"caller_number\":\"+4930901820\",\"caller_name\":\"Erika\",\"billsec\":12.345678}",
         "{\"caller_number\":\"#\",\"caller_name\":null,\"billsec\":12.345678}"},
        {"{\"caller_number\":\"+493011111\",\"caller_name\":\"Erika\",\"dialled\":\"04930901820\"}",
         "{\"caller_number\":\"+493011111\",\"caller_name\":\"Erika\",\"dialled\":\"#\"}"},
        {"{\"clid\":\"\\\"Erika\\\" <+4930901820>\",\"cause\":16,\"end\":null}",
         "{\"clid\":null,\"cause\":16,\"end\":null}"},
        {"[{\"number\":\"4930901820\",\"name\":\"E\",\"talks\":[\"4930901820\",1.5]}]",
         "[{\"number\":\"#\",\"name\":null,\"talks\":[\"#\",1.5]}]"},
        {"{\"headers\":[{\"name\":\"Who\",\"value\":\"4930901820\"}]}",
         "{\"headers\":[{\"name\":\"Who\",\"value\":\"#\"}]}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(erased(cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(one_spelling_is_one_token)
{
    static const char both[] = "4930901820 +4930901820 4930901820";
    erasure_text(erasure, SLICE(both), &text);
    ck_assert(text.n == 3 * 23 + 2);
    ck_assert(memcmp(text.p, text.p + 48, 23) == 0);
    ck_assert(memcmp(text.p, text.p + 24, 23) != 0);
}
END_TEST

START_TEST(what_masks_wrote)
{
    struct mask m = {.mode = MASK_HMAC, .key = "key", .key_n = 3, .key_id = "p1"};
    ck_assert(erasure_add_mask(erasure, &m));
    mask_number(&m, SLICE("0049 30 901820"), &other);
    ck_assert(erasure_holds(erasure, buf_slice(&other)));
    buf_clear(&other);
    mask_in_place(&m, SLICE("PJSIP/+4930901820-0000002a"), (struct mask_place){.is_id = true},
                  &other);
    buf_put_char(&other, '\0');
    char written[128];
    snprintf(written, sizeof(written), "%s", other.p);
    ck_assert_str_eq(erased(written), "PJSIP/#-0000002a");
    ck_assert_str_eq(erased("p1:00000000000000000000000000000000"),
                     "p1:00000000000000000000000000000000");
}
END_TEST

START_TEST(short_numbers_are_whole)
{
    ck_assert(erasure_add(erasure, SLICE("54321")));
    ck_assert_str_eq(erased("SIP/54321,30"), "SIP/#,30");
    ck_assert_str_eq(erased("154321"), "154321");
    ck_assert(!erasure_add(erasure, SLICE("1234")));
    ck_assert(!erasure_add(erasure, SLICE("sip:12345")));
    ck_assert(!erasure_add(erasure, SLICE("")));
}
END_TEST

START_TEST(very_long_ones)
{
    char run[300];
    memset(run, '7', sizeof(run));
    memcpy(run + 200, NUMBER, sizeof(NUMBER) - 1);
    ck_assert(erasure_holds(erasure, (struct slice){run, sizeof(run)}));
    memset(run, '7', sizeof(run));
    ck_assert(!erasure_holds(erasure, (struct slice){run, sizeof(run)}));
}
END_TEST

static int until_failure;

static void *allocate(size_t n)
{
    return until_failure-- == 0 ? NULL : malloc(n);
}

/* Nothing of a record is lost because memory was short for a moment. */
START_TEST(all_or_nothing)
{
    int n = 0;
    json_set_alloc_funcs(allocate, free);
    do {
        until_failure = n++;
        text.failed = false;
        erased("{\"a\":1,\"number\":\"+4930901820\",\"legs\":[{\"b\":2},{\"c\":3}],\"d\":4}");
        ck_assert_msg(
            text.failed ||
                strcmp(other.p,
                       "{\"a\":1,\"number\":\"#\",\"legs\":[{\"b\":2},{\"c\":3}],\"d\":4}") == 0,
            "allocation %d: %s", n, other.p);
        ck_assert_int_lt(n, 1000);
    } while (until_failure < 0);
    json_set_alloc_funcs(malloc, free);
    ck_assert_int_gt(n, 10);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("erasure");
    TCase *t = tcase_create("erasure");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, texts);
    tcase_add_test(t, records);
    tcase_add_test(t, one_spelling_is_one_token);
    tcase_add_test(t, what_masks_wrote);
    tcase_add_test(t, short_numbers_are_whole);
    tcase_add_test(t, very_long_ones);
    tcase_add_test(t, all_or_nothing);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
