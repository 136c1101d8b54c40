/* SPDX-License-Identifier: MIT */
#include "collector/commands/web_config.h"

#include "collector/base/log.h"
#include "collector/base/random.h"
#include "collector/config/config_value.h"
#include "collector/users/users.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_BYTES_MAX 262144
#define ERROR_SIZE    512

struct networks {
    struct web_network *list;
    size_t n;
};

struct web_config {
    const struct config_section *section;
    struct users *users;
    char *kiosks; /* where they keep the screens that came in */
    struct web_users ops;
    char *certificate, *key;
    struct networks allow, proxies, monitors;
};

char *web_config_kiosks_path(const struct config *c)
{
    char *path = NULL;
    const char *store = config_text(config_section(c, CONFIG_STORE), CONFIG_STORE_PATH);
    return asprintf(&path, "%s-kiosks", store) < 0 ? NULL : path;
}

/* The file's text, or NULL with a reason; the caller wipes and frees it. */
static char *read_text(const char *path, const char **ret_reason)
{
    char *text = calloc(1, PEM_BYTES_MAX);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n = -1;
    if (text && fd >= 0 && fstat(fd, &st) == 0)
        n = S_ISREG(st.st_mode) ? read(fd, text, PEM_BYTES_MAX) : 0;
    *ret_reason = n < 0                          ? strerror(errno)
                  : n == 0 || n == PEM_BYTES_MAX ? "is empty, too large or no regular file"
                                                 : NULL;
    if (fd >= 0)
        close(fd);
    if (!*ret_reason)
        return text;
    free(text);
    return NULL;
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* A key with a password is refused; nobody is there to type it. */
static int no_password(char *to, int size, int writing, void *ctx)
{
    (void)to;
    (void)size;
    (void)writing;
    (void)ctx;
    return 0;
}

struct pem {
    X509 *certificate;
    EVP_PKEY *key;
};

static struct pem read_pem(const char *certificate, const char *key)
{
    struct pem pem = {0};
    BIO *from = BIO_new_mem_buf(certificate, -1);
    pem.certificate = from ? PEM_read_bio_X509(from, NULL, no_password, NULL) : NULL;
    BIO_free(from);
    from = BIO_new_mem_buf(key, -1);
    pem.key = from ? PEM_read_bio_PrivateKey(from, NULL, no_password, NULL) : NULL;
    BIO_free(from);
    return pem;
}

static void fault(struct config_report *report, const struct config_section *s, enum config_key key,
                  const char *reason)
{
    config_report_fault(report, config_line(s, key), "web: %s: %s: %s", config_key_row(key)->name,
                        config_text(s, key), reason);
}

static void check_pair(const struct config_section *s, const struct pem *pem,
                       struct config_report *report)
{
    if (!pem->certificate)
        fault(report, s, CONFIG_WEB_TLS_CERTIFICATE, "holds no certificate in PEM form");
    if (!pem->key)
        fault(report, s, CONFIG_WEB_TLS_KEY, "holds no private key in PEM form without a password");
    if (pem->certificate && pem->key && X509_check_private_key(pem->certificate, pem->key) != 1)
        fault(report, s, CONFIG_WEB_TLS_KEY, "is not the certificate's key");
    if (pem->certificate && X509_cmp_current_time(X509_get0_notAfter(pem->certificate)) < 0)
        config_report_warning(report, config_line(s, CONFIG_WEB_TLS_CERTIFICATE),
                              "web: tls_certificate: it has expired");
    ERR_clear_error();
}

static void warn_if_open(const struct config_section *s, enum config_key key,
                         struct config_report *report)
{
    struct stat st;
    if (stat(config_text(s, key), &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)))
        config_report_warning(report, config_line(s, key),
                              "web: %s: %s can be read or written by others",
                              config_key_row(key)->name, config_text(s, key));
}

static void check_tls(const struct config_section *s, struct config_report *report)
{
    const char *certificate_reason, *key_reason;
    char *certificate = read_text(config_text(s, CONFIG_WEB_TLS_CERTIFICATE), &certificate_reason);
    char *key = read_text(config_text(s, CONFIG_WEB_TLS_KEY), &key_reason);
    if (certificate_reason)
        fault(report, s, CONFIG_WEB_TLS_CERTIFICATE, certificate_reason);
    if (key_reason)
        fault(report, s, CONFIG_WEB_TLS_KEY, key_reason);
    if (certificate && key) {
        struct pem pem = read_pem(certificate, key);
        check_pair(s, &pem, report);
        X509_free(pem.certificate);
        EVP_PKEY_free(pem.key);
    }
    wipe(certificate);
    wipe(key);
    warn_if_open(s, CONFIG_WEB_TLS_KEY, report);
}

static void check_users(const struct config_section *s, struct config_report *report)
{
    struct users_file file;
    char reason[ERROR_SIZE];
    if (!users_file_read(config_text(s, CONFIG_WEB_USERS_FILE), &file, reason, sizeof(reason))) {
        config_report_fault(report, config_line(s, CONFIG_WEB_USERS_FILE), "web: users_file: %s %s",
                            config_text(s, CONFIG_WEB_USERS_FILE), reason);
        return;
    }
    if (file.n == 0)
        fault(report, s, CONFIG_WEB_USERS_FILE, "there is nobody in it; see 'amitap user add'");
    users_file_free(&file);
    warn_if_open(s, CONFIG_WEB_USERS_FILE, report);
}

bool web_config_check(const struct config *c, struct config_report *report)
{
    const struct config_section *s = config_section(c, CONFIG_WEB);
    unsigned before = config_report_faults(report);
    if (s && config_text(s, CONFIG_WEB_TLS_CERTIFICATE))
        check_tls(s, report);
    if (s && config_text(s, CONFIG_WEB_USERS_FILE))
        check_users(s, report);
    return config_report_faults(report) == before;
}

uint64_t web_config_certificate(const struct config *c)
{
    const struct config_section *s = config_section(c, CONFIG_WEB);
    const char *path = s ? config_text(s, CONFIG_WEB_TLS_CERTIFICATE) : NULL, *ignored;
    char *text = path ? read_text(path, &ignored) : NULL;
    uint8_t hash[USERS_HASH] = {0};
    uint64_t number;
    if (text)
        users_sha256(text, hash);
    free(text);
    memcpy(&number, hash, sizeof(number));
    return number;
}

/* The two sides' texts of a name are equally long. */
_Static_assert(WEB_NAME_SIZE == USERS_NAME_SIZE && WEB_SECRET_SIZE == USERS_HEX, "");

static void to_web(const struct users_person *from, struct web_person *to)
{
    *to = (struct web_person){.display = from->display, .mark = from->mark};
    memcpy(to->name, from->name, sizeof(to->name));
}

static bool ask_password(void *ctx, const char *name, const char *password,
                         struct web_person *person)
{
    struct web_config *w = ctx;
    struct users_person found;
    if (!users_password(w->users, name, password, &found))
        return false;
    to_web(&found, person);
    return true;
}

static enum web_entry enter(void *ctx, const char *code, char cookie[WEB_SECRET_SIZE],
                            struct web_person *person)
{
    struct web_config *w = ctx;
    struct users_person found;
    switch (users_enter(w->users, code, cookie, &found)) {
    case USERS_LET_IN:
        to_web(&found, person);
        return WEB_ENTRY_LET_IN;
    case USERS_NOT_KEPT:
        log_line(LOG_LEVEL_ERROR, "web: %s: %s; a screen with a good address was not let in",
                 w->kiosks, strerror(errno));
        return WEB_ENTRY_FAILED;
    case USERS_NO_CODE:
        break;
    }
    return WEB_ENTRY_REFUSED;
}

static bool refresh(void *ctx)
{
    struct web_config *w = ctx;
    char reason[ERROR_SIZE];
    enum users_news news = users_refresh(w->users, reason, sizeof(reason));
    if (news == USERS_BROKEN)
        log_line(LOG_LEVEL_ERROR, "web: %s %s; who was in it before still may come in",
                 config_text(w->section, CONFIG_WEB_USERS_FILE), reason);
    else if (news == USERS_CHANGED)
        log_line(LOG_LEVEL_INFO, "web: %s was read again",
                 config_text(w->section, CONFIG_WEB_USERS_FILE));
    return news == USERS_CHANGED;
}

static bool ask_token(void *ctx, const char *token, struct web_person *person)
{
    struct web_config *w = ctx;
    struct users_person found;
    if (!users_token(w->users, token, &found))
        return false;
    to_web(&found, person);
    return true;
}

static bool ask_kiosk(void *ctx, const char *cookie, struct web_person *person)
{
    struct web_config *w = ctx;
    struct users_person found;
    if (!users_kiosk(w->users, cookie, &found))
        return false;
    to_web(&found, person);
    return true;
}

static bool ask_still(void *ctx, const struct web_person *person)
{
    struct web_config *w = ctx;
    struct users_person known = {.display = person->display, .mark = person->mark};
    memcpy(known.name, person->name, sizeof(known.name));
    return users_still(w->users, &known);
}

/* A name that is not known is not logged: it may be a password in the wrong field. */
static void tell(void *ctx, enum web_event event, const char *name, const char *address)
{
    static const struct {
        enum log_level level;
        const char *words;
    } what[] = {
        [WEB_LOGGED_IN] = {LOG_LEVEL_INFO, "logged in"},
        [WEB_REFUSED] = {LOG_LEVEL_WARNING, "was refused"},
        [WEB_LIMITED] = {LOG_LEVEL_WARNING, "tries too often"},
        [WEB_LOGGED_OUT] = {LOG_LEVEL_INFO, "logged out"},
        [WEB_NOT_LET_IN] = {LOG_LEVEL_ERROR, "was not let in: the system gives no random bytes"}};
    struct web_config *w = ctx;
    log_line(what[event].level, "web: %s at %s %s",
             users_has(w->users, name) ? name : "somebody unknown", address, what[event].words);
}

static bool open_users(struct web_config *w, const struct config *c, const struct clock *clock,
                       char *error, size_t error_size)
{
    const char *path = config_text(w->section, CONFIG_WEB_USERS_FILE);
    w->kiosks = web_config_kiosks_path(c);
    if (path && w->kiosks) {
        const struct users_options options = {path, w->kiosks, *clock};
        w->users = users_open(&options, error, error_size);
    }
    w->ops =
        (struct web_users){w, ask_password, enter, refresh, ask_token, ask_kiosk, ask_still, tell};
    return !path || w->users;
}

static bool read_networks(const struct config_section *s, enum config_key key,
                          struct networks *ret_networks)
{
    size_t n = 0;
    const char *const *texts = config_list(s, key, &n);
    ret_networks->list = calloc(n + 1, sizeof(*ret_networks->list));
    for (size_t i = 0; ret_networks->list && i < n; i++) {
        struct web_network *network = &ret_networks->list[ret_networks->n++];
        if (!config_parse_network(texts[i], network->bytes, &network->bits))
            return false;
    }
    return ret_networks->list != NULL;
}

static char *read_named(const struct config_section *s, enum config_key key, char *error,
                        size_t error_size)
{
    const char *path = config_text(s, key), *reason = NULL;
    char *text = path ? read_text(path, &reason) : NULL;
    if (path && !text)
        snprintf(error, error_size, "%s: %s", path, reason);
    return text;
}

struct web_config *web_config_open(const struct config *c, const struct clock *clock, char *error,
                                   size_t error_size)
{
    struct web_config *w = calloc(1, sizeof(*w));
    const struct config_section *s = config_section(c, CONFIG_WEB);
    snprintf(error, error_size, "memory is short");
    if (!w)
        return NULL;
    w->section = s;
    w->certificate = read_named(s, CONFIG_WEB_TLS_CERTIFICATE, error, error_size);
    w->key = read_named(s, CONFIG_WEB_TLS_KEY, error, error_size);
    if ((config_text(s, CONFIG_WEB_TLS_CERTIFICATE) && !(w->certificate && w->key)) ||
        !read_networks(s, CONFIG_WEB_ALLOW, &w->allow) ||
        !read_networks(s, CONFIG_WEB_PROXY, &w->proxies) ||
        !read_networks(s, CONFIG_WEB_MONITOR, &w->monitors) ||
        !open_users(w, c, clock, error, error_size)) {
        web_config_free(w);
        return NULL;
    }
    return w;
}

void web_config_free(struct web_config *w)
{
    if (!w)
        return;
    users_free(w->users);
    free(w->kiosks);
    wipe(w->certificate);
    wipe(w->key);
    free(w->allow.list);
    free(w->proxies.list);
    free(w->monitors.list);
    free(w);
}

static struct web_networks networks_of(const struct networks *n)
{
    return (struct web_networks){n->list, n->n};
}

struct web_options web_config_options(const struct web_config *w)
{
    const struct config_section *s = w->section;
    struct web_options options = {
        .listen = config_text(s, CONFIG_WEB_LISTEN),
        .sse_clients_max = (unsigned)config_number(s, CONFIG_WEB_SSE_CLIENTS_MAX),
        .users = w->users ? &w->ops : NULL,
        .random = random_key,
        .tls_certificate = w->certificate,
        .tls_key = w->key,
        .allow = networks_of(&w->allow),
        .proxies = networks_of(&w->proxies),
        .monitors = networks_of(&w->monitors),
        .per_address_max = (unsigned)config_number(s, CONFIG_WEB_CONNECTIONS_PER_ADDRESS),
        .request_seconds = (unsigned)config_number(s, CONFIG_WEB_REQUEST_SECONDS),
        .idle_seconds = (unsigned)config_number(s, CONFIG_WEB_SESSION_IDLE_SECONDS),
        .session_seconds = (unsigned)config_number(s, CONFIG_WEB_SESSION_SECONDS)};
    options.hosts = config_list(s, CONFIG_WEB_HOSTS, &options.hosts_n);
    return options;
}
