/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_queues.h"
#include "tests/amisim/sim_frame.h"

#include <stdlib.h>

#define LINES_MAX 4096u

static struct sim_queue *queue_of(struct sim_queue **queues, struct slice frame)
{
    struct slice name = slice_head(sim_frame_get(frame, "Queue"), SIM_ID_SIZE - 1);
    struct sim_queue *q = NULL;
    if (!name.n)
        return NULL;
    HASH_FIND(hh, *queues, name.p, (unsigned)name.n, q);
    if (q)
        return q;
    q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    sim_model_copy(q->name, sizeof(q->name), name);
    sim_model_copy(q->strategy, sizeof(q->strategy), SLICE("ringall"));
    HASH_ADD(hh, *queues, name, (unsigned)name.n, q);
    return q;
}

static struct sim_member *member_of(struct sim_queue *q, struct slice interface, bool add)
{
    for (unsigned i = 0; i < q->members_count; i++)
        if (slice_is(interface, q->members[i].interface))
            return &q->members[i];
    if (!add || !interface.n || q->members_count == SIM_QUEUE_MEMBERS_MAX)
        return NULL;
    struct sim_member *m = &q->members[q->members_count++];
    *m = (struct sim_member){.lines = buf_new(LINES_MAX)};
    sim_model_copy(m->interface, sizeof(m->interface), interface);
    return m;
}

static void member_set(struct sim_member *m, struct slice name, struct slice frame)
{
    sim_model_copy(m->name, sizeof(m->name), name);
    sim_model_copy(m->wrapuptime, sizeof(m->wrapuptime), sim_frame_get(frame, "Wrapuptime"));
    buf_clear(&m->lines);
    buf_put_slice(&m->lines, sim_frame_block(frame, "StateInterface", "PausedReason"));
}

static void member_remove(struct sim_queue *q, struct sim_member *m)
{
    buf_free(&m->lines);
    *m = q->members[--q->members_count];
}

void sim_queues_seed(struct sim_queue **queues, struct slice frame)
{
    struct sim_queue *q = queue_of(queues, frame);
    if (!q)
        return;
    if (slice_is(sim_frame_get(frame, "Event"), "QueueParams")) {
        sim_model_copy(q->strategy, sizeof(q->strategy), sim_frame_get(frame, "Strategy"));
        q->max = sim_frame_int(sim_frame_get(frame, "Max"));
        q->service_level = sim_frame_int(sim_frame_get(frame, "ServiceLevel"));
        q->weight = sim_frame_int(sim_frame_get(frame, "Weight"));
        return;
    }
    if (!slice_is(sim_frame_get(frame, "Membership"), "static"))
        return;
    struct sim_member *m = member_of(q, sim_frame_get(frame, "Location"), true);
    if (m)
        member_set(m, sim_frame_get(frame, "Name"), frame);
}

static void on_join(struct sim_queue *q, struct slice frame, int64_t time_us)
{
    if (q->callers_count == SIM_QUEUE_CALLERS_MAX)
        return;
    unsigned at = (unsigned)sim_frame_int(sim_frame_get(frame, "Position"));
    at = at == 0 || at > q->callers_count ? q->callers_count : at - 1;
    struct sim_caller *c = &q->callers[at];
    memmove(c + 1, c, (q->callers_count++ - at) * sizeof(*c));
    sim_model_copy(c->uniqueid, sizeof(c->uniqueid), sim_frame_get(frame, "Uniqueid"));
    sim_model_copy(c->channel, sizeof(c->channel), sim_frame_get(frame, "Channel"));
    sim_model_copy(c->number, sizeof(c->number), sim_frame_get(frame, "CallerIDNum"));
    sim_model_copy(c->name, sizeof(c->name), sim_frame_get(frame, "CallerIDName"));
    c->joined_us = time_us;
}

static void on_leave(struct sim_queue *q, struct slice frame)
{
    struct slice uniqueid = sim_frame_get(frame, "Uniqueid");
    for (unsigned i = 0; i < q->callers_count; i++) {
        if (!slice_is(uniqueid, q->callers[i].uniqueid))
            continue;
        q->callers_count--;
        memmove(&q->callers[i], &q->callers[i + 1], (q->callers_count - i) * sizeof(*q->callers));
        return;
    }
}

/* app_queue.c keeps moving averages: three quarters of the old, one of the new. */
static void on_complete(struct sim_queue *q, struct slice frame)
{
    int64_t hold = sim_frame_int(sim_frame_get(frame, "HoldTime"));
    int64_t talk = sim_frame_int(sim_frame_get(frame, "TalkTime"));
    q->completed++;
    q->completed_in_level += hold <= q->service_level;
    q->hold = (3 * q->hold + hold) / 4;
    q->talk = (3 * q->talk + talk) / 4;
}

static void on_member(struct sim_queue *q, struct slice name, struct slice frame)
{
    bool gone = slice_is(name, "QueueMemberRemoved");
    struct sim_member *m = member_of(q, sim_frame_get(frame, "Interface"), !gone);
    if (m && gone)
        member_remove(q, m);
    else if (m)
        member_set(m, sim_frame_get(frame, "MemberName"), frame);
}

void sim_queues_event(struct sim_queue **queues, struct slice name, struct slice frame,
                      int64_t time_us)
{
    bool complete = slice_is(name, "AgentComplete");
    struct sim_queue *q =
        complete || slice_starts(name, SLICE("Queue")) ? queue_of(queues, frame) : NULL;
    if (!q)
        return;
    if (complete)
        on_complete(q, frame);
    else if (slice_starts(name, SLICE("QueueMember")))
        on_member(q, name, frame);
    else if (slice_is(name, "QueueCallerJoin"))
        on_join(q, frame, time_us);
    else if (slice_is(name, "QueueCallerLeave"))
        on_leave(q, frame);
    else if (slice_is(name, "QueueCallerAbandon"))
        q->abandoned++;
}

void sim_queues_clear(struct sim_queue **queues)
{
    struct sim_queue *q, *next;
    HASH_ITER(hh, *queues, q, next)
    {
        HASH_DEL(*queues, q);
        for (unsigned i = 0; i < q->members_count; i++)
            buf_free(&q->members[i].lines);
        free(q);
    }
}
