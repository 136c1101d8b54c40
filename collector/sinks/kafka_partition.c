/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_partition.h"

#include <assert.h>
#include <stdlib.h>

/* A broker forgets a producer that sent nothing for producer.id.expiration.ms, which is a day
 * unless it was changed. */
#define FORGOTTEN_US INT64_C(3600000000)

bool kafka_partitions_init(struct kafka_partitions *p, int count)
{
    p->at = calloc((size_t)count, sizeof(*p->at));
    p->count = p->at ? count : 0;
    return p->at != NULL;
}

void kafka_partitions_free(struct kafka_partitions *p)
{
    free(p->at);
    *p = (struct kafka_partitions){0};
}

struct kafka_partition *kafka_partitions_of(const struct kafka_partitions *p, struct slice key)
{
    return &p->at[rd_kafka_msg_partitioner_murmur2_random(NULL, key.p, key.n, p->count, NULL,
                                                          NULL)];
}

bool kafka_partition_takes(const struct kafka_partition *p, uint64_t turn, int64_t now)
{
    bool known = p->next > 0 && now - p->acked_at < FORGOTTEN_US;
    return p->waiting == 0 || (known && p->turn == turn);
}

void kafka_partition_handed(struct kafka_partition *p, uint64_t turn)
{
    p->turn = turn;
    p->waiting++;
}

void kafka_partition_reported(struct kafka_partition *p)
{
    assert(p->waiting > 0);
    p->waiting--;
}

bool kafka_partitions_have(struct kafka_partitions *p, const rd_kafka_message_t *message,
                           int64_t now)
{
    if (message->offset < 0)
        return false;
    /* A partition that was added since is not counted. */
    if (message->partition < 0 || message->partition >= p->count)
        return true;
    struct kafka_partition *partition = &p->at[message->partition];
    if (message->offset < partition->next)
        return false;
    partition->next = message->offset + 1;
    partition->acked_at = now;
    return true;
}
