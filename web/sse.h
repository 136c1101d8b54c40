/* SPDX-License-Identifier: MIT */
#ifndef WEB_SSE_H
#define WEB_SSE_H

#include "web/access.h"
#include "web/snapshot.h"
#include <microhttpd.h>

/* The streams of /api/v1/stream. Each client holds a cursor into the source's ring of changes and
 * nothing else; one that is too slow falls off the ring and gets a reset and a snapshot. A stream
 * with nothing to say is suspended in libmicrohttpd; a thread of its own, the pacer, resumes it at
 * once when something comes after a quiet time, else at most every SSE_FLUSH_MS, and for a
 * heartbeat. */
#define SSE_FLUSH_MS 5

struct sse;

struct sse_options {
    unsigned clients_max;
    unsigned heartbeat_ms;
    const char *pages;           /* version of the pages, told to each client; outlives the sse */
    const struct access *access; /* likewise */
};

struct sse_stats {
    unsigned clients;
    uint64_t resets, refused;
};

/* Also starts the pacer. NULL when memory or threads are short. The source and the snapshots must
 * outlive it. */
struct sse *sse_new(const struct web_source *source, struct snapshots *snapshots,
                    const struct sse_options *options);

/* Answers a request for the stream by somebody, for whom it ends with his grant. *ret_opened says
 * whether it is a stream, which lasts, or a mere answer. Called by the access handler alone. */
enum MHD_Result sse_answer(struct sse *sse, struct MHD_Connection *connection,
                           const struct request *r, const struct access_grant *grant,
                           bool *ret_opened);

/* There are newer changes. Any thread; never blocks. */
void sse_wake(struct sse *sse);

/* Ends every stream and the pacer; after it no connection is suspended or will be, as
 * MHD_stop_daemon requires. Then stop the daemon, then sse_free. */
void sse_stop(struct sse *sse);
void sse_free(struct sse *sse);

/* As they are now; any thread. */
struct sse_stats sse_stats(struct sse *sse);

#endif
