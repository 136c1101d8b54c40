/* SPDX-License-Identifier: MIT */
#include "web/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* "8088" as a port. Digits alone, so that " 80", "+80" and "080x" are refused. */
static bool read_port(const char *text, in_port_t *ret_port)
{
    size_t n = strlen(text);
    if (n == 0 || n > 5 || strspn(text, "0123456789") != n)
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    if (port > 65535)
        return false;
    *ret_port = htons((in_port_t)port);
    return true;
}

/* Splits "host:port" or "[host]:port". */
static bool read_address(const char *text, union address *ret)
{
    const char *colon = strrchr(text, ':');
    char host[LISTEN_TEXT_MAX];
    if (!colon || colon == text || (size_t)(colon - text) >= sizeof(host))
        return false;
    size_t n = (size_t)(colon - text);
    bool bracket = text[0] == '[' && colon[-1] == ']';
    memcpy(host, text + bracket, n - (bracket ? 2 : 0));
    host[n - (bracket ? 2 : 0)] = '\0';
    memset(ret, 0, sizeof(*ret));
    if (bracket) {
        ret->v6.sin6_family = AF_INET6;
        return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1 &&
               read_port(colon + 1, &ret->v6.sin6_port);
    }
    ret->v4.sin_family = AF_INET;
    const char *literal = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    return inet_pton(AF_INET, literal, &ret->v4.sin_addr) == 1 &&
           read_port(colon + 1, &ret->v4.sin_port);
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static socklen_t address_size(const union address *a)
{
    return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

static void write_address(int fd, char *text, size_t size)
{
    union address a;
    socklen_t n = sizeof(a);
    char host[INET6_ADDRSTRLEN] = "";
    memset(&a, 0, sizeof(a));
    if (getsockname(fd, &a.any, &n) != 0)
        return;
    if (a.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host));
        snprintf(text, size, "%s:%d", host, ntohs(a.v4.sin_port));
    } else {
        inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host));
        snprintf(text, size, "[%s]:%d", host, ntohs(a.v6.sin6_port));
    }
}

bool listen_open(const char *text, bool anywhere, struct listen_socket *ret_socket, char *error,
                 size_t error_size)
{
    union address a;
    if (!read_address(text, &a)) {
        snprintf(error, error_size, "listen %s: not an ADDRESS:PORT such as 127.0.0.1:8088", text);
        return false;
    }
    if (!anywhere && !is_loopback(&a)) {
        snprintf(error, error_size,
                 "listen %s: only a loopback address (127.0.0.1 or [::1]) is allowed "
                 "without users_file, and without tls_certificate or proxy",
                 text);
        return false;
    }
    int on = 1;
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, &a.any, address_size(&a)) != 0 || listen(fd, BACKLOG) != 0) {
        char reason[128];
        snprintf(error, error_size, "listen %s: %s", text,
                 strerror_r(errno, reason, sizeof(reason)));
        if (fd >= 0)
            close(fd);
        return false;
    }
    ret_socket->fd = fd;
    write_address(fd, ret_socket->address, sizeof(ret_socket->address));
    return true;
}
