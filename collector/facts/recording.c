/* SPDX-License-Identifier: MIT */
#include "collector/facts/recording.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/call.h"
#include "collector/facts/json_in.h"
#include <stdlib.h>

static void recording_free(struct recording *r)
{
    free(r->uniqueid);
    free(r->file);
    free(r);
}

void recordings_free(struct recordings *recordings)
{
    while (recordings->first) {
        struct recording *r = recordings->first;
        recordings->first = r->next;
        recording_free(r);
    }
    *recordings = (struct recordings){NULL, 0, 0};
}

static void append(struct recordings *recordings, struct recording *r)
{
    struct recording **end = &recordings->first;
    while (*end)
        end = &(*end)->next;
    r->next = NULL;
    *end = r;
    recordings->count++;
}

static bool is_of(const struct recording *r, struct slice uniqueid)
{
    return slice_equal(slice_from(r->uniqueid), uniqueid);
}

/* The channel's recording that began last and goes on, or NULL. */
static struct recording *newest(const struct channel *c)
{
    struct recording *found = NULL;
    for (struct recording *r = c->call ? c->call->recordings.first : NULL; r; r = r->next) {
        if (!r->over && is_of(r, channel_uniqueid(c)))
            found = r;
    }
    return found;
}

static void add(struct calls *calls, struct channel *c, struct slice file, bool started)
{
    if (!c->call)
        return;
    struct recordings *recordings = &c->call->recordings;
    struct recording *r = recordings->count < RECORDINGS_MAX ? memory_zeroed(1, sizeof(*r)) : NULL;
    saved_touch(&c->call->saved);
    if (!r || !text_set(&r->uniqueid, channel_uniqueid(c))) {
        free(r);
        recordings->omitted++;
        return;
    }
    text_set(&r->file, slice_head(file, RECORDING_FILE_MAX));
    r->from = calls->emit->now;
    r->started = started;
    append(recordings, r);
}

void recording_named(struct calls *calls, struct channel *c, struct slice file)
{
    if (file.n)
        add(calls, c, file, false);
}

static struct slice argument(struct slice data, size_t i)
{
    for (; data.p; i--) {
        struct slice first = slice_until(data, ',');
        if (i == 0)
            return first;
        data = slice_from_offset(data, first.n + 1);
    }
    return data;
}

/* The file as the dialplan named it, where no variable did. */
static struct slice file_of_application(const struct channel *c)
{
    struct slice application = snapshot_text(c->now, SNAPSHOT_APPLICATION);
    struct slice data = snapshot_text(c->now, SNAPSHOT_APPDATA);
    if (slice_is(application, "MixMonitor"))
        return argument(data, 0);
    return slice_is(application, "Monitor") ? argument(data, 1) : (struct slice){NULL, 0};
}

void recording_started(struct calls *calls, struct channel *c)
{
    struct recording *r = newest(c);
    if (!r || r->started) {
        add(calls, c, file_of_application(c), true);
        return;
    }
    r->started = true;
    saved_touch(&c->call->saved);
}

void recording_stopped(struct calls *calls, struct channel *c)
{
    struct recording *r = newest(c);
    if (!r)
        return;
    r->to = calls->emit->now;
    r->over = true;
    saved_touch(&c->call->saved);
}

void recording_gone(struct calls *calls, struct channel *c)
{
    while (newest(c))
        recording_stopped(calls, c);
}

void recordings_move(struct recordings *from, struct recordings *to, struct slice uniqueid)
{
    struct recording **p = &from->first;
    while (*p) {
        struct recording *r = *p;
        if (!is_of(r, uniqueid)) {
            p = &r->next;
            continue;
        }
        *p = r->next;
        from->count--;
        append(to, r);
    }
}

struct slice recording_during(const struct call *call, const struct slice uniqueids[2],
                              int64_t from, int64_t to)
{
    const struct recording *r = call->recordings.first;
    for (; r; r = r->next) {
        bool of_one = is_of(r, uniqueids[0]) || is_of(r, uniqueids[1]);
        if (r->file && of_one && (!to || r->from <= to) && (!r->over || r->to >= from))
            return slice_from(r->file);
    }
    return (struct slice){NULL, 0};
}

void recording_put(struct fact_builder *f, const struct call *call)
{
    const struct recording *first = call->recordings.first;
    fact_put_known(f, FIELD_RECORDING, slice_from(first ? first->file : NULL));
    fact_open_array(f, FIELD_RECORDINGS);
    for (const struct recording *r = first; r; r = r->next) {
        fact_open_object(f, FIELD_RECORDINGS);
        fact_put_known(f, FIELD_FILE, slice_from(r->file));
        fact_put_string(f, FIELD_UNIQUEID, slice_from(r->uniqueid));
        fact_put_time(f, FIELD_FROM, r->from);
        fact_put_time(f, FIELD_TO, r->to);
        fact_close(f);
    }
    fact_close(f);
    fact_put_int(f, FIELD_RECORDINGS_OMITTED, (int64_t)call->recordings.omitted);
}

void recordings_save(const struct recordings *recordings, struct json_out *j)
{
    json_out_array(j, "recordings");
    for (const struct recording *r = recordings->first; r; r = r->next) {
        json_out_object(j, NULL);
        json_out_string(j, "uniqueid", slice_from(r->uniqueid));
        json_out_string(j, "file", slice_from(r->file));
        json_out_int(j, "from", r->from);
        json_out_int(j, "to", r->to);
        json_out_bool(j, "started", r->started);
        json_out_bool(j, "over", r->over);
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
    json_out_int(j, "recordings_omitted", (int64_t)recordings->omitted);
}

void recordings_restore(struct recordings *recordings, const json_t *array, int64_t omitted)
{
    size_t count = json_array_size(array);
    recordings->omitted = (uint64_t)omitted;
    for (size_t i = 0; i < count && i < RECORDINGS_MAX; i++) {
        const json_t *o = json_array_get(array, i);
        struct recording *r = memory_zeroed(1, sizeof(*r));
        if (!r)
            return;
        json_in_take_text(o, "uniqueid", &r->uniqueid);
        json_in_take_text(o, "file", &r->file);
        r->from = json_in_int(o, "from");
        r->to = json_in_int(o, "to");
        r->started = json_in_bool(o, "started");
        r->over = r->to || json_in_bool(o, "over");
        append(recordings, r);
    }
}
