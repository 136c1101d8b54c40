/* SPDX-License-Identifier: MIT */
#include "collector/base/metrics.h"
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether the text holds exactly this line. */
static bool has_line(const char *line)
{
    struct buf text = buf_new((size_t)4 << 20);
    char wanted[512];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    ck_assert(metrics_text(&text) && buf_put_char(&text, '\0'));
    bool there = strstr(text.p, wanted) != NULL;
    buf_free(&text);
    return there;
}

START_TEST(shows_only_what_was_made)
{
    ck_assert(!has_line("# TYPE amitap_up gauge"));
    metrics_line(METRIC_UP, "main", NULL);
    ck_assert(has_line("# TYPE amitap_up gauge"));
    ck_assert(has_line("amitap_up{pbx=\"main\"} 0"));
}
END_TEST

START_TEST(finds_a_line_again)
{
    struct metric_line *gaps = metrics_line(METRIC_GAPS, "main", "restart");
    ck_assert_ptr_eq(metrics_line(METRIC_GAPS, "main", "restart"), gaps);
    ck_assert_ptr_ne(metrics_line(METRIC_GAPS, "main", "overflow"), gaps);
    ck_assert_ptr_ne(metrics_line(METRIC_GAPS, "other", "restart"), gaps);
    metrics_add(gaps, 2);
    metrics_add(gaps, 1);
    ck_assert(has_line("amitap_gaps_total{pbx=\"main\",reason=\"restart\"} 3"));
    ck_assert(has_line("amitap_gaps_total{pbx=\"main\",reason=\"overflow\"} 0"));
}
END_TEST

START_TEST(escapes_values)
{
    metrics_set(metrics_line(METRIC_UP, "a \"b\" \\ c\nd", NULL), 1);
    ck_assert(has_line("amitap_up{pbx=\"a \\\"b\\\" \\\\ c\\nd\"} 1"));
}
END_TEST

START_TEST(shows_microseconds_as_seconds)
{
    metrics_set(metrics_line(METRIC_AMI_LAST_EVENT, "main", NULL), 1795219341000087);
    ck_assert(has_line("amitap_ami_last_event_timestamp_seconds{pbx=\"main\"} 1795219341.000087"));
    metrics_set(metrics_line(METRIC_AMI_LAST_EVENT, "main", NULL), -51);
    ck_assert(has_line("amitap_ami_last_event_timestamp_seconds{pbx=\"main\"} -0.000051"));
    metrics_set(metrics_line(METRIC_AMI_LAST_EVENT, "main", NULL), -2500000);
    ck_assert(has_line("amitap_ami_last_event_timestamp_seconds{pbx=\"main\"} -2.500000"));
}
END_TEST

START_TEST(keeps_the_largest)
{
    struct metric_line *longest = metrics_line(METRIC_LOOP_TURN_LONGEST, NULL, NULL);
    metrics_max(longest, 20000);
    metrics_max(longest, 10000);
    ck_assert(has_line("amitap_loop_turn_longest_seconds 0.020000"));
}
END_TEST

START_TEST(counts_in_buckets)
{
    struct metric_line *turns = metrics_line(METRIC_LOOP_TURN, NULL, NULL);
    metrics_observe(turns, 20000);
    metrics_observe(turns, 20001);
    metrics_observe(turns, 70000000);
    ck_assert(has_line("amitap_loop_turn_seconds_bucket{le=\"0.01\"} 0"));
    ck_assert(has_line("amitap_loop_turn_seconds_bucket{le=\"0.02\"} 1"));
    ck_assert(has_line("amitap_loop_turn_seconds_bucket{le=\"0.05\"} 2"));
    ck_assert(has_line("amitap_loop_turn_seconds_bucket{le=\"60\"} 2"));
    ck_assert(has_line("amitap_loop_turn_seconds_bucket{le=\"+Inf\"} 3"));
    ck_assert(has_line("amitap_loop_turn_seconds_sum 70.040001"));
    ck_assert(has_line("amitap_loop_turn_seconds_count 3"));
}
END_TEST

START_TEST(puts_too_many_into_one)
{
    char name[32];
    for (unsigned i = 0; i < METRICS_LINES_MAX + 50; i++) {
        snprintf(name, sizeof name, "pbx%u", i);
        metrics_add(metrics_line(METRIC_CALLS, name, NULL), 1);
    }
    ck_assert(has_line("amitap_calls{pbx=\"pbx999\"} 1"));
    ck_assert(!has_line("amitap_calls{pbx=\"pbx1000\"} 1"));
    ck_assert(has_line("amitap_calls{pbx=\"other\"} 50"));
}
END_TEST

static void *count(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 20000; i++)
        metrics_add(metrics_line(METRIC_AMI_EVENTS, "main", i % 2 ? "read" : "skipped"), 1);
    return NULL;
}

START_TEST(counts_from_several_threads)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert(has_line("amitap_ami_events_total{pbx=\"main\",class=\"read\"} 40000"));
    ck_assert(has_line("amitap_ami_events_total{pbx=\"main\",class=\"skipped\"} 40000"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("metrics");
    tcase_add_test(tests, shows_only_what_was_made);
    tcase_add_test(tests, finds_a_line_again);
    tcase_add_test(tests, escapes_values);
    tcase_add_test(tests, shows_microseconds_as_seconds);
    tcase_add_test(tests, keeps_the_largest);
    tcase_add_test(tests, counts_in_buckets);
    tcase_add_test(tests, puts_too_many_into_one);
    tcase_add_test(tests, counts_from_several_threads);
    Suite *suite = suite_create("metrics");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
