/* SPDX-License-Identifier: MIT */
#include "collector/state/place.h"

#include "tests/unit/state/state_kit.h"
#include <stdio.h>

static struct place_memory memory;

static void setup(void)
{
    memory = place_memory_new();
}

static void teardown(void)
{
    place_memory_free(&memory);
}

static struct place_key key_of(const char *exten, int priority)
{
    return (struct place_key){SLICE("from-inside"), slice_from(exten), priority};
}

static void put(const char *exten, int priority, const char *application, const char *data)
{
    struct place_key key = key_of(exten, priority);
    place_memory_put(&memory, &key, slice_from(application), slice_from(data));
}

/* "seen: DATA", "sibling: DATA" or "unknown", with so much room for the data. */
static const char *ask_within(const char *exten, int priority, const char *application, size_t size)
{
    static char text[256];
    struct buf data = buf_new(size);
    struct place_key key = key_of(exten, priority);
    enum place_found found = place_memory_data(&memory, &key, slice_from(application), &data);
    if (found == PLACE_UNKNOWN)
        snprintf(text, sizeof(text), "unknown");
    else
        snprintf(text, sizeof(text), "%s: %.*s", found == PLACE_SEEN ? "seen" : "sibling",
                 (int)data.n, data.n ? data.p : "");
    buf_free(&data);
    return text;
}

static const char *ask(const char *exten, int priority, const char *application)
{
    return ask_within(exten, priority, application, 200);
}

START_TEST(seen_at_this_very_place)
{
    put("200", 2, "Dial", "PJSIP/200,30");
    ck_assert_str_eq(ask("200", 2, "Dial"), "seen: PJSIP/200,30");
    ck_assert_str_eq(ask("200", 1, "Dial"), "unknown");
    ck_assert_str_eq(ask("200", 2, "Queue"), "unknown");
}
END_TEST

START_TEST(the_newest_counts)
{
    put("200", 2, "Dial", "PJSIP/200,30");
    put("200", 2, "Dial", "PJSIP/200,30");
    put("200", 2, "Dial", "PJSIP/200,60");
    ck_assert_str_eq(ask("200", 2, "Dial"), "seen: PJSIP/200,60");
    put("200", 2, "Queue", "");
    ck_assert_str_eq(ask("200", 2, "Queue"), "seen: ");
    ck_assert_str_eq(ask("200", 2, "Dial"), "unknown");
    ck_assert_uint_eq(memory.places.count, 1);
}
END_TEST

/* A pattern's places differ by their extension alone: its digits are put in. */
START_TEST(sibling_has_its_extension_replaced)
{
    put("200", 2, "Dial", "PJSIP/200&Local/200@in,30");
    ck_assert_str_eq(ask("31", 2, "Dial"), "sibling: PJSIP/31&Local/31@in,30");
    ck_assert_str_eq(ask("31", 3, "Dial"), "unknown");
    ck_assert_str_eq(ask("31", 2, "Queue"), "unknown");
    struct place_key elsewhere = {SLICE("from-outside"), SLICE("31"), 2};
    struct buf data = buf_new(64);
    ck_assert_int_eq(place_memory_data(&memory, &elsewhere, SLICE("Dial"), &data), PLACE_UNKNOWN);
    buf_free(&data);
}
END_TEST

/* Data that does not hold the sibling's extension says nothing about another extension. */
START_TEST(sibling_without_its_extension_is_unknown)
{
    put("200", 2, "Dial", "PJSIP/carrier");
    put("", 2, "Dial", "PJSIP/carrier");
    ck_assert_str_eq(ask("31", 2, "Dial"), "unknown");
}
END_TEST

START_TEST(other_application_here_leaves_siblings)
{
    put("200", 2, "Dial", "PJSIP/200");
    put("31", 2, "Playback", "hello");
    ck_assert_str_eq(ask("31", 2, "Dial"), "sibling: PJSIP/31");
}
END_TEST

/* What was in the buffer before is gone, and a failure of its own is forgotten. */
START_TEST(buffer_is_emptied)
{
    struct buf data = buf_new(16);
    struct place_key key = key_of("200", 2);
    put("200", 2, "Dial", "PJSIP/200");
    buf_put_slice(&data, SLICE("0123456789abcdef"));
    buf_put_char(&data, '!');
    ck_assert_int_eq(place_memory_data(&memory, &key, SLICE("Dial"), &data), PLACE_SEEN);
    ck_slice(buf_slice(&data), "PJSIP/200");
    buf_free(&data);
}
END_TEST

START_TEST(no_room_is_unknown)
{
    put("200", 2, "Dial", "PJSIP/200");
    ck_assert_str_eq(ask_within("200", 2, "Dial", 8), "unknown");
    ck_assert_str_eq(ask_within("200", 2, "Dial", 9), "seen: PJSIP/200");
    ck_assert_str_eq(ask_within("4444", 2, "Dial", 9), "unknown");
    ck_assert_str_eq(ask_within("4444", 2, "Dial", 10), "sibling: PJSIP/4444");
    ck_assert_str_eq(ask_within("200", 2, "Dial", 0), "unknown");
}
END_TEST

/* No context, no application, or longer than any real place: not remembered. */
START_TEST(no_place_is_not_kept)
{
    static char longest[600];
    memset(longest, '1', sizeof(longest) - 1);
    put("200", 2, "", "data");
    put(longest, 2, "Dial", "PJSIP/1");
    struct place_key nowhere = {SLICE(""), SLICE("200"), 2};
    place_memory_put(&memory, &nowhere, SLICE("Dial"), SLICE("PJSIP/200"));
    ck_assert_uint_eq(memory.places.count, 0);
    ck_assert_str_eq(ask(longest, 2, "Dial"), "unknown");
}
END_TEST

START_TEST(places_are_bounded)
{
    char exten[16];
    for (unsigned i = 0; i <= PLACES_MAX; i++) {
        snprintf(exten, sizeof(exten), "%u", i);
        put(exten, 1, "Dial", exten);
        must(memory.places.refused == (i < PLACES_MAX ? 0 : 1), "%u", i);
    }
    ck_assert_uint_eq(memory.places.count, PLACES_MAX);
    put("7", 1, "Dial", "new");
    ck_assert_str_eq(ask("7", 1, "Dial"), "seen: new");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("place");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, seen_at_this_very_place);
    tcase_add_test(tcase, the_newest_counts);
    tcase_add_test(tcase, sibling_has_its_extension_replaced);
    tcase_add_test(tcase, sibling_without_its_extension_is_unknown);
    tcase_add_test(tcase, other_application_here_leaves_siblings);
    tcase_add_test(tcase, buffer_is_emptied);
    tcase_add_test(tcase, no_room_is_unknown);
    tcase_add_test(tcase, no_place_is_not_kept);
    tcase_add_test(tcase, places_are_bounded);
    return kit_run("place", tcase);
}
