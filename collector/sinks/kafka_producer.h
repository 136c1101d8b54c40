/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_KAFKA_PRODUCER_H
#define COLLECTOR_SINKS_KAFKA_PRODUCER_H

#include "collector/sinks/kafka_partition.h"
#include "collector/sinks/kafka_topics.h"

typedef void kafka_wake_fn(void *ctx);

struct kafka_producer_options {
    const rd_kafka_conf_t *conf; /* with the callbacks; copied */
    bool careful;                /* one message in a request, and at once */
    kafka_wake_fn *wake;         /* called by any thread when there is something to poll */
    void *ctx;
};

/* One life of a producer: librdkafka's instance and its topics. */
struct kafka_producer {
    rd_kafka_t *rk; /* NULL: there is none */
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *topics[KAFKA_TOPIC_COUNT];
    struct kafka_partitions partitions[KAFKA_TOPIC_COUNT]; /* each is its topic's opaque */
    struct kafka_producer_options options;
};

/* Starts a producer where there is none; it must not move until it is stopped. False with one line
 * in error. */
bool kafka_producer_start(struct kafka_producer *p, const struct kafka_producer_options *options,
                          char *error, size_t error_size);

/* Opens the topics, which must be there. False when memory is short. */
bool kafka_producer_open_topics(struct kafka_producer *p, const struct kafka_topics *topics);

/* Ends the producer: waits up to flush_ms for what is under way, drops the rest. Calls the
 * callbacks for what came until then, and none afterwards. */
void kafka_producer_stop(struct kafka_producer *p, int flush_ms);

#endif
