/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_faults.h"
#include <check.h>
#include <stdlib.h>

static const char event[] = "Event: Hangup\r\nChannel: PJSIP/101-00000001\r\nUniqueid: 1.2\r\n"
                            "CallerIDName: Someone\r\n\r\n";

static struct slice event_slice(void)
{
    return slice_from(event);
}

START_TEST(without_options_nothing_happens)
{
    struct sim_faults f = sim_faults_new(&(struct sim_faults_options){0});
    for (int i = 0; i < 1000; i++) {
        ck_assert_ptr_eq(sim_faults_event(&f, event_slice()).p, event);
        ck_assert(!sim_faults_cut(&f));
        ck_assert(!sim_faults_stall(&f));
    }
    ck_assert_uint_eq(f.events, 1000);
    sim_faults_free(&f);
}
END_TEST

START_TEST(cuts_and_stalls_come_behind_their_events)
{
    struct sim_faults_options o = {
        .cut_after = {3, 8}, .cut_after_count = 2, .cut_every = 10, .stall_after = 5};
    struct sim_faults f = sim_faults_new(&o);
    char seen[32] = "";
    for (int i = 1; i <= 20; i++) {
        sim_faults_event(&f, event_slice());
        seen[i] = sim_faults_cut(&f) ? 'c' : '.';
        seen[i] = sim_faults_stall(&f) ? 's' : seen[i];
    }
    ck_assert_str_eq(seen + 1, "..c.s..c.c.........c");
    ck_assert_uint_eq(f.cuts, 4);
    ck_assert_uint_eq(f.stalls, 1);
    sim_faults_free(&f);
}
END_TEST

START_TEST(every_way_of_damage_comes_and_damages)
{
    struct sim_faults f = sim_faults_new(&(struct sim_faults_options){.garble = 1, .seed = 7});
    size_t longest = 0;
    for (int i = 0; i < 1000; i++) {
        struct slice bytes = sim_faults_event(&f, event_slice());
        ck_assert(!slice_equal(bytes, event_slice()));
        ck_assert_uint_gt(bytes.n, 0);
        longest = bytes.n > longest ? bytes.n : longest;
    }
    for (int way = 0; way < SIM_GARBLE_COUNT; way++)
        ck_assert_uint_gt(f.garbled[way], 100);
    ck_assert_uint_gt(longest, 65536);
    sim_faults_free(&f);
}
END_TEST

START_TEST(a_seed_draws_the_same_again)
{
    struct sim_faults_options o = {.garble = 0.5, .seed = 3};
    struct sim_faults one = sim_faults_new(&o), same = sim_faults_new(&o);
    o.seed = 4;
    struct sim_faults other = sim_faults_new(&o);
    unsigned differ = 0, damaged = 0;
    for (int i = 0; i < 400; i++) {
        struct slice bytes = sim_faults_event(&one, event_slice());
        ck_assert(slice_equal(bytes, sim_faults_event(&same, event_slice())));
        differ += !slice_equal(bytes, sim_faults_event(&other, event_slice()));
        damaged += bytes.p != event;
    }
    ck_assert_uint_gt(differ, 100);
    ck_assert_uint_gt(damaged, 150);
    ck_assert_uint_lt(damaged, 250);
    sim_faults_free(&one);
    sim_faults_free(&same);
    sim_faults_free(&other);
}
END_TEST

START_TEST(damage_ends_where_it_is_to_end)
{
    struct sim_faults f =
        sim_faults_new(&(struct sim_faults_options){.garble = 1, .garble_first_n = 10});
    for (int i = 0; i < 10; i++)
        ck_assert_ptr_ne(sim_faults_event(&f, event_slice()).p, event);
    ck_assert_ptr_eq(sim_faults_event(&f, event_slice()).p, event);
    sim_faults_free(&f);
}
END_TEST

START_TEST(short_events_are_left_alone)
{
    struct sim_faults f = sim_faults_new(&(struct sim_faults_options){.garble = 1});
    for (int i = 0; i < 200; i++)
        sim_faults_event(&f, SLICE("\r\n"));
    for (int i = 0; i < 200; i++)
        sim_faults_event(&f, SLICE("A: b\r\n\r\n"));
    sim_faults_free(&f);
}
END_TEST

int main(void)
{
    TCase *test = tcase_create("sim_faults");
    tcase_add_test(test, without_options_nothing_happens);
    tcase_add_test(test, cuts_and_stalls_come_behind_their_events);
    tcase_add_test(test, every_way_of_damage_comes_and_damages);
    tcase_add_test(test, a_seed_draws_the_same_again);
    tcase_add_test(test, damage_ends_where_it_is_to_end);
    tcase_add_test(test, short_events_are_left_alone);
    Suite *suite = suite_create("sim_faults");
    suite_add_tcase(suite, test);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
