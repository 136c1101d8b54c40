/* SPDX-License-Identifier: MIT */
#include "collector/facts/erasure.h"

#include "collector/base/memory.h"
#include "parsers/number_scan.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#define DIGITS_MAX    64u
#define HASHES_MAX    (4 * ERASURE_NUMBERS_MAX)
#define HASH_SIZE     (MASK_KEY_ID_MAX + 1 + 32)
#define TOKEN_LETTERS 16u
/* Bytes between two digits of a number. */
#define APART_MAX 3u
#define TEXT_MAX  ((size_t)16 * 1024 * 1024)
/* A time in microseconds, as ids have it: 2001 to 2036. */
#define TIME_US_N     16u
#define TIME_US_FIRST "1000000000000000"
#define TIME_US_LAST  "2100000000000000"

struct digits {
    char p[DIGITS_MAX];
    size_t n;
};

struct hash {
    char p[HASH_SIZE];
    size_t n;
};

struct erasure {
    unsigned char key[ERASURE_KEY_N];
    struct digits numbers[ERASURE_NUMBERS_MAX];
    size_t numbers_n;
    struct hash hashes[HASHES_MAX];
    size_t hashes_n;
};

struct erasure *erasure_new(const unsigned char key[ERASURE_KEY_N])
{
    struct erasure *e = memory_zeroed(1, sizeof(*e));
    if (e)
        memcpy(e->key, key, ERASURE_KEY_N);
    return e;
}

void erasure_free(struct erasure *e)
{
    if (!e)
        return;
    explicit_bzero(e, sizeof(*e));
    free(e);
}

/* The digits without the "00" that stands for '+', as masks take them. False: too many. */
static bool digits_of(struct slice text, struct digits *ret_digits)
{
    ret_digits->n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!number_scan_is_digit(text.p[i]))
            continue;
        if (ret_digits->n == DIGITS_MAX)
            return false;
        ret_digits->p[ret_digits->n++] = text.p[i];
    }
    if (ret_digits->n > 4 && memcmp(ret_digits->p, "00", 2) == 0) {
        ret_digits->n -= 2;
        memmove(ret_digits->p, ret_digits->p + 2, ret_digits->n);
    }
    return true;
}

static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!text.p[i] || !strchr("0123456789+ -.()/", text.p[i]))
            return false;
    }
    return true;
}

bool erasure_add(struct erasure *e, struct slice number)
{
    struct digits digits;
    if (e->numbers_n == ERASURE_NUMBERS_MAX || !is_number(number) || !digits_of(number, &digits) ||
        digits.n < ERASURE_DIGITS_MIN)
        return false;
    e->numbers[e->numbers_n++] = digits;
    return true;
}

bool erasure_add_mask(struct erasure *e, const struct mask *m)
{
    struct buf text = buf_new(HASH_SIZE);
    bool good = e->hashes_n + e->numbers_n <= HASHES_MAX;
    for (size_t i = 0; good && i < e->numbers_n; i++) {
        buf_clear(&text);
        mask_hash(m, (struct slice){e->numbers[i].p, e->numbers[i].n}, &text);
        good = !text.failed;
        if (good) {
            struct hash *hash = &e->hashes[e->hashes_n++];
            memcpy(hash->p, text.p, text.n);
            hash->n = text.n;
        }
    }
    buf_free(&text);
    return good;
}

static bool is_time_us(struct slice piece)
{
    for (size_t i = 0; i < piece.n; i++) {
        if (!number_scan_is_digit(piece.p[i]))
            return false;
    }
    return piece.n == TIME_US_N && memcmp(piece.p, TIME_US_FIRST, TIME_US_N) >= 0 &&
           memcmp(piece.p, TIME_US_LAST, TIME_US_N) < 0;
}

static size_t digits_at(struct slice text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && number_scan_is_digit(text.p[at + n]))
        n++;
    return n;
}

/* Where the number ends that begins at `at`, in whatever groups it is written; 0: it does not. */
static size_t spelled_at(struct slice text, size_t at, const struct digits *number)
{
    size_t n = 0, apart = 0;
    for (; at < text.n && n < number->n; at++) {
        if (text.p[at] == number->p[n]) {
            n++;
            apart = 0;
        } else if (!text.p[at] || !strchr(" -./()", text.p[at]) || ++apart > APART_MAX) {
            return 0;
        }
    }
    return n == number->n ? at : 0;
}

/* How many bytes at `at` hold the number: its digits alone when it is short, else also with more
 * before and behind it; 0: they do not. The piece is what stands there. */
static size_t number_at(struct slice text, size_t at, size_t piece, const struct digits *number)
{
    struct slice whole = {text.p + at, piece};
    struct digits digits;
    if (number->n < ERASURE_DIGITS_INSIDE)
        return digits_of(whole, &digits) && digits.n == number->n &&
                       memcmp(digits.p, number->p, number->n) == 0
                   ? piece
                   : 0;
    if (number->n < TIME_US_N && is_time_us(whole))
        return 0;
    for (size_t i = 0; i < piece; i++) {
        size_t end = spelled_at(text, at + i, number);
        if (!end)
            continue;
        end += digits_at(text, end);
        return end - at > piece ? end - at : piece;
    }
    return 0;
}

/* How many bytes at `at` are one of the numbers' hashes; 0: none. */
static size_t hash_at(const struct erasure *e, struct slice text, size_t at)
{
    for (size_t i = 0; i < e->hashes_n; i++) {
        size_t n = e->hashes[i].n;
        if (text.n - at >= n && memcmp(text.p + at, e->hashes[i].p, n) == 0)
            return n;
    }
    return 0;
}

/* The next piece of a text, and whether it goes. */
static size_t piece_at(const struct erasure *e, struct slice text, size_t at, bool *ret_goes)
{
    const struct mask_place place = {.is_id = true, .extension_digits = ERASURE_DIGITS_MIN - 1};
    bool number;
    size_t n = hash_at(e, text, at);
    *ret_goes = n > 0;
    if (n)
        return n;
    n = mask_piece_at(text, at, place, &number);
    number = number || digits_at(text, at) == n;
    for (size_t i = 0; number && i < e->numbers_n && !*ret_goes; i++) {
        size_t found = number_at(text, at, n, &e->numbers[i]);
        *ret_goes = found > 0;
        n = found ? found : n;
    }
    return n;
}

bool erasure_holds(const struct erasure *e, struct slice text)
{
    bool goes = false;
    for (size_t at = 0; at < text.n && !goes;)
        at += piece_at(e, text, at, &goes);
    return goes;
}

/* Letters alone: no digits that could be a number again. */
static void put_token(const struct erasure *e, struct slice piece, struct buf *to)
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    if (!HMAC(EVP_sha256(), e->key, (int)ERASURE_KEY_N, (const unsigned char *)piece.p, piece.n,
              hash, &n)) {
        to->failed = true;
        return;
    }
    buf_put_slice(to, SLICE("erased-"));
    for (unsigned i = 0; i < TOKEN_LETTERS; i++)
        buf_put_char(to, (char)('a' + (hash[i] & 15)));
}

static void put_plain(const struct erasure *e, struct slice text, struct buf *to)
{
    for (size_t at = 0; at < text.n;) {
        bool goes;
        size_t n = piece_at(e, text, at, &goes);
        struct slice piece = {text.p + at, n};
        if (goes)
            put_token(e, piece, to);
        else
            buf_put_slice(to, piece);
        at += n;
    }
}

static json_t *erase_value(const struct erasure *e, json_t *value);

/* The name of a number that goes. */
static bool is_its_name(const struct erasure *e, const json_t *object, const char *key)
{
    const char *beside = strcmp(key, "name") == 0          ? "number"
                         : strcmp(key, "caller_name") == 0 ? "caller_number"
                         : strcmp(key, "clid") == 0        ? "clid"
                                                           : NULL;
    const json_t *number = beside ? json_object_get(object, beside) : NULL;
    return number && json_is_string(number) &&
           erasure_holds(e, (struct slice){json_string_value(number), json_string_length(number)});
}

static json_t *all_or_none(json_t *made, bool whole)
{
    if (!whole)
        json_decref(made);
    return whole ? made : NULL;
}

static json_t *erase_object(const struct erasure *e, json_t *object)
{
    json_t *made = json_object();
    bool whole = made != NULL;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool goes = json_is_string(value) && is_its_name(e, object, key);
        json_t *kept = goes ? json_null() : erase_value(e, value);
        whole = json_object_set_new(made, key, kept) == 0 && whole;
    }
    return all_or_none(made, whole);
}

static json_t *erase_string(const struct erasure *e, json_t *value)
{
    struct buf text = buf_new(TEXT_MAX);
    put_plain(e, (struct slice){json_string_value(value), json_string_length(value)}, &text);
    json_t *made = text.failed ? NULL : json_stringn(text.n ? text.p : "", text.n);
    buf_free(&text);
    return made;
}

/* A copy without the numbers; NULL when memory is short. Records are nested a few levels. */
static json_t *erase_value(const struct erasure *e, json_t *value)
{
    if (json_is_string(value))
        return erase_string(e, value);
    if (json_is_object(value))
        return erase_object(e, value);
    if (!json_is_array(value))
        return json_incref(value);
    json_t *made = json_array();
    bool whole = made != NULL;
    for (size_t i = 0; i < json_array_size(value); i++)
        whole = json_array_append_new(made, erase_value(e, json_array_get(value, i))) == 0 && whole;
    return all_or_none(made, whole);
}

static int put_dumped(const char *bytes, size_t n, void *to)
{
    return buf_put(to, bytes, n) ? 0 : -1;
}

/* False when the text is no JSON object or array. Records have microseconds: 15 digits do. */
static bool put_json(const struct erasure *e, struct slice text, struct buf *to)
{
    if (!text.n || (text.p[0] != '{' && text.p[0] != '['))
        return false;
    json_t *value = json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);
    if (!value)
        return false;
    json_t *made = erase_value(e, value);
    if (!made ||
        json_dump_callback(made, put_dumped, to, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0)
        to->failed = true;
    json_decref(made);
    json_decref(value);
    return true;
}

void erasure_text(const struct erasure *e, struct slice text, struct buf *to)
{
    if (!put_json(e, text, to))
        put_plain(e, text, to);
}
