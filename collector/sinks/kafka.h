/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_KAFKA_H
#define COLLECTOR_SINKS_KAFKA_H

#include "collector/base/clock.h"
#include "collector/config/config.h"
#include "collector/outbox/outbox.h"

/* The Kafka sink: publishes committed records from the outbox, in its order, at least once. Its
 * cursor there is moved by delivery reports, over records that were acknowledged without a gap.
 * When its producer fails for good it goes on with another one behind the cursor. While the cluster
 * is away, or its topics do not fit, the records wait in the outbox, up to the configuration's
 * backlog_max, backlog_mib and backlog_days; past them the outbox gives up those of the least worth
 * (limits.h), but for what the producer already has, a window's worth at most. */
struct kafka;

/* Keeps row seq of the outbox for good as one that Kafka refuses; to be asked again until it says
 * true. Never waits. Called by the sink's thread. */
typedef bool kafka_bury_fn(void *ctx, uint64_t seq, const char *reason);

struct kafka_options {
    const struct config_section *section; /* the configuration's kafka section; outlives the sink */
    struct outbox *outbox;
    const struct clock *clock;
    struct privacy *policy; /* NULL: in clear; outlives the outbox's writer */
    kafka_bury_fn *bury;
    void *ctx;
};

struct kafka_stats {
    uint64_t acked;   /* delivery reports of records that arrived */
    uint64_t doubted; /* of records that are called delivered without a place of their own there */
    uint64_t refused; /* records that Kafka refuses for good, buried */
    uint64_t restarted; /* producers after the first one */
    uint64_t doubles;   /* records handed to a producer again: each may have arrived twice */
    uint64_t given_up[FACT_WORTH_COUNT]; /* records that waited in too large a number or too long */
    uint64_t waiting;                    /* records committed and not settled */
    uint64_t in_flight;                  /* of these, with the producer */
    uint64_t oldest_age; /* of those that wait, microseconds, as of the last second */
    bool publishing;     /* the cluster is there and its topics fit */
};

/* Registers with the outbox as a sink; before the writer starts. Connects to nothing yet. NULL with
 * one line in error: a configuration that cannot be used. */
struct kafka *kafka_open(const struct kafka_options *options, char *error, size_t error_size);

/* Starts the thread. 0, or -1. */
int kafka_start(struct kafka *k);

/* Lets the thread publish what is committed, for some seconds at most and not at all while the
 * cluster is away, and ends it; what is not acknowledged stays in the outbox. To be called after
 * writer_stop, while bury still works, and before outbox_free. NULL is allowed. */
void kafka_stop(struct kafka *k);

/* Any thread. */
struct kafka_stats kafka_stats(struct kafka *k);

/* For tests, any thread: the producer meets a fatal error, as after an
 * OUT_OF_ORDER_SEQUENCE_NUMBER. */
void kafka_break(struct kafka *k);

#endif
