/* SPDX-License-Identifier: MIT */
#include "parsers/ami_text.h"

#include <check.h>
#include <stdlib.h>

static void check_unescape(struct slice value, struct slice expected)
{
    char to[64];
    struct slice got = ami_text_unescape(value, to, sizeof(to));
    ck_assert_msg(slice_equal(got, expected), "%.*s: %.*s", (int)value.n, value.p, (int)got.n,
                  got.p);
}

START_TEST(unescape)
{
    check_unescape(SLICE("O\\'Brien"), SLICE("O'Brien"));
    check_unescape(SLICE("\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"\\?"), SLICE("\a\b\f\n\r\t\v\\'\"\?"));
    check_unescape(SLICE("\\\\n"), SLICE("\\n"));
    check_unescape(SLICE("\\x41\\0\\e\\N"), SLICE("\\x41\\0\\e\\N"));
    check_unescape(SLICE("end\\"), SLICE("end\\"));
    check_unescape(SLICE("\\"), SLICE("\\"));
    check_unescape(SLICE("a\\\0b"), SLICE("a\\\0b"));
    check_unescape(SLICE("\xC3\xA9\\?\xFF"), SLICE("\xC3\xA9?\xFF"));
    check_unescape((struct slice){NULL, 0}, SLICE(""));
}
END_TEST

START_TEST(unescape_within_bounds)
{
    struct slice value = SLICE("ab\\'cd");
    char to[8];
    for (size_t size = 0; size <= sizeof(to); size++) {
        memset(to, '~', sizeof(to));
        struct slice got = ami_text_unescape(value, to, size);
        ck_assert(slice_equal(got, slice_head(SLICE("ab'cd"), size)));
        for (size_t i = got.n; i < sizeof(to); i++)
            ck_assert_int_eq(to[i], '~');
    }
    value = SLICE("nothing to undo");
    ck_assert_ptr_eq(ami_text_unescape(value, to, 0).p, value.p);
}
END_TEST

START_TEST(escaped_by_event)
{
    ck_assert(ami_text_is_escaped(AMI_EVENT_HANGUP, AMI_HEADER_CALLERIDNAME));
    ck_assert(ami_text_is_escaped(AMI_EVENT_DIALBEGIN, AMI_HEADER_DESTCONNECTEDLINENAME));
    ck_assert(ami_text_is_escaped(AMI_EVENT_CORESHOWCHANNEL, AMI_HEADER_CALLERIDNAME));
    ck_assert(ami_text_is_escaped(AMI_EVENT_UNKNOWN, AMI_HEADER_PARKEECHANVARIABLE));
    ck_assert(ami_text_is_escaped(AMI_EVENT_VARSET, AMI_HEADER_VALUE));
    ck_assert(ami_text_is_escaped(AMI_EVENT_VARSET, AMI_HEADER_CONNECTEDLINENAME));
    ck_assert(!ami_text_is_escaped(AMI_EVENT_VARSET, AMI_HEADER_VARIABLE));
    ck_assert(!ami_text_is_escaped(AMI_EVENT_USEREVENT, AMI_HEADER_VALUE));
    ck_assert(!ami_text_is_escaped(AMI_EVENT_NEWEXTEN, AMI_HEADER_APPDATA));
    ck_assert(!ami_text_is_escaped(AMI_EVENT_HANGUP, AMI_HEADER_CALLERIDNUM));
    ck_assert(!ami_text_is_escaped(AMI_EVENT_QUEUEENTRY, AMI_HEADER_CALLERIDNAME));
    ck_assert(!ami_text_is_escaped(AMI_EVENT_STATUS, AMI_HEADER_EFFECTIVECONNECTEDLINENAME));

    char to[16];
    struct slice name = SLICE("a\\'b");
    ck_assert(slice_is(
        ami_text_plain(AMI_EVENT_HANGUP, AMI_HEADER_CALLERIDNAME, name, to, sizeof(to)), "a'b"));
    ck_assert(slice_is(
        ami_text_plain(AMI_EVENT_STATUS, AMI_HEADER_CALLERIDNAME, name, to, sizeof(to)), "a\\'b"));
}
END_TEST

START_TEST(known)
{
    ck_assert_uint_eq(ami_text_known(SLICE("<unknown>")).n, 0);
    ck_assert_ptr_nonnull(ami_text_known(SLICE("<unknown>")).p);
    ck_assert(slice_is(ami_text_known(SLICE("unknown")), "unknown"));
    ck_assert(slice_is(ami_text_known(SLICE("<unknown> ")), "<unknown> "));
    ck_assert_uint_eq(ami_text_known((struct slice){NULL, 0}).n, 0);
}
END_TEST

static void check_int(const char *text, bool good, int64_t expected)
{
    int64_t number = 77;
    ck_assert_msg(ami_text_int(slice_from(text), &number) == good, "%s", text);
    ck_assert_int_eq(number, good ? expected : 77);
}

START_TEST(numbers)
{
    check_int("0", true, 0);
    check_int("007", true, 7);
    check_int(" -12\t", true, -12);
    check_int("9223372036854775807", true, INT64_MAX);
    check_int("-9223372036854775808", true, INT64_MIN);
    check_int("9223372036854775808", false, 0);
    check_int("-9223372036854775809", false, 0);
    check_int("99999999999999999999999", false, 0);
    check_int("", false, 0);
    check_int("-", false, 0);
    check_int("+1", false, 0);
    check_int("--1", false, 0);
    check_int("1 2", false, 0);
    check_int("1.0", false, 0);
    check_int("0x10", false, 0);
    ck_assert(!ami_text_int((struct slice){NULL, 0}, &(int64_t){0}));

    int64_t number = 0;
    ck_assert(ami_text_int_within(SLICE("8"), 0, 8, &number) && number == 8);
    ck_assert(!ami_text_int_within(SLICE("9"), 0, 8, &number));
    ck_assert(!ami_text_int_within(SLICE("-1"), 0, 8, &number));

    uint32_t small = 5;
    ck_assert(ami_text_unsigned(SLICE("4294967295"), &small) && small == UINT32_MAX);
    ck_assert(!ami_text_unsigned(SLICE("4294967296"), &small));
    ck_assert(!ami_text_unsigned(SLICE("-1"), &small));
}
END_TEST

static void check_time(const char *text, bool good, int64_t expected)
{
    int64_t us = 77;
    ck_assert_msg(ami_text_time(slice_from(text), &us) == good, "%s", text);
    ck_assert_int_eq(us, good ? expected : 77);
}

START_TEST(times)
{
    check_time("1795219071.596224", true, 1795219071596224);
    check_time("1795219071.5", true, 1795219071500000);
    check_time("1795219071.5962249", true, 1795219071596224);
    check_time("1795219071.", true, 1795219071000000);
    check_time("1795219071", true, 1795219071000000);
    check_time("0.000001", true, 1);
    check_time("253402300799.999999", true, 253402300799999999);
    check_time("253402300800.0", false, 0);
    check_time("9223372036855", false, 0);
    check_time("", false, 0);
    check_time(".5", false, 0);
    check_time("-1.5", false, 0);
    check_time("1.5.5", false, 0);
    check_time("1.5s", false, 0);
    check_time("1,5", false, 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ami_text");
    tcase_add_test(tcase, unescape);
    tcase_add_test(tcase, unescape_within_bounds);
    tcase_add_test(tcase, escaped_by_event);
    tcase_add_test(tcase, known);
    tcase_add_test(tcase, numbers);
    tcase_add_test(tcase, times);
    Suite *suite = suite_create("ami_text");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
