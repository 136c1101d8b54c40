/* SPDX-License-Identifier: MIT */
#include "tests/unit/sinks/kafka_kit.h"

#define ROUNDS     60
#define PARTITIONS 6

/* Every partition goes on to another broker. Returns how many went. */
static unsigned move_leaders(int round)
{
    for (int p = 0; p < PARTITIONS; p++)
        rd_kafka_mock_partition_set_leader(cluster, "amitap.call-events", p,
                                           1 + (round + p) % broker_count);
    return PARTITIONS;
}

START_TEST(order_holds_when_leaders_change)
{
    unsigned moved = 0;
    with_cluster("");
    start_sink();
    wait_publishing();
    for (int round = 0; round < ROUNDS; round++) {
        publish(50);
        moved += move_leaders(round);
        pause_ms(20);
    }
    wait_settled();
    stop_sink();
    note_fault("Kafka partitions changing leaders", moved, check_received(0));
}
END_TEST

START_TEST(order_holds_when_producers_fail_meanwhile)
{
    unsigned broken = 0;
    with_cluster("");
    start_sink();
    wait_publishing();
    for (int round = 0; round < ROUNDS; round++) {
        publish(50);
        move_leaders(round);
        if (round % 15 == 7) {
            kafka_break(kafka);
            broken++;
        }
        pause_ms(20);
    }
    wait_settled();
    stop_sink();
    note_fault("Kafka producers with a fatal error", broken, check_received(0));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("kafka_leaders");
    broker_count = 3;
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, order_holds_when_leaders_change);
    tcase_add_test(tcase, order_holds_when_producers_fail_meanwhile);
    return kit_run(tcase, "kafka_leaders");
}
