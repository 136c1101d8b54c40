/* SPDX-License-Identifier: MIT */
#include "collector/commands/run.h"

#include "collector/base/crash_point.h"
#include "collector/base/log.h"
#include "collector/base/metrics.h"
#include "collector/base/notify.h"
#include "collector/commands/options.h"
#include "collector/commands/reload.h"
#include "collector/commands/run_config.h"
#include "collector/commands/session.h"
#include "collector/commands/store.h"
#include "collector/commands/watchdog.h"
#include "collector/commands/web_config.h"
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define RELOAD_TEXT_MAX ((size_t)64 * 1024)
#define MIB             ((size_t)1024 * 1024)
/* The view only has to bridge moments. */
#define VIEW_RING_BYTES (64 * MIB)

struct daemon {
    const char *path; /* of the configuration */
    struct config *config;
    uint64_t certificate; /* web_config_certificate, as the web edge has it */
    struct clock clock;
    struct ring *writer_ring;
    struct ring *view_ring;
    struct store *store;
    struct publish *publish;
    struct event_base *base;
    struct event *signals[3];
    struct event *tick;
    struct reload *reload;
    struct resolver *resolver;
    struct session **sessions;
    size_t count;
    size_t stopped;
    bool stopping;
    bool shut_out;                /* and that because no PBX lets amitap in */
    uint64_t view_lost;           /* batches that were told to be */
    struct publish_losses states; /* lost so far */
    struct watchdog watchdog;
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
        notify_reloading();
        reload_start(d->reload);
        return;
    }
    log_line(LOG_LEVEL_INFO, "stopping");
    stop_sessions(d);
}

/* One line for each finding. */
static void log_findings(char *said)
{
    for (char *line = said, *end; line && *line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (end)
            *end = '\0';
        log_line(LOG_LEVEL_ERROR, "%s", line);
    }
}

/* Hands each session what it is to be; appends the names of those that begin anew. */
static void reload_sessions(struct daemon *d, const struct reload_result *read,
                            struct run_config *config, struct buf *names)
{
    for (size_t i = 0; i < config_pbx_count(read->config); i++) {
        const char *name = config_section_name(config_pbx(read->config, i));
        for (size_t k = 0; k < d->count; k++) {
            if (strcmp(session_name(d->sessions[k]), name) != 0 ||
                !session_reload(d->sessions[k], config, read->tls[i]))
                continue;
            read->tls[i] = NULL;
            buf_printf(names, "%s%s", names->n ? ", " : "", name);
        }
    }
}

/* What was renewed in its place, which the keys do not show. */
static void name_certificate(const struct daemon *d, const struct reload_result *read,
                             struct buf *restart)
{
    const struct config_section *web = config_section(d->config, CONFIG_WEB);
    const struct config_section *now = config_section(read->config, CONFIG_WEB);
    if (web && now && read->certificate != d->certificate &&
        config_same(web, now, CONFIG_WEB_TLS_CERTIFICATE))
        buf_printf(restart, "%sweb: tls_certificate (another)", restart->n ? ", " : "");
}

/* The sessions whose PBX is described otherwise begin anew; all else that differs is named. */
static void apply(struct daemon *d, struct reload_result *read)
{
    size_t count = config_pbx_count(read->config);
    struct run_config *config = run_config_new(read->config);
    struct buf names = buf_new(RELOAD_TEXT_MAX), restart = buf_new(RELOAD_TEXT_MAX);
    if (config) {
        run_config_restart_keys(d->config, read->config, &restart);
        name_certificate(d, read, &restart);
        reload_sessions(d, read, config, &names);
        log_line(restart.n ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "%s: read again; %s%.*s%s%.*s",
                 d->path, names.n ? "connecting anew: " : "no PBX's connection changes",
                 (int)names.n, names.n ? names.p : "", restart.n ? "; only a restart applies " : "",
                 (int)restart.n, restart.n ? restart.p : "");
    }
    for (size_t i = 0; i < count; i++)
        ami_tls_free(read->tls[i]);
    free(read->tls);
    read->tls = NULL;
    read->config = NULL;
    run_config_release(config);
    buf_free(&names);
    buf_free(&restart);
}

static void on_reloaded(void *ctx, struct reload_result *read)
{
    struct daemon *d = ctx;
    turn_begin(d);
    log_findings(read->said);
    metrics_add(metrics_line(METRIC_RELOADS, read->config ? "applied" : "refused", NULL), 1);
    if (!read->config)
        log_line(LOG_LEVEL_ERROR, "%s: not applied; amitap goes on as it was", d->path);
    else if (!d->stopping)
        apply(d, read);
    notify_ready();
}

static void look_at_rings(struct daemon *d)
{
    const struct publish_losses states = publish_states_lost(d->publish);
    uint64_t lost = ring_refused(d->view_ring);
    metrics_set(metrics_line(METRIC_RING_STATES_LOST, "writer", NULL), (int64_t)states.writer);
    metrics_set(metrics_line(METRIC_RING_STATES_LOST, "view", NULL), (int64_t)states.view);
    if (lost != d->view_lost)
        log_line(LOG_LEVEL_ERROR,
                 "the wallboard does not keep up: %" PRIu64
                 " batches did not reach it; today's figures lack what was in them",
                 lost - d->view_lost);
    if (states.view != d->states.view)
        log_line(LOG_LEVEL_ERROR,
                 "%" PRIu64 " states were too many to keep for the wallboard: it may show what has "
                 "ended until amitap is restarted",
                 states.view - d->states.view);
    if (states.writer != d->states.writer)
        log_line(LOG_LEVEL_ERROR,
                 "%" PRIu64 " states were too many to keep for the store: state topics may show "
                 "what has ended",
                 states.writer - d->states.writer);
    store_states_lost(d->store, states.view);
    d->view_lost = lost;
    d->states = states;
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    struct daemon *d = ctx;
    struct untold_span span;
    turn_begin(d);
    watchdog_feed(&d->watchdog, clock_mono(&d->clock), store_writer_turns(d->store));
    look_at_rings(d);
    for (size_t i = 0; i < d->count; i++) {
        if (store_untold(d->store, session_name(d->sessions[i]), &span))
            session_given_up(d->sessions[i], &span);
        session_tick(d->sessions[i]);
    }
}

static bool are_all_shut_out(const struct daemon *d)
{
    for (size_t i = 0; i < d->count; i++) {
        if (!session_is_shut_out(d->sessions[i]))
            return false;
    }
    return true;
}

static void on_stopped(void *ctx, bool refused)
{
    struct daemon *d = ctx;
    if (!refused) {
        if (++d->stopped == d->count)
            event_base_loopexit(d->base, NULL);
        return;
    }
    /* A wrong account would be tried for ever without anybody looking: say so at once, unless
     * another PBX is being tapped or may be. */
    if (!d->stopping && are_all_shut_out(d)) {
        d->shut_out = true;
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
    d->reload = reload_new(d->base, d->path, on_reloaded, d);
    bool good = d->resolver && d->reload && add_event(d->tick, &second);
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
                              .log_policy = store_log_policy(d->store),
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

/* Everything that can refuse to start, in an order in which nothing is left half done. */
static bool start(struct daemon *d, const struct web_edge_ops *web)
{
    d->clock = clock_system();
    d->watchdog = watchdog_from_environment();
    d->turns = metrics_line(METRIC_LOOP_TURN, NULL, NULL);
    d->longest_turn = metrics_line(METRIC_LOOP_TURN_LONGEST, NULL, NULL);
    metrics_line(METRIC_RELOADS, "applied", NULL);
    metrics_line(METRIC_RELOADS, "refused", NULL);
    const struct config_section *section = config_section(d->config, CONFIG_STORE);
    size_t bytes = (size_t)config_number(section, CONFIG_STORE_RING_MIB) * MIB;
    d->writer_ring = ring_new(crash_bound("WRITER_RING", bytes));
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
    reload_free(d->reload);
    resolver_free(d->resolver);
    if (d->base)
        event_base_free(d->base);
    publish_free(d->publish);
    ring_free(d->view_ring);
    ring_free(d->writer_ring);
    config_free(d->config);
    return kept && !d->shut_out ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    const char *path = NULL;
    options_begin();
    for (int option; (option = options_next(argc, argv, ":c:", options)) != -1;) {
        if (option != 'c')
            return NULL;
        path = optarg;
    }
    return options_end(argc, argv) && options_need(argv[0], "-c FILE", path) ? path : NULL;
}

int run_command(int argc, char **argv, const struct web_edge_ops *web)
{
    struct daemon d = {.path = read_arguments(argc, argv)};
    if (!d.path) {
        fputs("usage: amitap run -c FILE\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    d.config = run_config_load(d.path, stderr);
    if (!d.config)
        return EXIT_FAILURE;
    d.certificate = web_config_certificate(d.config);
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
