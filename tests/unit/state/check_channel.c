/* SPDX-License-Identifier: MIT */
#include "collector/state/channel.h"

#include "tests/unit/state/state_kit.h"

#define BORN 1000000

static struct slice application_of(const struct snapshot *s)
{
    return snapshot_text(s, SNAPSHOT_APPLICATION);
}

static struct snapshot_values at(const char *exten, int priority, const char *application)
{
    struct snapshot_values v = kit_values("1.1");
    v.text[SNAPSHOT_EXTEN] = slice_from(exten);
    v.priority = priority;
    v.text[SNAPSHOT_APPLICATION] = slice_from(application);
    return v;
}

START_TEST(read_takes_each_header)
{
    struct channel_scratch scratch;
    struct snapshot_values v;
    const struct ami_message *m = kit_message("Event: Newstate\n"
                                              "Channel: PJSIP/100-00000001\n"
                                              "ChannelState: 6\n"
                                              "CallerIDNum: 100\n"
                                              "CallerIDName: \\\"A\\\\B\\\"\n"
                                              "ConnectedLineNum: <unknown>\n"
                                              "ConnectedLineName: <unknown>\n"
                                              "AccountCode: acme\n"
                                              "Context: from-inside\n"
                                              "Exten: 200\n"
                                              "Priority: 3\n"
                                              "Uniqueid: 1763683071.1\n"
                                              "Linkedid: 1763683070.0\n\n");
    ck_assert(channel_read(m, &channel_headers_plain, &scratch, &v));
    ck_slice(v.text[SNAPSHOT_NAME], "PJSIP/100-00000001");
    ck_slice(v.text[SNAPSHOT_CALLER_NUMBER], "100");
    ck_slice(v.text[SNAPSHOT_CALLER_NAME], "\"A\\B\"");
    ck_slice(v.text[SNAPSHOT_CONNECTED_NUMBER], "");
    ck_slice(v.text[SNAPSHOT_CONNECTED_NAME], "");
    ck_slice(v.text[SNAPSHOT_ACCOUNTCODE], "acme");
    ck_slice(v.text[SNAPSHOT_CONTEXT], "from-inside");
    ck_slice(v.text[SNAPSHOT_EXTEN], "200");
    ck_slice(v.text[SNAPSHOT_UNIQUEID], "1763683071.1");
    ck_slice(v.text[SNAPSHOT_LINKEDID], "1763683070.0");
    ck_slice(v.text[SNAPSHOT_APPLICATION], "");
    ck_assert_int_eq(v.priority, 3);
    ck_assert_int_eq(v.state, 6);
    ck_assert_int_eq(v.cause, 0);
}
END_TEST

/* Dial events name the called channel with Dest, ParkedCall with Parkee, transfers with theirs. */
START_TEST(read_takes_each_prefix)
{
    static const struct {
        const char *text;
        const struct channel_headers *headers;
    } events[] = {
        {"Event: DialBegin\nDestChannel: x\nDestUniqueid: 2.2\nDestExten: e\n\n",
         &channel_headers_dest},
        {"Event: ParkedCall\nParkeeChannel: x\nParkeeUniqueid: 2.2\nParkeeExten: e\n\n",
         &channel_headers_parkee},
        {"Event: BlindTransfer\nTransfererChannel: x\nTransfererUniqueid: 2.2\n"
         "TransfererExten: e\n\n",
         &channel_headers_transferer},
        {"Event: BlindTransfer\nTransfereeChannel: x\nTransfereeUniqueid: 2.2\n"
         "TransfereeExten: e\n\n",
         &channel_headers_transferee},
    };
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct channel_scratch scratch;
        struct snapshot_values v;
        const struct ami_message *m = kit_message(events[i].text);
        ck_assert(channel_read(m, events[i].headers, &scratch, &v));
        ck_slice(v.text[SNAPSHOT_NAME], "x");
        ck_slice(v.text[SNAPSHOT_UNIQUEID], "2.2");
        ck_slice(v.text[SNAPSHOT_EXTEN], "e");
        ck_assert(!channel_read(m, &channel_headers_plain, &scratch, &v));
    }
}
END_TEST

START_TEST(read_needs_a_uniqueid)
{
    struct channel_scratch scratch;
    struct snapshot_values v;
    ck_assert(!channel_read(kit_message("Event: Newstate\nChannel: x\nUniqueid: \n\n"),
                            &channel_headers_plain, &scratch, &v));
    ck_assert(!channel_read(kit_message("Event: Newstate\nChannel: x\n\n"), &channel_headers_plain,
                            &scratch, &v));
}
END_TEST

/* Asterisk 22: what is dialed is born Down (0), what calls in is born Ring (4). */
START_TEST(birth_says_who_was_dialed)
{
    for (int state = 0; state <= 7; state++) {
        struct snapshot_values v = kit_values("1.1");
        v.state = state;
        struct channel *c = channel_new(&v, BORN);
        ck_assert_uint_eq(snapshot_flags(c->now) & SNAPSHOT_DIALED,
                          state == 0 ? SNAPSHOT_DIALED : 0);
        ck_assert_int_eq(c->born, BORN);
        channel_free(c);
    }
}
END_TEST

START_TEST(first_look_has_nothing_before)
{
    struct channel *c = kit_channel("1.1");
    ck_assert_ptr_eq(c->birth, c->now);
    ck_assert_ptr_null(c->before);
    ck_slice(channel_uniqueid(c), "1.1");
    channel_free(c);
    channel_free(NULL);
}
END_TEST

/* One snapshot of Asterisk raises Newstate, Newexten, NewCallerid … with equal headers: "before" is
 * the look before the first of them. */
START_TEST(group_has_one_before)
{
    struct channel *c = kit_channel("1.1");
    struct snapshot_values v = at("200", 1, "Answer");
    channel_take(c, &v, CHANNEL_EVENT_NEWEXTEN, BORN + 100000);
    struct snapshot *before = snapshot_ref(c->now);

    v = at("200", 2, "");
    v.state = 6;
    v.text[SNAPSHOT_CALLER_NAME] = SLICE("new");
    struct channel_change change = channel_take(c, &v, CHANNEL_EVENT_STATE, BORN + 200000);
    ck_assert_ptr_eq(change.old, before);
    ck_slice(application_of(change.now), "");
    v.text[SNAPSHOT_APPLICATION] = SLICE("Playback");
    change = channel_take(c, &v, CHANNEL_EVENT_NEWEXTEN, BORN + 200010);
    ck_assert_ptr_eq(change.old, before);
    ck_slice(application_of(change.now), "Playback");
    change = channel_take(c, &v, CHANNEL_EVENT_NEWCALLERID, BORN + 200020);
    ck_assert_ptr_eq(change.old, before);
    ck_assert(!change.changed);
    ck_slice(application_of(change.now), "Playback");
    snapshot_unref(before);
    channel_free(c);
}
END_TEST

static bool goes_on(enum channel_event first, enum channel_event second, const char *exten,
                    int64_t apart)
{
    struct channel *c = kit_channel("1.1");
    struct snapshot_values v = at("200", 2, first == CHANNEL_EVENT_NEWEXTEN ? "Answer" : "");
    struct snapshot *before = snapshot_ref(c->now);
    channel_take(c, &v, first, BORN + 100000);
    v = at(exten, 2, "Playback");
    bool one = channel_take(c, &v, second, BORN + 100000 + apart).old == before;
    snapshot_unref(before);
    channel_free(c);
    return one;
}

/* A group goes on in the order of Asterisk, with equal headers, at once. */
START_TEST(group_ends)
{
    ck_assert(goes_on(CHANNEL_EVENT_STATE, CHANNEL_EVENT_NEWEXTEN, "200", 10));
    ck_assert(goes_on(CHANNEL_EVENT_NEWEXTEN, CHANNEL_EVENT_NEWACCOUNTCODE, "200", 10));
    ck_assert_msg(!goes_on(CHANNEL_EVENT_STATE, CHANNEL_EVENT_STATE, "200", 10), "same kind");
    ck_assert_msg(!goes_on(CHANNEL_EVENT_NEWEXTEN, CHANNEL_EVENT_STATE, "200", 10), "order");
    ck_assert_msg(!goes_on(CHANNEL_EVENT_NEWCALLERID, CHANNEL_EVENT_NEWEXTEN, "200", 10), "order");
    ck_assert_msg(!goes_on(CHANNEL_EVENT_STATE, CHANNEL_EVENT_NEWEXTEN, "201", 10), "headers");
    ck_assert_msg(!goes_on(CHANNEL_EVENT_STATE, CHANNEL_EVENT_NEWEXTEN, "200", 50000), "time");
    ck_assert_msg(!goes_on(CHANNEL_EVENT_OTHER, CHANNEL_EVENT_NEWEXTEN, "200", 10), "other");
}
END_TEST

/* A place that another event shows changed has an application that is none any more; where the
 * place is the same the application stays. */
START_TEST(unseen_move_empties_application)
{
    struct channel *c = kit_channel("1.1");
    struct snapshot_values v = at("200", 1, "Dial");
    v.text[SNAPSHOT_APPDATA] = SLICE("PJSIP/200");
    channel_take(c, &v, CHANNEL_EVENT_NEWEXTEN, BORN + 100000);

    v = at("200", 1, "");
    struct channel_change change = channel_take(c, &v, CHANNEL_EVENT_OTHER, BORN + 200000);
    ck_assert(!change.changed);
    ck_slice(application_of(c->now), "Dial");
    ck_slice(snapshot_text(c->now, SNAPSHOT_APPDATA), "PJSIP/200");

    v = at("200", 2, "");
    change = channel_take(c, &v, CHANNEL_EVENT_OTHER, BORN + 300000);
    ck_assert(change.changed);
    ck_slice(application_of(change.old), "Dial");
    ck_slice(application_of(change.now), "");
    ck_slice(snapshot_text(c->now, SNAPSHOT_APPDATA), "");
    channel_free(c);
}
END_TEST

/* What an event does not carry is kept: linkedid, Uniqueid, flags, amaflags and the cause. */
START_TEST(absent_values_are_kept)
{
    struct channel *c = kit_channel("1.1");
    struct snapshot_values v = snapshot_values(c->now);
    v.cause = 17;
    v.ama = SNAPSHOT_AMA_OMIT;
    v.flags = SNAPSHOT_PARTY_A;
    channel_alter(c, &v);
    struct snapshot_values seen = kit_values("1.1");
    seen.text[SNAPSHOT_LINKEDID] = SLICE("");
    channel_take(c, &seen, CHANNEL_EVENT_OTHER, BORN + 100000);
    ck_slice(channel_linkedid(c), "1.1");
    ck_assert_int_eq(snapshot_cause(c->now), 17);
    ck_assert_uint_eq(snapshot_flags(c->now), SNAPSHOT_PARTY_A);
    ck_assert_int_eq(snapshot_values(c->now).ama, SNAPSHOT_AMA_OMIT);

    seen.flags = SNAPSHOT_DEAD; /* Hangup's cause is final, also 0 */
    channel_take(c, &seen, CHANNEL_EVENT_STATE, BORN + 200000);
    ck_assert_int_eq(snapshot_cause(c->now), 0);
    channel_free(c);
}
END_TEST

START_TEST(newexten_ends_guessing)
{
    struct channel *c = kit_channel("1.1");
    channel_run(c, SLICE("Dial"), SLICE(""), SNAPSHOT_DATA_MISSING, BORN + 100000);
    ck_assert_uint_eq(snapshot_flags(c->now), SNAPSHOT_DATA_MISSING);
    ck_slice(application_of(c->now), "Dial");
    ck_slice(application_of(c->before), "");
    struct snapshot_values v = at("200", 2, "Playback");
    channel_take(c, &v, CHANNEL_EVENT_NEWEXTEN, BORN + 200000);
    ck_assert_uint_eq(snapshot_flags(c->now), 0);
    channel_free(c);
}
END_TEST

/* DialEnd shows a look that was not published: it is completed, not taken. */
START_TEST(look_is_not_taken)
{
    struct channel *c = kit_channel("1.1");
    struct snapshot_values v = at("200", 1, "Dial");
    channel_take(c, &v, CHANNEL_EVENT_NEWEXTEN, BORN + 100000);
    struct snapshot *held = c->now;
    v = at("200", 1, "");
    v.state = 6;
    struct snapshot *look = channel_look(c, &v);
    ck_assert_ptr_eq(c->now, held);
    ck_assert_int_eq(snapshot_state(look), 6);
    ck_assert_int_eq(snapshot_state(c->now), 4);
    ck_slice(application_of(look), "Dial");
    snapshot_unref(look);
    channel_free(c);
}
END_TEST

START_TEST(flags_are_set_silently)
{
    struct channel *c = kit_channel("1.1");
    channel_set_flag(c, SNAPSHOT_DIALED, true);
    ck_assert_uint_eq(snapshot_flags(c->now), SNAPSHOT_DIALED);
    struct snapshot *held = c->now;
    channel_set_flag(c, SNAPSHOT_DIALED, true);
    ck_assert_ptr_eq(c->now, held);
    channel_set_flag(c, SNAPSHOT_DIALED, false);
    ck_assert_uint_eq(snapshot_flags(c->now), 0);
    ck_assert_ptr_null(c->before);
    ck_assert_uint_eq(snapshot_flags(c->birth), 0);
    channel_free(c);
}
END_TEST

START_TEST(changes_are_to_be_saved)
{
    struct saved_list list = saved_list_new();
    struct channel *c = kit_channel("1.1");
    struct snapshot_values v = snapshot_values(c->now);
    c->saved.list = &list;
    channel_take(c, &v, CHANNEL_EVENT_OTHER, BORN + 100000);
    ck_assert_ptr_null(saved_take(&list));
    v.state = 6;
    channel_take(c, &v, CHANNEL_EVENT_STATE, BORN + 200000);
    ck_assert_ptr_eq(saved_take(&list), &c->saved);
    channel_set_flag(c, SNAPSHOT_PARTY_A, true);
    ck_assert_ptr_eq(saved_take(&list), &c->saved);
    channel_run(c, SLICE("Dial"), SLICE(""), 0, BORN + 300000);
    ck_assert_ptr_eq(saved_take(&list), &c->saved);
    channel_free(c);
    saved_list_free(&list);
}
END_TEST

START_TEST(interface_is_without_the_last_dash)
{
    ck_slice(channel_interface(SLICE("PJSIP/101-0000001a")), "PJSIP/101");
    ck_slice(channel_interface(SLICE("PJSIP/my-phone-0000001a")), "PJSIP/my-phone");
    ck_slice(channel_interface(SLICE("Local/200@from-inside-00000002;1")), "Local/200@from-inside");
    ck_slice(channel_interface(SLICE("DAHDI/1")), "DAHDI/1");
    ck_slice(channel_interface(SLICE("")), "");
    ck_assert(channel_is_local(SLICE("Local/200@a-1;1")));
    ck_assert(!channel_is_local(SLICE("PJSIP/Local/")));
    ck_assert(!channel_is_local(SLICE("Local")));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("channel");
    tcase_add_test(tcase, read_takes_each_header);
    tcase_add_test(tcase, read_takes_each_prefix);
    tcase_add_test(tcase, read_needs_a_uniqueid);
    tcase_add_test(tcase, birth_says_who_was_dialed);
    tcase_add_test(tcase, first_look_has_nothing_before);
    tcase_add_test(tcase, group_has_one_before);
    tcase_add_test(tcase, group_ends);
    tcase_add_test(tcase, unseen_move_empties_application);
    tcase_add_test(tcase, absent_values_are_kept);
    tcase_add_test(tcase, newexten_ends_guessing);
    tcase_add_test(tcase, look_is_not_taken);
    tcase_add_test(tcase, flags_are_set_silently);
    tcase_add_test(tcase, changes_are_to_be_saved);
    tcase_add_test(tcase, interface_is_without_the_last_dash);
    return kit_run("channel", tcase);
}
