/* SPDX-License-Identifier: MIT */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#define LISTEN_TEXT_MAX 80

struct listen_socket {
    int fd;
    char address[LISTEN_TEXT_MAX]; /* "127.0.0.1:8088" or "[::1]:8088", with the real port */
};

/* Opens a non-blocking listening socket on "ADDRESS:PORT" (port 0: any free one). Other addresses
 * than loopback's are taken if anywhere is set. False on failure, with one line such as
 * "listen 127.0.0.1:8088: Address already in use" in error. The caller owns the fd. */
bool listen_open(const char *text, bool anywhere, struct listen_socket *ret_socket, char *error,
                 size_t error_size);

#endif
