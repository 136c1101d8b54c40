/* SPDX-License-Identifier: MIT */
#include "collector/facts/tap_internal.h"
#include "parsers/ami_vocab.h"

/* The number of the last event before a list was asked for; all of them when none is. */
static uint64_t asked(const struct tap *tap, enum tap_list list)
{
    return tap->list_asked[list] ? tap->list_began[list] : UINT64_MAX;
}

void tap_on_device_state(struct tap *tap, const struct ami_message *m)
{
    endpoints_device(&tap->endpoints, m, asked(tap, TAP_LIST_DEVICES));
}

void tap_on_contact_status(struct tap *tap, const struct ami_message *m)
{
    endpoints_contact(&tap->endpoints, m);
}

void tap_on_peer_status(struct tap *tap, const struct ami_message *m)
{
    endpoints_peer(&tap->endpoints, m);
}

void tap_on_registry(struct tap *tap, const struct ami_message *m)
{
    registrations_event(&tap->registrations, m);
}

void tap_on_registration_item(struct tap *tap, const struct ami_message *m)
{
    const struct registration *r =
        registrations_item(&tap->registrations, m, asked(tap, TAP_LIST_REGISTRATIONS));
    if (r && r->endpoint)
        tap_want_trunk(tap, r->endpoint);
}

static void leave(struct tap *tap, struct channel *c, int64_t cause)
{
    trunk_end(&tap->trunks, c->trunk, cause);
    c->trunk = NULL;
    c->trunk_attempt = c->trunk_answered = false;
    saved_touch(&c->saved);
}

void tap_follow_trunk(struct tap *tap, struct channel *c, enum trunk_call how)
{
    struct trunk *t = trunks_of_channel(&tap->trunks, channel_name(c));
    if (c->trunk != t) {
        if (c->trunk)
            leave(tap, c, -1); /* a masquerade took it to another device */
        c->trunk = t;
        if (!t)
            return;
        c->trunk_attempt = how != TRUNK_CALL_KNOWN;
        trunk_begin(&tap->trunks, t, how);
        saved_touch(&c->saved);
    }
    if (t && c->trunk_attempt && !c->trunk_answered && snapshot_state(c->now) == AMI_CHANNEL_UP) {
        c->trunk_answered = true;
        trunk_answer(&tap->trunks, t);
    }
}

void tap_leave_trunk(struct tap *tap, struct channel *c, bool lost)
{
    bool failed = c->trunk_attempt && !c->trunk_answered && !lost;
    if (c->trunk)
        leave(tap, c, failed ? snapshot_cause(c->now) : -1);
}

void tap_rejoin_trunk(struct tap *tap, struct channel *c)
{
    c->trunk = trunks_of_channel(&tap->trunks, channel_name(c));
    if (c->trunk)
        trunk_rejoin(c->trunk);
}

void tap_want_trunk(struct tap *tap, const char *endpoint)
{
    struct slice name = endpoint_of_line(slice_from(endpoint));
    struct trunk *known = table_find(&tap->trunks.by_name, name);
    size_t position = 0;
    struct channel *c;
    if (tap->options.trunk_count || !trunks_want(&tap->trunks, name) || known)
        return;
    while ((c = table_next(&tap->channels, &position)))
        tap_follow_trunk(tap, c, TRUNK_CALL_KNOWN);
}
