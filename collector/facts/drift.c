/* SPDX-License-Identifier: MIT */
#include "collector/facts/drift.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/drift_fact.h"
#include "collector/facts/drift_row.h"
#include "collector/facts/pairing.h"
#include <stdlib.h>

#define SECOND 1000000

static struct slice key_of(const void *value)
{
    return slice_from(((const struct drift_channel *)value)->uniqueid);
}

struct drift drift_new(struct emitter *emit, bool rounds)
{
    return (struct drift){.emit = emit,
                          .by_uniqueid = table_new(DRIFT_CHANNELS_MAX, key_of),
                          .rounds = rounds,
                          .saved = {.kind = SAVED_DRIFT}};
}

static struct drift_list *list_of(struct drift *d, const struct drift_channel *c)
{
    return c->settling ? &d->settling : &d->lone;
}

static void list_remove(struct drift *d, struct drift_channel *c)
{
    struct drift_list *list = list_of(d, c);
    *(c->previous ? &c->previous->next : &list->first) = c->next;
    *(c->next ? &c->next->previous : &list->last) = c->previous;
    c->next = c->previous = NULL;
}

/* Behind all whose deadline is not later: Timestamps do not always come in order. */
static void list_add(struct drift *d, struct drift_channel *c)
{
    struct drift_list *list = list_of(d, c);
    c->previous = list->last;
    while (c->previous && c->previous->until > c->until)
        c->previous = c->previous->previous;
    c->next = c->previous ? c->previous->next : list->first;
    *(c->previous ? &c->previous->next : &list->first) = c;
    *(c->next ? &c->next->previous : &list->last) = c;
}

static void channel_free(struct drift_channel *c)
{
    drift_rows_free(&c->ours);
    drift_rows_free(&c->theirs);
    free(c->uniqueid);
    free(c);
}

static void channel_end(struct drift *d, struct drift_channel *c)
{
    list_remove(d, c);
    table_remove(&d->by_uniqueid, slice_from(c->uniqueid));
    saved_end(&c->saved, SLICE("drift/"), slice_from(c->uniqueid));
    channel_free(c);
}

void drift_free(struct drift *d)
{
    size_t position = 0;
    struct drift_channel *c;
    while ((c = table_next(&d->by_uniqueid, &position)))
        channel_free(c);
    table_free(&d->by_uniqueid);
}

static void forget(struct drift *d, struct drift_list *list)
{
    while (list->first) {
        d->counters.unpaired += list->first->ours.count + list->first->theirs.count;
        channel_end(d, list->first);
    }
}

void drift_begin(struct drift *d)
{
    forget(d, &d->lone);
    forget(d, &d->settling);
    d->touched = NULL;
    d->since = 0;
    d->sees = false;
    saved_touch(&d->saved);
}

/* "pbx-1795219084.3": the digits before the last point. */
bool drift_born(struct slice uniqueid, int64_t *ret_us)
{
    const char *point = uniqueid.n ? memrchr(uniqueid.p, '.', uniqueid.n) : NULL;
    int64_t seconds = 0, scale = 1;
    bool any = false;
    if (!point)
        return false;
    for (const char *p = point; p > uniqueid.p && scale < (int64_t)1e12; scale *= 10) {
        if (*--p < '0' || *p > '9')
            break;
        seconds += (*p - '0') * scale;
        any = true;
    }
    *ret_us = seconds * SECOND;
    return any;
}

bool drift_is_older(const struct drift *d, struct slice uniqueid)
{
    int64_t born;
    return drift_born(uniqueid, &born) && born < d->since - d->since % SECOND;
}

static void touch(struct drift *d, struct drift_channel *c)
{
    saved_touch(&c->saved);
    if (c->touched)
        return;
    c->touched = true;
    c->next_touched = d->touched;
    d->touched = c;
}

/* The rows of a channel, made when it has none yet; NULL when it is not to be compared. */
static struct drift_channel *channel_get(struct drift *d, struct slice uniqueid)
{
    struct drift_channel *c = table_find(&d->by_uniqueid, uniqueid);
    if (c || !uniqueid.n)
        return c;
    c = memory_zeroed(1, sizeof(*c));
    if (!c)
        return NULL;
    if (!text_set(&c->uniqueid, uniqueid) || !table_add(&d->by_uniqueid, c)) {
        d->counters.unpaired++;
        channel_free(c);
        return NULL;
    }
    c->saved = (struct saved){.kind = SAVED_DRIFT_CHANNEL, .list = d->saved.list};
    c->number = ++d->number;
    c->unasked = !d->sees;
    c->until = d->emit->now + (d->sees ? DRIFT_HOLD_US : DRIFT_UNSEEN_US);
    list_add(d, c);
    return c;
}

static void add_row(struct drift *d, struct drift_channel *c, struct drift_rows *rows,
                    struct drift_row *row)
{
    if (!row || rows->count == DRIFT_ROWS_MAX) {
        d->counters.unpaired++;
        free(row);
        return;
    }
    drift_rows_add(rows, row);
    touch(d, c);
}

void drift_derived(struct drift *d, struct slice fact)
{
    struct fact_head head;
    struct slice uniqueid = {NULL, 0}, guess;
    struct cdr_record record;
    if (!fact_read_head(fact, &head) || !fact_find(fact, FIELD_UNIQUEID, &uniqueid, NULL) ||
        !d->since || drift_is_older(d, uniqueid))
        return;
    struct drift_channel *c = channel_get(d, uniqueid);
    if (!c)
        return;
    cdr_record_of_fact(fact, &record);
    struct drift_row *row = drift_row_new(&record);
    if (row)
        row->guessed = fact_find_element(fact, FIELD_GUESSED, 0, &guess);
    c->blind |= (head.flags & FACT_IS_INFERRED) != 0;
    add_row(d, c, &c->ours, row);
}

void drift_cdr(struct drift *d, const struct ami_message *m)
{
    struct slice uniqueid = ami_message_get(m, AMI_HEADER_UNIQUEID);
    struct cdr_record record;
    if (!d->since || drift_is_older(d, uniqueid))
        return;
    if (!d->sees)
        saved_touch(&d->saved);
    d->sees = true;
    struct drift_channel *c = channel_get(d, uniqueid);
    if (!c)
        return;
    cdr_record_of_event(m, &record);
    c->unasked = false;
    add_row(d, c, &c->theirs, drift_row_new(&record));
}

/* Rows of both sides as arrays. */
struct sides {
    struct drift *d;
    struct drift_row *ours[DRIFT_ROWS_MAX], *theirs[DRIFT_ROWS_MAX];
    size_t partner_of[DRIFT_ROWS_MAX];
    bool taken[DRIFT_ROWS_MAX];
};

/* By how much the PBX's clock would have to be before UTC for the rows to be the same one. The
 * clock changes when daylight saving begins or ends. */
static int64_t zone_of(const struct drift *d, const struct cdr_record *ours,
                       const struct cdr_record *theirs)
{
    int64_t zone = d->zone;
    if (d->zone_known &&
        cdr_same_time(ours->number[CDR_COLUMN_END] + zone * SECOND, theirs->number[CDR_COLUMN_END]))
        return zone;
    if (!cdr_zone(ours->number[CDR_COLUMN_END], theirs->number[CDR_COLUMN_END], &zone) &&
        !d->zone_known)
        cdr_zone(ours->number[CDR_COLUMN_START], theirs->number[CDR_COLUMN_START], &zone);
    return zone;
}

/* Ours as the PBX's clock has it; what began before the clock was changed has the former zone. */
static void move(const struct drift *d, struct cdr_record *ours, const struct cdr_record *theirs,
                 int64_t zone)
{
    static const enum cdr_column times[] = {CDR_COLUMN_START, CDR_COLUMN_ANSWER, CDR_COLUMN_END};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        int64_t *time = &ours->number[times[i]];
        if (!*time)
            continue;
        bool former =
            d->zone_known && cdr_same_time(*time + d->zone * SECOND, theirs->number[times[i]]);
        *time += (former ? d->zone : zone) * SECOND;
    }
}

static unsigned differences(void *ctx, size_t i, size_t j)
{
    struct sides *s = ctx;
    struct cdr_record ours = s->ours[i]->record;
    const struct cdr_record *theirs = &s->theirs[j]->record;
    move(s->d, &ours, theirs, zone_of(s->d, &s->ours[i]->record, theirs));
    return cdr_differences(&ours, theirs, s->d->rounds);
}

/* Rows that are the same show the PBX's zone. */
static void learn_zone(struct drift *d, const struct drift_row *ours,
                       const struct drift_row *theirs)
{
    int64_t zone = zone_of(d, &ours->record, &theirs->record);
    if (d->zone_known && d->zone == zone)
        return;
    d->zone_known = true;
    d->zone = zone;
    saved_touch(&d->saved);
}

static void pair(struct drift *d, const struct drift_channel *c, struct sides *ret_sides)
{
    struct pairing p = {c->ours.count, c->theirs.count, ret_sides->partner_of, ret_sides->taken};
    ret_sides->d = d;
    drift_rows_array(&c->ours, ret_sides->ours);
    drift_rows_array(&c->theirs, ret_sides->theirs);
    pairing_make(&p, differences, ret_sides);
}

static bool all_equal(const struct drift_channel *c, struct sides *s)
{
    if (c->ours.count != c->theirs.count)
        return false;
    for (size_t i = 0; i < c->ours.count; i++) {
        if (s->partner_of[i] == PAIRING_NONE || differences(s, i, s->partner_of[i]))
            return false;
    }
    return true;
}

static void tell_pair(struct drift *d, struct sides *s, size_t i)
{
    struct drift_row *ours = s->ours[i];
    struct drift_row *theirs = s->partner_of[i] < PAIRING_NONE ? s->theirs[s->partner_of[i]] : NULL;
    if (!theirs) {
        d->counters.extra++;
        drift_fact_cdr(d->emit, ours, NULL, 0);
        return;
    }
    unsigned columns = differences(s, i, s->partner_of[i]);
    d->counters.compared++;
    if (!columns) {
        learn_zone(d, ours, theirs);
        return;
    }
    d->counters.differing++;
    drift_fact_cdr(d->emit, ours, theirs, columns);
}

static void tell_all(struct drift *d, const struct drift_channel *c, struct sides *s)
{
    for (size_t i = 0; i < c->ours.count; i++)
        tell_pair(d, s, i);
    for (size_t j = 0; j < c->theirs.count; j++) {
        if (s->taken[j])
            continue;
        d->counters.missing++;
        drift_fact_cdr(d->emit, NULL, s->theirs[j], 0);
    }
}

/* Nothing more is waited for. */
static void channel_settle(struct drift *d, struct drift_channel *c)
{
    struct sides sides;
    if (c->blind || (c->unasked && !c->theirs.count)) {
        d->counters.unpaired += c->theirs.count;
    } else {
        pair(d, c, &sides);
        tell_all(d, c, &sides);
    }
    channel_end(d, c);
}

/* Rows came: they are compared at once where they are the same, and wait where they are not. */
static void channel_look(struct drift *d, struct drift_channel *c)
{
    struct sides sides;
    c->touched = false;
    if (!c->ours.count || !c->theirs.count)
        return;
    pair(d, c, &sides);
    if (c->blind || all_equal(c, &sides)) {
        channel_settle(d, c);
        return;
    }
    list_remove(d, c);
    c->settling = true;
    c->until = d->emit->now + DRIFT_SETTLE_US;
    list_add(d, c);
}

void drift_tell(struct drift *d)
{
    while (d->touched) {
        struct drift_channel *c = d->touched;
        d->touched = c->next_touched;
        channel_look(d, c);
    }
}

static void expire(struct drift *d, const struct drift_list *list)
{
    while (list->first && list->first->until <= d->emit->now)
        channel_settle(d, list->first);
}

void drift_expire(struct drift *d)
{
    if (!d->since && !d->emit->from_list) {
        d->since = d->emit->now;
        saved_touch(&d->saved);
    }
    expire(d, &d->settling);
    expire(d, &d->lone);
}

static int by_deadline(const void *a, const void *b)
{
    const struct drift_channel *const *x = a;
    const struct drift_channel *const *y = b;
    if ((*x)->until != (*y)->until)
        return (*x)->until < (*y)->until ? -1 : 1;
    return (*x)->number < (*y)->number ? -1 : 1;
}

void drift_restored(struct drift *d)
{
    size_t position = 0, count = 0;
    struct drift_channel **all =
        memory_zeroed(d->by_uniqueid.count + 1, sizeof(struct drift_channel *));
    struct drift_channel *c;
    while (all && (c = table_next(&d->by_uniqueid, &position)))
        all[count++] = c;
    if (all)
        qsort(all, count, sizeof(struct drift_channel *), by_deadline);
    for (size_t i = 0; i < count; i++) {
        d->number = all[i]->number > d->number ? all[i]->number : d->number;
        list_add(d, all[i]);
    }
    free(all);
}

static void postpone(const struct drift_list *list, int64_t by)
{
    for (struct drift_channel *c = list->first; c; c = c->next)
        c->until += by;
}

void drift_clock_set(struct drift *d, int64_t by)
{
    postpone(&d->settling, by);
    postpone(&d->lone, by);
}
