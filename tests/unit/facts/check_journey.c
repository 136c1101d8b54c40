/* SPDX-License-Identifier: MIT */
/* A call with more legs and talks than a journey keeps still has its record: what is left out of it
 * is counted, and what is counted is all that is missing. */
#include "tests/unit/facts/facts_kit.h"

#include <jansson.h>
#include <stdlib.h>

struct record {
    json_t *call;
};

static void take_call(void *ctx, struct slice fact)
{
    struct record *record = ctx;
    struct fact_head head;
    if (!fact_read_head(fact, &head) || head.kind != FACT_CALL)
        return;
    struct buf text = buf_new((size_t)8 << 20);
    struct json_out j = json_out_to(&text);
    fact_json(fact, &j);
    record->call = json_loadb(text.p, text.n, 0, NULL);
    buf_free(&text);
}

static void put_event(FILE *to, const char *event, unsigned leg, const char *name, const char *more)
{
    fprintf(to,
            "Event: %s\nTimestamp: %u\nChannel: PJSIP/%u-%u\nChannelState: %d\n"
            "CallerIDName: %s\nUniqueid: 1.%u\nLinkedid: 1.0\n%s\n",
            event, 100 + leg, leg, leg, leg ? 0 : 4, name, leg, more);
}

/* One call that dials so many phones one after the other, each answers and talks for a moment. */
static struct slice stream_of(unsigned legs, const char *name)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    put_event(to, "Newchannel", 0, name, "");
    put_event(to, "BridgeEnter", 0, name, "BridgeUniqueid: b1\nBridgeType: basic\n");
    for (unsigned leg = 1; leg <= legs; leg++) {
        put_event(to, "Newchannel", leg, name, "");
        put_event(to, "BridgeEnter", leg, name, "BridgeUniqueid: b1\nBridgeType: basic\n");
        put_event(to, "BridgeLeave", leg, name, "BridgeUniqueid: b1\nBridgeType: basic\n");
        put_event(to, "Hangup", leg, name, "Cause: 16\n");
    }
    put_event(to, "Hangup", 0, name, "Cause: 16\n");
    fclose(to);
    return (struct slice){text, n};
}

static json_t *call_of(unsigned legs, const char *name)
{
    struct record record = {NULL};
    struct tap_options options = tap_options_default(SLICE("main"));
    struct slice input = stream_of(legs, name);
    struct tap *tap = tap_new(&options, take_call, &record);
    struct kit_stream stream = kit_stream(input);
    while (kit_step(&stream, tap))
        continue;
    ck_assert_uint_eq(tap_counters(tap).facts_too_large, 0);
    tap_free(tap);
    free((char *)input.p);
    ck_assert(record.call != NULL);
    return record.call;
}

static size_t kept(const json_t *call, const char *list)
{
    return json_array_size(json_object_get(call, list));
}

static size_t omitted(const json_t *call, const char *count)
{
    return (size_t)json_integer_value(json_object_get(call, count));
}

START_TEST(what_has_no_room_is_counted)
{
    json_t *call = call_of(300, "");
    ck_assert_uint_eq(kept(call, "legs"), 256);
    ck_assert_uint_eq(omitted(call, "legs_omitted"), 45);
    ck_assert_uint_eq(kept(call, "talks"), 256);
    ck_assert_uint_eq(omitted(call, "talks_omitted"), 44);
    json_decref(call);
}
END_TEST

START_TEST(a_record_has_a_bound_in_bytes)
{
    char name[1000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    json_t *call = call_of(200, name);
    ck_assert_uint_lt(kept(call, "legs"), 201);
    ck_assert_uint_eq(kept(call, "legs") + omitted(call, "legs_omitted"), 201);
    ck_assert_uint_eq(kept(call, "talks") + omitted(call, "talks_omitted"), 200);
    json_decref(call);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("journey");
    tcase_add_test(tcase, what_has_no_room_is_counted);
    tcase_add_test(tcase, a_record_has_a_bound_in_bytes);
    return kit_run("journey", tcase);
}
