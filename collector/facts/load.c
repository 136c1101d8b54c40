/* SPDX-License-Identifier: MIT */
#include "collector/facts/load.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/json_in.h"
#include <stdio.h>
#include <stdlib.h>

#define MINUTE_US      ((int64_t)60 * 1000000)
#define HOUR_US        ((int64_t)3600 * 1000000)
#define NAME_MAX_BYTES 80u /* as long as a Stasis application's name can be */

const char *handoff_kind_name(enum handoff_kind kind)
{
    static const char *const names[] = {[HANDOFF_NONE] = "",
                                        [HANDOFF_AGI] = "agi",
                                        [HANDOFF_FASTAGI] = "fastagi",
                                        [HANDOFF_ASYNCAGI] = "asyncagi",
                                        [HANDOFF_EAGI] = "eagi",
                                        [HANDOFF_STASIS] = "stasis",
                                        [HANDOFF_AUDIOSOCKET] = "audiosocket",
                                        [HANDOFF_EXTERNALMEDIA] = "externalmedia"};
    return names[kind];
}

static struct slice load_key_of(const void *value)
{
    return slice_from(((const struct load *)value)->subject);
}

struct loads loads_new(struct emitter *emit)
{
    return (struct loads){
        .by_subject = table_new(HANDOFF_KINDS + LOAD_APPLICATIONS_MAX, load_key_of), .emit = emit};
}

static void load_free(struct load *l)
{
    free(l->subject);
    free(l->application);
    free(l);
}

void loads_free(struct loads *loads)
{
    size_t position = 0;
    struct load *l;
    while ((l = table_next(&loads->by_subject, &position)))
        load_free(l);
    table_free(&loads->by_subject);
}

static struct load *make(struct loads *loads, enum handoff_kind kind, struct slice application,
                         struct slice subject)
{
    struct load *l = memory_zeroed(1, sizeof(*l));
    if (!l)
        return NULL;
    l->kind = kind;
    l->saved = (struct saved){.kind = SAVED_LOAD, .list = loads->saved};
    if (text_set(&l->subject, subject) && text_set(&l->application, application) &&
        table_add(&loads->by_subject, l))
        return l;
    load_free(l);
    return NULL;
}

static struct load *get(struct loads *loads, enum handoff_kind kind, struct slice application)
{
    char subject[sizeof("externalmedia/") + NAME_MAX_BYTES];
    application = slice_head(application, NAME_MAX_BYTES);
    int n =
        snprintf(subject, sizeof(subject), "%s%s%.*s", handoff_kind_name(kind),
                 application.n ? "/" : "", (int)application.n, application.n ? application.p : "");
    struct slice key = {subject, (size_t)n};
    struct load *l = table_find(&loads->by_subject, key);
    return l ? l : make(loads, kind, application, key);
}

static void touch(struct loads *loads, struct load *l)
{
    saved_touch(&l->saved);
    if (l->changed)
        return;
    l->changed = true;
    l->next_changed = loads->changed;
    loads->changed = l;
}

/* The first argument of Stasis: the application's name. */
static struct slice application_of(enum handoff_kind kind, struct slice appdata)
{
    if (kind != HANDOFF_STASIS || !appdata.n)
        return (struct slice){NULL, 0};
    return slice_until(appdata, ',');
}

static void raise_peak(uint64_t *peak, uint64_t now)
{
    if (*peak < now)
        *peak = now;
}

static void began(struct loads *loads, struct load *l)
{
    if (!l)
        return;
    if (!l->since)
        l->since = loads->emit->now;
    l->runs++;
    l->now++;
    raise_peak(&l->most, l->now);
    raise_peak(&l->minute.most, l->now);
    raise_peak(&l->hour.most, l->now);
    touch(loads, l);
}

void loads_began(struct loads *loads, enum handoff_kind kind, struct slice appdata)
{
    struct slice application = application_of(kind, appdata);
    began(loads, get(loads, kind, (struct slice){NULL, 0}));
    if (application.n)
        began(loads, get(loads, kind, application));
}

static void ended(struct loads *loads, struct load *l, int64_t took)
{
    if (!l || !l->now)
        return;
    l->now--;
    if (took >= 0) {
        l->timed++;
        l->total += took;
        if (took > l->longest)
            l->longest = took;
    }
    touch(loads, l);
}

void loads_ended(struct loads *loads, enum handoff_kind kind, struct slice appdata, int64_t took)
{
    struct slice application = application_of(kind, appdata);
    ended(loads, get(loads, kind, (struct slice){NULL, 0}), took);
    if (application.n)
        ended(loads, get(loads, kind, application), took);
}

static void resume(struct load *l)
{
    if (!l)
        return;
    l->now++;
    raise_peak(&l->most, l->now);
}

void loads_resume(struct loads *loads, enum handoff_kind kind, struct slice appdata)
{
    struct slice application = application_of(kind, appdata);
    resume(get(loads, kind, (struct slice){NULL, 0}));
    if (application.n)
        resume(get(loads, kind, application));
}

/* A stretch has ended, and perhaps more since, in which all stayed as it is now. */
static void turn(struct loads *loads, struct load *l, struct load_peak *peak, bool one)
{
    uint64_t full = one ? peak->most : l->now;
    if (full != peak->ended)
        touch(loads, l);
    else if (peak->most != l->now)
        saved_touch(&l->saved);
    peak->ended = full;
    peak->most = l->now;
}

void loads_clock_set(struct loads *loads, int64_t by)
{
    int64_t now = loads->emit->now + by;
    size_t position = 0;
    struct load *l;
    loads->minute = now / MINUTE_US;
    loads->hour = now / HOUR_US;
    while ((l = table_next(&loads->by_subject, &position)))
        saved_touch(&l->saved);
}

void loads_tick(struct loads *loads)
{
    int64_t minute = loads->emit->now / MINUTE_US, hour = loads->emit->now / HOUR_US;
    /* Timestamps do not come in order: an earlier one ends nothing. */
    if (minute <= loads->minute)
        return;
    size_t position = 0;
    struct load *l;
    while ((l = table_next(&loads->by_subject, &position))) {
        turn(loads, l, &l->minute, minute == loads->minute + 1);
        if (hour > loads->hour)
            turn(loads, l, &l->hour, hour == loads->hour + 1);
    }
    loads->minute = minute;
    loads->hour = hour;
}

static void tell(struct loads *loads, struct load *l)
{
    struct slice subject = slice_from(l->subject);
    struct emit_about about = {.kind = FACT_HANDOFF_STATE, .subject = subject, .key = subject};
    struct fact_builder *f = emit_begin(loads->emit, &about);
    fact_put_string(f, FIELD_HANDED_TO, slice_from(handoff_kind_name(l->kind)));
    fact_put_known(f, FIELD_APPLICATION, slice_from(l->application));
    fact_put_int(f, FIELD_NOW, (int64_t)l->now);
    fact_put_int(f, FIELD_MOST, (int64_t)l->most);
    fact_put_int(f, FIELD_MOST_IN_MINUTE, (int64_t)l->minute.ended);
    fact_put_int(f, FIELD_MOST_IN_HOUR, (int64_t)l->hour.ended);
    fact_put_int(f, FIELD_RUNS, (int64_t)l->runs);
    if (l->timed) {
        fact_put_seconds(f, FIELD_MEAN_SECONDS, l->total / (int64_t)l->timed);
        fact_put_seconds(f, FIELD_LONGEST_SECONDS, l->longest);
    } else {
        fact_put_null(f, FIELD_MEAN_SECONDS);
        fact_put_null(f, FIELD_LONGEST_SECONDS);
    }
    fact_put_time(f, FIELD_SINCE, l->since);
    emit_end_state(loads->emit, &about, &l->told);
}

void loads_tell(struct loads *loads)
{
    while (loads->changed) {
        struct load *l = loads->changed;
        loads->changed = l->next_changed;
        l->changed = false;
        tell(loads, l);
    }
}

void loads_restored(struct loads *loads)
{
    size_t position = 0;
    struct load *l;
    while ((l = table_next(&loads->by_subject, &position)))
        tell(loads, l);
}

void loads_save(const struct loads *loads, const struct load *l, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_int(j, "kind", l->kind);
    json_out_string(j, "application", slice_from(l->application));
    json_out_int(j, "most", (int64_t)l->most);
    json_out_int(j, "minute", loads->minute);
    json_out_int(j, "hour", loads->hour);
    json_out_int(j, "minute_most", (int64_t)l->minute.most);
    json_out_int(j, "minute_ended", (int64_t)l->minute.ended);
    json_out_int(j, "hour_most", (int64_t)l->hour.most);
    json_out_int(j, "hour_ended", (int64_t)l->hour.ended);
    json_out_int(j, "runs", (int64_t)l->runs);
    json_out_int(j, "timed", (int64_t)l->timed);
    json_out_int(j, "total", l->total);
    json_out_int(j, "longest", l->longest);
    json_out_int(j, "since", l->since);
    json_out_int(j, "told", (int64_t)l->told);
    json_out_close(j, '}');
}

static void later(int64_t *where, int64_t value)
{
    if (*where < value)
        *where = value;
}

bool loads_restore(struct loads *loads, const json_t *o)
{
    struct slice application = json_in_text(o, "application");
    int64_t kind = json_in_int(o, "kind");
    if (kind <= 0 || kind >= HANDOFF_KINDS)
        return false;
    struct load *l = get(loads, (enum handoff_kind)kind, application);
    if (!l)
        return false;
    l->saved.stored = true;
    l->most = (uint64_t)json_in_int(o, "most");
    l->minute = (struct load_peak){(uint64_t)json_in_int(o, "minute_most"),
                                   (uint64_t)json_in_int(o, "minute_ended")};
    l->hour = (struct load_peak){(uint64_t)json_in_int(o, "hour_most"),
                                 (uint64_t)json_in_int(o, "hour_ended")};
    l->runs = (uint64_t)json_in_int(o, "runs");
    l->timed = (uint64_t)json_in_int(o, "timed");
    l->total = json_in_int(o, "total");
    l->longest = json_in_int(o, "longest");
    l->since = json_in_int(o, "since");
    l->told = (uint64_t)json_in_int(o, "told");
    later(&loads->minute, json_in_int(o, "minute"));
    later(&loads->hour, json_in_int(o, "hour"));
    return true;
}
