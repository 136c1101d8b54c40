/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_SIZE 200

struct ami_tls {
    struct ami_tls_config config;
    SSL_CTX *ctx;
};

struct ami_tls_session {
    SSL *ssl;
    char why[WHY_SIZE];
};

/* OpenSSL's newest error in words; its queue is empty afterwards. */
static void take_error(char *why, size_t size)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    snprintf(why, size, "%s", reason ? reason : errno ? strerror(errno) : "no reason given");
    ERR_clear_error();
}

static bool set_trust(struct ami_tls *tls, char *why, size_t size)
{
    const char *ca_file = tls->config.ca_file;
    SSL_CTX_set_verify(tls->ctx, tls->config.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (!tls->config.verify)
        return true;
    errno = 0;
    if (ca_file ? SSL_CTX_load_verify_file(tls->ctx, ca_file) == 1
                : SSL_CTX_set_default_verify_paths(tls->ctx) == 1)
        return true;
    char reason[WHY_SIZE];
    take_error(reason, sizeof(reason));
    snprintf(why, size, "%s: %s", ca_file ? ca_file : "the system's CA certificates", reason);
    return false;
}

struct ami_tls *ami_tls_new(const struct ami_tls_config *config, char *why, size_t size)
{
    struct ami_tls *tls = calloc(1, sizeof(*tls));
    if (!tls || !(tls->ctx = SSL_CTX_new(TLS_client_method()))) {
        snprintf(why, size, "memory is short");
        free(tls);
        return NULL;
    }
    tls->config = *config;
    SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(tls->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                      SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   SSL_MODE_RELEASE_BUFFERS);
    if (!set_trust(tls, why, size)) {
        ami_tls_free(tls);
        return NULL;
    }
    return tls;
}

void ami_tls_free(struct ami_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* The name to be found in the certificate, and to be sent where it is one. */
static bool set_name(SSL *ssl, const char *name, bool verify)
{
    if (is_address(name))
        return !verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    if (verify && SSL_set1_host(ssl, name) != 1)
        return false;
    return SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct ami_tls_session *ami_tls_session_new(struct ami_tls *tls, int fd, const char *host)
{
    struct ami_tls_session *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->ssl = SSL_new(tls->ctx);
    const char *name = tls->config.name ? tls->config.name : host;
    if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1 || !set_name(s->ssl, name, tls->config.verify)) {
        ERR_clear_error();
        ami_tls_session_free(s);
        return NULL;
    }
    SSL_set_connect_state(s->ssl);
    return s;
}

void ami_tls_session_free(struct ami_tls_session *s)
{
    if (!s)
        return;
    SSL_free(s->ssl);
    free(s);
}

/* What the certificate lacks is said better by the check of it than by the alert it caused. */
static void take_why(struct ami_tls_session *s)
{
    long verdict = SSL_get_verify_result(s->ssl);
    char reason[WHY_SIZE / 2];
    take_error(reason, sizeof(reason));
    if (verdict != X509_V_OK)
        snprintf(s->why, sizeof(s->why), "its certificate is not accepted: %s",
                 X509_verify_cert_error_string(verdict));
    else
        snprintf(s->why, sizeof(s->why), "TLS: %s", reason);
}

static enum ami_tls_result result_of(struct ami_tls_session *s, int returned)
{
    switch (SSL_get_error(s->ssl, returned)) {
    case SSL_ERROR_NONE:
        return AMI_TLS_DONE;
    case SSL_ERROR_WANT_READ:
        return AMI_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return AMI_TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        ERR_clear_error();
        return AMI_TLS_CLOSED;
    default:
        take_why(s);
        return AMI_TLS_FAILED;
    }
}

/* Whatever an earlier call left must not be taken for the reason of the next one. */
static void clear_errors(void)
{
    ERR_clear_error();
    errno = 0;
}

enum ami_tls_result ami_tls_handshake(struct ami_tls_session *s)
{
    clear_errors();
    enum ami_tls_result result = result_of(s, SSL_do_handshake(s->ssl));
    if (result == AMI_TLS_CLOSED) {
        snprintf(s->why, sizeof(s->why), "TLS: it closed the connection");
        return AMI_TLS_FAILED;
    }
    return result;
}

enum ami_tls_result ami_tls_read(struct ami_tls_session *s, void *bytes, size_t size, size_t *ret_n)
{
    *ret_n = 0;
    clear_errors();
    return result_of(s, SSL_read_ex(s->ssl, bytes, size, ret_n));
}

enum ami_tls_result ami_tls_write(struct ami_tls_session *s, const void *bytes, size_t size,
                                  size_t *ret_n)
{
    *ret_n = 0;
    clear_errors();
    return result_of(s, SSL_write_ex(s->ssl, bytes, size, ret_n));
}

bool ami_tls_pending(const struct ami_tls_session *s)
{
    return SSL_has_pending(s->ssl) == 1;
}

const char *ami_tls_why(const struct ami_tls_session *s)
{
    return s->why;
}
