/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/journey_save.h"
#include "collector/facts/talk.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_vocab.h"
#include <jansson.h>
#include <stdlib.h>

/* Reads what tap_save.c wrote. A body that is not as it wrote it is refused whole. */

static struct slice text_of(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);
    return (struct slice){json_string_value(value), json_string_length(value)};
}

static bool take_text(const json_t *o, const char *key, char **where)
{
    return text_set(where, text_of(o, key));
}

static int64_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static bool yes(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* The number when it is one of an enum's values, else 0. */
static int choice(const json_t *o, const char *key, int last)
{
    int64_t value = number(o, key);
    return value >= 0 && value <= last ? (int)value : 0;
}

static struct snapshot *read_look(const json_t *o)
{
    const json_t *texts = json_object_get(o, "texts");
    struct snapshot_values v = {.priority = (int)number(o, "priority"),
                                .state = (int)number(o, "state"),
                                .cause = (int)number(o, "cause"),
                                .flags = (unsigned)number(o, "flags"),
                                .ama = (enum snapshot_ama)choice(o, "ama", SNAPSHOT_AMA_BILLING)};
    if (json_array_size(texts) != SNAPSHOT_TEXTS)
        return NULL;
    for (size_t i = 0; i < SNAPSHOT_TEXTS; i++) {
        const json_t *text = json_array_get(texts, i);
        v.text[i] = (struct slice){json_string_value(text), json_string_length(text)};
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
    struct cdr_row *row = a ? cdr_row_new(a, number(o, "start")) : NULL;
    if (!row)
        return NULL;
    row->state = (enum cdr_state)choice(o, "state", CDR_FINALISED);
    row->disposition = (enum cdr_disposition)choice(o, "disposition", CDR_CANCEL);
    row->opened = (enum cdr_opened)choice(o, "opened", CDR_OPENED_COUNT - 1);
    row->closed = (enum cdr_closed)choice(o, "closed", CDR_CLOSED_COUNT - 1);
    row->flags = (unsigned)number(o, "flags");
    row->answer = number(o, "answer");
    row->end = number(o, "end");
    row->last_event = number(o, "last_event");
    row->end_latest = number(o, "end_latest");
    snapshot_set(&row->b, look(looks, o, "b"));
    snapshot_set(&row->application, look(looks, o, "application"));
    if (look(looks, o, "place"))
        snapshot_set(&row->place, look(looks, o, "place"));
    if (look(looks, o, "linked"))
        snapshot_set(&row->linked, look(looks, o, "linked"));
    take_text(o, "bridge", &row->bridge);
    take_text(o, "userfield_a", &row->userfield_a);
    take_text(o, "userfield_b", &row->userfield_b);
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
    struct slice id = text_of(o, "id");
    struct bridge *b = id.n ? table_find(&tap->bridges, id) : NULL;
    if (id.n && !b) {
        struct bridge_values values = {.id = id,
                                       .name = text_of(o, "name"),
                                       .kind = (enum bridge_kind)choice(o, "kind", BRIDGE_LISTED),
                                       .confbridge = yes(o, "confbridge"),
                                       .stasis = yes(o, "stasis"),
                                       .basic = yes(o, "basic")};
        b = bridge_make(&values);
        if (b && !table_add(&tap->bridges, b)) {
            bridge_free(b);
            b = NULL;
        }
    }
    if (!b)
        return;
    b->shown = (unsigned)number(o, "shown");
    bridge_enter(b, c);
}

static bool restore_channel(struct tap *tap, const json_t *o)
{
    struct looks looks;
    if (!read_looks(o, &looks))
        return false;
    struct snapshot_values birth = snapshot_values(looks.of[0]);
    struct channel *c = channel_new(&birth, number(o, "born"));
    bool good = c && tap_channel_add(tap, c);
    if (good) {
        c->saved.stored = true;
        if (look(&looks, o, "now"))
            snapshot_set(&c->now, look(&looks, o, "now"));
        snapshot_set(&c->outer, look(&looks, o, "outer"));
        c->outer_due = c->outer && yes(o, "outer_due");
        c->last_time = number(o, "last_event");
        c->last_event = CHANNEL_EVENT_OTHER;
        c->subroutines = (unsigned)number(o, "subroutines");
        c->hangup_logic = yes(o, "hangup_logic");
        c->left_bridge = yes(o, "left_bridge");
        c->been_bridged = yes(o, "been_bridged");
        c->sent_elsewhere = yes(o, "sent_elsewhere");
        c->from_snapshot = yes(o, "from_snapshot");
        c->born_unseen = yes(o, "born_unseen");
        c->blind = yes(o, "blind");
        c->originated = yes(o, "originated");
        c->ringing = yes(o, "ringing");
        c->hangup_requested = yes(o, "hangup_requested");
        c->hides_number = yes(o, "hides_number");
        c->queued = yes(o, "queued");
        c->forwards = yes(o, "forwards");
        c->parked_out = yes(o, "parked_out");
        c->trunk_attempt = yes(o, "trunk_attempt");
        c->trunk_answered = yes(o, "trunk_answered");
        c->held_since = number(o, "held_since");
        c->unsure_until = number(o, "unsure_until");
        handoff_restore_variables(&c->variables, json_object_get(o, "variables"));
        c->music = yes(o, "music");
        take_text(o, "half", &c->half_id);
        take_text(o, "parking", &c->parking);
        take_text(o, "will_run", &c->will_run);
        take_text(o, "will_run_data", &c->will_run_data);
        take_text(o, "member", &c->called.member);
        take_text(o, "member_caller", &c->called.caller);
        take_text(o, "member_queue", &c->called.queue);
        take_text(o, "dialer", &c->dialer);
        take_text(o, "agent", &c->agent);
        c->holds = yes(o, "holds");
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
    take_text(o, "linkedid", &call->linkedid);
    take_text(o, "subject", &call->subject);
    take_text(o, "caller_number", &call->caller_number);
    take_text(o, "caller_name", &call->caller_name);
    take_text(o, "dialled", &call->dialled);
    take_text(o, "queue", &call->queue);
    call->start = number(o, "start");
    call->answered = number(o, "answered");
    call->answered_unseen = yes(o, "answered_unseen");
    call->since = number(o, "since");
    call->state = (enum call_state)choice(o, "state", CALL_ANSWERED);
    call->cause = (int)number(o, "cause");
    call->sequence = (uint64_t)number(o, "sequence");
    call->told = (uint64_t)number(o, "told");
    call->from_snapshot = yes(o, "from_snapshot");
    call->listed = number(o, "listed");
    handoffs_restore(&call->handoffs, json_object_get(o, "handoffs"),
                     number(o, "handoffs_omitted"));
    recordings_restore(&call->recordings, json_object_get(o, "recordings"),
                       number(o, "recordings_omitted"));
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
        take_text(o, "uniqueid", &v->attempts[i].uniqueid);
        take_text(o, "member", &v->attempts[i].member);
        v->attempts[i].start = number(o, "start");
        v->attempts[i].cancelled = number(o, "cancelled");
        v->attempts[i].told = yes(o, "told");
        v->attempts[i].forwards = yes(o, "forwards");
    }
}

static bool restore_visit(struct tap *tap, const json_t *o)
{
    struct queue *queue = queues_get(&tap->queues, text_of(o, "queue"));
    struct visit *v = queue ? memory_zeroed(1, sizeof(*v)) : NULL;
    if (!v)
        return false;
    v->queue = queue;
    v->saved = (struct saved){.kind = SAVED_VISIT, .stored = true};
    take_text(o, "uniqueid", &v->uniqueid);
    take_text(o, "linkedid", &v->linkedid);
    take_text(o, "caller_number", &v->caller_number);
    take_text(o, "caller_name", &v->caller_name);
    take_text(o, "member", &v->member);
    take_text(o, "interface", &v->interface);
    take_text(o, "member_uniqueid", &v->member_uniqueid);
    take_text(o, "bridge", &v->bridge);
    take_text(o, "withdraw_info", &v->withdraw_info);
    v->state = (enum visit_state)choice(o, "state", VISIT_MOVING);
    v->joined = number(o, "joined");
    v->left = number(o, "left");
    v->connected = number(o, "connected");
    v->position = number(o, "position");
    v->last_position = number(o, "last_position");
    v->held = number(o, "held");
    v->talked = number(o, "talked");
    v->on_hold = number(o, "on_hold");
    v->held_since = number(o, "held_since");
    v->deadline = number(o, "deadline");
    v->ended_by = visit_ended_by(text_of(o, "ended_by"));
    v->rings = (unsigned)number(o, "rings");
    v->abandon_seen = yes(o, "abandon_seen");
    v->answer_seen = yes(o, "answer_seen");
    v->hangup_seen = yes(o, "hangup_seen");
    v->from_snapshot = yes(o, "from_snapshot");
    v->blind = yes(o, "blind");
    read_attempts(v, json_object_get(o, "attempts"));
    if (!v->uniqueid) {
        visit_free(v);
        return false;
    }
    return visits_restore(&tap->visits, v);
}

static bool read_membership(struct agent *a, const json_t *o)
{
    struct agent_membership *s = agents_restore_membership(a, text_of(o, "queue"));
    if (!s)
        return false;
    s->paused = yes(o, "paused");
    s->penalty = number(o, "penalty");
    s->calls_taken = number(o, "calls_taken");
    s->wrapup = number(o, "wrapup");
    return take_text(o, "reason", &s->reason);
}

static bool restore_agent(struct tap *tap, const json_t *o)
{
    const json_t *memberships = json_object_get(o, "memberships");
    size_t count = json_array_size(memberships);
    bool known = count || yes(o, "logged_in");
    struct agent *a = known ? agents_restore(&tap->agents, text_of(o, "interface")) : NULL;
    if (!a)
        return false;
    take_text(o, "device", &a->device);
    take_text(o, "name", &a->name);
    take_text(o, "linkedid", &a->linkedid);
    take_text(o, "reason", &a->reason);
    take_text(o, "queue", &a->queue);
    a->logged_in = yes(o, "logged_in");
    a->completed = number(o, "completed");
    a->wrap_until = number(o, "wrap_until");
    a->state = (enum agent_state)choice(o, "state", AGENT_WRAP_UP);
    a->since = number(o, "since");
    a->status = number(o, "status");
    a->since_snapshot = yes(o, "since_snapshot");
    a->call_unseen = yes(o, "call_unseen");
    a->in_call = yes(o, "in_call");
    a->seen_calls = yes(o, "seen_calls");
    a->told = (uint64_t)number(o, "told");
    bool good = true;
    for (size_t i = 0; i < count && good; i++)
        good = read_membership(a, json_array_get(memberships, i));
    if (a->since > tap->emit->now)
        tap->emit->now = a->since;
    return good;
}

static bool restore_endpoint(struct tap *tap, const json_t *o)
{
    struct endpoint *e = endpoints_restore(&tap->endpoints, text_of(o, "name"));
    if (!e)
        return false;
    e->state = choice(o, "state", AMI_DEVICE_ONHOLD + 1) - 1;
    e->since = number(o, "since");
    e->since_snapshot = yes(o, "since_snapshot");
    e->told = (uint64_t)number(o, "told");
    e->registered = (enum endpoint_registered)choice(o, "registered", ENDPOINT_REGISTERED);
    take_text(o, "address", &e->address);
    const json_t *contacts = json_object_get(o, "contacts");
    for (size_t i = 0; i < json_array_size(contacts); i++) {
        const json_t *from = json_array_get(contacts, i);
        struct endpoint_contact *c =
            endpoints_restore_contact(&tap->endpoints, e, text_of(from, "uri"));
        if (!c)
            return false;
        take_text(from, "status", &c->status);
        c->roundtrip = number(from, "roundtrip");
    }
    if (e->since > tap->emit->now)
        tap->emit->now = e->since;
    return true;
}

static bool restore_registration(struct tap *tap, const json_t *o)
{
    struct registration *r = registrations_restore(&tap->registrations, text_of(o, "channeltype"),
                                                   text_of(o, "username"), text_of(o, "domain"));
    if (!r)
        return false;
    take_text(o, "name", &r->name);
    take_text(o, "endpoint", &r->endpoint);
    take_text(o, "state", &r->state);
    take_text(o, "cause", &r->cause);
    r->since = number(o, "since");
    r->since_snapshot = yes(o, "since_snapshot");
    r->told = (uint64_t)number(o, "told");
    if (r->since > tap->emit->now)
        tap->emit->now = r->since;
    return true;
}

static bool restore_trunk(struct tap *tap, const json_t *o)
{
    struct trunk *t = trunks_restore(&tap->trunks, text_of(o, "name"));
    const json_t *failures = json_object_get(o, "failures");
    if (!t)
        return false;
    struct trunk_figures *f = &t->figures;
    t->start = number(o, "start");
    t->counted = number(o, "counted");
    t->blind = yes(o, "blind");
    t->told = (uint64_t)number(o, "told");
    f->attempts_in = (uint64_t)number(o, "attempts_in");
    f->attempts_out = (uint64_t)number(o, "attempts_out");
    f->answered = (uint64_t)number(o, "answered");
    f->failed = (uint64_t)number(o, "failed");
    f->calls_max = (uint64_t)number(o, "calls_max");
    f->used = number(o, "used");
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
        emit_restore_last(e, number(o, "moment"), last);
    }
    emit_restore_runs(e, (unsigned)number(o, "runs"), number(o, "until"));
}

static void restore_blind(struct tap *tap, const json_t *o)
{
    if (number(o, "blind_from"))
        tap_restore_blind(tap, number(o, "blind_from"), text_of(o, "blind_reason"));
    tap->newest = (struct tap_newest){number(o, "newest_seconds"), number(o, "newest_count")};
    take_text(o, "host", &tap->host);
    take_text(o, "boot", &tap->boot);
}

static bool restore_tap(struct tap *tap, const json_t *o)
{
    tap->emit->counter = (uint64_t)number(o, "counter");
    tap->emit->untimed = yes(o, "untimed");
    tap->sees_dialplan = yes(o, "dialplan");
    tap->emit->agi = (enum emit_sight)choice(o, "agi", EMIT_SIGHT_MISSING);
    tap->last_event = number(o, "last_event");
    tap->event_time = number(o, "event_time");
    tap->timed_before = !tap->emit->untimed && tap->last_event && tap->event_time;
    if (tap->timed_before)
        tap->offset = tap->event_time - tap->last_event;
    read_last(tap->emit, o);
    restore_blind(tap, o);
    if (number(o, "moment") > tap->emit->now)
        tap->emit->now = number(o, "moment");
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
    json_t *o = json_loadb(body.p, body.n, 0, NULL);
    bool good = json_is_object(o) && restore_object(tap, entity, o);
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
