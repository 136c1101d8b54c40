/* SPDX-License-Identifier: MIT */
#include "tests/unit/sinks/kafka_kit.h"

/* What librdkafka reports as delivered, and what is. */

/* The first request of a producer is refused, as by a broker that does not lead the partition yet,
 * and the next ones are taken: a broker that knows nothing of a producer takes any sequence number
 * as its first. librdkafka 2.0.2 then counts the refused record as delivered, too. */
START_TEST(a_refused_first_request_is_not_delivered_by_the_next)
{
    make_topics(1);
    configure(rd_kafka_mock_cluster_bootstraps(cluster),
              "partitions = 1\n properties = { \"linger.ms=0\" }");
    start_sink();
    wait_publishing();
    rd_kafka_mock_broker_set_rtt(cluster, 1, 200);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (int i = 0; i < 10; i++) {
        publish(1);
        pause_ms(10);
    }
    rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    wait_settled();
    /* Nor does it go again behind those. */
    ck_assert_uint_eq(kafka_stats(kafka).restarted, 0);
    stop_sink();
    check_received(0);
}
END_TEST

/* A cluster that takes a record for one it has: librdkafka counts it as delivered, without an
 * offset. It is one record, since this cluster, unlike Kafka, would take the next request. */
START_TEST(what_is_called_a_duplicate_goes_again)
{
    with_cluster("");
    start_sink();
    publish(100);
    wait_settled();
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER);
    publish(1);
    wait_settled();
    ck_assert_uint_eq(kafka_stats(kafka).doubted, 1);
    stop_sink();
    check_received(0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("kafka_acks");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_refused_first_request_is_not_delivered_by_the_next);
    tcase_add_test(tcase, what_is_called_a_duplicate_goes_again);
    return kit_run(tcase, "kafka_acks");
}
