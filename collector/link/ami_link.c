/* SPDX-License-Identifier: MIT */
/* The happy path:
 *   - STOPPED, ami_link_start: the host's name is looked up: RESOLVING
 *   - an address comes: CONNECTING
 *   - connected: GREETING
 *   - the banner comes: Challenge is sent: CHALLENGING
 *   - the challenge comes: Login is sent: LOGGING_IN
 *   - it is accepted: BOOTING
 *   - FullyBooted comes, or boot_us have passed: SNAPSHOT, one list after the other
 *   - all lists came, were refused or took too long: LIVE; QueueStatus again each check_us
 *   - a FullyBooted that comes late (Asterisk was still starting), ami_link_look_again: SNAPSHOT
 *     once more
 *   - ami_link_stop: Logoff is sent: LEAVING; the PBX closes: STOPPED
 *
 * What may fail:
 *   - no address, or none in time, nobody listens, connecting takes too long: the next address,
 *     then the next host; when all were tried WAITING, a growing delay
 *   - no banner, no answer to Challenge or Login in time, closed before it is logged in: the same
 *   - the log-in is refused: the next host; this one not before a much longer delay, since a wrong
 * secret does not heal itself and Asterisk's log fills with it (and GHSA-3rhj-hhw7-m6fw let it
 * crash there); WAITING for that long when no host takes the account
 *   - the PBX closes a session, the socket breaks: WAITING. The delay begins anew after a session
 * was LIVE
 *   - nothing comes for ping_us: Ping is sent; nothing for as long again: WAITING
 *   - stopped while no session is there: STOPPED at once
 *   - after Logoff nobody closes for leave_us: STOPPED
 */
#include "collector/link/ami_link.h"
#include "collector/link/ami_backoff.h"
#include "collector/link/ami_hosts.h"
#include "collector/link/ami_key.h"
#include "collector/link/ami_transport.h"
#include "parsers/ami_text.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#define DETAIL_SIZE  200
#define VERSION_SIZE 32

struct ami_link {
    struct ami_link_config config;
    struct ami_link_env env;
    struct ami_link_events events;
    void *ctx;
    enum ami_link_state state;
    struct ami_transport *transport;
    struct event *deadline; /* of the state */
    struct event *silence;
    struct resolver_lookup *lookup;
    struct ami_hosts hosts;
    bool booted;    /* FullyBooted came in this session */
    bool shutdown;  /* Shutdown came in this session */
    bool again;     /* FullyBooted came while a snapshot was taken */
    bool checking;  /* live, and QueueStatus is being answered */
    bool pinged;    /* and nothing came since */
    uint64_t heard; /* bytes_in at the last look */
    uint32_t action_id;
    bool told;      /* a callback was called in this turn */
    unsigned depth; /* of callbacks */
    struct ami_backoff lost;
    struct ami_backoff refused;
    struct ami_link_counters counters;
    char detail[DETAIL_SIZE];
    char version[VERSION_SIZE];
    struct ami_snapshot snapshot;
    struct ami_message message;
};

/* Callbacks are called through these, so that a turn's end is told once after them, and a link is
 * not freed within one. */
static void tell_state(struct ami_link *link, const struct ami_link_change *change)
{
    link->told = true;
    if (link->events.state) {
        link->depth++;
        link->events.state(link->ctx, change);
        link->depth--;
    }
}

static void tell_message(struct ami_link *link, const struct ami_message *m, int64_t arrival_us)
{
    link->told = true;
    if (link->events.message) {
        link->depth++;
        link->events.message(link->ctx, m, arrival_us);
        link->depth--;
    }
}

/* That a snapshot begins or ends. */
static void tell(struct ami_link *link, void (*callback)(void *ctx))
{
    link->told = true;
    if (callback) {
        link->depth++;
        callback(link->ctx);
        link->depth--;
    }
}

static void tell_action_sent(struct ami_link *link, enum ami_action action)
{
    link->told = true;
    if (link->events.snapshot_action_sent) {
        link->depth++;
        link->events.snapshot_action_sent(link->ctx, action);
        link->depth--;
    }
}

static void tell_action_done(struct ami_link *link, enum ami_action action,
                             enum ami_link_outcome outcome)
{
    link->told = true;
    if (link->events.snapshot_action_done) {
        link->depth++;
        link->events.snapshot_action_done(link->ctx, action, outcome);
        link->depth--;
    }
}

static void tell_check_done(struct ami_link *link, enum ami_link_outcome outcome)
{
    link->told = true;
    if (link->events.check_done) {
        link->depth++;
        link->events.check_done(link->ctx, outcome);
        link->depth--;
    }
}

static void turn_begin(void *ctx)
{
    struct ami_link *link = ctx;
    if (link->events.turn_begin)
        link->events.turn_begin(link->ctx);
}

static void turn_end(void *ctx)
{
    struct ami_link *link = ctx;
    if (link->told) {
        link->told = false;
        if (link->events.turn_end) {
            link->depth++;
            link->events.turn_end(link->ctx);
            link->depth--;
        }
    }
}

static void arm(struct event *timer, int64_t us)
{
    if (us > 0) {
        struct timeval tv = {us / 1000000, us % 1000000};
        evtimer_add(timer, &tv);
    } else {
        evtimer_del(timer);
    }
}

static bool is_session(enum ami_link_state state)
{
    return state == AMI_LINK_BOOTING || state == AMI_LINK_SNAPSHOT || state == AMI_LINK_LIVE;
}

/* The only place where the state changes. */
static void change_state(struct ami_link *link, enum ami_link_state to, enum ami_link_reason reason,
                         const char *detail, int64_t delay_us)
{
    int64_t refused_for;
    struct ami_link_change change = {.from = link->state,
                                     .to = to,
                                     .reason = reason,
                                     .detail = detail,
                                     .host = ami_hosts_name(&link->hosts),
                                     .port = link->config.port,
                                     .delay_us = delay_us};
    change.shut_out = to == AMI_LINK_WAITING &&
                      ami_hosts_refuse(&link->hosts, clock_mono(&link->env.clock), &refused_for);
    if (is_session(change.from) && !is_session(to)) {
        link->counters.losses += to == AMI_LINK_WAITING;
        evtimer_del(link->silence);
    } else if (!is_session(change.from) && is_session(to)) {
        link->counters.logins++;
        ami_hosts_accepted(&link->hosts);
        link->pinged = false;
        arm(link->silence, link->config.ping_us);
    }
    link->state = to;
    link->checking = false;
    arm(link->deadline, delay_us ? delay_us : ami_link_state_time(&link->config, to));
    tell_state(link, &change);
}

static bool send_action(struct ami_link *link, const struct ami_action_text *action)
{
    return ami_transport_send(link->transport, action);
}

static void close_all(struct ami_link *link)
{
    ami_transport_close(link->transport);
    resolver_cancel(link->env.resolver, link->lookup);
    link->lookup = NULL;
}

/* detail may point into a message, which is gone once the connection is. */
static void end_attempt(struct ami_link *link, struct slice detail)
{
    size_t n = detail.n < sizeof link->detail - 1 ? detail.n : sizeof link->detail - 1;
    if (n) {
        memmove(link->detail, detail.p, n);
    }
    link->detail[n] = '\0';
    close_all(link);
}

/* The session is over; another one with the same host follows. */
static void wait_and_retry(struct ami_link *link, enum ami_link_reason reason, struct slice detail)
{
    end_attempt(link, detail);
    link->hosts.tried = 0;
    change_state(link, AMI_LINK_WAITING, reason, link->detail,
                 ami_backoff_next(&link->lost, &link->env.random));
}

static void look_up(struct ami_link *link);

/* This host is not to be had: the next one at once, or all of them after a delay. Of a refusal it
 * is told even if the next one may be had. */
static void next_host(struct ami_link *link, enum ami_link_reason reason, struct slice detail)
{
    int64_t now = clock_mono(&link->env.clock), delay;
    bool refused = reason == AMI_LINK_LOGIN_REFUSED;
    size_t next;
    end_attempt(link, detail);
    link->counters.logins_refused += refused;
    if (refused) {
        ami_hosts_refused(&link->hosts, now + ami_backoff_next(&link->refused, &link->env.random));
    }
    if (ami_hosts_next(&link->hosts, now, &next)) {
        change_state(link, AMI_LINK_RESOLVING, refused ? reason : AMI_LINK_FINE,
                     refused ? link->detail : "", 0);
        link->hosts.at = next;
        look_up(link);
        return;
    }
    if (!ami_hosts_refuse(&link->hosts, now, &delay)) {
        delay = ami_backoff_next(&link->lost, &link->env.random);
    }
    change_state(link, AMI_LINK_WAITING, reason, link->detail, delay);
    link->hosts.at = next;
}

/* Tries addresses until one begins to connect. */
static void connect_next(struct ami_link *link, enum ami_link_reason reason, const char *detail)
{
    struct ami_transport_peer peer = {.tls = link->config.tls};
    ami_transport_close(link->transport);
    while (ami_hosts_next_address(&link->hosts, &peer)) {
        link->counters.connects++;
        if (ami_transport_connect(link->transport, &peer)) {
            change_state(link, AMI_LINK_CONNECTING, AMI_LINK_FINE, "", 0);
            return;
        }
        reason = AMI_LINK_NOT_CONNECTED;
        detail = strerror(errno);
    }
    next_host(link, reason, slice_from(detail));
}

static void on_resolved(void *ctx, const struct resolver_result *result)
{
    struct ami_link *link = ctx;
    turn_begin(link);
    link->lookup = NULL;
    if (result->count == 0) {
        next_host(link, AMI_LINK_NO_ADDRESS, slice_from(result->error));
    } else {
        ami_hosts_resolved(&link->hosts, result);
        connect_next(link, AMI_LINK_NOT_CONNECTED, "");
    }
    turn_end(link);
}

static void look_up(struct ami_link *link)
{
    if (link->state != AMI_LINK_RESOLVING) {
        return; /* the owner stopped it in the callback */
    }
    link->lookup = resolver_start(link->env.resolver, ami_hosts_name(&link->hosts),
                                  link->config.port, on_resolved, link);
    if (!link->lookup) {
        wait_and_retry(link, AMI_LINK_NO_ADDRESS, SLICE("too many lookups"));
    }
}

static void resolve_host(struct ami_link *link)
{
    change_state(link, AMI_LINK_RESOLVING, AMI_LINK_FINE, "", 0);
    look_up(link);
}

/* --- logging in --- */

static void on_banner(struct ami_link *link, const struct ami_frame *frame)
{
    struct ami_action_text action;
    size_t n = frame->name.n < VERSION_SIZE - 1 ? frame->name.n : VERSION_SIZE - 1;
    if (n) {
        memcpy(link->version, frame->name.p, n);
    }
    link->version[n] = '\0';
    link->booted = link->shutdown = link->again = false;
    ami_action_plain(AMI_ACTION_CHALLENGE, ++link->action_id, &action);
    send_action(link, &action);
    change_state(link, AMI_LINK_CHALLENGING, AMI_LINK_FINE, "", 0);
}

static bool is_success(const struct ami_message *m)
{
    return m->name.n == 7 && strncasecmp(m->name.p, "Success", 7) == 0;
}

static bool is_answer(const struct ami_link *link, const struct ami_message *m)
{
    uint32_t id = 0;
    return m->kind == AMI_FRAME_RESPONSE &&
           ami_text_unsigned(ami_message_get(m, AMI_HEADER_ACTIONID), &id) && id == link->action_id;
}

static void on_challenge(struct ami_link *link, const struct ami_message *m)
{
    struct ami_login login = {slice_from(link->config.user), slice_from(link->config.event_mask)};
    struct ami_action_text action;
    char key[AMI_KEY_SIZE];
    if (!is_answer(link, m)) {
        return;
    }
    struct slice challenge = ami_message_get(m, AMI_HEADER_CHALLENGE);
    if (!is_success(m) || challenge.n == 0) {
        next_host(link, AMI_LINK_LOGIN_REFUSED, ami_message_get(m, AMI_HEADER_MESSAGE));
        return;
    }
    if (!ami_key_md5(challenge, link->config.secret, key)) {
        next_host(link, AMI_LINK_LOGIN_REFUSED, SLICE("OpenSSL offers no MD5 here"));
        return;
    }
    if (!ami_action_login_md5(&login, slice_from(key), ++link->action_id, &action)) {
        next_host(link, AMI_LINK_LOGIN_REFUSED, SLICE("user or event_mask cannot be sent"));
        return;
    }
    send_action(link, &action);
    change_state(link, AMI_LINK_LOGGING_IN, AMI_LINK_FINE, "", 0);
}

static void on_login_answer(struct ami_link *link, const struct ami_message *m)
{
    if (!is_answer(link, m)) {
        return;
    }
    if (is_success(m)) {
        change_state(link, AMI_LINK_BOOTING, AMI_LINK_FINE, "", 0);
    } else {
        next_host(link, AMI_LINK_LOGIN_REFUSED, ami_message_get(m, AMI_HEADER_MESSAGE));
    }
}

/* --- snapshot --- */

static void snapshot_next(struct ami_link *link)
{
    struct ami_action_text action;
    if (link->state != AMI_LINK_SNAPSHOT) {
        return; /* a callback stopped it */
    }
    if (ami_snapshot_next(&link->snapshot, ++link->action_id, &action)) {
        arm(link->deadline, link->config.list_us);
        send_action(link, &action);
        tell_action_sent(link, link->snapshot.action);
        return;
    }
    link->counters.snapshots++;
    ami_backoff_reset(&link->lost);
    ami_backoff_reset(&link->refused);
    tell(link, link->events.snapshot_end);
    if (link->state == AMI_LINK_SNAPSHOT) {
        change_state(link, AMI_LINK_LIVE, AMI_LINK_FINE, "", 0);
    }
}

static void snapshot_begin(struct ami_link *link)
{
    link->again = false;
    change_state(link, AMI_LINK_SNAPSHOT, AMI_LINK_FINE, "", 0);
    if (link->state == AMI_LINK_SNAPSHOT) {
        ami_snapshot_begin(&link->snapshot, link->config.lists);
        tell(link, link->events.snapshot_begin);
        snapshot_next(link);
    }
}

static void snapshot_done(struct ami_link *link, enum ami_link_outcome outcome)
{
    link->counters.lists_refused += outcome != AMI_LINK_LIST_DONE;
    tell_action_done(link, link->snapshot.action, outcome);
    snapshot_next(link);
    if (link->state == AMI_LINK_LIVE && link->again) {
        snapshot_begin(link);
    }
}

static void tell_answer(struct ami_link *link, const struct ami_message *m)
{
    if (link->events.answer) {
        link->told = true;
        link->depth++;
        link->events.answer(link->ctx, link->snapshot.action, m);
        link->depth--;
    }
}

/* What a message means for the action that was sent last, of a snapshot or of a look at the
 * queues. */
static void take(struct ami_link *link, const struct ami_message *m,
                 void (*done)(struct ami_link *link, enum ami_link_outcome outcome))
{
    enum ami_snapshot_verdict verdict = ami_snapshot_take(&link->snapshot, m);
    if (m->kind == AMI_FRAME_RESPONSE && verdict != AMI_SNAPSHOT_NOT_MINE)
        tell_answer(link, m);
    switch (verdict) {
    case AMI_SNAPSHOT_NOT_MINE:
        break;
    case AMI_SNAPSHOT_PART:
        arm(link->deadline, link->config.list_us);
        break;
    case AMI_SNAPSHOT_DONE:
        done(link, AMI_LINK_LIST_DONE);
        break;
    case AMI_SNAPSHOT_REFUSED:
        done(link, AMI_LINK_LIST_REFUSED);
        break;
    }
}

/* --- looking at the queues now and then --- */

static void check_begin(struct ami_link *link)
{
    struct ami_action_text action;
    ami_snapshot_begin(&link->snapshot, AMI_SNAPSHOT_QUEUES);
    if (!ami_snapshot_next(&link->snapshot, ++link->action_id, &action)) {
        return;
    }
    link->checking = true;
    arm(link->deadline, link->config.list_us);
    send_action(link, &action);
    tell(link, link->events.check_sent);
}

static void check_done(struct ami_link *link, enum ami_link_outcome outcome)
{
    link->checking = false;
    link->counters.checks += outcome == AMI_LINK_LIST_DONE;
    arm(link->deadline, link->config.check_us);
    tell_check_done(link, outcome);
}

/* --- the session --- */

/* Asterisk says it once a session: after log-in, or when its start is over. */
static void on_fully_booted(struct ami_link *link)
{
    bool first = !link->booted;
    link->booted = true;
    if (link->state == AMI_LINK_SNAPSHOT) {
        link->again = first;
    } else if (link->state == AMI_LINK_BOOTING || (link->state == AMI_LINK_LIVE && first)) {
        snapshot_begin(link);
    }
}

static void on_session_message(struct ami_link *link, int64_t arrival_us)
{
    const struct ami_message *m = &link->message;
    if (m->kind == AMI_FRAME_EVENT) {
        link->counters.events_wanted++;
        link->counters.cut_messages += m->cut;
        tell_message(link, m, arrival_us);
    }
    if (!is_session(link->state)) {
        return; /* the callback stopped it */
    }
    if (m->event == AMI_EVENT_FULLYBOOTED) {
        on_fully_booted(link);
    } else if (m->event == AMI_EVENT_SHUTDOWN) {
        link->shutdown = true;
    } else if (link->state == AMI_LINK_SNAPSHOT) {
        take(link, m, snapshot_done);
    } else if (link->checking) {
        take(link, m, check_done);
    }
}

/* What nobody reads is not even split into headers. */
static bool is_wanted(struct ami_link *link, const struct ami_frame *frame)
{
    if (frame->kind == AMI_FRAME_RESPONSE) {
        return true;
    }
    if (frame->kind != AMI_FRAME_EVENT) {
        return false;
    }
    enum ami_event_id event = ami_message_event_id(frame);
    bool wanted = ami_event_wanted(event);
    link->counters.events_unknown += event == AMI_EVENT_UNKNOWN;
    link->counters.events_unwanted += event != AMI_EVENT_UNKNOWN && !wanted;
    return wanted;
}

static void on_frame(void *ctx, const struct ami_frame *frame, int64_t arrival_us)
{
    struct ami_link *link = ctx;
    link->counters.last_frame_us = arrival_us;
    if (link->state == AMI_LINK_GREETING) {
        if (frame->kind == AMI_FRAME_BANNER) {
            on_banner(link, frame);
        } else {
            connect_next(link, AMI_LINK_NO_AMI, "it greets in another way");
        }
        return;
    }
    if (!is_wanted(link, frame)) {
        return;
    }
    ami_message_parse(frame, &link->message);
    switch (link->state) {
    case AMI_LINK_CHALLENGING:
        on_challenge(link, &link->message);
        break;
    case AMI_LINK_LOGGING_IN:
        on_login_answer(link, &link->message);
        break;
    case AMI_LINK_BOOTING:
    case AMI_LINK_SNAPSHOT:
    case AMI_LINK_LIVE:
        on_session_message(link, arrival_us);
        break;
    default: /* leaving: what still comes concerns nobody */
        break;
    }
}

static void on_connected(void *ctx)
{
    change_state(ctx, AMI_LINK_GREETING, AMI_LINK_FINE, "", 0);
}

static void on_closed(void *ctx, const char *why)
{
    struct ami_link *link = ctx;
    const char *said = *why ? why : "it closed the connection";
    switch (link->state) {
    case AMI_LINK_CONNECTING:
        connect_next(link,
                     ami_transport_was_shaking(link->transport) ? AMI_LINK_NOT_TRUSTED
                                                                : AMI_LINK_NOT_CONNECTED,
                     why);
        break;
    case AMI_LINK_GREETING:
        connect_next(link, AMI_LINK_NO_AMI, said);
        break;
    case AMI_LINK_CHALLENGING:
    case AMI_LINK_LOGGING_IN:
        connect_next(link, AMI_LINK_LOST, said);
        break;
    case AMI_LINK_LEAVING:
        change_state(link, AMI_LINK_STOPPED, AMI_LINK_ASKED, "", 0);
        break;
    default:
        wait_and_retry(link, link->shutdown ? AMI_LINK_PBX_SHUTDOWN : AMI_LINK_LOST,
                       link->shutdown ? SLICE("") : slice_from(said));
        break;
    }
}

static void on_bytes(void *ctx, struct slice bytes)
{
    struct ami_link *link = ctx;
    if (link->events.bytes) {
        link->events.bytes(link->ctx, bytes);
    }
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct ami_link *link = arg;
    (void)fd;
    (void)what;
    turn_begin(link);
    switch (link->state) {
    case AMI_LINK_WAITING:
        resolve_host(link);
        break;
    case AMI_LINK_RESOLVING:
        next_host(link, AMI_LINK_NO_ADDRESS, SLICE("no answer in time"));
        break;
    case AMI_LINK_CONNECTING:
        connect_next(link, AMI_LINK_CONNECT_TIMEOUT, "");
        break;
    case AMI_LINK_GREETING:
        connect_next(link, AMI_LINK_NO_AMI, "it says nothing");
        break;
    case AMI_LINK_CHALLENGING:
    case AMI_LINK_LOGGING_IN:
        connect_next(link, AMI_LINK_LOGIN_TIMEOUT, "");
        break;
    case AMI_LINK_BOOTING:
        snapshot_begin(link);
        break;
    case AMI_LINK_SNAPSHOT:
        snapshot_done(link, AMI_LINK_LIST_TIMEOUT);
        break;
    case AMI_LINK_LEAVING:
        close_all(link);
        change_state(link, AMI_LINK_STOPPED, AMI_LINK_ASKED, "", 0);
        break;
    case AMI_LINK_LIVE:
        if (link->checking) {
            check_done(link, AMI_LINK_LIST_TIMEOUT);
        } else {
            check_begin(link);
        }
        break;
    case AMI_LINK_STOPPED:
        break;
    }
    turn_end(link);
}

/* Any byte is a sign of life, so a busy PBX is never pinged. */
static void on_silence(evutil_socket_t fd, short what, void *arg)
{
    struct ami_link *link = arg;
    struct ami_action_text action;
    uint64_t bytes = ami_transport_counters(link->transport)->bytes_in;
    bool silent = bytes == link->heard;
    (void)fd;
    (void)what;
    turn_begin(link);
    link->heard = bytes;
    if (silent && link->pinged) {
        wait_and_retry(link, AMI_LINK_SILENT, SLICE(""));
    } else {
        link->pinged = silent;
        if (silent) {
            /* A list's answer carries the id that was used last, so this one has its own. */
            link->counters.pings++;
            ami_action_plain(AMI_ACTION_PING, 0, &action);
            send_action(link, &action);
        }
        arm(link->silence, link->config.ping_us);
    }
    turn_end(link);
}

/* --- making and ending --- */

struct ami_link *ami_link_new(const struct ami_link_config *config, const struct ami_link_env *env,
                              const struct ami_link_events *events, void *ctx)
{
    static const struct ami_transport_ops ops = {.connected = on_connected,
                                                 .frame = on_frame,
                                                 .closed = on_closed,
                                                 .turn_begin = turn_begin,
                                                 .turn_end = turn_end,
                                                 .bytes = on_bytes};
    struct ami_link *link = calloc(1, sizeof *link);
    if (!link) {
        return NULL;
    }
    link->config = *config;
    link->env = *env;
    link->events = *events;
    link->ctx = ctx;
    ami_hosts_set(&link->hosts, config->hosts, config->host_count);
    link->lost = (struct ami_backoff){config->retry_us, config->retry_max_us, 0};
    link->refused = (struct ami_backoff){config->refused_us, config->refused_max_us, 0};
    link->transport = ami_transport_new(env->base, &env->clock, &ops, link);
    link->deadline = evtimer_new(env->base, on_deadline, link);
    link->silence = evtimer_new(env->base, on_silence, link);
    if (!link->transport || !link->deadline || !link->silence) {
        ami_link_free(link);
        return NULL;
    }
    return link;
}

void ami_link_free(struct ami_link *link)
{
    if (!link) {
        return;
    }
    assert(link->depth == 0);
    resolver_cancel(link->env.resolver, link->lookup);
    ami_transport_free(link->transport);
    if (link->deadline) {
        event_free(link->deadline);
    }
    if (link->silence) {
        event_free(link->silence);
    }
    free(link);
}

void ami_link_start(struct ami_link *link)
{
    assert(link->state == AMI_LINK_STOPPED);
    resolve_host(link);
    if (link->depth == 0) {
        turn_end(link);
    }
}

void ami_link_configure(struct ami_link *link, const struct ami_link_config *config)
{
    assert(link->state == AMI_LINK_STOPPED);
    link->config = *config;
    ami_hosts_set(&link->hosts, config->hosts, config->host_count);
}

void ami_link_stop(struct ami_link *link)
{
    struct ami_action_text action;
    if (link->state == AMI_LINK_STOPPED || link->state == AMI_LINK_LEAVING) {
        return;
    }
    if (is_session(link->state) && ami_action_plain(AMI_ACTION_LOGOFF, 0, &action) &&
        send_action(link, &action)) {
        change_state(link, AMI_LINK_LEAVING, AMI_LINK_ASKED, "", 0);
    } else {
        close_all(link);
        change_state(link, AMI_LINK_STOPPED, AMI_LINK_ASKED, "", 0);
    }
    if (link->depth == 0) {
        turn_end(link);
    }
}

bool ami_link_look_again(struct ami_link *link)
{
    bool free_to_ask = link->state == AMI_LINK_LIVE && !link->checking;
    if (free_to_ask) {
        snapshot_begin(link);
    }
    if (link->depth == 0) {
        turn_end(link);
    }
    return free_to_ask;
}

enum ami_link_state ami_link_state(const struct ami_link *link)
{
    return link->state;
}

const char *ami_link_version(const struct ami_link *link)
{
    return link->version;
}

struct ami_transport_ends ami_link_ends(const struct ami_link *link)
{
    return ami_transport_ends(link->transport);
}

struct ami_link_counters ami_link_counters(const struct ami_link *link)
{
    struct ami_link_counters counters = link->counters;
    const struct ami_transport_counters *t = ami_transport_counters(link->transport);
    counters.bytes_in = t->bytes_in;
    counters.bytes_out = t->bytes_out;
    counters.frames = t->frames;
    counters.cut_frames = t->cut_frames;
    counters.cut_lines = t->cut_lines;
    counters.longest_turn_us = t->longest_turn_us;
    counters.bridges_left_out = link->snapshot.bridges_left_out;
    return counters;
}
