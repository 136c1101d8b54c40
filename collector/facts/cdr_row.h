/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_ROW_H
#define COLLECTOR_FACTS_CDR_ROW_H

#include "collector/state/bridge.h"

/* One CDR row in the making: a state machine that takes the same messages as Asterisk's own CDR
 * engine (main/cdr.c, Asterisk 12 to 22). A row is about one path: party A, and party B or none. */

enum cdr_state {
    CDR_SINGLE,         /* party A alone */
    CDR_DIAL,           /* a dial is under way */
    CDR_DIALED_PENDING, /* the dial was answered; not in a bridge yet */
    CDR_BRIDGED,
    CDR_PARKED,
    CDR_FINALISED
};

enum cdr_disposition {
    CDR_UNSET,
    CDR_NO_ANSWER,
    CDR_FAILED,
    CDR_BUSY,
    CDR_ANSWERED,
    CDR_CONGESTION,
    CDR_CANCEL
};

/* Why a row was begun, why it has an end, why it is not written: schemas/cdr_reasons.def. */
enum cdr_opened {
#define CDR_OPENED(id, word, event, sentence) CDR_OPENED_##id,
#include "schemas/cdr_reasons.def"
    CDR_OPENED_COUNT
};

enum cdr_closed {
    CDR_CLOSED_NOT,
#define CDR_CLOSED(id, word, event, sentence) CDR_CLOSED_##id,
#include "schemas/cdr_reasons.def"
    CDR_CLOSED_COUNT
};

enum cdr_dropped {
    CDR_WRITTEN,
#define CDR_DROPPED(id, word, sentence) CDR_DROPPED_##id,
#include "schemas/cdr_reasons.def"
    CDR_DROPPED_COUNT
};

enum cdr_row_flags {
    CDR_APPLICATION_LOCKED = 1,
    CDR_DISABLED = 2,
    CDR_DISABLED_FOR_ALL_LATER = 4,
    CDR_CAUSE_AWAITED = 8,    /* closed before its hang-up cause was shown */
    CDR_CONCLUDED = 16,       /* that Asterisk has the row at all was not seen */
    CDR_BEGUN_UNSEEN = 32,    /* when it began is not known: it was there before the tap */
    CDR_ANSWERED_UNSEEN = 64, /* nor when it was answered */
    CDR_MAY_BE_OVER = 128,    /* nor whether it was over by then */
    CDR_CAUSE_UNSEEN =
        256 /* its disposition hangs on a cause that may have been set before the tap */
};

/* What cdr.conf says and AMI cannot show. */
struct cdr_options {
    bool unanswered;
    bool congestion;
    bool endbeforehexten;
    bool initiatedseconds;
    bool channeldefaultenabled;    /* a new channel has CDRs, unless CDR_PROP says otherwise */
    bool canceldispositionenabled; /* a dial that the caller gave up is CANCEL */
    bool ignorestatechanges;       /* bridges and parking make no difference */
    bool ignoredialchanges;        /* dials make no difference */
};

struct cdr_chain;

struct cdr_row {
    struct cdr_chain *chain;   /* of party A's channel */
    struct cdr_row *next;      /* in the chain */
    struct cdr_chain *b_chain; /* of party B's channel while it lives, or NULL */
    struct cdr_row *b_next;    /* next row with the same party B */
    enum cdr_state state;
    enum cdr_disposition disposition;
    enum cdr_opened opened; /* why */
    enum cdr_closed closed; /* why it has its end */
    unsigned flags;
    int64_t start, answer, end, last_event; /* microseconds; 0: not yet */
    int64_t end_latest; /* its end was not seen: it lies between end and this; 0: it was */
    struct snapshot *a;
    struct snapshot *b;           /* or NULL */
    struct snapshot *place;       /* its context and extension are the accepted ones */
    struct snapshot *application; /* its application and data are the accepted ones, or NULL */
    struct snapshot *linked;      /* its linkedid is the accepted one */
    char *bridge;                 /* BridgeUniqueid, or NULL */
    char *userfield_a;
    char *userfield_b;
};

/* What a message tells a row about the channel it is for. */
struct cdr_message {
    const struct channel *channel;
    struct snapshot *old; /* before this message, or NULL */
    struct snapshot *now;
    int64_t time;
    const struct cdr_options *options;
    int64_t last_seen; /* when the channel was seen before this message, 0: it was not */
};

/* A row in state Single whose party A is a. NULL when memory is short. */
struct cdr_row *cdr_row_new(struct snapshot *a, int64_t start);
/* A row like the model, as Asterisk appends one: same party A, accepted place, application and
 * userfield; no party B, no lock. */
struct cdr_row *cdr_row_append(const struct cdr_row *model, int64_t start);
/* The row was there before the tap: when it began, and was answered if it is, is not known. One
 * without party B may be over, too: Asterisk's row ends with a dial that failed, a bridge that was
 * left, a transfer, and a new one begins only when the channel is at another place with another
 * application, is dialed for, bridged or parked (Asterisk 22). No list tells. */
void cdr_row_begun_unseen(struct cdr_row *row);
/* What happened to the row now happens to one that is not over. */
void cdr_row_is_open(struct cdr_row *row);
void cdr_row_free(struct cdr_row *row);

/* Takes a snapshot of party A by all of cdr-rules 4.1. */
void cdr_row_take_a(struct cdr_row *row, const struct cdr_message *m);

/* The message of party A's channel, by the row's state. False when the row refuses it. */
bool cdr_row_snapshot_a(struct cdr_row *row, const struct cdr_message *m);
/* The message of party B's channel. */
void cdr_row_snapshot_b(struct cdr_row *row, const struct cdr_message *m);

/* Sets end (to the last event), its reason and disposition, once. */
void cdr_row_close(struct cdr_row *row, enum cdr_closed why, const struct cdr_options *options);
/* The same while party A's channel lives on: a cause that was not shown by now is none to come. One
 * that an attempt to dial left before the tap joined is in no list, so that the disposition of a
 * row of such a channel is not known. */
void cdr_row_close_living(struct cdr_row *row, enum cdr_closed why,
                          const struct cdr_options *options);
/* Takes the end back. */
void cdr_row_reopen(struct cdr_row *row);
/* Party A has died: the cause that was awaited when the row was closed is known now. */
void cdr_row_settle_cause(struct cdr_row *row, int cause, const struct cdr_options *options);
/* The only way into another state; Finalised by the second. */
void cdr_row_change_state(struct cdr_row *row, enum cdr_state state);
void cdr_row_finalise(struct cdr_row *row, enum cdr_closed why, const struct cdr_options *options);

/* Remembers which bridge the row is in. */
void cdr_row_set_bridge(struct cdr_row *row, const struct bridge *bridge);
/* Whether the row is Bridged in the bridge of that id. */
bool cdr_row_in_bridge(const struct cdr_row *row, struct slice bridge);

/* The application name changed, it is not AppDial, and the place changed too, in one snapshot.
 * Where applications are not seen a new place has to do: a channel that goes on runs another one
 * there. */
bool cdr_moved(const struct snapshot *old, const struct snapshot *now);

/* Why Asterisk does not write the row when its channel has died; CDR_WRITTEN: it does. */
enum cdr_dropped cdr_row_dropped(const struct cdr_row *row, const struct cdr_options *options);

/* DialStatus as a disposition. */
enum cdr_disposition cdr_disposition_of_status(struct slice status,
                                               const struct cdr_options *options);
const char *cdr_disposition_name(enum cdr_disposition disposition);

#endif
