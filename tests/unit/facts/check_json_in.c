/* SPDX-License-Identifier: MIT */
#include "collector/facts/json_in.h"

#include "collector/base/json_out.h"
#include "tests/unit/facts/facts_kit.h"
#include <stdlib.h>

static json_t *written_and_read(struct slice text)
{
    struct buf to = buf_new(4096);
    struct json_out j = json_out_to(&to);
    j.exact = true;
    json_out_object(&j, NULL);
    json_out_array(&j, "texts");
    json_out_string(&j, NULL, text);
    json_out_close(&j, ']');
    json_out_close(&j, '}');
    json_t *o = json_in_object(buf_slice(&to));
    ck_assert_msg(o != NULL, "%.*s", (int)to.n, to.p);
    buf_free(&to);
    return o;
}

static void check_text(struct slice text)
{
    json_t *o = written_and_read(text);
    struct slice got = json_in_string(json_array_get(json_object_get(o, "texts"), 0));
    ck_assert_msg(slice_equal(got, text), "%.*s is %.*s", (int)text.n, text.p, (int)got.n, got.p);
    json_decref(o);
}

/* Whatever bytes Asterisk's texts have, they are the same after a restart. */
START_TEST(texts_come_back_as_they_were)
{
    check_text(SLICE(""));
    check_text(SLICE("J\xC3\xBCrgen \"1\"\n"));
    check_text(SLICE("J\xFCrgen"));
    check_text(SLICE("\xF4\x8F\xBE\x80\xF4\x8F\xBF\xBF\xF4\x8F\xBD\xBF"));
    check_text(SLICE("\xF4\x8F\xBE"));
    check_text(SLICE("\xEF\xBF\xBD"));
    kit_seed();
    for (int round = 0; round < 3000; round++) {
        char bytes[40];
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (char)(round % 2 ? 1 + random() % 255
                                        : "\xC3\xA9\xF4\x8F\xBE\xBF\x80\xACx"[random() % 9]);
        check_text((struct slice){bytes, (size_t)random() % sizeof(bytes)});
    }
}
END_TEST

START_TEST(what_is_no_object_is_refused)
{
    static const char *const texts[] = {"", "[]", "1", "{", "{}x", "{\"a\":\"\xFC\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ck_assert_msg(!json_in_object(slice_from(texts[i])), "%s", texts[i]);
}
END_TEST

/* What is not there, or is something else, counts as nothing. */
START_TEST(members_of_another_type_are_nothing)
{
    json_t *o = json_in_object(SLICE("{\"n\":3,\"t\":\"x\",\"b\":true}"));
    char *text = NULL;
    ck_assert_int_eq(json_in_int(o, "n"), 3);
    ck_assert_int_eq(json_in_int(o, "t"), 0);
    ck_assert_int_eq(json_in_int(o, "none"), 0);
    ck_assert(json_in_bool(o, "b") && !json_in_bool(o, "n") && !json_in_bool(o, "none"));
    ck_assert_int_eq(json_in_choice(o, "n", 3), 3);
    ck_assert_int_eq(json_in_choice(o, "n", 2), 0);
    ck_assert(json_in_take_text(o, "t", &text));
    ck_assert_str_eq(text, "x");
    ck_assert(json_in_take_text(o, "n", &text));
    ck_assert_ptr_null(text);
    json_decref(o);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("json_in");
    tcase_add_test(tcase, texts_come_back_as_they_were);
    tcase_add_test(tcase, what_is_no_object_is_refused);
    tcase_add_test(tcase, members_of_another_type_are_nothing);
    return kit_run("json_in", tcase);
}
