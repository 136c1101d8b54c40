/* SPDX-License-Identifier: MIT */
#include "collector/facts/journey.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/call.h"
#include "collector/facts/talk.h"
#include <stdio.h>
#include <stdlib.h>

/* AST_SOFTHANGUP_*: an absolute or Dial's time limit; somebody's explicit wish by manager, ARI or
 * console, or a shutdown. All others are Asterisk's own ways to end a channel whose call is over.
 */
enum { SOFTHANGUP_SHUTDOWN = 4, SOFTHANGUP_TIMEOUT = 8, SOFTHANGUP_EXPLICIT = 32 };

/* What a hang-up brings about is over in so many microseconds. */
#define AFTERMATH 1000000

/* AST_CAUSE_* that tell what became of a phone that no DialEnd was seen of. */
enum {
    CAUSE_NORMAL_CLEARING = 16,
    CAUSE_USER_BUSY = 17,
    CAUSE_NO_USER_RESPONSE = 18,
    CAUSE_NO_ANSWER = 19,
    CAUSE_ANSWERED_ELSEWHERE = 26,
    CAUSE_CONGESTION = 34,
    CAUSE_SWITCH_CONGESTION = 42
};

void stopwatch_set(struct stopwatch *w, bool on, int64_t now)
{
    if (on && !w->since) {
        bool breath = w->stopped && now >= w->stopped && now - w->stopped <= JOURNEY_BREATH;
        w->since = breath ? w->stopped : now;
    } else if (!on && w->since) {
        w->total = stopwatch_read(w, now);
        w->stopped = now;
        w->since = 0;
    }
}

int64_t stopwatch_read(const struct stopwatch *w, int64_t now)
{
    return w->since && now > w->since ? w->total + (now - w->since) : w->total;
}

bool journey_room(void *array, size_t count, size_t *size, size_t max)
{
    if (count < *size)
        return true;
    size_t more = *size ? *size * 2 : 4;
    if (more > max)
        more = max;
    if (count >= more)
        return false;
    void *pointers = memory_resized(*(void **)array, more * sizeof(void *));
    if (!pointers)
        return false;
    *(void **)array = pointers;
    *size = more;
    return true;
}

static void leg_free(struct leg *leg)
{
    snapshot_unref(leg->look);
    free(leg->uniqueid);
    free(leg->queue);
    free(leg->forwarded_to);
    free(leg->application);
    free(leg);
}

static void move_free(struct move *move)
{
    snapshot_unref(move->look);
    for (size_t i = 0; i < MOVE_TEXTS; i++)
        free(move->text[i]);
    free(move);
}

void journey_omit_lost(struct journey *j)
{
    size_t kept = 0;
    for (size_t i = 0; i < j->leg_count; i++) {
        if (j->legs[i]->channel || j->legs[i]->look) {
            j->legs[kept++] = j->legs[i];
        } else {
            leg_free(j->legs[i]);
            j->legs_omitted++;
        }
    }
    j->leg_count = kept;
}

void journey_free(struct journey *j)
{
    for (size_t i = 0; i < j->leg_count; i++)
        leg_free(j->legs[i]);
    for (size_t i = 0; i < j->talk_count; i++)
        talk_free(j->talks[i]);
    for (size_t i = 0; i < j->move_count; i++)
        move_free(j->moves[i]);
    free(j->legs);
    free(j->talks);
    free(j->moves);
    free(j->queue);
    free(j->answered_by);
    free(j->accountcode);
    free(j->merged_into);
    free(j->hung_up_by);
    free(j->hung_up_uniqueid);
}

struct call *journey_call(const struct channel *channel)
{
    return channel->leg ? channel->leg->call : channel->call;
}

static struct leg *leg_add(struct call *call, struct channel *channel)
{
    struct journey *j = &call->journey;
    struct leg *leg = NULL;
    if (journey_room(&j->legs, j->leg_count, &j->leg_size, JOURNEY_MAX))
        leg = memory_zeroed(1, sizeof(*leg));
    if (!leg || !text_set(&leg->uniqueid, channel_uniqueid(channel))) {
        free(leg);
        j->legs_omitted++;
        return NULL;
    }
    leg->call = call;
    leg->channel = channel;
    channel->leg = leg;
    j->legs[j->leg_count++] = leg;
    saved_touch(&call->saved);
    return leg;
}

void journey_join(struct call *call, struct channel *channel, int64_t now)
{
    if (channel->leg || channel_is_local(channel_name(channel)))
        return;
    struct leg *leg = leg_add(call, channel);
    if (!leg)
        return;
    bool dialed = snapshot_flags(channel->now) & SNAPSHOT_DIALED;
    leg->role = dialed ? LEG_CALLED : LEG_CALLER;
    leg->start = channel->from_snapshot ? channel->born : now;
    if (channel->from_snapshot && snapshot_state(channel->now) == CHANNEL_STATE_UP)
        leg->outcome = LEG_ANSWERED;
    if (dialed)
        text_set(&leg->queue, slice_from(call->queue));
    journey_goes_on(call, channel);
}

/* What Dial and Queue put on the channels that they call is no application of theirs. */
static void take_application(struct leg *leg)
{
    struct slice application = snapshot_text(leg->channel->now, SNAPSHOT_APPLICATION);
    if (!application.n || slice_starts(application, SLICE("AppDial")) ||
        slice_is(application, "AppQueue"))
        return;
    text_set(&leg->application, application);
    saved_touch(&leg->call->saved);
}

void journey_hangup_logic(struct channel *channel)
{
    if (channel->leg && !channel->hangup_logic)
        take_application(channel->leg);
}

static void leg_close(struct leg *leg, int64_t now)
{
    struct channel *c = leg->channel;
    if (!c->hangup_logic)
        take_application(leg);
    stopwatch_set(&leg->ring, false, now);
    stopwatch_set(&leg->talk, false, now);
    stopwatch_set(&leg->hold, false, now);
    leg->end = now;
    leg->look = snapshot_ref(c->now);
    leg->channel = NULL;
    c->leg = NULL;
    saved_touch(&leg->call->saved);
}

static enum leg_outcome outcome_by_cause(int cause)
{
    switch (cause) {
    case CAUSE_NORMAL_CLEARING:
        return LEG_CANCELLED;
    case CAUSE_USER_BUSY:
        return LEG_BUSY;
    case CAUSE_NO_USER_RESPONSE:
    case CAUSE_NO_ANSWER:
        return LEG_NO_ANSWER;
    case CAUSE_ANSWERED_ELSEWHERE:
        return LEG_ANSWERED_ELSEWHERE;
    case CAUSE_CONGESTION:
    case CAUSE_SWITCH_CONGESTION:
        return LEG_CONGESTION;
    default:
        return cause ? LEG_FAILED : LEG_OPEN;
    }
}

/* Of the phones that a Dial or a Queue gave up, Hangup tells which rang for nothing because another
 * one answered: the DialEnd is a CANCEL for these, too. */
static void judge(struct leg *leg, int cause)
{
    leg->cause = cause;
    if (leg->outcome == LEG_CANCELLED && cause == CAUSE_ANSWERED_ELSEWHERE && !leg->forwarded_to)
        leg->outcome = LEG_ANSWERED_ELSEWHERE;
    else if (leg->outcome == LEG_OPEN && leg->role != LEG_CALLER)
        leg->outcome = outcome_by_cause(cause);
}

static bool asked(const struct journey *j, const struct channel *channel)
{
    return j->hung_up_uniqueid && slice_is(channel_uniqueid(channel), j->hung_up_uniqueid);
}

static void forget_hangup(struct call *call)
{
    struct journey *j = &call->journey;
    text_set(&j->hung_up_by, SLICE(""));
    text_set(&j->hung_up_uniqueid, SLICE(""));
    j->hung_up_side = SIDE_NONE;
    saved_touch(&call->saved);
}

static void take_hangup(struct call *call, const struct leg *leg)
{
    struct journey *j = &call->journey;
    text_set(&j->hung_up_by, channel_name(leg->channel));
    text_set(&j->hung_up_uniqueid, channel_uniqueid(leg->channel));
    j->hung_up_side = leg->asked;
    j->hung_up_at = leg->asked_at;
    j->hung_up_doubted = false;
    saved_touch(&call->saved);
}

/* The one who asked left others talking, so that he ended nothing: another may have asked since. */
static void pass_hangup_on(struct call *call)
{
    struct journey *j = &call->journey;
    const struct leg *next = NULL;
    forget_hangup(call);
    for (size_t i = 0; i < j->leg_count; i++) {
        const struct leg *leg = j->legs[i];
        if (leg->channel && leg->asked && !leg->gave_away &&
            (!next || leg->asked_at < next->asked_at))
            next = leg;
    }
    if (next)
        take_hangup(call, next);
}

void journey_end(struct channel *channel, int64_t now)
{
    struct leg *leg = channel->leg;
    if (!leg)
        return;
    struct call *call = leg->call;
    judge(leg, snapshot_cause(channel->now));
    leg_close(leg, now);
    journey_count(call, now);
    if (asked(&call->journey, channel) && call->journey.talk.since)
        pass_hangup_on(call);
}

/* Takes the move over; one too many is counted. */
static void keep_move(struct call *call, struct move *move)
{
    struct journey *j = &call->journey;
    saved_touch(&call->saved);
    if (j->kept[move->kind] >= JOURNEY_MAX ||
        !journey_room(&j->moves, j->move_count, &j->move_size, JOURNEY_MAX * MOVE_KINDS)) {
        move_free(move);
        j->moves_omitted++;
        return;
    }
    j->moves[j->move_count++] = move;
    j->kept[move->kind]++;
}

/* It is still in the conference that it entered while in the other call. */
static void carry_conference(struct call *from, struct call *to, const struct channel *channel)
{
    struct journey *j = &from->journey;
    struct move *move = journey_open_move(from, channel, MOVE_CONFERENCE);
    for (size_t i = 0; move && i < j->move_count; i++) {
        if (j->moves[i] != move)
            continue;
        j->move_count--;
        memmove(j->moves + i, j->moves + i + 1, (j->move_count - i) * sizeof(struct move *));
        j->kept[MOVE_CONFERENCE]--;
        keep_move(to, move);
        return;
    }
}

void journey_move(struct call *call, struct channel *channel, int64_t now)
{
    struct leg *was = channel->leg;
    if (!was || was->call == call)
        return;
    enum leg_role role = was->role;
    leg_close(was, now);
    was->moved = true;
    talk_moved(was->call, channel, now);
    carry_conference(was->call, call, channel);
    journey_count(was->call, now);
    struct leg *leg = leg_add(call, channel);
    if (!leg)
        return;
    leg->role = role;
    leg->start = now;
    journey_goes_on(call, channel);
    journey_follow(channel, now);
}

/* ParkedCallTimeOut and ParkedCallGiveUp may come after the Hangup of the parked channel, which was
 * the call's last: it gave up if it had asked to be hung up, else the lot sent it to where the call
 * ended (Asterisk 22). */
static void close_parks(struct call *call, int64_t now)
{
    struct journey *j = &call->journey;
    for (size_t i = 0; i < j->move_count; i++) {
        struct move *move = j->moves[i];
        if (move->kind != MOVE_PARK || move->over || call->from_snapshot || j->merged_into)
            continue;
        struct slice parked = snapshot_text(move->look, SNAPSHOT_UNIQUEID);
        bool gave_up = j->hung_up_uniqueid && slice_is(parked, j->hung_up_uniqueid);
        journey_close_move(call, move, gave_up ? "gave_up" : "timeout", now);
    }
}

void journey_over(struct call *call, int64_t now)
{
    struct journey *j = &call->journey;
    close_parks(call, now);
    if (j->hung_up_doubted && now - j->hung_up_at > AFTERMATH)
        forget_hangup(call);
    for (size_t i = 0; i < j->leg_count; i++) {
        struct channel *c = j->legs[i]->channel;
        if (!c)
            continue;
        leg_close(j->legs[i], now);
        if (c->call && c->call != call)
            journey_join(c->call, c, now);
    }
    journey_count(call, now);
}

static void add_alias(struct call *call, struct slice linkedid, int64_t now)
{
    struct journey *j = &call->journey;
    for (size_t i = 0; i < j->move_count; i++) {
        if (j->moves[i]->kind == MOVE_ALIAS && slice_is(linkedid, j->moves[i]->text[0]))
            return;
    }
    struct move_values values = {.kind = MOVE_ALIAS, .text = {linkedid}};
    journey_moved(call, NULL, &values, now);
}

void journey_take_aliases(struct call *call, const struct call *from, int64_t now)
{
    add_alias(call, call_linkedid(from), now);
    for (size_t i = 0; i < from->journey.move_count; i++) {
        if (from->journey.moves[i]->kind == MOVE_ALIAS)
            add_alias(call, slice_from(from->journey.moves[i]->text[0]), now);
    }
}

void journey_set_role(struct channel *channel, enum leg_role role)
{
    if (!channel->leg || channel->leg->role == role)
        return;
    channel->leg->role = role;
    saved_touch(&channel->leg->call->saved);
}

void journey_follow(struct channel *channel, int64_t now)
{
    struct leg *leg = channel->leg;
    if (!leg)
        return;
    if (channel->ringing != (leg->ring.since != 0)) {
        stopwatch_set(&leg->ring, channel->ringing, now);
        journey_count(leg->call, now);
    }
    if (leg->outcome != LEG_ANSWERED && snapshot_state(channel->now) == CHANNEL_STATE_UP) {
        if (!leg->answer)
            leg->answer = now;
        leg->outcome = LEG_ANSWERED;
        saved_touch(&leg->call->saved);
    }
}

void journey_answered(struct call *call, struct slice interface, int64_t now)
{
    if (!call->answered)
        call->answered = now;
    if (!call->journey.answered_by)
        text_set(&call->journey.answered_by, interface);
    saved_touch(&call->saved);
}

static enum leg_outcome outcome_by_status(struct slice status)
{
    static const struct {
        const char *status;
        enum leg_outcome outcome;
    } known[] = {{"ANSWER", LEG_ANSWERED},
                 {"BUSY", LEG_BUSY},
                 {"NOANSWER", LEG_NO_ANSWER},
                 {"CANCEL", LEG_CANCELLED},
                 {"CONGESTION", LEG_CONGESTION}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (slice_is(status, known[i].status))
            return known[i].outcome;
    }
    return LEG_FAILED;
}

void journey_dial_end(struct channel *dest, struct slice status, struct slice forward, int64_t now)
{
    struct leg *leg = dest->leg;
    if (!leg)
        return;
    enum leg_outcome outcome = outcome_by_status(status);
    saved_touch(&leg->call->saved);
    if (outcome == LEG_ANSWERED && !leg->answer)
        leg->answer = now;
    if (leg->outcome == LEG_OPEN || outcome == LEG_ANSWERED)
        leg->outcome = outcome;
    if (!forward.n)
        return;
    text_set(&leg->forwarded_to, forward);
    struct move_values values = {.kind = MOVE_FORWARD, .text = {forward}};
    journey_moved(leg->call, dest, &values, now);
}

void journey_answered_elsewhere(struct channel *channel)
{
    if (!channel->leg)
        return;
    channel->leg->outcome = LEG_ANSWERED_ELSEWHERE;
    saved_touch(&channel->leg->call->saved);
}

void journey_queue(struct call *call, struct slice queue)
{
    if (queue.n)
        text_set(&call->journey.queue, queue);
}

static struct leg *leg_of(const struct journey *j, const char *uniqueid)
{
    for (size_t i = j->leg_count; i > 0; i--) {
        if (strcmp(j->legs[i - 1]->uniqueid, uniqueid) == 0)
            return j->legs[i - 1];
    }
    return NULL;
}

/* Whether a new request counts instead of the one that stands: that one's channel is long gone, and
 * the call went on until somebody else asked, as when it was parked. */
static bool supersedes(const struct journey *j, int64_t now)
{
    const struct leg *leg = j->hung_up_uniqueid ? leg_of(j, j->hung_up_uniqueid) : NULL;
    return !j->hung_up_uniqueid || !leg || j->hung_up_doubted ||
           (leg->end && now - leg->end > AFTERMATH);
}

static enum hangup_side soft_side(int flags)
{
    if (flags & (SOFTHANGUP_EXPLICIT | SOFTHANGUP_SHUTDOWN))
        return SIDE_MANAGER;
    return flags & SOFTHANGUP_TIMEOUT ? SIDE_DIALPLAN : SIDE_NONE;
}

void journey_hangup_requested(struct channel *channel, bool soft, int flags, int64_t now)
{
    struct leg *leg = channel->leg;
    if (!leg || leg->gave_away)
        return;
    struct journey *j = &leg->call->journey;
    bool opened = leg == j->legs[0] && leg->role != LEG_CALLED;
    enum hangup_side side = opened ? SIDE_CALLER : SIDE_CALLED;
    if (soft)
        side = soft_side(flags);
    /* A phone that refuses ends its own leg only; the dialplan decides what follows. */
    bool refuses = leg->role != LEG_CALLER && leg->outcome != LEG_ANSWERED;
    if (side == SIDE_NONE || refuses)
        return;
    if (!leg->asked) {
        leg->asked = side;
        leg->asked_at = now;
        saved_touch(&leg->call->saved);
    }
    if (supersedes(j, now))
        take_hangup(leg->call, leg);
}

void journey_gave_away(struct channel *channel)
{
    struct leg *leg = channel->leg;
    if (!leg)
        return;
    leg->gave_away = true;
    if (asked(&leg->call->journey, channel))
        forget_hangup(leg->call);
    saved_touch(&leg->call->saved);
}

void journey_goes_on(struct call *call, const struct channel *channel)
{
    if (!call->journey.hung_up_uniqueid || asked(&call->journey, channel))
        return;
    call->journey.hung_up_doubted = true;
    saved_touch(&call->saved);
}

static bool move_set(struct move *move, const struct channel *who, const struct move_values *values)
{
    size_t n = strlen(values->word ? values->word : "");
    if (n >= sizeof(move->word))
        n = sizeof(move->word) - 1;
    if (n)
        memcpy(move->word, values->word, n);
    move->kind = values->kind;
    move->look = who ? snapshot_ref(who->now) : NULL;
    bool good = true;
    for (size_t i = 0; i < MOVE_TEXTS; i++)
        good = text_set(&move->text[i], values->text[i]) && good;
    return good;
}

void journey_moved(struct call *call, const struct channel *who, const struct move_values *values,
                   int64_t now)
{
    struct move *move = memory_zeroed(1, sizeof(*move));
    if (move && move_set(move, who, values)) {
        move->from = now;
        keep_move(call, move);
        return;
    }
    if (move)
        move_free(move);
    call->journey.moves_omitted++;
    saved_touch(&call->saved);
}

struct move *journey_open_move(const struct call *call, const struct channel *who,
                               enum move_kind kind)
{
    const struct journey *j = &call->journey;
    for (size_t i = j->move_count; i > 0; i--) {
        struct move *move = j->moves[i - 1];
        if (move->kind == kind && !move->over && move->look &&
            slice_equal(snapshot_text(move->look, SNAPSHOT_UNIQUEID), channel_uniqueid(who)))
            return move;
    }
    return NULL;
}

void journey_name_retriever(struct move *move, struct slice channel)
{
    text_set(&move->text[2], channel);
}

void journey_close_move(struct call *call, struct move *move, const char *word, int64_t now)
{
    if (!move)
        return;
    move->to = now;
    move->over = true;
    if (word)
        snprintf(move->word, sizeof(move->word), "%s", word);
    saved_touch(&call->saved);
}

void journey_count(struct call *call, int64_t now)
{
    struct journey *j = &call->journey;
    bool ring = false, talk = false, hold = false;
    for (size_t i = 0; i < j->leg_count; i++) {
        ring |= j->legs[i]->ring.since != 0;
        talk |= j->legs[i]->talk.since != 0;
        hold |= j->legs[i]->hold.since != 0;
    }
    stopwatch_set(&j->ring, ring, now);
    stopwatch_set(&j->talk, talk, now);
    stopwatch_set(&j->hold, hold, now);
    saved_touch(&call->saved);
}
