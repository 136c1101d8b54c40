/* SPDX-License-Identifier: MIT */
#include "collector/config/config_inner.h"
#include "collector/config/config_value.h"
#include "collector/config/credential.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX_BYTES      255
#define PRIVACY_KEY_MIN_BYTES 16
#define PRIVACY_KEY_MAX_BYTES 128
#define RETAIN_DAYS_MAX       36500

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

/* A file that holds a secret, and where it goes. */
struct secret_file {
    enum config_key key; /* names the file */
    size_t low, high;    /* its bytes */
    char **to;           /* stays as it is where it is set already */
};

/* An open regular file, or -1 after adding the fault. A pipe or device might never end. */
static int open_secret(const struct config_section *s, const struct secret_file *f,
                       struct stat *ret_stat, struct config_report *report)
{
    const char *named = config_text(s, f->key);
    char path[PATH_MAX];
    const char *wrong = credential_path(named, path, sizeof path);
    if (wrong) {
        config_fault(report, s, f->key, "%s: %s", named, wrong);
        return -1;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, ret_stat) != 0) {
        config_fault(report, s, f->key, "%s cannot be read: %s", named, strerror(errno));
    } else if (!S_ISREG(ret_stat->st_mode)) {
        config_fault(report, s, f->key, "%s is not a regular file", named);
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

static void put_secret(const struct config_section *s, const struct secret_file *f,
                       struct slice text, struct config_report *report)
{
    const char *named = config_text(s, f->key);
    bool one_line = true;
    for (size_t i = 0; i < text.n; i++) {
        one_line &= (unsigned char)text.p[i] >= 0x20 && text.p[i] != 0x7f;
    }
    if (text.n == 0) {
        config_fault(report, s, f->key, "%s is empty", named);
    } else if (text.n > f->high) {
        config_fault(report, s, f->key, "%s is longer than %zu bytes", named, f->high);
    } else if (text.n < f->low) {
        config_fault(report, s, f->key, "%s is shorter than %zu bytes", named, f->low);
    } else if (!one_line) {
        config_fault(report, s, f->key, "%s holds more than one line, or a control character",
                     named);
    } else if (!*f->to) {
        *f->to = strndup(text.p, text.n);
    }
}

static void read_secret(struct config_section *s, const struct secret_file *f,
                        struct config_report *report)
{
    char text[SECRET_MAX_BYTES + 3];
    struct stat st = {0};
    int fd = config_text(s, f->key) ? open_secret(s, f, &st, report) : -1;
    if (fd < 0) {
        return;
    }
    ssize_t got = read(fd, text, sizeof text);
    if (got < 0) {
        config_fault(report, s, f->key, "%s cannot be read: %s", config_text(s, f->key),
                     strerror(errno));
    } else {
        put_secret(s, f, (struct slice){text, without_line_end(text, (size_t)got)}, report);
    }
    if (st.st_mode & S_IROTH) {
        config_report_warning(report, s->values[f->key].line,
                              "%s%s%s: %s: %s can be read by everybody",
                              config_section_row(s->id)->name, *s->name ? " " : "", s->name,
                              config_key_row(f->key)->name, config_text(s, f->key));
    }
    close(fd);
    explicit_bzero(text, sizeof text);
}

/* The keys of a section that say what its sink shows. */
struct privacy_keys {
    enum config_section_id section;
    enum config_key mode, digits, extension_digits, key_file, key_id;
};

static const struct privacy_keys privacy_keys[] = {
#define PRIVACY_KEYS(id)                                                                           \
    {                                                                                              \
        CONFIG_##id, CONFIG_##id##_PRIVACY, CONFIG_##id##_PRIVACY_DIGITS,                          \
            CONFIG_##id##_PRIVACY_EXTENSION_DIGITS, CONFIG_##id##_PRIVACY_KEY_FILE,                \
            CONFIG_##id##_PRIVACY_KEY_ID                                                           \
    }
    PRIVACY_KEYS(STORE),
    PRIVACY_KEYS(KAFKA),
    PRIVACY_KEYS(WEB),
#undef PRIVACY_KEYS
};

static const struct privacy_keys *privacy_keys_of(enum config_section_id section)
{
    for (size_t i = 0; i < sizeof privacy_keys / sizeof *privacy_keys; i++) {
        if (privacy_keys[i].section == section) {
            return &privacy_keys[i];
        }
    }
    return NULL;
}

static const char *const privacy_words[] = {[CONFIG_PRIVACY_CLEAR] = "clear",
                                            [CONFIG_PRIVACY_DIGITS] = "digits",
                                            [CONFIG_PRIVACY_HMAC] = "hmac",
                                            [CONFIG_PRIVACY_DROP] = "drop"};

#define PRIVACY_WORDS (sizeof privacy_words / sizeof *privacy_words)

static unsigned privacy_mode(const char *word)
{
    unsigned mode = 0;
    while (mode < PRIVACY_WORDS && strcmp(privacy_words[mode], word) != 0) {
        mode++;
    }
    return mode;
}

static void check_privacy(struct config_section *s, struct config_report *report)
{
    const struct privacy_keys *keys = privacy_keys_of(s->id);
    if (!keys) {
        return;
    }
    const char *word = config_text(s, keys->mode);
    const char *key_id = config_text(s, keys->key_id);
    unsigned mode = word ? privacy_mode(word) : CONFIG_PRIVACY_CLEAR;
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (mode == PRIVACY_WORDS) {
        config_fault(report, s, keys->mode, "'%s' is none of clear, digits, hmac, drop", word);
    } else if (mode == CONFIG_PRIVACY_HMAC && !given(s, keys->key_file)) {
        config_fault(report, s, keys->mode, "hmac needs privacy_key_file");
    }
    if (key_id && key_id[strspn(key_id, legal)]) {
        config_fault(report, s, keys->key_id,
                     "'%s' holds more than letters, digits, '.', '_' and '-'", key_id);
    }
    struct secret_file file = {keys->key_file, PRIVACY_KEY_MIN_BYTES, PRIVACY_KEY_MAX_BYTES,
                               &s->privacy_key};
    read_secret(s, &file, report);
}

struct config_privacy config_privacy(const struct config_section *s)
{
    const struct privacy_keys *keys = privacy_keys_of(s->id);
    return (struct config_privacy){
        .mode = (enum config_privacy_mode)privacy_mode(config_text(s, keys->mode)),
        .digits = (unsigned)config_number(s, keys->digits),
        .extension_digits = (unsigned)config_number(s, keys->extension_digits),
        .key = slice_from(s->privacy_key),
        .key_id = config_text(s, keys->key_id)};
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
    struct secret_file secret = {CONFIG_PBX_SECRET_FILE, 1, SECRET_MAX_BYTES,
                                 &s->values[CONFIG_PBX_SECRET].text};
    read_secret(s, &secret, report);
}

/* The history's tables that hold records. */
static bool is_table(const char *name, size_t n)
{
    static const char *const tables[] = {
#define FACT_KIND(id, kind, topic, table, ce_type, key, schema, retention, worth) table,
#include "schemas/facts.def"
#undef FACT_KIND
        "dead_letters"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (n > 0 && strlen(tables[i]) == n && memcmp(tables[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

static void check_retention(const struct config_section *s, struct config_report *report)
{
    size_t n = 0;
    const char *const *rules = config_list(s, CONFIG_STORE_RETAIN_DAYS_OF, &n);
    for (size_t i = 0; i < n; i++) {
        const char *equals = strchr(rules[i], '=');
        int64_t days = 0;
        if (!equals || !is_table(rules[i], (size_t)(equals - rules[i])) ||
            !config_parse_number(equals + 1, &days) || days < 0 || days > RETAIN_DAYS_MAX) {
            config_fault(report, s, CONFIG_STORE_RETAIN_DAYS_OF,
                         "'%s' is not table=days, with a table of the history", rules[i]);
        }
    }
}

int64_t config_retain_days(const struct config_section *store, const char *table)
{
    size_t n = 0, length = strlen(table);
    int64_t days = config_number(store, CONFIG_STORE_RETAIN_DAYS);
    const char *const *rules = config_list(store, CONFIG_STORE_RETAIN_DAYS_OF, &n);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(rules[i], table, length) == 0 && rules[i][length] == '=') {
            config_parse_number(rules[i] + length + 1, &days);
        }
    }
    return days;
}

static void check_store(const struct config *c, const struct config_section *s,
                        struct config_report *report)
{
    const char *path = config_text(s, CONFIG_STORE_PATH);
    if (path && c->outbox_path && strcmp(path, c->outbox_path) == 0) {
        config_fault(report, s, CONFIG_STORE_OUTBOX, "is the same file as path");
    }
    check_retention(s, report);
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
        check_privacy(s, report);
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
