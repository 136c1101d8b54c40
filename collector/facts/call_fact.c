/* SPDX-License-Identifier: MIT */
#include "collector/facts/call_fact.h"

#include "collector/facts/journey_fact.h"
#include "parsers/ami_vocab.h"

struct emit_about call_about(struct call *call, enum fact_kind kind)
{
    return (struct emit_about){.kind = kind,
                               .subject = slice_from(call->subject),
                               .key = call_linkedid(call),
                               .flags = call->from_snapshot ? FACT_IS_INFERRED : 0,
                               .sequence = &call->sequence};
}

void call_put_caller(struct fact_builder *f, const struct call *call)
{
    fact_put_string(f, FIELD_CALLER_NUMBER, slice_from(call->caller_number));
    fact_put_string(f, FIELD_CALLER_NAME, slice_from(call->caller_name));
}

static void put_span(struct fact_builder *f, const struct call *call, int64_t now)
{
    fact_put_time(f, FIELD_END, now);
    fact_put_seconds(f, FIELD_DURATION, now - call->start);
    emit_put_unseen_end(f, call->lost.earliest, call->lost.latest);
}

/* What was not seen is not counted: a call that was lost sight of goes up to where it surely was.
 */
static int64_t end_of(const struct emitter *emit, const struct call *call)
{
    return call->lost.latest ? call->lost.earliest : emit->now;
}

/* A call that was merged has no end of its own to tell a cause of. */
static void put_end(struct fact_builder *f, const struct call *call)
{
    if (call->journey.merged_into && !call->cause) {
        fact_put_null(f, FIELD_CAUSE);
        fact_put_null(f, FIELD_CAUSE_TEXT);
        fact_put_known(f, FIELD_HUNG_UP_BY, slice_from(call->journey.hung_up_by));
        return;
    }
    fact_put_int(f, FIELD_CAUSE, call->cause);
    fact_put_string(f, FIELD_CAUSE_TEXT, slice_from(ami_vocab_cause_text(call->cause)));
    fact_put_known(f, FIELD_HUNG_UP_BY, slice_from(call->journey.hung_up_by));
}

static void put_seconds(struct fact_builder *f, const struct call *call, int64_t now)
{
    const struct journey *j = &call->journey;
    bool whole = !call->listed;
    int64_t waited = call->start ? (call->answered ? call->answered : now) - call->start : -1;
    fact_put_seconds_known(f, FIELD_WAIT_SECONDS, whole && !call->answered_unseen ? waited : -1);
    fact_put_seconds_known(f, FIELD_RINGING_SECONDS, whole ? stopwatch_read(&j->ring, now) : -1);
    fact_put_seconds_known(f, FIELD_TALK_SECONDS, whole ? stopwatch_read(&j->talk, now) : -1);
    fact_put_seconds_known(f, FIELD_HOLD_SECONDS, whole ? stopwatch_read(&j->hold, now) : -1);
}

/* What the lists do not show of a call that was up when the tap joined: what was dialled at first,
 * and who answered when. */
static void put_beginning(struct fact_builder *f, const struct call *call)
{
    const struct journey *j = &call->journey;
    bool whole = !call->listed;
    struct slice unknown = {NULL, 0};
    if (whole)
        fact_put_string(f, FIELD_DIALLED, slice_from(call->dialled));
    else
        fact_put_null(f, FIELD_DIALLED);
    fact_put_time(f, FIELD_START, call->start);
    fact_put_time(f, FIELD_ANSWER, whole && !call->answered_unseen ? call->answered : 0);
    fact_put_known(f, FIELD_ANSWERED_BY, whole ? slice_from(j->answered_by) : unknown);
}

/* The scalars of the record; what the call consists of follows behind them. */
static void put_scalars(struct fact_builder *f, const struct call *call, int64_t now)
{
    const struct journey *j = &call->journey;
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    call_put_caller(f, call);
    put_beginning(f, call);
    put_span(f, call, now);
    fact_put_known(f, FIELD_QUEUE, slice_from(j->queue));
    put_seconds(f, call, now);
    put_end(f, call);
    fact_put_known(f, FIELD_HUNG_UP_SIDE, journey_hung_up_side(call));
    fact_put_string(f, FIELD_ACCOUNTCODE, slice_from(j->accountcode));
    fact_put_known(f, FIELD_MERGED_INTO, slice_from(j->merged_into));
}

static void tell_record(struct emitter *emit, struct call *call)
{
    struct emit_about what = call_about(call, FACT_CALL);
    struct fact_builder *f = emit_begin(emit, &what);
    put_scalars(f, call, end_of(emit, call));
    recording_put(f, call);
    handoff_put(f, call);
    journey_put(f, call, end_of(emit, call), emit->agi != EMIT_SIGHT_MISSING);
    emit_end(emit);
}

void call_tell_merged(struct emitter *emit, struct call *call, const struct channel *channel)
{
    struct emit_about what = call_about(call, FACT_CALL_MERGED);
    struct fact_builder *f = emit_begin(emit, &what);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_known(f, FIELD_MERGED_INTO, slice_from(call->journey.merged_into));
    fact_put_string(f, FIELD_UNIQUEID, channel_uniqueid(channel));
    fact_put_string(f, FIELD_CHANNEL, channel_name(channel));
    emit_end(emit);
}

void call_tell_ended(struct emitter *emit, struct call *call)
{
    struct emit_about what = call_about(call, FACT_CALL_ENDED);
    struct fact_builder *f = emit_begin(emit, &what);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(call));
    fact_put_time(f, FIELD_START, call->start);
    put_span(f, call, end_of(emit, call));
    put_end(f, call);
    emit_end(emit);

    tell_record(emit, call);

    what = call_about(call, FACT_CALL_STATE);
    what.flags |= FACT_IS_TOMBSTONE;
    emit_begin(emit, &what);
    emit_end(emit);
}
