/* SPDX-License-Identifier: MIT */
#include "collector/base/clock.h"
#include "collector/base/random.h"
#include <check.h>
#include <stdlib.h>
#include <time.h>

START_TEST(the_system_clock_runs)
{
    struct clock clock = clock_system();
    int64_t seconds = clock_now(&clock) / 1000000;
    ck_assert_int_le(llabs(seconds - (int64_t)time(NULL)), 1);
    int64_t before = clock_mono(&clock);
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    ck_assert_int_ge(clock_mono(&clock) - before, 2000);
}
END_TEST

static uint64_t give(void *ctx)
{
    return *(uint64_t *)ctx;
}

START_TEST(random_stays_below_its_bound)
{
    uint64_t bits = 1007;
    struct random_source source = {give, &bits};
    ck_assert_uint_eq(random_below(&source, 1000), 7);
    ck_assert_uint_eq(random_below(&source, 0), 0);
    struct random_source kernel = random_system();
    uint64_t seen = 0;
    for (int i = 0; i < 200; i++) {
        uint64_t value = random_below(&kernel, 8);
        ck_assert_uint_lt(value, 8);
        seen |= UINT64_C(1) << value;
    }
    ck_assert_uint_eq(seen, 0xff);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("clock");
    tcase_add_test(tcase, the_system_clock_runs);
    tcase_add_test(tcase, random_stays_below_its_bound);
    Suite *suite = suite_create("clock");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
