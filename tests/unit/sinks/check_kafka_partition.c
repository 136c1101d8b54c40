/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_partition.h"

#include "tests/unit/outbox/store_fixture.h"

#define HOUR INT64_C(3600000000)

static struct kafka_partitions partitions;
static struct kafka_partition *partition;

static void setup(void)
{
    ck_assert(kafka_partitions_init(&partitions, 6));
    partition = kafka_partitions_of(&partitions, SLICE("main/call-1"));
}

static void teardown(void)
{
    kafka_partitions_free(&partitions);
}

/* What a delivery report says of the record at that offset. */
static bool has_place(int64_t offset, int64_t now)
{
    rd_kafka_message_t message = {.partition = (int32_t)(partition - partitions.at),
                                  .offset = offset};
    return kafka_partitions_have(&partitions, &message, now);
}

static void acknowledge(int64_t offset, int64_t now)
{
    kafka_partition_reported(partition);
    ck_assert(has_place(offset, now));
}

START_TEST(the_first_record_goes_alone)
{
    ck_assert(kafka_partition_takes(partition, 1, 0));
    kafka_partition_handed(partition, 1);
    ck_assert(!kafka_partition_takes(partition, 1, 0));
    ck_assert(!kafka_partition_takes(partition, 2, 0));
    acknowledge(0, 0);
    ck_assert(kafka_partition_takes(partition, 3, 0));
}
END_TEST

START_TEST(the_first_record_goes_alone_until_it_has_a_place)
{
    kafka_partition_handed(partition, 1);
    kafka_partition_reported(partition);
    kafka_partition_handed(partition, 2);
    ck_assert(!kafka_partition_takes(partition, 2, 0));
}
END_TEST

START_TEST(those_of_a_turn_go_together)
{
    kafka_partition_handed(partition, 1);
    acknowledge(0, 0);
    kafka_partition_handed(partition, 2);
    ck_assert(kafka_partition_takes(partition, 2, 0));
    kafka_partition_handed(partition, 2);
    ck_assert(!kafka_partition_takes(partition, 3, 0));
    acknowledge(1, 0);
    ck_assert(!kafka_partition_takes(partition, 3, 0));
    acknowledge(2, 0);
    ck_assert(kafka_partition_takes(partition, 3, 0));
}
END_TEST

START_TEST(a_producer_that_was_silent_for_an_hour_may_be_forgotten)
{
    kafka_partition_handed(partition, 1);
    acknowledge(0, 0);
    kafka_partition_handed(partition, 2);
    ck_assert(kafka_partition_takes(partition, 2, HOUR - 1));
    ck_assert(!kafka_partition_takes(partition, 2, HOUR));
}
END_TEST

START_TEST(partitions_go_by_themselves)
{
    struct kafka_partition *other = partition;
    for (char n = '2'; other == partition; n++) {
        char key[] = {'m', 'a', 'i', 'n', '/', 'c', 'a', 'l', 'l', '-', n};
        other = kafka_partitions_of(&partitions, (struct slice){key, sizeof(key)});
    }
    kafka_partition_handed(partition, 1);
    ck_assert(kafka_partition_takes(other, 1, 0));
}
END_TEST

START_TEST(each_record_has_a_place_of_its_own)
{
    ck_assert(!has_place(-1, 0));
    ck_assert(has_place(7, 0));
    ck_assert(!has_place(7, 0));
    ck_assert(!has_place(3, 0));
    ck_assert(has_place(8, 0));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("kafka_partition");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_first_record_goes_alone);
    tcase_add_test(tcase, the_first_record_goes_alone_until_it_has_a_place);
    tcase_add_test(tcase, those_of_a_turn_go_together);
    tcase_add_test(tcase, a_producer_that_was_silent_for_an_hour_may_be_forgotten);
    tcase_add_test(tcase, partitions_go_by_themselves);
    tcase_add_test(tcase, each_record_has_a_place_of_its_own);
    return run_suite(tcase, "kafka_partition");
}
