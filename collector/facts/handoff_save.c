/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"
#include "collector/facts/call.h"
#include "collector/facts/json_in.h"
#include <stdlib.h>

/* Hand-offs and their variables as part of a saved call. */

enum { HANDOFF_FLAGS = 10 };

/* The marks, as the bits of one number. */
static bool *mark(struct handoff *h, unsigned i)
{
    bool *const marks[HANDOFF_FLAGS] = {&h->media,   &h->unshown,      &h->lost,    &h->failed,
                                        &h->hung_up, &h->after_hangup, &h->went_on, &h->executes,
                                        &h->over,    &h->answered};
    return marks[i];
}

void handoff_save_variables(const struct variables *variables, struct json_out *j)
{
    json_out_array(j, "variables");
    for (size_t i = 0; i < variables->count; i++) {
        json_out_string(j, NULL, slice_from(variables->of[i].name));
        json_out_string(j, NULL, slice_from(variables->of[i].value));
    }
    json_out_close(j, ']');
}

void handoffs_save(const struct handoffs *handoffs, struct json_out *j)
{
    json_out_array(j, "handoffs");
    for (struct handoff *h = handoffs->first; h; h = h->next) {
        unsigned marks = 0;
        for (unsigned i = 0; i < HANDOFF_FLAGS; i++)
            marks |= *mark(h, i) ? 1u << i : 0;
        json_out_object(j, NULL);
        json_out_string(j, "uniqueid", slice_from(h->uniqueid));
        json_out_string(j, "appdata", slice_from(h->appdata));
        json_out_int(j, "kind", h->kind);
        json_out_int(j, "marks", marks);
        json_out_int(j, "from", h->from);
        json_out_int(j, "to", h->to);
        json_out_int(j, "person", h->person);
        json_out_int(j, "level", h->level);
        handoff_save_variables(&h->variables, j);
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
    json_out_int(j, "handoffs_omitted", (int64_t)handoffs->omitted);
}

void handoff_restore_variables(struct variables *variables, const json_t *array)
{
    for (size_t i = 0; i + 1 < json_array_size(array); i += 2)
        variables_set(variables, json_in_string(json_array_get(array, i)),
                      json_in_string(json_array_get(array, i + 1)));
}

static struct handoff *read_handoff(const json_t *o)
{
    struct handoff *h = memory_zeroed(1, sizeof(*h));
    int64_t kind = json_in_int(o, "kind");
    if (!h)
        return NULL;
    json_in_take_text(o, "uniqueid", &h->uniqueid);
    json_in_take_text(o, "appdata", &h->appdata);
    h->kind = kind > 0 && kind < HANDOFF_KINDS ? (enum handoff_kind)kind : HANDOFF_AGI;
    for (unsigned i = 0; i < HANDOFF_FLAGS; i++)
        *mark(h, i) = json_in_int(o, "marks") >> i & 1;
    h->from = json_in_int(o, "from");
    h->to = json_in_int(o, "to");
    h->person = json_in_int(o, "person");
    h->over |= h->to != 0;
    h->answered |= h->person != 0;
    h->level = (unsigned)json_in_int(o, "level");
    handoff_restore_variables(&h->variables, json_object_get(o, "variables"));
    return h;
}

void handoffs_restore(struct handoffs *handoffs, const json_t *array, int64_t omitted)
{
    struct handoff **end = &handoffs->first;
    handoffs->omitted = (uint64_t)omitted;
    for (size_t i = 0; i < json_array_size(array) && i < HANDOFFS_MAX; i++) {
        *end = read_handoff(json_array_get(array, i));
        if (!*end)
            return;
        end = &(*end)->next;
        handoffs->count++;
    }
}

void handoffs_resume(struct calls *calls, const struct call *call)
{
    for (const struct handoff *h = call->handoffs.first; h; h = h->next) {
        if (!h->over && !handoff_is_glimpse(h))
            loads_resume(calls->loads, h->kind, slice_from(h->appdata));
    }
}
