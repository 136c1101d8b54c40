/* SPDX-License-Identifier: MIT */
#include "collector/facts/call_moves.h"

#include "collector/facts/talk.h"

/* Starts a fact about one channel of a call; NULL when it has none. unsure: a tap that saw all of
 * the call would say more. */
static struct fact_builder *begin_unsure(struct calls *calls, struct channel *c,
                                         enum fact_kind kind, bool unsure)
{
    struct call *call = journey_call(c);
    if (!call)
        return NULL;
    struct emit_about about = {.kind = kind,
                               .subject = channel_uniqueid(c),
                               .key = call_linkedid(call),
                               .flags = unsure ? FACT_IS_INFERRED : 0,
                               .sequence = &call->sequence};
    struct fact_builder *f = emit_begin(calls->emit, &about);
    saved_touch(&call->saved);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_string(f, FIELD_UNIQUEID, channel_uniqueid(c));
    call_put_phone(f, c);
    return f;
}

static struct fact_builder *begin(struct calls *calls, struct channel *c, enum fact_kind kind)
{
    return begin_unsure(calls, c, kind, false);
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
    struct fact_builder *f =
        begin_unsure(calls, channel, FACT_CALL_RESUMED, channel->blind || channel->born_unseen);
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
    if (!transfer->stays)
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
