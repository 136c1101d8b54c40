/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_SINKS_KAFKA_KIT_H
#define TESTS_UNIT_SINKS_KAFKA_KIT_H

#include "collector/sinks/kafka.h"
#include "tests/kit/mock_cluster.h"
#include "tests/unit/outbox/store_fixture.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <time.h>

/* The sink beside librdkafka's mock cluster: what it is asked to publish, and what a consumer
 * finds. */

#define PRODUCE      0 /* ApiKey */
#define KEYS         20
#define RECEIVED_MAX 20000

static struct outbox *outbox;
static struct kafka *kafka;
static struct config *config;
static struct clock machine;
static int broker_count = 1; /* it has so many */
static rd_kafka_mock_cluster_t *cluster;
static uint64_t published; /* facts committed so far */

static uint64_t buried[8];
static char buried_reason[256];
static atomic_uint buried_count, buried_asked;
static atomic_bool bury_works;

static inline bool bury(void *ctx, uint64_t seq, const char *reason)
{
    (void)ctx;
    atomic_fetch_add(&buried_asked, 1);
    if (!atomic_load(&bury_works))
        return false;
    snprintf(buried_reason, sizeof(buried_reason), "%s", reason);
    buried[atomic_fetch_add(&buried_count, 1) % 8] = seq;
    return true;
}

static inline void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

/* The configuration with these further lines in its kafka section. */
static inline struct config *load(const char *brokers, const char *lines,
                                  struct config_report *report)
{
    const char *path = in_directory("conf");
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "pbx main {\n host = 127.0.0.1\n user = tap\n secret = 'x'\n}\n"
            "kafka {\n brokers = \"%s\"\n %s\n}\n",
            brokers, lines);
    fclose(f);
    return config_load(path, report);
}

static inline void configure(const char *brokers, const char *lines)
{
    struct config_report *report = config_report_new();
    config = load(brokers, lines, report);
    config_report_print(report, "conf", stderr);
    config_report_free(report);
    ck_assert_ptr_nonnull(config);
}

static inline void make_topics(int partitions)
{
    mock_cluster_make_topics(cluster, partitions, broker_count);
}

static inline void open_sink(void)
{
    struct outbox_options options = {.path = in_directory("out")};
    outbox = outbox_open(&options, error, sizeof(error));
    ck_assert_msg(outbox != NULL, "%s", error);
    struct kafka_options kafka_options = {.section = config_section(config, CONFIG_KAFKA),
                                          .outbox = outbox,
                                          .clock = &machine,
                                          .bury = bury};
    kafka = kafka_open(&kafka_options, error, sizeof(error));
    ck_assert_msg(kafka != NULL, "%s", error);
}

static inline void start_sink(void)
{
    open_sink();
    ck_assert_int_eq(kafka_start(kafka), 0);
}

static inline void stop_sink(void)
{
    outbox_close(outbox);
    kafka_stop(kafka);
    outbox_free(outbox);
}

static inline void kit_setup(void)
{
    store_setup();
    machine = clock_system();
    published = 0;
    atomic_store(&buried_count, 0);
    atomic_store(&buried_asked, 0);
    atomic_store(&bury_works, true);
    cluster = mock_cluster_start(broker_count);
    ck_assert_ptr_nonnull(cluster);
}

static inline void kit_teardown(void)
{
    config_free(config);
    store_teardown();
}

static inline void with_cluster(const char *lines)
{
    make_topics(6);
    configure(rd_kafka_mock_cluster_bootstraps(cluster), lines);
}

static inline void put_numbered(uint64_t n, size_t filling)
{
    static char fill[300000];
    char id[64], key[32];
    snprintf(id, sizeof(id), "%" PRIu64, n);
    snprintf(key, sizeof(key), "call-%u", (unsigned)(n % KEYS));
    memset(fill, 'x', sizeof(fill));
    struct fact_head head = head_of(FACT_CALL_STARTED, id, id);
    head.key = slice_from(key);
    head.sequence = n;
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_NAME, (struct slice){fill, filling});
    put_built();
}

static inline void commit_batch(void)
{
    ck_assert_int_eq(outbox_commit(outbox, buf_slice(&batch)), SQLITE_OK);
    buf_clear(&batch);
}

/* Commits so many further facts, each with its number as id, over KEYS keys. */
static inline void publish(unsigned count)
{
    buf_clear(&batch);
    for (unsigned i = 0; i < count; i++)
        put_numbered(++published, 10);
    commit_batch();
}

static inline bool settled(void)
{
    return kafka_stats(kafka).waiting == 0;
}

static inline void wait_settled(void)
{
    for (int i = 0; i < 1500 && !settled(); i++)
        pause_ms(10);
    ck_assert_msg(settled(), "%" PRIu64 " wait", kafka_stats(kafka).waiting);
}

static inline void wait_publishing(void)
{
    for (int i = 0; i < 1000 && !kafka_stats(kafka).publishing; i++)
        pause_ms(10);
    ck_assert(kafka_stats(kafka).publishing);
}

/* What a consumer finds. */

struct received {
    char topic[64];
    char key[64];
    uint64_t id;
};

static struct received received[RECEIVED_MAX];
static size_t received_count;

static inline const char *header(const rd_kafka_message_t *message, const char *name)
{
    static char texts[4][256];
    static unsigned turn;
    rd_kafka_headers_t *headers;
    const void *value;
    size_t n;
    char *text = texts[turn++ % 4];
    if (rd_kafka_message_headers(message, &headers) ||
        rd_kafka_header_get_last(headers, name, &value, &n))
        return "(none)";
    snprintf(text, sizeof(texts[0]), "%.*s", (int)n, (const char *)value);
    return text;
}

static inline void receive(const rd_kafka_message_t *message)
{
    struct received *r = &received[received_count];
    ck_assert_uint_lt(received_count++, RECEIVED_MAX);
    snprintf(r->topic, sizeof(r->topic), "%s", rd_kafka_topic_name(message->rkt));
    snprintf(r->key, sizeof(r->key), "%.*s", (int)message->key_len, (const char *)message->key);
    r->id = strtoull(header(message, "ce_id"), NULL, 10);
}

/* Everything that is there: at least so many, and until nothing comes for half a second. */
static inline void consume(void (*fn)(const rd_kafka_message_t *), size_t least)
{
    rd_kafka_t *rk = mock_cluster_consumer(cluster);
    ck_assert_ptr_nonnull(rk);
    int quiet = 0;
    received_count = 0;
    while (quiet < (received_count < least ? 50 : 5)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
        quiet = message && !message->err ? 0 : quiet + 1;
        if (message && !message->err)
            fn(message);
        if (message)
            rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

/* Each fact from 1 to published, those not in without, is there, and in order per key once doubles
 * are dropped. Returns how many doubles there were. */
static inline size_t check_received(uint64_t without)
{
    static bool seen[RECEIVED_MAX];
    uint64_t last[KEYS] = {0};
    size_t distinct = 0;
    memset(seen, 0, sizeof(seen));
    consume(receive, published - (without != 0));
    for (size_t i = 0; i < received_count; i++) {
        const struct received *r = &received[i];
        char key[32];
        snprintf(key, sizeof(key), "main/call-%u", (unsigned)(r->id % KEYS));
        ck_assert_str_eq(r->key, key);
        ck_assert_str_eq(r->topic, "amitap.call-events");
        if (seen[r->id])
            continue;
        seen[r->id] = true;
        distinct++;
        ck_assert_msg(r->id > last[r->id % KEYS], "%" PRIu64 " behind %" PRIu64, r->id,
                      last[r->id % KEYS]);
        last[r->id % KEYS] = r->id;
    }
    ck_assert_uint_eq(distinct, published - (without != 0));
    ck_assert(!without || !seen[without]);
    return received_count - distinct;
}

/* A row of the fault log (tests/kit/fault_log.py): what was published while this was injected was
 * all found. */
static inline void note_fault(const char *fault, unsigned injected, size_t doubles)
{
    const char *kind = getenv("FAULT_LOG");
    char path[256];
    mkdir("build/fault-log", 0755);
    snprintf(path, sizeof(path), "build/fault-log/%s", kind ? kind : "test");
    mkdir(path, 0755);
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/kafka-mock-%s.jsonl", fault);
    for (char *p = strrchr(path, '/') + 1; *p; p++)
        *p = *p == ' ' ? '-' : *p;
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "{\"fault\": \"%s\", \"injected\": %u, \"sent\": %" PRIu64 ", \"found\": %" PRIu64
            ", \"doubles\": %zu, \"lost\": 0, \"blind_seconds\": 0.0}\n",
            fault, injected, published, published, doubles);
    fclose(f);
}

/* librdkafka starts its threads by C11's thrd_create, which the thread sanitizer does not follow:
 * it crashes in them. */
static inline int kit_run(TCase *tcase, const char *name)
{
#ifdef __SANITIZE_THREAD__
    (void)tcase;
    printf("%s: not under the thread sanitizer\n", name);
    return EXIT_SUCCESS;
#else
    return run_suite(tcase, name);
#endif
}

#endif
