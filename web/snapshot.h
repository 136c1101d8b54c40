/* SPDX-License-Identifier: MIT */
#ifndef WEB_SNAPSHOT_H
#define WEB_SNAPSHOT_H

#include "web/web_source.h"

/* The whole live state as text, shared by every client that is being sent it: a client that reads
 * slowly or not at all holds a reference, never a copy. */
struct snapshot {
    struct web_text text;
    uint64_t seq;
};

/* Renders snapshots of one source and hands the last one out again while nothing has changed. */
struct snapshots;

/* The source is borrowed for their life. NULL when memory is short. */
struct snapshots *snapshots_new(const struct web_source *source);
/* All snapshots must have been given back. NULL is allowed. */
void snapshots_free(struct snapshots *s);

/* The state as it is now (monotonic milliseconds), or NULL when memory is short. Any thread. Give
 * it back with snapshots_put. */
const struct snapshot *snapshots_get(struct snapshots *s, int64_t now_ms);
void snapshots_put(struct snapshots *s, const struct snapshot *snapshot);

/* Snapshots rendered, and bytes held now. */
void snapshots_stats(struct snapshots *s, uint64_t *ret_rendered, size_t *ret_bytes);

#endif
