/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_frame.h"
#include "tests/amisim/sim_lists.h"

#include <stdio.h>

/* Device states of include/asterisk/devicestate.h, as QueueMember's Status. */
#define DEVICE_NOT_INUSE   1
#define DEVICE_INVALID     4
#define DEVICE_UNAVAILABLE 5

static void end_item(struct sim_reply *r)
{
    sim_reply_id(r);
    sim_reply_end(r);
}

static void put_percent(struct sim_reply *r, const char *name, int64_t part, int64_t of)
{
    buf_printf(r->out, "%s: %.1f\r\n", name, of > 0 ? 100.0 * (double)part / (double)of : 0.0);
}

static void put_params(struct sim_reply *r, const struct sim_queue *q)
{
    sim_reply_item(r, "QueueParams");
    sim_reply_line(r, "Queue", slice_from(q->name));
    sim_reply_number(r, "Max", q->max);
    sim_reply_line(r, "Strategy", slice_from(q->strategy));
    sim_reply_number(r, "Calls", q->callers_count);
    sim_reply_number(r, "Holdtime", q->hold);
    sim_reply_number(r, "TalkTime", q->talk);
    sim_reply_number(r, "Completed", q->completed);
    sim_reply_number(r, "Abandoned", q->abandoned);
    sim_reply_number(r, "ServiceLevel", q->service_level);
    put_percent(r, "ServicelevelPerf", q->completed_in_level, q->completed);
    put_percent(r, "ServicelevelPerf2", q->completed_in_level, q->completed + q->abandoned);
    sim_reply_number(r, "Weight", q->weight);
    end_item(r);
}

static void put_member(struct sim_reply *r, const struct sim_queue *q, const struct sim_member *m)
{
    sim_reply_item(r, "QueueMember");
    sim_reply_line(r, "Queue", slice_from(q->name));
    sim_reply_line(r, "Name", slice_from(m->name));
    sim_reply_line(r, "Location", slice_from(m->interface));
    buf_put_slice(r->out, buf_slice(&m->lines));
    sim_reply_line(r, "Wrapuptime", slice_from(m->wrapuptime));
    end_item(r);
}

static int64_t waited(const struct sim_caller *c)
{
    int64_t s = (sim_pbx_now() - c->joined_us) / 1000000;
    return s > 0 ? s : 0;
}

static void put_entry(struct sim_reply *r, const struct sim_queue *q, unsigned at)
{
    const struct sim_caller *c = &q->callers[at];
    sim_reply_item(r, "QueueEntry");
    sim_reply_line(r, "Queue", slice_from(q->name));
    sim_reply_number(r, "Position", at + 1);
    sim_reply_line(r, "Channel", slice_from(c->channel));
    sim_reply_line(r, "Uniqueid", slice_from(c->uniqueid));
    sim_reply_line(r, "CallerIDNum", slice_from(c->number));
    sim_reply_line(r, "CallerIDName", slice_from(c->name));
    sim_reply_line(r, "ConnectedLineNum", SLICE("unknown"));
    sim_reply_line(r, "ConnectedLineName", SLICE("unknown"));
    sim_reply_number(r, "Wait", waited(c));
    sim_reply_line(r, "Priority", SLICE("0"));
    end_item(r);
}

void sim_list_queues(struct sim_reply *r)
{
    struct slice only = sim_frame_get(r->lines, "Queue");
    struct slice member = sim_frame_get(r->lines, "Member");
    sim_reply_list(r, "Queue status will follow");
    for (struct sim_queue *q = r->pbx->queues; q; q = q->hh.next) {
        if (only.n && !slice_is(only, q->name))
            continue;
        put_params(r, q);
        for (unsigned i = 0; i < q->members_count; i++)
            if (!member.n || slice_is(member, q->members[i].interface))
                put_member(r, q, &q->members[i]);
        for (unsigned i = 0; i < q->callers_count; i++)
            put_entry(r, q, i);
    }
    sim_reply_complete(r, "QueueStatusComplete");
    sim_reply_end(r);
}

static void put_summary(struct sim_reply *r, const struct sim_queue *q)
{
    int64_t logged_in = 0, available = 0, longest = 0;
    for (unsigned i = 0; i < q->members_count; i++) {
        struct slice lines = buf_slice(&q->members[i].lines);
        int64_t status = sim_frame_int(sim_frame_get(lines, "Status"));
        if (status == DEVICE_INVALID || status == DEVICE_UNAVAILABLE)
            continue;
        logged_in++;
        available += status == DEVICE_NOT_INUSE && slice_is(sim_frame_get(lines, "Paused"), "0");
    }
    for (unsigned i = 0; i < q->callers_count; i++)
        longest = waited(&q->callers[i]) > longest ? waited(&q->callers[i]) : longest;
    sim_reply_item(r, "QueueSummary");
    sim_reply_line(r, "Queue", slice_from(q->name));
    sim_reply_number(r, "LoggedIn", logged_in);
    sim_reply_number(r, "Available", available);
    sim_reply_number(r, "Callers", q->callers_count);
    sim_reply_number(r, "HoldTime", q->hold);
    sim_reply_number(r, "TalkTime", q->talk);
    sim_reply_number(r, "LongestHoldTime", longest);
    end_item(r);
}

void sim_list_queue_summary(struct sim_reply *r)
{
    struct slice only = sim_frame_get(r->lines, "Queue");
    sim_reply_list(r, "Queue summary will follow");
    for (struct sim_queue *q = r->pbx->queues; q; q = q->hh.next)
        if (!only.n || slice_is(only, q->name))
            put_summary(r, q);
    sim_reply_complete(r, "QueueSummaryComplete");
    sim_reply_end(r);
}
