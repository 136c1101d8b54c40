/* SPDX-License-Identifier: MIT */
#include "collector/commands/replay.h"

#include "collector/base/memory.h"
#include "collector/commands/ami_files.h"
#include "collector/commands/options.h"
#include "collector/commands/tap_config.h"
#include "collector/facts/queue_log.h"
#include "collector/facts/tap.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES ((size_t)1024 * 1024)

struct replay {
    struct tap *tap;
    struct buf line;
    bool wanted[FACT_KIND_COUNT];
    bool failed;   /* standard output could not be written */
    bool left_out; /* a record was too large, or there was no memory for it */
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
    r->left_out |= r->line.failed;
    if (r->line.failed)
        return;
    r->failed |= fwrite(r->line.p, 1, r->line.n, stdout) != r->line.n;
}

static void take_event(void *ctx, const struct ami_message *m)
{
    struct replay *r = ctx;
    tap_event(r->tap, m, 0);
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
    options_begin();
    while ((option = options_next(argc, argv, ":c:", options)) != -1) {
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
    return options_need(argv[0], "a file (- is standard input)", optind < argc);
}

static int run(struct replay *r, char *const *files)
{
    int status = ami_files_read("replay", files, take_event, r) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (memory_failures() || r->left_out) {
        fprintf(stderr, "amitap: replay: %s: records may be missing or wrong\n",
                memory_failures() ? "memory was short" : "a record is too large");
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
    if (!read_arguments(argc, argv, &arguments)) {
        fputs("usage: amitap replay [-c FILE] [--pbx NAME] [--records KIND[,KIND]] FILE...\n",
              stderr);
        return status;
    }
    struct replay *r = calloc(1, sizeof(*r));
    if (!r)
        fputs("amitap: replay: memory is short\n", stderr);
    if (!r || !tap_config_load(&config, arguments.config, arguments.pbx)) {
        free(r);
        return EXIT_FAILURE;
    }
    r->line = buf_new(LINE_MAX_BYTES);
    r->tap = tap_new(&config.options, print_fact, r);
    if (!r->tap)
        fputs("amitap: replay: memory is short\n", stderr);
    if (r->tap && want_list(r, slice_from(arguments.records)))
        status = run(r, argv + arguments.files);
    tap_free(r->tap);
    buf_free(&r->line);
    tap_config_free(&config);
    free(r);
    return status;
}
