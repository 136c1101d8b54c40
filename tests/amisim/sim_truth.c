/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_truth.h"
#include "tests/amisim/sim_frame.h"

#include <stdlib.h>

#define FIELDS_MAX      24u
#define CDR_DISPOSITION 13u
#define CEL_EVENT       0u
#define VISITS_MAX      1024u

/* One row of CSV: fields without their outer quotes, doubled quotes left as they are. A quoted
 * field may hold line ends. Returns how many there were; 0 at the end. */
static size_t csv_row(struct slice *rest, struct slice fields[FIELDS_MAX])
{
    size_t count = 0, i = 0, start = 0;
    bool quoted = false;
    for (; i < rest->n && (quoted || rest->p[i] != '\n'); i++) {
        quoted ^= rest->p[i] == '"';
        if (quoted || rest->p[i] != ',')
            continue;
        if (count < FIELDS_MAX)
            fields[count++] = (struct slice){rest->p + start, i - start};
        start = i + 1;
    }
    if (i > start && count < FIELDS_MAX)
        fields[count++] = (struct slice){rest->p + start, i - start};
    *rest = slice_from_offset(*rest, i + 1);
    for (size_t f = 0; f < count; f++)
        if (fields[f].n >= 2 && fields[f].p[0] == '"')
            fields[f] = (struct slice){fields[f].p + 1, fields[f].n - 2};
    return count;
}

void sim_truth_cdr(struct sim_truth_counts *c, struct slice csv)
{
    struct slice fields[FIELDS_MAX];
    while (csv.n) {
        if (csv_row(&csv, fields) <= CDR_DISPOSITION)
            continue;
        struct slice word = fields[CDR_DISPOSITION];
        c->cdr_rows++;
        c->answered += slice_is(word, "ANSWERED");
        c->no_answer += slice_is(word, "NO ANSWER");
        c->busy += slice_is(word, "BUSY");
        c->failed += slice_is(word, "FAILED");
        c->congestion += slice_is(word, "CONGESTION");
    }
}

void sim_truth_cel(struct sim_truth_counts *c, struct slice csv)
{
    struct slice fields[FIELDS_MAX];
    while (csv.n)
        if (csv_row(&csv, fields) > CEL_EVENT)
            c->calls += slice_is(fields[CEL_EVENT], "LINKEDID_END");
}

static struct sim_truth_queue *queue_of(struct sim_truth_counts *c, struct slice name)
{
    struct sim_truth_queue *q = NULL;
    name = slice_head(name, SIM_ID_SIZE - 1);
    HASH_FIND(hh, c->queues, name.p, (unsigned)name.n, q);
    if (q)
        return q;
    q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    sim_model_copy(q->name, sizeof(q->name), name);
    HASH_ADD(hh, c->queues, name, (unsigned)name.n, q);
    return q;
}

struct visit {
    struct slice uniqueid;
    bool connected;
};

/* Where the outcome of a visit's last line is counted; NULL for any other line. */
static uint64_t *outcome_of(struct sim_truth_queue *q, const struct visit *v, struct slice event)
{
    if (slice_is(event, "ABANDON"))
        return &q->abandoned;
    if (slice_is(event, "EXITWITHTIMEOUT"))
        return &q->timeout;
    if (slice_is(event, "EXITEMPTY"))
        return &q->leave_empty;
    if (slice_is(event, "EXITWITHKEY"))
        return &q->exit_key;
    if (slice_is(event, "WITHDRAW"))
        return &q->withdrawn;
    bool over = slice_is(event, "COMPLETECALLER") || slice_is(event, "COMPLETEAGENT") ||
                slice_is(event, "BLINDTRANSFER") || slice_is(event, "ATTENDEDTRANSFER");
    return over && v->connected ? &q->answered : NULL;
}

struct fold {
    struct sim_truth_counts *counts;
    struct visit open[VISITS_MAX];
    size_t count;
};

static void fold_line(struct fold *f, const struct slice part[5])
{
    struct sim_truth_queue *q = queue_of(f->counts, part[2]);
    size_t i = 0;
    while (i < f->count && !slice_equal(f->open[i].uniqueid, part[1]))
        i++;
    if (!q)
        return;
    if (slice_is(part[4], "ENTERQUEUE")) {
        q->entered++;
        if (i == f->count && f->count < VISITS_MAX)
            f->count++;
        if (i < f->count)
            f->open[i] = (struct visit){.uniqueid = part[1]};
        return;
    }
    if (i == f->count)
        return;
    f->open[i].connected |= slice_is(part[4], "CONNECT");
    uint64_t *outcome = outcome_of(q, &f->open[i], part[4]);
    if (!outcome)
        return;
    (*outcome)++;
    f->open[i] = f->open[--f->count];
}

void sim_truth_queue_log(struct sim_truth_counts *c, struct slice log)
{
    struct fold fold = {.counts = c};
    struct slice line;
    while (sim_frame_line(&log, &line)) {
        struct slice part[5];
        size_t n = 0;
        while (n < 5 && line.n) {
            const char *bar = memchr(line.p, '|', line.n);
            part[n] = slice_head(line, bar ? (size_t)(bar - line.p) : line.n);
            line = slice_from_offset(line, part[n++].n + 1);
        }
        if (n < 5 || slice_is(part[4], "QUEUESTART") || slice_is(part[4], "CONFIGRELOAD"))
            continue;
        c->queue_log_lines++;
        fold_line(&fold, part);
    }
}

static void queue_write(const struct sim_truth_queue *q, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_string(j, "queue", slice_from(q->name));
    json_out_int(j, "entered", (int64_t)q->entered);
    json_out_int(j, "answered", (int64_t)q->answered);
    json_out_int(j, "abandoned", (int64_t)q->abandoned);
    json_out_int(j, "timeout", (int64_t)q->timeout);
    json_out_int(j, "leave_empty", (int64_t)q->leave_empty);
    json_out_int(j, "exit_key", (int64_t)q->exit_key);
    json_out_int(j, "withdrawn", (int64_t)q->withdrawn);
    json_out_close(j, '}');
}

void sim_truth_write(const struct sim_truth_counts *c, struct json_out *j)
{
    json_out_object(j, "truth");
    json_out_int(j, "calls", (int64_t)c->calls);
    json_out_int(j, "cdr_rows", (int64_t)c->cdr_rows);
    json_out_object(j, "cdr_dispositions");
    json_out_int(j, "ANSWERED", (int64_t)c->answered);
    json_out_int(j, "NO ANSWER", (int64_t)c->no_answer);
    json_out_int(j, "BUSY", (int64_t)c->busy);
    json_out_int(j, "FAILED", (int64_t)c->failed);
    json_out_int(j, "CONGESTION", (int64_t)c->congestion);
    json_out_close(j, '}');
    json_out_int(j, "queue_log_lines", (int64_t)c->queue_log_lines);
    json_out_array(j, "queues");
    for (const struct sim_truth_queue *q = c->queues; q; q = q->hh.next)
        queue_write(q, j);
    json_out_close(j, ']');
    json_out_close(j, '}');
}

void sim_truth_clear(struct sim_truth_counts *c)
{
    struct sim_truth_queue *q, *next;
    HASH_ITER(hh, c->queues, q, next)
    {
        HASH_DEL(c->queues, q);
        free(q);
    }
}
