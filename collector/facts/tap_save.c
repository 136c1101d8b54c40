/* SPDX-License-Identifier: MIT */
#include "collector/facts/journey_save.h"
#include "collector/facts/tap_internal.h"

/* The live state as JSON, one object an entity: channel/<Uniqueid> with its CDR rows,
 * call/<linkedid>, visit/<caller>/<queue>/<joined>, agent/<interface>, endpoint/<name>,
 * registration/<key>, trunk/<name>, load/<subject>. tap_restore.c reads it. Only
 * this process and a later version of it do, so short keys of its own suffice. */

#define ENTITY_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define LOOKS_MAX        ((size_t)CDR_CHAIN_ROWS_MAX * 5 + 4)

/* Each look is written once; rows name it by its place. */
struct looks {
    const struct snapshot *of[LOOKS_MAX];
    size_t count;
};

static int64_t number_of(const struct looks *looks, const struct snapshot *s)
{
    for (size_t i = 0; i < looks->count; i++) {
        if (looks->of[i] == s)
            return (int64_t)i;
    }
    return -1;
}

static void add_look(struct looks *looks, const struct snapshot *s)
{
    if (s && number_of(looks, s) < 0 && looks->count < LOOKS_MAX)
        looks->of[looks->count++] = s;
}

static void collect(struct looks *looks, const struct channel *c)
{
    looks->count = 0;
    add_look(looks, c->birth);
    add_look(looks, c->now);
    add_look(looks, c->outer);
    for (const struct cdr_row *row = c->chain ? c->chain->first : NULL; row; row = row->next) {
        add_look(looks, row->a);
        add_look(looks, row->b);
        add_look(looks, row->place);
        add_look(looks, row->application);
        add_look(looks, row->linked);
    }
}

static void put_looks(struct json_out *j, const struct looks *looks)
{
    json_out_array(j, "looks");
    for (size_t i = 0; i < looks->count; i++) {
        struct snapshot_values v = snapshot_values(looks->of[i]);
        json_out_object(j, NULL);
        json_out_array(j, "texts");
        for (int t = 0; t < SNAPSHOT_TEXTS; t++)
            json_out_string(j, NULL, v.text[t]);
        json_out_close(j, ']');
        json_out_int(j, "priority", v.priority);
        json_out_int(j, "state", v.state);
        json_out_int(j, "cause", v.cause);
        json_out_int(j, "flags", v.flags);
        json_out_int(j, "ama", v.ama);
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
}

static void put_row(struct json_out *j, const struct cdr_row *row, const struct looks *looks)
{
    json_out_object(j, NULL);
    json_out_int(j, "state", row->state);
    json_out_int(j, "disposition", row->disposition);
    json_out_int(j, "opened", row->opened);
    json_out_int(j, "closed", row->closed);
    json_out_int(j, "flags", row->flags);
    json_out_int(j, "start", row->start);
    json_out_int(j, "answer", row->answer);
    json_out_int(j, "end", row->end);
    json_out_int(j, "last_event", row->last_event);
    json_out_int(j, "end_latest", row->end_latest);
    json_out_int(j, "a", number_of(looks, row->a));
    json_out_int(j, "b", number_of(looks, row->b));
    json_out_int(j, "place", number_of(looks, row->place));
    json_out_int(j, "application", number_of(looks, row->application));
    json_out_int(j, "linked", number_of(looks, row->linked));
    json_out_known(j, "bridge", row->bridge);
    json_out_known(j, "userfield_a", row->userfield_a);
    json_out_known(j, "userfield_b", row->userfield_b);
    json_out_close(j, '}');
}

static void put_bridge(struct json_out *j, const struct bridge *b)
{
    if (!b)
        return;
    json_out_object(j, "bridge");
    json_out_string(j, "id", bridge_id(b));
    json_out_string(j, "name", b->name);
    json_out_int(j, "kind", b->kind);
    json_out_bool(j, "confbridge", b->confbridge);
    json_out_bool(j, "stasis", b->stasis);
    json_out_bool(j, "basic", b->basic);
    json_out_int(j, "shown", b->shown);
    json_out_close(j, '}');
}

static void channel_json(const struct channel *c, struct json_out *j)
{
    struct looks looks;
    collect(&looks, c);
    json_out_object(j, NULL);
    put_looks(j, &looks);
    json_out_int(j, "now", number_of(&looks, c->now));
    json_out_int(j, "outer", number_of(&looks, c->outer));
    json_out_bool(j, "outer_due", c->outer_due);
    json_out_int(j, "born", c->born);
    json_out_int(j, "made", c->made.count);
    json_out_int(j, "made_at", c->made.time);
    json_out_int(j, "last_event", c->last_time);
    json_out_int(j, "subroutines", c->subroutines);
    json_out_bool(j, "hangup_logic", c->hangup_logic);
    json_out_bool(j, "left_bridge", c->left_bridge);
    json_out_bool(j, "been_bridged", c->been_bridged);
    json_out_bool(j, "sent_elsewhere", c->sent_elsewhere);
    json_out_bool(j, "called_up", c->called_up);
    json_out_bool(j, "from_snapshot", c->from_snapshot);
    json_out_bool(j, "born_unseen", c->born_unseen);
    json_out_bool(j, "blind", c->blind);
    json_out_bool(j, "originated", c->originated);
    json_out_bool(j, "ringing", c->ringing);
    json_out_bool(j, "hangup_requested", c->hangup_requested);
    json_out_bool(j, "hides_number", c->hides_number);
    json_out_bool(j, "queued", c->queued);
    json_out_bool(j, "picks_up", c->picks_up);
    json_out_bool(j, "forwards", c->forwards);
    json_out_bool(j, "parked_out", c->parked_out);
    json_out_bool(j, "trunk_attempt", c->trunk_attempt);
    json_out_bool(j, "trunk_answered", c->trunk_answered);
    json_out_int(j, "held_since", c->held_since);
    json_out_int(j, "unsure_until", c->unsure_until);
    json_out_bool(j, "music", c->music);
    if (c->half)
        json_out_string(j, "half", channel_uniqueid(c->half));
    if (c->variables.count)
        handoff_save_variables(&c->variables, j);
    json_out_known(j, "parking", c->parking);
    json_out_known(j, "will_run", c->will_run);
    json_out_known(j, "will_run_data", c->will_run_data);
    json_out_known(j, "member", c->called.member);
    json_out_known(j, "member_caller", c->called.caller);
    json_out_known(j, "member_queue", c->called.queue);
    json_out_known(j, "dialer", c->dialer);
    json_out_known(j, "agent", c->agent);
    json_out_bool(j, "holds", c->holds);
    put_bridge(j, c->bridge);
    json_out_array(j, "rows");
    for (const struct cdr_row *row = c->chain ? c->chain->first : NULL; row; row = row->next)
        put_row(j, row, &looks);
    json_out_close(j, ']');
    json_out_close(j, '}');
}

static void call_json(const struct call *call, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_known(j, "linkedid", call->linkedid);
    json_out_known(j, "subject", call->subject);
    json_out_known(j, "caller_number", call->caller_number);
    json_out_known(j, "caller_name", call->caller_name);
    json_out_known(j, "dialled", call->dialled);
    json_out_known(j, "queue", call->queue);
    json_out_int(j, "start", call->start);
    json_out_int(j, "answered", call->answered);
    json_out_bool(j, "answered_unseen", call->answered_unseen);
    json_out_int(j, "since", call->since);
    json_out_int(j, "state", call->state);
    json_out_int(j, "cause", call->cause);
    json_out_int(j, "sequence", (int64_t)call->sequence);
    json_out_int(j, "told", (int64_t)call->told);
    json_out_bool(j, "from_snapshot", call->from_snapshot);
    json_out_int(j, "listed", call->listed);
    journey_json(&call->journey, j);
    if (call->handoffs.first || call->handoffs.omitted)
        handoffs_save(&call->handoffs, j);
    if (call->recordings.first || call->recordings.omitted)
        recordings_save(&call->recordings, j);
    json_out_close(j, '}');
}

static void put_attempts(struct json_out *j, const struct visit *v)
{
    json_out_array(j, "attempts");
    for (size_t i = 0; i < v->attempt_count; i++) {
        json_out_object(j, NULL);
        json_out_known(j, "uniqueid", v->attempts[i].uniqueid);
        json_out_known(j, "member", v->attempts[i].member);
        json_out_int(j, "start", v->attempts[i].start);
        json_out_int(j, "cancelled", v->attempts[i].cancelled);
        json_out_bool(j, "told", v->attempts[i].told);
        json_out_bool(j, "forwards", v->attempts[i].forwards);
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
}

static void visit_json(const struct visit *v, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_known(j, "queue", v->queue->name);
    json_out_known(j, "strategy", v->queue->strategy);
    json_out_int(j, "service_level", v->queue->service_level);
    json_out_known(j, "uniqueid", v->uniqueid);
    json_out_known(j, "linkedid", v->linkedid);
    json_out_known(j, "caller_number", v->caller_number);
    json_out_known(j, "caller_name", v->caller_name);
    json_out_known(j, "member", v->member);
    json_out_known(j, "interface", v->interface);
    json_out_known(j, "member_uniqueid", v->member_uniqueid);
    json_out_known(j, "bridge", v->bridge);
    json_out_known(j, "withdraw_info", v->withdraw_info);
    json_out_int(j, "state", v->state);
    json_out_int(j, "joined", v->joined);
    json_out_int(j, "left", v->left);
    json_out_int(j, "connected", v->connected);
    json_out_int(j, "position", v->position);
    json_out_int(j, "last_position", v->last_position);
    json_out_int(j, "held", v->held);
    json_out_int(j, "talked", v->talked);
    json_out_int(j, "on_hold", v->on_hold);
    json_out_int(j, "held_since", v->held_since);
    json_out_int(j, "deadline", v->deadline);
    json_out_known(j, "ended_by", v->ended_by);
    json_out_int(j, "rings", v->rings);
    json_out_bool(j, "abandon_seen", v->abandon_seen);
    json_out_bool(j, "answer_seen", v->answer_seen);
    json_out_bool(j, "hangup_seen", v->hangup_seen);
    json_out_bool(j, "from_snapshot", v->from_snapshot);
    json_out_bool(j, "blind", v->blind);
    put_attempts(j, v);
    json_out_close(j, '}');
}

static void agent_json(const struct agent *a, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_known(j, "interface", a->interface);
    json_out_known(j, "device", a->device);
    json_out_known(j, "name", a->name);
    json_out_known(j, "linkedid", a->linkedid);
    json_out_known(j, "reason", a->reason);
    json_out_known(j, "queue", a->queue);
    json_out_bool(j, "logged_in", a->logged_in);
    json_out_int(j, "completed", a->completed);
    json_out_int(j, "wrap_until", a->wrap_until);
    json_out_int(j, "state", a->state);
    json_out_int(j, "since", a->since);
    json_out_int(j, "status", a->status);
    json_out_bool(j, "since_snapshot", a->since_snapshot);
    json_out_bool(j, "call_unseen", a->call_unseen);
    json_out_bool(j, "in_call", a->in_call);
    json_out_bool(j, "seen_calls", a->seen_calls);
    json_out_int(j, "told", (int64_t)a->told);
    json_out_array(j, "memberships");
    for (size_t i = 0; i < a->count; i++) {
        json_out_object(j, NULL);
        json_out_known(j, "queue", a->memberships[i].queue);
        json_out_known(j, "reason", a->memberships[i].reason);
        json_out_bool(j, "paused", a->memberships[i].paused);
        json_out_int(j, "penalty", a->memberships[i].penalty);
        json_out_int(j, "calls_taken", a->memberships[i].calls_taken);
        json_out_int(j, "wrapup", a->memberships[i].wrapup);
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
    json_out_close(j, '}');
}

static void endpoint_json(const struct endpoint *e, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_known(j, "name", e->name);
    json_out_int(j, "told", (int64_t)e->told);
    json_out_int(j, "state", e->state + 1);
    json_out_int(j, "since", e->since);
    json_out_bool(j, "since_snapshot", e->since_snapshot);
    json_out_int(j, "registered", e->registered);
    json_out_known(j, "address", e->address);
    json_out_array(j, "contacts");
    for (size_t i = 0; i < e->count; i++) {
        json_out_object(j, NULL);
        json_out_known(j, "uri", e->contacts[i].uri);
        json_out_known(j, "status", e->contacts[i].status);
        json_out_int(j, "roundtrip", e->contacts[i].roundtrip);
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
    json_out_close(j, '}');
}

static void registration_json(const struct registration *r, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_known(j, "channeltype", r->channeltype);
    json_out_int(j, "told", (int64_t)r->told);
    json_out_known(j, "username", r->username);
    json_out_known(j, "domain", r->domain);
    json_out_known(j, "name", r->name);
    json_out_known(j, "endpoint", r->endpoint);
    json_out_known(j, "state", r->state);
    json_out_known(j, "cause", r->cause);
    json_out_int(j, "since", r->since);
    json_out_bool(j, "since_snapshot", r->since_snapshot);
    json_out_close(j, '}');
}

static void trunk_json(const struct trunk *t, struct json_out *j)
{
    const struct trunk_figures *f = &t->figures;
    json_out_object(j, NULL);
    json_out_known(j, "name", t->name);
    json_out_int(j, "told", (int64_t)t->told);
    json_out_int(j, "start", t->start);
    json_out_int(j, "counted", t->counted);
    json_out_int(j, "unseen", t->unseen);
    json_out_int(j, "attempts_in", (int64_t)f->attempts_in);
    json_out_int(j, "attempts_out", (int64_t)f->attempts_out);
    json_out_int(j, "answered", (int64_t)f->answered);
    json_out_int(j, "failed", (int64_t)f->failed);
    json_out_int(j, "calls_max", (int64_t)f->calls_max);
    json_out_int(j, "used", f->used);
    json_out_array(j, "failures");
    for (size_t i = 0; i < f->causes; i++) {
        json_out_int(j, NULL, f->failures[i].cause);
        json_out_int(j, NULL, (int64_t)f->failures[i].count);
    }
    json_out_close(j, ']');
    json_out_close(j, '}');
}

/* The entity's key and JSON, one behind the other in text. */
static size_t render(const struct tap *tap, struct saved *s, struct buf *text)
{
    struct json_out j = json_out_to(text);
    size_t key = 0;
    j.exact = true;
    if (s->kind == SAVED_CHANNEL) {
        const struct channel *c = SAVED_OWNER(s, struct channel, saved);
        buf_put_slice(text, SLICE("channel/"));
        buf_put_slice(text, channel_uniqueid(c));
        key = text->n;
        channel_json(c, &j);
    } else if (s->kind == SAVED_CALL) {
        const struct call *call = SAVED_OWNER(s, struct call, saved);
        buf_put_slice(text, SLICE("call/"));
        buf_put_slice(text, call_linkedid(call));
        key = text->n;
        call_json(call, &j);
    } else if (s->kind == SAVED_AGENT) {
        const struct agent *a = SAVED_OWNER(s, struct agent, saved);
        buf_put_slice(text, SLICE("agent/"));
        buf_put_slice(text, slice_from(a->interface));
        key = text->n;
        agent_json(a, &j);
    } else if (s->kind == SAVED_ENDPOINT) {
        const struct endpoint *e = SAVED_OWNER(s, struct endpoint, saved);
        buf_put_slice(text, SLICE("endpoint/"));
        buf_put_slice(text, slice_from(e->name));
        key = text->n;
        endpoint_json(e, &j);
    } else if (s->kind == SAVED_REGISTRATION) {
        const struct registration *r = SAVED_OWNER(s, struct registration, saved);
        buf_put_slice(text, SLICE("registration/"));
        buf_put_slice(text, slice_from(r->key));
        key = text->n;
        registration_json(r, &j);
    } else if (s->kind == SAVED_TRUNK) {
        const struct trunk *t = SAVED_OWNER(s, struct trunk, saved);
        buf_put_slice(text, SLICE("trunk/"));
        buf_put_slice(text, slice_from(t->name));
        key = text->n;
        trunk_json(t, &j);
    } else if (s->kind == SAVED_DRIFT) {
        buf_put_slice(text, SLICE("drift"));
        key = text->n;
        drift_json(SAVED_OWNER(s, struct drift, saved), &j);
    } else if (s->kind == SAVED_DRIFT_CHANNEL) {
        const struct drift_channel *c = SAVED_OWNER(s, struct drift_channel, saved);
        buf_put_slice(text, SLICE("drift/"));
        buf_put_slice(text, slice_from(c->uniqueid));
        key = text->n;
        drift_channel_json(c, &j);
    } else if (s->kind == SAVED_LOAD) {
        const struct load *l = SAVED_OWNER(s, struct load, saved);
        buf_put_slice(text, SLICE("load/"));
        buf_put_slice(text, slice_from(l->subject));
        key = text->n;
        loads_save(&tap->loads, l, &j);
    } else {
        const struct visit *v = SAVED_OWNER(s, struct visit, saved);
        visit_key(v, text);
        key = text->n;
        visit_json(v, &j);
    }
    return key;
}

static void save_gone(struct tap *tap, tap_put put, void *ctx)
{
    struct slice keys = buf_slice(&tap->saved.gone);
    while (keys.n) {
        struct slice key = slice_head(keys, strnlen(keys.p, keys.n));
        put(ctx, key, (struct slice){NULL, 0});
        keys = slice_from_offset(keys, key.n + 1);
    }
}

static void put_last(struct json_out *j, const struct emitter *e)
{
    json_out_int(j, "runs", e->earlier_runs + 1);
    json_out_int(j, "until", e->until);
    json_out_int(j, "moment", e->last_moment);
    json_out_array(j, "given");
    for (size_t i = 0; i < e->last_count; i++) {
        struct emitted last = emit_last(e, i);
        json_out_int(j, NULL, (int64_t)last.hash);
        json_out_int(j, NULL, last.count);
    }
    json_out_close(j, ']');
}

static bool is_kept(const struct tap_kept *now, const struct tap_kept *kept)
{
    return now->facts == kept->facts && now->last_event == kept->last_event &&
           now->untimed == kept->untimed && now->dialplan == kept->dialplan &&
           now->agi == kept->agi && now->blind == kept->blind && now->newest == kept->newest;
}

/* Since when nothing is seen of the PBX, and what tells whether it is still the same. */
static void put_blind(struct json_out *j, const struct tap *tap)
{
    if (tap->blind.open) {
        json_out_int(j, "blind_from", tap->blind.from);
        json_out_known(j, "blind_reason", tap->blind.reason);
    }
    json_out_int(j, "newest_seconds", tap->newest.seconds);
    json_out_int(j, "newest_count", tap->newest.count);
    json_out_known(j, "host", tap->host);
    json_out_known(j, "boot", tap->boot);
}

/* Goes with every save: up to where the stream was followed, and what the last moment gave. The
 * count of facts matters for ids where the PBX sends no Timestamp. */
static void save_tap(struct tap *tap, tap_put put, void *ctx)
{
    struct tap_kept now = {.facts = tap->emit->counter,
                           .last_event = tap->last_event,
                           .untimed = tap->emit->untimed,
                           .dialplan = tap->sees_dialplan,
                           .agi = (int)tap->emit->agi,
                           .blind = tap->blind.open,
                           .newest = tap->newest.count};
    if (is_kept(&now, &tap->kept))
        return;
    tap->kept = now;
    struct buf text = buf_new(4096);
    struct json_out j = json_out_to(&text);
    j.exact = true;
    json_out_object(&j, NULL);
    json_out_int(&j, "counter", now.untimed ? (int64_t)now.facts : 0);
    json_out_int(&j, "last_event", now.last_event);
    json_out_int(&j, "event_time", tap->event_time);
    json_out_bool(&j, "untimed", now.untimed);
    json_out_bool(&j, "dialplan", now.dialplan);
    json_out_int(&j, "agi", now.agi);
    put_last(&j, tap->emit);
    put_blind(&j, tap);
    json_out_close(&j, '}');
    put(ctx, SLICE("tap"), buf_slice(&text));
    buf_free(&text);
}

void tap_save(struct tap *tap, tap_put put, tap_saved done, void *ctx)
{
    struct buf text = buf_new(ENTITY_BYTES_MAX);
    struct saved *s;
    save_tap(tap, put, ctx);
    save_gone(tap, put, ctx);
    while ((s = saved_take(&tap->saved))) {
        buf_clear(&text);
        size_t key = render(tap, s, &text);
        s->stored = true;
        if (!text.failed)
            put(ctx, slice_head(buf_slice(&text), key), slice_from_offset(buf_slice(&text), key));
    }
    buf_free(&text);
    bool kept = !done || done(ctx);
    if (!kept)
        tap->kept = (struct tap_kept){0};
    saved_settle(&tap->saved, kept);
}
