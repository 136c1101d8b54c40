/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_text.h"
#include "tests/amisim/sim_people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define UUID_HEX     "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
#define DATE_DIGITS  "20dd-dd-dd?dd:dd:dd"
#define TEXT_MAX     (64u * 1024 * 1024)
#define STAMP_DIGITS 6u
#define UID_DIGITS   5u

enum kind { EPOCH, STAMP, UNIQUEID, CHANNEL, BRIDGE, NUMBER, DATE, WORD, CALLER };

/* A change at `at`: `length` recorded bytes go, the value is written in their place. */
struct change {
    size_t at;
    uint32_t length;
    enum kind kind;
    int64_t value;  /* seconds, bridge word, digits, or index of a word */
    int64_t serial; /* of a unique id or channel; microseconds of a stamp */
};

struct sim_text {
    struct slice text;
    struct change *changes;
    size_t count;
    size_t size;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char at(struct slice s, size_t i)
{
    return i < s.n ? s.p[i] : '\0';
}

/* d: a digit, x: a hex digit, ?: a blank or T, else itself. */
static bool looks_like(struct slice s, size_t i, const char *shape)
{
    for (; *shape; shape++, i++) {
        char c = at(s, i);
        bool ok = *shape == 'd'   ? is_digit(c)
                  : *shape == 'x' ? is_hex(c)
                  : *shape == '?' ? c == ' ' || c == 'T'
                                  : c == *shape;
        if (!ok)
            return false;
    }
    return true;
}

static size_t digits_at(struct slice s, size_t i)
{
    size_t n = 0;
    while (is_digit(at(s, i + n)))
        n++;
    return n;
}

static int64_t number_at(struct slice s, size_t i, size_t n, int base)
{
    char text[32] = {0};
    memcpy(text, s.p + i, n < sizeof(text) ? n : sizeof(text) - 1);
    return strtoll(text, NULL, base);
}

/* 1795219084, pbxA-1795219084.3 or 1795219084.090059. */
static size_t find_epoch(struct slice s, size_t i, struct change *ret)
{
    if (s.p[i] != '1' || (at(s, i + 1) != '6' && at(s, i + 1) != '7') || digits_at(s, i) != 10)
        return 0;
    if (i && (is_word(s.p[i - 1]) || s.p[i - 1] == '.'))
        return 0;
    size_t n = 10, fraction = at(s, i + 10) == '.' ? digits_at(s, i + 11) : 0;
    *ret = (struct change){.kind = EPOCH, .value = number_at(s, i, 10, 10)};
    if (fraction == STAMP_DIGITS || (fraction && fraction <= UID_DIGITS)) {
        ret->kind = fraction == STAMP_DIGITS ? STAMP : UNIQUEID;
        ret->serial = number_at(s, i + 11, fraction, 10);
        n += 1 + fraction;
    }
    return n;
}

static size_t find_date(struct slice s, size_t i, struct change *ret)
{
    if (s.p[i] != '2' || (i && is_word(s.p[i - 1])) || !looks_like(s, i, DATE_DIGITS))
        return 0;
    struct tm tm = {.tm_year = (int)number_at(s, i, 4, 10) - 1900,
                    .tm_mon = (int)number_at(s, i + 5, 2, 10) - 1,
                    .tm_mday = (int)number_at(s, i + 8, 2, 10),
                    .tm_hour = (int)number_at(s, i + 11, 2, 10),
                    .tm_min = (int)number_at(s, i + 14, 2, 10),
                    .tm_sec = (int)number_at(s, i + 17, 2, 10)};
    *ret = (struct change){.kind = DATE, .value = timegm(&tm), .serial = s.p[i + 10]};
    return sizeof(DATE_DIGITS) - 1;
}

static size_t find_bridge(struct slice s, size_t i, struct change *ret)
{
    if (!is_hex(s.p[i]) || (i && is_word(s.p[i - 1])) || !looks_like(s, i, UUID_HEX) ||
        is_word(at(s, i + sizeof(UUID_HEX) - 1)))
        return 0;
    *ret = (struct change){.kind = BRIDGE, .value = number_at(s, i, 8, 16)};
    return 8;
}

/* PJSIP/101-0000001a, Local/108@internal-00000002;1: the eight digits. */
static size_t find_channel(struct slice s, size_t i, struct change *ret)
{
    if (i < 2 || s.p[i - 1] != '-' || (!is_word(s.p[i - 2]) && s.p[i - 2] != '@') ||
        !looks_like(s, i, "xxxxxxxx") || is_hex(at(s, i + 8)) || at(s, i + 8) == '-')
        return 0;
    *ret = (struct change){.kind = CHANNEL, .serial = number_at(s, i, 8, 16)};
    return 8;
}

/* The area code of +14155550103. */
static size_t find_number(struct slice s, size_t i, struct change *ret)
{
    if (i < 2 || s.p[i - 2] != '+' || s.p[i - 1] != '1' || digits_at(s, i) != 10)
        return 0;
    *ret = (struct change){.kind = NUMBER, .value = number_at(s, i, 3, 10)};
    return 3;
}

static size_t find_word(struct slice s, size_t i, const struct sim_words *words, struct change *ret)
{
    if (!words || !is_word(s.p[i]) || (i && (is_word(s.p[i - 1]) || s.p[i - 1] == '.')))
        return 0;
    size_t n = 0;
    while (is_word(at(s, i + n)))
        n++;
    if (at(s, i + n) == '.' && is_digit(at(s, i + n + 1)))
        return 0;
    if (words->caller_names && looks_like(s, i, "Caller dddd") && !is_word(at(s, i + 11))) {
        *ret = (struct change){.kind = CALLER, .value = number_at(s, i + 7, 4, 10)};
        return 11;
    }
    for (unsigned w = 0; w < words->count; w++) {
        struct slice word = slice_from(words->word[w].text[0]);
        if (word.n >= n && slice_starts(slice_from_offset(s, i), word) &&
            !is_word(at(s, i + word.n))) {
            *ret = (struct change){.kind = WORD, .value = w};
            return word.n;
        }
    }
    return 0;
}

static bool text_add(struct sim_text *text, const struct change *change)
{
    if (text->count == text->size) {
        size_t size = text->size ? text->size * 2 : 16;
        struct change *more = realloc(text->changes, size * sizeof(*more));
        if (!more)
            return false;
        text->changes = more;
        text->size = size;
    }
    text->changes[text->count++] = *change;
    return true;
}

struct sim_text *sim_text_new(struct slice s, const struct sim_words *words)
{
    struct sim_text *text = calloc(1, sizeof(*text));
    if (!text || s.n > TEXT_MAX) {
        free(text);
        return NULL;
    }
    text->text = s;
    for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
        struct change change;
        n = find_epoch(s, i, &change);
        n = n ? n : find_date(s, i, &change);
        n = n ? n : find_bridge(s, i, &change);
        n = n ? n : find_channel(s, i, &change);
        n = n ? n : find_number(s, i, &change);
        n = n ? n : find_word(s, i, words, &change);
        change.at = i;
        change.length = (uint32_t)n;
        if (n && !text_add(text, &change)) {
            sim_text_free(text);
            return NULL;
        }
    }
    return text;
}

void sim_text_free(struct sim_text *text)
{
    if (!text)
        return;
    free(text->changes);
    free(text);
}

struct slice sim_text_recorded(const struct sim_text *text)
{
    return text->text;
}

static void widen(int64_t value, int64_t *min, int64_t *max)
{
    if (*min > *max)
        *min = *max = value;
    *min = value < *min ? value : *min;
    *max = value > *max ? value : *max;
}

void sim_text_serials(const struct sim_text *text, struct sim_serials *serials)
{
    for (size_t i = 0; i < text->count; i++) {
        const struct change *c = &text->changes[i];
        if (c->kind == UNIQUEID)
            widen(c->serial, &serials->uid_min, &serials->uid_max);
        if (c->kind == CHANNEL)
            widen(c->serial, &serials->channel_min, &serials->channel_max);
    }
}

/* Decimal digits, at least `width` of them. snprintf here would halve the rate of events. */
static bool put_number(struct buf *to, uint64_t value, size_t width)
{
    char digits[24];
    size_t n = 0;
    do {
        digits[sizeof(digits) - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value || n < width);
    return buf_put(to, digits + sizeof(digits) - n, n);
}

static bool put_hex(struct buf *to, uint32_t value)
{
    char digits[8];
    for (size_t i = 0; i < 8; i++)
        digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    return buf_put(to, digits, sizeof(digits));
}

static bool put_date(struct buf *to, int64_t epoch, char between)
{
    time_t t = (time_t)epoch;
    struct tm tm;
    char text[32];
    if (!gmtime_r(&t, &tm))
        return false;
    size_t n = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    text[10] = between;
    return buf_put(to, text, n);
}

static bool put_stamp(const struct change *c, const struct sim_rename *r, struct buf *to)
{
    int64_t us = r->stamp_us ? r->stamp_us : (c->value + r->shift) * 1000000 + c->serial;
    return put_number(to, (uint64_t)(us / 1000000), 1) && buf_put_char(to, '.') &&
           put_number(to, (uint64_t)(us % 1000000), STAMP_DIGITS);
}

static bool put_word(const struct change *c, const struct sim_rename *r, struct buf *to)
{
    unsigned copies = r->words->word[c->value].copies;
    unsigned first = r->words->first < copies ? r->words->first : 0;
    unsigned copy = first + r->copy % (copies - first);
    return buf_put_slice(to, slice_from(r->words->word[c->value].text[copy]));
}

static bool put_change(const struct change *c, const struct sim_rename *r, struct buf *to)
{
    switch (c->kind) {
    case EPOCH:
        return put_number(to, (uint64_t)(c->value + r->shift), 1);
    case STAMP:
        return put_stamp(c, r, to);
    case UNIQUEID:
        return put_number(to, (uint64_t)(c->value + r->shift), 1) && buf_put_char(to, '.') &&
               put_number(to, (uint64_t)(c->serial + r->uid_delta), 1);
    case CHANNEL:
        return put_hex(to, (uint32_t)(c->serial + r->channel_delta));
    case BRIDGE:
        return put_hex(to, (uint32_t)c->value ^ r->bridge_key);
    case NUMBER:
        return put_number(to, sim_people_area((uint32_t)c->value, r->number_key), 3);
    case DATE:
        return put_date(to, c->value + r->shift, (char)c->serial);
    case WORD:
        return put_word(c, r, to);
    case CALLER:
        return buf_put_slice(to, sim_people_name((uint32_t)c->value, r->number_key)) &&
               buf_put_char(to, ' ') &&
               buf_put_slice(to, sim_people_surname((uint32_t)c->value, r->number_key));
    }
    return false;
}

bool sim_text_render(const struct sim_text *text, const struct sim_rename *rename, struct buf *to)
{
    size_t done = 0;
    for (size_t i = 0; i < text->count; i++) {
        const struct change *c = &text->changes[i];
        if (!buf_put(to, text->text.p + done, c->at - done) || !put_change(c, rename, to))
            return false;
        done = c->at + c->length;
    }
    return buf_put(to, text->text.p + done, text->text.n - done);
}
