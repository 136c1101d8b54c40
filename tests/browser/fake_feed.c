/* SPDX-License-Identifier: MIT */
/* fake_feed ADDRESS:PORT [SEED [AGENTS]]: the live view and the web edge fed with an invented call
 * centre of 18 agents or so many, to look at the pages without a PBX. Lines on stdin steer it:
 * "quiet" ends all calls and lets none come, "busy" lets them come again, "down" and "up" cut and
 * restore the second PBX's link. Ends at the end of stdin. */
#include "collector/facts/batch.h"
#include "collector/facts/fact.h"
#include "collector/view/live_view.h"
#include "web/http.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TICK_MS    100
#define AGENTS     18
#define AGENTS_MAX 80
#define CALLS      40
#define QUEUES     5
#define SECOND     ((int64_t)1000000)
#define HOSTILE    "<img src=x onerror=document.title='hacked'>"
#define BATCH_SIZE ((size_t)1 << 20)

static const char *const queue_names[QUEUES] = {"support", "sales", "billing", "emergency",
                                                "onboarding"};
static const int queue_targets[QUEUES] = {20, 30, 20, 10, 60};
static const char *const agent_names[AGENTS] = {
    "Ada Berg",   "Ben Okafor", "Chiara Rossi", "Dmitri Volkov", "Elif Kaya",  "Farid Haddad",
    "Grace Lin",  "Hugo Meier", "Ingrid Dahl",  "João Pereira",  "Kateryna B", "Liam Walsh",
    "Mei Tanaka", "Noor Aziz",  "Olga Nowak",   "Priya Raman",   "Quentin L.", "Rosa Jiménez"};
static const char *const caller_names[] = {"Muster AG",
                                           "Jana Köhler",
                                           "",
                                           "O'Brien & Sons",
                                           HOSTILE,
                                           "Αθηνά ΑΕ",
                                           "Café René",
                                           "Ward Clinic",
                                           "\xE2\x80\xAEgnirts desrever",
                                           ""};

enum stage { STAGE_NONE, STAGE_WAITING, STAGE_RINGING, STAGE_TALKING };

struct call {
    enum stage stage;
    unsigned serial;
    unsigned queue; /* QUEUES: a direct call */
    unsigned agent;
    int64_t start, since, until;
    char number[24], uniqueid[32];
    const char *name;
};

enum presence { PRESENCE_FREE, PRESENCE_PAUSED, PRESENCE_WRAP_UP, PRESENCE_OFFLINE };

struct agent {
    enum presence presence;
    int64_t since;
    struct call *call;
};

static struct {
    struct live_view *view;
    struct ring *ring;
    struct fact_builder fact;
    struct buf batch;
    struct clock clock;
    int64_t now;
    unsigned serial;
    uint64_t random;
    bool quiet, down;
    struct call calls[CALLS];
    unsigned agents_n;
    struct agent agents[AGENTS_MAX];
} feed;

static unsigned dice(unsigned bound)
{
    feed.random = feed.random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(feed.random >> 33) % bound;
}

static const char *pbx_of(unsigned queue)
{
    return queue == 3 || queue == 4 ? "branch" : "main";
}

static void begin(enum fact_kind kind, const char *pbx, const char *subject, unsigned flags)
{
    char id[64];
    snprintf(id, sizeof(id), "%u", ++feed.serial);
    const struct fact_head head = {.kind = kind,
                                   .flags = flags,
                                   .time = feed.now,
                                   .pbx = slice_from(pbx),
                                   .subject = slice_from(subject),
                                   .id = slice_from(id)};
    fact_begin(&feed.fact, &head);
}

static void put(enum fact_field field, const char *text)
{
    fact_put_known(&feed.fact, field, slice_from(text));
}

static void end(void)
{
    const struct batch_item item = {.kind = BATCH_FACT, .body = fact_finish(&feed.fact)};
    batch_put(&feed.batch, &item);
}

static const char *interface_of(unsigned agent, char text[32])
{
    snprintf(text, 32, "PJSIP/%u", 1000 + agent);
    return text;
}

static void put_party(enum fact_field field, unsigned agent)
{
    char interface[32], channel[48];
    interface_of(agent, interface);
    snprintf(channel, sizeof(channel), "%s-0000%04x", interface, feed.serial);
    fact_open_object(&feed.fact, field);
    put(FIELD_CHANNEL, channel);
    put(FIELD_INTERFACE, interface);
    put(FIELD_NUMBER, interface + 6);
    put(FIELD_NAME, agent_names[agent % AGENTS]);
    fact_close(&feed.fact);
}

static void tell_call(const struct call *c)
{
    static const char *const states[] = {NULL, "queued", "ringing", "answered"};
    begin(FACT_CALL_STATE, pbx_of(c->queue), c->uniqueid,
          c->stage == STAGE_NONE ? FACT_IS_TOMBSTONE : 0);
    if (c->stage != STAGE_NONE) {
        put(FIELD_LINKEDID, c->uniqueid);
        put(FIELD_STATE, states[c->stage]);
        fact_put_time(&feed.fact, FIELD_START, c->start);
        fact_put_time(&feed.fact, FIELD_SINCE, c->since);
        put(FIELD_CALLER_NUMBER, c->number);
        put(FIELD_CALLER_NAME, c->name);
        put(FIELD_DIALLED, c->queue < QUEUES ? "0800555010" : "1003");
        put(FIELD_QUEUE, c->queue < QUEUES ? queue_names[c->queue] : NULL);
        fact_open_array(&feed.fact, FIELD_RINGING);
        if (c->stage == STAGE_RINGING)
            put_party(FIELD_RINGING, c->agent);
        fact_close(&feed.fact);
        if (c->stage == STAGE_TALKING)
            put_party(FIELD_TALKING_WITH, c->agent);
        else
            put(FIELD_TALKING_WITH, NULL);
    }
    end();
}

static void tell_queue(unsigned queue)
{
    int position = 0;
    if (queue >= QUEUES)
        return;
    begin(FACT_QUEUE_STATE, pbx_of(queue), queue_names[queue], 0);
    put(FIELD_QUEUE, queue_names[queue]);
    put(FIELD_STRATEGY, "rrmemory");
    fact_put_seconds(&feed.fact, FIELD_SERVICE_LEVEL_SECONDS, queue_targets[queue] * SECOND);
    fact_open_array(&feed.fact, FIELD_WAITING);
    for (unsigned i = 0; i < CALLS; i++) {
        const struct call *c = &feed.calls[i];
        if (c->queue != queue || (c->stage != STAGE_WAITING && c->stage != STAGE_RINGING))
            continue;
        fact_open_object(&feed.fact, FIELD_WAITING);
        put(FIELD_UNIQUEID, c->uniqueid);
        put(FIELD_LINKEDID, c->uniqueid);
        fact_put_int(&feed.fact, FIELD_POSITION, ++position);
        put(FIELD_CALLER_NUMBER, c->number);
        put(FIELD_CALLER_NAME, c->name);
        fact_put_time(&feed.fact, FIELD_JOINED, c->start);
        fact_close(&feed.fact);
    }
    fact_close(&feed.fact);
    end();
}

static const char *agent_state(const struct agent *a)
{
    static const char *const idle[] = {[PRESENCE_FREE] = "available",
                                       [PRESENCE_PAUSED] = "paused",
                                       [PRESENCE_WRAP_UP] = "wrap_up",
                                       [PRESENCE_OFFLINE] = "offline"};
    if (!a->call)
        return idle[a->presence];
    if (a->call->stage != STAGE_TALKING)
        return "ringing";
    return a->call->serial % 5 ? "on_call" : "on_hold";
}

static void tell_agent(unsigned i)
{
    const struct agent *a = &feed.agents[i];
    char interface[32];
    begin(FACT_AGENT_STATE, i % 6 == 5 ? "branch" : "main", interface_of(i, interface), 0);
    char name[64];
    snprintf(name, sizeof(name), i < AGENTS ? "%s" : "%s %u", agent_names[i % AGENTS], i);
    put(FIELD_AGENT, name);
    put(FIELD_INTERFACE, interface);
    put(FIELD_STATE, agent_state(a));
    fact_put_time(&feed.fact, FIELD_SINCE, a->call ? a->call->since : a->since);
    put(FIELD_REASON, a->presence == PRESENCE_PAUSED && !a->call ? "lunch" : NULL);
    put(FIELD_LINKEDID, a->call ? a->call->uniqueid : NULL);
    fact_open_array(&feed.fact, FIELD_MEMBERS);
    fact_open_object(&feed.fact, FIELD_MEMBERS);
    put(FIELD_QUEUE, queue_names[i % QUEUES]);
    fact_put_bool(&feed.fact, FIELD_PAUSED, a->presence == PRESENCE_PAUSED);
    fact_close(&feed.fact);
    fact_close(&feed.fact);
    end();
}

static void tell_visit(enum fact_kind kind, const struct call *c, const char *outcome)
{
    if (c->queue >= QUEUES)
        return;
    begin(kind, pbx_of(c->queue), c->uniqueid, 0);
    put(FIELD_UNIQUEID, c->uniqueid);
    put(FIELD_QUEUE, queue_names[c->queue]);
    if (outcome)
        put(FIELD_OUTCOME, outcome);
    fact_put_seconds(&feed.fact, FIELD_WAIT_SECONDS, feed.now - c->start);
    end();
}

static void start_call(struct call *c)
{
    *c = (struct call){.stage = STAGE_WAITING, .serial = ++feed.serial, .start = feed.now};
    c->queue = dice(QUEUES + 1);
    c->since = feed.now;
    c->until = feed.now + (int64_t)(2 + dice(25)) * SECOND;
    c->name = caller_names[dice(sizeof(caller_names) / sizeof(caller_names[0]))];
    snprintf(c->number, sizeof(c->number), "+4930555%04u", dice(10000));
    snprintf(c->uniqueid, sizeof(c->uniqueid), "1793.%u", c->serial);
    begin(FACT_CALL_STARTED, pbx_of(c->queue), c->uniqueid, 0);
    end();
    tell_visit(FACT_QUEUE_JOINED, c, NULL);
}

static void finish_call(struct call *c, const char *outcome)
{
    bool answered = c->stage == STAGE_TALKING;
    if (!answered || c->queue < QUEUES)
        tell_visit(FACT_QUEUE, c, outcome);
    begin(FACT_CALL, pbx_of(c->queue), c->uniqueid, 0);
    fact_put_time(&feed.fact, FIELD_ANSWER, answered ? c->since : 0);
    end();
    begin(FACT_CDR, pbx_of(c->queue), c->uniqueid, 0);
    end();
    struct agent *a = c->stage == STAGE_WAITING ? NULL : &feed.agents[c->agent];
    c->stage = STAGE_NONE;
    if (a) {
        a->call = NULL;
        a->since = feed.now;
        tell_agent(c->agent);
    }
}

static bool find_agent(struct call *c)
{
    for (unsigned i = 0, at = dice(feed.agents_n); i < feed.agents_n;
         i++, at = (at + 1) % feed.agents_n) {
        struct agent *a = &feed.agents[at];
        if (a->presence != PRESENCE_FREE || a->call)
            continue;
        a->call = c;
        c->agent = at;
        return true;
    }
    return false;
}

static void advance(struct call *c)
{
    unsigned queue = c->queue;
    int64_t seconds = 0;
    if (c->stage == STAGE_NONE) {
        start_call(c);
        queue = c->queue;
    } else if (c->stage == STAGE_WAITING && dice(9) == 0) {
        finish_call(c, "abandoned");
    } else if (c->stage == STAGE_WAITING) {
        if (find_agent(c))
            c->stage = STAGE_RINGING;
        seconds = 2 + dice(6);
    } else if (c->stage == STAGE_RINGING) {
        c->stage = STAGE_TALKING;
        tell_visit(FACT_QUEUE_CONNECTED, c, NULL);
        seconds = 20 + dice(160);
    } else {
        finish_call(c, "answered");
    }
    if (seconds) {
        c->since = feed.now;
        c->until = feed.now + seconds * SECOND;
    }
    if (c->stage == STAGE_RINGING || c->stage == STAGE_TALKING)
        tell_agent(c->agent);
    tell_call(c);
    tell_queue(queue);
}

static void flush(void)
{
    if (feed.batch.n)
        ring_push(feed.ring, buf_slice(&feed.batch));
    buf_clear(&feed.batch);
}

static void tick(void)
{
    feed.now = clock_now(&feed.clock);
    for (unsigned i = 0; i < CALLS; i++) {
        struct call *c = &feed.calls[i];
        bool starts = c->stage == STAGE_NONE && !feed.quiet && dice(900) == 0;
        if (c->stage != STAGE_NONE && feed.quiet)
            c->stage = c->stage == STAGE_WAITING ? STAGE_WAITING : STAGE_TALKING;
        if (starts || (c->stage != STAGE_NONE && feed.quiet))
            feed.quiet               ? finish_call(c, "answered"), tell_call(c),
                tell_queue(c->queue) : advance(c);
        else if (c->stage != STAGE_NONE && c->until <= feed.now)
            advance(c);
    }
    flush();
}

static void note(const char *pbx, const char *json)
{
    const struct batch_item item = {BATCH_NOTE, slice_from(pbx), SLICE("link"), slice_from(json)};
    batch_put(&feed.batch, &item);
    flush();
}

static void obey(const char *line)
{
    if (strncmp(line, "quiet", 5) == 0)
        feed.quiet = true;
    if (strncmp(line, "busy", 4) == 0)
        feed.quiet = false;
    if (strncmp(line, "down", 4) == 0)
        note("branch", "{\"connected\":false,\"reason\":\"connection refused\"}");
    if (strncmp(line, "up", 2) == 0)
        note("branch", "{\"connected\":true}");
}

static void seed_queue(unsigned queue)
{
    struct live_view_visits visits = {
        slice_from(pbx_of(queue)), slice_from(queue_names[queue]), SLICE("answered"), 0, 0, 0, 0};
    for (; queue != 4 && visits.n < 60 + 20 * queue; visits.n++) {
        int64_t wait = (int64_t)dice(queue == 2 ? 27000 : queue == 3 ? 11000 : 22000) * 1000;
        visits.wait_us += wait;
        visits.wait_us_max = wait > visits.wait_us_max ? wait : visits.wait_us_max;
        visits.within += wait <= queue_targets[queue] * SECOND;
    }
    live_view_seed_queue(feed.view, &visits);
    visits.outcome = SLICE("abandoned");
    visits.n = queue != 4 ? 2 + 3 * queue : 0;
    live_view_seed_queue(feed.view, &visits);
}

static void begin_day(void)
{
    feed.now = clock_now(&feed.clock);
    live_view_seed_calls(feed.view, SLICE("main"), COUNTS_CALLS_ANSWERED, 351);
    live_view_seed_calls(feed.view, SLICE("main"), COUNTS_CALLS_UNANSWERED, 61);
    live_view_seed_calls(feed.view, SLICE("main"), COUNTS_CDRS, 431);
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        tell_queue(queue);
        seed_queue(queue);
    }
    for (unsigned i = 0; i < feed.agents_n; i++) {
        feed.agents[i].presence = i % 7 == 3    ? PRESENCE_PAUSED
                                  : i % 9 == 8  ? PRESENCE_OFFLINE
                                  : i % 11 == 5 ? PRESENCE_WRAP_UP
                                                : PRESENCE_FREE;
        feed.agents[i].since =
            feed.now - (int64_t)dice(feed.agents_n > AGENTS ? 40000 : 3600) * SECOND;
        tell_agent(i);
    }
    flush();
    note("main", "{\"connected\":true}");
    note("branch", "{\"connected\":true}");
    for (unsigned i = 0; i < 14; i++)
        advance(&feed.calls[i]);
    flush();
}

static void wake(void *edge)
{
    http_edge_ops.wake(edge);
}

static void play(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t noted = 0;
    for (;;) {
        if (poll(&in, 1, TICK_MS) > 0) {
            char line[64] = "";
            ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
            if (n <= 0)
                return;
            obey(line);
        }
        tick();
        if (feed.now - noted > 5 * SECOND) {
            noted = feed.now;
            note("main", "{\"connected\":true}");
        }
    }
}

int main(int argc, char **argv)
{
    char error[256];
    if (argc < 2) {
        fprintf(stderr, "usage: fake_feed ADDRESS:PORT [SEED [AGENTS]]\n");
        return 2;
    }
    feed.random = argc > 2 ? strtoull(argv[2], NULL, 10) : 7;
    feed.agents_n = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : AGENTS;
    if (feed.agents_n < 1 || feed.agents_n > AGENTS_MAX)
        return 2;
    feed.clock = clock_system();
    feed.fact = fact_builder_new();
    feed.batch = buf_new(BATCH_SIZE);
    feed.ring = ring_new(4 * BATCH_SIZE);
    feed.view = live_view_new(&feed.clock, NULL);
    struct web_source source = live_view_source(feed.view);
    const struct web_options options = {.listen = argv[1], .heartbeat_ms = 15000};
    struct web_edge *edge = http_edge_ops.start(&options, &source, error, sizeof(error));
    if (!edge) {
        fprintf(stderr, "fake_feed: %s\n", error);
        return 1;
    }
    live_view_start(feed.view, feed.ring, wake, edge);
    begin_day();
    printf("%s\n", http_edge_ops.address(edge));
    fflush(stdout);
    play();
    live_view_stop(feed.view);
    http_edge_ops.stop(edge);
    live_view_free(feed.view);
    ring_free(feed.ring);
    buf_free(&feed.batch);
    fact_builder_free(&feed.fact);
    return 0;
}
