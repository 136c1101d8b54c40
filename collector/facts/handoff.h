/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_HANDOFF_H
#define COLLECTOR_FACTS_HANDOFF_H

#include "collector/facts/emit.h"
#include "collector/facts/load.h"
#include "collector/state/bridge.h"
#include "collector/state/variables.h"
#include "parsers/ami_variable.h"

/* What a call was handed to outside of the dialplan, as a voice bot: a channel in AGI (by its
 * kinds), Stasis or AudioSocket, and channels that are such a program's ear and mouth themselves:
 * those that ARI's externalMedia or Dial(AudioSocket/…) make. Which of these is told by
 *   Newexten, AGISTATUS, STASISSTATUS (class dialplan): begin and end of the application;
 *   AsyncAGIStart, AsyncAGIEnd, AGIExecStart (class agi): where no Newexten showed it;
 *   Newstate Up and Hangup: media channels (Asterisk 22).
 * An application that an AGI executes (EXEC Dial) runs inside the AGI, which goes on. */

struct calls;
struct call;
struct json_out;
struct json_t;

/* A call holds so many; further ones are counted, and those that a record has no room for. */
#define HANDOFFS_MAX 256u

struct handoff {
    char *uniqueid; /* of the channel */
    char *appdata;  /* NULL: not known; none of these applications runs without */
    enum handoff_kind kind;
    bool media;                 /* the channel is the program's own, not one that was handed over */
    bool unshown;               /* no Newexten showed it: what follows is not shown either */
    bool lost;                  /* its end was not seen */
    bool failed;                /* AGISTATUS or STASISSTATUS says that it never ran */
    bool hung_up;               /* it ended with a hang-up */
    bool executes;              /* an application, by EXEC */
    bool after_hangup;          /* runs in a hang-up handler: nobody is there to be served */
    bool went_on;               /* an application ran behind it that does more than steer */
    bool over;                  /* it goes on no more */
    bool answered;              /* a person did */
    int64_t from;               /* 0: before the tap joined, or not known */
    int64_t to;                 /* 0: it goes on, or not known */
    int64_t person;             /* when a person answered, 0: nobody did, or not known */
    unsigned level;             /* of subroutines when it began */
    struct variables variables; /* as they were at its end */
    struct handoff *next;
};

/* Those of one call, in the order in which they began. */
struct handoffs {
    struct handoff *first;
    size_t count;
    uint64_t omitted;
};

/* Frees them and leaves none. */
void handoffs_free(struct handoffs *handoffs);

/* The channel runs the application that its latest look shows: a hand-off may begin, and what went
 * before is over. */
void handoff_application(struct calls *calls, struct channel *c);

/* VarSet: AGISTATUS ends an AGI and STASISSTATUS a Stasis; an empty STASISSTATUS begins one on a
 * channel that ARI originated. */
void handoff_status(struct calls *calls, struct channel *c, enum ami_variable variable,
                    struct slice value);

/* Whether an AGI runs in the dialplan application of this name. */
bool handoff_is_agi(struct slice application);

/* An AGI that showed by a command of its own alone: that it ran then, and nothing more. Which kind
 * it is, when it began, and how and when it ends, the account does not see. */
bool handoff_is_glimpse(const struct handoff *h);

/* An AGI of this kind runs on the channel (AGIExecStart, AsyncAGIStart), shown or not. */
void handoff_agi_runs(struct calls *calls, struct channel *c, enum handoff_kind kind);
/* AGIExecStart and AGIExecEnd: it executes a dialplan application, or no more. */
void handoff_executes(struct channel *c, bool executes);
/* The channel dials or joins a queue: an AGI that was not shown has ended, unless it does that. */
void handoff_moved_on(struct calls *calls, struct channel *c);
/* AsyncAGIEnd. */
void handoff_agi_over(struct calls *calls, struct channel *c);

/* The channel is up: one of a program's own begins a hand-off with it. */
void handoff_media_up(struct calls *calls, struct channel *c);

/* The channel was up when the tap joined, in the application that its look shows. */
void handoff_seen(struct calls *calls, struct channel *c);

/* The channel hangs up. */
void handoff_gone(struct calls *calls, struct channel *c);

/* A person's phone answered: what its call was handed to is handed on. */
void handoff_answered(struct calls *calls, struct channel *phone);
/* A channel entered the bridge: two phones in it talk. */
void handoff_bridged(struct calls *calls, const struct bridge *b);

/* Puts the hand-offs of one channel behind those of the call that it has moved to. */
void handoffs_move(struct handoffs *from, struct handoffs *to, struct slice uniqueid);

/* handoffs and handoffs_omitted of the record `call`. */
void handoff_put(struct fact_builder *f, const struct call *call);

/* "variables": those of the channel, as an object. */
void handoff_put_variables(struct fact_builder *f, const struct variables *variables);

/* Variables as a list of name, value, name …, under the key "variables"; and taken back. */
void handoff_save_variables(const struct variables *variables, struct json_out *j);
void handoff_restore_variables(struct variables *variables, const struct json_t *array);
/* Saving, and taking back into an empty call. */
void handoffs_save(const struct handoffs *handoffs, struct json_out *j);
void handoffs_restore(struct handoffs *handoffs, const struct json_t *array, int64_t omitted);
/* All calls were taken back: what goes on is counted as load again. */
void handoffs_resume(struct calls *calls, const struct call *call);

#endif
