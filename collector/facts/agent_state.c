/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"
#include "collector/facts/agent_inner.h"

/* What an agent does, from the device's own state, its channels, pauses and what the queues say. */

/* AST_DEVICE_* of Asterisk 12 to 23, as QueueMember's Status has them. */
enum {
    DEVICE_UNKNOWN = 0,
    DEVICE_NOT_INUSE = 1,
    DEVICE_INUSE = 2,
    DEVICE_BUSY = 3,
    DEVICE_INVALID = 4,
    DEVICE_UNAVAILABLE = 5,
    DEVICE_RINGING = 6,
    DEVICE_RINGINUSE = 7,
    DEVICE_ONHOLD = 8
};

static bool paused_everywhere(const struct agent *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!a->memberships[i].paused)
            return false;
    }
    return a->count > 0;
}

static enum agent_state state_of_status(int64_t status)
{
    switch (status) {
    case DEVICE_INUSE:
    case DEVICE_BUSY:
    case DEVICE_RINGINUSE:
    case DEVICE_ONHOLD:
        return AGENT_ON_CALL;
    case DEVICE_RINGING:
        return AGENT_RINGING;
    case DEVICE_UNAVAILABLE:
    case DEVICE_INVALID:
        return AGENT_OFFLINE;
    case DEVICE_UNKNOWN:
    case DEVICE_NOT_INUSE:
    default:
        return AGENT_AVAILABLE;
    }
}

static int more(int a, int b)
{
    return a > b ? a : b;
}

/* A channel that a queue called is mostly one of the agent's own device, and counted there too. */
static struct agent_use use_of(const struct agent *a)
{
    struct agent_use use = a->legs;
    if (!a->phone)
        return use;
    return (struct agent_use){.ringing = more(use.ringing, a->phone->use.ringing),
                              .up = more(use.up, a->phone->use.up),
                              .held = more(use.held, a->phone->use.held)};
}

/* The channels decide where they are seen: a device's own state calls a phone busy that only rings
 * (device_state_busy_at), comes later than they do, and that of a Local channel goes on when the
 * agent has sent the caller elsewhere. */
enum agent_state agent_state_of(const struct agents *agents, const struct agent *a)
{
    enum agent_state state = a->logged_in ? AGENT_AVAILABLE : state_of_status(a->status);
    struct agent_use use = use_of(a);
    if (use.up > 0)
        return use.held >= use.up ? AGENT_ON_HOLD : AGENT_ON_CALL;
    if (use.ringing > 0)
        return AGENT_RINGING;
    if (a->seen_calls && (state == AGENT_ON_CALL || state == AGENT_RINGING))
        state = AGENT_AVAILABLE;
    if (state != AGENT_AVAILABLE)
        return state;
    if (paused_everywhere(a))
        return AGENT_PAUSED;
    return a->wrap_until > agents->emit->now ? AGENT_WRAP_UP : AGENT_AVAILABLE;
}

struct slice agent_pause_reason(const struct agent *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->memberships[i].paused && a->memberships[i].reason)
            return slice_from(a->memberships[i].reason);
    }
    return (struct slice){NULL, 0};
}

void agent_end_wrap(struct agent *a)
{
    a->wrap_until = 0;
}

static bool is_busy(enum agent_state state)
{
    return state == AGENT_ON_CALL || state == AGENT_ON_HOLD;
}

/* Without a call there is none to be known. */
static bool has_call(enum agent_state state)
{
    return is_busy(state) || state == AGENT_RINGING || state == AGENT_WRAP_UP;
}

static void enter_state(struct agent *a, enum agent_state state)
{
    bool wrapped = a->state == AGENT_WRAP_UP;
    a->state = state;
    text_set(&a->reason, state == AGENT_PAUSED ? agent_pause_reason(a) : SLICE(""));
    if (wrapped || (state != AGENT_AVAILABLE && state != AGENT_WRAP_UP && !is_busy(state)))
        agent_end_wrap(a);
    if (a->in_call || is_busy(state) || state == AGENT_WRAP_UP)
        return;
    text_set(&a->linkedid, SLICE(""));
    text_set(&a->queue, SLICE(""));
}

void agent_begin_state(struct agents *agents, struct agent *a)
{
    enter_state(a, agent_state_of(agents, a));
}

static void change_state(struct agents *agents, struct agent *a, enum agent_state state)
{
    if (a->state == state)
        return;
    if (agents->emit->now > a->since)
        agent_fact_interval(agents->emit, a);
    enter_state(a, state);
    a->since = agents->emit->now;
    a->since_snapshot = !emit_is_new(agents->emit);
    /* What is seen to begin to ring is another call. */
    if (!has_call(state) || (state == AGENT_RINGING && !a->since_snapshot))
        a->call_unseen = false;
    else if (a->since_snapshot)
        a->call_unseen = true;
}

void agent_blind(struct agent *a)
{
    a->since_snapshot = true;
    a->call_unseen = has_call(a->state);
    saved_touch(&a->saved);
}

static bool is_pooled(const struct agent *a)
{
    return a->phone && slice_starts(slice_from(a->phone->device), SLICE("Agent:"));
}

/* Whether a channel of the queue's call that the agent has is still up. The line of one who logged
 * in was there before the call. */
static bool is_talking(const struct agent *a)
{
    return a->legs.up > 0 || (is_pooled(a) && a->phone->use.up > 0);
}

static int64_t wrapup_of(const struct agents *agents, const struct agent *a)
{
    const struct agent_membership *s = agent_membership(a, slice_from(a->queue));
    if (s && s->wrapup)
        return s->wrapup;
    return s && agents->queue_wrapup ? agents->queue_wrapup(agents->ctx, slice_from(a->queue)) : 0;
}

/* The agent's part of the queue's call is over. Wrap-up time counts from AgentComplete, or from
 * the agent's own end where the caller goes on without the agent. */
static void end_call(struct agents *agents, struct agent *a)
{
    int64_t from = a->completed ? a->completed : agents->emit->now;
    int64_t wrapup = wrapup_of(agents, a);
    a->in_call = false;
    a->completed = 0;
    a->wrap_until = wrapup ? from + wrapup : 0;
    if (a->wrap_until && (!agents->next_wrap || a->wrap_until < agents->next_wrap))
        agents->next_wrap = a->wrap_until;
}

void agent_update(struct agents *agents, struct agent *a)
{
    if (agents->restoring)
        return;
    change_state(agents, a, agent_state_of(agents, a));
    agent_touch(agents, a);
}

/* The member, and who logged in as the agent behind it. */
static struct agent *first_of(struct agent *a)
{
    return a && is_pooled(a) ? a->phone->agents : a;
}

static struct agent *next_of(const struct agent *a)
{
    return is_pooled(a) ? a->next_on_phone : NULL;
}

static void set_call(struct agent *a, struct slice queue, struct slice linkedid)
{
    text_set(&a->queue, queue);
    text_set(&a->linkedid, linkedid);
    a->call_unseen = false;
}

void agents_connected(struct agents *agents, struct slice interface, struct slice queue,
                      struct slice linkedid)
{
    struct agent *a = first_of(table_find(&agents->by_interface, interface));
    for (; a; a = next_of(a)) {
        set_call(a, queue, linkedid);
        a->in_call = true;
        a->completed = 0;
        agent_end_wrap(a);
        agent_update(agents, a);
    }
}

void agents_completed(struct agents *agents, struct slice interface)
{
    struct agent *a = table_find(&agents->by_interface, interface);
    if (!a || !a->in_call)
        return;
    a->completed = agents->emit->now;
    if (!is_talking(a))
        end_call(agents, a);
    agent_update(agents, a);
}

static void count(int *n, int by)
{
    *n = more(*n + by, 0);
}

static void add_use(struct agent_use *use, struct agent_use by)
{
    count(&use->ringing, by.ringing);
    count(&use->up, by.up);
    count(&use->held, by.held);
}

/* Where the last channel of the agent's call is down its part is over: before or after
 * AgentComplete, and long before it where the agent sent the caller elsewhere behind Local
 * channels. */
static void follow(struct agents *agents, struct agent *a, bool talked)
{
    a->seen_calls = true;
    if (talked && a->in_call && !is_talking(a) && !agents->restoring)
        end_call(agents, a);
    agent_update(agents, a);
}

void agent_phone_used(struct agents *agents, struct agent_phone *phone, struct agent_use by)
{
    bool talked = phone->use.up > 0;
    add_use(&phone->use, by);
    for (struct agent *a = phone->agents; a; a = a->next_on_phone)
        follow(agents, a, talked && is_pooled(a));
}

/* What rings is the queue's call. */
static void rings_for(const struct agents *agents, struct agent *a, const struct agent_leg *leg)
{
    for (struct agent *one = first_of(a); one && !agents->restoring; one = next_of(one)) {
        if (one->state == AGENT_RINGING && !one->in_call)
            set_call(one, leg->queue, leg->linkedid);
    }
}

bool agents_request(struct agents *agents, const struct agent_leg *leg, int by)
{
    struct agent *a = table_find(&agents->by_interface, leg->interface);
    if (!a || !is_pooled(a))
        return false;
    agent_phone_used(agents, a->phone, (struct agent_use){.ringing = by});
    if (by > 0)
        rings_for(agents, a, leg);
    return true;
}

bool agents_leg(struct agents *agents, const struct agent_leg *leg, struct agent_use by)
{
    struct agent *a = table_find(&agents->by_interface, leg->interface);
    if (!a)
        return false;
    bool talked = is_talking(a);
    add_use(&a->legs, by);
    follow(agents, a, talked);
    if (by.ringing > 0)
        rings_for(agents, a, leg);
    return true;
}

/* Who is the next to be done: the same one in every run, also of two at one moment. */
static struct agent *next_to_wrap(const struct agents *agents)
{
    struct agent *first = NULL, *a;
    size_t position = 0;
    while ((a = table_next(&agents->by_interface, &position))) {
        if (!a->wrap_until || (first && a->wrap_until > first->wrap_until))
            continue;
        if (!first || a->wrap_until < first->wrap_until ||
            strcmp(a->interface, first->interface) < 0)
            first = a;
    }
    return first;
}

void agents_expire(struct agents *agents)
{
    int64_t now = agents->emit->now;
    if (!agents->next_wrap || now < agents->next_wrap)
        return;
    struct agent *a;
    while ((a = next_to_wrap(agents)) && a->wrap_until <= now) {
        agents->emit->now = a->wrap_until;
        agent_end_wrap(a);
        agent_update(agents, a);
        agents_tell(agents);
    }
    agents->emit->now = now;
    agents->next_wrap = a ? a->wrap_until : 0;
}

void agents_resume_wraps(struct agents *agents)
{
    const struct agent *a = next_to_wrap(agents);
    agents->next_wrap = a ? a->wrap_until : 0;
}

void agents_clock_set(struct agents *agents, int64_t by)
{
    size_t position = 0;
    struct agent *a;
    while ((a = table_next(&agents->by_interface, &position))) {
        a->wrap_until += a->wrap_until ? by : 0;
        a->completed += a->completed ? by : 0;
        saved_touch(&a->saved);
    }
    agents_resume_wraps(agents);
}
