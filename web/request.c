/* SPDX-License-Identifier: MIT */
#include "web/request.h"

#include <arpa/inet.h>
#include <strings.h>

#define HOST_MAX 64

static bool is_port(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n <= 5 && strspn(text, "0123456789") == n;
}

static bool is_v6_literal(const char *host)
{
    const char *end = strchr(host, ']');
    char text[HOST_MAX];
    size_t n = end ? (size_t)(end - host - 1) : sizeof(text);
    struct in6_addr ignored;
    if (n >= sizeof(text))
        return false;
    memcpy(text, host + 1, n);
    text[n] = '\0';
    return inet_pton(AF_INET6, text, &ignored) == 1 &&
           (end[1] == '\0' || (end[1] == ':' && is_port(end + 2)));
}

static bool is_named(const char *host, size_t n, const struct request_rules *rules)
{
    for (size_t i = 0; i < rules->hosts_n; i++) {
        if (strlen(rules->hosts[i]) == n && strncasecmp(rules->hosts[i], host, n) == 0)
            return true;
    }
    return false;
}

static bool host_is_served(const char *host, const struct request_rules *rules)
{
    if (host[0] == '[')
        return is_v6_literal(host);
    const char *colon = strchr(host, ':');
    char text[HOST_MAX];
    size_t n = colon ? (size_t)(colon - host) : strlen(host);
    struct in_addr ignored;
    if (colon && !is_port(colon + 1))
        return false;
    if (is_named(host, n, rules))
        return true;
    if (n >= sizeof(text))
        return false;
    memcpy(text, host, n);
    text[n] = '\0';
    return strcasecmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &ignored) == 1;
}

void request_header(struct request *r, const char *key, const char *value)
{
    const struct {
        const char *name;
        const char **place;
    } once[] = {{"Host", &r->host},
                {"Origin", &r->origin},
                {"Sec-Fetch-Site", &r->fetch_site},
                {"Cookie", &r->cookie},
                {"Authorization", &r->authorization},
                {"Content-Type", &r->content_type},
                {"Content-Length", &r->content_length},
                {"Last-Event-ID", &r->last_event_id},
                {"If-None-Match", &r->if_none_match}};
    value = value ? value : "";
    r->headers++;
    r->bytes += strlen(key) + strlen(value) + 4;
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
        if (strcasecmp(key, once[i].name) != 0)
            continue;
        r->twice = r->twice || *once[i].place;
        *once[i].place = value;
    }
    if (strcasecmp(key, "Transfer-Encoding") == 0)
        r->encoded = true;
    if (strcasecmp(key, "X-Forwarded-For") == 0)
        r->forwarded_for = value; /* the last one: the nearest proxy's */
    if (strcasecmp(key, "X-Forwarded-For") == 0 || strcasecmp(key, "Forwarded") == 0 ||
        strcasecmp(key, "Via") == 0 || strcasecmp(key, "X-Real-IP") == 0)
        r->forwarded = true;
}

bool request_is_post(const struct request *r)
{
    return strcmp(r->method, "POST") == 0;
}

bool request_is_login(const struct request *r)
{
    return request_is_post(r) && strcmp(r->path, "/login") == 0;
}

bool request_is_logout(const struct request *r)
{
    return request_is_post(r) && strcmp(r->path, "/logout") == 0;
}

#define REFUSE(status, text) ((struct request_verdict){status, text "\n"})

/* Whether a page of ours sent it. Browsers say so themselves (Sec-Fetch-Site), older ones name the
 * page's origin; what names neither is no browser. A form sent from a page with "no-referrer" has
 * the origin "null". */
static bool sent_from_here(const struct request *r, const struct request_rules *rules)
{
    const char *scheme = rules->tls ? "https://" : "http://";
    if (r->fetch_site && strcmp(r->fetch_site, "same-origin") != 0)
        return false;
    if (!r->origin || (r->fetch_site && strcmp(r->origin, "null") == 0))
        return true;
    return strncmp(r->origin, scheme, strlen(scheme)) == 0 && r->host &&
           strcasecmp(r->origin + strlen(scheme), r->host) == 0;
}

static struct request_verdict judge_login_body(const struct request *r)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *length = r->content_length;
    if (!length)
        return REFUSE(411, "how long is the form?");
    if (strspn(length, "0123456789") != strlen(length) || !*length)
        return REFUSE(400, "the Content-Length is no number");
    if (strlen(length) > 4 || strtoul(length, NULL, 10) > REQUEST_BODY_MAX)
        return REFUSE(413, "the form is too large");
    if (!r->content_type || strncasecmp(r->content_type, form, strlen(form)) != 0 ||
        (r->content_type[strlen(form)] && r->content_type[strlen(form)] != ';'))
        return REFUSE(415, "only application/x-www-form-urlencoded");
    return (struct request_verdict){0, NULL};
}

static struct request_verdict judge_method(const struct request *r,
                                           const struct request_rules *rules)
{
    bool reads = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
    bool posts = rules->people && (request_is_login(r) || request_is_logout(r));
    if (!reads && !posts)
        return REFUSE(405, "only GET and HEAD");
    if (r->encoded)
        return REFUSE(400, "a body must not be encoded");
    if (posts && !sent_from_here(r, rules))
        return REFUSE(403, "another site's page sent this");
    if (posts && request_is_login(r))
        return judge_login_body(r);
    if (r->content_length && strcmp(r->content_length, "0") != 0)
        return REFUSE(400, "a request must not have a body");
    return (struct request_verdict){0, NULL};
}

struct request_verdict request_judge(const struct request *r, const struct request_rules *rules)
{
    if (r->headers > REQUEST_HEADERS_MAX || r->bytes > REQUEST_HEAD_MAX)
        return REFUSE(431, "too many or too large headers");
    if (r->twice)
        return REFUSE(400, "a header stands there twice");
    if (!r->host)
        return REFUSE(400, "one Host header, please");
    if (!host_is_served(r->host, rules))
        return REFUSE(421, "this host name is not served here");
    return judge_method(r, rules);
}

static bool is_hex(const char *text, size_t n)
{
    return strspn(text, "0123456789abcdef") >= n && memchr(text, '\0', n) == NULL;
}

bool request_cookie(const char *header, const char *name, char ret_value[REQUEST_COOKIE_SIZE])
{
    size_t name_n = strlen(name);
    unsigned found = 0;
    for (const char *p = header; *p;) {
        p += strspn(p, "; \t");
        size_t n = strcspn(p, ";");
        if (n > name_n && strncmp(p, name, name_n) == 0 && p[name_n] == '=') {
            const char *value = p + name_n + 1;
            size_t value_n = n - name_n - 1;
            found++;
            if (value_n != REQUEST_COOKIE_SIZE - 1 || *value < 'a' || *value > 'z' ||
                !is_hex(value + 1, value_n - 1))
                return false;
            memcpy(ret_value, value, value_n);
            ret_value[value_n] = '\0';
        }
        p += n;
    }
    return found == 1;
}

const char *request_bearer(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return NULL;
    const char *token = authorization + strlen(scheme);
    return strlen(token) == WEB_SECRET_SIZE - 1 && is_hex(token, WEB_SECRET_SIZE - 1) ? token
                                                                                      : NULL;
}

static int hex_digit(char c)
{
    const char lower = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One byte of a form's value, with *p moved behind it; -1 when it is not one that may stand there.
 */
static int decode(const char **p)
{
    char c = *(*p)++;
    int byte = (unsigned char)c;
    if (c == '+')
        return ' ';
    if (c == '%') {
        int high = hex_digit((*p)[0]), low = high < 0 ? -1 : hex_digit((*p)[1]);
        if (low < 0)
            return -1;
        byte = high << 4 | low;
        *p += 2;
    }
    return byte < 0x20 || byte == 0x7f ? -1 : byte;
}

static bool decode_value(const char *p, char *ret_value, size_t size)
{
    size_t n = 0;
    while (*p && *p != '&') {
        int byte = decode(&p);
        if (byte < 0 || n + 1 >= size)
            return false;
        ret_value[n++] = (char)byte;
    }
    ret_value[n] = '\0';
    return true;
}

bool request_field(const char *form, const char *name, char *ret_value, size_t size)
{
    size_t name_n = strlen(name);
    unsigned found = 0;
    ret_value[0] = '\0';
    for (const char *p = form; p; p = strchr(p, '&')) {
        p += *p == '&';
        if (strncmp(p, name, name_n) != 0 || p[name_n] != '=')
            continue;
        if (++found > 1 || !decode_value(p + name_n + 1, ret_value, size))
            return false;
    }
    return found == 1;
}
