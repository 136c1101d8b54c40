/* SPDX-License-Identifier: MIT */
#include "collector/base/crash_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void crash_point(const char *name)
{
    static atomic_ulong times;
    const char *wanted = getenv("AMITAP_CRASH");
    size_t n = strlen(name);
    if (!wanted || strncmp(wanted, name, n) != 0 || wanted[n] != ':')
        return;
    if (atomic_fetch_add(&times, 1) + 1 == strtoul(wanted + n + 1, NULL, 10))
        raise(SIGKILL);
}

size_t crash_bound(const char *name, size_t value)
{
    char variable[64];
    snprintf(variable, sizeof(variable), "AMITAP_BOUND_%s", name);
    const char *text = getenv(variable);
    return text ? strtoul(text, NULL, 10) : value;
}
