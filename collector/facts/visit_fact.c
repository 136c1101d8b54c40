/* SPDX-License-Identifier: MIT */
#include "collector/facts/visit_fact.h"

#include <assert.h>

static const struct {
    const char *outcome;
    enum fact_kind kind;
} ends[] = {
    [VISIT_ANSWERED] = {"answered", FACT_QUEUE_COMPLETED},
    [VISIT_ABANDONED] = {"abandoned", FACT_QUEUE_ABANDONED},
    [VISIT_SHORT_ABANDON] = {"short_abandon", FACT_QUEUE_ABANDONED},
    [VISIT_TIMEOUT] = {"timeout", FACT_QUEUE_TIMED_OUT},
    [VISIT_LEAVE_EMPTY] = {"leave_empty", FACT_QUEUE_LEFT},
    [VISIT_EXIT_KEY] = {"exit_key", FACT_QUEUE_LEFT},
    [VISIT_WITHDRAWN] = {"withdrawn", FACT_QUEUE_LEFT},
    [VISIT_BLOCKED_FULL] = {"blocked_full", FACT_QUEUE_LEFT},
    [VISIT_BLOCKED_EMPTY] = {"blocked_empty", FACT_QUEUE_LEFT},
    [VISIT_LOST_SIGHT] = {"lost_sight", FACT_QUEUE_LEFT},
};

static struct slice name_of(const struct visit *v)
{
    return slice_from(v->queue->name);
}

void visit_line(struct emitter *e, const struct visit *v, const struct visit_words *words)
{
    struct queue_log_line line = {.event = words->event,
                                  .uniqueid = slice_from(v->uniqueid),
                                  .queue = name_of(v),
                                  .agent = words->agent.n ? words->agent : SLICE("NONE"),
                                  .count = words->count,
                                  .inferred = v->from_snapshot || v->blind};
    assert(words->count <= QUEUE_LOG_ARGS_MAX);
    for (size_t i = 0; i < words->count; i++)
        line.args[i] = words->args[i];
    queue_log_emit(e, &line);
}

/* A visit is named by the caller, the queue and when it was joined. */
static struct slice subject(const struct visit *v, struct buf *text)
{
    char joined[TIME_TEXT_SIZE];
    time_text(v->joined, joined);
    buf_put_slice(text, slice_from(v->uniqueid));
    buf_put_char(text, '/');
    buf_put_slice(text, name_of(v));
    buf_put_char(text, '/');
    buf_put_slice(text, slice_from(joined));
    return buf_slice(text);
}

static struct fact_builder *begin(struct emitter *e, const struct visit *v, enum fact_kind kind,
                                  bool inferred)
{
    struct buf text = buf_new(4096);
    struct emit_about about = {.kind = kind,
                               .subject = subject(v, &text),
                               .key = name_of(v),
                               .flags = inferred ? FACT_IS_INFERRED : 0};
    struct fact_builder *f = emit_begin(e, &about);
    buf_free(&text);
    fact_put_string(f, FIELD_QUEUE, name_of(v));
    fact_put_string(f, FIELD_UNIQUEID, slice_from(v->uniqueid));
    fact_put_string(f, FIELD_LINKEDID, slice_from(v->linkedid));
    fact_put_string(f, FIELD_CALLER_NUMBER, slice_from(v->caller_number));
    fact_put_string(f, FIELD_CALLER_NAME, slice_from(v->caller_name));
    fact_put_time(f, FIELD_JOINED, v->joined);
    return f;
}

static int64_t waited(const struct visit *v)
{
    int64_t until = v->connected ? v->connected : v->left;
    return until > v->joined ? until - v->joined : 0;
}

void visit_fact_joined(struct emitter *e, const struct visit *v)
{
    struct fact_builder *f = begin(e, v, FACT_QUEUE_JOINED, v->from_snapshot);
    fact_put_int(f, FIELD_POSITION, v->position);
    emit_end(e);
}

void visit_fact_connected(struct emitter *e, const struct visit *v)
{
    struct fact_builder *f = begin(e, v, FACT_QUEUE_CONNECTED, v->from_snapshot);
    fact_put_seconds(f, FIELD_WAIT_SECONDS, waited(v));
    fact_put_known(f, FIELD_MEMBER, slice_from(v->member));
    fact_put_known(f, FIELD_INTERFACE, slice_from(v->interface));
    emit_end(e);
}

/* As queue_log counts: hold is part of the talk. */
static void put_talk(struct fact_builder *f, const struct visit *v, int64_t now)
{
    int64_t talk = now - v->connected;
    int64_t hold = v->on_hold + (v->held_since && now > v->held_since ? now - v->held_since : 0);
    if (!v->connected) {
        fact_put_null(f, FIELD_TALK_SECONDS);
        fact_put_null(f, FIELD_HOLD_SECONDS);
        return;
    }
    fact_put_seconds(f, FIELD_TALK_SECONDS, talk);
    fact_put_seconds(f, FIELD_HOLD_SECONDS, hold < talk ? hold : talk);
}

static void put_outcome(struct fact_builder *f, const struct visit *v, enum visit_end end,
                        int64_t now)
{
    fact_put_string(f, FIELD_OUTCOME, slice_from(ends[end].outcome));
    fact_put_time(f, FIELD_START, v->joined);
    fact_put_time(f, FIELD_END, v->connected ? now : v->left);
    fact_put_seconds(f, FIELD_WAIT_SECONDS, waited(v));
    if (v->position)
        fact_put_int(f, FIELD_POSITION, v->position);
    else
        fact_put_null(f, FIELD_POSITION);
    fact_put_known(f, FIELD_MEMBER, slice_from(v->member));
    fact_put_known(f, FIELD_INTERFACE, slice_from(v->interface));
    fact_put_int(f, FIELD_RING_ATTEMPTS, v->rings);
    put_talk(f, v, now);
    fact_put_known(f, FIELD_ENDED_BY, slice_from(v->ended_by));
    if (v->queue->service_level)
        fact_put_seconds(f, FIELD_SERVICE_LEVEL_SECONDS, v->queue->service_level);
    else
        fact_put_null(f, FIELD_SERVICE_LEVEL_SECONDS);
    emit_put_unseen_end(f, v->lost.earliest, v->lost.latest);
}

void visit_fact_ended(struct emitter *e, const struct visit *v, enum visit_end end,
                      struct slice recording)
{
    bool inferred = v->from_snapshot || v->blind;
    int64_t now = v->lost.latest ? v->lost.earliest : e->now;
    put_outcome(begin(e, v, ends[end].kind, inferred), v, end, now);
    emit_end(e);
    struct fact_builder *f = begin(e, v, FACT_QUEUE, inferred);
    put_outcome(f, v, end, now);
    fact_put_known(f, FIELD_RECORDING, recording);
    emit_end(e);
}
