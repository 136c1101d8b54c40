/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_EMIT_H
#define COLLECTOR_FACTS_EMIT_H

#include "collector/facts/fact.h"

/* Gives facts their ids and hands them on. ce_id = kind, subject, Timestamp of the causing event,
 * and a count among otherwise equal facts, so that two taps on one PBX give the same ids. */

/* Where facts go: bytes are a packed fact, borrowed for the call. */
typedef void (*emit_sink)(void *ctx, struct slice fact);

/* Ids given last, kept apart so that equal facts are counted. Timestamps do not come in order:
 * another thread of Asterisk's may bring a moment back. Of so many sets each forgets what it was
 * asked for longest ago. */
#define EMIT_SETS 256u
#define EMIT_WAYS 8u

struct emitted {
    uint64_t hash; /* of kind, subject and moment */
    unsigned count;
};

/* Of the last moment so many are also known by themselves: a restart must not forget them. */
#define EMIT_LAST_MAX 32u

/* Whether the account gets the events of a class: nothing tells before one came, or before
 * something happened that would have raised one. */
enum emit_sight { EMIT_SIGHT_UNKNOWN, EMIT_SIGHT_SEEN, EMIT_SIGHT_MISSING };

struct emitter {
    struct fact_builder fact;
    struct slice pbx; /* name of the pbx section */
    struct slice tap; /* this tap's own name, part of ids that are a tap's own */
    emit_sink sink;
    void *ctx;
    uint64_t event;          /* number of the event at hand, counted from the start */
    enum ami_event_id cause; /* the event at hand; UNKNOWN: nothing that AMI sent */
    int64_t now;             /* Timestamp of the event at hand, microseconds */
    bool joining;            /* since a blind time began, until all lists were answered */
    bool from_list;          /* what is told is known from a list or a restart alone: inferred */
    uint64_t losses;         /* how often facts were lost behind it */
    bool restoring; /* states are told for the view alone: they stay as told before the restart */
    enum emit_sight agi; /* events of class agi */
    bool untimed;        /* the PBX sends no Timestamp: ids carry the tap's name and a counter */
    uint64_t counter;    /* facts given so far; survives a restart when the owner stores it */
    struct emitted seen[EMIT_SETS][EMIT_WAYS];
    int64_t last_moment;
    size_t last_count;
    uint64_t last[EMIT_LAST_MAX]; /* hashes of that moment */
    int64_t until;                /* the latest moment that gave a fact */
    int64_t earlier_until;        /* the same of earlier runs, and how many there were */
    unsigned earlier_runs;
    uint64_t too_large; /* facts that passed the bound of one fact and were not handed on */
};

/* What a fact is about. */
struct emit_about {
    enum fact_kind kind;
    struct slice subject;
    struct slice key;
    struct slice
        word; /* part of the id where one subject has different facts of a kind; or empty */
    unsigned flags;
    uint64_t *sequence; /* the call's count of facts, moved on by one; or NULL */
};

/* pbx and tap are borrowed for the emitter's life. NULL when memory is short. */
struct emitter *emitter_new(struct slice pbx, struct slice tap, emit_sink sink, void *ctx);
void emitter_free(struct emitter *e);

/* The count of one of the last moment's facts, e->last[i]. To be saved, and to be taken back by an
 * emitter that goes on for this one at the same moment. */
struct emitted emit_last(const struct emitter *e, size_t i);
void emit_restore_last(struct emitter *e, int64_t moment, struct emitted last);

/* There were so many runs before this one, which gave facts up to this moment. The ids of states
 * that a list shows about these moments are counted apart, so that what it shows after a restart is
 * not taken for what it showed before. */
void emit_restore_runs(struct emitter *e, unsigned runs, int64_t until);

/* Starts a fact caused by the event at hand; the caller puts its values into the returned builder
 * and then calls emit_end. */
struct fact_builder *emit_begin(struct emitter *e, const struct emit_about *about);
void emit_end(struct emitter *e);
/* The same for what something is like now (kinds of retention STATE): handed on only when it says
 * something else than what was told last, whose hash is *told; 0 there: nothing was. about is the
 * one that it was begun with. */
void emit_end_state(struct emitter *e, const struct emit_about *about, uint64_t *told);
/* Whether what the event at hand shows began with it. Not what a list shows, and not what an event
 * shows while lists are still to come: a DeviceStateChange to INUSE may repeat what began unseen.
 */
bool emit_is_new(const struct emitter *e);
/* What was told may not have arrived, since of what was lost only so much is kept (latest.h): the
 * next state of everything is told also when it is as the one before. */
void emit_forget_told(struct emitter *e);

/* The fields of an end that was not seen: between these moments, microseconds. Nothing when latest
 * is 0. */
void emit_put_unseen_end(struct fact_builder *f, int64_t earliest, int64_t latest);

#endif
