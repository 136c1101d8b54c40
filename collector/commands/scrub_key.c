/* SPDX-License-Identifier: MIT */
#include "collector/commands/scrub_key.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK      7u /* digits that are replaced together */
#define HALF       10000u
#define ROUNDS     8u
#define E164_MAX   15u
#define HASH_SIZE  32u
#define NAME_BYTES 256u

struct scrub_key {
    uint16_t round[ROUNDS][HALF]; /* values below HALF, as good as random */
    uint8_t secret[SCRUB_KEY_SIZE];
};

/* SHA-256 of the key, a word that says what for, and the text. */
static bool digest(const uint8_t key[SCRUB_KEY_SIZE], struct slice what, struct slice text,
                   uint8_t ret_hash[HASH_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, key, SCRUB_KEY_SIZE) == 1 &&
              EVP_DigestUpdate(ctx, what.p, what.n) == 1 &&
              EVP_DigestUpdate(ctx, text.p, text.n) == 1 &&
              EVP_DigestFinal_ex(ctx, ret_hash, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static uint32_t number_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool fill(struct scrub_key *k, const uint8_t key[SCRUB_KEY_SIZE])
{
    uint8_t hash[HASH_SIZE] = {0};
    uint16_t *values = &k->round[0][0];
    for (uint32_t i = 0; i < ROUNDS * HALF; i++) {
        uint32_t block = i / (HASH_SIZE / 4);
        struct slice text = {(const char *)&block, sizeof(block)};
        if (i % (HASH_SIZE / 4) == 0 && !digest(key, SLICE("digits"), text, hash))
            return false;
        values[i] = (uint16_t)(number_of(hash + i % (HASH_SIZE / 4) * 4) % HALF);
    }
    return digest(key, SLICE("secret"), (struct slice){NULL, 0}, k->secret);
}

struct scrub_key *scrub_key_new(const uint8_t key[SCRUB_KEY_SIZE])
{
    struct scrub_key *k = malloc(sizeof(*k));
    if (k && fill(k, key))
        return k;
    scrub_key_free(k);
    return NULL;
}

void scrub_key_free(struct scrub_key *k)
{
    if (!k)
        return;
    explicit_bzero(k, sizeof(*k));
    free(k);
}

static const uint32_t powers[] = {1, 10, 100, 1000, 10000};

/* A Feistel network on decimal halves: any key gives a permutation of all values of that length. */
static uint32_t permute(const struct scrub_key *k, uint32_t value, unsigned digits)
{
    uint32_t low = powers[digits - digits / 2], high = powers[digits / 2];
    uint32_t a = value / low, b = value % low;
    for (unsigned r = 0; r < ROUNDS; r += 2) {
        a = (a + k->round[r][(b + digits * 1009) % HALF]) % high;
        b = (b + k->round[r + 1][(a + digits * 1013) % HALF]) % low;
    }
    uint32_t result = a * low + b;
    /* What the key leaves as it is must change all the same. */
    return result == value ? (value + 1) % (low * high) : result;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Replaces the digits at these places, the last one first. */
static void replace(const struct scrub_key *k, char *const *places, unsigned count)
{
    uint32_t value = 0;
    for (unsigned i = count; i-- > 0;)
        value = value * 10 + (uint32_t)(*places[i] - '0');
    value = permute(k, value, count);
    for (unsigned i = 0; i < count; i++, value /= 10)
        *places[i] = (char)('0' + value % 10);
}

void scrub_key_digits(const struct scrub_key *k, char *bytes, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++)
        digits += is_digit(bytes[i]);
    bool first_only = digits <= E164_MAX && digits >= BLOCK;
    char *places[BLOCK];
    unsigned count = 0;
    for (size_t i = n; i-- > 0;) {
        if (is_digit(bytes[i]))
            places[count++] = &bytes[i];
        if (count == BLOCK) {
            replace(k, places, count);
            count = 0;
            if (first_only)
                return;
        }
    }
    if (count)
        replace(k, places, count);
}

void scrub_key_person(const struct scrub_key *k, struct slice name, char person[SCRUB_PERSON_SIZE])
{
    char lower[NAME_BYTES];
    uint8_t hash[HASH_SIZE] = {0};
    size_t n = name.n < sizeof(lower) ? name.n : sizeof(lower);
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    bool ok = digest(k->secret, SLICE("person"), (struct slice){lower, n}, hash);
    assert(ok);
    (void)ok;
    char letters[8] = {0};
    for (unsigned i = 0; i < 7; i++)
        letters[i] = (char)('a' + number_of(hash + i * 4) % 26);
    snprintf(person, SCRUB_PERSON_SIZE, "Person_%s", letters);
}
