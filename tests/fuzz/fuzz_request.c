/* SPDX-License-Identifier: MIT */
/* What strangers send to the web side: heads of requests, cookies, tokens, forms, X-Forwarded-For
 * and Last-Event-ID. The input is a request as text; its body is a form. */
#include "tests/fuzz/fuzz_kit.h"
#include "web/access.h"
#include "web/event_id.h"
#include <stdbool.h>
#include <stdio.h>

#define NEWEST 1000

static const char *const hosts[] = {"wallboard.example.com"};
static const struct request_rules rules = {hosts, 1, true, true};

/* Cuts the next line off a text; NULL at its end or at an empty line. */
static char *take_line(char **text)
{
    char *line = *text, *end = line ? strchr(line, '\n') : NULL;
    if (!line || *line == '\0' || *line == '\n')
        return NULL;
    if (end)
        *end = '\0';
    *text = end ? end + 1 : NULL;
    return line;
}

/* Cuts a text at its first separator; what is behind that, or an empty text. */
static char *cut(char *text, char at)
{
    char *found = strchr(text, at);
    if (!found)
        return text + strlen(text);
    *found = '\0';
    return found + 1;
}

static void expect_hex(const char *text)
{
    fuzz_expect(strlen(text) == WEB_SECRET_SIZE - 1);
    fuzz_expect(strspn(text, "0123456789abcdef") == WEB_SECRET_SIZE - 1);
}

/* Nothing that is judged well was sent by another site, to a name that is not ours, or has a body
 * that is none of ours. */
static void judge(const struct request *r)
{
    const struct request_verdict v = request_judge(r, &rules);
    fuzz_expect((v.status == 0) == (v.text == NULL));
    if (v.status)
        return;
    fuzz_expect(r->headers <= REQUEST_HEADERS_MAX && r->bytes <= REQUEST_HEAD_MAX);
    fuzz_expect(!r->encoded && !r->twice);
    fuzz_expect(!r->host || strspn(r->host, "0123456789.abcdefABCDEF:[]") == strlen(r->host) ||
                strncasecmp(r->host, "localhost", 9) == 0 ||
                strncasecmp(r->host, hosts[0], strlen(hosts[0])) == 0);
    if (!request_is_post(r)) {
        fuzz_expect(!r->content_length || strcmp(r->content_length, "0") == 0);
        return;
    }
    fuzz_expect(request_is_login(r) || request_is_logout(r));
    fuzz_expect(!r->fetch_site || strcmp(r->fetch_site, "same-origin") == 0);
    fuzz_expect(!request_is_login(r) || strtoul(r->content_length, NULL, 10) <= REQUEST_BODY_MAX);
}

static void read_values(const struct request *r, const char *form)
{
    char cookie[REQUEST_COOKIE_SIZE], value[64];
    struct address from;
    uint64_t seq;
    if (r->cookie && request_cookie(r->cookie, "amitap-8088", cookie))
        expect_hex(cookie + 1);
    const char *token = r->authorization ? request_bearer(r->authorization) : NULL;
    if (token)
        expect_hex(token);
    if (r->forwarded_for && address_forwarded(r->forwarded_for, &from)) {
        char text[ADDRESS_TEXT_SIZE];
        address_text(&from, text);
        fuzz_expect(strlen(text) > 0);
    }
    if (r->last_event_id && event_id_read(r->last_event_id, "boot", NEWEST, &seq))
        fuzz_expect(seq <= NEWEST);
    if (form && request_field(form, "name", value, sizeof(value))) {
        fuzz_expect(strlen(value) < sizeof(value));
        for (const char *p = value; *p; p++)
            fuzz_expect((unsigned char)*p >= 0x20 && *p != 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request r = {0};
    char *copy = malloc(size + 1), *text = copy;
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    copy[size] = '\0';
    char *line = take_line(&text);
    if (line) {
        r.method = line;
        r.path = cut(line, ' ');
        cut((char *)(uintptr_t)r.path, ' '); /* its version */
        while ((line = take_line(&text))) {
            char *value = cut(line, ':');
            request_header(&r, line, value + (*value == ' '));
        }
        judge(&r);
        read_values(&r, text && *text ? text + 1 : NULL);
    }
    free(copy);
    return 0;
}
