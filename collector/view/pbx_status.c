/* SPDX-License-Identifier: MIT */
#include "collector/view/pbx_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TEXT_MAX     256
#define HEARD_EVERY  2000000
#define SKEW_STEP    100000
#define PBX_JSON_MAX 16384

struct pbx {
    char name[TEXT_MAX], reason[TEXT_MAX], version[TEXT_MAX], gap_reason[TEXT_MAX];
    bool connected;
    bool changed;
    int64_t since;     /* of connected; 0: never connected yet */
    int64_t heard;     /* 0: nothing yet */
    int64_t published; /* when its status was last told */
    bool heard_more;   /* heard changed since */
    int64_t skew;      /* how far its clock is ahead of this machine's */
    bool has_skew;
    uint64_t gaps;
};

struct pbx_status {
    struct pbx *all[PBX_STATUS_MAX];
    size_t n;
    uint64_t lost_updates, dropped;
    uint64_t lost_before; /* of lost_updates, those of earlier days */
};

struct pbx_status *pbx_status_new(void)
{
    return calloc(1, sizeof(struct pbx_status));
}

void pbx_status_free(struct pbx_status *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->all[i]);
    free(s);
}

static void set_text(char to[TEXT_MAX], struct slice text)
{
    size_t n = text.n < TEXT_MAX ? text.n : TEXT_MAX - 1;
    if (n)
        memcpy(to, text.p, n);
    to[n] = '\0';
}

/* NULL at the bound and when memory is short. */
static struct pbx *find(struct pbx_status *s, struct slice name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (slice_is(name, s->all[i]->name))
            return s->all[i];
    }
    if (s->n == PBX_STATUS_MAX || name.n >= TEXT_MAX)
        return NULL;
    struct pbx *pbx = calloc(1, sizeof(*pbx));
    if (!pbx)
        return NULL;
    set_text(pbx->name, name);
    set_text(pbx->reason, SLICE("connecting"));
    pbx->changed = true;
    s->all[s->n++] = pbx;
    return pbx;
}

void pbx_status_add(struct pbx_status *s, struct slice pbx)
{
    find(s, pbx);
}

static void hear(struct pbx *pbx, int64_t time)
{
    if (time == pbx->heard)
        return;
    pbx->heard = time;
    pbx->heard_more = true;
}

/* The one place where a link's state changes. */
static void set_connected(struct pbx *pbx, bool connected, int64_t time, struct slice reason)
{
    if (pbx->connected != connected || pbx->since == 0) {
        pbx->connected = connected;
        pbx->since = time;
        pbx->changed = true;
    }
    char before[TEXT_MAX];
    memcpy(before, pbx->reason, sizeof(before));
    set_text(pbx->reason, reason);
    pbx->changed = pbx->changed || strcmp(before, pbx->reason) != 0;
}

void pbx_status_connected(struct pbx_status *s, struct slice name, int64_t time,
                          struct slice version)
{
    struct pbx *pbx = find(s, name);
    if (!pbx)
        return;
    set_connected(pbx, true, time, (struct slice){0});
    if (version.n)
        set_text(pbx->version, version);
    hear(pbx, time);
    pbx->changed = true;
}

void pbx_status_disconnected(struct pbx_status *s, struct slice name, int64_t time,
                             struct slice reason)
{
    struct pbx *pbx = find(s, name);
    if (pbx)
        set_connected(pbx, false, time, reason);
}

/* The end of the JSON string whose opening quote is at i, or json.n. */
static size_t string_end(struct slice json, size_t i)
{
    for (i++; i < json.n && json.p[i] != '"'; i++)
        i += json.p[i] == '\\';
    return i < json.n ? i : json.n;
}

/* The raw value of a top-level member of a JSON object of our own making; strings without their
 * quotes and still escaped. Empty when there is none. */
static struct slice member(struct slice json, struct slice key, bool *ret_string)
{
    unsigned depth = 0;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        depth += c == '{' || c == '[';
        depth -= (c == '}' || c == ']') && depth > 0;
        if (c != '"')
            continue;
        size_t end = string_end(json, i);
        struct slice text = slice_head(slice_from_offset(json, i + 1), end - i - 1);
        struct slice rest = slice_from_offset(json, end + 1);
        i = end;
        if (depth != 1 || !slice_equal(text, key) || !slice_starts(rest, SLICE(":")))
            continue;
        rest = slice_from_offset(rest, 1);
        *ret_string = slice_starts(rest, SLICE("\""));
        size_t n = 0;
        if (*ret_string)
            return slice_head(slice_from_offset(rest, 1), string_end(rest, 0) - 1);
        while (n < rest.n && rest.p[n] != ',' && rest.p[n] != '}')
            n++;
        return slice_head(rest, n);
    }
    return (struct slice){0};
}

/* "2026-11-20T23:57:51.090059Z" or microseconds; 0 when it is neither. */
static int64_t read_time(struct slice text)
{
    char copy[64];
    struct tm tm = {0};
    if (text.n == 0 || text.n >= sizeof(copy))
        return 0;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
    if (end)
        return (int64_t)timegm(&tm) * 1000000;
    if (strspn(copy, "0123456789") == text.n)
        return (int64_t)strtoll(copy, NULL, 10);
    return 0;
}

/* The times of its calls are by its own clock: who shows for how long needs to know. */
static void set_skew(struct pbx *pbx, struct slice text)
{
    char copy[24];
    if (text.n == 0 || text.n >= sizeof(copy))
        return;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    int64_t skew = (int64_t)strtoll(copy, NULL, 10);
    if (pbx->has_skew && llabs(skew - pbx->skew) < SKEW_STEP)
        return;
    pbx->skew = skew;
    pbx->has_skew = true;
    pbx->changed = true;
}

void pbx_status_note(struct pbx_status *s, struct slice name, struct slice json, int64_t now)
{
    struct pbx *pbx = find(s, name);
    bool is_string = false;
    if (!pbx)
        return;
    struct slice connected = member(json, SLICE("connected"), &is_string);
    struct slice reason = member(json, SLICE("reason"), &is_string);
    if (!is_string)
        reason = (struct slice){0};
    if (connected.n)
        set_connected(pbx, slice_is(connected, "true"), now, reason);
    set_skew(pbx, member(json, SLICE("clock_skew_us"), &is_string));
    int64_t last = read_time(member(json, SLICE("last_event"), &is_string));
    if (last)
        hear(pbx, last);
    else if (slice_is(connected, "true"))
        hear(pbx, now);
}

void pbx_status_gap(struct pbx_status *s, struct slice name, struct slice reason)
{
    struct pbx *pbx = find(s, name);
    if (!pbx)
        return;
    pbx->gaps++;
    set_text(pbx->gap_reason, reason);
    pbx->changed = true;
}

void pbx_status_new_day(struct pbx_status *s)
{
    s->lost_before = s->lost_updates;
    for (size_t i = 0; i < s->n; i++) {
        s->all[i]->gaps = 0;
        s->all[i]->changed = true;
    }
}

void pbx_status_clock_set(struct pbx_status *s, int64_t by)
{
    for (size_t i = 0; i < s->n; i++) {
        struct pbx *pbx = s->all[i];
        pbx->since += pbx->since ? by : 0;
        pbx->heard += pbx->heard ? by : 0;
        pbx->published += by;
        pbx->changed = true;
    }
}

void pbx_status_view(struct pbx_status *s, uint64_t lost_updates, uint64_t dropped)
{
    if (s->lost_updates == lost_updates && s->dropped == dropped)
        return;
    s->lost_updates = lost_updates;
    s->dropped = dropped;
    for (size_t i = 0; i < s->n; i++)
        s->all[i]->changed = true;
}

static void json_text(struct json_out *j, const char *key, const char *text)
{
    if (text[0])
        json_out_string(j, key, slice_from(text));
    else
        json_out_null(j, key);
}

static void json_time(struct json_out *j, const char *key, int64_t time)
{
    if (time)
        json_out_time(j, key, time);
    else
        json_out_null(j, key);
}

static void json_pbx(const struct pbx_status *s, const struct pbx *pbx, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_string(j, "pbx", slice_from(pbx->name));
    json_out_string(j, "subject", slice_from(pbx->name));
    json_out_bool(j, "connected", pbx->connected);
    json_text(j, "reason", pbx->reason);
    json_time(j, "since", pbx->since);
    json_time(j, "last_event", pbx->heard);
    if (pbx->has_skew)
        json_out_seconds(j, "clock_skew_seconds", pbx->skew);
    else
        json_out_null(j, "clock_skew_seconds");
    json_text(j, "version", pbx->version);
    json_out_int(j, "gaps", (int64_t)pbx->gaps);
    json_text(j, "gap_reason", pbx->gap_reason);
    json_out_int(j, "lost_updates", (int64_t)(s->lost_updates - s->lost_before));
    json_out_int(j, "dropped", (int64_t)s->dropped);
    json_out_close(j, '}');
}

void pbx_status_changed(struct pbx_status *s, int64_t now, pbx_status_seen seen, void *ctx)
{
    struct buf text = buf_new(PBX_JSON_MAX);
    for (size_t i = 0; i < s->n; i++) {
        struct pbx *pbx = s->all[i];
        bool heard =
            pbx->heard_more && (now - pbx->published >= HEARD_EVERY || now < pbx->published);
        if (!pbx->changed && !heard)
            continue;
        pbx->changed = pbx->heard_more = false;
        pbx->published = now;
        buf_clear(&text);
        struct json_out j = json_out_to(&text);
        json_pbx(s, pbx, &j);
        if (!text.failed)
            seen(ctx, slice_from(pbx->name), buf_slice(&text));
    }
    buf_free(&text);
}

bool pbx_status_health(const struct pbx_status *s, int64_t now, struct json_out *j)
{
    bool ok = true;
    for (size_t i = 0; i < s->n; i++)
        ok = ok && s->all[i]->connected;
    json_out_object(j, NULL);
    json_out_string(j, "status", ok ? SLICE("ok") : SLICE("degraded"));
    json_out_int(j, "lost_updates", (int64_t)s->lost_updates);
    json_out_int(j, "dropped", (int64_t)s->dropped);
    json_out_array(j, "pbxs");
    for (size_t i = 0; i < s->n; i++) {
        const struct pbx *pbx = s->all[i];
        json_out_object(j, NULL);
        json_out_string(j, "pbx", slice_from(pbx->name));
        json_out_bool(j, "connected", pbx->connected);
        json_text(j, "reason", pbx->reason);
        json_time(j, "last_event", pbx->heard);
        if (pbx->heard)
            json_out_seconds(j, "age_seconds", now > pbx->heard ? now - pbx->heard : 0);
        else
            json_out_null(j, "age_seconds");
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
    json_out_close(j, '}');
    return ok;
}
