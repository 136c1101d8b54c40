/* SPDX-License-Identifier: MIT */
#include "collector/users/users_hash.h"

#include "collector/base/random.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static bool scrypt(const struct users_entry *e, const char *password, uint8_t ret_hash[USERS_HASH])
{
    const uint64_t n = UINT64_C(1) << e->cost.ln;
    const uint64_t memory = 128 * e->cost.r * (n + e->cost.p) + ((uint64_t)1 << 20);
    return EVP_PBE_scrypt(password, strlen(password), e->salt, USERS_SALT, n, e->cost.r, e->cost.p,
                          memory, ret_hash, USERS_HASH) == 1;
}

bool users_set_password(struct users_entry *e, const char *password)
{
    e->kind = USERS_PERSON;
    e->display = false;
    e->cost = USERS_COST_NEW;
    return random_key(e->salt, USERS_SALT) && scrypt(e, password, e->hash);
}

bool users_password_fits(const struct users_entry *e, const char *password)
{
    uint8_t hash[USERS_HASH];
    bool fits = scrypt(e, password, hash) && users_same_hash(hash, e->hash);
    OPENSSL_cleanse(hash, sizeof(hash));
    return fits;
}

bool users_sha256(const char *text, uint8_t ret_hash[USERS_HASH])
{
    return EVP_Digest(text, strlen(text), ret_hash, NULL, EVP_sha256(), NULL) == 1;
}

bool users_new_secret(char ret_secret[USERS_HEX], uint8_t ret_hash[USERS_HASH])
{
    uint8_t bytes[USERS_HASH];
    bool good = random_key(bytes, sizeof(bytes));
    users_to_hex(bytes, sizeof(bytes), ret_secret);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return good && users_sha256(ret_secret, ret_hash);
}

bool users_same_hash(const uint8_t a[USERS_HASH], const uint8_t b[USERS_HASH])
{
    return CRYPTO_memcmp(a, b, USERS_HASH) == 0;
}
