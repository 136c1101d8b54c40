/* SPDX-License-Identifier: MIT */
#include "collector/view/counts.h"

#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define KEY_MAX 1024
/* Waits of answered visits by whole seconds, rounded up, so that the service level is right for
 * any target, also one that becomes known or changes later in the day. */
#define WAIT_SECONDS_MAX 1800
#define JSON_MAX         4096
#define QUEUE_PREFIX     "queue/"

struct row {
    UT_hash_handle hh;
    struct row *next_changed;
    bool changed;
    bool is_queue;
    struct slice pbx, queue;
    uint64_t calls[COUNTS_CALLS_COUNT];
    uint64_t offered;
    uint64_t outcomes[COUNTS_OUTCOME_COUNT];
    int64_t wait_us[COUNTS_OUTCOME_COUNT]; /* sums */
    int64_t longest_us;
    uint64_t within; /* answered in time, of visits that were counted elsewhere */
    int64_t target;  /* seconds; 0: unknown */
    uint32_t *waits; /* WAIT_SECONDS_MAX + 2 of them, the last for all longer ones; queues only */
    char key[];
};

struct visit {
    UT_hash_handle hh;
    bool joined, answered; /* what has been counted */
    char key[];
};

struct counts {
    struct row *rows;
    struct visit *visits;
    struct row *changed;
    size_t max, max_visits;
    uint64_t dropped;
};

enum counts_outcome counts_outcome_by_name(struct slice name)
{
    static const struct {
        const char *name;
        enum counts_outcome outcome;
    } names[] = {
        {"answered", COUNTS_ANSWERED},       {"abandoned", COUNTS_ABANDONED},
        {"short_abandon", COUNTS_ABANDONED}, {"blocked_full", COUNTS_REFUSED},
        {"blocked_empty", COUNTS_REFUSED},   {"refused", COUNTS_REFUSED},
        {"lost_sight", COUNTS_LOST},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_is(name, names[i].name))
            return names[i].outcome;
    }
    return COUNTS_FLOWED_OUT;
}

struct counts *counts_new(size_t max, size_t max_visits)
{
    struct counts *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->max = max;
    c->max_visits = max_visits;
    return c;
}

void counts_free(struct counts *c)
{
    if (!c)
        return;
    struct row *row, *next_row;
    HASH_ITER(hh, c->rows, row, next_row)
    {
        HASH_DEL(c->rows, row);
        free(row->waits);
        free(row);
    }
    struct visit *visit, *next_visit;
    HASH_ITER(hh, c->visits, visit, next_visit)
    {
        HASH_DEL(c->visits, visit);
        free(visit);
    }
    free(c);
}

/* Joins parts with NULs into text. 0 when it would be longer than any real key. */
static size_t join(char text[KEY_MAX], const struct slice *parts, size_t parts_n)
{
    size_t n = 0;
    for (size_t i = 0; i < parts_n; i++) {
        if (parts[i].n + 1 > KEY_MAX - n)
            return 0;
        if (parts[i].n)
            memcpy(text + n, parts[i].p, parts[i].n);
        n += parts[i].n;
        text[n++] = '\0';
    }
    return n;
}

static struct row *row_new(struct counts *c, struct slice pbx, const struct slice *queue,
                           struct slice key)
{
    if (key.n == 0 || HASH_COUNT(c->rows) >= c->max)
        return NULL;
    struct row *row = calloc(1, sizeof(*row) + key.n);
    if (!row)
        return NULL;
    memcpy(row->key, key.p, key.n);
    row->pbx = (struct slice){row->key, pbx.n};
    row->is_queue = queue != NULL;
    if (queue) {
        row->queue = (struct slice){row->key + pbx.n + 1, queue->n};
        row->waits = calloc(WAIT_SECONDS_MAX + 2, sizeof(*row->waits));
        if (!row->waits) {
            free(row);
            return NULL;
        }
    }
    HASH_ADD_KEYPTR(hh, c->rows, row->key, key.n, row);
    if (row->hh.tbl)
        return row;
    free(row->waits);
    free(row);
    return NULL;
}

/* The counters of a queue, or of the PBX itself when queue is NULL, marked as changed. NULL, and
 * counted, at the bound. */
static struct row *row_of(struct counts *c, struct slice pbx, const struct slice *queue)
{
    char text[KEY_MAX];
    struct slice parts[] = {pbx, queue ? *queue : (struct slice){NULL, 0}};
    size_t n = join(text, parts, queue ? 2 : 1);
    struct row *row = NULL;
    if (n)
        HASH_FIND(hh, c->rows, text, n, row);
    if (!row)
        row = row_new(c, pbx, queue, (struct slice){text, n});
    if (!row) {
        c->dropped++;
        return NULL;
    }
    if (!row->changed) {
        row->changed = true;
        row->next_changed = c->changed;
        c->changed = row;
    }
    return row;
}

/* The visit's marks. With add false, NULL when it is not known. */
static struct visit *visit_of(struct counts *c, const struct counts_visit *name, bool add)
{
    char text[KEY_MAX];
    const struct slice parts[] = {name->pbx, name->queue, name->uniqueid};
    size_t n = join(text, parts, 3);
    struct visit *visit = NULL;
    if (n)
        HASH_FIND(hh, c->visits, text, n, visit);
    if (visit || !add)
        return visit;
    if (n == 0 || HASH_COUNT(c->visits) >= c->max_visits)
        goto drop;
    visit = calloc(1, sizeof(*visit) + n);
    if (!visit)
        goto drop;
    memcpy(visit->key, text, n);
    HASH_ADD_KEYPTR(hh, c->visits, visit->key, n, visit);
    if (visit->hh.tbl)
        return visit;
    free(visit);
drop:
    c->dropped++;
    return NULL;
}

void counts_add_calls(struct counts *c, struct slice pbx, enum counts_calls what, uint64_t n)
{
    struct row *row = row_of(c, pbx, NULL);
    if (row)
        row->calls[what] += n;
}

static void add_outcome(struct row *row, enum counts_outcome outcome, int64_t wait_us)
{
    if (wait_us < 0)
        wait_us = 0;
    row->outcomes[outcome]++;
    row->wait_us[outcome] += wait_us;
    if (outcome != COUNTS_ANSWERED)
        return;
    if (wait_us > row->longest_us)
        row->longest_us = wait_us;
    int64_t second = (wait_us + 999999) / 1000000;
    if (second > WAIT_SECONDS_MAX)
        second = WAIT_SECONDS_MAX + 1;
    row->waits[second]++;
}

void counts_visit_joined(struct counts *c, const struct counts_visit *name)
{
    struct visit *visit = visit_of(c, name, true);
    struct row *row = row_of(c, name->pbx, &name->queue);
    if (!visit || !row || visit->joined)
        return;
    visit->joined = true;
    row->offered++;
}

void counts_visit_answered(struct counts *c, const struct counts_visit *name, int64_t wait_us)
{
    struct visit *visit = visit_of(c, name, true);
    struct row *row = row_of(c, name->pbx, &name->queue);
    if (!visit || !row || visit->answered)
        return;
    visit->answered = true;
    row->offered += !visit->joined;
    visit->joined = true;
    add_outcome(row, COUNTS_ANSWERED, wait_us);
}

void counts_visit_ended(struct counts *c, const struct counts_visit *name,
                        enum counts_outcome outcome, int64_t wait_us, bool today)
{
    struct visit *visit = visit_of(c, name, false);
    struct row *row = today ? row_of(c, name->pbx, &name->queue) : NULL;
    if (row) {
        row->offered += outcome != COUNTS_REFUSED && !(visit && visit->joined);
        if (!(visit && visit->answered))
            add_outcome(row, outcome, wait_us);
    }
    if (visit) {
        HASH_DEL(c->visits, visit);
        free(visit);
    }
}

void counts_add_visits(struct counts *c, struct slice pbx, struct slice queue,
                       const struct counts_visits *visits)
{
    struct row *row = row_of(c, pbx, &queue);
    if (!row)
        return;
    row->offered += visits->outcome == COUNTS_REFUSED ? 0 : visits->n;
    row->outcomes[visits->outcome] += visits->n;
    row->wait_us[visits->outcome] += visits->wait_us;
    if (visits->outcome != COUNTS_ANSWERED)
        return;
    row->within += visits->within;
    if (visits->wait_us_max > row->longest_us)
        row->longest_us = visits->wait_us_max;
}

void counts_set_service_level(struct counts *c, struct slice pbx, struct slice queue,
                              int64_t seconds)
{
    struct row *row = row_of(c, pbx, &queue);
    if (row)
        row->target = seconds;
}

void counts_reset(struct counts *c)
{
    for (struct row *row = c->rows; row; row = row->hh.next) {
        memset(row->calls, 0, sizeof(row->calls));
        memset(row->outcomes, 0, sizeof(row->outcomes));
        memset(row->wait_us, 0, sizeof(row->wait_us));
        row->offered = 0;
        row->longest_us = 0;
        row->within = 0;
        if (row->waits)
            memset(row->waits, 0, (WAIT_SECONDS_MAX + 2) * sizeof(*row->waits));
        row_of(c, row->pbx, row->is_queue ? &row->queue : NULL);
    }
}

static uint64_t within_target(const struct row *row)
{
    uint64_t n = row->within;
    for (int64_t second = 0; second <= row->target && second <= WAIT_SECONDS_MAX; second++)
        n += row->waits[second];
    return n;
}

/* sl_offered: answered in time, of all that were answered, abandoned or flowed out. */
static void json_service_level(struct json_out *j, const struct row *row)
{
    uint64_t of = row->outcomes[COUNTS_ANSWERED] + row->outcomes[COUNTS_ABANDONED] +
                  row->outcomes[COUNTS_FLOWED_OUT];
    if (row->target <= 0) {
        json_out_null(j, "service_level_seconds");
        json_out_null(j, "within_service_level");
        json_out_null(j, "service_level");
        return;
    }
    uint64_t within = within_target(row);
    json_out_int(j, "service_level_seconds", row->target);
    json_out_int(j, "within_service_level", (int64_t)within);
    if (of)
        json_out_seconds(j, "service_level", (int64_t)(within * 1000000 / of));
    else
        json_out_null(j, "service_level");
}

/* The mean wait of an outcome, null when there was none. */
static void json_mean(struct json_out *j, const char *key, const struct row *row,
                      enum counts_outcome outcome)
{
    if (row->outcomes[outcome])
        json_out_seconds(j, key, row->wait_us[outcome] / (int64_t)row->outcomes[outcome]);
    else
        json_out_null(j, key);
}

static void json_queue(struct json_out *j, const struct row *row)
{
    json_out_string(j, "queue", row->queue);
    json_out_int(j, "offered", (int64_t)row->offered);
    json_out_int(j, "answered", (int64_t)row->outcomes[COUNTS_ANSWERED]);
    json_out_int(j, "abandoned", (int64_t)row->outcomes[COUNTS_ABANDONED]);
    json_out_int(j, "other", (int64_t)row->outcomes[COUNTS_FLOWED_OUT]);
    json_out_int(j, "refused", (int64_t)row->outcomes[COUNTS_REFUSED]);
    json_out_int(j, "lost_sight", (int64_t)row->outcomes[COUNTS_LOST]);
    json_mean(j, "average_wait_seconds", row, COUNTS_ANSWERED);
    json_mean(j, "average_abandon_seconds", row, COUNTS_ABANDONED);
    if (row->outcomes[COUNTS_ANSWERED])
        json_out_seconds(j, "longest_wait_seconds", row->longest_us);
    else
        json_out_null(j, "longest_wait_seconds");
    json_service_level(j, row);
}

static void json_calls(struct json_out *j, const struct row *row)
{
    json_out_null(j, "queue");
    json_out_int(j, "started", (int64_t)row->calls[COUNTS_CALLS_STARTED]);
    json_out_int(j, "answered", (int64_t)row->calls[COUNTS_CALLS_ANSWERED]);
    json_out_int(j, "unanswered", (int64_t)row->calls[COUNTS_CALLS_UNANSWERED]);
    json_out_int(j, "cdrs", (int64_t)row->calls[COUNTS_CDRS]);
}

static void see_row(const struct row *row, counts_seen seen, void *ctx)
{
    char subject[sizeof(QUEUE_PREFIX) + KEY_MAX] = QUEUE_PREFIX;
    struct slice name = SLICE("calls");
    if (row->is_queue) {
        memcpy(subject + strlen(QUEUE_PREFIX), row->queue.p, row->queue.n);
        name = (struct slice){subject, strlen(QUEUE_PREFIX) + row->queue.n};
    }
    struct buf text = buf_new((size_t)JSON_MAX + 12 * KEY_MAX);
    struct json_out j = json_out_to(&text);
    json_out_object(&j, NULL);
    json_out_string(&j, "pbx", row->pbx);
    json_out_string(&j, "subject", name);
    if (row->is_queue)
        json_queue(&j, row);
    else
        json_calls(&j, row);
    json_out_close(&j, '}');
    if (!text.failed)
        seen(ctx, row->pbx, name, buf_slice(&text));
    buf_free(&text);
}

void counts_changed(struct counts *c, counts_seen seen, void *ctx)
{
    struct row *row = c->changed;
    c->changed = NULL;
    for (; row; row = row->next_changed) {
        row->changed = false;
        see_row(row, seen, ctx);
    }
}

uint64_t counts_dropped(const struct counts *c)
{
    return c->dropped;
}
