/* SPDX-License-Identifier: MIT */
#include "collector/commands/figures_command.h"

#include "collector/base/clock.h"
#include "collector/commands/figures_print.h"
#include "collector/commands/figures_time.h"
#include "collector/commands/options.h"
#include "collector/commands/tap_config.h"
#include "collector/outbox/sqlite_file.h"
#include "collector/view/day.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As the tap's own, where nothing else is asked for. */
#define SHORT_ABANDON 5000000

struct arguments {
    const char *config;
    const char *from, *to, *zone;
    enum figures_every every;
    bool json;
    struct figures_query query;
};

static bool refuse(const char *option, const char *value, const char *wanted)
{
    return options_refuse("figures", option, value, wanted);
}

static bool read_seconds(const char *option, const char *text, int64_t *ret_us)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0 && seconds <= 1e6))
        return refuse(option, text, "a number of seconds");
    *ret_us = (int64_t)(seconds * 1e6 + 0.5);
    return true;
}

/* One option of the command line; false after a line, or when it is none. */
static bool take_option(struct arguments *a, int option)
{
    switch (option) {
    case 'c':
        a->config = optarg;
        return true;
    case 'p':
        a->query.pbx = optarg;
        return true;
    case 'q':
        a->query.queue = optarg;
        return true;
    case 'a':
        a->query.agents = true;
        return true;
    case 'f':
        a->from = optarg;
        return true;
    case 't':
        a->to = optarg;
        return true;
    case 'z':
        a->zone = optarg;
        return true;
    case 'j':
        a->json = true;
        return true;
    case 'e':
        return figures_every_read(optarg, &a->every) ||
               refuse("--every", optarg, "15m, 30m, 1h or day");
    case 'T':
        return read_seconds("--threshold", optarg, &a->query.threshold);
    case 's':
        return read_seconds("--short", optarg, &a->query.short_abandon);
    default:
        return false;
    }
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"pbx", required_argument, NULL, 'p'},
                                            {"queue", required_argument, NULL, 'q'},
                                            {"agent", no_argument, NULL, 'a'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"every", required_argument, NULL, 'e'},
                                            {"zone", required_argument, NULL, 'z'},
                                            {"threshold", required_argument, NULL, 'T'},
                                            {"short", required_argument, NULL, 's'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    bool good = true;
    options_begin();
    for (int option; good && (option = options_next(argc, argv, ":c:", options)) != -1;)
        good = take_option(a, option);
    if (good && options_end(argc, argv) && options_need(argv[0], "-c FILE", a->config))
        return true;
    fputs("usage: amitap figures -c FILE [--pbx NAME] [--queue Q] [--agent] [--from T] [--to T]\n"
          "       [--every 15m|30m|1h|day] [--zone ZONE] [--threshold SECONDS] [--short SECONDS]\n"
          "       [--json]\n",
          stderr);
    return false;
}

/* From today's midnight until now, unless something else is asked for. */
static bool read_span(const struct arguments *a, int64_t *ret_from, int64_t *ret_to)
{
    struct clock clock = clock_system();
    int64_t now = clock_now(&clock);
    static const char form[] = "a time: 2026-03-29, 2026-03-29T09:30 or RFC 3339";
    if (a->zone && !figures_time_zone(a->zone))
        return refuse("--zone", a->zone, "a zone of this machine's zone database");
    *ret_from = day_start(now);
    *ret_to = now;
    if (a->from && !figures_time_read(a->from, ret_from))
        return refuse("--from", a->from, form);
    if (a->to && !figures_time_read(a->to, ret_to))
        return refuse("--to", a->to, form);
    if (*ret_from < *ret_to)
        return true;
    fputs("amitap: figures: --from is not before --to\n", stderr);
    return false;
}

static bool print(const struct figures_query *query, bool json)
{
    char error[SQLITE_FILE_ERROR_SIZE];
    struct figures_print printer = figures_print_to(stdout, json, query->windows);
    bool good = figures_read(query, figures_print_row, &printer, error, sizeof(error)) == 0;
    figures_print_end(&printer);
    if (!good)
        fprintf(stderr, "amitap: figures: %s\n", error);
    if (good && fflush(stdout) != 0) {
        fprintf(stderr, "amitap: figures: standard output: %s\n", strerror(errno));
        good = false;
    }
    return good;
}

static int run(struct arguments *a, int64_t from, int64_t to)
{
    struct config *config = tap_config_file(a->config);
    if (!config)
        return EXIT_FAILURE;
    struct figures_window *windows = figures_windows(from, to, a->every, &a->query.window_count);
    a->query.path = config_text(config_section(config, CONFIG_STORE), CONFIG_STORE_PATH);
    a->query.windows = windows;
    bool good = windows && print(&a->query, a->json);
    if (!windows)
        fputs("amitap: figures: too many windows; ask for a shorter time or longer ones\n", stderr);
    free(windows);
    config_free(config);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int figures_command(int argc, char **argv)
{
    struct arguments a = {.query = {.threshold = -1, .short_abandon = SHORT_ABANDON}};
    int64_t from, to;
    if (!read_arguments(argc, argv, &a) || !read_span(&a, &from, &to))
        return 2;
    return run(&a, from, to);
}
