/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_STATE_CHANNEL_H
#define COLLECTOR_STATE_CHANNEL_H

#include "collector/state/saved.h"
#include "collector/state/snapshot.h"
#include "collector/state/variables.h"
#include "parsers/ami_message.h"

struct bridge;
struct call;      /* facts/call.h */
struct leg;       /* facts/journey.h */
struct cdr_chain; /* facts/cdr_chain.h */
struct trunk;     /* facts/trunk.h */

/* The events that one snapshot of Asterisk raises stand next to each other in this order, with
 * equal headers (Asterisk 22, manager_channels.c). Whoever compares "before" with "after" must
 * compare over the whole group. */
enum channel_event {
    CHANNEL_EVENT_OTHER, /* repeats the latest snapshot: VarSet, DialBegin, BridgeEnter, Hold … */
    CHANNEL_EVENT_STATE, /* Newchannel, Newstate, Hangup */
    CHANNEL_EVENT_NEWEXTEN,
    CHANNEL_EVENT_NEWCALLERID,
    CHANNEL_EVENT_NEWACCOUNTCODE,
    CHANNEL_EVENT_NEWCONNECTEDLINE
};

/* For whom a queue called the channel, or a Local channel that stands before it. */
struct channel_called {
    char *member; /* the queue member's interface, or NULL: no queue did */
    char *caller; /* Uniqueid of the queue's caller */
    char *queue;
};

/* How it counts for the agents behind it: 1 or 0 each. */
struct channel_use {
    int ringing, up, held;
};

/* An end that was not seen lies between these, microseconds; latest 0: the end was seen. */
struct unseen_end {
    int64_t earliest, latest;
};

/* Which of two channels Asterisk made first. */
struct channel_age {
    int64_t count; /* the how many-th it was, by its Uniqueid; -1: that does not tell */
    int64_t time;  /* Timestamp of Newchannel, or of what made it anew */
};

/* One channel, from Newchannel to Hangup. State changes happen in channel_take alone. */
struct channel {
    struct snapshot *birth;  /* the first look; its Uniqueid and Linkedid are the keys */
    struct snapshot *now;    /* the latest look */
    struct snapshot *before; /* the look before the present group of events, or NULL */
    struct snapshot *outer;  /* with the application that has another one run for it, or NULL */
    bool outer_due;          /* that one is over: the next look has the outer one again */
    enum channel_event last_event;
    int64_t last_time;
    int64_t born;            /* Timestamp of Newchannel */
    struct channel_age made; /* its own, that of the channel whose place it took (Pickup), or anew
                                when it was taken out of an application (BridgeEnter) */

    struct bridge *bridge; /* where it is now, or NULL */
    unsigned subroutines;  /* Gosub levels: LOCAL(ARGC) sets less GOSUB_RETVAL sets */
    bool hangup_logic;     /* runs exten h or a hang-up handler; never ends */
    bool left_bridge;      /* has left a bridge and lives on */
    bool been_bridged;
    bool sent_elsewhere; /* an async goto: what it runs now is not shown (cdr-rules 8.1) */
    bool from_snapshot;  /* was up when the tap joined, or was lost sight of */
    bool born_unseen;    /* was up when the tap joined */
    bool blind; /* was up while the tap was blind. All its CDR rows are inferred then: a row that
                   was seen whole would else get another's count in its id */
    bool originated; /* DialBegin without caller, or born not dialed */
    bool called_up;  /* a DialBegin named it: Asterisk has called its phone */
    bool ringing;    /* rings now */
    bool hangup_requested;
    bool picks_up;        /* answered for another phone, which a Pickup has yet to name */
    bool forwards;        /* its phone sends the caller elsewhere */
    bool parked_out;      /* parking timed out while it ran nothing: it is at its new place */
    bool queued;          /* a queue called it: outside of other applications it has AppQueue */
    bool hides_number;    /* its caller id's presentation is not "allowed" */
    uint64_t seen;        /* number of the event or list item that showed it last */
    int64_t unsure_until; /* nothing has confirmed it since the tap was blind: it counts as ended
                             then; 0: it is sure */
    struct unseen_end lost;
    struct channel_use phone_use; /* as its device's calls count it */
    struct channel_use leg_use;   /* as the calls of the member that it was called for do */
    struct channel_called called;
    char *dialer; /* Uniqueid of the Local half that dialed it before it was bridged, or NULL */
    char *agent;  /* "Agent:1001", whose line it is since AgentLogin, or NULL */
    bool holds;   /* it holds the other side of the bridge that it is in */
    struct trunk *trunk; /* facts/trunk.h: whose calls it counts among, or NULL */
    bool trunk_attempt;  /* it was seen to begin there */
    bool trunk_answered; /* and is counted as answered */
    int64_t held_since;  /* when it put the other side on hold, 0: it has not */
    struct saved saved;
    struct variables variables; /* those that the configuration names */
    char *will_run;      /* application that an Originate has it run once it answers, or NULL */
    char *will_run_data; /* and its data */
    char *parking; /* "lot:space" of a ParkedCall that came before the parking bridge, or NULL */

    struct leg *leg;      /* in the call's journey (facts/journey.h), or NULL */
    struct channel *half; /* the other half of a Local channel, or NULL */
    char *half_id;        /* its Uniqueid, until a restored channel finds it */
    unsigned talks;       /* open talks that name it (facts/talk.h) */
    uint64_t circle;      /* the conversation it was found in last (facts/talk.h) */
    bool music;           /* music on hold plays to it */
    struct call *call;
    struct channel *call_next; /* the call's channels */
    struct cdr_chain *chain;
};

/* What one event did to a channel. */
struct channel_change {
    struct channel *channel;
    struct snapshot *old; /* before the group of events; NULL for the channel's first look */
    struct snapshot *now;
    bool changed;      /* now differs from what was held */
    int64_t last_seen; /* when an event showed the channel before this one, 0: none did */
};

/* The headers that name one channel's values in an event; each prefix has its set. */
struct channel_headers {
    enum ami_header_id name, state, caller_number, caller_name, connected_number, connected_name,
        accountcode, context, exten, priority, uniqueid, linkedid;
};

extern const struct channel_headers channel_headers_plain; /* Channel, Uniqueid … */
extern const struct channel_headers channel_headers_dest;  /* DestChannel … (Dial*, Agent*) */
extern const struct channel_headers channel_headers_parkee;
extern const struct channel_headers channel_headers_transferer;
extern const struct channel_headers channel_headers_transferee;

/* Room for the values that have to be unescaped. */
struct channel_scratch {
    char caller_name[SNAPSHOT_TEXT_MAX];
    char connected_name[SNAPSHOT_TEXT_MAX];
};

/* Reads one channel's values from an event: names unescaped, "<unknown>" as empty. The slices
 * point into the event and into scratch. False when the event has no such Uniqueid. */
bool channel_read(const struct ami_message *m, const struct channel_headers *headers,
                  struct channel_scratch *scratch, struct snapshot_values *ret_seen);

/* A channel seen for the first time at `time` (microseconds). One that is born Down is dialed, one
 * born Ring is not (Asterisk 22). NULL when memory is short. */
struct channel *channel_new(const struct snapshot_values *seen, int64_t time);
void channel_free(struct channel *c);

/* Takes what an event says of the channel. Application and data count in a Newexten only; a place
 * that changed without one has an emptied application. */
struct channel_change channel_take(struct channel *c, const struct snapshot_values *seen,
                                   enum channel_event event, int64_t time);

/* The look that an event of its own shows, made fresh by Asterisk and not published (DialEnd):
 * completed from what is held, but not taken. A new reference, or NULL when memory is short. */
struct snapshot *channel_look(const struct channel *c, const struct snapshot_values *seen);

/* Takes that the channel runs an application at its place which no Newexten showed. flags are
 * SNAPSHOT_DATA_GUESSED, SNAPSHOT_DATA_MISSING or none. */
struct channel_change channel_run(struct channel *c, struct slice application, struct slice data,
                                  unsigned flags, int64_t time);

/* The same for one that runs inside another (EXEC of an AGI), and its end. To the outer one
 * Asterisk goes back silently: the next look has it, other than those of a Newexten and of the
 * hang-up, for which it is over as well (Asterisk 22). */
struct channel_change channel_run_inside(struct channel *c, struct slice application,
                                         struct slice data, int64_t time);
void channel_inside_over(struct channel *c);
/* A look as it is, of which no header shows what has changed, shows the outer one if it is due. */
struct channel_change channel_again(struct channel *c);

/* Replaces the latest look by one with other values, silently: for marks that no event carries. */
void channel_alter(struct channel *c, const struct snapshot_values *values);
void channel_set_flag(struct channel *c, unsigned flag, bool on);

/* Its Uniqueid, which never changes, and the name and linkedid of its latest look; borrowed until
 * the next look. */
struct slice channel_uniqueid(const struct channel *c);
struct slice channel_name(const struct channel *c);
struct slice channel_linkedid(const struct channel *c);

/* A Uniqueid or linkedid "[system-]seconds.count" as Asterisk makes them: when the channel began,
 * to the second (since 1970), and the how many-th it was. False for one that somebody else chose.
 */
bool channel_id_parts(struct slice id, int64_t *ret_seconds, int64_t *ret_count);

/* Whether one is not younger than the other. Asterisk numbers a channel as it makes it, and tells
 * of it later, perhaps of another one first: the number counts, where Asterisk chose both. */
bool channel_is_older(const struct channel_age *one, const struct channel_age *other);

/* The device's name: "PJSIP/101" of "PJSIP/101-0000001a"; a Local channel's without ";1". */
struct slice channel_interface(struct slice name);
bool channel_is_local(struct slice name);
/* A program's own ear and mouth and nobody's phone: UnicastRTP and WebSocket, which ARI's
 * externalMedia makes, and AudioSocket (Asterisk 22). */
bool channel_is_media(struct slice name);

#endif
