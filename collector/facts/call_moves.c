/* SPDX-License-Identifier: MIT */
#include "collector/facts/call_moves.h"

#include "collector/facts/talk.h"

#include <string.h>
#include <strings.h>

static const char *const hand_names[] = {[CHANNEL_HAND_NONE] = "",
                                         [CHANNEL_HAND_AGI] = "agi",
                                         [CHANNEL_HAND_FASTAGI] = "fastagi",
                                         [CHANNEL_HAND_ASYNCAGI] = "asyncagi",
                                         [CHANNEL_HAND_EAGI] = "eagi",
                                         [CHANNEL_HAND_STASIS] = "stasis",
                                         [CHANNEL_HAND_AUDIOSOCKET] = "audiosocket"};

/* Starts a fact about one channel of a call; NULL when it has none. */
static struct fact_builder *begin(struct calls *calls, struct channel *c, enum fact_kind kind)
{
    struct call *call = journey_call(c);
    if (!call)
        return NULL;
    struct emit_about about = {.kind = kind,
                               .subject = channel_uniqueid(c),
                               .key = call_linkedid(call),
                               .sequence = &call->sequence};
    struct fact_builder *f = emit_begin(calls->emit, &about);
    saved_touch(&call->saved);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_string(f, FIELD_UNIQUEID, channel_uniqueid(c));
    call_put_phone(f, c);
    return f;
}

void call_held(struct calls *calls, struct channel *channel)
{
    if (channel->held_since)
        return;
    channel->held_since = calls->emit->now;
    saved_touch(&channel->saved);
    if (begin(calls, channel, FACT_CALL_HELD))
        emit_end(calls->emit);
    talk_bridge(calls, channel->bridge);
}

void call_resumed(struct calls *calls, struct channel *channel)
{
    struct fact_builder *f = begin(calls, channel, FACT_CALL_RESUMED);
    if (!f)
        return;
    if (channel->held_since)
        fact_put_seconds(f, FIELD_HOLD_SECONDS, calls->emit->now - channel->held_since);
    else
        fact_put_null(f, FIELD_HOLD_SECONDS);
    emit_end(calls->emit);
    channel->held_since = 0;
    saved_touch(&channel->saved);
    talk_bridge(calls, channel->bridge);
}

void call_music(struct calls *calls, struct channel *channel, bool plays)
{
    if (channel->music == plays)
        return;
    channel->music = plays;
    saved_touch(&channel->saved);
    talk_bridge(calls, channel->bridge);
}

void call_transferred(struct calls *calls, struct channel *transferer,
                      const struct call_transfer *transfer)
{
    struct call *call = journey_call(transferer);
    struct fact_builder *f = begin(calls, transferer, FACT_CALL_TRANSFERRED);
    if (!f)
        return;
    fact_put_string(f, FIELD_TRANSFER, slice_from(transfer->how));
    fact_put_known(f, FIELD_CONTEXT, transfer->context);
    fact_put_known(f, FIELD_TRANSFERRED_TO, transfer->to);
    emit_end(calls->emit);
    struct move_values values = {
        .kind = MOVE_TRANSFER, .word = transfer->how, .text = {transfer->to, transfer->context}};
    journey_moved(call, transferer, &values, calls->emit->now);
    journey_gave_away(transferer);
}

/* The journey's side of it: a stay in the parking lot, and how it ended. */
static void follow_parking(struct channel *parked, const struct call_parking *parking, int64_t now)
{
    struct call *call = journey_call(parked);
    if (parking->kind == FACT_CALL_PARKED) {
        struct move_values values = {.kind = MOVE_PARK, .text = {parking->lot, parking->space}};
        journey_moved(call, parked, &values, now);
        return;
    }
    struct move *stay = journey_open_move(call, parked, MOVE_PARK);
    if (stay && parking->kind == FACT_CALL_RETRIEVED)
        journey_name_retriever(stay, parking->by);
    journey_close_move(call, stay,
                       parking->kind == FACT_CALL_RETRIEVED ? "retrieved" : parking->reason, now);
}

void call_parking(struct calls *calls, struct channel *parked, const struct call_parking *parking)
{
    struct fact_builder *f = begin(calls, parked, parking->kind);
    if (!f)
        return;
    fact_put_string(f, FIELD_PARKING_LOT, parking->lot);
    fact_put_string(f, FIELD_PARKING_SPACE, parking->space);
    if (parking->kind == FACT_CALL_PARKED && parking->timeout)
        fact_put_seconds(f, FIELD_PARKING_TIMEOUT, parking->timeout);
    else if (parking->kind == FACT_CALL_PARKED)
        fact_put_null(f, FIELD_PARKING_TIMEOUT);
    if (parking->kind == FACT_CALL_RETRIEVED)
        fact_put_known(f, FIELD_RETRIEVED_BY, parking->by);
    if (parking->kind == FACT_CALL_PARK_ENDED)
        fact_put_string(f, FIELD_REASON, slice_from(parking->reason));
    emit_end(calls->emit);
    follow_parking(parked, parking, calls->emit->now);
}

void call_picked_up(struct calls *calls, struct channel *picker, struct channel *target)
{
    int64_t now = calls->emit->now;
    struct call *call = journey_call(target);
    struct fact_builder *f = begin(calls, picker, FACT_CALL_PICKED_UP);
    if (!f)
        return;
    fact_put_string(f, FIELD_TARGET, channel_name(target));
    emit_end(calls->emit);
    journey_answered_elsewhere(target);
    if (!call)
        return;
    journey_move(call, picker, now);
    journey_set_role(picker, LEG_CALLED);
    journey_answered(call, channel_interface(channel_name(picker)), now);
    struct move_values values = {.kind = MOVE_PICKUP, .text = {channel_name(target)}};
    journey_moved(call, picker, &values, now);
    calls_touch(calls, call);
    calls_touch(calls, picker->call);
}

void call_conference(struct calls *calls, struct channel *channel, const struct bridge *bridge,
                     bool joined)
{
    struct fact_builder *f =
        begin(calls, channel, joined ? FACT_CALL_CONFERENCE_JOINED : FACT_CALL_CONFERENCE_LEFT);
    if (!f)
        return;
    fact_put_string(f, FIELD_CONFERENCE, bridge->name);
    emit_end(calls->emit);
}

static bool is_named(struct slice application, const char *name)
{
    return application.n == strlen(name) && strncasecmp(application.p, name, application.n) == 0;
}

/* AGI's kind is in its first argument. */
static enum channel_hand agi_kind(struct slice data)
{
    if (slice_starts(data, SLICE("agi://")) || slice_starts(data, SLICE("hagi://")))
        return CHANNEL_HAND_FASTAGI;
    if (slice_starts(data, SLICE("agi:async")))
        return CHANNEL_HAND_ASYNCAGI;
    return CHANNEL_HAND_AGI;
}

static enum channel_hand hand_of(const struct snapshot *look)
{
    struct slice application = snapshot_text(look, SNAPSHOT_APPLICATION);
    if (is_named(application, "AGI") || is_named(application, "DeadAGI"))
        return agi_kind(snapshot_text(look, SNAPSHOT_APPDATA));
    if (is_named(application, "EAGI"))
        return CHANNEL_HAND_EAGI;
    if (is_named(application, "Stasis"))
        return CHANNEL_HAND_STASIS;
    if (is_named(application, "AudioSocket"))
        return CHANNEL_HAND_AUDIOSOCKET;
    return CHANNEL_HAND_NONE;
}

static const char *application_of(enum channel_hand hand)
{
    switch (hand) {
    case CHANNEL_HAND_EAGI:
        return "EAGI";
    case CHANNEL_HAND_STASIS:
        return "Stasis";
    case CHANNEL_HAND_AUDIOSOCKET:
        return "AudioSocket";
    default:
        return "AGI";
    }
}

static void hand_over(struct calls *calls, struct channel *c, enum channel_hand hand)
{
    c->hand = hand;
    c->hand_since = calls->emit->now;
    saved_touch(&c->saved);
    struct fact_builder *f = begin(calls, c, FACT_CALL_HANDED_OVER);
    if (!f)
        return;
    fact_put_string(f, FIELD_HANDED_TO, slice_from(hand_names[hand]));
    fact_put_string(f, FIELD_APPLICATION, slice_from(application_of(hand)));
    fact_put_string(f, FIELD_APPDATA, snapshot_text(c->now, SNAPSHOT_APPDATA));
    emit_end(calls->emit);
}

static void hand_back(struct calls *calls, struct channel *c, const char *reason)
{
    enum channel_hand hand = c->hand;
    c->hand = CHANNEL_HAND_NONE;
    saved_touch(&c->saved);
    struct fact_builder *f = begin(calls, c, FACT_CALL_HANDED_BACK);
    if (!f)
        return;
    fact_put_string(f, FIELD_HANDED_TO, slice_from(hand_names[hand]));
    fact_put_string(f, FIELD_APPLICATION, slice_from(application_of(hand)));
    fact_put_seconds(f, FIELD_HAND_SECONDS, calls->emit->now - c->hand_since);
    fact_put_string(f, FIELD_REASON, slice_from(reason));
    emit_end(calls->emit);
}

void call_application(struct calls *calls, struct channel *channel)
{
    enum channel_hand hand = hand_of(channel->now);
    if (channel->hand)
        hand_back(calls, channel, "dialplan");
    if (hand)
        hand_over(calls, channel, hand);
}

void call_hand_back_at_hangup(struct calls *calls, struct channel *channel)
{
    if (channel->hand)
        hand_back(calls, channel, "hangup");
}
