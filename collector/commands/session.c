/* SPDX-License-Identifier: MIT */
#include "collector/commands/session.h"

#include "collector/base/clock_skew.h"
#include "collector/base/log.h"
#include "collector/base/memory.h"
#include "collector/base/metrics.h"
#include "collector/commands/metrics_feed.h"
#include "collector/commands/tap_config.h"
#include "collector/facts/tap.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DRIFT_LINES_MAX      20u
#define DRIFT_LINES_US       ((int64_t)60 * 1000000)
#define DRIFT_LINE_BYTES_MAX ((size_t)64 * 1024)
#define LOOK_AGAIN_US        ((int64_t)10 * 1000000)

struct session {
    const struct config_section *pbx;
    struct session_env env;
    struct steady steady; /* what the session's clock is */
    struct clock_skew skew;
    struct metric_line *lag;
    struct ami_tls *tls; /* NULL: in clear */
    struct run_config *config,
        *next;                /* what the link is made of, and is to be; NULL: pbx, and nothing */
    struct ami_tls *next_tls; /* with next */
    struct ami_link *link;
    struct tap *tap;
    bool logged_in; /* now */
    bool ever;      /* since the start */
    bool shut_out;  /* refused, and not let in since the start or a reload */
    bool state_due; /* a second has passed since the state was handed on */
    bool untimed_told;
    int64_t told;        /* the mark of what was given up and is told, on the way to the outbox */
    bool full;           /* the writer's ring has no room */
    bool outgrown;       /* it was told that the ring is too small */
    bool kept;           /* the last turn was */
    size_t cut_bytes;    /* how large it was when it was not */
    int64_t kept_to;     /* up to where the stream was followed then, the PBX's time */
    uint64_t failures;   /* to get memory, as many were seen */
    int64_t short_from;  /* kept_to before there were some, 0: there were none */
    bool look_again;     /* the lists are to be read once more, for what there was no memory for */
    int64_t looked;      /* when that was asked for last, 0: never */
    int64_t drifts_from; /* since then so many differences were told */
    uint64_t drifts;
};

static int64_t now_of(const struct session *s)
{
    return clock_now(&s->env.link.clock);
}

static struct slice name_of(const struct session *s)
{
    return slice_from(config_section_name(s->pbx));
}

const char *session_name(const struct session *s)
{
    return config_section_name(s->pbx);
}

/* One line for each difference, with both rows as the history has them; past a bound in a minute
 * they are only counted. */
static void log_drift(struct session *s, struct slice fact)
{
    int64_t now = now_of(s);
    if (now - s->drifts_from >= DRIFT_LINES_US) {
        if (s->drifts > DRIFT_LINES_MAX)
            log_line(LOG_LEVEL_WARNING, "pbx %s: %" PRIu64 " more differences: see table drift",
                     session_name(s), s->drifts - DRIFT_LINES_MAX);
        s->drifts = 0;
        s->drifts_from = now;
    }
    if (++s->drifts > DRIFT_LINES_MAX)
        return;
    struct buf text = buf_new(DRIFT_LINE_BYTES_MAX);
    struct json_out json = json_out_to(&text);
    struct slice shown = privacy_mask(s->env.log_policy, fact);
    if (shown.n)
        fact_json(shown, &json);
    log_line(LOG_LEVEL_WARNING, "pbx %s: differs from what Asterisk says: %.*s", session_name(s),
             (int)text.n, text.n ? text.p : "");
    buf_free(&text);
}

static void on_turn_begin(void *ctx)
{
    struct session *s = ctx;
    if (s->env.turn_begin)
        s->env.turn_begin(s->env.ctx);
}

static void count_gap(const struct session *s, struct slice fact)
{
    char reason[32];
    struct slice word = {NULL, 0};
    fact_find(fact, FIELD_REASON, &word, NULL);
    snprintf(reason, sizeof(reason), "%.*s", (int)word.n, word.n ? word.p : "");
    metrics_add(metrics_line(METRIC_GAPS, session_name(s), reason), 1);
}

static void on_fact(void *ctx, struct slice fact)
{
    struct session *s = ctx;
    struct fact_head head;
    if (!fact_read_head(fact, &head))
        return;
    if (head.kind == FACT_DRIFT)
        log_drift(s, fact);
    else if (head.kind == FACT_GAP)
        count_gap(s, fact);
    publish_fact(s->env.publish, fact);
}

static void on_state(void *ctx, struct slice entity, struct slice body)
{
    struct session *s = ctx;
    publish_state(s->env.publish, name_of(s), entity, body);
}

static void on_message(void *ctx, const struct ami_message *m, int64_t arrival_us)
{
    struct session *s = ctx;
    int64_t ahead;
    tap_event(s->tap, m, arrival_us);
    if (tap_event_ahead(s->tap, &ahead))
        metrics_observe(s->lag, clock_skew_take(&s->skew, clock_mono(&s->env.link.clock), -ahead));
    if (!s->untimed_told && tap_is_untimed(s->tap)) {
        s->untimed_told = true;
        log_line(LOG_LEVEL_WARNING,
                 "pbx %s: its events carry no Timestamp (timestampevents in manager.conf): times "
                 "are those of arrival, and another tap's records cannot be told to be the same",
                 session_name(s));
    }
}

static bool on_saved(void *ctx)
{
    struct session *s = ctx;
    s->kept = publish_turn(s->env.publish);
    s->cut_bytes = s->kept ? 0 : publish_turn_bytes(s->env.publish);
    return s->kept;
}

/* State goes with the facts that it produced, and without facts once a second. */
static void hand_on(struct session *s)
{
    if (s->state_due || publish_has_facts(s->env.publish))
        tap_save(s->tap, on_state, on_saved, s);
    else
        on_saved(s);
    s->state_due = false;
    if (s->kept)
        s->kept_to = tap_position(s->tap, now_of(s));
}

/* What memory was too short for is missing from what this turn gave, from what calls that were up
 * then give later, and from what is held: in a session the gap ends when all lists were read again,
 * without one now, since the next begins with lists. False: not told, since lists are being read,
 * of which some may be missing too. */
static bool tell_shortage(struct session *s)
{
    if (!s->logged_in) {
        tap_lost(s->tap, s->short_from, now_of(s), SLICE("memory"));
        return true;
    }
    if (ami_link_state(s->link) != AMI_LINK_LIVE)
        return false;
    tap_doubts(s->tap, s->short_from, SLICE("memory"));
    s->look_again = true;
    return true;
}

/* Told once there was enough again. */
static void look_at_memory(struct session *s)
{
    uint64_t before = s->failures;
    if (s->short_from && memory_failures() == before && tell_shortage(s) &&
        memory_failures() == before)
        s->short_from = 0;
    s->failures = memory_failures();
    if (s->failures == before || s->short_from)
        return;
    s->short_from = s->kept_to;
    log_line(LOG_LEVEL_ERROR, "pbx %s: memory is short: records may be missing or wrong",
             session_name(s));
}

/* Not at once each time: a PBX is to be spared lists while memory goes on being short. */
static void look_again(struct session *s)
{
    int64_t now = clock_mono(&s->env.link.clock);
    if (s->look_again && (!s->looked || now - s->looked >= LOOK_AGAIN_US) &&
        ami_link_look_again(s->link))
        s->looked = now;
}

/* What the store has no room for is lost, until publish_has_room. The gap begins at what it kept
 * last, since the turn that was lost first came behind that. */
static void on_turn_end(void *ctx)
{
    struct session *s = ctx;
    bool was_full = s->full;
    look_at_memory(s);
    if (was_full && !publish_has_room(s->env.publish, s->cut_bytes)) {
        publish_drop(s->env.publish);
        return;
    }
    if (was_full)
        tap_lost(s->tap, s->kept_to, now_of(s), SLICE("overflow"));
    hand_on(s);
    s->full = !s->kept;
    if (s->full && publish_outgrown(s->env.publish) && !s->outgrown) {
        s->outgrown = true;
        log_line(LOG_LEVEL_ERROR,
                 "pbx %s: what is up at once does not fit into the store's ring_mib: nothing is "
                 "stored until it is raised",
                 session_name(s));
    }
    if (s->full && !was_full)
        log_line(LOG_LEVEL_ERROR, "pbx %s: the store does not keep up: facts are lost",
                 session_name(s));
    else if (was_full && !s->full)
        log_line(LOG_LEVEL_WARNING, "pbx %s: the store takes facts again", session_name(s));
}

static void note_link(struct session *s, bool connected, const char *reason)
{
    struct buf text = buf_new(2048);
    struct json_out json = json_out_to(&text);
    json_out_object(&json, NULL);
    json_out_bool(&json, "connected", connected);
    if (reason && reason[0])
        json_out_string(&json, "reason", slice_from(reason));
    else
        json_out_null(&json, "reason");
    json_out_close(&json, '}');
    publish_note(s->env.publish, name_of(s), buf_slice(&text));
    buf_free(&text);
}

/* A clock that was set while a session was up counts from the next one on, before anything comes.
 */
static void set_clock(struct session *s)
{
    tap_clock_moved(s->tap, steady_set(&s->steady));
    s->skew = (struct clock_skew){0};
}

static void logged_in(struct session *s, const struct ami_link_change *change)
{
    s->logged_in = true;
    s->ever = true;
    s->shut_out = false;
    tap_host(s->tap, slice_from(change->host));
    tap_connected(s->tap, slice_from(ami_link_version(s->link)), now_of(s));
}

/* One word, as gaps have it. */
static const char *why_blind(enum ami_link_reason reason)
{
    switch (reason) {
    case AMI_LINK_PBX_SHUTDOWN:
        return "pbx_shutdown";
    case AMI_LINK_SILENT:
        return "silent";
    case AMI_LINK_ASKED:
        return "restart";
    default:
        return "disconnected";
    }
}

static void logged_out(struct session *s, const struct ami_link_change *change)
{
    s->logged_in = false;
    /* What came after the last byte that arrived may have been lost with the connection, also while
     * nobody knew yet that it was. */
    int64_t last = ami_link_counters(s->link).last_frame_us;
    tap_lost_sight(s->tap, last ? last : now_of(s), slice_from(why_blind(change->reason)));
    tap_disconnected(s->tap, slice_from(change->detail), now_of(s));
}

static void on_link_state(void *ctx, const struct ami_link_change *change)
{
    struct session *s = ctx;
    char text[512];
    if (ami_link_change_text(session_name(s), change, text, sizeof(text)))
        log_line(ami_link_change_is_fault(change) ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%s", text);
    if (change->to == AMI_LINK_CONNECTING)
        set_clock(s);
    if (change->to == AMI_LINK_BOOTING)
        logged_in(s, change);
    else if (s->logged_in && (change->to == AMI_LINK_WAITING || change->to == AMI_LINK_STOPPED))
        logged_out(s, change);
    if (change->to == AMI_LINK_WAITING)
        note_link(s, false, text);
    on_turn_end(s);
    if (change->to == AMI_LINK_STOPPED && !s->next) {
        s->env.stopped(s->env.ctx, false);
    } else if (change->shut_out && !s->ever) {
        s->shut_out = true;
        s->env.stopped(s->env.ctx, true);
    }
}

static bool list_of(enum ami_action action, enum tap_list *ret_list)
{
    switch (action) {
    case AMI_ACTION_CORESHOWCHANNELS:
        *ret_list = TAP_LIST_CHANNELS;
        return true;
    case AMI_ACTION_BRIDGELIST:
        *ret_list = TAP_LIST_BRIDGES;
        return true;
    case AMI_ACTION_QUEUESTATUS:
        *ret_list = TAP_LIST_QUEUES;
        return true;
    case AMI_ACTION_DEVICESTATELIST:
        *ret_list = TAP_LIST_DEVICES;
        return true;
    case AMI_ACTION_PJSIPSHOWREGISTRATIONSOUTBOUND:
        *ret_list = TAP_LIST_REGISTRATIONS;
        return true;
    default:
        return false;
    }
}

static void on_list_sent(void *ctx, enum ami_action action)
{
    struct session *s = ctx;
    enum tap_list list;
    if (list_of(action, &list))
        tap_list_begin(s->tap, list);
}

/* What a refused action would have told. */
static const char *missing(enum ami_action action)
{
    if (action == AMI_ACTION_CORESTATUS)
        return "that it was started anew is told by class system, or by the next call, only";
    if (action == AMI_ACTION_DEVICESTATELIST)
        return "phones and trunks show their state when it changes";
    if (action == AMI_ACTION_PJSIPSHOWREGISTRATIONSOUTBOUND)
        return "registrations show their state when it changes";
    return "what was up before the tap joined may be missing";
}

static void on_list_done(void *ctx, enum ami_action action, enum ami_link_outcome outcome)
{
    struct session *s = ctx;
    enum tap_list list;
    if (list_of(action, &list))
        tap_list_end(s->tap, list, outcome == AMI_LINK_LIST_DONE, now_of(s));
    if (outcome == AMI_LINK_LIST_REFUSED)
        log_line(LOG_LEVEL_WARNING, "pbx %s: this account may not ask for %s: %s", session_name(s),
                 ami_action_name(action), missing(action));
}

/* The words are the PBX's own, of its own time zone: they only have to be the same or others. */
static void on_answer(void *ctx, enum ami_action action, const struct ami_message *m)
{
    struct session *s = ctx;
    char text[128];
    struct slice date = slice_head(ami_message_get(m, AMI_HEADER_CORESTARTUPDATE), 60);
    struct slice time = slice_head(ami_message_get(m, AMI_HEADER_CORESTARTUPTIME), 60);
    if (action != AMI_ACTION_CORESTATUS || !date.n || !time.n)
        return;
    snprintf(text, sizeof(text), "%.*s %.*s", (int)date.n, date.p, (int)time.n, time.p);
    tap_booted(s->tap, slice_from(text));
}

static void on_snapshot_begin(void *ctx)
{
    struct session *s = ctx;
    if (s->look_again)
        tap_looks_again(s->tap, now_of(s));
    s->look_again = false;
}

static void on_snapshot_end(void *ctx)
{
    struct session *s = ctx;
    tap_snapshot_end(s->tap, now_of(s));
}

static void on_check_sent(void *ctx)
{
    struct session *s = ctx;
    tap_check_begin(s->tap);
}

static void on_check_done(void *ctx, enum ami_link_outcome outcome)
{
    struct session *s = ctx;
    tap_check_end(s->tap, outcome == AMI_LINK_LIST_DONE, now_of(s));
}

struct session *session_new(const struct config_section *pbx, const struct session_env *env)
{
    static const struct ami_link_events events = {.message = on_message,
                                                  .state = on_link_state,
                                                  .snapshot_action_sent = on_list_sent,
                                                  .snapshot_action_done = on_list_done,
                                                  .snapshot_begin = on_snapshot_begin,
                                                  .snapshot_end = on_snapshot_end,
                                                  .answer = on_answer,
                                                  .check_sent = on_check_sent,
                                                  .check_done = on_check_done,
                                                  .turn_begin = on_turn_begin,
                                                  .turn_end = on_turn_end};
    struct session *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->pbx = pbx;
    s->env = *env;
    s->failures = memory_failures();
    steady_begin(&s->steady, &env->link.clock);
    s->env.link.clock = steady_clock(&s->steady);
    s->lag = metrics_line(METRIC_DELIVERY_LAG, session_name(s), NULL);
    struct ami_link_config config = tap_config_link(pbx);
    if (!tap_config_tls(pbx, &s->tls, stderr)) {
        session_free(s);
        return NULL;
    }
    config.tls = s->tls;
    struct tap_options options = tap_config_options(pbx);
    s->tap = tap_new(&options, on_fact, s);
    s->kept_to = s->tap ? tap_position(s->tap, now_of(s)) : 0;
    s->link = ami_link_new(&config, &s->env.link, &events, s);
    if (!s->tap || !s->link) {
        session_free(s);
        return NULL;
    }
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    ami_link_free(s->link);
    ami_tls_free(s->tls);
    ami_tls_free(s->next_tls);
    run_config_release(s->config);
    run_config_release(s->next);
    tap_free(s->tap);
    free(s);
}

static void restore_entity(void *ctx, struct slice entity, struct slice body)
{
    struct session *s = ctx;
    if (tap_restore(s->tap, entity, body))
        return;
    /* What follows the kind may be somebody's number. */
    const char *end = memchr(entity.p, '/', entity.n);
    log_line(LOG_LEVEL_WARNING, "pbx %s: a saved state (%.*s) cannot be read; it is left out",
             session_name(s), (int)(end ? end - entity.p : (ptrdiff_t)entity.n), entity.p);
}

/* Tells the view when something came last, and by which clock the times of facts are; ahead is NULL
 * where that is not known. */
static void note_heard(struct session *s, int64_t last, const int64_t *ahead)
{
    struct buf text = buf_new(256);
    struct json_out json = json_out_to(&text);
    json_out_object(&json, NULL);
    if (s->logged_in)
        json_out_bool(&json, "connected", true);
    json_out_time(&json, "last_event", last);
    if (ahead)
        json_out_int(&json, "clock_skew_us", *ahead);
    json_out_close(&json, '}');
    publish_note(s->env.publish, name_of(s), buf_slice(&text));
    buf_free(&text);
}

/* What is shown until the PBX is there again is from then. */
static void note_restored(struct session *s)
{
    int64_t ahead;
    bool known = tap_ahead_before(s->tap, &ahead);
    note_heard(s, tap_last_event(s->tap), known ? &ahead : NULL);
}

int session_restore(struct session *s, struct outbox *outbox)
{
    int result = outbox_load_state(outbox, name_of(s), restore_entity, s);
    if (result == 0)
        tap_restored(s->tap);
    if (tap_last_event(s->tap)) {
        tap_lost_sight(s->tap, tap_last_event(s->tap), SLICE("restart"));
        note_restored(s);
    }
    return result;
}

bool session_is_shut_out(const struct session *s)
{
    return s->shut_out;
}

uint64_t session_live_calls(const struct session *s)
{
    return tap_counters(s->tap).calls;
}

void session_start(struct session *s)
{
    ami_link_start(s->link);
}

static const struct config_section *section_in(const struct session *s, const struct run_config *c)
{
    return c ? run_config_pbx(run_config_of(c), session_name(s)) : s->pbx;
}

/* No more: the link is as it was, or stops. */
static void drop_next(struct session *s)
{
    ami_tls_free(s->next_tls);
    run_config_release(s->next);
    s->next_tls = NULL;
    s->next = NULL;
}

void session_stop(struct session *s)
{
    bool reloading = s->next && ami_link_state(s->link) == AMI_LINK_STOPPED;
    drop_next(s);
    if (reloading)
        s->env.stopped(s->env.ctx, false);
    else
        ami_link_stop(s->link);
}

bool session_reload(struct session *s, struct run_config *config, struct ami_tls *tls)
{
    const struct config_section *old = section_in(s, s->next ? s->next : s->config);
    if (!run_config_link_differs(old, section_in(s, config)))
        return false;
    drop_next(s);
    s->next = run_config_hold(config);
    s->shut_out = false;
    s->next_tls = tls;
    ami_link_stop(s->link);
    return true;
}

/* The old session has ended: begins as the new configuration says. */
static void begin_next(struct session *s)
{
    struct ami_link_config config = tap_config_link(section_in(s, s->next));
    config.tls = s->next_tls;
    ami_link_configure(s->link, &config);
    ami_tls_free(s->tls);
    run_config_release(s->config);
    s->tls = s->next_tls;
    s->config = s->next;
    s->next_tls = NULL;
    s->next = NULL;
    ami_link_start(s->link);
}

void session_given_up(struct session *s, const struct untold_span *span)
{
    if (span->mark == s->told || (s->full && !publish_has_room(s->env.publish, s->cut_bytes)))
        return;
    tap_gap(s->tap, span->first, span->last, SLICE("kafka_backlog"));
    on_turn_end(s);
    if (s->kept)
        s->told = span->mark;
}

void session_tick(struct session *s)
{
    struct ami_link_counters counters = ami_link_counters(s->link);
    const struct tap_counters tap = tap_counters(s->tap);
    int64_t ahead = 0;
    bool measured = clock_skew_get(&s->skew, &ahead);
    ahead += steady_ahead(&s->steady);
    s->state_due = true;
    if (counters.last_frame_us)
        counters.last_frame_us -= steady_ahead(&s->steady);
    if (measured)
        metrics_set(metrics_line(METRIC_CLOCK_SKEW, session_name(s), NULL), ahead);
    metrics_feed_pbx(session_name(s), s->logged_in, &counters, &tap);
    if (s->logged_in)
        tap_tick(s->tap, now_of(s));
    look_again(s);
    if (s->logged_in && counters.last_frame_us)
        note_heard(s, counters.last_frame_us, measured || tap_is_untimed(s->tap) ? &ahead : NULL);
    on_turn_end(s);
    if (s->next && ami_link_state(s->link) == AMI_LINK_STOPPED)
        begin_next(s);
}
