/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_AGENT_INNER_H
#define COLLECTOR_FACTS_AGENT_INNER_H

#include "collector/facts/agent.h"

/* What the files of the agents share; nobody else includes it. */

/* The agent's live state is to be told when the event at hand is done. */
void agent_touch(struct agents *agents, struct agent *a);

/* What the agent is known to do now. */
enum agent_state agent_state_of(const struct agents *agents, const struct agent *a);
/* Begins with a state that nobody saw begin. */
void agent_begin_state(struct agents *agents, struct agent *a);
/* The only way from one state into another: tells the interval that ends. */
void agent_update(struct agents *agents, struct agent *a);
/* The tap was blind: neither its present state was seen to begin nor the call that it may have. */
void agent_blind(struct agent *a);
/* Nothing is wrapped up any more. */
void agent_end_wrap(struct agent *a);

/* Channels of the phone changed. */
void agent_phone_used(struct agents *agents, struct agent_phone *phone, struct agent_use by);
/* Wrap-ups were taken back: finds the first that ends. */
void agents_resume_wraps(struct agents *agents);

/* Why the agent is paused; {NULL, 0} when not or without a reason. */
struct slice agent_pause_reason(const struct agent *a);
/* The membership of the queue, or NULL. */
struct agent_membership *agent_membership(const struct agent *a, struct slice queue);

/* The facts: the interval that ends now, the live state, and that the agent is gone. */
void agent_fact_interval(struct emitter *e, const struct agent *a);
void agent_fact_state(struct emitter *e, struct agent *a);
void agent_fact_gone(struct emitter *e, const struct agent *a);

#endif
