/* SPDX-License-Identifier: MIT */
#include "collector/facts/json_in.h"

#include "collector/base/memory.h"
#include "collector/base/stand_in.h"
#include "collector/base/text.h"
#include <stdlib.h>

static void take_bytes_back(json_t *string)
{
    struct slice from = json_in_string(string);
    char *to = memory_bytes(from.n + 1);
    size_t n = 0;
    while (to && from.n) {
        unsigned char byte = stand_in_byte(from);
        to[n++] = byte ? (char)byte : from.p[0];
        from = slice_from_offset(from, byte ? STAND_IN_SIZE : 1);
    }
    if (to)
        json_string_setn_nocheck(string, to, n);
    free(to);
}

/* What is in it, at any depth, as it was before it was written. */
static void take_all_back(json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;
    if (json_is_string(value))
        take_bytes_back(value);
    json_array_foreach(value, i, inner)
    {
        take_all_back(inner);
    }
    json_object_foreach(value, key, inner)
    {
        take_all_back(inner);
    }
}

static bool holds_stand_ins(struct slice text)
{
    const struct slice lead = STAND_IN_LEAD;
    return text.n && memmem(text.p, text.n, lead.p, lead.n);
}

json_t *json_in_object(struct slice text)
{
    json_t *o = json_loadb(text.p, text.n, 0, NULL);
    if (json_is_object(o)) {
        if (holds_stand_ins(text))
            take_all_back(o);
        return o;
    }
    json_decref(o);
    return NULL;
}

struct slice json_in_string(const json_t *value)
{
    return (struct slice){json_string_value(value), json_string_length(value)};
}

struct slice json_in_text(const json_t *o, const char *key)
{
    return json_in_string(json_object_get(o, key));
}

bool json_in_take_text(const json_t *o, const char *key, char **where)
{
    return text_set(where, json_in_text(o, key));
}

int64_t json_in_int(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

bool json_in_bool(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

int json_in_choice(const json_t *o, const char *key, int last)
{
    int64_t value = json_in_int(o, key);
    return value >= 0 && value <= last ? (int)value : 0;
}
