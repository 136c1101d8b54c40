/* SPDX-License-Identifier: MIT */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include "web/web_source.h"

/* What counts of a request's head. Texts are borrowed from the request; NULL when not there. */
struct request {
    const char *method, *path;
    const char *host, *origin, *fetch_site, *cookie, *authorization, *forwarded_for;
    const char *content_type, *content_length, *last_event_id, *if_none_match;
    bool forwarded; /* some header says that a proxy passed it on */
    bool encoded;   /* Transfer-Encoding is there */
    bool twice;     /* a header that may stand once stands there again */
    unsigned headers;
    size_t bytes; /* of all headers */
};

/* Takes a header in. */
void request_header(struct request *r, const char *key, const char *value);

/* What is served here. */
struct request_rules {
    const char *const *hosts; /* names beside localhost and addresses */
    size_t hosts_n;
    bool people; /* there are log-in and log-out */
    bool tls;    /* browsers see https */
};

/* Why a request is not served: an HTTP status with its line of text; status 0 when it is. */
struct request_verdict {
    unsigned status;
    const char *text;
};

#define REQUEST_BODY_MAX    2048 /* of a log-in */
#define REQUEST_HEADERS_MAX 64
#define REQUEST_HEAD_MAX    12288

/* Judges a request's head before anything is looked up: its size, method, Host, where it was sent
 * from, and what body it may have. A loopback address is no boundary against DNS rebinding, so Host
 * must be an IP literal, localhost or one of the rules' names. Only a log-in has a body. */
struct request_verdict request_judge(const struct request *r, const struct request_rules *rules);

/* GET or HEAD may be asked of every path, POST of these. */
bool request_is_post(const struct request *r);
bool request_is_login(const struct request *r);
bool request_is_logout(const struct request *r);

/* The value of the cookie of this name, if it stands there once, of the form that ours have: 64
 * hexadecimal digits, behind one letter. */
#define REQUEST_COOKIE_SIZE 66
bool request_cookie(const char *header, const char *name, char ret_value[REQUEST_COOKIE_SIZE]);

/* The token of "Bearer TOKEN", NULL when it is not one of ours. Borrowed. */
const char *request_bearer(const char *authorization);

/* The value of a field of a form (application/x-www-form-urlencoded), decoded. False when it is not
 * there, stands there twice, is longer than size, or holds a control character. */
bool request_field(const char *form, const char *name, char *ret_value, size_t size);

#endif
