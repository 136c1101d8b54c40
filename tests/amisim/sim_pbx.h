/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_PBX_H
#define TESTS_AMISIM_SIM_PBX_H

#include "tests/amisim/sim_queues.h"
#include "tests/amisim/sim_session.h"

/* The manager of the simulated PBX: its one account, and what it answers to each action, in the
 * words of Asterisk 22 (main/manager.c, manager_bridges.c, app_queue.c, res_manager_devicestate.c,
 * app_confbridge.c). */

enum sim_verdict {
    SIM_ALLOWED, /* answered */
    SIM_REFUSED, /* known to Asterisk, and not for this account */
    SIM_UNKNOWN, /* not an action */
    SIM_FAILED,  /* a log-in that was wrong */
    SIM_VERDICT_COUNT
};

struct sim_pbx {
    const char *user;
    const char *secret;
    const char *version; /* of the banner */
    const char *system_name;
    uint32_t read; /* the account's classes */
    uint32_t write;
    int64_t started_us;
    struct sim_model model;
    struct sim_queue *queues;
    /* Told of every action, after it was answered. name is as sent, 64 bytes at most. */
    void (*recorded)(void *ctx, const struct sim_account *account, struct slice name,
                     enum sim_verdict verdict);
    void *ctx;
};

/* Writes the banner. */
void sim_pbx_greet(const struct sim_pbx *pbx, struct sim_session *s);

/* Answers one action (its lines, without the blank line). */
void sim_pbx_action(struct sim_pbx *pbx, struct sim_session *s, struct slice lines);

/* Microseconds since 1970. */
int64_t sim_pbx_now(void);

#endif
