/* SPDX-License-Identifier: MIT */
#include "collector/facts/emit.h"

#include "tests/unit/facts/facts_kit.h"

/* What the sink got last. */
static char id[600];
static struct fact_head head;
static unsigned given;
static struct emitter *emit;

static void sink(void *ctx, struct slice fact)
{
    ck_assert_ptr_eq(ctx, &given);
    ck_assert(fact_read_head(fact, &head));
    snprintf(id, sizeof(id), "%.*s", (int)head.id.n, head.id.p);
    given++;
}

static void setup(void)
{
    given = 0;
    emit = emitter_new(SLICE("main"), SLICE("tap-1"), sink, &given);
    ck_assert_ptr_nonnull(emit);
    emit->now = 1763683071090059;
}

static void teardown(void)
{
    emitter_free(emit);
    emitter_free(NULL);
}

/* The id of a fact of this kind about subject, caused now. */
static const char *id_of(enum fact_kind kind, const char *subject, unsigned flags)
{
    struct emit_about about = {.kind = kind, .subject = slice_from(subject), .flags = flags};
    emit_begin(emit, &about);
    emit_end(emit);
    return id;
}

START_TEST(id_is_kind_subject_moment_count)
{
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090059:0");
    ck_assert_str_eq(id_of(FACT_CALL, "1.1", 0), "call:1.1:1763683071090059:0");
    ck_assert_str_eq(id_of(FACT_CDR, "1.2", 0), "cdr:1.2:1763683071090059:0");
}
END_TEST

/* Asterisk writes truly equal rows (ForkCDR). */
START_TEST(equal_facts_are_counted)
{
    id_of(FACT_CDR, "1.1", 0);
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090059:1");
    id_of(FACT_CDR, "1.2", 0);
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090059:2");
    emit->now++;
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090060:0");
}
END_TEST

/* Another tap on the same PBX would not have these. */
START_TEST(own_facts_carry_the_tap)
{
    ck_assert_str_eq(id_of(FACT_GAP, "main", FACT_IS_TAP), "gap:main:1763683071090059:0@tap-1");
    ck_assert_str_eq(id_of(FACT_CALL, "1.1", FACT_IS_INFERRED),
                     "call:1.1:1763683071090059:0@tap-1");
    ck_assert_str_eq(id_of(FACT_CALL_STATE, "1.1", FACT_IS_TOMBSTONE),
                     "call_state:1.1:1763683071090059:0");
}
END_TEST

START_TEST(untimed_facts_are_numbered)
{
    emit->untimed = true;
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1@tap-1");
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:2@tap-1");
    emit->counter = 41; /* as stored before a restart */
    ck_assert_str_eq(id_of(FACT_GAP, "main", FACT_IS_TAP), "gap:main:42@tap-1");
}
END_TEST

/* Tells the state of a queue; its id, or NULL when it was not handed on. */
static const char *state_id(const char *strategy, uint64_t *told)
{
    struct emit_about about = {.kind = FACT_QUEUE_STATE, .subject = SLICE("sales")};
    unsigned before = given;
    struct fact_builder *f = emit_begin(emit, &about);
    fact_put_string(f, FIELD_STRATEGY, slice_from(strategy));
    emit_end_state(emit, &about, told);
    return given > before ? id : NULL;
}

START_TEST(state_is_told_when_it_changed)
{
    uint64_t told = 0;
    ck_assert_str_eq(state_id("ringall", &told), "queue_state:sales:1763683071090059:0");
    ck_assert_ptr_null(state_id("ringall", &told));
    ck_assert_uint_eq(emit->counter, 1);
    ck_assert_str_eq(state_id("random", &told), "queue_state:sales:1763683071090059:1");
    ck_assert_str_eq(state_id("ringall", &told), "queue_state:sales:1763683071090059:2");
    emit->from_list = true;
    ck_assert_ptr_nonnull(state_id("ringall", &told));
}
END_TEST

START_TEST(state_is_told_again_after_a_loss)
{
    uint64_t told = 0;
    state_id("ringall", &told);
    emit_forget_told(emit);
    ck_assert_ptr_nonnull(state_id("ringall", &told));
    ck_assert_ptr_null(state_id("ringall", &told));
}
END_TEST

START_TEST(head_is_what_it_is_about)
{
    uint64_t sequence = 6;
    struct emit_about about = {.kind = FACT_CDR,
                               .subject = SLICE("1.1"),
                               .key = SLICE("1.0"),
                               .flags = FACT_IS_QUIET,
                               .sequence = &sequence};
    fact_put_string(emit_begin(emit, &about), FIELD_SRC, SLICE("100"));
    emit_end(emit);
    ck_assert_uint_eq(sequence, 7);
    ck_assert_uint_eq(head.sequence, 7);
    ck_assert_int_eq(head.kind, FACT_CDR);
    ck_assert_int_eq(head.time, 1763683071090059);
    ck_assert_uint_eq(head.flags, FACT_IS_QUIET);
    ck_assert_uint_eq(given, 1);
    ck_assert_uint_eq(emit->counter, 1);
}
END_TEST

/* A list shows the same agents again, at a moment that the run before had seen. */
START_TEST(own_facts_of_a_restart_are_others)
{
    emit_restore_runs(emit, 2, emit->now);
    emit->from_list = true;
    ck_assert_str_eq(id_of(FACT_AGENT_STATE, "A", 0), "agent_state:A:1763683071090059:2000@tap-1");
    ck_assert_str_eq(id_of(FACT_AGENT_STATE, "A", 0), "agent_state:A:1763683071090059:2001@tap-1");
    emit->now++;
    ck_assert_str_eq(id_of(FACT_AGENT_STATE, "A", 0), "agent_state:A:1763683071090060:0@tap-1");
    emit->now--;
    emit->from_list = false;
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090059:0");
    ck_assert_int_eq(emit->until, 1763683071090060);
}
END_TEST

/* Neighbouring moments and kinds are not mistaken for each other. */
START_TEST(first_ones_have_no_count)
{
    for (unsigned i = 0; i < 64; i++) {
        emit->now++;
        for (unsigned kind = 0; kind < FACT_KIND_COUNT; kind++) {
            const char *new_id = id_of((enum fact_kind)kind, "1.1", 0);
            ck_assert_str_eq(strrchr(new_id, ':'), ":0");
        }
    }
}
END_TEST

/* Two threads of Asterisk's may bring their Timestamps in turns. */
START_TEST(a_moment_may_come_back)
{
    id_of(FACT_CDR, "1.1", 0);
    emit->now++;
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090060:0");
    emit->now--;
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090059:1");
    emit->now++;
    ck_assert_str_eq(id_of(FACT_CDR, "1.1", 0), "cdr:1.1:1763683071090060:1");
}
END_TEST

/* Ids stay different past the number of facts of one moment that is kept apart. */
START_TEST(one_moment_may_give_many)
{
    enum { MANY = EMIT_SETS * EMIT_WAYS + 40 };
    static char ids[MANY][64];
    char subject[16];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(subject, sizeof(subject), "1.%u", i / 2);
        snprintf(ids[i], sizeof(ids[i]), "%s", id_of(FACT_CDR, subject, 0));
        for (unsigned k = 0; k < i; k++) {
            if (strcmp(ids[i], ids[k]) == 0)
                ck_abort_msg("%s twice", ids[i]);
        }
    }
    for (unsigned i = 0; i < EMIT_SETS * EMIT_WAYS; i++) {
        snprintf(subject, sizeof(subject), "2.%u", i);
        id_of(FACT_CDR, subject, 0);
    }
    id_of(FACT_CDR, "3.1", 0);
    char first[sizeof(id)];
    snprintf(first, sizeof(first), "%s", id);
    ck_assert_str_ne(first, id_of(FACT_CDR, "3.1", 0));
}
END_TEST

START_TEST(too_large_facts_are_counted)
{
    static char big[256 * 1024];
    memset(big, 'x', sizeof(big));
    struct emit_about about = {.kind = FACT_CDR, .subject = SLICE("1.1")};
    fact_put_string(emit_begin(emit, &about), FIELD_SRC, (struct slice){big, sizeof(big)});
    emit_end(emit);
    ck_assert_uint_eq(emit->too_large, 1);
    ck_assert_uint_eq(given, 0);
    id_of(FACT_CDR, "1.1", 0);
    ck_assert_uint_eq(given, 1);
}
END_TEST

START_TEST(long_subjects_are_cut_in_ids)
{
    char subject[1001];
    memset(subject, 's', 1000);
    subject[1000] = 0;
    ck_assert_uint_lt(strlen(id_of(FACT_CDR, subject, FACT_IS_TAP)), 512);
    ck_assert_uint_eq(head.subject.n, 1000);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("emit");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, id_is_kind_subject_moment_count);
    tcase_add_test(tcase, equal_facts_are_counted);
    tcase_add_test(tcase, own_facts_carry_the_tap);
    tcase_add_test(tcase, own_facts_of_a_restart_are_others);
    tcase_add_test(tcase, untimed_facts_are_numbered);
    tcase_add_test(tcase, state_is_told_when_it_changed);
    tcase_add_test(tcase, state_is_told_again_after_a_loss);
    tcase_add_test(tcase, head_is_what_it_is_about);
    tcase_add_test(tcase, first_ones_have_no_count);
    tcase_add_test(tcase, a_moment_may_come_back);
    tcase_add_test(tcase, one_moment_may_give_many);
    tcase_add_test(tcase, too_large_facts_are_counted);
    tcase_add_test(tcase, long_subjects_are_cut_in_ids);
    return kit_run("emit", tcase);
}
