/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr_compare.h"

#include "parsers/ami_text.h"
#include <stdlib.h>
#include <time.h>

#define SECOND 1000000
/* How much later than it happened AMI may write an event, and how much two clocks of one machine
 * may be apart. */
#define LATE        (SECOND / 10)
#define ZONE_STEP   900
#define ZONE_MAX    (15 * 3600)
#define TIME_DIGITS 19

static const struct {
    const char *name;
    enum fact_field field;
} columns[CDR_COLUMNS] = {
#define CDR_COLUMN(id, name) {name, FIELD_##id},
    CDR_COLUMN_LIST(CDR_COLUMN)
#undef CDR_COLUMN
};

/* What cdr_manager calls them; linkedid and peeraccount stand there by mapping only. */
static const enum ami_header_id headers[CDR_COLUMNS] = {
    [CDR_COLUMN_CLID] = AMI_HEADER_CALLERID,
    [CDR_COLUMN_SRC] = AMI_HEADER_SOURCE,
    [CDR_COLUMN_DST] = AMI_HEADER_DESTINATION,
    [CDR_COLUMN_DCONTEXT] = AMI_HEADER_DESTINATIONCONTEXT,
    [CDR_COLUMN_CHANNEL] = AMI_HEADER_CHANNEL,
    [CDR_COLUMN_DSTCHANNEL] = AMI_HEADER_DESTINATIONCHANNEL,
    [CDR_COLUMN_LASTAPP] = AMI_HEADER_LASTAPPLICATION,
    [CDR_COLUMN_LASTDATA] = AMI_HEADER_LASTDATA,
    [CDR_COLUMN_START] = AMI_HEADER_STARTTIME,
    [CDR_COLUMN_ANSWER] = AMI_HEADER_ANSWERTIME,
    [CDR_COLUMN_END] = AMI_HEADER_ENDTIME,
    [CDR_COLUMN_DURATION] = AMI_HEADER_DURATION,
    [CDR_COLUMN_BILLSEC] = AMI_HEADER_BILLABLESECONDS,
    [CDR_COLUMN_DISPOSITION] = AMI_HEADER_DISPOSITION,
    [CDR_COLUMN_AMAFLAGS] = AMI_HEADER_AMAFLAGS,
    [CDR_COLUMN_ACCOUNTCODE] = AMI_HEADER_ACCOUNTCODE,
    [CDR_COLUMN_PEERACCOUNT] = AMI_HEADER_PEERACCOUNT,
    [CDR_COLUMN_UNIQUEID] = AMI_HEADER_UNIQUEID,
    [CDR_COLUMN_LINKEDID] = AMI_HEADER_LINKEDID,
    [CDR_COLUMN_USERFIELD] = AMI_HEADER_USERFIELD,
};

static bool is_in(unsigned set, enum cdr_column column)
{
    return set & CDR_COLUMN_BIT(column);
}

const char *cdr_column_name(enum cdr_column column)
{
    return columns[column].name;
}

enum cdr_column cdr_column_by_name(struct slice name)
{
    unsigned i = 0;
    while (i < CDR_COLUMNS && !slice_is(name, columns[i].name))
        i++;
    return (enum cdr_column)i;
}

enum fact_field cdr_column_field(enum cdr_column column)
{
    return columns[column].field;
}

void cdr_record_of_fact(struct slice fact, struct cdr_record *ret_record)
{
    *ret_record = (struct cdr_record){.fractions = CDR_COLUMN_SPANS};
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        bool has = fact_find(fact, columns[i].field, &ret_record->text[i], &ret_record->number[i]);
        if (has || i == CDR_COLUMN_ANSWER)
            ret_record->has |= CDR_COLUMN_BIT(i);
    }
}

/* "2026-11-20 23:57:51" as if the clock were UTC; 0 for an empty text. */
static bool read_time(struct slice text, int64_t *ret_us)
{
    char copy[TIME_DIGITS + 1];
    struct tm tm = {0};
    *ret_us = 0;
    if (text.n == 0)
        return true;
    if (text.n < TIME_DIGITS)
        return false;
    memcpy(copy, text.p, TIME_DIGITS);
    copy[TIME_DIGITS] = 0;
    const char *end = strptime(copy, "%Y-%m-%d %H:%M:%S", &tm);
    if (!end || *end)
        return false;
    *ret_us = (int64_t)timegm(&tm) * SECOND;
    return true;
}

static bool read_span(struct cdr_record *record, enum cdr_column column, struct slice text)
{
    uint32_t whole = 0;
    const char *point = text.n ? memchr(text.p, '.', text.n) : NULL;
    if (point) {
        record->fractions |= CDR_COLUMN_BIT(column);
        return ami_text_time(text, &record->number[column]);
    }
    record->fractions &= ~CDR_COLUMN_BIT(column);
    if (text.n && !ami_text_unsigned(text, &whole))
        return false;
    record->number[column] = (int64_t)whole * SECOND;
    return true;
}

/* ${CDR(amaflags,u)} is the number. */
static struct slice ama_word(struct slice text)
{
    static const char *const words[] = {"0", "OMIT", "BILLING", "DOCUMENTATION"};
    bool digit = text.n == 1 && text.p[0] >= '1' && text.p[0] <= '3';
    return digit ? slice_from(words[text.p[0] - '0']) : text;
}

bool cdr_record_set(struct cdr_record *record, enum cdr_column column, struct slice text)
{
    bool good = true;
    if (is_in(CDR_COLUMN_TIMES, column))
        good = read_time(text, &record->number[column]);
    else if (is_in(CDR_COLUMN_SPANS, column))
        good = read_span(record, column, text);
    record->text[column] = column == CDR_COLUMN_AMAFLAGS ? ama_word(text) : text;
    if (good)
        record->has |= CDR_COLUMN_BIT(column);
    else
        record->has &= ~CDR_COLUMN_BIT(column);
    return good;
}

void cdr_record_of_event(const struct ami_message *m, struct cdr_record *ret_record)
{
    *ret_record = (struct cdr_record){0};
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        if (ami_message_has(m, headers[i]))
            cdr_record_set(ret_record, (enum cdr_column)i, ami_message_get(m, headers[i]));
    }
}

bool cdr_same_time(int64_t ours, int64_t asterisk)
{
    if (!ours || !asterisk)
        return !ours && !asterisk;
    return ours - asterisk >= -LATE && ours - asterisk <= SECOND + LATE;
}

static bool same_span(const struct cdr_record *ours, const struct cdr_record *asterisk,
                      enum cdr_column column, int64_t early)
{
    int64_t more = ours->number[column] - asterisk->number[column];
    /* A whole second on our side was cut by Asterisk too (an imported row). */
    bool cut = !is_in(asterisk->fractions, column);
    return more >= -early && more <= (cut ? SECOND + LATE : LATE);
}

/* AMI ends a value at the line's end, and readers of AMI and of CSV lose blanks around it. */
static struct slice bare(struct slice text)
{
    const char *end = text.n ? memchr(text.p, '\n', text.n) : NULL;
    if (end)
        text.n = (size_t)(end - text.p);
    while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\r'))
        text.n--;
    while (text.n && text.p[0] == ' ')
        text = slice_from_offset(text, 1);
    return text;
}

static bool is_same(const struct cdr_record *ours, const struct cdr_record *asterisk,
                    enum cdr_column column, bool rounds)
{
    if (is_in(CDR_COLUMN_TIMES, column))
        return cdr_same_time(ours->number[column], asterisk->number[column]);
    if (is_in(CDR_COLUMN_SPANS, column))
        return same_span(ours, asterisk, column,
                         rounds && column == CDR_COLUMN_BILLSEC ? SECOND / 2 + LATE : LATE);
    return slice_equal(bare(ours->text[column]), bare(asterisk->text[column]));
}

unsigned cdr_differences(const struct cdr_record *ours, const struct cdr_record *asterisk,
                         bool rounds)
{
    unsigned both = ours->has & asterisk->has, found = 0;
    for (unsigned i = 0; i < CDR_COLUMNS; i++) {
        if (is_in(both, (enum cdr_column)i) && !is_same(ours, asterisk, (enum cdr_column)i, rounds))
            found |= CDR_COLUMN_BIT(i);
    }
    return found;
}

bool cdr_zone(int64_t ours, int64_t asterisk, int64_t *ret_seconds)
{
    if (!ours || !asterisk)
        return false;
    /* Asterisk's is cut by half a second on average. */
    int64_t apart = asterisk - ours + SECOND / 2, step = (int64_t)ZONE_STEP * SECOND;
    int64_t steps = (apart + (apart < 0 ? -step / 2 : step / 2)) / step;
    int64_t seconds = steps * ZONE_STEP;
    if (llabs(seconds) > ZONE_MAX || !cdr_same_time(ours + seconds * SECOND, asterisk))
        return false;
    *ret_seconds = seconds;
    return true;
}
