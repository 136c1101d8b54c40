/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"
#include "collector/facts/cdr_chain.h"
#include "collector/facts/talk.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

/* What was up before the tap joined, from the lists that are asked for after log-in. A list fills
 * only what is unknown and never overrides a live event. */

/* An id with a smaller number is none that a clock made. */
#define YEAR_2001 1000000000

/* A list's seconds are cut, and so is the time in a Uniqueid. */
#define CLOCKS_APART_MAX 3000000

/* How old the channel is, "HH:MM:SS" or seconds; -1 when the item does not tell. Microseconds. */
static int64_t age_of(const struct ami_message *m)
{
    int64_t age = 0, part = 0;
    struct slice text =
        ami_message_get(m, m->event == AMI_EVENT_STATUS ? AMI_HEADER_SECONDS : AMI_HEADER_DURATION);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':') {
            age = (age + part) * 60;
            part = 0;
        } else if (text.p[i] >= '0' && text.p[i] <= '9') {
            part = part * 10 + (text.p[i] - '0');
        }
        if (part > 1000000 || age > 1000000000)
            return -1;
    }
    return text.n ? (age + part) * 1000000 : -1;
}

/* When an id says that its channel began, 0 when it does not. The PBX's clock: the list's age only
 * has to agree with it, where the time is known at all. */
static int64_t born_by_id(struct slice id, int64_t now, int64_t age)
{
    int64_t seconds, count;
    if (!channel_id_parts(id, &seconds, &count) || seconds < YEAR_2001)
        return 0;
    int64_t born = seconds * 1000000;
    return now && age >= 0 && llabs(now - age - born) > CLOCKS_APART_MAX ? 0 : born;
}

/* A list item has no Timestamp. Where nothing else told the time, its age and its Uniqueid do. */
static int64_t born_before(struct tap *tap, const struct ami_message *m, struct slice uniqueid)
{
    int64_t age = age_of(m);
    int64_t born = born_by_id(uniqueid, tap->emit->now, age);
    if (!tap->emit->now && born)
        tap->emit->now = born + (age > 0 ? age : 0);
    if (born)
        return born;
    return tap->emit->now - (age > 0 && age < tap->emit->now ? age : 0);
}

static void was_in_bridge(struct tap *tap, const struct bridge *b, struct channel *c)
{
    cdr_was_in_bridge(&tap->cdr, b, c, tap->emit->now);
    calls_listed(&tap->calls, c->call);
    tap_bridged(tap, c);
}

/* The bridge that the item names, which kind it is being unknown yet. */
static void enter_listed(struct tap *tap, struct channel *c, struct slice id)
{
    struct bridge *b = id.n ? table_find(&tap->bridges, id) : NULL;
    if (id.n && !b) {
        struct bridge_values values = {.id = id, .kind = BRIDGE_LISTED};
        b = bridge_make(&values);
        if (b && !table_add(&tap->bridges, b)) {
            bridge_free(b);
            b = NULL;
        }
    }
    if (!b)
        return;
    if (!bridge_enter(b, c)) {
        tap->members_refused++;
        return;
    }
    c->been_bridged = true;
    if (b->kind == BRIDGE_LISTED)
        return;
    was_in_bridge(tap, b, c);
    talk_bridge(&tap->calls, b);
}

/* A list shows that the channel was answered, not when. */
static void answered_unseen(struct tap *tap, struct channel *c)
{
    int64_t now = tap->emit->now;
    cdr_chain_answered_unseen(c->chain, now);
    if (c->leg && c->leg->answer >= now)
        c->leg->answer = 0;
    if (!c->call || c->call->answered < now)
        return;
    c->call->answered_unseen = true;
    saved_touch(&c->call->saved);
}

void tap_settle_bridge(struct tap *tap, struct bridge *b, const struct ami_message *m)
{
    if (b->kind != BRIDGE_LISTED)
        return;
    bridge_describe(b, m);
    uint32_t shown = 0;
    if (ami_text_unsigned(ami_message_get(m, AMI_HEADER_BRIDGENUMCHANNELS), &shown))
        b->shown = shown;
    for (size_t i = 0; i < b->count; i++)
        was_in_bridge(tap, b, b->members[i]);
    talk_bridge(&tap->calls, b);
    for (size_t i = 0; tap->emit->from_list && i < b->count; i++)
        answered_unseen(tap, b->members[i]);
    tap_touch_members(tap, b);
}

/* What Dial and Queue call shows by its application, or, while it has none, by ringing or by being
 * the near half of a Local channel. An origination is the beginning of its own call. */
static bool was_dialed(const struct snapshot_values *seen)
{
    struct slice application = seen->text[SNAPSHOT_APPLICATION];
    struct slice name = seen->text[SNAPSHOT_NAME];
    if (slice_is(application, "AppDial2"))
        return !slice_equal(seen->text[SNAPSHOT_UNIQUEID], seen->text[SNAPSHOT_LINKEDID]);
    if (application.n)
        return tap_is_outgoing(application);
    return seen->state == CHANNEL_STATE_RINGING ||
           (channel_is_local(name) && name.n && name.p[name.n - 1] == '1');
}

/* --- a channel that was known before the tap was blind --- */

/* It left its bridge unseen: when, nothing tells. */
static void left_unseen(struct tap *tap, struct channel *c)
{
    struct bridge *b = c->bridge;
    if (!b)
        return;
    cdr_bridge_leave(&tap->cdr, b, c, tap->emit->now);
    bridge_leave(b, c);
    c->left_bridge = true;
    talk_left(&tap->calls, c);
    talk_bridge(&tap->calls, b);
}

/* An application that a list does not tell is the one that was seen last, unless the place is
 * another one. */
static enum channel_event event_of(const struct snapshot_values *seen)
{
    return seen->text[SNAPSHOT_APPLICATION].p ? CHANNEL_EVENT_NEWEXTEN : CHANNEL_EVENT_OTHER;
}

/* What has become of the channel while the tap was blind, as far as the list tells; an event is
 * newer than that, so this counts for a channel without one only. When it was answered is not
 * known. False: an event has shown it since. */
static bool take_unseen(struct tap *tap, struct channel *c, struct snapshot_values *seen)
{
    bool stale = tap_is_stale(tap, c);
    tap_seen(tap, c);
    if (!stale)
        return false;
    seen->flags |= snapshot_flags(c->now) & ~(unsigned)SNAPSHOT_APPLICATION_UNSEEN;
    struct channel_change change = channel_take(c, seen, event_of(seen), tap->emit->now);
    if (change.changed)
        tap_look(tap, &change);
    answered_unseen(tap, c);
    return true;
}

static void move_unseen(struct tap *tap, struct channel *c, struct slice bridge)
{
    if (c->bridge && !slice_equal(bridge_id(c->bridge), bridge))
        left_unseen(tap, c);
    if (!c->bridge)
        enter_listed(tap, c, bridge);
    answered_unseen(tap, c);
}

/* Where CoreShowChannels has ApplicationData Status has Data. */
static void read_application(const struct ami_message *m, struct snapshot_values *seen)
{
    if (!ami_message_has(m, AMI_HEADER_APPLICATION))
        return;
    seen->text[SNAPSHOT_APPLICATION] = ami_message_get(m, AMI_HEADER_APPLICATION);
    seen->text[SNAPSHOT_APPDATA] = ami_message_has(m, AMI_HEADER_APPLICATIONDATA)
                                       ? ami_message_get(m, AMI_HEADER_APPLICATIONDATA)
                                       : ami_message_get(m, AMI_HEADER_DATA);
}

void tap_on_channel_item(struct tap *tap, const struct ami_message *m)
{
    struct snapshot_values seen;
    if (!tap_read_look(tap, m, &channel_headers_plain, &seen))
        return;
    struct channel *c = tap_channel(tap, seen.text[SNAPSHOT_UNIQUEID]);
    read_application(m, &seen);
    if (c) {
        if (take_unseen(tap, c, &seen))
            move_unseen(tap, c, ami_message_get(m, AMI_HEADER_BRIDGEID));
        return;
    }
    if (!tap_is_outgoing(seen.text[SNAPSHOT_APPLICATION]))
        tap_remember_place(tap, &seen);
    if (was_dialed(&seen))
        seen.flags |= SNAPSHOT_DIALED;
    tap_begin_channel(tap, &seen, born_before(tap, m, seen.text[SNAPSHOT_UNIQUEID]), true);
    c = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    calls_listed(&tap->calls, c ? c->call : NULL);
    if (!c)
        return;
    enter_listed(tap, c, ami_message_get(m, AMI_HEADER_BRIDGEID));
    tap_agent_known(tap, c);
}

void tap_on_bridge_listed(struct tap *tap, const struct ami_message *m)
{
    struct bridge *b = table_find(&tap->bridges, ami_message_get(m, AMI_HEADER_BRIDGEUNIQUEID));
    if (b)
        tap_settle_bridge(tap, b, m);
}

/* Whether the members at hand are of the list that the message belongs to. */
static bool is_of_list(const struct tap *tap, const struct ami_message *m)
{
    return slice_equal(slice_from(tap->members_of), ami_message_get(m, AMI_HEADER_ACTIONID));
}

/* An item of BridgeInfo: a member that was there when the tap joined, or while it was blind. Only
 * the end of the list names the bridge (Asterisk 12 to 22); a list that never came to its end is
 * known by the ActionID. */
void tap_on_bridge_item(struct tap *tap, const struct ami_message *m)
{
    struct snapshot_values seen;
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    if (!is_of_list(tap, m))
        tap->member_count = 0;
    text_set(&tap->members_of, ami_message_get(m, AMI_HEADER_ACTIONID));
    if (!c || tap->member_count == TAP_LISTED_MEMBERS_MAX ||
        !tap_read_look(tap, m, &channel_headers_plain, &seen))
        return;
    if (!take_unseen(tap, c, &seen) && (c->bridge || !c->born_unseen || c->left_bridge))
        return;
    struct tap_member *member = &tap->members[tap->member_count];
    if (text_set(&member->uniqueid, channel_uniqueid(c))) {
        member->seen = c->seen;
        tap->member_count++;
    }
}

void tap_on_bridge_items_end(struct tap *tap, const struct ami_message *m)
{
    struct bridge *b = tap_bridge(tap, m);
    size_t count = is_of_list(tap, m) ? tap->member_count : 0;
    for (size_t i = 0; i < count; i++) {
        struct channel *c = tap_channel(tap, slice_from(tap->members[i].uniqueid));
        if (b && c && c->seen == tap->members[i].seen)
            move_unseen(tap, c, bridge_id(b));
    }
    tap->member_count = 0;
}
