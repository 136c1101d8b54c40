/* SPDX-License-Identifier: MIT */
#include "collector/facts/fact.h"

#include "collector/state/table.h"

#include <assert.h>

/* A fact's bytes: a head, its four strings, then values. A value is its own small head and n bytes;
 * what is nested follows its opening value and ends with a VALUE_CLOSE. Only this process reads
 * them, so numbers stand as the machine has them. */
#define FACT_BYTES_MAX ((size_t)256 * 1024)
/* A masked one: a short number grows to a hash, at most some ten times. */
#define MASKED_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define FACT_MAGIC       0x54434146U

struct packed_head {
    uint32_t magic;
    uint16_t kind;
    uint16_t flags;
    int64_t time;
    uint64_t sequence;
    uint32_t pbx, subject, key, id;
    uint64_t cause;
};

enum value_type {
    VALUE_NULL,
    VALUE_STRING,
    VALUE_NAMED, /* a name, a NUL, a string */
    VALUE_INT,
    VALUE_BOOL,
    VALUE_SECONDS,
    VALUE_TIME,
    VALUE_OBJECT,
    VALUE_ARRAY,
    VALUE_CLOSE
};

struct packed_value {
    uint16_t type;
    uint16_t field;
    uint32_t n;
};

struct value {
    enum value_type type;
    enum fact_field field;
    struct slice text;
    int64_t number;
};

#define RETENTION_EVENT false
#define RETENTION_STATE true
static const struct fact_kind_info kinds[FACT_KIND_COUNT] = {
#define FACT_KIND(id, kind, topic, table, ce_type, key, schema, retention, worth)                  \
    [FACT_##id] = {kind,                                                                           \
                   topic,                                                                          \
                   table,                                                                          \
                   ce_type,                                                                        \
                   schema,                                                                         \
                   FACT_KEY_##key,                                                                 \
                   RETENTION_##retention,                                                          \
                   FACT_WORTH_##worth},
#include "schemas/facts.def"
#undef FACT_KIND
};

static const char *const field_names[FIELD_COUNT] = {
#define FACT_FIELD(id, name, privacy) [FIELD_##id] = name,
#include "schemas/fact_fields.def"
#undef FACT_FIELD
};

const struct fact_kind_info *fact_kind_info(enum fact_kind kind)
{
    assert(kind < FACT_KIND_COUNT);
    return &kinds[kind];
}

const char *fact_worth_name(enum fact_worth worth)
{
    static const char *const names[] = {"live", "event", "log", "cdr"};
    assert(worth < FACT_WORTH_COUNT);
    return names[worth];
}

enum fact_worth fact_worth(enum fact_kind kind, unsigned flags)
{
    if (kind >= FACT_KIND_COUNT)
        return FACT_WORTH_CDR;
    return flags & FACT_IS_TOMBSTONE ? FACT_WORTH_LOG : kinds[kind].worth;
}

enum fact_kind fact_kind_by_name(struct slice name)
{
    for (unsigned i = 0; i < FACT_KIND_COUNT; i++) {
        if (slice_is(name, kinds[i].kind))
            return (enum fact_kind)i;
    }
    return FACT_KIND_COUNT;
}

struct fact_builder fact_builder_new(void)
{
    return (struct fact_builder){.bytes = buf_new(FACT_BYTES_MAX)};
}

struct fact_builder fact_builder_masked(void)
{
    return (struct fact_builder){.bytes = buf_new(MASKED_BYTES_MAX)};
}

bool fact_builder_reserve(struct fact_builder *b)
{
    buf_clear(&b->bytes);
    return buf_reserve(&b->bytes, b->bytes.max) != NULL;
}

void fact_builder_free(struct fact_builder *b)
{
    buf_free(&b->bytes);
}

void fact_begin(struct fact_builder *b, const struct fact_head *head)
{
    struct packed_head packed = {
        .magic = FACT_MAGIC,
        .kind = (uint16_t)head->kind,
        .flags = (uint16_t)head->flags,
        .time = head->time,
        .sequence = head->sequence,
        .pbx = (uint32_t)head->pbx.n,
        .subject = (uint32_t)head->subject.n,
        .key = (uint32_t)head->key.n,
        .id = (uint32_t)head->id.n,
        .cause = head->cause,
    };
    b->timeless = head->time == 0;
    buf_clear(&b->bytes);
    buf_put(&b->bytes, &packed, sizeof(packed));
    buf_put_slice(&b->bytes, head->pbx);
    buf_put_slice(&b->bytes, head->subject);
    buf_put_slice(&b->bytes, head->key);
    buf_put_slice(&b->bytes, head->id);
}

static void put_value(struct fact_builder *b, enum value_type type, enum fact_field field,
                      struct slice bytes)
{
    struct packed_value packed = {(uint16_t)type, (uint16_t)field, (uint32_t)bytes.n};
    buf_put(&b->bytes, &packed, sizeof(packed));
    buf_put_slice(&b->bytes, bytes);
}

static void put_number(struct fact_builder *b, enum value_type type, enum fact_field field,
                       int64_t number)
{
    put_value(b, type, field, (struct slice){(const char *)&number, sizeof(number)});
}

void fact_put_string(struct fact_builder *b, enum fact_field field, struct slice value)
{
    put_value(b, VALUE_STRING, field, value);
}

void fact_put_named(struct fact_builder *b, struct slice name, struct slice value)
{
    struct packed_value packed = {VALUE_NAMED, 0, (uint32_t)(name.n + 1 + value.n)};
    buf_put(&b->bytes, &packed, sizeof(packed));
    buf_put_slice(&b->bytes, name);
    buf_put_char(&b->bytes, 0);
    buf_put_slice(&b->bytes, value);
}

void fact_put_known(struct fact_builder *b, enum fact_field field, struct slice value)
{
    if (value.p)
        fact_put_string(b, field, value);
    else
        fact_put_null(b, field);
}

void fact_put_null(struct fact_builder *b, enum fact_field field)
{
    put_value(b, VALUE_NULL, field, (struct slice){0});
}

void fact_put_int(struct fact_builder *b, enum fact_field field, int64_t value)
{
    put_number(b, VALUE_INT, field, value);
}

void fact_put_bool(struct fact_builder *b, enum fact_field field, bool value)
{
    put_number(b, VALUE_BOOL, field, value);
}

void fact_put_seconds(struct fact_builder *b, enum fact_field field, int64_t us)
{
    /* A clock that was set back in between gives none. */
    if (b->timeless)
        fact_put_null(b, field);
    else
        put_number(b, VALUE_SECONDS, field, us > 0 ? us : 0);
}

void fact_put_seconds_known(struct fact_builder *b, enum fact_field field, int64_t us)
{
    if (us >= 0)
        fact_put_seconds(b, field, us);
    else
        fact_put_null(b, field);
}

void fact_put_share(struct fact_builder *b, enum fact_field field, uint64_t part, uint64_t whole)
{
    /* A number with six decimals, as seconds are. */
    if (whole)
        fact_put_seconds(b, field, (int64_t)(part * 1000000 / whole));
    else
        fact_put_null(b, field);
}

void fact_put_time(struct fact_builder *b, enum fact_field field, int64_t us)
{
    if (us)
        put_number(b, VALUE_TIME, field, us);
    else
        fact_put_null(b, field);
}

void fact_open_object(struct fact_builder *b, enum fact_field field)
{
    put_value(b, VALUE_OBJECT, field, (struct slice){0});
}

void fact_open_array(struct fact_builder *b, enum fact_field field)
{
    put_value(b, VALUE_ARRAY, field, (struct slice){0});
}

void fact_close(struct fact_builder *b)
{
    put_value(b, VALUE_CLOSE, (enum fact_field)0, (struct slice){0});
}

struct slice fact_finish(struct fact_builder *b)
{
    return b->bytes.failed ? (struct slice){0} : buf_slice(&b->bytes);
}

uint64_t fact_hash(const struct fact_builder *b)
{
    struct packed_head head;
    struct slice values = buf_slice(&b->bytes);
    if (b->bytes.failed)
        return 0;
    memcpy(&head, values.p, sizeof(head));
    size_t names = (size_t)head.pbx + head.subject + head.key + head.id;
    return table_hash(slice_from_offset(values, sizeof(head) + names)) + head.flags;
}

/* Takes n bytes off the front of rest; false when there are fewer. */
static bool take(struct slice *rest, size_t n, struct slice *ret_taken)
{
    if (n > rest->n)
        return false;
    *ret_taken = slice_head(*rest, n);
    *rest = slice_from_offset(*rest, n);
    return true;
}

/* Reads the head and leaves the values in ret_values. */
static bool read_head(struct slice bytes, struct fact_head *ret_head, struct slice *ret_values)
{
    struct packed_head packed;
    struct slice raw;
    struct fact_head head;
    if (!take(&bytes, sizeof(packed), &raw))
        return false;
    memcpy(&packed, raw.p, sizeof(packed));
    if (packed.magic != FACT_MAGIC || packed.kind >= FACT_KIND_COUNT ||
        packed.cause >= AMI_EVENT_TOTAL)
        return false;
    if (!take(&bytes, packed.pbx, &head.pbx) || !take(&bytes, packed.subject, &head.subject) ||
        !take(&bytes, packed.key, &head.key) || !take(&bytes, packed.id, &head.id))
        return false;
    head.kind = (enum fact_kind)packed.kind;
    head.flags = packed.flags;
    head.cause = (enum ami_event_id)packed.cause;
    head.time = packed.time;
    head.sequence = packed.sequence;
    *ret_head = head;
    *ret_values = bytes;
    return true;
}

bool fact_read_head(struct slice bytes, struct fact_head *ret_head)
{
    struct slice values;
    return read_head(bytes, ret_head, &values);
}

/* The next value off the front of values. False at the end, and when the rest is no value. */
static bool next_value(struct slice *values, struct value *ret_value)
{
    struct packed_value packed;
    struct slice raw;
    if (!take(values, sizeof(packed), &raw))
        return false;
    memcpy(&packed, raw.p, sizeof(packed));
    if (!take(values, packed.n, &raw) || packed.field >= FIELD_COUNT || packed.type > VALUE_CLOSE)
        return false;
    ret_value->type = (enum value_type)packed.type;
    ret_value->field = (enum fact_field)packed.field;
    ret_value->text = raw;
    ret_value->number = 0;
    if (raw.n == sizeof(ret_value->number))
        memcpy(&ret_value->number, raw.p, sizeof(ret_value->number));
    return true;
}

bool fact_find(struct slice bytes, enum fact_field field, struct slice *ret_string,
               int64_t *ret_number)
{
    struct fact_head head;
    struct slice values;
    struct value v;
    unsigned depth = 0;
    if (!read_head(bytes, &head, &values))
        return false;
    while (next_value(&values, &v)) {
        bool opens = v.type == VALUE_OBJECT || v.type == VALUE_ARRAY;
        if (depth == 0 && v.type != VALUE_CLOSE && v.type != VALUE_NAMED && v.field == field) {
            if (opens || v.type == VALUE_NULL)
                return false;
            if (v.type == VALUE_STRING && ret_string)
                *ret_string = v.text;
            if (v.type != VALUE_STRING && ret_number)
                *ret_number = v.number;
            return true;
        }
        depth += opens;
        depth -= v.type == VALUE_CLOSE && depth > 0;
    }
    return false;
}

bool fact_find_element(struct slice bytes, enum fact_field field, size_t index,
                       struct slice *ret_string)
{
    struct fact_head head;
    struct slice values;
    struct value v;
    unsigned depth = 0;
    bool inside = false;
    if (!read_head(bytes, &head, &values))
        return false;
    while (next_value(&values, &v)) {
        if (inside && depth == 1 && v.type == VALUE_STRING && index-- == 0) {
            *ret_string = v.text;
            return true;
        }
        inside |= depth == 0 && v.type == VALUE_ARRAY && v.field == field;
        depth += v.type == VALUE_OBJECT || v.type == VALUE_ARRAY;
        depth -= v.type == VALUE_CLOSE && depth > 0;
        inside &= depth > 0;
    }
    return false;
}

static void rewrite_named(struct fact_builder *to, const struct fact_rewriter *how,
                          struct fact_place *place, struct slice both)
{
    struct slice name = slice_head(both, strnlen(both.p, both.n));
    place->field = place->within;
    place->is_element = true;
    fact_put_named(to, name, how->string(how->ctx, place, slice_from_offset(both, name.n + 1)));
}

/* What nests: fields of the objects and arrays that are open, and which are arrays. */
struct nesting {
    enum fact_field field[JSON_OUT_DEPTH];
    bool is_array[JSON_OUT_DEPTH];
    unsigned depth;
};

static void rewrite_value(struct fact_builder *to, const struct fact_rewriter *how,
                          const struct nesting *nesting, const struct value *v)
{
    bool nested = nesting->depth > 0;
    struct fact_place place = {.field = v->field, .within = FIELD_COUNT};
    if (nested) {
        place.within = nesting->field[nesting->depth - 1];
        place.is_element = nesting->is_array[nesting->depth - 1];
    }
    if (place.is_element)
        place.field = place.within;
    if (v->type == VALUE_NAMED)
        rewrite_named(to, how, &place, v->text);
    else if (v->type == VALUE_STRING)
        fact_put_known(to, v->field, how->string(how->ctx, &place, v->text));
    else
        put_value(to, v->type, v->field, v->text);
}

struct slice fact_rewrite(struct slice fact, const struct fact_head *head,
                          const struct fact_rewriter *how, struct fact_builder *to)
{
    struct fact_head old;
    struct slice values;
    struct value v;
    struct nesting nesting = {.depth = 0};
    if (!read_head(fact, &old, &values))
        return (struct slice){0};
    fact_begin(to, head);
    while (next_value(&values, &v)) {
        rewrite_value(to, how, &nesting, &v);
        if (v.type == VALUE_CLOSE && nesting.depth > 0) {
            nesting.depth--;
        } else if (v.type == VALUE_OBJECT || v.type == VALUE_ARRAY) {
            assert(nesting.depth < JSON_OUT_DEPTH);
            nesting.field[nesting.depth] = v.field;
            nesting.is_array[nesting.depth++] = v.type == VALUE_ARRAY;
        }
    }
    return fact_finish(to);
}

/* Writes one value that nests nothing. */
static void json_scalar(struct json_out *j, const char *key, const struct value *v)
{
    switch (v->type) {
    case VALUE_STRING:
        json_out_string(j, key, v->text);
        return;
    case VALUE_NAMED: {
        struct slice name = slice_head(v->text, strnlen(v->text.p, v->text.n));
        json_out_named(j, name, slice_from_offset(v->text, name.n + 1));
        return;
    }
    case VALUE_INT:
        json_out_int(j, key, v->number);
        return;
    case VALUE_BOOL:
        json_out_bool(j, key, v->number != 0);
        return;
    case VALUE_SECONDS:
        json_out_seconds(j, key, v->number);
        return;
    case VALUE_TIME:
        json_out_time(j, key, v->number);
        return;
    case VALUE_NULL:
    default:
        json_out_null(j, key);
    }
}

/* Writes the values; closes what they left open. */
static void json_values(struct json_out *j, struct slice values)
{
    char closing[JSON_OUT_DEPTH];
    unsigned depth = 0;
    struct value v;
    while (next_value(&values, &v)) {
        bool in_array = depth > 0 && closing[depth - 1] == ']';
        const char *key = in_array ? NULL : field_names[v.field];
        if (v.type == VALUE_CLOSE) {
            if (depth > 0)
                json_out_close(j, closing[--depth]);
        } else if (v.type == VALUE_OBJECT) {
            assert(depth < JSON_OUT_DEPTH);
            json_out_object(j, key);
            closing[depth++] = '}';
        } else if (v.type == VALUE_ARRAY) {
            assert(depth < JSON_OUT_DEPTH);
            json_out_array(j, key);
            closing[depth++] = ']';
        } else {
            json_scalar(j, key, &v);
        }
    }
    while (depth > 0)
        json_out_close(j, closing[--depth]);
}

void fact_json(struct slice bytes, struct json_out *j)
{
    struct fact_head head;
    struct slice values;
    bool is_fact = read_head(bytes, &head, &values);
    assert(is_fact);
    if (!is_fact)
        return;
    json_out_object(j, NULL);
    json_out_string(j, "kind", slice_from(kinds[head.kind].kind));
    json_out_string(j, "id", head.id);
    json_out_string(j, "subject", head.subject);
    json_out_time(j, "time", head.time);
    json_out_string(j, "pbx", head.pbx);
    json_out_null(j, "tenant");
    if (head.cause)
        json_out_string(j, "cause_event", slice_from(ami_event_name(head.cause)));
    else if (!kinds[head.kind].state)
        json_out_null(j, "cause_event");
    json_values(j, values);
    if (head.flags & FACT_IS_TAP)
        json_out_bool(j, "tap", true);
    if (head.flags & FACT_IS_INFERRED)
        json_out_bool(j, "inferred", true);
    if (head.flags & FACT_IS_IMPORTED)
        json_out_bool(j, "imported", true);
    json_out_close(j, '}');
}
