/* SPDX-License-Identifier: MIT */
#include "collector/facts/json_in.h"

#include "collector/base/text.h"

json_t *json_in_object(struct slice text)
{
    json_t *o = json_loadb(text.p, text.n, 0, NULL);
    if (json_is_object(o))
        return o;
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
