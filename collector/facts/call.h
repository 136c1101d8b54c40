/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CALL_H
#define COLLECTOR_FACTS_CALL_H

#include "collector/facts/emit.h"
#include "collector/facts/handoff.h"
#include "collector/facts/journey.h"
#include "collector/facts/recording.h"
#include "collector/state/bridge.h"
#include "collector/state/table.h"

/* One call: all channels of one linkedid, from the first Newchannel to the last Hangup or to the
 * moment its last channel moved to another linkedid (Asterisk's LINKEDID_END). */

enum call_state {
    CALL_DIALLING,
    CALL_RINGING,
    CALL_QUEUED,
    CALL_APPLICATION, /* an IVR or another application has the caller */
    CALL_ANSWERED     /* talks with somebody */
};

struct call {
    char *linkedid;      /* the key */
    char *subject;       /* Uniqueid of the channel that opened it */
    char *caller_number; /* as when it was opened */
    char *caller_name;
    char *dialled;
    char *queue;              /* the queue it waits in, or NULL */
    struct channel *opener;   /* NULL once it is gone */
    struct channel *channels; /* linked by call_next */
    unsigned count;
    int64_t start;
    int64_t answered;     /* when the first person answered, 0: nobody did */
    bool answered_unseen; /* somebody had, when it was seen again: when is not known */
    int64_t since;        /* of state */
    enum call_state state;
    int cause; /* of the opener's hang-up */
    struct journey journey;
    uint64_t sequence;      /* facts so far */
    bool from_snapshot;     /* was up when the tap joined or was blind, or was lost sight of */
    struct unseen_end lost; /* the last channel's */
    int64_t listed; /* a call that a list opened: when lists showed its channels last; else 0 */
    bool changed;   /* its state is to be told again at the end of the event */
    uint64_t told;  /* what of its state was told last (emit_end_state) */
    struct handoffs handoffs;
    struct recordings recordings;
    struct saved saved;
    struct call *next_changed;
};

struct calls {
    struct table by_linkedid;
    struct emitter *emit;
    struct loads *loads;      /* counts the hand-offs; borrowed */
    struct saved_list *saved; /* NULL: calls are not saved */
    struct call *changed;     /* linked by next_changed */
    struct talk_circle circle;
};

/* No calls yet. emit is borrowed; past max calls further ones are refused and counted. */
struct calls calls_new(struct emitter *emit, size_t max);
/* Frees them all; tells nothing. The channels must be gone, or not be used any more. */
void calls_free(struct calls *calls);

/* Takes back a call that was saved; its channels join it later. NULL when it cannot be held. */
struct call *calls_restore(struct calls *calls, struct call *call);
void call_free(struct call *call);
/* Ends a call whose end was not seen. */
void calls_end_unseen(struct calls *calls, struct call *call);
/* The restored channel takes its place in its call again. */
void calls_rejoin(struct calls *calls, struct channel *channel);

/* A list has just shown a channel of the call. NULL is allowed. */
void calls_listed(struct calls *calls, struct call *call);

/* A new channel joins the call of its linkedid, which begins with it when there is none. */
void calls_join(struct calls *calls, struct channel *channel);
/* The channel's linkedid has changed: it goes from one call to another, which takes the first one
 * in when this was a phone or its last channel (fact call_merged). */
void calls_move(struct calls *calls, struct channel *channel);
/* The channel is gone. The call ends with its last one. */
void calls_leave(struct calls *calls, struct channel *channel);

/* Somebody's phone rings for the call (DialState RINGING, or Newstate Ringing of a dialed one). */
void calls_ringing(struct calls *calls, struct channel *channel);
/* A dialed phone answered (DialEnd ANSWER). */
void calls_answered(struct calls *calls, struct channel *channel);
/* The call entered a queue, or left it with queue empty. */
void calls_queue(struct calls *calls, struct call *call, struct slice queue);
/* The call's live state is to be told when the event at hand is done. NULL is allowed. */
void calls_touch(struct calls *calls, struct call *call);
/* Tells the live state of what was touched. */
void calls_tell(struct calls *calls);

/* A channel as records name it: channel, interface, number. */
void call_put_phone(struct fact_builder *f, const struct channel *c);

/* The linkedid it was opened with; lives as long as the call. */
struct slice call_linkedid(const struct call *call);

#endif
