/* SPDX-License-Identifier: MIT */
#include "collector/commands/scrub.h"

#include "collector/state/table.h"
#include "parsers/ami_text.h"
#include "parsers/number_scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define NAME_MIN  3u
#define SHORT_MIN 5u
#define SHORT_MAX 6u

/* A name that was seen, or a number too short to be known by its look. */
struct known {
    char person[SCRUB_PERSON_SIZE]; /* what stands for it; "" for a number */
    uint16_t n;
    char lower[]; /* n bytes */
};

struct scrub {
    struct scrub_key *key;
    struct table known;
    uint8_t begins[65536 / 8];                     /* bit by first two bytes of what is known */
    uint8_t lengths[(SCRUB_NAME_MAX + 1) / 8 + 1]; /* bit by length */
    uint16_t longest;
    int64_t epoch;      /* seconds, from the last unique id */
    bool name_is_named; /* the event's header Name is a person's: QueueMember, Agents */
    bool is_dialplans;  /* the headers that come are what a dialplan put into a UserEvent */
    struct scrub_counters counters;
};

static struct slice key_of(const void *value)
{
    const struct known *k = value;
    return (struct slice){k->lower, k->n};
}

struct scrub *scrub_new(const uint8_t key[SCRUB_KEY_SIZE])
{
    struct scrub *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->known = table_new(SCRUB_NAMES_MAX, key_of);
    s->key = scrub_key_new(key);
    if (s->key)
        return s;
    scrub_free(s);
    return NULL;
}

void scrub_free(struct scrub *s)
{
    if (!s)
        return;
    size_t position = 0;
    void *known;
    while ((known = table_next(&s->known, &position)))
        free(known);
    table_free(&s->known);
    scrub_key_free(s->key);
    free(s);
}

struct scrub_counters scrub_counters(const struct scrub *s)
{
    return s->counters;
}

static char lower_of(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static unsigned pair_of(char first, char second)
{
    return (unsigned)((unsigned char)lower_of(first) << 8 | (unsigned char)lower_of(second));
}

/* --- what a header is --- */

enum role {
    ROLE_TEXT,   /* may hold anything */
    ROLE_KEEP,   /* only Asterisk fills it */
    ROLE_NUMBER, /* a caller's number, an extension */
    ROLE_NAME,
    ROLE_DIGIT,
    ROLE_UNIQUE /* an id that holds seconds since 1970 */
};

struct rule {
    const char *name;
    enum role role;
};

/* Headers that end so, since a party's come with its name before it ("DestCallerIDNum"). */
static const struct rule suffixes[] = {
    {"CallerIDNum", ROLE_NUMBER},
    {"CallerIDName", ROLE_NAME},
    {"ConnectedLineNum", ROLE_NUMBER},
    {"ConnectedLineName", ROLE_NAME},
    {"CallerIDani", ROLE_NUMBER},
    {"CallerIDrdnis", ROLE_NUMBER},
    {"CallerIDdnid", ROLE_NUMBER},
    {"Exten", ROLE_NUMBER},
    {"Uniqueid", ROLE_UNIQUE},
    {"Linkedid", ROLE_UNIQUE},
    {"Timestamp", ROLE_KEEP},
    {"Priority", ROLE_KEEP},
    {"ChannelState", ROLE_KEEP},
    {"ChannelStateDesc", ROLE_KEEP},
    {"Language", ROLE_KEEP},
    {"BridgeType", ROLE_KEEP},
    {"BridgeTechnology", ROLE_KEEP},
    {"BridgeNumChannels", ROLE_KEEP},
    {"BridgeVideoSourceMode", ROLE_KEEP},
};

static const struct rule whole_names[] = {
    {"MemberName", ROLE_NAME},     {"Digit", ROLE_DIGIT},
    {"Event", ROLE_KEEP},          {"Response", ROLE_KEEP},
    {"Privilege", ROLE_KEEP},      {"SystemName", ROLE_KEEP},
    {"ActionID", ROLE_KEEP},       {"EventList", ROLE_KEEP},
    {"ListItems", ROLE_KEEP},      {"Application", ROLE_KEEP},
    {"DialStatus", ROLE_KEEP},     {"State", ROLE_KEEP},
    {"Status", ROLE_KEEP},         {"Strategy", ROLE_KEEP},
    {"Cause", ROLE_KEEP},          {"Cause-txt", ROLE_KEEP},
    {"CallID", ROLE_KEEP},         {"PriorCallID", ROLE_KEEP},
    {"RingTime", ROLE_KEEP},       {"HoldTime", ROLE_KEEP},
    {"TalkTime", ROLE_KEEP},       {"Wait", ROLE_KEEP},
    {"Duration", ROLE_KEEP},       {"BillableSeconds", ROLE_KEEP},
    {"LastCall", ROLE_KEEP},       {"LastPause", ROLE_KEEP},
    {"LoginTime", ROLE_KEEP},      {"StartTime", ROLE_KEEP},
    {"AnswerTime", ROLE_KEEP},     {"EndTime", ROLE_KEEP},
    {"EventTime", ROLE_KEEP},      {"EventName", ROLE_KEEP},
    {"SessionTV", ROLE_KEEP},      {"EventTV", ROLE_KEEP},
    {"Disposition", ROLE_KEEP},    {"AMAFlags", ROLE_KEEP},
    {"Position", ROLE_KEEP},       {"OriginalPosition", ROLE_KEEP},
    {"Count", ROLE_KEEP},          {"Penalty", ROLE_KEEP},
    {"CallsTaken", ROLE_KEEP},     {"Result", ROLE_KEEP},
    {"ParkingTimeout", ROLE_KEEP}, {"ParkingDuration", ROLE_KEEP},
    {"DurationMs", ROLE_KEEP},     {"SentNTP", ROLE_KEEP},
    {"DestType", ROLE_KEEP},       {"LocalOptimization", ROLE_KEEP},
};

static bool is_called(struct slice name, const char *other)
{
    return name.n == strlen(other) && strncasecmp(name.p, other, name.n) == 0;
}

static bool ends_in(struct slice name, const char *suffix)
{
    size_t n = strlen(suffix);
    return name.n >= n && strncasecmp(name.p + name.n - n, suffix, n) == 0;
}

static enum role role_by_name(const struct scrub *s, struct slice name)
{
    if (s->name_is_named && is_called(name, "Name"))
        return ROLE_NAME;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (ends_in(name, suffixes[i].name))
            return suffixes[i].role;
    }
    for (size_t i = 0; i < sizeof(whole_names) / sizeof(whole_names[0]); i++) {
        if (is_called(name, whole_names[i].name))
            return whole_names[i].role;
    }
    return ROLE_TEXT;
}

/* A dialplan may use the names of headers that only Asterisk fills elsewhere. */
static enum role role_of(const struct scrub *s, struct slice name)
{
    enum role role = role_by_name(s, name);
    return s->is_dialplans && (role == ROLE_KEEP || role == ROLE_UNIQUE) ? ROLE_TEXT : role;
}

/* Cuts a line at its colon; false when it has none. The value is without the blanks around it. */
static bool cut_header(struct slice line, struct slice *ret_name, struct slice *ret_value)
{
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon)
        return false;
    *ret_name = slice_head(line, (size_t)(colon - line.p));
    struct slice value = slice_from_offset(line, ret_name->n + 1);
    while (value.n && value.p[0] == ' ')
        value = slice_from_offset(value, 1);
    while (value.n && value.p[value.n - 1] == ' ')
        value.n--;
    *ret_value = value;
    return true;
}

static void note_event(struct scrub *s, struct slice name, struct slice value)
{
    if (is_called(name, "Event"))
        s->name_is_named = is_called(value, "QueueMember") || is_called(value, "Agents");
    else if (is_called(name, "UserEvent"))
        s->is_dialplans = true;
}

/* An event ends with an empty line. */
static void note_end(struct scrub *s, struct slice line)
{
    if (!line.n)
        s->is_dialplans = false;
}

/* --- learning --- */

/* What a name header holds need not be a name: nothing, a number, a device as a member's default
 * name. */
static bool is_name(struct slice value)
{
    bool letter = false;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '/')
            return false;
        letter |= number_scan_is_word(value.p[i]) && !number_scan_is_digit(value.p[i]);
    }
    return letter && !slice_is(value, "<unknown>");
}

static bool is_short_number(struct slice value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (!number_scan_is_digit(value.p[i]))
            return false;
    }
    return value.n >= SHORT_MIN && value.n <= SHORT_MAX;
}

/* False when there is no room for it. */
static bool learn(struct scrub *s, struct slice text, const char *person)
{
    char lower[SCRUB_NAME_MAX];
    if (text.n > SCRUB_NAME_MAX)
        return true; /* too long to be looked for, as scrub.h says */
    for (size_t i = 0; i < text.n; i++)
        lower[i] = lower_of(text.p[i]);
    if (table_find(&s->known, (struct slice){lower, text.n}))
        return true;
    struct known *k = calloc(1, sizeof(*k) + text.n);
    if (!k)
        return false;
    k->n = (uint16_t)text.n;
    memcpy(k->lower, lower, text.n);
    snprintf(k->person, sizeof(k->person), "%s", person);
    if (!table_add(&s->known, k)) {
        free(k);
        return false;
    }
    unsigned pair = pair_of(text.p[0], text.p[1]);
    s->begins[pair / 8] |= (uint8_t)(1u << pair % 8);
    s->lengths[text.n / 8] |= (uint8_t)(1u << text.n % 8);
    if (k->n > s->longest)
        s->longest = k->n;
    return true;
}

/* The value as Asterisk escapes it in some headers; false when it does not fit. */
static bool escape(struct slice value, struct buf *to)
{
    static const char from[] = "\a\b\f\n\r\t\v\\'\"?", names[] = "abfnrtv\\'\"?";
    for (size_t i = 0; i < value.n; i++) {
        const char *at = value.p[i] ? strchr(from, value.p[i]) : NULL;
        if (at)
            buf_put_char(to, '\\');
        buf_put_char(to, at ? names[at - from] : value.p[i]);
    }
    return !to->failed;
}

/* A name as it was sent, as it is meant, and as other headers may send it. */
static void learn_name(struct scrub *s, struct slice value)
{
    char plain_bytes[SCRUB_NAME_MAX], person[SCRUB_PERSON_SIZE];
    if (value.n > SCRUB_NAME_MAX || !is_name(value))
        return;
    struct slice plain = ami_text_unescape(value, plain_bytes, sizeof(plain_bytes));
    if (plain.n < NAME_MIN)
        return;
    scrub_key_person(s->key, plain, person);
    struct buf escaped = buf_new(2 * (size_t)SCRUB_NAME_MAX);
    bool kept = learn(s, value, person);
    kept = learn(s, plain, person) && kept;
    kept = (!escape(plain, &escaped) || learn(s, buf_slice(&escaped), person)) && kept;
    s->counters.not_learned += !kept;
    buf_free(&escaped);
}

void scrub_learn(struct scrub *s, struct slice line)
{
    struct slice name, value;
    note_end(s, line);
    if (!cut_header(line, &name, &value))
        return;
    note_event(s, name, value);
    enum role role = value.n ? role_of(s, name) : ROLE_KEEP;
    if (role == ROLE_NAME)
        learn_name(s, value);
    else if (role == ROLE_NUMBER && is_short_number(value))
        s->counters.not_learned += !learn(s, value, "");
}

/* --- replacing --- */

/* The longest thing known that begins at `at`, where a word begins, and ends with a word. */
static const struct known *known_at(const struct scrub *s, struct slice text, size_t at)
{
    char lower[SCRUB_NAME_MAX];
    if (at + 1 >= text.n)
        return NULL;
    unsigned pair = pair_of(text.p[at], text.p[at + 1]);
    if (!(s->begins[pair / 8] & 1u << pair % 8))
        return NULL;
    size_t most = text.n - at < s->longest ? text.n - at : s->longest;
    for (size_t i = 0; i < most; i++)
        lower[i] = lower_of(text.p[at + i]);
    for (size_t n = most; n > 1; n--) {
        bool ends = at + n == text.n || !number_scan_is_word(text.p[at + n]);
        if (!ends || !(s->lengths[n / 8] & 1u << n % 8))
            continue;
        const struct known *k = table_find(&s->known, (struct slice){lower, n});
        if (k)
            return k;
    }
    return NULL;
}

static void put_number(struct scrub *s, struct slice number, struct buf *to)
{
    size_t at = to->n;
    if (!buf_put_slice(to, number))
        return;
    scrub_key_digits(s->key, to->p + at, number.n);
    s->counters.numbers++;
}

static size_t put_known(struct scrub *s, const struct known *k, struct slice found, struct buf *to)
{
    if (k->person[0]) {
        buf_put_slice(to, slice_from(k->person));
        s->counters.names++;
    } else {
        put_number(s, found, to);
    }
    return k->n;
}

static bool may_begin_number(char c)
{
    return number_scan_is_digit(c) || c == '+' || c == '(';
}

/* Writes what begins at `at` and returns how many bytes of the text that was. */
static size_t put_next(struct scrub *s, struct slice text, size_t at, struct buf *to)
{
    char before = at ? text.p[at - 1] : ' ';
    bool escaped = at >= 2 && text.p[at - 2] == '\\';
    bool word_begins = !number_scan_is_word(before) || escaped;
    const struct known *k = word_begins ? known_at(s, text, at) : NULL;
    if (k)
        return put_known(s, k, (struct slice){text.p + at, k->n}, to);
    size_t keep = word_begins ? number_scan_id(text, at, s->epoch) : 0;
    if (!keep)
        keep = number_scan_serial(text, at);
    size_t number = !keep && may_begin_number(text.p[at]) ? number_scan_number(text, at) : 0;
    if (number) {
        put_number(s, (struct slice){text.p + at, number}, to);
        return number;
    }
    if (!keep) {
        /* A run of digits that is nothing is passed whole: its tail would look like another one. */
        keep = 1;
        while (number_scan_is_digit(text.p[at]) && at + keep < text.n &&
               number_scan_is_digit(text.p[at + keep]))
            keep++;
    }
    buf_put(to, text.p + at, keep);
    return keep;
}

static void put_text(struct scrub *s, struct slice text, struct buf *to)
{
    for (size_t at = 0; at < text.n;)
        at += put_next(s, text, at, to);
}

static void put_name(struct scrub *s, struct slice value, struct buf *to)
{
    char plain_bytes[SCRUB_NAME_MAX + 1], person[SCRUB_PERSON_SIZE];
    if (!is_name(value)) {
        put_text(s, value, to);
        return;
    }
    scrub_key_person(s->key, ami_text_unescape(value, plain_bytes, sizeof(plain_bytes)), person);
    buf_put_slice(to, slice_from(person));
    s->counters.names++;
}

static void put_value(struct scrub *s, enum role role, struct slice value, struct buf *to)
{
    switch (role) {
    case ROLE_UNIQUE: {
        int64_t epoch = number_scan_epoch(value);
        s->epoch = epoch ? epoch : s->epoch;
        buf_put_slice(to, value);
        return;
    }
    case ROLE_KEEP:
        buf_put_slice(to, value);
        return;
    case ROLE_DIGIT:
        buf_put_char(to, '0');
        return;
    case ROLE_NAME:
        put_name(s, value, to);
        return;
    case ROLE_NUMBER:
    case ROLE_TEXT:
        put_text(s, value, to);
        return;
    }
}

/* Whether a header's name is more than a word: "ChanVariable(PJSIP/101-00000001)", or whatever the
 * dialplan made a UserEvent of. */
static bool holds_text(struct slice name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '(' || name.p[i] == ' ' || number_scan_is_digit(name.p[i]))
            return true;
    }
    return false;
}

bool scrub_line(struct scrub *s, struct slice line, struct buf *to)
{
    struct slice name, value;
    s->counters.lines++;
    note_end(s, line);
    if (!cut_header(line, &name, &value)) {
        put_text(s, line, to);
        return !to->failed;
    }
    note_event(s, name, value);
    enum role role = value.n ? role_of(s, name) : ROLE_KEEP;
    if (holds_text(name))
        put_text(s, name, to);
    else
        buf_put_slice(to, name);
    const char *end = value.n ? value.p : line.p + line.n;
    buf_put(to, name.p + name.n, (size_t)(end - name.p) - name.n);
    if (value.n) {
        put_value(s, role, value, to);
        const char *rest = value.p + value.n;
        buf_put(to, rest, (size_t)(line.p + line.n - rest));
    }
    return !to->failed;
}
