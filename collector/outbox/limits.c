/* SPDX-License-Identifier: MIT */
#include "collector/outbox/limits.h"

#include <stdio.h>
#include <string.h>

/* Rows looked at, and given up at most, in one step. */
#define SLICE_ROWS  4096U
#define ROW_BYTES   1024U /* about; for how many rows are too many bytes */
#define PAGE_BYTES  4096U
#define LOOK_SWEEPS 16                      /* slices: 10 million rows in some hours */
#define AGE_US      (INT64_C(60) * 1000000) /* between looks at what is too old */

/* ?3 the highest worth that may go, ?4 the time before which, ?5 whether rows may go too that tell
 * of the past when they come, ?6 how many. */
static const char sql_give_up[] =
    "DELETE FROM facts WHERE seq IN (SELECT seq FROM facts WHERE seq > ?1 AND seq <= ?2 AND "
    "worth(kind, flags) <= ?3 AND ce_time < ?4 AND (?5 OR (flags & 48 = 0 AND kind NOT IN "
    "('gap', 'tap_connected', 'tap_disconnected'))) ORDER BY seq LIMIT ?6) "
    "RETURNING worth(kind, flags), ce_time, seq, pbx";
_Static_assert((FACT_IS_IMPORTED | FACT_IS_AGAIN) == 48, "as the statement has it");
static const char sql_give_up_rendering[] = "DELETE FROM renderings WHERE seq = ?1";
static const char sql_lesser[] =
    "SELECT count(*) FROM facts WHERE seq > ?1 AND seq <= ?2 AND worth(kind, flags) < ?3";
static const char sql_young[] =
    "SELECT 1 FROM facts WHERE seq > ?1 AND seq <= ?2 AND ce_time >= ?3 LIMIT 1";
static const char sql_pages[] = "SELECT (SELECT page_count FROM pragma_page_count) - "
                                "(SELECT freelist_count FROM pragma_freelist_count)";

static void worth(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    const char *kind = (const char *)sqlite3_value_text(values[0]);
    enum fact_kind known = kind ? fact_kind_by_name(slice_from(kind)) : FACT_KIND_COUNT;
    sqlite3_result_int(context, (int)fact_worth(known, (unsigned)sqlite3_value_int(values[1])));
}

bool limits_init(struct limits *l, struct untold *untold, const struct limits_bounds *bounds)
{
    struct sqlite_file *file = untold->file;
    *l = (struct limits){.file = file, .untold = untold, .bounds = *bounds};
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    if (sqlite3_create_function(file->db, "worth", 2, flags, NULL, worth, NULL, NULL) != SQLITE_OK)
        return false;
    l->give_up = sqlite_file_prepare(file, sql_give_up);
    l->give_up_rendering = sqlite_file_prepare(file, sql_give_up_rendering);
    l->lesser = sqlite_file_prepare(file, sql_lesser);
    l->young = sqlite_file_prepare(file, sql_young);
    l->pages = sqlite_file_prepare(file, sql_pages);
    return l->give_up && l->give_up_rendering && l->lesser && l->young && l->pages;
}

void limits_free(struct limits *l)
{
    sqlite3_finalize(l->give_up);
    sqlite3_finalize(l->give_up_rendering);
    sqlite3_finalize(l->lesser);
    sqlite3_finalize(l->young);
    sqlite3_finalize(l->pages);
    *l = (struct limits){0};
}

static uint64_t bytes_in_use(struct limits *l)
{
    uint64_t pages =
        sqlite3_step(l->pages) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(l->pages, 0) : 0;
    sqlite3_reset(l->pages);
    return pages * PAGE_BYTES;
}

/* By how much n is past its bound, or past a sixteenth below it once it was over. */
static uint64_t excess(uint64_t n, uint64_t bound, bool over)
{
    uint64_t goal = over ? bound - bound / 16 : bound;
    return bound && n > goal ? n - goal : 0;
}

/* How many rows are too many, by both bounds. */
static uint64_t rows_over(struct limits *l, uint64_t waiting, bool over)
{
    uint64_t rows = excess(waiting, l->bounds.rows, over);
    uint64_t bytes = l->bounds.bytes ? excess(bytes_in_use(l), l->bounds.bytes, over) : 0;
    uint64_t by_bytes = bytes ? bytes / ROW_BYTES + 1 : 0;
    uint64_t most = rows > by_bytes ? rows : by_bytes;
    return most < waiting ? most : waiting;
}

static bool age_due(const struct limits *l)
{
    return l->bounds.age_us && clock_mono(&l->bounds.clock) >= l->rest_until;
}

bool limits_due(struct limits *l, uint64_t waiting)
{
    if (!l->give_up || waiting == 0) {
        l->over = false;
        return false;
    }
    l->over = rows_over(l, waiting, l->over) > 0;
    return l->over || age_due(l);
}

uint64_t given_up_rows(const struct given_up *g)
{
    uint64_t rows = 0;
    for (unsigned i = 0; i < FACT_WORTH_COUNT; i++)
        rows += g->rows[i];
    return rows;
}

void given_up_add(struct given_up *sum, const struct given_up *more)
{
    for (unsigned i = 0; i < FACT_WORTH_COUNT; i++)
        sum->rows[i] += more->rows[i];
}

/* Deletes the present row's renderings, and adds it to what is untold; rows of one PBX that follow
 * each other go there together. */
static int note_row(struct limits *l, struct untold_span *run)
{
    int64_t time = sqlite3_column_int64(l->give_up, 1);
    const char *pbx = (const char *)sqlite3_column_text(l->give_up, 3);
    sqlite3_bind_int64(l->give_up_rendering, 1, sqlite3_column_int64(l->give_up, 2));
    int rc = sqlite_file_run(l->give_up_rendering);
    if (rc == SQLITE_OK && strncmp(run->pbx, pbx, UNTOLD_PBX_SIZE - 1) != 0) {
        rc = untold_add(l->untold, run);
        *run = (struct untold_span){.first = time, .last = time};
        snprintf(run->pbx, sizeof(run->pbx), "%s", pbx);
    }
    run->first = time < run->first ? time : run->first;
    run->last = time > run->last ? time : run->last;
    return rc;
}

/* Runs the statement, counts what went; *ret_last is the newest of it. */
static int delete_rows(struct limits *l, struct given_up *sum, uint64_t *ret_last)
{
    int rc = SQLITE_OK;
    struct untold_span run = {0};
    *ret_last = 0;
    while (rc == SQLITE_OK && sqlite3_step(l->give_up) == SQLITE_ROW) {
        uint64_t seq = (uint64_t)sqlite3_column_int64(l->give_up, 2);
        sum->rows[sqlite3_column_int(l->give_up, 0)]++;
        *ret_last = seq > *ret_last ? seq : *ret_last;
        rc = note_row(l, &run);
    }
    int end = sqlite3_reset(l->give_up);
    if (rc == SQLITE_OK && end == SQLITE_OK)
        rc = untold_add(l->untold, &run);
    return rc == SQLITE_OK ? end : rc;
}

static void bind_slice(sqlite3_stmt *statement, struct limits_range slice)
{
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)slice.after);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)slice.to);
}

/* So many rows of the range at most, behind at. */
static struct limits_range slice_of(struct limits_range range, uint64_t at, uint64_t rows)
{
    uint64_t after = at > range.after ? at : range.after;
    uint64_t to = range.to > after + rows ? after + rows : range.to;
    return (struct limits_range){after, to, range.newest};
}

/* Gives up rows of this worth in the slice, *rows at most, and takes off how many went. Returns how
 * many were looked at. */
static uint64_t give_up_worth(struct limits *l, struct limits_range slice, unsigned least,
                              uint64_t *rows, struct limits_step *step)
{
    uint64_t before = given_up_rows(&step->given_up);
    uint64_t last;
    bind_slice(l->give_up, slice);
    sqlite3_bind_int(l->give_up, 3, (int)least);
    sqlite3_bind_int64(l->give_up, 4, INT64_MAX);
    sqlite3_bind_int(l->give_up, 5, 1);
    sqlite3_bind_int64(l->give_up, 6, (sqlite3_int64)*rows);
    step->rc = delete_rows(l, &step->given_up, &last);
    *rows -= given_up_rows(&step->given_up) - before;
    step->at[least] = *rows == 0 ? last : slice.to;
    return step->at[least] - slice.after;
}

/* Rows of less worth that come into reach next. */
static uint64_t count_lesser(struct limits *l, struct limits_range range, unsigned worth)
{
    struct limits_range next =
        slice_of((struct limits_range){.to = range.newest}, range.to, SLICE_ROWS);
    bind_slice(l->lesser, next);
    sqlite3_bind_int(l->lesser, 3, (int)worth);
    uint64_t rows = worth > 0 && sqlite3_step(l->lesser) == SQLITE_ROW
                        ? (uint64_t)sqlite3_column_int64(l->lesser, 0)
                        : 0;
    sqlite3_reset(l->lesser);
    return rows;
}

/* Gives up rows of the least worth of which there are any; of the next one where no other is left.
 */
static int give_up_least(struct limits *l, struct limits_range range, uint64_t rows,
                         struct limits_step *step)
{
    uint64_t budget = SLICE_ROWS;
    unsigned least = 0;
    while (rows > 0 && budget > 0 && step->rc == SQLITE_OK) {
        while (least < FACT_WORTH_COUNT && step->at[least] >= range.to)
            least++;
        uint64_t spared = least < FACT_WORTH_COUNT ? count_lesser(l, range, least) : 0;
        step->waits = spared >= rows;
        if (least == FACT_WORTH_COUNT || step->waits)
            return SQLITE_OK;
        uint64_t now = rows - spared;
        struct limits_range slice = slice_of(range, step->at[least], budget);
        budget -= give_up_worth(l, slice, least, &now, step);
        rows = now + spared;
    }
    step->more = true;
    return step->rc;
}

static bool has_young(struct limits *l, struct limits_range slice, int64_t before)
{
    bind_slice(l->young, slice);
    sqlite3_bind_int64(l->young, 3, before);
    bool any = sqlite3_step(l->young) == SQLITE_ROW;
    sqlite3_reset(l->young);
    return any;
}

/* Goes on behind the slice, or on to the sweeps. */
static void note_old(struct limits_step *step, struct limits_range slice, bool on)
{
    step->look.old_to = on ? slice.to : slice.after;
    step->look.sweeps = on ? 0 : 1;
    step->more = true;
}

static void note_swept(struct limits_step *step, struct limits_range slice, bool end)
{
    bool last = end || step->look.sweeps == LOOK_SWEEPS;
    step->look.swept_to = end ? 0 : slice.to;
    step->look.sweeps = last ? 0 : step->look.sweeps + 1;
    step->more = !last;
    step->looked_at_age = last;
}

/* Gives up what is too old in the look's next slice. */
static int give_up_aged(struct limits *l, struct limits_range range, struct limits_step *step)
{
    bool sweeps = step->look.sweeps > 0;
    uint64_t at = sweeps ? step->look.swept_to : step->look.old_to;
    struct limits_range slice = slice_of(range, at, SLICE_ROWS);
    int64_t before = clock_now(&l->bounds.clock) - l->bounds.age_us;
    uint64_t last;
    bind_slice(l->give_up, slice);
    sqlite3_bind_int(l->give_up, 3, FACT_WORTH_COUNT);
    sqlite3_bind_int64(l->give_up, 4, before);
    sqlite3_bind_int(l->give_up, 5, 0);
    sqlite3_bind_int64(l->give_up, 6, SLICE_ROWS);
    int rc = delete_rows(l, &step->given_up, &last);
    bool end = slice.to >= range.to;
    if (sweeps)
        note_swept(step, slice, end);
    else
        note_old(step, slice, !end && (last > 0 || !has_young(l, slice, before)));
    return rc;
}

int limits_step(struct limits *l, struct limits_range range, uint64_t waiting,
                struct limits_step *ret)
{
    *ret = (struct limits_step){.after = range.after, .look = l->look};
    /* Rows that the sink had taken and gives back were not looked at. */
    if (range.after >= l->after)
        memcpy(ret->at, l->at, sizeof(ret->at));
    if (range.after >= range.to) {
        ret->looked_at_age = !l->over;
        return SQLITE_OK;
    }
    if (!l->over)
        return give_up_aged(l, range, ret);
    int rc = give_up_least(l, range, rows_over(l, waiting, true), ret);
    uint64_t left = waiting - given_up_rows(&ret->given_up);
    ret->over = rows_over(l, left, true) > 0;
    ret->more = ret->more && ret->over;
    return rc;
}

void limits_keep(struct limits *l, const struct limits_step *step)
{
    memcpy(l->at, step->at, sizeof(l->at));
    l->after = step->after;
    l->over = step->over;
    l->look = step->look;
    if (step->looked_at_age)
        l->rest_until = clock_mono(&l->bounds.clock) + AGE_US;
}
