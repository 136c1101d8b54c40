/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_backoff.h"
#include "collector/link/ami_key.h"
#include "collector/link/ami_link.h"
#include "collector/link/ami_snapshot.h"
#include "collector/link/resolver.h"
#include "tests/unit/link/fake_names.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t bits;

static uint64_t give(void *ctx)
{
    (void)ctx;
    return bits;
}

START_TEST(delays_grow_to_their_bound_and_jitter)
{
    struct random_source random = {give, NULL};
    struct ami_backoff b = {1000000, 60000000, 0};
    static const int64_t expected[] = {1, 2, 4, 8, 16, 32, 60, 60};
    bits = 0;
    for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ck_assert_int_eq(ami_backoff_next(&b, &random), expected[i] * 1000000);
    }
    ami_backoff_reset(&b);
    bits = 250000;
    ck_assert_int_eq(ami_backoff_next(&b, &random), 750000);
    bits = 123456;
    ck_assert_int_eq(ami_backoff_next(&b, &random), 2000000 - 123456);
}
END_TEST

START_TEST(the_key_is_the_md5_of_challenge_and_secret)
{
    char key[AMI_KEY_SIZE];
    ck_assert(ami_key_md5(SLICE("840415273"), SLICE("mysecret"), key));
    ck_assert_str_eq(key, "72ee2809cbf69e9bdb27bdd924cda8e3");
}
END_TEST

/* A message as the parser makes it. */
static const struct ami_message *message(const char *text)
{
    static struct ami_message m;
    static char kept[512];
    struct ami_framer framer = {.banner_seen = true};
    struct ami_frame frame;
    size_t consumed = 0;
    snprintf(kept, sizeof kept, "%s\r\n", text);
    ck_assert_int_eq(ami_frame_next(&framer, slice_from(kept), &frame, &consumed), AMI_FRAME_OK);
    ami_message_parse(&frame, &m);
    return &m;
}

START_TEST(a_snapshot_asks_for_each_bridge)
{
    struct ami_snapshot *s = calloc(1, sizeof *s);
    struct ami_action_text action;
    ami_snapshot_begin(s, ami_link_config_default().lists);
    for (uint32_t id = 1; id <= 4; id++) {
        ck_assert(ami_snapshot_next(s, id, &action));
    }
    ck_assert_int_eq(s->action, AMI_ACTION_BRIDGELIST);
    ck_assert_int_eq(ami_snapshot_take(s, message("Response: Success\r\nActionID: 4\r\n")),
                     AMI_SNAPSHOT_PART);
    ck_assert_int_eq(ami_snapshot_take(s, message("Event: BridgeListItem\r\nActionID: 2\r\n"
                                                  "BridgeUniqueid: other\r\n")),
                     AMI_SNAPSHOT_NOT_MINE);
    for (unsigned i = 0; i < AMI_SNAPSHOT_BRIDGES_MAX + 5; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "Event: BridgeListItem\r\nActionID: 4\r\nBridgeUniqueid: b-%u\r\n"
                 "BridgeNumChannels: 2\r\n",
                 i);
        ck_assert_int_eq(ami_snapshot_take(s, message(text)), AMI_SNAPSHOT_PART);
    }
    ck_assert_uint_eq(s->bridges_left_out, 5);
    ck_assert_int_eq(ami_snapshot_take(s, message("Event: BridgeListComplete\r\nActionID: 4\r\n")),
                     AMI_SNAPSHOT_DONE);
    for (uint32_t i = 0; i < AMI_SNAPSHOT_BRIDGES_MAX; i++) {
        ck_assert(ami_snapshot_next(s, 5 + i, &action));
        ck_assert_int_eq(s->action, AMI_ACTION_BRIDGEINFO);
    }
    ck_assert(ami_snapshot_next(s, 9999, &action));
    ck_assert_int_eq(s->action, AMI_ACTION_QUEUESTATUS);
    ck_assert_int_eq(ami_snapshot_take(s, message("Response: Error\r\nActionID: 9999\r\n")),
                     AMI_SNAPSHOT_REFUSED);
    ck_assert(ami_snapshot_next(s, 9999, &action));
    ck_assert_int_eq(s->action, AMI_ACTION_DEVICESTATELIST);
    ck_assert(!ami_snapshot_next(s, 10000, &action));
    ck_assert_int_eq(ami_snapshot_take(s, message("Response: Error\r\nActionID: 10000\r\n")),
                     AMI_SNAPSHOT_NOT_MINE);
    free(s);
}
END_TEST

/* An audit asks for nothing else, and an answer is over with its response. */
START_TEST(rights_are_asked_alone)
{
    struct ami_snapshot *s = calloc(1, sizeof *s);
    struct ami_action_text action;
    ami_snapshot_begin(s, AMI_SNAPSHOT_RIGHTS);
    ck_assert(ami_snapshot_next(s, 1, &action));
    ck_assert_int_eq(s->action, AMI_ACTION_CORESETTINGS);
    ck_assert_int_eq(ami_snapshot_take(s, message("Response: Error\r\nActionID: 1\r\n")),
                     AMI_SNAPSHOT_REFUSED);
    ck_assert(ami_snapshot_next(s, 2, &action));
    ck_assert_int_eq(s->action, AMI_ACTION_LISTCOMMANDS);
    ck_assert_int_eq(ami_snapshot_take(s, message("Response: Success\r\nActionID: 2\r\n"
                                                  "Ping: Keepalive command.  (Priv: <none>)\r\n")),
                     AMI_SNAPSHOT_DONE);
    ck_assert(!ami_snapshot_next(s, 3, &action));
    free(s);
}
END_TEST

/* What was not asked for is not there: neither are the lists that need a right. */
START_TEST(lists_that_need_a_right_can_be_left_out)
{
    struct ami_snapshot *s = calloc(1, sizeof *s);
    struct ami_action_text action;
    ami_snapshot_begin(s, AMI_SNAPSHOT_BRIDGES | AMI_SNAPSHOT_QUEUES);
    ck_assert(ami_snapshot_next(s, 1, &action));
    ck_assert_int_eq(s->action, AMI_ACTION_BRIDGELIST);
    ck_assert(ami_snapshot_next(s, 2, &action));
    ck_assert_int_eq(s->action, AMI_ACTION_QUEUESTATUS);
    ck_assert(!ami_snapshot_next(s, 3, &action));
    free(s);
}
END_TEST

static struct event_base *base;
static unsigned answers, count;
static const char *error;

static void on_done(void *ctx, const struct resolver_result *result)
{
    (void)ctx;
    answers++;
    count = result->count;
    error = result->error;
    event_base_loopbreak(base);
}

START_TEST(names_are_resolved)
{
    base = event_base_new();
    struct resolver *r = resolver_new(base);
    ck_assert_ptr_nonnull(resolver_start(r, "127.0.0.1", 5038, on_done, NULL));
    event_base_dispatch(base);
    ck_assert_uint_eq(answers, 1);
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_nonnull(resolver_start(r, "::1", 5038, on_done, NULL));
    event_base_dispatch(base);
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_nonnull(resolver_start(r, "", 5038, on_done, NULL));
    event_base_dispatch(base);
    ck_assert_uint_eq(answers, 3);
    resolver_free(r);
    event_base_free(base);
    libevent_global_shutdown();
}
END_TEST

START_TEST(a_cancelled_lookup_does_not_answer)
{
    base = event_base_new();
    struct resolver *r = resolver_new(base);
    resolver_cancel(r, resolver_start(r, "127.0.0.1", 1, on_done, NULL));
    struct resolver_lookup *second = resolver_start(r, "127.0.0.1", 2, on_done, NULL);
    ck_assert_ptr_nonnull(second);
    event_base_dispatch(base);
    ck_assert_uint_eq(answers, 1);
    resolver_cancel(r, NULL);
    resolver_free(r);
    event_base_free(base);
    libevent_global_shutdown();
}
END_TEST

static unsigned at_address;

static void on_address(void *ctx, const struct resolver_result *result)
{
    (void)ctx;
    at_address = answers;
    ck_assert_uint_eq(result->count, 1);
    event_base_loopbreak(base);
}

START_TEST(an_address_waits_for_no_name)
{
    base = event_base_new();
    struct resolver *r = resolver_new(base);
    ck_assert_ptr_nonnull(resolver_start(r, "slow.test", 5038, on_done, NULL));
    ck_assert_ptr_nonnull(resolver_start(r, "127.0.0.2", 5038, on_address, NULL));
    event_base_loopexit(base, &(struct timeval){3, 0});
    at_address = 99;
    event_base_dispatch(base);
    ck_assert_uint_eq(at_address, 0);
    fake_names_let_go();
    event_base_dispatch(base);
    ck_assert_uint_eq(answers, 1);
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_null(error);
    resolver_free(r);
    event_base_free(base);
    libevent_global_shutdown();
}
END_TEST

START_TEST(lookups_are_bounded)
{
    base = event_base_new();
    struct resolver *r = resolver_new(base);
    unsigned started = 0;
    for (unsigned i = 0; i < 2 * RESOLVER_LOOKUPS_MAX; i++) {
        started += resolver_start(r, "127.0.0.1", 1, on_done, NULL) != NULL;
    }
    ck_assert_uint_eq(started, RESOLVER_LOOKUPS_MAX);
    resolver_free(r);
    event_base_free(base);
    libevent_global_shutdown();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("link_parts");
    tcase_add_test(tcase, delays_grow_to_their_bound_and_jitter);
    tcase_add_test(tcase, the_key_is_the_md5_of_challenge_and_secret);
    tcase_add_test(tcase, a_snapshot_asks_for_each_bridge);
    tcase_add_test(tcase, rights_are_asked_alone);
    tcase_add_test(tcase, lists_that_need_a_right_can_be_left_out);
    tcase_add_test(tcase, names_are_resolved);
    tcase_add_test(tcase, a_cancelled_lookup_does_not_answer);
    tcase_add_test(tcase, an_address_waits_for_no_name);
    tcase_add_test(tcase, lookups_are_bounded);
    Suite *suite = suite_create("link_parts");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
