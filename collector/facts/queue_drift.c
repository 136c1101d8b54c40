/* SPDX-License-Identifier: MIT */
#include "collector/facts/queue_drift.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/drift_fact.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

enum { COMPLETED, ABANDONED };

#define KEY_MAX 1024u

/* AST_DEVICE_NOT_INUSE, header Status. */
#define DEVICE_NOT_INUSE 1

static struct slice watch_key_of(const void *value)
{
    return slice_from(((const struct queue_watch *)value)->name);
}

static struct slice member_key_of(const void *value)
{
    return slice_from(((const struct member_watch *)value)->key);
}

struct queue_drift queue_drift_new(struct emitter *emit)
{
    return (struct queue_drift){.emit = emit,
                                .watches = table_new(QUEUE_DRIFT_QUEUES_MAX, watch_key_of),
                                .members = table_new(QUEUE_DRIFT_MEMBERS_MAX, member_key_of)};
}

static void watch_free(struct queue_watch *w)
{
    buf_free(&w->callers);
    buf_free(&w->known);
    buf_free(&w->moved);
    buf_free(&w->counted);
    free(w->name);
    free(w);
}

static void member_free(struct member_watch *m)
{
    free(m->key);
    free(m->caller);
    free(m);
}

void queue_drift_free(struct queue_drift *d)
{
    size_t position = 0;
    struct queue_watch *w;
    struct member_watch *m;
    while ((w = table_next(&d->watches, &position)))
        watch_free(w);
    table_free(&d->watches);
    position = 0;
    while ((m = table_next(&d->members, &position)))
        member_free(m);
    table_free(&d->members);
}

static struct queue_watch *watch_get(struct queue_drift *d, struct slice name)
{
    struct queue_watch *w = table_find(&d->watches, name);
    if (w || !name.n)
        return w;
    w = memory_zeroed(1, sizeof(*w));
    if (!w)
        return NULL;
    w->callers = buf_new(QUEUE_DRIFT_CALLERS_BYTES);
    w->known = buf_new(QUEUE_DRIFT_CALLERS_BYTES);
    w->moved = buf_new(QUEUE_DRIFT_CALLERS_BYTES);
    w->counted = buf_new(QUEUE_DRIFT_CALLERS_BYTES);
    if (text_set(&w->name, name) && table_add(&d->watches, w))
        return w;
    watch_free(w);
    return NULL;
}

static struct slice member_key(struct slice queue, struct slice interface, char text[KEY_MAX])
{
    struct buf key = {.p = text, .size = KEY_MAX, .max = KEY_MAX};
    buf_put_slice(&key, queue);
    buf_put_char(&key, '\n');
    buf_put_slice(&key, interface);
    return key.failed ? (struct slice){NULL, 0} : buf_slice(&key);
}

static struct member_watch *member_find(const struct queue_drift *d, struct slice queue,
                                        struct slice interface)
{
    char text[KEY_MAX];
    return table_find(&d->members, member_key(queue, interface, text));
}

static struct member_watch *member_get(struct queue_drift *d, struct slice queue,
                                       struct slice interface)
{
    char text[KEY_MAX];
    struct slice key = member_key(queue, interface, text);
    struct member_watch *m = table_find(&d->members, key);
    if (m || !key.n)
        return m;
    m = memory_zeroed(1, sizeof(*m));
    if (!m)
        return NULL;
    if (text_set(&m->key, key) && table_add(&d->members, m))
        return m;
    member_free(m);
    return NULL;
}

/* Where a caller stands in a list of them; NULL when it is not there. */
static char *caller_find(const struct buf *callers, struct slice uniqueid)
{
    for (size_t at = 0; at < callers->n; at += strlen(callers->p + at) + 1) {
        if (slice_is(uniqueid, callers->p + at))
            return callers->p + at;
    }
    return NULL;
}

/* False, and the list is failed, when there is no room. */
static bool caller_add(struct buf *callers, struct slice uniqueid)
{
    if (!buf_reserve(callers, uniqueid.n + 1))
        return false;
    buf_put_slice(callers, uniqueid);
    return buf_put_char(callers, 0);
}

static void caller_remove(struct buf *callers, struct slice uniqueid)
{
    char *at = caller_find(callers, uniqueid);
    if (!at)
        return;
    size_t rest = callers->n - (size_t)(at - callers->p) - uniqueid.n - 1;
    memmove(at, at + uniqueid.n + 1, rest);
    callers->n -= uniqueid.n + 1;
}

void queue_drift_connected(struct queue_drift *d)
{
    size_t position = 0;
    struct queue_watch *w;
    struct member_watch *m;
    d->connected = d->emit->event;
    d->asked = false;
    d->until = 0;
    while ((w = table_next(&d->watches, &position))) {
        w->based = w->rebase = false;
        buf_clear(&w->known);
        buf_clear(&w->counted);
    }
    position = 0;
    while ((m = table_next(&d->members, &position))) {
        m->talks = 0;
        m->overlapped = false;
    }
}

static bool ends_visit(enum ami_event_id event)
{
    return event == AMI_EVENT_AGENTCOMPLETE || event == AMI_EVENT_QUEUECALLERABANDON;
}

/* Of calls that one member has at the same time Asterisk counts only the one that began last
 * (measured on 22.10): its Completed then says less than happened. */
static void follow_talks(struct queue_watch *w, struct member_watch *m,
                         const struct ami_message *event)
{
    struct slice uniqueid = ami_message_get(event, AMI_HEADER_UNIQUEID);
    if (event->event == AMI_EVENT_AGENTCONNECT) {
        m->overlapped |= m->talks++ > 0;
        text_set(&m->caller, uniqueid);
    } else if (event->event == AMI_EVENT_AGENTCOMPLETE && m->talks &&
               !caller_find(&w->counted, uniqueid)) {
        w->rebase |= m->overlapped;
        m->talks--;
        m->overlapped &= m->talks > 0;
    }
}

/* Asterisk takes a member whose device is free again for done with the call, though that may go on:
 * with whoever picked it up, or behind a Local channel that was optimised away (measured on
 * 22.10). */
static bool is_done_early(const struct member_watch *m, const struct ami_message *event)
{
    int64_t status = 0, in_call = 1;
    ami_text_int(ami_message_get(event, AMI_HEADER_STATUS), &status);
    ami_text_int(ami_message_get(event, AMI_HEADER_INCALL), &in_call);
    return event->event == AMI_EVENT_QUEUEMEMBERSTATUS && status == DEVICE_NOT_INUSE && !in_call &&
           m->talks == 1 && !m->overlapped && m->caller;
}

static void count_early(struct queue_watch *w, struct member_watch *m)
{
    m->talks = 0;
    w->ours[COMPLETED]++;
    w->rebase |= !caller_add(&w->counted, slice_from(m->caller));
    w->counted.failed = false;
}

void queue_drift_event(struct queue_drift *d, const struct ami_message *m)
{
    struct slice queue = ami_message_get(m, AMI_HEADER_QUEUE);
    struct slice uniqueid = ami_message_get(m, AMI_HEADER_UNIQUEID);
    struct queue_watch *w = watch_get(d, queue);
    if (!w)
        return;
    caller_remove(&w->callers, uniqueid);
    if (d->asked)
        caller_add(&w->moved, uniqueid);
    if (ends_visit(m->event)) {
        w->ended = d->emit->event;
        w->rebase |= drift_is_older(d->drift, uniqueid);
    }
    if (!ami_message_has(m, AMI_HEADER_INTERFACE))
        return;
    struct member_watch *member = member_get(d, queue, ami_message_get(m, AMI_HEADER_INTERFACE));
    if (!member)
        return;
    member->seen = d->emit->event;
    follow_talks(w, member, m);
    if (is_done_early(member, m)) {
        count_early(w, member);
        w->ended = d->emit->event;
    }
}

/* Which of app_queue's counters a visit's end moves; -1: none. */
static int count_of(struct slice outcome)
{
    static const char *const abandoned[] = {"abandoned", "short_abandon", "timeout", "leave_empty",
                                            "withdrawn"};
    if (slice_is(outcome, "answered"))
        return COMPLETED;
    for (size_t i = 0; i < sizeof(abandoned) / sizeof(abandoned[0]); i++) {
        if (slice_is(outcome, abandoned[i]))
            return ABANDONED;
    }
    return -1;
}

void queue_drift_visit(struct queue_drift *d, struct slice fact)
{
    struct slice queue = {NULL, 0}, outcome = {NULL, 0}, uniqueid = {NULL, 0};
    fact_find(fact, FIELD_QUEUE, &queue, NULL);
    fact_find(fact, FIELD_UNIQUEID, &uniqueid, NULL);
    fact_find(fact, FIELD_OUTCOME, &outcome, NULL);
    struct queue_watch *w = watch_get(d, queue);
    int which = count_of(outcome);
    if (!w)
        return;
    if (caller_find(&w->counted, uniqueid))
        caller_remove(&w->counted, uniqueid);
    else if (which >= 0)
        w->ours[which]++;
    w->rebase |= slice_is(outcome, "lost_sight");
}

void queue_drift_begin(struct queue_drift *d, bool live)
{
    d->asked = true;
    d->live = live;
    d->began = d->emit->event;
    d->refused = d->members.refused + d->watches.refused;
    d->until = 0;
    size_t position = 0;
    struct queue_watch *w;
    while ((w = table_next(&d->watches, &position)))
        buf_clear(&w->moved);
}

/* An int of Asterisk's. */
static void read_count(const struct ami_message *m, enum ami_header_id header, int64_t *where)
{
    ami_text_int_within(ami_message_get(m, header), 0, INT32_MAX, where);
}

static bool take_params(struct queue_drift *d, const struct ami_message *m)
{
    struct queue_watch *w = watch_get(d, ami_message_get(m, AMI_HEADER_QUEUE));
    if (!w)
        return true;
    w->listed = d->emit->event;
    buf_clear(&w->callers);
    read_count(m, AMI_HEADER_CALLS, &w->calls);
    read_count(m, AMI_HEADER_COMPLETED, &w->counts[COMPLETED]);
    read_count(m, AMI_HEADER_ABANDONED, &w->counts[ABANDONED]);
    return true;
}

/* Whether somebody waits in a queue, as we know it. */
static bool is_waiting(const struct queue_drift *d, const struct queue_watch *w,
                       struct slice uniqueid)
{
    const struct queue *queue = table_find(&d->queues->by_name, slice_from(w->name));
    for (const struct visit *v = queue ? queue->waiting : NULL; v; v = v->next_waiting) {
        if (slice_is(uniqueid, v->uniqueid))
            return true;
    }
    return false;
}

static bool take_entry(struct queue_drift *d, const struct ami_message *m)
{
    struct queue_watch *w = watch_get(d, ami_message_get(m, AMI_HEADER_QUEUE));
    struct slice uniqueid = ami_message_get(m, AMI_HEADER_UNIQUEID);
    if (!w || !d->live || is_waiting(d, w, uniqueid) || caller_find(&w->known, uniqueid))
        return true;
    if (!w->moved.failed && !caller_find(&w->moved, uniqueid))
        w->left_out += !caller_add(&w->callers, uniqueid);
    w->callers.failed = false;
    return false;
}

static bool take_member(struct queue_drift *d, const struct ami_message *m)
{
    struct slice queue = ami_message_get(m, AMI_HEADER_QUEUE);
    struct slice interface = ami_message_get(m, AMI_HEADER_LOCATION);
    struct member_watch *member = member_get(d, queue, interface);
    const struct agent_membership *held = agents_membership(d->agents, interface, queue);
    int64_t paused = 0, penalty = 0;
    if (!member)
        return true;
    ami_text_int(ami_message_get(m, AMI_HEADER_PAUSED), &paused);
    ami_text_int(ami_message_get(m, AMI_HEADER_PENALTY), &penalty);
    bool confirmed = member->seen > d->connected || member->listed > d->connected;
    bool known = member->unknown;
    member->listed = d->emit->event;
    member->paused = paused != 0;
    member->penalty = penalty;
    member->differs =
        held ? confirmed && (held->paused != member->paused || held->penalty != member->penalty)
             : !known;
    member->unknown = false;
    /* A snapshot tells how things are after a time when nothing was seen. */
    return !d->live || (!held && known);
}

bool queue_drift_item(struct queue_drift *d, const struct ami_message *m)
{
    if (!d->asked)
        return true;
    switch (m->event) {
    case AMI_EVENT_QUEUEPARAMS:
        return take_params(d, m);
    case AMI_EVENT_QUEUEENTRY:
        return take_entry(d, m);
    case AMI_EVENT_QUEUEMEMBER:
        return take_member(d, m);
    default:
        return true;
    }
}

void queue_drift_end(struct queue_drift *d, bool complete, int64_t now)
{
    if (!d->asked)
        return;
    d->asked = false;
    d->counters.readings += complete;
    if (complete)
        d->until = now + QUEUE_DRIFT_SETTLE_US;
}

/* A visit whose end is still to be told from what follows. */
static bool is_ending(const struct visit *v)
{
    return v->state == VISIT_LEFT || v->state == VISIT_MOVING ||
           (v->state == VISIT_WAITING && v->abandon_seen);
}

/* Counters of queues with such visits are ahead of ours. */
static void note_endings(struct queue_drift *d)
{
    size_t position = 0;
    struct queue_watch *w;
    const struct visit *v;
    while ((w = table_next(&d->watches, &position)))
        w->ending = false;
    position = 0;
    while ((v = table_next(&d->visits->by_caller, &position))) {
        for (; v; v = v->next) {
            w = is_ending(v) ? table_find(&d->watches, slice_from(v->queue->name)) : NULL;
            if (w)
                w->ending = true;
        }
    }
}

/* Which of app_queue's counters moved otherwise than ours; none while a visit is ending. */
static void counts_differ(const struct queue_drift *d, const struct queue_watch *w,
                          bool ret_differs[2])
{
    ret_differs[0] = ret_differs[1] = false;
    if (w->ended > d->began || w->ending)
        return;
    for (int i = 0; i < 2; i++) {
        bool reset = w->counts[i] < w->told_of[i];
        ret_differs[i] =
            w->based && !w->rebase && !reset && w->counts[i] - w->told_of[i] != w->ours[i];
    }
}

static void move_base(const struct queue_drift *d, struct queue_watch *w)
{
    if (w->ended > d->began || w->ending)
        return;
    for (int i = 0; i < 2; i++) {
        w->told_of[i] = w->counts[i];
        w->ours[i] = 0;
    }
    w->based = true;
    w->rebase = false;
}

/* A caller of ours that the reading did not have, and who had no event since. */
static bool is_missing(const struct queue_drift *d, const struct visit *v)
{
    return v->seen <= d->began && !v->abandon_seen;
}

static size_t count_missing(const struct queue_drift *d, const struct queue *queue)
{
    size_t count = 0;
    for (const struct visit *v = queue->waiting; v; v = v->next_waiting)
        count += is_missing(d, v);
    return count;
}

struct reading {
    const struct queue_drift *d;
    const struct queue *queue;
    const struct queue_watch *watch;
    bool waiting;
    bool counts[2];
};

static void put_columns(struct fact_builder *f, const struct reading *r)
{
    fact_open_array(f, FIELD_COLUMNS);
    if (r->waiting)
        fact_put_string(f, FIELD_COLUMNS, SLICE("waiting"));
    if (r->counts[COMPLETED])
        fact_put_string(f, FIELD_COLUMNS, SLICE("completed"));
    if (r->counts[ABANDONED])
        fact_put_string(f, FIELD_COLUMNS, SLICE("abandoned"));
    fact_close(f);
}

/* Who waits as we have it. */
static void put_ours(struct fact_builder *f, const struct reading *r)
{
    fact_open_object(f, FIELD_DERIVED);
    if (r->waiting) {
        fact_open_array(f, FIELD_WAITING);
        for (const struct visit *v = r->queue->waiting; v; v = v->next_waiting)
            fact_put_string(f, FIELD_UNIQUEID, slice_from(v->uniqueid));
        fact_close(f);
    }
    if (r->counts[COMPLETED])
        fact_put_int(f, FIELD_COMPLETED, r->watch->ours[COMPLETED]);
    if (r->counts[ABANDONED])
        fact_put_int(f, FIELD_ABANDONED, r->watch->ours[ABANDONED]);
    fact_close(f);
}

/* Who waits as Asterisk has it: ours without those that it does not have, and its own. */
static void put_theirs(struct fact_builder *f, const struct reading *r)
{
    const struct buf *callers = &r->watch->callers;
    fact_open_object(f, FIELD_ASTERISK);
    if (r->waiting) {
        fact_open_array(f, FIELD_WAITING);
        for (const struct visit *v = r->queue->waiting; v; v = v->next_waiting) {
            if (!is_missing(r->d, v))
                fact_put_string(f, FIELD_UNIQUEID, slice_from(v->uniqueid));
        }
        for (size_t at = 0; at < callers->n; at += strlen(callers->p + at) + 1)
            fact_put_string(f, FIELD_UNIQUEID, slice_from(callers->p + at));
        fact_close(f);
    }
    for (int i = 0; i < 2; i++) {
        if (r->counts[i])
            fact_put_int(f, i == COMPLETED ? FIELD_COMPLETED : FIELD_ABANDONED,
                         r->watch->counts[i] - r->watch->told_of[i]);
    }
    fact_close(f);
}

static void tell_queue(struct queue_drift *d, struct queue_watch *w, const struct reading *r)
{
    struct drift_about about = {SLICE("queue"), slice_from(w->name), (struct slice){NULL, 0}};
    struct emit_about fact = drift_fact_about(&about);
    struct fact_builder *f = drift_fact_begin(d->emit, &about, &fact);
    put_columns(f, r);
    put_ours(f, r);
    put_theirs(f, r);
    emit_end_state(d->emit, &fact, &w->told);
}

static void judge_queue(struct queue_drift *d, struct queue_watch *w)
{
    struct queue *queue = queues_find(d->queues, slice_from(w->name));
    if (!queue || w->listed <= d->began)
        return;
    struct reading r = {.d = d, .queue = queue, .watch = w};
    bool confirmed = w->confirmed > d->connected;
    r.waiting = confirmed && d->live && (w->callers.n || count_missing(d, queue));
    counts_differ(d, w, r.counts);
    d->counters.compared += confirmed;
    if (r.waiting || r.counts[0] || r.counts[1]) {
        d->counters.differing++;
        tell_queue(d, w, &r);
    } else {
        w->told = 0;
    }
    buf_clear(&w->known);
    buf_put_slice(&w->known, buf_slice(&w->callers));
    buf_clear(&w->callers);
    move_base(d, w);
    w->confirmed = d->emit->event;
}

static void put_member(struct fact_builder *f, enum fact_field side, bool paused, int64_t penalty)
{
    fact_open_object(f, side);
    fact_put_bool(f, FIELD_PAUSED, paused);
    fact_put_int(f, FIELD_PENALTY, penalty);
    fact_close(f);
}

/* One of the sides may be missing. */
static void tell_member(struct queue_drift *d, struct member_watch *m,
                        const struct agent_membership *held, bool listed)
{
    size_t n = strcspn(m->key, "\n");
    struct drift_about about = {SLICE("queue_member"), {m->key, n}, slice_from(m->key + n + 1)};
    struct emit_about fact = drift_fact_about(&about);
    struct fact_builder *f = drift_fact_begin(d->emit, &about, &fact);
    fact_open_array(f, FIELD_COLUMNS);
    if (held && listed && held->paused != m->paused)
        fact_put_string(f, FIELD_COLUMNS, SLICE("paused"));
    if (held && listed && held->penalty != m->penalty)
        fact_put_string(f, FIELD_COLUMNS, SLICE("penalty"));
    fact_close(f);
    if (held)
        put_member(f, FIELD_DERIVED, held->paused, held->penalty);
    else
        fact_put_null(f, FIELD_DERIVED);
    if (listed)
        put_member(f, FIELD_ASTERISK, m->paused, m->penalty);
    else
        fact_put_null(f, FIELD_ASTERISK);
    d->counters.differing++;
    emit_end_state(d->emit, &fact, &m->told);
}

static void judge_member(struct queue_drift *d, struct member_watch *m)
{
    size_t n = strcspn(m->key, "\n");
    struct slice queue = {m->key, n};
    const struct queue_watch *w = table_find(&d->watches, queue);
    const struct agent_membership *held =
        agents_membership(d->agents, slice_from(m->key + n + 1), queue);
    bool listed = m->listed > d->began;
    if (m->seen > d->began || !d->live || !w || w->confirmed <= d->connected)
        return;
    d->counters.compared++;
    if (listed ? m->differs : held != NULL) {
        m->unknown = listed && !held;
        tell_member(d, m, held, listed);
    } else {
        m->told = 0;
    }
}

/* Neither we nor the reading have the member, and no call of its is still to be counted. */
static bool is_gone(const struct queue_drift *d, const struct member_watch *m)
{
    size_t n = strcspn(m->key, "\n");
    return m->seen <= d->began && m->listed <= d->began && !m->talks &&
           !agents_membership(d->agents, slice_from(m->key + n + 1), (struct slice){m->key, n});
}

static void forget_gone(struct queue_drift *d)
{
    struct member_watch **gone = memory_zeroed(d->members.count + 1, sizeof(struct member_watch *));
    size_t count = 0, position = 0;
    struct member_watch *m;
    while (gone && (m = table_next(&d->members, &position))) {
        if (is_gone(d, m))
            gone[count++] = m;
    }
    for (size_t i = 0; i < count; i++) {
        table_remove(&d->members, slice_from(gone[i]->key));
        member_free(gone[i]);
    }
    free(gone);
}

bool queue_drift_expire(struct queue_drift *d, int64_t now)
{
    size_t position = 0;
    struct queue_watch *w;
    struct member_watch *m;
    if (!d->until || now < d->until)
        return false;
    d->until = 0;
    note_endings(d);
    while ((m = table_next(&d->members, &position)))
        judge_member(d, m);
    position = 0;
    while ((w = table_next(&d->watches, &position)))
        judge_queue(d, w);
    forget_gone(d);
    return d->live;
}

static bool is_lost(const struct queue_drift *d, struct slice queue, struct slice interface)
{
    const struct member_watch *m = member_find(d, queue, interface);
    return !m || (m->seen <= d->began && m->listed <= d->began);
}

void queue_drift_lose_members(struct queue_drift *d)
{
    size_t position = 0;
    const struct agent *a;
    if (d->members.refused + d->watches.refused != d->refused)
        return;
    while ((a = table_next(&d->agents->by_interface, &position))) {
        for (size_t i = a->count; i > 0; i--) {
            struct slice queue = slice_from(a->memberships[i - 1].queue);
            if (is_lost(d, queue, slice_from(a->interface)))
                agents_member_lost(d->agents, slice_from(a->interface), queue);
        }
    }
}
