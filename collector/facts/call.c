/* SPDX-License-Identifier: MIT */
#include "collector/facts/call.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/call_fact.h"
#include "collector/facts/talk.h"
#include <stdlib.h>

static struct slice call_key_of(const void *value)
{
    return call_linkedid(value);
}

struct slice call_linkedid(const struct call *call)
{
    return slice_from(call->linkedid);
}

struct calls calls_new(struct emitter *emit, size_t max)
{
    return (struct calls){.by_linkedid = table_new(max, call_key_of), .emit = emit};
}

void call_free(struct call *call)
{
    free(call->linkedid);
    free(call->subject);
    free(call->caller_number);
    free(call->caller_name);
    free(call->dialled);
    free(call->queue);
    journey_free(&call->journey);
    handoffs_free(&call->handoffs);
    recordings_free(&call->recordings);
    free(call);
}

void calls_free(struct calls *calls)
{
    size_t position = 0;
    struct call *call;
    while ((call = table_next(&calls->by_linkedid, &position)))
        call_free(call);
    table_free(&calls->by_linkedid);
    talk_circle_free(&calls->circle);
}

void call_put_phone(struct fact_builder *f, const struct channel *c)
{
    fact_put_string(f, FIELD_CHANNEL, channel_name(c));
    fact_put_string(f, FIELD_INTERFACE, channel_interface(channel_name(c)));
    fact_put_string(f, FIELD_NUMBER, snapshot_text(c->now, SNAPSHOT_CALLER_NUMBER));
}

static void tell_started(struct calls *calls, struct call *call, const struct channel *c)
{
    struct emit_about what = call_about(call, FACT_CALL_STARTED);
    struct fact_builder *f = emit_begin(calls->emit, &what);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_string(f, FIELD_UNIQUEID, channel_uniqueid(c));
    fact_put_string(f, FIELD_CHANNEL, channel_name(c));
    call_put_caller(f, call);
    fact_put_string(f, FIELD_CONTEXT, snapshot_text(c->now, SNAPSHOT_CONTEXT));
    fact_put_string(f, FIELD_DIALLED, slice_from(call->dialled));
    fact_put_string(f, FIELD_ACCOUNTCODE, snapshot_text(c->now, SNAPSHOT_ACCOUNTCODE));
    emit_end(calls->emit);
}

/* The linkedid is the Uniqueid of the channel that opened the call, which may be gone. */
static int64_t born_of(const struct channel *channel)
{
    int64_t seconds, count;
    if (slice_equal(channel_linkedid(channel), channel_uniqueid(channel)) ||
        !channel_id_parts(channel_linkedid(channel), &seconds, &count))
        return channel->born;
    return seconds * 1000000 < channel->born ? seconds * 1000000 : channel->born;
}

static struct call *call_begin(struct calls *calls, struct channel *opener)
{
    struct call *call = memory_zeroed(1, sizeof(*call));
    if (!call)
        return NULL;
    bool held =
        text_set(&call->linkedid, channel_linkedid(opener)) &&
        text_set(&call->subject, channel_uniqueid(opener)) &&
        text_set(&call->caller_number, snapshot_text(opener->now, SNAPSHOT_CALLER_NUMBER)) &&
        text_set(&call->caller_name, snapshot_text(opener->now, SNAPSHOT_CALLER_NAME)) &&
        text_set(&call->dialled, snapshot_text(opener->now, SNAPSHOT_EXTEN));
    if (!held || !call->linkedid || !table_add(&calls->by_linkedid, call)) {
        call_free(call);
        return NULL;
    }
    call->start = opener->born_unseen ? born_of(opener) : opener->born;
    call->since = calls->emit->now;
    call->opener = opener;
    call->from_snapshot = opener->from_snapshot;
    call->listed = opener->born_unseen ? calls->emit->now : 0;
    call->saved = (struct saved){.kind = SAVED_CALL, .list = calls->saved};
    return call;
}

struct call *calls_restore(struct calls *calls, struct call *call)
{
    call->saved = (struct saved){.kind = SAVED_CALL, .list = calls->saved, .stored = true};
    if (call->linkedid && call->subject && table_add(&calls->by_linkedid, call))
        return call;
    call_free(call);
    return NULL;
}

static void link_channel(struct call *call, struct channel *channel)
{
    call->lost = (struct unseen_end){0};
    channel->call = call;
    channel->call_next = call->channels;
    call->channels = channel;
    call->count++;
}

void calls_rejoin(struct calls *calls, struct channel *channel)
{
    struct call *call = table_find(&calls->by_linkedid, channel_linkedid(channel));
    if (!call) {
        calls_join(calls, channel);
        return;
    }
    link_channel(call, channel);
    if (slice_equal(slice_from(call->subject), channel_uniqueid(channel)))
        call->opener = channel;
    if (call->journey.leg_count < JOURNEY_MAX)
        journey_join(call, channel, calls->emit->now);
    calls_touch(calls, call);
}

/* The other half of a Local channel begins with it, in the same call. */
static void find_half(const struct call *call, struct channel *local)
{
    struct slice name = channel_name(local);
    if (!channel_is_local(name) || name.n < 2)
        return;
    struct slice stem = slice_head(name, name.n - 1);
    for (struct channel *c = call->channels; c; c = c->call_next) {
        struct slice other = channel_name(c);
        if (c != local && !c->half && other.n == name.n && slice_starts(other, stem)) {
            c->half = local;
            local->half = c;
            saved_touch(&c->saved);
            saved_touch(&local->saved);
            return;
        }
    }
}

void calls_listed(struct calls *calls, struct call *call)
{
    if (!call || !call->listed)
        return;
    call->listed = calls->emit->now;
    saved_touch(&call->saved);
}

void calls_join(struct calls *calls, struct channel *channel)
{
    struct call *call = table_find(&calls->by_linkedid, channel_linkedid(channel));
    bool begins = !call;
    if (begins)
        call = call_begin(calls, channel);
    if (!call)
        return;
    link_channel(call, channel);
    if (begins)
        tell_started(calls, call, channel);
    if (!channel->half)
        find_half(call, channel);
    journey_join(call, channel, calls->emit->now);
    calls_touch(calls, call);
}

static void forget_changed(struct calls *calls, struct call *call)
{
    for (struct call **p = &calls->changed; *p; p = &(*p)->next_changed) {
        if (*p == call) {
            *p = call->next_changed;
            return;
        }
    }
}

static void call_end(struct calls *calls, struct call *call)
{
    forget_changed(calls, call);
    journey_over(call, call->lost.latest ? call->lost.earliest : calls->emit->now);
    call_tell_ended(calls->emit, call);
    saved_end(&call->saved, SLICE("call/"), call_linkedid(call));
    table_remove(&calls->by_linkedid, call_linkedid(call));
    call_free(call);
}

void calls_end_unseen(struct calls *calls, struct call *call)
{
    call->from_snapshot = true;
    call_end(calls, call);
}

static void unlink_channel(struct call *call, struct channel *channel)
{
    for (struct channel **p = &call->channels; *p; p = &(*p)->call_next) {
        if (*p == channel) {
            *p = channel->call_next;
            break;
        }
    }
    channel->call = NULL;
    channel->call_next = NULL;
    call->count--;
    if (call->opener != channel)
        return;
    call->cause = snapshot_cause(channel->now);
    text_set(&call->journey.accountcode, snapshot_text(channel->now, SNAPSHOT_ACCOUNTCODE));
    call->opener = NULL;
}

static void end_or_touch(struct calls *calls, struct call *call)
{
    if (call->count == 0)
        call_end(calls, call);
    else
        calls_touch(calls, call);
}

void calls_leave(struct calls *calls, struct channel *channel)
{
    struct call *call = channel->call;
    if (!call)
        return;
    call->lost = channel->lost;
    unlink_channel(call, channel);
    end_or_touch(calls, call);
}

/* A Local half that goes alone takes nobody with it: an agent who is logged in has a call of his
 * own, and the half that reaches him joins it. */
static void note_merge(struct calls *calls, struct call *was, struct channel *channel)
{
    struct call *into = channel->call;
    if (!into || (was->count > 0 && channel_is_local(channel_name(channel))) ||
        (was->journey.merged_into && slice_is(call_linkedid(into), was->journey.merged_into)))
        return;
    text_set(&was->journey.merged_into, call_linkedid(into));
    journey_take_aliases(into, was, calls->emit->now);
    call_tell_merged(calls->emit, was, channel);
}

void calls_move(struct calls *calls, struct channel *channel)
{
    struct call *was = channel->call;
    if (was)
        unlink_channel(was, channel);
    calls_join(calls, channel);
    if (channel->call && channel->leg && channel->leg->call != channel->call) {
        journey_move(channel->call, channel, calls->emit->now);
        talk_bridge(calls, channel->bridge);
    }
    if (!was)
        return;
    if (channel->call && channel->call != was) {
        handoffs_move(&was->handoffs, &channel->call->handoffs, channel_uniqueid(channel));
        recordings_move(&was->recordings, &channel->call->recordings, channel_uniqueid(channel));
    }
    note_merge(calls, was, channel);
    end_or_touch(calls, was);
}

/* Where a call came from, and into which queue it went meanwhile, another tap may know. */
static bool may_lack(const struct calls *calls, const struct call *call)
{
    return call->listed || !emit_is_new(calls->emit);
}

void calls_ringing(struct calls *calls, struct channel *channel)
{
    struct call *call = channel->call;
    if (!call || channel->ringing || channel_is_local(channel_name(channel)))
        return;
    channel->ringing = true;
    saved_touch(&channel->saved);
    struct emit_about what = call_about(call, FACT_CALL_RINGING);
    what.flags = may_lack(calls, call) ? FACT_IS_INFERRED : 0;
    what.subject = channel_uniqueid(channel);
    struct fact_builder *f = emit_begin(calls->emit, &what);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_string(f, FIELD_UNIQUEID, channel_uniqueid(channel));
    call_put_phone(f, channel);
    call_put_caller(f, call);
    fact_put_string(f, FIELD_DIALLED, slice_from(call->dialled));
    fact_put_known(f, FIELD_QUEUE, slice_from(call->queue));
    emit_end(calls->emit);
    calls_touch(calls, call);
}

void calls_answered(struct calls *calls, struct channel *channel)
{
    struct call *call = journey_call(channel);
    if (!call || channel_is_local(channel_name(channel)))
        return;
    handoff_answered(calls, channel);
    channel->ringing = false;
    if (!channel_is_media(channel_name(channel)))
        journey_answered(call, channel_interface(channel_name(channel)), calls->emit->now);
    struct emit_about what = call_about(call, FACT_CALL_ANSWERED);
    what.flags = may_lack(calls, call) ? FACT_IS_INFERRED : 0;
    what.subject = channel_uniqueid(channel);
    struct fact_builder *f = emit_begin(calls->emit, &what);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_string(f, FIELD_UNIQUEID, channel_uniqueid(channel));
    call_put_phone(f, channel);
    call_put_caller(f, call);
    fact_put_seconds(f, FIELD_WAIT_SECONDS, calls->emit->now - call->start);
    fact_put_known(f, FIELD_QUEUE, slice_from(call->queue));
    emit_end(calls->emit);
    calls_touch(calls, call);
}

void calls_queue(struct calls *calls, struct call *call, struct slice queue)
{
    if (!call)
        return;
    text_set(&call->queue, queue);
    journey_queue(call, queue);
    calls_touch(calls, call);
}

void calls_touch(struct calls *calls, struct call *call)
{
    if (!call || call->changed)
        return;
    call->changed = true;
    saved_touch(&call->saved);
    call->next_changed = calls->changed;
    calls->changed = call;
}

/* Who the opener talks with; until the bridge stands, the phone that has just answered. */
static struct channel *partner(struct calls *calls, const struct call *call)
{
    struct channel *with = call->opener ? talk_partner(calls, call->opener, NULL) : NULL;
    for (struct channel *c = call->channels; c && !with && !call->queue; c = c->call_next) {
        if (c->leg && c->leg->role == LEG_CALLED && c->leg->outcome == LEG_ANSWERED &&
            !c->been_bridged && !c->hangup_requested && !c->from_snapshot)
            with = c;
    }
    return with;
}

static bool rings(const struct call *call)
{
    for (const struct channel *c = call->channels; c; c = c->call_next) {
        if (c->ringing)
            return true;
    }
    return false;
}

static bool in_application(const struct call *call)
{
    if (!call->opener)
        return false;
    struct slice application = snapshot_text(call->opener->now, SNAPSHOT_APPLICATION);
    return application.n && !slice_is(application, "Dial") && !slice_is(application, "Queue") &&
           !slice_is(application, "AppDial") && !slice_is(application, "AppQueue");
}

static enum call_state state_of(const struct call *call, const struct channel *with)
{
    if (with)
        return CALL_ANSWERED;
    if (call->queue)
        return CALL_QUEUED;
    if (rings(call))
        return CALL_RINGING;
    return in_application(call) ? CALL_APPLICATION : CALL_DIALLING;
}

static void change_state(struct call *call, enum call_state state, int64_t now)
{
    if (call->state == state)
        return;
    call->state = state;
    call->since = now;
}

static bool is_unsure(const struct call *call)
{
    const struct channel *c = call->channels;
    while (c && c->unsure_until)
        c = c->call_next;
    return !c && call->count;
}

static void put_ringing(struct fact_builder *f, const struct call *call)
{
    fact_open_array(f, FIELD_RINGING);
    for (const struct channel *c = call->channels; c; c = c->call_next) {
        if (!c->ringing)
            continue;
        fact_open_object(f, FIELD_RINGING);
        call_put_phone(f, c);
        fact_put_string(f, FIELD_NAME, snapshot_text(c->now, SNAPSHOT_CALLER_NAME));
        fact_close(f);
    }
    fact_close(f);
}

static void put_partner(struct fact_builder *f, const struct channel *with)
{
    if (!with) {
        fact_put_null(f, FIELD_TALKING_WITH);
        return;
    }
    fact_open_object(f, FIELD_TALKING_WITH);
    call_put_phone(f, with);
    fact_put_string(f, FIELD_NAME, snapshot_text(with->now, SNAPSHOT_CALLER_NAME));
    fact_close(f);
}

static void tell_state(struct calls *calls, struct call *call)
{
    static const char *const names[] = {[CALL_DIALLING] = "dialling",
                                        [CALL_RINGING] = "ringing",
                                        [CALL_QUEUED] = "queued",
                                        [CALL_APPLICATION] = "application",
                                        [CALL_ANSWERED] = "answered"};
    const struct channel *with = partner(calls, call);
    change_state(call, state_of(call, with), calls->emit->now);
    struct emit_about what = call_about(call, FACT_CALL_STATE);
    struct fact_builder *f = emit_begin(calls->emit, &what);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_string(f, FIELD_STATE, slice_from(names[call->state]));
    fact_put_time(f, FIELD_START, call->start);
    fact_put_time(f, FIELD_SINCE, call->since);
    call_put_caller(f, call);
    fact_put_string(f, FIELD_DIALLED, slice_from(call->dialled));
    fact_put_known(f, FIELD_QUEUE, slice_from(call->queue));
    put_ringing(f, call);
    put_partner(f, with);
    if (is_unsure(call))
        fact_put_bool(f, FIELD_UNSURE, true);
    emit_end_state(calls->emit, &what, &call->told);
}

void calls_tell(struct calls *calls)
{
    while (calls->changed) {
        struct call *call = calls->changed;
        calls->changed = call->next_changed;
        call->changed = false;
        tell_state(calls, call);
    }
}
