/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_hosts.h"
#include <assert.h>

void ami_hosts_set(struct ami_hosts *h, const char *const *names, size_t count)
{
    assert(count > 0 && count <= AMI_HOSTS_MAX);
    *h = (struct ami_hosts){.names = names, .count = count};
}

const char *ami_hosts_name(const struct ami_hosts *h)
{
    return h->names[h->at];
}

void ami_hosts_resolved(struct ami_hosts *h, const struct resolver_result *addresses)
{
    h->addresses = *addresses;
    h->next_address = 0;
}

bool ami_hosts_next_address(struct ami_hosts *h, struct ami_transport_peer *peer)
{
    if (h->next_address >= h->addresses.count)
        return false;
    unsigned i = h->next_address++;
    peer->address = (const struct sockaddr *)&h->addresses.addresses[i].address;
    peer->size = h->addresses.addresses[i].size;
    peer->host = ami_hosts_name(h);
    return true;
}

void ami_hosts_refused(struct ami_hosts *h, int64_t until)
{
    h->refused_until[h->at] = until;
}

void ami_hosts_accepted(struct ami_hosts *h)
{
    h->refused_until[h->at] = 0;
    h->tried = 0;
}

/* Of those that may be tried the one behind this one, else the one that may be first. */
static size_t next_allowed(const struct ami_hosts *h, int64_t now)
{
    size_t first = h->at;
    for (size_t i = 1; i <= h->count; i++) {
        size_t next = (h->at + i) % h->count;
        if (h->refused_until[next] <= now)
            return next;
        if (h->refused_until[next] < h->refused_until[first])
            first = next;
    }
    return first;
}

bool ami_hosts_next(struct ami_hosts *h, int64_t now, size_t *ret_next)
{
    h->tried |= 1u << h->at;
    for (size_t i = 1; i < h->count; i++) {
        size_t next = (h->at + i) % h->count;
        if (!(h->tried & 1u << next) && h->refused_until[next] <= now) {
            *ret_next = next;
            return true;
        }
    }
    h->tried = 0;
    *ret_next = next_allowed(h, now);
    return false;
}

bool ami_hosts_refuse(const struct ami_hosts *h, int64_t now, int64_t *ret_delay)
{
    int64_t until = h->refused_until[next_allowed(h, now)];
    *ret_delay = until - now;
    return until > now;
}
