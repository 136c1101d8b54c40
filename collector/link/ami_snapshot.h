/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_AMI_SNAPSHOT_H
#define COLLECTOR_LINK_AMI_SNAPSHOT_H

#include "parsers/ami_action.h"
#include "parsers/ami_message.h"

/* What is asked for after a log-in, one action at a time: lists of what is up, or what the account
 * may do. No I/O: it writes actions and reads answers. */

/* Which of them; a set. */
enum ami_snapshot_lists {
    AMI_SNAPSHOT_CHANNELS = 1, /* CoreStatus, CoreShowChannels and Status; needs write=reporting */
    AMI_SNAPSHOT_BRIDGES = 2,  /* BridgeList, BridgeInfo for each that has members; nothing */
    AMI_SNAPSHOT_QUEUES = 4,   /* QueueStatus; needs nothing */
    AMI_SNAPSHOT_DEVICES = 8,  /* DeviceStateList; needs write=reporting */
    AMI_SNAPSHOT_REGISTRATIONS = 16, /* PJSIPShowRegistrationsOutbound; needs write=reporting */
    AMI_SNAPSHOT_RIGHTS = 32 /* CoreSettings, which needs write=reporting, and ListCommands */
};

#define AMI_SNAPSHOT_BRIDGES_MAX   2048u
#define AMI_SNAPSHOT_BRIDGE_ID_MAX 63u

enum ami_snapshot_verdict {
    AMI_SNAPSHOT_NOT_MINE, /* the message does not belong to the action that was sent last */
    AMI_SNAPSHOT_PART,     /* it does, and more follows */
    AMI_SNAPSHOT_DONE,     /* it is the last of that action */
    AMI_SNAPSHOT_REFUSED   /* the action was refused or failed; nothing follows */
};

struct ami_snapshot {
    unsigned lists; /* of enum ami_snapshot_lists */
    unsigned step;
    enum ami_action action; /* sent last; AMI_ACTION_NONE before the first and after the last */
    uint32_t action_id;
    unsigned bridges; /* whose members are to be asked for */
    unsigned next_bridge;
    uint64_t bridges_left_out; /* past the bounds above; counts over all snapshots */
    char bridge_ids[AMI_SNAPSHOT_BRIDGES_MAX][AMI_SNAPSHOT_BRIDGE_ID_MAX + 1];
};

/* Starts from the first action of these lists, a set of enum ami_snapshot_lists. */
void ami_snapshot_begin(struct ami_snapshot *s, unsigned lists);

/* Writes the next action, with that ActionID. False when there is none left. */
bool ami_snapshot_next(struct ami_snapshot *s, uint32_t action_id,
                       struct ami_action_text *ret_text);

/* What a message (an event or a response) means for the action that was sent last. */
enum ami_snapshot_verdict ami_snapshot_take(struct ami_snapshot *s, const struct ami_message *m);

#endif
