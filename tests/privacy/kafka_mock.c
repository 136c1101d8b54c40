/* SPDX-License-Identifier: MIT */
/* kafka_mock OUT: librdkafka's mock cluster with amitap's topics; prints its address. At a line on
 * stdin it writes every byte of every record to OUT (topic, key, headers and value, a line each),
 * prints how many there were, and ends. */
#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARTITIONS 6
#define QUIET_MS   700

/* The mock cluster sometimes sleeps through a request for up to a second: knocking wakes it. */
static void *knock(void *arg)
{
    const char *port = strchr(rd_kafka_mock_cluster_bootstraps(arg), ':') + 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof(address));
        close(fd);
        usleep(20000);
    }
    return NULL;
}

static rd_kafka_t *consumer_new(const char *brokers)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);
#define TOPIC(id, name, partitions, policy)                                                        \
    for (int p = 0; p < ((partitions) == 1 ? 1 : PARTITIONS); p++)                                 \
        rd_kafka_topic_partition_list_add(list, "amitap." name, p)->offset =                       \
            RD_KAFKA_OFFSET_BEGINNING;
#include "schemas/topics.def"
#undef TOPIC
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rk;
}

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
    pthread_t thread;
    if (argc != 2)
        return 2;
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof(text));
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    const char *brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    FILE *out = fopen(argv[1], "wb");
    if (!out || pthread_create(&thread, NULL, knock, cluster) != 0)
        return 1;
    pthread_detach(thread);
#define TOPIC(id, name, partitions, policy)                                                        \
    rd_kafka_mock_topic_create(cluster, "amitap." name, (partitions) == 1 ? 1 : PARTITIONS, 1);
#include "schemas/topics.def"
#undef TOPIC
    printf("%s\n", brokers);
    fflush(stdout);
    if (!fgets(text, sizeof(text), stdin))
        return 0;
    rd_kafka_t *rk = consumer_new(brokers);
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
