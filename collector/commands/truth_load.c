/* SPDX-License-Identifier: MIT */
#include "collector/commands/truth_load.h"

#include "collector/base/buf.h"
#include "parsers/ami_text.h"
#include "parsers/csv.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND       1000000
#define READ_BYTES   ((size_t)256 * 1024)
#define RECORD_BYTES ((size_t)1024 * 1024) /* the longest record; longer ones are no rows */
#define PROGRESS     100000u

/* Columns of a file, in its order; CDR_COLUMNS: one that is not compared. */
struct layout {
    enum cdr_column column[CSV_FIELDS_MAX];
    unsigned count;
};

struct loading {
    struct truth *truth;
    enum truth_kind kind;
    FILE *in;
    struct buf text, scratch;
    uint64_t line;
    sqlite3_stmt *insert;
    struct layout layout;
};

int64_t truth_time_from_local(int64_t local_us)
{
    time_t t = (time_t)(local_us / SECOND);
    struct tm tm;
    if (!local_us)
        return 0;
    gmtime_r(&t, &tm);
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * SECOND + local_us % SECOND;
}

int64_t truth_time_to_local(int64_t us)
{
    time_t t = (time_t)(us / SECOND);
    struct tm tm;
    if (!us)
        return 0;
    localtime_r(&t, &tm);
    return us + (int64_t)tm.tm_gmtoff * SECOND;
}

/* The order of cdr_csv's Master.csv; what cdr.conf adds comes behind. */
static const enum cdr_column master[] = {
    CDR_COLUMN_ACCOUNTCODE, CDR_COLUMN_SRC,      CDR_COLUMN_DST,
    CDR_COLUMN_DCONTEXT,    CDR_COLUMN_CLID,     CDR_COLUMN_CHANNEL,
    CDR_COLUMN_DSTCHANNEL,  CDR_COLUMN_LASTAPP,  CDR_COLUMN_LASTDATA,
    CDR_COLUMN_START,       CDR_COLUMN_ANSWER,   CDR_COLUMN_END,
    CDR_COLUMN_DURATION,    CDR_COLUMN_BILLSEC,  CDR_COLUMN_DISPOSITION,
    CDR_COLUMN_AMAFLAGS,    CDR_COLUMN_UNIQUEID, CDR_COLUMN_USERFIELD,
    CDR_COLUMN_PEERACCOUNT, CDR_COLUMN_LINKEDID, CDR_COLUMNS /* sequence */};
#define MASTER_LEAST 16u
#define MASTER_MOST  (sizeof(master) / sizeof(master[0]))
#define MASTER_NEW   3u /* peeraccount, linkedid, sequence */

/* "1795219071.0" behind a system's name. */
static bool is_uniqueid(struct slice text)
{
    const char *point = text.n ? memrchr(text.p, '.', text.n) : NULL;
    return point && point > text.p && point[-1] >= '0' && point[-1] <= '9';
}

/* loguniqueid, loguserfield and newcdrcolumns each add columns. */
static bool master_layout(const struct csv_record *r, struct layout *ret_layout)
{
    unsigned more = r->count - MASTER_LEAST;
    if (r->count < MASTER_LEAST || r->count > MASTER_MOST)
        return false;
    unsigned newer = more >= MASTER_NEW ? MASTER_NEW : 0;
    unsigned between = more - newer;
    ret_layout->count = 0;
    for (unsigned i = 0; i < MASTER_LEAST; i++)
        ret_layout->column[ret_layout->count++] = master[i];
    bool user_alone = between == 1 && !is_uniqueid(r->field[MASTER_LEAST]);
    for (unsigned i = 0; i < between; i++)
        ret_layout->column[ret_layout->count++] = master[MASTER_LEAST + i + user_alone];
    for (unsigned i = 0; i < newer; i++)
        ret_layout->column[ret_layout->count++] = master[MASTER_MOST - MASTER_NEW + i];
    return between <= 2;
}

static bool add_column(struct layout *layout, struct slice name)
{
    enum cdr_column column = cdr_column_by_name(name);
    bool known = column < CDR_COLUMNS || slice_is(name, "sequence") || slice_is(name, "-");
    if (known && layout->count < CSV_FIELDS_MAX)
        layout->column[layout->count++] = column;
    return known;
}

static bool has_column(const struct layout *layout, enum cdr_column column)
{
    for (unsigned i = 0; i < layout->count; i++) {
        if (layout->column[i] == column)
            return true;
    }
    return false;
}

static bool layout_of_names(struct slice names, struct layout *ret_layout)
{
    ret_layout->count = 0;
    while (names.n) {
        const char *comma = memchr(names.p, ',', names.n);
        size_t n = comma ? (size_t)(comma - names.p) : names.n;
        if (!add_column(ret_layout, slice_head(names, n)))
            return false;
        names = slice_from_offset(names, n + 1);
    }
    return true;
}

/* A first line that is nothing but names of columns. */
static bool is_header(const struct csv_record *r, struct layout *ret_layout)
{
    ret_layout->count = 0;
    for (unsigned i = 0; i < r->count && i < CSV_FIELDS_MAX; i++) {
        if (!add_column(ret_layout, r->field[i]))
            return false;
    }
    return true;
}

static void bind_text(sqlite3_stmt *s, int at, struct slice text)
{
    if (text.p)
        sqlite3_bind_text64(s, at, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(s, at);
}

static bool insert(struct loading *l)
{
    if (sqlite_file_run(l->insert) != SQLITE_OK)
        return truth_fail(l->truth);
    if (++l->truth->loaded[l->kind] % PROGRESS == 0)
        fprintf(stderr, "amitap: %s: %" PRIu64 " rows of %s read\n", l->truth->options->command,
                l->truth->loaded[l->kind], l->truth->options->files[l->kind]);
    return true;
}

static bool take_cdr(struct loading *l, const struct csv_record *r)
{
    struct cdr_record record = {0};
    bool good = r->count >= l->layout.count;
    for (unsigned i = 0; good && i < l->layout.count; i++) {
        if (l->layout.column[i] < CDR_COLUMNS)
            good = cdr_record_set(&record, l->layout.column[i], r->field[i]);
    }
    struct slice uniqueid = record.text[CDR_COLUMN_UNIQUEID];
    struct slice key = uniqueid.p ? uniqueid : record.text[CDR_COLUMN_CHANNEL];
    int64_t end = truth_time_from_local(record.number[CDR_COLUMN_END]);
    if (!good || !key.n || !end) {
        l->truth->unreadable[l->kind]++;
        return true;
    }
    sqlite3_bind_int64(l->insert, 1, (sqlite3_int64)l->line);
    bind_text(l->insert, 2, key);
    sqlite3_bind_int64(l->insert, 3, truth_time_from_local(record.number[CDR_COLUMN_START]));
    sqlite3_bind_int64(l->insert, 4, end);
    for (unsigned i = 0; i < CDR_COLUMNS; i++)
        bind_text(l->insert, (int)i + 5, record.text[i]);
    return insert(l);
}

/* The first record says how the others are laid out. False when it does not. */
static bool take_layout(struct loading *l, const struct csv_record *r, bool *ret_is_row)
{
    const struct truth_options *o = l->truth->options;
    struct layout header;
    bool headed = is_header(r, &header);
    *ret_is_row = !headed;
    if (o->columns) {
        if (!layout_of_names(slice_from(o->columns), &l->layout)) {
            fprintf(stderr, "amitap: %s: --cdr-columns names a column that CDRs do not have\n",
                    o->command);
            return false;
        }
    } else if (headed) {
        l->layout = header;
    } else if (!master_layout(r, &l->layout)) {
        fprintf(stderr,
                "amitap: %s: %s: has %u columns, which is not Master.csv; name them with "
                "--cdr-columns\n",
                o->command, o->files[l->kind], r->count);
        return false;
    }
    if (has_column(&l->layout, CDR_COLUMN_END) &&
        (has_column(&l->layout, CDR_COLUMN_UNIQUEID) || has_column(&l->layout, CDR_COLUMN_CHANNEL)))
        return true;
    fprintf(stderr, "amitap: %s: --cdr-columns: end, and uniqueid or channel, are needed\n",
            o->command);
    return false;
}

static uint64_t lines_in(struct slice text)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    return lines;
}

static bool take_csv(struct loading *l, const struct csv_record *r)
{
    bool is_row = true;
    if (!l->layout.count && !take_layout(l, r, &is_row))
        return false;
    return !is_row || take_cdr(l, r);
}

/* All whole records of the buffer; *ret_n is how much they were. */
static bool take_csv_records(struct loading *l, bool last, size_t *ret_n)
{
    struct slice rest = buf_slice(&l->text);
    struct csv_record record;
    bool good = true;
    l->scratch.n = 0;
    if (rest.n && !buf_reserve(&l->scratch, rest.n))
        return false;
    while (good && rest.n) {
        size_t n;
        bool full = rest.n >= RECORD_BYTES;
        enum csv_result result = csv_read(rest, last || full, l->scratch.p, &record, &n);
        if (result == CSV_MORE)
            break;
        l->line++;
        bool empty = record.count == 1 && !record.field[0].n;
        if (result == CSV_BAD)
            l->truth->unreadable[l->kind]++;
        else if (!empty)
            good = take_csv(l, &record);
        l->line += lines_in(slice_head(rest, n - 1));
        rest = slice_from_offset(rest, n);
    }
    *ret_n = l->text.n - rest.n;
    return good;
}

/* About the PBX, not about a call or a member: amitap derives none of these. */
static bool is_of_pbx(struct slice event)
{
    return slice_is(event, "QUEUESTART") || slice_is(event, "CONFIGRELOAD") ||
           slice_is(event, "ROTATE");
}

static bool take_log_line(struct loading *l, struct slice line)
{
    struct slice field[5], rest = line;
    int64_t time = 0;
    for (int i = 0; i < 5; i++) {
        const char *bar = rest.n ? memchr(rest.p, '|', rest.n) : NULL;
        size_t n = bar ? (size_t)(bar - rest.p) : rest.n;
        field[i] = slice_head(rest, n);
        rest = slice_from_offset(rest, n + 1);
    }
    if (!ami_text_time(field[0], &time) || !field[4].n) {
        l->truth->unreadable[l->kind]++;
        return true;
    }
    if (is_of_pbx(field[4]))
        return true;
    struct buf key = buf_new(4096);
    for (int i = 1; i < 5; i++) {
        if (i != 3)
            buf_put_slice(&key, field[i]);
        buf_put_char(&key, '|');
    }
    sqlite3_bind_int64(l->insert, 1, (sqlite3_int64)l->line);
    bind_text(l->insert, 2, buf_slice(&key));
    sqlite3_bind_int64(l->insert, 3, time);
    for (int i = 1; i < 5; i++)
        bind_text(l->insert, i + 3, field[i].p ? field[i] : SLICE(""));
    bind_text(l->insert, 8, rest.p ? rest : SLICE(""));
    bool good = !key.failed && insert(l);
    buf_free(&key);
    return good;
}

static bool take_log_lines(struct loading *l, bool last, size_t *ret_n)
{
    struct slice rest = buf_slice(&l->text);
    bool good = true;
    while (good && rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        if (!end && !last && rest.n < RECORD_BYTES)
            break;
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        struct slice line = slice_head(rest, n);
        line.n -= line.n && line.p[line.n - 1] == '\r';
        l->line++;
        good = !line.n || take_log_line(l, line);
        rest = slice_from_offset(rest, n + 1);
    }
    *ret_n = l->text.n - rest.n;
    return good;
}

static bool read_all(struct loading *l)
{
    for (bool last = false; !last;) {
        char *to = buf_reserve(&l->text, READ_BYTES);
        size_t taken = 0;
        if (!to)
            return false;
        size_t n = fread(to, 1, READ_BYTES, l->in);
        l->text.n += n;
        last = n < READ_BYTES;
        if (ferror(l->in)) {
            fprintf(stderr, "amitap: %s: %s: %s\n", l->truth->options->command,
                    l->truth->options->files[l->kind], strerror(errno));
            return false;
        }
        bool good = l->kind == TRUTH_CDR ? take_csv_records(l, last, &taken)
                                         : take_log_lines(l, last, &taken);
        if (!good)
            return false;
        buf_drop(&l->text, taken);
    }
    return true;
}

static sqlite3_stmt *make_table(struct truth *t, enum truth_kind kind)
{
    struct buf sql = buf_new(8192), put = buf_new(8192);
    buf_printf(&sql,
               kind == TRUTH_CDR
                   ? "CREATE TEMP TABLE truth_cdr (n INTEGER PRIMARY KEY, line INTEGER, "
                     "row_key TEXT, start_us INTEGER, end_us INTEGER"
                   : "CREATE TEMP TABLE truth_queue_log (n INTEGER PRIMARY KEY, line INTEGER, "
                     "row_key TEXT, end_us INTEGER, call TEXT, queue TEXT, agent TEXT, "
                     "event TEXT, args TEXT");
    buf_printf(&put, kind == TRUTH_CDR ? "INSERT INTO truth_cdr VALUES (NULL, ?1, ?2, ?3, ?4"
                                       : "INSERT INTO truth_queue_log VALUES (NULL, ?1, ?2, ?3, "
                                         "?4, ?5, ?6, ?7, ?8");
    for (unsigned i = 0; kind == TRUTH_CDR && i < CDR_COLUMNS; i++) {
        buf_printf(&sql, ", \"%s\" TEXT", cdr_column_name((enum cdr_column)i));
        buf_printf(&put, ", ?%u", i + 5);
    }
    buf_put(&sql, ")", 2);
    buf_put(&put, ")", 2);
    sqlite3_stmt *insert = NULL;
    if (truth_run(t, sql.p) && truth_run(t, "BEGIN")) {
        insert = sqlite_file_prepare(&t->file, put.p);
        if (!insert)
            truth_fail(t);
    }
    buf_free(&sql);
    buf_free(&put);
    return insert;
}

bool truth_load(struct truth *t, enum truth_kind kind)
{
    static const char *const indexes[] = {
        [TRUTH_CDR] = "CREATE INDEX truth_cdr_key ON truth_cdr (row_key, n)",
        [TRUTH_QUEUE_LOG] =
            "CREATE INDEX truth_queue_log_key ON truth_queue_log (row_key, end_us, n)"};
    struct loading l = {.truth = t, .kind = kind, .in = fopen(t->options->files[kind], "r")};
    if (!l.in) {
        fprintf(stderr, "amitap: %s: %s: %s\n", t->options->command, t->options->files[kind],
                strerror(errno));
        return false;
    }
    l.text = buf_new(RECORD_BYTES + 2 * READ_BYTES);
    l.scratch = buf_new(RECORD_BYTES + 2 * READ_BYTES);
    l.insert = make_table(t, kind);
    bool good = l.insert && read_all(&l);
    sqlite3_finalize(l.insert);
    good = good && truth_run(t, "COMMIT") && truth_run(t, indexes[kind]);
    buf_free(&l.text);
    buf_free(&l.scratch);
    fclose(l.in);
    return good;
}

bool truth_has_uniqueids(const struct truth *t)
{
    sqlite3_stmt *ask = NULL;
    sqlite3_prepare_v2(t->file.db, "SELECT 1 FROM truth_cdr WHERE uniqueid IS NOT NULL LIMIT 1", -1,
                       &ask, NULL);
    bool has = ask && sqlite3_step(ask) == SQLITE_ROW;
    sqlite3_finalize(ask);
    return has;
}
