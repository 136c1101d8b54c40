/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr_chain.h"
#include "collector/facts/talk.h"
#include "collector/facts/tap_internal.h"

bool tap_answers_for_another(const struct channel *c)
{
    return slice_equal(channel_uniqueid(c), channel_linkedid(c)) && c->leg &&
           c->leg->role == LEG_CALLER && !c->born_unseen;
}

/* PickupChan(technology/resource[&...][,options]) of the picker's row names whom it can pick up;
 * any other application picks up anybody. */
static bool can_pick_up(const struct channel *picker, const struct channel *c)
{
    const struct cdr_row *row = picker->chain ? picker->chain->last : NULL;
    const struct snapshot *look = row ? row->application : NULL;
    if (!look || !slice_is(snapshot_text(look, SNAPSHOT_APPLICATION), "PickupChan"))
        return true;
    struct slice list = slice_until(snapshot_text(look, SNAPSHOT_APPDATA), ',');
    while (list.n) {
        struct slice named = slice_until(list, '&');
        if (named.n && slice_starts(channel_name(c), named))
            return true;
        list = slice_from_offset(list, named.n + 1);
    }
    return false;
}

/* Who of the bridge's calls it is that the picker takes the place of: a phone that rings, and the
 * oldest, as Asterisk chooses among several (pickup.c, Asterisk 22). */
static const struct channel *likely_target(const struct channel *picker, const struct bridge *b)
{
    const struct channel *oldest = NULL;
    for (size_t i = 0; i < b->count; i++) {
        const struct call *call = b->members[i]->call;
        for (const struct channel *c = call ? call->channels : NULL; c; c = c->call_next) {
            if (snapshot_state(c->now) == CHANNEL_STATE_RINGING && can_pick_up(picker, c) &&
                snapshot_same_place(c->now, picker->now) &&
                (!oldest || channel_is_older(&c->made, &oldest->made)))
                oldest = c;
        }
    }
    return oldest;
}

void tap_foresee_pickup(struct channel *c, const struct bridge *b)
{
    if (c->been_bridged || !tap_answers_for_another(c) ||
        !tap_is_outgoing(snapshot_text(c->now, SNAPSHOT_APPLICATION)))
        return;
    const struct channel *target = likely_target(c, b);
    channel_set_flag(c, SNAPSHOT_DIALED, true);
    if (target)
        c->made = target->made;
}

/* A phone that had just answered is in a bridge already: who picks it up is there in its place, and
 * no BridgeEnter tells it. Else his BridgeEnter may come before the Pickup: what he talks goes on,
 * in the call that he picked up (Asterisk 22). */
static void swap_in_bridge(struct tap *tap, struct channel *picker, struct channel *target)
{
    struct bridge *b = target->bridge;
    if (b && !picker->bridge) {
        bridge_leave(b, target);
        picker->been_bridged |= bridge_enter(b, picker);
        talk_left(&tap->calls, target);
    }
    talk_bridge(&tap->calls, picker->bridge);
}

/* Pickup is a masquerade: names and ids stay, while application, place, bridge, the dialed mark and
 * the age stay with the structure behind, so that they change hands (Asterisk 22). */
void tap_on_pickup(struct tap *tap, const struct ami_message *m)
{
    static const enum snapshot_text swapped[] = {SNAPSHOT_CONTEXT, SNAPSHOT_EXTEN,
                                                 SNAPSHOT_APPLICATION, SNAPSHOT_APPDATA};
    struct channel *picker = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    struct channel *target = tap_channel(tap, ami_message_get(m, AMI_HEADER_TARGETUNIQUEID));
    if (!picker || !target)
        return;
    struct snapshot *picker_was = snapshot_ref(picker->now);
    struct snapshot *target_was = snapshot_ref(target->now);
    struct snapshot_values p = snapshot_values(picker_was), t = snapshot_values(target_was);
    for (size_t i = 0; i < sizeof(swapped) / sizeof(swapped[0]); i++) {
        struct slice text = p.text[swapped[i]];
        p.text[swapped[i]] = t.text[swapped[i]];
        t.text[swapped[i]] = text;
    }
    int priority = p.priority;
    p.priority = t.priority;
    t.priority = priority;
    picker->made = target->made; /* the target's own counts no more: it is hung up at once */
    p.flags |= SNAPSHOT_DIALED;
    t.flags &= ~(unsigned)SNAPSHOT_DIALED;
    channel_alter(picker, &p);
    channel_alter(target, &t);
    snapshot_unref(picker_was);
    snapshot_unref(target_was);
    visits_picked_up(&tap->visits, channel_uniqueid(target));
    call_picked_up(&tap->calls, picker, target);
    if (picker->picks_up)
        calls_answered(&tap->calls, picker);
    picker->picks_up = false;
    swap_in_bridge(tap, picker, target);
}
