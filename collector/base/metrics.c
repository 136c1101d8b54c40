/* SPDX-License-Identifier: MIT */
#include "collector/base/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_SIZE 80
#define US         INT64_C(1000000)
#define OTHER      "other"

enum type { COUNTER, GAUGE, HISTOGRAM };
enum unit { ONE, BYTES, SECONDS };

struct row {
    const char *name;
    enum type type;
    enum unit unit;
    const char *labels[2];
    const char *help;
};

static const struct row rows[METRICS] = {
#define METRIC(id, name, type, unit, label, second, help)                                          \
    [METRIC_##id] = {name, type, unit, {label, second}, help},
#include "schemas/metrics.def"
#undef METRIC
};

/* Bounds of all histograms, in microseconds: from a turn of the loop to a disk that hangs. */
static const int64_t bounds[] = {100,    500,    1000,   2000,    5000,    10000,    20000,   50000,
                                 100000, 200000, 500000, 1000000, 5000000, 20000000, 60000000};
#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

/* Lines are only ever added, at the end of their list, so that who walks it needs no lock. */
struct metric_line {
    _Atomic(struct metric_line *) next;
    char values[2][VALUE_SIZE];
    atomic_int_fast64_t value;               /* of a histogram: the sum */
    atomic_uint_fast64_t within[BOUNDS + 1]; /* observations up to this bound, and past the last */
};

static _Atomic(struct metric_line *) lines[METRICS];
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;
static unsigned counts[METRICS];  /* with adding locked */
static struct metric_line unseen; /* what there is no memory for */

static bool is_line(const struct metric_line *line, const char *const values[2])
{
    return strncmp(line->values[0], values[0], VALUE_SIZE - 1) == 0 &&
           strncmp(line->values[1], values[1], VALUE_SIZE - 1) == 0;
}

/* The line of these values, or NULL; *at is then where it would go. */
static struct metric_line *find_line(_Atomic(struct metric_line *) **at,
                                     const char *const values[2])
{
    struct metric_line *line;
    while ((line = atomic_load_explicit(*at, memory_order_acquire)) && !is_line(line, values))
        *at = &line->next;
    return line;
}

static struct metric_line *add_line(enum metric metric, _Atomic(struct metric_line *) *at,
                                    const char *const values[2])
{
    struct metric_line *line = calloc(1, sizeof(*line));
    if (!line)
        return &unseen;
    for (size_t i = 0; i < 2; i++)
        snprintf(line->values[i], VALUE_SIZE, "%s", values[i]);
    counts[metric]++;
    atomic_store_explicit(at, line, memory_order_release);
    return line;
}

struct metric_line *metrics_line(enum metric metric, const char *value, const char *second)
{
    const char *values[2] = {value ? value : "", second ? second : ""};
    _Atomic(struct metric_line *) *at = &lines[metric];
    struct metric_line *line = find_line(&at, values);
    if (line)
        return line;
    pthread_mutex_lock(&adding);
    if (counts[metric] >= METRICS_LINES_MAX) {
        values[0] = value ? OTHER : "";
        values[1] = second ? OTHER : "";
        at = &lines[metric];
    }
    line = find_line(&at, values);
    if (!line)
        line = add_line(metric, at, values);
    pthread_mutex_unlock(&adding);
    return line;
}

void metrics_add(struct metric_line *line, uint64_t n)
{
    atomic_fetch_add_explicit(&line->value, (int_fast64_t)n, memory_order_relaxed);
}

void metrics_set(struct metric_line *line, int64_t value)
{
    atomic_store_explicit(&line->value, value, memory_order_relaxed);
}

void metrics_max(struct metric_line *line, int64_t value)
{
    int_fast64_t old = atomic_load_explicit(&line->value, memory_order_relaxed);
    while (value > old &&
           !atomic_compare_exchange_weak_explicit(&line->value, &old, value, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

void metrics_observe(struct metric_line *line, int64_t us)
{
    size_t i = 0;
    while (i < BOUNDS && us > bounds[i])
        i++;
    atomic_fetch_add_explicit(&line->within[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&line->value, us, memory_order_relaxed);
}

static void put_value(struct buf *to, enum unit unit, int64_t value)
{
    if (unit != SECONDS)
        buf_printf(to, " %" PRId64 "\n", value);
    else
        buf_printf(to, " %s%" PRId64 ".%06" PRId64 "\n", value < 0 ? "-" : "", imaxabs(value / US),
                   imaxabs(value % US));
}

static void put_label(struct buf *to, const char *name, const char *value, char before)
{
    buf_printf(to, "%c%s=\"", before, name);
    for (; *value; value++) {
        if (*value == '\n')
            buf_put(to, "\\n", 2);
        else if (*value == '"' || *value == '\\')
            buf_printf(to, "\\%c", *value);
        else
            buf_put_char(to, *value);
    }
    buf_put_char(to, '"');
}

/* Name and labels of a sample; le is a histogram's further label, NULL: none. */
static void put_name(struct buf *to, const struct row *row, const struct metric_line *line,
                     const char *end, const char *le)
{
    char before = '{';
    buf_printf(to, "%s%s", row->name, end);
    for (size_t i = 0; i < 2; i++) {
        if (*row->labels[i]) {
            put_label(to, row->labels[i], line->values[i], before);
            before = ',';
        }
    }
    if (le) {
        put_label(to, "le", le, before);
        before = ',';
    }
    if (before == ',')
        buf_put_char(to, '}');
}

static void put_bucket(struct buf *to, const struct row *row, const struct metric_line *line,
                       size_t i, uint64_t sum)
{
    char le[32] = "+Inf";
    if (i < BOUNDS)
        snprintf(le, sizeof(le), "%g", (double)bounds[i] / (double)US);
    put_name(to, row, line, "_bucket", le);
    buf_printf(to, " %" PRIu64 "\n", sum);
}

static void put_histogram(struct buf *to, const struct row *row, const struct metric_line *line)
{
    uint64_t sum = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        sum += atomic_load_explicit(&line->within[i], memory_order_relaxed);
        put_bucket(to, row, line, i, sum);
    }
    put_name(to, row, line, "_sum", NULL);
    put_value(to, row->unit, atomic_load_explicit(&line->value, memory_order_relaxed));
    put_name(to, row, line, "_count", NULL);
    buf_printf(to, " %" PRIu64 "\n", sum);
}

static struct metric_line *next_of(const struct metric_line *line)
{
    return atomic_load_explicit(&line->next, memory_order_acquire);
}

static void put_metric(struct buf *to, const struct row *row, const struct metric_line *line)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    buf_printf(to, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
               types[row->type]);
    for (; line; line = next_of(line)) {
        if (row->type == HISTOGRAM) {
            put_histogram(to, row, line);
            continue;
        }
        put_name(to, row, line, "", NULL);
        put_value(to, row->unit, atomic_load_explicit(&line->value, memory_order_relaxed));
    }
}

bool metrics_text(struct buf *to)
{
    for (size_t i = 0; i < METRICS; i++) {
        const struct metric_line *first = atomic_load_explicit(&lines[i], memory_order_acquire);
        if (first)
            put_metric(to, &rows[i], first);
    }
    return !to->failed;
}
