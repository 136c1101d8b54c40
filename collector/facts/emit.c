/* SPDX-License-Identifier: MIT */
#include "collector/facts/emit.h"

#include "collector/base/memory.h"
#include "collector/state/table.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX 512u
/* More than one run gives of equal facts. */
#define RUN_COUNTS 1000u

struct emitter *emitter_new(struct slice pbx, struct slice tap, emit_sink sink, void *ctx)
{
    struct emitter *e = memory_zeroed(1, sizeof(*e));
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

/* Spreads small differences over all bits. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93u;
    return h ^ (h >> 32);
}

static unsigned count_of(const struct emitter *e, uint64_t hash)
{
    const struct emitted *set = e->seen[hash % EMIT_SETS];
    size_t i = 0;
    while (i < EMIT_WAYS - 1 && set[i].hash != hash)
        i++;
    return set[i].hash == hash ? set[i].count : 0;
}

/* Puts the count in front, in the place of its last value or of what was asked for longest ago. */
static void remember(struct emitter *e, int64_t moment, struct emitted given)
{
    struct emitted *set = e->seen[given.hash % EMIT_SETS];
    size_t i = 0;
    while (i < EMIT_WAYS - 1 && set[i].hash != given.hash)
        i++;
    bool known = set[i].hash == given.hash;
    memmove(&set[1], &set[0], i * sizeof(*set));
    set[0] = given;
    if (e->last_moment != moment)
        e->last_count = 0;
    e->last_moment = moment;
    if (!known && e->last_count < EMIT_LAST_MAX)
        e->last[e->last_count++] = given.hash;
}

/* Kind, subject and moment; what another tap would not have is counted for itself. */
static uint64_t hash_of(const struct emitter *e, const struct emit_about *about, bool own)
{
    uint64_t hash = table_hash(about->subject) + 31 * table_hash(about->word);
    hash = mix(hash + (uint64_t)about->kind * 2 + own);
    return mix(hash + (uint64_t)e->now);
}

/* How many facts of this kind and subject the moment at hand has brought before. */
static unsigned count_equal(struct emitter *e, const struct emit_about *about, bool own)
{
    uint64_t hash = hash_of(e, about, own);
    unsigned count = count_of(e, hash);
    remember(e, e->now, (struct emitted){hash, count + 1});
    if (e->now > e->until)
        e->until = e->now;
    bool again = e->from_list && e->now <= e->earlier_until && fact_kind_info(about->kind)->state;
    return own && again ? e->earlier_runs * RUN_COUNTS + count : count;
}

struct emitted emit_last(const struct emitter *e, size_t i)
{
    return (struct emitted){e->last[i], count_of(e, e->last[i])};
}

void emit_restore_last(struct emitter *e, int64_t moment, struct emitted last)
{
    remember(e, moment, last);
}

void emit_restore_runs(struct emitter *e, unsigned runs, int64_t until)
{
    e->earlier_runs = runs;
    e->earlier_until = e->until = until;
}

/* Another tap on the same PBX would not have it. */
static bool is_own(const struct emitter *e, unsigned flags)
{
    return e->untimed || (flags & (FACT_IS_TAP | FACT_IS_INFERRED));
}

/* "<kind>:<subject>:<microseconds>:<count>", with ":<word>" behind the subject where there is one,
 * and "@<tap>" where another tap would not have it. */
static struct slice make_id(struct emitter *e, const struct emit_about *about, unsigned flags,
                            char text[ID_MAX])
{
    bool own = is_own(e, flags);
    struct slice subject = slice_head(about->subject, ID_MAX / 2);
    struct slice word = slice_head(about->word, 64);
    int n =
        snprintf(text, ID_MAX, "%s:%.*s%s%.*s:", fact_kind_info(about->kind)->kind, (int)subject.n,
                 subject.n ? subject.p : "", word.n ? ":" : "", (int)word.n, word.n ? word.p : "");
    if (e->untimed)
        n += snprintf(text + n, ID_MAX - (size_t)n, "%" PRIu64, e->counter);
    else
        n += snprintf(text + n, ID_MAX - (size_t)n, "%" PRId64 ":%u", e->now,
                      count_equal(e, about, own));
    if (own)
        n += snprintf(text + n, ID_MAX - (size_t)n, "@%.*s", (int)slice_head(e->tap, 96).n,
                      e->tap.p);
    return (struct slice){text, (size_t)n};
}

/* Of a state is told what is known so far: while lists are still to come another tap may know more.
 */
static unsigned flags_of(const struct emitter *e, const struct emit_about *about)
{
    bool unsure = e->from_list || (e->joining && fact_kind_info(about->kind)->state);
    return about->flags | (unsure ? FACT_IS_INFERRED : 0);
}

bool emit_is_new(const struct emitter *e)
{
    return !e->from_list && !e->joining;
}

struct fact_builder *emit_begin(struct emitter *e, const struct emit_about *about)
{
    char id[ID_MAX];
    unsigned flags = flags_of(e, about);
    e->counter++;
    struct fact_head head = {.kind = about->kind,
                             .flags = flags,
                             .cause =
                                 fact_kind_info(about->kind)->state ? AMI_EVENT_UNKNOWN : e->cause,
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

/* As if the fact at hand had not been begun: its number goes to the next one. */
static void take_back(struct emitter *e, const struct emit_about *about)
{
    e->counter--;
    if (about->sequence)
        --*about->sequence;
    if (e->untimed)
        return;
    uint64_t hash = hash_of(e, about, is_own(e, flags_of(e, about)));
    remember(e, e->now, (struct emitted){hash, count_of(e, hash) - 1});
}

void emit_end_state(struct emitter *e, const struct emit_about *about, uint64_t *told)
{
    uint64_t hash = fact_hash(&e->fact);
    if (hash)
        hash += e->losses;
    if (hash && *told == hash && !e->restoring) {
        take_back(e, about);
        return;
    }
    if (!e->restoring)
        *told = hash;
    emit_end(e);
}

void emit_put_unseen_end(struct fact_builder *f, int64_t earliest, int64_t latest)
{
    if (!latest)
        return;
    fact_put_time(f, FIELD_END_EARLIEST, earliest);
    fact_put_time(f, FIELD_END_LATEST, latest);
}

void emit_forget_told(struct emitter *e)
{
    e->losses++;
}
