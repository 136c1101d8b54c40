/* SPDX-License-Identifier: MIT */
#include "collector/commands/store.h"

#include "collector/base/metrics.h"
#include "collector/base/random.h"
#include "collector/commands/metrics_feed.h"
#include "collector/commands/privacy_config.h"
#include "collector/commands/web_config.h"
#include "collector/outbox/writer.h"
#include "collector/sinks/history.h"
#include "collector/sinks/history_today.h"
#include "collector/sinks/kafka.h"
#include "collector/view/live_view.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ERROR_SIZE        512
#define METRICS_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct store {
    struct store_options options;
    struct outbox *outbox;
    struct history *history;
    struct kafka *kafka; /* NULL: the configuration has none */
    struct writer *writer;
    struct live_view *view;
    struct privacy *history_policy, *kafka_policy, *view_policy;
    struct privacy *log_policy; /* the history's once more, for another thread */
    struct web_source source;
    struct web_config *web;
    struct web_edge *edge;
    bool view_started;
    atomic_bool running; /* all of the above is there, and stays until the edge has stopped */
};

static bool bury_for_kafka(void *ctx, uint64_t seq, const char *reason)
{
    struct store *s = ctx;
    return history_bury(s->history, "kafka", seq, reason);
}

static bool open_kafka(struct store *s)
{
    char error[ERROR_SIZE];
    struct kafka_options options = {.section = config_section(s->options.config, CONFIG_KAFKA),
                                    .outbox = s->outbox,
                                    .clock = s->options.clock,
                                    .bury = bury_for_kafka,
                                    .ctx = s};
    if (!options.section)
        return true;
    s->kafka_policy = privacy_config(options.section, outbox_secret(s->outbox));
    options.policy = s->kafka_policy;
    if (!s->kafka_policy) {
        fputs("amitap: memory is short\n", stderr);
        return false;
    }
    s->kafka = kafka_open(&options, error, sizeof(error));
    if (!s->kafka)
        fprintf(stderr, "amitap: %s\n", error);
    return s->kafka != NULL;
}

static void open_history(struct store *s, char error[ERROR_SIZE])
{
    const struct config_section *section = config_section(s->options.config, CONFIG_STORE);
    s->history_policy = privacy_config(section, outbox_secret(s->outbox));
    struct history_options options = {.path = config_text(section, CONFIG_STORE_PATH),
                                      .outbox = s->outbox,
                                      .clock = s->options.clock,
                                      .policy = s->history_policy,
                                      .section = section};
    s->log_policy = privacy_config(section, outbox_secret(s->outbox));
    if (s->history_policy && s->log_policy)
        s->history = history_open(&options, error, ERROR_SIZE);
    else
        snprintf(error, ERROR_SIZE, "memory is short");
}

static bool open_files(struct store *s)
{
    const struct config *config = s->options.config;
    struct outbox_options options = {.path = config_outbox_path(config)};
    char error[ERROR_SIZE];
    s->outbox = outbox_open(&options, error, sizeof(error));
    if (s->outbox)
        open_history(s, error);
    if (!s->history)
        fprintf(stderr, "amitap: %s\n", error);
    return s->history != NULL;
}

/* Which of the call counters a count of the history is for. */
static enum counts_calls counter_of(struct slice outcome)
{
    if (slice_is(outcome, "cdr"))
        return COUNTS_CDRS;
    return slice_is(outcome, "answered") ? COUNTS_CALLS_ANSWERED : COUNTS_CALLS_UNANSWERED;
}

static void seed(void *ctx, const struct history_count *count)
{
    struct live_view *view = ctx;
    if (!count->queue.n) {
        live_view_seed_calls(view, count->pbx, counter_of(count->outcome), count->count);
        return;
    }
    struct live_view_visits visits = {.pbx = count->pbx,
                                      .queue = count->queue,
                                      .outcome = count->outcome,
                                      .n = count->count,
                                      .within = count->within,
                                      .wait_us = count->wait_us,
                                      .wait_us_max = count->wait_us_max};
    live_view_seed_queue(view, &visits);
}

/* What was stored earlier today, so that the wallboard does not begin at zero. */
static bool seed_view(struct store *s)
{
    char error[ERROR_SIZE];
    const struct config *config = s->options.config;
    struct history_today today = {
        .path = config_text(config_section(config, CONFIG_STORE), CONFIG_STORE_PATH),
        .midnight_us = live_view_today(s->view)};
    int rc = history_catch_up(s->history);
    if (rc != SQLITE_OK) {
        fprintf(stderr, "amitap: %s: what waits in the outbox cannot be taken: %s\n", today.path,
                sqlite3_errstr(rc));
        return false;
    }
    if (history_today(&today, seed, s->view, error, sizeof(error)) == 0)
        return true;
    fprintf(stderr, "amitap: %s: today's records cannot be read\n", error);
    return false;
}

/* The view lives as long as the process, and so does the key of its ids where none is named. */
static bool make_view_policy(struct store *s)
{
    const struct config_section *web = config_section(s->options.config, CONFIG_WEB);
    char secret[32];
    if (!web)
        return true;
    if (!random_key(secret, sizeof(secret))) {
        fputs("amitap: the system gives no random bytes for a key\n", stderr);
        return false;
    }
    s->view_policy = privacy_config(web, (struct slice){secret, sizeof(secret)});
    explicit_bzero(secret, sizeof(secret));
    if (!s->view_policy)
        fputs("amitap: memory is short\n", stderr);
    return s->view_policy != NULL;
}

/* For /metrics, by the edge's thread, which runs before the files are open. */
static bool tell_metrics(void *ctx, const struct web_counts *counts, struct web_text *text)
{
    struct store *s = ctx;
    struct buf out = buf_new(METRICS_BYTES_MAX);
    const struct metrics_feed feed = {.writer_ring = s->options.writer_ring,
                                      .view_ring = s->options.view_ring,
                                      .outbox = s->outbox,
                                      .history = s->history,
                                      .kafka = s->kafka};
    if (atomic_load(&s->running))
        metrics_feed_stores(&feed);
    metrics_feed_web(counts);
    metrics_feed_process();
    bool good = metrics_text(&out) && web_text_put(text, out.p, out.n);
    buf_free(&out);
    return good;
}

static bool make_view(struct store *s)
{
    struct live_view_options options = {0};
    if (!make_view_policy(s))
        return false;
    options.policy = s->view_policy;
    s->view = live_view_new(s->options.clock, &options);
    if (!s->view) {
        fputs("amitap: memory is short\n", stderr);
        return false;
    }
    for (size_t i = 0; i < config_pbx_count(s->options.config); i++)
        live_view_add_pbx(s->view,
                          slice_from(config_section_name(config_pbx(s->options.config, i))));
    s->source = live_view_source(s->view);
    s->source.metrics = tell_metrics;
    s->source.metrics_ctx = s;
    return true;
}

static bool listen_web(struct store *s)
{
    const struct config_section *web = config_section(s->options.config, CONFIG_WEB);
    char error[ERROR_SIZE];
    if (!web)
        return true;
    s->web = web_config_open(s->options.config, s->options.clock, error, sizeof(error));
    if (!s->web) {
        fprintf(stderr, "amitap: web: %s\n", error);
        return false;
    }
    const struct web_options options = web_config_options(s->web);
    s->edge = s->options.web->start(&options, &s->source, error, sizeof(error));
    if (!s->edge)
        fprintf(stderr, "amitap: %s\n", error);
    return s->edge != NULL;
}

struct store *store_open(const struct store_options *options)
{
    struct store *s = calloc(1, sizeof(*s));
    if (!s) {
        fputs("amitap: memory is short\n", stderr);
        return NULL;
    }
    s->options = *options;
    /* The port first: a file that is made must not be left behind by a port that is taken. */
    if (!make_view(s) || !listen_web(s) || !open_files(s) || !open_kafka(s) || !seed_view(s)) {
        store_close(s);
        return NULL;
    }
    return s;
}

bool store_restore(struct store *store, struct session *session)
{
    if (session_restore(session, store->outbox) == 0) {
        live_view_seed_calls(store->view, slice_from(session_name(session)), COUNTS_CALLS_STARTED,
                             session_live_calls(session));
        return true;
    }
    fprintf(stderr, "amitap: %s\n", outbox_error(store->outbox));
    return false;
}

struct privacy *store_log_policy(const struct store *store)
{
    return store->log_policy;
}

static void wake_web(void *ctx)
{
    struct store *s = ctx;
    if (s->edge)
        s->options.web->wake(s->edge);
}

bool store_start(struct store *store)
{
    store->view_started = live_view_start(store->view, store->options.view_ring, wake_web, store);
    bool good = store->view_started && history_start(store->history) == 0 &&
                (!store->kafka || kafka_start(store->kafka) == 0);
    if (good)
        store->writer =
            writer_start(store->outbox, store->options.writer_ring, store->options.clock);
    if (!store->writer)
        fputs("amitap: a thread cannot be started\n", stderr);
    atomic_store(&store->running, store->writer != NULL);
    return store->writer != NULL;
}

void store_states_lost(struct store *store, uint64_t n)
{
    live_view_states_lost(store->view, n);
}

uint64_t store_writer_turns(struct store *s)
{
    return writer_turns(s->writer);
}

const char *store_web_address(const struct store *store)
{
    return store->edge ? store->options.web->address(store->edge) : NULL;
}

bool store_untold(struct store *store, const char *pbx, struct untold_span *ret)
{
    return store->kafka && outbox_untold(store->outbox, pbx, ret);
}

bool store_close(struct store *store)
{
    if (!store)
        return true;
    bool kept = writer_stop(store->writer) == 0;
    if (!store->writer && store->outbox)
        outbox_close(store->outbox);
    /* The edge before what its /metrics looks at. */
    if (store->view_started)
        live_view_stop(store->view);
    store->options.web->stop(store->edge);
    kafka_stop(store->kafka);
    history_stop(store->history);
    web_config_free(store->web);
    live_view_free(store->view);
    outbox_free(store->outbox);
    privacy_free(store->history_policy);
    privacy_free(store->log_policy);
    privacy_free(store->kafka_policy);
    privacy_free(store->view_policy);
    free(store);
    return kept;
}
