/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_model.h"
#include "tests/amisim/sim_frame.h"

#include <stdlib.h>

#define SNAPSHOT_MAX 8192u

void sim_model_copy(char *to, size_t size, struct slice from)
{
    size_t n = from.n < size ? from.n : size - 1;
    if (n)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

static void keep(struct buf *to, struct slice what)
{
    buf_clear(to);
    buf_put_slice(to, what);
}

static void channel_free(struct sim_model *model, struct sim_channel *c)
{
    HASH_DEL(model->channels, c);
    buf_free(&c->snapshot);
    buf_free(&c->application);
    buf_free(&c->data);
    free(c);
}

static void bridge_free(struct sim_model *model, struct sim_bridge *b)
{
    HASH_DEL(model->bridges, b);
    buf_free(&b->snapshot);
    free(b);
}

static struct sim_channel *channel_find(const struct sim_model *model, struct slice uniqueid)
{
    struct sim_channel *c = NULL;
    if (uniqueid.n)
        HASH_FIND(hh, model->channels, uniqueid.p, (unsigned)uniqueid.n, c);
    return c;
}

const struct sim_bridge *sim_model_bridge(const struct sim_model *model, struct slice id)
{
    struct sim_bridge *b = NULL;
    if (id.n)
        HASH_FIND(hh, model->bridges, id.p, (unsigned)id.n, b);
    return b;
}

static void on_newchannel(struct sim_model *model, struct slice frame, int64_t time_us)
{
    struct slice uniqueid = sim_frame_get(frame, "Uniqueid");
    if (uniqueid.n == 0 || uniqueid.n >= SIM_ID_SIZE || channel_find(model, uniqueid))
        return;
    struct sim_channel *c = calloc(1, sizeof(*c));
    if (!c)
        return;
    sim_model_copy(c->uniqueid, sizeof(c->uniqueid), uniqueid);
    c->snapshot = buf_new(SNAPSHOT_MAX);
    c->application = buf_new(SNAPSHOT_MAX);
    c->data = buf_new(SNAPSHOT_MAX);
    c->created_us = time_us;
    HASH_ADD(hh, model->channels, uniqueid, (unsigned)uniqueid.n, c);
    c->opened_call = slice_equal(uniqueid, sim_frame_get(frame, "Linkedid"));
    model->calls_started += c->opened_call;
}

static void on_hangup(struct sim_model *model, struct slice frame)
{
    struct sim_channel *c = channel_find(model, sim_frame_get(frame, "Uniqueid"));
    if (!c)
        return;
    model->calls_ended += c->opened_call;
    channel_free(model, c);
}

static void on_bridge(struct sim_model *model, struct slice name, struct slice frame)
{
    struct slice id = sim_frame_get(frame, "BridgeUniqueid");
    struct sim_bridge *b = (struct sim_bridge *)sim_model_bridge(model, id);
    struct slice snapshot = sim_frame_block(frame, "BridgeUniqueid", "BridgeVideoSourceMode");
    if (!b && id.n && id.n < SIM_ID_SIZE && !slice_is(name, "BridgeDestroy")) {
        b = calloc(1, sizeof(*b));
        if (!b)
            return;
        sim_model_copy(b->id, sizeof(b->id), id);
        b->snapshot = buf_new(SNAPSHOT_MAX);
        HASH_ADD(hh, model->bridges, id, (unsigned)id.n, b);
    }
    if (b)
        keep(&b->snapshot, snapshot);
    struct sim_channel *c = channel_find(model, sim_frame_get(frame, "Uniqueid"));
    if (c && slice_is(name, "BridgeEnter"))
        sim_model_copy(c->bridge, sizeof(c->bridge), id);
    if (c && slice_is(name, "BridgeLeave") && slice_is(id, c->bridge))
        c->bridge[0] = '\0';
    /* A parking lot's bridge stays for ever in Asterisk, but each play here brings its own. */
    bool parked_none = slice_is(name, "BridgeLeave") &&
                       slice_is(sim_frame_get(frame, "BridgeType"), "parking") &&
                       sim_frame_int(sim_frame_get(frame, "BridgeNumChannels")) == 0;
    if (b && (slice_is(name, "BridgeDestroy") || parked_none))
        bridge_free(model, b);
}

static void on_device(struct sim_model *model, struct slice frame)
{
    struct slice name = slice_head(sim_frame_get(frame, "Device"), SIM_ID_SIZE - 1);
    struct sim_device *d = NULL;
    if (!name.n)
        return;
    HASH_FIND(hh, model->devices, name.p, (unsigned)name.n, d);
    if (!d) {
        d = calloc(1, sizeof(*d));
        if (!d)
            return;
        sim_model_copy(d->name, sizeof(d->name), name);
        HASH_ADD(hh, model->devices, name, (unsigned)name.n, d);
    }
    sim_model_copy(d->state, sizeof(d->state), sim_frame_get(frame, "State"));
}

/* Every event with a channel's snapshot says anew how that channel is. */
static void refresh_channel(struct sim_model *model, struct slice name, struct slice frame)
{
    struct sim_channel *c = channel_find(model, sim_frame_get(frame, "Uniqueid"));
    struct slice snapshot = sim_frame_block(frame, "Channel", "Linkedid");
    if (!c || !snapshot.n)
        return;
    keep(&c->snapshot, snapshot);
    if (slice_is(name, "Newexten")) {
        keep(&c->application, sim_frame_get(frame, "Application"));
        keep(&c->data, sim_frame_get(frame, "AppData"));
    }
    if (slice_is(name, "Newstate") && slice_is(sim_frame_get(frame, "ChannelState"), "5"))
        model->channels_ringing++;
}

void sim_model_event(struct sim_model *model, struct slice name, struct slice frame,
                     int64_t time_us)
{
    if (slice_is(name, "DeviceStateChange")) {
        on_device(model, frame);
        return;
    }
    if (slice_is(name, "VarSet") || slice_starts(name, SLICE("RTCP")))
        return;
    if (slice_is(name, "Newchannel"))
        on_newchannel(model, frame, time_us);
    refresh_channel(model, name, frame);
    if (slice_is(name, "BridgeCreate") || slice_is(name, "BridgeEnter") ||
        slice_is(name, "BridgeLeave") || slice_is(name, "BridgeDestroy"))
        on_bridge(model, name, frame);
    if (slice_is(name, "Hangup"))
        on_hangup(model, frame);
}

void sim_model_clear(struct sim_model *model)
{
    struct sim_channel *c, *c_next;
    HASH_ITER(hh, model->channels, c, c_next) channel_free(model, c);
    struct sim_bridge *b, *b_next;
    HASH_ITER(hh, model->bridges, b, b_next) bridge_free(model, b);
    struct sim_device *d, *d_next;
    HASH_ITER(hh, model->devices, d, d_next)
    {
        HASH_DEL(model->devices, d);
        free(d);
    }
}
