/* SPDX-License-Identifier: MIT */
#include "collector/commands/verify.h"

#include "collector/base/json_out.h"
#include "collector/base/printable.h"
#include "collector/commands/truth_match.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct tally {
    const struct truth *truth;
    uint64_t equal, imported, differing, missing, extra, gap, older;
    long shown;
};

static bool may_show(struct tally *t)
{
    return t->shown++ < t->truth->options->show;
}

static void print_value(const char *name, struct slice file, struct slice history)
{
    printf("    %s: file \"", name);
    printable_put(file, stdout);
    fputs("\", history ", stdout);
    if (history.p) {
        putchar('"');
        printable_put(history, stdout);
        puts("\"");
    } else {
        puts("none");
    }
}

static void print_cdr_columns(const struct truth_result *r)
{
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        if (r->columns & CDR_COLUMN_BIT(i))
            print_value(cdr_column_name((enum cdr_column)i), r->theirs->record.text[i],
                        r->ours->record.text[i]);
    }
}

static struct slice time_value(const struct truth_row *row, char text[TIME_TEXT_SIZE])
{
    time_text(row->to, text);
    return slice_from(text);
}

static void print_log_columns(const struct truth_result *r)
{
    char name[32], file[TIME_TEXT_SIZE], history[TIME_TEXT_SIZE];
    if (r->columns & 1u << TRUTH_LOG_TIME)
        print_value("time", time_value(r->theirs, file), time_value(r->ours, history));
    for (unsigned i = TRUTH_LOG_AGENT; i < TRUTH_LOG_COLUMNS; i++) {
        if (r->columns & 1u << i)
            print_value(truth_log_column(i, name), truth_log_value(r->theirs, i),
                        truth_log_value(r->ours, i));
    }
}

static void print_parts(const struct slice *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printable_put(parts[i], stdout);
}

static void print_row(const struct truth_result *r)
{
    static const char *const words[] = {[TRUTH_EQUAL] = "equal",
                                        [TRUTH_DIFFERS] = "differs",
                                        [TRUTH_MISSING] = "missing",
                                        [TRUTH_EXTRA] = "extra"};
    const struct truth_row *row = r->theirs ? r->theirs : r->ours;
    char time[TIME_TEXT_SIZE];
    time_text(row->to, time);
    printf("  %-8s%s %s  ", words[r->verdict], r->gap ? " (in a gap)" : "", time);
    if (r->kind == TRUTH_CDR)
        print_parts((struct slice[]){row->key, SLICE("  "), row->record.text[CDR_COLUMN_CHANNEL]},
                    3);
    else
        print_parts((struct slice[]){row->call, SLICE(" "), row->queue, SLICE(" "), row->event}, 5);
    if (r->theirs)
        printf("  (line %" PRId64 ")", r->theirs->line);
    putchar('\n');
}

static void show(struct tally *t, const struct truth_result *r)
{
    if (!may_show(t))
        return;
    print_row(r);
    if (r->verdict != TRUTH_DIFFERS)
        return;
    if (r->kind == TRUTH_CDR)
        print_cdr_columns(r);
    else
        print_log_columns(r);
}

static bool count(void *ctx, const struct truth_result *r)
{
    struct tally *t = ctx;
    if (r->verdict == TRUTH_EQUAL) {
        t->equal++;
        t->imported += r->ours->imported;
        return true;
    }
    if (r->gap || r->older) {
        t->gap += r->gap;
        t->older += !r->gap;
        return true;
    }
    t->differing += r->verdict == TRUTH_DIFFERS;
    t->missing += r->verdict == TRUTH_MISSING;
    t->extra += r->verdict == TRUTH_EXTRA;
    show(t, r);
    return true;
}

static void print_tally(const struct tally *t, enum truth_kind kind)
{
    static const char *const words[] = {"cdr", "queue_log"};
    const struct truth *truth = t->truth;
    printf("%s: %" PRIu64 " rows in %s\n", words[kind], truth->loaded[kind],
           truth->options->files[kind]);
    if (t->shown > truth->options->show)
        printf("  %ld more are not shown (--show N)\n", t->shown - truth->options->show);
    printf("  %10" PRIu64 " equal, %" PRIu64 " of them imported\n", t->equal, t->imported);
    printf("  %10" PRIu64 " differ\n", t->differing);
    printf("  %10" PRIu64 " missing in the history\n", t->missing);
    printf("  %10" PRIu64 " extra in the history\n", t->extra);
    printf("  %10" PRIu64 " not equal, within gaps\n", t->gap);
    printf("  %10" PRIu64 " not equal, begun before the history\n", t->older);
    if (truth->unreadable[kind])
        printf("  %10" PRIu64 " lines that are no row\n", truth->unreadable[kind]);
}

/* 0: equal, 1: not, 2: a file could not be read. */
static int hold(struct truth *truth)
{
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
    int status = 0;
    time_text(truth->from, from);
    time_text(truth->to, to);
    printf("from %s to %s\n", from, to);
    for (int i = 0; i < TRUTH_KINDS; i++) {
        enum truth_kind kind = (enum truth_kind)i;
        struct tally t = {.truth = truth};
        if (!truth->options->files[kind])
            continue;
        if (!truth_match(truth, kind, count, &t))
            return 2;
        print_tally(&t, kind);
        if (t.differing || t.missing || t.extra || truth->unreadable[kind])
            status = 1;
    }
    return status;
}

int verify_command(int argc, char **argv)
{
    struct truth_options options;
    struct truth truth;
    int status = 2;
    if (!truth_arguments(argc, argv, &options))
        return status;
    if (truth_open(&truth, &options))
        status = hold(&truth);
    truth_close(&truth);
    return status;
}
