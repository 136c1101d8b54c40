/* SPDX-License-Identifier: MIT */
#include "collector/facts/emit.h"

#include "collector/state/table.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ID_MAX 512u

struct emitter *emitter_new(struct slice pbx, struct slice tap, emit_sink sink, void *ctx)
{
    struct emitter *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->fact = fact_builder_new();
    e->pbx = pbx;
    e->tap = tap;
    e->sink = sink;
    e->ctx = ctx;
    return e;
}

void emitter_free(struct emitter *e)
{
    if (!e)
        return;
    fact_builder_free(&e->fact);
    free(e);
}

/* How many facts of this kind and subject the present moment has brought before. */
static unsigned count_equal(struct emitter *e, const struct emit_about *about)
{
    if (e->moment != e->now) {
        e->moment = e->now;
        e->at_moment = 0;
    }
    uint64_t hash = table_hash(about->subject) + (uint64_t)about->kind;
    size_t i = 0;
    while (i < e->at_moment && e->seen[i].hash != hash)
        i++;
    if (i == e->at_moment && e->at_moment < EMIT_SAME_MOMENT_MAX)
        e->seen[e->at_moment++] = (struct emitted){hash, 0};
    return e->seen[i < EMIT_SAME_MOMENT_MAX ? i : i - 1].count++;
}

/* "<kind>:<subject>:<microseconds>:<count>", and "@<tap>" where another tap would not have it. */
static struct slice make_id(struct emitter *e, const struct emit_about *about, unsigned flags,
                            char text[ID_MAX])
{
    const struct fact_kind_info *info = fact_kind_info(about->kind);
    int n = 0;
    struct slice subject = slice_head(about->subject, ID_MAX / 2);
    if (e->untimed)
        n = snprintf(text, ID_MAX, "%s:%.*s:%" PRIu64 "@%.*s", info->kind, (int)subject.n,
                     subject.n ? subject.p : "", e->counter, (int)slice_head(e->tap, 128).n,
                     e->tap.p);
    else if (flags & (FACT_IS_TAP | FACT_IS_INFERRED))
        n = snprintf(text, ID_MAX, "%s:%.*s:%" PRId64 ":%u@%.*s", info->kind, (int)subject.n,
                     subject.n ? subject.p : "", e->now, count_equal(e, about),
                     (int)slice_head(e->tap, 128).n, e->tap.p);
    else
        n = snprintf(text, ID_MAX, "%s:%.*s:%" PRId64 ":%u", info->kind, (int)subject.n,
                     subject.n ? subject.p : "", e->now, count_equal(e, about));
    return (struct slice){text, (size_t)n};
}

struct fact_builder *emit_begin(struct emitter *e, const struct emit_about *about)
{
    char id[ID_MAX];
    unsigned flags = about->flags | (e->from_list ? FACT_IS_INFERRED : 0);
    e->counter++;
    struct fact_head head = {.kind = about->kind,
                             .flags = flags,
                             .time = e->now,
                             .sequence = about->sequence ? ++*about->sequence : e->counter,
                             .pbx = e->pbx,
                             .subject = about->subject,
                             .key = about->key,
                             .id = make_id(e, about, flags, id)};
    fact_begin(&e->fact, &head);
    return &e->fact;
}

void emit_end(struct emitter *e)
{
    struct slice fact = fact_finish(&e->fact);
    if (fact.n)
        e->sink(e->ctx, fact);
    else
        e->too_large++;
}
