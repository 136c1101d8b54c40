/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_AGENT_H
#define COLLECTOR_FACTS_AGENT_H

#include "collector/facts/emit.h"
#include "collector/state/saved.h"
#include "collector/state/table.h"
#include "parsers/ami_message.h"

/* Two kinds of agents, told apart by their interface. Queue members ("PJSIP/101", "Local/101@x"):
 * one may be a member of several queues (app_queue's QueueMember… events, Asterisk 12 to 23).
 * Agents who logged in with AgentLogin ("Agent:1001"): there from AgentLogin to AgentLogoff
 * (app_agent_pool), beside the queue member whose state interface they are. */

enum agent_state {
    AGENT_OFFLINE,
    AGENT_AVAILABLE,
    AGENT_RINGING,
    AGENT_ON_CALL,
    AGENT_PAUSED,
    AGENT_ON_HOLD, /* derived: every call that the agent has is on hold by the agent */
    AGENT_WRAP_UP  /* derived: the queue gives no call yet after the last one */
};

struct agent_membership {
    char *queue;
    char *reason; /* of the pause, or NULL */
    bool paused;
    int64_t penalty;
    int64_t calls_taken;
    int64_t wrapup; /* the member's own wrap-up time, microseconds; 0: it has none */
};

/* A member of more queues than this is followed in the first ones only. */
#define AGENT_MEMBERSHIPS_MAX 256u

/* How many channels ring, are up, and hold the other side. */
struct agent_use {
    int ringing, up, held;
};

/* The calls of one device, over all its channels. */
struct agent_phone {
    char *device; /* "PJSIP/101"; "Agent:1001" for the line of one who logged in */
    struct agent_use use;
    struct agent *agents; /* whose device it is, in the order of their interfaces */
};

struct agent {
    char *interface;
    char *device;              /* whose calls are the agent's, or NULL */
    struct agent_phone *phone; /* of that device, or NULL */
    struct agent *next_on_phone;
    char *name;
    bool logged_in; /* by AgentLogin */
    enum agent_state state;
    int64_t since;
    int64_t status; /* AST_DEVICE_*, as QueueMemberStatus has it */
    struct agent_membership *memberships;
    size_t count;
    char *reason;       /* of the pause, while the state is paused */
    char *linkedid;     /* of the queue call that the agent has, rings for or wraps up, or NULL */
    char *queue;        /* of that call, or NULL */
    bool in_call;       /* AgentConnect came, and the agent's part of the call is not over */
    int64_t completed;  /* when AgentComplete came while the phone was still up, 0: it has not */
    int64_t wrap_until; /* 0: nothing is to be wrapped up */
    struct agent_use legs; /* channels that a queue called for the agent, of whichever device */
    bool seen_calls;       /* channels were seen: these decide what the device's own state cannot */
    bool since_snapshot;   /* the present state was not seen to begin */
    bool call_unseen;      /* nor whose call it is that the state is about */
    uint64_t told;         /* what of its state was told last (emit_end_state) */
    bool gone;             /* to be told as gone when the event at hand is done */
    bool changed;
    struct agent *next_changed;
    struct saved saved;
};

struct agents {
    struct table by_interface;
    struct table phones;
    struct emitter *emit;
    struct agent *changed;
    struct saved_list *saved; /* NULL: agents are not saved */
    int64_t next_wrap;        /* nobody's wrap-up ends before; 0: nobody wraps up */
    bool restoring;           /* channels come back: no state changes by them */
    uint64_t refused;
    /* The wrap-up time of a queue, microseconds, for members without one of their own. NULL: 0. */
    int64_t (*queue_wrapup)(void *ctx, struct slice queue);
    /* The member is new: channels that were called for it are to be counted now. */
    void (*appeared)(void *ctx, struct slice interface);
    void *ctx;
};

/* No agents yet. emit is borrowed; past max agents (or devices) further ones are refused. */
struct agents agents_new(struct emitter *emit, size_t max);
/* Frees them all; tells nothing. */
void agents_free(struct agents *agents);

/* QueueMember (a list item), QueueMemberStatus, QueueMemberAdded, QueueMemberPause,
 * QueueMemberPenalty: what each says of the member as it is now. */
void agents_member(struct agents *agents, const struct ami_message *m);
/* Whether a QueueMemberPause, not taken in yet, gives a pause that goes on another reason. */
bool agents_repaused(const struct agents *agents, const struct ami_message *m);
/* QueueMemberRemoved. */
void agents_member_removed(struct agents *agents, const struct ami_message *m);
/* The member of this queue, or NULL. Borrowed until the next event about it. */
const struct agent_membership *agents_membership(const struct agents *agents,
                                                 struct slice interface, struct slice queue);
/* The member is not in the queue any more, though nothing said so. */
void agents_member_lost(struct agents *agents, struct slice interface, struct slice queue);

/* AgentLogin and AgentLogoff: interface is "Agent:" and the agent's id, device that of the channel
 * which logged in. known: it was not seen to log in. */
void agents_login(struct agents *agents, struct slice interface, struct slice device, bool known);
void agents_logoff(struct agents *agents, struct slice interface);

/* AgentConnect and AgentComplete: the agent took, or ended, a queue's call. */
void agents_connected(struct agents *agents, struct slice interface, struct slice queue,
                      struct slice linkedid);
void agents_completed(struct agents *agents, struct slice interface);

/* Channels of a device began or stopped to ring, to be up, to hold: what is added to its counts. */
void agents_phone(struct agents *agents, struct slice device, struct agent_use by);

/* The same of a channel that a queue called for a member, maybe through Local channels. */
struct agent_leg {
    struct slice interface; /* the member's */
    struct slice queue, linkedid;
};
/* False when there is no such agent: nothing was counted. */
bool agents_leg(struct agents *agents, const struct agent_leg *leg, struct agent_use by);
/* A Local channel that a queue called and that nobody has answered: AgentRequest asks on the line
 * of the agent behind the member, which does not ring. Of other members nothing is counted. */
bool agents_request(struct agents *agents, const struct agent_leg *leg, int by);

/* The PBX's clock was set: wrap-up times last as long as before. */
void agents_clock_set(struct agents *agents, int64_t by);

/* Ends what has been wrapped up by now, as of when each time was over. */
void agents_expire(struct agents *agents);

/* The tap was blind: no present state was seen from its beginning on. */
void agents_blind(struct agents *agents);

/* Tells the live state of those that changed. */
void agents_tell(struct agents *agents);

/* A new agent, for one that was saved. NULL when there is no room. */
struct agent *agents_restore(struct agents *agents, struct slice interface);
/* A new membership of it, or the one it has of this queue. NULL when there is no room. */
struct agent_membership *agents_restore_membership(struct agent *a, struct slice queue);
/* All agents were taken back, their channels follow: ties agents to their phones. */
void agents_restoring(struct agents *agents);
/* All channels were taken back: tells the agents. */
void agents_restored(struct agents *agents);

#endif
