/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_AGENT_H
#define COLLECTOR_FACTS_AGENT_H

#include "collector/facts/emit.h"
#include "collector/state/saved.h"
#include "collector/state/table.h"
#include "parsers/ami_message.h"

/* Agents are queue members, told apart by their interface; one agent may be a member of several
 * queues (app_queue's QueueMember… events, Asterisk 12 to 23). */

enum agent_state { AGENT_OFFLINE, AGENT_AVAILABLE, AGENT_RINGING, AGENT_ON_CALL, AGENT_PAUSED };

struct agent_membership {
    char *queue;
    char *reason; /* of the pause, or NULL */
    bool paused;
    int64_t penalty;
    int64_t calls_taken;
};

/* A member of more queues than this is followed in the first ones only. */
#define AGENT_MEMBERSHIPS_MAX 256u

/* The calls of one device, over all its channels. */
struct agent_phone {
    char *device; /* "PJSIP/101" */
    unsigned ringing;
    unsigned up;
    struct agent *agent; /* whose StateInterface it is, or NULL */
};

struct agent {
    char *interface;
    char *device;              /* its StateInterface, or NULL */
    struct agent_phone *phone; /* of its StateInterface, or NULL while that has had no call */
    char *name;
    enum agent_state state;
    int64_t since;
    int64_t status; /* AST_DEVICE_*, as QueueMemberStatus has it */
    struct agent_membership *memberships;
    size_t count;
    char *reason;        /* of the pause, while the state is paused */
    bool call_over;      /* AgentComplete came; the phone is not down yet */
    char *linkedid;      /* of the queue call it has, or NULL */
    bool since_snapshot; /* the present state was not seen to begin */
    bool had_call;       /* of one that was saved: its phone has had a call */
    bool changed;
    uint64_t told; /* what of it was told last (emit_end_state) */
    struct agent *next_changed;
    struct saved saved;
};

struct agents {
    struct table by_interface;
    struct table phones;
    struct emitter *emit;
    struct agent *changed;
    struct saved_list *saved; /* NULL: agents are not saved */
    uint64_t refused;
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
/* The agent took, or ended, a queue's call; linkedid empty when it ended. */
void agents_call(struct agents *agents, struct slice interface, struct slice linkedid);

/* A channel of a device began or stopped to ring or to be up: what is added to its counts. */
void agents_phone(struct agents *agents, struct slice device, int ringing, int up);

/* Tells the live state of those that changed. */
void agents_tell(struct agents *agents);

/* A new agent, for one that was saved. NULL when there is no room. */
struct agent *agents_restore(struct agents *agents, struct slice interface);
/* A new membership of it, or the one it has of this queue. NULL when there is no room. */
struct agent_membership *agents_restore_membership(struct agent *a, struct slice queue);
/* All agents and all channels were taken back: ties agents to their phones and tells them. */
void agents_restored(struct agents *agents);

#endif
