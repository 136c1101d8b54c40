/* SPDX-License-Identifier: MIT */
#include "collector/commands/explain_rows.h"

#include <stdlib.h>
#include <string.h>

struct reason {
    const char *word, *event, *sentence;
};

static const struct reason opened[] = {
#define CDR_OPENED(id, word, event, sentence) {word, event, sentence},
#include "schemas/cdr_reasons.def"
    {NULL, "", "an older amitap did not keep why"}};

static const struct reason closed[] = {
#define CDR_CLOSED(id, word, event, sentence) {word, event, sentence},
#include "schemas/cdr_reasons.def"
    {NULL, "", "an older amitap did not keep why"}};

static const struct reason dropped[] = {
#define CDR_DROPPED(id, word, sentence) {word, "Hangup", sentence},
#include "schemas/cdr_reasons.def"
    {NULL, "", ""}};

static const struct reason *find(const struct reason *reasons, const char *word)
{
    while (reasons->word && (!word || strcmp(reasons->word, word) != 0))
        reasons++;
    return reasons;
}

static const char *of(const json_t *record, const char *field)
{
    const char *text = explain_text(record, field);
    return text ? text : "";
}

static bool is_kind(const json_t *record, const char *kind)
{
    return strcmp(of(record, "kind"), kind) == 0;
}

/* "ANSWERED, 6.009 s billed, with PJSIP/110-12, Dial(PJSIP/110,20)". */
static const char *row_text(struct explain_telling *t, const json_t *r)
{
    char name[TIMELINE_NAME_SIZE];
    const char *b = of(r, "dstchannel");
    const char *with = *b ? explain_say(t, ", with %s", timeline_short_name(b, name)) : "";
    const char *application = of(r, "lastapp");
    const char *ran =
        *application ? explain_say(t, ", %s(%s)", application, of(r, "lastdata")) : "";
    return explain_say(t, "%s, %.3f s billed%s%s", of(r, "disposition"),
                       explain_number(r, "billsec"), with, ran);
}

static void tell_dropped(struct explain_telling *t, const json_t *r)
{
    const struct reason *why = find(dropped, explain_text(r, "reason"));
    explain_line(t, r,
                 (struct timeline_line){
                     .rank = TIMELINE_GOES_ON,
                     .rule = "cdr_dropped",
                     .event = why->event,
                     .what = explain_say(t, "a CDR row is not written: %s", row_text(t, r)),
                     .why = why->sentence});
}

static void tell_row(struct explain_telling *t, const json_t *r, unsigned number)
{
    const struct reason *begun = find(opened, explain_text(r, "opened_because"));
    const struct reason *ended = find(closed, explain_text(r, "closed_because"));
    struct timeline_line line = {.time = explain_time(r, "start"),
                                 .rank = TIMELINE_GOES_ON,
                                 .rule = "cdr_begins",
                                 .event = begun->event,
                                 .what = explain_say(t, "CDR row %u begins", number),
                                 .why = begun->sentence};
    explain_line(t, r, line);
    line = (struct timeline_line){.time = explain_time(r, "end"),
                                  .rank = TIMELINE_ROW_ENDS,
                                  .rule = "cdr_ends",
                                  .event = ended->event,
                                  .what =
                                      explain_say(t, "CDR row %u ends: %s", number, row_text(t, r)),
                                  .why = ended->sentence};
    explain_line(t, r, line);
    if (!json_array_size(json_object_get(r, "guessed")))
        return;
    line.rule = "cdr_guessed";
    line.event = "";
    line.what = explain_say(t, "CDR row %u: lastdata is guessed: %s", number, of(r, "lastdata"));
    line.why = "reached by a transfer, a redirect or from parking: AMI does not show the arguments "
               "there, they are those of another call";
    explain_line(t, r, line);
}

/* Rows that began at one moment stay in the order in which they were written. */
static int by_start(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    int order = strcmp(of(*x, "start"), of(*y, "start"));
    order = order ? order : strcmp(of(*x, "time"), of(*y, "time"));
    return order ? order : strcmp(of(*x, "id"), of(*y, "id"));
}

void explain_rows(struct explain_telling *t, const json_t *records)
{
    const json_t **rows = calloc(json_array_size(records) + 1, sizeof(const json_t *));
    size_t count = 0;
    unsigned number = 0;
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        if (rows && is_kind(record, "cdr"))
            rows[count++] = record;
    }
    if (count)
        qsort(rows, count, sizeof(const json_t *), by_start);
    for (size_t i = 0; i < count; i++) {
        t->used = 0;
        if (explain_text(rows[i], "reason"))
            tell_dropped(t, rows[i]);
        else
            tell_row(t, rows[i], ++number);
    }
    t->timeline->failed |= !rows;
    free(rows);
}

static const struct {
    const char *outcome, *what, *why;
} outcomes[] = {
    {"abandoned", "hangs up while waiting", "it left the queue without an agent and QUEUESTATUS"},
    {"short_abandon", "hangs up soon after joining",
     "it left the queue without an agent and QUEUESTATUS, sooner than short_abandon"},
    {"timeout", "has waited too long", "QUEUESTATUS is TIMEOUT"},
    {"leave_empty", "leaves: nobody there to answer", "QUEUESTATUS is LEAVEEMPTY or LEAVEUNAVAIL"},
    {"exit_key", "leaves by a key", "it left the queue without an agent, and the dialplan goes on"},
    {"withdrawn", "was withdrawn", "QUEUESTATUS is WITHDRAW"},
    {"blocked_full", "is not let in: full", "QUEUESTATUS is FULL, and it never joined"},
    {"blocked_empty", "is not let in: nobody there to answer",
     "QUEUESTATUS is JOINEMPTY or JOINUNAVAIL, and it never joined"},
    {"lost_sight", "is gone", "its end was not seen: it is in no list any more"},
};

static void tell_visit_end(struct explain_telling *t, const json_t *r, struct timeline_line line)
{
    const char *by = explain_text(r, "ended_by");
    line.event = explain_text(r, "cause_event");
    line.time = explain_time(r, "end");
    line.rank = TIMELINE_GOES_ON;
    line.rule = "queue_ended";
    if (strcmp(of(r, "outcome"), "answered") == 0) {
        line.what =
            explain_say(t, "queue %s: with %s for %.3f s, ended by %s", of(r, "queue"),
                        of(r, "member"), explain_number(r, "talk_seconds"), by ? by : "somebody");
        line.why = "the queue says who hung up first, or that the caller was transferred";
    }
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (strcmp(outcomes[i].outcome, of(r, "outcome")) != 0)
            continue;
        line.what = explain_say(t, "queue %s: %s, after %.3f s", of(r, "queue"), outcomes[i].what,
                                explain_number(r, "wait_seconds"));
        line.why = outcomes[i].why;
    }
    if (line.what)
        explain_line(t, r, line);
}

void explain_visit(struct explain_telling *t, const json_t *r)
{
    int64_t joined = explain_time(r, "joined");
    double wait = explain_number(r, "wait_seconds");
    struct timeline_line line = {.who = explain_channel(t, r)};
    if (joined) {
        line.time = joined;
        line.rank = TIMELINE_GOES_ON;
        line.rule = "queue_joined";
        line.event = "QueueCallerJoin";
        line.what = explain_say(t, "queue %s: waits at position %.0f", of(r, "queue"),
                                explain_number(r, "position"));
        line.why = "the wait begins";
        explain_line(t, r, line);
    }
    if (joined && explain_text(r, "member")) {
        line.time = joined + (int64_t)(wait * 1e6 + 0.5);
        line.rule = "queue_connected";
        line.event = "AgentConnect";
        line.what = explain_say(t, "queue %s: %s takes the call after %.3f s", of(r, "queue"),
                                of(r, "member"), wait);
        line.why = "the wait ends";
        explain_line(t, r, line);
    }
    line.what = NULL;
    tell_visit_end(t, r, line);
}

void explain_queue_line(struct explain_telling *t, const json_t *r)
{
    bool canceled = strcmp(of(r, "event"), "RINGCANCELED") == 0;
    if (!canceled && strcmp(of(r, "event"), "RINGNOANSWER") != 0)
        return;
    const char *ms = json_string_value(json_array_get(json_object_get(r, "args"), 0));
    explain_line(t, r,
                 (struct timeline_line){
                     .rank = TIMELINE_GOES_ON,
                     .rule = canceled ? "ring_canceled" : "ring_no_answer",
                     .who = explain_text(r, "agent"),
                     .what = explain_say(t, "queue %s: rang %.1f s without an answer",
                                         of(r, "queue"), (ms ? strtod(ms, NULL) : 0) / 1000),
                     .why = canceled ? "the caller left while the phone rang"
                                     : "the queue gave up on this phone"});
}
