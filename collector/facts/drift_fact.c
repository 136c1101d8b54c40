/* SPDX-License-Identifier: MIT */
#include "collector/facts/drift_fact.h"

static struct slice text_of(const struct drift_row *row, enum cdr_column column)
{
    return row ? row->record.text[column] : (struct slice){NULL, 0};
}

static void put_columns(struct fact_builder *f, unsigned columns)
{
    fact_open_array(f, FIELD_COLUMNS);
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        if (columns & CDR_COLUMN_BIT(i))
            fact_put_string(f, FIELD_COLUMNS, slice_from(cdr_column_name((enum cdr_column)i)));
    }
    fact_close(f);
}

/* A column of ours; one that could not be known is null. */
static void put_ours(struct fact_builder *f, const struct cdr_record *r, enum cdr_column column)
{
    enum fact_field field = cdr_column_field(column);
    unsigned bit = CDR_COLUMN_BIT(column);
    if (!(r->has & bit))
        fact_put_null(f, field);
    else if (bit & CDR_COLUMN_TIMES)
        fact_put_time(f, field, r->number[column]);
    else if (bit & CDR_COLUMN_SPANS)
        fact_put_seconds(f, field, r->number[column]);
    else
        fact_put_string(f, field, r->text[column]);
}

static void put_row(struct fact_builder *f, enum fact_field side, const struct drift_row *row)
{
    if (!row) {
        fact_put_null(f, side);
        return;
    }
    fact_open_object(f, side);
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        enum cdr_column column = (enum cdr_column)i;
        if (side == FIELD_DERIVED)
            put_ours(f, &row->record, column);
        else if (row->record.text[i].p)
            fact_put_string(f, cdr_column_field(column), row->record.text[i]);
    }
    fact_close(f);
}

struct emit_about drift_fact_about(const struct drift_about *about)
{
    return (struct emit_about){.kind = FACT_DRIFT,
                               .subject = about->queue,
                               .word = about->interface.n ? about->interface : about->what,
                               .flags = FACT_IS_TAP};
}

struct fact_builder *drift_fact_begin(struct emitter *e, const struct drift_about *about,
                                      const struct emit_about *fact)
{
    struct fact_builder *f = emit_begin(e, fact);
    fact_put_string(f, FIELD_WHAT, about->what);
    fact_put_null(f, FIELD_UNIQUEID);
    fact_put_null(f, FIELD_LINKEDID);
    fact_put_string(f, FIELD_QUEUE, about->queue);
    fact_put_known(f, FIELD_INTERFACE, about->interface);
    return f;
}

void drift_fact_cdr(struct emitter *e, const struct drift_row *ours, const struct drift_row *theirs,
                    unsigned columns)
{
    struct slice uniqueid = text_of(ours ? ours : theirs, CDR_COLUMN_UNIQUEID);
    struct emit_about about = {
        .kind = FACT_DRIFT, .subject = uniqueid, .word = SLICE("cdr"), .flags = FACT_IS_TAP};
    bool from_list = e->from_list;
    e->from_list = false;
    struct fact_builder *f = emit_begin(e, &about);
    fact_put_string(f, FIELD_WHAT, SLICE("cdr"));
    fact_put_string(f, FIELD_UNIQUEID, uniqueid);
    fact_put_known(f, FIELD_LINKEDID, text_of(ours ? ours : theirs, CDR_COLUMN_LINKEDID));
    fact_put_null(f, FIELD_QUEUE);
    fact_put_null(f, FIELD_INTERFACE);
    put_columns(f, columns);
    put_row(f, FIELD_DERIVED, ours);
    put_row(f, FIELD_ASTERISK, theirs);
    if (ours && ours->guessed) {
        fact_open_array(f, FIELD_GUESSED);
        fact_put_string(f, FIELD_GUESSED, SLICE("lastdata"));
        fact_close(f);
    }
    emit_end(e);
    e->from_list = from_list;
}
