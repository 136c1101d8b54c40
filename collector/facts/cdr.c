/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr.h"

#include "collector/facts/cdr_bridge.h"

static struct cdr_message message(const struct cdr_engine *e, const struct channel *channel,
                                  int64_t time)
{
    return (struct cdr_message){channel, channel->now, channel->now, time, &e->options, 0};
}

/* Where no Newexten tells: what runs now began when the last path was over, and not before the
 * channel was last seen elsewhere. */
static int64_t began_unseen(const struct cdr_chain *chain, const struct cdr_message *m)
{
    int64_t began = m->last_seen;
    for (const struct cdr_row *row = chain->first; row; row = row->next)
        began = row->end > began ? row->end : began;
    return began;
}

/* Without Newexten: a channel that was in a bridge and now is at the first priority of another
 * extension was sent there (transfer, Redirect, parking's timeout). To Asterisk it still runs the
 * application that it ran before, and only the next one begins a row. The second priority at its
 * hang-up can be where the dialplan ended. */
static bool was_sent(const struct cdr_message *m)
{
    int first = snapshot_flags(m->now) & SNAPSHOT_DEAD ? 2 : 1;
    return m->channel->been_bridged && snapshot_priority(m->now) <= first &&
           !slice_equal(snapshot_text(m->old, SNAPSHOT_EXTEN),
                        snapshot_text(m->now, SNAPSHOT_EXTEN));
}

/* At its hang-up a channel is at the next priority when an application ran there, and also when the
 * dialplan had none there and ended. */
static bool may_have_ended(const struct cdr_message *m)
{
    return (snapshot_flags(m->now) & SNAPSHOT_DEAD) && m->old &&
           snapshot_priority(m->now) == snapshot_priority(m->old) + 1;
}

/* A path that no row can take any more begins a row of its own, when the channel moved on. */
static void begin_row_if_moved(struct cdr_chain *chain, const struct cdr_message *m)
{
    if (m->channel->hangup_logic && m->options->endbeforehexten)
        return;
    bool unseen = snapshot_flags(m->now) & SNAPSHOT_APPLICATION_UNSEEN;
    if (!unseen && !snapshot_text(m->now, SNAPSHOT_APPLICATION).n)
        return;
    if (m->old && (!cdr_moved(m->old, m->now) || (unseen && was_sent(m))))
        return;
    struct cdr_row *row =
        cdr_chain_append(chain, NULL, CDR_OPENED_MOVED, unseen ? began_unseen(chain, m) : m->time);
    if (!row)
        return;
    row->last_event = m->time;
    if (unseen && may_have_ended(m))
        row->flags |= CDR_CONCLUDED;
    cdr_row_snapshot_a(row, m);
}

static void offer_snapshot(struct cdr_chain *chain, const struct cdr_message *m)
{
    bool refused = true;
    for (struct cdr_row *row = chain->first; row; row = row->next)
        refused &= !cdr_row_snapshot_a(row, m);
    if (refused)
        begin_row_if_moved(chain, m);
}

static void complete(const struct cdr_engine *e, struct cdr_row *row)
{
    if (!row->application || !(snapshot_flags(row->application) & SNAPSHOT_DATA_MISSING))
        return;
    struct snapshot *look = e->complete(e->ctx, row->application);
    if (!look)
        return;
    snapshot_unref(row->application);
    row->application = look;
}

static void write_all(struct cdr_engine *e, struct cdr_chain *chain, int cause)
{
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        cdr_row_close(row, CDR_CLOSED_HUNG_UP, &e->options);
        cdr_row_settle_cause(row, cause, &e->options);
    }
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        enum cdr_dropped dropped = cdr_row_dropped(row, &e->options);
        if (dropped && !e->drop)
            continue;
        complete(e, row);
        if (dropped)
            e->drop(e->ctx, row, dropped);
        else
            e->write(e->ctx, row);
    }
}

static void offer_to_rows_as_b(struct cdr_chain *chain, const struct cdr_message *m, bool dead)
{
    for (struct cdr_row *row = chain->as_b; row; row = row->b_next) {
        cdr_row_snapshot_b(row, m);
        if (dead)
            cdr_row_close(row, CDR_CLOSED_B_HUNG_UP, m->options);
        saved_touch(&row->chain->channel->saved);
    }
}

static bool begin_chain(const struct cdr_engine *e, struct channel *channel, int64_t time)
{
    struct cdr_chain *chain = cdr_chain_new(channel, time);
    if (chain && channel->born_unseen)
        cdr_row_begun_unseen(chain->first);
    if (chain && !e->options.channeldefaultenabled)
        chain->first->flags |= CDR_DISABLED | CDR_DISABLED_FOR_ALL_LATER;
    return chain != NULL;
}

void cdr_snapshot(struct cdr_engine *e, const struct channel_change *change, int64_t time)
{
    struct channel *channel = change->channel;
    struct cdr_message m = {channel, change->old, change->now,
                            time,    &e->options, change->last_seen};
    if (!channel->chain && !begin_chain(e, channel, time))
        return;
    cdr_chain_stamp(channel->chain, time);
    offer_snapshot(channel->chain, &m);
    bool dead = snapshot_flags(change->now) & SNAPSHOT_DEAD;
    if (dead)
        write_all(e, channel->chain, snapshot_cause(change->now));
    offer_to_rows_as_b(channel->chain, &m, dead);
    if (dead)
        cdr_chain_free(channel->chain);
}

/* False when the row's state takes no DialBegin. */
static bool row_dial_begin(struct cdr_row *row, const struct cdr_message *m, struct channel *dest,
                           bool origination)
{
    if (row->state == CDR_DIALED_PENDING)
        cdr_row_finalise(row, CDR_CLOSED_DIALED_AGAIN, m->options);
    if (row->state != CDR_SINGLE)
        return false;
    cdr_row_take_a(row, m);
    cdr_row_is_open(row);
    if (!origination) {
        cdr_chain_set_b(row, dest->now, dest->chain);
        row->flags |= CDR_APPLICATION_LOCKED;
    }
    cdr_row_change_state(row, CDR_DIAL);
    return true;
}

/* Rows that took no DialBegin: one is still in the dial of an earlier branch, or all are over. */
static enum cdr_opened why_dialed(const struct cdr_chain *chain)
{
    const struct cdr_row *row = chain->first;
    while (row && row->state != CDR_DIAL)
        row = row->next;
    return row ? CDR_OPENED_DIAL_BRANCH : CDR_OPENED_DIALED;
}

void cdr_dial_begin(struct cdr_engine *e, struct channel *caller, struct channel *dest,
                    int64_t time)
{
    struct channel *a = caller ? caller : dest;
    if (!a->chain || e->options.ignoredialchanges)
        return;
    struct cdr_message m = message(e, a, time);
    cdr_chain_stamp(a->chain, time);
    bool taken = false;
    for (struct cdr_row *row = a->chain->first; row; row = row->next)
        taken |= row_dial_begin(row, &m, dest, !caller);
    if (taken)
        return;
    struct cdr_row *row = cdr_chain_append(a->chain, NULL, why_dialed(a->chain), time);
    if (row)
        row_dial_begin(row, &m, dest, !caller);
}

static void row_dial_end(struct cdr_row *row, const struct cdr_message *m,
                         const struct cdr_dial_end *end)
{
    if (row->state != CDR_DIAL)
        return;
    /* The look replaces party A, but its place is not accepted: Dial G and a queue's exit key have
     * sent the caller elsewhere by now. */
    snapshot_set(&row->a, m->now);
    if (row->b) {
        struct slice b = snapshot_text(row->b, SNAPSHOT_UNIQUEID);
        if (!slice_equal(b, snapshot_text(end->dest_look, SNAPSHOT_UNIQUEID)))
            return;
        snapshot_set(&row->b, end->dest_look);
    }
    row->disposition = cdr_disposition_of_status(end->status, m->options);
    if (row->disposition == CDR_ANSWERED)
        cdr_row_change_state(row, CDR_DIALED_PENDING);
    else
        cdr_row_finalise(row, CDR_CLOSED_DIAL_ENDED, m->options);
}

static struct cdr_row *row_about(const struct cdr_chain *chain, const struct channel *b)
{
    struct cdr_row *row = chain->first;
    while (row &&
           !(row->b && slice_equal(snapshot_text(row->b, SNAPSHOT_UNIQUEID), channel_uniqueid(b))))
        row = row->next;
    return row;
}

/* A dial whose begin came before the tap: its row is made now. Another branch may have been
 * answered since, which is no end of that one. */
static void dial_begun_unseen(const struct cdr_dial_end *end, const struct cdr_message *m)
{
    if (!end->caller || !end->dest || !end->dest->born_unseen || !end->caller->born_unseen ||
        row_about(end->caller->chain, end->dest))
        return;
    struct cdr_chain *chain = end->caller->chain;
    struct cdr_row *row = chain->first;
    while (row && row->state != CDR_SINGLE)
        row = row->next;
    if (!row)
        row = cdr_chain_append(chain, NULL, why_dialed(chain), m->time);
    if (!row)
        return;
    row_dial_begin(row, m, end->dest, false);
    cdr_row_begun_unseen(row);
}

/* A dial that makes no difference leaves its status as the disposition, the last one's: that of a
 * phone which was cancelled after another had answered too (measured on Asterisk 22.10). */
static void take_status(const struct cdr_engine *e, struct cdr_chain *chain, struct slice status)
{
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        if (row->state == CDR_SINGLE)
            row->disposition = cdr_disposition_of_status(status, &e->options);
    }
    saved_touch(&chain->channel->saved);
}

void cdr_dial_end(struct cdr_engine *e, const struct cdr_dial_end *end, int64_t time)
{
    struct channel *a = end->caller ? end->caller : end->dest;
    if (!a || !a->chain)
        return;
    if (e->options.ignoredialchanges) {
        take_status(e, a->chain, end->status);
        return;
    }
    struct cdr_message m = message(e, a, time);
    cdr_chain_stamp(a->chain, time);
    dial_begun_unseen(end, &m);
    m.now = end->caller ? end->caller_look : end->dest_look;
    for (struct cdr_row *row = a->chain->first; row; row = row->next)
        row_dial_end(row, &m, end);
}

static void enter_parking(struct cdr_chain *chain, int64_t time)
{
    bool taken = false;
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        if (row->state != CDR_SINGLE && !(row->state == CDR_DIALED_PENDING && !row->b))
            continue;
        cdr_row_change_state(row, CDR_PARKED);
        cdr_row_is_open(row);
        taken = true;
    }
    if (taken)
        return;
    struct cdr_row *row = cdr_chain_append(chain, NULL, CDR_OPENED_PARKED, time);
    if (row)
        cdr_row_change_state(row, CDR_PARKED);
}

/* Entering a basic bridge gives all in it the oldest linkedid before the entering is told: those
 * whom that changes got a look of which AMI shows nothing until their next event (Asterisk 22). */
static void stamp_relinked(const struct bridge *bridge, const struct channel *channel, int64_t time)
{
    for (size_t i = 0; i < bridge->count; i++) {
        struct channel *member = bridge->members[i];
        if (member->chain && !slice_equal(channel_linkedid(member), channel_linkedid(channel)))
            cdr_chain_stamp(member->chain, time);
    }
}

static bool bridge_is_ignored(const struct bridge *bridge)
{
    return bridge->kind == BRIDGE_HOLDING || bridge->kind == BRIDGE_LISTED;
}

void cdr_bridge_enter(struct cdr_engine *e, const struct bridge *bridge, struct channel *channel,
                      int64_t time)
{
    if (!channel->chain || bridge_is_ignored(bridge) || e->options.ignorestatechanges)
        return;
    struct cdr_message m = message(e, channel, time);
    cdr_chain_stamp(channel->chain, time);
    if (!bridge->confbridge && !bridge->stasis)
        stamp_relinked(bridge, channel, time);
    if (bridge->kind == BRIDGE_PARKING)
        enter_parking(channel->chain, time);
    else
        cdr_bridge_join(channel->chain, bridge, &m);
}

/* The row's data is "lot:space", which no list tells. A look at no place can't be completed from
 * what other calls showed at the place. */
static void hide_parking_space(struct cdr_chain *chain)
{
    struct snapshot_values v = snapshot_values(chain->channel->now);
    v.text[SNAPSHOT_APPLICATION] = SLICE("Park");
    v.text[SNAPSHOT_APPDATA] = v.text[SNAPSHOT_CONTEXT] = v.text[SNAPSHOT_EXTEN] = SLICE("");
    v.flags |= SNAPSHOT_DATA_MISSING;
    struct snapshot *look = snapshot_new(&v);
    for (struct cdr_row *row = chain->first; look && row; row = row->next) {
        if (row->state != CDR_PARKED)
            continue;
        snapshot_set(&row->application, look);
        row->flags |= CDR_APPLICATION_LOCKED;
    }
    snapshot_unref(look);
}

void cdr_was_in_bridge(struct cdr_engine *e, const struct bridge *bridge, struct channel *channel,
                       int64_t time)
{
    cdr_bridge_enter(e, bridge, channel, time);
    if (channel->chain && bridge->kind == BRIDGE_PARKING)
        hide_parking_space(channel->chain);
    for (size_t i = 0; i < bridge->count; i++) {
        struct cdr_chain *chain = bridge->members[i]->chain;
        for (struct cdr_row *row = chain ? chain->first : NULL; row; row = row->next) {
            if (!cdr_row_in_bridge(row, bridge_id(bridge)))
                continue;
            if (row->chain->channel->born_unseen)
                cdr_row_begun_unseen(row);
            else if (row->answer >= time)
                row->flags |= CDR_ANSWERED_UNSEEN;
        }
    }
}

/* Whether the row counts as having left. */
static bool row_leave(struct cdr_row *row, const struct bridge *bridge,
                      const struct cdr_options *options)
{
    switch (row->state) {
    case CDR_SINGLE:
    case CDR_DIAL:
    case CDR_DIALED_PENDING:
        return true;
    case CDR_BRIDGED:
        if (!cdr_row_in_bridge(row, bridge_id(bridge)))
            return false;
        cdr_row_finalise(row, CDR_CLOSED_LEFT_BRIDGE, options);
        return true;
    case CDR_PARKED:
        cdr_row_finalise(row, CDR_CLOSED_LEFT_PARKING, options);
        return true;
    case CDR_FINALISED:
        break;
    }
    return false;
}

void cdr_bridge_leave(struct cdr_engine *e, const struct bridge *bridge, struct channel *channel,
                      int64_t time)
{
    if (!channel->chain || bridge_is_ignored(bridge) || e->options.ignorestatechanges)
        return;
    cdr_chain_stamp(channel->chain, time);
    bool left = false;
    for (struct cdr_row *row = channel->chain->first; row; row = row->next)
        left |= row_leave(row, bridge, &e->options);
    if (!left || bridge->kind == BRIDGE_PARKING)
        return;
    for (struct cdr_row *row = channel->chain->as_b; row; row = row->b_next) {
        if (!cdr_row_in_bridge(row, bridge_id(bridge)))
            continue;
        row->last_event = time;
        cdr_row_close(row, CDR_CLOSED_B_LEFT_BRIDGE, &e->options);
        saved_touch(&row->chain->channel->saved);
    }
}

static bool row_parked(struct cdr_row *row, const struct cdr_message *m)
{
    if (row->state == CDR_DIAL || row->state == CDR_FINALISED)
        return false;
    snapshot_set(&row->a, m->now);
    snapshot_set(&row->application, m->now);
    row->flags |= CDR_APPLICATION_LOCKED;
    return true;
}

void cdr_parked(struct cdr_engine *e, struct channel *channel, struct snapshot *look, int64_t time)
{
    if (!channel->chain || e->options.ignorestatechanges)
        return;
    struct cdr_message m = message(e, channel, time);
    m.now = look;
    cdr_chain_stamp(channel->chain, time);
    bool taken = false;
    for (struct cdr_row *row = channel->chain->first; row; row = row->next)
        taken |= row_parked(row, &m);
    if (taken)
        return;
    struct cdr_row *row = cdr_chain_append(channel->chain, NULL, CDR_OPENED_PARKED_CALL, time);
    if (row)
        row_parked(row, &m);
}

void cdr_data_guessed(struct cdr_chain *chain, struct snapshot *look)
{
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        if (row->application && snapshot_same_place(row->application, look) &&
            (snapshot_flags(row->application) & (SNAPSHOT_DATA_MISSING | SNAPSHOT_DATA_GUESSED)) ==
                SNAPSHOT_DATA_MISSING)
            snapshot_set(&row->application, look);
    }
    saved_touch(&chain->channel->saved);
}
