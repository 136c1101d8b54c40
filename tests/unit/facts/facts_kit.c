/* SPDX-License-Identifier: MIT */
#include "tests/unit/facts/facts_kit.h"

#include "collector/facts/queue_log.h"
#include "collector/state/variables.h"
#include "parsers/ami_message.h"
#include "parsers/ami_text.h"
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#define LINE_MAX_BYTES ((size_t)1024 * 1024)

/* The fields that a line shows of each kind. */
static const char *const columns[FACT_KIND_COUNT] = {
    [FACT_CALL_STARTED] = "linkedid caller_number dialled",
    [FACT_CALL_RINGING] = "linkedid interface queue",
    [FACT_CALL_ANSWERED] = "linkedid interface wait_seconds queue",
    [FACT_CALL_ENDED] = "linkedid start end end_earliest end_latest cause hung_up_by",
    [FACT_CALL] = "linkedid start answer end end_earliest end_latest",
    [FACT_CALL_MERGED] = "linkedid merged_into uniqueid",
    [FACT_CALL_TRANSFERRED] = "transfer interface transferred_to",
    [FACT_CALL_HANDED_OVER] = "handed_to appdata variables",
    [FACT_CALL_HANDED_BACK] = "handed_to hand_seconds reason outcome person_seconds variables",
    [FACT_CALL_USER_EVENT] = "linkedid user_event headers headers_omitted",
    [FACT_HANDOFF_STATE] = "now most most_in_minute most_in_hour runs mean_seconds longest_seconds",
    [FACT_CDR] = "src dst channel dstchannel lastapp lastdata start answer end disposition "
                 "userfield end_earliest end_latest",
    [FACT_QUEUE_JOINED] = "uniqueid queue position",
    [FACT_QUEUE_CONNECTED] = "uniqueid queue member wait_seconds",
    [FACT_QUEUE_COMPLETED] = "uniqueid queue",
    [FACT_QUEUE_ABANDONED] = "uniqueid queue",
    [FACT_QUEUE_TIMED_OUT] = "uniqueid queue",
    [FACT_QUEUE_LEFT] = "uniqueid queue",
    [FACT_QUEUE] = "uniqueid queue outcome joined end wait_seconds talk_seconds position member "
                   "ring_attempts ended_by end_earliest end_latest",
    [FACT_AGENT] = "state start end reason linkedid",
    [FACT_CALL_STATE] = "state since queue ringing talking_with",
    [FACT_QUEUE_STATE] = "strategy service_level_seconds waiting",
    [FACT_AGENT_STATE] = "agent state since reason linkedid members",
    [FACT_ENDPOINT] = "state start end",
    [FACT_REGISTRATION] = "registration endpoint state reason start end",
    [FACT_TRUNK] =
        "start end calls_max attempts_in attempts_out answered failed asr failures used_seconds",
    [FACT_ENDPOINT_STATE] = "state since registered address contacts",
    [FACT_REGISTRATION_STATE] = "registration endpoint state reason since",
    [FACT_TRUNK_STATE] =
        "calls since calls_max attempts_in attempts_out answered failed asr failures",
    [FACT_GAP] = "from to reason",
    [FACT_DRIFT] = "what linkedid queue interface columns",
    [FACT_TAP_CONNECTED] = "version",
    [FACT_TAP_DISCONNECTED] = "reason",
};

static const char *const field_names[FIELD_COUNT] = {
#define FACT_FIELD(id, name, privacy) [FIELD_##id] = name,
#include "schemas/fact_fields.def"
#undef FACT_FIELD
};

/* Rendered as RFC 3339, which would be long here. */
static const enum fact_field times[] = {FIELD_START, FIELD_ANSWER,       FIELD_END,
                                        FIELD_SINCE, FIELD_JOINED,       FIELD_FROM,
                                        FIELD_TO,    FIELD_END_EARLIEST, FIELD_END_LATEST};

struct slice kit_read(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return (struct slice){NULL, 0};
    char *text = NULL, *line = NULL;
    size_t n = 0, size = 0;
    FILE *to = open_memstream(&text, &n);
    ssize_t length;
    while ((length = getline(&line, &size, f)) >= 0) {
        if (line[0] != '#')
            fwrite(line, 1, (size_t)length, to);
    }
    free(line);
    fclose(to);
    fclose(f);
    return (struct slice){text, n};
}

static enum fact_field field_by_name(struct slice name)
{
    unsigned i = 0;
    while (i < FIELD_COUNT && !slice_is(name, field_names[i]))
        i++;
    return (enum fact_field)i;
}

/* The next word of a line, and what follows it. */
static struct slice word(struct slice *rest)
{
    while (rest->n && rest->p[0] == ' ')
        *rest = slice_from_offset(*rest, 1);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ')
        n++;
    struct slice first = slice_head(*rest, n);
    *rest = slice_from_offset(*rest, n);
    return first;
}

static void show(struct kit_options *o, struct slice kinds)
{
    struct slice name;
    memset(o->show, 0, sizeof(o->show));
    while ((name = word(&kinds)).n) {
        enum fact_kind kind = fact_kind_by_name(name);
        ck_assert_msg(kind < FACT_KIND_COUNT, "no kind \"%.*s\"", (int)name.n, name.p);
        o->show[kind] = true;
    }
}

static void also(struct kit_options *o, struct slice fields)
{
    struct slice name;
    while ((name = word(&fields)).n) {
        enum fact_field field = field_by_name(name);
        o->ids |= slice_is(name, "id");
        ck_assert_msg(field < FIELD_COUNT || slice_is(name, "id"), "no field \"%.*s\"", (int)name.n,
                      name.p);
        if (field < FIELD_COUNT)
            o->also[field] = true;
    }
}

/* Where a yes-or-no option stands, or NULL. */
static bool *switch_of(struct tap_options *o, struct slice name)
{
    const struct {
        const char *name;
        bool *where;
    } switches[] = {
        {"unanswered", &o->cdr.unanswered},
        {"congestion", &o->cdr.congestion},
        {"endbeforehexten", &o->cdr.endbeforehexten},
        {"initiatedseconds", &o->cdr.initiatedseconds},
        {"channeldefaultenabled", &o->cdr.channeldefaultenabled},
        {"canceldispositionenabled", &o->cdr.canceldispositionenabled},
        {"ignorestatechanges", &o->cdr.ignorestatechanges},
        {"ignoredialchanges", &o->cdr.ignoredialchanges},
        {"log_membername_as_agent", &o->log_membername_as_agent},
        {"log_restricted_caller_id", &o->log_restricted_caller_id},
        {"log_caller_id_name", &o->log_caller_id_name},
        {"log_unpause_on_reason_change", &o->log_unpause_on_reason_change},
    };
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (slice_is(name, switches[i].name))
            return switches[i].where;
    }
    return NULL;
}

/* The name is kept for as long as the test runs. */
static void set_trunk(struct kit_options *o, struct slice name)
{
    static char text[64];
    static const char *const names[] = {text};
    snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
    o->tap.trunks = names;
    o->tap.trunk_count = 1;
}

/* The names are kept for as long as the program runs. */
static void name_variables(struct kit_options *o, struct slice name, struct slice rest)
{
    static const char *names[VARIABLES_MAX];
    static char text[VARIABLES_MAX][64];
    size_t count = 0;
    for (; name.n && count < VARIABLES_MAX; name = word(&rest)) {
        snprintf(text[count], sizeof(text[0]), "%.*s", (int)name.n, name.p);
        names[count] = text[count];
        count++;
    }
    o->tap.variables = names;
    o->tap.variable_count = count;
}

/* One queue's, kept for the run. */
static void set_wrapuptime(struct kit_options *o, struct slice value)
{
    static char text[64];
    static const char *const only[] = {text};
    snprintf(text, sizeof(text), "%.*s", (int)value.n, value.p);
    o->tap.wrapuptimes = only;
    o->tap.wrapuptime_count = 1;
}

static void set(struct kit_options *o, struct slice name, struct slice rest)
{
    struct slice value = word(&rest);
    bool yes = slice_is(value, "yes");
    int64_t seconds = 0;
    bool *where = switch_of(&o->tap, name);
    if (where)
        *where = yes;
    else if (slice_is(name, "journey"))
        o->journey = true;
    else if (slice_is(name, "variables"))
        name_variables(o, value, rest);
    else if (slice_is(name, "wrapuptimes"))
        set_wrapuptime(o, value);
    else if (slice_is(name, "short_abandon") && ami_text_int(value, &seconds))
        o->tap.short_abandon = seconds * 1000000;
    else if (slice_is(name, "trunk_minutes") && ami_text_int(value, &seconds))
        o->tap.trunk_interval = seconds * 60 * 1000000;
    else if (slice_is(name, "unsure_seconds") && ami_text_int(value, &seconds))
        o->tap.unsure = seconds * 1000000;
    else if (slice_is(name, "trunks"))
        set_trunk(o, value);
    else
        ck_abort_msg("no option \"%.*s\"", (int)name.n, name.p);
}

struct kit_options kit_options(struct slice text)
{
    struct kit_options o = {.tap = tap_options_default(SLICE("main")), .show = {[FACT_CDR] = true}};
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        struct slice line = slice_head(text, n);
        struct slice name = word(&line);
        if (slice_is(name, "show"))
            show(&o, line);
        else if (slice_is(name, "also"))
            also(&o, line);
        else if (name.n)
            set(&o, name, line);
        text = slice_from_offset(text, n + 1);
    }
    return o;
}

struct kit_stream kit_stream(struct slice text)
{
    return (struct kit_stream){.rest = text};
}

static struct slice header(const struct ami_message *m, const char *name)
{
    for (unsigned i = 0; i < m->count; i++) {
        if (slice_is(m->headers[i].name, name))
            return m->headers[i].value;
    }
    return (struct slice){NULL, 0};
}

static int64_t time_of(const struct ami_message *m, const char *name)
{
    int64_t us = 0;
    ami_text_time(header(m, name), &us);
    return us;
}

static enum tap_list list_of(const struct ami_message *m)
{
    struct slice name = header(m, "List");
    if (slice_is(name, "bridges"))
        return TAP_LIST_BRIDGES;
    if (slice_is(name, "devices"))
        return TAP_LIST_DEVICES;
    if (slice_is(name, "registrations"))
        return TAP_LIST_REGISTRATIONS;
    return slice_is(name, "queues") ? TAP_LIST_QUEUES : TAP_LIST_CHANNELS;
}

static void direct(struct tap *tap, const struct ami_message *m)
{
    struct slice what = header(m, "Tap");
    int64_t now = time_of(m, "Timestamp");
    if (slice_is(what, "connected"))
        tap_connected(tap, header(m, "Version"), now);
    else if (slice_is(what, "disconnected"))
        tap_disconnected(tap, header(m, "Reason"), now);
    else if (slice_is(what, "lost-sight"))
        tap_lost_sight(tap, now, header(m, "Reason"));
    else if (slice_is(what, "host"))
        tap_host(tap, header(m, "Host"));
    else if (slice_is(what, "booted"))
        tap_booted(tap, header(m, "Startup"));
    else if (slice_is(what, "snapshot-end"))
        tap_snapshot_end(tap, now);
    else if (slice_is(what, "gap"))
        tap_gap(tap, time_of(m, "From"), time_of(m, "To"), header(m, "Reason"));
    else if (slice_is(what, "list-begin"))
        tap_list_begin(tap, list_of(m));
    else if (slice_is(what, "list-end"))
        tap_list_end(tap, list_of(m), !slice_is(header(m, "Complete"), "no"), now);
    else if (slice_is(what, "check-begin"))
        tap_check_begin(tap);
    else if (slice_is(what, "check-end"))
        tap_check_end(tap, !slice_is(header(m, "Complete"), "no"), now);
    else if (slice_is(what, "tick"))
        tap_tick(tap, now);
    else
        ck_abort_msg("a block is neither an event nor about the tap");
}

bool kit_step(struct kit_stream *stream, struct tap *tap)
{
    static struct ami_message m;
    struct ami_frame frame;
    size_t consumed;
    while (ami_frame_next(&stream->framer, stream->rest, &frame, &consumed) == AMI_FRAME_OK) {
        stream->rest = slice_from_offset(stream->rest, consumed);
        bool event = frame.kind == AMI_FRAME_EVENT;
        if ((event && !ami_event_wanted(ami_message_event_id(&frame))) ||
            (!event && frame.kind != AMI_FRAME_OTHER))
            continue;
        ami_message_parse(&frame, &m);
        if (event)
            tap_event(tap, &m, time_of(&m, "Arrival"));
        else
            direct(tap, &m);
        return true;
    }
    return false;
}

static bool is_time(enum fact_field field)
{
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (times[i] == field)
            return true;
    }
    return false;
}

/* 100, 100.5, 100.000001. */
static void print_seconds(FILE *to, int64_t us)
{
    char text[48];
    int n = snprintf(text, sizeof(text), "%.6f", (double)us / 1000000);
    while (n > 0 && text[n - 1] == '0')
        n--;
    text[n] = 0;
    fprintf(to, "%.*s", text[n - 1] == '.' ? n - 1 : n, text);
}

static void print_value(FILE *to, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text && !strchr(text, ' ')) {
        fputs(text, to);
        return;
    }
    json_dumpf(value, to, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
}

static bool is_nothing(const json_t *value)
{
    return !value || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static void print_field(FILE *to, struct slice fact, const json_t *object, enum fact_field field)
{
    const json_t *value = json_object_get(object, field_names[field]);
    int64_t us;
    bool unknown = json_is_null(value) && (field == FIELD_LASTAPP || field == FIELD_LASTDATA);
    if (is_nothing(value) && !unknown)
        return;
    fprintf(to, " %s=", field_names[field]);
    if (is_time(field) && fact_find(fact, field, NULL, &us))
        print_seconds(to, us);
    else
        print_value(to, value);
}

static void print_fields(FILE *to, struct slice fact, enum fact_kind kind,
                         const struct kit_options *options)
{
    struct buf text = buf_new(LINE_MAX_BYTES);
    struct json_out j = json_out_to(&text);
    struct slice names = slice_from(columns[kind]), name;
    fact_json(fact, &j);
    json_t *object = json_loadb(text.p, text.n, 0, NULL);
    ck_assert_msg(object != NULL, "no JSON: %.*s", (int)text.n, text.p);
    while ((name = word(&names)).n)
        print_field(to, fact, object, field_by_name(name));
    for (unsigned field = 0; field < FIELD_COUNT; field++) {
        if (options->also[field])
            print_field(to, fact, object, (enum fact_field)field);
    }
    json_decref(object);
    buf_free(&text);
}

static void print_line(FILE *to, struct slice fact)
{
    struct buf text = buf_new(LINE_MAX_BYTES);
    ck_assert(queue_log_text(fact, &text));
    fprintf(to, " %.*s", (int)text.n, text.p);
    buf_free(&text);
}

/* A time within an hour of 1970's beginning as seconds; any other text as it is. */
static void print_text(FILE *to, const char *text)
{
    static const char hour[] = "1970-01-01T00:";
    if (strncmp(text, hour, strlen(hour)) != 0) {
        fputs(text, to);
        return;
    }
    char *end;
    unsigned long minutes = strtoul(text + strlen(hour), &end, 10);
    double seconds = strtod(end + 1, NULL);
    print_seconds(to, (int64_t)(((double)minutes * 60 + seconds) * 1000000 + 0.5));
}

/* " key=value" of each member that says something; an object's members as "key.member". What
 * repeats another member is left out. */
static void print_members(FILE *to, const json_t *object, const char *under)
{
    static const char *const repeated[] = {"channel", "name", "cause_text", "number"};
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        bool skip = is_nothing(value) || (json_is_number(value) && json_number_value(value) == 0);
        for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++)
            skip |= strcmp(key, repeated[i]) == 0;
        if (skip)
            continue;
        if (json_is_object(value)) {
            print_members(to, value, key);
            continue;
        }
        fprintf(to, " %s%s%s=", under, under[0] ? "." : "", key);
        if (json_is_string(value))
            print_text(to, json_string_value(value));
        else
            print_value(to, value);
    }
}

static void print_journey(FILE *to, struct slice fact)
{
    static const char *const figures[] = {"queue",        "answered_by",  "wait_seconds",
                                          "ring_seconds", "talk_seconds", "hold_seconds",
                                          "hung_up_side", "merged_into",  "aliases"};
    static const char *const lists[] = {"legs",  "talks",       "transfers", "pickups",
                                        "parks", "conferences", "forwards"};
    struct buf text = buf_new(LINE_MAX_BYTES);
    struct json_out j = json_out_to(&text);
    fact_json(fact, &j);
    json_t *object = json_loadb(text.p, text.n, 0, NULL);
    ck_assert_msg(object != NULL, "no JSON: %.*s", (int)text.n, text.p);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        const json_t *value = json_object_get(object, figures[i]);
        if (is_nothing(value) || (json_is_array(value) && !json_array_size(value)))
            continue;
        fprintf(to, " %s=", figures[i]);
        print_value(to, value);
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const json_t *list = json_object_get(object, lists[i]);
        for (size_t k = 0; k < json_array_size(list); k++) {
            fprintf(to, "\n  %.*s", (int)strlen(lists[i]) - 1, lists[i]);
            print_members(to, json_array_get(list, k), "");
        }
    }
    json_decref(object);
    buf_free(&text);
}

void kit_print(FILE *to, struct slice fact, const struct kit_options *options)
{
    struct fact_head head;
    ck_assert(fact_read_head(fact, &head));
    if (!options->show[head.kind])
        return;
    const struct fact_kind_info *info = fact_kind_info(head.kind);
    fputs(info->kind, to);
    /* A visit's subject is long and made of its first fields. */
    if (info->key != FACT_KEY_QUEUE || head.kind == FACT_QUEUE_STATE)
        fprintf(to, " %.*s", (int)head.subject.n, head.subject.p);
    if (head.kind == FACT_QUEUE_LOG)
        print_line(to, fact);
    else
        print_fields(to, fact, head.kind, options);
    if (options->journey && head.kind == FACT_CALL)
        print_journey(to, fact);
    if (options->ids)
        fprintf(to, " id=%.*s", (int)head.id.n, head.id.p);
    fprintf(to, "%s%s%s%s\n", head.flags & FACT_IS_TAP ? " tap" : "",
            head.flags & FACT_IS_INFERRED ? " inferred" : "",
            head.flags & FACT_IS_TOMBSTONE ? " gone" : "",
            head.flags & FACT_IS_QUIET ? " quiet" : "");
}

int kit_run(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

unsigned kit_seed(void)
{
    const char *given = getenv("AMITAP_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("AMITAP_SEED=%u\n", seed);
    fflush(stdout);
    srandom(seed);
    return seed;
}
