/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_RANDOM_H
#define COLLECTOR_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Randomness as it is passed in: tests own it. Good for jitter and ids, not for keys. */
struct random_source {
    uint64_t (*next)(void *ctx); /* 64 random bits */
    void *ctx;
};

/* Fills the n bytes of a key, a salt or a secret from the kernel; waits until its pool is ready,
 * and a signal does not cut that short. False when there are none to be had: the bytes are zero
 * then, and no key may be made of them. Usable from any thread. */
bool random_key(void *bytes, size_t n);

/* The kernel's random bits. Usable from any thread, owns nothing. */
struct random_source random_system(void);

/* A value from 0 to bound - 1, evenly but for a bias of bound / 2^64. 0 when bound is 0. */
uint64_t random_below(const struct random_source *source, uint64_t bound);

#endif
