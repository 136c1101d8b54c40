/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_snapshot.h"
#include "parsers/ami_text.h"
#include <strings.h>

static const struct {
    enum ami_action action;
    enum ami_snapshot_lists list; /* that it belongs to */
} steps[] = {
    {AMI_ACTION_CORESTATUS, AMI_SNAPSHOT_CHANNELS},
    {AMI_ACTION_CORESHOWCHANNELS, AMI_SNAPSHOT_CHANNELS},
    {AMI_ACTION_STATUS, AMI_SNAPSHOT_CHANNELS},
    {AMI_ACTION_BRIDGELIST, AMI_SNAPSHOT_BRIDGES},
    {AMI_ACTION_BRIDGEINFO, AMI_SNAPSHOT_BRIDGES},
    {AMI_ACTION_QUEUESTATUS, AMI_SNAPSHOT_QUEUES},
    {AMI_ACTION_DEVICESTATELIST, AMI_SNAPSHOT_DEVICES},
    {AMI_ACTION_PJSIPSHOWREGISTRATIONSOUTBOUND, AMI_SNAPSHOT_REGISTRATIONS},
    {AMI_ACTION_CORESETTINGS, AMI_SNAPSHOT_RIGHTS},
    {AMI_ACTION_LISTCOMMANDS, AMI_SNAPSHOT_RIGHTS},
};
#define STEPS (sizeof steps / sizeof steps[0])

void ami_snapshot_begin(struct ami_snapshot *s, unsigned lists)
{
    s->lists = lists;
    s->step = 0;
    s->action = AMI_ACTION_NONE;
    s->bridges = s->next_bridge = 0;
}

bool ami_snapshot_next(struct ami_snapshot *s, uint32_t action_id, struct ami_action_text *ret_text)
{
    bool written = false;
    while (!written && s->step < STEPS) {
        s->action = steps[s->step].action;
        if (!(steps[s->step].list & s->lists)) {
            s->step++;
        } else if (s->action != AMI_ACTION_BRIDGEINFO) {
            s->step++;
            written = ami_action_plain(s->action, action_id, ret_text);
        } else if (s->next_bridge == s->bridges) {
            s->step++;
        } else {
            struct slice id = slice_from(s->bridge_ids[s->next_bridge++]);
            written = ami_action_bridge_info(id, action_id, ret_text);
        }
    }
    s->action = written ? s->action : AMI_ACTION_NONE;
    s->action_id = action_id;
    return written;
}

/* A bridge without members has nobody to tell of. */
static void keep_bridge(struct ami_snapshot *s, const struct ami_message *m)
{
    struct slice id = ami_message_get(m, AMI_HEADER_BRIDGEUNIQUEID);
    int64_t members = 1;
    if (ami_text_int(ami_message_get(m, AMI_HEADER_BRIDGENUMCHANNELS), &members) && members == 0) {
        return;
    }
    if (id.n == 0 || id.n > AMI_SNAPSHOT_BRIDGE_ID_MAX || s->bridges == AMI_SNAPSHOT_BRIDGES_MAX) {
        s->bridges_left_out++;
        return;
    }
    memcpy(s->bridge_ids[s->bridges], id.p, id.n);
    s->bridge_ids[s->bridges++][id.n] = '\0';
}

/* The event that ends the list of an action. Newer Asterisks also say "EventList: Complete" in it,
 * but not all of their modules do. */
static enum ami_event_id last_event(enum ami_action action)
{
    switch (action) {
    case AMI_ACTION_CORESHOWCHANNELS:
        return AMI_EVENT_CORESHOWCHANNELSCOMPLETE;
    case AMI_ACTION_STATUS:
        return AMI_EVENT_STATUSCOMPLETE;
    case AMI_ACTION_BRIDGELIST:
        return AMI_EVENT_BRIDGELISTCOMPLETE;
    case AMI_ACTION_BRIDGEINFO:
        return AMI_EVENT_BRIDGEINFOCOMPLETE;
    case AMI_ACTION_QUEUESTATUS:
        return AMI_EVENT_QUEUESTATUSCOMPLETE;
    case AMI_ACTION_DEVICESTATELIST:
        return AMI_EVENT_DEVICESTATELISTCOMPLETE;
    case AMI_ACTION_PJSIPSHOWREGISTRATIONSOUTBOUND:
        return AMI_EVENT_OUTBOUNDREGISTRATIONDETAILCOMPLETE;
    default:
        return AMI_EVENT_UNKNOWN;
    }
}

/* By the response alone, without events behind it. */
static bool is_answered_at_once(enum ami_action action)
{
    return action == AMI_ACTION_CORESTATUS || action == AMI_ACTION_CORESETTINGS ||
           action == AMI_ACTION_LISTCOMMANDS;
}

static bool is(struct slice value, const char *word)
{
    return value.n == strlen(word) && strncasecmp(value.p, word, value.n) == 0;
}

enum ami_snapshot_verdict ami_snapshot_take(struct ami_snapshot *s, const struct ami_message *m)
{
    uint32_t id = 0;
    if (s->action == AMI_ACTION_NONE ||
        !ami_text_unsigned(ami_message_get(m, AMI_HEADER_ACTIONID), &id) || id != s->action_id) {
        return AMI_SNAPSHOT_NOT_MINE;
    }
    if (m->kind == AMI_FRAME_RESPONSE) {
        if (!is(m->name, "Success"))
            return AMI_SNAPSHOT_REFUSED;
        return is_answered_at_once(s->action) ? AMI_SNAPSHOT_DONE : AMI_SNAPSHOT_PART;
    }
    if (m->event == AMI_EVENT_BRIDGELISTITEM) {
        keep_bridge(s, m);
    }
    struct slice list = ami_message_get(m, AMI_HEADER_EVENTLIST);
    bool last = m->event == last_event(s->action) || is(list, "Complete") || is(list, "Cancelled");
    return last ? AMI_SNAPSHOT_DONE : AMI_SNAPSHOT_PART;
}
