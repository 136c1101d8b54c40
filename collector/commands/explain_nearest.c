/* SPDX-License-Identifier: MIT */
#include "collector/commands/explain_nearest.h"

#include "collector/base/json_out.h"
#include "collector/base/printable.h"
#include <stdio.h>
#include <stdlib.h>

/* The second in "[systemname-]1795219175.34", -1 when the id is none. */
static int64_t second_of(struct slice id)
{
    size_t end = id.n;
    while (end > 0 && id.p[end - 1] != '.')
        end--;
    size_t begin = end ? end - 1 : 0;
    int64_t second = 0, worth = 1;
    while (begin > 0 && id.p[begin - 1] >= '0' && id.p[begin - 1] <= '9' && worth < 1000000000000) {
        second += (id.p[--begin] - '0') * worth;
        worth *= 10;
    }
    return worth > 1 ? second : -1;
}

struct explain_nearest explain_nearest_to(const char *id)
{
    return (struct explain_nearest){.wanted = second_of(slice_from(id))};
}

void explain_nearest_add(struct explain_nearest *n, struct slice linkedid)
{
    int64_t second = second_of(linkedid);
    if (n->wanted < 0 || second < 0)
        return;
    int64_t distance = llabs(second - n->wanted);
    if (n->linkedid[0] && distance >= n->distance)
        return;
    n->distance = distance;
    snprintf(n->linkedid, sizeof(n->linkedid), "%.*s", (int)linkedid.n, linkedid.p);
}

void explain_nearest_span(struct explain_nearest *n, int64_t time)
{
    if (!time)
        return;
    if (!n->from || time < n->from)
        n->from = time;
    if (time > n->to)
        n->to = time;
}

void explain_nearest_print(const struct explain_nearest *n, const char *id, const char *where)
{
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
    fputs("amitap: explain: no call ", stderr);
    printable_put(slice_from(id), stderr);
    fprintf(stderr, " in %s", where);
    if (n->linkedid[0]) {
        fputs("; the nearest is ", stderr);
        printable_put(slice_from(n->linkedid), stderr);
    }
    if (n->from) {
        time_text(n->from, from);
        time_text(n->to, to);
        fprintf(stderr, "; it reaches from %s to %s\n", from, to);
    } else {
        fputs(", which holds no calls\n", stderr);
    }
}
