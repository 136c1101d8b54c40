/* SPDX-License-Identifier: MIT */
#include "web/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct address *a)
{
    return memcmp(a->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

static struct address from_v4(const struct in_addr *v4)
{
    struct address a;
    memcpy(a.bytes, v4_prefix, sizeof(v4_prefix));
    memcpy(a.bytes + 12, &v4->s_addr, 4);
    return a;
}

struct address address_of(const struct sockaddr *from)
{
    struct address a = {{0}};
    if (from && from->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof(v4));
        return from_v4(&v4.sin_addr);
    }
    if (from && from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, from, sizeof(v6));
        memcpy(a.bytes, &v6.sin6_addr, sizeof(a.bytes));
    }
    return a;
}

bool address_read(const char *text, size_t n, struct address *ret_address)
{
    char copy[ADDRESS_TEXT_SIZE];
    struct in_addr v4;
    struct in6_addr v6;
    if (n == 0 || n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    char *bare = copy, *colon = strchr(copy, ':');
    if (*copy == '[') {
        bare++;
        copy[strcspn(copy, "]")] = '\0';
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
    }
    if (inet_pton(AF_INET, bare, &v4) == 1) {
        *ret_address = from_v4(&v4);
        return true;
    }
    if (inet_pton(AF_INET6, bare, &v6) != 1)
        return false;
    memcpy(ret_address->bytes, &v6, sizeof(ret_address->bytes));
    return true;
}

bool address_forwarded(const char *header, struct address *ret_address)
{
    const char *comma = strrchr(header, ',');
    const char *last = comma ? comma + 1 : header;
    last += strspn(last, " \t");
    size_t n = strcspn(last, " \t");
    return last[n + strspn(last + n, " \t")] == '\0' && address_read(last, n, ret_address);
}

bool address_is_known(const struct address *a)
{
    static const struct address unknown;
    return memcmp(a, &unknown, sizeof(unknown)) != 0;
}

bool address_is_here(const struct address *a)
{
    static const struct address v4 = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    static const struct address v6 = {{[15] = 1}};
    return address_same(a, &v4) || address_same(a, &v6);
}

static bool begins_alike(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool address_is_in(const struct address *a, const struct web_networks *networks)
{
    for (size_t i = 0; i < networks->n; i++) {
        if (begins_alike(a->bytes, networks->list[i].bytes, networks->list[i].bits))
            return true;
    }
    return false;
}

bool address_same(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

struct address address_client(const struct address *a)
{
    struct address client = *a;
    if (!is_v4(a) && !address_is_here(a))
        memset(client.bytes + 8, 0, 8);
    return client;
}

void address_text(const struct address *a, char ret_text[ADDRESS_TEXT_SIZE])
{
    struct in6_addr v6;
    if (!address_is_known(a))
        snprintf(ret_text, ADDRESS_TEXT_SIZE, "an unknown address");
    else if (is_v4(a))
        inet_ntop(AF_INET, a->bytes + 12, ret_text, ADDRESS_TEXT_SIZE);
    else {
        memcpy(&v6, a->bytes, sizeof(v6));
        inet_ntop(AF_INET6, &v6, ret_text, ADDRESS_TEXT_SIZE);
    }
}
