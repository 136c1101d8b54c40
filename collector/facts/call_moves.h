/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CALL_MOVES_H
#define COLLECTOR_FACTS_CALL_MOVES_H

#include "collector/facts/call.h"

/* What happens to a call while it is up: hold, transfer, parking, pickup, conference. Each is one
 * fact; a channel without a call gives none. */

/* Hold and Unhold. */
void call_held(struct calls *calls, struct channel *channel);
void call_resumed(struct calls *calls, struct channel *channel);
/* MusicOnHoldStart and MusicOnHoldStop on the one who hears it. */
void call_music(struct calls *calls, struct channel *channel, bool plays);

/* A successful BlindTransfer or AttendedTransfer by the transferer. A slice with p NULL is not
 * known. */
struct call_transfer {
    const char *how; /* "blind", "attended" or "blonde" */
    struct slice context;
    struct slice to; /* extension, bridge, application or channel */
    bool stays;      /* a three-way one: the transferer goes on talking */
};
void call_transferred(struct calls *calls, struct channel *transferer,
                      const struct call_transfer *transfer);

/* ParkedCall, UnParkedCall (by names the retriever), ParkedCallTimeOut and ParkedCallGiveUp (reason
 * tells which). */
struct call_parking {
    enum fact_kind kind;
    struct slice lot, space;
    int64_t timeout; /* microseconds, 0: not known */
    struct slice by;
    const char *reason;
};
void call_parking(struct calls *calls, struct channel *parked, const struct call_parking *parking);

/* Pickup: the picker took the call that rang at target. */
void call_picked_up(struct calls *calls, struct channel *picker, struct channel *target);

/* BridgeEnter and BridgeLeave of a conference's bridge. */
void call_conference(struct calls *calls, struct channel *channel, const struct bridge *bridge,
                     bool joined);

#endif
