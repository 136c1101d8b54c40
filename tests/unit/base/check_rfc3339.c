/* SPDX-License-Identifier: MIT */
#include "collector/base/json_out.h"
#include "collector/base/rfc3339.h"

#include <check.h>
#include <stdlib.h>

static int64_t read_time(const char *text)
{
    int64_t us = -1;
    ck_assert_msg(rfc3339_read(slice_from(text), &us), "%s is not read", text);
    return us;
}

START_TEST(times_are_read_as_they_are_written)
{
    static const int64_t times[] = {0, 1, 1763683071090059, 951782400000000, 253402300799999999};
    char text[TIME_TEXT_SIZE];
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        time_text(times[i], text);
        ck_assert_int_eq(read_time(text), times[i]);
    }
}
END_TEST

START_TEST(decimals_and_offsets_may_differ)
{
    ck_assert_int_eq(read_time("1970-01-01T00:00:01Z"), 1000000);
    ck_assert_int_eq(read_time("1970-01-01T00:00:01.5Z"), 1500000);
    ck_assert_int_eq(read_time("1970-01-01T01:00:00+01:00"), 0);
    ck_assert_int_eq(read_time("1969-12-31T18:30:00-05:30"), 0);
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    static const char *const wrong[] = {"",
                                        "2026-11-20",
                                        "2026-11-20T23:57:51",
                                        "2026-11-20 23:57:51Z",
                                        "2026-13-20T23:57:51Z",
                                        "2026-02-29T23:57:51Z",
                                        "2026-04-31T23:57:51Z",
                                        "2026-11-20T24:00:00Z",
                                        "2026-11-20T23:57:51.Z",
                                        "2026-11-20T23:57:51.1234567Z",
                                        "2026-11-20T23:57:51Zx",
                                        "2026-11-20T23:57:51+1:00"};
    int64_t us;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!rfc3339_read(slice_from(wrong[i]), &us), "%s is read", wrong[i]);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("rfc3339");
    tcase_add_test(tcase, times_are_read_as_they_are_written);
    tcase_add_test(tcase, decimals_and_offsets_may_differ);
    tcase_add_test(tcase, what_is_no_time_is_refused);
    Suite *suite = suite_create("rfc3339");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
