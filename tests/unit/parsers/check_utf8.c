/* SPDX-License-Identifier: MIT */
#include "parsers/utf8.h"

#include <check.h>
#include <stdlib.h>

START_TEST(well_formed)
{
    ck_assert_uint_eq(utf8_char_length(SLICE("a")), 1);
    ck_assert_uint_eq(utf8_char_length((struct slice){"\0", 1}), 1);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xC2\x80")), 2);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xDF\xBFx")), 2);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xE0\xA0\x80")), 3);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xED\x9F\xBF")), 3);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xEE\x80\x80")), 3);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xEF\xBF\xBF")), 3);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xF0\x90\x80\x80")), 4);
    ck_assert_uint_eq(utf8_char_length(SLICE("\xF4\x8F\xBF\xBF")), 4);
}
END_TEST

START_TEST(ill_formed)
{
    static const char *const bad[] = {"\x80",         "\xBF",         "\xC0\x80",
                                      "\xC1\xBF",     "\xC2",         "\xC2x",
                                      "\xE0\x9F\xBF", "\xE1\x80",     "\xE1\x80x",
                                      "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
                                      "\xF0\x90\x80", "\xF1\x80xx",   "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80", "\xFE",         "\xFF"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(utf8_char_length(slice_from(bad[i])) == 0, "%zu", i);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("utf8");
    tcase_add_test(tcase, well_formed);
    tcase_add_test(tcase, ill_formed);
    Suite *suite = suite_create("utf8");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
