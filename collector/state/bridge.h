/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_STATE_BRIDGE_H
#define COLLECTOR_STATE_BRIDGE_H

#include "collector/state/channel.h"

/* Past so many members a bridge takes no more (counted by the owner). Asterisk has no bound; the
 * largest conferences known have some hundreds. */
#define BRIDGE_MEMBERS_MAX 4096u

enum bridge_kind {
    BRIDGE_BASIC,   /* basic, multimix and whatever else people talk in */
    BRIDGE_PARKING, /* BridgeType parking */
    BRIDGE_HOLDING, /* holding bridges that are not parking: the CDR engine ignores them */
    BRIDGE_LISTED   /* named by a list of channels alone: which kind it is has yet to be told */
};

/* One bridge, from its first event to BridgeDestroy. */
struct bridge {
    char *id; /* BridgeUniqueid */
    enum bridge_kind kind;
    bool confbridge;   /* BridgeCreator is ConfBridge */
    bool stasis;       /* made by an ARI application */
    bool basic;        /* BridgeType basic: whoever enters shares the oldest member's linkedid */
    uint64_t circle;   /* the conversation it was found in last (facts/talk.h) */
    struct slice name; /* BridgeName, empty when <unknown>; owned with id */
    struct channel **members; /* in string order of Uniqueid, as Asterisk's container has them */
    size_t count;
    size_t size;
    unsigned shown; /* BridgeNumChannels of the last event: counts hidden members too */
};

struct bridge_values {
    struct slice id, name;
    enum bridge_kind kind;
    bool confbridge, stasis, basic;
};

/* A bridge with these values, or as the first event about it describes it. NULL when memory is
 * short. */
struct bridge *bridge_make(const struct bridge_values *values);
struct bridge *bridge_new(const struct ami_message *m);
/* Takes what the message tells of a bridge that was BRIDGE_LISTED. */
void bridge_describe(struct bridge *b, const struct ami_message *m);
void bridge_free(struct bridge *b);
struct slice bridge_id(const struct bridge *b);

/* The channel enters or leaves; sets channel->bridge. Enter is false when it cannot be held. */
bool bridge_enter(struct bridge *b, struct channel *c);
void bridge_leave(struct bridge *b, struct channel *c);

/* How many are in the bridge, hidden announcers and recorders included. */
size_t bridge_population(const struct bridge *b);

#endif
