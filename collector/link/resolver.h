/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_RESOLVER_H
#define COLLECTOR_LINK_RESOLVER_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/socket.h>

/* Looks names up on a thread of its own, one after the other, since getaddrinfo() may block for
 * many seconds, and gives the results to the loop. A numeric address waits for no name. */
struct resolver;
struct resolver_lookup;

#define RESOLVER_ADDRESSES_MAX 8u
#define RESOLVER_LOOKUPS_MAX   64u

struct resolver_result {
    const char *error; /* why there is none, a constant; NULL when count > 0 */
    unsigned count;    /* past RESOLVER_ADDRESSES_MAX they are left out */
    struct {
        struct sockaddr_storage address;
        socklen_t size;
    } addresses[RESOLVER_ADDRESSES_MAX];
};

/* Called in the loop. The result lives as long as the call; the lookup is gone already. */
typedef void resolver_done(void *ctx, const struct resolver_result *result);

/* A resolver that answers in this loop, or NULL when it cannot be made. */
struct resolver *resolver_new(struct event_base *base);

/* No result is given any more. Does not wait for a lookup that runs: its thread cleans up behind
 * itself. */
void resolver_free(struct resolver *r);

/* Looks up TCP addresses of a name or numeric address. NULL when RESOLVER_LOOKUPS_MAX are waiting
 * or memory is short; else done is called once, later, unless the lookup is cancelled. */
struct resolver_lookup *resolver_start(struct resolver *r, const char *host, uint16_t port,
                                       resolver_done *done, void *ctx);

/* Its done will not be called; the pointer is gone with this call. A name that is being looked up
 * keeps its place until that is over; others take none any more. NULL is allowed. */
void resolver_cancel(struct resolver *r, struct resolver_lookup *lookup);

#endif
