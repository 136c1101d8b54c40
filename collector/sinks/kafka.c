/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka.h"

#include "collector/base/crash_point.h"
#include "collector/base/log.h"
#include "collector/base/metrics.h"
#include "collector/sinks/kafka_config.h"
#include "collector/sinks/kafka_message.h"
#include "collector/sinks/kafka_producer.h"
#include "collector/sinks/kafka_window.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define IDLE_MS     1000
#define BUSY_MS     100
#define FULL_MS     10
#define QUESTION_MS 1000 /* for each question to the cluster */

#define SECOND_US      INT64_C(1000000)
#define DAY_US         (86400 * SECOND_US)
#define STALL_US       (5 * SECOND_US)  /* without an acknowledgement: something is wrong */
#define UNFIT_US       (30 * SECOND_US) /* between looks at topics that do not fit */
#define LOOK_US        (5 * SECOND_US)  /* between looks at topics in which nothing arrives */
#define SAME_FAULT_US  (60 * SECOND_US) /* between two lines about the same fault */
#define STOP_US        (5 * SECOND_US)
#define RETRY_US_MIN   (SECOND_US / 10)
#define RETRY_US_MAX   (5 * SECOND_US)
#define BROKEN_WAIT_MS 2000 /* for what is under way when a producer failed */

#define REASON_SIZE 256
#define TEXT_MAX    ((size_t)64 * 1024)

struct kafka {
    struct kafka_options options;
    struct outbox *outbox;
    struct clock clock;
    rd_kafka_conf_t *conf;
    struct kafka_topics topics;
    struct outbox_reader *reader;
    struct kafka_producer producer;
    struct kafka_window window;
    struct buf key;
    struct buf text;
    int sink;

    uint64_t cursor;     /* everything up to here is settled */
    uint64_t handed;     /* everything up to here was given to the producer */
    uint64_t careful_to; /* one of the records up to here was refused in company */
    bool ready;          /* the topics fit */
    bool full;           /* librdkafka's queue is */
    bool held;           /* the next record's partition takes none before an acknowledgement */
    uint64_t turn;       /* of feeding */
    bool read_failed;
    int64_t check_at;

    bool broken;       /* this producer is of no use any more */
    bool ran;          /* there was a producer before */
    uint64_t began_at; /* the cursor when this producer was started */
    int64_t retry_at;
    int64_t delay;

    char reason[REASON_SIZE]; /* what librdkafka said last */
    char fault[REASON_SIZE];  /* the failed producer's, as it was logged */
    int64_t fault_at;
    int64_t progress_at; /* the last acknowledgement, or the moment when records began to wait */
    bool away;           /* the cluster did not answer the first question */
    bool down;           /* none of its brokers is connected since */
    bool unfit;          /* its topics do not fit */
    bool troubled;       /* records do not arrive, and it was logged */
    int64_t troubled_at;
    bool told_unchecked;

    pthread_t thread;
    bool started;
    atomic_bool stopping, breaking, publishing;
    int64_t stop_at;
    int64_t age_at; /* of the next look at the oldest record */
    atomic_ullong oldest_age;
    atomic_ullong acked, doubted, refused, restarted, doubles, in_flight;
    atomic_ullong given_up[FACT_WORTH_COUNT];
};

static void wake(void *ctx)
{
    struct kafka *k = ctx;
    outbox_wake(k->outbox, k->sink);
}

static int64_t mono(const struct kafka *k)
{
    return clock_mono(&k->clock);
}

static uint64_t waiting(const struct kafka *k)
{
    return outbox_waiting(k->outbox, k->sink);
}

static bool careful(const struct kafka *k)
{
    return k->cursor < k->careful_to;
}

/* Callbacks, called by rd_kafka_poll and rd_kafka_flush in the sink's thread. */

/* This producer is of no use any more: for its fatal error, where it has one. */
static void break_producer(struct kafka *k, const char *reason)
{
    char fatal[REASON_SIZE];
    if (k->broken)
        return;
    k->broken = true;
    if (rd_kafka_fatal_error(k->producer.rk, fatal, sizeof(fatal)))
        reason = fatal;
    snprintf(k->reason, sizeof(k->reason), "%s", reason);
}

static void on_error(rd_kafka_t *rk, int err, const char *reason, void *ctx)
{
    struct kafka *k = ctx;
    (void)rk;
    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        break_producer(k, reason);
    } else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        k->down = true;
    } else if (!k->broken) {
        snprintf(k->reason, sizeof(k->reason), "%s", reason);
    }
}

/* Is the record itself at fault, so that trying again would not help? */
static bool is_refusal(rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
        return true;
    default:
        return false;
    }
}

static bool is_purge(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

/* librdkafka also reports records as delivered by inference: from a later request's success, or
 * when the cluster takes them for duplicates. Only an offset in the partition's log, which no other
 * record has, tells that it is there. */
static bool has_arrived(const struct kafka *k, const rd_kafka_message_t *message)
{
    return !message->err &&
           kafka_partitions_have(rd_kafka_topic_opaque(message->rkt), message, mono(k));
}

static void count_failure(const rd_kafka_message_t *message)
{
    if (!is_purge(message->err))
        metrics_add(metrics_line(METRIC_KAFKA_FAILED,
                                 message->err ? rd_kafka_err2name(message->err) : "no_offset",
                                 NULL),
                    1);
}

/* A cluster refuses requests, and a request may hold many records: which one was at fault shows
 * when each goes alone. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *ctx)
{
    struct kafka *k = ctx;
    struct kafka_sent *sent = message->_private;
    (void)rk;
    kafka_partition_reported(sent->partition);
    if (has_arrived(k, message)) {
        sent->state = KAFKA_ACKED;
        crash_point("acked");
        atomic_fetch_add(&k->acked, 1);
        k->down = false;
        k->progress_at = mono(k);
        return;
    }
    count_failure(message);
    if (!message->err) {
        atomic_fetch_add(&k->doubted, 1);
        break_producer(k, "records count as delivered and have no place in their partition's log");
    } else if (is_refusal(message->err) && k->producer.options.careful) {
        sent->state = KAFKA_REFUSED;
        sent->error = message->err;
    } else if (is_refusal(message->err)) {
        k->careful_to = kafka_window_newest(&k->window);
        break_producer(k, rd_kafka_err2str(message->err));
    } else if (!is_purge(message->err)) {
        break_producer(k, rd_kafka_err2str(message->err));
    }
}

/* Opening and closing. */

static void release(struct kafka *k)
{
    kafka_producer_stop(&k->producer, 0);
    if (k->conf)
        rd_kafka_conf_destroy(k->conf);
    outbox_reader_free(k->reader);
    kafka_window_free(&k->window);
    buf_free(&k->key);
    buf_free(&k->text);
    free(k);
}

static bool bound_backlog(struct kafka *k)
{
    const struct config_section *s = k->options.section;
    struct limits_bounds bounds = {
        .rows = (uint64_t)config_number(s, CONFIG_KAFKA_BACKLOG_MAX),
        .bytes = (uint64_t)config_number(s, CONFIG_KAFKA_BACKLOG_MIB) << 20,
        .age_us = config_number(s, CONFIG_KAFKA_BACKLOG_DAYS) * DAY_US,
        .clock = k->clock,
    };
    return outbox_limit(k->outbox, k->sink, &bounds) == 0;
}

static bool open_parts(struct kafka *k, char *error, size_t error_size)
{
    k->conf = kafka_config_new(k->options.section, error, error_size);
    if (!k->conf)
        return false;
    rd_kafka_conf_set_opaque(k->conf, k);
    rd_kafka_conf_set_error_cb(k->conf, on_error);
    rd_kafka_conf_set_dr_msg_cb(k->conf, on_delivery);
    k->reader = outbox_reader_new(outbox_path(k->outbox), "kafka", error, error_size);
    if (!k->reader)
        return false;
    k->sink = outbox_add_sink(k->outbox, "kafka", k->options.policy);
    bool registered = k->sink >= 0 && bound_backlog(k);
    /* Had from the start, so that memory that is short later changes no key. */
    if (registered && kafka_window_init(&k->window) && buf_reserve(&k->key, TEXT_MAX))
        return true;
    snprintf(error, error_size, "%s",
             registered ? "kafka: memory is short" : outbox_error(k->outbox));
    return false;
}

struct kafka *kafka_open(const struct kafka_options *options, char *error, size_t error_size)
{
    struct kafka *k = calloc(1, sizeof(*k));
    if (!k) {
        snprintf(error, error_size, "kafka: memory is short");
        return NULL;
    }
    k->options = *options;
    k->outbox = options->outbox;
    k->clock = *options->clock;
    k->topics = kafka_topics_from(options->section);
    metrics_line(METRIC_KAFKA_FAILED, "no_offset", NULL);
    k->key = buf_new(TEXT_MAX);
    k->text = buf_new(TEXT_MAX);
    if (!open_parts(k, error, error_size)) {
        release(k);
        return NULL;
    }
    k->cursor = k->handed = outbox_cursor_get(k->outbox, k->sink);
    return k;
}

/* The producer's life. */

static void start_producer(struct kafka *k)
{
    char error[REASON_SIZE];
    struct kafka_producer_options options = {k->conf, careful(k), wake, k};
    k->broken = false;
    k->ready = false;
    k->began_at = k->cursor;
    k->check_at = mono(k);
    if (!kafka_producer_start(&k->producer, &options, error, sizeof(error))) {
        snprintf(k->reason, sizeof(k->reason), "%s", error);
        k->away = true;
        k->retry_at = mono(k) + RETRY_US_MAX;
        return;
    }
    if (k->ran)
        atomic_fetch_add(&k->restarted, 1);
    k->ran = true;
}

static void tell_fault(struct kafka *k)
{
    if (strcmp(k->fault, k->reason) == 0 && mono(k) - k->fault_at < SAME_FAULT_US)
        return;
    memcpy(k->fault, k->reason, sizeof(k->fault));
    k->fault_at = mono(k);
    log_line(LOG_LEVEL_WARNING,
             "kafka: the producer failed: %s; another one goes on behind the last acknowledged "
             "record",
             k->reason);
}

/* Ends this producer; the next one comes at once where this one got anywhere. */
static void stop_producer(struct kafka *k, int flush_ms)
{
    kafka_producer_stop(&k->producer, flush_ms);
    k->ready = false;
    kafka_window_pass(&k->window, &k->cursor);
    if (k->cursor > k->began_at)
        k->delay = 0;
    else
        k->delay = k->delay * 2 < RETRY_US_MIN ? RETRY_US_MIN : k->delay * 2;
    k->delay = k->delay < RETRY_US_MAX ? k->delay : RETRY_US_MAX;
    k->retry_at = mono(k) + k->delay;
}

static void tell_lines(enum log_level level, struct slice text)
{
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        log_line(level, "kafka: %.*s", (int)n, text.p);
        text = slice_from_offset(text, n + 1);
    }
}

/* Says what is wrong with the topics; the same again only after a minute. */
static void tell_unfit(struct kafka *k)
{
    char fault[REASON_SIZE];
    snprintf(fault, sizeof(fault), "%.*s", (int)k->text.n, k->text.p);
    if (strcmp(k->fault, fault) == 0 && mono(k) - k->fault_at < SAME_FAULT_US)
        return;
    memcpy(k->fault, fault, sizeof(k->fault));
    k->fault_at = mono(k);
    tell_lines(LOG_LEVEL_ERROR, buf_slice(&k->text));
    if (!k->troubled)
        k->troubled_at = k->fault_at;
    k->troubled = true;
}

/* A cluster that lost them, or another one at the same address. */
static void tell_made(struct kafka *k)
{
    if (k->cursor > 0)
        log_line(LOG_LEVEL_WARNING,
                 "kafka: topics were missing and are made anew: %.*s; what was published before is "
                 "not in them, 'amitap republish' sends the history again",
                 (int)k->text.n, k->text.p);
}

static void check_topics(struct kafka *k)
{
    enum kafka_topics_answer answer =
        kafka_topics_check(k->producer.rk, &k->topics, QUESTION_MS, &k->text);
    rd_kafka_poll(k->producer.rk, 0);
    k->away = answer == KAFKA_TOPICS_UNKNOWN;
    k->unfit = answer == KAFKA_TOPICS_UNFIT;
    k->check_at = mono(k) + SECOND_US;
    switch (answer) {
    case KAFKA_TOPICS_FIT:
        if (k->text.n && !k->told_unchecked)
            tell_lines(LOG_LEVEL_WARNING, buf_slice(&k->text));
        k->told_unchecked = k->text.n > 0;
        if (!kafka_producer_open_topics(&k->producer, &k->topics)) {
            break_producer(k, "memory is short");
            break;
        }
        k->ready = true;
        k->down = false;
        k->progress_at = mono(k);
        break;
    case KAFKA_TOPICS_MADE:
        tell_made(k);
        k->check_at = mono(k) + RETRY_US_MIN;
        break;
    case KAFKA_TOPICS_UNFIT:
        tell_unfit(k);
        k->check_at = mono(k) + UNFIT_US;
        break;
    case KAFKA_TOPICS_UNKNOWN:
        if (!k->reason[0])
            snprintf(k->reason, sizeof(k->reason), "%.*s", (int)k->text.n, k->text.p);
        break;
    }
}

/* Nothing arrives: are the topics still there? librdkafka would wait for them for half a minute. */
static void look_again(struct kafka *k)
{
    enum kafka_topics_answer answer =
        kafka_topics_check(k->producer.rk, &k->topics, QUESTION_MS, &k->text);
    k->check_at = mono(k) + LOOK_US;
    if (answer == KAFKA_TOPICS_MADE)
        tell_made(k);
    if (answer == KAFKA_TOPICS_MADE || answer == KAFKA_TOPICS_UNFIT)
        break_producer(k, "its topics are not there any more, or other ones");
}

/* Rows to messages. */

static void refuse(struct kafka_sent *sent, rd_kafka_resp_err_t err)
{
    sent->state = KAFKA_REFUSED;
    sent->error = err;
}

/* Gives one row of a known kind to the producer. False when it takes no more now. */
static bool produce(struct kafka *k, const struct outbox_row *row, struct kafka_sent *sent)
{
    enum kafka_topic_id topic = kafka_topic_of(row->head.kind);
    struct slice key = kafka_message_key(row, &k->key);
    struct kafka_partition *partition = kafka_partitions_of(&k->producer.partitions[topic], key);
    k->held = !kafka_partition_takes(partition, k->turn, mono(k));
    if (k->held)
        return false;
    rd_kafka_resp_err_t err =
        kafka_message_produce(k->producer.rk, k->producer.topics[topic], row, key, sent);
    if (!err) {
        sent->partition = partition;
        kafka_partition_handed(partition, k->turn);
        return true;
    }
    if (is_refusal(err)) {
        refuse(sent, err);
        return true;
    }
    k->full = err == RD_KAFKA_RESP_ERR__QUEUE_FULL;
    if (!k->full)
        break_producer(k, rd_kafka_err2str(err));
    return false;
}

/* False when the row has to wait. */
static bool hand(struct kafka *k, const struct outbox_row *row)
{
    struct kafka_sent *sent = kafka_window_add(&k->window, row->seq, kafka_message_bytes(row));
    if (row->head.kind == FACT_KIND_COUNT) {
        refuse(sent, RD_KAFKA_RESP_ERR__INVALID_TYPE);
        return true;
    }
    if (produce(k, row, sent))
        return true;
    kafka_window_take_back(&k->window);
    return false;
}

static bool feed_chunk(struct kafka *k, const struct outbox_chunk *chunk, size_t rows)
{
    for (size_t i = 0; i < chunk->count && i < rows; i++) {
        if (!hand(k, &chunk->rows[i]))
            return false;
        k->handed = chunk->rows[i].seq;
    }
    return true;
}

/* Gives the producer what is committed, as far as the window reaches. */
static void feed(struct kafka *k)
{
    size_t rows = careful(k) ? 1 : OUTBOX_CHUNK_ROWS;
    bool more = !careful(k) || k->window.count == 0;
    k->full = k->held = false;
    k->turn++;
    while (more && !k->broken && kafka_window_has_room(&k->window, rows)) {
        uint64_t committed = outbox_committed(k->outbox);
        if (k->handed >= committed)
            return;
        const struct outbox_chunk *chunk = outbox_read(k->reader, k->handed);
        if (!chunk != k->read_failed)
            log_line(chunk ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s: %s", outbox_path(k->outbox),
                     chunk ? "can be read again" : "cannot be read; trying again");
        k->read_failed = !chunk;
        if (!chunk)
            return;
        if (chunk->count == 0)
            k->handed = committed;
        more = feed_chunk(k, chunk, rows) && rows > 1;
        rd_kafka_poll(k->producer.rk, 0);
    }
}

static const char *refusal_text(int error)
{
    return error == RD_KAFKA_RESP_ERR__INVALID_TYPE ? "unknown kind"
                                                    : rd_kafka_err2str((rd_kafka_resp_err_t)error);
}

static bool head_is_refused(struct kafka *k)
{
    const struct kafka_sent *head = kafka_window_head(&k->window);
    return head && head->state == KAFKA_REFUSED;
}

/* Moves the cursor over what was acknowledged, and over what was refused once it is buried. */
static void settle(struct kafka *k)
{
    uint64_t before = k->cursor;
    uint64_t buried = 0;
    kafka_window_pass(&k->window, &k->cursor);
    while (head_is_refused(k)) {
        const struct kafka_sent *head = kafka_window_head(&k->window);
        if (!k->options.bury(k->options.ctx, head->seq, refusal_text(head->error)))
            break;
        k->cursor = head->seq;
        buried++;
        kafka_window_drop_head(&k->window);
        kafka_window_pass(&k->window, &k->cursor);
    }
    if (k->window.count == 0 && k->handed > k->cursor)
        k->cursor = k->handed;
    if (buried) {
        atomic_fetch_add(&k->refused, buried);
        log_line(LOG_LEVEL_ERROR, "kafka: %" PRIu64 " records refused, see the table dead_letters",
                 buried);
    }
    if (k->cursor == before)
        return;
    k->progress_at = mono(k);
    outbox_cursor_set(k->outbox, k->sink, k->cursor);
}

/* What a producer that is gone left behind the cursor goes to the next one. */
static void rewind_window(struct kafka *k)
{
    atomic_fetch_add(&k->doubles, k->window.count);
    kafka_window_clear(&k->window);
    k->handed = k->cursor;
}

/* The thread. */

static int64_t time_of(struct kafka *k, uint64_t after)
{
    const struct outbox_chunk *chunk = outbox_read(k->reader, after);
    return chunk && chunk->count ? chunk->rows[0].head.time : clock_now(&k->clock);
}

/* The outbox gave records up: too many waited, or for too long. */
static void tell_given_up(struct kafka *k)
{
    struct given_up gone;
    if (!outbox_take_given_up(k->outbox, &gone))
        return;
    for (unsigned i = 0; i < FACT_WORTH_COUNT; i++)
        atomic_fetch_add(&k->given_up[i], gone.rows[i]);
    log_line(LOG_LEVEL_ERROR,
             "kafka: %" PRIu64 " records are given up, as too many wait or for too long: %" PRIu64
             " live states, %" PRIu64 " events, %" PRIu64 " logs, %" PRIu64 " CDRs and gaps",
             given_up_rows(&gone), gone.rows[FACT_WORTH_LIVE], gone.rows[FACT_WORTH_EVENT],
             gone.rows[FACT_WORTH_LOG], gone.rows[FACT_WORTH_CDR]);
}

/* Once a second: a chunk is read for it. */
static void note_age(struct kafka *k)
{
    int64_t now = mono(k);
    if (waiting(k) == 0) {
        atomic_store(&k->oldest_age, 0);
        return;
    }
    if (now < k->age_at)
        return;
    k->age_at = now + SECOND_US;
    int64_t age = clock_now(&k->clock) - time_of(k, k->cursor);
    atomic_store(&k->oldest_age, age > 0 ? (uint64_t)age : 0);
}

/* Says once that records do not arrive, and once that they do again. */
static void report(struct kafka *k)
{
    uint64_t n = waiting(k);
    int64_t now = mono(k);
    if (n == 0)
        k->progress_at = now;
    bool trouble = k->away || k->unfit || now - k->progress_at > (k->down ? SECOND_US : STALL_US);
    atomic_store(&k->publishing, k->ready && !trouble);
    atomic_store(&k->in_flight, k->window.count);
    if (trouble == k->troubled || (!trouble && !k->ready))
        return;
    k->troubled = trouble;
    if (trouble) {
        k->troubled_at = now;
        log_line(LOG_LEVEL_WARNING, "kafka: cannot publish: %s; %" PRIu64 " records wait",
                 k->reason[0] ? k->reason : "no acknowledgement", n);
    } else {
        log_line(LOG_LEVEL_WARNING,
                 "kafka: publishing again after %" PRId64 " s; %" PRIu64 " records waited",
                 (now - k->troubled_at) / SECOND_US, n);
        k->reason[0] = '\0';
    }
}

static void obey_test(struct kafka *k)
{
    if (k->producer.rk && atomic_exchange(&k->breaking, false))
        rd_kafka_test_fatal_error(k->producer.rk, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                  "asked for by a test");
}

/* Once a careful producer has done its part, a usual one goes on. */
static bool is_too_careful(const struct kafka *k)
{
    return k->producer.options.careful && !careful(k) && k->window.count == 0;
}

static void turn(struct kafka *k)
{
    if (k->producer.rk) {
        obey_test(k);
        rd_kafka_poll(k->producer.rk, 0);
    }
    if (k->producer.rk && k->broken) {
        tell_fault(k);
        stop_producer(k, BROKEN_WAIT_MS);
    }
    settle(k);
    if (k->producer.rk && is_too_careful(k))
        stop_producer(k, 0);
    if (!k->producer.rk && !head_is_refused(k)) {
        rewind_window(k);
        if (mono(k) >= k->retry_at)
            start_producer(k);
    }
    if (k->producer.rk && mono(k) >= k->check_at && !atomic_load(&k->stopping)) {
        if (!k->ready)
            check_topics(k);
        else if (k->troubled && !k->broken)
            look_again(k);
    }
    if (k->producer.rk && k->ready && !k->broken)
        feed(k);
    outbox_hold(k->outbox, k->sink, k->handed);
    tell_given_up(k);
    note_age(k);
    report(k);
}

static void rest(struct kafka *k)
{
    if (k->producer.rk && k->broken)
        return;
    bool able = k->ready && !k->full && !k->held && !k->read_failed;
    bool hungry = able && (careful(k) ? k->window.count == 0
                                      : kafka_window_has_room(&k->window, OUTBOX_CHUNK_ROWS));
    int ms = k->full ? FULL_MS : BUSY_MS;
    if (hungry && k->window.count == 0)
        ms = IDLE_MS;
    outbox_wait(k->outbox, k->sink, hungry ? k->handed : UINT64_MAX, ms);
}

/* Nothing is waited for that does not come. */
static bool is_done(struct kafka *k)
{
    if (!atomic_load(&k->stopping))
        return false;
    if (!k->stop_at)
        k->stop_at = mono(k) + STOP_US;
    return waiting(k) == 0 || !k->ready || k->troubled || mono(k) >= k->stop_at;
}

static void *run(void *arg)
{
    struct kafka *k = arg;
    k->progress_at = mono(k);
    for (;;) {
        turn(k);
        if (is_done(k))
            break;
        rest(k);
    }
    kafka_producer_stop(&k->producer, 0);
    settle(k);
    if (waiting(k))
        log_line(LOG_LEVEL_WARNING,
                 "kafka: %" PRIu64 " records are not published yet; they stay in the outbox",
                 waiting(k));
    return NULL;
}

int kafka_start(struct kafka *k)
{
    k->started = pthread_create(&k->thread, NULL, run, k) == 0;
    return k->started ? 0 : -1;
}

void kafka_stop(struct kafka *k)
{
    if (!k)
        return;
    atomic_store(&k->stopping, true);
    if (k->started) {
        wake(k);
        pthread_join(k->thread, NULL);
    }
    release(k);
}

struct kafka_stats kafka_stats(struct kafka *k)
{
    struct kafka_stats stats = {
        .acked = atomic_load(&k->acked),
        .doubted = atomic_load(&k->doubted),
        .refused = atomic_load(&k->refused),
        .restarted = atomic_load(&k->restarted),
        .doubles = atomic_load(&k->doubles),
        .waiting = waiting(k),
        .in_flight = atomic_load(&k->in_flight),
        .oldest_age = atomic_load(&k->oldest_age),
        .publishing = atomic_load(&k->publishing),
    };
    for (unsigned i = 0; i < FACT_WORTH_COUNT; i++)
        stats.given_up[i] = atomic_load(&k->given_up[i]);
    return stats;
}

void kafka_break(struct kafka *k)
{
    atomic_store(&k->breaking, true);
    wake(k);
}
