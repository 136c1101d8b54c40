/* SPDX-License-Identifier: MIT */
#ifndef WEB_MONOTONIC_H
#define WEB_MONOTONIC_H

#include <stdint.h>

/* Milliseconds that only grow, whatever the clock is set to. Any thread. */
int64_t monotonic_ms(void);

#endif
