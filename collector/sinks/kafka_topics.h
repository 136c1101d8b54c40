/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_KAFKA_TOPICS_H
#define COLLECTOR_SINKS_KAFKA_TOPICS_H

#include "collector/base/buf.h"
#include "collector/config/config.h"
#include "collector/facts/fact.h"
#include <librdkafka/rdkafka.h>

/* The topics of schemas/topics.def, as the cluster has them and as they should be. */

enum kafka_topic_id {
#define TOPIC(id, name, partitions, policy) KAFKA_TOPIC_##id,
#include "schemas/topics.def"
#undef TOPIC
    KAFKA_TOPIC_COUNT
};

#define KAFKA_TOPIC_NAME_SIZE 250

struct kafka_topic {
    char name[KAFKA_TOPIC_NAME_SIZE]; /* with the prefix */
    int partitions;
    const char *policy; /* cleanup.policy */
};

struct kafka_topics {
    struct kafka_topic topic[KAFKA_TOPIC_COUNT];
    int replication; /* -1: as the cluster wants it */
};

/* The topics as the configuration's kafka section states them. */
struct kafka_topics kafka_topics_from(const struct config_section *kafka);

/* The topic of a kind. */
enum kafka_topic_id kafka_topic_of(enum fact_kind kind);

enum kafka_topics_answer {
    KAFKA_TOPICS_FIT,
    KAFKA_TOPICS_MADE,   /* some were missing and have been made, text lists them: ask again */
    KAFKA_TOPICS_UNFIT,  /* somebody has to change them: a line for each fault in text */
    KAFKA_TOPICS_UNKNOWN /* the cluster did not answer: the reason in text */
};

/* Asks the cluster for the topics and makes those that are missing. Waits for each of its three
 * questions up to timeout_ms. text is emptied first; with KAFKA_TOPICS_FIT it may hold a line of
 * what could not be checked. */
enum kafka_topics_answer kafka_topics_check(rd_kafka_t *rk, const struct kafka_topics *topics,
                                            int timeout_ms, struct buf *text);

#endif
