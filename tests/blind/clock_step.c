/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Preloaded: the machine's clock is set back by an hour once the file AMITAP_CLOCK_FILE is there.
 */
int clock_gettime(clockid_t id, struct timespec *ts)
{
    static int (*real)(clockid_t, struct timespec *);
    static const char *path;
    if (!real) {
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        path = getenv("AMITAP_CLOCK_FILE");
    }
    int result = real(id, ts);
    if (id == CLOCK_REALTIME && path && access(path, F_OK) == 0)
        ts->tv_sec -= 3600;
    return result;
}
