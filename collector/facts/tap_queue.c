/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

/* An argument of the Queue application that the channel runs; empty when it does not, or without
 * the argument. */
static struct slice queue_argument(const struct channel *c, int index)
{
    struct slice data = c ? snapshot_text(c->now, SNAPSHOT_APPDATA) : (struct slice){NULL, 0};
    if (!c || !slice_is(snapshot_text(c->now, SNAPSHOT_APPLICATION), "Queue"))
        return SLICE("");
    for (int commas = 0; data.n && commas < index; data = slice_from_offset(data, 1))
        commas += data.p[0] == ',';
    return slice_until(data, ',');
}

void tap_on_queue_caller_join(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (c && c->sent_elsewhere)
        tap_run_unshown(tap, c, SLICE("Queue"), (struct slice){NULL, 0});
    if (c)
        tap_commanded(tap, c);
    struct visit_shown shown = {.url = queue_argument(c, 2),
                                .number =
                                    tap->options.log_restricted_caller_id || !c || !c->hides_number,
                                .name = tap->options.log_caller_id_name};
    visits_join(&tap->visits, m, &shown);
}

/* A queue that does not take the caller tells no more than this variable; which queue it is stands
 * in the Newexten of the application. Reached by a transfer it may be in none: then nothing can be
 * told. */
void tap_queue_status(struct tap *tap, struct channel *c, struct slice status)
{
    if (visits_status(&tap->visits, channel_uniqueid(c), status) || !visit_is_refusal(status))
        return;
    if (c->sent_elsewhere)
        tap_run_unshown(tap, c, SLICE("Queue"), (struct slice){NULL, 0});
    struct visit_caller caller = {.uniqueid = channel_uniqueid(c),
                                  .linkedid = channel_linkedid(c),
                                  .number = snapshot_text(c->now, SNAPSHOT_CALLER_NUMBER),
                                  .name = snapshot_text(c->now, SNAPSHOT_CALLER_NAME),
                                  .queue = queue_argument(c, 0)};
    if (caller.queue.n)
        visits_refused(&tap->visits, &caller, status);
}

void tap_on_queue_caller_leave(struct tap *tap, const struct ami_message *m)
{
    tap_see(tap, m, &channel_headers_plain);
    visits_leave(&tap->visits, m);
}

void tap_on_queue_caller_abandon(struct tap *tap, const struct ami_message *m)
{
    tap_see(tap, m, &channel_headers_plain);
    visits_abandon(&tap->visits, m);
}

void tap_on_queue_params(struct tap *tap, const struct ami_message *m)
{
    if (!queue_drift_item(&tap->queue_drift, m))
        return;
    queues_params(&tap->queues, m);
}

void tap_on_queue_entry(struct tap *tap, const struct ami_message *m)
{
    if (!queue_drift_item(&tap->queue_drift, m))
        return;
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    if (c)
        tap_seen(tap, c);
    visits_entry(&tap->visits, m,
                 c ? channel_linkedid(c) : ami_message_get(m, AMI_HEADER_UNIQUEID));
}

void tap_on_queue_member(struct tap *tap, const struct ami_message *m)
{
    if (!queue_drift_item(&tap->queue_drift, m))
        return;
    agents_member(&tap->agents, m);
}

/* A line about a member as such: by whom, and what the member is called in it. */
struct member_line {
    const char *event;
    struct slice uniqueid, who, arg;
};

/* A member that is paused already gets another reason: with the option queue_log ends the pause
 * first (Asterisk 22.6). */
static void log_unpause(struct tap *tap, const struct ami_message *m)
{
    if (!tap->options.log_unpause_on_reason_change || !agents_repaused(&tap->agents, m))
        return;
    struct queue_log_line line = {.event = "UNPAUSE",
                                  .uniqueid = SLICE("NONE"),
                                  .queue = ami_message_get(m, AMI_HEADER_QUEUE),
                                  .agent = ami_message_get(m, AMI_HEADER_MEMBERNAME),
                                  .args = {SLICE("Auto-Unpause")},
                                  .count = 1};
    queue_log_emit(tap->emit, &line);
}

static void log_member(struct tap *tap, const struct ami_message *m,
                       const struct member_line *member)
{
    struct queue_log_line line = {.event = member->event,
                                  .uniqueid = member->uniqueid,
                                  .queue = ami_message_get(m, AMI_HEADER_QUEUE),
                                  .agent = member->who,
                                  .args = {member->arg},
                                  .count = 1};
    queue_log_emit(tap->emit, &line);
}

/* The dialplan's channel while it runs AddQueueMember or RemoveQueueMember. p is NULL
 * when a channel may have and the account cannot see it. */
static struct slice member_callid(const struct tap *tap)
{
    if (!tap->sees_dialplan && tap->channels.count)
        return (struct slice){NULL, 0};
    return tap->member_channel ? slice_from(tap->member_channel) : SLICE("MANAGER");
}

static struct slice added_as(const struct tap *tap, const struct ami_message *m)
{
    return ami_message_get(m, tap->options.log_membername_as_agent ? AMI_HEADER_MEMBERNAME
                                                                   : AMI_HEADER_INTERFACE);
}

static void tell_member(struct tap *tap, const struct ami_message *m, enum fact_kind kind)
{
    struct slice interface = ami_message_get(m, AMI_HEADER_INTERFACE);
    int64_t penalty = 0;
    struct emit_about about = {.kind = kind, .subject = interface, .key = interface};
    struct fact_builder *f = emit_begin(tap->emit, &about);
    ami_text_int(ami_message_get(m, AMI_HEADER_PENALTY), &penalty);
    fact_put_string(f, FIELD_QUEUE, ami_message_get(m, AMI_HEADER_QUEUE));
    fact_put_string(f, FIELD_AGENT, ami_message_get(m, AMI_HEADER_MEMBERNAME));
    fact_put_string(f, FIELD_INTERFACE, interface);
    fact_put_int(f, FIELD_PENALTY, penalty);
    fact_put_bool(f, FIELD_PAUSED, slice_is(ami_message_get(m, AMI_HEADER_PAUSED), "1"));
    emit_end(tap->emit);
}

void tap_on_queue_member_added(struct tap *tap, const struct ami_message *m)
{
    bool paused = slice_is(ami_message_get(m, AMI_HEADER_PAUSED), "1");
    agents_member(&tap->agents, m);
    struct member_line line = {"ADDMEMBER", member_callid(tap), added_as(tap, m),
                               paused ? SLICE("PAUSED") : SLICE("")};
    log_member(tap, m, &line);
    tell_member(tap, m, FACT_MEMBER_ADDED);
    text_set(&tap->member_channel, SLICE(""));
}

void tap_on_queue_member_removed(struct tap *tap, const struct ami_message *m)
{
    struct member_line line = {"REMOVEMEMBER", member_callid(tap), added_as(tap, m), SLICE("")};
    log_member(tap, m, &line);
    tell_member(tap, m, FACT_MEMBER_REMOVED);
    text_set(&tap->member_channel, SLICE(""));
    agents_member_removed(&tap->agents, m);
}

/* The line about all queues stands before those of each. */
static void log_everywhere(struct tap *tap, const struct ami_message *m, bool paused)
{
    struct queue_log_line line = {.event = paused ? "PAUSEALL" : "UNPAUSEALL",
                                  .uniqueid = SLICE("NONE"),
                                  .queue = SLICE("NONE"),
                                  .agent = ami_message_get(m, AMI_HEADER_MEMBERNAME),
                                  .args = {ami_message_get(m, AMI_HEADER_PAUSEDREASON)},
                                  .count = 1};
    queue_log_emit(tap->emit, &line);
}

static void log_pause_all(struct tap *tap, const struct ami_message *m, bool paused)
{
    if (!tap->pause_all ||
        !slice_equal(slice_from(tap->pause_all), ami_message_get(m, AMI_HEADER_INTERFACE)))
        return;
    text_set(&tap->pause_all, SLICE(""));
    log_everywhere(tap, m, paused);
}

/* A member who did not answer is paused in one queue (autopause = yes) or in all at once
 * (autopause = all), which a line of its own tells: the second queue within this time shows it. */
#define AT_ONCE_US 5000

static void log_auto_pause(struct tap *tap, const struct ami_message *m)
{
    struct slice interface = ami_message_get(m, AMI_HEADER_INTERFACE);
    if (!slice_is(ami_message_get(m, AMI_HEADER_PAUSEDREASON), "Auto-Pause"))
        return;
    bool at_once = slice_equal(slice_from(tap->auto_paused), interface) &&
                   llabs(tap->emit->now - tap->auto_paused_at) < AT_ONCE_US;
    if (at_once && !tap->auto_paused_in_all)
        log_everywhere(tap, m, true);
    tap->auto_paused_in_all = at_once;
    tap->auto_paused_at = tap->emit->now;
    text_set(&tap->auto_paused, interface);
}

void tap_on_queue_member_pause(struct tap *tap, const struct ami_message *m)
{
    bool paused = slice_is(ami_message_get(m, AMI_HEADER_PAUSED), "1");
    log_unpause(tap, m);
    agents_member(&tap->agents, m);
    log_pause_all(tap, m, paused);
    log_auto_pause(tap, m);
    struct member_line line = {paused ? "PAUSE" : "UNPAUSE", SLICE("NONE"),
                               ami_message_get(m, AMI_HEADER_MEMBERNAME),
                               ami_message_get(m, AMI_HEADER_PAUSEDREASON)};
    log_member(tap, m, &line);
}

void tap_on_queue_member_penalty(struct tap *tap, const struct ami_message *m)
{
    agents_member(&tap->agents, m);
    struct member_line line = {"PENALTY", SLICE("NONE"), ami_message_get(m, AMI_HEADER_INTERFACE),
                               ami_message_get(m, AMI_HEADER_PENALTY)};
    log_member(tap, m, &line);
}

void tap_on_queue_member_ringinuse(struct tap *tap, const struct ami_message *m)
{
    agents_member(&tap->agents, m);
    struct member_line line = {"RINGINUSE", SLICE("NONE"), ami_message_get(m, AMI_HEADER_INTERFACE),
                               ami_message_get(m, AMI_HEADER_RINGINUSE)};
    log_member(tap, m, &line);
}
