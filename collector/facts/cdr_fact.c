/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr_fact.h"

#include "collector/facts/cdr_chain.h"
#include "collector/facts/handoff.h"
#include <stdio.h>

/* AST_MAX_EXTENSION: what Asterisk's CDR keeps of clid and src. */
#define CDR_TEXT_MAX 79u

/* "name" <number>, with quotes and backslashes of the name escaped, cut as Asterisk cuts it. */
static struct slice clid(const struct cdr_row *row, char *text, size_t size)
{
    struct slice name = snapshot_text(row->a, SNAPSHOT_CALLER_NAME);
    struct slice number = snapshot_text(row->a, SNAPSHOT_CALLER_NUMBER);
    size_t n = 0;
    text[n++] = '"';
    for (size_t i = 0; i < name.n && n + 3 < size; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\')
            text[n++] = '\\';
        text[n++] = name.p[i];
    }
    n += (size_t)snprintf(text + n, size - n, "\" <%.*s>", (int)slice_head(number, CDR_TEXT_MAX).n,
                          number.n ? number.p : "");
    return slice_head((struct slice){text, n < size ? n : size - 1}, CDR_TEXT_MAX);
}

static struct slice userfield(const struct cdr_row *row, char *text, size_t size)
{
    if (!row->userfield_b)
        return slice_from(row->userfield_a);
    int n =
        snprintf(text, size, "%s;%s", row->userfield_a ? row->userfield_a : "", row->userfield_b);
    return slice_head((struct slice){text, (size_t)n}, size - 1);
}

static const char *amaflags(const struct snapshot *a)
{
    static const char *const names[] = {[SNAPSHOT_AMA_DOCUMENTATION] = "DOCUMENTATION",
                                        [SNAPSHOT_AMA_OMIT] = "OMIT",
                                        [SNAPSHOT_AMA_BILLING] = "BILLING"};
    return names[snapshot_values(a).ama];
}

/* What the channel did until its end may be the row's, or nobody's. */
static bool may_be_over(const struct cdr_row *row)
{
    return row->flags & CDR_MAY_BE_OVER;
}

/* Whether a place that a list showed may not be the row's: it was over by then, or the place is one
 * inside a subroutine, which "s" commonly is, and the row has that from where it was called. */
static bool may_be_elsewhere(const struct cdr_row *row)
{
    const struct channel *channel = row->chain->channel;
    if (may_be_over(row))
        return true;
    return channel->born_unseen && snapshot_same_place(row->place, channel->birth) &&
           slice_is(snapshot_text(row->place, SNAPSHOT_EXTEN), "s");
}

static void put_parties(struct fact_builder *f, const struct cdr_row *row)
{
    char text[256];
    fact_put_string(f, FIELD_CLID, clid(row, text, sizeof(text)));
    fact_put_string(f, FIELD_SRC,
                    slice_head(snapshot_text(row->a, SNAPSHOT_CALLER_NUMBER), CDR_TEXT_MAX));
    if (may_be_elsewhere(row)) {
        fact_put_null(f, FIELD_DST);
        fact_put_null(f, FIELD_DCONTEXT);
    } else {
        fact_put_string(f, FIELD_DST, snapshot_text(row->place, SNAPSHOT_EXTEN));
        fact_put_string(f, FIELD_DCONTEXT, snapshot_text(row->place, SNAPSHOT_CONTEXT));
    }
    fact_put_string(f, FIELD_CHANNEL, snapshot_text(row->a, SNAPSHOT_NAME));
}

static struct slice application_text(const struct cdr_row *row, enum snapshot_text which)
{
    return row->application ? snapshot_text(row->application, which) : SLICE("");
}

static void put_application(struct fact_builder *f, const struct cdr_row *row, bool dialplan,
                            bool agi)
{
    unsigned flags = row->application ? snapshot_flags(row->application) : 0;
    bool guessed = flags & SNAPSHOT_DATA_GUESSED;
    /* What an AGI executes is the row's, and only the class agi shows it. */
    if (!dialplan || may_be_over(row) ||
        (!agi && handoff_is_agi(application_text(row, SNAPSHOT_APPLICATION)))) {
        fact_put_null(f, FIELD_LASTAPP);
        fact_put_null(f, FIELD_LASTDATA);
        return;
    }
    fact_put_string(f, FIELD_LASTAPP, application_text(row, SNAPSHOT_APPLICATION));
    if ((flags & SNAPSHOT_DATA_MISSING) && !guessed)
        fact_put_null(f, FIELD_LASTDATA);
    else
        fact_put_string(f, FIELD_LASTDATA, application_text(row, SNAPSHOT_APPDATA));
    if (!guessed)
        return;
    fact_open_array(f, FIELD_GUESSED);
    fact_put_string(f, FIELD_NAME, SLICE("lastdata"));
    fact_close(f);
}

static void put_times(struct fact_builder *f, const struct cdr_row *row,
                      const struct cdr_options *options)
{
    int64_t billsec = row->answer && row->end > row->answer ? row->end - row->answer : 0;
    if (options->initiatedseconds && billsec % 1000000 >= 500000)
        billsec += 1000000 - billsec % 1000000;
    bool ended = !may_be_over(row);
    bool begun = ended && !(row->flags & CDR_BEGUN_UNSEEN);
    bool answered = ended && !(row->flags & CDR_ANSWERED_UNSEEN);
    fact_put_time(f, FIELD_START, begun ? row->start : 0);
    fact_put_time(f, FIELD_ANSWER, answered ? row->answer : 0);
    fact_put_time(f, FIELD_END, ended ? row->end : 0);
    if (begun)
        fact_put_seconds(f, FIELD_DURATION, row->end > row->start ? row->end - row->start : 0);
    else
        fact_put_null(f, FIELD_DURATION);
    if (answered)
        fact_put_seconds(f, FIELD_BILLSEC, billsec);
    else
        fact_put_null(f, FIELD_BILLSEC);
}

static void put_party_b(struct fact_builder *f, const struct cdr_row *row)
{
    if (may_be_over(row)) {
        fact_put_null(f, FIELD_DSTCHANNEL);
        fact_put_null(f, FIELD_PEERACCOUNT);
        fact_put_null(f, FIELD_DISPOSITION);
        return;
    }
    fact_put_string(f, FIELD_DSTCHANNEL, row->b ? snapshot_text(row->b, SNAPSHOT_NAME) : SLICE(""));
    fact_put_string(f, FIELD_PEERACCOUNT,
                    row->b ? snapshot_text(row->b, SNAPSHOT_ACCOUNTCODE) : SLICE(""));
    /* What an attempt came to that ended unseen is not known. */
    if ((row->end_latest && row->disposition != CDR_ANSWERED) || (row->flags & CDR_CAUSE_UNSEEN))
        fact_put_null(f, FIELD_DISPOSITION);
    else
        fact_put_string(f, FIELD_DISPOSITION, slice_from(cdr_disposition_name(row->disposition)));
}

/* What the dialplan may have set before the tap joined is not known; what it set since is. */
static void put_marks(struct fact_builder *f, const struct cdr_row *row, bool dialplan)
{
    char text[2048];
    bool born_unseen = row->chain->channel->born_unseen;
    if (!dialplan || (born_unseen && !row->userfield_a))
        fact_put_null(f, FIELD_USERFIELD);
    else
        fact_put_string(f, FIELD_USERFIELD, userfield(row, text, sizeof(text)));
    if (born_unseen && snapshot_values(row->a).ama == SNAPSHOT_AMA_DOCUMENTATION)
        fact_put_null(f, FIELD_AMAFLAGS);
    else
        fact_put_string(f, FIELD_AMAFLAGS, slice_from(amaflags(row->a)));
}

static void put_reasons(struct fact_builder *f, const struct cdr_row *row, enum cdr_dropped dropped)
{
    static const char *const opened[CDR_OPENED_COUNT] = {
#define CDR_OPENED(id, word, event, sentence) [CDR_OPENED_##id] = word,
#include "schemas/cdr_reasons.def"
    };
    static const char *const closed[CDR_CLOSED_COUNT] = {
#define CDR_CLOSED(id, word, event, sentence) [CDR_CLOSED_##id] = word,
#include "schemas/cdr_reasons.def"
    };
    static const char *const reasons[CDR_DROPPED_COUNT] = {
#define CDR_DROPPED(id, word, sentence) [CDR_DROPPED_##id] = word,
#include "schemas/cdr_reasons.def"
    };
    fact_put_known(f, FIELD_OPENED_BECAUSE,
                   slice_from(row->flags & CDR_BEGUN_UNSEEN ? NULL : opened[row->opened]));
    fact_put_known(f, FIELD_CLOSED_BECAUSE,
                   slice_from(may_be_over(row) ? NULL : closed[row->closed]));
    if (dropped)
        fact_put_string(f, FIELD_REASON, slice_from(reasons[dropped]));
}

void cdr_fact(struct emitter *e, const struct cdr_row *row, const struct cdr_sight *sight,
              uint64_t *sequence)
{
    struct slice uniqueid = snapshot_text(row->a, SNAPSHOT_UNIQUEID);
    const struct channel *channel = row->chain->channel;
    bool inferred = channel->from_snapshot || channel->blind || (row->flags & CDR_CONCLUDED);
    struct emit_about about = {.kind = FACT_CDR,
                               .subject = uniqueid,
                               .key = snapshot_text(channel->birth, SNAPSHOT_LINKEDID),
                               .flags = inferred ? FACT_IS_INFERRED : 0,
                               .sequence = sequence};
    struct fact_builder *f = emit_begin(e, &about);
    put_parties(f, row);
    put_application(f, row, sight->dialplan, e->agi != EMIT_SIGHT_MISSING);
    put_times(f, row, sight->options);
    put_party_b(f, row);
    put_marks(f, row, sight->dialplan);
    fact_put_string(f, FIELD_ACCOUNTCODE, snapshot_text(row->a, SNAPSHOT_ACCOUNTCODE));
    fact_put_string(f, FIELD_UNIQUEID, uniqueid);
    fact_put_string(f, FIELD_LINKEDID, snapshot_text(row->linked, SNAPSHOT_LINKEDID));
    put_reasons(f, row, sight->dropped);
    emit_put_unseen_end(f, row->end, row->end_latest);
    fact_put_known(f, FIELD_RECORDING, sight->recording);
    emit_end(e);
}
