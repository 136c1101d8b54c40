/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_DRIFT_ROW_H
#define COLLECTOR_FACTS_DRIFT_ROW_H

#include "collector/facts/drift.h"

/* A row with copies of the record's texts, to be freed with free(). NULL when memory is short. */
struct drift_row *drift_row_new(const struct cdr_record *record);

/* Appends; the rows own it. */
void drift_rows_add(struct drift_rows *rows, struct drift_row *row);
/* Frees the rows. */
void drift_rows_free(struct drift_rows *rows);
/* Their addresses in order; the array has room for DRIFT_ROWS_MAX. */
void drift_rows_array(const struct drift_rows *rows, struct drift_row **ret_array);

#endif
