/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_topics.h"

#include <stdio.h>
#include <string.h>

#define REASON_SIZE 256

static const struct {
    const char *name;
    int partitions;
    const char *policy;
} stated[KAFKA_TOPIC_COUNT] = {
#define DELETE                              "delete"
#define COMPACT                             "compact"
#define TOPIC(id, name, partitions, policy) {name, partitions, policy},
#include "schemas/topics.def"
#undef TOPIC
#undef COMPACT
#undef DELETE
};

struct kafka_topics kafka_topics_from(const struct config_section *kafka)
{
    struct kafka_topics topics = {.replication = -1};
    const char *prefix = config_text(kafka, CONFIG_KAFKA_TOPIC_PREFIX);
    int partitions = (int)config_number(kafka, CONFIG_KAFKA_PARTITIONS);
    int replication = (int)config_number(kafka, CONFIG_KAFKA_REPLICATION_FACTOR);
    if (replication > 0)
        topics.replication = replication;
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
        struct kafka_topic *topic = &topics.topic[i];
        snprintf(topic->name, sizeof(topic->name), "%s%s", prefix, stated[i].name);
        topic->partitions = stated[i].partitions == 1 ? 1 : partitions;
        topic->policy = stated[i].policy;
    }
    return topics;
}

enum kafka_topic_id kafka_topic_of(enum fact_kind kind)
{
    const char *name = fact_kind_info(kind)->topic;
    unsigned i = 0;
    while (i < KAFKA_TOPIC_COUNT && strcmp(stated[i].name, name) != 0)
        i++;
    return (enum kafka_topic_id)i;
}

/* One check under way. */
struct check {
    rd_kafka_t *rk;
    const struct kafka_topics *topics;
    int timeout_ms;
    struct buf *text;
    int broker; /* one that has just answered */
    bool missing[KAFKA_TOPIC_COUNT];
};

static void say_partitions(struct check *c, size_t i, int has)
{
    const struct kafka_topic *topic = &c->topics->topic[i];
    buf_printf(c->text, "topic %s has %d partitions and should have %d\n", topic->name, has,
               topic->partitions);
}

/* Compares what the cluster has of a topic with what it should have. False when it is too new to
 * be known. */
static bool judge_partitions(struct check *c, size_t i, const rd_kafka_metadata_topic_t *there)
{
    c->missing[i] = there->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (there->partition_cnt == 0)
        return c->missing[i];
    if (there->partition_cnt != c->topics->topic[i].partitions)
        say_partitions(c, i, there->partition_cnt);
    return true;
}

/* Which topics are there, and with how many partitions? */
static bool look(struct check *c)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(c->rk, 1, NULL, &metadata, c->timeout_ms);
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT && !err; i++) {
        c->missing[i] = true;
        for (int t = 0; t < metadata->topic_cnt; t++) {
            const rd_kafka_metadata_topic_t *there = &metadata->topics[t];
            if (strcmp(there->topic, c->topics->topic[i].name) == 0 &&
                !judge_partitions(c, i, there))
                err = there->err ? there->err : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
        }
    }
    if (metadata) {
        c->broker = metadata->orig_broker_id;
        rd_kafka_metadata_destroy(metadata);
    }
    if (err) {
        buf_clear(c->text);
        buf_printf(c->text, "%s", rd_kafka_err2str(err));
    }
    return !err;
}

static rd_kafka_AdminOptions_t *admin_options(struct check *c, rd_kafka_admin_op_t op)
{
    char reason[REASON_SIZE];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(c->rk, op);
    rd_kafka_AdminOptions_set_request_timeout(options, c->timeout_ms, reason, sizeof(reason));
    /* Any broker knows the topics' properties; only the controller makes topics. */
    if (op == RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS && c->broker >= 0)
        rd_kafka_AdminOptions_set_broker(options, c->broker, reason, sizeof(reason));
    if (op == RD_KAFKA_ADMIN_OP_CREATETOPICS)
        rd_kafka_AdminOptions_set_operation_timeout(options, c->timeout_ms, reason, sizeof(reason));
    return options;
}

/* Waits for an answer. NULL, *ret_err and the reason as text, when there is none. */
static rd_kafka_event_t *await_answer(struct check *c, rd_kafka_queue_t *queue,
                                      rd_kafka_resp_err_t *ret_err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, c->timeout_ms + 500);
    *ret_err = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (!*ret_err)
        return event;
    buf_printf(c->text, "%s",
               event ? rd_kafka_event_error_string(event) : rd_kafka_err2str(*ret_err));
    if (event)
        rd_kafka_event_destroy(event);
    return NULL;
}

/* An account that may not ask, or a cluster that does not know the question. */
static bool will_never_say(rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return true;
    default:
        return false;
    }
}

static rd_kafka_NewTopic_t *new_topic(const struct check *c, size_t i)
{
    char reason[REASON_SIZE];
    const struct kafka_topic *topic = &c->topics->topic[i];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(
        topic->name, topic->partitions, c->topics->replication, reason, sizeof(reason));
    if (made)
        rd_kafka_NewTopic_set_config(made, "cleanup.policy", topic->policy);
    return made;
}

/* What became of the topics that were to be made. False when one could not be. */
static bool judge_made(struct check *c, rd_kafka_event_t *event)
{
    size_t n = 0;
    bool all = true;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
        const char *reason = rd_kafka_topic_result_error_string(results[i]);
        if (!err || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        all = false;
        buf_printf(c->text, "topic %s is missing and cannot be made: %s\n",
                   rd_kafka_topic_result_name(results[i]), reason ? reason : rd_kafka_err2str(err));
    }
    return all;
}

static void list_made(struct check *c)
{
    buf_clear(c->text);
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
        if (c->missing[i])
            buf_printf(c->text, "%s%s", c->text->n ? ", " : "", c->topics->topic[i].name);
    }
}

static enum kafka_topics_answer make_missing(struct check *c)
{
    rd_kafka_NewTopic_t *made[KAFKA_TOPIC_COUNT];
    size_t n = 0;
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
        if (c->missing[i] && (made[n] = new_topic(c, i)))
            n++;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->rk);
    rd_kafka_AdminOptions_t *options = admin_options(c, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(c->rk, made, n, options, queue);
    rd_kafka_resp_err_t err;
    rd_kafka_event_t *event = await_answer(c, queue, &err);
    enum kafka_topics_answer answer = KAFKA_TOPICS_UNKNOWN;
    if (event) {
        answer = judge_made(c, event) ? KAFKA_TOPICS_MADE : KAFKA_TOPICS_UNFIT;
        rd_kafka_event_destroy(event);
    } else if (will_never_say(err)) {
        answer = KAFKA_TOPICS_UNFIT;
        buf_clear(c->text);
        buf_printf(c->text, "topics are missing and cannot be made: %s\n", rd_kafka_err2str(err));
    }
    if (answer == KAFKA_TOPICS_MADE)
        list_made(c);
    rd_kafka_NewTopic_destroy_array(made, n);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return answer;
}

static const char *policy_in(const rd_kafka_ConfigResource_t *resource)
{
    size_t n = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    }
    return NULL;
}

/* Compares the policy of one topic. An error is that of the question. */
static rd_kafka_resp_err_t judge_policy(struct check *c, const rd_kafka_ConfigResource_t *resource)
{
    const char *name = rd_kafka_ConfigResource_name(resource);
    const char *has = policy_in(resource);
    for (size_t i = 0; has && i < KAFKA_TOPIC_COUNT; i++) {
        const struct kafka_topic *topic = &c->topics->topic[i];
        if (strcmp(topic->name, name) == 0 && strcmp(topic->policy, has) != 0)
            buf_printf(c->text, "topic %s has cleanup.policy=%s and should have %s\n", name, has,
                       topic->policy);
    }
    return rd_kafka_ConfigResource_error(resource);
}

static rd_kafka_resp_err_t judge_policies(struct check *c, rd_kafka_event_t *event)
{
    size_t n = 0;
    rd_kafka_resp_err_t first = RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = judge_policy(c, resources[i]);
        first = first ? first : err;
    }
    return first;
}

/* Asks for the topics' policies; faults become text. */
static rd_kafka_resp_err_t ask_policies(struct check *c)
{
    rd_kafka_ConfigResource_t *resources[KAFKA_TOPIC_COUNT];
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++)
        resources[i] =
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, c->topics->topic[i].name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->rk);
    rd_kafka_AdminOptions_t *options = admin_options(c, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(c->rk, resources, KAFKA_TOPIC_COUNT, options, queue);
    size_t before = c->text->n;
    rd_kafka_resp_err_t err;
    rd_kafka_event_t *event = await_answer(c, queue, &err);
    if (event) {
        err = judge_policies(c, event);
        rd_kafka_event_destroy(event);
    } else {
        c->text->n = before;
    }
    rd_kafka_ConfigResource_destroy_array(resources, KAFKA_TOPIC_COUNT);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return err;
}

static enum kafka_topics_answer check_policies(struct check *c)
{
    rd_kafka_resp_err_t err = ask_policies(c);
    if (c->text->n)
        return KAFKA_TOPICS_UNFIT;
    if (!err)
        return KAFKA_TOPICS_FIT;
    bool never = will_never_say(err);
    buf_printf(c->text, "%s%s%s", never ? "the topics' cleanup.policy cannot be checked: " : "",
               rd_kafka_err2str(err), never ? "\n" : "");
    return never ? KAFKA_TOPICS_FIT : KAFKA_TOPICS_UNKNOWN;
}

enum kafka_topics_answer kafka_topics_check(rd_kafka_t *rk, const struct kafka_topics *topics,
                                            int timeout_ms, struct buf *text)
{
    struct check c = {.rk = rk, .topics = topics, .timeout_ms = timeout_ms, .text = text};
    buf_clear(text);
    if (!look(&c))
        return KAFKA_TOPICS_UNKNOWN;
    for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
        if (c.missing[i])
            return text->n ? KAFKA_TOPICS_UNFIT : make_missing(&c);
    }
    return check_policies(&c);
}
