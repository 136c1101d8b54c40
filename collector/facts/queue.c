/* SPDX-License-Identifier: MIT */
#include "collector/facts/queue.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/visit.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

static struct slice queue_key_of(const void *value)
{
    return slice_from(((const struct queue *)value)->name);
}

struct queues queues_new(struct emitter *emit, size_t max)
{
    return (struct queues){.by_name = table_new(max, queue_key_of), .emit = emit};
}

static void queue_free(struct queue *queue)
{
    free(queue->name);
    free(queue->strategy);
    free(queue);
}

void queues_free(struct queues *queues)
{
    size_t position = 0;
    struct queue *queue;
    while ((queue = table_next(&queues->by_name, &position)))
        queue_free(queue);
    table_free(&queues->by_name);
}

struct queue *queues_find(const struct queues *queues, struct slice name)
{
    return table_find(&queues->by_name, name);
}

struct queue *queues_get(struct queues *queues, struct slice name)
{
    struct queue *queue = table_find(&queues->by_name, name);
    if (queue || !name.n)
        return queue;
    queue = memory_zeroed(1, sizeof(*queue));
    if (!queue)
        return NULL;
    if (!text_set(&queue->name, name) || !table_add(&queues->by_name, queue)) {
        queue_free(queue);
        return NULL;
    }
    queues_touch(queues, queue);
    return queue;
}

void queues_params(struct queues *queues, const struct ami_message *m)
{
    struct queue *queue = queues_get(queues, ami_message_get(m, AMI_HEADER_QUEUE));
    int64_t service_level = 0;
    if (!queue)
        return;
    struct slice strategy = ami_message_get(m, AMI_HEADER_STRATEGY);
    ami_text_seconds(ami_message_get(m, AMI_HEADER_SERVICELEVEL), &service_level);
    if (slice_equal(slice_from(queue->strategy), strategy) && queue->service_level == service_level)
        return;
    text_set(&queue->strategy, strategy);
    queue->service_level = service_level;
    for (struct visit *v = queue->waiting; v; v = v->next_waiting)
        saved_touch(&v->saved);
    queues_touch(queues, queue);
}

void queues_touch(struct queues *queues, struct queue *queue)
{
    if (!queue || queue->changed)
        return;
    queue->changed = true;
    queue->next_changed = queues->changed;
    queues->changed = queue;
}

/* When a caller who was found in the queue joined is only known to the second. */
static bool found_waiting(const struct queue *queue)
{
    for (const struct visit *v = queue->waiting; v; v = v->next_waiting) {
        if (v->from_snapshot)
            return true;
    }
    return false;
}

static void put_waiting(struct fact_builder *f, const struct queue *queue)
{
    int64_t position = 0;
    fact_open_array(f, FIELD_WAITING);
    for (const struct visit *v = queue->waiting; v; v = v->next_waiting) {
        fact_open_object(f, FIELD_WAITING);
        fact_put_string(f, FIELD_UNIQUEID, slice_from(v->uniqueid));
        fact_put_string(f, FIELD_LINKEDID, slice_from(v->linkedid));
        fact_put_int(f, FIELD_POSITION, ++position);
        fact_put_string(f, FIELD_CALLER_NUMBER, slice_from(v->caller_number));
        fact_put_string(f, FIELD_CALLER_NAME, slice_from(v->caller_name));
        fact_put_time(f, FIELD_JOINED, v->joined);
        fact_close(f);
    }
    fact_close(f);
}

static void tell_state(struct queues *queues, struct queue *queue)
{
    struct slice name = slice_from(queue->name);
    struct emit_about about = {.kind = FACT_QUEUE_STATE,
                               .subject = name,
                               .key = name,
                               .flags = found_waiting(queue) ? FACT_IS_INFERRED : 0};
    struct fact_builder *f = emit_begin(queues->emit, &about);
    fact_put_string(f, FIELD_QUEUE, name);
    fact_put_known(f, FIELD_STRATEGY, slice_from(queue->strategy));
    if (queue->service_level)
        fact_put_seconds(f, FIELD_SERVICE_LEVEL_SECONDS, queue->service_level);
    else
        fact_put_null(f, FIELD_SERVICE_LEVEL_SECONDS);
    put_waiting(f, queue);
    emit_end_state(queues->emit, &about, &queue->told);
}

void queues_tell(struct queues *queues)
{
    while (queues->changed) {
        struct queue *queue = queues->changed;
        queues->changed = queue->next_changed;
        queue->changed = false;
        tell_state(queues, queue);
    }
}
