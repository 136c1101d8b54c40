/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_TAP_INTERNAL_H
#define COLLECTOR_FACTS_TAP_INTERNAL_H

#include "collector/facts/agent.h"
#include "collector/facts/call.h"
#include "collector/facts/call_moves.h"
#include "collector/facts/cdr.h"
#include "collector/facts/drift.h"
#include "collector/facts/endpoint.h"
#include "collector/facts/queue_drift.h"
#include "collector/facts/registration.h"
#include "collector/facts/tap.h"
#include "collector/facts/trunk.h"
#include "collector/facts/visit.h"
#include "collector/state/place.h"

/* What the files of the tap share; nobody else includes it. */

#define TAP_CHANNELS_MAX      1000000u
#define TAP_BRIDGES_MAX       500000u
#define TAP_CALLS_MAX         1000000u
#define TAP_QUEUES_MAX        10000u
#define TAP_VISITS_MAX        100000u
#define TAP_AGENTS_MAX        100000u
#define TAP_ENDPOINTS_MAX     100000u
#define TAP_REGISTRATIONS_MAX 10000u

/* The newest channel by the count in its Uniqueid. */
struct tap_newest {
    int64_t seconds, count;
};

/* A member of the bridge that BridgeInfo lists, and the item's number: an event since is newer. */
struct tap_member {
    char *uniqueid;
    uint64_t seen;
};
#define TAP_LISTED_MEMBERS_MAX 4096u

/* The last while in which nothing was seen of the PBX. Times are the PBX's. */
struct tap_blind {
    bool open;                /* no snapshot has ended it yet */
    int64_t from;             /* since then */
    int64_t to;               /* until this log-in; 0: there was none in this run */
    uint64_t event;           /* number of the last event before that */
    char reason[24];          /* why, one word */
    struct tap_newest newest; /* before it */
};

/* What of the tap itself has to outlive a restart, as it was saved last. */
struct tap_kept {
    uint64_t facts; /* given until then */
    int64_t last_event;
    bool untimed, dialplan;
    int agi; /* enum emit_sight */
    bool blind;
    int64_t newest; /* count of the newest Uniqueid */
};

struct tap {
    struct tap_options options;
    struct emitter *emit;
    struct saved_list saved;
    struct table channels; /* by Uniqueid */
    struct table bridges;  /* by BridgeUniqueid */
    struct place_memory places;
    struct cdr_engine cdr;
    struct calls calls;
    struct loads loads;
    struct queues queues;
    struct visits visits;
    struct agents agents;
    struct endpoints endpoints;
    struct registrations registrations;
    struct trunks trunks;
    struct drift drift;
    struct queue_drift queue_drift;
    emit_sink sink; /* where facts go */
    void *ctx;
    struct channel_scratch scratch;
    char *member_channel; /* Uniqueid of who runs AddQueueMember or RemoveQueueMember, or NULL */
    char *pause_all; /* interface that PauseQueueMember or UnpauseQueueMember takes everywhere */
    char *pause_channel;     /* Uniqueid of who runs that */
    char *auto_paused;       /* interface that a queue paused for not answering last */
    int64_t auto_paused_at;  /* and when */
    bool auto_paused_in_all; /* in more than this queue, as queue_log has been told */
    char *last_dial;         /* data of the Dial seen last */
    char *originate;         /* data of the Originate seen last, until its dial begins */
    int64_t originate_at;    /* and when */
    bool list_asked[TAP_LISTS];
    uint64_t list_began[TAP_LISTS]; /* number of the last event before it was asked for */
    uint64_t unknown_channels;
    uint64_t members_refused; /* by bridges that hold BRIDGE_MEMBERS_MAX */
    struct tap_kept kept;
    int64_t last_event; /* when it came */
    int64_t event_time; /* what time the PBX had then; 0: none came since the start */
    bool sees_dialplan; /* the account gets events of that class */
    int64_t offset;     /* the PBX's clock less this machine's, by the last event */
    bool timed_before;  /* an event before had a Timestamp, and its arrival is known */
    bool timed;         /* that is what the last event told: it had a Timestamp */
    struct tap_blind blind;
    struct tap_newest newest;
    struct tap_member *members; /* room for TAP_LISTED_MEMBERS_MAX */
    size_t member_count;
    char *members_of;    /* ActionID of the BridgeInfo that lists them, or NULL */
    char *host;          /* that was logged in to last, or NULL */
    char *boot;          /* when the PBX says that it was started, or NULL: not known */
    int64_t next_unsure; /* no unsure channel is given up before; 0: there is none */
};

typedef void (*tap_handler)(struct tap *tap, const struct ami_message *m);

/* One handler per kind of event; each file of the tap holds those of one part of Asterisk. */
void tap_on_newchannel(struct tap *tap, const struct ami_message *m);
void tap_on_channel_state(struct tap *tap, const struct ami_message *m);
void tap_on_newexten(struct tap *tap, const struct ami_message *m);
void tap_on_newcallerid(struct tap *tap, const struct ami_message *m);
void tap_on_newaccountcode(struct tap *tap, const struct ami_message *m);
void tap_on_newconnectedline(struct tap *tap, const struct ami_message *m);
void tap_on_hangup_request(struct tap *tap, const struct ami_message *m);
void tap_on_hangup(struct tap *tap, const struct ami_message *m);
void tap_on_hangup_handler(struct tap *tap, const struct ami_message *m);
void tap_on_varset(struct tap *tap, const struct ami_message *m);
void tap_on_originate_response(struct tap *tap, const struct ami_message *m);
void tap_on_music(struct tap *tap, const struct ami_message *m);
void tap_on_cdr(struct tap *tap, const struct ami_message *m);
void tap_on_hold(struct tap *tap, const struct ami_message *m);
void tap_on_unhold(struct tap *tap, const struct ami_message *m);
void tap_on_channel_seen(struct tap *tap, const struct ami_message *m);
void tap_on_channel_item(struct tap *tap, const struct ami_message *m);

/* Hand-offs, recordings, UserEvents. */
void tap_on_agi_exec_start(struct tap *tap, const struct ami_message *m);
void tap_on_agi_exec_end(struct tap *tap, const struct ami_message *m);
void tap_on_async_agi_start(struct tap *tap, const struct ami_message *m);
void tap_on_async_agi_end(struct tap *tap, const struct ami_message *m);
void tap_on_user_event(struct tap *tap, const struct ami_message *m);
void tap_on_recording_start(struct tap *tap, const struct ami_message *m);
void tap_on_recording_stop(struct tap *tap, const struct ami_message *m);

/* Dials, bridges, parking and transfers. */
void tap_on_dial_begin(struct tap *tap, const struct ami_message *m);
void tap_on_dial_state(struct tap *tap, const struct ami_message *m);
void tap_on_dial_end(struct tap *tap, const struct ami_message *m);
void tap_on_bridge_enter(struct tap *tap, const struct ami_message *m);
void tap_on_bridge_leave(struct tap *tap, const struct ami_message *m);
void tap_on_bridge_destroy(struct tap *tap, const struct ami_message *m);
void tap_on_bridge_listed(struct tap *tap, const struct ami_message *m);
void tap_on_bridge_item(struct tap *tap, const struct ami_message *m);
void tap_on_bridge_items_end(struct tap *tap, const struct ami_message *m);
void tap_on_parked_call(struct tap *tap, const struct ami_message *m);
void tap_on_unparked_call(struct tap *tap, const struct ami_message *m);
void tap_on_park_ended(struct tap *tap, const struct ami_message *m);
void tap_on_pickup(struct tap *tap, const struct ami_message *m);
void tap_on_blind_transfer(struct tap *tap, const struct ami_message *m);
void tap_on_attended_transfer(struct tap *tap, const struct ami_message *m);

/* Queues, their callers and members, and agents. */
void tap_on_queue_caller_join(struct tap *tap, const struct ami_message *m);
void tap_on_queue_caller_leave(struct tap *tap, const struct ami_message *m);
void tap_on_queue_caller_abandon(struct tap *tap, const struct ami_message *m);
void tap_on_agent_called(struct tap *tap, const struct ami_message *m);
void tap_on_agent_connect(struct tap *tap, const struct ami_message *m);
void tap_on_agent_complete(struct tap *tap, const struct ami_message *m);
void tap_on_agent_dump(struct tap *tap, const struct ami_message *m);
void tap_on_agent_ring_no_answer(struct tap *tap, const struct ami_message *m);
void tap_on_agent_login(struct tap *tap, const struct ami_message *m);
void tap_on_agent_logoff(struct tap *tap, const struct ami_message *m);
void tap_on_queue_params(struct tap *tap, const struct ami_message *m);
void tap_on_queue_entry(struct tap *tap, const struct ami_message *m);
void tap_on_queue_member(struct tap *tap, const struct ami_message *m);
void tap_on_queue_member_added(struct tap *tap, const struct ami_message *m);
void tap_on_queue_member_removed(struct tap *tap, const struct ami_message *m);
void tap_on_queue_member_pause(struct tap *tap, const struct ami_message *m);
void tap_on_queue_member_penalty(struct tap *tap, const struct ami_message *m);
void tap_on_queue_member_ringinuse(struct tap *tap, const struct ami_message *m);

/* Endpoints, registrations and trunks. */
void tap_on_device_state(struct tap *tap, const struct ami_message *m);
void tap_on_contact_status(struct tap *tap, const struct ami_message *m);
void tap_on_peer_status(struct tap *tap, const struct ami_message *m);
void tap_on_registry(struct tap *tap, const struct ami_message *m);
void tap_on_registration_item(struct tap *tap, const struct ami_message *m);

/* The channel's part in its trunk's figures, after each look: how is what it is to a trunk that it
 * was not on before. */
void tap_follow_trunk(struct tap *tap, struct channel *c, enum trunk_call how);
/* The same at its end; lost: it ended unseen. */
void tap_leave_trunk(struct tap *tap, struct channel *c, bool lost);
/* A channel that was saved is on its trunk again. */
void tap_rejoin_trunk(struct tap *tap, struct channel *c);
/* The endpoint's calls are counted from now on, if the configuration does not name the trunks. */
void tap_want_trunk(struct tap *tap, const char *endpoint);

/* The channel that an event is about, or NULL when the tap never saw it begin. What the event shows
 * of the channel is taken in, as a look that raised no event of its own. */
struct channel *tap_see(struct tap *tap, const struct ami_message *m,
                        const struct channel_headers *headers);

/* Keeps the values of the configuration's variables: those that come with a channel's every event
 * (manager.conf's channelvars), and that of a VarSet. */
void tap_keep_variables(struct tap *tap, const struct ami_message *m);
void tap_keep_variable(struct tap *tap, struct channel *c, const struct ami_message *m);

/* VarSet MIXMONITOR_FILENAME. */
void tap_recording_named(struct tap *tap, struct channel *c, const struct ami_message *m);

/* The channel of this Uniqueid, or NULL. */
struct channel *tap_channel(const struct tap *tap, struct slice uniqueid);

/* What the event shows of a channel, marked where the account cannot see what the channel runs.
 * False when it shows none. */
bool tap_read_look(struct tap *tap, const struct ami_message *m,
                   const struct channel_headers *headers, struct snapshot_values *ret_seen);

/* A channel that the tap sees for the first time: by its Newchannel, or, born_unseen, in a list. */
void tap_begin_channel(struct tap *tap, const struct snapshot_values *seen, int64_t born,
                       bool born_unseen);

/* What runs at the look's place is known for others that come there unseen. */
void tap_remember_place(struct tap *tap, const struct snapshot_values *seen);

/* What Dial and Queue put on the channels that they call, instead of a dialplan application. */
bool tap_is_outgoing(struct slice application);

/* The others in the bridge may talk with another one now. Asterisk names them in the variable
 * BRIDGEPEER of each, which makes a look of each; an account that sees no variables has to know. */
void tap_touch_members(struct tap *tap, const struct bridge *b);

/* The channel called by itself, so that nobody dials it: its DialEnd is that of the phone which it
 * picks up, in a call that a Pickup names, before it or after it (Asterisk 22). */
bool tap_answers_for_another(const struct channel *c);

/* The channel enters the bridge. One that called by itself and has a dialed phone's application has
 * picked one up, and the Pickup, another thread's, has yet to tell which (Asterisk 22): it counts
 * as dialed, and as old as that phone. */
void tap_foresee_pickup(struct channel *c, const struct bridge *b);

/* A bridge that a list of channels named: what it is is known now, by whatever told it first. */
void tap_settle_bridge(struct tap *tap, struct bridge *b, const struct ami_message *m);

/* A changed look goes to everything that lives on looks. */
void tap_look(struct tap *tap, const struct channel_change *change);

/* The look as it is, once more: something that no header shows has changed. */
void tap_look_again(struct tap *tap, struct channel *c);

/* The account gets events of that class: what channels run is known from now on, and of those from
 * a list it was known already. */
void tap_sees_dialplan(struct tap *tap);

/* Without Newexten the place has to tell that the hang-up extension runs, or that a phone which has
 * left its bridge runs dialplan itself and is dialed no more. */
void tap_note_place(struct channel *c, const struct snapshot_values *seen);

/* The channel does what an AGI does by a command: dials, joins a queue, answers. Where no event
 * showed the command the account does not see the class agi, nor what such an AGI executes. */
void tap_commanded(struct tap *tap, const struct channel *c);

/* Channels that talk with each other get the oldest linkedid among them (Asterisk 22). Where no
 * variable's event shows the look with it, it would come to be known at the hang-up only. */
void tap_share_linkedid(struct tap *tap, const struct bridge *b);

/* What an application that the channel runs does to its CDRs and to queues, and what it tells of
 * events to come. */
void tap_run(struct tap *tap, struct channel *c, struct slice application, struct slice data);

/* The channel runs an application: which events it may cause. What it ran before causes none. */
void tap_note_application(struct tap *tap, const struct channel *c, struct slice application,
                          struct slice data);
/* It does not run what it ran any more. */
void tap_application_over(struct tap *tap, const struct channel *c);
/* The stream was broken: events may be missing. */
void tap_forget_notes(struct tap *tap);
/* The data of an Originate whose dial is still to begin; empty without one. Borrowed, until the
 * next application. */
struct slice tap_originates(const struct tap *tap);

/* The channel runs an application at its place that no Newexten showed. data.p NULL: not known. */
void tap_run_unshown(struct tap *tap, struct channel *c, struct slice application,
                     struct slice data);

/* The channel's hang-up cause is known; the next look carries it. */
void tap_set_cause(struct channel *c, int cause);

/* VarSet QUEUESTATUS on the channel. */
void tap_queue_status(struct tap *tap, struct channel *c, struct slice status);

/* The application whose data was not shown when it began: what is known of it now. */
void tap_complete_data(struct tap *tap, struct channel *c, const struct ami_message *dial);

/* The channel rings, or is up, or not: for its device and for whom it was called. */
void tap_phone(struct tap *tap, struct channel *c, bool ringing, bool up);
/* A member appeared whose channels were there before. */
void tap_member_appeared(void *ctx, struct slice interface);
/* It entered or left a bridge. */
void tap_bridged(struct tap *tap, struct channel *c);
/* It holds the other side, or does so no more. */
void tap_member_holds(struct tap *tap, struct channel *c, bool on);
/* The caller dials it. */
void tap_dialed(const struct channel *caller, struct channel *dest);
/* A channel from the list: somebody may have logged in on it. */
void tap_agent_known(struct tap *tap, struct channel *c);
/* The channel is gone, and with it who logged in on it. */
void tap_agent_gone(struct tap *tap, struct channel *c);

/* A channel that was restored or seen: in all tables but without calls and rows. False when there
 * is no room for it; it is freed then. */
bool tap_channel_add(struct tap *tap, struct channel *c);

/* Its ringing and being up, as calls and agents show them. */
void tap_follow_state(struct tap *tap, struct channel *c);

/* The channel has ended: out of all tables. */
void tap_channel_gone(struct tap *tap, struct channel *c);

/* Tells the live state of all that changed. */
void tap_tell(struct tap *tap);

/* What the PBX's clock shows when this machine's shows now. */
int64_t tap_pbx_time(const struct tap *tap, int64_t now);
/* What is live when the tap has logged in again was not seen all the time. */
void tap_mark_blind(struct tap *tap);
/* As tap_lost_sight, of an earlier run; from is the PBX's time. */
void tap_restore_blind(struct tap *tap, int64_t from, struct slice reason);
/* An event or a list item shows the channel: it is there. */
void tap_seen(struct tap *tap, struct channel *c);
/* Whether it has had no event, and no list has shown it, since before the tap was blind last. */
bool tap_is_stale(const struct tap *tap, const struct channel *c);
/* It ended unseen: its rows, its visits and its call are closed as inferred. */
void tap_lose_channel(struct tap *tap, struct channel *c);
/* Who waited in a queue before event `began` and has not been shown since has left unseen. */
void tap_lose_visits(struct tap *tap, uint64_t began);
/* Gives up channels that nothing confirmed for long enough. */
void tap_expire_unsure(struct tap *tap);
/* The PBX's clock was set. */
void tap_unsure_clock_set(struct tap *tap, int64_t by);
/* A channel's Uniqueid: one that counts from the beginning shows that the PBX was started anew. */
void tap_note_id(struct tap *tap, struct slice uniqueid);
/* FullyBooted. */
void tap_on_fully_booted(struct tap *tap, const struct ami_message *m);
/* Fact gap; times are the PBX's. */
void tap_tell_gap(struct tap *tap, int64_t from, int64_t to, struct slice reason);

/* A reading of the queues is told when it is due, by this machine's clock. */
void tap_queues_read(struct tap *tap, int64_t now);

/* The bridge that the event is about, made when it is the first to name it; NULL without one, or
 * when it cannot be held. */
struct bridge *tap_bridge(struct tap *tap, const struct ami_message *m);

#endif
