/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_config.h"

#include "collector/config/credential.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERROR_SIZE     512
#define NAME_SIZE      128
#define FILE_MAX_BYTES ((size_t)64 * 1024)

/* Properties that have one value here, and why. NULL: they are not for the configuration. */
static const struct guard {
    const char *name, *value, *why;
} guards[] = {
    {"bootstrap.servers", NULL, "the brokers stand in brokers"},
    {"metadata.broker.list", NULL, "the brokers stand in brokers"},
    {"enable.idempotence", "true", "order and no doubles within a session need it"},
    {"enable.gapless.guarantee", "true", "a refused record must not be overtaken"},
    {"acks", "all", "a record counts as delivered once every replica has it"},
    {"request.required.acks", "all", "a record counts as delivered once every replica has it"},
    {"message.timeout.ms", "0", "the outbox keeps what is late; a timeout would leave a gap"},
    {"delivery.timeout.ms", "0", "the outbox keeps what is late; a timeout would leave a gap"},
    {"partitioner", "murmur2_random", "all producers of a topic must place a key alike"},
    {"allow.auto.create.topics", "false", "topics are made with their stated properties"},
    {"queuing.strategy", "fifo", "records keep their order"},
    {"delivery.report.only.error", "false", "the cursor is moved by delivery reports"},
    {"transactional.id", NULL, "transactions are not used"},
    {"enabled_events", NULL, "events are not used"},
    {"log.queue", NULL, "librdkafka's log has its way"},
};

/* What is set before the configuration's own properties. */
static const struct {
    const char *name, *value;
} preset[] = {
    {"client.id", "amitap"},
    {"enable.idempotence", "true"},
    {"enable.gapless.guarantee", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
    {"partitioner", "murmur2_random"},
    {"allow.auto.create.topics", "false"},
    {"queue.buffering.max.kbytes", "131072"},
    {"reconnect.backoff.max.ms", "2000"},
};

static const struct guard *guard_of(const char *name)
{
    for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
        if (strcmp(guards[i].name, name) == 0)
            return &guards[i];
    }
    return NULL;
}

/* acks has two spellings. */
static bool same_value(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0 || (strcmp(b, "all") == 0 && strcmp(a, "-1") == 0);
}

static bool is_secret(const char *name)
{
    return strstr(name, "password") || strstr(name, "secret") || strstr(name, ".pem") ||
           strstr(name, "jaas");
}

/* A file's contents without the end of their last line, to be freed. NULL with error. */
static char *read_value(const char *named, size_t *ret_n, char *error, size_t error_size)
{
    char path[PATH_MAX];
    const char *wrong = credential_path(named, path, sizeof(path));
    if (wrong) {
        snprintf(error, error_size, "%s: %s", named, wrong);
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *text = fd >= 0 ? malloc(FILE_MAX_BYTES + 1) : NULL;
    size_t n = 0;
    ssize_t got = text ? 1 : -1;
    while (got > 0 && n < FILE_MAX_BYTES && (got = read(fd, text + n, FILE_MAX_BYTES - n)) > 0)
        n += (size_t)got;
    if (got < 0)
        snprintf(error, error_size, "%s cannot be read: %s", named, strerror(errno));
    else if (n == FILE_MAX_BYTES)
        snprintf(error, error_size, "%s is longer than %zu bytes", named, FILE_MAX_BYTES - 1);
    if (fd >= 0)
        close(fd);
    if (got < 0 || n == FILE_MAX_BYTES) {
        free(text);
        return NULL;
    }
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[n] = '\0';
    *ret_n = n;
    return text;
}

/* Certificates and keys have lines; anything else is one, and nothing may be cut short by a NUL. */
static bool is_one_value(const char *name, struct slice text, char *error)
{
    bool lines = strstr(name, ".pem") != NULL;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\0' || (!lines && (c == '\r' || c == '\n'))) {
            snprintf(error, ERROR_SIZE, "%s: its file holds %s", name,
                     c ? "more than one line" : "a NUL");
            return false;
        }
    }
    return true;
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, char *error)
{
    char reason[ERROR_SIZE];
    const struct guard *guard = guard_of(name);
    if (guard && (!guard->value || !same_value(value, guard->value))) {
        snprintf(error, ERROR_SIZE, "%s cannot be set%s%s: %s", name,
                 guard->value ? " to another value than " : "", guard->value ? guard->value : "",
                 guard->why);
        return false;
    }
    rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, name, value, reason, sizeof(reason));
    if (res == RD_KAFKA_CONF_OK)
        return true;
    if (is_secret(name))
        snprintf(error, ERROR_SIZE, "%s is refused by librdkafka", name);
    else
        snprintf(error, ERROR_SIZE, "%s", reason);
    return false;
}

/* Sets one name=value of the configuration. False with error. */
static bool set_property(rd_kafka_conf_t *conf, const char *property, char *error)
{
    static const char ending[] = "_file";
    char name[NAME_SIZE];
    size_t n = strcspn(property, "=");
    if (n >= sizeof(name)) {
        snprintf(error, ERROR_SIZE, "there is no property with so long a name");
        return false;
    }
    memcpy(name, property, n);
    name[n] = '\0';
    const char *value = property[n] ? property + n + 1 : "";
    if (n < sizeof(ending) || strcmp(name + n - (sizeof(ending) - 1), ending) != 0) {
        if (!is_secret(name))
            return set(conf, name, value, error);
        snprintf(error, ERROR_SIZE, "%s is a secret: name a file that holds it, in %s_file", name,
                 name);
        return false;
    }
    name[n - (sizeof(ending) - 1)] = '\0';
    size_t length = 0;
    char *text = read_value(value, &length, error, ERROR_SIZE);
    bool good = text && is_one_value(name, (struct slice){text, length}, error) &&
                set(conf, name, text, error);
    if (text)
        explicit_bzero(text, length);
    free(text);
    return good;
}

/* Without the debug property librdkafka's own lines are left out: what matters comes as an error,
 * and is said once. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

static bool wants_debug(const rd_kafka_conf_t *conf)
{
    char text[8] = "";
    size_t n = sizeof(text);
    return rd_kafka_conf_get(conf, "debug", text, &n) == RD_KAFKA_CONF_OK && text[0];
}

static rd_kafka_conf_t *preset_new(void)
{
    char reason[ERROR_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof(preset) / sizeof(preset[0]); i++)
        rd_kafka_conf_set(conf, preset[i].name, preset[i].value, reason, sizeof(reason));
    return conf;
}

/* Sets what the section has; each fault goes to said. */
static bool set_section(rd_kafka_conf_t *conf, const struct config_section *kafka,
                        void (*said)(void *ctx, const char *fault), void *ctx)
{
    size_t n = 0;
    bool good = true;
    const char *const *properties = config_list(kafka, CONFIG_KAFKA_PROPERTIES, &n);
    for (size_t i = 0; i < n; i++) {
        char error[ERROR_SIZE];
        if (!set_property(conf, properties[i], error)) {
            said(ctx, error);
            good = false;
        }
    }
    if (!wants_debug(conf))
        rd_kafka_conf_set_log_cb(conf, on_log);
    return good;
}

struct report {
    struct config_report *to;
    unsigned line;
};

static void add_fault(void *ctx, const char *fault)
{
    struct report *r = ctx;
    config_report_fault(r->to, r->line, "kafka: properties: %s", fault);
}

/* Of a property that names a file with a secret, when everybody can read it. */
static void warn_if_open(const char *property, const struct report *r)
{
    char path[PATH_MAX];
    struct stat st;
    const char *value = strstr(property, "_file=");
    if (!value || credential_path(value + sizeof("_file=") - 1, path, sizeof(path)))
        return;
    if (stat(path, &st) == 0 && st.st_mode & S_IROTH)
        config_report_warning(r->to, r->line, "kafka: properties: %s can be read by everybody",
                              path);
}

static void warn_of_open(const struct config_section *kafka, const struct report *r)
{
    size_t n = 0;
    const char *const *properties = config_list(kafka, CONFIG_KAFKA_PROPERTIES, &n);
    for (size_t i = 0; i < n; i++)
        warn_if_open(properties[i], r);
}

bool kafka_config_check(const struct config *config, struct config_report *report)
{
    const struct config_section *kafka = config_section(config, CONFIG_KAFKA);
    if (!kafka)
        return true;
    struct report r = {report, config_line(kafka, CONFIG_KAFKA_PROPERTIES)};
    rd_kafka_conf_t *conf = preset_new();
    char reason[ERROR_SIZE];
    if (!set_section(conf, kafka, add_fault, &r)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    warn_of_open(kafka, &r);
    /* What does not go together is only said by a producer. Without brokers it connects nowhere. */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (rk) {
        rd_kafka_destroy(rk);
        return true;
    }
    add_fault(&r, reason);
    rd_kafka_conf_destroy(conf);
    return false;
}

struct first_fault {
    char *error;
    size_t size;
};

static void keep_first(void *ctx, const char *fault)
{
    struct first_fault *f = ctx;
    if (!f->error[0])
        snprintf(f->error, f->size, "kafka: properties: %s", fault);
}

rd_kafka_conf_t *kafka_config_new(const struct config_section *kafka, char *error,
                                  size_t error_size)
{
    struct first_fault first = {error, error_size};
    char reason[ERROR_SIZE];
    rd_kafka_conf_t *conf = preset_new();
    error[0] = '\0';
    bool good = set_section(conf, kafka, keep_first, &first);
    if (good &&
        rd_kafka_conf_set(conf, "bootstrap.servers", config_text(kafka, CONFIG_KAFKA_BROKERS),
                          reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
        snprintf(error, error_size, "kafka: brokers: %s", reason);
        good = false;
    }
    if (good)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}
