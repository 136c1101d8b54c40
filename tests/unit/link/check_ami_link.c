/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_link.h"
#include "tests/unit/link/fake_pbx.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MS 1000

static struct event_base *base;
static struct resolver *resolver;
static struct fake_pbx pbx;
static struct ami_link *ami;
static struct ami_link_config config;
static const char *const one_host[] = {"127.0.0.1"};

/* What the owner was told, a word each; list items and other events by their names. */
static char trace[65536];
static unsigned turns, messages;
static enum ami_link_reason last_reason;
static char last_detail[256], last_text[512];
static int64_t last_delay;
static enum ami_event_id stop_at;

static void note(const char *what)
{
    size_t n = strlen(trace);
    snprintf(trace + n, sizeof trace - n, "%s ", what);
}

static void on_message(void *ctx, const struct ami_message *m, int64_t arrival_us)
{
    (void)ctx;
    ck_assert_int_eq(arrival_us, 1234567);
    messages++;
    if (messages < 100) {
        note(ami_event_name(m->event));
    }
    if (stop_at != AMI_EVENT_UNKNOWN && m->event == stop_at) {
        ami_link_stop(ami);
    }
}

static void on_state(void *ctx, const struct ami_link_change *change)
{
    (void)ctx;
    ck_assert_int_eq(change->to, ami_link_state(ami));
    note(ami_link_state_name(change->to));
    if (change->reason != AMI_LINK_FINE) {
        last_reason = change->reason;
        last_delay = change->delay_us;
        snprintf(last_detail, sizeof last_detail, "%s", change->detail);
        ami_link_change_text("main", change, last_text, sizeof last_text);
    }
}

static void on_snapshot_begin(void *ctx)
{
    (void)ctx;
    note("<");
}

static void on_sent(void *ctx, enum ami_action action)
{
    (void)ctx;
    (void)action;
    note("?");
}

static void on_answer(void *ctx, enum ami_action action, const struct ami_message *m)
{
    char text[64];
    struct slice date = ami_message_get(m, AMI_HEADER_CORESTARTUPDATE);
    (void)ctx;
    if (action == AMI_ACTION_CORESTATUS && date.n) {
        snprintf(text, sizeof text, "started-%.*s", (int)date.n, date.p);
        note(text);
    }
}

static void on_done(void *ctx, enum ami_action action, enum ami_link_outcome outcome)
{
    static const char *const words[] = {"ok", "refused", "timeout"};
    (void)ctx;
    (void)action;
    note(words[outcome]);
}

static void on_snapshot_end(void *ctx)
{
    (void)ctx;
    note(">");
}

static void on_check_sent(void *ctx)
{
    (void)ctx;
    note("check");
}

static void on_check_done(void *ctx, enum ami_link_outcome outcome)
{
    static const char *const words[] = {"checked", "not checked", "check timeout"};
    (void)ctx;
    note(words[outcome]);
}

static void on_turn_end(void *ctx)
{
    (void)ctx;
    turns++;
}

static int64_t fixed_now(void *ctx)
{
    (void)ctx;
    return 1234567;
}

static uint64_t no_chance(void *ctx)
{
    (void)ctx;
    return 0;
}

/* All that came, as it came. */
static struct buf heard;

static void setup(void)
{
    base = event_base_new();
    resolver = resolver_new(base);
    fake_pbx_open(&pbx, base);
    config = ami_link_config_default();
    config.hosts = one_host;
    config.host_count = 1;
    config.port = pbx.port;
    config.user = "tap";
    config.secret = SLICE(FAKE_SECRET);
    config.event_mask = "system,call";
    config.connect_us = 150 * MS;
    config.boot_us = config.list_us = config.leave_us = 150 * MS;
    config.retry_us = 10 * MS;
    config.retry_max_us = 40 * MS;
    config.refused_us = 60 * MS;
    config.refused_max_us = 90 * MS;
    trace[0] = '\0';
    heard = buf_new(1024 * 1024);
}

static void on_bytes(void *ctx, struct slice bytes)
{
    (void)ctx;
    buf_put_slice(&heard, bytes);
}

static void make_link(void)
{
    static const struct ami_link_events events = {.message = on_message,
                                                  .state = on_state,
                                                  .snapshot_begin = on_snapshot_begin,
                                                  .snapshot_action_sent = on_sent,
                                                  .snapshot_action_done = on_done,
                                                  .answer = on_answer,
                                                  .snapshot_end = on_snapshot_end,
                                                  .check_sent = on_check_sent,
                                                  .check_done = on_check_done,
                                                  .turn_end = on_turn_end,
                                                  .bytes = on_bytes};
    struct ami_link_env env = {base, resolver, clock_system(), {no_chance, NULL}};
    env.clock.now = fixed_now;
    ami = ami_link_new(&config, &env, &events, NULL);
    ck_assert_ptr_nonnull(ami);
}

static void start(void)
{
    make_link();
    ami_link_start(ami);
}

static void teardown(void)
{
    ami_link_free(ami);
    fake_pbx_close(&pbx);
    resolver_free(resolver);
    event_base_free(base);
    libevent_global_shutdown();
    buf_free(&heard);
}

static void nothing(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* Runs the loop until the trace holds a word for the nth time. */
static void run_until(const char *word, unsigned times)
{
    struct event *tick = event_new(base, -1, EV_PERSIST, nothing, NULL);
    event_add(tick, &(struct timeval){0, 5 * MS});
    struct clock clock = clock_system();
    int64_t end = clock_mono(&clock) + 3000 * MS;
    char padded[64];
    snprintf(padded, sizeof padded, "%s ", word);
    for (;;) {
        unsigned seen = 0;
        for (const char *p = trace; (p = strstr(p, padded)); p++) {
            seen++;
        }
        if (seen >= times) {
            break;
        }
        ck_assert_msg(clock_mono(&clock) < end, "no '%s' in: %s", word, trace);
        event_base_loop(base, EVLOOP_ONCE);
    }
    event_free(tick);
}

static void run_for(int64_t us)
{
    struct timeval tv = {us / 1000000, us % 1000000};
    event_base_loopexit(base, &tv);
    event_base_dispatch(base);
}

#define LOG_IN_STATES "resolving connecting greeting challenging logging in booting "
#define ALL_LISTS                                                                                  \
    "taking a snapshot < ? started-2026-11-27 ok ? CoreShowChannel CoreShowChannelsComplete ok ? " \
    "Status "                                                                                      \
    "StatusComplete "                                                                              \
    "ok ? BridgeListItem BridgeListItem BridgeListComplete ok ? BridgeInfoChannel "                \
    "BridgeInfoComplete ok ? QueueParams QueueStatusComplete ok ? DeviceStateChange "              \
    "DeviceStateListComplete ok > live "

START_TEST(the_happy_path)
{
    start();
    run_until("live", 1);
    ck_assert_str_eq(trace, LOG_IN_STATES "FullyBooted " ALL_LISTS);
    ck_assert_str_eq(ami_link_version(ami), "11.0.0");
    fake_pbx_send(&pbx, "Event: Newchannel\r\nUniqueid: 1.2\r\n\r\nEvent: RTCPSent\r\n\r\n"
                        "Event: NobodyKnows\r\n\r\nEvent: Hangup\r\nUniqueid: 1.2\r\n\r\n");
    run_until("Hangup", 1);
    struct ami_link_counters c = ami_link_counters(ami);
    ck_assert_uint_eq(c.events_unwanted, 1);
    ck_assert_uint_eq(c.events_unknown, 1);
    ck_assert_uint_eq(c.logins, 1);
    ck_assert_uint_eq(c.snapshots, 1);
    ck_assert_int_eq(c.last_frame_us, 1234567);
    ck_assert_uint_gt(c.bytes_in, 500);
    ck_assert_uint_eq(heard.n, c.bytes_in);
    ck_assert(slice_starts(buf_slice(&heard), SLICE("Asterisk Call Manager/")));
    ami_link_stop(ami);
    ck_assert_int_eq(ami_link_state(ami), AMI_LINK_LEAVING);
    run_until("stopped", 1);
    ck_assert_int_eq(last_reason, AMI_LINK_ASKED);
    ck_assert_str_eq(last_text, "pbx main: logged off");
    ck_assert_str_eq(pbx.actions,
                     "Challenge Login CoreStatus CoreShowChannels Status BridgeList BridgeInfo "
                     "QueueStatus DeviceStateList Logoff ");
    ck_assert_uint_eq(pbx.accepted, 1);
    ck_assert_ptr_null(memmem(pbx.all.p, pbx.all.n, FAKE_SECRET, sizeof FAKE_SECRET - 1));
    ck_assert_ptr_nonnull(memmem(pbx.all.p, pbx.all.n, "Events: system,call\r\n", 21));
    ck_assert_uint_gt(turns, 3);
}
END_TEST

/* The queues are asked for once more now and then, and only they. */
START_TEST(queues_are_checked_while_live)
{
    config.check_us = 20 * MS;
    start();
    run_until("checked", 2);
    ck_assert_str_eq(trace, LOG_IN_STATES "FullyBooted " ALL_LISTS
                                          "check QueueParams QueueStatusComplete checked "
                                          "check QueueParams QueueStatusComplete checked ");
    ck_assert_uint_eq(ami_link_counters(ami).checks, 2);
    ck_assert_uint_eq(ami_link_counters(ami).snapshots, 1);
    ck_assert_str_eq(pbx.actions,
                     "Challenge Login CoreStatus CoreShowChannels Status BridgeList BridgeInfo "
                     "QueueStatus DeviceStateList QueueStatus QueueStatus ");
}
END_TEST

START_TEST(a_check_that_is_not_answered_ends)
{
    config.check_us = config.list_us = 20 * MS;
    start();
    run_until("live", 1);
    pbx.deaf_to = "QueueStatus";
    run_until("check timeout", 1);
    ck_assert_int_eq(ami_link_state(ami), AMI_LINK_LIVE);
    pbx.deaf_to = NULL;
    run_until("checked", 1);
    ck_assert_uint_eq(ami_link_counters(ami).checks, 1);
}
END_TEST

START_TEST(it_does_not_look_again_within_a_check)
{
    config.check_us = 20 * MS;
    start();
    run_until("live", 1);
    pbx.deaf_to = "QueueStatus";
    run_until("check", 1);
    ck_assert(!ami_link_look_again(ami));
    run_until("check timeout", 1);
    ck_assert(ami_link_look_again(ami));
}
END_TEST

START_TEST(single_bytes_give_the_same)
{
    pbx.trickle = true;
    start();
    run_until("live", 1);
    ck_assert_str_eq(trace, LOG_IN_STATES "FullyBooted " ALL_LISTS);
}
END_TEST

START_TEST(without_fully_booted_a_timer_goes_on)
{
    pbx.no_fully_booted = true;
    config.boot_us = 20 * MS;
    start();
    run_until("live", 1);
    ck_assert_str_eq(trace, LOG_IN_STATES ALL_LISTS);
    fake_pbx_send(&pbx, "Event: FullyBooted\r\n\r\n");
    run_until("live", 2);
    ck_assert_uint_eq(ami_link_counters(ami).snapshots, 2);
    fake_pbx_send(&pbx, "Event: FullyBooted\r\n\r\nEvent: Newchannel\r\n\r\n");
    run_until("Newchannel", 1);
    ck_assert_int_eq(ami_link_state(ami), AMI_LINK_LIVE);
}
END_TEST

START_TEST(fully_booted_during_a_snapshot_repeats_it)
{
    pbx.no_fully_booted = true;
    pbx.deaf_to = "BridgeList";
    config.boot_us = 10 * MS;
    config.list_us = 60 * MS;
    start();
    run_until("StatusComplete", 1);
    fake_pbx_send(&pbx, "Event: FullyBooted\r\n\r\n");
    run_until("live", 2);
    ck_assert_uint_eq(ami_link_counters(ami).snapshots, 2);
}
END_TEST

START_TEST(it_looks_again_when_asked_while_live)
{
    start();
    ck_assert(!ami_link_look_again(ami));
    run_until("live", 1);
    trace[0] = '\0';
    ck_assert(ami_link_look_again(ami));
    ck_assert(!ami_link_look_again(ami));
    run_until("live", 1);
    ck_assert_str_eq(trace, ALL_LISTS);
    ck_assert_uint_eq(ami_link_counters(ami).snapshots, 2);
    ck_assert_uint_eq(ami_link_counters(ami).logins, 1);
}
END_TEST

START_TEST(a_refused_login_waits_longer_and_longer)
{
    pbx.refuses = FAKE_LOGIN;
    start();
    run_until("waiting", 1);
    ck_assert_int_eq(last_reason, AMI_LINK_LOGIN_REFUSED);
    ck_assert_str_eq(last_detail, "Authentication failed");
    char expected[128];
    snprintf(expected, sizeof expected,
             "pbx main: LOG-IN REFUSED by 127.0.0.1:%u: Authentication failed; next attempt in "
             "0.1 s",
             pbx.port);
    ck_assert_str_eq(last_text, expected);
    ck_assert_int_eq(last_delay, 60 * MS);
    run_until("waiting", 2);
    ck_assert_int_eq(last_delay, 90 * MS);
    ck_assert_uint_eq(ami_link_counters(ami).logins_refused, 2);
    ck_assert_uint_eq(pbx.accepted, 2);
    pbx.refuses = FAKE_NOTHING;
    run_until("live", 1);
}
END_TEST

START_TEST(a_refused_challenge_is_a_refused_login)
{
    pbx.refuses = FAKE_CHALLENGE;
    start();
    run_until("waiting", 1);
    ck_assert_int_eq(last_reason, AMI_LINK_LOGIN_REFUSED);
    ck_assert_str_eq(last_detail, "Must specify AuthType");
}
END_TEST

START_TEST(refused_lists_are_told_and_passed)
{
    pbx.refuses = FAKE_REPORTING;
    start();
    run_until("live", 1);
    ck_assert_ptr_nonnull(strstr(trace, "< ? refused ? refused ? refused ? BridgeListItem"));
    ck_assert_uint_eq(ami_link_counters(ami).lists_refused, 4);
}
END_TEST

static const struct {
    const char *at;
    enum ami_link_reason reason;
} cuts[] = {{"accept", AMI_LINK_NO_AMI},       {"Challenge", AMI_LINK_LOST},
            {"Login", AMI_LINK_LOST},          {"CoreShowChannels", AMI_LINK_LOST},
            {"BridgeInfo", AMI_LINK_LOST},     {"QueueStatus", AMI_LINK_LOST},
            {"DeviceStateList", AMI_LINK_LOST}};

/* The PBX tells the trunks' passwords with them: nothing asks unless it is told to. */
START_TEST(registrations_are_listed_where_wanted)
{
    config.lists |= AMI_SNAPSHOT_REGISTRATIONS;
    start();
    run_until("live", 1);
    ck_assert_ptr_nonnull(strstr(trace, "DeviceStateListComplete ok ? OutboundRegistrationDetail "
                                        "OutboundRegistrationDetailComplete ok > live "));
    ck_assert_ptr_nonnull(strstr(pbx.actions, "DeviceStateList PJSIPShowRegistrationsOutbound "));
}
END_TEST

START_TEST(a_cut_anywhere_is_survived)
{
    pbx.close_at = cuts[_i].at;
    start();
    run_until("waiting", 1);
    ck_assert_int_eq(last_reason, cuts[_i].reason);
    ck_assert_str_eq(last_detail, "it closed the connection");
    ck_assert_int_eq(last_delay, 10 * MS);
    run_until("waiting", 2);
    ck_assert_int_eq(last_delay, 20 * MS);
    run_until("waiting", 4);
    ck_assert_int_eq(last_delay, 40 * MS);
    pbx.close_at = NULL;
    run_until("live", 1);
    fake_pbx_hang_up(&pbx);
    run_until("waiting", 5);
    ck_assert_int_eq(last_delay, 10 * MS);
    run_until("live", 2);
}
END_TEST

static const struct {
    const char *at;
    enum ami_link_reason reason;
} silences[] = {{"accept", AMI_LINK_NO_AMI},
                {"Challenge", AMI_LINK_LOGIN_TIMEOUT},
                {"Login", AMI_LINK_LOGIN_TIMEOUT}};

START_TEST(a_silent_log_in_times_out)
{
    pbx.deaf_to = silences[_i].at;
    config.connect_us = 30 * MS;
    start();
    run_until("waiting", 1);
    ck_assert_int_eq(last_reason, silences[_i].reason);
    pbx.deaf_to = NULL;
    run_until("live", 1);
}
END_TEST

START_TEST(a_silent_list_times_out)
{
    pbx.deaf_to = "Status";
    config.list_us = 30 * MS;
    start();
    run_until("live", 1);
    ck_assert_ptr_nonnull(strstr(trace, "CoreShowChannelsComplete ok ? timeout ? BridgeListItem"));
    ck_assert_uint_eq(ami_link_counters(ami).lists_refused, 1);
}
END_TEST

START_TEST(a_quiet_pbx_is_pinged)
{
    config.ping_us = 30 * MS;
    start();
    run_until("live", 1);
    run_for(200 * MS);
    ck_assert_int_eq(ami_link_state(ami), AMI_LINK_LIVE);
    ck_assert_uint_ge(ami_link_counters(ami).pings, 2);
    pbx.deaf_to = "Ping";
    run_until("waiting", 1);
    ck_assert_int_eq(last_reason, AMI_LINK_SILENT);
    ck_assert_uint_eq(ami_link_counters(ami).losses, 1);
}
END_TEST

START_TEST(a_shutdown_is_told_apart)
{
    start();
    run_until("live", 1);
    fake_pbx_send(&pbx, "Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: False\r\n\r\n");
    run_until("Shutdown", 1);
    fake_pbx_hang_up(&pbx);
    run_until("waiting", 1);
    ck_assert_int_eq(last_reason, AMI_LINK_PBX_SHUTDOWN);
}
END_TEST

START_TEST(something_else_than_ami)
{
    pbx.banner = "HTTP/1.1 400 Bad Request\r\n\r\n";
    start();
    run_until("waiting", 1);
    ck_assert_int_eq(last_reason, AMI_LINK_NO_AMI);
}
END_TEST

START_TEST(nobody_listens)
{
    static const char *const hosts[] = {"127.0.0.9"};
    config.hosts = hosts;
    start();
    run_until("waiting", 3);
    ck_assert_int_eq(last_reason, AMI_LINK_NOT_CONNECTED);
    char expected[128];
    snprintf(expected, sizeof expected,
             "pbx main: cannot connect to 127.0.0.9:%u: Connection refused; next attempt in 0.0 s",
             pbx.port);
    ck_assert_str_eq(last_text, expected);
    ck_assert_int_eq(last_delay, 40 * MS);
}
END_TEST

START_TEST(the_next_host_is_tried_at_once)
{
    static const char *const hosts[] = {"127.0.0.9", "127.0.0.1"};
    config.hosts = hosts;
    config.host_count = 2;
    start();
    run_until("live", 1);
    ck_assert_ptr_null(strstr(trace, "waiting"));
}
END_TEST

START_TEST(stopping_from_a_callback)
{
    stop_at = AMI_EVENT_CORESHOWCHANNEL;
    start();
    run_until("stopped", 1);
    ck_assert_ptr_null(strstr(trace, "CoreShowChannelsComplete"));
    ck_assert_str_eq(pbx.actions, "Challenge Login CoreStatus CoreShowChannels Logoff ");
}
END_TEST

START_TEST(stopping_while_waiting)
{
    pbx.refuses = FAKE_LOGIN;
    start();
    run_until("waiting", 1);
    ami_link_stop(ami);
    ck_assert_int_eq(ami_link_state(ami), AMI_LINK_STOPPED);
    ami_link_stop(ami);
    run_for(100 * MS);
    ck_assert_uint_eq(pbx.accepted, 1);
    ami_link_start(ami);
    run_until("waiting", 2);
}
END_TEST

START_TEST(stopping_at_once)
{
    start();
    ami_link_stop(ami);
    ck_assert_str_eq(trace, "resolving stopped ");
    run_for(30 * MS);
    ck_assert_uint_eq(pbx.accepted, 0);
}
END_TEST

START_TEST(logoff_without_an_answer)
{
    pbx.deaf_to = "Logoff";
    config.leave_us = 30 * MS;
    start();
    run_until("live", 1);
    ami_link_stop(ami);
    run_until("stopped", 1);
}
END_TEST

START_TEST(a_flood_is_read_in_turns)
{
    start();
    run_until("live", 1);
    unsigned before = messages, turns_before = turns;
    static char event[600];
    memset(event, 'x', sizeof event - 1);
    memcpy(event, "Event: VarSet\r\nValue: ", 22);
    memcpy(event + sizeof event - 5, "\r\n\r\n", 4);
    for (int i = 0; i < 5000; i++) {
        fake_pbx_send(&pbx, event);
    }
    fake_pbx_send(&pbx, "Event: Newchannel\r\n\r\n");
    for (int i = 0; i < 1000 && messages < before + 5001; i++) {
        run_for(5 * MS);
    }
    ck_assert_uint_eq(messages, before + 5001);
    ck_assert_uint_ge(turns - turns_before, 3000000 / 262144);
    ck_assert_int_gt(ami_link_counters(ami).longest_turn_us, 0);
}
END_TEST

START_TEST(oversized_frames_are_cut_and_counted)
{
    start();
    run_until("live", 1);
    static char event[200000];
    memset(event, 'x', sizeof event - 1);
    memcpy(event, "Event: VarSet\r\nValue: ", 22);
    memcpy(event + sizeof event - 5, "\r\n\r\n", 4);
    fake_pbx_send(&pbx, event);
    fake_pbx_send(&pbx, "Event: Newchannel\r\n\r\n");
    run_until("Newchannel", 1);
    ck_assert_uint_eq(ami_link_counters(ami).cut_frames, 1);
    ck_assert_uint_eq(ami_link_counters(ami).cut_messages, 1);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ami_link");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_happy_path);
    tcase_add_test(tcase, it_does_not_look_again_within_a_check);
    tcase_add_test(tcase, single_bytes_give_the_same);
    tcase_add_test(tcase, without_fully_booted_a_timer_goes_on);
    tcase_add_test(tcase, queues_are_checked_while_live);
    tcase_add_test(tcase, a_check_that_is_not_answered_ends);
    tcase_add_test(tcase, fully_booted_during_a_snapshot_repeats_it);
    tcase_add_test(tcase, it_looks_again_when_asked_while_live);
    tcase_add_test(tcase, a_refused_login_waits_longer_and_longer);
    tcase_add_test(tcase, a_refused_challenge_is_a_refused_login);
    tcase_add_test(tcase, refused_lists_are_told_and_passed);
    tcase_add_test(tcase, registrations_are_listed_where_wanted);
    tcase_add_loop_test(tcase, a_cut_anywhere_is_survived, 0, sizeof cuts / sizeof cuts[0]);
    tcase_add_loop_test(tcase, a_silent_log_in_times_out, 0, sizeof silences / sizeof silences[0]);
    tcase_add_test(tcase, a_silent_list_times_out);
    tcase_add_test(tcase, a_quiet_pbx_is_pinged);
    tcase_add_test(tcase, a_shutdown_is_told_apart);
    tcase_add_test(tcase, something_else_than_ami);
    tcase_add_test(tcase, nobody_listens);
    tcase_add_test(tcase, the_next_host_is_tried_at_once);
    tcase_add_test(tcase, stopping_from_a_callback);
    tcase_add_test(tcase, stopping_while_waiting);
    tcase_add_test(tcase, stopping_at_once);
    tcase_add_test(tcase, logoff_without_an_answer);
    tcase_add_test(tcase, a_flood_is_read_in_turns);
    tcase_add_test(tcase, oversized_frames_are_cut_and_counted);
    Suite *suite = suite_create("ami_link");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
