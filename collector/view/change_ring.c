/* SPDX-License-Identifier: MIT */
#include "collector/view/change_ring.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A message has at least this many bytes, so this many per message bound the index. */
#define MESSAGE_MIN 64
#define HEAD_MAX    128
#define BOOT_MAX    64

struct change_ring {
    char *bytes;
    size_t size;      /* power of two */
    uint64_t *starts; /* by seq: where the message starts; positions only grow */
    size_t starts_n;  /* power of two */
    uint64_t end;     /* position behind the newest message */
    uint64_t newest;
    uint64_t oldest; /* the first message held; newest + 1 when there is none */
    char boot[BOOT_MAX];
};

struct change_ring *change_ring_new(size_t bytes, const char *boot)
{
    struct change_ring *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->size = MESSAGE_MIN;
    while (r->size * 2 <= bytes)
        r->size *= 2;
    r->starts_n = r->size / MESSAGE_MIN;
    r->oldest = 1;
    r->bytes = malloc(r->size);
    r->starts = calloc(r->starts_n, sizeof(*r->starts));
    snprintf(r->boot, sizeof(r->boot), "%s", boot);
    if (!r->bytes || !r->starts) {
        change_ring_free(r);
        return NULL;
    }
    return r;
}

void change_ring_free(struct change_ring *r)
{
    if (!r)
        return;
    free(r->bytes);
    free(r->starts);
    free(r);
}

static uint64_t start_of(const struct change_ring *r, uint64_t seq)
{
    return seq > r->newest ? r->end : r->starts[seq & (r->starts_n - 1)];
}

static void put(struct change_ring *r, struct slice s)
{
    size_t at = (size_t)r->end & (r->size - 1);
    struct slice first = slice_head(s, r->size - at);
    struct slice rest = slice_from_offset(s, first.n);
    memcpy(r->bytes + at, first.p, first.n);
    if (rest.n)
        memcpy(r->bytes, rest.p, rest.n);
    r->end += s.n;
}

void change_ring_forget(struct change_ring *r)
{
    r->newest++;
    r->oldest = r->newest + 1;
}

uint64_t change_ring_add(struct change_ring *r, const char *event, struct slice json)
{
    uint64_t seq = r->newest + 1;
    char head[HEAD_MAX];
    int n =
        snprintf(head, sizeof(head), "id: %s-%" PRIu64 "\nevent: %s\ndata: ", r->boot, seq, event);
    size_t need = (size_t)n + json.n + 2;
    if (need > r->size) {
        change_ring_forget(r);
        return seq;
    }
    while (r->oldest <= r->newest &&
           (r->end + need - start_of(r, r->oldest) > r->size || seq - r->oldest >= r->starts_n))
        r->oldest++;
    r->starts[seq & (r->starts_n - 1)] = r->end;
    put(r, (struct slice){head, (size_t)n});
    put(r, json);
    put(r, SLICE("\n\n"));
    r->newest = seq;
    return seq;
}

uint64_t change_ring_newest(const struct change_ring *r)
{
    return r->newest;
}

static void copy(const struct change_ring *r, uint64_t position, char *to, size_t n)
{
    size_t at = (size_t)position & (r->size - 1);
    size_t first = n < r->size - at ? n : r->size - at;
    memcpy(to, r->bytes + at, first);
    memcpy(to + first, r->bytes, n - first);
}

ssize_t change_ring_read(const struct change_ring *r, uint64_t *seq, size_t *offset, char *to,
                         size_t size)
{
    if (*seq == r->newest)
        return 0;
    if (*seq > r->newest || *seq + 1 < r->oldest)
        return -1;
    uint64_t from = start_of(r, *seq + 1) + *offset;
    size_t n = (size_t)(r->end - from) < size ? (size_t)(r->end - from) : size;
    copy(r, from, to, n);
    while (*seq < r->newest && start_of(r, *seq + 2) <= from + n)
        (*seq)++;
    *offset = *seq == r->newest ? 0 : (size_t)(from + n - start_of(r, *seq + 1));
    return (ssize_t)n;
}
