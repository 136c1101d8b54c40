/* SPDX-License-Identifier: MIT */
#include "collector/facts/queue_log.h"

#include <inttypes.h>
#include <stdio.h>

/* Between the arguments in the fact's own storage: cannot stand in an argument, since Asterisk
 * itself replaces it when it writes the line. */
#define SEPARATOR '|'

void queue_log_emit(struct emitter *e, const struct queue_log_line *line)
{
    struct emit_about about = {.kind = FACT_QUEUE_LOG,
                               .subject = line->uniqueid.p ? line->uniqueid : SLICE("NONE"),
                               .key = line->queue,
                               .word = slice_from(line->event),
                               .flags = line->inferred ? FACT_IS_INFERRED : 0};
    struct fact_builder *f = emit_begin(e, &about);
    fact_put_string(f, FIELD_EVENT, slice_from(line->event));
    if (line->uniqueid.p)
        fact_put_string(f, FIELD_UNIQUEID, line->uniqueid);
    else
        fact_put_null(f, FIELD_UNIQUEID);
    fact_put_string(f, FIELD_QUEUE, line->queue);
    fact_put_string(f, FIELD_AGENT, line->agent);
    fact_open_array(f, FIELD_ARGS);
    for (size_t i = 0; i < line->count; i++)
        fact_put_string(f, FIELD_ARGS, line->args[i]);
    fact_close(f);
    emit_end(e);
}

struct slice queue_log_number(int64_t value, char text[QUEUE_LOG_NUMBER_SIZE])
{
    int n = snprintf(text, QUEUE_LOG_NUMBER_SIZE, "%" PRId64, value);
    return (struct slice){text, (size_t)n};
}

/* A field between separators; a separator inside becomes '_', as Asterisk's own log has it. */
static void put_field(struct buf *to, struct slice field)
{
    buf_put_char(to, SEPARATOR);
    for (size_t i = 0; i < field.n; i++) {
        char c = field.p[i];
        buf_put_char(to, c == SEPARATOR || c == '\n' || c == '\r' ? '_' : c);
    }
}

static void put_named(struct buf *to, struct slice fact, enum fact_field field)
{
    struct slice value = {NULL, 0};
    fact_find(fact, field, &value, NULL);
    put_field(to, value);
}

bool queue_log_text(struct slice fact, struct buf *to)
{
    struct fact_head head;
    if (!fact_read_head(fact, &head) || head.kind != FACT_QUEUE_LOG)
        return false;
    buf_printf(to, "%" PRId64, head.time / 1000000);
    put_named(to, fact, FIELD_UNIQUEID);
    put_named(to, fact, FIELD_QUEUE);
    put_named(to, fact, FIELD_AGENT);
    put_named(to, fact, FIELD_EVENT);
    struct slice arg;
    for (size_t i = 0; fact_find_element(fact, FIELD_ARGS, i, &arg); i++)
        put_field(to, arg);
    return !to->failed;
}
