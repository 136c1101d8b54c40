/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_METRICS_FEED_H
#define COLLECTOR_COMMANDS_METRICS_FEED_H

#include "collector/base/ring.h"
#include "collector/facts/tap.h"
#include "collector/link/ami_link.h"
#include "collector/outbox/outbox.h"
#include "collector/sinks/history.h"
#include "collector/sinks/kafka.h"
#include "web/web_source.h"

/* What the rooms count themselves, put into the metrics (base/metrics.h): a PBX's once a second by
 * the loop, all else when somebody asks for /metrics. */

/* A PBX's session. */
void metrics_feed_pbx(const char *pbx, bool up, const struct ami_link_counters *link,
                      const struct tap_counters *tap);

/* What is behind the rings; NULL where there is none. */
struct metrics_feed {
    struct ring *writer_ring, *view_ring;
    struct outbox *outbox;
    struct history *history;
    struct kafka *kafka;
};

/* Any thread; waits for nothing but short locks, and reads /proc. */
void metrics_feed_stores(const struct metrics_feed *feed);
void metrics_feed_web(const struct web_counts *counts);
void metrics_feed_process(void);

#endif
