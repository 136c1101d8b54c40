/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr_row.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/cdr_chain.h"
#include <stdlib.h>
#include <strings.h>

/* Q.850 causes as the CDR engine reads them (Asterisk 22). */
enum {
    CAUSE_NO_ROUTE = 3,
    CAUSE_NORMAL = 16,
    CAUSE_BUSY = 17,
    CAUSE_NO_ANSWER = 19,
    CAUSE_SUBSCRIBER_ABSENT = 20,
    CAUSE_CONGESTION = 34
};

static void check_answer(struct cdr_row *row, int64_t time)
{
    if (!row->answer && snapshot_state(row->a) == CHANNEL_STATE_UP)
        row->answer = time;
}

struct cdr_row *cdr_row_new(struct snapshot *a, int64_t start)
{
    struct cdr_row *row = memory_zeroed(1, sizeof(*row));
    if (!row)
        return NULL;
    row->start = start;
    row->last_event = start;
    snapshot_set(&row->a, a);
    snapshot_set(&row->place, a);
    snapshot_set(&row->linked, a);
    if (snapshot_text(a, SNAPSHOT_APPLICATION).n)
        snapshot_set(&row->application, a);
    check_answer(row, start);
    return row;
}

struct cdr_row *cdr_row_append(const struct cdr_row *model, int64_t start)
{
    struct cdr_row *row = cdr_row_new(model->a, start);
    if (!row)
        return NULL;
    snapshot_set(&row->place, model->place);
    snapshot_set(&row->application, model->application);
    snapshot_set(&row->linked, model->linked);
    text_set(&row->userfield_a, slice_from(model->userfield_a));
    if (model->flags & CDR_DISABLED_FOR_ALL_LATER)
        row->flags |= CDR_DISABLED | CDR_DISABLED_FOR_ALL_LATER;
    return row;
}

void cdr_row_begun_unseen(struct cdr_row *row)
{
    row->flags |= CDR_BEGUN_UNSEEN;
    if (row->answer)
        row->flags |= CDR_ANSWERED_UNSEEN;
    if (slice_is(snapshot_text(row->a, SNAPSHOT_APPLICATION), "Dial"))
        row->flags |= CDR_APPLICATION_LOCKED;
    if (!row->b)
        row->flags |= CDR_MAY_BE_OVER;
}

void cdr_row_is_open(struct cdr_row *row)
{
    /* A Dial that finds nobody to dial does not wait: one that was there when the tap joined and
     * goes on has ended its row, and the lock with it. */
    if (row->flags & CDR_MAY_BE_OVER)
        row->flags &= ~(unsigned)(CDR_MAY_BE_OVER | CDR_APPLICATION_LOCKED);
}

void cdr_row_free(struct cdr_row *row)
{
    if (!row)
        return;
    snapshot_unref(row->a);
    snapshot_unref(row->b);
    snapshot_unref(row->place);
    snapshot_unref(row->application);
    snapshot_unref(row->linked);
    free(row->bridge);
    free(row->userfield_a);
    free(row->userfield_b);
    free(row);
}

static bool is_appdial(struct slice application)
{
    return application.n >= 7 && strncasecmp(application.p, "AppDial", 7) == 0;
}

static void take_application(struct cdr_row *row, struct snapshot *now)
{
    struct slice application = snapshot_text(now, SNAPSHOT_APPLICATION);
    if ((row->flags & CDR_APPLICATION_LOCKED) || !application.n)
        return;
    if (is_appdial(application) && row->application)
        return;
    snapshot_set(&row->application, now);
    /* What runs inside Dial (its macros and subroutines) must not show in the row. */
    if (slice_is(application, "Dial"))
        row->flags |= CDR_APPLICATION_LOCKED;
}

static bool in_finished_hangup_logic(const struct cdr_message *m)
{
    return m->channel->hangup_logic && m->options->endbeforehexten;
}

void cdr_row_take_a(struct cdr_row *row, const struct cdr_message *m)
{
    if (in_finished_hangup_logic(m)) {
        /* The look with the cause of this hang-up comes too late for the row. */
        cdr_row_close_living(row, CDR_CLOSED_HANGUP_LOGIC, m->options);
        return;
    }
    if (!m->channel->subroutines || m->channel->hangup_logic)
        snapshot_set(&row->place, m->now);
    snapshot_set(&row->a, m->now);
    take_application(row, m->now);
    snapshot_set(&row->linked, m->now);
    check_answer(row, row->last_event);
    if (snapshot_flags(m->now) & SNAPSHOT_DEAD)
        cdr_row_finalise(row, CDR_CLOSED_HUNG_UP, m->options);
}

bool cdr_moved(const struct snapshot *old, const struct snapshot *now)
{
    struct slice application = snapshot_text(now, SNAPSHOT_APPLICATION);
    if (snapshot_flags(now) & SNAPSHOT_APPLICATION_UNSEEN)
        return !snapshot_same_place(old, now);
    return !slice_equal(snapshot_text(old, SNAPSHOT_APPLICATION), application) &&
           !is_appdial(application) && !snapshot_same_place(old, now);
}

/* The dial was answered and the caller went on in the dialplan instead of into a bridge. */
static bool moved_on(const struct cdr_row *row, const struct cdr_message *m)
{
    return row->state == CDR_DIALED_PENDING && m->old && cdr_moved(m->old, m->now) &&
           !in_finished_hangup_logic(m);
}

/* The look would begin a row if there were none, so that from now on there is one. */
static bool shows_open(const struct cdr_message *m)
{
    if (!m->old || !cdr_moved(m->old, m->now) || in_finished_hangup_logic(m))
        return false;
    unsigned flags = snapshot_flags(m->now);
    /* Where no application is seen it may have been sent to a first priority, and at its end it may
     * be behind the last one. */
    if (flags & SNAPSHOT_APPLICATION_UNSEEN)
        return !(flags & SNAPSHOT_DEAD) && snapshot_priority(m->now) > 1;
    return snapshot_text(m->now, SNAPSHOT_APPLICATION).n > 0;
}

bool cdr_row_snapshot_a(struct cdr_row *row, const struct cdr_message *m)
{
    if (row->state == CDR_FINALISED && !m->channel->hangup_logic)
        return false;
    if (shows_open(m))
        cdr_row_is_open(row);
    if (moved_on(row, m)) {
        if (row->b) {
            cdr_row_finalise(row, CDR_CLOSED_MOVED_ON, m->options);
            return false;
        }
        cdr_row_change_state(row, CDR_SINGLE);
    }
    cdr_row_take_a(row, m);
    return true;
}

void cdr_row_snapshot_b(struct cdr_row *row, const struct cdr_message *m)
{
    if (row->state != CDR_DIAL && row->state != CDR_BRIDGED)
        return;
    snapshot_set(&row->b, m->now);
    if (snapshot_flags(m->now) & SNAPSHOT_DEAD)
        cdr_row_finalise(row, CDR_CLOSED_B_HUNG_UP, m->options);
}

static enum cdr_disposition disposition_of_cause(int cause, const struct cdr_options *options)
{
    switch (cause) {
    case CAUSE_BUSY:
        return CDR_BUSY;
    case CAUSE_CONGESTION:
        return options->congestion ? CDR_CONGESTION : CDR_FAILED;
    case 0:
    case CAUSE_NO_ROUTE:
    case CAUSE_SUBSCRIBER_ABSENT:
        return CDR_FAILED;
    case CAUSE_NORMAL:
    case CAUSE_NO_ANSWER:
        return CDR_NO_ANSWER;
    default:
        return CDR_UNSET;
    }
}

void cdr_row_close(struct cdr_row *row, enum cdr_closed why, const struct cdr_options *options)
{
    if (row->end)
        return;
    row->end = row->last_event;
    row->closed = why;
    if (row->disposition != CDR_UNSET)
        return;
    if (row->answer) {
        row->disposition = CDR_ANSWERED;
        return;
    }
    int cause = snapshot_cause(row->a);
    if (!cause && row->b)
        cause = snapshot_cause(row->b);
    row->disposition = disposition_of_cause(cause, options);
    /* Asterisk knows the cause already, AMI shows it with the Hangup. */
    if (!cause && !(snapshot_flags(row->a) & SNAPSHOT_DEAD))
        row->flags |= CDR_CAUSE_AWAITED;
}

void cdr_row_close_living(struct cdr_row *row, enum cdr_closed why,
                          const struct cdr_options *options)
{
    cdr_row_close(row, why, options);
    if ((row->flags & CDR_CAUSE_AWAITED) && row->chain->channel->born_unseen)
        row->flags |= CDR_CAUSE_UNSEEN;
    row->flags &= ~(unsigned)CDR_CAUSE_AWAITED;
}

void cdr_row_settle_cause(struct cdr_row *row, int cause, const struct cdr_options *options)
{
    if (!(row->flags & CDR_CAUSE_AWAITED))
        return;
    row->disposition = disposition_of_cause(cause, options);
    row->flags &= ~(unsigned)CDR_CAUSE_AWAITED;
}

void cdr_row_reopen(struct cdr_row *row)
{
    row->end = 0;
    row->closed = CDR_CLOSED_NOT;
}

void cdr_row_change_state(struct cdr_row *row, enum cdr_state state)
{
    row->state = state;
}

void cdr_row_finalise(struct cdr_row *row, enum cdr_closed why, const struct cdr_options *options)
{
    cdr_row_change_state(row, CDR_FINALISED);
    cdr_row_close(row, why, options);
}

void cdr_row_set_bridge(struct cdr_row *row, const struct bridge *bridge)
{
    text_set(&row->bridge, bridge_id(bridge));
}

bool cdr_row_in_bridge(const struct cdr_row *row, struct slice bridge)
{
    return row->state == CDR_BRIDGED && slice_equal(slice_from(row->bridge), bridge);
}

enum cdr_dropped cdr_row_dropped(const struct cdr_row *row, const struct cdr_options *options)
{
    if (row->flags & CDR_DISABLED)
        return CDR_DROPPED_DISABLED;
    if ((snapshot_flags(row->a) & SNAPSHOT_DIALED) && !row->b)
        return CDR_DROPPED_DIALED;
    if (options->unanswered || row->b || row->disposition >= CDR_ANSWERED)
        return CDR_WRITTEN;
    return CDR_DROPPED_UNANSWERED;
}

enum cdr_disposition cdr_disposition_of_status(struct slice status,
                                               const struct cdr_options *options)
{
    if (slice_is(status, "ANSWER"))
        return CDR_ANSWERED;
    if (slice_is(status, "BUSY"))
        return CDR_BUSY;
    if (slice_is(status, "CANCEL"))
        return options->canceldispositionenabled ? CDR_CANCEL : CDR_NO_ANSWER;
    if (slice_is(status, "NOANSWER"))
        return CDR_NO_ANSWER;
    if (slice_is(status, "CONGESTION"))
        return options->congestion ? CDR_CONGESTION : CDR_FAILED;
    return CDR_FAILED;
}

const char *cdr_disposition_name(enum cdr_disposition disposition)
{
    switch (disposition) {
    case CDR_FAILED:
        return "FAILED";
    case CDR_BUSY:
        return "BUSY";
    case CDR_ANSWERED:
        return "ANSWERED";
    case CDR_CONGESTION:
        return "CONGESTION";
    case CDR_CANCEL:
        return "CANCEL";
    case CDR_UNSET:
    case CDR_NO_ANSWER:
        break;
    }
    return "NO ANSWER";
}
