/* SPDX-License-Identifier: MIT */
#ifndef WEB_ADDRESS_H
#define WEB_ADDRESS_H

#include "web/web_source.h"
#include <sys/socket.h>

/* Where somebody is: an IPv6 address, or an IPv4 one as ::ffff:a.b.c.d. All zeros: nobody knows. */
struct address {
    uint8_t bytes[16];
};

#define ADDRESS_TEXT_SIZE 48

/* Of a socket's other end. Unknown when it is of neither family. */
struct address address_of(const struct sockaddr *from);

/* From text, n bytes: "10.1.2.3", "::1", also "[::1]:80" and "10.1.2.3:80" as some proxies write
 * it. False when it is none. */
bool address_read(const char *text, size_t n, struct address *ret_address);

/* The last element of an X-Forwarded-For header: whom the nearest proxy saw. */
bool address_forwarded(const char *header, struct address *ret_address);

/* Whether it is not the unknown one. */
bool address_is_known(const struct address *a);
/* 127.0.0.1 or ::1: this machine. Others of 127.0.0.0/8 are as strange as any. */
bool address_is_here(const struct address *a);
/* Whether one of the networks has it; whether the two are the same. */
bool address_is_in(const struct address *a, const struct web_networks *networks);
bool address_same(const struct address *a, const struct address *b);

/* What counts as one client: an IPv4 address, or the /64 that one IPv6 line has. */
struct address address_client(const struct address *a);

/* As text, for people. */
void address_text(const struct address *a, char ret_text[ADDRESS_TEXT_SIZE]);

#endif
