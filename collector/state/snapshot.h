/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_STATE_SNAPSHOT_H
#define COLLECTOR_STATE_SNAPSHOT_H

#include "parsers/slice.h"
#include <stdint.h>

/* One look at a channel, as Asterisk publishes it: immutable, shared by reference between the
 * channel and the CDR rows that hold it, so that a row costs pointers, not copies. All strings are
 * packed into one block behind the head. */

enum snapshot_text {
    SNAPSHOT_UNIQUEID,
    SNAPSHOT_NAME, /* the channel's name, header Channel */
    SNAPSHOT_LINKEDID,
    SNAPSHOT_CALLER_NUMBER,
    SNAPSHOT_CALLER_NAME,
    SNAPSHOT_CONNECTED_NUMBER,
    SNAPSHOT_CONNECTED_NAME,
    SNAPSHOT_ACCOUNTCODE,
    SNAPSHOT_CONTEXT,
    SNAPSHOT_EXTEN,
    SNAPSHOT_APPLICATION,
    SNAPSHOT_APPDATA,
    SNAPSHOT_TEXTS
};

/* AST_STATE_*, header ChannelState. */
enum channel_state {
    CHANNEL_STATE_DOWN = 0,
    CHANNEL_STATE_RINGING = 5,
    CHANNEL_STATE_UP = 6,
    CHANNEL_STATE_BUSY = 7
};

enum snapshot_flags {
    SNAPSHOT_DIALED = 1,        /* it was dialed, not originated (cdr-rules: party B by nature) */
    SNAPSHOT_DEAD = 2,          /* Hangup was seen */
    SNAPSHOT_PARTY_A = 4,       /* CDR_PROP(party_a) */
    SNAPSHOT_DATA_GUESSED = 8,  /* the application's data was never shown; it was completed */
    SNAPSHOT_DATA_MISSING = 16, /* the application's data is not known yet */
    SNAPSHOT_APPLICATION_UNSEEN = 32 /* the account sees no applications: what runs is not known */
};

enum snapshot_ama { SNAPSHOT_AMA_DOCUMENTATION, SNAPSHOT_AMA_OMIT, SNAPSHOT_AMA_BILLING };

/* The contents in the open, for making one and for comparing. The slices are borrowed. */
struct snapshot_values {
    struct slice text[SNAPSHOT_TEXTS];
    int priority;
    int state; /* enum channel_state, or another one */
    int cause; /* hang-up cause, 0 until known */
    unsigned flags;
    enum snapshot_ama ama;
};

struct snapshot;

/* A text longer than this is cut. */
#define SNAPSHOT_TEXT_MAX 4096u

/* A new snapshot with one reference, or NULL when memory is short. */
struct snapshot *snapshot_new(const struct snapshot_values *values);
struct snapshot *snapshot_ref(struct snapshot *s);
/* NULL is allowed. */
void snapshot_unref(struct snapshot *s);
/* Makes *where hold s (a new reference) instead of what it held. */
void snapshot_set(struct snapshot **where, struct snapshot *s);

/* What the look shows; a text is borrowed from it. */
struct slice snapshot_text(const struct snapshot *s, enum snapshot_text which);
int snapshot_priority(const struct snapshot *s);
int snapshot_state(const struct snapshot *s);
int snapshot_cause(const struct snapshot *s);
unsigned snapshot_flags(const struct snapshot *s);

/* The contents, borrowed from s. */
struct snapshot_values snapshot_values(const struct snapshot *s);

/* Whether a new look with these values would show anything else. */
bool snapshot_equal(const struct snapshot *s, const struct snapshot_values *values);

/* Context, extension and priority are the same. */
bool snapshot_same_place(const struct snapshot *a, const struct snapshot *b);

#endif
