/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_H
#define COLLECTOR_FACTS_CDR_H

#include "collector/facts/cdr_chain.h"

/* Derives the CDR rows that Asterisk itself writes, from the five kinds of message that its CDR
 * engine takes: channel snapshot, dial, bridge enter and leave, parked, and the dialplan's own CDR
 * functions. The caller feeds them in the order of the AMI stream. */
struct cdr_engine {
    struct cdr_options options;
    /* Gets each row that Asterisk would write, in its order, when the channel has died. */
    void (*write)(void *ctx, const struct cdr_row *row);
    /* Gets each row that Asterisk would not write, in its place among them; NULL: nobody asks. */
    void (*drop)(void *ctx, const struct cdr_row *row, enum cdr_dropped why);
    /* Asked before a row with SNAPSHOT_DATA_MISSING is written: the look with its data, a new
     * reference, or NULL when it is still not known. */
    struct snapshot *(*complete)(void *ctx, struct snapshot *look);
    void *ctx;
};

/* A look at a channel: Newchannel, Newstate, Newexten, NewCallerid …, Hangup, and each event that
 * shows a look that raised none. After a dead channel its chain is gone. */
void cdr_snapshot(struct cdr_engine *e, const struct channel_change *change, int64_t time);

/* DialBegin. caller is NULL for an origination. */
void cdr_dial_begin(struct cdr_engine *e, struct channel *caller, struct channel *dest,
                    int64_t time);

/* DialEnd carries looks of its own at both; a look may be NULL where its channel is. */
struct cdr_dial_end {
    struct channel *caller;
    struct channel *dest;
    struct snapshot *caller_look;
    struct snapshot *dest_look;
    struct slice status;
};
void cdr_dial_end(struct cdr_engine *e, const struct cdr_dial_end *end, int64_t time);

/* BridgeEnter and BridgeLeave; enter after the bridge has the member. */
void cdr_bridge_enter(struct cdr_engine *e, const struct bridge *bridge, struct channel *channel,
                      int64_t time);
void cdr_bridge_leave(struct cdr_engine *e, const struct bridge *bridge, struct channel *channel,
                      int64_t time);

/* The channel was in the bridge already when the tap joined: as entering it, at an unknown time. */
void cdr_was_in_bridge(struct cdr_engine *e, const struct bridge *bridge, struct channel *channel,
                       int64_t time);

/* ParkedCall: look has application Park and data "lot:space". */
void cdr_parked(struct cdr_engine *e, struct channel *channel, struct snapshot *look, int64_t time);

/* The data of the channel's application, missing until now, was guessed: rows that took the look
 * without it take this one. */
void cdr_data_guessed(struct cdr_chain *chain, struct snapshot *look);

#endif
