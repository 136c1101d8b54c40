/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_KAFKA_PARTITION_H
#define COLLECTOR_SINKS_KAFKA_PARTITION_H

#include "parsers/slice.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

/* What a producer may hand over for a partition, so that no record overtakes one that is refused.
 *
 * A broker checks the sequence of a producer's requests only once it knows the producer in that
 * partition: its first request there may have any number. librdkafka 2.0.2 may send a later request
 * before it tries a refused one again: it is under way already, or the thread of the partition's
 * new leader finds nothing under way before the refused records are back in their queue. It would
 * then also count the refused ones as delivered (rd_kafka_dr_implicit_ack). So a partition's first
 * record goes alone. Later ones go turn by turn: those of one turn together, those of the next when
 * all of them are reported; a broker that knows the producer refuses what comes out of sequence. */

struct kafka_partition {
    int64_t next;     /* the offset that is expected next, at least; 0: nothing was acknowledged */
    int64_t acked_at; /* microseconds, monotonic */
    uint64_t turn;    /* in which the last record was handed over */
    unsigned waiting; /* records that were handed over and not reported yet */
};

/* Those of one topic. */
struct kafka_partitions {
    struct kafka_partition *at;
    int count;
};

/* False when memory is short. */
bool kafka_partitions_init(struct kafka_partitions *p, int count);
void kafka_partitions_free(struct kafka_partitions *p);

/* The partition that the producer's partitioner (murmur2_random) chooses for a key. */
struct kafka_partition *kafka_partitions_of(const struct kafka_partitions *p, struct slice key);

/* Whether a record may be handed over in this turn; now is monotonic. */
bool kafka_partition_takes(const struct kafka_partition *p, uint64_t turn, int64_t now);
/* It was. */
void kafka_partition_handed(struct kafka_partition *p, uint64_t turn);
/* What became of it was reported. */
void kafka_partition_reported(struct kafka_partition *p);

/* Whether a message of a delivery report has a place of its own in its partition's log: an offset,
 * and behind all that this producer was told of before. To be asked once for each report, in the
 * order of their coming. */
bool kafka_partitions_have(struct kafka_partitions *p, const rd_kafka_message_t *message,
                           int64_t now);

#endif
