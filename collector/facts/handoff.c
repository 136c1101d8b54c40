/* SPDX-License-Identifier: MIT */
#include "collector/facts/handoff.h"

#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/call.h"
#include <stdlib.h>
#include <strings.h>

/* A record holds entries until they take so many bytes. */
#define HANDOFFS_BYTES_MAX  ((size_t)24 * 1024)
#define HANDOFF_APPDATA_MAX 512u

static void handoff_free(struct handoff *h)
{
    free(h->uniqueid);
    free(h->appdata);
    variables_free(&h->variables);
    free(h);
}

void handoffs_free(struct handoffs *handoffs)
{
    while (handoffs->first) {
        struct handoff *h = handoffs->first;
        handoffs->first = h->next;
        handoff_free(h);
    }
    *handoffs = (struct handoffs){NULL, 0, 0};
}

static void append(struct handoffs *handoffs, struct handoff *h)
{
    struct handoff **end = &handoffs->first;
    while (*end)
        end = &(*end)->next;
    h->next = NULL;
    *end = h;
    handoffs->count++;
}

static struct slice appdata_of(const struct handoff *h)
{
    return slice_from(h->appdata);
}

static bool is_named(struct slice application, const char *name)
{
    return application.n == strlen(name) && strncasecmp(application.p, name, application.n) == 0;
}

/* AGI's kind is in its first argument. */
static enum handoff_kind agi_kind(struct slice data)
{
    if (slice_starts(data, SLICE("agi://")) || slice_starts(data, SLICE("hagi://")))
        return HANDOFF_FASTAGI;
    if (slice_starts(data, SLICE("agi:async")))
        return HANDOFF_ASYNCAGI;
    return HANDOFF_AGI;
}

static enum handoff_kind kind_of(const struct snapshot *look)
{
    struct slice application = snapshot_text(look, SNAPSHOT_APPLICATION);
    if (is_named(application, "AGI") || is_named(application, "DeadAGI"))
        return agi_kind(snapshot_text(look, SNAPSHOT_APPDATA));
    if (is_named(application, "EAGI"))
        return HANDOFF_EAGI;
    if (is_named(application, "Stasis"))
        return HANDOFF_STASIS;
    if (is_named(application, "AudioSocket"))
        return HANDOFF_AUDIOSOCKET;
    return HANDOFF_NONE;
}

bool handoff_is_agi(struct slice application)
{
    return is_named(application, "AGI") || is_named(application, "DeadAGI") ||
           is_named(application, "EAGI");
}

static bool is_agi(enum handoff_kind kind)
{
    return kind >= HANDOFF_AGI && kind <= HANDOFF_EAGI;
}

/* What a media channel of this name is; NONE for any other channel. */
static enum handoff_kind media_kind(struct slice name)
{
    if (slice_starts(name, SLICE("AudioSocket/")))
        return HANDOFF_AUDIOSOCKET;
    return channel_is_media(name) ? HANDOFF_EXTERNALMEDIA : HANDOFF_NONE;
}

static struct slice application_name(const struct handoff *h)
{
    if (h->media)
        return (struct slice){NULL, 0};
    switch (h->kind) {
    case HANDOFF_EAGI:
        return SLICE("EAGI");
    case HANDOFF_STASIS:
        return SLICE("Stasis");
    case HANDOFF_AUDIOSOCKET:
        return SLICE("AudioSocket");
    default:
        return SLICE("AGI");
    }
}

/* What the channel is in now, or NULL. */
static struct handoff *under_way(const struct channel *c)
{
    struct handoff *h = c->call ? c->call->handoffs.first : NULL;
    while (h && (h->over || !slice_equal(slice_from(h->uniqueid), channel_uniqueid(c))))
        h = h->next;
    return h;
}

/* Asterisk has no event when a program changes hands, so the values that matter are on the channel
 * itself; a media channel has none of its own, its call's opener does. */
static const struct variables *variables_of(const struct channel *c, const struct handoff *h)
{
    if (!c->variables.count && h->media && c->call && c->call->opener)
        return &c->call->opener->variables;
    return &c->variables;
}

void handoff_put_variables(struct fact_builder *f, const struct variables *variables)
{
    fact_open_object(f, FIELD_VARIABLES);
    for (size_t i = 0; i < variables->count; i++)
        fact_put_named(f, slice_from(variables->of[i].name), slice_from(variables->of[i].value));
    fact_close(f);
}

bool handoff_is_glimpse(const struct handoff *h)
{
    return h->unshown && h->kind == HANDOFF_AGI;
}

static void put_application(struct fact_builder *f, const struct handoff *h)
{
    struct slice kind = slice_from(handoff_kind_name(h->kind)), unknown = {NULL, 0};
    fact_put_known(f, FIELD_HANDED_TO, handoff_is_glimpse(h) ? unknown : kind);
    fact_put_known(f, FIELD_APPLICATION, handoff_is_glimpse(h) ? unknown : application_name(h));
    fact_put_known(f, FIELD_APPDATA, appdata_of(h));
}

static struct fact_builder *begin(struct calls *calls, struct channel *c, enum fact_kind kind)
{
    struct emit_about about = {.kind = kind,
                               .subject = channel_uniqueid(c),
                               .key = call_linkedid(c->call),
                               .sequence = &c->call->sequence};
    struct fact_builder *f = emit_begin(calls->emit, &about);
    saved_touch(&c->call->saved);
    fact_put_string(f, FIELD_LINKEDID, call_linkedid(c->call));
    fact_put_string(f, FIELD_UNIQUEID, channel_uniqueid(c));
    call_put_phone(f, c);
    return f;
}

static void tell_over(struct calls *calls, struct channel *c, const struct handoff *h)
{
    struct fact_builder *f = begin(calls, c, FACT_CALL_HANDED_OVER);
    put_application(f, h);
    handoff_put_variables(f, &h->variables);
    emit_end(calls->emit);
}

static void put_seconds(struct fact_builder *f, const struct handoff *h)
{
    if (h->from && h->to && !h->lost && !handoff_is_glimpse(h))
        fact_put_seconds(f, FIELD_HAND_SECONDS, h->to > h->from ? h->to - h->from : 0);
    else
        fact_put_null(f, FIELD_HAND_SECONDS);
}

/* What became of the call behind it. A person who answered inside waited for no end. */
static const char *outcome_of(const struct handoff *h)
{
    if (h->answered)
        return "person";
    if (!h->over || h->lost || h->after_hangup)
        return NULL;
    if (h->hung_up)
        return handoff_is_glimpse(h) ? NULL : "contained";
    if (h->went_on || h->failed)
        return "dialplan";
    return h->unshown ? NULL : "contained";
}

static void put_outcome(struct fact_builder *f, const struct handoff *h, const char *outcome)
{
    fact_put_known(f, FIELD_OUTCOME, slice_from(outcome));
    if (h->person && !handoff_is_glimpse(h))
        fact_put_seconds(f, FIELD_PERSON_SECONDS, h->person > h->to ? h->person - h->to : 0);
    else
        fact_put_null(f, FIELD_PERSON_SECONDS);
}

static const char *reason_of(const struct handoff *h)
{
    if (h->lost || (h->unshown && !h->media))
        return NULL;
    if (h->failed)
        return "failed";
    return h->hung_up || h->media ? "hangup" : "dialplan";
}

static void tell_back(struct calls *calls, struct channel *c, const struct handoff *h)
{
    struct fact_builder *f = begin(calls, c, FACT_CALL_HANDED_BACK);
    put_application(f, h);
    fact_put_time(f, FIELD_FROM, handoff_is_glimpse(h) ? 0 : h->from);
    put_seconds(f, h);
    fact_put_known(f, FIELD_REASON, slice_from(reason_of(h)));
    put_outcome(f, h, h->answered || h->hung_up ? outcome_of(h) : NULL);
    handoff_put_variables(f, &h->variables);
    emit_end(calls->emit);
}

/* What a hand-off is that begins. */
struct beginning {
    enum handoff_kind kind;
    struct slice appdata;
    bool media, unshown, earlier; /* earlier: it was under way when the tap joined */
};

static void hand_over(struct calls *calls, struct channel *c, const struct beginning *what)
{
    if (!c->call)
        return;
    struct handoffs *handoffs = &c->call->handoffs;
    struct handoff *h = handoffs->count < HANDOFFS_MAX ? memory_zeroed(1, sizeof(*h)) : NULL;
    if (!h || !text_set(&h->uniqueid, channel_uniqueid(c))) {
        free(h);
        handoffs->omitted++;
        saved_touch(&c->call->saved);
        return;
    }
    text_set(&h->appdata, slice_head(what->appdata, HANDOFF_APPDATA_MAX));
    h->kind = what->kind;
    h->media = what->media;
    h->unshown = what->unshown;
    h->after_hangup = c->hangup_logic;
    h->from = what->earlier ? 0 : calls->emit->now;
    h->level = c->subroutines;
    variables_copy(&h->variables, variables_of(c, h));
    append(handoffs, h);
    if (!handoff_is_glimpse(h))
        loads_began(calls->loads, h->kind, appdata_of(h));
    tell_over(calls, c, h);
}

static void hand_back(struct calls *calls, struct channel *c, struct handoff *h)
{
    h->to = calls->emit->now;
    h->over = true;
    variables_copy(&h->variables, variables_of(c, h));
    if (!handoff_is_glimpse(h))
        loads_ended(calls->loads, h->kind, appdata_of(h),
                    h->from && !h->lost ? (h->to > h->from ? h->to - h->from : 0) : -1);
    tell_back(calls, c, h);
}

/* Applications that steer the dialplan and do nothing for the caller. */
static bool only_steers(struct slice application)
{
    static const char *const names[] = {
        "Answer",     "BackGroundDetect", "ContinueWhile", "EndWhile", "ExecIf",
        "ExecIfTime", "ExitWhile",        "ForkCDR",       "Gosub",    "GosubIf",
        "Goto",       "GotoIf",           "GotoIfTime",    "Hangup",   "Log",
        "MSet",       "MixMonitor",       "NoCDR",         "NoOp",     "Proceeding",
        "Progress",   "Random",           "ResetCDR",      "Return",   "Set",
        "StackPop",   "StopMixMonitor",   "System",        "TryExec",  "TrySystem",
        "UserEvent",  "Verbose",          "Wait",          "While"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_named(application, names[i]))
            return true;
    }
    return false;
}

/* What was handed back is served by the dialplan now: its own, or its caller's for a media
 * channel's. */
static void note_went_on(const struct channel *c)
{
    if (only_steers(snapshot_text(c->now, SNAPSHOT_APPLICATION)))
        return;
    for (struct handoff *h = c->call->handoffs.first; h; h = h->next) {
        bool of_channel = slice_equal(slice_from(h->uniqueid), channel_uniqueid(c));
        if (h->over && (of_channel || (h->media && c == c->call->opener)))
            h->went_on = true;
    }
    saved_touch(&c->call->saved);
}

void handoff_application(struct calls *calls, struct channel *c)
{
    struct beginning what = {.kind = kind_of(c->now),
                             .appdata = snapshot_text(c->now, SNAPSHOT_APPDATA)};
    struct handoff *h = under_way(c);
    if (!c->call || (h && h->media))
        return;
    /* The program called a subroutine of the dialplan and waits for it. */
    if (h && c->subroutines > h->level)
        return;
    if (h) {
        h->hung_up = c->hangup_logic;
        hand_back(calls, c, h);
    }
    if (c->call->handoffs.first && !c->hangup_logic)
        note_went_on(c);
    if (what.kind)
        hand_over(calls, c, &what);
}

void handoff_status(struct calls *calls, struct channel *c, enum ami_variable variable,
                    struct slice value)
{
    bool agi = variable == AMI_VARIABLE_AGISTATUS, stasis = variable == AMI_VARIABLE_STASISSTATUS;
    struct beginning what = {.kind = HANDOFF_STASIS};
    struct handoff *h = under_way(c);
    if (!agi && !stasis)
        return;
    if (!value.n) {
        /* Nobody who joined an ARI application by being dialed for somebody else was handed over:
         * that is a phone, or the program's own channel. */
        if (stasis && !h && c->originated && !channel_is_media(channel_name(c)))
            hand_over(calls, c, &what);
        return;
    }
    if (!h || h->media || (agi ? !is_agi(h->kind) : h->kind != HANDOFF_STASIS))
        return;
    h->hung_up = slice_is(value, "HANGUP");
    h->failed = slice_starts(value, SLICE("FAIL")) || slice_is(value, "NOTFOUND");
    hand_back(calls, c, h);
}

void handoff_agi_runs(struct calls *calls, struct channel *c, enum handoff_kind kind)
{
    struct beginning what = {.kind = kind, .unshown = true};
    if (!under_way(c))
        hand_over(calls, c, &what);
}

void handoff_executes(struct channel *c, bool executes)
{
    struct handoff *h = under_way(c);
    if (!h || !is_agi(h->kind) || h->executes == executes)
        return;
    h->executes = executes;
    saved_touch(&c->call->saved);
}

void handoff_moved_on(struct calls *calls, struct channel *c)
{
    struct handoff *h = under_way(c);
    if (!h || !h->unshown || h->executes)
        return;
    h->went_on = true;
    hand_back(calls, c, h);
}

void handoff_agi_over(struct calls *calls, struct channel *c)
{
    /* Where it was shown AGISTATUS follows, and tells how it ended. */
    struct handoff *h = under_way(c);
    if (h && h->kind == HANDOFF_ASYNCAGI && h->unshown)
        hand_back(calls, c, h);
}

void handoff_media_up(struct calls *calls, struct channel *c)
{
    struct beginning what = {.kind = media_kind(channel_name(c)), .media = true};
    if (what.kind && !under_way(c))
        hand_over(calls, c, &what);
}

void handoff_seen(struct calls *calls, struct channel *c)
{
    struct beginning what = {.kind = kind_of(c->now),
                             .appdata = snapshot_text(c->now, SNAPSHOT_APPDATA),
                             .earlier = true};
    enum handoff_kind media = media_kind(channel_name(c));
    if (media)
        what = (struct beginning){.kind = media, .media = true, .earlier = true};
    if (what.kind && !under_way(c))
        hand_over(calls, c, &what);
}

void handoff_gone(struct calls *calls, struct channel *c)
{
    struct handoff *h = under_way(c);
    if (!h)
        return;
    /* A program's own channel that ends leaves the caller where it is. */
    h->hung_up = !h->media;
    h->lost = calls->emit->from_list;
    hand_back(calls, c, h);
}

static void person(struct calls *calls, struct call *call)
{
    for (struct handoff *h = call->handoffs.first; h; h = h->next) {
        if (h->answered || h->after_hangup)
            continue;
        h->person = calls->emit->now;
        h->answered = true;
        saved_touch(&call->saved);
    }
}

void handoff_answered(struct calls *calls, struct channel *phone)
{
    if (phone->call && !channel_is_media(channel_name(phone)))
        person(calls, phone->call);
}

/* Somebody to talk with; recorders and announcers of a bridge are not. */
static bool is_phone(const struct channel *c)
{
    static const char *const others[] = {"Local/", "Recorder/", "Announcer/",   "Snoop/",
                                         "CBRec/", "CBAnn/",    "MulticastRTP/"};
    struct slice name = channel_name(c);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (slice_starts(name, slice_from(others[i])))
            return false;
    }
    return !channel_is_media(name);
}

void handoff_bridged(struct calls *calls, const struct bridge *b)
{
    size_t phones = 0;
    if (b->kind != BRIDGE_BASIC)
        return;
    for (size_t i = 0; i < b->count; i++)
        phones += is_phone(b->members[i]);
    for (size_t i = 0; i < b->count && phones >= 2; i++) {
        if (b->members[i]->call)
            person(calls, b->members[i]->call);
    }
}

void handoffs_move(struct handoffs *from, struct handoffs *to, struct slice uniqueid)
{
    struct handoff **p = &from->first;
    while (*p) {
        struct handoff *h = *p;
        if (!slice_equal(slice_from(h->uniqueid), uniqueid)) {
            p = &h->next;
            continue;
        }
        *p = h->next;
        from->count--;
        append(to, h);
    }
}

void handoff_put(struct fact_builder *f, const struct call *call)
{
    size_t enough = f->bytes.n + HANDOFFS_BYTES_MAX;
    uint64_t omitted = call->handoffs.omitted;
    fact_open_array(f, FIELD_HANDOFFS);
    for (const struct handoff *h = call->handoffs.first; h; h = h->next) {
        if (f->bytes.n > enough) {
            omitted++;
            continue;
        }
        fact_open_object(f, FIELD_HANDOFFS);
        fact_put_string(f, FIELD_UNIQUEID, slice_from(h->uniqueid));
        put_application(f, h);
        fact_put_time(f, FIELD_FROM, handoff_is_glimpse(h) ? 0 : h->from);
        fact_put_time(f, FIELD_TO, h->lost || handoff_is_glimpse(h) ? 0 : h->to);
        put_seconds(f, h);
        put_outcome(f, h, outcome_of(h));
        handoff_put_variables(f, &h->variables);
        fact_close(f);
    }
    fact_close(f);
    fact_put_int(f, FIELD_HANDOFFS_OMITTED, (int64_t)omitted);
}
