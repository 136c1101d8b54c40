/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_AMI_TLS_H
#define COLLECTOR_LINK_AMI_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* TLS 1.2 or newer to a PBX, on a non-blocking socket of the owner's. OpenSSL reads straight into
 * the owner's buffer: a bufferevent would copy, and the one of libevent 2.1 does not honour
 * watermarks (libevent #690). */

struct ami_tls_config {
    const char *ca_file; /* PEM file of who may sign the PBX's certificate; NULL: the system's */
    const char *name;    /* that the certificate must be for; NULL: the host that is connected to */
    bool verify;         /* false: any certificate is taken */
};

/* What all connections to one PBX share. */
struct ami_tls;

/* NULL, and in why what is wrong, when the CA file cannot be read or memory is short. The texts of
 * config are borrowed and must outlive it. */
struct ami_tls *ami_tls_new(const struct ami_tls_config *config, char *why, size_t size);
/* NULL is allowed. */
void ami_tls_free(struct ami_tls *tls);

/* One connection. */
struct ami_tls_session;

enum ami_tls_result {
    AMI_TLS_DONE,
    AMI_TLS_WANT_READ,  /* again when the socket is readable */
    AMI_TLS_WANT_WRITE, /* again when it is writable */
    AMI_TLS_CLOSED,     /* the peer closed it, with or without saying so first */
    AMI_TLS_FAILED      /* ami_tls_why tells */
};

/* A session on a connected socket, not yet shaken hands on. host is a name, which is sent as SNI,
 * or an address. NULL when memory is short. tls is borrowed and must outlive it. */
struct ami_tls_session *ami_tls_session_new(struct ami_tls *tls, int fd, const char *host);
/* Closes nothing. NULL is allowed. */
void ami_tls_session_free(struct ami_tls_session *s);

/* One step of the handshake; AMI_TLS_DONE when it is over and the peer is trusted. */
enum ami_tls_result ami_tls_handshake(struct ami_tls_session *s);
/* At most size bytes; *ret_n of them were read or written when it is AMI_TLS_DONE. */
enum ami_tls_result ami_tls_read(struct ami_tls_session *s, void *bytes, size_t size,
                                 size_t *ret_n);
enum ami_tls_result ami_tls_write(struct ami_tls_session *s, const void *bytes, size_t size,
                                  size_t *ret_n);
/* Whether bytes were received that ami_tls_read has not given yet: no socket event tells of these.
 */
bool ami_tls_pending(const struct ami_tls_session *s);

/* Why it failed, for people: "certificate: it has expired". Borrowed until the next call. */
const char *ami_tls_why(const struct ami_tls_session *s);

#endif
