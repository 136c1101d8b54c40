/* SPDX-License-Identifier: MIT */
#include "collector/commands/run.h"

#include "collector/base/log.h"
#include "collector/base/metrics.h"
#include "collector/base/notify.h"
#include "collector/commands/session.h"
#include "collector/commands/store.h"
#include "collector/commands/web_config.h"
#include "collector/sinks/kafka_config.h"
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB ((size_t)1024 * 1024)
/* The view only has to bridge moments. */
#define VIEW_RING_BYTES (64 * MIB)

struct daemon {
    const char *path; /* of the configuration */
    struct config *config;
    struct clock clock;
    struct ring *writer_ring;
    struct ring *view_ring;
    struct store *store;
    struct publish *publish;
    struct event_base *base;
    struct event *signals[3];
    struct event *tick;
    struct resolver *resolver;
    struct session **sessions;
    size_t count;
    size_t stopped;
    size_t refused; /* sessions that were never let in */
    bool stopping;
    int64_t turn_begin;        /* when the loop began to work, 0: it waits */
    struct metric_line *turns; /* how long it works until it waits again */
    struct metric_line *longest_turn;
};

/* Called first by everything that the loop calls. */
static void turn_begin(void *ctx)
{
    struct daemon *d = ctx;
    if (!d->turn_begin)
        d->turn_begin = clock_mono(&d->clock);
}

static void turn_end(struct daemon *d)
{
    if (!d->turn_begin)
        return;
    int64_t took = clock_mono(&d->clock) - d->turn_begin;
    d->turn_begin = 0;
    metrics_observe(d->turns, took);
    metrics_max(d->longest_turn, took);
}

static void stop_sessions(struct daemon *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    notify_stopping();
    for (size_t i = 0; i < d->count; i++)
        session_stop(d->sessions[i]);
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    (void)what;
    struct daemon *d = ctx;
    turn_begin(d);
    if (number == SIGHUP) {
        log_line(LOG_LEVEL_WARNING, "SIGHUP: a changed configuration takes a restart");
        return;
    }
    log_line(LOG_LEVEL_INFO, "stopping");
    stop_sessions(d);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    struct daemon *d = ctx;
    int64_t from, to;
    turn_begin(d);
    bool given_up = store_take_given_up(d->store, &from, &to);
    for (size_t i = 0; i < d->count; i++) {
        if (given_up)
            session_gap(d->sessions[i], from, to, "kafka_backlog");
        session_tick(d->sessions[i]);
    }
}

static void on_stopped(void *ctx, struct session *s, bool refused)
{
    struct daemon *d = ctx;
    if (!refused) {
        if (++d->stopped == d->count)
            event_base_loopexit(d->base, NULL);
        return;
    }
    (void)s;
    /* A wrong account would be tried for ever without anybody looking: say so at once, unless
     * another PBX is being tapped. */
    if (++d->refused >= d->count && !d->stopping) {
        log_line(LOG_LEVEL_ERROR, "%s: no PBX lets amitap in; stopping", d->path);
        stop_sessions(d);
    }
}

static bool add_event(struct event *e, const struct timeval *every)
{
    return e && event_add(e, every) == 0;
}

static bool make_loop(struct daemon *d)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct timeval second = {1, 0};
    d->base = event_base_new();
    if (!d->base)
        return false;
    d->resolver = resolver_new(d->base);
    d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
    bool good = d->resolver && add_event(d->tick, &second);
    for (size_t i = 0; i < 3; i++) {
        d->signals[i] = evsignal_new(d->base, numbers[i], on_signal, d);
        good = good && add_event(d->signals[i], NULL);
    }
    return good;
}

static bool make_sessions(struct daemon *d)
{
    struct session_env env = {.link = {.base = d->base,
                                       .resolver = d->resolver,
                                       .clock = d->clock,
                                       .random = random_system()},
                              .publish = d->publish,
                              .turn_begin = turn_begin,
                              .stopped = on_stopped,
                              .ctx = d};
    size_t count = config_pbx_count(d->config);
    d->sessions = calloc(count, sizeof(struct session *));
    for (size_t i = 0; d->sessions && i < count; i++) {
        d->sessions[i] = session_new(config_pbx(d->config, i), &env);
        if (!d->sessions[i])
            return false;
        d->count++;
        if (!store_restore(d->store, d->sessions[i]))
            return false;
    }
    return d->sessions != NULL;
}

static struct config *load_config(const char *path)
{
    struct config_report *report = config_report_new();
    struct config *config = report ? config_load(path, report) : NULL;
    bool kafka = config && kafka_config_check(config, report);
    bool web = config && web_config_check(config, report);
    if (config)
        config_warn_if_open(config, path, report);
    if (config && !(kafka && web)) {
        config_free(config);
        config = NULL;
    }
    if (report)
        config_report_print(report, path, stderr);
    config_report_free(report);
    return config;
}

/* Everything that can refuse to start, in an order in which nothing is left half done. */
static bool start(struct daemon *d, const struct web_edge_ops *web)
{
    d->clock = clock_system();
    d->turns = metrics_line(METRIC_LOOP_TURN, NULL, NULL);
    d->longest_turn = metrics_line(METRIC_LOOP_TURN_LONGEST, NULL, NULL);
    const struct config_section *section = config_section(d->config, CONFIG_STORE);
    d->writer_ring = ring_new((size_t)config_number(section, CONFIG_STORE_RING_MIB) * MIB);
    d->view_ring = ring_new(VIEW_RING_BYTES);
    d->publish = publish_new(d->writer_ring, d->view_ring);
    if (!d->writer_ring || !d->view_ring || !d->publish || !make_loop(d)) {
        fputs("amitap: memory is short\n", stderr);
        return false;
    }
    struct store_options options = {.config = d->config,
                                    .clock = &d->clock,
                                    .writer_ring = d->writer_ring,
                                    .view_ring = d->view_ring,
                                    .web = web};
    d->store = store_open(&options);
    return d->store && make_sessions(d) && store_start(d->store);
}

static void run_loop(struct daemon *d)
{
    const char *address = store_web_address(d->store);
    if (address)
        log_line(LOG_LEVEL_INFO, "wallboard at %s", address);
    notify_ready();
    for (size_t i = 0; i < d->count; i++)
        session_start(d->sessions[i]);
    while (!event_base_got_exit(d->base) && event_base_loop(d->base, EVLOOP_ONCE) == 0)
        turn_end(d);
}

static int stop(struct daemon *d)
{
    bool kept = true;
    for (size_t i = 0; i < d->count; i++)
        session_free(d->sessions[i]);
    free(d->sessions);
    if (d->writer_ring)
        ring_close(d->writer_ring);
    if (d->view_ring)
        ring_close(d->view_ring);
    kept = store_close(d->store);
    for (size_t i = 0; i < 3; i++) {
        if (d->signals[i])
            event_free(d->signals[i]);
    }
    if (d->tick)
        event_free(d->tick);
    resolver_free(d->resolver);
    if (d->base)
        event_base_free(d->base);
    publish_free(d->publish);
    ring_free(d->view_ring);
    ring_free(d->writer_ring);
    config_free(d->config);
    return kept && d->refused == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    const char *path = NULL;
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        if (option != 'c')
            return NULL;
        path = optarg;
    }
    return optind == argc ? path : NULL;
}

int run_command(int argc, char **argv, const struct web_edge_ops *web)
{
    struct daemon d = {.path = read_arguments(argc, argv)};
    if (!d.path) {
        fputs("usage: amitap run -c FILE\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    d.config = load_config(d.path);
    if (!d.config)
        return EXIT_FAILURE;
    bool started = start(&d, web);
    if (started) {
        log_start();
        run_loop(&d);
    }
    int status = stop(&d);
    if (started)
        log_stop();
    return started ? status : EXIT_FAILURE;
}
