/* SPDX-License-Identifier: MIT */
#include "collector/view/live_view.h"

#include "collector/base/random.h"
#include "collector/facts/batch.h"
#include "collector/facts/fact.h"
#include "collector/view/change_ring.h"
#include "collector/view/day.h"
#include "collector/view/entities.h"
#include "collector/view/pbx_status.h"
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define CHANGE_BYTES   ((size_t)4 << 20)
#define ENTITIES_MAX   200000
#define STATE_BYTES    ((size_t)60 << 20)
#define COUNTS_MAX     5000
#define VISITS_MAX     100000
#define JSON_MAX       ((size_t)2 << 20)
#define BATCHES_A_TURN 64
#define TICK_MS        250
#define BOOT_MAX       33

struct live_view {
    struct clock clock;
    struct steady steady; /* shows when the clock is set; under lock */
    char boot[BOOT_MAX];
    struct privacy *policy;

    pthread_mutex_t lock; /* over all that follows, up to the thread's own */
    struct change_ring *changes;
    struct entities *entities;
    struct counts *counts;
    struct pbx_status *pbxs;
    struct buf json; /* scratch */
    uint64_t unrendered;
    int64_t day, next_day;

    pthread_t thread;
    bool running;
    atomic_bool stopping;
    atomic_uint_fast64_t states_lost;
    struct ring *ring;
    void (*wake)(void *ctx);
    void *wake_ctx;
};

static void set_day(struct live_view *v)
{
    int64_t now = clock_now(&v->clock);
    v->day = day_start(now);
    v->next_day = day_next(now);
}

struct live_view *live_view_new(const struct clock *clock, const struct live_view_options *options)
{
    const struct live_view_options o = options ? *options : (struct live_view_options){0};
    struct live_view *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    struct random_source random = random_system();
    v->clock = *clock;
    steady_begin(&v->steady, clock);
    v->policy = o.policy;
    if (o.boot)
        snprintf(v->boot, sizeof(v->boot), "%s", o.boot);
    else
        snprintf(v->boot, sizeof(v->boot), "%016" PRIx64, random.next(random.ctx));
    pthread_mutex_init(&v->lock, NULL);
    v->json = buf_new(JSON_MAX);
    v->changes = change_ring_new(o.change_bytes ? o.change_bytes : CHANGE_BYTES, v->boot);
    v->entities = entities_new(o.entities_max ? o.entities_max : ENTITIES_MAX,
                               o.state_bytes ? o.state_bytes : STATE_BYTES);
    v->counts = counts_new(COUNTS_MAX, VISITS_MAX);
    v->pbxs = pbx_status_new();
    if (!v->changes || !v->entities || !v->counts || !v->pbxs) {
        live_view_free(v);
        return NULL;
    }
    tzset();
    set_day(v);
    return v;
}

void live_view_free(struct live_view *v)
{
    if (!v)
        return;
    change_ring_free(v->changes);
    entities_free(v->entities);
    counts_free(v->counts);
    pbx_status_free(v->pbxs);
    buf_free(&v->json);
    pthread_mutex_destroy(&v->lock);
    free(v);
}

/* Folding: one small function for each kind of fact that shows. */

static struct slice find_string(struct slice fact, enum fact_field field)
{
    struct slice text = {0};
    fact_find(fact, field, &text, NULL);
    return text;
}

static int64_t find_number(struct slice fact, enum fact_field field)
{
    int64_t number = 0;
    fact_find(fact, field, NULL, &number);
    return number;
}

static bool is_today(const struct live_view *v, const struct fact_head *head)
{
    return head->time >= v->day;
}

static void fold_state(struct live_view *v, const struct fact_head *head, struct slice fact,
                       enum entity_kind kind)
{
    const struct entity_name name = {kind, head->pbx, head->subject};
    if (head->flags & FACT_IS_TOMBSTONE) {
        entities_remove(v->entities, &name);
        return;
    }
    buf_clear(&v->json);
    struct json_out j = json_out_to(&v->json);
    fact_json(fact, &j);
    if (v->json.failed) {
        v->unrendered++;
        entities_remove(v->entities, &name);
        return;
    }
    entities_put(v->entities, &name, buf_slice(&v->json));
}

static void fold_queue_state(struct live_view *v, const struct fact_head *head, struct slice fact)
{
    fold_state(v, head, fact, ENTITY_QUEUE);
    if (!(head->flags & FACT_IS_TOMBSTONE))
        counts_set_service_level(v->counts, head->pbx, head->subject,
                                 find_number(fact, FIELD_SERVICE_LEVEL_SECONDS) / 1000000);
}

static struct counts_visit visit_of(const struct fact_head *head, struct slice fact)
{
    return (struct counts_visit){head->pbx, find_string(fact, FIELD_QUEUE),
                                 find_string(fact, FIELD_UNIQUEID)};
}

static void fold_visit(struct live_view *v, const struct fact_head *head, struct slice fact)
{
    struct counts_visit visit = visit_of(head, fact);
    int64_t wait = find_number(fact, FIELD_WAIT_SECONDS);
    if (head->kind == FACT_QUEUE)
        counts_visit_ended(v->counts, &visit,
                           counts_outcome_by_name(find_string(fact, FIELD_OUTCOME)), wait,
                           is_today(v, head));
    else if (!is_today(v, head))
        return;
    else if (head->kind == FACT_QUEUE_JOINED)
        counts_visit_joined(v->counts, &visit);
    else
        counts_visit_answered(v->counts, &visit, wait);
}

static void fold_call(struct live_view *v, const struct fact_head *head, struct slice fact)
{
    enum counts_calls what = COUNTS_CALLS_STARTED;
    if (!is_today(v, head))
        return;
    if (head->kind == FACT_CDR)
        what = COUNTS_CDRS;
    else if (head->kind == FACT_CALL)
        what = fact_find(fact, FIELD_ANSWER, NULL, NULL) ? COUNTS_CALLS_ANSWERED
                                                         : COUNTS_CALLS_UNANSWERED;
    counts_add_calls(v->counts, head->pbx, what, 1);
}

static void fold_tap(struct live_view *v, const struct fact_head *head, struct slice fact)
{
    if (head->kind == FACT_TAP_CONNECTED)
        pbx_status_connected(v->pbxs, head->pbx, head->time, find_string(fact, FIELD_VERSION));
    else if (head->kind == FACT_TAP_DISCONNECTED)
        pbx_status_disconnected(v->pbxs, head->pbx, head->time, find_string(fact, FIELD_REASON));
    else if (is_today(v, head))
        pbx_status_gap(v->pbxs, head->pbx, find_string(fact, FIELD_REASON));
}

static void fold_fact(struct live_view *v, struct slice fact)
{
    struct fact_head head;
    if (!fact_read_head(fact, &head))
        return;
    switch (head.kind) {
    case FACT_CALL_STATE:
        fold_state(v, &head, fact, ENTITY_CALL);
        break;
    case FACT_AGENT_STATE:
        fold_state(v, &head, fact, ENTITY_AGENT);
        break;
    case FACT_ENDPOINT_STATE:
        fold_state(v, &head, fact, ENTITY_ENDPOINT);
        break;
    case FACT_TRUNK_STATE:
        fold_state(v, &head, fact, ENTITY_TRUNK);
        break;
    case FACT_REGISTRATION_STATE:
        fold_state(v, &head, fact, ENTITY_REGISTRATION);
        break;
    case FACT_HANDOFF_STATE:
        fold_state(v, &head, fact, ENTITY_LOAD);
        break;
    case FACT_QUEUE_STATE:
        fold_queue_state(v, &head, fact);
        break;
    case FACT_QUEUE_JOINED:
    case FACT_QUEUE_CONNECTED:
    case FACT_QUEUE:
        fold_visit(v, &head, fact);
        break;
    case FACT_CALL_STARTED:
    case FACT_CALL:
    case FACT_CDR:
        fold_call(v, &head, fact);
        break;
    case FACT_TAP_CONNECTED:
    case FACT_TAP_DISCONNECTED:
    case FACT_GAP:
        fold_tap(v, &head, fact);
        break;
    default:
        break;
    }
}

/* Nothing that the view holds, and so nothing that it serves, was not masked before. */
static void fold_masked(struct live_view *v, struct slice fact)
{
    struct slice masked = privacy_mask(v->policy, fact);
    if (masked.n)
        fold_fact(v, masked);
    else
        v->unrendered++;
}

/* Telling. */

static void put_counts(void *ctx, struct slice pbx, struct slice subject, struct slice json)
{
    struct live_view *v = ctx;
    const struct entity_name name = {ENTITY_COUNTS, pbx, subject};
    entities_put(v->entities, &name, json);
}

static void put_pbx(void *ctx, struct slice pbx, struct slice json)
{
    struct live_view *v = ctx;
    const struct entity_name name = {ENTITY_PBX, pbx, pbx};
    entities_put(v->entities, &name, json);
}

static void add_change(void *ctx, const struct entity_name *name, struct slice json)
{
    struct live_view *v = ctx;
    if (!json.n) {
        buf_clear(&v->json);
        struct json_out j = json_out_to(&v->json);
        json_out_object(&j, NULL);
        json_out_string(&j, "pbx", name->pbx);
        json_out_string(&j, "subject", name->subject);
        json_out_bool(&j, "gone", true);
        json_out_close(&j, '}');
        json = buf_slice(&v->json);
    }
    change_ring_add(v->changes, entity_kind_name(name->kind), json);
}

static void follow_clock(struct live_view *v)
{
    int64_t by = steady_set(&v->steady);
    if (!by)
        return;
    pbx_status_clock_set(v->pbxs, by);
    change_ring_forget(v->changes); /* pages know the time by their snapshot alone */
}

/* A clock that is set back over midnight leaves what was counted: it still is of the last hours. */
static void follow_day(struct live_view *v, int64_t now)
{
    bool new_day = now >= v->next_day;
    if (!new_day && now >= v->day)
        return;
    set_day(v);
    if (!new_day)
        return;
    counts_reset(v->counts);
    pbx_status_new_day(v->pbxs);
    change_ring_forget(v->changes); /* no two clocks go alike */
}

static bool publish_locked(struct live_view *v)
{
    uint64_t before = change_ring_newest(v->changes);
    int64_t now = clock_now(&v->clock);
    follow_clock(v);
    follow_day(v, now);
    pbx_status_view(v->pbxs, v->ring ? ring_refused(v->ring) : 0,
                    entities_dropped(v->entities) + counts_dropped(v->counts) + v->unrendered +
                        atomic_load(&v->states_lost));
    counts_changed(v->counts, put_counts, v);
    pbx_status_changed(v->pbxs, now, put_pbx, v);
    entities_changed(v->entities, add_change, v);
    return change_ring_newest(v->changes) != before;
}

static void fold_locked(struct live_view *v, struct slice batch)
{
    size_t offset = 0;
    struct batch_item item;
    follow_clock(v);
    while (batch_next(batch, &offset, &item)) {
        if (item.kind == BATCH_FACT)
            fold_masked(v, item.body);
        else if (item.kind == BATCH_NOTE)
            pbx_status_note(v->pbxs, item.pbx, item.body, clock_now(&v->clock));
    }
}

void live_view_fold(struct live_view *v, struct slice batch)
{
    pthread_mutex_lock(&v->lock);
    fold_locked(v, batch);
    pthread_mutex_unlock(&v->lock);
}

bool live_view_publish(struct live_view *v)
{
    pthread_mutex_lock(&v->lock);
    bool changed = publish_locked(v);
    pthread_mutex_unlock(&v->lock);
    return changed;
}

/* Folds what is in the ring, as one turn: what changes twice in it is told once. */
static void take_turn(struct live_view *v, bool filled, struct slice batch)
{
    pthread_mutex_lock(&v->lock);
    for (unsigned n = 0; filled && n < BATCHES_A_TURN; n++) {
        fold_locked(v, batch);
        ring_pop(v->ring);
        filled = ring_peek(v->ring, 0, &batch);
    }
    bool changed = publish_locked(v);
    pthread_mutex_unlock(&v->lock);
    if (changed)
        v->wake(v->wake_ctx);
}

static void *run(void *ctx)
{
    struct live_view *v = ctx;
    for (;;) {
        struct slice batch = {0};
        bool filled = ring_peek(v->ring, TICK_MS, &batch);
        take_turn(v, filled, batch);
        if (!filled && (ring_closed(v->ring) || atomic_load(&v->stopping)))
            return NULL;
    }
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

bool live_view_start(struct live_view *v, struct ring *ring, void (*wake)(void *ctx),
                     void *wake_ctx)
{
    sigset_t all, before; /* signals belong to the main thread */
    v->ring = ring;
    v->wake = wake ? wake : no_wake;
    v->wake_ctx = wake_ctx;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    v->running = pthread_create(&v->thread, NULL, run, v) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (v->running)
        pthread_setname_np(v->thread, "view");
    return v->running;
}

void live_view_stop(struct live_view *v)
{
    if (!v->running)
        return;
    atomic_store(&v->stopping, true);
    pthread_join(v->thread, NULL);
    v->running = false;
}

void live_view_states_lost(struct live_view *v, uint64_t n)
{
    atomic_store(&v->states_lost, n);
}

/* Seeds. */

void live_view_add_pbx(struct live_view *v, struct slice pbx)
{
    pthread_mutex_lock(&v->lock);
    pbx_status_add(v->pbxs, pbx);
    pthread_mutex_unlock(&v->lock);
}

int64_t live_view_today(struct live_view *v)
{
    pthread_mutex_lock(&v->lock);
    int64_t day = v->day;
    pthread_mutex_unlock(&v->lock);
    return day;
}

void live_view_seed_queue(struct live_view *v, const struct live_view_visits *visits)
{
    const struct counts_visits counted = {.outcome = counts_outcome_by_name(visits->outcome),
                                          .n = visits->n,
                                          .within = visits->within,
                                          .wait_us = visits->wait_us,
                                          .wait_us_max = visits->wait_us_max};
    pthread_mutex_lock(&v->lock);
    counts_add_visits(v->counts, visits->pbx, visits->queue, &counted);
    pthread_mutex_unlock(&v->lock);
}

void live_view_seed_calls(struct live_view *v, struct slice pbx, enum counts_calls what, uint64_t n)
{
    pthread_mutex_lock(&v->lock);
    counts_add_calls(v->counts, pbx, what, n);
    if (what == COUNTS_CALLS_ANSWERED || what == COUNTS_CALLS_UNANSWERED)
        counts_add_calls(v->counts, pbx, COUNTS_CALLS_STARTED, n);
    pthread_mutex_unlock(&v->lock);
}

/* What the web edge reads. */

struct listing {
    struct web_text *text;
    bool failed;
    bool more; /* not the first of its list */
};

static void list_put(struct listing *l, struct slice s)
{
    l->failed = l->failed || !web_text_put(l->text, s.p, s.n);
}

static void list_entity(void *ctx, const struct entity_name *name, struct slice json)
{
    struct listing *l = ctx;
    (void)name;
    if (l->more)
        list_put(l, SLICE(","));
    l->more = true;
    list_put(l, json);
}

/* The head of the snapshot, up to its first list. */
static void list_head(struct live_view *v, struct listing *l)
{
    struct buf text = buf_new(1024);
    struct json_out j = json_out_to(&text);
    json_out_object(&j, NULL);
    json_out_string(&j, "boot", slice_from(v->boot));
    json_out_int(&j, "seq", (int64_t)change_ring_newest(v->changes));
    json_out_time(&j, "now", clock_now(&v->clock));
    json_out_time(&j, "day", v->day);
    list_put(l, buf_slice(&text));
    buf_free(&text);
}

static bool source_snapshot(void *ctx, const struct web_scope *scope, struct web_text *text,
                            uint64_t *ret_seq)
{
    static const struct {
        enum entity_kind kind;
        const char *key;
    } lists[] = {{ENTITY_PBX, ",\"pbxs\":["},
                 {ENTITY_QUEUE, "],\"queues\":["},
                 {ENTITY_AGENT, "],\"agents\":["},
                 {ENTITY_CALL, "],\"calls\":["},
                 {ENTITY_ENDPOINT, "],\"endpoints\":["},
                 {ENTITY_TRUNK, "],\"trunks\":["},
                 {ENTITY_REGISTRATION, "],\"registrations\":["},
                 {ENTITY_LOAD, "],\"load\":["},
                 {ENTITY_COUNTS, "],\"counts\":["}};
    struct live_view *v = ctx;
    struct listing l = {.text = text};
    (void)scope;
    pthread_mutex_lock(&v->lock);
    list_head(v, &l);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        list_put(&l, slice_from(lists[i].key));
        l.more = false;
        entities_each(v->entities, lists[i].kind, list_entity, &l);
    }
    list_put(&l, SLICE("]}"));
    *ret_seq = change_ring_newest(v->changes);
    pthread_mutex_unlock(&v->lock);
    return !l.failed;
}

static ssize_t source_changes(void *ctx, const struct web_scope *scope, struct web_cursor *cursor,
                              char *to, size_t size)
{
    struct live_view *v = ctx;
    (void)scope;
    pthread_mutex_lock(&v->lock);
    ssize_t n = change_ring_read(v->changes, &cursor->seq, &cursor->offset, to, size);
    pthread_mutex_unlock(&v->lock);
    return n;
}

static uint64_t source_newest(void *ctx)
{
    struct live_view *v = ctx;
    pthread_mutex_lock(&v->lock);
    uint64_t newest = change_ring_newest(v->changes);
    pthread_mutex_unlock(&v->lock);
    return newest;
}

static const char *source_boot(void *ctx)
{
    return ((struct live_view *)ctx)->boot;
}

static enum web_health source_health(void *ctx, struct web_text *text)
{
    struct live_view *v = ctx;
    struct buf json = buf_new(JSON_MAX);
    struct json_out j = json_out_to(&json);
    pthread_mutex_lock(&v->lock);
    bool ok = pbx_status_health(v->pbxs, clock_now(&v->clock), &j);
    pthread_mutex_unlock(&v->lock);
    buf_put_char(&json, '\n');
    ok = ok && !json.failed && web_text_put(text, json.p, json.n);
    if (!ok && !json.failed && text->n == 0)
        web_text_put(text, json.p, json.n);
    buf_free(&json);
    return ok ? WEB_HEALTH_OK : WEB_HEALTH_DEGRADED;
}

struct web_source live_view_source(struct live_view *v)
{
    return (struct web_source){.ctx = v,
                               .snapshot = source_snapshot,
                               .changes = source_changes,
                               .newest = source_newest,
                               .boot = source_boot,
                               .health = source_health};
}
