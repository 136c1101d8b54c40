/* SPDX-License-Identifier: MIT */
/* Loaded by LD_PRELOAD: while the file that AMITAP_FREEZE names is there, whoever reads, writes or
 * syncs a file whose name holds ".db" stays in that call, as on a disk that does not answer. Its
 * threads wait by themselves; no other is kept. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static const char *flag(void)
{
    static const char *path;
    if (!path)
        path = getenv("AMITAP_FREEZE");
    return path;
}

static int is_database(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n < 0 ? 0 : n] = '\0';
    return strstr(path, ".db") != NULL;
}

static void wait_for(int fd)
{
    const struct timespec pause = {0, 5000000};
    while (flag() && access(flag(), F_OK) == 0 && is_database(fd))
        nanosleep(&pause, NULL);
}

#define FREEZING(result, name, parameters, arguments)                                              \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*next) parameters;                                                           \
        if (!next)                                                                                 \
            next = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                  \
        wait_for(fd);                                                                              \
        return next arguments;                                                                     \
    }

FREEZING(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
FREEZING(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
FREEZING(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
FREEZING(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
FREEZING(ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
FREEZING(int, fsync, (int fd), (fd))
FREEZING(int, fdatasync, (int fd), (fd))
FREEZING(int, ftruncate, (int fd, off_t n), (fd, n))
FREEZING(int, ftruncate64, (int fd, off64_t n), (fd, n))
