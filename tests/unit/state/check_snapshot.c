/* SPDX-License-Identifier: MIT */
#include "collector/state/snapshot.h"

#include "tests/unit/state/state_kit.h"
#include <stdlib.h>

START_TEST(values_come_back)
{
    struct snapshot_values in = {.priority = -1,
                                 .state = 6,
                                 .cause = 16,
                                 .flags = SNAPSHOT_DIALED | SNAPSHOT_PARTY_A,
                                 .ama = SNAPSHOT_AMA_BILLING};
    static const char letters[] = "abcdefghijklmnop";
    for (size_t i = 0; i < SNAPSHOT_TEXTS; i++)
        in.text[i] = (struct slice){letters + i, i % 3};
    struct snapshot *s = snapshot_new(&in);
    struct snapshot_values out = snapshot_values(s);
    for (int i = 0; i < SNAPSHOT_TEXTS; i++) {
        ck_assert(slice_equal(out.text[i], in.text[i]));
        ck_assert(slice_equal(snapshot_text(s, (enum snapshot_text)i), in.text[i]));
    }
    ck_assert_int_eq(out.priority, -1);
    ck_assert_int_eq(snapshot_priority(s), -1);
    ck_assert_int_eq(snapshot_state(s), 6);
    ck_assert_int_eq(snapshot_cause(s), 16);
    ck_assert_uint_eq(snapshot_flags(s), SNAPSHOT_DIALED | SNAPSHOT_PARTY_A);
    ck_assert_int_eq(out.ama, SNAPSHOT_AMA_BILLING);
    ck_assert(snapshot_equal(s, &in) && snapshot_equal(s, &out));
    snapshot_unref(s);
}
END_TEST

/* The texts are its own: what they were made from may change. */
START_TEST(texts_are_copies)
{
    char name[] = "PJSIP/100-1";
    struct snapshot_values v = {.text = {[SNAPSHOT_NAME] = slice_from(name)}};
    struct snapshot *s = snapshot_new(&v);
    memset(name, 'x', sizeof(name) - 1);
    ck_slice(snapshot_text(s, SNAPSHOT_NAME), "PJSIP/100-1");
    snapshot_unref(s);
}
END_TEST

START_TEST(long_text_is_cut)
{
    static char big[SNAPSHOT_TEXT_MAX + 1];
    memset(big, 'x', sizeof(big));
    for (size_t n = SNAPSHOT_TEXT_MAX - 1; n <= SNAPSHOT_TEXT_MAX + 1; n++) {
        struct snapshot_values v = {
            .text = {[SNAPSHOT_APPDATA] = {big, n}, [SNAPSHOT_EXTEN] = SLICE("behind")}};
        struct snapshot *s = snapshot_new(&v);
        ck_assert_uint_eq(snapshot_text(s, SNAPSHOT_APPDATA).n,
                          n < SNAPSHOT_TEXT_MAX ? n : SNAPSHOT_TEXT_MAX);
        ck_slice(snapshot_text(s, SNAPSHOT_EXTEN), "behind");
        ck_assert(snapshot_equal(s, &v));
        snapshot_unref(s);
    }
}
END_TEST

START_TEST(all_texts_may_be_longest)
{
    static char big[SNAPSHOT_TEXT_MAX + 1];
    struct snapshot_values v = {.priority = 1};
    memset(big, 'x', sizeof(big));
    for (int i = 0; i < SNAPSHOT_TEXTS; i++)
        v.text[i] = (struct slice){big, sizeof(big)};
    struct snapshot *s = snapshot_new(&v);
    for (int i = 0; i < SNAPSHOT_TEXTS; i++)
        ck_assert_uint_eq(snapshot_text(s, (enum snapshot_text)i).n, SNAPSHOT_TEXT_MAX);
    snapshot_unref(s);
}
END_TEST

START_TEST(equal_means_every_value)
{
    struct snapshot_values v = kit_values("1.1");
    struct snapshot *s = snapshot_new(&v);
    struct snapshot_values other = v;
    other.priority++;
    ck_assert(!snapshot_equal(s, &other));
    other = v;
    other.state++;
    ck_assert(!snapshot_equal(s, &other));
    other = v;
    other.cause++;
    ck_assert(!snapshot_equal(s, &other));
    other = v;
    other.flags ^= SNAPSHOT_DEAD;
    ck_assert(!snapshot_equal(s, &other));
    other = v;
    other.ama = SNAPSHOT_AMA_OMIT;
    ck_assert(!snapshot_equal(s, &other));
    for (int i = 0; i < SNAPSHOT_TEXTS; i++) {
        other = v;
        other.text[i] = SLICE("other");
        ck_assert(!snapshot_equal(s, &other));
    }
    ck_assert(snapshot_equal(s, &v));
    snapshot_unref(s);
}
END_TEST

/* The bytes of neighbouring texts must not run together. */
START_TEST(borders_of_texts_count)
{
    struct snapshot_values v = {
        .text = {[SNAPSHOT_CONTEXT] = SLICE("ab"), [SNAPSHOT_EXTEN] = SLICE("c")}};
    struct snapshot_values w = {
        .text = {[SNAPSHOT_CONTEXT] = SLICE("a"), [SNAPSHOT_EXTEN] = SLICE("bc")}};
    struct snapshot *s = snapshot_new(&v);
    ck_assert(!snapshot_equal(s, &w));
    snapshot_unref(s);
}
END_TEST

START_TEST(same_place_is_context_exten_priority)
{
    struct snapshot_values v = kit_values("1.1");
    struct snapshot *a = snapshot_new(&v);
    struct snapshot_values other = kit_values("2.2");
    other.state = 6;
    other.text[SNAPSHOT_APPLICATION] = SLICE("Dial");
    struct snapshot *b = snapshot_new(&other);
    ck_assert(snapshot_same_place(a, b));
    snapshot_unref(b);
    other.priority = 2;
    b = snapshot_new(&other);
    ck_assert(!snapshot_same_place(a, b));
    snapshot_unref(b);
    other = v;
    other.text[SNAPSHOT_EXTEN] = SLICE("20");
    b = snapshot_new(&other);
    ck_assert(!snapshot_same_place(a, b));
    snapshot_unref(b);
    other = v;
    other.text[SNAPSHOT_CONTEXT] = SLICE("from-outside");
    b = snapshot_new(&other);
    ck_assert(!snapshot_same_place(a, b));
    snapshot_unref(b);
    snapshot_unref(a);
}
END_TEST

/* Under the address sanitizer a reference too few or too many is a fault of this test. */
START_TEST(references_are_counted)
{
    struct snapshot_values v = kit_values("1.1"), w = kit_values("2.2");
    struct snapshot *s = snapshot_new(&v), *t = snapshot_new(&w);
    struct snapshot *held = NULL;
    snapshot_set(&held, s);
    snapshot_set(&held, s);
    snapshot_unref(s);
    ck_slice(snapshot_text(held, SNAPSHOT_UNIQUEID), "1.1");
    snapshot_set(&held, held);
    ck_slice(snapshot_text(held, SNAPSHOT_UNIQUEID), "1.1");
    snapshot_set(&held, t);
    ck_slice(snapshot_text(held, SNAPSHOT_UNIQUEID), "2.2");
    snapshot_set(&held, NULL);
    ck_assert_ptr_null(held);
    ck_slice(snapshot_text(t, SNAPSHOT_UNIQUEID), "2.2");
    ck_assert_ptr_eq(snapshot_ref(t), t);
    snapshot_unref(t);
    snapshot_unref(t);
    snapshot_unref(NULL);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("snapshot");
    tcase_add_test(tcase, values_come_back);
    tcase_add_test(tcase, texts_are_copies);
    tcase_add_test(tcase, long_text_is_cut);
    tcase_add_test(tcase, all_texts_may_be_longest);
    tcase_add_test(tcase, equal_means_every_value);
    tcase_add_test(tcase, borders_of_texts_count);
    tcase_add_test(tcase, same_place_is_context_exten_priority);
    tcase_add_test(tcase, references_are_counted);
    return kit_run("snapshot", tcase);
}
