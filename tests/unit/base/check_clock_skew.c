/* SPDX-License-Identifier: MIT */
#include "collector/base/clock.h"
#include "collector/base/clock_skew.h"
#include <check.h>
#include <stdlib.h>

#define S  INT64_C(1000000)
#define MS INT64_C(1000)

static struct clock_skew skew;

static int64_t ahead(void)
{
    int64_t us = 0;
    ck_assert(clock_skew_get(&skew, &us));
    return us;
}

static void begin(void)
{
    skew = (struct clock_skew){0};
}

START_TEST(the_quickest_message_tells_the_skew)
{
    int64_t us;
    ck_assert(!clock_skew_get(&skew, &us));
    /* A clock that is 7 s ahead, and messages that take 1 to 40 ms. */
    ck_assert_int_eq(clock_skew_take(&skew, 100 * S, -7 * S + 20 * MS), 0);
    ck_assert_int_eq(clock_skew_take(&skew, 101 * S, -7 * S + 1 * MS), 0);
    ck_assert_int_eq(clock_skew_take(&skew, 102 * S, -7 * S + 40 * MS), 39 * MS);
    ck_assert_int_eq(ahead(), 7 * S - 1 * MS);
}
END_TEST

START_TEST(a_stream_that_stood_still_is_late)
{
    clock_skew_take(&skew, 100 * S, 2 * MS);
    ck_assert_int_eq(clock_skew_take(&skew, 112 * S, 12 * S + 2 * MS), 12 * S);
    ck_assert_int_eq(clock_skew_take(&skew, 113 * S, 3 * MS), 1 * MS);
}
END_TEST

START_TEST(a_clock_that_was_set)
{
    for (int i = 0; i < 30; i++)
        clock_skew_take(&skew, (100 + i) * S, 2 * MS);
    /* The other clock an hour forward: known at once. */
    ck_assert_int_eq(clock_skew_take(&skew, 131 * S, -3600 * S + 2 * MS), 0);
    ck_assert_int_eq(ahead(), 3600 * S - 2 * MS);
    /* And back again: within twenty seconds. */
    int64_t late = 0;
    for (int i = 0; i < 20; i++)
        late = clock_skew_take(&skew, (132 + i) * S, 3 * MS);
    ck_assert_int_le(late, 1 * MS);
    ck_assert_int_eq(ahead(), -3 * MS);
}
END_TEST

START_TEST(what_is_old_counts_no_more)
{
    clock_skew_take(&skew, 100 * S, 1 * MS);
    clock_skew_take(&skew, 500 * S, 9 * MS);
    ck_assert_int_eq(ahead(), -9 * MS);
}
END_TEST

/* --- a clock that does not jump --- */

static int64_t wall, mono;

static int64_t read_wall(void *ctx)
{
    (void)ctx;
    return wall;
}

static int64_t read_mono(void *ctx)
{
    (void)ctx;
    return mono;
}

START_TEST(a_steady_clock_goes_on_when_the_machine_is_set)
{
    struct clock machine = {read_wall, read_mono, NULL};
    struct steady steady;
    wall = 5000 * S, mono = 10 * S;
    steady_begin(&steady, &machine);
    struct clock clock = steady_clock(&steady);
    wall = 1000 * S, mono = 12 * S; /* set back by more than an hour */
    ck_assert_int_eq(clock_now(&clock), 5002 * S);
    ck_assert_int_eq(clock_mono(&clock), 12 * S);
    ck_assert_int_eq(steady_ahead(&steady), 4002 * S);
    ck_assert_int_eq(steady_set(&steady), -4002 * S);
    ck_assert_int_eq(clock_now(&clock), 1000 * S);
    wall += S / 2; /* that little is left as it is */
    ck_assert_int_eq(steady_set(&steady), 0);
    ck_assert_int_eq(clock_now(&clock), 1000 * S);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock_skew");
    TCase *tcase = tcase_create("clock_skew");
    tcase_add_checked_fixture(tcase, begin, NULL);
    tcase_add_test(tcase, the_quickest_message_tells_the_skew);
    tcase_add_test(tcase, a_stream_that_stood_still_is_late);
    tcase_add_test(tcase, a_clock_that_was_set);
    tcase_add_test(tcase, what_is_old_counts_no_more);
    tcase_add_test(tcase, a_steady_clock_goes_on_when_the_machine_is_set);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
