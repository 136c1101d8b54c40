/* SPDX-License-Identifier: MIT */
#include "collector/facts/journey_fact.h"

#include "collector/facts/talk.h"
#include "parsers/ami_vocab.h"

/* A record that holds so much takes nothing more of its journey: a fact past its own bound would
 * not be handed on at all. */
#define JOURNEY_BYTES_MAX ((size_t)192 * 1024)

static bool is_full(const struct fact_builder *f)
{
    return f->bytes.n > JOURNEY_BYTES_MAX;
}

/* A call that went on as another one, by a pickup, has nobody left who ended it. */
static bool went_elsewhere(const struct journey *j)
{
    for (size_t i = 0; i < j->leg_count; i++) {
        if (!j->legs[i]->moved)
            return false;
    }
    return j->leg_count;
}

struct slice journey_hung_up_side(const struct call *call)
{
    static const char *const names[SIDES] = {[SIDE_CALLER] = "caller",
                                             [SIDE_CALLED] = "called",
                                             [SIDE_DIALPLAN] = "dialplan",
                                             [SIDE_MANAGER] = "manager"};
    const struct journey *j = &call->journey;
    bool ran = j->leg_count && (j->legs[0]->role == LEG_CALLER || j->legs[0]->answer);
    if (j->hung_up_side != SIDE_NONE)
        return slice_from(names[j->hung_up_side]);
    if (j->merged_into || call->from_snapshot || !ran || went_elsewhere(j))
        return (struct slice){NULL, 0};
    return SLICE("dialplan");
}

static const char *outcome_name(enum leg_outcome outcome)
{
    static const char *const names[] = {[LEG_ANSWERED] = "answered",
                                        [LEG_BUSY] = "busy",
                                        [LEG_NO_ANSWER] = "no_answer",
                                        [LEG_CANCELLED] = "cancelled",
                                        [LEG_CONGESTION] = "congestion",
                                        [LEG_FAILED] = "failed",
                                        [LEG_ANSWERED_ELSEWHERE] = "answered_elsewhere"};
    return names[outcome];
}

static struct slice interface_of(const struct snapshot *look)
{
    return channel_interface(snapshot_text(look, SNAPSHOT_NAME));
}

static void put_leg_cause(struct fact_builder *f, const struct leg *leg)
{
    if (!leg->cause) {
        fact_put_null(f, FIELD_CAUSE);
        fact_put_null(f, FIELD_CAUSE_TEXT);
        return;
    }
    fact_put_int(f, FIELD_CAUSE, leg->cause);
    fact_put_string(f, FIELD_CAUSE_TEXT, slice_from(ami_vocab_cause_text(leg->cause)));
}

/* It was so already when lists showed the call: since when is not known. */
static bool was_there(const struct call *call, int64_t from)
{
    return call->listed && from <= call->listed;
}

static void put_leg(struct fact_builder *f, const struct leg *leg, int64_t now, bool sees_agi)
{
    static const char *const roles[] = {
        [LEG_CALLER] = "caller", [LEG_CALLED] = "called", [LEG_ORIGINATED] = "originated"};
    const struct snapshot *look = leg->channel ? leg->channel->now : leg->look;
    fact_open_object(f, FIELD_LEGS);
    fact_put_string(f, FIELD_UNIQUEID, slice_from(leg->uniqueid));
    fact_put_string(f, FIELD_CHANNEL, snapshot_text(look, SNAPSHOT_NAME));
    fact_put_string(f, FIELD_INTERFACE, interface_of(look));
    fact_put_string(f, FIELD_NUMBER, snapshot_text(look, SNAPSHOT_CALLER_NUMBER));
    fact_put_string(f, FIELD_NAME, snapshot_text(look, SNAPSHOT_CALLER_NAME));
    fact_put_string(f, FIELD_ROLE, slice_from(roles[leg->role]));
    fact_put_known(f, FIELD_QUEUE, slice_from(leg->queue));
    fact_put_time(f, FIELD_START, leg->start);
    fact_put_time(f, FIELD_ANSWER, leg->answer);
    fact_put_time(f, FIELD_END, leg->end ? leg->end : now);
    bool whole = !was_there(leg->call, leg->start);
    fact_put_seconds_known(f, FIELD_RINGING_SECONDS, whole ? stopwatch_read(&leg->ring, now) : -1);
    fact_put_seconds_known(f, FIELD_TALK_SECONDS, whole ? stopwatch_read(&leg->talk, now) : -1);
    fact_put_seconds_known(f, FIELD_HOLD_SECONDS, whole ? stopwatch_read(&leg->hold, now) : -1);
    fact_put_known(f, FIELD_OUTCOME, slice_from(outcome_name(leg->outcome)));
    fact_put_known(f, FIELD_FORWARDED_TO, slice_from(leg->forwarded_to));
    put_leg_cause(f, leg);
    struct slice application = slice_from(leg->application), unknown = {NULL, 0};
    bool inside = !sees_agi && handoff_is_agi(application); /* what an AGI executes is unseen */
    fact_put_known(f, FIELD_APPLICATION, inside ? unknown : application);
    fact_close(f);
}

/* Uniqueid and phone of a look. */
static void put_who(struct fact_builder *f, const struct snapshot *look)
{
    fact_put_string(f, FIELD_UNIQUEID, snapshot_text(look, SNAPSHOT_UNIQUEID));
    fact_put_string(f, FIELD_INTERFACE, interface_of(look));
}

static void put_party(struct fact_builder *f, enum fact_field field, const struct snapshot *look)
{
    fact_open_object(f, field);
    put_who(f, look);
    fact_put_string(f, FIELD_NUMBER, snapshot_text(look, SNAPSHOT_CALLER_NUMBER));
    fact_close(f);
}

static void put_talk(struct fact_builder *f, const struct call *call, const struct talk *talk,
                     int64_t now)
{
    int64_t to = talk->to ? talk->to : now;
    int64_t length = to > talk->from ? to - talk->from : 0;
    bool whole = !was_there(call, talk->from);
    fact_open_object(f, FIELD_TALKS);
    fact_put_time(f, FIELD_FROM, whole ? talk->from : 0);
    fact_put_time(f, FIELD_TO, to);
    fact_put_seconds_known(f, FIELD_TALK_SECONDS, whole ? length : -1);
    fact_put_seconds_known(f, FIELD_HOLD_SECONDS, whole ? stopwatch_read(&talk->hold, now) : -1);
    put_party(f, FIELD_A, talk->a_look);
    put_party(f, FIELD_B, talk->b_look);
    fact_close(f);
}

static void put_transfer(struct fact_builder *f, const struct move *move)
{
    fact_put_time(f, FIELD_TIME, move->from);
    fact_put_string(f, FIELD_TRANSFER, slice_from(move->word));
    put_who(f, move->look);
    fact_put_string(f, FIELD_NUMBER, snapshot_text(move->look, SNAPSHOT_CALLER_NUMBER));
    fact_put_known(f, FIELD_TRANSFERRED_TO, slice_from(move->text[0]));
    fact_put_known(f, FIELD_CONTEXT, slice_from(move->text[1]));
}

static void put_pickup(struct fact_builder *f, const struct move *move)
{
    fact_put_time(f, FIELD_TIME, move->from);
    put_who(f, move->look);
    fact_put_known(f, FIELD_TARGET, slice_from(move->text[0]));
}

static void put_park(struct fact_builder *f, const struct move *move, int64_t now)
{
    fact_put_known(f, FIELD_PARKING_LOT, slice_from(move->text[0]));
    fact_put_known(f, FIELD_PARKING_SPACE, slice_from(move->text[1]));
    fact_put_time(f, FIELD_FROM, move->from);
    fact_put_time(f, FIELD_TO, move->to ? move->to : now);
    fact_put_known(f, FIELD_OUTCOME,
                   move->word[0] ? slice_from(move->word) : (struct slice){NULL, 0});
    fact_put_known(f, FIELD_RETRIEVED_BY, slice_from(move->text[2]));
    fact_put_string(f, FIELD_UNIQUEID, snapshot_text(move->look, SNAPSHOT_UNIQUEID));
}

static void put_stay(struct fact_builder *f, const struct move *move, int64_t now)
{
    fact_put_known(f, FIELD_CONFERENCE, slice_from(move->text[0]));
    put_who(f, move->look);
    fact_put_time(f, FIELD_FROM, move->from);
    fact_put_time(f, FIELD_TO, move->to ? move->to : now);
}

static void put_forward(struct fact_builder *f, const struct move *move)
{
    fact_put_time(f, FIELD_TIME, move->from);
    fact_put_string(f, FIELD_INTERFACE, interface_of(move->look));
    fact_put_known(f, FIELD_FORWARDED_TO, slice_from(move->text[0]));
}

static void put_move(struct fact_builder *f, enum fact_field field, const struct move *move,
                     int64_t now)
{
    if (move->kind == MOVE_ALIAS) {
        fact_put_string(f, FIELD_LINKEDID, slice_from(move->text[0]));
        return;
    }
    fact_open_object(f, field);
    if (move->kind == MOVE_TRANSFER)
        put_transfer(f, move);
    else if (move->kind == MOVE_PICKUP)
        put_pickup(f, move);
    else if (move->kind == MOVE_PARK)
        put_park(f, move, now);
    else if (move->kind == MOVE_CONFERENCE)
        put_stay(f, move, now);
    else
        put_forward(f, move);
    fact_close(f);
}

/* Returns how many were left out. */
static size_t put_moves(struct fact_builder *f, const struct journey *j, enum move_kind kind,
                        int64_t now)
{
    static const enum fact_field fields[MOVE_KINDS] = {
        [MOVE_TRANSFER] = FIELD_TRANSFERS, [MOVE_PICKUP] = FIELD_PICKUPS,
        [MOVE_PARK] = FIELD_PARKS,         [MOVE_CONFERENCE] = FIELD_CONFERENCES,
        [MOVE_FORWARD] = FIELD_FORWARDS,   [MOVE_ALIAS] = FIELD_ALIASES};
    size_t omitted = 0;
    fact_open_array(f, fields[kind]);
    for (size_t i = 0; i < j->move_count; i++) {
        if (j->moves[i]->kind != kind)
            continue;
        if (is_full(f))
            omitted++;
        else
            put_move(f, fields[kind], j->moves[i], now);
    }
    fact_close(f);
    return omitted;
}

void journey_put(struct fact_builder *f, const struct call *call, int64_t now, bool sees_agi)
{
    const struct journey *j = &call->journey;
    size_t legs = 0, talks = 0, moves = 0;
    for (int kind = 0; kind < MOVE_KINDS; kind++)
        moves += put_moves(f, j, (enum move_kind)kind, now);
    fact_open_array(f, FIELD_LEGS);
    for (; legs < j->leg_count && !is_full(f); legs++)
        put_leg(f, j->legs[legs], now, sees_agi);
    fact_close(f);
    fact_open_array(f, FIELD_TALKS);
    for (; talks < j->talk_count && !is_full(f); talks++)
        put_talk(f, call, j->talks[talks], now);
    fact_close(f);
    fact_put_int(f, FIELD_LEGS_OMITTED, (int64_t)(j->legs_omitted + j->leg_count - legs));
    fact_put_int(f, FIELD_TALKS_OMITTED, (int64_t)(j->talks_omitted + j->talk_count - talks));
    fact_put_int(f, FIELD_MOVES_OMITTED, (int64_t)(j->moves_omitted + moves));
}
