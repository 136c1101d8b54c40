/* SPDX-License-Identifier: MIT */
#ifndef WEB_ATTEMPTS_H
#define WEB_ATTEMPTS_H

#include "web/address.h"

/* How often somebody may try to log in: ATTEMPTS_BURST times at once from one address and for one
 * name, then once each ATTEMPTS_ADDRESS_SECONDS and ATTEMPTS_NAME_SECONDS. A right password takes
 * its own attempt back. The table has ATTEMPTS_MAX places; past these the one with the most
 * attempts left gives way, so that nobody gets a fresh start by flooding it. Not for several
 * threads. */
#define ATTEMPTS_MAX             2048
#define ATTEMPTS_BURST           10
#define ATTEMPTS_ADDRESS_SECONDS 10
#define ATTEMPTS_NAME_SECONDS    30

struct attempts;

/* NULL when memory is short. */
struct attempts *attempts_new(void);
void attempts_free(struct attempts *a);

/* Counts an attempt from this address (unknown: none is counted) for this name (NULL: likewise) at
 * this monotonic time in seconds. 0, or after how many seconds the next may be made. */
unsigned attempts_count(struct attempts *a, const struct address *from, const char *name,
                        int64_t now);

/* It was right: the attempt does not count. */
void attempts_forgive(struct attempts *a, const struct address *from, const char *name);

/* How many were pushed out of the table. */
uint64_t attempts_pushed_out(const struct attempts *a);

#endif
