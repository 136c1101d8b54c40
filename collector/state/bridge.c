/* SPDX-License-Identifier: MIT */
#include "collector/state/bridge.h"

#include "collector/base/memory.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

static enum bridge_kind kind_of(const struct ami_message *m)
{
    struct slice type = ami_message_get(m, AMI_HEADER_BRIDGETYPE);
    if (slice_is(type, "parking"))
        return BRIDGE_PARKING;
    struct slice technology = ami_message_get(m, AMI_HEADER_BRIDGETECHNOLOGY);
    return slice_is(technology, "holding_bridge") ? BRIDGE_HOLDING : BRIDGE_BASIC;
}

struct bridge *bridge_make(const struct bridge_values *values)
{
    struct bridge *b = memory_zeroed(1, sizeof(*b));
    if (!b)
        return NULL;
    b->id = memory_bytes(values->id.n + values->name.n + 2);
    if (!b->id) {
        free(b);
        return NULL;
    }
    memcpy(b->id, values->id.p, values->id.n);
    b->id[values->id.n] = 0;
    char *name = b->id + values->id.n + 1;
    if (values->name.n)
        memcpy(name, values->name.p, values->name.n);
    b->name = (struct slice){name, values->name.n};
    b->kind = values->kind;
    b->confbridge = values->confbridge;
    b->stasis = values->stasis;
    b->basic = values->basic;
    return b;
}

struct bridge *bridge_new(const struct ami_message *m)
{
    struct bridge_values values = {
        .id = ami_message_get(m, AMI_HEADER_BRIDGEUNIQUEID),
        .name = ami_text_known(ami_message_get(m, AMI_HEADER_BRIDGENAME)),
        .kind = kind_of(m),
        .confbridge = slice_is(ami_message_get(m, AMI_HEADER_BRIDGECREATOR), "ConfBridge"),
        .stasis = slice_is(ami_message_get(m, AMI_HEADER_BRIDGECREATOR), "Stasis"),
        .basic = slice_is(ami_message_get(m, AMI_HEADER_BRIDGETYPE), "basic")};
    return bridge_make(&values);
}

void bridge_describe(struct bridge *b, const struct ami_message *m)
{
    struct bridge *described = bridge_new(m);
    if (!described)
        return;
    char *id = b->id;
    b->id = described->id;
    described->id = id;
    b->name = described->name;
    b->kind = described->kind;
    b->confbridge = described->confbridge;
    b->stasis = described->stasis;
    b->basic = described->basic;
    bridge_free(described);
}

void bridge_free(struct bridge *b)
{
    if (!b)
        return;
    while (b->count)
        bridge_leave(b, b->members[b->count - 1]);
    free(b->members);
    free(b->id);
    free(b);
}

struct slice bridge_id(const struct bridge *b)
{
    return slice_from(b->id);
}

static int compare(struct slice a, struct slice b)
{
    int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

static bool make_room(struct bridge *b)
{
    if (b->count < b->size)
        return true;
    size_t size = b->size ? b->size * 2 : 4;
    if (size > BRIDGE_MEMBERS_MAX)
        return false;
    struct channel **members = memory_resized(b->members, size * sizeof(struct channel *));
    if (!members)
        return false;
    b->members = members;
    b->size = size;
    return true;
}

bool bridge_enter(struct bridge *b, struct channel *c)
{
    if (c->bridge)
        bridge_leave(c->bridge, c);
    if (!make_room(b))
        return false;
    size_t i = b->count;
    for (; i > 0 && compare(channel_uniqueid(b->members[i - 1]), channel_uniqueid(c)) > 0; i--)
        b->members[i] = b->members[i - 1];
    b->members[i] = c;
    b->count++;
    c->bridge = b;
    saved_touch(&c->saved);
    return true;
}

void bridge_leave(struct bridge *b, struct channel *c)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->members[i] != c)
            continue;
        memmove(b->members + i, b->members + i + 1, (b->count - i - 1) * sizeof(struct channel *));
        b->count--;
        c->bridge = NULL;
        saved_touch(&c->saved);
        return;
    }
}

size_t bridge_population(const struct bridge *b)
{
    return b->count > b->shown ? b->count : b->shown;
}
