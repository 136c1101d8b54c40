/* SPDX-License-Identifier: MIT */
#include "collector/facts/visit.h"

#include "collector/base/text.h"
#include "collector/facts/visit_fact.h"
#include "collector/state/channel.h"
#include "parsers/ami_text.h"
#include <inttypes.h>
#include <stdlib.h>

/* AgentComplete and the transfer's own event come from two threads of Asterisk, within
 * milliseconds; what has not come after this will not. */
#define CLOSING_US 2000000

#define SECOND 1000000

static struct slice visit_key_of(const void *value)
{
    return slice_from(((const struct visit *)value)->uniqueid);
}

struct visits visits_new(struct queues *queues, struct emitter *emit, size_t max)
{
    return (struct visits){
        .by_caller = table_new(max, visit_key_of), .queues = queues, .emit = emit};
}

static void attempts_clear(struct visit *v)
{
    for (size_t i = 0; i < v->attempt_count; i++) {
        free(v->attempts[i].uniqueid);
        free(v->attempts[i].member);
    }
    v->attempt_count = 0;
}

void visit_free(struct visit *v)
{
    attempts_clear(v);
    free(v->attempts);
    free(v->uniqueid);
    free(v->linkedid);
    free(v->caller_number);
    free(v->caller_name);
    free(v->member);
    free(v->interface);
    free(v->member_uniqueid);
    free(v->withdraw_info);
    free(v->bridge);
    free(v);
}

static void transfer_clear(struct visit_past_transfer *t)
{
    free(t->bridge);
    for (size_t i = 0; i < 3; i++)
        free(t->args[i]);
    *t = (struct visit_past_transfer){0};
}

void visits_free(struct visits *visits)
{
    size_t position = 0;
    struct visit *v;
    while ((v = table_next(&visits->by_caller, &position))) {
        while (v) {
            struct visit *next = v->next;
            visit_free(v);
            v = next;
        }
    }
    table_free(&visits->by_caller);
    for (size_t i = 0; i < VISIT_TRANSFERS_MAX; i++)
        transfer_clear(&visits->transfers[i]);
}

/* The caller's visit in one of the states given as bits; in any queue when queue is empty. */
static struct visit *find(const struct visits *visits, struct slice caller, struct slice queue,
                          unsigned states)
{
    struct visit *v = table_find(&visits->by_caller, caller);
    for (; v; v = v->next) {
        if ((states & 1u << v->state) &&
            (!queue.n || slice_equal(slice_from(v->queue->name), queue)))
            return v;
    }
    return NULL;
}

#define IN(state) (1u << (state))

static struct visit *find_by(const struct visits *visits, const struct ami_message *m,
                             unsigned states)
{
    return find(visits, ami_message_get(m, AMI_HEADER_UNIQUEID),
                ami_message_get(m, AMI_HEADER_QUEUE), states);
}

void visit_key(const struct visit *v, struct buf *text)
{
    buf_put_slice(text, SLICE("visit/"));
    buf_put_slice(text, slice_from(v->uniqueid));
    buf_put_char(text, '/');
    buf_put_slice(text, slice_from(v->queue->name));
    buf_printf(text, "/%" PRId64, v->joined);
}

static bool visits_add(struct visits *visits, struct visit *v)
{
    struct visit *first = table_find(&visits->by_caller, slice_from(v->uniqueid));
    if (!first && !table_add(&visits->by_caller, v))
        return false;
    if (first) {
        v->next = first->next;
        first->next = v;
    }
    v->seen = visits->emit->event;
    v->saved.list = visits->saved;
    saved_touch(&v->saved);
    return true;
}

static void visits_remove(struct visits *visits, struct visit *v)
{
    struct slice caller = slice_from(v->uniqueid);
    struct visit *first = table_find(&visits->by_caller, caller);
    if (first == v) {
        table_remove(&visits->by_caller, caller);
        if (v->next)
            table_add(&visits->by_caller, v->next);
        return;
    }
    while (first && first->next != v)
        first = first->next;
    if (first)
        first->next = v->next;
}

static void wait_in_queue(struct visits *visits, struct visit *v)
{
    struct visit **p = &v->queue->waiting;
    while (*p)
        p = &(*p)->next_waiting;
    *p = v;
    queues_touch(visits->queues, v->queue);
    if (visits->moved)
        visits->moved(visits->ctx, slice_from(v->uniqueid), slice_from(v->queue->name));
}

static void leave_queue(struct visits *visits, struct visit *v)
{
    for (struct visit **p = &v->queue->waiting; *p; p = &(*p)->next_waiting) {
        if (*p != v)
            continue;
        *p = v->next_waiting;
        v->next_waiting = NULL;
        queues_touch(visits->queues, v->queue);
        if (visits->moved)
            visits->moved(visits->ctx, slice_from(v->uniqueid), SLICE(""));
        return;
    }
}

static void await(struct visits *visits, struct visit *v)
{
    if (v->deadline)
        return;
    v->deadline = visits->emit->now + CLOSING_US;
    saved_touch(&v->saved);
    v->next_closing = visits->closing;
    visits->closing = v;
}

static void forget_closing(struct visits *visits, struct visit *v)
{
    for (struct visit **p = &visits->closing; *p; p = &(*p)->next_closing) {
        if (*p == v) {
            *p = v->next_closing;
            return;
        }
    }
}

static void visit_end(struct visits *visits, struct visit *v, enum visit_end end)
{
    leave_queue(visits, v);
    forget_closing(visits, v);
    visit_fact_ended(visits->emit, v, end,
                     visits->recording ? visits->recording(visits->ctx, v)
                                       : (struct slice){NULL, 0});
    struct buf key = buf_new(4096);
    visit_key(v, &key);
    saved_end(&v->saved, SLICE(""), buf_slice(&key));
    buf_free(&key);
    visits_remove(visits, v);
    visit_free(v);
}

static struct visit *visit_new(const struct ami_message *m, struct queue *queue, int64_t joined)
{
    struct visit *v = calloc(1, sizeof(*v));
    char name[SNAPSHOT_TEXT_MAX];
    if (!v)
        return NULL;
    struct slice caller_name = ami_text_plain(
        m->event, AMI_HEADER_CALLERIDNAME,
        ami_text_known(ami_message_get(m, AMI_HEADER_CALLERIDNAME)), name, sizeof(name));
    v->queue = queue;
    v->joined = joined;
    v->saved.kind = SAVED_VISIT;
    ami_text_int(ami_message_get(m, AMI_HEADER_POSITION), &v->position);
    if (!text_set(&v->uniqueid, ami_message_get(m, AMI_HEADER_UNIQUEID)) || !v->uniqueid ||
        !text_set(&v->caller_number, ami_text_known(ami_message_get(m, AMI_HEADER_CALLERIDNUM))) ||
        !text_set(&v->caller_name, caller_name)) {
        visit_free(v);
        return NULL;
    }
    return v;
}

void visits_join(struct visits *visits, const struct ami_message *m,
                 const struct visit_shown *shown)
{
    struct queue *queue = queues_get(visits->queues, ami_message_get(m, AMI_HEADER_QUEUE));
    struct visit *v = queue ? visit_new(m, queue, visits->emit->now) : NULL;
    if (!v || !text_set(&v->linkedid, ami_message_get(m, AMI_HEADER_LINKEDID)) ||
        !visits_add(visits, v)) {
        visits->refused++;
        if (v)
            visit_free(v);
        return;
    }
    wait_in_queue(visits, v);
    visit_fact_joined(visits->emit, v);
    struct slice args[] = {shown->url, shown->number ? slice_from(v->caller_number) : SLICE(""),
                           ami_message_get(m, AMI_HEADER_POSITION),
                           shown->number ? slice_from(v->caller_name) : SLICE("")};
    struct visit_words words = {"ENTERQUEUE", SLICE(""), args, shown->name ? 4 : 3};
    visit_line(visits->emit, v, &words);
}

const char *visit_ended_by(struct slice word)
{
    static const char *const words[] = {"caller", "agent", "transfer"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_is(word, words[i]))
            return words[i];
    }
    return NULL;
}

bool visits_restore(struct visits *visits, struct visit *v)
{
    if (!visits_add(visits, v)) {
        visits->refused++;
        visit_free(v);
        return false;
    }
    if (v->state == VISIT_WAITING)
        wait_in_queue(visits, v);
    if (v->deadline) {
        v->next_closing = visits->closing;
        visits->closing = v;
    }
    return true;
}

void visits_entry(struct visits *visits, const struct ami_message *m, struct slice linkedid)
{
    int64_t waited = 0;
    struct visit *held = find_by(visits, m, IN(VISIT_WAITING));
    if (held) {
        held->seen = visits->emit->event;
        return;
    }
    ami_text_int(ami_message_get(m, AMI_HEADER_WAIT), &waited);
    struct queue *queue = queues_get(visits->queues, ami_message_get(m, AMI_HEADER_QUEUE));
    struct visit *v = queue ? visit_new(m, queue, visits->emit->now - waited * SECOND) : NULL;
    if (!v || !text_set(&v->linkedid, linkedid) || !visits_add(visits, v)) {
        visits->refused++;
        if (v)
            visit_free(v);
        return;
    }
    v->from_snapshot = true;
    wait_in_queue(visits, v);
}

static struct visit *find_missing(const struct visits *visits, uint64_t began)
{
    size_t position = 0;
    struct visit *v;
    while ((v = table_next(&visits->by_caller, &position))) {
        for (; v; v = v->next) {
            if (v->state == VISIT_WAITING && v->seen <= began)
                return v;
        }
    }
    return NULL;
}

void visits_lose_missing(struct visits *visits, uint64_t began)
{
    struct visit *v;
    while ((v = find_missing(visits, began))) {
        v->left = visits->emit->now;
        v->from_snapshot = true;
        visit_end(visits, v, VISIT_LOST_SIGHT);
    }
}

/* Whole seconds between two moments as Asterisk counts them: it subtracts truncated clocks. */
static int64_t whole_seconds(int64_t from, int64_t to)
{
    return to / SECOND - from / SECOND;
}

void visits_abandon(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = find_by(visits, m, IN(VISIT_WAITING));
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
    visit_end(visits, v, end);
}

static void end_abandoned(struct visits *visits, struct visit *v)
{
    bool quick = visits->short_abandon && v->left - v->joined < visits->short_abandon;
    end_unanswered(visits, v, "ABANDON", quick ? VISIT_SHORT_ABANDON : VISIT_ABANDONED);
}

void visits_status(struct visits *visits, struct slice caller, struct slice status)
{
    struct visit *v = find(visits, caller, SLICE(""), IN(VISIT_LEFT));
    if (!v)
        return;
    if (slice_is(status, "TIMEOUT"))
        end_unanswered(visits, v, "EXITWITHTIMEOUT", VISIT_TIMEOUT);
    else if (slice_is(status, "LEAVEEMPTY") || slice_is(status, "LEAVEUNAVAIL"))
        end_unanswered(visits, v, "EXITEMPTY", VISIT_LEAVE_EMPTY);
    else if (slice_is(status, "WITHDRAW"))
        end_unanswered(visits, v, "WITHDRAW", VISIT_WITHDRAWN);
}

void visits_withdraw_info(struct visits *visits, struct slice caller, struct slice info)
{
    struct visit *v = find(visits, caller, SLICE(""), IN(VISIT_WAITING) | IN(VISIT_LEFT));
    if (!v)
        return;
    text_set(&v->withdraw_info, info);
    saved_touch(&v->saved);
}

/* A caller that goes on in the dialplan pressed a key; the key is the extension it goes on at. */
void visits_moved_on(struct visits *visits, struct slice caller, struct slice exten)
{
    char last[QUEUE_LOG_NUMBER_SIZE], first[QUEUE_LOG_NUMBER_SIZE], held[QUEUE_LOG_NUMBER_SIZE];
    struct visit *v = find(visits, caller, SLICE(""), IN(VISIT_LEFT));
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
    visit_end(visits, v, VISIT_EXIT_KEY);
}

void visits_hangup_requested(struct visits *visits, struct slice caller)
{
    struct visit *v = find(visits, caller, SLICE(""), IN(VISIT_WAITING));
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
        visit_end(visits, v, VISIT_LOST_SIGHT);
    else if (!v->abandon_seen && !v->answer_seen)
        visit_end(visits, v, VISIT_EXIT_KEY);
    else
        end_abandoned(visits, v);
    visits->emit->now = now;
}

void visits_hangup(struct visits *visits, struct slice caller)
{
    struct visit *v;
    while ((v = find(visits, caller, SLICE(""), IN(VISIT_LEFT))))
        end_at_hangup(visits, v);
    while ((v = find(visits, caller, SLICE(""), IN(VISIT_WAITING)))) {
        v->left = visits->emit->now;
        visit_end(visits, v, VISIT_LOST_SIGHT);
    }
    v = find(visits, caller, SLICE(""), IN(VISIT_CONNECTED));
    if (v)
        await(visits, v);
}

static struct visit_attempt *attempt_of(const struct visit *v, struct slice uniqueid)
{
    for (size_t i = v->attempt_count; i > 0; i--) {
        if (slice_equal(slice_from(v->attempts[i - 1].uniqueid), uniqueid))
            return &v->attempts[i - 1];
    }
    return NULL;
}

static bool attempts_grow(struct visit *v)
{
    if (v->attempt_count < v->attempt_size)
        return true;
    size_t size = v->attempt_size ? v->attempt_size * 2 : 4;
    if (size > VISIT_ATTEMPTS_MAX)
        return false;
    struct visit_attempt *attempts = realloc(v->attempts, size * sizeof(*attempts));
    if (!attempts)
        return false;
    v->attempts = attempts;
    v->attempt_size = size;
    return true;
}

/* Attempts that were told are over; a long wait makes many. */
static void attempts_compact(struct visit *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->attempt_count; i++) {
        if (v->attempts[i].told) {
            free(v->attempts[i].uniqueid);
            free(v->attempts[i].member);
        } else {
            v->attempts[kept++] = v->attempts[i];
        }
    }
    v->attempt_count = kept;
}

void visits_agent_called(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = find_by(visits, m, IN(VISIT_WAITING));
    if (!v)
        return;
    v->rings++;
    saved_touch(&v->saved);
    attempts_compact(v);
    if (!attempts_grow(v)) {
        visits->refused++;
        return;
    }
    struct visit_attempt *a = &v->attempts[v->attempt_count++];
    *a = (struct visit_attempt){.start = visits->emit->now};
    text_set(&a->uniqueid, ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    text_set(&a->member, ami_message_get(m, AMI_HEADER_MEMBERNAME));
}

void visits_ring_no_answer(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = find_by(visits, m, IN(VISIT_WAITING) | IN(VISIT_LEFT));
    if (!v)
        return;
    struct visit_attempt *a = attempt_of(v, ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    if (a)
        a->told = true;
    saved_touch(&v->saved);
    struct slice args[] = {ami_message_get(m, AMI_HEADER_RINGTIME)};
    struct visit_words words = {"RINGNOANSWER", ami_message_get(m, AMI_HEADER_MEMBERNAME), args, 1};
    visit_line(visits->emit, v, &words);
}

void visits_dial_end(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = find(visits, ami_message_get(m, AMI_HEADER_UNIQUEID), SLICE(""),
                           IN(VISIT_WAITING) | IN(VISIT_LEFT));
    struct visit_attempt *a = v ? attempt_of(v, ami_message_get(m, AMI_HEADER_DESTUNIQUEID)) : NULL;
    if (!a)
        return;
    struct slice status = ami_message_get(m, AMI_HEADER_DIALSTATUS);
    saved_touch(&v->saved);
    if (slice_is(status, "ANSWER")) {
        v->answer_seen = true;
        text_set(&v->member, slice_from(a->member));
        return;
    }
    if (!slice_is(status, "CANCEL") || v->answer_seen || a->told ||
        ami_message_get(m, AMI_HEADER_FORWARD).n)
        return;
    a->cancelled = visits->emit->now;
}

/* Members whose phones rang until the caller went. Told only now: a dial that is cancelled because
 * somebody picked the call up is told before the Pickup. */
static void tell_cancelled(struct visits *visits, struct visit *v)
{
    for (size_t i = 0; i < v->attempt_count; i++) {
        struct visit_attempt *a = &v->attempts[i];
        char ms[QUEUE_LOG_NUMBER_SIZE];
        if (!a->cancelled || a->told)
            continue;
        a->told = true;
        struct slice args[] = {queue_log_number((a->cancelled - a->start) / 1000, ms)};
        struct visit_words words = {"RINGCANCELED", slice_from(a->member), args, 1};
        visit_line(visits->emit, v, &words);
    }
}

void visits_leave(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = find_by(visits, m, IN(VISIT_WAITING));
    if (!v)
        return;
    leave_queue(visits, v);
    v->state = VISIT_LEFT;
    v->left = visits->emit->now;
    saved_touch(&v->saved);
    if (!v->answer_seen)
        tell_cancelled(visits, v);
    if (v->abandon_seen)
        return;
    v->last_position = v->position;
    ami_text_int(ami_message_get(m, AMI_HEADER_POSITION), &v->last_position);
    v->held = whole_seconds(v->joined, v->left);
}

void visits_picked_up(struct visits *visits, struct slice target)
{
    size_t position = 0;
    struct visit *v;
    while ((v = table_next(&visits->by_caller, &position))) {
        for (; v; v = v->next) {
            struct visit_attempt *a = v->state == VISIT_WAITING ? attempt_of(v, target) : NULL;
            if (!a)
                continue;
            v->answer_seen = true;
            text_set(&v->member, slice_from(a->member));
            saved_touch(&v->saved);
            return;
        }
    }
}

void visits_agent_connect(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = find_by(visits, m, IN(VISIT_WAITING) | IN(VISIT_LEFT));
    if (!v)
        return;
    leave_queue(visits, v);
    attempts_clear(v);
    v->state = VISIT_CONNECTED;
    v->connected = visits->emit->now;
    saved_touch(&v->saved);
    text_set(&v->member, ami_message_get(m, AMI_HEADER_MEMBERNAME));
    text_set(&v->interface, ami_message_get(m, AMI_HEADER_INTERFACE));
    text_set(&v->member_uniqueid, ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    struct slice args[] = {ami_message_get(m, AMI_HEADER_HOLDTIME),
                           ami_message_get(m, AMI_HEADER_DESTUNIQUEID),
                           ami_message_get(m, AMI_HEADER_RINGTIME)};
    ami_text_int(args[0], &v->held);
    struct visit_words words = {"CONNECT", slice_from(v->member), args, 3};
    visit_line(visits->emit, v, &words);
    visit_fact_connected(visits->emit, v);
}

void visits_agent_dump(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = find_by(visits, m, IN(VISIT_WAITING) | IN(VISIT_LEFT));
    struct visit_words words = {"AGENTDUMP", ami_message_get(m, AMI_HEADER_MEMBERNAME), NULL, 0};
    if (v)
        visit_line(visits->emit, v, &words);
}

void visits_bridge_enter(struct visits *visits, struct slice caller, struct slice bridge)
{
    struct visit *v = find(visits, caller, SLICE(""), IN(VISIT_CONNECTED));
    if (!v || v->bridge)
        return;
    text_set(&v->bridge, bridge);
    saved_touch(&v->saved);
}

static void end_completed(struct visits *visits, struct visit *v, const char *event)
{
    char held[QUEUE_LOG_NUMBER_SIZE], talked[QUEUE_LOG_NUMBER_SIZE], first[QUEUE_LOG_NUMBER_SIZE];
    struct slice args[] = {queue_log_number(v->held, held), queue_log_number(v->talked, talked),
                           queue_log_number(v->position, first)};
    struct visit_words words = {event, slice_from(v->member), args, 3};
    visit_line(visits->emit, v, &words);
    visit_end(visits, v, VISIT_ANSWERED);
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
    visit_end(visits, v, VISIT_ANSWERED);
}

static bool ended_by_past_transfer(struct visits *visits, struct visit *v)
{
    for (size_t i = 0; i < VISIT_TRANSFERS_MAX; i++) {
        const struct visit_past_transfer *t = &visits->transfers[i];
        if (!t->bridge || visits->emit->now - t->time > CLOSING_US ||
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

static struct visit *find_completed(const struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits->closing;
    while (v && !is_completed(v, m))
        v = v->next_closing;
    return v;
}

void visits_agent_complete(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = ami_message_has(m, AMI_HEADER_UNIQUEID)
                          ? find_by(visits, m, IN(VISIT_CONNECTED))
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
            await(visits, v);
    }
}

static void remember_transfer(struct visits *visits, const struct visit_transfer *transfer)
{
    struct visit_past_transfer *t = &visits->transfers[visits->transfer];
    visits->transfer = (visits->transfer + 1) % VISIT_TRANSFERS_MAX;
    transfer_clear(t);
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
    visits->emit->now = v->deadline - CLOSING_US;
    visit_end(visits, v, VISIT_ANSWERED);
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
