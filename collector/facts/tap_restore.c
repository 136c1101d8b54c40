/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/journey_save.h"
#include "collector/facts/json_in.h"
#include "collector/facts/talk.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_vocab.h"
#include <stdlib.h>

/* Reads what tap_save.c wrote. A body that is not as it wrote it is refused whole. */

static struct snapshot *read_look(const json_t *o)
{
    const json_t *texts = json_object_get(o, "texts");
    struct snapshot_values v = {
        .priority = (int)json_in_int(o, "priority"),
        .state = (int)json_in_int(o, "state"),
        .cause = (int)json_in_int(o, "cause"),
        .flags = (unsigned)json_in_int(o, "flags"),
        .ama = (enum snapshot_ama)json_in_choice(o, "ama", SNAPSHOT_AMA_BILLING)};
    if (json_array_size(texts) != SNAPSHOT_TEXTS)
        return NULL;
    for (size_t i = 0; i < SNAPSHOT_TEXTS; i++) {
        const json_t *text = json_array_get(texts, i);
        v.text[i] = json_in_string(text);
    }
    return v.text[SNAPSHOT_UNIQUEID].n ? snapshot_new(&v) : NULL;
}

struct looks {
    struct snapshot **of;
    size_t count;
};

static void looks_free(struct looks *looks)
{
    for (size_t i = 0; i < looks->count; i++)
        snapshot_unref(looks->of[i]);
    free(looks->of);
}

static bool read_looks(const json_t *o, struct looks *ret_looks)
{
    const json_t *array = json_object_get(o, "looks");
    size_t count = json_array_size(array);
    struct looks looks = {memory_zeroed(count ? count : 1, sizeof(struct snapshot *)), 0};
    for (; looks.of && looks.count < count; looks.count++) {
        looks.of[looks.count] = read_look(json_array_get(array, looks.count));
        if (!looks.of[looks.count])
            break;
    }
    if (!looks.of || !count || looks.count < count) {
        looks_free(&looks);
        return false;
    }
    *ret_looks = looks;
    return true;
}

static struct snapshot *look(const struct looks *looks, const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);
    int64_t i = json_integer_value(value);
    return json_is_integer(value) && i >= 0 && (size_t)i < looks->count ? looks->of[i] : NULL;
}

static struct cdr_row *read_row(const json_t *o, const struct looks *looks)
{
    struct snapshot *a = look(looks, o, "a");
    struct cdr_row *row = a ? cdr_row_new(a, json_in_int(o, "start")) : NULL;
    if (!row)
        return NULL;
    row->state = (enum cdr_state)json_in_choice(o, "state", CDR_FINALISED);
    row->disposition = (enum cdr_disposition)json_in_choice(o, "disposition", CDR_CANCEL);
    row->opened = (enum cdr_opened)json_in_choice(o, "opened", CDR_OPENED_COUNT - 1);
    row->closed = (enum cdr_closed)json_in_choice(o, "closed", CDR_CLOSED_COUNT - 1);
    row->flags = (unsigned)json_in_int(o, "flags");
    row->answer = json_in_int(o, "answer");
    row->end = json_in_int(o, "end");
    row->last_event = json_in_int(o, "last_event");
    row->end_latest = json_in_int(o, "end_latest");
    snapshot_set(&row->b, look(looks, o, "b"));
    snapshot_set(&row->application, look(looks, o, "application"));
    if (look(looks, o, "place"))
        snapshot_set(&row->place, look(looks, o, "place"));
    if (look(looks, o, "linked"))
        snapshot_set(&row->linked, look(looks, o, "linked"));
    json_in_take_text(o, "bridge", &row->bridge);
    json_in_take_text(o, "userfield_a", &row->userfield_a);
    json_in_take_text(o, "userfield_b", &row->userfield_b);
    return row;
}

static void read_rows(struct channel *c, const json_t *rows, const struct looks *looks)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct cdr_row *row = read_row(json_array_get(rows, i), looks);
        if (row && !cdr_chain_restore(c, row))
            cdr_row_free(row);
    }
}

static void read_bridge(struct tap *tap, struct channel *c, const json_t *o)
{
    struct slice id = json_in_text(o, "id");
    struct bridge *b = id.n ? table_find(&tap->bridges, id) : NULL;
    if (id.n && !b) {
        struct bridge_values values = {
            .id = id,
            .name = json_in_text(o, "name"),
            .kind = (enum bridge_kind)json_in_choice(o, "kind", BRIDGE_LISTED),
            .confbridge = json_in_bool(o, "confbridge"),
            .stasis = json_in_bool(o, "stasis"),
            .basic = json_in_bool(o, "basic")};
        b = bridge_make(&values);
        if (b && !table_add(&tap->bridges, b)) {
            bridge_free(b);
            b = NULL;
        }
    }
    if (!b)
        return;
    b->shown = (unsigned)json_in_int(o, "shown");
    bridge_enter(b, c);
}

static bool restore_channel(struct tap *tap, const json_t *o)
{
    struct looks looks;
    if (!read_looks(o, &looks))
        return false;
    struct snapshot_values birth = snapshot_values(looks.of[0]);
    struct channel *c = channel_new(&birth, json_in_int(o, "born"));
    bool good = c && tap_channel_add(tap, c);
    if (good) {
        c->saved.stored = true;
        if (look(&looks, o, "now"))
            snapshot_set(&c->now, look(&looks, o, "now"));
        snapshot_set(&c->outer, look(&looks, o, "outer"));
        if (json_object_get(o, "made"))
            c->made = (struct channel_age){json_in_int(o, "made"), json_in_int(o, "made_at")};
        c->outer_due = c->outer && json_in_bool(o, "outer_due");
        c->last_time = json_in_int(o, "last_event");
        c->last_event = CHANNEL_EVENT_OTHER;
        c->subroutines = (unsigned)json_in_int(o, "subroutines");
        c->hangup_logic = json_in_bool(o, "hangup_logic");
        c->left_bridge = json_in_bool(o, "left_bridge");
        c->been_bridged = json_in_bool(o, "been_bridged");
        c->sent_elsewhere = json_in_bool(o, "sent_elsewhere");
        c->called_up = json_in_bool(o, "called_up");
        c->from_snapshot = json_in_bool(o, "from_snapshot");
        c->born_unseen = json_in_bool(o, "born_unseen");
        c->blind = json_in_bool(o, "blind");
        c->originated = json_in_bool(o, "originated");
        c->ringing = json_in_bool(o, "ringing");
        c->hangup_requested = json_in_bool(o, "hangup_requested");
        c->hides_number = json_in_bool(o, "hides_number");
        c->queued = json_in_bool(o, "queued");
        c->picks_up = json_in_bool(o, "picks_up");
        c->forwards = json_in_bool(o, "forwards");
        c->parked_out = json_in_bool(o, "parked_out");
        c->trunk_attempt = json_in_bool(o, "trunk_attempt");
        c->trunk_answered = json_in_bool(o, "trunk_answered");
        c->held_since = json_in_int(o, "held_since");
        c->unsure_until = json_in_int(o, "unsure_until");
        handoff_restore_variables(&c->variables, json_object_get(o, "variables"));
        c->music = json_in_bool(o, "music");
        json_in_take_text(o, "half", &c->half_id);
        json_in_take_text(o, "parking", &c->parking);
        json_in_take_text(o, "will_run", &c->will_run);
        json_in_take_text(o, "will_run_data", &c->will_run_data);
        json_in_take_text(o, "member", &c->called.member);
        json_in_take_text(o, "member_caller", &c->called.caller);
        json_in_take_text(o, "member_queue", &c->called.queue);
        json_in_take_text(o, "dialer", &c->dialer);
        json_in_take_text(o, "agent", &c->agent);
        c->holds = json_in_bool(o, "holds");
        read_bridge(tap, c, json_object_get(o, "bridge"));
        read_rows(c, json_object_get(o, "rows"), &looks);
    }
    looks_free(&looks);
    return good;
}

static bool restore_call(struct tap *tap, const json_t *o)
{
    struct call *call = memory_zeroed(1, sizeof(*call));
    if (!call)
        return false;
    json_in_take_text(o, "linkedid", &call->linkedid);
    json_in_take_text(o, "subject", &call->subject);
    json_in_take_text(o, "caller_number", &call->caller_number);
    json_in_take_text(o, "caller_name", &call->caller_name);
    json_in_take_text(o, "dialled", &call->dialled);
    json_in_take_text(o, "queue", &call->queue);
    call->start = json_in_int(o, "start");
    call->answered = json_in_int(o, "answered");
    call->answered_unseen = json_in_bool(o, "answered_unseen");
    call->since = json_in_int(o, "since");
    call->state = (enum call_state)json_in_choice(o, "state", CALL_ANSWERED);
    call->cause = (int)json_in_int(o, "cause");
    call->sequence = (uint64_t)json_in_int(o, "sequence");
    call->told = (uint64_t)json_in_int(o, "told");
    call->from_snapshot = json_in_bool(o, "from_snapshot");
    call->listed = json_in_int(o, "listed");
    handoffs_restore(&call->handoffs, json_object_get(o, "handoffs"),
                     json_in_int(o, "handoffs_omitted"));
    recordings_restore(&call->recordings, json_object_get(o, "recordings"),
                       json_in_int(o, "recordings_omitted"));
    journey_restore(call, o);
    if (call->since > tap->emit->now)
        tap->emit->now = call->since;
    return calls_restore(&tap->calls, call) != NULL;
}

static void read_attempts(struct visit *v, const json_t *array)
{
    size_t count = json_array_size(array);
    if (!count || count > VISIT_ATTEMPTS_MAX)
        return;
    v->attempts = memory_zeroed(count, sizeof(*v->attempts));
    if (!v->attempts)
        return;
    v->attempt_size = v->attempt_count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *o = json_array_get(array, i);
        json_in_take_text(o, "uniqueid", &v->attempts[i].uniqueid);
        json_in_take_text(o, "member", &v->attempts[i].member);
        v->attempts[i].start = json_in_int(o, "start");
        v->attempts[i].cancelled = json_in_int(o, "cancelled");
        v->attempts[i].told = json_in_bool(o, "told");
        v->attempts[i].forwards = json_in_bool(o, "forwards");
    }
}

/* With what QueueStatus told of it: visits may end before that is told again. */
static struct queue *read_queue(struct tap *tap, const json_t *o)
{
    struct queue *queue = queues_get(&tap->queues, json_in_text(o, "queue"));
    if (queue && !queue->strategy) {
        json_in_take_text(o, "strategy", &queue->strategy);
        queue->service_level = json_in_int(o, "service_level");
    }
    return queue;
}

static bool restore_visit(struct tap *tap, const json_t *o)
{
    struct queue *queue = read_queue(tap, o);
    struct visit *v = queue ? memory_zeroed(1, sizeof(*v)) : NULL;
    if (!v)
        return false;
    v->queue = queue;
    v->saved = (struct saved){.kind = SAVED_VISIT, .stored = true};
    json_in_take_text(o, "uniqueid", &v->uniqueid);
    json_in_take_text(o, "linkedid", &v->linkedid);
    json_in_take_text(o, "caller_number", &v->caller_number);
    json_in_take_text(o, "caller_name", &v->caller_name);
    json_in_take_text(o, "member", &v->member);
    json_in_take_text(o, "interface", &v->interface);
    json_in_take_text(o, "member_uniqueid", &v->member_uniqueid);
    json_in_take_text(o, "bridge", &v->bridge);
    json_in_take_text(o, "withdraw_info", &v->withdraw_info);
    v->state = (enum visit_state)json_in_choice(o, "state", VISIT_MOVING);
    v->joined = json_in_int(o, "joined");
    v->left = json_in_int(o, "left");
    v->connected = json_in_int(o, "connected");
    v->position = json_in_int(o, "position");
    v->last_position = json_in_int(o, "last_position");
    v->held = json_in_int(o, "held");
    v->talked = json_in_int(o, "talked");
    v->on_hold = json_in_int(o, "on_hold");
    v->held_since = json_in_int(o, "held_since");
    v->deadline = json_in_int(o, "deadline");
    v->ended_by = visit_ended_by(json_in_text(o, "ended_by"));
    v->rings = (unsigned)json_in_int(o, "rings");
    v->abandon_seen = json_in_bool(o, "abandon_seen");
    v->answer_seen = json_in_bool(o, "answer_seen");
    v->hangup_seen = json_in_bool(o, "hangup_seen");
    v->from_snapshot = json_in_bool(o, "from_snapshot");
    v->blind = json_in_bool(o, "blind");
    read_attempts(v, json_object_get(o, "attempts"));
    if (!v->uniqueid) {
        visit_free(v);
        return false;
    }
    return visits_restore(&tap->visits, v);
}

static bool read_membership(struct agent *a, const json_t *o)
{
    struct agent_membership *s = agents_restore_membership(a, json_in_text(o, "queue"));
    if (!s)
        return false;
    s->paused = json_in_bool(o, "paused");
    s->penalty = json_in_int(o, "penalty");
    s->calls_taken = json_in_int(o, "calls_taken");
    s->wrapup = json_in_int(o, "wrapup");
    return json_in_take_text(o, "reason", &s->reason);
}

static bool restore_agent(struct tap *tap, const json_t *o)
{
    const json_t *memberships = json_object_get(o, "memberships");
    size_t count = json_array_size(memberships);
    bool known = count || json_in_bool(o, "logged_in");
    struct agent *a = known ? agents_restore(&tap->agents, json_in_text(o, "interface")) : NULL;
    if (!a)
        return false;
    json_in_take_text(o, "device", &a->device);
    json_in_take_text(o, "name", &a->name);
    json_in_take_text(o, "linkedid", &a->linkedid);
    json_in_take_text(o, "reason", &a->reason);
    json_in_take_text(o, "queue", &a->queue);
    a->logged_in = json_in_bool(o, "logged_in");
    a->completed = json_in_int(o, "completed");
    a->wrap_until = json_in_int(o, "wrap_until");
    a->state = (enum agent_state)json_in_choice(o, "state", AGENT_WRAP_UP);
    a->since = json_in_int(o, "since");
    a->status = json_in_int(o, "status");
    a->since_snapshot = json_in_bool(o, "since_snapshot");
    a->call_unseen = json_in_bool(o, "call_unseen");
    a->in_call = json_in_bool(o, "in_call");
    a->seen_calls = json_in_bool(o, "seen_calls");
    a->told = (uint64_t)json_in_int(o, "told");
    bool good = true;
    for (size_t i = 0; i < count && good; i++)
        good = read_membership(a, json_array_get(memberships, i));
    if (a->since > tap->emit->now)
        tap->emit->now = a->since;
    return good;
}

static bool restore_endpoint(struct tap *tap, const json_t *o)
{
    struct endpoint *e = endpoints_restore(&tap->endpoints, json_in_text(o, "name"));
    if (!e)
        return false;
    e->state = json_in_choice(o, "state", AMI_DEVICE_ONHOLD + 1) - 1;
    e->since = json_in_int(o, "since");
    e->since_snapshot = json_in_bool(o, "since_snapshot");
    e->told = (uint64_t)json_in_int(o, "told");
    e->registered = (enum endpoint_registered)json_in_choice(o, "registered", ENDPOINT_REGISTERED);
    json_in_take_text(o, "address", &e->address);
    const json_t *contacts = json_object_get(o, "contacts");
    for (size_t i = 0; i < json_array_size(contacts); i++) {
        const json_t *from = json_array_get(contacts, i);
        struct endpoint_contact *c =
            endpoints_restore_contact(&tap->endpoints, e, json_in_text(from, "uri"));
        if (!c)
            return false;
        json_in_take_text(from, "status", &c->status);
        c->roundtrip = json_in_int(from, "roundtrip");
    }
    if (e->since > tap->emit->now)
        tap->emit->now = e->since;
    return true;
}

static bool restore_registration(struct tap *tap, const json_t *o)
{
    struct registration *r =
        registrations_restore(&tap->registrations, json_in_text(o, "channeltype"),
                              json_in_text(o, "username"), json_in_text(o, "domain"));
    if (!r)
        return false;
    json_in_take_text(o, "name", &r->name);
    json_in_take_text(o, "endpoint", &r->endpoint);
    json_in_take_text(o, "state", &r->state);
    json_in_take_text(o, "cause", &r->cause);
    r->since = json_in_int(o, "since");
    r->since_snapshot = json_in_bool(o, "since_snapshot");
    r->told = (uint64_t)json_in_int(o, "told");
    if (r->since > tap->emit->now)
        tap->emit->now = r->since;
    return true;
}

static bool restore_trunk(struct tap *tap, const json_t *o)
{
    struct trunk *t = trunks_restore(&tap->trunks, json_in_text(o, "name"));
    const json_t *failures = json_object_get(o, "failures");
    if (!t)
        return false;
    struct trunk_figures *f = &t->figures;
    t->start = json_in_int(o, "start");
    t->counted = json_in_int(o, "counted");
    t->unseen = json_in_int(o, "unseen");
    t->told = (uint64_t)json_in_int(o, "told");
    f->attempts_in = (uint64_t)json_in_int(o, "attempts_in");
    f->attempts_out = (uint64_t)json_in_int(o, "attempts_out");
    f->answered = (uint64_t)json_in_int(o, "answered");
    f->failed = (uint64_t)json_in_int(o, "failed");
    f->calls_max = (uint64_t)json_in_int(o, "calls_max");
    f->used = json_in_int(o, "used");
    for (size_t i = 0; i + 1 < json_array_size(failures) && f->causes < TRUNK_CAUSES_MAX; i += 2) {
        struct trunk_failure *failure = &f->failures[f->causes++];
        failure->cause = json_integer_value(json_array_get(failures, i));
        failure->count = (uint64_t)json_integer_value(json_array_get(failures, i + 1));
    }
    return true;
}

static void read_last(struct emitter *e, const json_t *o)
{
    const json_t *given = json_object_get(o, "given");
    for (size_t i = 0; i + 1 < json_array_size(given); i += 2) {
        struct emitted last = {.hash = (uint64_t)json_integer_value(json_array_get(given, i)),
                               .count = (unsigned)json_integer_value(json_array_get(given, i + 1))};
        emit_restore_last(e, json_in_int(o, "moment"), last);
    }
    emit_restore_runs(e, (unsigned)json_in_int(o, "runs"), json_in_int(o, "until"));
}

static void restore_blind(struct tap *tap, const json_t *o)
{
    if (json_in_int(o, "blind_from"))
        tap_restore_blind(tap, json_in_int(o, "blind_from"), json_in_text(o, "blind_reason"));
    tap->newest =
        (struct tap_newest){json_in_int(o, "newest_seconds"), json_in_int(o, "newest_count")};
    json_in_take_text(o, "host", &tap->host);
    json_in_take_text(o, "boot", &tap->boot);
}

static bool restore_tap(struct tap *tap, const json_t *o)
{
    tap->emit->counter = (uint64_t)json_in_int(o, "counter");
    tap->emit->untimed = json_in_bool(o, "untimed");
    tap->sees_dialplan = json_in_bool(o, "dialplan");
    tap->emit->agi = (enum emit_sight)json_in_choice(o, "agi", EMIT_SIGHT_MISSING);
    tap->last_event = json_in_int(o, "last_event");
    tap->event_time = json_in_int(o, "event_time");
    tap->timed_before = !tap->emit->untimed && tap->last_event && tap->event_time;
    if (tap->timed_before)
        tap->offset = tap->event_time - tap->last_event;
    read_last(tap->emit, o);
    restore_blind(tap, o);
    if (json_in_int(o, "moment") > tap->emit->now)
        tap->emit->now = json_in_int(o, "moment");
    tap->kept = (struct tap_kept){.facts = tap->emit->counter,
                                  .last_event = tap->last_event,
                                  .untimed = tap->emit->untimed,
                                  .dialplan = tap->sees_dialplan,
                                  .agi = (int)tap->emit->agi,
                                  .blind = tap->blind.open,
                                  .newest = tap->newest.count};
    return true;
}

static bool restore_load(struct tap *tap, const json_t *o)
{
    return loads_restore(&tap->loads, o);
}

/* What is kept as an object, by the beginning of its name. */
static const struct {
    const char *prefix;
    bool (*restore)(struct tap *tap, const json_t *o);
} kept[] = {{"channel/", restore_channel},
            {"call/", restore_call},
            {"visit/", restore_visit},
            {"agent/", restore_agent},
            {"endpoint/", restore_endpoint},
            {"registration/", restore_registration},
            {"trunk/", restore_trunk},
            {"load/", restore_load},
            {"tap", restore_tap}};

static bool restore_object(struct tap *tap, struct slice entity, const json_t *o)
{
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (slice_starts(entity, slice_from(kept[i].prefix)))
            return kept[i].restore(tap, o);
    }
    return false;
}

bool tap_restore(struct tap *tap, struct slice entity, struct slice body)
{
    if (slice_starts(entity, SLICE("drift/")))
        return drift_channel_restore(&tap->drift, slice_from_offset(entity, 6), body);
    if (slice_is(entity, "drift"))
        return drift_restore(&tap->drift, body);
    json_t *o = json_in_object(body);
    bool good = o && restore_object(tap, entity, o);
    json_decref(o);
    return good;
}

/* A row names its party B by what it saw of it; the chain is found again by Uniqueid. */
static void tie_rows(struct tap *tap, struct channel *c)
{
    for (struct cdr_row *row = c->chain ? c->chain->first : NULL; row; row = row->next) {
        struct channel *b =
            row->b ? tap_channel(tap, snapshot_text(row->b, SNAPSHOT_UNIQUEID)) : NULL;
        if (b)
            cdr_chain_set_b(row, row->b, b->chain);
    }
}

static void tie_half(struct tap *tap, struct channel *c)
{
    struct channel *half = c->half_id ? tap_channel(tap, slice_from(c->half_id)) : NULL;
    text_set(&c->half_id, SLICE(""));
    if (!half || c->half)
        return;
    c->half = half;
    half->half = c;
}

/* What of a journey goes on finds its channels again. */
static void tie_journeys(struct tap *tap)
{
    size_t position = 0;
    struct call *call;
    while ((call = table_next(&tap->calls.by_linkedid, &position))) {
        struct journey *j = &call->journey;
        for (size_t i = 0; i < j->leg_count; i++) {
            struct leg *leg = j->legs[i];
            leg->channel = leg->look ? NULL : tap_channel(tap, slice_from(leg->uniqueid));
            if (leg->channel)
                leg->channel->leg = leg;
        }
        journey_omit_lost(j);
        for (size_t i = 0; i < j->talk_count; i++) {
            struct talk *talk = j->talks[i];
            if (talk->to)
                continue;
            struct channel *a = tap_channel(tap, snapshot_text(talk->a_look, SNAPSHOT_UNIQUEID));
            struct channel *b = tap_channel(tap, snapshot_text(talk->b_look, SNAPSHOT_UNIQUEID));
            if (a && b)
                talk_tie(talk, a, b);
            else
                talk->to = tap->emit->now;
        }
    }
}

/* A call that has no channel left ended in the moment when the tap was stopped. */
static void end_empty_calls(struct tap *tap)
{
    size_t position = 0;
    struct call *call;
    while ((call = table_next(&tap->calls.by_linkedid, &position))) {
        if (call->count)
            continue;
        calls_end_unseen(&tap->calls, call);
        position = 0;
    }
}

static int by_birth(const void *a, const void *b)
{
    const struct channel *const *x = a;
    const struct channel *const *y = b;
    if ((*x)->born != (*y)->born)
        return (*x)->born < (*y)->born ? -1 : 1;
    struct slice p = channel_uniqueid(*x);
    struct slice q = channel_uniqueid(*y);
    int order = memcmp(p.p, q.p, p.n < q.n ? p.n : q.n);
    return p.n == q.n ? order : p.n < q.n ? -1 : 1;
}

/* Channels join their calls in the order in which they came. */
static void rejoin_channels(struct tap *tap)
{
    struct channel **all = memory_zeroed(tap->channels.count + 1, sizeof(struct channel *));
    size_t position = 0;
    size_t count = 0;
    struct channel *c;
    while (all && (c = table_next(&tap->channels, &position)))
        all[count++] = c;
    if (all)
        qsort(all, count, sizeof(struct channel *), by_birth);
    for (size_t i = 0; i < count; i++) {
        calls_rejoin(&tap->calls, all[i]);
        tap_rejoin_trunk(tap, all[i]);
        tap_phone(tap, all[i], all[i]->ringing, all[i]->call && snapshot_state(all[i]->now) == 6);
    }
    free(all);
}

/* Trunks that no registration and no configuration speaks of any more end. */
static void want_trunks(struct tap *tap)
{
    size_t position = 0;
    const struct registration *r;
    while ((r = table_next(&tap->registrations.by_key, &position))) {
        if (r->endpoint)
            tap_want_trunk(tap, r->endpoint);
    }
    trunks_drop_unwanted(&tap->trunks);
}

static void resume_handoffs(struct tap *tap)
{
    size_t position = 0;
    const struct call *call;
    while ((call = table_next(&tap->calls.by_linkedid, &position)))
        handoffs_resume(&tap->calls, call);
}

void tap_restored(struct tap *tap)
{
    size_t position = 0;
    struct channel *c;
    while ((c = table_next(&tap->channels, &position))) {
        tie_rows(tap, c);
        tie_half(tap, c);
        if (c->last_time > tap->emit->now)
            tap->emit->now = c->last_time;
        if (c->unsure_until && (!tap->next_unsure || c->unsure_until < tap->next_unsure))
            tap->next_unsure = c->unsure_until;
    }
    tie_journeys(tap);
    tap->emit->from_list = true;
    want_trunks(tap);
    tap->emit->from_list = false;
    agents_restoring(&tap->agents);
    rejoin_channels(tap);
    drift_restored(&tap->drift);
    tap->emit->from_list = true;
    end_empty_calls(tap);
    resume_handoffs(tap);
    tap->emit->restoring = true;
    calls_tell(&tap->calls);
    queues_tell(&tap->queues);
    agents_restored(&tap->agents);
    endpoints_restored(&tap->endpoints);
    registrations_restored(&tap->registrations);
    trunks_restored(&tap->trunks);
    loads_restored(&tap->loads);
    tap->emit->restoring = false;
    tap->emit->from_list = false;
}
