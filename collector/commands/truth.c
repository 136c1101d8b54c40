/* SPDX-License-Identifier: MIT */
#include "collector/commands/truth.h"

#include "collector/base/rfc3339.h"
#include "collector/commands/figures_time.h"
#include "collector/commands/options.h"
#include "collector/commands/privacy_config.h"
#include "collector/commands/tap_config.h"
#include "collector/commands/truth_load.h"
#include "collector/outbox/outbox_guest.h"
#include "collector/sinks/history_rows.h"
#include <stdio.h>
#include <stdlib.h>

#define GAPS_MAX 100000u

static bool refuse(const struct truth_options *o, const char *option, const char *value,
                   const char *wanted)
{
    return options_refuse(o->command, option, value, wanted);
}

static bool take_option(struct truth_options *o, int option)
{
    switch (option) {
    case 'c':
        o->config = optarg;
        return true;
    case 'p':
        o->pbx = optarg;
        return true;
    case 'r':
        o->files[TRUTH_CDR] = optarg;
        return true;
    case 'q':
        o->files[TRUTH_QUEUE_LOG] = optarg;
        return true;
    case 'l':
        o->columns = optarg;
        return true;
    case 'f':
        o->from = optarg;
        return true;
    case 't':
        o->to = optarg;
        return true;
    case 'z':
        o->zone = optarg;
        return true;
    case 's': {
        char *end;
        o->show = strtol(optarg, &end, 10);
        return (*optarg && !*end && o->show >= 0) || refuse(o, "--show", optarg, "a number");
    }
    default:
        return false;
    }
}

bool truth_arguments(int argc, char **argv, struct truth_options *ret_options)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},      {"pbx", required_argument, NULL, 'p'},
        {"cdr", required_argument, NULL, 'r'},         {"queue-log", required_argument, NULL, 'q'},
        {"cdr-columns", required_argument, NULL, 'l'}, {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},          {"zone", required_argument, NULL, 'z'},
        {"show", required_argument, NULL, 's'},        {NULL, 0, NULL, 0}};
    int option;
    *ret_options = (struct truth_options){.show = 50, .command = argv[0]};
    bool good = true;
    options_begin();
    while (good && (option = options_next(argc, argv, ":c:", options)) != -1)
        good = take_option(ret_options, option);
    if (good && options_end(argc, argv) && options_need(argv[0], "-c FILE", ret_options->config) &&
        options_need(argv[0], "--cdr FILE or --queue-log FILE",
                     ret_options->files[TRUTH_CDR] || ret_options->files[TRUTH_QUEUE_LOG]))
        return true;
    fprintf(stderr,
            "usage: amitap %s -c FILE [--cdr FILE] [--queue-log FILE] [--pbx NAME] [--from T]\n"
            "       [--to T] [--zone ZONE] [--cdr-columns NAME,NAME…] [--show N]\n",
            argv[0]);
    return false;
}

bool truth_fail(const struct truth *t)
{
    fprintf(stderr, "amitap: %s: %s: %s\n", t->options->command, t->path,
            sqlite3_errmsg(t->file.db));
    return false;
}

bool truth_run(struct truth *t, const char *sql)
{
    return sqlite3_exec(t->file.db, sql, NULL, NULL, NULL) == SQLITE_OK || truth_fail(t);
}

static void bind_time(sqlite3_stmt *s, int at, int64_t us)
{
    char text[TIME_TEXT_SIZE];
    time_text(us, text);
    sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

sqlite3_stmt *truth_prepare(struct truth *t, const char *sql, int64_t from, int64_t to)
{
    sqlite3_stmt *s = sqlite_file_prepare(&t->file, sql);
    if (!s) {
        truth_fail(t);
        return NULL;
    }
    sqlite3_bind_text(s, 1, config_section_name(t->section), -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(s) >= 3) {
        bind_time(s, 2, from);
        bind_time(s, 3, to);
    }
    return s;
}

/* A single time that a statement gives, as text or microseconds; 0: none. */
static int64_t ask_time(struct truth *t, const char *sql)
{
    sqlite3_stmt *ask = truth_prepare(t, sql, 0, 0);
    int64_t us = 0;
    if (ask && sqlite3_step(ask) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(ask, 0);
        if (sqlite3_column_type(ask, 0) == SQLITE_INTEGER)
            us = sqlite3_column_int64(ask, 0);
        else if (text)
            rfc3339_read(slice_from(text), &us);
    }
    sqlite3_finalize(ask);
    return us;
}

/* Where the history begins and ends. Events come before the rows that they lead to. */
static int64_t history_edge(struct truth *t, bool last)
{
    int64_t us = ask_time(t, last ? "SELECT max(ce_time) FROM call_events WHERE pbx = ?1"
                                  : "SELECT min(ce_time) FROM call_events WHERE pbx = ?1");
    return us ? us
              : ask_time(
                    t, last ? "SELECT max(\"end\") FROM cdr WHERE pbx = ?1"
                            : "SELECT min(\"start\") FROM cdr WHERE pbx = ?1 AND imported IS NULL");
}

/* The last second of which a file has rows. */
static int64_t file_edge(struct truth *t, bool last)
{
    static const char *const tables[] = {"truth_cdr", "truth_queue_log"};
    int64_t edge = 0;
    for (int kind = 0; kind < TRUTH_KINDS; kind++) {
        char sql[96];
        if (!t->options->files[kind])
            continue;
        snprintf(sql, sizeof(sql), "SELECT %s(end_us) FROM %s WHERE ?1 NOTNULL",
                 last ? "max" : "min", tables[kind]);
        int64_t us = ask_time(t, sql);
        if (us && (!edge || (last ? us > edge : us < edge)))
            edge = us;
    }
    return edge;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Unless said otherwise: where both the files and the history have something. */
static bool find_stretch(struct truth *t)
{
    const struct truth_options *o = t->options;
    int64_t begin = history_edge(t, false), end = history_edge(t, true);
    t->from = later(begin, file_edge(t, false));
    t->to = file_edge(t, true);
    t->followed_from = begin;
    if (end && end < t->to)
        t->to = end;
    if (o->from && !figures_time_read(o->from, &t->from))
        return refuse(o, "--from", o->from, "a time: 2026-03-29, 2026-03-29T09:30 or RFC 3339");
    if (o->to && !figures_time_read(o->to, &t->to))
        return refuse(o, "--to", o->to, "a time: 2026-03-29, 2026-03-29T09:30 or RFC 3339");
    if (o->from)
        t->followed_from = 0;
    if (t->from && t->from <= t->to)
        return true;
    fprintf(stderr,
            "amitap: %s: the files and the history have no time in common; --from and "
            "--to say which is meant\n",
            o->command);
    return false;
}

/* Gaps in which nothing was seen; one that only Kafka has is none of the history's. */
static bool load_gaps(struct truth *t)
{
    sqlite3_stmt *ask = truth_prepare(
        t, "SELECT \"from\", \"to\" FROM gaps WHERE pbx = ?1 AND reason <> 'kafka_backlog'", 0, 0);
    int rc = SQLITE_ERROR;
    t->gaps = calloc(GAPS_MAX, sizeof(*t->gaps));
    while (ask && t->gaps && (rc = sqlite3_step(ask)) == SQLITE_ROW && t->gap_count < GAPS_MAX) {
        struct truth_gap *gap = &t->gaps[t->gap_count];
        gap->from = 0;
        rfc3339_read(slice_from((const char *)sqlite3_column_text(ask, 0)), &gap->from);
        t->gap_count +=
            rfc3339_read(slice_from((const char *)sqlite3_column_text(ask, 1)), &gap->to);
    }
    sqlite3_finalize(ask);
    return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* By how much the clocks of the PBX and of this machine may be apart. */
#define GAP_SLACK 2000000

bool truth_in_gap(const struct truth *t, int64_t from, int64_t to)
{
    for (size_t i = 0; i < t->gap_count; i++) {
        if (from <= t->gaps[i].to + GAP_SLACK && to >= t->gaps[i].from - GAP_SLACK)
            return true;
    }
    return false;
}

static bool is_masked(const struct config_section *s)
{
    return s && config_privacy(s).mode != CONFIG_PRIVACY_CLEAR;
}

struct privacy *truth_privacy(struct truth *t, const struct config_section *section)
{
    char secret[OUTBOX_GUEST_SECRET_SIZE] = "";
    if (is_masked(section) && !outbox_guest_secret(&t->file, secret)) {
        truth_fail(t);
        return NULL;
    }
    struct privacy *p = privacy_config(section, secret[0] ? slice_from(secret) : SLICE("none"));
    explicit_bzero(secret, sizeof(secret));
    return p;
}

static bool open_history(struct truth *t, char *error, size_t error_size)
{
    int result =
        t->options->write
            ? sqlite_file_open_beside(&t->file, t->path, &history_schema, error, error_size)
            : sqlite_file_open_to_read(&t->file, t->path, &history_schema, error, error_size);
    t->open = result == 0;
    return t->open;
}

/* For rows that go into both: the outbox is committed first. */
static bool open_both(struct truth *t, const char *outbox, char *error, size_t error_size)
{
    t->open = outbox_guest_open(&t->file, outbox, error, error_size) == 0;
    return t->open && outbox_guest_add(&t->file, t->path, &history_schema, error, error_size) == 0;
}

/* The outbox has the secret that masks, and takes what is to be published. */
static bool open_files(struct truth *t)
{
    char error[SQLITE_FILE_ERROR_SIZE];
    const struct config_section *store = config_section(t->config, CONFIG_STORE);
    const char *outbox = config_outbox_path(t->config);
    bool both = t->options->write && config_section(t->config, CONFIG_KAFKA);
    t->path = config_text(store, CONFIG_STORE_PATH);
    t->outbox = both || is_masked(store);
    bool good =
        both ? open_both(t, outbox, error, sizeof(error)) : open_history(t, error, sizeof(error));
    if (good && t->outbox && !both)
        good = outbox_guest_attach(&t->file, outbox, error, sizeof(error)) == 0;
    if (!good)
        fprintf(stderr, "amitap: %s: %s\n", t->options->command, error);
    else
        t->privacy = truth_privacy(t, store);
    return t->privacy != NULL;
}

bool truth_open(struct truth *t, const struct truth_options *options)
{
    struct tap_config config;
    *t = (struct truth){.options = options};
    if (options->zone && !figures_time_zone(options->zone))
        return refuse(options, "--zone", options->zone, "a zone of this machine's zone database");
    if (!tap_config_load(&config, options->config, options->pbx))
        return false;
    t->config = config.config;
    t->section = config.section;
    if (!open_files(t) || !truth_run(t, "PRAGMA temp_store = FILE"))
        return false;
    for (int kind = 0; kind < TRUTH_KINDS; kind++) {
        if (options->files[kind] && !truth_load(t, (enum truth_kind)kind))
            return false;
    }
    return load_gaps(t) && find_stretch(t);
}

void truth_close(struct truth *t)
{
    if (t->open)
        sqlite_file_close(&t->file);
    privacy_free(t->privacy);
    config_free(t->config);
    free(t->gaps);
}
