/* SPDX-License-Identifier: MIT */
#include "collector/facts/registration.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/endpoint.h"
#include <stdio.h>
#include <stdlib.h>

static struct slice key_of(const void *value)
{
    return slice_from(((const struct registration *)value)->key);
}

struct registrations registrations_new(struct emitter *emit, size_t max)
{
    return (struct registrations){.by_key = table_new(max, key_of), .emit = emit};
}

static void registration_free(struct registration *r)
{
    free(r->key);
    free(r->channeltype);
    free(r->username);
    free(r->domain);
    free(r->name);
    free(r->endpoint);
    free(r->state);
    free(r->cause);
    free(r);
}

void registrations_free(struct registrations *registrations)
{
    size_t position = 0;
    struct registration *r;
    while ((r = table_next(&registrations->by_key, &position)))
        registration_free(r);
    table_free(&registrations->by_key);
}

static void touch(struct registrations *registrations, struct registration *r)
{
    saved_touch(&r->saved);
    if (r->changed)
        return;
    r->changed = true;
    r->next_changed = registrations->changed;
    registrations->changed = r;
}

static struct registration *add(struct registrations *registrations, struct slice key)
{
    struct registration *r = memory_zeroed(1, sizeof(*r));
    if (!r)
        return NULL;
    if (!text_set(&r->key, key) || !table_add(&registrations->by_key, r)) {
        registrations->refused++;
        registration_free(r);
        return NULL;
    }
    r->saved = (struct saved){.kind = SAVED_REGISTRATION, .list = registrations->saved};
    return r;
}

/* The registration of a technology, a username and a domain; made when it is new. */
static struct registration *get(struct registrations *registrations, struct slice channeltype,
                                struct slice username, struct slice domain)
{
    char key[640], user_text[256], domain_text[256];
    struct slice type = slice_head(channeltype, 32);
    struct slice user = endpoint_uri(username, user_text);
    struct slice at = endpoint_uri(domain, domain_text);
    if (!type.n || !at.n)
        return NULL;
    int n = snprintf(key, sizeof(key), "%.*s/%.*s/%.*s", (int)type.n, type.p, (int)user.n,
                     user.n ? user.p : "", (int)at.n, at.p);
    struct registration *r = table_find(&registrations->by_key, (struct slice){key, (size_t)n});
    if (!r)
        r = add(registrations, (struct slice){key, (size_t)n});
    if (r) {
        text_set(&r->channeltype, type);
        text_set(&r->username, user);
        text_set(&r->domain, at);
    }
    return r;
}

/* The interval that ends now. */
static void tell_interval(struct registrations *registrations, const struct registration *r)
{
    struct emit_about about = {.kind = FACT_REGISTRATION,
                               .subject = slice_from(r->key),
                               .key = slice_from(r->key),
                               .flags = r->since_snapshot ? FACT_IS_INFERRED : 0};
    if (!r->state || registrations->emit->now <= r->since)
        return;
    struct fact_builder *f = emit_begin(registrations->emit, &about);
    fact_put_known(f, FIELD_REGISTRATION, slice_from(r->name));
    fact_put_string(f, FIELD_CHANNELTYPE, slice_from(r->channeltype));
    fact_put_known(f, FIELD_USERNAME, slice_from(r->username));
    fact_put_known(f, FIELD_DOMAIN, slice_from(r->domain));
    fact_put_known(f, FIELD_ENDPOINT, slice_from(r->endpoint));
    fact_put_string(f, FIELD_STATE, slice_from(r->state));
    fact_put_known(f, FIELD_REASON, slice_from(r->cause));
    fact_put_time(f, FIELD_START, r->since);
    fact_put_time(f, FIELD_END, registrations->emit->now);
    fact_put_seconds(f, FIELD_DURATION, registrations->emit->now - r->since);
    emit_end(registrations->emit);
}

/* The only place where the state changes. A refresh of what it is already is no news. */
static void change_state(struct registrations *registrations, struct registration *r,
                         struct slice state, struct slice cause)
{
    r->seen = registrations->emit->event;
    if (!state.n || slice_equal(slice_from(r->state), state))
        return;
    tell_interval(registrations, r);
    text_set(&r->state, state);
    text_set(&r->cause, cause);
    r->since = registrations->emit->now;
    r->since_snapshot = !emit_is_new(registrations->emit);
    touch(registrations, r);
}

void registrations_event(struct registrations *registrations, const struct ami_message *m)
{
    struct registration *r =
        get(registrations, ami_message_get(m, AMI_HEADER_CHANNELTYPE),
            ami_message_get(m, AMI_HEADER_USERNAME), ami_message_get(m, AMI_HEADER_DOMAIN));
    if (r)
        change_state(registrations, r, slice_head(ami_message_get(m, AMI_HEADER_STATUS), 64),
                     slice_head(ami_message_get(m, AMI_HEADER_CAUSE), 256));
}

static void take_text(struct registrations *registrations, struct registration *r, char **where,
                      struct slice text)
{
    if (!text.n || slice_equal(slice_from(*where), text))
        return;
    text_set(where, text);
    touch(registrations, r);
}

const struct registration *registrations_item(struct registrations *registrations,
                                              const struct ami_message *m, uint64_t asked)
{
    char name[256];
    struct registration *r =
        get(registrations, SLICE("PJSIP"), ami_message_get(m, AMI_HEADER_CLIENTURI),
            ami_message_get(m, AMI_HEADER_SERVERURI));
    if (!r)
        return NULL;
    struct slice endpoint = slice_head(ami_message_get(m, AMI_HEADER_ENDPOINT), 240);
    take_text(registrations, r, &r->name,
              slice_head(ami_message_get(m, AMI_HEADER_OBJECTNAME), 240));
    if (endpoint.n) {
        int n = snprintf(name, sizeof(name), "PJSIP/%.*s", (int)endpoint.n, endpoint.p);
        take_text(registrations, r, &r->endpoint, (struct slice){name, (size_t)n});
    }
    if (r->seen <= asked)
        change_state(registrations, r, slice_head(ami_message_get(m, AMI_HEADER_STATUS), 64),
                     SLICE(""));
    return r;
}

static void registration_end(struct registrations *registrations, struct registration *r)
{
    struct slice key = slice_from(r->key);
    struct emit_about about = {
        .kind = FACT_REGISTRATION_STATE, .subject = key, .key = key, .flags = FACT_IS_TOMBSTONE};
    tell_interval(registrations, r);
    emit_begin(registrations->emit, &about);
    emit_end(registrations->emit);
    saved_end(&r->saved, SLICE("registration/"), key);
    table_remove(&registrations->by_key, key);
    registration_free(r);
}

/* Any that the list should have held and did not. */
static struct registration *find_missing(struct registrations *registrations, uint64_t asked)
{
    size_t position = 0;
    struct registration *r;
    while ((r = table_next(&registrations->by_key, &position))) {
        if (r->seen <= asked && slice_is(slice_from(r->channeltype), "PJSIP"))
            return r;
    }
    return NULL;
}

void registrations_lose_missing(struct registrations *registrations, uint64_t asked)
{
    struct registration *r;
    registrations_tell(registrations);
    while ((r = find_missing(registrations, asked)))
        registration_end(registrations, r);
}

static void tell_state(struct registrations *registrations, struct registration *r)
{
    struct emit_about about = {
        .kind = FACT_REGISTRATION_STATE, .subject = slice_from(r->key), .key = slice_from(r->key)};
    struct fact_builder *f = emit_begin(registrations->emit, &about);
    fact_put_known(f, FIELD_REGISTRATION, slice_from(r->name));
    fact_put_string(f, FIELD_CHANNELTYPE, slice_from(r->channeltype));
    fact_put_known(f, FIELD_USERNAME, slice_from(r->username));
    fact_put_known(f, FIELD_DOMAIN, slice_from(r->domain));
    fact_put_known(f, FIELD_ENDPOINT, slice_from(r->endpoint));
    fact_put_known(f, FIELD_STATE, slice_from(r->state));
    fact_put_known(f, FIELD_REASON, slice_from(r->cause));
    fact_put_time(f, FIELD_SINCE, r->state ? r->since : 0);
    emit_end_state(registrations->emit, &about, &r->told);
}

void registrations_tell(struct registrations *registrations)
{
    while (registrations->changed) {
        struct registration *r = registrations->changed;
        registrations->changed = r->next_changed;
        r->changed = false;
        tell_state(registrations, r);
    }
}

struct registration *registrations_restore(struct registrations *registrations,
                                           struct slice channeltype, struct slice username,
                                           struct slice domain)
{
    struct registration *r = get(registrations, channeltype, username, domain);
    if (r)
        r->saved.stored = true;
    return r;
}

void registrations_restored(struct registrations *registrations)
{
    size_t position = 0;
    struct registration *r;
    while ((r = table_next(&registrations->by_key, &position)))
        touch(registrations, r);
    registrations_tell(registrations);
}

void registrations_blind(struct registrations *registrations)
{
    size_t position = 0;
    struct registration *r;
    while ((r = table_next(&registrations->by_key, &position))) {
        r->since_snapshot = true;
        saved_touch(&r->saved);
    }
}
