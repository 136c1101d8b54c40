/* SPDX-License-Identifier: MIT */
/* Prints screen-pops, call logs and CDRs from amitap's topics; see ../README.md. */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define SEEN_MAX   100000u
#define ERROR_SIZE 512
#define POLL_MS    500

/* The ids printed last, the oldest first. */
struct seen {
    UT_hash_handle hh;
    char id[];
};

static struct seen *seen;
static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

/* Whether a record with this id was printed before; from now on it was. */
static bool seen_before(const char *id)
{
    struct seen *known;
    HASH_FIND_STR(seen, id, known);
    if (known)
        return true;
    if (HASH_COUNT(seen) >= SEEN_MAX) {
        struct seen *oldest = seen;
        HASH_DEL(seen, oldest);
        free(oldest);
    }
    known = malloc(sizeof(*known) + strlen(id) + 1);
    if (!known)
        return false;
    memcpy(known->id, id, strlen(id) + 1);
    HASH_ADD_STR(seen, id, known);
    return false;
}

static const char *text(const json_t *record, const char *field)
{
    const char *value = json_string_value(json_object_get(record, field));
    return value ? value : "";
}

static long seconds(const json_t *record, const char *field)
{
    return (long)json_number_value(json_object_get(record, field));
}

/* How many bytes the text begins with that are a control character: two from U+0080 on. */
static size_t control_length(const char *s)
{
    unsigned char first = (unsigned char)s[0], second = (unsigned char)s[1];
    if (first == 0xc2 && second >= 0x80 && second < 0xa0)
        return 2;
    return first < 0x20 || first == 0x7f;
}

/* What comes from a caller must not move the cursor. */
static void print_clean(const char *s)
{
    while (*s) {
        size_t control = control_length(s);
        putchar(control ? '?' : *s);
        s += control ? control : 1;
    }
}

static void print_all(const char *const *words)
{
    for (; *words; words++)
        print_clean(*words);
}

#define PRINT(...) print_all((const char *const[]){__VA_ARGS__, NULL})

static void print_caller(const json_t *record)
{
    const char *number = text(record, "caller_number"), *name = text(record, "caller_name");
    PRINT(*number ? number : "unknown");
    if (*name)
        PRINT(" \"", name, "\"");
    PRINT(", dialled ", text(record, "dialled"));
}

static void print_ring(const json_t *record)
{
    PRINT("RING ", text(record, "time"), " ", text(record, "interface"), " number ",
          text(record, "number"), ": ");
    print_caller(record);
    if (*text(record, "queue"))
        PRINT(", queue ", text(record, "queue"));
}

static void print_call(const json_t *record)
{
    const char *start = text(record, "start"), *by = text(record, "hung_up_by");
    PRINT("CALL ", *start ? start : "-", " ");
    print_caller(record);
    printf(": %s, %ld s", *text(record, "answer") ? "answered" : "not answered",
           seconds(record, "duration"));
    if (*by)
        PRINT(", hung up by ", by);
}

static void print_cdr(const json_t *record)
{
    const char *start = text(record, "start"), *to = text(record, "dstchannel");
    PRINT("CDR ", *start ? start : "-", " ", text(record, "src"), " -> ", text(record, "dst"), ": ",
          text(record, "disposition"));
    printf(", %ld s of %ld s, ", seconds(record, "billsec"), seconds(record, "duration"));
    PRINT(text(record, "channel"));
    if (*to)
        PRINT(" to ", to);
}

static const struct {
    const char *kind;
    void (*print)(const json_t *record);
} printers[] = {{"call_ringing", print_ring}, {"call", print_call}, {"cdr", print_cdr}};

static void take_record(const char *json, size_t n)
{
    json_error_t error;
    json_t *record = json_loadb(json, n, JSON_ALLOW_NUL, &error);
    if (!record)
        fprintf(stderr, "consumer: not JSON: %s\n", error.text);
    for (size_t i = 0; i < sizeof(printers) / sizeof(printers[0]); i++) {
        if (strcmp(text(record, "kind"), printers[i].kind) != 0 || seen_before(text(record, "id")))
            continue;
        printers[i].print(record);
        puts(json_object_get(record, "inferred") ? " (inferred)" : "");
        fflush(stdout);
    }
    json_decref(record);
}

static int read_lines(FILE *from)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    while ((n = getline(&line, &size, from)) > 0)
        take_record(line, (size_t)n);
    free(line);
    return EXIT_SUCCESS;
}

static bool set_property(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[ERROR_SIZE];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) == RD_KAFKA_CONF_OK)
        return true;
    fprintf(stderr, "consumer: %s\n", error);
    return false;
}

/* Lines "name=value"; '#' begins a comment line. */
static bool read_properties(rd_kafka_conf_t *conf, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool good = true;
    if (!file) {
        perror(path);
        return false;
    }
    while (good && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        char *equals = strchr(line, '=');
        if (line[0] == '#' || line[0] == '\0')
            continue;
        if (equals)
            *equals = '\0';
        good = equals && set_property(conf, line, equals + 1);
    }
    free(line);
    fclose(file);
    return good;
}

static bool subscribe(rd_kafka_t *consumer, const char *prefix)
{
    static const char *const topics[] = {"call-events", "calls", "cdr"};
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(3);
    for (size_t i = 0; i < 3; i++) {
        char name[256];
        snprintf(name, sizeof(name), "%s%s", prefix, topics[i]);
        rd_kafka_topic_partition_list_add(list, name, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error)
        fprintf(stderr, "consumer: subscribe: %s\n", rd_kafka_err2str(error));
    return !error;
}

/* The kind is in the header too: what is not printed need not be parsed. */
static bool is_wanted(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *type;
    size_t n;
    if (!message->payload || rd_kafka_message_headers(message, &headers) ||
        rd_kafka_header_get_last(headers, "ce_type", &type, &n))
        return false;
    for (size_t i = 0; i < sizeof(printers) / sizeof(printers[0]); i++) {
        char wanted[64];
        int length = snprintf(wanted, sizeof(wanted), "amitap.%s.v0", printers[i].kind);
        if (n == (size_t)length && memcmp(type, wanted, n) == 0)
            return true;
    }
    return false;
}

static int consume(const char *path, const char *prefix)
{
    char error[ERROR_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *consumer = NULL;
    if (read_properties(conf, path)) {
        consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
        if (!consumer)
            fprintf(stderr, "consumer: %s\n", error);
    }
    if (!consumer) {
        rd_kafka_conf_destroy(conf);
        return EXIT_FAILURE;
    }
    rd_kafka_poll_set_consumer(consumer);
    bool good = subscribe(consumer, prefix);
    while (good && !stopping) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, POLL_MS);
        if (!message)
            continue;
        if (message->err)
            fprintf(stderr, "consumer: %s\n", rd_kafka_message_errstr(message));
        else if (is_wanted(message))
            take_record(message->payload, message->len);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fputs("usage: consumer PROPERTIES [PREFIX]\n       consumer -\n", stderr);
        return 2;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    int status = strcmp(argv[1], "-") == 0 ? read_lines(stdin)
                                           : consume(argv[1], argc > 2 ? argv[2] : "amitap.");
    struct seen *one, *next;
    HASH_ITER(hh, seen, one, next)
    {
        HASH_DEL(seen, one);
        free(one);
    }
    return status;
}
