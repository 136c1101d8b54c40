/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_CSV_H
#define PARSERS_CSV_H

#include "parsers/slice.h"

/* Comma-separated values as Asterisk's cdr_csv and cdr_custom write them: fields in double quotes
 * with quotes doubled, or plain; a quoted field may hold line ends. */

#define CSV_FIELDS_MAX 64u

struct csv_record {
    unsigned count; /* of fields; those past CSV_FIELDS_MAX are counted and left out */
    struct slice field[CSV_FIELDS_MAX];
};

enum csv_result {
    CSV_RECORD,
    CSV_MORE, /* the text ends within the record */
    CSV_BAD   /* the text is the last and ends within quotes */
};

/* Reads the record that the text begins with. Fields lie in the text, or, where quotes were undone,
 * in scratch, which has room for text.n bytes. last: no more text will come. *ret_n is how many
 * bytes the record has with its line end; of a bad one those of its first line. */
enum csv_result csv_read(struct slice text, bool last, char *scratch, struct csv_record *ret_record,
                         size_t *ret_n);

#endif
