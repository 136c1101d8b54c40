/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr_bridge.h"

#include "collector/base/text.h"

/* What entering meant for one row. */
enum joined {
    JOINED_NOT, /* the row's state takes no bridge */
    JOINED_ALONE,
    JOINED_WITH_B,
    JOINED_WITHOUT_B
};

static bool same_channel(const struct snapshot *a, const struct snapshot *b)
{
    return a && b &&
           slice_equal(snapshot_text(a, SNAPSHOT_UNIQUEID), snapshot_text(b, SNAPSHOT_UNIQUEID));
}

/* One side of the question who is party A. */
struct side {
    const struct snapshot *look;
    const struct cdr_chain *chain;
};

/* Whether mine is party A against the other: not dialed beats dialed, then the party A flag, then
 * the older channel; equal: mine. */
static bool wins(struct side mine, struct side other)
{
    bool my_dial = snapshot_flags(mine.look) & SNAPSHOT_DIALED;
    bool their_dial = snapshot_flags(other.look) & SNAPSHOT_DIALED;
    if (my_dial != their_dial)
        return their_dial;
    bool my_flag = snapshot_flags(mine.look) & SNAPSHOT_PARTY_A;
    bool their_flag = snapshot_flags(other.look) & SNAPSHOT_PARTY_A;
    if (my_flag != their_flag)
        return my_flag;
    static const struct channel_age unknown = {-1, 0};
    return channel_is_older(mine.chain ? &mine.chain->channel->made : &unknown,
                            other.chain ? &other.chain->channel->made : &unknown);
}

static struct side side_a(const struct cdr_row *row)
{
    return (struct side){row->a, row->chain};
}

static struct side side_b(const struct cdr_row *row)
{
    return (struct side){row->b, row->b_chain};
}

static void touch(struct cdr_row *row)
{
    saved_touch(&row->chain->channel->saved);
}

/* Closes a row because of who entered the bridge. */
static void close_living(struct cdr_row *row, enum cdr_closed why,
                         const struct cdr_options *options)
{
    cdr_row_close_living(row, why, options);
    touch(row);
}

/* Makes the other row's party A my party B; a row that has no B of its own is thereby stolen. */
static void take_their_a(struct cdr_row *row, struct cdr_row *other,
                         const struct cdr_options *options)
{
    cdr_chain_set_b(row, other->a, other->chain);
    text_set(&row->userfield_b, slice_from(other->userfield_a));
    if (!other->b)
        close_living(other, CDR_CLOSED_BECAME_B, options);
}

/* From Single: the first member of whom the row's A is party A. */
static bool find_b_single(struct cdr_row *row, struct cdr_row *other,
                          const struct cdr_options *options)
{
    if (same_channel(row->a, other->a))
        return false;
    if (wins(side_a(row), side_a(other))) {
        take_their_a(row, other, options);
        return true;
    }
    if (!other->b || same_channel(row->a, other->b) || !wins(side_a(row), side_b(other)))
        return false;
    cdr_chain_set_b(row, other->b, other->b_chain);
    return true;
}

/* After a dial: only the party that was dialed counts. */
static bool find_b_dialed(struct cdr_row *row, struct cdr_row *other,
                          const struct cdr_options *options)
{
    if (!row->b || !same_channel(row->b, other->a))
        return false;
    take_their_a(row, other, options);
    return true;
}

static bool find_b(struct cdr_row *row, const struct bridge *bridge,
                   const struct cdr_options *options)
{
    bool single = row->state == CDR_SINGLE;
    for (size_t i = 0; i < bridge->count; i++) {
        struct cdr_chain *chain = bridge->members[i]->chain;
        for (struct cdr_row *other = chain ? chain->first : NULL; other; other = other->next) {
            if (!cdr_row_in_bridge(other, bridge_id(bridge)))
                continue;
            if (single ? find_b_single(row, other, options) : find_b_dialed(row, other, options))
                return true;
        }
    }
    return false;
}

static enum joined row_join(struct cdr_row *row, const struct bridge *bridge,
                            const struct cdr_options *options)
{
    if (row->state != CDR_SINGLE && row->state != CDR_DIAL && row->state != CDR_DIALED_PENDING)
        return JOINED_NOT;
    bool alone = bridge_population(bridge) <= 1;
    bool found = !alone && find_b(row, bridge, options);
    cdr_row_set_bridge(row, bridge);
    cdr_row_change_state(row, CDR_BRIDGED);
    cdr_row_is_open(row);
    if (alone)
        return JOINED_ALONE;
    return found ? JOINED_WITH_B : JOINED_WITHOUT_B;
}

/* Offers the bridge to every row; the first that took it is the handled one. */
static struct cdr_row *offer(struct cdr_chain *chain, const struct bridge *bridge,
                             const struct cdr_message *m)
{
    struct cdr_row *handled = NULL;
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        cdr_row_snapshot_a(row, m);
        enum joined joined = row_join(row, bridge, m->options);
        if (joined != JOINED_NOT && !handled)
            handled = row;
        /* Asterisk closes the chain's first row here, not the one at hand. Whoever joins later
         * and takes it as party A opens it again. */
        if (joined == JOINED_WITHOUT_B)
            close_living(chain->first, CDR_CLOSED_NO_B_IN_BRIDGE, m->options);
    }
    return handled;
}

/* A further row of the model's party A in the same bridge, with another party B. */
static void append_pair(struct cdr_row *model, struct side b, const struct bridge *bridge)
{
    struct cdr_row *row =
        cdr_chain_append(model->chain, NULL, CDR_OPENED_BRIDGE_MEMBER, model->last_event);
    if (!row)
        return;
    row->last_event = model->last_event;
    cdr_chain_set_b(row, (struct snapshot *)b.look, (struct cdr_chain *)b.chain);
    cdr_row_set_bridge(row, bridge);
    cdr_row_change_state(row, CDR_BRIDGED);
    touch(row);
}

static void pair_with(struct cdr_row *row, struct cdr_row *other, const struct bridge *bridge)
{
    if (same_channel(row->a, other->a) || same_channel(row->b, other->a))
        return;
    if (wins(side_a(row), side_a(other))) {
        append_pair(row, side_a(other), bridge);
        return;
    }
    if (other->b && !same_channel(other->b, row->a)) {
        append_pair(other, side_a(row), bridge);
        return;
    }
    cdr_chain_set_b(other, row->a, row->chain);
    cdr_row_reopen(other);
    touch(other);
}

void cdr_bridge_join(struct cdr_chain *chain, const struct bridge *bridge,
                     const struct cdr_message *m)
{
    struct cdr_row *handled = offer(chain, bridge, m);
    if (!handled) {
        if (!cdr_chain_append(chain, NULL, CDR_OPENED_BRIDGE_ENTERED, m->time))
            return;
        handled = offer(chain, bridge, m);
    }
    for (size_t i = 0; handled && i < bridge->count; i++) {
        struct cdr_chain *member = bridge->members[i]->chain;
        struct cdr_row *other =
            member ? cdr_chain_first_in_bridge(member, bridge_id(bridge)) : NULL;
        if (other)
            pair_with(handled, other, bridge);
    }
}
