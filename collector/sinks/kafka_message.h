/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_KAFKA_MESSAGE_H
#define COLLECTOR_SINKS_KAFKA_MESSAGE_H

#include "collector/outbox/outbox_reader.h"
#include <librdkafka/rdkafka.h>

/* A record as a message: CloudEvents 1.0 in the Kafka binding's binary mode; the value is its JSON,
 * none for a tombstone. */

/* The message's key: "<pbx>/<key>", or "<pbx>" where the record has none. It is written into key,
 * in place of what stood there, and borrowed from it. */
struct slice kafka_message_key(const struct outbox_row *row, struct buf *key);

/* Hands the record to the producer under this key; it copies both. opaque comes back with its
 * delivery report. The row's kind must be known. What rd_kafka_producev says. */
rd_kafka_resp_err_t kafka_message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                          const struct outbox_row *row, struct slice key,
                                          void *opaque);

/* About how many bytes the message takes. */
size_t kafka_message_bytes(const struct outbox_row *row);

#endif
