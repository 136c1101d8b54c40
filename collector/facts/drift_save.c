/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/drift_row.h"
#include "collector/facts/json_in.h"
#include <stdlib.h>

static void put_rows(struct json_out *j, const char *key, const struct drift_rows *rows)
{
    json_out_array(j, key);
    for (const struct drift_row *row = rows->first; row; row = row->next) {
        json_out_object(j, NULL);
        json_out_int(j, "has", row->record.has);
        json_out_int(j, "fractions", row->record.fractions);
        json_out_bool(j, "guessed", row->guessed);
        json_out_array(j, "columns");
        for (unsigned i = 0; i < CDR_COLUMNS; i++) {
            json_out_int(j, NULL, row->record.number[i]);
            if (row->record.text[i].p)
                json_out_string(j, NULL, row->record.text[i]);
            else
                json_out_null(j, NULL);
        }
        json_out_close(j, ']');
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
}

void drift_channel_json(const struct drift_channel *c, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_int(j, "until", c->until);
    json_out_int(j, "number", (int64_t)c->number);
    json_out_bool(j, "settling", c->settling);
    json_out_bool(j, "unasked", c->unasked);
    json_out_bool(j, "blind", c->blind);
    put_rows(j, "ours", &c->ours);
    put_rows(j, "theirs", &c->theirs);
    json_out_close(j, '}');
}

void drift_json(const struct drift *d, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_int(j, "since", d->since);
    json_out_bool(j, "sees", d->sees);
    json_out_bool(j, "zone_known", d->zone_known);
    json_out_int(j, "zone", d->zone);
    json_out_close(j, '}');
}

static struct drift_row *read_row(const json_t *o)
{
    const json_t *columns = json_object_get(o, "columns");
    struct cdr_record record = {.has = (unsigned)json_in_int(o, "has"),
                                .fractions = (unsigned)json_in_int(o, "fractions")};
    if (json_array_size(columns) != (size_t)CDR_COLUMNS * 2)
        return NULL;
    for (size_t i = 0; i < CDR_COLUMNS; i++) {
        const json_t *text = json_array_get(columns, i * 2 + 1);
        record.number[i] = json_integer_value(json_array_get(columns, i * 2));
        record.text[i] = json_in_string(text);
    }
    struct drift_row *row = drift_row_new(&record);
    if (row)
        row->guessed = json_in_bool(o, "guessed");
    return row;
}

static bool read_rows(const json_t *array, struct drift_rows *rows)
{
    for (size_t i = 0; i < json_array_size(array) && i < DRIFT_ROWS_MAX; i++) {
        struct drift_row *row = read_row(json_array_get(array, i));
        if (!row)
            return false;
        drift_rows_add(rows, row);
    }
    return json_is_array(array);
}

static bool take(struct drift *d, struct drift_channel *c, const json_t *o)
{
    c->saved = (struct saved){.kind = SAVED_DRIFT_CHANNEL, .list = d->saved.list, .stored = true};
    c->until = json_in_int(o, "until");
    c->number = (uint64_t)json_in_int(o, "number");
    c->settling = json_in_bool(o, "settling");
    c->unasked = json_in_bool(o, "unasked");
    c->blind = json_in_bool(o, "blind");
    return read_rows(json_object_get(o, "ours"), &c->ours) &&
           read_rows(json_object_get(o, "theirs"), &c->theirs) && c->until &&
           table_add(&d->by_uniqueid, c);
}

bool drift_channel_restore(struct drift *d, struct slice uniqueid, struct slice body)
{
    json_t *o = json_in_object(body);
    struct drift_channel *c = memory_zeroed(1, sizeof(*c));
    bool good = o && c && uniqueid.n && !table_find(&d->by_uniqueid, uniqueid) &&
                text_set(&c->uniqueid, uniqueid) && take(d, c, o);
    if (c && !good) {
        drift_rows_free(&c->ours);
        drift_rows_free(&c->theirs);
        free(c->uniqueid);
        free(c);
    }
    json_decref(o);
    return good;
}

bool drift_restore(struct drift *d, struct slice body)
{
    json_t *o = json_in_object(body);
    d->saved.stored = true;
    d->since = json_in_int(o, "since");
    d->sees = json_in_bool(o, "sees");
    d->zone_known = json_in_bool(o, "zone_known");
    d->zone = json_in_int(o, "zone");
    json_decref(o);
    return o != NULL;
}
