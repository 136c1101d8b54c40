/* SPDX-License-Identifier: MIT */
#include "tests/unit/view/view_kit.h"

#include <assert.h>
#include <check.h>
#include <stdlib.h>
#include <time.h>

static int64_t kit_now(void *ctx)
{
    return ((struct kit *)ctx)->now;
}

static int64_t kit_mono(void *ctx)
{
    const struct kit *k = ctx;
    return k->now - k->set;
}

void kit_start(struct kit *k, const char *zone, int64_t now, const struct live_view_options *o)
{
    const struct live_view_options plain = {.boot = "boot"};
    setenv("TZ", zone, 1);
    *k = (struct kit){.now = now};
    k->clock = (struct clock){kit_now, kit_mono, k};
    k->fact = fact_builder_new();
    k->batch = buf_new((size_t)4 << 20);
    k->view = live_view_new(&k->clock, o ? o : &plain);
    ck_assert_ptr_nonnull(k->view);
    k->source = live_view_source(k->view);
}

void kit_done(struct kit *k)
{
    live_view_free(k->view);
    buf_free(&k->batch);
    fact_builder_free(&k->fact);
}

void kit_begin(struct kit *k, enum fact_kind kind, const char *subject, unsigned flags)
{
    const struct fact_head head = {.kind = kind,
                                   .flags = flags,
                                   .time = k->now,
                                   .pbx = SLICE("main"),
                                   .subject = slice_from(subject),
                                   .id = SLICE("id")};
    fact_begin(&k->fact, &head);
}

void kit_end(struct kit *k)
{
    const struct batch_item item = {.kind = BATCH_FACT, .body = fact_finish(&k->fact)};
    ck_assert(batch_put(&k->batch, &item));
}

void kit_put(struct kit *k, enum fact_field field, const char *text)
{
    fact_put_known(&k->fact, field, slice_from(text));
}

void kit_note(struct kit *k, const char *pbx, const char *json)
{
    const struct batch_item item = {BATCH_NOTE, slice_from(pbx), SLICE("link"), slice_from(json)};
    ck_assert(batch_put(&k->batch, &item));
}

void kit_visit(struct kit *k, enum fact_kind kind, const char *uniqueid, const char *outcome,
               int64_t wait)
{
    kit_begin(k, kind, uniqueid, 0);
    kit_put(k, FIELD_UNIQUEID, uniqueid);
    kit_put(k, FIELD_QUEUE, "support");
    if (outcome)
        kit_put(k, FIELD_OUTCOME, outcome);
    if (kind != FACT_QUEUE_JOINED)
        fact_put_seconds(&k->fact, FIELD_WAIT_SECONDS, wait);
    kit_end(k);
}

bool kit_publish(struct kit *k)
{
    live_view_fold(k->view, buf_slice(&k->batch));
    buf_clear(&k->batch);
    return live_view_publish(k->view);
}

json_t *kit_snapshot(struct kit *k)
{
    const struct web_scope everything = {NULL};
    struct web_text text = {0};
    uint64_t seq;
    json_error_t error;
    ck_assert(k->source.snapshot(k->source.ctx, &everything, &text, &seq));
    ck_assert_ptr_null(memchr(text.p, '\n', text.n));
    json_t *all = json_loadb(text.p, text.n, 0, &error);
    ck_assert_msg(all != NULL, "%s in %.*s", error.text, (int)text.n, text.p);
    ck_assert_int_eq(json_integer_value(json_object_get(all, "seq")), (json_int_t)seq);
    free(text.p);
    return all;
}

json_t *kit_entry(json_t *snapshot, const char *list, const char *subject)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(snapshot, list), i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "subject")), subject) == 0)
            return entry;
    }
    return NULL;
}

char *kit_changes(struct kit *k, struct web_cursor *cursor)
{
    const struct web_scope everything = {NULL};
    char *text = calloc(1, (size_t)1 << 20);
    assert(text);
    size_t n = 0;
    for (;;) {
        /* Small pieces, so that messages are cut everywhere. */
        ssize_t got = k->source.changes(k->source.ctx, &everything, cursor, text + n, 7);
        ck_assert_int_ge(got, 0);
        if (got == 0)
            return text;
        n += (size_t)got;
    }
}

int64_t kit_time(const char *utc)
{
    struct tm tm = {0};
    ck_assert_ptr_nonnull(strptime(utc, "%Y-%m-%d %H:%M:%S", &tm));
    return (int64_t)timegm(&tm) * SECOND;
}
