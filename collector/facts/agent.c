/* SPDX-License-Identifier: MIT */
#include "collector/facts/agent_inner.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/state/channel.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

static struct slice agent_key_of(const void *value)
{
    return slice_from(((const struct agent *)value)->interface);
}

static struct slice phone_key_of(const void *value)
{
    return slice_from(((const struct agent_phone *)value)->device);
}

struct agents agents_new(struct emitter *emit, size_t max)
{
    return (struct agents){.by_interface = table_new(max, agent_key_of),
                           .phones = table_new(max, phone_key_of),
                           .emit = emit};
}

static void phone_free(struct agent_phone *phone)
{
    free(phone->device);
    free(phone);
}

static void membership_clear(struct agent_membership *s)
{
    free(s->queue);
    free(s->reason);
}

static void agent_free(struct agent *a)
{
    for (size_t i = 0; i < a->count; i++)
        membership_clear(&a->memberships[i]);
    free(a->memberships);
    free(a->interface);
    free(a->device);
    free(a->name);
    free(a->linkedid);
    free(a->queue);
    free(a->reason);
    free(a);
}

void agents_free(struct agents *agents)
{
    size_t position = 0;
    struct agent *a;
    while ((a = table_next(&agents->by_interface, &position)))
        agent_free(a);
    table_free(&agents->by_interface);
    position = 0;
    struct agent_phone *phone;
    while ((phone = table_next(&agents->phones, &position)))
        phone_free(phone);
    table_free(&agents->phones);
}

void agent_touch(struct agents *agents, struct agent *a)
{
    saved_touch(&a->saved);
    if (a->changed)
        return;
    a->changed = true;
    a->next_changed = agents->changed;
    agents->changed = a;
}

static struct agent *get(struct agents *agents, struct slice interface)
{
    struct agent *a = table_find(&agents->by_interface, interface);
    if (a || !interface.n)
        return a;
    a = memory_zeroed(1, sizeof(*a));
    if (!a)
        return NULL;
    if (!text_set(&a->interface, interface) || !table_add(&agents->by_interface, a)) {
        agents->refused++;
        agent_free(a);
        return NULL;
    }
    a->since = agents->emit->now;
    a->since_snapshot = true;
    a->saved = (struct saved){.kind = SAVED_AGENT, .list = agents->saved};
    return a;
}

struct agent_membership *agent_membership(const struct agent *a, struct slice queue)
{
    for (size_t i = 0; i < a->count; i++) {
        if (slice_equal(slice_from(a->memberships[i].queue), queue))
            return &a->memberships[i];
    }
    return NULL;
}

static struct agent_membership *membership(struct agent *a, struct slice queue)
{
    struct agent_membership *s = agent_membership(a, queue);
    if (s)
        return s;
    if (a->count == AGENT_MEMBERSHIPS_MAX)
        return NULL;
    struct agent_membership *more =
        memory_resized(a->memberships, (a->count + 1) * sizeof(*a->memberships));
    if (!more)
        return NULL;
    a->memberships = more;
    more[a->count] = (struct agent_membership){0};
    if (!text_set(&more[a->count].queue, queue))
        return NULL;
    return &more[a->count++];
}

static void take_membership(struct agents *agents, struct agent *a, const struct ami_message *m)
{
    struct agent_membership *s = membership(a, ami_message_get(m, AMI_HEADER_QUEUE));
    if (!s) {
        agents->refused++;
        return;
    }
    int64_t paused = 0;
    ami_text_int(ami_message_get(m, AMI_HEADER_PAUSED), &paused);
    if (paused && !s->paused)
        agent_end_wrap(a);
    s->paused = paused != 0;
    text_set(&s->reason, ami_message_get(m, AMI_HEADER_PAUSEDREASON));
    ami_text_int(ami_message_get(m, AMI_HEADER_PENALTY), &s->penalty);
    ami_text_int(ami_message_get(m, AMI_HEADER_CALLSTAKEN), &s->calls_taken);
    ami_text_seconds(ami_message_get(m, AMI_HEADER_WRAPUPTIME), &s->wrapup);
}

static struct agent_phone *phone_get(struct agents *agents, struct slice device)
{
    struct agent_phone *phone = table_find(&agents->phones, device);
    if (phone || !device.n)
        return phone;
    phone = memory_zeroed(1, sizeof(*phone));
    if (!phone)
        return NULL;
    if (!text_set(&phone->device, device) || !table_add(&agents->phones, phone)) {
        agents->refused++;
        phone_free(phone);
        return NULL;
    }
    return phone;
}

static void phone_forget_unused(struct agents *agents, struct agent_phone *phone)
{
    if (phone->agents || phone->use.ringing || phone->use.up)
        return;
    table_remove(&agents->phones, slice_from(phone->device));
    phone_free(phone);
}

void agents_phone(struct agents *agents, struct slice device, struct agent_use by)
{
    struct agent_phone *phone = phone_get(agents, device);
    if (!phone)
        return;
    agent_phone_used(agents, phone, by);
    phone_forget_unused(agents, phone);
}

static void put_down(struct agents *agents, struct agent *a)
{
    struct agent_phone *phone = a->phone;
    if (!phone)
        return;
    struct agent **p = &phone->agents;
    while (*p != a)
        p = &(*p)->next_on_phone;
    *p = a->next_on_phone;
    a->phone = NULL;
    a->next_on_phone = NULL;
    phone_forget_unused(agents, phone);
}

/* The phone's calls count as the agent's. */
static void take_phone(struct agents *agents, struct agent *a, struct slice device)
{
    if (a->phone && slice_equal(slice_from(a->phone->device), device))
        return;
    put_down(agents, a);
    struct agent_phone *phone = device.n ? phone_get(agents, device) : NULL;
    if (!phone)
        return;
    struct agent **p = &phone->agents;
    while (*p && strcmp((*p)->interface, a->interface) < 0)
        p = &(*p)->next_on_phone;
    a->next_on_phone = *p;
    *p = a;
    a->phone = phone;
    a->seen_calls |= phone->use.ringing || phone->use.up;
}

/* Whether it names a device whose channels bear its name, or somebody who logs in with AgentLogin:
 * not a Local channel, a hint or a custom state. */
static bool is_device(struct slice interface)
{
    if (slice_starts(interface, SLICE("Agent:")))
        return true;
    return interface.n && memchr(interface.p, '/', interface.n) && !channel_is_local(interface) &&
           !memchr(interface.p, ':', interface.n);
}

/* The device behind the member: its state interface or itself. */
static void take_device(struct agents *agents, struct agent *a, const struct ami_message *m)
{
    struct slice device = ami_message_get(m, AMI_HEADER_STATEINTERFACE);
    if (!ami_message_has(m, AMI_HEADER_STATEINTERFACE))
        return;
    if (!is_device(device))
        device = is_device(slice_from(a->interface)) ? slice_from(a->interface) : SLICE("");
    text_set(&a->device, device);
    take_phone(agents, a, device);
}

/* The list item says Name and Location where the events say MemberName and Interface. */
static struct slice either(const struct ami_message *m, enum ami_header_id id,
                           enum ami_header_id other)
{
    return ami_message_has(m, id) ? ami_message_get(m, id) : ami_message_get(m, other);
}

void agents_member(struct agents *agents, const struct ami_message *m)
{
    struct agent *a = get(agents, either(m, AMI_HEADER_INTERFACE, AMI_HEADER_LOCATION));
    if (!a)
        return;
    bool fresh = !a->count && !a->logged_in;
    take_device(agents, a, m);
    text_set(&a->name, either(m, AMI_HEADER_MEMBERNAME, AMI_HEADER_NAME));
    take_membership(agents, a, m);
    ami_text_int(ami_message_get(m, AMI_HEADER_STATUS), &a->status);
    if (fresh)
        agent_begin_state(agents, a);
    agent_update(agents, a);
    if (fresh && agents->appeared)
        agents->appeared(agents->ctx, slice_from(a->interface));
}

bool agents_repaused(const struct agents *agents, const struct ami_message *m)
{
    const struct agent *a =
        table_find(&agents->by_interface, ami_message_get(m, AMI_HEADER_INTERFACE));
    const struct agent_membership *s =
        a ? agent_membership(a, ami_message_get(m, AMI_HEADER_QUEUE)) : NULL;
    return s && s->paused && slice_is(ami_message_get(m, AMI_HEADER_PAUSED), "1") &&
           !slice_equal(slice_from(s->reason), ami_message_get(m, AMI_HEADER_PAUSEDREASON));
}

void agents_member_lost(struct agents *agents, struct slice interface, struct slice queue)
{
    struct agent *a = table_find(&agents->by_interface, interface);
    for (size_t i = 0; a && i < a->count; i++) {
        if (!slice_equal(slice_from(a->memberships[i].queue), queue))
            continue;
        membership_clear(&a->memberships[i]);
        a->memberships[i] = a->memberships[--a->count];
        if (slice_equal(slice_from(a->queue), queue))
            agent_end_wrap(a);
        a->gone = !a->count && !a->logged_in;
        if (!a->gone)
            agent_update(agents, a);
        agent_touch(agents, a);
        return;
    }
}

void agents_member_removed(struct agents *agents, const struct ami_message *m)
{
    agents_member_lost(agents, ami_message_get(m, AMI_HEADER_INTERFACE),
                       ami_message_get(m, AMI_HEADER_QUEUE));
}

const struct agent_membership *agents_membership(const struct agents *agents,
                                                 struct slice interface, struct slice queue)
{
    const struct agent *a = table_find(&agents->by_interface, interface);
    return a ? agent_membership(a, queue) : NULL;
}

void agents_login(struct agents *agents, struct slice interface, struct slice device, bool known)
{
    struct agent *a = get(agents, interface);
    if (!a || a->logged_in)
        return;
    a->logged_in = true;
    a->since_snapshot = known;
    text_set(&a->name, slice_from_offset(interface, strlen("Agent:")));
    text_set(&a->device, device);
    take_phone(agents, a, interface);
    agent_begin_state(agents, a);
    agent_update(agents, a);
}

void agents_logoff(struct agents *agents, struct slice interface)
{
    struct agent *a = table_find(&agents->by_interface, interface);
    if (!a)
        return;
    a->gone = a->count == 0;
    a->logged_in = a->gone;
    agent_touch(agents, a);
}

/* A member of no queue any more, who did not log in either, is no agent. */
static void agent_end(struct agents *agents, struct agent *a)
{
    agent_fact_interval(agents->emit, a);
    agent_fact_gone(agents->emit, a);
    saved_end(&a->saved, SLICE("agent/"), slice_from(a->interface));
    table_remove(&agents->by_interface, slice_from(a->interface));
    put_down(agents, a);
    agent_free(a);
}

void agents_blind(struct agents *agents)
{
    size_t position = 0;
    struct agent *a;
    while ((a = table_next(&agents->by_interface, &position)))
        agent_blind(a);
}

void agents_tell(struct agents *agents)
{
    while (agents->changed) {
        struct agent *a = agents->changed;
        agents->changed = a->next_changed;
        a->changed = false;
        if (a->gone)
            agent_end(agents, a);
        else
            agent_fact_state(agents->emit, a);
    }
}

struct agent *agents_restore(struct agents *agents, struct slice interface)
{
    struct agent *a = table_find(&agents->by_interface, interface) ? NULL : get(agents, interface);
    if (a)
        a->saved.stored = true;
    return a;
}

struct agent_membership *agents_restore_membership(struct agent *a, struct slice queue)
{
    return membership(a, queue);
}

void agents_restoring(struct agents *agents)
{
    size_t position = 0;
    struct agent *a;
    agents->restoring = true;
    while ((a = table_next(&agents->by_interface, &position)))
        take_phone(agents, a, slice_from(a->logged_in ? a->interface : a->device));
}

void agents_restored(struct agents *agents)
{
    size_t position = 0;
    struct agent *a;
    agents->restoring = false;
    while ((a = table_next(&agents->by_interface, &position)))
        agent_touch(agents, a);
    agents_resume_wraps(agents);
    agents_tell(agents);
}
