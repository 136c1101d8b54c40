/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_producer.h"

#include <stdio.h>

/* For the reports of what was dropped; nothing is asked of the network any more. */
#define PURGE_MS   500
#define ERROR_SIZE 512

static void on_event(rd_kafka_t *rk, void *ctx)
{
    struct kafka_producer *p = ctx;
    (void)rk;
    p->options.wake(p->options.ctx);
}

bool kafka_producer_start(struct kafka_producer *p, const struct kafka_producer_options *options,
                          char *error, size_t error_size)
{
    char reason[ERROR_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(options->conf);
    if (options->careful) {
        rd_kafka_conf_set(conf, "batch.num.messages", "1", reason, sizeof(reason));
        rd_kafka_conf_set(conf, "linger.ms", "0", reason, sizeof(reason));
    }
    *p = (struct kafka_producer){.options = *options};
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (!p->rk) {
        snprintf(error, error_size, "kafka: %s", reason);
        rd_kafka_conf_destroy(conf);
        return false;
    }
    p->queue = rd_kafka_queue_get_main(p->rk);
    rd_kafka_queue_cb_event_enable(p->queue, on_event, p);
    return true;
}

bool kafka_producer_open_topics(struct kafka_producer *p, const struct kafka_topics *topics)
{
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
        struct kafka_partitions *partitions = &p->partitions[i];
        if (p->topics[i])
            continue;
        if (!partitions->at && !kafka_partitions_init(partitions, topics->topic[i].partitions))
            return false;
        rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(p->rk);
        rd_kafka_topic_conf_set_opaque(conf, partitions);
        p->topics[i] = rd_kafka_topic_new(p->rk, topics->topic[i].name, conf);
        if (!p->topics[i]) {
            rd_kafka_topic_conf_destroy(conf);
            return false;
        }
    }
    return true;
}

static void close_topics(struct kafka_producer *p)
{
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
        if (p->topics[i])
            rd_kafka_topic_destroy(p->topics[i]);
    }
}

static void free_partitions(struct kafka_producer *p)
{
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++)
        kafka_partitions_free(&p->partitions[i]);
}

void kafka_producer_stop(struct kafka_producer *p, int flush_ms)
{
    if (!p->rk)
        return;
    if (flush_ms <= 0 || rd_kafka_flush(p->rk, flush_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(p->rk, PURGE_MS);
    }
    rd_kafka_queue_cb_event_enable(p->queue, NULL, NULL);
    rd_kafka_queue_destroy(p->queue);
    close_topics(p);
    rd_kafka_destroy(p->rk);
    free_partitions(p);
    p->rk = NULL;
}
