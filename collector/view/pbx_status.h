/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_VIEW_PBX_STATUS_H
#define COLLECTOR_VIEW_PBX_STATUS_H

#include "collector/base/json_out.h"

/* What is known of each PBX's link: whether it is connected, since when, how old its data is. */
struct pbx_status;

#define PBX_STATUS_MAX 256

/* NULL when memory is short. */
struct pbx_status *pbx_status_new(void);
void pbx_status_free(struct pbx_status *s);

/* Makes a PBX known; "connecting" until something is heard of it. All functions that name a PBX do
 * so, up to PBX_STATUS_MAX; what is of further ones is dropped. */
void pbx_status_add(struct pbx_status *s, struct slice pbx);

/* The link came up, by which something was heard, or went down at time (microseconds); reason and
 * version are empty when unknown. */
void pbx_status_connected(struct pbx_status *s, struct slice pbx, int64_t time,
                          struct slice version);
void pbx_status_disconnected(struct pbx_status *s, struct slice pbx, int64_t time,
                             struct slice reason);

/* A note of the tap: a JSON object with any of "connected" (bool), "reason" (string or null),
 * "last_event" (RFC 3339 in UTC, or microseconds since 1970; or null) and "clock_skew_us" (by how
 * many microseconds the times in the PBX's facts are ahead of this machine's clock). now is when it
 * was read. */
void pbx_status_note(struct pbx_status *s, struct slice pbx, struct slice json, int64_t now);

/* Data of it was lost for a while today. */
void pbx_status_gap(struct pbx_status *s, struct slice pbx, struct slice reason);
void pbx_status_new_day(struct pbx_status *s);

/* This machine's clock was set by so much: what was is as long ago as before. */
void pbx_status_clock_set(struct pbx_status *s, int64_t by);

/* Changes of the live view itself that were lost because it could not follow: its states are made
 * good, its figures lack them until the day is over. And what it dropped for good, as a bound was
 * reached. Both since the start; a PBX's status tells of today's lost updates only. */
void pbx_status_view(struct pbx_status *s, uint64_t lost_updates, uint64_t dropped);

/* Calls back for each PBX whose status changed; a later last_event alone counts every two seconds,
 * the skew of its clock from a tenth of a second on. json is an object with pbx, subject and the
 * status. */
typedef void (*pbx_status_seen)(void *ctx, struct slice pbx, struct slice json);
void pbx_status_changed(struct pbx_status *s, int64_t now, pbx_status_seen seen, void *ctx);

/* Appends /healthz's object. True when every PBX is connected. Changes that the view lost are told
 * there, for good, and so are no illness that ends. */
bool pbx_status_health(const struct pbx_status *s, int64_t now, struct json_out *j);

#endif
