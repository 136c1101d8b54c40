/* SPDX-License-Identifier: MIT */
/* Events to state machines: whatever a PBX sends, every fact is one JSON object, and a tap that is
 * saved and restored in the middle goes on. */
#include "collector/facts/tap.h"
#include "parsers/ami_frame.h"
#include "tests/fuzz/fuzz_kit.h"

#include <jansson.h>

#define ENTITIES_MAX 256u

struct store {
    struct slice name[ENTITIES_MAX], body[ENTITIES_MAX];
    size_t count;
};

static struct slice kept(struct slice s)
{
    return (struct slice){fuzz_copy((const uint8_t *)s.p, s.n), s.n};
}

static void on_fact(void *ctx, struct slice fact)
{
    struct buf text = buf_new((size_t)1 << 22);
    struct json_out j = json_out_to(&text);
    (void)ctx;
    fact_json(fact, &j);
    json_error_t error;
    json_t *parsed = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    fuzz_expect(json_is_object(parsed));
    json_decref(parsed);
    buf_free(&text);
}

static void put(void *ctx, struct slice name, struct slice body)
{
    struct store *store = ctx;
    if (!body.n || store->count == ENTITIES_MAX)
        return;
    store->name[store->count] = kept(name);
    store->body[store->count++] = kept(body);
}

/* The tap as it would be after a restart. */
static struct tap *restarted(struct tap *tap, const struct tap_options *options)
{
    struct store store = {.count = 0};
    tap_save(tap, put, NULL, &store);
    tap_free(tap);
    tap = tap_new(options, on_fact, NULL);
    for (size_t i = 0; i < store.count; i++) {
        fuzz_expect(tap_restore(tap, store.name[i], store.body[i]));
        free((char *)store.name[i].p);
        free((char *)store.body[i].p);
    }
    tap_restored(tap);
    return tap;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ami_message message;
    if (size < 1)
        return 0;
    struct tap_options options = tap_options_default(SLICE("main"));
    struct tap *tap = tap_new(&options, on_fact, NULL);
    char *copy = fuzz_copy(data + 1, size - 1);
    struct slice rest = {copy, size - 1};
    struct ami_framer framer = {0};
    struct ami_frame frame;
    size_t consumed = 0;
    unsigned events = 0;
    while (ami_frame_next(&framer, rest, &frame, &consumed) == AMI_FRAME_OK) {
        rest = slice_from_offset(rest, consumed);
        ami_message_parse(&frame, &message);
        if (message.kind == AMI_FRAME_EVENT)
            tap_event(tap, &message, 0);
        if (++events == data[0])
            tap = restarted(tap, &options);
    }
    tap_list_begin(tap, TAP_LIST_CHANNELS);
    tap_list_end(tap, TAP_LIST_CHANNELS, true, 0);
    tap_free(tap);
    free(copy);
    return 0;
}
