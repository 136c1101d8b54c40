/* SPDX-License-Identifier: MIT */
#include "collector/config/config_inner.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_list(const struct config_value *a, const struct config_value *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->list[i], b->list[i]) == 0;
    return same;
}

bool config_same(const struct config_section *a, const struct config_section *b,
                 enum config_key key)
{
    const struct config_value *v = &a->values[key], *w = &b->values[key];
    bool names_key = key == CONFIG_STORE_PRIVACY_KEY_FILE || key == CONFIG_KAFKA_PRIVACY_KEY_FILE ||
                     key == CONFIG_WEB_PRIVACY_KEY_FILE;
    return same_text(v->text, w->text) && v->number == w->number && same_list(v, w) &&
           (!names_key || same_text(a->privacy_key, b->privacy_key));
}
