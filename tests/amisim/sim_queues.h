/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_QUEUES_H
#define TESTS_AMISIM_SIM_QUEUES_H

#include "tests/amisim/sim_model.h"

/* The simulated PBX's queues: parameters from a recording's listing, members and waiting callers
 * from that and from the events played since. */

#define SIM_QUEUE_MEMBERS_MAX 64u
#define SIM_QUEUE_CALLERS_MAX 512u

struct sim_member {
    char name[SIM_ID_SIZE];
    char interface[SIM_ID_SIZE];
    char wrapuptime[16];
    struct buf lines; /* "StateInterface" to "PausedReason", the same in events and listings */
};

struct sim_caller {
    char uniqueid[SIM_ID_SIZE];
    char channel[SIM_ID_SIZE];
    char number[SIM_ID_SIZE];
    char name[SIM_ID_SIZE];
    int64_t joined_us;
};

struct sim_queue {
    char name[SIM_ID_SIZE];
    char strategy[32];
    int64_t max, service_level, weight;
    int64_t completed, abandoned, completed_in_level, hold, talk; /* as app_queue.c counts */
    unsigned members_count, callers_count;
    struct sim_member members[SIM_QUEUE_MEMBERS_MAX];
    struct sim_caller callers[SIM_QUEUE_CALLERS_MAX];
    UT_hash_handle hh;
};

/* Takes a QueueParams or QueueMember item of a listing; a queue's counters start at 0. */
void sim_queues_seed(struct sim_queue **queues, struct slice frame);

/* Applies one event as sent; others than queue events change nothing. */
void sim_queues_event(struct sim_queue **queues, struct slice name, struct slice frame,
                      int64_t time_us);

/* Forgets all queues and frees them. */
void sim_queues_clear(struct sim_queue **queues);

#endif
