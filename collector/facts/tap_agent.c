/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"
#include "collector/facts/tap_internal.h"
#include <stdio.h>

/* Whose channels are whose: the phones of agents, also behind Local channels, and the lines of
 * those who log in with AgentLogin. */

/* Local channels can stand in a row; more than this is a loop. */
#define LOCALS_MAX 8

static void call_for(struct channel *c, const struct channel_called *called)
{
    text_set(&c->called.member, slice_from(called->member));
    text_set(&c->called.caller, slice_from(called->caller));
    text_set(&c->called.queue, slice_from(called->queue));
    saved_touch(&c->saved);
}

/* A queue calls a Local channel, its other half dials the phone, or a Local channel again. Found
 * when the phone does something: AgentCalled may be told after the dial behind it. */
static void find_member(const struct tap *tap, struct channel *c)
{
    const struct channel *at = c;
    for (int i = 0; i < LOCALS_MAX && at && at->dialer && !c->called.member; i++) {
        struct channel *half = tap_channel(tap, slice_from(at->dialer));
        at = half ? half->half : NULL;
        if (at && at->called.member)
            call_for(c, &at->called);
    }
}

/* A Local half that has been in a bridge dials for whom the call was sent to, no more for the
 * member. */
void tap_dialed(const struct channel *caller, struct channel *dest)
{
    if (!channel_is_local(channel_name(caller)) || caller->been_bridged)
        return;
    text_set(&dest->dialer, channel_uniqueid(caller));
    saved_touch(&dest->saved);
}

static struct agent_use difference(struct channel_use now, struct channel_use *was)
{
    struct agent_use by = {now.ringing - was->ringing, now.up - was->up, now.held - was->held};
    return by;
}

static bool is_any(struct agent_use by)
{
    return by.ringing || by.up || by.held;
}

static void use_phone(struct tap *tap, struct channel *c, struct channel_use now)
{
    struct agent_use by = difference(now, &c->phone_use);
    c->phone_use = now;
    if (is_any(by))
        agents_phone(&tap->agents, channel_interface(channel_name(c)), by);
}

static struct agent_leg leg_of(const struct channel *c)
{
    return (struct agent_leg){.interface = slice_from(c->called.member),
                              .queue = slice_from(c->called.queue),
                              .linkedid = channel_linkedid(c)};
}

static void use_leg(struct tap *tap, struct channel *c, struct channel_use now)
{
    struct agent_use by = difference(now, &c->leg_use);
    struct agent_leg leg = leg_of(c);
    if (is_any(by) && agents_leg(&tap->agents, &leg, by))
        c->leg_use = now;
}

static void use_request(struct tap *tap, struct channel *c, bool asked)
{
    struct agent_leg leg = leg_of(c);
    int by = (int)asked - c->leg_use.ringing;
    if (by && agents_request(&tap->agents, &leg, by))
        c->leg_use.ringing = asked;
}

/* The line of one who logged in is up all the time: on a call while it is in a bridge where people
 * talk. */
static void use_line(struct tap *tap, struct channel *c)
{
    int up = c->bridge && c->bridge->kind == BRIDGE_BASIC;
    struct channel_use now = {.up = up, .held = up && c->holds};
    struct agent_use by = difference(now, &c->leg_use);
    c->leg_use = now;
    if (is_any(by))
        agents_phone(&tap->agents, slice_from(c->agent), by);
}

void tap_phone(struct tap *tap, struct channel *c, bool ringing, bool up)
{
    struct channel_use now = {.ringing = ringing, .up = up, .held = up && c->holds};
    bool over = snapshot_flags(c->now) & SNAPSHOT_DEAD;
    if (channel_is_local(channel_name(c))) {
        if (c->called.member)
            use_request(tap, c, !over && snapshot_state(c->now) != CHANNEL_STATE_UP);
        return;
    }
    if (!c->called.member)
        find_member(tap, c);
    use_phone(tap, c, now);
    if (c->agent)
        use_line(tap, c);
    else if (c->called.member)
        use_leg(tap, c, now);
}

void tap_member_appeared(void *ctx, struct slice interface)
{
    struct tap *tap = ctx;
    size_t position = 0;
    struct channel *c;
    while ((c = table_next(&tap->channels, &position))) {
        if (c->called.member && slice_equal(slice_from(c->called.member), interface))
            tap_phone(tap, c, c->ringing, c->phone_use.up);
    }
}

void tap_bridged(struct tap *tap, struct channel *c)
{
    if (!c->holds && !c->agent)
        return;
    if (c->holds) {
        c->holds = false;
        saved_touch(&c->saved);
    }
    tap_phone(tap, c, c->ringing, c->phone_use.up);
}

void tap_member_holds(struct tap *tap, struct channel *c, bool on)
{
    if (channel_is_local(channel_name(c)))
        return;
    if (c->holds != on) {
        c->holds = on;
        saved_touch(&c->saved);
        tap_phone(tap, c, c->ringing, c->phone_use.up);
    }
    if (c->called.caller)
        visits_hold(&tap->visits, slice_from(c->called.caller), slice_from(c->called.queue), on);
}

/* The channel that a queue calls for a member. */
static void take_called(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    struct slice caller = ami_message_get(m, AMI_HEADER_UNIQUEID);
    if (!c || slice_equal(slice_from(c->called.caller), caller))
        return;
    text_set(&c->called.member, ami_message_get(m, AMI_HEADER_INTERFACE));
    text_set(&c->called.caller, caller);
    text_set(&c->called.queue, ami_message_get(m, AMI_HEADER_QUEUE));
    saved_touch(&c->saved);
    tap_phone(tap, c, c->ringing, c->phone_use.up);
}

/* AgentCalled, AgentConnect, AgentComplete, AgentDump and AgentRingNoAnswer show looks that are
 * made for them and not published: nothing is taken from these. */
void tap_on_agent_called(struct tap *tap, const struct ami_message *m)
{
    take_called(tap, m);
    visits_agent_called(&tap->visits, m);
}

void tap_on_agent_connect(struct tap *tap, const struct ami_message *m)
{
    take_called(tap, m);
    visits_agent_connect(&tap->visits, m);
    agents_connected(&tap->agents, ami_message_get(m, AMI_HEADER_INTERFACE),
                     ami_message_get(m, AMI_HEADER_QUEUE), ami_message_get(m, AMI_HEADER_LINKEDID));
}

void tap_on_agent_complete(struct tap *tap, const struct ami_message *m)
{
    visits_agent_complete(&tap->visits, m);
    agents_completed(&tap->agents, ami_message_get(m, AMI_HEADER_INTERFACE));
}

void tap_on_agent_dump(struct tap *tap, const struct ami_message *m)
{
    visits_agent_dump(&tap->visits, m);
}

void tap_on_agent_ring_no_answer(struct tap *tap, const struct ami_message *m)
{
    visits_ring_no_answer(&tap->visits, m);
}

/* The channel becomes the line of an agent of app_agent_pool; queues know the agent by the state
 * interface "Agent:" and the id. */
static void log_in(struct tap *tap, struct channel *c, struct slice id, bool known)
{
    char name[256];
    int n =
        snprintf(name, sizeof(name), "Agent:%.*s", (int)slice_head(id, 200).n, id.n ? id.p : "");
    text_set(&c->agent, (struct slice){name, (size_t)n});
    saved_touch(&c->saved);
    agents_login(&tap->agents, slice_from(c->agent), channel_interface(channel_name(c)), known);
    tap_phone(tap, c, c->ringing, c->phone_use.up);
}

static void log_off(struct tap *tap, struct channel *c)
{
    struct agent_use none = {-c->leg_use.ringing, -c->leg_use.up, -c->leg_use.held};
    agents_phone(&tap->agents, slice_from(c->agent), none);
    c->leg_use = (struct channel_use){0};
    agents_logoff(&tap->agents, slice_from(c->agent));
    text_set(&c->agent, SLICE(""));
    saved_touch(&c->saved);
}

void tap_agent_known(struct tap *tap, struct channel *c)
{
    if (!c || !slice_is(snapshot_text(c->now, SNAPSHOT_APPLICATION), "AgentLogin"))
        return;
    struct slice data = snapshot_text(c->now, SNAPSHOT_APPDATA);
    if (data.n)
        log_in(tap, c, slice_until(data, ','), true);
}

void tap_agent_gone(struct tap *tap, struct channel *c)
{
    if (c->agent)
        log_off(tap, c);
}

void tap_on_agent_login(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    struct queue_log_line line = {.event = "AGENTLOGIN",
                                  .uniqueid = ami_message_get(m, AMI_HEADER_UNIQUEID),
                                  .queue = SLICE("NONE"),
                                  .agent = ami_message_get(m, AMI_HEADER_AGENT),
                                  .args = {ami_message_get(m, AMI_HEADER_CHANNEL)},
                                  .count = 1};
    queue_log_emit(tap->emit, &line);
    if (c && !c->agent)
        log_in(tap, c, line.agent, false);
}

void tap_on_agent_logoff(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    struct queue_log_line line = {
        .event = "AGENTLOGOFF",
        .uniqueid = ami_message_get(m, AMI_HEADER_UNIQUEID),
        .queue = SLICE("NONE"),
        .agent = ami_message_get(m, AMI_HEADER_AGENT),
        .args = {ami_message_get(m, AMI_HEADER_CHANNEL), ami_message_get(m, AMI_HEADER_LOGINTIME)},
        .count = 2};
    queue_log_emit(tap->emit, &line);
    if (c && c->agent)
        log_off(tap, c);
}
