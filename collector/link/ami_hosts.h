/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_AMI_HOSTS_H
#define COLLECTOR_LINK_AMI_HOSTS_H

#include "collector/link/ami_transport.h"
#include "collector/link/resolver.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which host of a fail-over pair, and which of its addresses, is tried next. Times are those of
 * clock_mono, in microseconds. Plain data; ami_hosts_set makes it. */
#define AMI_HOSTS_MAX 8u

struct ami_hosts {
    const char *const *names;
    size_t count;
    size_t at;      /* the one being tried, or where the session is */
    unsigned tried; /* a bit for each, since the last delay or log-in */
    int64_t refused_until[AMI_HOSTS_MAX];
    struct resolver_result addresses; /* of that one */
    unsigned next_address;
};

/* Begins with the first of 1 to AMI_HOSTS_MAX names, which are borrowed. */
void ami_hosts_set(struct ami_hosts *h, const char *const *names, size_t count);

/* The host being tried; borrowed from the names. */
const char *ami_hosts_name(const struct ami_hosts *h);

/* Its addresses are these. */
void ami_hosts_resolved(struct ami_hosts *h, const struct resolver_result *addresses);

/* Puts its next address and its name into the peer, borrowed until others come; false when all
 * were tried. */
bool ami_hosts_next_address(struct ami_hosts *h, struct ami_transport_peer *peer);

/* It refused the account, and is not to be tried before this moment. */
void ami_hosts_refused(struct ami_hosts *h, int64_t until);

/* It let amitap in. */
void ami_hosts_accepted(struct ami_hosts *h);

/* It is not to be had. True: the next one is to be tried at once. False: after a delay, as all were
 * tried or are not to be tried yet. */
bool ami_hosts_next(struct ami_hosts *h, int64_t now, size_t *ret_next);

/* Whether all have refused and none is to be tried yet; the first one is after *ret_delay. */
bool ami_hosts_refuse(const struct ami_hosts *h, int64_t now, int64_t *ret_delay);

#endif
