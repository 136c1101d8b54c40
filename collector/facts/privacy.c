/* SPDX-License-Identifier: MIT */
#include "collector/facts/privacy.h"

#include "collector/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX  ((size_t)2 * 1024 * 1024)
#define NAMES_MAX ((size_t)1024 * 1024)

enum privacy_class {
    PRIVACY_HARMLESS,
    PRIVACY_DEVICE,
    PRIVACY_ID,
    PRIVACY_NUMBER,
    PRIVACY_TEXT,
    PRIVACY_CLID,
    PRIVACY_ARGS
};

static const unsigned char class_of_field[FIELD_COUNT] = {
#define FACT_FIELD(id, name, privacy) [FIELD_##id] = PRIVACY_##privacy,
#include "schemas/fact_fields.def"
#undef FACT_FIELD
};

struct privacy {
    struct mask mask;
    char name[PRIVACY_TEXT_SIZE];
    struct fact_builder masked;
    struct buf text;  /* one masked value */
    struct buf names; /* subject, key and id */
    int64_t epoch;    /* of the fact at hand, seconds */
    bool plain_args;  /* its queue_log event has numbers of its own only */
};

static void put_name(struct privacy *p)
{
    static const char *const modes[] = {[MASK_CLEAR] = "clear",
                                        [MASK_DIGITS] = "digits",
                                        [MASK_HMAC] = "hmac",
                                        [MASK_DROP] = "drop"};
    char shown[16] = "";
    if (p->mask.mode == MASK_DIGITS)
        snprintf(shown, sizeof(shown), ":%u", p->mask.digits);
    buf_clear(&p->text);
    mask_hash(&p->mask, SLICE("amitap: which key this is"), &p->text);
    /* Eight hex digits of a hash of the key tell two keys apart. */
    if (p->mask.mode == MASK_CLEAR || p->text.failed)
        snprintf(p->name, sizeof(p->name), "clear");
    else
        snprintf(p->name, sizeof(p->name), "%s%s:%u:%.*s", modes[p->mask.mode], shown,
                 p->mask.extension_digits, (int)(strlen(p->mask.key_id) + 9), p->text.p);
}

/* All from the start, so that memory that is short later costs no fact. */
static bool reserve(struct privacy *p)
{
    return p->mask.mode == MASK_CLEAR ||
           (fact_builder_reserve(&p->masked) && buf_reserve(&p->text, TEXT_MAX - p->text.n) &&
            buf_reserve(&p->names, NAMES_MAX));
}

struct privacy *privacy_new(const struct mask *options)
{
    struct privacy *p = memory_zeroed(1, sizeof(*p));
    if (!p)
        return NULL;
    p->mask = *options;
    p->masked = fact_builder_masked();
    p->text = buf_new(TEXT_MAX);
    p->names = buf_new(NAMES_MAX);
    put_name(p);
    if (!p->text.failed && reserve(p))
        return p;
    privacy_free(p);
    return NULL;
}

void privacy_free(struct privacy *p)
{
    if (!p)
        return;
    fact_builder_free(&p->masked);
    buf_free(&p->text);
    buf_free(&p->names);
    explicit_bzero(&p->mask, sizeof(p->mask));
    free(p);
}

bool privacy_is_clear(const struct privacy *p)
{
    return !p || p->mask.mode == MASK_CLEAR;
}

const char *privacy_name(const struct privacy *p)
{
    return p ? p->name : "clear";
}

void privacy_number(const struct privacy *p, struct slice number, struct buf *to)
{
    static const struct mask clear = {.mode = MASK_CLEAR};
    mask_number(p ? &p->mask : &clear, number, to);
}

/* Events of queue_log whose arguments are counts, seconds and unique ids. */
static bool is_plain_event(struct slice event)
{
    static const char *const events[] = {
        "CONNECT",         "COMPLETECALLER", "COMPLETEAGENT", "ABANDON",      "EXITEMPTY",
        "EXITWITHTIMEOUT", "EXITWITHKEY",    "RINGNOANSWER",  "RINGCANCELED", "SYSCOMPAT"};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (slice_is(event, events[i]))
            return true;
    }
    return false;
}

/* Appends what stands for the value; false: nothing does. */
static bool mask_value(struct privacy *p, enum privacy_class privacy, struct slice text)
{
    struct mask_place place = {.epoch = p->epoch, .is_id = privacy == PRIVACY_ID};
    switch (privacy) {
    case PRIVACY_DEVICE:
    case PRIVACY_ID:
        mask_in_place(&p->mask, text, place, &p->text);
        return true;
    case PRIVACY_NUMBER:
    case PRIVACY_ARGS:
        return mask_number(&p->mask, text, &p->text);
    case PRIVACY_CLID:
        mask_clid(&p->mask, text, &p->text);
        return true;
    case PRIVACY_HARMLESS:
    case PRIVACY_TEXT:
    default:
        return mask_text(&p->mask, text, &p->text);
    }
}

static struct slice on_string(void *ctx, const struct fact_place *at, struct slice text)
{
    struct privacy *p = ctx;
    enum privacy_class privacy = (enum privacy_class)class_of_field[at->field];
    /* A UserEvent's header names are the dialplan's, unlike the names of people. */
    if (at->field == FIELD_NAME && at->within == FIELD_HEADERS)
        privacy = PRIVACY_DEVICE;
    if (privacy == PRIVACY_HARMLESS || (privacy == PRIVACY_ARGS && p->plain_args))
        return text;
    buf_clear(&p->text);
    bool any = mask_value(p, privacy, text);
    if (p->text.failed)
        p->masked.bytes.failed = true;
    if (!any && !at->is_element)
        return (struct slice){NULL, 0};
    return p->text.n ? buf_slice(&p->text) : SLICE("");
}

/* Which bytes of p->names are a masked name. */
struct span {
    size_t at, n;
};

static struct span mask_name(struct privacy *p, struct slice name)
{
    struct span span = {p->names.n, 0};
    struct mask_place place = {.epoch = p->epoch, .is_id = true};
    mask_in_place(&p->mask, name, place, &p->names);
    span.n = p->names.n - span.at;
    return span;
}

static struct slice span_of(const struct privacy *p, struct span span)
{
    return (struct slice){p->names.p + span.at, span.n};
}

/* A queue's name is no person's, and what is shown by it is found by it. */
static bool is_queue_name(const struct fact_head *head)
{
    return fact_kind_info(head->kind)->key == FACT_KEY_QUEUE;
}

static struct fact_head mask_head(struct privacy *p, const struct fact_head *head)
{
    struct fact_head masked = *head;
    buf_clear(&p->names);
    struct span subject = mask_name(p, head->subject);
    struct span key = mask_name(p, head->key);
    struct span id = mask_name(p, head->id);
    masked.subject = span_of(p, subject);
    masked.key = is_queue_name(head) ? head->key : span_of(p, key);
    masked.id = span_of(p, id);
    if (is_queue_name(head) && fact_kind_info(head->kind)->state)
        masked.subject = head->subject;
    return masked;
}

struct slice privacy_mask(struct privacy *p, struct slice fact)
{
    struct fact_head head;
    struct slice event = {0};
    const struct fact_rewriter how = {on_string, p};
    if (privacy_is_clear(p))
        return fact;
    if (!fact_read_head(fact, &head))
        return (struct slice){0};
    p->epoch = head.time / 1000000;
    p->plain_args = head.kind == FACT_QUEUE_LOG && fact_find(fact, FIELD_EVENT, &event, NULL) &&
                    is_plain_event(event);
    struct fact_head masked = mask_head(p, &head);
    if (p->names.failed)
        return (struct slice){0};
    return fact_rewrite(fact, &masked, &how, &p->masked);
}
