/* SPDX-License-Identifier: MIT */
#include "collector/commands/explain_words.h"

#include "collector/base/rfc3339.h"
#include "collector/commands/explain_rows.h"
#include <stdarg.h>
#include <string.h>

const char *explain_text(const json_t *record, const char *field)
{
    return json_string_value(json_object_get(record, field));
}

double explain_number(const json_t *record, const char *field)
{
    return json_number_value(json_object_get(record, field));
}

int64_t explain_time(const json_t *record, const char *field)
{
    int64_t us = 0;
    rfc3339_read(slice_from(explain_text(record, field)), &us);
    return us;
}

const char *explain_say(struct explain_telling *t, const char *format, ...)
{
    char *to = t->texts + t->used;
    if (t->used + EXPLAIN_TEXT_MAX > sizeof(t->texts))
        return "";
    va_list args;
    va_start(args, format);
    vsnprintf(to, EXPLAIN_TEXT_MAX, format, args);
    va_end(args);
    t->used += strlen(to) + 1;
    return to;
}

void explain_line(struct explain_telling *t, const json_t *record, struct timeline_line line)
{
    if (!line.time)
        line.time = explain_time(record, "time");
    if (!line.event)
        line.event = explain_text(record, "cause_event");
    if (!line.who)
        line.who = explain_text(record, "channel");
    timeline_add(t->timeline, &line);
}

const char *explain_channel(const struct explain_telling *t, const json_t *record)
{
    const char *uniqueid = explain_text(record, "uniqueid");
    const char *channel = uniqueid ? explain_text(t->channels, uniqueid) : NULL;
    const char *number = explain_text(record, "caller_number");
    if (channel)
        return channel;
    return number && *number ? number : uniqueid ? uniqueid : "";
}

static const char *of(const json_t *record, const char *field)
{
    const char *text = explain_text(record, field);
    return text ? text : "";
}

static const char *or_if_empty(const char *text, const char *other)
{
    return text && *text ? text : other;
}

static const char *short_of(const json_t *record, const char *field, char *name)
{
    return timeline_short_name(of(record, field), name);
}

#define SHORT(record, field) short_of(record, field, (char[TIMELINE_NAME_SIZE]){0})

static void tell_started(struct explain_telling *t, const json_t *r)
{
    bool inferred = json_is_true(json_object_get(r, "inferred"));
    explain_line(
        t, r,
        (struct timeline_line){
            .rank = TIMELINE_BEGINS,
            .rule = "call_started",
            .what = explain_say(t, "the call begins: \"%s\" <%s> dialled %s in %s",
                                of(r, "caller_name"), of(r, "caller_number"),
                                or_if_empty(of(r, "dialled"), "nothing"), of(r, "context")),
            .why = inferred ? "it was up when amitap came, or its begin was not seen"
                            : "the first channel with this linkedid"});
}

static void tell_ringing(struct explain_telling *t, const json_t *r)
{
    const char *queue = explain_text(r, "queue");
    explain_line(t, r,
                 (struct timeline_line){.rank = TIMELINE_GOES_ON,
                                        .rule = "call_ringing",
                                        .what = queue ? explain_say(t, "rings, for queue %s", queue)
                                                      : "rings",
                                        .why = "a dialed phone says that it rings"});
}

static void tell_answered(struct explain_telling *t, const json_t *r)
{
    explain_line(
        t, r,
        (struct timeline_line){.rank = TIMELINE_GOES_ON,
                               .rule = "call_answered",
                               .what = explain_say(t, "answers, %.3f s after the call began",
                                                   explain_number(r, "wait_seconds")),
                               .why = "a dialed phone took the call"});
}

static void tell_held(struct explain_telling *t, const json_t *r)
{
    explain_line(t, r,
                 (struct timeline_line){.rank = TIMELINE_GOES_ON,
                                        .rule = "call_held",
                                        .what = "puts the other party on hold",
                                        .why = "the phone asked for it"});
}

static void tell_resumed(struct explain_telling *t, const json_t *r)
{
    explain_line(t, r,
                 (struct timeline_line){
                     .rank = TIMELINE_GOES_ON,
                     .rule = "call_resumed",
                     .what = explain_say(t, "takes the other party back from hold, %.3f s",
                                         explain_number(r, "hold_seconds")),
                     .why = "the phone asked for it, or was transferred out of hold"});
}

static void tell_transferred(struct explain_telling *t, const json_t *r)
{
    const char *context = explain_text(r, "context");
    const char *to = or_if_empty(explain_text(r, "transferred_to"), "a place that was not shown");
    explain_line(t, r,
                 (struct timeline_line){
                     .rank = TIMELINE_GOES_ON,
                     .rule = "call_transferred",
                     .what = context ? explain_say(t, "transfers the call (%s) to %s in %s",
                                                   of(r, "transfer"), to, context)
                                     : explain_say(t, "transfers the call (%s) to %s",
                                                   of(r, "transfer"), to),
                     .why = "the transfer succeeded"});
}

static void tell_parked(struct explain_telling *t, const json_t *r)
{
    explain_line(
        t, r,
        (struct timeline_line){
            .rank = TIMELINE_GOES_ON,
            .rule = "call_parked",
            .what =
                explain_say(t, "is parked in %s at %s, for %.0f s at most", of(r, "parking_lot"),
                            of(r, "parking_space"), explain_number(r, "parking_timeout")),
            .why = "the parking lot took it; it may be told before the bridge it left is"});
}

static void tell_retrieved(struct explain_telling *t, const json_t *r)
{
    explain_line(
        t, r,
        (struct timeline_line){.rank = TIMELINE_GOES_ON,
                               .rule = "call_retrieved",
                               .what = explain_say(t, "is taken back from %s at %s by %s",
                                                   of(r, "parking_lot"), of(r, "parking_space"),
                                                   SHORT(r, "retrieved_by")),
                               .why = "somebody retrieved the parked call"});
}

static void tell_park_ended(struct explain_telling *t, const json_t *r)
{
    bool timeout = strcmp(of(r, "reason"), "timeout") == 0;
    explain_line(t, r,
                 (struct timeline_line){
                     .rank = TIMELINE_GOES_ON,
                     .rule = "call_park_ended",
                     .what = explain_say(t, "%s at %s in %s",
                                         timeout ? "parking timed out" : "gave up waiting",
                                         of(r, "parking_space"), of(r, "parking_lot")),
                     .why = timeout
                                ? "nobody retrieved it; it returns to who parked it, or goes on in "
                                  "the dialplan"
                                : "the parked party hung up"});
}

static void tell_picked_up(struct explain_telling *t, const json_t *r)
{
    explain_line(
        t, r,
        (struct timeline_line){
            .rank = TIMELINE_GOES_ON,
            .rule = "call_picked_up",
            .what = explain_say(t, "picks up the call that rings at %s", SHORT(r, "target")),
            .why = "names and ids stay; application, place and the dialed mark change hands"});
}

static void tell_conference(struct explain_telling *t, const json_t *r)
{
    bool joined = strcmp(of(r, "kind"), "call_conference_joined") == 0;
    explain_line(t, r,
                 (struct timeline_line){.rank = TIMELINE_GOES_ON,
                                        .rule = joined ? "conference_joined" : "conference_left",
                                        .what = explain_say(t, "%s conference %s",
                                                            joined ? "joins" : "leaves",
                                                            of(r, "conference")),
                                        .why = "the bridge is one of ConfBridge"});
}

static void tell_handed_over(struct explain_telling *t, const json_t *r)
{
    explain_line(
        t, r,
        (struct timeline_line){.rank = TIMELINE_GOES_ON,
                               .rule = "call_handed_over",
                               .what = explain_say(t, "is handed to %s: %s(%s)", of(r, "handed_to"),
                                                   of(r, "application"), of(r, "appdata")),
                               .why = "the dialplan runs an application that hands calls on"});
}

static void tell_handed_back(struct explain_telling *t, const json_t *r)
{
    bool hangup = strcmp(of(r, "reason"), "hangup") == 0;
    explain_line(
        t, r,
        (struct timeline_line){.rank = TIMELINE_GOES_ON,
                               .rule = "call_handed_back",
                               .what = explain_say(t, "%s had it %.3f s", of(r, "handed_to"),
                                                   explain_number(r, "hand_seconds")),
                               .why = hangup ? "the channel hung up in it"
                                             : "the application is over, the dialplan goes on"});
}

static void tell_merged(struct explain_telling *t, const json_t *r)
{
    explain_line(t, r,
                 (struct timeline_line){
                     .rank = TIMELINE_GOES_ON,
                     .rule = "call_merged",
                     .who = explain_channel(t, r),
                     .what = explain_say(t, "call %s goes on as call %s", of(r, "linkedid"),
                                         of(r, "merged_into")),
                     .why = "its channel shows another linkedid: the oldest one wins when "
                            "calls are bridged"});
}

static void tell_ended(struct explain_telling *t, const json_t *r)
{
    bool hangup = strcmp(of(r, "cause_event"), "Hangup") == 0;
    bool seen = !json_is_true(json_object_get(r, "inferred"));
    const char *by = explain_text(r, "hung_up_by");
    struct timeline_line line = {.rank = TIMELINE_ENDS,
                                 .rule = "call_ended",
                                 .who = by ? by : of(r, "linkedid"),
                                 .why = "the last channel of the linkedid hung up"};
    line.what = explain_say(t, "the call ends after %.3f s, cause %.0f %s%s",
                            explain_number(r, "duration"), explain_number(r, "cause"),
                            of(r, "cause_text"), by ? "; it asked for the hang-up first" : "");
    if (seen && !hangup) {
        line.who = of(r, "linkedid");
        line.what =
            explain_say(t, "this linkedid ends after %.3f s", explain_number(r, "duration"));
        line.why = "its last channel moved to another call";
    } else if (!seen) {
        line.why = "its end was not seen: it is in no list any more";
    }
    explain_line(t, r, line);
}

static void tell_talk(struct explain_telling *t, const json_t *call, const json_t *talk)
{
    char name[TIMELINE_NAME_SIZE];
    double hold = explain_number(talk, "hold_seconds");
    const char *with = timeline_short_name(explain_channel(t, json_object_get(talk, "b")), name);
    struct timeline_line line = {.time = explain_time(talk, "from"),
                                 .rank = TIMELINE_GOES_ON,
                                 .rule = "talk_begins",
                                 .event = "BridgeEnter",
                                 .who = explain_channel(t, json_object_get(talk, "a")),
                                 .what = explain_say(t, "talks with %s", with),
                                 .why = "both are in one bridge, Local channels seen through"};
    if (!line.time)
        return;
    explain_line(t, call, line);
    line.time = explain_time(talk, "to");
    line.rule = "talk_ends";
    line.event = "BridgeLeave";
    line.what = hold > 0 ? explain_say(t, "talked with %s for %.3f s, of these %.3f s on hold",
                                       with, explain_number(talk, "talk_seconds"), hold)
                         : explain_say(t, "talked with %s for %.3f s", with,
                                       explain_number(talk, "talk_seconds"));
    line.why = "one of the two left the bridge and entered no other with the same party";
    if (line.time)
        explain_line(t, call, line);
}

static void tell_leg(struct explain_telling *t, const json_t *call, const json_t *leg)
{
    const char *outcome = explain_text(leg, "outcome");
    const char *cause =
        json_is_number(json_object_get(leg, "cause"))
            ? explain_say(t, ", cause %.0f %s", explain_number(leg, "cause"), of(leg, "cause_text"))
            : "";
    struct timeline_line line = {
        .time = explain_time(leg, "end"),
        .rank = TIMELINE_GOES_ON,
        .rule = "leg_ended",
        .event = "Hangup",
        .who = explain_text(leg, "channel"),
        .what = explain_say(t, "%s leg is over%s%s%s", of(leg, "role"), outcome ? ": " : "",
                            outcome ? outcome : "", cause),
        .why = outcome ? "outcome by the end of its dial, cause by its hang-up"
                       : "cause by its hang-up"};
    /* A channel that went to another call has its hang-up there. */
    if (line.time && !(explain_text(call, "merged_into") && !*cause))
        explain_line(t, call, line);
}

static void tell_call(struct explain_telling *t, const json_t *r)
{
    for (size_t i = 0; i < json_array_size(json_object_get(r, "talks")); i++) {
        const json_t *item = json_array_get(json_object_get(r, "talks"), i);
        t->used = 0;
        tell_talk(t, r, item);
    }
    for (size_t i = 0; i < json_array_size(json_object_get(r, "legs")); i++) {
        const json_t *item = json_array_get(json_object_get(r, "legs"), i);
        t->used = 0;
        tell_leg(t, r, item);
    }
}

static void tell_agent(struct explain_telling *t, const json_t *r)
{
    explain_line(
        t, r,
        (struct timeline_line){.time = explain_time(r, "end"),
                               .rank = TIMELINE_GOES_ON,
                               .rule = "agent_interval",
                               .who = explain_text(r, "interface"),
                               .what = explain_say(t, "agent %s was %s for %.3f s",
                                                   or_if_empty(of(r, "agent"), of(r, "interface")),
                                                   of(r, "state"), explain_number(r, "duration")),
                               .why = "another state of the agent begins"});
}

static const struct {
    const char *kind;
    void (*tell)(struct explain_telling *t, const json_t *record);
} words[] = {
    {"call_started", tell_started},
    {"call_ringing", tell_ringing},
    {"call_answered", tell_answered},
    {"call_held", tell_held},
    {"call_resumed", tell_resumed},
    {"call_transferred", tell_transferred},
    {"call_parked", tell_parked},
    {"call_retrieved", tell_retrieved},
    {"call_park_ended", tell_park_ended},
    {"call_picked_up", tell_picked_up},
    {"call_conference_joined", tell_conference},
    {"call_conference_left", tell_conference},
    {"call_handed_over", tell_handed_over},
    {"call_handed_back", tell_handed_back},
    {"call_merged", tell_merged},
    {"call_ended", tell_ended},
    {"call", tell_call},
    {"queue", explain_visit},
    {"queue_log", explain_queue_line},
    {"agent", tell_agent},
};

static void tell_record(struct explain_telling *t, const json_t *record)
{
    const char *kind = of(record, "kind");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].kind, kind) == 0)
            words[i].tell(t, record);
    }
}

/* Which channel has which Uniqueid: not every record says it. */
static json_t *channels_of(const json_t *records)
{
    json_t *channels = json_object();
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        const char *uniqueid = explain_text(record, "uniqueid");
        const char *channel = explain_text(record, "channel");
        if (uniqueid && channel && *channel)
            json_object_set_new(channels, uniqueid, json_string(channel));
    }
    return channels;
}

void explain_words(const json_t *records, struct timeline *timeline)
{
    struct explain_telling t = {.channels = channels_of(records), .timeline = timeline};
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        t.used = 0;
        tell_record(&t, record);
    }
    explain_rows(&t, records);
    json_decref(t.channels);
    timeline_sort(timeline);
}
