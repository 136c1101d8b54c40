/* SPDX-License-Identifier: MIT */
#include "tests/unit/sinks/kafka_kit.h"

/* Records that Kafka refuses for good. */

START_TEST(buries_what_is_too_large)
{
    with_cluster("properties = { \"message.max.bytes=20000\" }");
    atomic_store(&bury_works, false);
    start_sink();
    buf_clear(&batch);
    for (int i = 0; i < 100; i++) {
        ++published;
        put_numbered(published, published == 50 ? 100000 : 10);
    }
    commit_batch();
    for (int i = 0; i < 500 && !atomic_load(&buried_asked); i++)
        pause_ms(10);
    pause_ms(300);
    ck_assert_uint_eq(outbox_cursor_get(outbox, 0), 49);
    atomic_store(&bury_works, true);
    wait_settled();
    ck_assert_uint_eq(atomic_load(&buried_count), 1);
    ck_assert_uint_eq(buried[0], 50);
    ck_assert_str_eq(buried_reason, rd_kafka_err2str(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
    ck_assert_uint_eq(kafka_stats(kafka).refused, 1);
    stop_sink();
    check_received(50);
}
END_TEST

/* The cluster refuses a request of many records: each goes alone, and the one that is refused
 * again is at fault. */
START_TEST(finds_the_record_that_the_cluster_refuses)
{
    make_topics(1);
    configure(rd_kafka_mock_cluster_bootstraps(cluster),
              "partitions = 1\n properties = { \"linger.ms=100\" }");
    start_sink();
    publish(100);
    wait_settled();
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    publish(100);
    wait_settled();
    ck_assert_uint_eq(atomic_load(&buried_count), 1);
    ck_assert_uint_gt(buried[0], 100);
    publish(1000);
    wait_settled();
    ck_assert_uint_eq(atomic_load(&buried_count), 1);
    stop_sink();
    check_received(buried[0]);
}
END_TEST

START_TEST(a_record_of_tomorrow_is_buried)
{
    with_cluster("");
    open_sink();
    publish(3);
    ask(in_directory("out"), "UPDATE facts SET kind = 'of_tomorrow' WHERE seq = 2");
    ck_assert_int_eq(kafka_start(kafka), 0);
    wait_settled();
    ck_assert_uint_eq(buried[0], 2);
    ck_assert_str_eq(buried_reason, "unknown kind");
    stop_sink();
    check_received(2);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("kafka_refusals");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, buries_what_is_too_large);
    tcase_add_test(tcase, finds_the_record_that_the_cluster_refuses);
    tcase_add_test(tcase, a_record_of_tomorrow_is_buried);
    return kit_run(tcase, "kafka_refusals");
}
