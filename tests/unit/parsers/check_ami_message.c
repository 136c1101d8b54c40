/* SPDX-License-Identifier: MIT */
#include "tests/unit/parsers/dump.h"

#include <check.h>
#include <stdlib.h>

static struct ami_message message;

/* The message of the one frame that text is, read at the end of readable memory. */
static const struct ami_message *parse(const char *text)
{
    struct ami_framer framer = {.banner_seen = true};
    struct ami_frame frame;
    size_t used;
    struct slice bytes = guarded(slice_from(text));
    ck_assert_int_eq(ami_frame_next(&framer, bytes, &frame, &used), AMI_FRAME_OK);
    size_t name = (size_t)(frame.name.p - frame.body.p);
    frame.body = guarded(frame.body);
    frame.name.p = frame.body.p + name;
    ami_message_parse(&frame, &message);
    return &message;
}

static void check_value(const struct ami_message *m, enum ami_header_id id, const char *value)
{
    struct slice got = ami_message_get(m, id);
    ck_assert(ami_message_has(m, id));
    ck_assert_ptr_nonnull(got.p);
    ck_assert_msg(slice_is(got, value), "%s: %.*s", value, (int)got.n, got.p);
}

START_TEST(values)
{
    const struct ami_message *m = parse("Event: Hangup\r\nChannel: PJSIP/101-00000001\r\n"
                                        "AccountCode: \r\nContext:\r\nCause:16\r\n\r\n");
    ck_assert_int_eq(m->kind, AMI_FRAME_EVENT);
    ck_assert_int_eq(m->event, AMI_EVENT_HANGUP);
    ck_assert(!m->cut);
    ck_assert_uint_eq(m->count, 5);
    check_value(m, AMI_HEADER_CHANNEL, "PJSIP/101-00000001");
    check_value(m, AMI_HEADER_ACCOUNTCODE, "");
    check_value(m, AMI_HEADER_CONTEXT, "");
    check_value(m, AMI_HEADER_CAUSE, "16");
    ck_assert(!ami_message_has(m, AMI_HEADER_UNIQUEID));
    ck_assert_ptr_null(ami_message_get(m, AMI_HEADER_UNIQUEID).p);
}
END_TEST

START_TEST(repeated_headers)
{
    const struct ami_message *m =
        parse("Event: Newstate\nChanVariable: a=1\nExten: 1\nChanVariable: b=2\nExten: 2\n\n");
    check_value(m, AMI_HEADER_EXTEN, "1");
    unsigned i = ami_message_find(m, AMI_HEADER_CHANVARIABLE, 0);
    ck_assert(slice_is(m->headers[i].value, "a=1"));
    i = ami_message_find(m, AMI_HEADER_CHANVARIABLE, i + 1);
    ck_assert(slice_is(m->headers[i].value, "b=2"));
    ck_assert_uint_eq(ami_message_find(m, AMI_HEADER_CHANVARIABLE, i + 1), m->count);
    ck_assert_uint_eq(ami_message_find(m, AMI_HEADER_UNIQUEID, 0), m->count);
}
END_TEST

/* Nothing is left of the message that was in the struct before. */
START_TEST(used_again)
{
    parse("Event: Hangup\nUniqueid: 1.2\nCause: 16\n\n");
    const struct ami_message *m = parse("Response: Success\nActionID: 4\n\n");
    ck_assert_int_eq(m->kind, AMI_FRAME_RESPONSE);
    ck_assert_int_eq(m->event, AMI_EVENT_UNKNOWN);
    ck_assert(slice_is(m->name, "Success"));
    ck_assert_uint_eq(m->count, 2);
    ck_assert(!ami_message_has(m, AMI_HEADER_CAUSE));
    check_value(m, AMI_HEADER_ACTIONID, "4");
}
END_TEST

/* The table's order is a guess and no more: any order gives the same ids. */
START_TEST(table_order_is_a_guess)
{
    const struct ami_message *m =
        parse("Event: Dial\nChannelState: 6\nChannel: a\nChannelState: 5\n"
              "ChannelStateDesc : x\nCallerIDNum\nCallerIDNum: 1\n\n");
    check_value(m, AMI_HEADER_CHANNEL, "a");
    check_value(m, AMI_HEADER_CHANNELSTATE, "6");
    ck_assert(!ami_message_has(m, AMI_HEADER_CHANNELSTATEDESC));
    check_value(m, AMI_HEADER_CALLERIDNUM, "1");
}
END_TEST

/* Every length of a line around the blocks that are searched at once. */
START_TEST(lines_of_every_length)
{
    for (size_t name = 0; name < 70; name++) {
        for (size_t value = 0; value < 140; value++) {
            char text[400];
            int n = snprintf(
                text, sizeof(text), "Event: Reload\r\n%.*s:%.*s\r\nExten: 9\r\n\r\n", (int)name,
                "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
                (int)value,
                "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
                "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
            ck_assert_int_lt(n, (int)sizeof(text));
            const struct ami_message *m = parse(text);
            ck_assert_uint_eq(m->count, 3);
            ck_assert_uint_eq(m->headers[1].name.n, name);
            ck_assert_uint_eq(m->headers[1].value.n, value);
            check_value(m, AMI_HEADER_EXTEN, "9");
        }
    }
}
END_TEST

START_TEST(header_count_at_its_cap)
{
    for (unsigned count = AMI_HEADERS_MAX - 1; count <= AMI_HEADERS_MAX + 1; count++) {
        char text[AMI_HEADERS_MAX * 16];
        size_t n = (size_t)snprintf(text, sizeof(text), "Event: Hangup\n");
        for (unsigned i = 2; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "X-%u: %u\n", i, i);
        snprintf(text + n, sizeof(text) - n, "Cause: 16\n\n");
        const struct ami_message *m = parse(text);
        bool cut = count > AMI_HEADERS_MAX;
        ck_assert_int_eq(m->cut, cut);
        ck_assert_uint_eq(m->count, cut ? AMI_HEADERS_MAX : count);
        ck_assert_int_eq(ami_message_has(m, AMI_HEADER_CAUSE), !cut);
    }
}
END_TEST

START_TEST(event_id_of_a_frame)
{
    struct ami_frame frame = {.kind = AMI_FRAME_EVENT, .name = SLICE("hangup")};
    ck_assert_int_eq(ami_message_event_id(&frame), AMI_EVENT_HANGUP);
    frame.name = SLICE("Hangups");
    ck_assert_int_eq(ami_message_event_id(&frame), AMI_EVENT_UNKNOWN);
    frame = (struct ami_frame){.kind = AMI_FRAME_RESPONSE, .name = SLICE("Hangup")};
    ck_assert_int_eq(ami_message_event_id(&frame), AMI_EVENT_UNKNOWN);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ami_message");
    tcase_add_test(tcase, values);
    tcase_add_test(tcase, repeated_headers);
    tcase_add_test(tcase, used_again);
    tcase_add_test(tcase, table_order_is_a_guess);
    tcase_add_test(tcase, lines_of_every_length);
    tcase_add_test(tcase, header_count_at_its_cap);
    tcase_add_test(tcase, event_id_of_a_frame);
    Suite *suite = suite_create("ami_message");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
