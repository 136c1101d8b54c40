/* SPDX-License-Identifier: MIT */
#include "collector/facts/agent.h"

#include "collector/base/text.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

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

static const char *const state_names[] = {[AGENT_OFFLINE] = "offline",
                                          [AGENT_AVAILABLE] = "available",
                                          [AGENT_RINGING] = "ringing",
                                          [AGENT_ON_CALL] = "on_call",
                                          [AGENT_PAUSED] = "paused"};

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

static void touch(struct agents *agents, struct agent *a)
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
    a = calloc(1, sizeof(*a));
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

static struct agent_membership *membership(struct agent *a, struct slice queue)
{
    for (size_t i = 0; i < a->count; i++) {
        if (slice_equal(slice_from(a->memberships[i].queue), queue))
            return &a->memberships[i];
    }
    if (a->count == AGENT_MEMBERSHIPS_MAX)
        return NULL;
    struct agent_membership *more =
        realloc(a->memberships, (a->count + 1) * sizeof(*a->memberships));
    if (!more)
        return NULL;
    a->memberships = more;
    more[a->count] = (struct agent_membership){0};
    if (!text_set(&more[a->count].queue, queue))
        return NULL;
    return &more[a->count++];
}

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

/* The channels decide where they are seen: a device's own state calls a phone busy that only rings
 * (device_state_busy_at), and comes later than they do. */
static enum agent_state state_of(const struct agent *a)
{
    enum agent_state state = state_of_status(a->status);
    const struct agent_phone *phone = a->phone;
    if (phone && phone->up)
        return AGENT_ON_CALL;
    if (phone && phone->ringing)
        return AGENT_RINGING;
    if (phone && (state == AGENT_ON_CALL || state == AGENT_RINGING))
        state = AGENT_AVAILABLE;
    return state == AGENT_AVAILABLE && paused_everywhere(a) ? AGENT_PAUSED : state;
}

static struct slice pause_reason(const struct agent *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->memberships[i].paused && a->memberships[i].reason)
            return slice_from(a->memberships[i].reason);
    }
    return (struct slice){NULL, 0};
}

/* The interval that ends now. */
static void tell_interval(struct agents *agents, const struct agent *a)
{
    struct slice interface = slice_from(a->interface);
    struct emit_about about = {.kind = FACT_AGENT,
                               .subject = interface,
                               .key = interface,
                               .flags = a->since_snapshot ? FACT_IS_INFERRED : 0};
    struct fact_builder *f = emit_begin(agents->emit, &about);
    fact_put_known(f, FIELD_AGENT, slice_from(a->name));
    fact_put_string(f, FIELD_INTERFACE, interface);
    fact_put_string(f, FIELD_STATE, slice_from(state_names[a->state]));
    fact_put_time(f, FIELD_START, a->since);
    fact_put_time(f, FIELD_END, agents->emit->now);
    fact_put_seconds(f, FIELD_DURATION, agents->emit->now - a->since);
    fact_put_known(f, FIELD_REASON, slice_from(a->reason));
    fact_put_known(f, FIELD_LINKEDID, slice_from(a->linkedid));
    emit_end(agents->emit);
}

static void enter_state(struct agent *a, enum agent_state state)
{
    a->state = state;
    text_set(&a->reason, state == AGENT_PAUSED ? pause_reason(a) : SLICE(""));
    if (a->call_over && state != AGENT_ON_CALL) {
        text_set(&a->linkedid, SLICE(""));
        a->call_over = false;
    }
}

static void change_state(struct agents *agents, struct agent *a, enum agent_state state)
{
    if (a->state == state)
        return;
    if (agents->emit->now > a->since)
        tell_interval(agents, a);
    enter_state(a, state);
    a->since = agents->emit->now;
    a->since_snapshot = false;
}

static void take_membership(struct agent *a, const struct ami_message *m)
{
    struct agent_membership *s = membership(a, ami_message_get(m, AMI_HEADER_QUEUE));
    if (!s)
        return;
    int64_t paused = 0;
    ami_text_int(ami_message_get(m, AMI_HEADER_PAUSED), &paused);
    s->paused = paused != 0;
    text_set(&s->reason, ami_message_get(m, AMI_HEADER_PAUSEDREASON));
    ami_text_int(ami_message_get(m, AMI_HEADER_PENALTY), &s->penalty);
    ami_text_int(ami_message_get(m, AMI_HEADER_CALLSTAKEN), &s->calls_taken);
}

static struct agent_phone *phone_get(struct agents *agents, struct slice device)
{
    struct agent_phone *phone = table_find(&agents->phones, device);
    if (phone || !device.n)
        return phone;
    phone = calloc(1, sizeof(*phone));
    if (!phone)
        return NULL;
    if (!text_set(&phone->device, device) || !table_add(&agents->phones, phone)) {
        agents->refused++;
        phone_free(phone);
        return NULL;
    }
    return phone;
}

void agents_phone(struct agents *agents, struct slice device, int ringing, int up)
{
    struct agent_phone *phone = phone_get(agents, device);
    if (!phone)
        return;
    phone->ringing = (unsigned)((int)phone->ringing + ringing);
    phone->up = (unsigned)((int)phone->up + up);
    struct agent *a = phone->agent;
    if (a) {
        a->phone = phone;
        change_state(agents, a, state_of(a));
        touch(agents, a);
    } else if (!phone->ringing && !phone->up) {
        table_remove(&agents->phones, device);
        phone_free(phone);
    }
}

/* The device behind the member, whose calls count as the agent's. */
static void take_phone(struct agents *agents, struct agent *a, struct slice device)
{
    struct agent_phone *phone = device.n && !a->phone ? phone_get(agents, device) : NULL;
    if (!phone || phone->agent || !text_set(&a->device, device))
        return;
    phone->agent = a;
    if (phone->ringing || phone->up)
        a->phone = phone;
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
    bool fresh = a->count == 0;
    take_phone(agents, a, ami_message_get(m, AMI_HEADER_STATEINTERFACE));
    text_set(&a->name, either(m, AMI_HEADER_MEMBERNAME, AMI_HEADER_NAME));
    take_membership(a, m);
    ami_text_int(ami_message_get(m, AMI_HEADER_STATUS), &a->status);
    if (fresh)
        enter_state(a, state_of(a));
    else
        change_state(agents, a, state_of(a));
    touch(agents, a);
}

bool agents_repaused(const struct agents *agents, const struct ami_message *m)
{
    const struct agent *a =
        table_find(&agents->by_interface, ami_message_get(m, AMI_HEADER_INTERFACE));
    if (!a || !slice_is(ami_message_get(m, AMI_HEADER_PAUSED), "1"))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct agent_membership *s = &a->memberships[i];
        if (slice_equal(slice_from(s->queue), ami_message_get(m, AMI_HEADER_QUEUE)))
            return s->paused &&
                   !slice_equal(slice_from(s->reason), ami_message_get(m, AMI_HEADER_PAUSEDREASON));
    }
    return false;
}

void agents_member_removed(struct agents *agents, const struct ami_message *m)
{
    struct agent *a = table_find(&agents->by_interface, ami_message_get(m, AMI_HEADER_INTERFACE));
    struct slice queue = ami_message_get(m, AMI_HEADER_QUEUE);
    for (size_t i = 0; a && i < a->count; i++) {
        if (!slice_equal(slice_from(a->memberships[i].queue), queue))
            continue;
        membership_clear(&a->memberships[i]);
        a->memberships[i] = a->memberships[--a->count];
        if (a->count)
            change_state(agents, a, state_of(a));
        touch(agents, a);
        return;
    }
}

void agents_call(struct agents *agents, struct slice interface, struct slice linkedid)
{
    struct agent *a = table_find(&agents->by_interface, interface);
    if (!a)
        return;
    /* The interval that ends with the phone's hang-up is still about the call. */
    a->call_over = !linkedid.n && a->state == AGENT_ON_CALL;
    if (!a->call_over)
        text_set(&a->linkedid, linkedid);
    touch(agents, a);
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

static void tell_state(struct agents *agents, struct agent *a)
{
    struct slice interface = slice_from(a->interface);
    struct emit_about about = {.kind = FACT_AGENT_STATE, .subject = interface, .key = interface};
    struct fact_builder *f = emit_begin(agents->emit, &about);
    fact_put_known(f, FIELD_AGENT, slice_from(a->name));
    fact_put_string(f, FIELD_INTERFACE, interface);
    fact_put_string(f, FIELD_STATE, slice_from(state_names[a->state]));
    fact_put_time(f, FIELD_SINCE, a->since);
    fact_put_known(f, FIELD_REASON, pause_reason(a));
    fact_put_known(f, FIELD_LINKEDID, slice_from(a->linkedid));
    put_memberships(f, a);
    emit_end_state(agents->emit, &about, &a->told);
}

/* A member of no queue any more is no agent. */
static void agent_end(struct agents *agents, struct agent *a)
{
    struct slice interface = slice_from(a->interface);
    struct emit_about about = {.kind = FACT_AGENT_STATE,
                               .subject = interface,
                               .key = interface,
                               .flags = FACT_IS_TOMBSTONE};
    tell_interval(agents, a);
    emit_begin(agents->emit, &about);
    emit_end(agents->emit);
    saved_end(&a->saved, SLICE("agent/"), interface);
    table_remove(&agents->by_interface, interface);
    size_t position = 0;
    struct agent_phone *phone;
    while ((phone = table_next(&agents->phones, &position))) {
        if (phone->agent == a)
            phone->agent = NULL;
    }
    agent_free(a);
}

void agents_tell(struct agents *agents)
{
    while (agents->changed) {
        struct agent *a = agents->changed;
        agents->changed = a->next_changed;
        a->changed = false;
        if (a->count)
            tell_state(agents, a);
        else
            agent_end(agents, a);
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

void agents_restored(struct agents *agents)
{
    size_t position = 0;
    struct agent *a;
    while ((a = table_next(&agents->by_interface, &position))) {
        struct agent_phone *phone = a->device ? phone_get(agents, slice_from(a->device)) : NULL;
        if (phone && !phone->agent) {
            phone->agent = a;
            if (a->had_call || phone->ringing || phone->up)
                a->phone = phone;
        }
        touch(agents, a);
    }
    agents_tell(agents);
}
