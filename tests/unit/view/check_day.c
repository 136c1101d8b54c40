/* SPDX-License-Identifier: MIT */
#include "collector/view/day.h"

#include "tests/unit/view/view_kit.h"
#include <check.h>
#include <stdlib.h>
#include <time.h>

static const struct {
    const char *zone, *moment, *start, *next; /* all in UTC */
} days[] = {
    {"UTC", "2026-11-21 12:00:00", "2026-11-21 00:00:00", "2026-11-22 00:00:00"},
    {"UTC", "2026-11-21 00:00:00", "2026-11-21 00:00:00", "2026-11-22 00:00:00"},
    {"UTC", "2026-12-31 23:59:59", "2026-12-31 00:00:00", "2027-01-01 00:00:00"},
    {"Asia/Kolkata", "2026-11-21 18:29:59", "2026-11-20 18:30:00", "2026-11-21 18:30:00"},
    /* 23 and 25 hours */
    {"Europe/Berlin", "2026-03-29 10:00:00", "2026-03-28 23:00:00", "2026-03-29 22:00:00"},
    {"Europe/Berlin", "2026-10-25 10:00:00", "2026-10-24 22:00:00", "2026-10-25 23:00:00"},
    /* A midnight that does not exist: the day begins at one o'clock. */
    {"Africa/Cairo", "2026-04-24 12:00:00", "2026-04-23 22:00:00", "2026-04-24 21:00:00"},
    {"Africa/Cairo", "2026-04-23 12:00:00", "2026-04-22 22:00:00", "2026-04-23 22:00:00"},
};

START_TEST(days_of_zones)
{
    setenv("TZ", days[_i].zone, 1);
    tzset();
    int64_t moment = kit_time(days[_i].moment);
    ck_assert_int_eq(day_start(moment), kit_time(days[_i].start));
    ck_assert_int_eq(day_next(moment), kit_time(days[_i].next));
}
END_TEST

START_TEST(the_next_day_is_always_later)
{
    static const char *const zones[] = {"America/Santiago", "Asia/Beirut", "America/Havana",
                                        "Pacific/Apia", "Australia/Lord_Howe"};
    setenv("TZ", zones[_i], 1);
    tzset();
    int64_t t = kit_time("2026-01-01 00:00:00");
    for (int i = 0; i < 8 * 366; i++, t += 3 * HOUR) {
        int64_t start = day_start(t), next = day_next(t);
        ck_assert_int_le(start, t);
        ck_assert_int_gt(next, t);
        ck_assert_int_ge(next - start, 22 * HOUR);
        ck_assert_int_le(next - start, 26 * HOUR);
        ck_assert_int_eq(day_start(next), next);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("day");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, days_of_zones, 0, (int)(sizeof(days) / sizeof(days[0])));
    tcase_add_loop_test(tcase, the_next_day_is_always_later, 0, 5);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
