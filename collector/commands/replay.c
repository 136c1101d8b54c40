/* SPDX-License-Identifier: MIT */
#include "collector/commands/replay.h"

#include "collector/commands/tap_config.h"
#include "collector/facts/queue_log.h"
#include "collector/facts/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_SIZE      ((size_t)256 * 1024)
#define LINE_MAX_BYTES ((size_t)1024 * 1024)

struct replay {
    struct tap *tap;
    struct ami_framer framer;
    struct ami_message message;
    struct buf input;
    struct buf line;
    bool wanted[FACT_KIND_COUNT];
    bool failed; /* standard output could not be written */
};

static void print_fact(void *ctx, struct slice fact)
{
    struct replay *r = ctx;
    struct fact_head head;
    if (!fact_read_head(fact, &head) || !r->wanted[head.kind])
        return;
    buf_clear(&r->line);
    if (head.kind == FACT_QUEUE_LOG && !r->wanted[FACT_CALL_STATE]) {
        queue_log_text(fact, &r->line);
    } else {
        struct json_out json = json_out_to(&r->line);
        fact_json(fact, &json);
    }
    buf_put_char(&r->line, '\n');
    r->failed |= fwrite(r->line.p, 1, r->line.n, stdout) != r->line.n;
}

static void take_frames(struct replay *r)
{
    struct slice rest = buf_slice(&r->input);
    struct ami_frame frame;
    size_t consumed;
    while (ami_frame_next(&r->framer, rest, &frame, &consumed) == AMI_FRAME_OK) {
        if (frame.kind == AMI_FRAME_EVENT && ami_event_wanted(ami_message_event_id(&frame))) {
            ami_message_parse(&frame, &r->message);
            tap_event(r->tap, &r->message, 0);
        }
        rest = slice_from_offset(rest, consumed);
    }
    buf_drop(&r->input, r->input.n - rest.n + consumed);
}

static bool read_stream(struct replay *r, int fd, const char *name)
{
    for (;;) {
        char *to = buf_reserve(&r->input, READ_SIZE);
        if (!to) {
            fprintf(stderr, "amitap: replay: %s: no memory\n", name);
            return false;
        }
        ssize_t n = read(fd, to, READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fprintf(stderr, "amitap: replay: %s: %s\n", name, strerror(errno));
        if (n <= 0)
            return n == 0;
        r->input.n += (size_t)n;
        take_frames(r);
    }
}

static bool read_file(struct replay *r, const char *name)
{
    if (strcmp(name, "-") == 0)
        return read_stream(r, STDIN_FILENO, "standard input");
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "amitap: replay: %s: %s\n", name, strerror(errno));
        return false;
    }
    bool good = read_stream(r, fd, name);
    close(fd);
    return good;
}

/* One word of --records. */
static bool want(struct replay *r, struct slice word)
{
    static const char *const kinds[] = {"cdr",   "call",     "queue",        "queue_log",
                                        "agent", "endpoint", "registration", "trunk"};
    if (slice_is(word, "none"))
        return true;
    if (slice_is(word, "events")) {
        for (int i = 0; i < FACT_KIND_COUNT; i++)
            r->wanted[i] = true;
        return true;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!slice_is(word, kinds[i]))
            continue;
        r->wanted[fact_kind_by_name(word)] = true;
        return true;
    }
    fprintf(stderr,
            "amitap: replay: --records: unknown kind \"%.*s\" (cdr, call, queue, queue_log, agent, "
            "endpoint, registration, trunk, events, none)\n",
            (int)word.n, word.p);
    return false;
}

static bool want_list(struct replay *r, struct slice words)
{
    while (words.n) {
        const char *comma = memchr(words.p, ',', words.n);
        size_t n = comma ? (size_t)(comma - words.p) : words.n;
        if (!want(r, slice_head(words, n)))
            return false;
        words = slice_from_offset(words, n + 1);
    }
    return true;
}

struct arguments {
    const char *config;
    const char *pbx;
    const char *records;
    int files; /* index of the first */
};

static bool read_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"pbx", required_argument, NULL, 'p'},
                                            {"records", required_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    struct arguments a = {.records = "cdr"};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        if (option == 'c')
            a.config = optarg;
        else if (option == 'p')
            a.pbx = optarg;
        else if (option == 'r')
            a.records = optarg;
        else
            return false;
    }
    a.files = optind;
    *ret_arguments = a;
    if (optind < argc)
        return true;
    fprintf(stderr, "amitap: replay: no file given (- is standard input)\n");
    return false;
}

static int run(struct replay *r, const struct arguments *a, int argc, char **argv)
{
    int status = EXIT_SUCCESS;
    for (int i = a->files; i < argc && status == EXIT_SUCCESS; i++) {
        if (!read_file(r, argv[i]))
            status = EXIT_FAILURE;
    }
    if (fflush(stdout) != 0 || r->failed) {
        fprintf(stderr, "amitap: replay: standard output: %s\n", strerror(errno));
        status = EXIT_FAILURE;
    }
    return status;
}

int replay_command(int argc, char **argv)
{
    struct arguments arguments;
    struct tap_config config;
    int status = 2;
    if (!read_arguments(argc, argv, &arguments))
        return status;
    struct replay *r = calloc(1, sizeof(*r));
    if (!r || !tap_config_load(&config, arguments.config, arguments.pbx)) {
        free(r);
        return EXIT_FAILURE;
    }
    r->input = buf_new(READ_SIZE * 2 + AMI_FRAME_MAX + AMI_LINE_MAX);
    r->line = buf_new(LINE_MAX_BYTES);
    r->tap = tap_new(&config.options, print_fact, r);
    if (r->tap && want_list(r, slice_from(arguments.records)))
        status = run(r, &arguments, argc, argv);
    tap_free(r->tap);
    buf_free(&r->line);
    buf_free(&r->input);
    tap_config_free(&config);
    free(r);
    return status;
}
