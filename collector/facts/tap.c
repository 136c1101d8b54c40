/* SPDX-License-Identifier: MIT */
#include "collector/facts/tap.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/cdr_fact.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

static const tap_handler handlers[AMI_EVENT_TOTAL] = {
    [AMI_EVENT_FULLYBOOTED] = tap_on_fully_booted,
    [AMI_EVENT_NEWCHANNEL] = tap_on_newchannel,
    [AMI_EVENT_NEWSTATE] = tap_on_channel_state,
    [AMI_EVENT_NEWEXTEN] = tap_on_newexten,
    [AMI_EVENT_NEWCALLERID] = tap_on_newcallerid,
    [AMI_EVENT_NEWACCOUNTCODE] = tap_on_newaccountcode,
    [AMI_EVENT_NEWCONNECTEDLINE] = tap_on_newconnectedline,
    [AMI_EVENT_HANGUPREQUEST] = tap_on_hangup_request,
    [AMI_EVENT_SOFTHANGUPREQUEST] = tap_on_hangup_request,
    [AMI_EVENT_HANGUP] = tap_on_hangup,
    [AMI_EVENT_HANGUPHANDLERRUN] = tap_on_hangup_handler,
    [AMI_EVENT_CDR] = tap_on_cdr,
    [AMI_EVENT_VARSET] = tap_on_varset,
    [AMI_EVENT_AGIEXECSTART] = tap_on_agi_exec_start,
    [AMI_EVENT_AGIEXECEND] = tap_on_agi_exec_end,
    [AMI_EVENT_ASYNCAGISTART] = tap_on_async_agi_start,
    [AMI_EVENT_ASYNCAGIEND] = tap_on_async_agi_end,
    [AMI_EVENT_USEREVENT] = tap_on_user_event,
    [AMI_EVENT_MIXMONITORSTART] = tap_on_recording_start,
    [AMI_EVENT_MIXMONITORSTOP] = tap_on_recording_stop,
    [AMI_EVENT_MONITORSTART] = tap_on_recording_start,
    [AMI_EVENT_MONITORSTOP] = tap_on_recording_stop,
    [AMI_EVENT_ORIGINATERESPONSE] = tap_on_originate_response,
    [AMI_EVENT_HOLD] = tap_on_hold,
    [AMI_EVENT_UNHOLD] = tap_on_unhold,
    [AMI_EVENT_MUSICONHOLDSTART] = tap_on_music,
    [AMI_EVENT_MUSICONHOLDSTOP] = tap_on_music,
    [AMI_EVENT_DTMFEND] = tap_on_channel_seen,
    [AMI_EVENT_CORESHOWCHANNEL] = tap_on_channel_item,
    [AMI_EVENT_STATUS] = tap_on_channel_item,
    [AMI_EVENT_DIALBEGIN] = tap_on_dial_begin,
    [AMI_EVENT_DIALSTATE] = tap_on_dial_state,
    [AMI_EVENT_DIALEND] = tap_on_dial_end,
    [AMI_EVENT_BRIDGEENTER] = tap_on_bridge_enter,
    [AMI_EVENT_BRIDGELEAVE] = tap_on_bridge_leave,
    [AMI_EVENT_BRIDGEDESTROY] = tap_on_bridge_destroy,
    [AMI_EVENT_BRIDGELISTITEM] = tap_on_bridge_listed,
    [AMI_EVENT_BRIDGEINFOCHANNEL] = tap_on_bridge_item,
    [AMI_EVENT_BRIDGEINFOCOMPLETE] = tap_on_bridge_items_end,
    [AMI_EVENT_PARKEDCALL] = tap_on_parked_call,
    [AMI_EVENT_UNPARKEDCALL] = tap_on_unparked_call,
    [AMI_EVENT_PARKEDCALLTIMEOUT] = tap_on_park_ended,
    [AMI_EVENT_PARKEDCALLGIVEUP] = tap_on_park_ended,
    [AMI_EVENT_PICKUP] = tap_on_pickup,
    [AMI_EVENT_BLINDTRANSFER] = tap_on_blind_transfer,
    [AMI_EVENT_ATTENDEDTRANSFER] = tap_on_attended_transfer,
    [AMI_EVENT_QUEUECALLERJOIN] = tap_on_queue_caller_join,
    [AMI_EVENT_QUEUECALLERLEAVE] = tap_on_queue_caller_leave,
    [AMI_EVENT_QUEUECALLERABANDON] = tap_on_queue_caller_abandon,
    [AMI_EVENT_AGENTCALLED] = tap_on_agent_called,
    [AMI_EVENT_AGENTCONNECT] = tap_on_agent_connect,
    [AMI_EVENT_AGENTCOMPLETE] = tap_on_agent_complete,
    [AMI_EVENT_AGENTDUMP] = tap_on_agent_dump,
    [AMI_EVENT_AGENTRINGNOANSWER] = tap_on_agent_ring_no_answer,
    [AMI_EVENT_AGENTLOGIN] = tap_on_agent_login,
    [AMI_EVENT_AGENTLOGOFF] = tap_on_agent_logoff,
    [AMI_EVENT_QUEUEPARAMS] = tap_on_queue_params,
    [AMI_EVENT_QUEUEENTRY] = tap_on_queue_entry,
    [AMI_EVENT_QUEUEMEMBER] = tap_on_queue_member,
    [AMI_EVENT_QUEUEMEMBERSTATUS] = tap_on_queue_member,
    [AMI_EVENT_QUEUEMEMBERADDED] = tap_on_queue_member_added,
    [AMI_EVENT_QUEUEMEMBERREMOVED] = tap_on_queue_member_removed,
    [AMI_EVENT_QUEUEMEMBERPAUSE] = tap_on_queue_member_pause,
    [AMI_EVENT_QUEUEMEMBERPENALTY] = tap_on_queue_member_penalty,
    [AMI_EVENT_QUEUEMEMBERRINGINUSE] = tap_on_queue_member_ringinuse,
    [AMI_EVENT_DEVICESTATECHANGE] = tap_on_device_state,
    [AMI_EVENT_CONTACTSTATUS] = tap_on_contact_status,
    [AMI_EVENT_PEERSTATUS] = tap_on_peer_status,
    [AMI_EVENT_REGISTRY] = tap_on_registry,
    [AMI_EVENT_OUTBOUNDREGISTRATIONDETAIL] = tap_on_registration_item,
};

static struct slice channel_key_of(const void *value)
{
    return channel_uniqueid(value);
}

static struct slice bridge_key_of(const void *value)
{
    return bridge_id(value);
}

struct tap_options tap_options_default(struct slice pbx)
{
    static const char *const variables[] = {"AI_SESSION_ID"};
    return (struct tap_options){.pbx = pbx,
                                .variables = variables,
                                .variable_count = 1,
                                .tap = SLICE("amitap"),
                                .cdr = {.unanswered = true,
                                        .congestion = true,
                                        .endbeforehexten = true,
                                        .initiatedseconds = false,
                                        .channeldefaultenabled = true},
                                .log_restricted_caller_id = true,
                                .short_abandon = 5000000,
                                .trunk_interval = (int64_t)3600 * 1000000,
                                .unsure = (int64_t)900 * 1000000};
}

static void write_row(void *ctx, const struct cdr_row *row)
{
    struct tap *tap = ctx;
    struct call *call = row->chain->channel->call;
    struct slice parties[2] = {snapshot_text(row->a, SNAPSHOT_UNIQUEID),
                               row->b ? snapshot_text(row->b, SNAPSHOT_UNIQUEID) : SLICE("")};
    struct cdr_sight sight = {.options = &tap->options.cdr, .dialplan = tap->sees_dialplan};
    if (call)
        sight.recording = recording_during(call, parties, row->start, row->end);
    cdr_fact(tap->emit, row, &sight, call ? &call->sequence : NULL);
}

static void drop_row(void *ctx, const struct cdr_row *row, enum cdr_dropped why)
{
    struct tap *tap = ctx;
    struct cdr_sight sight = {
        .options = &tap->options.cdr, .dialplan = tap->sees_dialplan, .dropped = why};
    emit_sink sink = tap->emit->sink;
    tap->emit->sink = tap->options.dropped;
    tap->emit->ctx = tap->ctx;
    cdr_fact(tap->emit, row, &sight, NULL);
    tap->emit->sink = sink;
    tap->emit->ctx = tap;
}

/* A row whose data was not shown when its application began, completed from what other calls
 * showed at that place since. */
static struct snapshot *complete_data(void *ctx, struct snapshot *look)
{
    struct tap *tap = ctx;
    struct snapshot_values v = snapshot_values(look);
    struct buf data = buf_new(SNAPSHOT_TEXT_MAX);
    struct place_key key = {v.text[SNAPSHOT_CONTEXT], v.text[SNAPSHOT_EXTEN], v.priority};
    enum place_found found =
        place_memory_data(&tap->places, &key, v.text[SNAPSHOT_APPLICATION], &data);
    v.text[SNAPSHOT_APPDATA] = buf_slice(&data);
    v.flags &= ~(unsigned)(SNAPSHOT_DATA_MISSING | SNAPSHOT_DATA_GUESSED);
    if (found == PLACE_SIBLING)
        v.flags |= SNAPSHOT_DATA_GUESSED;
    struct snapshot *completed = found == PLACE_UNKNOWN ? NULL : snapshot_new(&v);
    buf_free(&data);
    return completed;
}

static void caller_moved(void *ctx, struct slice uniqueid, struct slice queue)
{
    struct tap *tap = ctx;
    struct channel *c = tap_channel(tap, uniqueid);
    if (c)
        calls_queue(&tap->calls, c->call, queue);
}

/* Every fact on its way out. */
static void take_fact(void *ctx, struct slice fact)
{
    struct tap *tap = ctx;
    struct fact_head head;
    if (!fact_read_head(fact, &head))
        return;
    if (head.kind == FACT_CDR)
        drift_derived(&tap->drift, fact);
    else if (head.kind == FACT_QUEUE)
        queue_drift_visit(&tap->queue_drift, fact);
    tap->sink(tap->ctx, fact);
}

static struct slice visit_recording(void *ctx, const struct visit *v)
{
    struct tap *tap = ctx;
    struct channel *c = tap_channel(tap, slice_from(v->uniqueid));
    struct slice parties[2] = {slice_from(v->uniqueid), slice_from(v->member_uniqueid)};
    return c && c->call ? recording_during(c->call, parties, v->joined, tap->emit->now)
                        : (struct slice){NULL, 0};
}

/* The queue's own wrap-up time, which no event shows. */
static int64_t queue_wrapup(void *ctx, struct slice queue)
{
    const struct tap *tap = ctx;
    for (size_t i = 0; i < tap->options.wrapuptime_count; i++) {
        struct slice item = slice_from(tap->options.wrapuptimes[i]);
        int64_t wrapup = 0;
        if (item.n > queue.n && item.p[queue.n] == '=' && slice_starts(item, queue) &&
            ami_text_seconds(slice_from_offset(item, queue.n + 1), &wrapup))
            return wrapup;
    }
    return 0;
}

struct tap *tap_new(const struct tap_options *options, emit_sink sink, void *ctx)
{
    struct tap *tap = memory_zeroed(1, sizeof(*tap));
    if (!tap)
        return NULL;
    tap->options = *options;
    tap->sink = sink;
    tap->ctx = ctx;
    tap->emit = emitter_new(options->pbx, options->tap, take_fact, tap);
    tap->members = memory_zeroed(TAP_LISTED_MEMBERS_MAX, sizeof(*tap->members));
    if (!tap->emit || !tap->members) {
        emitter_free(tap->emit);
        free(tap->members);
        free(tap);
        return NULL;
    }
    tap->saved = saved_list_new();
    tap->channels = table_new(TAP_CHANNELS_MAX, channel_key_of);
    tap->bridges = table_new(TAP_BRIDGES_MAX, bridge_key_of);
    tap->places = place_memory_new();
    tap->cdr = (struct cdr_engine){.options = options->cdr,
                                   .write = write_row,
                                   .drop = options->dropped ? drop_row : NULL,
                                   .complete = complete_data,
                                   .ctx = tap};
    tap->calls = calls_new(tap->emit, TAP_CALLS_MAX);
    tap->calls.saved = &tap->saved;
    tap->loads = loads_new(tap->emit);
    tap->loads.saved = &tap->saved;
    tap->calls.loads = &tap->loads;
    tap->queues = queues_new(tap->emit, TAP_QUEUES_MAX);
    tap->visits = visits_new(&tap->queues, tap->emit, TAP_VISITS_MAX);
    tap->visits.short_abandon = options->short_abandon;
    tap->visits.saved = &tap->saved;
    tap->visits.moved = caller_moved;
    tap->visits.recording = visit_recording;
    tap->visits.ctx = tap;
    tap->agents = agents_new(tap->emit, TAP_AGENTS_MAX);
    tap->agents.saved = &tap->saved;
    tap->agents.queue_wrapup = queue_wrapup;
    tap->agents.appeared = tap_member_appeared;
    tap->agents.ctx = tap;
    tap->endpoints = endpoints_new(tap->emit, TAP_ENDPOINTS_MAX);
    tap->endpoints.saved = &tap->saved;
    tap->registrations = registrations_new(tap->emit, TAP_REGISTRATIONS_MAX);
    tap->registrations.saved = &tap->saved;
    tap->trunks = trunks_new(tap->emit, options->trunk_interval);
    tap->trunks.saved = &tap->saved;
    for (size_t i = 0; i < options->trunk_count; i++)
        trunks_want(&tap->trunks, endpoint_of_line(slice_from(options->trunks[i])));
    tap->drift = drift_new(tap->emit, options->cdr.initiatedseconds);
    tap->drift.saved.list = &tap->saved;
    tap->queue_drift = queue_drift_new(tap->emit);
    tap->queue_drift.queues = &tap->queues;
    tap->queue_drift.visits = &tap->visits;
    tap->queue_drift.agents = &tap->agents;
    tap->queue_drift.drift = &tap->drift;
    return tap;
}

static void free_channels(struct tap *tap)
{
    size_t position = 0;
    struct channel *c;
    while ((c = table_next(&tap->channels, &position)))
        cdr_chain_free(c->chain);
    position = 0;
    while ((c = table_next(&tap->channels, &position)))
        channel_free(c);
    table_free(&tap->channels);
}

void tap_free(struct tap *tap)
{
    if (!tap)
        return;
    size_t position = 0;
    struct bridge *b;
    while ((b = table_next(&tap->bridges, &position)))
        bridge_free(b);
    table_free(&tap->bridges);
    free_channels(tap);
    visits_free(&tap->visits);
    queues_free(&tap->queues);
    agents_free(&tap->agents);
    endpoints_free(&tap->endpoints);
    registrations_free(&tap->registrations);
    trunks_free(&tap->trunks);
    calls_free(&tap->calls);
    drift_free(&tap->drift);
    loads_free(&tap->loads);
    queue_drift_free(&tap->queue_drift);
    place_memory_free(&tap->places);
    saved_list_free(&tap->saved);
    emitter_free(tap->emit);
    for (size_t i = 0; i < TAP_LISTED_MEMBERS_MAX; i++)
        free(tap->members[i].uniqueid);
    free(tap->members);
    free(tap->members_of);
    free(tap->host);
    free(tap->boot);
    free(tap->member_channel);
    free(tap->last_dial);
    free(tap->originate);
    free(tap->auto_paused);
    free(tap->pause_all);
    free(tap->pause_channel);
    free(tap);
}

/* What answers an action never has a Timestamp; FullyBooted has none where it answers the log-in.
 */
static bool is_list_item(const struct ami_message *m)
{
    switch (m->event) {
    case AMI_EVENT_DEVICESTATECHANGE:
        return ami_message_has(m, AMI_HEADER_ACTIONID);
    case AMI_EVENT_FULLYBOOTED:
    case AMI_EVENT_OUTBOUNDREGISTRATIONDETAIL:
    case AMI_EVENT_CORESHOWCHANNEL:
    case AMI_EVENT_STATUS:
    case AMI_EVENT_BRIDGELISTITEM:
    case AMI_EVENT_BRIDGEINFOCHANNEL:
    case AMI_EVENT_BRIDGEINFOCOMPLETE:
    case AMI_EVENT_QUEUEPARAMS:
    case AMI_EVENT_QUEUEENTRY:
    case AMI_EVENT_QUEUEMEMBER:
    case AMI_EVENT_ORIGINATERESPONSE:
        return true;
    default:
        return false;
    }
}

/* No stream is that late, and no two threads of Asterisk's are that far apart: its clock was set.
 */
#define CLOCK_STEP INT64_C(60000000)

/* What is to happen at a certain time happens after as long as before, whatever the PBX's clock is
 * set to. Where the arrival is not known, as in a recording, only a step back can be told from time
 * that has passed. */
static void follow_steps(struct tap *tap, int64_t time, int64_t arrival)
{
    int64_t by = arrival ? time - arrival - tap->offset : time - tap->event_time;
    bool known = tap->event_time && (!arrival || tap->timed_before);
    tap->timed_before = arrival != 0;
    if (!known || (by > -CLOCK_STEP && (by < CLOCK_STEP || !arrival)))
        return;
    visits_clock_set(&tap->visits, by);
    agents_clock_set(&tap->agents, by);
    trunks_clock_set(&tap->trunks, by);
    drift_clock_set(&tap->drift, by);
    loads_clock_set(&tap->loads, by);
    tap_unsure_clock_set(tap, by);
}

/* Events carry when they happened; list items and an untimed PBX do not. */
static void set_time(struct tap *tap, const struct ami_message *m, int64_t arrival)
{
    int64_t time;
    if (ami_text_time(ami_message_get(m, AMI_HEADER_TIMESTAMP), &time)) {
        follow_steps(tap, time, arrival);
        tap->emit->now = time;
        tap->emit->untimed = false;
        tap->offset = arrival ? time - arrival : 0;
        tap->timed = arrival != 0;
        return;
    }
    tap->timed = false;
    if (is_list_item(m))
        tap->emit->from_list = true;
    else
        tap->emit->untimed = true;
    if (arrival && tap_pbx_time(tap, arrival) > tap->emit->now)
        tap->emit->now = tap_pbx_time(tap, arrival);
}

void tap_tell(struct tap *tap)
{
    calls_tell(&tap->calls);
    queues_tell(&tap->queues);
    agents_tell(&tap->agents);
    endpoints_tell(&tap->endpoints);
    registrations_tell(&tap->registrations);
    trunks_tell(&tap->trunks);
    loads_tell(&tap->loads);
}

static void expire(struct tap *tap)
{
    tap_expire_unsure(tap);
    visits_expire(&tap->visits);
    agents_expire(&tap->agents);
    drift_expire(&tap->drift);
}

/* Up to where the stream was followed: an item of a list says nothing of that, unless nothing else
 * does. */
static void note_position(struct tap *tap, int64_t arrival)
{
    if (tap->emit->from_list && tap->event_time)
        return;
    tap->last_event = arrival ? arrival : tap->emit->now;
    tap->event_time = tap->emit->now;
}

void tap_event(struct tap *tap, const struct ami_message *m, int64_t arrival)
{
    tap->emit->event++;
    tap_handler handler = handlers[m->event];
    if (!handler)
        return;
    set_time(tap, m, arrival);
    if (m->event == AMI_EVENT_AGIEXECSTART || m->event == AMI_EVENT_ASYNCAGISTART)
        tap->emit->agi = EMIT_SIGHT_SEEN;
    if (m->event == AMI_EVENT_NEWEXTEN || m->event == AMI_EVENT_VARSET)
        tap_sees_dialplan(tap);
    trunks_time(&tap->trunks, tap->emit->now);
    note_position(tap, arrival);
    expire(tap);
    if (!tap->emit->from_list && ami_message_has(m, AMI_HEADER_QUEUE))
        queue_drift_event(&tap->queue_drift, m);
    tap->emit->cause = m->event;
    loads_tick(&tap->loads);
    tap_keep_variables(tap, m);
    handler(tap, m);
    tap_tell(tap);
    drift_tell(&tap->drift);
    tap->emit->cause = AMI_EVENT_UNKNOWN;
    tap->emit->from_list = false;
}

static void tell_tap(struct tap *tap, enum fact_kind kind, struct slice version,
                     struct slice reason)
{
    struct emit_about about = {.kind = kind, .subject = tap->options.pbx, .flags = FACT_IS_TAP};
    struct fact_builder *f = emit_begin(tap->emit, &about);
    if (kind == FACT_TAP_CONNECTED)
        fact_put_known(f, FIELD_VERSION, version);
    else
        fact_put_string(f, FIELD_REASON, reason);
    emit_end(tap->emit);
}

static void begin_looking(struct tap *tap, int64_t now)
{
    tap->emit->now = tap_pbx_time(tap, now);
    tap_mark_blind(tap);
    tap_forget_notes(tap);
    drift_begin(&tap->drift);
    queue_drift_connected(&tap->queue_drift);
}

void tap_looks_again(struct tap *tap, int64_t now)
{
    emit_forget_told(tap->emit);
    begin_looking(tap, now);
}

void tap_connected(struct tap *tap, struct slice version, int64_t now)
{
    begin_looking(tap, now);
    tell_tap(tap, FACT_TAP_CONNECTED, version, SLICE(""));
}

void tap_disconnected(struct tap *tap, struct slice reason, int64_t now)
{
    tap->emit->now = tap_pbx_time(tap, now);
    tell_tap(tap, FACT_TAP_DISCONNECTED, SLICE(""), reason);
}

void tap_tell_gap(struct tap *tap, int64_t from, int64_t to, struct slice reason)
{
    tap->emit->now = to;
    if (from > to)
        from = to;
    struct emit_about about = {.kind = FACT_GAP, .subject = tap->options.pbx, .flags = FACT_IS_TAP};
    struct fact_builder *f = emit_begin(tap->emit, &about);
    fact_put_time(f, FIELD_FROM, from);
    fact_put_time(f, FIELD_TO, to);
    fact_put_string(f, FIELD_REASON, reason);
    emit_end(tap->emit);
}

int64_t tap_position(const struct tap *tap, int64_t now)
{
    return tap->event_time ? tap->event_time : tap_pbx_time(tap, now);
}

void tap_lost(struct tap *tap, int64_t position, int64_t now, struct slice reason)
{
    emit_forget_told(tap->emit);
    tap_tell_gap(tap, position, tap_pbx_time(tap, now), reason);
}

void tap_gap(struct tap *tap, int64_t from, int64_t to, struct slice reason)
{
    int64_t before = tap->emit->now;
    tap_tell_gap(tap, from, to, reason);
    tap->emit->now = before;
}

/* How much later than its Timestamp an event may come. */
#define TAP_LATE 2000000

static void pass_trunks(struct tap *tap, int64_t moment)
{
    if (!tap->trunks.boundary || moment < tap->trunks.boundary)
        return;
    trunks_time(&tap->trunks, moment);
    tap->emit->now = tap->trunks.boundary - tap->trunks.interval;
    tap_tell(tap);
}

void tap_tick(struct tap *tap, int64_t now)
{
    int64_t before = tap->emit->now;
    int64_t silent = now - tap->last_event - TAP_LATE;
    tap_queues_read(tap, now);
    if (silent <= 0 || !tap->event_time)
        return;
    pass_trunks(tap, tap->event_time + silent);
    tap->emit->now = tap->event_time + silent;
    expire(tap);
    tap_tell(tap);
    tap->emit->now = before;
}

int64_t tap_last_event(const struct tap *tap)
{
    return tap->last_event;
}

bool tap_event_ahead(const struct tap *tap, int64_t *ret_ahead)
{
    *ret_ahead = tap->offset;
    return tap->timed;
}

bool tap_ahead_before(const struct tap *tap, int64_t *ret_ahead)
{
    *ret_ahead = tap->offset;
    return tap->timed_before;
}

void tap_clock_moved(struct tap *tap, int64_t by)
{
    tap->last_event += tap->last_event ? by : 0;
    tap->offset -= tap->event_time ? by : 0;
}

bool tap_is_untimed(const struct tap *tap)
{
    return tap->emit->untimed;
}

struct tap_counters tap_counters(const struct tap *tap)
{
    return (struct tap_counters){
        .events = tap->emit->event,
        .unknown_channels = tap->unknown_channels,
        .channels = tap->channels.count,
        .bridges = tap->bridges.count,
        .calls = tap->calls.by_linkedid.count,
        .visits = tap->visits.by_caller.count,
        .refused = tap->channels.refused + tap->bridges.refused + tap->visits.refused +
                   tap->calls.by_linkedid.refused + tap->agents.refused + tap->endpoints.refused +
                   tap->registrations.refused + tap->trunks.refused + tap->members_refused,
        .facts_too_large = tap->emit->too_large,
        .drift = tap->drift.counters,
        .queue_drift = tap->queue_drift.counters,
    };
}
