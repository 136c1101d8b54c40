/* SPDX-License-Identifier: MIT */
#include "parsers/csv.h"

#include <check.h>
#include <stdlib.h>

static char scratch[1024];
static struct csv_record record;
static size_t length;

static enum csv_result read_it(const char *text, bool last)
{
    return csv_read(slice_from(text), last, scratch, &record, &length);
}

#define ck_field(i, expected)                                                                      \
    ck_assert_msg(slice_is(record.field[i], expected), "field %d is \"%.*s\"", i,                  \
                  (int)record.field[i].n, record.field[i].p)

START_TEST(fields_plain_and_quoted)
{
    ck_assert_int_eq(read_it("a,\"b,c\",,\"\",5\nnext", false), CSV_RECORD);
    ck_assert_uint_eq(record.count, 5);
    ck_field(0, "a");
    ck_field(1, "b,c");
    ck_field(2, "");
    ck_field(3, "");
    ck_field(4, "5");
    ck_assert_uint_eq(length, 14);
}
END_TEST

START_TEST(quotes_are_doubled_and_lines_may_end_inside)
{
    ck_assert_int_eq(read_it("\"\"\"Ann\"\" <100>\",\"two\nlines\"\r\n", false), CSV_RECORD);
    ck_assert_uint_eq(record.count, 2);
    ck_field(0, "\"Ann\" <100>");
    ck_field(1, "two\nlines");
}
END_TEST

START_TEST(a_record_that_is_not_whole_waits)
{
    ck_assert_int_eq(read_it("a,b", false), CSV_MORE);
    ck_assert_int_eq(read_it("a,\"b\n", false), CSV_MORE);
    ck_assert_int_eq(read_it("a,b", true), CSV_RECORD);
    ck_assert_uint_eq(record.count, 2);
    ck_assert_uint_eq(length, 3);
    ck_assert_int_eq(read_it("a,\r\n", true), CSV_RECORD);
    ck_assert_uint_eq(record.count, 2);
    ck_field(1, "");
}
END_TEST

START_TEST(quotes_that_never_close_cost_one_line)
{
    ck_assert_int_eq(read_it("a,\"b\nc,d\n", true), CSV_BAD);
    ck_assert_uint_eq(length, 5);
}
END_TEST

START_TEST(more_fields_than_there_is_room_are_counted)
{
    char text[256];
    memset(text, ',', 100);
    text[100] = 0;
    ck_assert_int_eq(read_it(text, true), CSV_RECORD);
    ck_assert_uint_eq(record.count, 101);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv");
    TCase *tcase = tcase_create("csv");
    tcase_add_test(tcase, fields_plain_and_quoted);
    tcase_add_test(tcase, quotes_are_doubled_and_lines_may_end_inside);
    tcase_add_test(tcase, a_record_that_is_not_whole_waits);
    tcase_add_test(tcase, quotes_that_never_close_cost_one_line);
    tcase_add_test(tcase, more_fields_than_there_is_room_are_counted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
