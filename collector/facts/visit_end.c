/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/visit_fact.h"
#include "collector/facts/visit_inner.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

/* How a visit ends, by what app_queue (Asterisk 22) tells of it, in which order ever. */

void visit_clear_transfer(struct visit_past_transfer *t)
{
    free(t->bridge);
    for (size_t i = 0; i < 3; i++)
        free(t->args[i]);
    *t = (struct visit_past_transfer){0};
}

void visits_abandon(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING));
    if (!v)
        return;
    v->abandon_seen = true;
    saved_touch(&v->saved);
    v->last_position = v->position;
    ami_text_int(ami_message_get(m, AMI_HEADER_POSITION), &v->last_position);
    ami_text_int(ami_message_get(m, AMI_HEADER_HOLDTIME), &v->held);
}

/* app_queue keeps so much of it. */
#define WITHDRAW_INFO_MAX 40u

/* Position, original position and held time: what the lines about unanswered ends share. */
static void end_unanswered(struct visits *visits, struct visit *v, const char *event,
                           enum visit_end end)
{
    char last[QUEUE_LOG_NUMBER_SIZE], first[QUEUE_LOG_NUMBER_SIZE], held[QUEUE_LOG_NUMBER_SIZE];
    struct slice args[] = {queue_log_number(v->last_position, last),
                           queue_log_number(v->position, first), queue_log_number(v->held, held),
                           slice_head(slice_from(v->withdraw_info), WITHDRAW_INFO_MAX)};
    struct slice member = v->answer_seen ? slice_from(v->member) : SLICE("");
    struct visit_words words = {event, member, args, end == VISIT_WITHDRAWN && args[3].n ? 4 : 3};
    visit_line(visits->emit, v, &words);
    visits_end(visits, v, end);
}

static void end_abandoned(struct visits *visits, struct visit *v)
{
    bool quick = visits->short_abandon && v->left - v->joined < visits->short_abandon;
    end_unanswered(visits, v, "ABANDON", quick ? VISIT_SHORT_ABANDON : VISIT_ABANDONED);
}

void visits_taken_away(struct visits *visits, struct visit *v)
{
    v->blind = true;
    v->left = visits->emit->now;
    visits_end(visits, v, VISIT_ABANDONED);
}

/* The member hung up and the caller goes on in the dialplan (option c): AgentComplete, which says
 * how the talk ended, is about to come or has come. */
static bool goes_on(struct visits *visits, struct slice caller)
{
    struct visit *v = visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_CONNECTED));
    if (!v)
        return false;
    v->ended_by = "agent";
    visits_await(visits, v);
    return true;
}

bool visits_status(struct visits *visits, struct slice caller, struct slice status)
{
    if (slice_is(status, "CONTINUE"))
        return goes_on(visits, caller);
    struct visit *v = visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_LEFT));
    if (!v)
        return false;
    if (slice_is(status, "TIMEOUT"))
        end_unanswered(visits, v, "EXITWITHTIMEOUT", VISIT_TIMEOUT);
    else if (slice_is(status, "LEAVEEMPTY") || slice_is(status, "LEAVEUNAVAIL"))
        end_unanswered(visits, v, "EXITEMPTY", VISIT_LEAVE_EMPTY);
    else if (slice_is(status, "WITHDRAW"))
        end_unanswered(visits, v, "WITHDRAW", VISIT_WITHDRAWN);
    return true;
}

bool visit_is_refusal(struct slice status)
{
    return slice_is(status, "FULL") || slice_is(status, "JOINEMPTY") ||
           slice_is(status, "JOINUNAVAIL");
}

void visits_refused(struct visits *visits, const struct visit_caller *caller, struct slice status)
{
    struct visit *v = memory_zeroed(1, sizeof(*v));
    struct queue unknown = {0};
    if (!v || !text_set(&unknown.name, caller->queue)) {
        visits->refused++;
        free(v);
        return;
    }
    v->queue = queues_find(visits->queues, caller->queue);
    if (!v->queue)
        v->queue = &unknown;
    v->joined = v->left = visits->emit->now;
    text_set(&v->uniqueid, caller->uniqueid);
    text_set(&v->linkedid, caller->linkedid);
    text_set(&v->caller_number, caller->number);
    text_set(&v->caller_name, caller->name);
    visit_fact_ended(visits->emit, v,
                     slice_is(status, "FULL") ? VISIT_BLOCKED_FULL : VISIT_BLOCKED_EMPTY,
                     (struct slice){NULL, 0});
    visit_free(v);
    free(unknown.name);
}

/* A caller that goes on in the dialplan pressed a key; the key is the extension it goes on at. */
void visits_moved_on(struct visits *visits, struct slice caller, struct slice exten)
{
    char last[QUEUE_LOG_NUMBER_SIZE], first[QUEUE_LOG_NUMBER_SIZE], held[QUEUE_LOG_NUMBER_SIZE];
    struct visit *v = visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_LEFT));
    if (!v || v->answer_seen)
        return;
    if (v->abandon_seen) {
        end_abandoned(visits, v);
        return;
    }
    struct slice args[] = {exten, queue_log_number(v->last_position, last),
                           queue_log_number(v->position, first), queue_log_number(v->held, held)};
    struct visit_words words = {"EXITWITHKEY", SLICE(""), args, 4};
    visit_line(visits->emit, v, &words);
    visits_end(visits, v, VISIT_EXIT_KEY);
}

void visits_hangup_requested(struct visits *visits, struct slice caller)
{
    struct visit *v = visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_WAITING));
    if (!v)
        return;
    v->hangup_seen = true;
    saved_touch(&v->saved);
}

/* Without the dialplan class QUEUESTATUS is not shown. A caller who left without abandoning pressed
 * a key, which one is not known. One who abandoned and had not asked for the hang-up was sent on:
 * by time-out, because the queue was empty, or withdrawn; which of them nothing tells, so queue_log
 * gets no line. What ended it happened when it left. */
static void end_at_hangup(struct visits *visits, struct visit *v)
{
    int64_t now = visits->emit->now;
    visits->emit->now = v->left;
    if (v->abandon_seen && !v->hangup_seen && !v->answer_seen)
        visits_end(visits, v, VISIT_LOST_SIGHT);
    else if (!v->abandon_seen && !v->answer_seen)
        visits_end(visits, v, VISIT_EXIT_KEY);
    else
        end_abandoned(visits, v);
    visits->emit->now = now;
}

void visits_hangup(struct visits *visits, struct slice caller)
{
    struct visit *v;
    while ((v = visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_LEFT))))
        end_at_hangup(visits, v);
    while ((v = visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_WAITING)))) {
        v->left = visits->emit->now;
        visits_end(visits, v, VISIT_LOST_SIGHT);
    }
    v = visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_CONNECTED));
    if (v)
        visits_await(visits, v);
}

static void end_completed(struct visits *visits, struct visit *v, const char *event)
{
    char held[QUEUE_LOG_NUMBER_SIZE], talked[QUEUE_LOG_NUMBER_SIZE], first[QUEUE_LOG_NUMBER_SIZE];
    struct slice args[] = {queue_log_number(v->held, held), queue_log_number(v->talked, talked),
                           queue_log_number(v->position, first)};
    struct visit_words words = {event, slice_from(v->member), args, 3};
    visit_line(visits->emit, v, &words);
    visits_end(visits, v, VISIT_ANSWERED);
}

/* What the transfer was, then held and talk time and position. */
static void end_transferred(struct visits *visits, struct visit *v,
                            const struct visit_transfer *transfer)
{
    char held[QUEUE_LOG_NUMBER_SIZE], talked[QUEUE_LOG_NUMBER_SIZE], first[QUEUE_LOG_NUMBER_SIZE];
    struct slice args[QUEUE_LOG_ARGS_MAX];
    size_t n = 0;
    for (; n < transfer->count; n++)
        args[n] = transfer->args[n];
    args[n++] = queue_log_number(v->held, held);
    args[n++] = queue_log_number(v->talked, talked);
    args[n++] = queue_log_number(v->position, first);
    struct visit_words words = {transfer->event, slice_from(v->member), args, n};
    visit_line(visits->emit, v, &words);
    visits_end(visits, v, VISIT_ANSWERED);
}

static bool ended_by_past_transfer(struct visits *visits, struct visit *v)
{
    for (size_t i = 0; i < VISIT_TRANSFERS_MAX; i++) {
        const struct visit_past_transfer *t = &visits->transfers[i];
        if (!t->bridge || visits->emit->now - t->time > VISIT_CLOSING_US ||
            !slice_equal(slice_from(t->bridge), slice_from(v->bridge)))
            continue;
        struct visit_transfer transfer = {
            .bridge = slice_from(t->bridge), .event = t->event, .count = t->count};
        for (size_t k = 0; k < t->count; k++)
            transfer.args[k] = slice_from(t->args[k]);
        end_transferred(visits, v, &transfer);
        return true;
    }
    return false;
}

/* AgentComplete of a caller whose channel is gone already names the member's channel alone, and
 * when that is gone too nothing but the queue and the member. */
static bool is_completed(const struct visit *v, const struct ami_message *m)
{
    if (v->state != VISIT_CONNECTED)
        return false;
    if (ami_message_has(m, AMI_HEADER_DESTUNIQUEID))
        return slice_equal(slice_from(v->member_uniqueid),
                           ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    return slice_equal(slice_from(v->queue->name), ami_message_get(m, AMI_HEADER_QUEUE)) &&
           slice_equal(slice_from(v->interface), ami_message_get(m, AMI_HEADER_INTERFACE));
}

/* Mostly the caller has hung up by then; his Hangup may come right behind it, too. */
static struct visit *find_completed(const struct visits *visits, const struct ami_message *m)
{
    struct visit *v, *first;
    size_t position = 0;
    for (v = visits->closing; v; v = v->next_closing) {
        if (is_completed(v, m))
            return v;
    }
    while ((first = table_next(&visits->by_caller, &position))) {
        for (v = first; v; v = v->next) {
            if (is_completed(v, m))
                return v;
        }
    }
    return NULL;
}

void visits_agent_complete(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = ami_message_has(m, AMI_HEADER_UNIQUEID)
                          ? visits_find_by(visits, m, VISIT_IN(VISIT_CONNECTED))
                          : find_completed(visits, m);
    if (!v)
        return;
    struct slice reason = ami_message_get(m, AMI_HEADER_REASON);
    ami_text_int(ami_message_get(m, AMI_HEADER_HOLDTIME), &v->held);
    ami_text_int(ami_message_get(m, AMI_HEADER_TALKTIME), &v->talked);
    if (slice_is(reason, "caller")) {
        v->ended_by = "caller";
        end_completed(visits, v, "COMPLETECALLER");
    } else if (slice_is(reason, "agent")) {
        v->ended_by = "agent";
        end_completed(visits, v, "COMPLETEAGENT");
    } else {
        v->ended_by = "transfer";
        v->state = VISIT_MOVING;
        saved_touch(&v->saved);
        if (!ended_by_past_transfer(visits, v))
            visits_await(visits, v);
    }
}

static void remember_transfer(struct visits *visits, const struct visit_transfer *transfer)
{
    struct visit_past_transfer *t = &visits->transfers[visits->transfer];
    visits->transfer = (visits->transfer + 1) % VISIT_TRANSFERS_MAX;
    visit_clear_transfer(t);
    text_set(&t->bridge, transfer->bridge);
    t->event = transfer->event;
    t->count = transfer->count;
    t->time = visits->emit->now;
    for (size_t i = 0; i < transfer->count; i++)
        text_set(&t->args[i], transfer->args[i]);
}

void visits_transfer(struct visits *visits, const struct visit_transfer *transfer)
{
    for (struct visit *v = visits->closing; v; v = v->next_closing) {
        if (v->state == VISIT_MOVING && slice_equal(slice_from(v->bridge), transfer->bridge)) {
            end_transferred(visits, v, transfer);
            return;
        }
    }
    remember_transfer(visits, transfer);
}

/* It ended when it began to be waited for, not now. */
static void end_expired(struct visits *visits, struct visit *v)
{
    int64_t now = visits->emit->now;
    visits->emit->now = v->deadline - VISIT_CLOSING_US;
    visits_end(visits, v, VISIT_ANSWERED);
    visits->emit->now = now;
}

void visits_expire(struct visits *visits)
{
    struct visit *v = visits->closing;
    while (v) {
        struct visit *next = v->next_closing;
        if (v->deadline < visits->emit->now)
            end_expired(visits, v);
        v = next;
    }
}
