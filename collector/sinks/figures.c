/* SPDX-License-Identifier: MIT */
#include "collector/sinks/figures.h"

#include "collector/base/json_out.h"
#include "collector/outbox/sqlite_file.h"
#include "collector/sinks/history_rows.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The query's answer is summed in temporary tables: time_window, grp (a queue or an agent), visit
 * and interval. grp -1 is all of them. Parameters are the same in every statement. */
enum parameter {
    GROUPED = 1,
    FROM,
    TO,
    PBX,
    QUEUE,
    AGENTS,
    THRESHOLD,
    SHORT,
    WINDOW,
    FROM_US,
    TO_US,
    LONGEST
};

static const char make_tables[] =
    "PRAGMA temp_store = MEMORY;"
    "CREATE TEMP TABLE time_window (number INTEGER PRIMARY KEY, \"from\" TEXT, \"to\" TEXT,"
    " from_us INTEGER, to_us INTEGER);"
    "CREATE UNIQUE INDEX window_from ON time_window (from_us);"
    "CREATE TEMP TABLE grp (number INTEGER PRIMARY KEY, pbx TEXT, key TEXT, name TEXT,"
    " UNIQUE (pbx, key));"
    "CREATE TEMP TABLE visit (time_window INTEGER, grp INTEGER, class TEXT, wait REAL,"
    " within INTEGER, talk REAL, hold REAL, transferred INTEGER, acw REAL, caller TEXT,"
    " linkedid TEXT, joined TEXT);"
    "CREATE TEMP TABLE interval (pbx TEXT, interface TEXT, agent TEXT, state TEXT,"
    " start_us INTEGER, end_us INTEGER)";

static const char add_window[] = "INSERT INTO time_window VALUES (?9, ?2, ?3, ?10, ?11)";

/* Of "2026-11-20T23:57:51.090059Z" the seconds and the six decimals. */
#define MICROSECONDS(time)                                                                         \
    "CAST(strftime('%s', substr(" time ", 1, 19)) AS INTEGER) * 1000000"                           \
    " + CAST(substr(" time ", 21, 6) AS INTEGER)"

static const char add_intervals[] =
    "INSERT INTO interval SELECT pbx, interface, agent, state, " MICROSECONDS(
        "start") ","
                 " " MICROSECONDS(
                     "\"end\"") " FROM agent_intervals"
                                " WHERE \"end\" > ?2 AND start < ?3 AND pbx = coalesce(?4, pbx)";

/* The queue that was asked for has a row also when nothing happened. */
static const char add_groups[] =
    "INSERT INTO grp (pbx, key, name)"
    " SELECT pbx, CASE WHEN ?6 THEN interface ELSE queue END AS key, max(member) FROM queue_visits"
    " WHERE joined >= ?2 AND joined < ?3 AND pbx = coalesce(?4, pbx) AND queue = coalesce(?5, "
    "queue)"
    " AND key IS NOT NULL AND (NOT ?6 OR outcome = 'answered') GROUP BY pbx, key"
    " UNION SELECT ?4, ?5, NULL WHERE ?5 IS NOT NULL AND NOT ?6 AND NOT EXISTS (SELECT 1"
    "  FROM queue_visits WHERE joined >= ?2 AND joined < ?3 AND pbx = coalesce(?4, pbx)"
    "  AND queue = ?5) ORDER BY 1, 2";

static const char add_staff[] =
    "INSERT INTO grp (pbx, key, name) SELECT pbx, interface, max(agent) FROM interval"
    " WHERE ?6 AND ?5 IS NULL GROUP BY 1, 2 ON CONFLICT DO NOTHING";

/* A wrap-up is that of the visit before it, should a call meet the same agent twice. A '+' keeps
 * the planner from another index than that of the linkedid. */
static const char add_visits[] =
    "INSERT INTO visit SELECT w.number, coalesce(g.number, -1),"
    " CASE WHEN v.outcome = 'answered' THEN 'N'"
    "  WHEN v.outcome IN ('abandoned', 'short_abandon') THEN iif(v.wait_seconds < ?8, 'S', 'A')"
    "  WHEN v.outcome IN ('timeout', 'leave_empty', 'exit_key', 'withdrawn') THEN 'F'"
    "  WHEN v.outcome IN ('blocked_full', 'blocked_empty') THEN 'B' ELSE 'L' END,"
    " v.wait_seconds, v.wait_seconds <= coalesce(?7, v.service_level_seconds), v.talk_seconds,"
    " v.hold_seconds, v.ended_by = 'transfer',"
    " CASE WHEN v.outcome = 'answered' THEN (SELECT sum(i.duration) FROM agent_intervals i"
    "  WHERE i.linkedid = v.linkedid AND i.state = 'wrap_up' AND +i.interface = v.interface"
    "  AND i.pbx = v.pbx AND coalesce(i.queue, v.queue) = v.queue AND +i.start >= v.joined"
    "  AND NOT EXISTS (SELECT 1 FROM queue_visits o WHERE o.linkedid = v.linkedid"
    "   AND +o.queue = v.queue AND +o.interface = v.interface AND o.pbx = v.pbx"
    "   AND +o.joined > v.joined AND +o.joined <= i.start)) END,"
    " v.caller_number, v.linkedid, v.joined"
    " FROM time_window w JOIN queue_visits v ON v.joined >= w.\"from\" AND v.joined < w.\"to\""
    " LEFT JOIN grp g ON g.pbx = v.pbx AND g.key = CASE WHEN ?6 THEN v.interface ELSE v.queue END"
    " WHERE v.pbx = coalesce(?4, v.pbx) AND v.queue = coalesce(?5, v.queue)"
    " AND (NOT ?6 OR v.outcome = 'answered')";

#define GROUP_COLUMNS "time_window, CASE WHEN ?1 THEN grp ELSE -1 END AS g"

static const char sum_visits[] =
    "SELECT " GROUP_COLUMNS ", sum(class <> 'B'), sum(class = 'N'), sum(class = 'A'),"
    " sum(class = 'S'), sum(class = 'F'), sum(class = 'B'), sum(class = 'L'),"
    " sum(class = 'N' AND within), sum(class = 'A' AND within),"
    " sum(class IN ('N', 'A', 'F') AND within IS NULL), total(iif(class = 'N', wait, 0)),"
    " total(iif(class = 'A', wait, 0)), total(iif(class = 'N', talk, 0)),"
    " total(iif(class = 'N', hold, 0)), sum(class = 'N' AND hold IS NOT NULL), total(acw),"
    " sum(class = 'N' AND transferred) FROM visit GROUP BY 1, 2";

static const char rank_waits[] =
    "SELECT time_window, g, class, wait, rank >= n * 0.5, rank >= n * 0.9, rank >= n * 0.95"
    " FROM (SELECT time_window, g, class, wait, row_number() OVER ranked AS rank,"
    "  count(*) OVER (PARTITION BY time_window, g, class) AS n"
    "  FROM (SELECT " GROUP_COLUMNS ", class, wait FROM visit WHERE class IN ('N', 'A'))"
    "  WINDOW ranked AS (PARTITION BY time_window, g, class ORDER BY wait))"
    " WHERE rank IN ((n * 50 + 99) / 100, (n * 90 + 99) / 100, (n * 95 + 99) / 100, n)"
    " ORDER BY rank";

static const char count_repeats[] =
    "SELECT time_window, g, count(*) FROM (SELECT " GROUP_COLUMNS " FROM visit"
    "  WHERE caller <> '' GROUP BY time_window, g, caller HAVING count(DISTINCT linkedid) > 1)"
    " GROUP BY 1, 2";

static const char count_owed[] =
    "SELECT " GROUP_COLUMNS ", count(DISTINCT caller) FROM visit v"
    " JOIN time_window w ON w.number = v.time_window WHERE class = 'A' AND caller <> ''"
    " AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.caller_number = v.caller"
    "  AND c.answer > v.joined AND c.answer < w.\"to\") GROUP BY 1, 2";

/* No window that begins longer before an interval than the longest window lasts reaches into it. */
static const char sum_intervals[] =
    "SELECT o.number, CASE WHEN ?1 THEN g.number ELSE -1 END AS g,"
    " sum(iif(state <> 'offline', us, 0)), sum(iif(state = 'paused', us, 0)),"
    " sum(iif(state IN ('on_call', 'on_hold', 'wrap_up'), us, 0))"
    " FROM (SELECT w.number, i.pbx, i.interface, i.state,"
    "  min(i.end_us, w.to_us) - max(i.start_us, w.from_us) AS us"
    "  FROM interval i CROSS JOIN time_window w ON w.from_us > i.start_us - ?12"
    "  AND w.from_us < i.end_us AND w.to_us > i.start_us) o"
    " LEFT JOIN grp g ON g.pbx = o.pbx AND g.key = o.interface GROUP BY 1, 2";

static const char list_groups[] = "SELECT number, pbx, key, name FROM grp ORDER BY pbx, key";

static const struct figure_info infos[FIGURE_COUNT] = {
#define FIGURE(id, name, unit, scope, formula, c) [FIGURE_##id] = {name, FIGURE_UNIT_##unit},
#include "schemas/figures.def"
#undef FIGURE
};

const struct figure_info *figure_info(enum figure figure)
{
    return &infos[figure];
}

/* Which rows have a figure. */
enum scope { SCOPE_VISITS = 1, SCOPE_STAFF = 2, SCOPE_EVERY = 3 };

static double share(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : NAN;
}

static double mean(double sum, double count)
{
    return count > 0 ? sum / count : NAN;
}

static void apply_formulas(const struct figures_sums *s, unsigned scopes, double *ret_values)
{
#define FIGURE(id, name, unit, scope, formula, c)                                                  \
    ret_values[FIGURE_##id] = SCOPE_##scope & scopes ? (c) : NAN;
#include "schemas/figures.def"
#undef FIGURE
}

struct group {
    int64_t number;
    char *pbx, *key, *name;
};

struct reading {
    const struct figures_query *query;
    struct sqlite_file file;
    struct group *groups; /* in the order of the rows */
    size_t group_count;
    size_t *place_of;          /* of a group's number */
    struct figures_sums *sums; /* window by window: of each group, then of all */
    char *error;
    size_t error_size;
};

static int fail(struct reading *r, const char *why)
{
    snprintf(r->error, r->error_size, "%s: %s", r->query->path, why);
    return -1;
}

static void bind_seconds(sqlite3_stmt *statement, enum parameter parameter, int64_t us)
{
    if (us >= 0)
        sqlite3_bind_double(statement, (int)parameter, (double)us / 1e6);
}

static void bind_span(sqlite3_stmt *statement, int64_t from, int64_t to)
{
    char text[TIME_TEXT_SIZE];
    time_text(from, text);
    sqlite3_bind_text(statement, FROM, text, -1, SQLITE_TRANSIENT);
    time_text(to, text);
    sqlite3_bind_text(statement, TO, text, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, FROM_US, from);
    sqlite3_bind_int64(statement, TO_US, to);
}

static int64_t longest_window(const struct figures_query *q)
{
    int64_t longest = 0;
    for (size_t i = 0; i < q->window_count; i++) {
        int64_t length = q->windows[i].to - q->windows[i].from;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The statement with what the query asks for; NULL with error set. */
static sqlite3_stmt *prepare(struct reading *r, const char *sql, bool grouped)
{
    const struct figures_query *q = r->query;
    sqlite3_stmt *statement = sqlite_file_prepare(&r->file, sql);
    if (!statement) {
        fail(r, sqlite3_errmsg(r->file.db));
        return NULL;
    }
    sqlite3_bind_int(statement, GROUPED, grouped);
    bind_span(statement, q->windows[0].from, q->windows[q->window_count - 1].to);
    sqlite3_bind_text(statement, PBX, q->pbx, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, QUEUE, q->queue, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, AGENTS, q->agents);
    bind_seconds(statement, THRESHOLD, q->threshold);
    bind_seconds(statement, SHORT, q->short_abandon);
    sqlite3_bind_int64(statement, LONGEST, longest_window(q));
    return statement;
}

static int run(struct reading *r, const char *sql)
{
    sqlite3_stmt *statement = prepare(r, sql, true);
    int rc = statement ? sqlite_file_run(statement) : SQLITE_ERROR;
    sqlite3_finalize(statement);
    return rc == SQLITE_OK ? 0 : fail(r, sqlite3_errmsg(r->file.db));
}

static int add_windows(struct reading *r)
{
    sqlite3_stmt *statement = prepare(r, add_window, true);
    int rc = statement ? SQLITE_OK : SQLITE_ERROR;
    for (size_t i = 0; i < r->query->window_count && rc == SQLITE_OK; i++) {
        bind_span(statement, r->query->windows[i].from, r->query->windows[i].to);
        sqlite3_bind_int64(statement, WINDOW, (sqlite3_int64)i);
        rc = sqlite_file_run(statement);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_OK ? 0 : fail(r, sqlite3_errmsg(r->file.db));
}

/* An owned copy; NULL stays NULL. False when memory is short. */
static bool copy_column(sqlite3_stmt *statement, int i, char **ret_text)
{
    if (sqlite3_column_type(statement, i) == SQLITE_NULL)
        return true;
    const char *text = (const char *)sqlite3_column_text(statement, i);
    *ret_text = text ? strdup(text) : NULL;
    return *ret_text != NULL;
}

static bool take_group(struct reading *r, sqlite3_stmt *statement)
{
    struct group *more = realloc(r->groups, (r->group_count + 1) * sizeof(*more));
    if (!more)
        return false;
    r->groups = more;
    struct group *g = &more[r->group_count++];
    *g = (struct group){.number = sqlite3_column_int64(statement, 0)};
    return copy_column(statement, 1, &g->pbx) && copy_column(statement, 2, &g->key) &&
           copy_column(statement, 3, &g->name);
}

/* All or none: sums are found by the groups' numbers. */
static int read_groups(struct reading *r)
{
    sqlite3_stmt *statement = prepare(r, list_groups, true);
    bool good = true;
    if (!statement)
        return -1;
    while (good && sqlite3_step(statement) == SQLITE_ROW)
        good = take_group(r, statement);
    int rc = sqlite3_finalize(statement);
    if (!good)
        return fail(r, "memory is short");
    return rc == SQLITE_OK ? 0 : fail(r, sqlite3_errmsg(r->file.db));
}

/* Group numbers are 1, 2, … in the order in which they came, -1 is all. */
static int make_sums(struct reading *r)
{
    size_t rows = (r->group_count + 1) * r->query->window_count;
    if (rows > FIGURES_ROWS_MAX)
        return fail(r, "too many windows and queues or agents at once; ask for fewer");
    r->place_of = calloc(r->group_count + 1, sizeof(*r->place_of));
    r->sums = calloc(rows, sizeof(*r->sums));
    if (!r->place_of || !r->sums)
        return fail(r, "memory is short");
    for (size_t i = 0; i < r->group_count; i++)
        r->place_of[r->groups[i].number] = i;
    for (size_t i = 0; i < rows; i++) {
        for (size_t p = 0; p < 4; p++)
            r->sums[i].answered_p[p] = r->sums[i].abandoned_p[p] = NAN;
    }
    return 0;
}

static struct figures_sums *sums_of(struct reading *r, size_t window, int64_t group)
{
    size_t place = group < 0 ? r->group_count : r->place_of[group];
    return &r->sums[window * (r->group_count + 1) + place];
}

static struct figures_sums *sums_at(struct reading *r, sqlite3_stmt *statement)
{
    return sums_of(r, (size_t)sqlite3_column_int64(statement, 0),
                   sqlite3_column_int64(statement, 1));
}

static void take_visits(struct reading *r, sqlite3_stmt *statement)
{
    struct figures_sums *s = sums_at(r, statement);
    double *const counts[] = {&s->offered,  &s->answered, &s->abandoned, &s->short_abandons,
                              &s->flow_out, &s->blocked,  &s->lost_sight};
    int i = 2;
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
        *counts[c] = sqlite3_column_double(statement, i++);
    s->answered_within = sqlite3_column_double(statement, i++);
    s->abandoned_within = sqlite3_column_double(statement, i++);
    if (sqlite3_column_int64(statement, i++))
        s->answered_within = s->abandoned_within = NAN;
    s->answered_wait = sqlite3_column_double(statement, i++);
    s->abandoned_wait = sqlite3_column_double(statement, i++);
    s->talk = sqlite3_column_double(statement, i++);
    s->hold = sqlite3_column_double(statement, i++);
    s->hold_known = sqlite3_column_int64(statement, i++) > 0;
    s->acw = sqlite3_column_double(statement, i++);
    s->transferred = sqlite3_column_double(statement, i);
}

/* Waits come in order: the first one at or past a rank is it. */
static void take_wait(struct reading *r, sqlite3_stmt *statement)
{
    struct figures_sums *s = sums_at(r, statement);
    bool answered = sqlite3_column_text(statement, 2)[0] == 'N';
    double *p = answered ? s->answered_p : s->abandoned_p;
    double wait = sqlite3_column_double(statement, 3);
    for (int i = 0; i < 3; i++) {
        if (isnan(p[i]) && sqlite3_column_int(statement, 4 + i))
            p[i] = wait;
    }
    p[3] = wait;
}

static void take_repeats(struct reading *r, sqlite3_stmt *statement)
{
    sums_at(r, statement)->repeat_callers = sqlite3_column_double(statement, 2);
}

static void take_owed(struct reading *r, sqlite3_stmt *statement)
{
    sums_at(r, statement)->callbacks_owed = sqlite3_column_double(statement, 2);
}

static void take_intervals(struct reading *r, sqlite3_stmt *statement)
{
    struct figures_sums *s = sums_at(r, statement);
    s->staffed = sqlite3_column_double(statement, 2) / 1e6;
    s->paused = sqlite3_column_double(statement, 3) / 1e6;
    s->busy = sqlite3_column_double(statement, 4) / 1e6;
}

typedef void take_fn(struct reading *r, sqlite3_stmt *statement);

static int take_all(struct reading *r, const char *sql, bool grouped, take_fn *take)
{
    sqlite3_stmt *statement = prepare(r, sql, grouped);
    if (!statement)
        return -1;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if (!grouped || sqlite3_column_int64(statement, 1) > 0)
            take(r, statement);
    }
    int rc = sqlite3_finalize(statement);
    return rc == SQLITE_OK ? 0 : fail(r, sqlite3_errmsg(r->file.db));
}

static int sum(struct reading *r)
{
    static const struct {
        const char *sql;
        take_fn *take;
    } parts[] = {{sum_visits, take_visits},
                 {rank_waits, take_wait},
                 {count_repeats, take_repeats},
                 {count_owed, take_owed},
                 {sum_intervals, take_intervals}};
    int rc = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++) {
        rc = take_all(r, parts[i].sql, true, parts[i].take);
        if (rc == 0)
            rc = take_all(r, parts[i].sql, false, parts[i].take);
    }
    return rc;
}

static int gather(struct reading *r)
{
    if (sqlite3_exec(r->file.db, make_tables, NULL, NULL, NULL) != SQLITE_OK)
        return fail(r, sqlite3_errmsg(r->file.db));
    int rc = add_windows(r);
    static const char *const steps[] = {add_intervals, add_groups, add_staff, add_visits};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == 0; i++)
        rc = run(r, steps[i]);
    if (rc == 0)
        rc = read_groups(r);
    if (rc == 0)
        rc = make_sums(r);
    return rc == 0 ? sum(r) : rc;
}

static void hand_out(struct reading *r, figures_fn *fn, void *ctx)
{
    const struct figures_query *q = r->query;
    for (size_t window = 0; window < q->window_count; window++) {
        for (size_t i = 0; i < r->group_count; i++) {
            const struct group *g = &r->groups[i];
            struct figures_row row = {.window = window,
                                      .pbx = g->pbx,
                                      .queue = q->agents ? NULL : g->key,
                                      .agent = q->agents ? g->key : NULL,
                                      .name = q->agents ? g->name : NULL};
            unsigned scopes = q->agents ? SCOPE_STAFF : SCOPE_VISITS;
            apply_formulas(sums_of(r, window, g->number), scopes, row.values);
            fn(ctx, &row);
        }
        if (q->queue)
            continue;
        struct figures_row row = {.window = window};
        unsigned scopes = q->agents ? SCOPE_STAFF : SCOPE_EVERY;
        apply_formulas(sums_of(r, window, -1), scopes, row.values);
        fn(ctx, &row);
    }
}

static void reading_free(struct reading *r)
{
    for (size_t i = 0; i < r->group_count; i++) {
        free(r->groups[i].pbx);
        free(r->groups[i].key);
        free(r->groups[i].name);
    }
    free(r->groups);
    free(r->place_of);
    free(r->sums);
}

int figures_read(const struct figures_query *query, figures_fn *fn, void *ctx, char *error,
                 size_t error_size)
{
    struct reading r = {.query = query, .error = error, .error_size = error_size};
    if (!query->window_count)
        return 0;
    if (sqlite_file_open_to_read(&r.file, query->path, &history_schema, error, error_size) < 0)
        return -1;
    int rc = gather(&r);
    sqlite_file_close(&r.file);
    if (rc == 0)
        hand_out(&r, fn, ctx);
    reading_free(&r);
    return rc;
}
