/* SPDX-License-Identifier: MIT */
#include "tests/unit/web/web_kit.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

static struct kit k;

static void start(void)
{
    kit_start(&k, 0, 0);
}

static void finish(void)
{
    kit_stop(&k);
}

static const struct {
    const char *request;
    int status;
    const char *header;
} requests[] = {
    {"GET / HTTP/1.1\nHost: localhost\n", 200, "Content-Type: text/html; charset=utf-8"},
    {"GET /wallboard.js HTTP/1.1\nHost: localhost:8088\n", 200, "Content-Type: text/javascript"},
    {"GET /stream.js HTTP/1.1\nHost: localhost\n", 200, "Content-Type: text/javascript"},
    {"GET /wallboard.css HTTP/1.1\nHost: 127.0.0.1\n", 200, "Content-Type: text/css"},
    {"GET /icon.svg HTTP/1.1\nHost: [::1]:8088\n", 200, "Content-Type: image/svg+xml"},
    {"GET /?title=x HTTP/1.1\nHost: LOCALHOST\n", 200, "Cache-Control: no-cache"},
    {"GET /api/v1/state HTTP/1.1\nHost: 10.1.2.3:80\n", 200, "Content-Type: application/json"},
    {"GET /api/v1/state HTTP/1.0\nHost: localhost\n", 200, "Cache-Control: no-store"},
    {"GET /api/v1/state HTTP/1.0\n", 400, ""},
    {"GET /healthz HTTP/1.1\nHost: localhost\n", 200, "Content-Length: 2"},
    {"HEAD / HTTP/1.1\nHost: localhost\n", 200, "Content-Type: text/html"},
    {"HEAD /api/v1/state HTTP/1.1\nHost: localhost\n", 200, "Content-Length: "},
    {"HEAD /api/v1/stream HTTP/1.1\nHost: localhost\n", 200, "Content-Type: text/event-stream"},
    {"GET /favicon.ico HTTP/1.1\nHost: localhost\n", 404, "X-Content-Type-Options: nosniff"},
    {"GET /../etc/passwd HTTP/1.1\nHost: localhost\n", 404, "Content-Type: text/plain"},
    {"GET /api/v1/ HTTP/1.1\nHost: localhost\n", 404, "Cache-Control: no-store"},
    {"POST /api/v1/state HTTP/1.1\nHost: localhost\nContent-Length: 3\n", 405, "Allow: GET, HEAD"},
    {"OPTIONS / HTTP/1.1\nHost: localhost\n", 405, "Allow: GET, HEAD"},
    {"DELETE / HTTP/1.1\nHost: localhost\n", 405, "Allow: GET, HEAD"},
    {"GET / HTTP/1.1\nHost: localhost\nContent-Length: 3\n", 400, "Connection: close"},
    {"GET / HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n", 400, "Connection: close"},
    {"GET / HTTP/1.1\nHost: localhost\nHost: localhost\n", 400, "Connection: close"},
    {"GET / HTTP/1.1\nHost: evil.example\n", 421, "Connection: close"},
    {"GET / HTTP/1.1\nHost: localhost.evil.example\n", 421, "Connection: close"},
    {"GET / HTTP/1.1\nHost: 127.0.0.1.evil.example\n", 421, "Connection: close"},
    {"GET / HTTP/1.1\nHost: 127.0.0.1:80:80\n", 421, "Connection: close"},
    {"GET / HTTP/1.1\nHost: [::1\n", 421, "Connection: close"},
    {"GET / HTTP/1.1\nHost: \n", 421, "Connection: close"},
};

START_TEST(requests_are_judged)
{
    char text[512];
    snprintf(text, sizeof(text), "%sConnection: close\n\n", requests[_i].request);
    struct answer a = kit_ask(&k, text);
    ck_assert_msg(a.status == requests[_i].status, "%s: %s", requests[_i].request, a.text);
    ck_assert_msg(answer_has(&a, requests[_i].header), "%s", a.text);
    ck_assert(answer_has(&a, "Content-Security-Policy: default-src 'none'; script-src 'self'; "));
    ck_assert(answer_has(&a, "frame-ancestors 'none'"));
    ck_assert(answer_has(&a, "Referrer-Policy: no-referrer"));
    ck_assert(answer_has(&a, "Cross-Origin-Resource-Policy: same-origin"));
    if (strncmp(requests[_i].request, "HEAD", 4) == 0)
        ck_assert_str_eq(a.body, "");
    answer_free(&a);
}
END_TEST

/* libmicrohttpd's own answer. */
START_TEST(a_request_without_host_is_refused)
{
    struct answer a = kit_ask(&k, "GET / HTTP/1.1\nConnection: close\n\n");
    ck_assert_int_eq(a.status, 400);
    answer_free(&a);
}
END_TEST

START_TEST(pages_are_sent_once)
{
    struct answer a = kit_ask(&k, "GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    const char *etag = strcasestr(a.text, "ETag: ");
    ck_assert_ptr_nonnull(etag);
    ck_assert_ptr_nonnull(strstr(a.body, "</html>"));
    ck_assert_ptr_null(strcasestr(a.body, "<style"));
    ck_assert_ptr_null(strcasestr(a.body, " style="));
    ck_assert_ptr_null(strcasestr(a.body, " onclick"));
    char text[256];
    snprintf(text, sizeof(text),
             "GET / HTTP/1.1\nHost: localhost\nIf-None-Match: %.18s\nConnection: close\n\n",
             etag + strlen("ETag: "));
    struct answer again = kit_ask(&k, text);
    ck_assert_int_eq(again.status, 304);
    ck_assert_str_eq(again.body, "");
    answer_free(&a);
    answer_free(&again);
}
END_TEST

START_TEST(health_is_503_when_degraded)
{
    k.degraded = true;
    struct answer a = kit_ask(&k, "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    ck_assert_int_eq(a.status, 503);
    ck_assert_str_eq(a.body, "{}");
    answer_free(&a);
}
END_TEST

START_TEST(a_large_state_arrives_whole)
{
    struct answer a = {0};
    kit_pad(&k, (size_t)3 << 20);
    int fd = kit_get(&k, "/api/v1/state", "Connection: close\n");
    answer_read(&a, fd, NULL, 10000);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_eq(strlen(a.body), strlen("{\"seq\":0,\"pad\":\"") + k.snapshot_bytes + 2);
    answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(a_connection_serves_more_than_one_request)
{
    struct answer a = {0};
    int fd = kit_send(&k, "GET /healthz HTTP/1.1\nHost: localhost\n\n"
                          "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    answer_read(&a, fd, NULL, 5000);
    ck_assert_uint_eq(answer_count(&a, "HTTP/1.1 200"), 1); /* the second, behind the first */
    ck_assert(a.closed);
    answer_free(&a);
    close(fd);
}
END_TEST

static void refuse(const char *listen, const char *reason)
{
    char error[256] = "";
    const struct web_options options = {.listen = listen};
    ck_assert_ptr_null(http_edge_ops.start(&options, &k.source, error, sizeof(error)));
    ck_assert_msg(strstr(error, reason) != NULL, "%s", error);
    ck_assert_ptr_null(strchr(error, '\n'));
}

START_TEST(addresses_that_are_refused)
{
    char taken[64], reason[128];
    snprintf(taken, sizeof(taken), "127.0.0.1:%d", k.port);
    snprintf(reason, sizeof(reason), "listen %s: Address already in use", taken);
    refuse(taken, reason);
    refuse("0.0.0.0:0", "listen 0.0.0.0:0: only a loopback address");
    refuse("[::]:0", "only a loopback address");
    refuse("192.0.2.1:8088", "only a loopback address");
    refuse("8088", "not an ADDRESS:PORT");
    refuse("", "not an ADDRESS:PORT");
    refuse(":8088", "not an ADDRESS:PORT");
    refuse("127.0.0.1:", "not an ADDRESS:PORT");
    refuse("127.0.0.1:65536", "not an ADDRESS:PORT");
    refuse("127.0.0.1:+80", "not an ADDRESS:PORT");
    refuse("::1:80", "not an ADDRESS:PORT");
    refuse("[::1]", "not an ADDRESS:PORT");
    refuse("[:80", "not an ADDRESS:PORT");
    refuse("wallboard.example:80", "not an ADDRESS:PORT");
}
END_TEST

START_TEST(localhost_is_an_address)
{
    char error[256] = "";
    const struct web_options options = {.listen = "localhost:0"};
    struct web_edge *edge = http_edge_ops.start(&options, &k.source, error, sizeof(error));
    ck_assert_msg(edge != NULL, "%s", error);
    ck_assert_int_eq(strncmp(http_edge_ops.address(edge), "http://127.0.0.1:", 17), 0);
    http_edge_ops.stop(edge);
    http_edge_ops.stop(NULL);
}
END_TEST

static bool anybody(void *ctx, const char *name, const char *password, struct web_person *person)
{
    (void)ctx;
    *person = (struct web_person){.mark = 1};
    memcpy(person->name, name, strlen(name) + 1);
    return strcmp(password, "right") == 0;
}

static bool nobody(void *ctx, const char *secret, struct web_person *person)
{
    (void)ctx;
    (void)secret;
    (void)person;
    return false;
}

static bool no_news(void *ctx)
{
    (void)ctx;
    return false;
}

static void keep(void *ctx, enum web_event event, const char *name, const char *address)
{
    (void)address;
    ck_assert_str_eq(name, "anna");
    *(enum web_event *)ctx = event;
}

static bool no_randomness;

static bool random_or_none(void *bytes, size_t n)
{
    memset(bytes, 7, n);
    return !no_randomness;
}

START_TEST(nobody_gets_in_without_randomness)
{
    static const char log_in[] =
        "POST /login HTTP/1.1\nHost: localhost\nContent-Length: 24\nConnection: close\n"
        "Content-Type: application/x-www-form-urlencoded\n\nname=anna&password=right";
    static enum web_event told = WEB_LOGGED_OUT; /* the edge outlives the test */
    static const struct web_users users = {.ctx = &told,
                                           .password = anybody,
                                           .token = nobody,
                                           .kiosk = nobody,
                                           .refresh = no_news,
                                           .tell = keep};
    const struct web_options options = {.users = &users, .random = random_or_none};
    kit_stop(&k);
    kit_start_with(&k, &options);
    no_randomness = true;
    struct answer a = kit_ask(&k, log_in);
    ck_assert_int_eq(a.status, 503);
    ck_assert(!answer_has(&a, "Set-Cookie"));
    ck_assert_int_eq(told, WEB_NOT_LET_IN);
    answer_free(&a);
    no_randomness = false;
    a = kit_ask(&k, log_in);
    ck_assert_int_eq(a.status, 303);
    ck_assert(answer_has(&a, "Set-Cookie: amitap-"));
    ck_assert_int_eq(told, WEB_LOGGED_IN);
    answer_free(&a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 20);
    tcase_add_checked_fixture(tcase, start, finish);
    tcase_add_loop_test(tcase, requests_are_judged, 0,
                        (int)(sizeof(requests) / sizeof(requests[0])));
    tcase_add_test(tcase, a_request_without_host_is_refused);
    tcase_add_test(tcase, pages_are_sent_once);
    tcase_add_test(tcase, health_is_503_when_degraded);
    tcase_add_test(tcase, a_large_state_arrives_whole);
    tcase_add_test(tcase, a_connection_serves_more_than_one_request);
    tcase_add_test(tcase, addresses_that_are_refused);
    tcase_add_test(tcase, localhost_is_an_address);
    tcase_add_test(tcase, nobody_gets_in_without_randomness);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
