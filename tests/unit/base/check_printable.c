/* SPDX-License-Identifier: MIT */
#include "collector/base/printable.h"
#include <check.h>
#include <stdlib.h>

static const struct {
    const char *text;
    const char *shown;
} texts[] = {
    {"", ""},
    {"Müller & Søn <+49 30> 日本 😀", "Müller & Søn <+49 30> 日本 😀"},
    {"\x1b]0;pwned\a\x1b[2J", "?]0;pwned??[2J"},
    {"a\tb\r\nc\x7f", "a?b??c?"},
    {"\xc2\x9b"
     "31m|\xc2\x80|\xc2\x9f|\xc2\xa0|",
     "??31m|??|??|\xc2\xa0|"},   /* C1 and the first behind it */
    {"\x9b|\xff|\xc3", "?|?|?"}, /* no UTF-8 */
    {"\xd8\x9c|\u200e|\u200f|\u2028|\u2029|\u202a|\u202e|\u2066|\u2069",
     "??|???|???|???|???|???|???|???|???"},
    {"\u200d|\u2010|\u2027|\u202f|\u2065", "\u200d|\u2010|\u2027|\u202f|\u2065"},
};

START_TEST(what_a_terminal_obeys_is_hidden)
{
    char *in_place = strdup(texts[_i].text), *put = NULL;
    size_t n = 0;
    printable_make(in_place, strlen(in_place));
    ck_assert_str_eq(in_place, texts[_i].shown);
    FILE *to = open_memstream(&put, &n);
    printable_put(slice_from(texts[_i].text), to);
    fclose(to);
    ck_assert_str_eq(put, texts[_i].shown);
    free(in_place);
    free(put);
}
END_TEST

START_TEST(a_nul_is_hidden_too)
{
    char text[] = "a\0b";
    printable_make(text, 3);
    ck_assert_str_eq(text, "a?b");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("printable");
    tcase_add_loop_test(tcase, what_a_terminal_obeys_is_hidden, 0, sizeof texts / sizeof texts[0]);
    tcase_add_test(tcase, a_nul_is_hidden_too);
    Suite *suite = suite_create("printable");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
