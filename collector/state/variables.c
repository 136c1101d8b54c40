/* SPDX-License-Identifier: MIT */
#include "collector/state/variables.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include <stdlib.h>

static struct variable *add(struct variables *v, struct slice name)
{
    if (v->count == VARIABLES_MAX)
        return NULL;
    struct variable *grown = memory_resized(v->of, (v->count + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    v->of = grown;
    grown[v->count] = (struct variable){NULL, NULL};
    if (!text_set(&grown[v->count].name, name))
        return NULL;
    return &grown[v->count++];
}

bool variables_set(struct variables *v, struct slice name, struct slice value)
{
    size_t i = 0;
    value = slice_head(value, VARIABLE_VALUE_MAX);
    while (i < v->count && !slice_is(name, v->of[i].name))
        i++;
    bool same = i < v->count ? slice_equal(slice_from(v->of[i].value), value) : !value.n;
    if (same)
        return false;
    struct variable *variable = i < v->count ? &v->of[i] : add(v, name);
    return variable && text_set(&variable->value, value);
}

void variables_copy(struct variables *to, const struct variables *from)
{
    variables_free(to);
    for (size_t i = 0; i < from->count; i++)
        variables_set(to, slice_from(from->of[i].name), slice_from(from->of[i].value));
}

void variables_free(struct variables *v)
{
    for (size_t i = 0; i < v->count; i++) {
        free(v->of[i].name);
        free(v->of[i].value);
    }
    free(v->of);
    *v = (struct variables){NULL, 0};
}
