/* SPDX-License-Identifier: MIT */
#include "web/reply.h"

#include <stdio.h>
#include <string.h>

#define POLICY(form_action)                                                                        \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                \
    "img-src 'self' data:; base-uri 'none'; form-action " form_action "; frame-ancestors 'none'"

static const char *const always[][2] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"},
};

static void add_headers(struct MHD_Response *response, const char *policy, const char *type,
                        const char *caching)
{
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        MHD_add_response_header(response, always[i][0], always[i][1]);
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", caching);
}

void reply_headers(struct MHD_Response *response, const char *type, const char *caching)
{
    add_headers(response, POLICY("'none'"), type, caching);
}

void reply_headers_of_form(struct MHD_Response *response, const char *type, const char *caching)
{
    add_headers(response, POLICY("'self'"), type, caching);
}

enum MHD_Result reply_send(struct MHD_Connection *connection, unsigned status,
                           struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static void add_more(struct MHD_Response *response, const struct reply_more *more)
{
    char seconds[16];
    snprintf(seconds, sizeof(seconds), "%u", more->retry_seconds);
    if (more->location)
        MHD_add_response_header(response, "Location", more->location);
    if (more->cookie)
        MHD_add_response_header(response, "Set-Cookie", more->cookie);
    if (more->allow)
        MHD_add_response_header(response, "Allow", more->allow);
    if (more->retry_seconds)
        MHD_add_response_header(response, "Retry-After", seconds);
    if (more->close)
        MHD_add_response_header(response, "Connection", "close");
}

enum MHD_Result reply_text(struct MHD_Connection *connection, unsigned status, const char *text,
                           const struct reply_more *more)
{
    /* PERSISTENT: libmicrohttpd only reads the text, its parameter merely lacks the const. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    reply_headers(response, "text/plain; charset=utf-8", REPLY_NO_STORE);
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    add_more(response, more);
    return reply_send(connection, status, response);
}
