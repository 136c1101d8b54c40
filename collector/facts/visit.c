/* SPDX-License-Identifier: MIT */
#include "collector/facts/visit_inner.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/visit_fact.h"
#include "collector/state/channel.h"
#include "parsers/ami_text.h"
#include <inttypes.h>
#include <stdlib.h>

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

void visit_free(struct visit *v)
{
    visit_clear_attempts(v);
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
        visit_clear_transfer(&visits->transfers[i]);
}

struct visit *visits_find(const struct visits *visits, struct slice caller, struct slice queue,
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

struct visit *visits_find_by(const struct visits *visits, const struct ami_message *m,
                             unsigned states)
{
    return visits_find(visits, ami_message_get(m, AMI_HEADER_UNIQUEID),
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

/* Past its end, and for 0, the line's last. */
static void stand_at(struct visit *v, int64_t place)
{
    struct visit **p = &v->queue->waiting;
    for (int64_t i = 1; *p && i != place; i++)
        p = &(*p)->next_waiting;
    v->next_waiting = *p;
    *p = v;
}

static bool step_out(struct visit *v)
{
    for (struct visit **p = &v->queue->waiting; *p; p = &(*p)->next_waiting) {
        if (*p != v)
            continue;
        *p = v->next_waiting;
        v->next_waiting = NULL;
        return true;
    }
    return false;
}

static void wait_in_queue(struct visits *visits, struct visit *v, int64_t place)
{
    stand_at(v, place);
    queues_touch(visits->queues, v->queue);
    if (visits->moved)
        visits->moved(visits->ctx, slice_from(v->uniqueid), slice_from(v->queue->name));
}

void visits_leave_line(struct visits *visits, struct visit *v)
{
    if (!step_out(v))
        return;
    queues_touch(visits->queues, v->queue);
    if (visits->moved)
        visits->moved(visits->ctx, slice_from(v->uniqueid), SLICE(""));
}

void visits_await(struct visits *visits, struct visit *v)
{
    if (v->deadline)
        return;
    v->deadline = visits->emit->now + VISIT_CLOSING_US;
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

/* One that is in no line any more. */
static void drop(struct visits *visits, struct visit *v)
{
    struct buf key = buf_new(4096);
    forget_closing(visits, v);
    visit_key(v, &key);
    saved_end(&v->saved, SLICE(""), buf_slice(&key));
    buf_free(&key);
    visits_remove(visits, v);
    visit_free(v);
}

void visits_end(struct visits *visits, struct visit *v, enum visit_end end)
{
    visits_leave_line(visits, v);
    visit_fact_ended(visits->emit, v, end,
                     visits->recording ? visits->recording(visits->ctx, v)
                                       : (struct slice){NULL, 0});
    drop(visits, v);
}

static struct visit *visit_new(const struct ami_message *m, struct queue *queue, int64_t joined)
{
    struct visit *v = memory_zeroed(1, sizeof(*v));
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
    struct visit *listed = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING));
    struct visit *v = queue ? visit_new(m, queue, visits->emit->now) : NULL;
    /* A list's answer may overtake events: this is the one that it told of. */
    if (listed && listed->from_snapshot) {
        visits_leave_line(visits, listed);
        drop(visits, listed);
    }
    if (!v || !text_set(&v->linkedid, ami_message_get(m, AMI_HEADER_LINKEDID)) ||
        !visits_add(visits, v)) {
        visits->refused++;
        if (v)
            visit_free(v);
        return;
    }
    wait_in_queue(visits, v, v->position);
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

/* Where it stood, but for priorities (QUEUE_PRIO): of these the next QueueStatus tells. */
static int64_t place_by_joining(const struct visit *v)
{
    int64_t place = 1;
    for (const struct visit *o = v->queue->waiting; o && o->joined <= v->joined;
         o = o->next_waiting)
        place++;
    return place;
}

bool visits_restore(struct visits *visits, struct visit *v)
{
    if (!visits_add(visits, v)) {
        visits->refused++;
        visit_free(v);
        return false;
    }
    if (v->state == VISIT_WAITING)
        wait_in_queue(visits, v, place_by_joining(v));
    if (v->deadline) {
        v->next_closing = visits->closing;
        visits->closing = v;
    }
    return true;
}

/* Who joined unseen may stand before those who are held. */
static void stand_as_listed(struct visits *visits, struct visit *v, const struct ami_message *m)
{
    int64_t place = 0;
    ami_text_int(ami_message_get(m, AMI_HEADER_POSITION), &place);
    step_out(v);
    stand_at(v, place);
    queues_touch(visits->queues, v->queue);
}

void visits_entry(struct visits *visits, const struct ami_message *m, struct slice linkedid)
{
    int64_t waited = 0;
    struct visit *held = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING));
    if (held) {
        held->seen = visits->emit->event;
        if (visits->emit->joining)
            stand_as_listed(visits, held, m);
        return;
    }
    ami_text_seconds(ami_message_get(m, AMI_HEADER_WAIT), &waited);
    struct queue *queue = queues_get(visits->queues, ami_message_get(m, AMI_HEADER_QUEUE));
    struct visit *v = queue ? visit_new(m, queue, visits->emit->now - waited) : NULL;
    if (!v || !text_set(&v->linkedid, linkedid) || !visits_add(visits, v)) {
        visits->refused++;
        if (v)
            visit_free(v);
        return;
    }
    v->from_snapshot = true;
    wait_in_queue(visits, v, v->position);
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

static void lose(struct visits *visits, struct visit *v, struct unseen_end end)
{
    bool talked = v->state == VISIT_CONNECTED || v->state == VISIT_MOVING;
    v->from_snapshot = true;
    v->lost = end;
    if (!talked)
        v->left = end.earliest > v->joined ? end.earliest : v->joined;
    visits_end(visits, v, talked ? VISIT_ANSWERED : VISIT_LOST_SIGHT);
}

void visits_lose_missing(struct visits *visits, const struct visit_loss *loss)
{
    struct visit *v;
    while ((v = find_missing(visits, loss->began))) {
        struct unseen_end since = {v->joined, visits->emit->now};
        lose(visits, v, loss->end.latest && v->seen <= loss->blind ? loss->end : since);
    }
}

void visits_lose_caller(struct visits *visits, struct slice caller, struct unseen_end end)
{
    struct visit *v;
    while ((v = table_find(&visits->by_caller, caller)))
        lose(visits, v, end);
}

void visits_blind(struct visits *visits)
{
    size_t position = 0;
    struct visit *v;
    while ((v = table_next(&visits->by_caller, &position))) {
        for (; v; v = v->next) {
            v->blind = true;
            saved_touch(&v->saved);
        }
    }
}

void visits_withdraw_info(struct visits *visits, struct slice caller, struct slice info)
{
    struct visit *v =
        visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_WAITING) | VISIT_IN(VISIT_LEFT));
    if (!v)
        return;
    text_set(&v->withdraw_info, info);
    saved_touch(&v->saved);
}

int64_t visit_whole_seconds(int64_t from, int64_t to)
{
    return to / SECOND - from / SECOND;
}

void visits_leave(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING));
    if (!v)
        return;
    visits_leave_line(visits, v);
    v->state = VISIT_LEFT;
    v->left = visits->emit->now;
    saved_touch(&v->saved);
    if (!v->answer_seen)
        visit_tell_cancelled(visits, v);
    if (v->abandon_seen)
        return;
    v->last_position = v->position;
    ami_text_int(ami_message_get(m, AMI_HEADER_POSITION), &v->last_position);
    v->held = visit_whole_seconds(v->joined, v->left);
}

void visits_agent_connect(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING) | VISIT_IN(VISIT_LEFT));
    if (!v)
        return;
    visits_leave_line(visits, v);
    visit_clear_attempts(v);
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

bool visits_has_left(const struct visits *visits, struct slice caller)
{
    return visits_find(visits, caller, SLICE(""), VISIT_IN(VISIT_LEFT)) != NULL;
}

void visits_hold(struct visits *visits, struct slice caller, struct slice queue, bool on)
{
    struct visit *v = visits_find(visits, caller, queue, VISIT_IN(VISIT_CONNECTED));
    int64_t now = visits->emit->now;
    if (!v || on == (v->held_since != 0))
        return;
    if (!on)
        v->on_hold += now - v->held_since;
    v->held_since = on ? now : 0;
    saved_touch(&v->saved);
}

void visits_agent_dump(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING) | VISIT_IN(VISIT_LEFT));
    struct visit_words words = {"AGENTDUMP", ami_message_get(m, AMI_HEADER_MEMBERNAME), NULL, 0};
    if (v)
        visit_line(visits->emit, v, &words);
}

bool visits_bridge_enter(struct visits *visits, struct slice caller, struct slice bridge)
{
    unsigned states = VISIT_IN(VISIT_CONNECTED) | VISIT_IN(VISIT_WAITING);
    struct visit *v = visits_find(visits, caller, SLICE(""), states);
    /* A list may show one as waiting who was answered before it came. */
    if (!v || v->bridge || (v->state == VISIT_WAITING && v->from_snapshot))
        return false;
    if (v->state == VISIT_WAITING) {
        visits_taken_away(visits, v);
        return true;
    }
    text_set(&v->bridge, bridge);
    saved_touch(&v->saved);
    return false;
}

void visits_clock_set(struct visits *visits, int64_t by)
{
    for (struct visit *v = visits->closing; v; v = v->next_closing) {
        v->deadline += by;
        saved_touch(&v->saved);
    }
    for (size_t i = 0; i < VISIT_TRANSFERS_MAX; i++)
        visits->transfers[i].time += by;
}
