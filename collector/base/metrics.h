/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_METRICS_H
#define COLLECTOR_BASE_METRICS_H

#include "collector/base/buf.h"

/* The process's metrics (schemas/metrics.def), as Prometheus reads them. Like the log they are one
 * for the process. Any thread; adding, setting and observing are atomic operations and never
 * wait. */
enum metric {
#define METRIC(id, name, type, unit, label, second, help) METRIC_##id,
#include "schemas/metrics.def"
#undef METRIC
    METRICS
};

/* A metric with certain values of its labels. Found once with metrics_line, then kept: it lives as
 * long as the process. */
struct metric_line;

/* Past so many lines of a metric its further ones are one, whose labels are "other". */
#define METRICS_LINES_MAX 1000u

/* The line of these values; NULL where the metric has no such label. Made, with the value 0, when
 * it is not there; a metric without a line is not shown. Looks through the metric's lines: not for
 * each event. Never NULL; when memory is short it is a line that is not shown. */
struct metric_line *metrics_line(enum metric metric, const char *value, const char *second);

/* A counter's: n more. */
void metrics_add(struct metric_line *line, uint64_t n);

/* A gauge's value; or a counter's that is counted elsewhere, which must not fall. Microseconds
 * where the unit is SECONDS. */
void metrics_set(struct metric_line *line, int64_t value);

/* A gauge's value when it is larger than what it was. */
void metrics_max(struct metric_line *line, int64_t value);

/* A histogram's: it took so many microseconds. */
void metrics_observe(struct metric_line *line, int64_t us);

/* Appends all of them in Prometheus' text format 0.0.4. False when the buffer is full. */
bool metrics_text(struct buf *to);

#endif
