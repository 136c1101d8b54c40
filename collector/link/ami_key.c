/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_key.h"
#include <openssl/evp.h>
#include <stdio.h>

bool ami_key_md5(struct slice challenge, struct slice secret, char ret_key[AMI_KEY_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md && EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1 &&
              EVP_DigestUpdate(md, challenge.p, challenge.n) == 1 &&
              EVP_DigestUpdate(md, secret.p, secret.n) == 1 &&
              EVP_DigestFinal_ex(md, digest, &n) == 1 && n == 16;
    EVP_MD_CTX_free(md);
    for (unsigned i = 0; ok && i < n; i++) {
        snprintf(ret_key + (size_t)i * 2, 3, "%02x", digest[i]);
    }
    return ok;
}
