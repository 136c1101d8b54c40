/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_topics.h"
#include "tests/unit/sinks/kafka_kit.h"

static bool found_call, found_gap, found_tombstone;

static void look_at(const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    struct slice key = {message->key, message->key_len};
    struct slice value = {message->payload, message->len};
    received_count++;
    ck_assert_str_eq(header(message, "ce_specversion"), "1.0");
    ck_assert_str_eq(header(message, "ce_source"), "amitap://main");
    ck_assert_str_eq(header(message, "ce_time"), "2025-11-20T23:57:51.090059Z");
    ck_assert_str_eq(header(message, "ce_sequence"), "00000000000000000007");
    if (strcmp(topic, "amitap.call-events") == 0) {
        found_call = true;
        ck_assert(slice_is(key, "main/1763683070.1"));
        ck_assert(slice_starts(value, SLICE("{\"kind\":\"call_started\"")));
        ck_assert_str_eq(header(message, "ce_type"), "amitap.call_started.v0");
        ck_assert_str_eq(header(message, "ce_id"), "call_started/1763683071.1");
        ck_assert_str_eq(header(message, "ce_subject"), "1763683071.1");
        ck_assert_str_eq(header(message, "content-type"), "application/json");
    } else if (strcmp(topic, "amitap.tap") == 0) {
        found_gap = true;
        ck_assert(slice_is(key, "main"));
    } else {
        found_tombstone = true;
        ck_assert_str_eq(topic, "amitap.calls-state");
        ck_assert_ptr_null(message->payload);
        ck_assert(slice_is(key, "main/1763683070.1"));
        ck_assert_str_eq(header(message, "ce_type"), "amitap.call_state.v0");
        ck_assert_str_eq(header(message, "ce_id"), "state/2");
        ck_assert_str_eq(header(message, "content-type"), "(none)");
    }
}

START_TEST(messages_are_cloud_events)
{
    with_cluster("");
    start_sink();
    calls(1, 1);
    struct fact_head head = head_of(FACT_GAP, "main", "gap/1");
    head.key = (struct slice){0};
    fact_begin(&builder, &head);
    put_built();
    head = head_of(FACT_CALL_STATE, "1763683071.1", "state/2");
    head.flags = FACT_IS_TOMBSTONE;
    fact_begin(&builder, &head);
    put_built();
    commit_batch();
    wait_settled();
    stop_sink();
    consume(look_at, 3);
    ck_assert_uint_eq(received_count, 3);
    ck_assert(found_call && found_gap && found_tombstone);
}
END_TEST

/* Errors that a cluster gives while it moves partitions about. */
START_TEST(order_holds_when_requests_fail)
{
    with_cluster("");
    start_sink();
    publish(500);
    rd_kafka_mock_push_request_errors(
        cluster, PRODUCE, 8, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NO_ERROR,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR__TRANSPORT);
    for (int i = 0; i < 10; i++)
        publish(200);
    wait_settled();
    ck_assert_uint_eq(outbox_cursor_get(outbox, 0), outbox_committed(outbox));
    stop_sink();
    check_received(0);
}
END_TEST

START_TEST(goes_on_where_it_was_stopped)
{
    with_cluster("");
    start_sink();
    publish(300);
    wait_settled();
    rd_kafka_mock_broker_set_down(cluster, 1);
    publish(300);
    pause_ms(200);
    stop_sink();
    open_sink();
    ck_assert_uint_eq(outbox_cursor_get(outbox, 0), 300);
    publish(300);
    rd_kafka_mock_broker_set_up(cluster, 1);
    ck_assert_int_eq(kafka_start(kafka), 0);
    wait_settled();
    stop_sink();
    ck_assert_uint_eq(check_received(0), 0);
}
END_TEST

START_TEST(publishes_what_was_committed_last_before_it_stops)
{
    with_cluster("");
    start_sink();
    publish(1);
    wait_settled();
    publish(3000);
    stop_sink();
    ck_assert_uint_eq(check_received(0), 0);
    struct outbox_options options = {.path = in_directory("out")};
    outbox = outbox_open(&options, error, sizeof(error));
    outbox_free(outbox);
    ck_assert_int_eq(ask_long(in_directory("out"), "SELECT count(*) FROM facts"), 0);
}
END_TEST

/* One partition has no leader: what lies behind it is acknowledged, and the cursor waits. */
START_TEST(cursor_does_not_jump_over_a_gap)
{
    with_cluster("");
    start_sink();
    publish(KEYS);
    wait_settled();
    rd_kafka_mock_partition_set_leader(cluster, "amitap.call-events", 2, -1);
    publish(KEYS * 10);
    uint64_t acked = 0;
    for (int i = 0; i < 300 && acked < KEYS + 50; i++) {
        acked = kafka_stats(kafka).acked;
        pause_ms(10);
    }
    ck_assert_uint_ge(acked, KEYS + 50);
    pause_ms(200);
    uint64_t cursor = outbox_cursor_get(outbox, 0);
    ck_assert_uint_ge(cursor, KEYS);
    ck_assert_uint_lt(cursor, 2 * KEYS);
    rd_kafka_mock_partition_set_leader(cluster, "amitap.call-events", 2, 1);
    wait_settled();
    ck_assert_uint_eq(outbox_cursor_get(outbox, 0), KEYS * 11);
    stop_sink();
    check_received(0);
}
END_TEST

START_TEST(stated_partitions_fit)
{
    make_topics(3);
    configure(rd_kafka_mock_cluster_bootstraps(cluster), "partitions = 3");
    start_sink();
    publish(10);
    wait_settled();
    stop_sink();
}
END_TEST

/* The bound of the window holds: what the producer has is never more. */
START_TEST(hands_over_no_more_than_the_window)
{
    with_cluster("");
    start_sink();
    publish(100);
    wait_settled();
    rd_kafka_mock_broker_set_down(cluster, 1);
    publish(19000);
    pause_ms(500);
    ck_assert_uint_gt(kafka_stats(kafka).in_flight, 10000);
    ck_assert_uint_le(kafka_stats(kafka).in_flight, 16384);
    rd_kafka_mock_broker_set_up(cluster, 1);
    wait_settled();
    stop_sink();
    check_received(0);
}
END_TEST

/* A queue of librdkafka's that the configuration made small only slows things down. */
START_TEST(a_full_queue_is_no_fault)
{
    with_cluster("properties = { \"queue.buffering.max.messages=10\" }");
    start_sink();
    publish(300);
    wait_settled();
    ck_assert_uint_eq(kafka_stats(kafka).restarted, 0);
    stop_sink();
    ck_assert_uint_eq(check_received(0), 0);
}
END_TEST

START_TEST(every_kind_has_its_topic)
{
    configure("127.0.0.1:1", "topic_prefix = \"x.\"");
    struct kafka_topics topics = kafka_topics_from(config_section(config, CONFIG_KAFKA));
    for (unsigned kind = 0; kind < FACT_KIND_COUNT; kind++) {
        const struct fact_kind_info *info = fact_kind_info((enum fact_kind)kind);
        enum kafka_topic_id id = kafka_topic_of((enum fact_kind)kind);
        ck_assert_msg(id < KAFKA_TOPIC_COUNT, "%s", info->kind);
        ck_assert_str_eq(topics.topic[id].name + 2, info->topic);
        ck_assert_str_eq(topics.topic[id].policy, info->state ? "compact" : "delete");
        ck_assert_int_eq(topics.topic[id].partitions, info->key == FACT_KEY_PBX ? 1 : 6);
    }
    ck_assert_int_eq(topics.replication, -1);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("kafka");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, messages_are_cloud_events);
    tcase_add_test(tcase, order_holds_when_requests_fail);
    tcase_add_test(tcase, goes_on_where_it_was_stopped);
    tcase_add_test(tcase, publishes_what_was_committed_last_before_it_stops);
    tcase_add_test(tcase, cursor_does_not_jump_over_a_gap);
    tcase_add_test(tcase, stated_partitions_fit);
    tcase_add_test(tcase, hands_over_no_more_than_the_window);
    tcase_add_test(tcase, a_full_queue_is_no_fault);
    tcase_add_test(tcase, every_kind_has_its_topic);
    return kit_run(tcase, "kafka");
}
