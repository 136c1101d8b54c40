/* SPDX-License-Identifier: MIT */
#include "tests/unit/sinks/kafka_kit.h"

#define RESTART_STEPS 1000 /* of 10 ms */

/* A break while a new producer is being made would be the same one. */
static void wait_restarted(uint64_t times)
{
    for (int i = 0; i < RESTART_STEPS && kafka_stats(kafka).restarted < times; i++)
        pause_ms(10);
    ck_assert_uint_ge(kafka_stats(kafka).restarted, times);
}

START_TEST(outlives_fatal_errors)
{
    with_cluster("");
    start_sink();
    for (unsigned i = 1; i <= 5; i++) {
        publish(1000);
        kafka_break(kafka);
        publish(500);
        wait_restarted(i);
    }
    wait_settled();
    struct kafka_stats stats = kafka_stats(kafka);
    stop_sink();
    ck_assert_uint_le(check_received(0), stats.doubles);
}
END_TEST

/* An error that is fatal to an idempotent producer, from the cluster itself. */
START_TEST(outlives_a_sequence_error)
{
    with_cluster("");
    start_sink();
    publish(100);
    wait_settled();
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    publish(500);
    wait_settled();
    stop_sink();
    check_received(0);
}
END_TEST

START_TEST(waits_for_a_cluster_that_is_away)
{
    with_cluster("");
    rd_kafka_mock_broker_set_down(cluster, 1);
    start_sink();
    publish(1000);
    pause_ms(1500);
    struct kafka_stats stats = kafka_stats(kafka);
    ck_assert_uint_eq(stats.waiting, 1000);
    ck_assert(!stats.publishing);
    ck_assert_uint_gt(stats.oldest_age, 0);
    rd_kafka_mock_broker_set_up(cluster, 1);
    wait_settled();
    ck_assert(kafka_stats(kafka).publishing);
    ck_assert_uint_eq(kafka_stats(kafka).oldest_age, 0);
    rd_kafka_mock_broker_set_down(cluster, 1);
    publish(1000);
    pause_ms(300);
    rd_kafka_mock_broker_set_up(cluster, 1);
    publish(1000);
    wait_settled();
    stop_sink();
    check_received(0);
}
END_TEST

START_TEST(topics_that_do_not_fit_hold_everything)
{
    make_topics(3);
    configure(rd_kafka_mock_cluster_bootstraps(cluster), "");
    start_sink();
    publish(10);
    pause_ms(1000);
    ck_assert_uint_eq(kafka_stats(kafka).waiting, 10);
    ck_assert(!kafka_stats(kafka).publishing);
    stop_sink();
    consume(receive, 0);
    ck_assert_uint_eq(received_count, 0);
}
END_TEST

static uint64_t given_up(void)
{
    struct kafka_stats stats = kafka_stats(kafka);
    uint64_t sum = 0;
    for (unsigned i = 0; i < FACT_WORTH_COUNT; i++)
        sum += stats.given_up[i];
    return sum;
}

START_TEST(gives_up_events_when_too_many_wait)
{
    with_cluster("backlog_max = 1600");
    rd_kafka_mock_broker_set_down(cluster, 1);
    start_sink();
    struct untold_span span;
    ck_assert(!outbox_untold(outbox, "main", &span));
    for (int i = 0; i < 20; i++)
        publish(100);
    for (int i = 0; i < 1000 && (kafka_stats(kafka).waiting > 1600 || given_up() < 400); i++)
        pause_ms(10);
    ck_assert_uint_eq(kafka_stats(kafka).waiting + given_up(), 2000);
    ck_assert_uint_ge(given_up(), 400);
    ck_assert_uint_eq(kafka_stats(kafka).given_up[FACT_WORTH_EVENT], given_up());
    uint64_t gone = given_up();
    ck_assert(outbox_untold(outbox, "main", &span));
    ck_assert(span.first == 1763683071090059 && span.last == span.first);
    rd_kafka_mock_broker_set_up(cluster, 1);
    wait_settled();
    stop_sink();
    consume(receive, 2000 - gone);
    ck_assert_uint_eq(received_count, 2000 - gone);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("kafka_faults");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, outlives_fatal_errors);
    tcase_add_test(tcase, outlives_a_sequence_error);
    tcase_add_test(tcase, waits_for_a_cluster_that_is_away);
    tcase_add_test(tcase, topics_that_do_not_fit_hold_everything);
    tcase_add_test(tcase, gives_up_events_when_too_many_wait);
    return kit_run(tcase, "kafka_faults");
}
