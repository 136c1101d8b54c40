/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/cdr_chain.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

/* Whiles in which nothing was seen of the PBX: what was live then, and what has become of it. */

/* A Uniqueid's second may be that much behind the one of a higher number (Asterisk makes both
 * without a lock). */
#define IDS_APART 2

int64_t tap_pbx_time(const struct tap *tap, int64_t now)
{
    return now + tap->offset;
}

static void set_reason(struct tap *tap, struct slice reason)
{
    struct slice word = slice_head(reason, sizeof(tap->blind.reason) - 1);
    memcpy(tap->blind.reason, word.p, word.n);
    tap->blind.reason[word.n] = 0;
}

static void go_blind(struct tap *tap, int64_t from, struct slice reason)
{
    tap_restore_blind(tap, from, reason);
    tap->blind.newest = tap->newest;
}

void tap_lost_sight(struct tap *tap, int64_t from, struct slice reason)
{
    /* What was on its way when the last byte came carries an earlier time than that. */
    if (!tap->blind.open)
        go_blind(tap, tap_position(tap, from), reason);
}

void tap_doubts(struct tap *tap, int64_t from, struct slice reason)
{
    if (!tap->blind.open)
        go_blind(tap, from, reason);
    else if (from < tap->blind.from)
        tap->blind.from = from;
}

void tap_restore_blind(struct tap *tap, int64_t from, struct slice reason)
{
    tap->blind.open = tap->emit->joining = true;
    tap->blind.from = from;
    set_reason(tap, reason);
}

void tap_host(struct tap *tap, struct slice host)
{
    if (tap->blind.open && tap->host && !slice_equal(slice_from(tap->host), host))
        set_reason(tap, SLICE("failover"));
    text_set(&tap->host, host);
}

void tap_mark_blind(struct tap *tap)
{
    size_t position = 0;
    struct channel *c;
    struct call *call;
    if (!tap->blind.open)
        return;
    tap->blind.event = tap->emit->event;
    tap->blind.to = tap->emit->now;
    while ((c = table_next(&tap->channels, &position))) {
        c->blind = true;
        saved_touch(&c->saved);
    }
    position = 0;
    while ((call = table_next(&tap->calls.by_linkedid, &position))) {
        call->from_snapshot = true;
        saved_touch(&call->saved);
    }
    visits_blind(&tap->visits);
    agents_blind(&tap->agents);
    endpoints_blind(&tap->endpoints);
    registrations_blind(&tap->registrations);
    trunks_blind(&tap->trunks);
}

bool tap_is_stale(const struct tap *tap, const struct channel *c)
{
    return tap->blind.to && c->seen <= tap->blind.event;
}

/* While the tap was blind: after it was seen last, and before the log-in, since when its end would
 * have been seen. */
static struct unseen_end ended_blind(const struct tap *tap, int64_t last_seen)
{
    struct unseen_end end = {tap->blind.from, tap->blind.to};
    if (last_seen > end.earliest)
        end.earliest = last_seen;
    if (end.earliest > end.latest)
        end.earliest = end.latest;
    return end;
}

static struct unseen_end end_of(const struct tap *tap, const struct channel *c)
{
    if (tap_is_stale(tap, c))
        return ended_blind(tap, c->last_time);
    int64_t now = tap->emit->now;
    return (struct unseen_end){c->last_time < now ? c->last_time : now, now};
}

void tap_lose_visits(struct tap *tap, uint64_t began)
{
    struct visit_loss loss = {.began = began, .blind = tap->blind.event};
    if (tap->blind.to)
        loss.end = ended_blind(tap, tap->blind.from);
    visits_lose_missing(&tap->visits, &loss);
}

void tap_lose_channel(struct tap *tap, struct channel *c)
{
    struct unseen_end end = end_of(tap, c);
    struct snapshot_values v = snapshot_values(c->now);
    v.flags |= SNAPSHOT_DEAD;
    c->from_snapshot = true;
    c->lost = end;
    cdr_chain_lost(c->chain, end);
    if (c->call) {
        c->call->from_snapshot = true;
        c->call->lost = end;
    }
    visits_lose_caller(&tap->visits, channel_uniqueid(c), end);
    struct channel_change change = channel_take(c, &v, CHANNEL_EVENT_STATE, tap->emit->now);
    cdr_snapshot(&tap->cdr, &change, end.earliest);
    tap_channel_gone(tap, c);
}

/* Calls tap_lose_channel on each channel that is to be lost. */
static void lose_where(struct tap *tap, bool (*where)(const struct tap *, const struct channel *))
{
    struct channel **lost = memory_zeroed(tap->channels.count + 1, sizeof(struct channel *));
    size_t count = 0, position = 0;
    struct channel *c;
    while (lost && (c = table_next(&tap->channels, &position))) {
        if (where(tap, c))
            lost[count++] = c;
    }
    bool from_list = tap->emit->from_list;
    tap->emit->from_list = true;
    for (size_t i = 0; i < count; i++)
        tap_lose_channel(tap, lost[i]);
    tap->emit->from_list = from_list;
    free(lost);
}

/* A bridge whose BridgeDestroy was not seen; one that is entered is described anew. */
static void forget_empty_bridges(struct tap *tap)
{
    struct bridge **empty = memory_zeroed(tap->bridges.count + 1, sizeof(struct bridge *));
    size_t count = 0, position = 0;
    struct bridge *b;
    while (empty && (b = table_next(&tap->bridges, &position))) {
        if (!b->count)
            empty[count++] = b;
    }
    for (size_t i = 0; i < count; i++) {
        table_remove(&tap->bridges, bridge_id(empty[i]));
        bridge_free(empty[i]);
    }
    free(empty);
}

/* --- a PBX that was started anew: nothing of before is left --- */

static void pbx_restarted(struct tap *tap)
{
    if (!tap->blind.to)
        return;
    lose_where(tap, tap_is_stale);
    tap_lose_visits(tap, tap->blind.event);
    forget_empty_bridges(tap);
    if (tap->blind.open && !slice_is(slice_from(tap->blind.reason), "failover"))
        set_reason(tap, SLICE("pbx_restart"));
    tap->newest = (struct tap_newest){0};
    tap->blind.newest = tap->newest;
}

void tap_booted(struct tap *tap, struct slice startup)
{
    bool other = tap->boot && !slice_equal(slice_from(tap->boot), startup);
    text_set(&tap->boot, startup);
    if (!other)
        return;
    pbx_restarted(tap);
    tap_tell(tap);
}

/* Uptime is cut to whole seconds of the clock that Timestamp shows (Asterisk 22): a PBX that was
 * started after it was lost, however much of a second is missing. */
void tap_on_fully_booted(struct tap *tap, const struct ami_message *m)
{
    int64_t uptime;
    if (tap->blind.to && ami_text_seconds(ami_message_get(m, AMI_HEADER_UPTIME), &uptime) &&
        tap->emit->now - uptime - 1000000 > tap->blind.from)
        pbx_restarted(tap);
}

void tap_note_id(struct tap *tap, struct slice uniqueid)
{
    struct tap_newest id;
    if (!channel_id_parts(uniqueid, &id.seconds, &id.count))
        return;
    const struct tap_newest *before = &tap->blind.newest;
    if (!tap->boot && before->seconds && id.count < before->count &&
        id.seconds > before->seconds + IDS_APART)
        pbx_restarted(tap);
    if (id.count > tap->newest.count)
        tap->newest = id;
}

/* --- channels that nothing confirms --- */

void tap_seen(struct tap *tap, struct channel *c)
{
    c->seen = tap->emit->event;
    if (!c->unsure_until)
        return;
    c->unsure_until = 0;
    saved_touch(&c->saved);
    calls_touch(&tap->calls, c->call);
}

static void doubt(struct tap *tap)
{
    size_t position = 0;
    struct channel *c;
    while ((c = table_next(&tap->channels, &position))) {
        if (!tap_is_stale(tap, c) || c->unsure_until)
            continue;
        c->unsure_until = tap->emit->now + tap->options.unsure;
        saved_touch(&c->saved);
        calls_touch(&tap->calls, c->call);
        if (!tap->next_unsure || c->unsure_until < tap->next_unsure)
            tap->next_unsure = c->unsure_until;
    }
}

static bool is_given_up(const struct tap *tap, const struct channel *c)
{
    return c->unsure_until && c->unsure_until <= tap->emit->now;
}

void tap_expire_unsure(struct tap *tap)
{
    if (!tap->next_unsure || tap->emit->now < tap->next_unsure)
        return;
    lose_where(tap, is_given_up);
    size_t position = 0;
    const struct channel *c;
    tap->next_unsure = 0;
    while ((c = table_next(&tap->channels, &position))) {
        if (c->unsure_until && (!tap->next_unsure || c->unsure_until < tap->next_unsure))
            tap->next_unsure = c->unsure_until;
    }
}

void tap_unsure_clock_set(struct tap *tap, int64_t by)
{
    size_t position = 0;
    struct channel *c;
    while ((c = table_next(&tap->channels, &position))) {
        if (!c->unsure_until)
            continue;
        c->unsure_until += by;
        saved_touch(&c->saved);
    }
    tap->next_unsure += tap->next_unsure ? by : 0;
}

void tap_snapshot_end(struct tap *tap, int64_t now)
{
    int64_t time = tap_pbx_time(tap, now);
    if (time > tap->emit->now)
        tap->emit->now = time;
    doubt(tap);
    forget_empty_bridges(tap);
    tap_tell(tap);
    if (!tap->blind.open)
        return;
    tap->blind.open = tap->emit->joining = false;
    tap_tell_gap(tap, tap->blind.from, tap->emit->now, slice_from(tap->blind.reason));
}
