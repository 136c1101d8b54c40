/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_VIEW_VIEW_KIT_H
#define TESTS_UNIT_VIEW_VIEW_KIT_H

#include "collector/facts/batch.h"
#include "collector/facts/fact.h"
#include "collector/view/live_view.h"
#include <jansson.h>

/* A live view with a clock and facts of the test's own. */

#define SECOND ((int64_t)1000000)
#define HOUR   (3600 * SECOND)

struct kit {
    int64_t now;
    int64_t set; /* by how much the machine's clock was */
    struct clock clock;
    struct fact_builder fact;
    struct buf batch;
    struct live_view *view;
    struct web_source source;
};

/* Starts at now, in zone. kit_done frees everything. */
void kit_start(struct kit *k, const char *zone, int64_t now, const struct live_view_options *o);
void kit_done(struct kit *k);

/* Starts a fact of PBX "main" that happens now; put values into k->fact, then kit_end. */
void kit_begin(struct kit *k, enum fact_kind kind, const char *subject, unsigned flags);
void kit_end(struct kit *k);
void kit_put(struct kit *k, enum fact_field field, const char *text);
void kit_note(struct kit *k, const char *pbx, const char *json);

/* A queue event of this kind: joined, connected or, with an outcome, the whole visit. */
void kit_visit(struct kit *k, enum fact_kind kind, const char *uniqueid, const char *outcome,
               int64_t wait);

/* Folds what was begun and ended so far, and tells of it. Whether there are changes. */
bool kit_publish(struct kit *k);

/* The snapshot, parsed; the caller drops it. */
json_t *kit_snapshot(struct kit *k);

/* The entry of one of the snapshot's lists with this subject, or NULL; borrowed. */
json_t *kit_entry(json_t *snapshot, const char *list, const char *subject);

/* All SSE messages after the cursor as one text; the caller frees it. */
char *kit_changes(struct kit *k, struct web_cursor *cursor);

/* Microseconds of "2026-03-29 01:30:00" in UTC. */
int64_t kit_time(const char *utc);

#endif
