/* SPDX-License-Identifier: MIT */
#include "web/access.h"

#include <stdio.h>

#define KIOSK_COOKIE_SECONDS (400U * 24 * 3600) /* browsers keep none longer */

static bool is_by_proxy(const struct access *a, const struct address *peer)
{
    return address_is_in(peer, &a->options->proxies);
}

struct address access_from(const struct access *a, const struct address *peer,
                           const struct request *r)
{
    struct address from = {{0}};
    if (is_by_proxy(a, peer)) {
        if (!r->forwarded_for || !address_forwarded(r->forwarded_for, &from))
            return (struct address){{0}};
        return from;
    }
    return r->forwarded ? from : *peer;
}

bool access_allows(const struct access *a, const struct address *from)
{
    const struct web_networks *allow = &a->options->allow;
    return allow->n == 0 ||
           (address_is_known(from) && (address_is_here(from) || address_is_in(from, allow)));
}

static bool is_monitor(const struct access *a, const struct address *peer,
                       const struct address *from)
{
    if (!address_is_known(from))
        return false;
    return address_is_in(from, &a->options->monitors) ||
           (address_is_here(from) && !is_by_proxy(a, peer));
}

static bool ask_cookie(const struct access *a, const char *header, int64_t now,
                       struct access_grant *grant)
{
    const struct web_users *users = a->options->users;
    char value[REQUEST_COOKIE_SIZE];
    if (!request_cookie(header, a->cookie, value))
        return false;
    if (value[0] == 's' &&
        sessions_find(a->sessions, value + 1, now, &grant->session, &grant->person))
        grant->kind = ACCESS_SESSION;
    else if (value[0] == 'k' && users->kiosk(users->ctx, value + 1, &grant->person))
        grant->kind = ACCESS_KIOSK;
    return grant->kind != ACCESS_NOBODY;
}

struct access_grant access_ask(const struct access *a, const struct request *r,
                               const struct address *peer, int64_t now)
{
    const struct web_users *users = a->options->users;
    const struct address from = access_from(a, peer, r);
    struct access_grant grant = {.monitor = is_monitor(a, peer, &from)};
    if (!users) {
        grant.kind = ACCESS_OPEN;
        return grant;
    }
    const char *token = r->authorization ? request_bearer(r->authorization) : NULL;
    if (token && users->token(users->ctx, token, &grant.person))
        grant.kind = ACCESS_TOKEN;
    else if (!r->authorization && r->cookie)
        ask_cookie(a, r->cookie, now, &grant);
    return grant;
}

bool access_has(const struct access_grant *grant, enum access_need need)
{
    switch (need) {
    case ACCESS_PUBLIC:
        return true;
    case ACCESS_DISPLAY:
        return grant->kind != ACCESS_NOBODY;
    case ACCESS_MONITOR:
        if (grant->monitor)
            return true;
        break;
    case ACCESS_ALL:
        break;
    }
    return grant->kind != ACCESS_NOBODY && !grant->person.display;
}

bool access_still(const struct access *a, const struct access_grant *grant, int64_t now)
{
    const struct web_users *users = a->options->users;
    if (grant->kind == ACCESS_SESSION)
        return sessions_still(a->sessions, grant->session, now);
    return grant->kind == ACCESS_OPEN || users->still(users->ctx, &grant->person);
}

void access_cookie(const struct access *a, char letter, const char *secret,
                   char ret_header[ACCESS_COOKIE_SIZE])
{
    const char *secure = a->secure ? "; Secure" : "";
    char age[32] = "";
    if (!secret)
        snprintf(age, sizeof(age), "; Max-Age=0");
    else if (letter == 'k')
        snprintf(age, sizeof(age), "; Max-Age=%u", KIOSK_COOKIE_SECONDS);
    snprintf(ret_header, ACCESS_COOKIE_SIZE, "%s=%c%s; Path=/; HttpOnly; SameSite=Strict%s%s",
             a->cookie, letter, secret ? secret : "", secure, age);
}
