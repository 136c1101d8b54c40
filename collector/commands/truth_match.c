/* SPDX-License-Identifier: MIT */
#include "collector/commands/truth_match.h"

#include "collector/base/rfc3339.h"
#include "collector/commands/truth_load.h"
#include "collector/config/config.h"
#include "collector/facts/pairing.h"
#include "parsers/ami_text.h"
#include <stdio.h>
#include <stdlib.h>

#define SECOND 1000000
/* Rows are looked at so far beyond the stretch, so that those at its edges find each other. */
#define MARGIN (5 * SECOND)
/* Lines of one call, queue and event so close together may be meant by each other. */
#define CLOSE (2 * SECOND)
/* Rows of one key that are held against each other; more are told in several lots. */
#define LOT_MAX 2048u

/* One ordered side of the comparison, with the row that comes next. */
struct side {
    sqlite3_stmt *rows;
    struct truth_row *next;
    bool ours, failed;
};

struct lot {
    struct truth_row *row[LOT_MAX];
    size_t count;
};

struct matching {
    struct truth *truth;
    enum truth_kind kind;
    truth_match_fn *fn;
    void *ctx;
    bool rounds;
    struct side ours, theirs;
    struct lot our_lot, their_lot;
    struct fact_builder fact; /* for masking */
    size_t partner_of[LOT_MAX];
    bool taken[LOT_MAX];
};

/* Room for what a mask may add to the texts of a row. */
#define MASKED_BYTES 8192u

/* The columns that a statement gives, in this order. */
enum { GIVES_KEY, GIVES_NUMBER, GIVES_LINE, GIVES_INFERRED, GIVES_IMPORTED, GIVES_ID, GIVES_FIRST };

/* A row with room for copies of the texts of the statement's columns. */
static struct truth_row *row_new(sqlite3_stmt *s, bool masked)
{
    size_t n = masked ? MASKED_BYTES : 0;
    for (int i = 0; i < sqlite3_column_count(s); i++)
        n += sqlite_file_text(s, i).n;
    struct truth_row *row = calloc(1, sizeof(*row) + n);
    if (row)
        row->size = n;
    return row;
}

/* Copies a text into the row, at *used. */
static struct slice keep(struct truth_row *row, size_t *used, struct slice text)
{
    if (!text.p)
        return text;
    char *to = row->bytes + *used;
    memcpy(to, text.p, text.n);
    *used += text.n;
    return (struct slice){to, text.n};
}

static void set_ours(struct cdr_record *r, enum cdr_column column, sqlite3_stmt *s, int at)
{
    unsigned bit = CDR_COLUMN_BIT(column);
    if (sqlite3_column_type(s, at) != SQLITE_NULL || column == CDR_COLUMN_ANSWER)
        r->has |= bit;
    if (bit & CDR_COLUMN_TIMES)
        rfc3339_read(r->text[column], &r->number[column]);
    else if (bit & CDR_COLUMN_SPANS)
        r->number[column] = (int64_t)(sqlite3_column_double(s, at) * SECOND + 0.5);
}

/* Times of ours as the PBX's clock has them, to be compared. */
static void move_to_local(struct cdr_record *r)
{
    static const enum cdr_column times[] = {CDR_COLUMN_START, CDR_COLUMN_ANSWER, CDR_COLUMN_END};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        r->number[times[i]] = truth_time_to_local(r->number[times[i]]);
}

/* A text of the masked fact; what has no room is left as it is. */
static void take_masked(struct truth_row *row, size_t *used, struct slice fact,
                        enum fact_field field, struct slice *text)
{
    struct slice masked = {NULL, 0};
    if (!text->p || !fact_find(fact, field, &masked, NULL) || masked.n > MASKED_BYTES / 2)
        return;
    if (*used + masked.n <= row->size)
        *text = keep(row, used, masked);
}

/* Texts of the file as the history has them under its privacy policy. */
static void mask_cdr(struct matching *m, struct truth_row *row, size_t *used)
{
    struct fact_head head = {.kind = FACT_CDR,
                             .time = row->to,
                             .pbx = SLICE("-"),
                             .subject = row->key,
                             .id = SLICE("-")};
    struct cdr_record *r = &row->record;
    fact_begin(&m->fact, &head);
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        if (r->text[i].p)
            fact_put_string(&m->fact, cdr_column_field((enum cdr_column)i), r->text[i]);
    }
    struct slice fact = privacy_mask(m->truth->privacy, fact_finish(&m->fact));
    for (unsigned i = 0; i < CDR_COLUMNS; i++)
        take_masked(row, used, fact, cdr_column_field((enum cdr_column)i), &r->text[i]);
}

static void mask_line(struct matching *m, struct truth_row *row, size_t *used)
{
    struct fact_head head = {.kind = FACT_QUEUE_LOG,
                             .time = row->to,
                             .pbx = SLICE("-"),
                             .subject = row->call,
                             .id = SLICE("-")};
    struct slice arg;
    fact_begin(&m->fact, &head);
    fact_put_string(&m->fact, FIELD_EVENT, row->event);
    fact_put_string(&m->fact, FIELD_AGENT, row->agent);
    fact_open_array(&m->fact, FIELD_ARGS);
    for (unsigned i = 0; i < TRUTH_LOG_ARGS; i++)
        fact_put_string(&m->fact, FIELD_ARGS, row->args[i]);
    fact_close(&m->fact);
    struct slice fact = privacy_mask(m->truth->privacy, fact_finish(&m->fact));
    take_masked(row, used, fact, FIELD_AGENT, &row->agent);
    for (unsigned i = 0; i < TRUTH_LOG_ARGS; i++) {
        if (fact_find_element(fact, FIELD_ARGS, i, &arg) && *used + arg.n <= row->size)
            row->args[i] = keep(row, used, arg);
    }
}

static void read_cdr(struct truth_row *row, size_t *used, const struct side *side)
{
    struct cdr_record *r = &row->record;
    r->fractions = side->ours ? CDR_COLUMN_SPANS : 0;
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        int at = GIVES_FIRST + (int)i;
        struct slice text = keep(row, used, sqlite_file_text(side->rows, at));
        r->text[i] = text;
        if (side->ours)
            set_ours(r, (enum cdr_column)i, side->rows, at);
        else if (text.p)
            cdr_record_set(r, (enum cdr_column)i, text);
    }
    row->from = r->number[CDR_COLUMN_START];
    row->to = r->number[CDR_COLUMN_END];
    if (side->ours) {
        move_to_local(r);
        return;
    }
    row->from = truth_time_from_local(row->from);
    row->to = truth_time_from_local(row->to);
}

/* The arguments of a line: those of ours stand in JSON and were joined by bars. */
static void read_line(struct truth_row *row, size_t *used, const struct side *side)
{
    struct slice *texts[] = {&row->call, &row->queue, &row->agent, &row->event};
    for (int i = 0; i < 4; i++)
        *texts[i] = keep(row, used, sqlite_file_text(side->rows, GIVES_FIRST + 1 + i));
    struct slice rest = keep(row, used, sqlite_file_text(side->rows, GIVES_FIRST + 5));
    for (unsigned i = 0; i < TRUTH_LOG_ARGS; i++) {
        const char *bar = rest.n ? memchr(rest.p, '|', rest.n) : NULL;
        row->args[i] = slice_head(rest, bar ? (size_t)(bar - rest.p) : rest.n);
        rest = slice_from_offset(rest, row->args[i].n + 1);
    }
    if (side->ours)
        rfc3339_read(sqlite_file_text(side->rows, GIVES_FIRST), &row->to);
    else
        row->to = sqlite3_column_int64(side->rows, GIVES_FIRST);
    row->from = row->to;
}

/* Reads the side's next row, or none. */
static void advance(struct matching *m, struct side *side)
{
    int rc = sqlite3_step(side->rows);
    size_t used = 0;
    side->next = NULL;
    side->failed |= rc != SQLITE_ROW && rc != SQLITE_DONE;
    if (rc != SQLITE_ROW)
        return;
    bool masked = !side->ours && !privacy_is_clear(m->truth->privacy);
    struct truth_row *row = row_new(side->rows, masked);
    side->failed |= !row;
    if (!row)
        return;
    row->key = keep(row, &used, sqlite_file_text(side->rows, GIVES_KEY));
    row->number = sqlite3_column_int64(side->rows, GIVES_NUMBER);
    row->line = sqlite3_column_int64(side->rows, GIVES_LINE);
    row->inferred = sqlite3_column_int(side->rows, GIVES_INFERRED) != 0;
    row->imported = sqlite3_column_int(side->rows, GIVES_IMPORTED) != 0;
    row->id = keep(row, &used, sqlite_file_text(side->rows, GIVES_ID));
    if (m->kind == TRUTH_CDR)
        read_cdr(row, &used, side);
    else
        read_line(row, &used, side);
    if (masked)
        (m->kind == TRUTH_CDR ? mask_cdr : mask_line)(m, row, &used);
    side->next = row;
}

static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.n ? a.p : "", b.n ? b.p : "", a.n < b.n ? a.n : b.n);
    return order ? order : a.n < b.n ? -1 : a.n > b.n;
}

/* Whether a comes before b, in the order of the statements. */
static bool is_before(const struct truth_row *a, const struct truth_row *b)
{
    int order = compare(a->key, b->key);
    return order < 0 || (order == 0 && a->to <= b->to);
}

static struct side *earlier(struct matching *m)
{
    if (!m->ours.next || !m->theirs.next)
        return m->ours.next ? &m->ours : m->theirs.next ? &m->theirs : NULL;
    return is_before(m->ours.next, m->theirs.next) ? &m->ours : &m->theirs;
}

/* Whether the row is to be held against those of the lot that came last. */
static bool belongs(const struct matching *m, const struct truth_row *last,
                    const struct truth_row *row)
{
    if (!last)
        return true;
    return slice_equal(last->key, row->key) &&
           (m->kind == TRUTH_CDR || row->to - last->to <= CLOSE);
}

static void lot_clear(struct lot *lot)
{
    for (size_t i = 0; i < lot->count; i++)
        free(lot->row[i]);
    lot->count = 0;
}

static bool take_lot(struct matching *m)
{
    struct truth_row *last = NULL;
    struct side *side;
    lot_clear(&m->our_lot);
    lot_clear(&m->their_lot);
    while ((side = earlier(m)) && belongs(m, last, side->next)) {
        struct lot *lot = side->ours ? &m->our_lot : &m->their_lot;
        if (lot->count == LOT_MAX)
            break;
        last = lot->row[lot->count++] = side->next;
        advance(m, side);
        if (side->failed)
            return truth_fail(m->truth);
    }
    return true;
}

/* How far numbers in a line may be apart: Asterisk subtracts clocks cut to seconds, and AMI writes
 * an event some milliseconds late. Bit n: argument n. */
struct tolerance {
    const char *event;
    unsigned seconds, milliseconds;
};

static const struct tolerance *tolerance_of(struct slice event)
{
    static const struct tolerance all[] = {
        {"CONNECT", 1 << 0 | 1 << 2, 0},
        {"COMPLETECALLER", 1 << 0 | 1 << 1, 0},
        {"COMPLETEAGENT", 1 << 0 | 1 << 1, 0},
        {"ABANDON", 1 << 2, 0},
        {"EXITWITHTIMEOUT", 1 << 2, 0},
        {"EXITEMPTY", 1 << 2, 0},
        {"EXITWITHKEY", 1 << 3, 0},
        {"BLINDTRANSFER", 1 << 2 | 1 << 3, 0},
        {"ATTENDEDTRANSFER", 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4, 0},
        {"WITHDRAW", 1 << 2, 0},
        {"AGENTLOGOFF", 1 << 1, 0},
        {"RINGNOANSWER", 0, 1 << 0},
        {"RINGCANCELED", 0, 1 << 0},
    };
    static const struct tolerance none = {"", 0, 0};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (slice_is(event, all[i].event))
            return &all[i];
    }
    return &none;
}

static bool same_argument(const struct truth_row *a, const struct truth_row *b, unsigned i)
{
    const struct tolerance *t = tolerance_of(a->event);
    int64_t x, y;
    int64_t allowed = t->seconds & (1u << i) ? 1 : t->milliseconds & (1u << i) ? 100 : 0;
    if (allowed && ami_text_int(a->args[i], &x) && ami_text_int(b->args[i], &y))
        return llabs(x - y) <= allowed;
    return slice_equal(a->args[i], b->args[i]);
}

static unsigned line_differences(const struct truth_row *ours, const struct truth_row *theirs)
{
    unsigned found = 0;
    if (llabs(ours->to / SECOND - theirs->to / SECOND) > 1)
        found |= 1u << TRUTH_LOG_TIME;
    if (!slice_equal(ours->agent, theirs->agent))
        found |= 1u << TRUTH_LOG_AGENT;
    for (unsigned i = 0; i < TRUTH_LOG_ARGS; i++) {
        if (!same_argument(ours, theirs, i))
            found |= 1u << (TRUTH_LOG_ARG + i);
    }
    return found;
}

static unsigned differences(void *ctx, size_t i, size_t j)
{
    struct matching *m = ctx;
    const struct truth_row *ours = m->our_lot.row[i], *theirs = m->their_lot.row[j];
    if (m->kind == TRUTH_CDR)
        return cdr_differences(&ours->record, &theirs->record, m->rounds);
    return line_differences(ours, theirs);
}

/* The whole lot is about something that the tap could not see whole. */
static void judge_sight(struct matching *m, struct truth_result *result)
{
    const struct lot *lots[] = {&m->our_lot, &m->their_lot};
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < lots[l]->count; i++) {
            const struct truth_row *row = lots[l]->row[i];
            result->gap |= row->inferred || truth_in_gap(m->truth, row->from, row->to + SECOND);
            result->older |= row->from < m->truth->followed_from;
        }
    }
}

static bool is_counted(const struct truth *t, const struct truth_row *row)
{
    return row->to >= t->from && row->to <= t->to;
}

static bool tell(struct matching *m, struct truth_result *result)
{
    const struct truth_row *row = result->theirs ? result->theirs : result->ours;
    return !is_counted(m->truth, row) || m->fn(m->ctx, result);
}

static bool tell_ours(struct matching *m, struct truth_result *result, size_t i)
{
    size_t j = m->partner_of[i];
    result->ours = m->our_lot.row[i];
    result->theirs = j == PAIRING_NONE ? NULL : m->their_lot.row[j];
    result->columns = result->theirs ? differences(m, i, j) : 0;
    result->verdict = !result->theirs ? TRUTH_EXTRA : result->columns ? TRUTH_DIFFERS : TRUTH_EQUAL;
    return tell(m, result);
}

static bool judge(struct matching *m)
{
    struct truth_result result = {.kind = m->kind};
    struct pairing p = {m->our_lot.count, m->their_lot.count, m->partner_of, m->taken};
    pairing_make(&p, differences, m);
    judge_sight(m, &result);
    for (size_t i = 0; i < p.ours; i++) {
        if (!tell_ours(m, &result, i))
            return false;
    }
    result.ours = NULL;
    result.columns = 0;
    result.verdict = TRUTH_MISSING;
    for (size_t j = 0; j < p.theirs; j++) {
        result.theirs = m->their_lot.row[j];
        if (!m->taken[j] && !tell(m, &result))
            return false;
    }
    return true;
}

static void put_columns(struct buf *sql)
{
    for (unsigned i = 0; i < CDR_COLUMNS; i++)
        buf_printf(sql, ", \"%s\"", cdr_column_name((enum cdr_column)i));
}

/* Both sides give GIVES_… and then the record, by key, time and order of writing. */
static bool prepare(struct matching *m)
{
    struct truth *t = m->truth;
    struct buf ours = buf_new(8192), theirs = buf_new(8192);
    int64_t from = t->from - MARGIN, to = t->to + MARGIN;
    if (m->kind == TRUTH_CDR) {
        const char *key = truth_has_uniqueids(t) ? "uniqueid" : "channel";
        buf_printf(&ours, "SELECT %s, 0, 0, inferred, imported, ce_id", key);
        put_columns(&ours);
        buf_printf(&ours,
                   " FROM cdr WHERE pbx = ?1 AND \"end\" BETWEEN ?2 AND ?3 "
                   "ORDER BY %s, \"end\", rowid",
                   key);
        buf_printf(&theirs, "SELECT row_key, n, line, 0, 0, NULL");
        put_columns(&theirs);
        buf_printf(&theirs,
                   " FROM truth_cdr WHERE ?1 NOTNULL AND end_us BETWEEN %lld AND %lld "
                   "ORDER BY row_key, end_us, n",
                   (long long)from, (long long)to);
    } else {
        buf_printf(&ours,
                   "SELECT uniqueid || '|' || queue || '||' || event || '|' AS row_key, 0, 0, "
                   "inferred, imported, ce_id, ce_time, uniqueid, queue, agent, event, (SELECT "
                   "group_concat(replace(value, '|', '_'), '|') FROM json_each(args)) FROM "
                   "queue_log WHERE pbx = ?1 "
                   "AND ce_time BETWEEN ?2 AND ?3 ORDER BY row_key, ce_time, rowid");
        buf_printf(&theirs,
                   "SELECT row_key, n, line, 0, 0, NULL, end_us, call, queue, agent, event, args "
                   "FROM truth_queue_log WHERE ?1 NOTNULL AND end_us BETWEEN %lld AND %lld ORDER "
                   "BY row_key, end_us, n",
                   (long long)from, (long long)to);
    }
    buf_put_char(&ours, 0);
    buf_put_char(&theirs, 0);
    m->ours.rows = truth_prepare(t, ours.p, from, to);
    m->theirs.rows = truth_prepare(t, theirs.p, from, to);
    buf_free(&ours);
    buf_free(&theirs);
    return m->ours.rows && m->theirs.rows;
}

bool truth_match(struct truth *t, enum truth_kind kind, truth_match_fn *fn, void *ctx)
{
    struct matching *m = calloc(1, sizeof(*m));
    if (!m)
        return false;
    m->truth = t;
    m->kind = kind;
    m->fn = fn;
    m->ctx = ctx;
    m->rounds = config_yes(t->section, CONFIG_PBX_INITIATEDSECONDS);
    m->ours.ours = true;
    m->fact = fact_builder_new();
    bool good = prepare(m);
    if (good) {
        advance(m, &m->ours);
        advance(m, &m->theirs);
        good = !m->ours.failed && !m->theirs.failed ? true : truth_fail(t);
    }
    while (good && earlier(m))
        good = take_lot(m) && judge(m);
    lot_clear(&m->our_lot);
    lot_clear(&m->their_lot);
    free(m->ours.next);
    free(m->theirs.next);
    sqlite3_finalize(m->ours.rows);
    sqlite3_finalize(m->theirs.rows);
    fact_builder_free(&m->fact);
    free(m);
    return good;
}

const char *truth_log_column(unsigned column, char text[32])
{
    if (column < TRUTH_LOG_ARG)
        return column == TRUTH_LOG_TIME ? "time" : "agent";
    snprintf(text, 32, "argument %u", column - TRUTH_LOG_ARG + 1);
    return text;
}

struct slice truth_log_value(const struct truth_row *row, unsigned column)
{
    return column == TRUTH_LOG_AGENT ? row->agent : row->args[column - TRUTH_LOG_ARG];
}
