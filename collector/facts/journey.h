/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_JOURNEY_H
#define COLLECTOR_FACTS_JOURNEY_H

#include "collector/state/bridge.h"

/* What a call went through, told in its record when it has ended: its legs (one per channel that is
 * no Local half), and what happened at one moment or for a while: transfers, pickups, parking,
 * conferences, forwards, aliases. Who talked with whom is in talk.h. A leg that moves to another
 * call ends in the one and begins in the other; the conference that it is in goes along. */

/* Of each kind a call keeps so many; further ones are counted. */
#define JOURNEY_MAX 256u

/* A span that is shorter than this did not interrupt what it parts: Local optimisation, a merge of
 * bridges and a masquerade move a channel by BridgeLeave and BridgeEnter within a millisecond or
 * two (Asterisk 22), and nobody hears it. */
#define JOURNEY_BREATH 100000

/* Adds up the time while something was so. */
struct stopwatch {
    int64_t since; /* 0: it is not so now */
    int64_t stopped;
    int64_t total; /* until since */
};

/* It is so, or not, as of now. */
void stopwatch_set(struct stopwatch *w, bool on, int64_t now);
/* The time until now, in microseconds. */
int64_t stopwatch_read(const struct stopwatch *w, int64_t now);

enum leg_role { LEG_CALLER, LEG_CALLED, LEG_ORIGINATED };

enum leg_outcome {
    LEG_OPEN, /* not known */
    LEG_ANSWERED,
    LEG_BUSY,
    LEG_NO_ANSWER,
    LEG_CANCELLED,
    LEG_CONGESTION,
    LEG_FAILED,
    LEG_ANSWERED_ELSEWHERE
};

enum hangup_side { SIDE_NONE, SIDE_CALLER, SIDE_CALLED, SIDE_DIALPLAN, SIDE_MANAGER, SIDES };

struct leg {
    struct call *call;
    struct channel *channel; /* NULL once it has ended, or gone to another call */
    struct snapshot *look;   /* the last one of that call; NULL while it is in it */
    char *uniqueid;
    char *queue; /* that rang it, or NULL */
    char *forwarded_to;
    char *application; /* the last one it ran before its hang-up logic, or NULL */
    enum leg_role role;
    enum leg_outcome outcome;
    int64_t start, answer, end;
    int cause;
    bool gave_away;         /* it transferred or parked its call: its hang-up ends nothing */
    bool moved;             /* to another call */
    enum hangup_side asked; /* who asked first that it be hung up, at asked_at */
    int64_t asked_at;
    struct stopwatch ring, talk, hold;
};

enum move_kind {
    MOVE_TRANSFER,
    MOVE_PICKUP,
    MOVE_PARK,
    MOVE_CONFERENCE,
    MOVE_FORWARD,
    MOVE_ALIAS,
    MOVE_KINDS
};

/* Which text says what: transfer {to, context}, pickup {target}, park {lot, space, retriever},
 * conference {name}, forward {to}, alias {linkedid}. */
#define MOVE_TEXTS 3

struct move {
    enum move_kind kind;
    char word[12];         /* the transfer's kind, the parking's outcome; or empty */
    struct snapshot *look; /* whose it is */
    char *text[MOVE_TEXTS];
    int64_t from, to; /* 0: not known; to also while it goes on */
    bool over;        /* it goes on no more */
};

struct talk; /* talk.h */

/* The phones of the conversation looked at last; used again and again. */
struct talk_circle {
    struct channel **phones;
    size_t count, size;
    const struct bridge *conference; /* NULL: it is none */
    size_t holders;                  /* have put the others on hold */
    uint64_t number;                 /* of the look */
};

struct journey {
    struct leg **legs;
    struct talk **talks;
    struct move **moves;
    size_t leg_count, leg_size, talk_count, talk_size, move_count, move_size;
    size_t kept[MOVE_KINDS]; /* of the moves */
    unsigned legs_omitted, talks_omitted, moves_omitted;
    struct stopwatch ring, talk, hold; /* at least one leg rings, talks, is held */
    char *queue;                       /* the last one it was in */
    char *answered_by;                 /* interface of the first person's phone */
    char *accountcode;
    char *merged_into;
    char *hung_up_by; /* channel */
    char *hung_up_uniqueid;
    enum hangup_side hung_up_side;
    int64_t hung_up_at;
    bool hung_up_doubted; /* the call went on after it: it ended the call only if that was short */
};

/* Frees what the journey holds; its legs' channels are gone, or not used any more. */
void journey_free(struct journey *journey);

/* The channel begins, or joins the call after a restart that knew no leg of it. Local halves have
 * no leg. */
void journey_join(struct call *call, struct channel *channel, int64_t now);
/* The channel has hung up. */
void journey_end(struct channel *channel, int64_t now);
/* The channel belongs to another call from now on. */
void journey_move(struct call *call, struct channel *channel, int64_t now);

/* The call ends: what is open in its journey is closed. */
void journey_over(struct call *call, int64_t now);
/* The call takes in another one, with all that this one took in. */
void journey_take_aliases(struct call *call, const struct call *from, int64_t now);

/* The call whose journey the channel is part of, or NULL. */
struct call *journey_call(const struct channel *channel);

/* Ringing and being up have changed. */
void journey_follow(struct channel *channel, int64_t now);
/* A phone of the call answered, or talks with the one who opened the call. */
void journey_answered(struct call *call, struct slice interface, int64_t now);
/* DialEnd: what became of the phone dialed. forward is where it sent the call, or empty. */
void journey_dial_end(struct channel *dest, struct slice status, struct slice forward, int64_t now);
/* The phone's call was taken by another one. */
void journey_answered_elsewhere(struct channel *channel);
/* It transferred its call successfully: whatever it does then does not end the call. */
void journey_gave_away(struct channel *channel);
void journey_set_role(struct channel *channel, enum leg_role role);
/* Hang-up logic begins: the application until now was the last one. */
void journey_hangup_logic(struct channel *channel);
/* The call waits in a queue. */
void journey_queue(struct call *call, struct slice queue);

/* HangupRequest (the far end hung up) or SoftHangupRequest (flags are its Cause: AST_SOFTHANGUP_*,
 * Asterisk 22). The first one counts, until the call goes on. */
void journey_hangup_requested(struct channel *channel, bool soft, int flags, int64_t now);
/* The call goes on after a hang-up was asked for: somebody else runs the dialplan, joins, talks. */
void journey_goes_on(struct call *call, const struct channel *channel);

/* Something that happened to the channel's call. from is now; texts are as MOVE_TEXTS says, a slice
 * with p NULL is not known. */
struct move_values {
    enum move_kind kind;
    const char *word;
    struct slice text[MOVE_TEXTS];
};
void journey_moved(struct call *call, const struct channel *who, const struct move_values *values,
                   int64_t now);
/* The channel's last move of this kind that goes on, or NULL. */
struct move *journey_open_move(const struct call *call, const struct channel *who,
                               enum move_kind kind);
/* Who took the parked call back. */
void journey_name_retriever(struct move *move, struct slice channel);
/* It is over. */
void journey_close_move(struct call *call, struct move *move, const char *word, int64_t now);

/* Legs that go on but have no channel count as omitted: it was not taken back after a restart. */
void journey_omit_lost(struct journey *journey);

/* Counts together what the call's legs do: after any of their stopwatches was set. */
void journey_count(struct call *call, int64_t now);

/* Room for one more in *array, an array of pointers that holds max at most. */
bool journey_room(void *array, size_t count, size_t *size, size_t max);

#endif
