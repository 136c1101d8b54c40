/* SPDX-License-Identifier: MIT */
#include "web/request.h"

#include <arpa/inet.h>
#include <string.h>
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

bool request_host_allowed(const char *host)
{
    if (host[0] == '[')
        return is_v6_literal(host);
    const char *colon = strchr(host, ':');
    char text[HOST_MAX];
    size_t n = colon ? (size_t)(colon - host) : strlen(host);
    struct in_addr ignored;
    if (n >= sizeof(text) || (colon && !is_port(colon + 1)))
        return false;
    memcpy(text, host, n);
    text[n] = '\0';
    return strcasecmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &ignored) == 1;
}

struct seen {
    const char *host;
    unsigned hosts;
    bool body;
};

static enum MHD_Result see_header(void *ctx, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    struct seen *seen = ctx;
    (void)kind;
    if (strcasecmp(key, "Host") == 0) {
        seen->host = value ? value : "";
        seen->hosts++;
    } else if (strcasecmp(key, "Transfer-Encoding") == 0) {
        seen->body = true;
    } else if (strcasecmp(key, "Content-Length") == 0) {
        seen->body = seen->body || !value || strcmp(value, "0") != 0;
    }
    return MHD_YES;
}

struct request_verdict request_judge(struct MHD_Connection *connection, const char *method,
                                     const char *version)
{
    struct seen seen = {0};
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return (struct request_verdict){MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n"};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, see_header, &seen);
    if (seen.body)
        return (struct request_verdict){MHD_HTTP_BAD_REQUEST, "a request must not have a body\n"};
    if (seen.hosts > 1 || (seen.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0))
        return (struct request_verdict){MHD_HTTP_BAD_REQUEST, "one Host header, please\n"};
    if (seen.host && !request_host_allowed(seen.host))
        return (struct request_verdict){MHD_HTTP_MISDIRECTED_REQUEST,
                                        "this host name is not served here\n"};
    return (struct request_verdict){0, NULL};
}
