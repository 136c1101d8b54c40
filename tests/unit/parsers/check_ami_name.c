/* SPDX-License-Identifier: MIT */
#include "parsers/ami_name.h"

#include <check.h>
#include <ctype.h>
#include <stdlib.h>

struct row {
    const char *id;
    const char *name;
    unsigned number;
};

static const struct row events[] = {
#define AMI_EVENT(id, name, wanted) {#id, name, AMI_EVENT_##id},
#include "schemas/ami_events.def"
#undef AMI_EVENT
};

static const struct row headers[] = {
#define AMI_HEADER(id, name, form) {#id, name, AMI_HEADER_##id},
#include "schemas/ami_headers.def"
#undef AMI_HEADER
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static unsigned event_number(struct slice name)
{
    return ami_event_from_name(name);
}

static unsigned header_number(struct slice name)
{
    return ami_header_from_name(name);
}

/* The id is the name in capitals, letters and digits only. */
static void check_id(const struct row *row)
{
    const char *id = row->id;
    for (const char *c = row->name; *c; c++) {
        if (!isalnum((unsigned char)*c))
            continue;
        ck_assert_msg(*id == toupper((unsigned char)*c), "%s: %s", row->id, row->name);
        id++;
    }
    ck_assert_msg(!*id, "%s: %s", row->id, row->name);
}

/* The name is found as it is, in capitals and in small letters; nothing like it is. */
static void check_lookup(const struct row *row, unsigned (*number)(struct slice))
{
    char text[64] = {0};
    size_t n = strlen(row->name);
    ck_assert_uint_lt(n + 1, sizeof(text));
    ck_assert_uint_eq(number(slice_from(row->name)), row->number);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)toupper((unsigned char)row->name[i]);
    ck_assert_uint_eq(number((struct slice){text, n}), row->number);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)tolower((unsigned char)row->name[i]);
    ck_assert_uint_eq(number((struct slice){text, n}), row->number);
    text[n] = '~';
    ck_assert_uint_eq(number((struct slice){text, n + 1}), 0);
    text[0] = '~';
    ck_assert_uint_eq(number((struct slice){text, n}), 0);
    memcpy(text, row->name, n);
    text[n / 2] = (char)(text[n / 2] ^ 0x40);
    ck_assert_uint_eq(number((struct slice){text, n}), 0);
}

START_TEST(events_are_found)
{
    for (size_t i = 0; i < COUNT(events); i++) {
        check_id(&events[i]);
        check_lookup(&events[i], event_number);
        ck_assert_str_eq(ami_event_name(events[i].number), events[i].name);
    }
    ck_assert_uint_eq(COUNT(events) + 1, AMI_EVENT_TOTAL);
}
END_TEST

START_TEST(headers_are_found)
{
    for (size_t i = 0; i < COUNT(headers); i++) {
        check_id(&headers[i]);
        check_lookup(&headers[i], header_number);
        ck_assert_str_eq(ami_header_name(headers[i].number), headers[i].name);
    }
    ck_assert_uint_eq(COUNT(headers) + 1, AMI_HEADER_TOTAL);
}
END_TEST

START_TEST(nothing_is_unknown)
{
    ck_assert_uint_eq(ami_event_from_name((struct slice){NULL, 0}), AMI_EVENT_UNKNOWN);
    ck_assert_uint_eq(ami_header_from_name((struct slice){"", 0}), AMI_HEADER_UNKNOWN);
    ck_assert_str_eq(ami_event_name(AMI_EVENT_UNKNOWN), "");
    ck_assert_str_eq(ami_header_name(AMI_HEADER_UNKNOWN), "");
    ck_assert(!ami_event_wanted(AMI_EVENT_UNKNOWN));
}
END_TEST

START_TEST(any_length_and_byte)
{
    char text[300];
    for (unsigned c = 0; c < 256; c++) {
        memset(text, (int)c, sizeof(text));
        for (size_t n = 0; n < sizeof(text); n++) {
            struct slice name = {text, n};
            if (ami_event_from_name(name) || ami_header_from_name(name))
                ck_abort_msg("%zu bytes of %u are known", n, c);
        }
    }
}
END_TEST

START_TEST(wanted)
{
    ck_assert(ami_event_wanted(AMI_EVENT_HANGUP));
    ck_assert(ami_event_wanted(AMI_EVENT_VARSET));
    ck_assert(ami_event_wanted(AMI_EVENT_DTMFEND));
    ck_assert(!ami_event_wanted(AMI_EVENT_DTMFBEGIN));
    ck_assert(!ami_event_wanted(AMI_EVENT_RTCPSENT));
    ck_assert(!ami_event_wanted(AMI_EVENT_TESTEVENT));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ami_name");
    tcase_add_test(tcase, events_are_found);
    tcase_add_test(tcase, headers_are_found);
    tcase_add_test(tcase, nothing_is_unknown);
    tcase_add_test(tcase, any_length_and_byte);
    tcase_add_test(tcase, wanted);
    Suite *suite = suite_create("ami_name");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
