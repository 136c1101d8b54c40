/* SPDX-License-Identifier: MIT */
#include "collector/commands/backup.h"

#include "collector/commands/options.h"
#include "collector/commands/tap_config.h"
#include "collector/outbox/outbox_schema.h"
#include "collector/outbox/sqlite_copy.h"
#include "collector/sinks/history_rows.h"
#include <stdio.h>
#include <unistd.h>

struct backup {
    const char *config_path, *history_to, *outbox_to;
    struct config *config;
};

/* Whoever waits before a terminal sees how far it is. */
static void show_progress(void *ctx, int done, int all)
{
    const char *to = ctx;
    if (isatty(STDERR_FILENO) && all > 0)
        fprintf(stderr, "\r%s: %d %%%s", to, (int)(100LL * done / all), done == all ? "\n" : "");
}

static bool copy(const char *from, const struct sqlite_schema *schema, const char *to)
{
    char error[SQLITE_FILE_ERROR_SIZE];
    const struct sqlite_copy what = {from, schema, to, show_progress, (void *)to};
    if (sqlite_copy_run(&what, error, sizeof(error)) == 0) {
        printf("%s: copied to %s\n", from, to);
        return true;
    }
    fprintf(stderr, "amitap: backup: %s\n", error);
    return false;
}

/* The outbox first: what it has sent since is in the history, so that nothing lies between the two;
 * facts that lie in both are one by their ids. */
static int backup(struct backup *b)
{
    b->config = tap_config_file(b->config_path);
    if (!b->config)
        return 1;
    const struct config_section *store = config_section(b->config, CONFIG_STORE);
    bool good =
        (!b->outbox_to || copy(config_outbox_path(b->config), &outbox_schema, b->outbox_to)) &&
        (!b->history_to ||
         copy(config_text(store, CONFIG_STORE_PATH), &history_schema, b->history_to));
    config_free(b->config);
    return good ? 0 : 1;
}

static bool read_arguments(int argc, char **argv, struct backup *b)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"outbox", required_argument, NULL, 'x'},
                                            {NULL, 0, NULL, 0}};
    options_begin();
    for (int c; (c = options_next(argc, argv, ":c:o:", options)) != -1;) {
        if (c == 'c')
            b->config_path = optarg;
        else if (c == 'o')
            b->history_to = optarg;
        else if (c == 'x')
            b->outbox_to = optarg;
        else
            return false;
    }
    return options_end(argc, argv) && options_need(argv[0], "-c FILE", b->config_path) &&
           options_need(argv[0], "-o OUT", b->history_to || b->outbox_to);
}

int backup_command(int argc, char **argv)
{
    struct backup b = {0};
    if (read_arguments(argc, argv, &b))
        return backup(&b);
    fputs("usage: amitap backup -c FILE -o OUT [--outbox OUT]\n", stderr);
    return 2;
}
