/* SPDX-License-Identifier: MIT */
#ifndef WEB_ACCESS_H
#define WEB_ACCESS_H

#include "web/address.h"
#include "web/request.h"
#include "web/sessions.h"

/* Who asks, and what that one may see. */

/* What a path needs. */
enum access_need {
    ACCESS_PUBLIC,  /* nothing: the log-in page and what it is made of */
    ACCESS_DISPLAY, /* anybody who is known */
    ACCESS_MONITOR, /* nothing from where monitors may be; else ACCESS_ALL */
    ACCESS_ALL      /* somebody who is not for the wallboard only */
};

enum access_kind { ACCESS_NOBODY, ACCESS_OPEN, ACCESS_SESSION, ACCESS_TOKEN, ACCESS_KIOSK };

/* Somebody, as a request showed. Without users everybody is ACCESS_OPEN. */
struct access_grant {
    enum access_kind kind;
    bool monitor; /* may ask /healthz and /metrics unknown */
    struct web_person person;
    struct session_ref session;
};

struct access {
    const struct web_options *options;
    struct sessions *sessions; /* NULL without users */
    char cookie[32];           /* its name */
    bool secure;               /* browsers speak TLS */
};

/* Whom the request comes from: the peer, or whom a listed proxy names. Unknown when a proxy names
 * nobody, or one that is not listed passed it on. */
struct address access_from(const struct access *a, const struct address *peer,
                           const struct request *r);

/* Whether requests from there are served at all. */
bool access_allows(const struct access *a, const struct address *from);

/* Who asks. now: monotonic seconds. */
struct access_grant access_ask(const struct access *a, const struct request *r,
                               const struct address *peer, int64_t now);

/* Whether that one may see what needs this. */
bool access_has(const struct access_grant *grant, enum access_need need);

/* Whether a grant still holds; a session counts as used by that. Any thread. */
bool access_still(const struct access *a, const struct access_grant *grant, int64_t now);

/* A Set-Cookie header's value. letter: 's' for a session, 'k' for a screen, whose cookie stays.
 * secret NULL: the cookie is to go. */
#define ACCESS_COOKIE_SIZE 256
void access_cookie(const struct access *a, char letter, const char *secret,
                   char ret_header[ACCESS_COOKIE_SIZE]);

#endif
