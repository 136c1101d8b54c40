/* SPDX-License-Identifier: MIT */
#ifndef TESTS_KIT_MOCK_CLUSTER_H
#define TESTS_KIT_MOCK_CLUSTER_H

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* librdkafka's mock cluster with amitap's topics, and who consumes them. */

/* The mock cluster sometimes sleeps through a request for up to a second: knocking wakes it. */
static inline void *mock_cluster_knock(void *cluster)
{
    const char *port = strchr(rd_kafka_mock_cluster_bootstraps(cluster), ':') + 1;
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

/* A cluster of so many brokers, there until the process ends; NULL when it cannot be had. */
static inline rd_kafka_mock_cluster_t *mock_cluster_start(int brokers)
{
    char text[256];
    pthread_t thread;
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof(text));
    rd_kafka_mock_cluster_t *cluster = host ? rd_kafka_mock_cluster_new(host, brokers) : NULL;
    if (!cluster || pthread_create(&thread, NULL, mock_cluster_knock, cluster) != 0)
        return NULL;
    pthread_detach(thread);
    return cluster;
}

/* Every topic, those of several partitions with so many, each on so many brokers. */
static inline void mock_cluster_make_topics(rd_kafka_mock_cluster_t *cluster, int partitions,
                                            int brokers)
{
#define TOPIC(id, name, stated, policy)                                                            \
    rd_kafka_mock_topic_create(cluster, "amitap." name, (stated) == 1 ? 1 : partitions, brokers);
#include "schemas/topics.def"
#undef TOPIC
}

/* A consumer of every topic from its beginning on, the caller's to destroy; NULL: none can be had.
 */
static inline rd_kafka_t *mock_cluster_consumer(rd_kafka_mock_cluster_t *cluster)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), NULL,
                      0);
    rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);
#define TOPIC(id, name, partitions, policy)                                                        \
    for (int p = 0; p < (partitions); p++)                                                         \
        rd_kafka_topic_partition_list_add(list, "amitap." name, p)->offset =                       \
            RD_KAFKA_OFFSET_BEGINNING;
#include "schemas/topics.def"
#undef TOPIC
    rd_kafka_resp_err_t error = rk ? rd_kafka_assign(rk, list) : RD_KAFKA_RESP_ERR__FAIL;
    rd_kafka_topic_partition_list_destroy(list);
    if (rk && error) {
        rd_kafka_destroy(rk);
        rk = NULL;
    }
    return rk;
}

#endif
