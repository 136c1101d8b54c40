/* SPDX-License-Identifier: MIT */
#include "collector/commands/import.h"

#include "collector/commands/import_fact.h"
#include "collector/commands/truth_load.h"
#include "collector/commands/truth_match.h"
#include "collector/outbox/outbox_guest.h"
#include "collector/sinks/history_rows.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* So many rows a transaction: a running amitap waits no longer than for these. */
#define BATCH          256
#define JSON_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct import {
    struct truth truth;
    struct history_rows *rows;
    sqlite3_stmt *want, *remove, *publish; /* publish: NULL without Kafka */
    struct fact_builder fact;
    struct buf json;
    struct privacy *kafka_privacy;
    uint64_t imported[TRUTH_KINDS], replaced[TRUTH_KINDS], refused;
};

/* Rows that the history lacks, and those that it has only concluded; observed ones stay. */
static bool want(void *ctx, const struct truth_result *r)
{
    struct import *im = ctx;
    const struct truth_options *o = im->truth.options;
    bool asked = o->from || o->to || r->gap;
    bool lacks = r->verdict == TRUTH_MISSING;
    bool inferred = r->verdict == TRUTH_DIFFERS && r->ours->inferred;
    if (!asked || (!lacks && !inferred))
        return true;
    sqlite3_bind_int(im->want, 1, (int)r->kind);
    sqlite3_bind_int64(im->want, 2, r->theirs->number);
    if (inferred)
        sqlite3_bind_text64(im->want, 3, r->ours->id.p, r->ours->id.n, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(im->want, 3);
    return sqlite_file_run(im->want) == SQLITE_OK || truth_fail(&im->truth);
}

/* What an import that broke off published came to the history by the outbox, and has not taken the
 * place of the inferred row yet. */
static bool finish_last(struct import *im)
{
    return truth_run(&im->truth, "DELETE FROM cdr WHERE inferred = 1 AND ce_id IN "
                                 "(SELECT body ->> 'replaces' FROM cdr WHERE imported = 1)");
}

static bool prepare_wanted(struct import *im)
{
    if (!truth_run(&im->truth, "CREATE TEMP TABLE wanted (kind INTEGER, n INTEGER, replaces TEXT, "
                               "PRIMARY KEY (kind, n)) WITHOUT ROWID"))
        return false;
    im->want = sqlite_file_prepare(&im->truth.file, "INSERT INTO wanted VALUES (?1, ?2, ?3)");
    return im->want || truth_fail(&im->truth);
}

static bool prepare_kafka(struct import *im)
{
    struct truth *t = &im->truth;
    const struct config_section *kafka = config_section(t->config, CONFIG_KAFKA);
    if (!kafka)
        return true;
    im->kafka_privacy = truth_privacy(t, kafka);
    if (!im->kafka_privacy)
        return false;
    im->publish = outbox_guest_prepare(&t->file, privacy_name(im->kafka_privacy));
    return im->publish || truth_fail(t);
}

static bool prepare_writes(struct import *im)
{
    struct truth *t = &im->truth;
    char error[SQLITE_FILE_ERROR_SIZE];
    im->rows = history_rows_new(&t->file, t->path, error, sizeof(error));
    if (!im->rows) {
        fprintf(stderr, "amitap: import: %s\n", error);
        return false;
    }
    im->remove = sqlite_file_prepare(&t->file, "DELETE FROM cdr WHERE ce_id = ?1 AND inferred = 1");
    return (im->remove || truth_fail(t)) && prepare_kafka(im);
}

/* The inferred row gives way. */
static int remove_replaced(struct import *im, enum truth_kind kind, struct slice id)
{
    if (!id.p)
        return SQLITE_OK;
    sqlite3_bind_text64(im->remove, 1, id.p, id.n, SQLITE_STATIC, SQLITE_UTF8);
    int rc = sqlite_file_run(im->remove);
    im->replaced[kind] += (uint64_t)sqlite3_changes(im->truth.file.db);
    return rc;
}

/* The fact under a policy as a row; its texts live until the next one. False when nothing may be
 * written of it. */
static bool render(struct import *im, struct privacy *privacy, struct outbox_row *ret_row)
{
    struct slice fact = privacy_mask(privacy, fact_finish(&im->fact));
    *ret_row = (struct outbox_row){.policy = slice_from(privacy_name(privacy))};
    if (!fact.n || !fact_read_head(fact, &ret_row->head))
        return false;
    buf_clear(&im->json);
    struct json_out json = json_out_to(&im->json);
    fact_json(fact, &json);
    ret_row->kind_name = slice_from(fact_kind_info(ret_row->head.kind)->kind);
    ret_row->body = buf_slice(&im->json);
    return !im->json.failed;
}

static int publish(struct import *im)
{
    struct outbox_row row;
    if (!im->publish)
        return SQLITE_OK;
    return render(im, im->kafka_privacy, &row) ? outbox_guest_put(im->publish, &row)
                                               : SQLITE_TOOBIG;
}

/* One row, into the open transaction. */
static int put(struct import *im, enum truth_kind kind, sqlite3_stmt *from)
{
    struct outbox_row row;
    bool refused = false;
    import_fact_build(&im->fact, &im->truth, kind, from);
    if (!render(im, im->truth.privacy, &row))
        return SQLITE_TOOBIG;
    int rc = history_rows_insert(im->rows, &row, &refused);
    bool is_new = rc == SQLITE_OK && !refused && sqlite3_changes(im->truth.file.db) > 0;
    im->refused += refused;
    im->imported[kind] += is_new;
    if (rc == SQLITE_OK && !refused)
        rc = remove_replaced(im, kind, import_fact_replaces(from));
    return rc == SQLITE_OK && is_new ? publish(im) : rc;
}

/* A transaction of rows. False when it failed: the history is as before it, and so is the outbox,
 * unless it was the history's commit that failed, behind the outbox's. Then the next import puts
 * the same rows, with the same ids, into both. */
static bool put_batch(struct import *im, enum truth_kind kind, sqlite3_stmt *rows, bool *ret_more)
{
    int rc = SQLITE_OK, step;
    struct truth *t = &im->truth;
    *ret_more = false;
    if (!truth_run(t, "BEGIN IMMEDIATE"))
        return false;
    for (int i = 0; i < BATCH && rc == SQLITE_OK; i++) {
        step = sqlite3_step(rows);
        if (step != SQLITE_ROW) {
            rc = step == SQLITE_DONE ? SQLITE_OK : step;
            break;
        }
        *ret_more = i + 1 == BATCH;
        rc = put(im, kind, rows);
    }
    if (rc == SQLITE_OK && truth_run(t, "COMMIT"))
        return true;
    if (rc != SQLITE_OK)
        truth_fail(t);
    sqlite_file_rollback(&t->file);
    return false;
}

static bool put_all(struct import *im, enum truth_kind kind)
{
    sqlite3_stmt *rows = import_fact_rows(&im->truth, kind);
    bool more = rows != NULL;
    bool good = more;
    while (good && more)
        good = put_batch(im, kind, rows, &more);
    sqlite3_finalize(rows);
    return good;
}

static bool import(struct import *im)
{
    struct truth *t = &im->truth;
    bool good = finish_last(im) && prepare_wanted(im);
    if (good && t->options->files[TRUTH_CDR] && !truth_has_uniqueids(t)) {
        fprintf(stderr, "amitap: import: %s has no uniqueids (loguniqueid in cdr.conf)\n",
                t->options->files[TRUTH_CDR]);
        return false;
    }
    for (int kind = 0; good && kind < TRUTH_KINDS; kind++)
        good = !t->options->files[kind] || truth_match(t, (enum truth_kind)kind, want, im);
    good = good && prepare_writes(im);
    for (int kind = 0; good && kind < TRUTH_KINDS; kind++)
        good = !t->options->files[kind] || put_all(im, (enum truth_kind)kind);
    return good;
}

static void print(const struct import *im)
{
    static const char *const words[] = {"cdr", "queue_log"};
    for (int kind = 0; kind < TRUTH_KINDS; kind++) {
        if (im->truth.options->files[kind])
            printf("%s: %" PRIu64 " rows imported, %" PRIu64 " of them for inferred ones\n",
                   words[kind], im->imported[kind], im->replaced[kind]);
    }
    if (im->refused)
        printf("%" PRIu64 " rows were refused: see table dead_letters\n", im->refused);
    if (im->publish)
        puts("A running amitap publishes them to Kafka now, else the next one that is started.");
}

int import_command(int argc, char **argv)
{
    struct truth_options options;
    if (!truth_arguments(argc, argv, &options))
        return 2;
    struct import *im = calloc(1, sizeof(*im));
    if (!im)
        return EXIT_FAILURE;
    options.write = true;
    im->fact = fact_builder_new();
    im->json = buf_new(JSON_BYTES_MAX);
    bool good = truth_open(&im->truth, &options) && import(im);
    if (good)
        print(im);
    sqlite3_finalize(im->want);
    sqlite3_finalize(im->remove);
    sqlite3_finalize(im->publish);
    history_rows_free(im->rows);
    privacy_free(im->kafka_privacy);
    truth_close(&im->truth);
    fact_builder_free(&im->fact);
    buf_free(&im->json);
    free(im);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
