/* SPDX-License-Identifier: MIT */
#include "collector/facts/endpoint.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "parsers/ami_text.h"
#include "parsers/ami_vocab.h"
#include <stdlib.h>

/* Asterisk makes devices of everything that has channels or hints; these are the technologies with
 * something at the other end of a wire. */
static bool is_technology(struct slice word)
{
    static const char *const names[] = {"PJSIP",  "SIP",     "IAX2", "DAHDI",  "SCCP",
                                        "Skinny", "UNISTIM", "MGCP", "OOH323", "Mobile"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_is(word, names[i]))
            return true;
    }
    return false;
}

struct slice endpoint_of_line(struct slice device)
{
    const char *slash = device.n ? memchr(device.p, '/', device.n) : NULL;
    size_t n = slash ? (size_t)(slash - device.p) + 1 : 0;
    if (n < 2 || n == device.n)
        return SLICE("");
    const char *second = memchr(device.p + n, '/', device.n - n);
    return second ? slice_head(device, (size_t)(second - device.p)) : device;
}

struct slice endpoint_of_device(struct slice device)
{
    struct slice name = endpoint_of_line(device);
    const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
    if (!slash || slash + 1 == name.p + name.n)
        return SLICE("");
    return is_technology(slice_head(name, (size_t)(slash - name.p))) ? name : SLICE("");
}

struct slice endpoint_uri(struct slice uri, char text[256])
{
    const char *question = uri.n ? memchr(uri.p, '?', uri.n) : NULL;
    uri = slice_head(uri, question ? (size_t)(question - uri.p) : uri.n);
    const char *at = uri.n ? memrchr(uri.p, '@', uri.n) : NULL;
    size_t user = at ? (size_t)(at - uri.p) : 0;
    const char *scheme = user ? memchr(uri.p, ':', user) : NULL;
    size_t from = scheme ? (size_t)(scheme - uri.p) + 1 : 0;
    const char *colon = scheme ? memchr(uri.p + from, ':', user - from) : NULL;
    size_t head = colon ? (size_t)(colon - uri.p) : user;
    size_t n = slice_head((struct slice){uri.p, head}, 128).n;
    if (n)
        memcpy(text, uri.p, n);
    struct slice tail = slice_head(slice_from_offset(uri, user), 127);
    if (tail.n)
        memcpy(text + n, tail.p, tail.n);
    return (struct slice){text, n + tail.n};
}

static struct slice key_of(const void *value)
{
    return slice_from(((const struct endpoint *)value)->name);
}

struct endpoints endpoints_new(struct emitter *emit, size_t max)
{
    return (struct endpoints){.by_name = table_new(max, key_of), .emit = emit};
}

static void contact_clear(struct endpoint_contact *c)
{
    free(c->uri);
    free(c->status);
}

static void forget_contacts(struct endpoint *e)
{
    for (size_t i = 0; i < e->count; i++)
        contact_clear(&e->contacts[i]);
    free(e->contacts);
    e->contacts = NULL;
    e->count = 0;
}

static void endpoint_free(struct endpoint *e)
{
    forget_contacts(e);
    free(e->name);
    free(e->address);
    free(e);
}

void endpoints_free(struct endpoints *endpoints)
{
    size_t position = 0;
    struct endpoint *e;
    while ((e = table_next(&endpoints->by_name, &position)))
        endpoint_free(e);
    table_free(&endpoints->by_name);
}

static void touch(struct endpoints *endpoints, struct endpoint *e)
{
    saved_touch(&e->saved);
    if (e->changed)
        return;
    e->changed = true;
    e->next_changed = endpoints->changed;
    endpoints->changed = e;
}

static struct endpoint *get(struct endpoints *endpoints, struct slice name)
{
    struct endpoint *e = table_find(&endpoints->by_name, name);
    if (e || !name.n)
        return e;
    e = memory_zeroed(1, sizeof(*e));
    if (!e)
        return NULL;
    if (!text_set(&e->name, name) || !table_add(&endpoints->by_name, e)) {
        endpoints->refused++;
        endpoint_free(e);
        return NULL;
    }
    e->state = ENDPOINT_NO_STATE;
    e->saved = (struct saved){.kind = SAVED_ENDPOINT, .list = endpoints->saved};
    return e;
}

/* The interval that ends now. */
static void tell_interval(struct endpoints *endpoints, const struct endpoint *e)
{
    struct slice name = slice_from(e->name);
    struct emit_about about = {.kind = FACT_ENDPOINT,
                               .subject = name,
                               .key = name,
                               .flags = e->since_snapshot ? FACT_IS_INFERRED : 0};
    if (e->state == ENDPOINT_NO_STATE || endpoints->emit->now <= e->since)
        return;
    struct fact_builder *f = emit_begin(endpoints->emit, &about);
    fact_put_string(f, FIELD_ENDPOINT, name);
    fact_put_string(f, FIELD_STATE, slice_from(ami_device_state_name(e->state)));
    fact_put_time(f, FIELD_START, e->since);
    fact_put_time(f, FIELD_END, endpoints->emit->now);
    fact_put_seconds(f, FIELD_DURATION, endpoints->emit->now - e->since);
    emit_end(endpoints->emit);
}

/* The only place where the state changes. */
static void change_state(struct endpoints *endpoints, struct endpoint *e, int state)
{
    tell_interval(endpoints, e);
    e->since_snapshot = !emit_is_new(endpoints->emit);
    e->state = state;
    e->since = endpoints->emit->now;
    touch(endpoints, e);
}

/* A list shows that a phone came or went unseen: its contacts are no longer what events told. */
static void doubt_contacts(struct endpoint *e, int state)
{
    bool was_there = e->state != AMI_DEVICE_UNAVAILABLE;
    if (e->state == ENDPOINT_NO_STATE || was_there == (state != AMI_DEVICE_UNAVAILABLE))
        return;
    forget_contacts(e);
    e->registered = ENDPOINT_NOT_KNOWN;
    text_set(&e->address, SLICE(""));
}

void endpoints_device(struct endpoints *endpoints, const struct ami_message *m, uint64_t asked)
{
    struct slice name = endpoint_of_device(ami_message_get(m, AMI_HEADER_DEVICE));
    int state = ami_device_state_from_slice(ami_message_get(m, AMI_HEADER_STATE));
    struct endpoint *e = name.n ? table_find(&endpoints->by_name, name) : NULL;
    bool from_list = endpoints->emit->from_list;
    /* Dialling a name that does not exist also raises INVALID. */
    if (!e && state != AMI_DEVICE_INVALID)
        e = get(endpoints, name);
    if (!e || (from_list && e->seen > asked))
        return;
    e->seen = endpoints->emit->event;
    if (e->state == state)
        return;
    if (from_list)
        doubt_contacts(e, state);
    change_state(endpoints, e, state);
}

static struct endpoint_contact *find_contact(struct endpoint *e, struct slice uri)
{
    for (size_t i = 0; i < e->count; i++) {
        if (slice_equal(slice_from(e->contacts[i].uri), uri))
            return &e->contacts[i];
    }
    return NULL;
}

static struct endpoint_contact *add_contact(struct endpoints *endpoints, struct endpoint *e,
                                            struct slice uri)
{
    struct endpoint_contact *more =
        e->count < ENDPOINT_CONTACTS_MAX
            ? memory_resized(e->contacts, (e->count + 1) * sizeof(*e->contacts))
            : NULL;
    if (!more) {
        endpoints->refused++;
        return NULL;
    }
    e->contacts = more;
    more[e->count] = (struct endpoint_contact){0};
    return text_set(&more[e->count].uri, uri) ? &more[e->count++] : NULL;
}

static void remove_contact(struct endpoints *endpoints, struct endpoint *e, struct slice uri)
{
    struct endpoint_contact *c = find_contact(e, uri);
    if (c) {
        contact_clear(c);
        *c = e->contacts[--e->count];
    }
    e->registered = e->count ? ENDPOINT_REGISTERED : ENDPOINT_UNREGISTERED;
    touch(endpoints, e);
}

/* A round trip alone is no news: it is told with the next change. */
static void take_contact(struct endpoints *endpoints, struct endpoint *e,
                         const struct endpoint_contact *seen)
{
    struct endpoint_contact *c = find_contact(e, slice_from(seen->uri));
    if (!c)
        c = add_contact(endpoints, e, slice_from(seen->uri));
    if (!c)
        return;
    if (c->roundtrip != seen->roundtrip)
        saved_touch(&e->saved);
    c->roundtrip = seen->roundtrip;
    if (slice_equal(slice_from(c->status), slice_from(seen->status)))
        return;
    text_set(&c->status, slice_from(seen->status));
    touch(endpoints, e);
}

/* "PJSIP/" and a name, in text; empty when it is too long. */
static struct slice pjsip_name(struct slice name, char text[256])
{
    if (!name.n || name.n > 248)
        return SLICE("");
    memcpy(text, "PJSIP/", 6);
    memcpy(text + 6, name.p, name.n);
    return (struct slice){text, name.n + 6};
}

void endpoints_contact(struct endpoints *endpoints, const struct ami_message *m)
{
    char name_text[256], uri_text[256];
    struct slice name = ami_message_get(m, AMI_HEADER_ENDPOINTNAME);
    struct slice status = ami_message_get(m, AMI_HEADER_CONTACTSTATUS);
    struct slice uri = endpoint_uri(ami_message_get(m, AMI_HEADER_URI), uri_text);
    struct endpoint_contact seen = {0};
    if (!name.n)
        name = ami_message_get(m, AMI_HEADER_AOR);
    struct endpoint *e = uri.n ? get(endpoints, pjsip_name(name, name_text)) : NULL;
    if (!e)
        return;
    if (slice_is(status, "Removed")) {
        remove_contact(endpoints, e, uri);
        return;
    }
    ami_text_int(ami_message_get(m, AMI_HEADER_ROUNDTRIPUSEC), &seen.roundtrip);
    if (e->registered != ENDPOINT_REGISTERED) {
        e->registered = ENDPOINT_REGISTERED;
        touch(endpoints, e);
    }
    if (text_set(&seen.uri, uri) && text_set(&seen.status, status))
        take_contact(endpoints, e, &seen);
    contact_clear(&seen);
}

static void take_address(struct endpoint *e, const struct ami_message *m)
{
    char text[256];
    struct slice address = slice_head(ami_message_get(m, AMI_HEADER_ADDRESS), 200);
    struct slice port = slice_head(ami_message_get(m, AMI_HEADER_PORT), 8);
    if (!address.n)
        return;
    memcpy(text, address.p, address.n);
    size_t n = address.n;
    if (port.n && !slice_is(port, "0")) {
        text[n++] = ':';
        memcpy(text + n, port.p, port.n);
        n += port.n;
    }
    text_set(&e->address, (struct slice){text, n});
}

/* A peer has one contact: it is replaced by what was heard last. */
static void take_reachable(struct endpoints *endpoints, struct endpoint *e,
                           const struct ami_message *m)
{
    struct endpoint_contact seen = {0};
    struct slice address = e->address ? slice_from(e->address) : slice_from(e->name);
    if (!e->count || !slice_equal(slice_from(e->contacts[0].uri), address))
        forget_contacts(e);
    if (ami_text_int(ami_message_get(m, AMI_HEADER_TIME), &seen.roundtrip))
        seen.roundtrip = seen.roundtrip > 0 && seen.roundtrip < 1000000 ? seen.roundtrip * 1000 : 0;
    if (text_set(&seen.uri, address) &&
        text_set(&seen.status, ami_message_get(m, AMI_HEADER_PEERSTATUS)))
        take_contact(endpoints, e, &seen);
    contact_clear(&seen);
}

void endpoints_peer(struct endpoints *endpoints, const struct ami_message *m)
{
    struct slice peer = ami_message_get(m, AMI_HEADER_PEER);
    struct slice status = ami_message_get(m, AMI_HEADER_PEERSTATUS);
    /* A PJSIP endpoint's contacts tell more; and a refused attempt says nothing of who is there. */
    if (slice_starts(peer, SLICE("PJSIP/")) || slice_is(status, "Rejected"))
        return;
    struct endpoint *e = get(endpoints, endpoint_of_device(peer));
    if (!e)
        return;
    if (slice_is(status, "Registered") || slice_is(status, "Unregistered")) {
        bool there = slice_is(status, "Registered");
        enum endpoint_registered registered = there ? ENDPOINT_REGISTERED : ENDPOINT_UNREGISTERED;
        if (e->registered != registered)
            touch(endpoints, e);
        e->registered = registered;
        take_address(e, m);
        if (!there)
            forget_contacts(e);
    } else {
        take_address(e, m);
        take_reachable(endpoints, e, m);
    }
}

void endpoints_lose_missing(struct endpoints *endpoints, uint64_t asked)
{
    size_t position = 0;
    struct endpoint *e;
    while ((e = table_next(&endpoints->by_name, &position))) {
        if (e->seen <= asked && e->state != ENDPOINT_NO_STATE)
            change_state(endpoints, e, ENDPOINT_NO_STATE);
    }
}

static void put_contacts(struct fact_builder *f, const struct endpoint *e)
{
    fact_open_array(f, FIELD_CONTACTS);
    for (size_t i = 0; i < e->count; i++) {
        const struct endpoint_contact *c = &e->contacts[i];
        fact_open_object(f, FIELD_CONTACTS);
        fact_put_string(f, FIELD_URI, slice_from(c->uri));
        fact_put_known(f, FIELD_STATUS, slice_from(c->status));
        if (c->roundtrip > 0)
            fact_put_seconds(f, FIELD_ROUNDTRIP_SECONDS, c->roundtrip);
        else
            fact_put_null(f, FIELD_ROUNDTRIP_SECONDS);
        fact_close(f);
    }
    fact_close(f);
}

static void tell_state(struct endpoints *endpoints, struct endpoint *e)
{
    struct slice name = slice_from(e->name);
    struct emit_about about = {.kind = FACT_ENDPOINT_STATE, .subject = name, .key = name};
    struct fact_builder *f = emit_begin(endpoints->emit, &about);
    fact_put_string(f, FIELD_ENDPOINT, name);
    if (e->state == ENDPOINT_NO_STATE)
        fact_put_null(f, FIELD_STATE);
    else
        fact_put_string(f, FIELD_STATE, slice_from(ami_device_state_name(e->state)));
    fact_put_time(f, FIELD_SINCE, e->state == ENDPOINT_NO_STATE ? 0 : e->since);
    if (e->registered == ENDPOINT_NOT_KNOWN)
        fact_put_null(f, FIELD_REGISTERED);
    else
        fact_put_bool(f, FIELD_REGISTERED, e->registered == ENDPOINT_REGISTERED);
    fact_put_known(f, FIELD_ADDRESS, slice_from(e->address));
    put_contacts(f, e);
    emit_end_state(endpoints->emit, &about, &e->told);
}

/* Nothing is known of it any more, or the PBX has no such device (INVALID). */
static bool is_gone(const struct endpoint *e)
{
    return e->state == AMI_DEVICE_INVALID ||
           (e->state == ENDPOINT_NO_STATE && e->registered == ENDPOINT_NOT_KNOWN && !e->count);
}

static void endpoint_end(struct endpoints *endpoints, struct endpoint *e)
{
    struct slice name = slice_from(e->name);
    struct emit_about about = {
        .kind = FACT_ENDPOINT_STATE, .subject = name, .key = name, .flags = FACT_IS_TOMBSTONE};
    emit_begin(endpoints->emit, &about);
    emit_end(endpoints->emit);
    saved_end(&e->saved, SLICE("endpoint/"), name);
    table_remove(&endpoints->by_name, name);
    endpoint_free(e);
}

void endpoints_tell(struct endpoints *endpoints)
{
    while (endpoints->changed) {
        struct endpoint *e = endpoints->changed;
        endpoints->changed = e->next_changed;
        e->changed = false;
        if (is_gone(e))
            endpoint_end(endpoints, e);
        else
            tell_state(endpoints, e);
    }
}

struct endpoint *endpoints_restore(struct endpoints *endpoints, struct slice name)
{
    struct endpoint *e =
        table_find(&endpoints->by_name, name) ? NULL : get(endpoints, endpoint_of_device(name));
    if (e)
        e->saved.stored = true;
    return e;
}

struct endpoint_contact *endpoints_restore_contact(struct endpoints *endpoints, struct endpoint *e,
                                                   struct slice uri)
{
    return uri.n ? add_contact(endpoints, e, uri) : NULL;
}

void endpoints_restored(struct endpoints *endpoints)
{
    size_t position = 0;
    struct endpoint *e;
    while ((e = table_next(&endpoints->by_name, &position)))
        touch(endpoints, e);
    endpoints_tell(endpoints);
}

void endpoints_blind(struct endpoints *endpoints)
{
    size_t position = 0;
    struct endpoint *e;
    while ((e = table_next(&endpoints->by_name, &position))) {
        e->since_snapshot = true;
        saved_touch(&e->saved);
    }
}
