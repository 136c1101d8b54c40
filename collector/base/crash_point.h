/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_CRASH_POINT_H
#define COLLECTOR_BASE_CRASH_POINT_H

#include <stddef.h>

/* Named places at which a test build (make CRASH_POINTS=1) can be killed, so that tests see what
 * is left on disk there. In every other build they are nothing. */
#ifdef AMITAP_CRASH_POINTS
/* Kills the process by SIGKILL when AMITAP_CRASH is "name:N" and this is the Nth time here. Any
 * thread. */
void crash_point(const char *name);

/* A bound that tests make small: what AMITAP_BOUND_<name> says, else value. */
size_t crash_bound(const char *name, size_t value);
#else
#define crash_point(name)        ((void)0)
#define crash_bound(name, value) (value)
#endif

#endif
