/* SPDX-License-Identifier: MIT */
#include "tests/unit/view/view_kit.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct kit k;

static void start(void)
{
    kit_start(&k, "UTC", kit_time("2026-11-21 10:00:00"), NULL);
}

static void finish(void)
{
    kit_done(&k);
}

static void put_call(const char *subject, const char *name)
{
    kit_begin(&k, FACT_CALL_STATE, subject, 0);
    kit_put(&k, FIELD_STATE, "ringing");
    kit_put(&k, FIELD_CALLER_NAME, name);
    kit_end(&k);
}

static json_int_t count(json_t *all, const char *subject, const char *key)
{
    json_t *counts = kit_entry(all, "counts", subject);
    ck_assert_ptr_nonnull(counts);
    ck_assert(json_is_integer(json_object_get(counts, key)));
    return json_integer_value(json_object_get(counts, key));
}

START_TEST(state_is_kept_until_its_tombstone)
{
    put_call("1.1", "Ada");
    put_call("1.2", "Ben");
    put_call("1.1", "<b>\n\xFF");
    ck_assert(kit_publish(&k));
    json_t *all = kit_snapshot(&k);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "calls")), 2);
    json_t *call = kit_entry(all, "calls", "1.1");
    ck_assert_str_eq(json_string_value(json_object_get(call, "caller_name")), "<b>\n\xEF\xBF\xBD");
    ck_assert_str_eq(json_string_value(json_object_get(call, "pbx")), "main");
    json_decref(all);

    kit_begin(&k, FACT_CALL_STATE, "1.1", FACT_IS_TOMBSTONE);
    kit_end(&k);
    ck_assert(kit_publish(&k));
    all = kit_snapshot(&k);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "calls")), 1);
    ck_assert_ptr_null(kit_entry(all, "calls", "1.1"));
    json_decref(all);
    ck_assert(!kit_publish(&k));
}
END_TEST

/* An endpoint, a trunk and a registration of one name are three things; load is a fourth. */
START_TEST(endpoints_trunks_and_registrations_are_lists)
{
    static const struct {
        enum fact_kind kind;
        const char *list, *event;
    } kinds[] = {{FACT_ENDPOINT_STATE, "endpoints", "event: endpoint\n"},
                 {FACT_TRUNK_STATE, "trunks", "event: trunk\n"},
                 {FACT_REGISTRATION_STATE, "registrations", "event: registration\n"},
                 {FACT_HANDOFF_STATE, "load", "event: load\n"}};
    struct web_cursor cursor = {0};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kit_begin(&k, kinds[i].kind, "PJSIP/carrier", 0);
        kit_end(&k);
    }
    ck_assert(kit_publish(&k));
    json_t *all = kit_snapshot(&k);
    char *text = kit_changes(&k, &cursor);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ck_assert_uint_eq(json_array_size(json_object_get(all, kinds[i].list)), 1);
        ck_assert_ptr_nonnull(strstr(text, kinds[i].event));
    }
    free(text);
    json_decref(all);
}
END_TEST

START_TEST(changes_are_sse_messages_in_order)
{
    struct web_cursor cursor = {0};
    put_call("1.1", "Ada");
    kit_publish(&k);
    kit_begin(&k, FACT_CALL_STATE, "1.1", FACT_IS_TOMBSTONE);
    kit_end(&k);
    kit_publish(&k);
    char *text = kit_changes(&k, &cursor);
    ck_assert_uint_eq(cursor.seq, k.source.newest(k.source.ctx));
    ck_assert_uint_eq(cursor.offset, 0);
    ck_assert_ptr_nonnull(strstr(text, "event: call\ndata: {\"kind\":\"call_state\""));
    ck_assert_ptr_nonnull(strstr(
        text, "event: call\ndata: {\"pbx\":\"main\",\"subject\":\"1.1\",\"gone\":true}\n\n"));
    unsigned seq = 0;
    for (const char *p = text; *p; p = strstr(p, "\n\n") + 2) {
        char id[32];
        snprintf(id, sizeof(id), "id: boot-%u\n", ++seq);
        ck_assert_int_eq(strncmp(p, id, strlen(id)), 0);
    }
    ck_assert_uint_eq(seq, cursor.seq);
    free(text);
}
END_TEST

START_TEST(two_changes_of_one_turn_are_told_once)
{
    struct web_cursor cursor = {0};
    put_call("1.1", "Ada");
    kit_publish(&k);
    free(kit_changes(&k, &cursor));
    put_call("1.2", "Ben");
    put_call("1.2", "Bea");
    kit_begin(&k, FACT_CALL_STATE, "1.1", FACT_IS_TOMBSTONE);
    kit_end(&k);
    kit_publish(&k);
    char *text = kit_changes(&k, &cursor);
    ck_assert_ptr_nonnull(strstr(text, "Bea"));
    ck_assert_ptr_null(strstr(text, "Ben"));
    ck_assert_ptr_nonnull(strstr(text, "gone"));
    free(text);
}
END_TEST

START_TEST(calls_and_cdrs_are_counted)
{
    for (int i = 0; i < 5; i++) {
        kit_begin(&k, FACT_CALL_STARTED, "1.1", 0);
        kit_end(&k);
        kit_begin(&k, FACT_CDR, "1.1", 0);
        kit_end(&k);
    }
    for (int i = 0; i < 3; i++) {
        kit_begin(&k, FACT_CALL, "1.1", 0);
        fact_put_time(&k.fact, FIELD_ANSWER, i == 0 ? 0 : k.now);
        kit_end(&k);
    }
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert_int_eq(count(all, "calls", "started"), 5);
    ck_assert_int_eq(count(all, "calls", "cdrs"), 5);
    ck_assert_int_eq(count(all, "calls", "answered"), 2);
    ck_assert_int_eq(count(all, "calls", "unanswered"), 1);
    json_decref(all);
}
END_TEST

static void put_queue(int64_t target)
{
    kit_begin(&k, FACT_QUEUE_STATE, "support", 0);
    kit_put(&k, FIELD_QUEUE, "support");
    if (target)
        fact_put_seconds(&k.fact, FIELD_SERVICE_LEVEL_SECONDS, target);
    else
        fact_put_null(&k.fact, FIELD_SERVICE_LEVEL_SECONDS);
    fact_open_array(&k.fact, FIELD_WAITING);
    fact_close(&k.fact);
    kit_end(&k);
}

START_TEST(nothing_offered_has_no_service_level)
{
    put_queue(20 * SECOND);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    json_t *counts = kit_entry(all, "counts", "queue/support");
    ck_assert_int_eq(count(all, "queue/support", "service_level_seconds"), 20);
    ck_assert(json_is_null(json_object_get(counts, "service_level")));
    ck_assert(json_is_null(json_object_get(counts, "average_wait_seconds")));
    json_decref(all);
}
END_TEST

static void visit(const char *uniqueid, const char *outcome, int64_t wait)
{
    kit_visit(&k, FACT_QUEUE_JOINED, uniqueid, NULL, 0);
    if (strcmp(outcome, "answered") == 0)
        kit_visit(&k, FACT_QUEUE_CONNECTED, uniqueid, NULL, wait);
    kit_visit(&k, FACT_QUEUE, uniqueid, outcome, wait);
}

START_TEST(a_visit_counts_once)
{
    put_queue(20 * SECOND);
    visit("1.1", "answered", 20 * SECOND);     /* in time */
    visit("1.2", "answered", 20 * SECOND + 1); /* late */
    visit("1.3", "abandoned", 5 * SECOND);
    visit("1.4", "timeout", 60 * SECOND);
    visit("1.5", "lost_sight", 60 * SECOND); /* in no service level */
    kit_visit(&k, FACT_QUEUE_JOINED, "1.6", NULL, 0);
    kit_visit(&k, FACT_QUEUE_JOINED, "1.6", NULL, 0); /* told twice, still waiting */
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    json_t *counts = kit_entry(all, "counts", "queue/support");
    ck_assert_int_eq(count(all, "queue/support", "offered"), 6);
    ck_assert_int_eq(count(all, "queue/support", "answered"), 2);
    ck_assert_int_eq(count(all, "queue/support", "abandoned"), 1);
    ck_assert_int_eq(count(all, "queue/support", "other"), 1);
    ck_assert_int_eq(count(all, "queue/support", "lost_sight"), 1);
    ck_assert_int_eq(count(all, "queue/support", "within_service_level"), 1);
    ck_assert_double_eq_tol(json_real_value(json_object_get(counts, "service_level")), 0.25, 1e-9);
    ck_assert_double_eq_tol(json_number_value(json_object_get(counts, "average_wait_seconds")), 20,
                            1e-3);
    json_decref(all);
}
END_TEST

START_TEST(answered_counts_when_it_is_answered)
{
    kit_visit(&k, FACT_QUEUE_JOINED, "1.1", NULL, 0);
    kit_visit(&k, FACT_QUEUE_CONNECTED, "1.1", NULL, SECOND);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert_int_eq(count(all, "queue/support", "answered"), 1);
    json_decref(all);
}
END_TEST

START_TEST(a_visit_from_before_the_start_counts_at_its_end)
{
    kit_visit(&k, FACT_QUEUE, "1.1", "answered", SECOND);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert_int_eq(count(all, "queue/support", "offered"), 1);
    ck_assert_int_eq(count(all, "queue/support", "answered"), 1);
    json_decref(all);
}
END_TEST

START_TEST(a_target_that_changes_is_right_for_the_whole_day)
{
    visit("1.1", "answered", 15 * SECOND);
    visit("1.2", "answered", 25 * SECOND);
    put_queue(0);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert(json_is_null(
        json_object_get(kit_entry(all, "counts", "queue/support"), "service_level_seconds")));
    json_decref(all);
    put_queue(30 * SECOND);
    kit_publish(&k);
    all = kit_snapshot(&k);
    ck_assert_int_eq(count(all, "queue/support", "within_service_level"), 2);
    json_decref(all);
}
END_TEST

START_TEST(seeds_are_where_the_day_goes_on)
{
    const struct live_view_visits visits = {
        SLICE("main"), SLICE("support"), SLICE("answered"), 10, 100 * SECOND, 30 * SECOND, 9};
    live_view_seed_queue(k.view, &visits);
    live_view_seed_calls(k.view, SLICE("main"), COUNTS_CALLS_UNANSWERED, 7);
    put_queue(20 * SECOND);
    visit("1.1", "answered", 10 * SECOND);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    json_t *counts = kit_entry(all, "counts", "queue/support");
    ck_assert_int_eq(count(all, "queue/support", "offered"), 11);
    ck_assert_int_eq(count(all, "queue/support", "within_service_level"), 10);
    ck_assert_int_eq(count(all, "calls", "unanswered"), 7);
    ck_assert_int_eq(count(all, "calls", "started"), 7);
    ck_assert_double_eq_tol(json_number_value(json_object_get(counts, "longest_wait_seconds")), 30,
                            1e-9);
    json_decref(all);
}
END_TEST

START_TEST(a_new_day_begins_at_zero)
{
    kit_done(&k);
    kit_start(&k, "Europe/Berlin", kit_time("2026-11-21 22:59:00"), NULL);
    ck_assert_int_eq(live_view_today(k.view), kit_time("2026-11-20 23:00:00"));
    kit_visit(&k, FACT_QUEUE_JOINED, "1.1", NULL, 0);
    visit("1.2", "abandoned", SECOND);
    kit_publish(&k);
    k.now = kit_time("2026-11-21 23:00:00");
    ck_assert(kit_publish(&k));
    json_t *all = kit_snapshot(&k);
    ck_assert_int_eq(count(all, "queue/support", "offered"), 0);
    ck_assert_int_eq(count(all, "queue/support", "abandoned"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(all, "day")), "2026-11-21T23:00:00.000000Z");
    json_decref(all);
    kit_visit(&k, FACT_QUEUE_CONNECTED, "1.1", NULL, SECOND);
    kit_publish(&k);
    all = kit_snapshot(&k);
    ck_assert_int_eq(count(all, "queue/support", "offered"), 0); /* that was yesterday */
    ck_assert_int_eq(count(all, "queue/support", "answered"), 1);
    json_decref(all);
}
END_TEST

START_TEST(a_clock_set_back_over_midnight_forgets_nothing)
{
    k.now = kit_time("2026-11-22 00:05:00");
    kit_publish(&k);
    visit("1.1", "abandoned", SECOND);
    kit_publish(&k);
    k.now -= HOUR;
    k.set -= HOUR;
    kit_publish(&k);
    visit("1.2", "abandoned", SECOND);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert_str_eq(json_string_value(json_object_get(all, "day")), "2026-11-21T00:00:00.000000Z");
    ck_assert_int_eq(count(all, "queue/support", "abandoned"), 2);
    json_decref(all);
}
END_TEST

START_TEST(facts_of_yesterday_are_not_counted)
{
    int64_t now = k.now;
    k.now -= 24 * HOUR;
    kit_begin(&k, FACT_CDR, "1.1", 0);
    kit_end(&k);
    visit("1.1", "abandoned", SECOND);
    k.now = now;
    kit_begin(&k, FACT_CDR, "1.2", 0);
    kit_end(&k);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert_int_eq(count(all, "calls", "cdrs"), 1);
    ck_assert_ptr_null(kit_entry(all, "counts", "queue/support"));
    json_decref(all);
}
END_TEST

static enum web_health health(json_t **ret_health)
{
    struct web_text text = {0};
    enum web_health h = k.source.health(k.source.ctx, &text);
    *ret_health = json_loadb(text.p, text.n, 0, NULL);
    ck_assert_ptr_nonnull(*ret_health);
    free(text.p);
    return h;
}

START_TEST(a_pbx_is_degraded_until_it_is_connected)
{
    json_t *h;
    live_view_add_pbx(k.view, SLICE("main"));
    ck_assert_int_eq(health(&h), WEB_HEALTH_DEGRADED);
    json_decref(h);
    kit_begin(&k, FACT_TAP_CONNECTED, "main", FACT_IS_TAP);
    kit_put(&k, FIELD_VERSION, "22.10");
    kit_end(&k);
    kit_note(&k, "main", "{\"connected\":true,\"last_event\":\"2026-11-21T09:59:57.5Z\"}");
    ck_assert(kit_publish(&k));
    ck_assert_int_eq(health(&h), WEB_HEALTH_OK);
    json_t *pbx = json_array_get(json_object_get(h, "pbxs"), 0);
    ck_assert_double_eq_tol(json_number_value(json_object_get(pbx, "age_seconds")), 3, 1e-9);
    json_decref(h);

    kit_note(&k, "main", "{\"reason\":\"re\\\"set\",\"connected\":false}");
    kit_begin(&k, FACT_GAP, "main", FACT_IS_TAP);
    kit_put(&k, FIELD_REASON, "disconnected");
    kit_end(&k);
    ck_assert(kit_publish(&k));
    ck_assert_int_eq(health(&h), WEB_HEALTH_DEGRADED);
    json_decref(h);
    json_t *all = kit_snapshot(&k);
    pbx = kit_entry(all, "pbxs", "main");
    ck_assert(json_is_false(json_object_get(pbx, "connected")));
    ck_assert_int_eq(json_integer_value(json_object_get(pbx, "gaps")), 1);
    ck_assert_str_eq(json_string_value(json_object_get(pbx, "version")), "22.10");
    json_decref(all);
}
END_TEST

START_TEST(data_age_is_told_every_two_seconds)
{
    kit_note(&k, "main", "{\"connected\":true}");
    ck_assert(kit_publish(&k));
    k.now += SECOND;
    kit_note(&k, "main", "{\"connected\":true}");
    ck_assert(!kit_publish(&k));
    k.now += SECOND;
    ck_assert(kit_publish(&k));
}
END_TEST

static double age_told(void)
{
    json_t *h;
    health(&h);
    json_t *pbx = json_array_get(json_object_get(h, "pbxs"), 0);
    double age = json_number_value(json_object_get(pbx, "age_seconds"));
    json_decref(h);
    return age;
}

static json_int_t loss_told(const char *key)
{
    json_t *all = kit_snapshot(&k);
    json_int_t n = json_integer_value(json_object_get(kit_entry(all, "pbxs", "main"), key));
    json_decref(all);
    return n;
}

START_TEST(lost_updates_are_told_and_leave_it_healthy)
{
    json_t *h;
    struct ring *ring = ring_new(4096);
    char batch[512] = {0};
    while (ring_push(ring, (struct slice){batch, sizeof(batch)}))
        ;
    kit_note(&k, "main", "{\"connected\":true}");
    kit_publish(&k);
    ck_assert(live_view_start(k.view, ring, NULL, NULL));
    ring_close(ring);
    live_view_stop(k.view);
    ck_assert_int_eq(health(&h), WEB_HEALTH_OK);
    ck_assert_int_eq(json_integer_value(json_object_get(h, "lost_updates")), 1);
    json_decref(h);
    ck_assert_int_eq(loss_told("lost_updates"), 1);
    k.now = kit_time("2026-11-22 00:00:00"); /* what was lost is missing in yesterday's figures */
    ck_assert(kit_publish(&k));
    ck_assert_int_eq(loss_told("lost_updates"), 0);
    ck_assert_int_eq(health(&h), WEB_HEALTH_OK);
    ck_assert_int_eq(json_integer_value(json_object_get(h, "lost_updates")), 1);
    json_decref(h);
    ring_free(ring);
}
END_TEST

/* It may show for ever what has ended. */
START_TEST(lost_states_are_told_for_good)
{
    kit_note(&k, "main", "{\"connected\":true}");
    kit_publish(&k);
    live_view_states_lost(k.view, 2);
    ck_assert(kit_publish(&k));
    ck_assert_int_eq(loss_told("dropped"), 2);
    k.now = kit_time("2026-11-22 00:00:00");
    kit_publish(&k);
    ck_assert_int_eq(loss_told("dropped"), 2);
}
END_TEST

START_TEST(what_was_kept_makes_no_data_new)
{
    kit_note(&k, "main", "{\"last_event\":\"2026-11-21T09:00:00Z\"}");
    put_call("1.1", "Ada");
    visit("1.2", "abandoned", SECOND);
    kit_publish(&k);
    ck_assert_double_eq_tol(age_told(), 3600, 1e-9);
}
END_TEST

START_TEST(a_clock_that_is_set_makes_no_data_older_or_newer)
{
    for (int64_t by = -HOUR; by <= HOUR; by += 2 * HOUR) {
        kit_note(&k, "main", "{\"connected\":true}");
        kit_publish(&k);
        k.now += 30 * SECOND;
        ck_assert_double_eq_tol(age_told(), 30, 1e-9);
        k.now += by;
        k.set += by;
        ck_assert(kit_publish(&k));
        ck_assert_double_eq_tol(age_told(), 30, 1e-9);
        k.now += 10 * SECOND;
        ck_assert_double_eq_tol(age_told(), 40, 1e-9);
        kit_note(&k, "main", "{\"connected\":true}");
        kit_publish(&k);
        ck_assert_double_eq_tol(age_told(), 0, 1e-9);
    }
}
END_TEST

static double skew_told(void)
{
    json_t *all = kit_snapshot(&k);
    json_t *skew = json_object_get(kit_entry(all, "pbxs", "main"), "clock_skew_seconds");
    double seconds = json_is_null(skew) ? 1e9 : json_number_value(skew);
    json_decref(all);
    return seconds;
}

START_TEST(the_skew_of_a_pbx_s_clock_is_told)
{
    kit_note(&k, "main", "{\"connected\":true}");
    ck_assert(kit_publish(&k));
    ck_assert_double_eq(skew_told(), 1e9); /* not known yet */
    kit_note(&k, "main", "{\"connected\":true,\"clock_skew_us\":-90500000}");
    ck_assert(kit_publish(&k));
    ck_assert_double_eq_tol(skew_told(), -90.5, 1e-9);
    kit_note(&k, "main", "{\"connected\":true,\"clock_skew_us\":-90499000}");
    ck_assert(!kit_publish(&k)); /* a millisecond is no news */
    kit_note(&k, "main", "{\"connected\":false}");
    kit_publish(&k);
    ck_assert_double_eq_tol(skew_told(), -90.5, 1e-9);
}
END_TEST

START_TEST(entities_have_a_bound_and_a_counter)
{
    const struct live_view_options few = {.boot = "boot", .entities_max = 3};
    char subject[16];
    kit_done(&k);
    kit_start(&k, "UTC", kit_time("2026-11-21 10:00:00"), &few);
    kit_note(&k, "main", "{\"connected\":true}");
    kit_publish(&k);
    for (int i = 0; i < 5; i++) {
        snprintf(subject, sizeof(subject), "1.%d", i);
        put_call(subject, "x");
    }
    kit_publish(&k);
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "calls")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(kit_entry(all, "pbxs", "main"), "dropped")),
                     3);
    json_decref(all);
}
END_TEST

START_TEST(a_slow_reader_falls_off_the_ring)
{
    const struct live_view_options small = {.boot = "boot", .change_bytes = 4096};
    const struct web_scope everything = {NULL};
    char text[64];
    kit_done(&k);
    kit_start(&k, "UTC", kit_time("2026-11-21 10:00:00"), &small);
    for (int i = 0; i < 100; i++) {
        put_call("1.1", "Ada");
        kit_publish(&k);
    }
    struct web_cursor slow = {.seq = 1};
    struct web_cursor future = {.seq = 1000};
    struct web_cursor near = {.seq = k.source.newest(k.source.ctx) - 3};
    ck_assert_int_eq(k.source.changes(k.source.ctx, &everything, &slow, text, sizeof(text)), -1);
    ck_assert_int_eq(k.source.changes(k.source.ctx, &everything, &future, text, sizeof(text)), -1);
    char *read = kit_changes(&k, &near);
    ck_assert_uint_eq(near.seq, k.source.newest(k.source.ctx));
    free(read);
}
END_TEST

/* A page knows the time by its snapshot alone. */
START_TEST(pages_are_told_the_time_when_it_is_set_and_each_day)
{
    const struct web_scope everything = {NULL};
    const int64_t ahead[] = {HOUR, 24 * HOUR};
    char text[4096];
    for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
        kit_note(&k, "main", "{\"connected\":true}");
        kit_publish(&k);
        struct web_cursor cursor = {.seq = k.source.newest(k.source.ctx)};
        k.now += 30 * SECOND;
        kit_note(&k, "main", "{\"connected\":true}");
        kit_publish(&k);
        free(kit_changes(&k, &cursor));
        k.now += ahead[i];
        k.set += i == 0 ? ahead[i] : 0;
        ck_assert(kit_publish(&k));
        ck_assert_int_eq(k.source.changes(k.source.ctx, &everything, &cursor, text, sizeof(text)),
                         -1);
    }
}
END_TEST

static atomic_int woken;

static void wake(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&woken, 1);
}

START_TEST(the_thread_folds_and_wakes)
{
    struct ring *ring = ring_new((size_t)1 << 16);
    atomic_store(&woken, 0);
    ck_assert(live_view_start(k.view, ring, wake, NULL));
    put_call("1.1", "Ada");
    ck_assert(ring_push(ring, buf_slice(&k.batch)));
    for (int i = 0; i < 200 && atomic_load(&woken) == 0; i++)
        usleep(5000);
    ck_assert_int_ge(atomic_load(&woken), 1);
    json_t *all = kit_snapshot(&k);
    ck_assert_ptr_nonnull(kit_entry(all, "calls", "1.1"));
    json_decref(all);
    ring_close(ring);
    live_view_stop(k.view);
    live_view_stop(k.view);
    ring_free(ring);
}
END_TEST

START_TEST(nonsense_in_a_note_changes_nothing)
{
    kit_note(&k, "main", "");
    kit_note(&k, "main", "{\"connected\":");
    kit_note(&k, "main", "\"connected\\");
    kit_note(&k, "main", "{\"a\":{\"connected\":true},\"last_event\":\"soon\"}");
    kit_publish(&k);
    json_t *all = kit_snapshot(&k);
    ck_assert(json_is_false(json_object_get(kit_entry(all, "pbxs", "main"), "connected")));
    json_decref(all);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("live_view");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, start, finish);
    tcase_add_test(tcase, state_is_kept_until_its_tombstone);
    tcase_add_test(tcase, endpoints_trunks_and_registrations_are_lists);
    tcase_add_test(tcase, changes_are_sse_messages_in_order);
    tcase_add_test(tcase, two_changes_of_one_turn_are_told_once);
    tcase_add_test(tcase, calls_and_cdrs_are_counted);
    tcase_add_test(tcase, nothing_offered_has_no_service_level);
    tcase_add_test(tcase, a_visit_counts_once);
    tcase_add_test(tcase, answered_counts_when_it_is_answered);
    tcase_add_test(tcase, a_visit_from_before_the_start_counts_at_its_end);
    tcase_add_test(tcase, a_target_that_changes_is_right_for_the_whole_day);
    tcase_add_test(tcase, seeds_are_where_the_day_goes_on);
    tcase_add_test(tcase, a_new_day_begins_at_zero);
    tcase_add_test(tcase, a_clock_set_back_over_midnight_forgets_nothing);
    tcase_add_test(tcase, facts_of_yesterday_are_not_counted);
    tcase_add_test(tcase, a_pbx_is_degraded_until_it_is_connected);
    tcase_add_test(tcase, data_age_is_told_every_two_seconds);
    tcase_add_test(tcase, lost_updates_are_told_and_leave_it_healthy);
    tcase_add_test(tcase, lost_states_are_told_for_good);
    tcase_add_test(tcase, what_was_kept_makes_no_data_new);
    tcase_add_test(tcase, a_clock_that_is_set_makes_no_data_older_or_newer);
    tcase_add_test(tcase, the_skew_of_a_pbx_s_clock_is_told);
    tcase_add_test(tcase, entities_have_a_bound_and_a_counter);
    tcase_add_test(tcase, a_slow_reader_falls_off_the_ring);
    tcase_add_test(tcase, pages_are_told_the_time_when_it_is_set_and_each_day);
    tcase_add_test(tcase, the_thread_folds_and_wakes);
    tcase_add_test(tcase, nonsense_in_a_note_changes_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
