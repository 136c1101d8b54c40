/* SPDX-License-Identifier: MIT */
/* kafka_mock OUT: librdkafka's mock cluster with amitap's topics; prints its address. At a line on
 * stdin it writes every byte of every record to OUT (topic, key, headers and value, a line each),
 * prints how many there were, and ends. */
#include "tests/kit/mock_cluster.h"
#include <stdio.h>
#include <unistd.h>

#define PARTITIONS 6
#define QUIET_MS   700

static void write_record(const rd_kafka_message_t *message, FILE *out)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t n;
    fprintf(out, "%s ", rd_kafka_topic_name(message->rkt));
    fwrite(message->key, 1, message->key_len, out);
    if (!rd_kafka_message_headers(message, &headers)) {
        for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &n); i++) {
            fprintf(out, " %s=", name);
            fwrite(value, 1, n, out);
        }
    }
    fputc(' ', out);
    fwrite(message->payload, 1, message->len, out);
    fputc('\n', out);
}

int main(int argc, char **argv)
{
    char text[256];
    if (argc != 2)
        return 2;
    rd_kafka_mock_cluster_t *cluster = mock_cluster_start(1);
    FILE *out = fopen(argv[1], "wb");
    if (!cluster || !out)
        return 1;
    mock_cluster_make_topics(cluster, PARTITIONS, 1);
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    if (!fgets(text, sizeof(text), stdin))
        return 0;
    rd_kafka_t *rk = mock_cluster_consumer(cluster);
    if (!rk)
        return 1;
    unsigned long records = 0;
    for (int quiet = 0; quiet < (records ? QUIET_MS : 10 * QUIET_MS); quiet += 100) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
        if (message && !message->err) {
            write_record(message, out);
            records++;
            quiet = -100;
        }
        if (message)
            rd_kafka_message_destroy(message);
    }
    fclose(out);
    printf("%lu\n", records);
    fflush(stdout);
    _exit(0); /* a mock cluster that is knocked on ends slowly */
}
