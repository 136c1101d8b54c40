/* SPDX-License-Identifier: MIT */
#include "collector/facts/drift_row.h"

#include "collector/base/memory.h"
#include <stdlib.h>

struct drift_row *drift_row_new(const struct cdr_record *record)
{
    size_t n = 0;
    for (unsigned i = 0; i < CDR_COLUMNS; i++)
        n += record->text[i].n;
    struct drift_row *row = memory_zeroed(1, sizeof(*row) + n);
    if (!row)
        return NULL;
    row->record = *record;
    char *to = row->bytes;
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        struct slice *text = &row->record.text[i];
        if (text->n)
            memcpy(to, text->p, text->n);
        text->p = text->p ? to : NULL;
        to += text->n;
    }
    return row;
}

void drift_rows_add(struct drift_rows *rows, struct drift_row *row)
{
    *(rows->last ? &rows->last->next : &rows->first) = row;
    rows->last = row;
    rows->count++;
}

void drift_rows_free(struct drift_rows *rows)
{
    while (rows->first) {
        struct drift_row *next = rows->first->next;
        free(rows->first);
        rows->first = next;
    }
    *rows = (struct drift_rows){0};
}

void drift_rows_array(const struct drift_rows *rows, struct drift_row **ret_array)
{
    size_t n = 0;
    for (struct drift_row *row = rows->first; row && n < DRIFT_ROWS_MAX; row = row->next)
        ret_array[n++] = row;
}
