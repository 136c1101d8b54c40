/* SPDX-License-Identifier: MIT */
/* A tap that is stopped at any event, saved, restored and fed the rest gives the same facts as one
 * that never stopped: every case at every cut, and recordings of a real Asterisk at random ones. A
 * file "cut" in a case's folder says what a stop loses there; the case must differ then. */
#include "tests/unit/facts/facts_kit.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>

#define CASES        "tests/unit/facts/case"
#define ENTITIES_MAX 4096u
#define FACTS_MAX    8192u
#define EVENTS_MAX   8192u

static unsigned seed;

/* What the outbox would hold. */
struct store {
    char *key[ENTITIES_MAX];
    struct slice body[ENTITIES_MAX];
    size_t count;
};

/* Facts as JSON, without the live state that is told again after a restart: it is inferred. */
struct facts {
    char *json[FACTS_MAX];
    size_t count;
    size_t after[EVENTS_MAX]; /* how many there were after each event */
};

static struct slice copy_of(struct slice s)
{
    char *p = malloc(s.n + 1);
    memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct slice){p, s.n};
}

static void store_put(void *ctx, struct slice entity, struct slice body)
{
    struct store *store = ctx;
    size_t i = 0;
    while (i < store->count && !slice_is(entity, store->key[i]))
        i++;
    if (i < store->count) {
        free(store->key[i]);
        free((char *)store->body[i].p);
        store->key[i] = store->key[--store->count];
        store->body[i] = store->body[store->count];
    }
    if (!body.n)
        return;
    if (store->count == ENTITIES_MAX)
        ck_abort_msg("too many entities");
    store->key[store->count] = (char *)copy_of(entity).p;
    store->body[store->count++] = copy_of(body);
}

static void store_clear(struct store *store)
{
    for (size_t i = 0; i < store->count; i++) {
        free(store->key[i]);
        free((char *)store->body[i].p);
    }
    store->count = 0;
}

static void take_fact(void *ctx, struct slice fact)
{
    struct facts *facts = ctx;
    struct fact_head head;
    if (!fact_read_head(fact, &head))
        ck_abort_msg("no fact");
    if (fact_kind_info(head.kind)->state && (head.flags & FACT_IS_INFERRED))
        return;
    struct buf text = buf_new((size_t)1 << 20);
    struct json_out j = json_out_to(&text);
    fact_json(fact, &j);
    buf_put_char(&text, 0);
    if (facts->count == FACTS_MAX)
        ck_abort_msg("too many facts");
    facts->json[facts->count++] = text.p;
}

static void facts_clear(struct facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        free(facts->json[i]);
    facts->count = 0;
}

static void store_copy(struct store *to, const struct store *from)
{
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        to->key[i] = (char *)copy_of(slice_from(from->key[i])).p;
        to->body[i] = copy_of(from->body[i]);
    }
}

static void restore(struct tap *tap, struct store *store, bool any_order)
{
    while (store->count) {
        size_t i = any_order ? (size_t)random() % store->count : store->count - 1;
        if (!tap_restore(tap, slice_from(store->key[i]), store->body[i]))
            ck_abort_msg("%s is not taken back: %.*s", store->key[i], (int)store->body[i].n,
                         store->body[i].p);
        store_put(store, slice_from(store->key[i]), (struct slice){NULL, 0});
    }
    tap_restored(tap);
}

struct subject {
    const char *name;
    struct slice input;
    struct tap_options options;
    struct facts whole; /* of an uninterrupted run */
    size_t events;
    bool any_order; /* restore the entities in any order: the tap must not count on one */
    bool tell;      /* say what differs */
};

static void run_whole(struct subject *s)
{
    struct tap *tap = tap_new(&s->options, take_fact, &s->whole);
    struct kit_stream stream = kit_stream(s->input);
    while (kit_step(&stream, tap)) {
        if (s->events == EVENTS_MAX)
            ck_abort_msg("too many events");
        s->whole.after[s->events++] = s->whole.count;
    }
    tap_free(tap);
}

static void subject_clear(struct subject *s)
{
    facts_clear(&s->whole);
    free((char *)s->input.p);
}

static void print_difference(const struct subject *s, size_t event, const struct facts *got)
{
    size_t from = s->whole.after[event], i = 0;
    while (from + i < s->whole.count && i < got->count &&
           strcmp(s->whole.json[from + i], got->json[i]) == 0)
        i++;
    printf("%s, cut behind event %zu, AMITAP_SEED=%u\n--- uninterrupted\n%s\n--- restored\n%s\n",
           s->name, event, seed, from + i < s->whole.count ? s->whole.json[from + i] : "none",
           i < got->count ? got->json[i] : "none");
    fflush(stdout);
}

static bool is_rest(const struct subject *s, size_t event, const struct facts *got)
{
    size_t from = s->whole.after[event];
    if (s->whole.count - from != got->count)
        return false;
    for (size_t i = 0; i < got->count; i++) {
        if (strcmp(s->whole.json[from + i], got->json[i]) != 0)
            return false;
    }
    return true;
}

/* Whether a tap that is restored from the store and fed the rest of the stream gives the rest of
 * the facts. */
static bool goes_on(const struct subject *s, size_t event, const struct store *store,
                    struct kit_stream rest)
{
    static struct facts got;
    static struct store saved;
    struct tap *tap = tap_new(&s->options, take_fact, &got);
    store_copy(&saved, store);
    restore(tap, &saved, s->any_order);
    while (kit_step(&rest, tap))
        continue;
    tap_free(tap);
    bool same = is_rest(s, event, &got);
    if (!same && s->tell)
        print_difference(s, event, &got);
    facts_clear(&got);
    return same;
}

/* Cuts behind each event, or behind each of one in `spread` events at random. */
static bool may_be_cut(const struct subject *s, long spread)
{
    static struct store store;
    static struct facts unused;
    struct tap *tap = tap_new(&s->options, take_fact, &unused);
    struct kit_stream stream = kit_stream(s->input);
    bool same = true;
    for (size_t event = 0; same && kit_step(&stream, tap); event++) {
        tap_save(tap, store_put, NULL, &store);
        if (random() % spread == 0)
            same = goes_on(s, event, &store, stream);
    }
    tap_free(tap);
    store_clear(&store);
    facts_clear(&unused);
    return same;
}

static int is_case(const struct dirent *d)
{
    const char *only = getenv("AMITAP_CASE");
    return d->d_name[0] != '.' && (!only || strcmp(only, d->d_name) == 0);
}

static struct slice read_of(const char *name, const char *file)
{
    char path[512];
    snprintf(path, sizeof(path), CASES "/%s/%s", name, file);
    return kit_read(path);
}

/* Whether the case is as it should be. */
static bool case_is_right(const char *name)
{
    static struct subject s;
    struct slice words = read_of(name, "options"), lost = read_of(name, "cut");
    s = (struct subject){.name = name, .input = read_of(name, "input")};
    s.options = kit_options(words).tap;
    s.tell = lost.n == 0 || getenv("AMITAP_CASE");
    run_whole(&s);
    bool same = may_be_cut(&s, 1);
    if (same && lost.n)
        printf("%s may be cut now: delete its file \"cut\"\n", name);
    subject_clear(&s);
    free((char *)words.p);
    free((char *)lost.p);
    return same != (lost.n > 0);
}

START_TEST(cases_may_be_cut_anywhere)
{
    struct dirent **names;
    int n = scandir(CASES, &names, is_case, alphasort);
    int wrong = 0;
    ck_assert_int_gt(n, 0);
    for (int i = 0; i < n; i++) {
        wrong += !case_is_right(names[i]->d_name);
        free(names[i]);
    }
    free(names);
    fflush(stdout);
    ck_assert_msg(wrong == 0, "%d of %d cases", wrong, n);
}
END_TEST

static const char *const recordings[] = {
    "queue-answered", "attended-transfer-dtmf",         "park-retrieve",
    "pickup",         "queue-answered-by-agent-hangup", "conference-three"};

#define CUTS 25

START_TEST(recordings_may_be_cut_anywhere)
{
    static struct subject s;
    char path[512];
    snprintf(path, sizeof(path), "tests/captures/%s/ami.raw", recordings[_i]);
    s = (struct subject){.name = recordings[_i], .any_order = true, .tell = true};
    s.input = kit_read(path);
    s.options = tap_options_default(SLICE("main"));
    ck_assert_msg(s.input.n > 0, "%s cannot be read", path);
    run_whole(&s);
    ck_assert(s.events > 50 && s.whole.count > 5);
    ck_assert(may_be_cut(&s, (long)s.events / CUTS));
    subject_clear(&s);
}
END_TEST

/* Takes members out at random, at any depth. */
static void thin_out(json_t *value)
{
    const char *key;
    json_t *inner;
    void *next;
    size_t i;
    json_array_foreach(value, i, inner)
    {
        thin_out(inner);
    }
    json_object_foreach_safe(value, next, key, inner)
    {
        if (random() % 16)
            thin_out(inner);
        else
            json_object_del(value, key);
    }
}

static void restore_thinned(struct tap *tap, const char *key, struct slice body)
{
    json_t *o = json_loadb(body.p, body.n, 0, NULL);
    thin_out(o);
    char *thinned = json_dumps(o, JSON_COMPACT);
    tap_restore(tap, slice_from(key), slice_from(thinned));
    free(thinned);
    json_decref(o);
}

/* An entity that cannot be read, as one of another version, is left out, and one may lack members:
 * the others go on without them, whichever they are, to the end of the stream. */
START_TEST(entities_may_be_missing)
{
    static struct store store;
    static struct facts facts;
    char path[512];
    snprintf(path, sizeof(path), "tests/captures/%s/ami.raw", recordings[_i]);
    struct slice input = kit_read(path);
    struct tap_options options = tap_options_default(SLICE("main"));
    struct tap *tap = tap_new(&options, take_fact, &facts);
    struct kit_stream stream = kit_stream(input);
    while (kit_step(&stream, tap)) {
        tap_save(tap, store_put, NULL, &store);
        if (random() % 8)
            continue;
        struct tap *other = tap_new(&options, take_fact, &facts);
        struct kit_stream rest = stream;
        for (size_t i = 0; i < store.count; i++) {
            long fate = random() % 3;
            if (fate == 1)
                restore_thinned(other, store.key[i], store.body[i]);
            else if (fate == 2)
                tap_restore(other, slice_from(store.key[i]), store.body[i]);
        }
        tap_restored(other);
        while (kit_step(&rest, other))
            continue;
        tap_free(other);
        facts_clear(&facts);
    }
    ck_assert_uint_gt(store.count, 0);
    tap_free(tap);
    store_clear(&store);
    facts_clear(&facts);
    free((char *)input.p);
}
END_TEST

/* What is no saved entity is refused, and does no harm. */
START_TEST(what_is_no_entity_is_refused)
{
    static const struct {
        const char *entity, *body;
    } bad[] = {{"channel/1.1", ""},
               {"channel/1.1", "{"},
               {"channel/1.1", "[]"},
               {"channel/1.1", "{}"},
               {"channel/1.1", "{\"looks\":[]}"},
               {"channel/1.1", "{\"looks\":[{\"texts\":[\"1.1\"]}]}"},
               {"call/1.1", "{}"},
               {"call/1.1", "{\"linkedid\":\"1.1\"}"},
               {"visit/1.1/sales/1", "{}"},
               {"visit/1.1/sales/1", "{\"queue\":\"sales\"}"},
               {"endpoint/Custom:1", "{\"name\":\"Custom:1\"}"},
               {"registration/1", "{\"channeltype\":\"PJSIP\"}"},
               {"trunk/", "{}"},
               {"bridge/1", "{\"linkedid\":\"1.1\",\"subject\":\"1.1\"}"}};
    static struct facts facts;
    struct tap_options options = tap_options_default(SLICE("main"));
    struct tap *tap = tap_new(&options, take_fact, &facts);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!tap_restore(tap, slice_from(bad[i].entity), slice_from(bad[i].body)),
                      "%s %s", bad[i].entity, bad[i].body);
    tap_restored(tap);
    struct tap_counters counters = tap_counters(tap);
    ck_assert_uint_eq(counters.channels + counters.calls + counters.visits, 0);
    ck_assert_uint_eq(facts.count, 0);
    tap_free(tap);
}
END_TEST

static bool stays(const char *key)
{
    return strncmp(key, "agent/", 6) == 0 || strncmp(key, "endpoint/", 9) == 0 ||
           strcmp(key, "drift") == 0;
}

/* After the last hang-up nothing is left in the store but agents, endpoints and what the tap keeps
 * of itself. */
START_TEST(store_empties)
{
    static struct store store;
    static struct facts facts;
    struct slice input = kit_read("tests/captures/queue-answered/ami.raw");
    struct tap_options options = tap_options_default(SLICE("main"));
    struct tap *tap = tap_new(&options, take_fact, &facts);
    struct kit_stream stream = kit_stream(input);
    size_t most = 0;
    while (kit_step(&stream, tap)) {
        tap_save(tap, store_put, NULL, &store);
        most = store.count > most ? store.count : most;
    }
    ck_assert_uint_ge(most, 4);
    size_t staying = 0;
    for (size_t i = 0; i < store.count; i++)
        staying += stays(store.key[i]);
    ck_assert_uint_eq(store.count, staying + 1);
    tap_free(tap);
    facts_clear(&facts);
    free((char *)input.p);
}
END_TEST

static bool is_in_store(const struct store *store, const char *key, const char *text)
{
    for (size_t i = 0; i < store->count; i++) {
        if (strcmp(store->key[i], key) == 0)
            return memmem(store->body[i].p, store->body[i].n, text, strlen(text)) != NULL;
    }
    return false;
}

/* A call that nothing confirms is given up after 900 seconds. When the PBX's clock is set back by
 * an hour meanwhile, it is so after as long as before, also by a tap that is started anew. */
START_TEST(doubt_goes_with_the_clock)
{
    static struct store store;
    static struct facts facts;
    struct kit_stream stream = kit_stream(
        SLICE("Event: Newchannel\nTimestamp: 1795000000\nArrival: 1795000000\n"
              "Channel: PJSIP/100-1\nChannelState: 4\nUniqueid: 1.1\nLinkedid: 1.1\n\n"
              "Tap: lost-sight\nTimestamp: 1795000010\nReason: disconnected\n\n"
              "Tap: connected\nTimestamp: 1795000020\n\n"
              "Tap: snapshot-end\nTimestamp: 1795000021\n\n"
              "Event: Newchannel\nTimestamp: 1794996430\nArrival: 1795000030\n"
              "Channel: PJSIP/200-1\nChannelState: 4\nUniqueid: 2.1\nLinkedid: 2.1\n\n"));
    struct tap_options options = tap_options_default(SLICE("main"));
    struct tap *tap = tap_new(&options, take_fact, &facts);
    for (int i = 0; i < 4; i++)
        ck_assert(kit_step(&stream, tap));
    tap_save(tap, store_put, NULL, &store);
    ck_assert(is_in_store(&store, "channel/1.1", "\"unsure_until\":1795000921000000"));
    ck_assert(kit_step(&stream, tap));
    tap_save(tap, store_put, NULL, &store);
    ck_assert(is_in_store(&store, "channel/1.1", "\"unsure_until\":1794997321000000"));
    tap_free(tap);
    store_clear(&store);
    facts_clear(&facts);
}
END_TEST

int main(void)
{
    seed = kit_seed();
    TCase *tcase = tcase_create("save");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, cases_may_be_cut_anywhere);
    tcase_add_loop_test(tcase, recordings_may_be_cut_anywhere, 0,
                        (int)(sizeof(recordings) / sizeof(recordings[0])));
    tcase_add_loop_test(tcase, entities_may_be_missing, 0,
                        (int)(sizeof(recordings) / sizeof(recordings[0])));
    tcase_add_test(tcase, what_is_no_entity_is_refused);
    tcase_add_test(tcase, store_empties);
    tcase_add_test(tcase, doubt_goes_with_the_clock);
    return kit_run("save", tcase);
}
