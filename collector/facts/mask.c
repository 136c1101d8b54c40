/* SPDX-License-Identifier: MIT */
#include "collector/facts/mask.h"

#include "parsers/number_scan.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define HASH_BYTES   16u /* 128 bits of the 256 */
#define DIGITS_MAX   64u
#define EPOCH_US_N   16u
#define EPOCH_NEAR_S (INT64_C(400) * 24 * 3600)
#define STARS        "*****"

void mask_hash(const struct mask *m, struct slice text, struct buf *to)
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    const unsigned char *bytes = (const unsigned char *)(text.n ? text.p : "");
    if (!HMAC(EVP_sha256(), m->key, (int)m->key_n, bytes, text.n, hash, &n) || n < HASH_BYTES) {
        to->failed = true;
        return;
    }
    buf_printf(to, "%s:", m->key_id);
    for (unsigned i = 0; i < HASH_BYTES; i++)
        buf_printf(to, "%02x", hash[i]);
}

static size_t digits_of(struct slice value, char *digits, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (number_scan_is_digit(value.p[i]) && n < size)
            digits[n++] = value.p[i];
    }
    return n;
}

/* Digits and what people and dialplans write between them. */
static bool is_number(struct slice value)
{
    bool digit = false;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (number_scan_is_digit(c))
            digit = true;
        else if (!c || !strchr("+ -.()/*#", c))
            return false;
    }
    return digit && value.n <= DIGITS_MAX;
}

/* "+49…", "0049…" and "49…" are one number. */
static void put_number_hash(const struct mask *m, struct slice digits, struct buf *to)
{
    if (digits.n > 4 && slice_starts(digits, SLICE("00")))
        digits = slice_from_offset(digits, 2);
    mask_hash(m, digits, to);
}

/* What stands for a number that is none that stays. */
static bool put_number(const struct mask *m, struct slice number, bool is_id, struct buf *to)
{
    char bytes[DIGITS_MAX];
    struct slice digits = {bytes, digits_of(number, bytes, sizeof(bytes))};
    if (is_id || m->mode == MASK_HMAC) {
        put_number_hash(m, digits, to);
        return true;
    }
    if (m->mode != MASK_DIGITS)
        return false;
    size_t shown = m->digits < digits.n / 2 ? m->digits : digits.n / 2;
    buf_put_slice(to, SLICE(STARS));
    buf_put_slice(to, slice_from_offset(digits, digits.n - shown));
    return true;
}

static size_t count_digits(struct slice value)
{
    char bytes[DIGITS_MAX];
    return digits_of(value, bytes, sizeof(bytes));
}

/* Extensions that Asterisk itself gives a meaning, and its words for a number that is not shown. */
static bool is_word(struct slice value)
{
    static const char *const words[] = {
        "s",   "h",         "i",         "t",       "T",          "o",           "a",   "e",
        "fax", "anonymous", "<unknown>", "unknown", "restricted", "unavailable", "NONE"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_is(value, words[i]))
            return true;
    }
    return false;
}

bool mask_number(const struct mask *m, struct slice value, struct buf *to)
{
    bool number = is_number(value);
    if (m->mode == MASK_CLEAR || value.n == 0 || is_word(value) ||
        (number && count_digits(value) <= m->extension_digits)) {
        buf_put_slice(to, value);
        return true;
    }
    return number ? put_number(m, value, false, to) : mask_text(m, value, to);
}

bool mask_text(const struct mask *m, struct slice value, struct buf *to)
{
    if (m->mode == MASK_CLEAR || value.n == 0) {
        buf_put_slice(to, value);
        return true;
    }
    if (is_number(value) && count_digits(value) > m->extension_digits)
        return put_number(m, value, false, to);
    if (m->mode != MASK_HMAC)
        return false;
    mask_hash(m, value, to);
    return true;
}

void mask_clid(const struct mask *m, struct slice value, struct buf *to)
{
    const char *open = value.n ? memrchr(value.p, '<', value.n) : NULL;
    struct slice number = {0}, name = value;
    if (open && value.p[value.n - 1] == '>') {
        name.n = (size_t)(open - value.p);
        number = (struct slice){open + 1, value.n - name.n - 2};
        while (name.n && name.p[name.n - 1] == ' ')
            name.n--;
    }
    if (name.n > 1 && name.p[0] == '"' && name.p[name.n - 1] == '"')
        name = (struct slice){name.p + 1, name.n - 2};
    if (!open) {
        /* A number alone, or a name alone. */
        mask_number(m, name, to);
        return;
    }
    buf_put_char(to, '"');
    mask_text(m, name, to);
    buf_put_slice(to, SLICE("\" <"));
    mask_number(m, number, to);
    buf_put_char(to, '>');
}

static size_t run_at(struct slice text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && number_scan_is_digit(text.p[at + n]))
        n++;
    return n;
}

/* A time in microseconds since 1970, as ids have it. */
static bool is_time_us(struct slice run, int64_t epoch)
{
    int64_t seconds = 0;
    if (run.n != EPOCH_US_N)
        return false;
    for (size_t i = 0; i < EPOCH_US_N - 6; i++)
        seconds = seconds * 10 + (run.p[i] - '0');
    return seconds > epoch - EPOCH_NEAR_S && seconds < epoch + EPOCH_NEAR_S;
}

/* The rest of a time as records have it, behind its date: "T23:57:51.090059Z". */
static size_t clock_at(struct slice text, size_t at)
{
    size_t n = 0;
    if (at >= text.n || text.p[at] != 'T')
        return 0;
    while (at + n < text.n && strchr("T:.Z0123456789", text.p[at + n]) && text.p[at + n])
        n++;
    return n;
}

/* How many bytes at `at` stay though they hold digits. */
static size_t kept_at(struct slice text, size_t at, struct mask_place place)
{
    bool begins = at == 0 || !number_scan_is_word(text.p[at - 1]);
    size_t n = begins ? number_scan_id(text, at, place.epoch) : 0;
    if (n && place.is_id)
        n += clock_at(text, at + n);
    if (!n)
        n = number_scan_serial(text, at);
    if (!n && place.is_id && is_time_us((struct slice){text.p + at, run_at(text, at)}, place.epoch))
        n = EPOCH_US_N;
    return n;
}

size_t mask_piece_at(struct slice text, size_t at, struct mask_place place, bool *ret_number)
{
    size_t kept = kept_at(text, at, place);
    *ret_number = false;
    if (kept)
        return kept;
    size_t run = run_at(text, at);
    size_t number = number_scan_number(text, at);
    if (!number && run > place.extension_digits)
        number = run;
    *ret_number = number > 0;
    return number ? number : run ? run : 1;
}

void mask_in_place(const struct mask *m, struct slice text, struct mask_place place, struct buf *to)
{
    place.extension_digits = m->extension_digits;
    for (size_t at = 0; at < text.n;) {
        bool number;
        size_t n = mask_piece_at(text, at, place, &number);
        struct slice piece = {text.p + at, n};
        if (!number || m->mode == MASK_CLEAR)
            buf_put_slice(to, piece);
        else if (!put_number(m, piece, place.is_id, to))
            buf_put_slice(to, SLICE(STARS));
        at += n;
    }
}
