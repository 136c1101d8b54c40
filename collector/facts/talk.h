/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_TALK_H
#define COLLECTOR_FACTS_TALK_H

#include "collector/facts/call.h"

/* Who talked with whom. A conversation is what bridges that people talk in hold together: those
 * joined by the two halves of a Local channel are one, so that neither a Local channel nor its
 * optimisation shows. Parking and holding bridges hold nobody together. In a conference nobody is
 * paired: each has a stay there instead. */

/* Past so many phones a conversation is treated as a conference, whatever made its bridge. */
#define TALK_PHONES_MAX 32u

struct talk {
    struct channel *a, *b; /* while it goes on; a is the older one */
    struct snapshot *a_look, *b_look;
    int64_t from, to; /* to 0: goes on */
    struct stopwatch hold;
};

/* Frees the talk alone, none of its channels. */
void talk_free(struct talk *talk);

/* Frees the room it took. */
void talk_circle_free(struct talk_circle *circle);

/* The bridge's members, or what they do to each other (hold, music), have changed. NULL: nothing.
 */
void talk_bridge(struct calls *calls, struct bridge *bridge);
/* The channel has left its bridge. */
void talk_left(struct calls *calls, struct channel *channel);
/* The channel is about to be freed. Its talks ended when it left its bridge; should a stream that
 * is not whole have left one open, in whatever call, it ends here. */
void talk_forget(struct calls *calls, const struct channel *channel);
/* An open talk, one of a saved call, is of these two. */
void talk_tie(struct talk *talk, struct channel *a, struct channel *b);
/* Its leg has gone from this call's journey: ends those of its talks there that nobody is left of.
 */
void talk_moved(struct call *call, const struct channel *channel, int64_t now);
/* As bridges of type basic do on BridgeEnter, the oldest of the members' calls takes the others'
 * phones in (Asterisk 22; their Linkedid shows it in a later event of theirs). */
void talk_merge(struct calls *calls, const struct bridge *bridge);

/* The phone that the channel talks with, the first of them that is not except; NULL when there is
 * none. */
struct channel *talk_partner(struct calls *calls, struct channel *channel,
                             const struct channel *except);

#endif
