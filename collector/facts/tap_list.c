/* SPDX-License-Identifier: MIT */
#include "collector/facts/tap_internal.h"

#include "collector/base/memory.h"
#include <stdlib.h>

/* The lists that are asked for after log-in, against what is held: the absence of something closes
 * only what was known before the list was asked for and has had no event since. */

void tap_list_begin(struct tap *tap, enum tap_list list)
{
    tap->list_asked[list] = true;
    tap->list_began[list] = tap->emit->event;
    if (list == TAP_LIST_QUEUES)
        queue_drift_begin(&tap->queue_drift, false);
}

static void lose_missing_channels(struct tap *tap, uint64_t began)
{
    struct channel **missing = memory_zeroed(tap->channels.count + 1, sizeof(struct channel *));
    size_t count = 0, position = 0;
    struct channel *c;
    while (missing && (c = table_next(&tap->channels, &position))) {
        if (c->seen <= began)
            missing[count++] = c;
    }
    for (size_t i = 0; i < count; i++)
        tap_lose_channel(tap, missing[i]);
    free(missing);
}

static void lose_missing_queues(struct tap *tap, uint64_t began)
{
    tap_lose_visits(tap, began);
    queue_drift_lose_members(&tap->queue_drift);
}

void tap_check_begin(struct tap *tap)
{
    queue_drift_begin(&tap->queue_drift, true);
}

void tap_check_end(struct tap *tap, bool complete, int64_t now)
{
    if (tap_pbx_time(tap, now) > tap->emit->now)
        tap->emit->now = tap_pbx_time(tap, now);
    queue_drift_end(&tap->queue_drift, complete, now);
}

void tap_queues_read(struct tap *tap, int64_t now)
{
    if (!queue_drift_expire(&tap->queue_drift, now))
        return;
    tap->emit->from_list = true;
    lose_missing_queues(tap, tap->queue_drift.began);
    tap_tell(tap);
    tap->emit->from_list = false;
}

void tap_list_end(struct tap *tap, enum tap_list list, bool complete, int64_t now)
{
    if (tap_pbx_time(tap, now) > tap->emit->now)
        tap->emit->now = tap_pbx_time(tap, now);
    bool asked = tap->list_asked[list];
    tap->list_asked[list] = false;
    if (asked && list == TAP_LIST_QUEUES)
        queue_drift_end(&tap->queue_drift, complete, now);
    if (!complete || !asked)
        return;
    tap->emit->from_list = true;
    if (list == TAP_LIST_CHANNELS)
        lose_missing_channels(tap, tap->list_began[list]);
    else if (list == TAP_LIST_QUEUES)
        lose_missing_queues(tap, tap->list_began[list]);
    else if (list == TAP_LIST_DEVICES)
        endpoints_lose_missing(&tap->endpoints, tap->list_began[list]);
    else if (list == TAP_LIST_REGISTRATIONS)
        registrations_lose_missing(&tap->registrations, tap->list_began[list]);
    tap_tell(tap);
    tap->emit->from_list = false;
}
