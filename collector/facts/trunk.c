/* SPDX-License-Identifier: MIT */
#include "collector/facts/trunk.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/endpoint.h"
#include "collector/state/channel.h"
#include "parsers/ami_vocab.h"
#include <stdio.h>
#include <stdlib.h>

/* Intervals in which nothing was heard are told one by one up to here, then as one. */
#define SILENT_INTERVALS_MAX 1000

static struct slice key_of(const void *value)
{
    return slice_from(((const struct trunk *)value)->name);
}

struct trunks trunks_new(struct emitter *emit, int64_t interval)
{
    return (struct trunks){
        .by_name = table_new(TRUNKS_MAX, key_of), .emit = emit, .interval = interval};
}

static void trunk_free(struct trunk *t)
{
    free(t->name);
    free(t);
}

void trunks_free(struct trunks *trunks)
{
    size_t position = 0;
    struct trunk *t;
    while ((t = table_next(&trunks->by_name, &position)))
        trunk_free(t);
    table_free(&trunks->by_name);
}

static void touch(struct trunks *trunks, struct trunk *t)
{
    saved_touch(&t->saved);
    if (t->changed)
        return;
    t->changed = true;
    t->next_changed = trunks->changed;
    trunks->changed = t;
}

static struct trunk *get(struct trunks *trunks, struct slice name)
{
    struct trunk *t = table_find(&trunks->by_name, name);
    if (t || !name.n)
        return t;
    t = memory_zeroed(1, sizeof(*t));
    if (!t)
        return NULL;
    if (!text_set(&t->name, name) || !table_add(&trunks->by_name, t)) {
        trunks->refused++;
        trunk_free(t);
        return NULL;
    }
    t->saved = (struct saved){.kind = SAVED_TRUNK, .list = trunks->saved};
    return t;
}

struct trunk *trunks_want(struct trunks *trunks, struct slice name)
{
    struct trunk *t = get(trunks, name);
    if (t && !t->wanted) {
        t->wanted = true;
        touch(trunks, t);
    }
    return t;
}

/* What a masquerade leaves behind ("PJSIP/carrier-00000002<ZOMBIE>") is no call. */
struct trunk *trunks_of_channel(const struct trunks *trunks, struct slice channel)
{
    if (!trunks->by_name.count || !channel.n || channel.p[channel.n - 1] == '>')
        return NULL;
    return table_find(&trunks->by_name, endpoint_of_line(channel_interface(channel)));
}

/* Threads of Asterisk's may bring a moment back: then nothing is counted. */
static void count_use(struct trunk *t, int64_t now)
{
    if (now <= t->counted)
        return;
    t->figures.used += (int64_t)t->calls * (now - t->counted);
    t->counted = now;
}

static void put_failures(struct fact_builder *f, const struct trunk_figures *figures)
{
    fact_open_array(f, FIELD_FAILURES);
    for (size_t i = 0; i < figures->causes; i++) {
        const struct trunk_failure *failure = &figures->failures[i];
        fact_open_object(f, FIELD_FAILURES);
        fact_put_int(f, FIELD_CAUSE, failure->cause);
        fact_put_string(f, FIELD_CAUSE_TEXT, slice_from(ami_vocab_cause_text(failure->cause)));
        fact_put_int(f, FIELD_HOW_MANY, (int64_t)failure->count);
        fact_close(f);
    }
    fact_close(f);
}

static void put_figures(struct fact_builder *f, const struct trunk_figures *figures)
{
    fact_put_int(f, FIELD_CALLS_MAX, (int64_t)figures->calls_max);
    fact_put_int(f, FIELD_ATTEMPTS_IN, (int64_t)figures->attempts_in);
    fact_put_int(f, FIELD_ATTEMPTS_OUT, (int64_t)figures->attempts_out);
    fact_put_int(f, FIELD_ANSWERED, (int64_t)figures->answered);
    fact_put_int(f, FIELD_FAILED, (int64_t)figures->failed);
    fact_put_share(f, FIELD_ASR, figures->answered, figures->answered + figures->failed);
    put_failures(f, figures);
}

/* "trunk/" and the name: the endpoint's own state has the name as its key. */
static struct slice kafka_key(const struct trunk *t, char text[300])
{
    int n = snprintf(text, 300, "trunk/%s", t->name);
    return (struct slice){text, n < 300 ? (size_t)n : 299};
}

static bool is_used(const struct trunk *t)
{
    const struct trunk_figures *f = &t->figures;
    return t->calls || f->calls_max || f->attempts_in || f->attempts_out || f->answered ||
           f->failed;
}

/* Ends the interval at this moment; nothing is told of one without a call. */
static void end_interval(struct trunks *trunks, struct trunk *t, int64_t end)
{
    char key[300];
    struct emit_about about = {.kind = FACT_TRUNK,
                               .subject = slice_from(t->name),
                               .key = kafka_key(t, key),
                               .flags = t->unseen ? FACT_IS_INFERRED : 0};
    if (t->start && t->start < end && is_used(t)) {
        count_use(t, end);
        struct fact_builder *f = emit_begin(trunks->emit, &about);
        fact_put_string(f, FIELD_TRUNK, slice_from(t->name));
        fact_put_time(f, FIELD_START, t->start);
        fact_put_time(f, FIELD_END, end);
        put_figures(f, &t->figures);
        fact_put_seconds(f, FIELD_USED_SECONDS, t->figures.used);
        emit_end(trunks->emit);
        touch(trunks, t);
    }
    t->figures = (struct trunk_figures){.calls_max = t->calls};
    t->counted = end;
    t->start = end;
    t->unseen = t->unseen > end ? t->unseen : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct trunk *const *)a)->name, (*(struct trunk *const *)b)->name);
}

/* In the order of their names, whatever order the table has. */
static void end_intervals(struct trunks *trunks, int64_t end)
{
    struct trunk **all = memory_zeroed(trunks->by_name.count + 1, sizeof(struct trunk *));
    size_t position = 0, count = 0;
    struct trunk *t;
    while (all && (t = table_next(&trunks->by_name, &position)))
        all[count++] = t;
    if (all)
        qsort(all, count, sizeof(struct trunk *), by_name);
    for (size_t i = 0; i < count; i++)
        end_interval(trunks, all[i], end);
    free(all);
}

static bool any_calls(const struct trunks *trunks)
{
    size_t position = 0;
    const struct trunk *t;
    while ((t = table_next(&trunks->by_name, &position))) {
        if (t->calls)
            return true;
    }
    return false;
}

void trunks_time(struct trunks *trunks, int64_t now)
{
    if (now < trunks->boundary || !trunks->by_name.count || !now)
        return;
    int64_t event = trunks->emit->now;
    int64_t last = now - now % trunks->interval;
    int64_t end = trunks->boundary;
    for (int i = 0; end && end <= last; end += trunks->interval, i++) {
        if (i && (i == SILENT_INTERVALS_MAX || !any_calls(trunks)))
            end = last;
        trunks->emit->now = end;
        end_intervals(trunks, end);
    }
    trunks->boundary = last + trunks->interval;
    trunks->emit->now = event;
}

/* A trunk that is used for the first time begins to count then. */
static void count_from(struct trunks *trunks, struct trunk *t)
{
    if (!t->start)
        t->start = t->counted = trunks->emit->now;
    count_use(t, trunks->emit->now);
}

void trunk_begin(struct trunks *trunks, struct trunk *t, enum trunk_call how)
{
    count_from(trunks, t);
    t->calls++;
    if (t->calls > t->figures.calls_max)
        t->figures.calls_max = t->calls;
    t->figures.attempts_in += how == TRUNK_CALL_IN;
    t->figures.attempts_out += how == TRUNK_CALL_OUT;
    touch(trunks, t);
}

void trunk_answer(struct trunks *trunks, struct trunk *t)
{
    count_from(trunks, t);
    t->figures.answered++;
    touch(trunks, t);
}

static void count_failure(struct trunk_figures *f, int64_t cause)
{
    size_t i = 0;
    while (i < f->causes && f->failures[i].cause != cause)
        i++;
    if (i == f->causes && i == TRUNK_CAUSES_MAX - 1 && cause != 0) {
        count_failure(f, 0);
        return;
    }
    if (i == f->causes)
        f->failures[f->causes++] = (struct trunk_failure){cause, 0};
    f->failures[i].count++;
}

void trunk_end(struct trunks *trunks, struct trunk *t, int64_t cause)
{
    count_from(trunks, t);
    t->calls -= t->calls > 0;
    if (cause >= 0) {
        t->figures.failed++;
        count_failure(&t->figures, cause);
    }
    touch(trunks, t);
}

static void tell_state(struct trunks *trunks, struct trunk *t)
{
    char key[300];
    struct emit_about about = {
        .kind = FACT_TRUNK_STATE, .subject = slice_from(t->name), .key = kafka_key(t, key)};
    struct fact_builder *f = emit_begin(trunks->emit, &about);
    fact_put_string(f, FIELD_TRUNK, slice_from(t->name));
    fact_put_int(f, FIELD_CALLS, (int64_t)t->calls);
    fact_put_time(f, FIELD_SINCE, t->start);
    put_figures(f, &t->figures);
    emit_end_state(trunks->emit, &about, &t->told);
}

void trunks_tell(struct trunks *trunks)
{
    while (trunks->changed) {
        struct trunk *t = trunks->changed;
        trunks->changed = t->next_changed;
        t->changed = false;
        tell_state(trunks, t);
    }
}

struct trunk *trunks_restore(struct trunks *trunks, struct slice name)
{
    struct trunk *t = get(trunks, name);
    if (t)
        t->saved.stored = true;
    return t;
}

/* Nobody configured it this time. */
static void trunk_drop(struct trunks *trunks, struct trunk *t)
{
    char key[300];
    struct slice name = slice_from(t->name);
    struct emit_about about = {.kind = FACT_TRUNK_STATE,
                               .subject = name,
                               .key = kafka_key(t, key),
                               .flags = FACT_IS_TOMBSTONE};
    end_interval(trunks, t, trunks->emit->now);
    trunks->changed = NULL;
    emit_begin(trunks->emit, &about);
    emit_end(trunks->emit);
    saved_end(&t->saved, SLICE("trunk/"), name);
    table_remove(&trunks->by_name, name);
    trunk_free(t);
}

static struct trunk *find_unwanted(const struct trunks *trunks)
{
    size_t position = 0;
    struct trunk *t;
    while ((t = table_next(&trunks->by_name, &position))) {
        if (!t->wanted)
            return t;
    }
    return NULL;
}

void trunks_drop_unwanted(struct trunks *trunks)
{
    struct trunk *t;
    trunks_tell(trunks);
    while ((t = find_unwanted(trunks)))
        trunk_drop(trunks, t);
}

void trunk_rejoin(struct trunk *t)
{
    t->calls++;
}

void trunks_restored(struct trunks *trunks)
{
    size_t position = 0;
    struct trunk *t;
    while ((t = table_next(&trunks->by_name, &position))) {
        if (t->start && t->start + trunks->interval > trunks->boundary)
            trunks->boundary = t->start - t->start % trunks->interval + trunks->interval;
        touch(trunks, t);
    }
    trunks_tell(trunks);
}

void trunks_blind(struct trunks *trunks)
{
    size_t position = 0;
    struct trunk *t;
    while ((t = table_next(&trunks->by_name, &position))) {
        t->unseen = trunks->emit->now;
        saved_touch(&t->saved);
    }
}

void trunks_clock_set(struct trunks *trunks, int64_t by)
{
    size_t position = 0;
    struct trunk *t;
    while ((t = table_next(&trunks->by_name, &position))) {
        t->start += t->start ? by : 0;
        t->counted += t->counted ? by : 0;
        t->unseen += t->unseen ? by : 0;
        saved_touch(&t->saved);
    }
    trunks->boundary = 0;
}
