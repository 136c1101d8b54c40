/* SPDX-License-Identifier: MIT */
#include "collector/config/config_inner.h"
#include "collector/config/config_value.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX_BYTES 255

static bool given(const struct config_section *s, enum config_key key)
{
    return s->values[key].line != 0;
}

/* Exactly one of two keys must be given. */
static void check_one_of(const struct config_section *s, enum config_key a, enum config_key b,
                         struct config_report *report)
{
    const char *a_name = config_key_row(a)->name, *b_name = config_key_row(b)->name;
    if (!given(s, a) && !given(s, b)) {
        config_fault(report, s, CONFIG_KEY_COUNT, "%s or %s is missing", a_name, b_name);
    } else if (given(s, a) && given(s, b)) {
        config_fault(report, s, b, "is given beside %s; one of them must go", a_name);
    }
}

/* An open regular file, or -1 after adding the fault. A pipe or device might never end. */
static int open_secret(const struct config_section *s, const char *path, struct stat *ret_stat,
                       struct config_report *report)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, ret_stat) != 0) {
        config_fault(report, s, CONFIG_PBX_SECRET_FILE, "%s cannot be read: %s", path,
                     strerror(errno));
    } else if (!S_ISREG(ret_stat->st_mode)) {
        config_fault(report, s, CONFIG_PBX_SECRET_FILE, "%s is not a regular file", path);
    } else {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* What an editor puts behind the last line is no part of the secret. */
static size_t without_line_end(const char *text, size_t n)
{
    if (n > 0 && text[n - 1] == '\n') {
        n--;
        n -= n > 0 && text[n - 1] == '\r';
    }
    return n;
}

static const char *secret_fault(const char *text, size_t n)
{
    if (n == 0) {
        return "is empty";
    }
    if (n > SECRET_MAX_BYTES) {
        return "is longer than 255 bytes";
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            return "holds more than one line, or a control character";
        }
    }
    return NULL;
}

static void read_secret(struct config_section *s, struct config_report *report)
{
    const char *path = config_text(s, CONFIG_PBX_SECRET_FILE);
    char text[SECRET_MAX_BYTES + 3];
    struct stat st = {0};
    int fd = path ? open_secret(s, path, &st, report) : -1;
    if (fd < 0) {
        return;
    }
    ssize_t got = read(fd, text, sizeof text);
    if (got < 0) {
        config_fault(report, s, CONFIG_PBX_SECRET_FILE, "%s cannot be read: %s", path,
                     strerror(errno));
    } else {
        size_t n = without_line_end(text, (size_t)got);
        const char *wrong = secret_fault(text, n);
        if (wrong) {
            config_fault(report, s, CONFIG_PBX_SECRET_FILE, "%s %s", path, wrong);
        } else if (!given(s, CONFIG_PBX_SECRET)) {
            s->values[CONFIG_PBX_SECRET].text = strndup(text, n);
        }
    }
    if (st.st_mode & S_IROTH) {
        config_report_warning(report, s->values[CONFIG_PBX_SECRET_FILE].line,
                              "pbx %s: secret_file: %s can be read by everybody", s->name, path);
    }
    close(fd);
    explicit_bzero(text, sizeof text);
}

static void check_tls(const struct config_section *s, struct config_report *report)
{
    static const enum config_key keys[] = {CONFIG_PBX_TLS_CA_FILE, CONFIG_PBX_TLS_NAME,
                                           CONFIG_PBX_TLS_VERIFY};
    const char *ca_file = config_text(s, CONFIG_PBX_TLS_CA_FILE);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (given(s, keys[i]) && !config_yes(s, CONFIG_PBX_TLS)) {
            config_report_warning(report, s->values[keys[i]].line,
                                  "pbx %s: %s does nothing without tls = yes", s->name,
                                  config_key_row(keys[i])->name);
        }
    }
    if (ca_file && access(ca_file, R_OK) != 0) {
        config_fault(report, s, CONFIG_PBX_TLS_CA_FILE, "%s: %s", ca_file, strerror(errno));
    }
    if (!config_yes(s, CONFIG_PBX_TLS_VERIFY)) {
        config_report_warning(report, s->values[CONFIG_PBX_TLS_VERIFY].line,
                              "pbx %s: tls_verify: nobody checks who the PBX is", s->name);
    }
}

/* As channels are named: "PJSIP/carrier". */
static void check_trunks(const struct config_section *s, struct config_report *report)
{
    size_t n = 0;
    const char *const *trunks = config_list(s, CONFIG_PBX_TRUNKS, &n);
    for (size_t i = 0; i < n; i++) {
        const char *slash = strchr(trunks[i], '/');
        if (!slash || slash == trunks[i] || !slash[1]) {
            config_fault(report, s, CONFIG_PBX_TRUNKS,
                         "'%s' is not an endpoint with its technology, like \"PJSIP/carrier\"",
                         trunks[i]);
        }
    }
}

static void check_wrapuptimes(const struct config_section *s, struct config_report *report)
{
    size_t n = 0;
    const char *const *times = config_list(s, CONFIG_PBX_WRAPUPTIMES, &n);
    for (size_t i = 0; i < n; i++) {
        const char *equals = strrchr(times[i], '=');
        size_t digits = equals ? strspn(equals + 1, "0123456789") : 0;
        if (!equals || equals == times[i] || digits < 1 || digits > 5 || equals[1 + digits]) {
            config_fault(report, s, CONFIG_PBX_WRAPUPTIMES, "'%s' is not queue=seconds", times[i]);
        }
    }
}

static void check_pbx(struct config_section *s, struct config_report *report)
{
    check_one_of(s, CONFIG_PBX_HOST, CONFIG_PBX_HOSTS, report);
    check_one_of(s, CONFIG_PBX_SECRET_FILE, CONFIG_PBX_SECRET, report);
    if (!given(s, CONFIG_PBX_USER)) {
        config_fault(report, s, CONFIG_KEY_COUNT, "user is missing");
    }
    check_tls(s, report);
    const char *mask = config_text(s, CONFIG_PBX_EVENT_MASK);
    if (mask && !config_is_event_mask(mask)) {
        config_fault(report, s, CONFIG_PBX_EVENT_MASK,
                     "'%s' is not a list of classes like \"call,agent\"", mask);
    }
    check_trunks(s, report);
    check_wrapuptimes(s, report);
    read_secret(s, report);
}

static void check_store(const struct config *c, const struct config_section *s,
                        struct config_report *report)
{
    const char *path = config_text(s, CONFIG_STORE_PATH);
    if (path && c->outbox_path && strcmp(path, c->outbox_path) == 0) {
        config_fault(report, s, CONFIG_STORE_OUTBOX, "is the same file as path");
    }
}

static void check_kafka(const struct config_section *s, struct config_report *report)
{
    if (!given(s, CONFIG_KAFKA_BROKERS)) {
        config_fault(report, s, CONFIG_KEY_COUNT, "brokers is missing");
    }
    const char *prefix = config_text(s, CONFIG_KAFKA_TOPIC_PREFIX);
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (prefix && prefix[strspn(prefix, legal)]) {
        config_fault(report, s, CONFIG_KAFKA_TOPIC_PREFIX,
                     "a topic's name holds only letters, digits, '.', '_' and '-'");
    }
    size_t n = 0;
    const char *const *properties = config_list(s, CONFIG_KAFKA_PROPERTIES, &n);
    for (size_t i = 0; i < n; i++) {
        const char *equals = strchr(properties[i], '=');
        if (!equals || equals == properties[i]) {
            /* The value may be a password, so the element is named by its number. */
            config_fault(report, s, CONFIG_KAFKA_PROPERTIES, "value %zu is not name=value", i + 1);
        }
    }
}

static bool is_loopback(const char *listen)
{
    static const char *const prefixes[] = {"127.", "[::1]:", "localhost:"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(listen, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Beyond loopback, only known people and encrypted. */
static void check_listen(const struct config_section *s, struct config_report *report)
{
    const char *listen = config_text(s, CONFIG_WEB_LISTEN);
    if (listen && !config_is_listen_address(listen)) {
        config_fault(report, s, CONFIG_WEB_LISTEN, "'%s' is not ADDRESS:PORT", listen);
    } else if (listen && !is_loopback(listen) && !given(s, CONFIG_WEB_USERS_FILE)) {
        config_fault(report, s, CONFIG_WEB_LISTEN,
                     "'%s': without users_file only a loopback address (127.0.0.1 or [::1]) is "
                     "allowed, because everybody could see everything",
                     listen);
    } else if (listen && !is_loopback(listen) && !given(s, CONFIG_WEB_TLS_CERTIFICATE) &&
               s->values[CONFIG_WEB_PROXY].count == 0) {
        config_fault(report, s, CONFIG_WEB_LISTEN,
                     "'%s': without tls_certificate, or proxy where one does TLS, only a loopback "
                     "address (127.0.0.1 or [::1]) is allowed, because passwords could be read",
                     listen);
    }
}

static void check_networks(const struct config_section *s, enum config_key key,
                           struct config_report *report)
{
    size_t n = 0;
    const char *const *networks = config_list(s, key, &n);
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[16];
        unsigned bits;
        if (!config_parse_network(networks[i], bytes, &bits)) {
            config_fault(report, s, key,
                         "'%s' is neither an address nor a network like \"10.0.0.0/8\"",
                         networks[i]);
        }
    }
}

static void check_web(const struct config_section *s, struct config_report *report)
{
    size_t n = 0;
    const char *const *hosts = config_list(s, CONFIG_WEB_HOSTS, &n);
    check_listen(s, report);
    if (given(s, CONFIG_WEB_TLS_CERTIFICATE) != given(s, CONFIG_WEB_TLS_KEY)) {
        config_fault(report, s, CONFIG_KEY_COUNT,
                     "tls_certificate and tls_key go together; one of them is missing");
    }
    for (size_t i = 0; i < n; i++) {
        if (!config_is_host_name(hosts[i])) {
            config_fault(report, s, CONFIG_WEB_HOSTS, "'%s' is no host's name", hosts[i]);
        }
    }
    check_networks(s, CONFIG_WEB_PROXY, report);
    check_networks(s, CONFIG_WEB_ALLOW, report);
    check_networks(s, CONFIG_WEB_MONITOR, report);
}

void config_check_rules(struct config *c, struct config_report *report)
{
    if (config_pbx_count(c) == 0 && config_report_faults(report) == 0) {
        config_report_fault(report, 0, "there is no pbx section, so nothing to tap");
    }
    for (size_t i = 0; i < c->count; i++) {
        struct config_section *s = &c->sections[i];
        switch (s->id) {
        case CONFIG_PBX:
            check_pbx(s, report);
            break;
        case CONFIG_STORE:
            check_store(c, s, report);
            break;
        case CONFIG_KAFKA:
            check_kafka(s, report);
            break;
        case CONFIG_WEB:
            check_web(s, report);
            break;
        case CONFIG_SECTION_COUNT:
            break;
        }
    }
}
