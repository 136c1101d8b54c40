/* SPDX-License-Identifier: MIT */
#include "collector/commands/ami_files.h"
#include "collector/commands/explain_nearest.h"
#include "collector/commands/explain_source.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A recording is read twice: once to learn which calls are meant, which is certain only at its end
 * (a merge comes late), and once to keep what is about them. So nothing else is kept. */

#define LINE_MAX_BYTES ((size_t)1024 * 1024)

struct search {
    const char *id;
    struct tap *tap;
    json_t *linkedids; /* those that are meant, as keys */
    json_t *merges;    /* of all calls: [linkedid, merged_into] */
    json_t *uniqueids; /* of the channels of those that are meant, as keys */
    json_t *records;   /* NULL: the first reading */
    struct explain_nearest nearest;
    struct buf line;
};

static bool has(const json_t *set, struct slice key)
{
    return key.p && json_object_getn(set, key.p, key.n);
}

static void add(json_t *set, struct slice key)
{
    json_object_setn_new(set, key.p, key.n, json_true());
}

static struct slice text_of(struct slice fact, enum fact_field field)
{
    struct slice text = {NULL, 0};
    fact_find(fact, field, &text, NULL);
    return text;
}

/* The linkedid of a record about a call; nothing for one that is about none. */
static struct slice linkedid_of(const struct fact_head *head, struct slice fact)
{
    struct slice linkedid = text_of(fact, FIELD_LINKEDID);
    bool by_call = fact_kind_info(head->kind)->key == FACT_KEY_CALL;
    return !linkedid.n && by_call ? head->key : linkedid;
}

static json_t *pair(struct slice a, struct slice b)
{
    return json_pack("[s%, s%]", a.n ? a.p : "", a.n, b.n ? b.p : "", b.n);
}

static void learn(void *ctx, struct slice fact)
{
    struct search *s = ctx;
    struct fact_head head;
    if (!fact_read_head(fact, &head) || fact_kind_info(head.kind)->state)
        return;
    struct slice linkedid = linkedid_of(&head, fact);
    if (head.kind == FACT_CALL_STARTED)
        explain_nearest_add(&s->nearest, linkedid);
    explain_nearest_span(&s->nearest, head.time);
    if (!linkedid.n)
        return;
    if (slice_is(linkedid, s->id) || slice_is(text_of(fact, FIELD_UNIQUEID), s->id) ||
        slice_is(head.key, s->id))
        add(s->linkedids, linkedid);
    if (head.kind == FACT_CALL_MERGED)
        json_array_append_new(s->merges, pair(linkedid, text_of(fact, FIELD_MERGED_INTO)));
}

/* Whoever shares a merge with a call that is meant is meant too. */
static void follow_merges(struct search *s)
{
    size_t count;
    do {
        count = json_object_size(s->linkedids);
        for (size_t i = 0; i < json_array_size(s->merges); i++) {
            const json_t *merge = json_array_get(s->merges, i);
            struct slice a = slice_from(json_string_value(json_array_get(merge, 0)));
            struct slice b = slice_from(json_string_value(json_array_get(merge, 1)));
            if (has(s->linkedids, a) || has(s->linkedids, b)) {
                add(s->linkedids, a);
                add(s->linkedids, b);
            }
        }
    } while (json_object_size(s->linkedids) > count);
}

static json_t *record_of(struct search *s, struct slice fact)
{
    buf_clear(&s->line);
    struct json_out j = json_out_to(&s->line);
    fact_json(fact, &j);
    return json_loadb(s->line.p, s->line.n, 0, NULL);
}

static void take(void *ctx, struct slice fact)
{
    struct search *s = ctx;
    struct fact_head head;
    if (!fact_read_head(fact, &head) || fact_kind_info(head.kind)->state)
        return;
    struct slice uniqueid = text_of(fact, FIELD_UNIQUEID);
    bool meant = has(s->linkedids, linkedid_of(&head, fact));
    if (meant && uniqueid.n)
        add(s->uniqueids, uniqueid);
    if (meant || (head.kind == FACT_QUEUE_LOG && has(s->uniqueids, uniqueid)))
        json_array_append_new(s->records, record_of(s, fact));
}

static void take_event(void *ctx, const struct ami_message *m)
{
    struct search *s = ctx;
    tap_event(s->tap, m, 0);
}

static bool read_all(struct search *s, char *const *files, const struct tap_options *options,
                     emit_sink sink)
{
    struct tap_options own = *options;
    own.dropped = sink;
    s->tap = tap_new(&own, sink, s);
    bool good = s->tap && ami_files_read("explain", files, take_event, s);
    tap_free(s->tap);
    return good;
}

/* Standard input can be read once only: its bytes go to a file without a name. */
static FILE *spool_input(void)
{
    char bytes[65536];
    FILE *spool = tmpfile();
    size_t n = 0;
    while (spool && (n = fread(bytes, 1, sizeof(bytes), stdin)) > 0) {
        if (fwrite(bytes, 1, n, spool) != n)
            break;
    }
    if (spool && n == 0 && !ferror(stdin) && fflush(spool) == 0)
        return spool;
    fprintf(stderr, "amitap: explain: standard input: %s\n", strerror(errno));
    if (spool)
        fclose(spool);
    return NULL;
}

static bool search(struct search *s, char *const *files, const struct tap_options *options)
{
    if (!read_all(s, files, options, learn))
        return false;
    follow_merges(s);
    if (!json_object_size(s->linkedids)) {
        explain_nearest_print(&s->nearest, s->id, "the recording");
        return false;
    }
    s->records = json_array();
    return read_all(s, files, options, take);
}

json_t *explain_from_recording(char *const *files, const struct tap_options *options,
                               const char *id)
{
    struct search s = {.id = id,
                       .linkedids = json_object(),
                       .merges = json_array(),
                       .uniqueids = json_object(),
                       .nearest = explain_nearest_to(id),
                       .line = buf_new(LINE_MAX_BYTES)};
    char name[32];
    char *spooled[] = {name, NULL};
    FILE *spool = NULL;
    bool piped = files[0] && !files[1] && strcmp(files[0], "-") == 0;
    if (piped && (spool = spool_input())) {
        snprintf(name, sizeof(name), "/dev/fd/%d", fileno(spool));
        files = spooled;
    }
    if ((!piped || spool) && !search(&s, files, options)) {
        json_decref(s.records);
        s.records = NULL;
    }
    if (spool)
        fclose(spool);
    json_decref(s.linkedids);
    json_decref(s.merges);
    json_decref(s.uniqueids);
    buf_free(&s.line);
    return s.records;
}
