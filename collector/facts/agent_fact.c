/* SPDX-License-Identifier: MIT */
#include "collector/facts/agent_inner.h"

static const char *const state_names[] = {
    [AGENT_OFFLINE] = "offline", [AGENT_AVAILABLE] = "available", [AGENT_RINGING] = "ringing",
    [AGENT_ON_CALL] = "on_call", [AGENT_PAUSED] = "paused",       [AGENT_ON_HOLD] = "on_hold",
    [AGENT_WRAP_UP] = "wrap_up"};

static void put_who(struct fact_builder *f, const struct agent *a)
{
    fact_put_known(f, FIELD_AGENT, slice_from(a->name));
    fact_put_string(f, FIELD_INTERFACE, slice_from(a->interface));
    fact_put_string(f, FIELD_LOGIN, a->logged_in ? SLICE("agent") : SLICE("queue"));
    fact_put_known(f, FIELD_DEVICE, slice_from(a->device));
    fact_put_string(f, FIELD_STATE, slice_from(state_names[a->state]));
    fact_put_bool(f, FIELD_STATE_DERIVED, a->state == AGENT_ON_HOLD || a->state == AGENT_WRAP_UP);
}

static void put_call(struct fact_builder *f, const struct agent *a)
{
    fact_put_known(f, FIELD_QUEUE, slice_from(a->queue));
    fact_put_known(f, FIELD_LINKEDID, slice_from(a->linkedid));
}

void agent_fact_interval(struct emitter *e, const struct agent *a)
{
    struct slice interface = slice_from(a->interface);
    struct emit_about about = {.kind = FACT_AGENT,
                               .subject = interface,
                               .key = interface,
                               .flags = a->since_snapshot ? FACT_IS_INFERRED : 0};
    struct fact_builder *f = emit_begin(e, &about);
    put_who(f, a);
    fact_put_time(f, FIELD_START, a->since);
    fact_put_time(f, FIELD_END, e->now);
    if (a->since)
        fact_put_seconds(f, FIELD_DURATION, e->now - a->since);
    else
        fact_put_null(f, FIELD_DURATION);
    fact_put_known(f, FIELD_REASON, slice_from(a->reason));
    put_call(f, a);
    emit_end(e);
}

static void put_memberships(struct fact_builder *f, const struct agent *a)
{
    fact_open_array(f, FIELD_MEMBERS);
    for (size_t i = 0; i < a->count; i++) {
        const struct agent_membership *s = &a->memberships[i];
        fact_open_object(f, FIELD_MEMBERS);
        fact_put_string(f, FIELD_QUEUE, slice_from(s->queue));
        fact_put_bool(f, FIELD_PAUSED, s->paused);
        fact_put_known(f, FIELD_REASON, slice_from(s->reason));
        fact_put_int(f, FIELD_PENALTY, s->penalty);
        fact_put_int(f, FIELD_CALLS_TAKEN, s->calls_taken);
        fact_close(f);
    }
    fact_close(f);
}

/* Another tap, which saw it begin, may know an earlier beginning, or whose call it is about. An
 * interval that began seen has learnt that before it ends: AgentConnect tells. */
static bool is_unsure(const struct agent *a)
{
    return a->since_snapshot || a->call_unseen;
}

void agent_fact_state(struct emitter *e, struct agent *a)
{
    struct slice interface = slice_from(a->interface);
    struct emit_about about = {.kind = FACT_AGENT_STATE,
                               .subject = interface,
                               .key = interface,
                               .flags = is_unsure(a) ? FACT_IS_INFERRED : 0};
    struct fact_builder *f = emit_begin(e, &about);
    put_who(f, a);
    fact_put_time(f, FIELD_SINCE, a->since);
    fact_put_known(f, FIELD_REASON, agent_pause_reason(a));
    put_call(f, a);
    put_memberships(f, a);
    emit_end_state(e, &about, &a->told);
}

void agent_fact_gone(struct emitter *e, const struct agent *a)
{
    struct slice interface = slice_from(a->interface);
    struct emit_about about = {.kind = FACT_AGENT_STATE,
                               .subject = interface,
                               .key = interface,
                               .flags = FACT_IS_TOMBSTONE};
    emit_begin(e, &about);
    emit_end(e);
}
