/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_lists.h"
#include "tests/amisim/sim_frame.h"

#include <stdio.h>
#include <time.h>

/* Most items carry the ActionID first; Status and the queue items carry it last. */
static void item(struct sim_reply *r, const char *event)
{
    sim_reply_item(r, event);
    sim_reply_id(r);
}

static void list_end(struct sim_reply *r, const char *event)
{
    sim_reply_complete(r, event);
    sim_reply_end(r);
}

static int64_t seconds_since(int64_t us)
{
    int64_t s = (sim_pbx_now() - us) / 1000000;
    return s > 0 ? s : 0;
}

/* A channel that Dial or Queue called runs no dialplan: it has had no Newexten. */
static struct slice application(const struct sim_channel *c)
{
    return c->application.n ? buf_slice(&c->application) : SLICE("AppDial");
}

static struct slice application_data(const struct sim_channel *c)
{
    return c->application.n ? buf_slice(&c->data) : SLICE("(Outgoing Line)");
}

void sim_list_channels(struct sim_reply *r)
{
    sim_reply_list(r, "Channels will follow");
    for (struct sim_channel *c = r->pbx->model.channels; c; c = c->hh.next) {
        int64_t s = seconds_since(c->created_us);
        item(r, "CoreShowChannel");
        buf_put_slice(r->out, buf_slice(&c->snapshot));
        sim_reply_line(r, "Application", application(c));
        sim_reply_line(r, "ApplicationData", application_data(c));
        buf_printf(r->out, "Duration: %02lld:%02lld:%02lld\r\n", (long long)(s / 3600),
                   (long long)(s / 60 % 60), (long long)(s % 60));
        sim_reply_line(r, "BridgeId", slice_from(c->bridge));
        sim_reply_end(r);
    }
    list_end(r, "CoreShowChannelsComplete");
}

static void status_item(struct sim_reply *r, const struct sim_channel *c)
{
    struct slice snapshot = buf_slice(&c->snapshot);
    struct slice type = sim_frame_get(snapshot, "Channel");
    const char *slash = type.n ? memchr(type.p, '/', type.n) : NULL;
    sim_reply_item(r, "Status");
    sim_reply_line(r, "Privilege", SLICE("Call"));
    buf_put_slice(r->out, snapshot);
    sim_reply_line(r, "Type", slice_head(type, slash ? (size_t)(slash - type.p) : 0));
    sim_reply_line(r, "DNID", SLICE(""));
    sim_reply_line(r, "EffectiveConnectedLineNum", sim_frame_get(snapshot, "ConnectedLineNum"));
    sim_reply_line(r, "EffectiveConnectedLineName", sim_frame_get(snapshot, "ConnectedLineName"));
    sim_reply_line(r, "TimeToHangup", SLICE("0"));
    sim_reply_line(r, "BridgeID", slice_from(c->bridge));
    sim_reply_line(r, "Application", application(c));
    sim_reply_line(r, "Data", application_data(c));
    buf_put_slice(r->out, SLICE("Nativeformats: (ulaw)\r\nReadformat: ulaw\r\nReadtrans: \r\n"
                                "Writeformat: ulaw\r\nWritetrans: \r\nCallgroup: 2\r\n"
                                "Pickupgroup: 2\r\n"));
    sim_reply_number(r, "Seconds", seconds_since(c->created_us));
    sim_reply_id(r);
    sim_reply_end(r);
}

void sim_list_status(struct sim_reply *r)
{
    struct slice only = sim_frame_get(r->lines, "Channel");
    sim_reply_list(r, "Channel status will follow");
    for (struct sim_channel *c = r->pbx->model.channels; c; c = c->hh.next)
        if (!only.n || slice_equal(only, sim_frame_get(buf_slice(&c->snapshot), "Channel")))
            status_item(r, c);
    sim_reply_complete(r, "StatusComplete");
    sim_reply_number(r, "Items", (int64_t)r->items);
    sim_reply_end(r);
}

void sim_list_bridges(struct sim_reply *r)
{
    sim_reply_list(r, "Bridge listing will follow");
    for (struct sim_bridge *b = r->pbx->model.bridges; b; b = b->hh.next) {
        item(r, "BridgeListItem");
        buf_put_slice(r->out, buf_slice(&b->snapshot));
        sim_reply_end(r);
    }
    list_end(r, "BridgeListComplete");
}

void sim_list_bridge(struct sim_reply *r)
{
    struct slice id = sim_frame_get(r->lines, "BridgeUniqueid");
    const struct sim_bridge *b = sim_model_bridge(&r->pbx->model, id);
    if (!b) {
        sim_reply_error(r, id.n ? "Specified BridgeUniqueid not found"
                                : "BridgeUniqueid must be provided");
        return;
    }
    sim_reply_list(r, "Bridge channel listing will follow");
    for (struct sim_channel *c = r->pbx->model.channels; c; c = c->hh.next) {
        if (!slice_is(id, c->bridge))
            continue;
        item(r, "BridgeInfoChannel");
        buf_put_slice(r->out, buf_slice(&c->snapshot));
        sim_reply_end(r);
    }
    sim_reply_complete(r, "BridgeInfoComplete");
    buf_put_slice(r->out, buf_slice(&b->snapshot));
    sim_reply_end(r);
}

void sim_list_devices(struct sim_reply *r)
{
    sim_reply_list(r, "Device State Changes will follow");
    for (struct sim_device *d = r->pbx->model.devices; d; d = d->hh.next) {
        item(r, "DeviceStateChange");
        sim_reply_line(r, "Device", slice_from(d->name));
        sim_reply_line(r, "State", slice_from(d->state));
        sim_reply_end(r);
    }
    list_end(r, "DeviceStateListComplete");
}

/* A conference is the bridge that ConfBridge made. */
static bool is_room(const struct sim_bridge *b)
{
    return slice_is(sim_frame_get(buf_slice(&b->snapshot), "BridgeCreator"), "ConfBridge");
}

void sim_list_rooms(struct sim_reply *r)
{
    bool any = false;
    for (struct sim_bridge *b = r->pbx->model.bridges; b; b = b->hh.next)
        any = any || is_room(b);
    if (!any) {
        sim_reply_error(r, "No active conferences.");
        return;
    }
    sim_reply_list(r, "Confbridge conferences will follow");
    for (struct sim_bridge *b = r->pbx->model.bridges; b; b = b->hh.next) {
        struct slice snapshot = buf_slice(&b->snapshot);
        if (!is_room(b))
            continue;
        item(r, "ConfbridgeListRooms");
        sim_reply_line(r, "Conference", sim_frame_get(snapshot, "BridgeName"));
        sim_reply_line(r, "Parties", sim_frame_get(snapshot, "BridgeNumChannels"));
        buf_put_slice(r->out, SLICE("Marked: 0\r\nLocked: No\r\nMuted: No\r\n"));
        sim_reply_end(r);
    }
    list_end(r, "ConfbridgeListRoomsComplete");
}

void sim_list_room(struct sim_reply *r)
{
    struct slice name = sim_frame_get(r->lines, "Conference");
    struct sim_bridge *b = r->pbx->model.bridges;
    while (b &&
           !(is_room(b) && slice_equal(name, sim_frame_get(buf_slice(&b->snapshot), "BridgeName"))))
        b = b->hh.next;
    if (!b) {
        sim_reply_error(r, name.n ? "No Conference by that name found."
                                  : "No Conference name provided.");
        return;
    }
    sim_reply_list(r, "Confbridge user list will follow");
    for (struct sim_channel *c = r->pbx->model.channels; c; c = c->hh.next) {
        if (!slice_is(slice_from(b->id), c->bridge))
            continue;
        item(r, "ConfbridgeList");
        sim_reply_line(r, "Conference", name);
        buf_put_slice(r->out,
                      SLICE("Admin: No\r\nMarkedUser: No\r\nWaitMarked: No\r\nEndMarked: No\r\n"
                            "Waiting: No\r\nMuted: No\r\nTalking: No\r\n"));
        sim_reply_number(r, "AnsweredTime", seconds_since(c->created_us));
        buf_put_slice(r->out, buf_slice(&c->snapshot));
        sim_reply_end(r);
    }
    list_end(r, "ConfbridgeListComplete");
}

void sim_list_registrations(struct sim_reply *r)
{
    sim_reply_list(r, "Following are Events for each Outbound registration");
    sim_reply_complete(r, "OutboundRegistrationDetailComplete");
    sim_reply_line(r, "Registered", SLICE("0"));
    sim_reply_line(r, "NotRegistered", SLICE("0"));
    sim_reply_end(r);
}

void sim_answer_settings(struct sim_reply *r)
{
    sim_reply_response(r, "Success", NULL);
    sim_reply_line(r, "AMIversion", slice_from(r->pbx->version));
    sim_reply_line(r, "AsteriskVersion", SLICE("22.10.0"));
    sim_reply_line(r, "SystemName", slice_from(r->pbx->system_name));
    buf_put_slice(r->out, SLICE("CoreMaxCalls: 0\r\nCoreMaxLoadAvg: 0.000000\r\nCoreRunUser: \r\n"
                                "CoreRunGroup: \r\nCoreMaxFilehandles: 0\r\n"
                                "CoreRealTimeEnabled: No\r\nCoreCDRenabled: Yes\r\n"
                                "CoreHTTPenabled: No\r\nSoundsSearchCustomDir: No\r\n"));
    sim_reply_end(r);
}

void sim_answer_status(struct sim_reply *r)
{
    const struct sim_model *model = &r->pbx->model;
    time_t start = (time_t)(r->pbx->started_us / 1000000);
    struct tm tm;
    char date[32] = "", clock[32] = "";
    if (gmtime_r(&start, &tm)) {
        strftime(date, sizeof(date), "%Y-%m-%d", &tm);
        strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    }
    sim_reply_response(r, "Success", NULL);
    sim_reply_line(r, "CoreStartupDate", slice_from(date));
    sim_reply_line(r, "CoreStartupTime", slice_from(clock));
    sim_reply_line(r, "CoreReloadDate", slice_from(date));
    sim_reply_line(r, "CoreReloadTime", slice_from(clock));
    sim_reply_number(r, "CoreCurrentCalls", (int64_t)(model->calls_started - model->calls_ended));
    sim_reply_number(r, "CoreProcessedCalls", (int64_t)model->calls_started);
    sim_reply_end(r);
}
