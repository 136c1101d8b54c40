/* SPDX-License-Identifier: MIT */
#include "collector/facts/handoff.h"
#include "collector/facts/journey.h"
#include "collector/facts/tap_internal.h"

/* What an account without the dialplan class has to conclude, since no Newexten and no VarSet shows
 * it. */

void tap_sees_dialplan(struct tap *tap)
{
    size_t position = 0;
    struct channel *c;
    if (tap->sees_dialplan)
        return;
    tap->sees_dialplan = true;
    while ((c = table_next(&tap->channels, &position)))
        channel_set_flag(c, SNAPSHOT_APPLICATION_UNSEEN, false);
}

void tap_note_place(struct channel *c, const struct snapshot_values *seen)
{
    if (!(seen->flags & SNAPSHOT_APPLICATION_UNSEEN))
        return;
    struct slice exten = seen->text[SNAPSHOT_EXTEN];
    if (slice_is(exten, "h")) {
        c->hangup_logic = true;
        return;
    }
    if (!exten.n || slice_equal(snapshot_text(c->now, SNAPSHOT_EXTEN), exten))
        return;
    struct call *call = journey_call(c);
    if (call)
        journey_goes_on(call, c);
    if (c->left_bridge)
        channel_set_flag(c, SNAPSHOT_DIALED, false);
}

void tap_commanded(struct tap *tap, const struct channel *c)
{
    if (tap->emit->agi == EMIT_SIGHT_UNKNOWN &&
        handoff_is_agi(snapshot_text(c->now, SNAPSHOT_APPLICATION)))
        tap->emit->agi = EMIT_SIGHT_MISSING;
}

/* Which of two linkedids "[system-]seconds.count" is the older one. */
static bool is_older(struct slice a, struct slice b)
{
    int64_t at_a, at_b, count_a = 0, count_b = 0;
    if (!channel_id_parts(a, &at_a, &count_a) || !channel_id_parts(b, &at_b, &count_b))
        return false;
    return at_a != at_b ? at_a < at_b : count_a < count_b;
}

void tap_share_linkedid(struct tap *tap, const struct bridge *b)
{
    struct slice oldest = {NULL, 0};
    for (size_t i = 0; i < b->count; i++) {
        struct slice linkedid = channel_linkedid(b->members[i]);
        if (!oldest.n || is_older(linkedid, oldest))
            oldest = linkedid;
    }
    for (size_t i = 0; i < b->count; i++) {
        struct channel *c = b->members[i];
        struct snapshot_values v = snapshot_values(c->now);
        if (slice_equal(v.text[SNAPSHOT_LINKEDID], oldest))
            continue;
        v.text[SNAPSHOT_LINKEDID] = oldest;
        channel_alter(c, &v);
        struct channel_change change = {
            .channel = c, .old = c->now, .now = c->now, .changed = true};
        tap_look(tap, &change);
    }
}
