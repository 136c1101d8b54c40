/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_RECORDING_H
#define COLLECTOR_FACTS_RECORDING_H

#include "collector/facts/fact.h"
#include "collector/state/channel.h"

/* What was recorded of a call. MixMonitorStart, MixMonitorStop and MixMonitorMute name no file in
 * AMI (Asterisk 22). MIXMONITOR_FILENAME does, which every way to begin sets just before: the
 * application, queues.conf's monitor-format, Dial's X, the manager's action. It is the whole path;
 * class dialplan shows it. Monitor, gone in Asterisk 21, has its file among its arguments alone. */

struct calls;
struct call;
struct json_out;
struct json_t;

/* A call holds so many; further ones are counted. */
#define RECORDINGS_MAX     64u
#define RECORDING_FILE_MAX 512u /* bytes of its name */

struct recording {
    char *uniqueid;   /* of the channel that is recorded */
    char *file;       /* NULL: not known */
    int64_t from, to; /* 0: not known; to also while it goes on */
    bool started;     /* MixMonitorStart was seen */
    bool over;        /* it goes on no more */
    struct recording *next;
};

/* Those of one call, in the order in which they began. */
struct recordings {
    struct recording *first;
    size_t count;
    uint64_t omitted;
};

/* Frees them and leaves none. */
void recordings_free(struct recordings *recordings);

/* VarSet MIXMONITOR_FILENAME on the channel. */
void recording_named(struct calls *calls, struct channel *c, struct slice file);
/* MixMonitorStart, MonitorStart; MixMonitorStop, MonitorStop. */
void recording_started(struct calls *calls, struct channel *c);
void recording_stopped(struct calls *calls, struct channel *c);
/* The channel hangs up. */
void recording_gone(struct calls *calls, struct channel *c);

/* Puts the recordings of one channel behind those of the call that it has moved to. */
void recordings_move(struct recordings *from, struct recordings *to, struct slice uniqueid);

/* The file of the first recording of one of two channels that went on between from and to; p NULL
 * without one. Lives as long as the call. */
struct slice recording_during(const struct call *call, const struct slice uniqueids[2],
                              int64_t from, int64_t to);

/* recording, recordings and recordings_omitted of the record `call`. */
void recording_put(struct fact_builder *f, const struct call *call);

/* Saving, and taking back into an empty call. */
void recordings_save(const struct recordings *recordings, struct json_out *j);
void recordings_restore(struct recordings *recordings, const struct json_t *array, int64_t omitted);

#endif
