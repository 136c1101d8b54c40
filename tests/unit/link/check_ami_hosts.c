/* SPDX-License-Identifier: MIT */
/* A fail-over pair: the PBX at 127.0.0.1 is tried first, the other one listens at 127.0.0.2. */
#include "collector/link/ami_link.h"
#include "tests/unit/link/fake_names.h"
#include "tests/unit/link/fake_pbx.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MS 1000

static struct event_base *base;
static struct resolver *resolver;
static struct fake_pbx first, second;
static struct ami_link *ami;
static struct ami_link_config config;
static const char *const pair[] = {"127.0.0.1", "127.0.0.2"};
static const char *const one_name[] = {"two.test"};

/* What the owner was told. */
static unsigned waits, lives;
static char texts[4096];
static struct ami_link_change last; /* to WAITING */

static void on_state(void *ctx, const struct ami_link_change *change)
{
    char text[512];
    (void)ctx;
    lives += change->to == AMI_LINK_LIVE;
    if (change->to == AMI_LINK_WAITING) {
        waits++;
        last = *change;
    }
    if (ami_link_change_is_fault(change) &&
        ami_link_change_text("main", change, text, sizeof text)) {
        size_t n = strlen(texts);
        snprintf(texts + n, sizeof texts - n, "%s\n", text);
    }
}

static uint64_t no_chance(void *ctx)
{
    (void)ctx;
    return 0;
}

static void setup(void)
{
    base = event_base_new();
    resolver = resolver_new(base);
    fake_pbx_open(&first, base);
    fake_pbx_open_at(&second, base, "127.0.0.2", first.port);
    config = ami_link_config_default();
    config.hosts = pair;
    config.host_count = 2;
    config.port = first.port;
    config.user = "tap";
    config.secret = SLICE(FAKE_SECRET);
    config.event_mask = "system,call";
    config.connect_us = 100 * MS;
    config.retry_us = 10 * MS;
    config.retry_max_us = 40 * MS;
    config.refused_us = 60 * MS;
    config.refused_max_us = 90 * MS;
}

static void start(void)
{
    static const struct ami_link_events events = {.state = on_state};
    struct ami_link_env env = {base, resolver, clock_system(), {no_chance, NULL}};
    ami = ami_link_new(&config, &env, &events, NULL);
    ck_assert_ptr_nonnull(ami);
    ami_link_start(ami);
}

static void teardown(void)
{
    ami_link_free(ami);
    fake_pbx_close(&first);
    fake_pbx_close(&second);
    resolver_free(resolver);
    event_base_free(base);
    libevent_global_shutdown();
}

static void nothing(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void run_until(const unsigned *counted, unsigned times)
{
    struct event *tick = event_new(base, -1, EV_PERSIST, nothing, NULL);
    event_add(tick, &(struct timeval){0, 5 * MS});
    struct clock clock = clock_system();
    int64_t end = clock_mono(&clock) + 3000 * MS;
    while (*counted < times) {
        ck_assert_msg(clock_mono(&clock) < end, "%u waits, %u lives, %s", waits, lives, texts);
        event_base_loop(base, EVLOOP_ONCE);
    }
    event_free(tick);
}

static const struct {
    const char *close_at, *deaf_to, *banner;
    enum fake_refusal refuses;
} faults[] = {{.close_at = "accept"},
              {.close_at = "Challenge"},
              {.close_at = "Login"},
              {.deaf_to = "accept"},
              {.deaf_to = "Challenge"},
              {.deaf_to = "Login"},
              {.refuses = FAKE_CHALLENGE},
              {.refuses = FAKE_LOGIN},
              {.banner = "HTTP/1.1 400 Bad Request\r\n\r\n"}};

static void break_first(int i)
{
    first.close_at = faults[i].close_at;
    first.deaf_to = faults[i].deaf_to;
    first.refuses = faults[i].refuses;
    first.banner = faults[i].banner ? faults[i].banner : first.banner;
}

START_TEST(a_host_that_lets_nobody_in_is_passed)
{
    break_first(_i);
    start();
    run_until(&lives, 1);
    ck_assert_uint_eq(waits, 0);
    ck_assert_uint_eq(first.accepted, 1);
    ck_assert_uint_eq(second.accepted, 1);
}
END_TEST

/* Of a refusal another address of the host is no way out: its log would only fill twice as fast. */
START_TEST(all_addresses_of_a_host_are_tried)
{
    config.hosts = one_name;
    config.host_count = 1;
    break_first(_i);
    start();
    if (first.refuses) {
        run_until(&waits, 1);
        ck_assert_uint_eq(second.accepted, 0);
    } else {
        run_until(&lives, 1);
        ck_assert_uint_eq(waits, 0);
    }
    ck_assert_uint_eq(first.accepted, 1);
}
END_TEST

START_TEST(a_host_without_an_answer_to_its_name_is_passed)
{
    static const char *const names[] = {"slow.test", "127.0.0.2"};
    config.hosts = names;
    start();
    run_until(&lives, 1);
    ck_assert_uint_eq(waits, 0);
    ck_assert_uint_eq(second.accepted, 1);
}
END_TEST

/* As often as it takes: what nobody waits for any more takes no room. */
START_TEST(names_without_an_answer_are_asked_for_again)
{
    static const char *const names[] = {"slow.test"};
    config.hosts = names;
    config.host_count = 1;
    config.connect_us = 1 * MS;
    config.retry_us = config.retry_max_us = 1 * MS;
    start();
    run_until(&waits, RESOLVER_LOOKUPS_MAX + 2);
    ck_assert_int_eq(last.reason, AMI_LINK_NO_ADDRESS);
    ck_assert_str_eq(last.detail, "no answer in time");
    config.connect_us = 100 * MS;
    ami_link_stop(ami);
    ami_link_configure(ami, &config);
    ami_link_start(ami);
    fake_names_let_go(); /* the first one, which nobody waits for any more */
    fake_names_let_go();
    run_until(&lives, 1);
}
END_TEST

START_TEST(a_refusal_is_told_though_another_host_lets_in)
{
    char expected[128];
    first.refuses = FAKE_LOGIN;
    start();
    run_until(&lives, 1);
    snprintf(
        expected, sizeof expected,
        "pbx main: LOG-IN REFUSED by 127.0.0.1:%u: Authentication failed; trying another host\n",
        first.port);
    ck_assert_str_eq(texts, expected);
    ck_assert_uint_eq(ami_link_counters(ami).logins_refused, 1);
}
END_TEST

START_TEST(a_host_that_refused_waits_longer_than_one_that_is_away)
{
    first.refuses = FAKE_LOGIN;
    second.close_at = "accept";
    config.refused_us = config.refused_max_us = 60000 * MS;
    start();
    run_until(&waits, 4);
    ck_assert_int_eq(last.delay_us, 40 * MS);
    ck_assert_int_eq(last.reason, AMI_LINK_NO_AMI);
    ck_assert(!last.shut_out);
    ck_assert_uint_eq(first.accepted, 1);
    ck_assert_uint_eq(second.accepted, 4);
    second.close_at = NULL;
    run_until(&lives, 1);
}
END_TEST

START_TEST(it_is_shut_out_when_all_hosts_refuse)
{
    first.refuses = second.refuses = FAKE_LOGIN;
    start();
    run_until(&waits, 1);
    ck_assert(last.shut_out);
    ck_assert_int_eq(last.reason, AMI_LINK_LOGIN_REFUSED);
    ck_assert_int_le(last.delay_us, 60 * MS);
    ck_assert_uint_eq(first.accepted, 1);
    ck_assert_uint_eq(second.accepted, 1);
    run_until(&waits, 2);
    ck_assert_uint_eq(first.accepted, 2);
    first.refuses = FAKE_NOTHING;
    second.refuses = FAKE_NOTHING;
    run_until(&lives, 1);
}
END_TEST

START_TEST(a_session_that_is_lost_comes_back_to_its_host)
{
    first.close_at = "Login";
    start();
    run_until(&lives, 1);
    first.close_at = NULL;
    fake_pbx_hang_up(&second);
    run_until(&lives, 2);
    ck_assert_uint_eq(first.accepted, 1);
    ck_assert_uint_eq(second.accepted, 2);
}
END_TEST

int main(void)
{
    const int count = sizeof faults / sizeof faults[0];
    TCase *tcase = tcase_create("ami_hosts");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_host_that_lets_nobody_in_is_passed, 0, count);
    tcase_add_loop_test(tcase, all_addresses_of_a_host_are_tried, 0, count);
    tcase_add_test(tcase, a_host_without_an_answer_to_its_name_is_passed);
    tcase_add_test(tcase, names_without_an_answer_are_asked_for_again);
    tcase_add_test(tcase, a_refusal_is_told_though_another_host_lets_in);
    tcase_add_test(tcase, a_host_that_refused_waits_longer_than_one_that_is_away);
    tcase_add_test(tcase, it_is_shut_out_when_all_hosts_refuse);
    tcase_add_test(tcase, a_session_that_is_lost_comes_back_to_its_host);
    Suite *suite = suite_create("ami_hosts");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
