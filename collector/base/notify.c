/* SPDX-License-Identifier: MIT */
#include "collector/base/notify.h"

#include "parsers/slice.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void notify(struct slice message)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, n);
    if (path[0] == '@')
        address.sun_path[0] = 0; /* an abstract socket */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    (void)sendto(fd, message.p, message.n, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
                 size);
    close(fd);
}

void notify_ready(void)
{
    notify(SLICE("READY=1"));
}

void notify_reloading(void)
{
    char text[64];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, us);
    notify(slice_from(text));
}

void notify_stopping(void)
{
    notify(SLICE("STOPPING=1"));
}

void notify_watchdog(void)
{
    notify(SLICE("WATCHDOG=1"));
}
