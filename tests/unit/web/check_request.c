/* SPDX-License-Identifier: MIT */
/* Requests' heads, cookies, forms and addresses, as text. */
#include "web/access.h"
#include "web/event_id.h"
#include <check.h>
#include <stdio.h>

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char *const hosts[] = {"wallboard.example.com"};
static const struct request_rules people = {hosts, 1, true, false};
static const struct request_rules secure = {hosts, 1, true, true};
static const struct request_rules nobody = {NULL, 0, false, false};

/* "METHOD PATH|Header: value|…" */
static struct request request_of(char *text)
{
    struct request r = {0};
    char *rest = strchr(text, '|');
    if (rest)
        *rest++ = '\0';
    r.method = text;
    char *path = strchr(text, ' ');
    *path++ = '\0';
    r.path = path;
    while (rest && *rest) {
        char *line = rest;
        rest = strchr(line, '|');
        if (rest)
            *rest++ = '\0';
        char *colon = strstr(line, ": ");
        *colon = '\0';
        request_header(&r, line, colon + 2);
    }
    return r;
}

#define FORM "|Content-Type: application/x-www-form-urlencoded|Content-Length: 30"
#define HOST "|Host: localhost"

static const struct {
    const struct request_rules *rules;
    const char *text;
    unsigned status;
} heads[] = {
    {&nobody, "GET /" HOST, 0},
    {&nobody, "GET /|Host: wallboard.example.com", 421},
    {&people, "GET /|Host: wallboard.example.com", 0},
    {&people, "GET /|Host: WALLBOARD.example.com:8443", 0},
    {&people, "GET /|Host: wallboard.example.com.", 421},
    {&people, "GET /|Host: wallboard.example.com:", 421},
    {&people, "GET /|Host: xwallboard.example.com", 421},
    {&people, "GET /|Host: wallboard.example.co", 421},
    {&people, "GET /" HOST "|Host: localhost", 400},
    {&people, "GET /" HOST "|Cookie: a=b|Cookie: c=d", 400},
    {&people, "GET /" HOST "|Authorization: x|authorization: y", 400},
    {&people, "GET /", 400},
    {&people, "PUT /login" HOST, 405},
    {&people, "get /" HOST, 405},
    {&nobody, "POST /login" HOST FORM, 405},
    {&nobody, "POST /logout" HOST, 405},
    {&people, "POST /" HOST FORM, 405},
    {&people, "POST /login" HOST FORM, 0},
    {&people, "POST /login/" HOST FORM, 405},
    {&people, "POST /login" HOST "|Content-Type: application/x-www-form-urlencoded", 411},
    {&people, "POST /login" HOST "|Content-Type: application/json|Content-Length: 3", 415},
    {&people,
     "POST /login" HOST "|Content-Type: application/x-www-form-urlencodedx|Content-Length: 3", 415},
    {&people,
     "POST /login" HOST
     "|Content-Type: application/x-www-form-urlencoded;charset=UTF-8|Content-Length: 3",
     0},
    {&people, "POST /login" HOST "|Content-Length: 3", 415},
    {&people, "POST /login" HOST "|Content-Length: 2049", 413},
    {&people, "POST /login" HOST "|Content-Length: 99999999999999999999", 413},
    {&people, "POST /login" HOST "|Content-Length: -1", 400},
    {&people, "POST /login" HOST "|Content-Length: ", 400},
    {&people, "POST /login" HOST FORM "|Transfer-Encoding: chunked", 400},
    {&people, "POST /login" HOST FORM "|Sec-Fetch-Site: same-origin", 0},
    {&people, "POST /login" HOST FORM "|Sec-Fetch-Site: cross-site", 403},
    {&people, "POST /login" HOST FORM "|Sec-Fetch-Site: same-site", 403},
    {&people, "POST /login" HOST FORM "|Sec-Fetch-Site: none", 403},
    {&people, "POST /login" HOST FORM "|Origin: http://localhost", 0},
    {&people, "POST /login" HOST FORM "|Origin: https://localhost", 403},
    {&people, "POST /login" HOST FORM "|Origin: http://localhost:81", 403},
    {&people, "POST /login" HOST FORM "|Origin: http://evil.example", 403},
    {&people, "POST /login" HOST FORM "|Origin: null", 403},
    {&people, "POST /login" HOST FORM "|Origin: null|Sec-Fetch-Site: same-origin", 0},
    {&people, "POST /login" HOST FORM "|Origin: http://evil|Sec-Fetch-Site: same-origin", 403},
    {&secure, "POST /login" HOST FORM "|Origin: https://localhost", 0},
    {&secure, "POST /login" HOST FORM "|Origin: http://localhost", 403},
    {&people, "POST /logout" HOST, 0},
    {&people, "POST /logout" HOST "|Content-Length: 0", 0},
    {&people, "POST /logout" HOST "|Content-Length: 1", 400},
    {&people, "POST /logout" HOST "|Origin: http://evil", 403},
    {&people, "GET /login" HOST "|Origin: http://evil|Sec-Fetch-Site: cross-site", 0},
};

START_TEST(heads_are_judged)
{
    char text[512];
    snprintf(text, sizeof(text), "%s", heads[_i].text);
    const struct request r = request_of(text);
    const struct request_verdict v = request_judge(&r, heads[_i].rules);
    ck_assert_msg(v.status == heads[_i].status, "%s: %u", heads[_i].text, v.status);
    ck_assert((v.text != NULL) == (v.status != 0));
}
END_TEST

START_TEST(heads_are_bounded)
{
    struct request r = {.method = "GET", .path = "/"};
    static char large[REQUEST_HEAD_MAX];
    request_header(&r, "Host", "localhost");
    for (unsigned i = 1; i < REQUEST_HEADERS_MAX; i++)
        request_header(&r, "X", "y");
    ck_assert_uint_eq(request_judge(&r, &people).status, 0);
    request_header(&r, "X", "y");
    ck_assert_uint_eq(request_judge(&r, &people).status, 431);
    struct request s = {.method = "GET", .path = "/"};
    memset(large, 'x', sizeof(large) - 1);
    request_header(&s, "Host", "localhost");
    request_header(&s, "X", large);
    ck_assert_uint_eq(request_judge(&s, &people).status, 431);
}
END_TEST

static const struct {
    const char *header;
    bool found;
} cookies[] = {
    {"c=s" HEX64, true},
    {"a=b; c=s" HEX64, true},
    {"a=b;c=s" HEX64 ";d=e", true},
    {"c=k" HEX64 "; x", true},
    {"c=s" HEX64 "; c=s" HEX64, false},
    {"c=s" HEX64 "; c=", false},
    {"C=s" HEX64, false},
    {"xc=s" HEX64, false},
    {"c=" HEX64, false},
    {"c=s" HEX64 "0", false},
    {"c=S" HEX64, false},
    {"c=s\"" HEX64 "\"", false},
    {"c=s00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff", false},
    {"c", false},
    {"c=", false},
    {"=", false},
    {"", false},
    {";;; ;", false},
};

START_TEST(cookies_are_read)
{
    char value[REQUEST_COOKIE_SIZE] = "";
    bool found = request_cookie(cookies[_i].header, "c", value);
    ck_assert_msg(found == cookies[_i].found, "%s", cookies[_i].header);
    if (found)
        ck_assert_str_eq(value + 1, HEX64);
}
END_TEST

START_TEST(bearers_are_read)
{
    ck_assert_str_eq(request_bearer("Bearer " HEX64), HEX64);
    ck_assert_str_eq(request_bearer("bearer " HEX64), HEX64);
    ck_assert_ptr_null(request_bearer("Bearer  " HEX64));
    ck_assert_ptr_null(request_bearer("Bearer " HEX64 " "));
    ck_assert_ptr_null(request_bearer("Basic " HEX64));
    ck_assert_ptr_null(request_bearer("Bearer "));
    ck_assert_ptr_null(request_bearer(""));
}
END_TEST

static const struct {
    const char *form, *value; /* NULL: not there */
} forms[] = {
    {"name=anna", "anna"},
    {"x=y&name=anna", "anna"},
    {"name=", ""},
    {"name=a%20b+c%c3%BC&x", "a b c\xc3\xbc"},
    {"name=anna&name=bob", NULL},
    {"xname=anna", NULL},
    {"name", NULL},
    {"", NULL},
    {"&&&", NULL},
    {"name=%", NULL},
    {"name=%4", NULL},
    {"name=%4g", NULL},
    {"name=%00", NULL},
    {"name=a%0ab", NULL},
    {"name=a\nb", NULL},
    {"name=01234567890123", "01234567890123"},
    {"name=012345678901234", NULL}, /* too long */
};

START_TEST(forms_are_read)
{
    char value[15];
    bool found = request_field(forms[_i].form, "name", value, sizeof(value));
    ck_assert_msg(found == (forms[_i].value != NULL), "%s", forms[_i].form);
    if (found)
        ck_assert_str_eq(value, forms[_i].value);
}
END_TEST

static const struct {
    const char *header, *text; /* NULL: none */
} forwarded[] = {
    {"10.1.2.3", "10.1.2.3"},
    {"127.0.0.1, 10.1.2.3", "10.1.2.3"}, /* the first part is whatever the client said */
    {"10.1.2.3, 2001:db8::1 ", "2001:db8::1"},
    {"[2001:db8::1]:4711", "2001:db8::1"},
    {"10.1.2.3:4711", "10.1.2.3"},
    {"::ffff:10.1.2.3", "10.1.2.3"},
    {"unknown", NULL},
    {"10.1.2.3,", NULL},
    {"10.1.2.3 x", NULL},
    {"", NULL},
    {"[", NULL},
    {"01234567890123456789012345678901234567890123456789012345678901234567890123456789", NULL},
};

START_TEST(forwarded_addresses_are_read)
{
    struct address a;
    char text[ADDRESS_TEXT_SIZE];
    bool found = address_forwarded(forwarded[_i].header, &a);
    ck_assert_msg(found == (forwarded[_i].text != NULL), "%s", forwarded[_i].header);
    if (!found)
        return;
    address_text(&a, text);
    ck_assert_str_eq(text, forwarded[_i].text);
}
END_TEST

static struct address address_from(const char *text)
{
    struct address a;
    ck_assert(address_read(text, strlen(text), &a));
    return a;
}

START_TEST(networks_hold_addresses)
{
    const struct address ten = address_from("10.0.0.0"), six = address_from("2001:db8::");
    struct web_network list[2] = {{.bits = 96 + 9}, {.bits = 32}};
    memcpy(list[0].bytes, ten.bytes, 16);
    memcpy(list[1].bytes, six.bytes, 16);
    const struct web_networks networks = {list, 2};
    static const struct {
        const char *text;
        bool in;
    } each[] = {{"10.0.0.1", true},        {"10.127.255.255", true}, {"10.128.0.0", false},
                {"11.0.0.0", false},       {"2001:db8::1", true},    {"2001:db8:ffff::", true},
                {"2001:db9::1", false},    {"::1", false},           {"::10.0.0.1", false},
                {"::ffff:10.0.0.1", true}, {"127.0.0.1", false}};
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
        const struct address a = address_from(each[i].text);
        ck_assert_msg(address_is_in(&a, &networks) == each[i].in, "%s", each[i].text);
    }
    const struct web_networks none = {NULL, 0};
    ck_assert(!address_is_in(&ten, &none));
}
END_TEST

START_TEST(a_client_is_an_address_or_a_line)
{
    const struct address a = address_from("2001:db8::1"), b = address_from("2001:db8::2");
    const struct address c = address_from("10.0.0.1"), d = address_from("10.0.0.2");
    const struct address a64 = address_client(&a), b64 = address_client(&b);
    const struct address c64 = address_client(&c), d64 = address_client(&d);
    ck_assert(address_same(&a64, &b64) && !address_same(&c64, &d64));
    const struct address l4 = address_from("127.0.0.1"), l6 = address_from("::1");
    ck_assert(address_is_here(&l4) && address_is_here(&l6) && !address_is_here(&c));
    const struct address other = address_from("127.0.0.2");
    ck_assert(!address_is_here(&other));
    const struct address any = address_from("::");
    ck_assert(!address_is_known(&any) && address_is_known(&a));
}
END_TEST

static const struct {
    const char *peer, *headers, *from; /* NULL: unknown */
    bool monitor, allowed;
} paths[] = {
    {"127.0.0.1", "", "127.0.0.1", true, true},
    {"10.0.0.9", "", "10.0.0.9", true, true},  /* listed as a monitor */
    {"10.0.0.8", "", "10.0.0.8", false, true}, /* only allowed */
    {"192.0.2.1", "", "192.0.2.1", false, false},
    {"127.0.0.1", "|X-Forwarded-For: 10.0.0.8", NULL, false, false}, /* a proxy nobody told of */
    {"127.0.0.1", "|Forwarded: for=10.0.0.8", NULL, false, false},
    {"127.0.0.1", "|Via: 1.1 x", NULL, false, false},
    {"10.0.0.2", "|X-Forwarded-For: 10.0.0.8", "10.0.0.8", false, true},
    {"10.0.0.2", "|X-Forwarded-For: 10.0.0.9", "10.0.0.9", true, true},
    {"10.0.0.2", "|X-Forwarded-For: 10.0.0.9, 192.0.2.1", "192.0.2.1", false, false},
    {"10.0.0.2", "|X-Forwarded-For: 10.0.0.9|X-Forwarded-For: 192.0.2.1", "192.0.2.1", false,
     false},
    {"10.0.0.2", "|X-Forwarded-For: 127.0.0.1", "127.0.0.1", false, true}, /* no monitor by that */
    {"10.0.0.2", "", NULL, false, false},
    {"10.0.0.2", "|X-Forwarded-For: x", NULL, false, false},
};

START_TEST(who_asks_through_a_proxy)
{
    const struct address net = address_from("10.0.0.0"), mon = address_from("10.0.0.9");
    const struct address proxy = address_from("10.0.0.2");
    struct web_network allow = {.bits = 96 + 8}, monitor = {.bits = 128}, front = {.bits = 128};
    memcpy(allow.bytes, net.bytes, 16);
    memcpy(monitor.bytes, mon.bytes, 16);
    memcpy(front.bytes, proxy.bytes, 16);
    const struct web_options options = {
        .allow = {&allow, 1}, .monitors = {&monitor, 1}, .proxies = {&front, 1}};
    const struct access access = {.options = &options};
    char text[256], from_text[ADDRESS_TEXT_SIZE];
    snprintf(text, sizeof(text), "GET /%s", paths[_i].headers);
    const struct request r = request_of(text);
    const struct address peer = address_from(paths[_i].peer),
                         from = access_from(&access, &peer, &r);
    ck_assert_msg(address_is_known(&from) == (paths[_i].from != NULL), "%d", _i);
    if (paths[_i].from) {
        address_text(&from, from_text);
        ck_assert_str_eq(from_text, paths[_i].from);
    }
    ck_assert_int_eq(access_ask(&access, &r, &peer, 0).monitor, paths[_i].monitor);
    ck_assert_int_eq(access_allows(&access, &from), paths[_i].allowed);
}
END_TEST

START_TEST(event_ids_are_read)
{
    uint64_t seq = 0;
    ck_assert(event_id_read("boot-7", "boot", 7, &seq) && seq == 7);
    ck_assert(event_id_read("boot-0", "boot", 7, &seq) && seq == 0);
    ck_assert(!event_id_read("boot-8", "boot", 7, &seq));
    ck_assert(!event_id_read("boo-7", "boot", 7, &seq));
    ck_assert(!event_id_read("bootx-7", "boot", 7, &seq));
    ck_assert(!event_id_read("boot", "boot", 7, &seq));
    ck_assert(!event_id_read("boot-", "boot", 7, &seq));
    ck_assert(!event_id_read("boot- 7", "boot", 7, &seq));
    ck_assert(!event_id_read("boot-7x", "boot", 7, &seq));
    ck_assert(!event_id_read("boot-99999999999999999999", "boot", UINT64_MAX, &seq));
}
END_TEST

#define LOOP(test, table)                                                                          \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("request");
    TCase *tcase = tcase_create("all");
    LOOP(heads_are_judged, heads);
    tcase_add_test(tcase, heads_are_bounded);
    LOOP(cookies_are_read, cookies);
    tcase_add_test(tcase, bearers_are_read);
    LOOP(forms_are_read, forms);
    LOOP(forwarded_addresses_are_read, forwarded);
    tcase_add_test(tcase, networks_hold_addresses);
    tcase_add_test(tcase, a_client_is_an_address_or_a_line);
    LOOP(who_asks_through_a_proxy, paths);
    tcase_add_test(tcase, event_ids_are_read);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
