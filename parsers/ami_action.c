/* SPDX-License-Identifier: MIT */
#include "parsers/ami_action.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

static const char *const names[AMI_ACTION_TOTAL] = {
    "",
#define AMI_ACTION(id, name) name,
#include "schemas/ami_actions.def"
#undef AMI_ACTION
};

const char *ami_action_name(enum ami_action action)
{
    assert(action < AMI_ACTION_TOTAL);
    return names[action];
}

enum ami_action ami_action_from_name(struct slice name)
{
    for (enum ami_action a = AMI_ACTION_NONE + 1; a < AMI_ACTION_TOTAL; a++) {
        if (strlen(names[a]) == name.n && strncasecmp(names[a], name.p, name.n) == 0)
            return a;
    }
    return AMI_ACTION_NONE;
}

static bool is_printable(struct slice value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c < 0x20 || c == 0x7F)
            return false;
    }
    return value.n > 0;
}

static bool is_made_of(struct slice value, const char *allowed)
{
    for (size_t i = 0; i < value.n; i++) {
        if (!value.p[i] || !strchr(allowed, value.p[i]))
            return false;
    }
    return value.n > 0;
}

static bool is_event_mask(struct slice mask)
{
    return is_made_of(mask, "abcdefghijklmnopqrstuvwxyz,");
}

/* One header line. Its value is the only thing in it that is not ours. */
static bool put(struct ami_action_text *text, const char *header, struct slice value)
{
    size_t space = sizeof(text->bytes) - text->n;
    size_t length = strlen(header) + 2 + value.n + 2;
    if (length > AMI_ACTION_LINE_MAX || length >= space || !is_printable(value))
        return false;
    snprintf(text->bytes + text->n, space, "%s: %.*s\r\n", header, (int)value.n, value.p);
    text->n += length;
    return true;
}

static bool begin(struct ami_action_text *text, enum ami_action action, uint32_t action_id)
{
    char id[16];
    int n = snprintf(id, sizeof(id), "%" PRIu32, action_id);
    text->n = 0;
    return put(text, "Action", slice_from(ami_action_name(action))) &&
           put(text, "ActionID", (struct slice){id, (size_t)n});
}

/* Ends the action with a blank line, or leaves nothing of it. */
static bool finish(struct ami_action_text *text, bool good)
{
    if (!good || sizeof(text->bytes) - text->n < 2) {
        text->n = 0;
        return false;
    }
    memcpy(text->bytes + text->n, "\r\n", 2);
    text->n += 2;
    return true;
}

bool ami_action_plain(enum ami_action action, uint32_t action_id, struct ami_action_text *ret_text)
{
    bool good = action != AMI_ACTION_NONE && begin(ret_text, action, action_id);
    switch (action) {
    case AMI_ACTION_NONE:
    case AMI_ACTION_LOGIN:
    case AMI_ACTION_EVENTS:
    case AMI_ACTION_BRIDGEINFO:
    case AMI_ACTION_CONFBRIDGELIST:
        good = false;
        break;
    case AMI_ACTION_CHALLENGE:
        good = good && put(ret_text, "AuthType", SLICE("MD5"));
        break;
    default:
        break;
    }
    return finish(ret_text, good);
}

bool ami_action_login_md5(const struct ami_login *login, struct slice key_hex, uint32_t action_id,
                          struct ami_action_text *ret_text)
{
    bool good = key_hex.n == 32 && is_made_of(key_hex, "0123456789abcdef") &&
                is_event_mask(login->events) && begin(ret_text, AMI_ACTION_LOGIN, action_id) &&
                put(ret_text, "AuthType", SLICE("MD5")) && put(ret_text, "Username", login->user) &&
                put(ret_text, "Key", key_hex) && put(ret_text, "Events", login->events);
    return finish(ret_text, good);
}

bool ami_action_login_secret(const struct ami_login *login, struct slice secret, uint32_t action_id,
                             struct ami_action_text *ret_text)
{
    bool good = is_event_mask(login->events) && begin(ret_text, AMI_ACTION_LOGIN, action_id) &&
                put(ret_text, "Username", login->user) && put(ret_text, "Secret", secret) &&
                put(ret_text, "Events", login->events);
    return finish(ret_text, good);
}

bool ami_action_events(struct slice events, uint32_t action_id, struct ami_action_text *ret_text)
{
    bool good = is_event_mask(events) && begin(ret_text, AMI_ACTION_EVENTS, action_id) &&
                put(ret_text, "EventMask", events);
    return finish(ret_text, good);
}

bool ami_action_bridge_info(struct slice bridge, uint32_t action_id,
                            struct ami_action_text *ret_text)
{
    bool good = begin(ret_text, AMI_ACTION_BRIDGEINFO, action_id) &&
                put(ret_text, "BridgeUniqueid", bridge);
    return finish(ret_text, good);
}

bool ami_action_confbridge_list(struct slice conference, uint32_t action_id,
                                struct ami_action_text *ret_text)
{
    bool good = begin(ret_text, AMI_ACTION_CONFBRIDGELIST, action_id) &&
                put(ret_text, "Conference", conference);
    return finish(ret_text, good);
}
