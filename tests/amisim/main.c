/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_frame.h"
#include "tests/amisim/sim_options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TURN_EVENTS 1024u         /* played before the sockets get their turn */
#define WAITING_MAX (256u * 1024) /* at pace 0: what may wait for a client before we wait */
#define WAITING_US  1000
#define LONGEST_US  50000
#define ERROR_SIZE  512

/* The whole simulator: who plays, who listens, what is written down. */
struct sim {
    struct sim_options options;
    struct sim_words words;
    struct sim_recording **recordings;
    size_t recordings_count;
    struct event_base *base;
    struct event *tick;
    struct event *term;
    struct event *interrupt;
    struct sim_sessions *sessions;
    struct sim_player *player;
    struct sim_report *report;
    struct sim_faults faults;
    struct sim_pbx pbx;
    bool started;
    bool finished;
};

static int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void tick_in(struct sim *sim, int64_t us)
{
    us = us < 0 ? 0 : us > LONGEST_US ? LONGEST_US : us;
    struct timeval wait = {.tv_sec = 0, .tv_usec = (suseconds_t)us};
    evtimer_add(sim->tick, &wait);
}

static void write_report(struct sim *sim)
{
    struct sim_report_run run = {.finished = sim->finished,
                                 .begun = sim_player_begun(sim->player),
                                 .clients = sim_sessions_opened(sim->sessions),
                                 .clients_cut = sim_sessions_cut(sim->sessions),
                                 .model = &sim->pbx.model,
                                 .faults = &sim->faults};
    if (sim_report_write(sim->report, &run) < 0)
        fprintf(stderr, "amisim: %s: %s\n", sim->options.files.summary, strerror(errno));
}

static void finish(struct sim *sim)
{
    sim->finished = true;
    write_report(sim);
    puts("amisim: everything was played");
    fflush(stdout);
}

static bool is_flat_out(const struct sim *sim)
{
    return sim->options.player.pace <= 0 && sim->options.player.rate <= 0;
}

/* Whether the stream waits while nobody is logged in. */
static bool holds(const struct sim *sim)
{
    return sim->options.hold || is_flat_out(sim);
}

/* Plays what is due and says when to come back. */
static int64_t play(struct sim *sim)
{
    unsigned logged_in = sim_sessions_logged_in(sim->sessions);
    if (!sim->started && logged_in < sim->options.wait_clients)
        return LONGEST_US;
    if (!sim->started)
        sim_player_start(sim->player, mono_us(), sim_pbx_now());
    sim->started = true;
    sim_player_hold(sim->player, holds(sim) && !logged_in, mono_us());
    if (is_flat_out(sim) && sim_sessions_waiting(sim->sessions) > WAITING_MAX)
        return WAITING_US;
    int64_t wait = sim_player_advance(sim->player, mono_us(), TURN_EVENTS);
    if (wait < 0)
        finish(sim);
    return wait;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct sim *sim = arg;
    (void)fd;
    (void)what;
    int64_t wait = sim->finished ? LONGEST_US : play(sim);
    sim_sessions_flush(sim->sessions);
    if (sim->finished && sim->options.exit_when_played && !sim_sessions_waiting(sim->sessions))
        event_base_loopexit(sim->base, NULL);
    tick_in(sim, wait);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopexit(((struct sim *)arg)->base, NULL);
}

static void on_event(void *ctx, const struct sim_event *event, struct slice bytes, int64_t time_us)
{
    struct sim *sim = ctx;
    sim_model_event(&sim->pbx.model, event->name, bytes, time_us);
    sim_queues_event(&sim->pbx.queues, event->name, bytes, time_us);
    sim_sessions_event(sim->sessions, event->classes, sim_faults_event(&sim->faults, bytes));
    sim_report_sent(sim->report, event->name, bytes);
    if (sim_faults_stall(&sim->faults))
        sim_sessions_stall(sim->sessions, sim->options.faults.stall_ms);
    if (sim_faults_cut(&sim->faults)) {
        sim_sessions_end(sim->sessions);
        sim_player_hold(sim->player, holds(sim), mono_us());
    }
}

static void on_played(void *ctx, const struct sim_recording *recording,
                      const struct sim_rename *rename)
{
    sim_report_played(((struct sim *)ctx)->report, recording, rename);
}

static void on_recorded(void *ctx, const struct sim_account *account, struct slice name,
                        enum sim_verdict verdict)
{
    struct sim *sim = ctx;
    sim_report_action(sim->report, account, name, verdict);
    if (!sim->started)
        tick_in(sim, 0);
}

static void on_opened(void *ctx, struct sim_session *s)
{
    sim_pbx_greet(&((struct sim *)ctx)->pbx, s);
}

static void on_action(void *ctx, struct sim_session *s, struct slice lines)
{
    sim_pbx_action(&((struct sim *)ctx)->pbx, s, lines);
}

static void on_closed(void *ctx, struct sim_session *s)
{
    (void)ctx;
    (void)s;
}

static bool queue_is_used(const struct sim *sim, struct slice queue)
{
    for (size_t i = 0; i < sim->recordings_count; i++)
        for (size_t e = 0; e < sim->recordings[i]->count; e++) {
            const struct sim_event *event = &sim->recordings[i]->events[e];
            bool of_queue = slice_starts(event->name, SLICE("Queue")) &&
                            !slice_starts(event->name, SLICE("QueueMemberStatus"));
            if (of_queue &&
                slice_equal(queue, sim_frame_get(sim_text_recorded(event->text), "Queue")))
                return true;
        }
    return false;
}

/* Each copy has its own words, and so perhaps its own queues. */
static void seed_queues(struct sim *sim, const struct sim_recording *r, unsigned copy)
{
    struct buf text = buf_new(65536);
    struct sim_rename rename = {
        .copy = copy, .words = &sim->words, .shift = (sim_pbx_now() - r->first_us) / 1000000};
    for (size_t i = 0; i < r->queue_items_count; i++) {
        struct slice recorded = sim_text_recorded(r->queue_items[i]);
        if (!sim->options.all_queues && !queue_is_used(sim, sim_frame_get(recorded, "Queue")))
            continue;
        buf_clear(&text);
        if (sim_text_render(r->queue_items[i], &rename, &text))
            sim_queues_seed(&sim->pbx.queues, buf_slice(&text));
    }
    buf_free(&text);
}

static int load(struct sim *sim, char *error, size_t error_size)
{
    const struct sim_options *o = &sim->options;
    struct sim_recording_options how = {.keep = o->keep, .words = &sim->words};
    if (o->words && sim_words_load(&sim->words, o->words, error, error_size) < 0)
        return -1;
    sim->words.caller_names = o->caller_names;
    sim->words.first = o->first_copy;
    sim->recordings = calloc(o->folders_count, sizeof(struct sim_recording *));
    for (size_t i = 0; sim->recordings && i < o->folders_count; i++) {
        sim->recordings[i] = sim_recording_load(o->folders[i], &how, error, error_size);
        if (!sim->recordings[i])
            return -1;
        sim->recordings_count++;
    }
    unsigned copies = o->words ? o->player.copies : 1;
    for (unsigned c = 0; c < copies && c < SIM_TEXT_COPIES_MAX; c++)
        for (size_t i = 0; i < sim->recordings_count; i++)
            seed_queues(sim, sim->recordings[i], c);
    sim->options.player.words = &sim->words;
    return sim->recordings ? 0 : -1;
}

static int start(struct sim *sim, char *error, size_t error_size)
{
    struct sim_player_ops play_ops = {.ctx = sim, .event = on_event, .played = on_played};
    struct sim_session_ops session_ops = {
        .ctx = sim, .opened = on_opened, .action = on_action, .closed = on_closed};
    snprintf(error, error_size, "out of memory");
    sim->base = event_base_new();
    sim->player =
        sim_player_new(sim->recordings, sim->recordings_count, &sim->options.player, &play_ops);
    if (!sim->base || !sim->player)
        return -1;
    sim->tick = evtimer_new(sim->base, on_tick, sim);
    sim->term = evsignal_new(sim->base, SIGTERM, on_signal, sim);
    sim->interrupt = evsignal_new(sim->base, SIGINT, on_signal, sim);
    if (!sim->tick || !sim->term || !sim->interrupt || event_add(sim->term, NULL) < 0 ||
        event_add(sim->interrupt, NULL) < 0)
        return -1;
    sim->report = sim_report_new(&sim->options.files, error, error_size);
    if (!sim->report)
        return -1;
    sim->sessions =
        sim_sessions_new(sim->base, &sim->options.session, &session_ops, error, error_size);
    return sim->sessions ? 0 : -1;
}

static void release(struct sim *sim)
{
    struct event *events[] = {sim->tick, sim->term, sim->interrupt};
    sim_sessions_free(sim->sessions);
    sim_player_free(sim->player);
    sim_report_free(sim->report);
    sim_faults_free(&sim->faults);
    sim_model_clear(&sim->pbx.model);
    sim_queues_clear(&sim->pbx.queues);
    for (size_t i = 0; i < sim->recordings_count; i++)
        sim_recording_free(sim->recordings[i]);
    free(sim->recordings);
    sim_words_free(&sim->words);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
    if (sim->base)
        event_base_free(sim->base);
}

int main(int argc, char **argv)
{
    static struct sim sim;
    char error[ERROR_SIZE] = "out of memory";
    int rc = sim_options_read(&sim.options, argc, argv);
    if (rc)
        return rc < 0 ? 2 : 0;
    sim.pbx = (struct sim_pbx){.user = sim.options.user,
                               .secret = sim.options.secret,
                               .version = "11.0.0",
                               .system_name = "pbxA",
                               .read = sim_class_mask(slice_from(sim.options.read)),
                               .write = sim_class_mask(slice_from(sim.options.write)),
                               .started_us = sim_pbx_now(),
                               .recorded = on_recorded,
                               .ctx = &sim};
    sim.faults = sim_faults_new(&sim.options.faults);
    if (load(&sim, error, sizeof(error)) < 0 || start(&sim, error, sizeof(error)) < 0) {
        fprintf(stderr, "amisim: %s\n", error);
        release(&sim);
        return 1;
    }
    printf("amisim: listening on 127.0.0.1:%u\n", sim_sessions_port(sim.sessions));
    fflush(stdout);
    tick_in(&sim, 0);
    event_base_dispatch(sim.base);
    write_report(&sim);
    release(&sim);
    return 0;
}
