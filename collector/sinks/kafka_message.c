/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_message.h"

#include "collector/base/crash_point.h"
#include <inttypes.h>
#include <stdio.h>

/* Headers' names, and what librdkafka keeps for a message beside its bytes. */
#define OVERHEAD 512
/* "amitap://" and a PBX's name, which the configuration bounds (config_scan.h). */
#define SOURCE_SIZE 128

size_t kafka_message_bytes(const struct outbox_row *row)
{
    return OVERHEAD + row->body.n + 2 * row->head.pbx.n + row->head.key.n + row->head.id.n +
           row->head.subject.n;
}

static void add(rd_kafka_headers_t *headers, const char *name, struct slice value)
{
    rd_kafka_header_add(headers, name, -1, value.n ? value.p : "", (ssize_t)value.n);
}

/* The attributes. What has no value has no content type either. */
static rd_kafka_headers_t *headers_of(const struct outbox_row *row)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(9);
    char time[TIME_TEXT_SIZE];
    char sequence[32];
    char source[SOURCE_SIZE];
    time_text(row->head.time, time);
    snprintf(sequence, sizeof(sequence), "%020" PRIu64, row->head.sequence);
    snprintf(source, sizeof(source), "amitap://%.*s", (int)row->head.pbx.n, row->head.pbx.p);
    add(headers, "ce_specversion", SLICE("1.0"));
    add(headers, "ce_id", row->head.id);
    add(headers, "ce_source", slice_from(source));
    add(headers, "ce_type", slice_from(fact_kind_info(row->head.kind)->ce_type));
    add(headers, "ce_time", slice_from(time));
    add(headers, "ce_subject", row->head.subject);
    add(headers, "ce_sequence", slice_from(sequence));
    if (row->body.p)
        add(headers, "content-type", SLICE("application/json"));
    return headers;
}

struct slice kafka_message_key(const struct outbox_row *row, struct buf *key)
{
    buf_clear(key);
    buf_put_slice(key, row->head.pbx);
    if (row->head.key.n) {
        buf_put_char(key, '/');
        buf_put_slice(key, row->head.key);
    }
    return buf_slice(key);
}

rd_kafka_resp_err_t kafka_message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                          const struct outbox_row *row, struct slice key,
                                          void *opaque)
{
    rd_kafka_headers_t *headers = headers_of(row);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key.p, key.n), RD_KAFKA_V_VALUE((void *)(uintptr_t)row->body.p, row->body.n),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    if (err)
        rd_kafka_headers_destroy(headers);
    crash_point("produced");
    return err;
}
