/* SPDX-License-Identifier: MIT */
#include "collector/facts/talk.h"

#include "collector/base/memory.h"

#include <stdlib.h>

/* Bridges waiting to be looked at; a longer chain of Local channels is cut there. */
#define BRIDGES_MAX 64

void talk_free(struct talk *talk)
{
    snapshot_unref(talk->a_look);
    snapshot_unref(talk->b_look);
    free(talk);
}

void talk_circle_free(struct talk_circle *circle)
{
    free(circle->phones);
}

static void add_phone(struct talk_circle *circle, struct channel *c)
{
    if (circle->count == circle->size) {
        size_t size = circle->size ? circle->size * 2 : 8;
        struct channel **phones = memory_resized(circle->phones, size * sizeof(struct channel *));
        if (!phones)
            return;
        circle->phones = phones;
        circle->size = size;
    }
    circle->phones[circle->count++] = c;
    circle->holders += c->held_since != 0;
    c->circle = circle->number;
}

/* Who is in one conversation with the members of the bridge. */
static void gather(struct talk_circle *circle, struct bridge *bridge)
{
    struct bridge *waiting[BRIDGES_MAX] = {bridge};
    size_t n = 1;
    bridge->circle = ++circle->number;
    circle->count = circle->holders = 0;
    circle->conference = NULL;
    while (n > 0) {
        struct bridge *b = waiting[--n];
        if (b->kind != BRIDGE_BASIC)
            continue;
        if (b->confbridge)
            circle->conference = b;
        for (size_t i = 0; i < b->count; i++) {
            struct channel *c = b->members[i];
            struct bridge *beyond = c->half ? c->half->bridge : NULL;
            if (channel_is_media(channel_name(c)))
                continue; /* a program's own: nobody talks with it */
            if (!channel_is_local(channel_name(c))) {
                add_phone(circle, c);
            } else if (beyond && beyond->circle != circle->number && n < BRIDGES_MAX) {
                beyond->circle = circle->number;
                waiting[n++] = beyond;
            }
        }
    }
    if (circle->count > TALK_PHONES_MAX && !circle->conference)
        circle->conference = bridge;
}

static bool talk_is_of(const struct talk *talk, const struct channel *p, const struct channel *q)
{
    return (talk->a == p && talk->b == q) || (talk->a == q && talk->b == p);
}

void talk_tie(struct talk *talk, struct channel *a, struct channel *b)
{
    talk->a = a;
    talk->b = b;
    a->talks++;
    b->talks++;
}

/* Its own time is over; it may go on within a breath. */
static void talk_close(struct call *call, struct talk *talk, int64_t now)
{
    stopwatch_set(&talk->hold, false, now);
    talk->to = now;
    talk->a->talks--;
    talk->b->talks--;
    talk->a = talk->b = NULL;
    saved_touch(&call->saved);
}

/* Ends what the phone talks with those who are not in its conversation any more. */
static void part(struct call *call, const struct channel *p, int64_t now)
{
    struct journey *j = &call->journey;
    for (size_t i = 0; i < j->talk_count; i++) {
        struct talk *talk = j->talks[i];
        if (talk->to || (talk->a != p && talk->b != p))
            continue;
        const struct channel *q = talk->a == p ? talk->b : talk->a;
        if (q->circle != p->circle)
            talk_close(call, talk, now);
    }
}

void talk_moved(struct call *call, const struct channel *channel, int64_t now)
{
    struct journey *j = &call->journey;
    for (size_t i = 0; i < j->talk_count; i++) {
        struct talk *talk = j->talks[i];
        if (talk->to || (talk->a != channel && talk->b != channel))
            continue;
        if (journey_call(talk->a) != call && journey_call(talk->b) != call)
            talk_close(call, talk, now);
    }
}

/* Ends the channel's talks that are still open in the call's journey. */
static void forget_in(struct call *call, const struct channel *channel, int64_t now)
{
    struct journey *j = &call->journey;
    for (size_t i = 0; i < j->talk_count; i++) {
        struct talk *talk = j->talks[i];
        if (!talk->to && (talk->a == channel || talk->b == channel))
            talk_close(call, talk, now);
    }
}

void talk_forget(struct calls *calls, const struct channel *channel)
{
    size_t position = 0;
    struct call *call;
    while (channel->talks && (call = table_next(&calls->by_linkedid, &position)))
        forget_in(call, channel, calls->emit->now);
}

static bool is_look_of(const struct snapshot *look, const struct channel *c)
{
    return slice_equal(snapshot_text(look, SNAPSHOT_UNIQUEID), channel_uniqueid(c));
}

/* The talk of these two that goes on, or that was over for no more than a breath. */
static struct talk *find_talk(struct journey *j, struct channel *a, struct channel *b, int64_t now)
{
    for (size_t i = j->talk_count; i > 0; i--) {
        struct talk *talk = j->talks[i - 1];
        if (!talk->to && talk_is_of(talk, a, b))
            return talk;
        if (talk->to && now - talk->to <= JOURNEY_BREATH && is_look_of(talk->a_look, a) &&
            is_look_of(talk->b_look, b)) {
            talk->to = 0;
            talk_tie(talk, a, b);
            return talk;
        }
    }
    return NULL;
}

static struct talk *add_talk(struct call *call, struct channel *a, struct channel *b, int64_t now)
{
    struct journey *j = &call->journey;
    struct talk *talk = NULL;
    if (journey_room(&j->talks, j->talk_count, &j->talk_size, JOURNEY_MAX))
        talk = memory_zeroed(1, sizeof(*talk));
    if (!talk) {
        j->talks_omitted++;
        return NULL;
    }
    *talk =
        (struct talk){.a_look = snapshot_ref(a->now), .b_look = snapshot_ref(b->now), .from = now};
    talk_tie(talk, a, b);
    j->talks[j->talk_count++] = talk;
    return talk;
}

/* A phone talks with the one who opened the call, though none was seen to answer: a parked call was
 * taken back, or an agent who is logged in, and so was there before, was given the call. */
static void note_answer(struct call *call, const struct channel *a, const struct channel *b,
                        int64_t now)
{
    if (call->journey.answered_by || (a != call->opener && b != call->opener))
        return;
    const struct channel *other = a == call->opener ? b : a;
    if (journey_call(other) != call && other == b)
        return;
    journey_answered(call, channel_interface(channel_name(other)), now);
}

static void pair(struct call *call, struct channel *p, struct channel *q, int64_t now)
{
    bool in_order = p->born <= q->born;
    struct channel *a = in_order ? p : q, *b = in_order ? q : p;
    struct talk *talk = call ? find_talk(&call->journey, a, b, now) : NULL;
    if (call && !talk) {
        talk = add_talk(call, a, b, now);
        journey_goes_on(call, a);
        journey_goes_on(call, b);
        note_answer(call, a, b, now);
    }
    if (!talk)
        return;
    stopwatch_set(&talk->hold, a->held_since || b->held_since || a->music || b->music, now);
    saved_touch(&call->saved);
}

static void pair_all(const struct talk_circle *circle, int64_t now)
{
    for (size_t i = 0; i < circle->count; i++) {
        for (size_t k = i + 1; k < circle->count; k++) {
            struct channel *p = circle->phones[i], *q = circle->phones[k];
            struct call *call = journey_call(p), *other = journey_call(q);
            pair(call, p, q, now);
            if (other != call)
                pair(other, p, q, now);
        }
    }
}

static struct slice conference_name(const struct bridge *b)
{
    return b->name.n ? b->name : bridge_id(b);
}

static void stay(struct call *call, const struct channel *c, const struct bridge *conference,
                 int64_t now)
{
    struct move *open = journey_open_move(call, c, MOVE_CONFERENCE);
    if (open && (!conference || !slice_is(conference_name(conference), open->text[0]))) {
        journey_close_move(call, open, NULL, now);
        open = NULL;
    }
    if (open || !conference)
        return;
    struct move_values values = {.kind = MOVE_CONFERENCE, .text = {conference_name(conference)}};
    journey_moved(call, c, &values, now);
}

/* Music on hold that plays to somebody in a conversation is a sign of hold where no Hold is sent:
 * by ARI, or passed on through a Local channel. In a conference it plays to who waits for others.
 */
static void run_clocks(const struct talk_circle *circle, struct channel *c, int64_t now)
{
    struct leg *leg = c->leg;
    if (!leg)
        return;
    bool talks = circle->count > 1;
    size_t others = circle->holders - (c->held_since != 0);
    bool held = talks && !circle->conference && (others > 0 || c->music);
    if (talks == (leg->talk.since != 0) && held == (leg->hold.since != 0))
        return;
    stopwatch_set(&leg->talk, talks, now);
    stopwatch_set(&leg->hold, held, now);
    journey_count(leg->call, now);
}

static void settle(struct calls *calls)
{
    struct talk_circle *circle = &calls->circle;
    int64_t now = calls->emit->now;
    for (size_t i = 0; i < circle->count; i++) {
        struct call *call = journey_call(circle->phones[i]);
        if (!call)
            continue;
        part(call, circle->phones[i], now);
        stay(call, circle->phones[i], circle->conference, now);
        calls_touch(calls, call);
        calls_touch(calls, circle->phones[i]->call);
    }
    if (!circle->conference)
        pair_all(circle, now);
    for (size_t i = 0; i < circle->count; i++)
        run_clocks(circle, circle->phones[i], now);
}

void talk_bridge(struct calls *calls, struct bridge *bridge)
{
    if (!bridge)
        return;
    gather(&calls->circle, bridge);
    settle(calls);
}

void talk_left(struct calls *calls, struct channel *channel)
{
    struct talk_circle *circle = &calls->circle;
    if (channel->half)
        talk_bridge(calls, channel->half->bridge);
    if (channel_is_local(channel_name(channel)))
        return;
    circle->number++;
    circle->count = circle->holders = 0;
    circle->conference = NULL;
    add_phone(circle, channel);
    settle(calls);
}

/* Asterisk compares the linkedids themselves, which begin with the second of the opener's birth. */
static bool is_older(const struct call *a, const struct call *b)
{
    struct slice x = call_linkedid(a), y = call_linkedid(b);
    if (a->start != b->start)
        return a->start < b->start;
    if (x.n != y.n)
        return x.n < y.n;
    return memcmp(x.p, y.p, x.n) < 0;
}

void talk_merge(struct calls *calls, const struct bridge *bridge)
{
    struct call *oldest = NULL;
    if (!bridge->basic)
        return;
    for (size_t i = 0; i < bridge->count; i++) {
        struct call *call = journey_call(bridge->members[i]);
        if (call && (!oldest || is_older(call, oldest)))
            oldest = call;
    }
    for (size_t i = 0; oldest && i < bridge->count; i++)
        journey_move(oldest, bridge->members[i], calls->emit->now);
}

struct channel *talk_partner(struct calls *calls, struct channel *channel,
                             const struct channel *except)
{
    struct talk_circle *circle = &calls->circle;
    if (!channel->bridge)
        return NULL;
    gather(circle, channel->bridge);
    for (size_t i = 0; i < circle->count && !circle->conference; i++) {
        if (circle->phones[i] != channel && circle->phones[i] != except)
            return circle->phones[i];
    }
    return NULL;
}
