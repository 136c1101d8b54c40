/* SPDX-License-Identifier: MIT */
#include "collector/commands/erase.h"

#include "collector/base/random.h"
#include "collector/commands/options.h"
#include "collector/commands/privacy_config.h"
#include "collector/commands/tap_config.h"
#include "collector/outbox/outbox_guest.h"
#include "collector/outbox/outbox_schema.h"
#include "collector/sinks/eraser.h"
#include "collector/sinks/history_rows.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_SIZE SQLITE_FILE_ERROR_SIZE

struct erase {
    const char *config_path;
    const char *numbers[ERASURE_NUMBERS_MAX];
    size_t numbers_n;
    struct config *config;
    const char *history, *outbox; /* paths; outbox: NULL when there is no such file */
    struct erasure *erasure;
    uint64_t rows;
    const char *of; /* which file's tables are told of */
};

static bool fail(const char *error)
{
    fprintf(stderr, "amitap: erase: %s\n", error);
    return false;
}

static bool load_config(struct erase *e)
{
    e->config = tap_config_file(e->config_path);
    if (!e->config)
        return false;
    e->history = config_text(config_section(e->config, CONFIG_STORE), CONFIG_STORE_PATH);
    e->outbox = config_outbox_path(e->config);
    if (access(e->outbox, F_OK) != 0 && errno == ENOENT)
        e->outbox = NULL;
    return true;
}

static bool make_erasure(struct erase *e)
{
    unsigned char key[ERASURE_KEY_N];
    if (!random_key(key, sizeof(key)))
        return fail("the system gives no random bytes for a key");
    e->erasure = erasure_new(key);
    explicit_bzero(key, sizeof(key));
    for (size_t i = 0; e->erasure && i < e->numbers_n; i++) {
        if (erasure_add(e->erasure, slice_from(e->numbers[i])))
            continue;
        fprintf(stderr, "amitap: erase: '%s' is no number of %u digits or more\n", e->numbers[i],
                ERASURE_DIGITS_MIN);
        return false;
    }
    return e->erasure || fail("memory is short");
}

/* What makes the hashes where the configuration names no key; empty without an outbox. */
static bool read_secret(const struct erase *e, char secret[OUTBOX_GUEST_SECRET_SIZE])
{
    struct sqlite_file f = {0};
    char error[ERROR_SIZE];
    secret[0] = 0;
    if (!e->outbox)
        return true;
    if (sqlite_file_open_to_read(&f, e->history, &history_schema, error, sizeof(error)) < 0)
        return fail(error);
    bool good = outbox_guest_attach(&f, e->outbox, error, sizeof(error)) == 0;
    if (good && !outbox_guest_secret(&f, secret)) {
        int rc = sqlite3_errcode(f.db) & SQLITE_FILE_PRIMARY;
        snprintf(error, sizeof(error), "%s: the secret of its hashes cannot be read: %s", e->outbox,
                 rc == SQLITE_OK || rc >= SQLITE_ROW ? "there is none" : sqlite3_errstr(rc));
        good = false;
    }
    sqlite_file_close(&f);
    return good || fail(error);
}

static bool add_mask(struct erase *e, const struct config_section *section, const char *secret)
{
    if (!section)
        return true;
    struct mask mask = privacy_config_mask(section, slice_from(secret));
    bool good = mask.mode == MASK_CLEAR || mask.key_n == 0 || erasure_add_mask(e->erasure, &mask);
    explicit_bzero(&mask, sizeof(mask));
    return good || fail("memory is short");
}

/* Also what stands for the numbers where a sink masks them. */
static bool add_masks(struct erase *e)
{
    char secret[OUTBOX_GUEST_SECRET_SIZE];
    bool good = read_secret(e, secret) &&
                add_mask(e, config_section(e->config, CONFIG_STORE), secret) &&
                add_mask(e, config_section(e->config, CONFIG_KAFKA), secret);
    explicit_bzero(secret, sizeof(secret));
    return good;
}

static void tell(void *ctx, const char *table, uint64_t rows)
{
    struct erase *e = ctx;
    printf("%s %s: %" PRIu64 " rows\n", e->of, table, rows);
    fflush(stdout);
    e->rows += rows;
}

static bool erase_from(struct erase *e, const char *what, const char *path,
                       const struct sqlite_schema *schema)
{
    struct sqlite_file f = {0};
    char error[ERROR_SIZE];
    const struct eraser eraser = {&f, e->erasure, tell, e};
    e->of = what;
    if (sqlite_file_open_beside(&f, path, schema, error, sizeof(error)) < 0)
        return fail(error);
    bool good = eraser_run(&eraser, error, sizeof(error)) == 0 &&
                eraser_compact(&f, error, sizeof(error)) == 0;
    sqlite_file_close(&f);
    return good || fail(error);
}

/* Rows that another key masked hold nothing that this configuration can tell. */
static bool warn_of_other_keys(const struct erase *e)
{
    char secret[OUTBOX_GUEST_SECRET_SIZE], error[ERROR_SIZE];
    struct sqlite_file f = {0};
    if (!read_secret(e, secret))
        return false;
    struct privacy *now =
        privacy_config(config_section(e->config, CONFIG_STORE), slice_from(secret));
    explicit_bzero(secret, sizeof(secret));
    if (!now ||
        sqlite_file_open_to_read(&f, e->history, &history_schema, error, sizeof(error)) < 0) {
        privacy_free(now);
        return fail(now ? error : "memory is short");
    }
    sqlite3_stmt *ask = sqlite_file_prepare(
        &f, "SELECT privacy, count(*) FROM calls WHERE privacy <> ?1 GROUP BY privacy");
    if (ask)
        sqlite3_bind_text(ask, 1, privacy_name(now), -1, SQLITE_STATIC);
    while (ask && sqlite3_step(ask) == SQLITE_ROW)
        fprintf(stderr,
                "amitap: erase: %d calls were masked as '%s', not as the configuration says now: "
                "what stands for the number there was not looked for\n",
                sqlite3_column_int(ask, 1), (const char *)sqlite3_column_text(ask, 0));
    sqlite3_finalize(ask);
    sqlite_file_close(&f);
    privacy_free(now);
    return true;
}

/* The outbox first: its rows are on their way to the history. */
static int erase(struct erase *e)
{
    bool good = load_config(e) && make_erasure(e) && add_masks(e) &&
                (!e->outbox || erase_from(e, "outbox", e->outbox, &outbox_schema)) &&
                erase_from(e, "history", e->history, &history_schema) && warn_of_other_keys(e);
    if (good)
        printf("erased from %" PRIu64 " rows\n", e->rows);
    erasure_free(e->erasure);
    config_free(e->config);
    return good ? 0 : 1;
}

static bool read_arguments(int argc, char **argv, struct erase *e)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"number", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    options_begin();
    for (int c; (c = options_next(argc, argv, ":c:", options)) != -1;) {
        if (c == 'c')
            e->config_path = optarg;
        else if (c == 'n' && e->numbers_n < ERASURE_NUMBERS_MAX)
            e->numbers[e->numbers_n++] = optarg;
        else
            return c == 'n' && options_refuse(argv[0], "--number", optarg, "taken: too many");
    }
    return options_end(argc, argv) && options_need(argv[0], "-c FILE", e->config_path) &&
           options_need(argv[0], "--number N", e->numbers_n);
}

int erase_command(int argc, char **argv)
{
    struct erase e = {0};
    if (read_arguments(argc, argv, &e))
        return erase(&e);
    fprintf(stderr, "usage: amitap erase -c FILE --number N [--number N…], %u at most\n",
            ERASURE_NUMBERS_MAX);
    return 2;
}
