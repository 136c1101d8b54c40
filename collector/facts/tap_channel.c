/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"
#include "collector/facts/cdr_functions.h"
#include "collector/facts/talk.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_text.h"
#include "parsers/ami_variable.h"
#include <stdlib.h>
#include <strings.h>

/* Q.850 causes that applications set. */
enum { CAUSE_BUSY = 17, CAUSE_CONGESTION = 34 };

/* The bits of a caller id's presentation that are 0 for "allowed" (AST_PRES_RESTRICTION). */
#define PRESENTATION_RESTRICTION 0x60

struct channel *tap_channel(const struct tap *tap, struct slice uniqueid)
{
    return table_find(&tap->channels, uniqueid);
}

/* The linkedid changed: Asterisk merged two calls (bridge, pickup, retrieval of a parked call). */
static void follow_linkedid(struct tap *tap, struct channel *c)
{
    if (c->call && slice_equal(call_linkedid(c->call), channel_linkedid(c)))
        return;
    calls_move(&tap->calls, c);
}

void tap_follow_state(struct tap *tap, struct channel *c)
{
    int state = snapshot_state(c->now);
    if (state == CHANNEL_STATE_RINGING && (snapshot_flags(c->now) & SNAPSHOT_DIALED))
        calls_ringing(&tap->calls, c);
    if (state == CHANNEL_STATE_UP) {
        c->ringing = false;
        if (channel_is_media(channel_name(c)) && !c->from_snapshot)
            handoff_media_up(&tap->calls, c);
    }
    journey_follow(c, tap->emit->now);
    tap_phone(tap, c, c->ringing, state == CHANNEL_STATE_UP);
    tap_follow_trunk(tap, c, TRUNK_CALL_KNOWN);
}

void tap_look(struct tap *tap, const struct channel_change *change)
{
    struct channel *c = change->channel;
    cdr_snapshot(&tap->cdr, change, tap->emit->now);
    if (!change->changed)
        return;
    follow_linkedid(tap, c);
    tap_follow_state(tap, c);
    calls_touch(&tap->calls, c->call);
}

bool tap_read_look(struct tap *tap, const struct ami_message *m,
                   const struct channel_headers *headers, struct snapshot_values *ret_seen)
{
    if (!channel_read(m, headers, &tap->scratch, ret_seen))
        return false;
    if (!tap->sees_dialplan)
        ret_seen->flags |= SNAPSHOT_APPLICATION_UNSEEN;
    return true;
}

struct channel *tap_see(struct tap *tap, const struct ami_message *m,
                        const struct channel_headers *headers)
{
    struct snapshot_values seen;
    if (!tap_read_look(tap, m, headers, &seen))
        return NULL;
    struct channel *c = tap_channel(tap, seen.text[SNAPSHOT_UNIQUEID]);
    if (!c) {
        tap->unknown_channels++;
        return NULL;
    }
    tap_seen(tap, c);
    tap_note_place(c, &seen);
    struct channel_change change = channel_take(c, &seen, CHANNEL_EVENT_OTHER, tap->emit->now);
    if (change.changed)
        tap_look(tap, &change);
    return c;
}

/* An event that one published look raised. */
static struct channel *take_look(struct tap *tap, const struct ami_message *m,
                                 enum channel_event event)
{
    struct snapshot_values seen;
    if (!tap_read_look(tap, m, &channel_headers_plain, &seen))
        return NULL;
    struct channel *c = tap_channel(tap, seen.text[SNAPSHOT_UNIQUEID]);
    if (!c) {
        tap->unknown_channels++;
        return NULL;
    }
    tap_seen(tap, c);
    tap_note_place(c, &seen);
    struct channel_change change = channel_take(c, &seen, event, tap->emit->now);
    tap_look(tap, &change);
    return c;
}

bool tap_channel_add(struct tap *tap, struct channel *c)
{
    if (!table_add(&tap->channels, c)) {
        channel_free(c);
        return false;
    }
    c->saved.list = &tap->saved;
    saved_touch(&c->saved);
    return true;
}

void tap_begin_channel(struct tap *tap, const struct snapshot_values *seen, int64_t born,
                       bool born_unseen)
{
    struct channel *c = channel_new(seen, born);
    if (!c || !tap_channel_add(tap, c))
        return;
    c->from_snapshot = c->born_unseen = born_unseen;
    tap_seen(tap, c);
    if (!born_unseen)
        tap_follow_trunk(tap, c,
                         snapshot_flags(c->now) & SNAPSHOT_DIALED ? TRUNK_CALL_OUT : TRUNK_CALL_IN);
    calls_join(&tap->calls, c);
    struct channel_change change = {.channel = c, .now = c->now, .changed = true};
    cdr_snapshot(&tap->cdr, &change, born);
    tap_follow_state(tap, c);
    if (born_unseen)
        handoff_seen(&tap->calls, c);
}

void tap_on_newchannel(struct tap *tap, const struct ami_message *m)
{
    struct snapshot_values seen;
    if (!tap_read_look(tap, m, &channel_headers_plain, &seen))
        return;
    tap_note_id(tap, seen.text[SNAPSHOT_UNIQUEID]);
    if (!tap_channel(tap, seen.text[SNAPSHOT_UNIQUEID]))
        tap_begin_channel(tap, &seen, tap->emit->now, false);
}

/* Before Busy and Congestion turn a channel to the state Busy they set its cause, whatever it was:
 * the look that this is has it (Asterisk 22). */
static void note_refusal(const struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    int64_t state = 0;
    if (!c || !ami_text_int(ami_message_get(m, AMI_HEADER_CHANNELSTATE), &state) ||
        state != CHANNEL_STATE_BUSY)
        return;
    struct slice application = snapshot_text(c->now, SNAPSHOT_APPLICATION);
    if (slice_is(application, "Busy"))
        tap_set_cause(c, CAUSE_BUSY);
    else if (slice_is(application, "Congestion"))
        tap_set_cause(c, CAUSE_CONGESTION);
}

void tap_on_channel_state(struct tap *tap, const struct ami_message *m)
{
    note_refusal(tap, m);
    struct channel *c = take_look(tap, m, CHANNEL_EVENT_STATE);
    if (c && snapshot_state(c->now) == CHANNEL_STATE_UP)
        tap_commanded(tap, c);
}

void tap_on_newcallerid(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = take_look(tap, m, CHANNEL_EVENT_NEWCALLERID);
    int64_t presentation = 0;
    struct slice text = ami_message_get(m, AMI_HEADER_CIDCALLINGPRES);
    const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
    if (c &&
        ami_text_int(slice_head(text, blank ? (size_t)(blank - text.p) : text.n), &presentation))
        c->hides_number = presentation & PRESENTATION_RESTRICTION;
}

void tap_on_newaccountcode(struct tap *tap, const struct ami_message *m)
{
    take_look(tap, m, CHANNEL_EVENT_NEWACCOUNTCODE);
}

void tap_on_newconnectedline(struct tap *tap, const struct ami_message *m)
{
    take_look(tap, m, CHANNEL_EVENT_NEWCONNECTEDLINE);
}

void tap_on_channel_seen(struct tap *tap, const struct ami_message *m)
{
    tap_see(tap, m, &channel_headers_plain);
}

static void hold(struct tap *tap, struct channel *c, bool on)
{
    if (on)
        call_held(&tap->calls, c);
    else
        call_resumed(&tap->calls, c);
    tap_member_holds(tap, c, on);
}

void tap_on_hold(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (c)
        hold(tap, c, true);
}

void tap_on_unhold(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (c)
        hold(tap, c, false);
}

void tap_on_music(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (c)
        call_music(&tap->calls, c, m->event == AMI_EVENT_MUSICONHOLDSTART);
}

static bool starts_with(struct slice s, const char *word)
{
    return s.n >= strlen(word) && strncasecmp(s.p, word, strlen(word)) == 0;
}

bool tap_is_outgoing(struct slice application)
{
    return starts_with(application, "AppDial") || slice_is(application, "AppQueue");
}

/* A dialed channel that runs dialplan itself is dialed no more (after-bridge goto, Dial G,
 * Redirect). One that ARI created is in Stasis before it is dialed, and runs none. */
static bool runs_dialplan(const struct channel *c, struct slice application)
{
    bool created = slice_is(application, "Stasis") &&
                   snapshot_state(c->now) == CHANNEL_STATE_DOWN && !c->originated;
    return !tap_is_outgoing(application) && !c->subroutines && !c->hangup_logic && !created;
}

/* An origination is marked so before it is dialed, which a Local channel to nowhere never is. */
static bool is_originated(const struct channel *c, struct slice application)
{
    return slice_is(application, "AppDial2") &&
           slice_equal(channel_uniqueid(c), channel_linkedid(c));
}

void tap_remember_place(struct tap *tap, const struct snapshot_values *seen)
{
    struct place_key key = {seen->text[SNAPSHOT_CONTEXT], seen->text[SNAPSHOT_EXTEN],
                            seen->priority};
    place_memory_put(&tap->places, &key, seen->text[SNAPSHOT_APPLICATION],
                     seen->text[SNAPSHOT_APPDATA]);
    if (slice_is(seen->text[SNAPSHOT_APPLICATION], "Dial"))
        text_set(&tap->last_dial, seen->text[SNAPSHOT_APPDATA]);
}

/* An async goto shows as a Newexten with the old application at the new place; what really runs
 * there is not shown. Where the old one's data was not shown either any will do. A channel that was
 * in no bridge is redirected out of its application: one that has left its queue pressed a key. */
static bool is_goto(const struct tap *tap, const struct channel *c,
                    const struct snapshot_values *seen)
{
    struct snapshot_values held = snapshot_values(c->now);
    struct slice application = seen->text[SNAPSHOT_APPLICATION];
    if (!slice_equal(held.text[SNAPSHOT_APPLICATION], application) ||
        (slice_equal(held.text[SNAPSHOT_CONTEXT], seen->text[SNAPSHOT_CONTEXT]) &&
         slice_equal(held.text[SNAPSHOT_EXTEN], seen->text[SNAPSHOT_EXTEN])))
        return false;
    if (!(held.flags & SNAPSHOT_DATA_MISSING) &&
        !slice_equal(held.text[SNAPSHOT_APPDATA], seen->text[SNAPSHOT_APPDATA]))
        return false;
    if (c->been_bridged)
        return true;
    return !tap_is_outgoing(application) && !c->hangup_logic &&
           !slice_is(seen->text[SNAPSHOT_EXTEN], "h") &&
           !visits_has_left(&tap->visits, channel_uniqueid(c));
}

/* An async goto shows what the channel ran until then, also where that was not shown before. */
static void settle_data(struct tap *tap, const struct channel *c,
                        const struct snapshot_values *seen)
{
    struct snapshot_values held = snapshot_values(c->now);
    held.text[SNAPSHOT_APPDATA] = seen->text[SNAPSHOT_APPDATA];
    if (held.flags & SNAPSHOT_DATA_MISSING)
        tap_remember_place(tap, &held);
}

/* Set(CALLERID(pres)=prohib) changes neither number nor name, so that no NewCallerid follows. */
static void note_presentation(struct channel *c, struct slice application, struct slice data)
{
    static const char *const names[] = {
        "CALLERID(pres)=", "CALLERID(num-pres)=", "CALLERID(name-pres)="};
    for (size_t i = 0; slice_is(application, "Set") && i < sizeof(names) / sizeof(names[0]); i++) {
        if (!starts_with(data, names[i]))
            continue;
        c->hides_number = !starts_with(slice_from_offset(data, strlen(names[i])), "allowed");
        saved_touch(&c->saved);
    }
}

/* The parts of the text between separators; the last takes the rest. How many there are. */
static size_t split(struct slice text, char separator, struct slice *parts, size_t max)
{
    size_t count = 0;
    while (text.p && count < max) {
        const char *hit = text.n && count + 1 < max ? memchr(text.p, separator, text.n) : NULL;
        size_t n = hit ? (size_t)(hit - text.p) : text.n;
        parts[count++] = slice_head(text, n);
        text = hit ? slice_from_offset(text, n + 1) : (struct slice){NULL, 0};
    }
    return count;
}

/* QueueLog(queue,uniqueid,agent,event[,info]) of the dialplan. Without one of the four it writes
 * nothing; what it is told goes into the line as it is, its "|" too (Asterisk 22). */
static void log_queue_line(struct tap *tap, struct slice application, struct slice data)
{
    struct slice fields[5] = {{NULL, 0}};
    char event[64];
    if (!slice_is(application, "QueueLog") || split(data, ',', fields, 5) < 4)
        return;
    size_t n = slice_head(fields[3], sizeof(event) - 1).n;
    if (!fields[0].n || !fields[1].n || !fields[2].n || !n)
        return;
    memcpy(event, fields[3].p, n);
    event[n] = 0;
    struct queue_log_line line = {
        .event = event, .uniqueid = fields[1], .queue = fields[0], .agent = fields[2]};
    line.count = split(fields[4].p ? fields[4] : SLICE(""), '|', line.args, QUEUE_LOG_ARGS_MAX);
    queue_log_emit(tap->emit, &line);
}

/* MASTER_CHANNEL(function(argument))=value sets on the channel that began the call. */
static void run_for_master(struct tap *tap, const struct channel *c, struct slice application,
                           struct slice data)
{
    struct slice function = SLICE("MASTER_CHANNEL(");
    struct channel *master = tap_channel(tap, channel_linkedid(c));
    if (!slice_is(application, "Set") || !slice_starts(data, function) || !master || !master->chain)
        return;
    data = slice_from_offset(data, function.n);
    const char *equals = memchr(data.p, '=', data.n);
    size_t n = equals ? (size_t)(equals - data.p) : 0;
    char text[SNAPSHOT_TEXT_MAX];
    if (n < 2 || data.p[n - 1] != ')' || data.n > sizeof(text))
        return;
    memcpy(text, data.p, n - 1);
    memcpy(text + n - 1, equals, data.n - n);
    struct cdr_message m = {master, master->now, master->now, tap->emit->now, &tap->options.cdr, 0};
    cdr_run_application(master->chain, application, (struct slice){text, data.n - 1}, &m);
    saved_touch(&master->saved);
}

void tap_run(struct tap *tap, struct channel *c, struct slice application, struct slice data)
{
    struct cdr_message message = {c, c->now, c->now, tap->emit->now, &tap->options.cdr, 0};
    tap_note_application(tap, c, application, data);
    note_presentation(c, application, data);
    log_queue_line(tap, application, data);
    run_for_master(tap, c, application, data);
    if (c->chain)
        cdr_run_application(c->chain, application, data, &message);
    saved_touch(&c->saved);
}

/* What the application does, and the application that it may run inside. */
static void run(struct tap *tap, struct channel *c, struct slice application, struct slice data)
{
    struct slice inner, inner_data;
    tap_run(tap, c, application, data);
    if (!cdr_inner_application(application, data, &inner, &inner_data))
        return;
    struct channel_change change = channel_run(c, inner, inner_data, 0, tap->emit->now);
    tap_look(tap, &change);
    tap_run(tap, c, inner, inner_data);
}

/* DISA resets the rows when it has a number to go on with (Asterisk 22). */
static bool leaves_disa(const struct channel *c, const struct snapshot_values *seen)
{
    return slice_is(snapshot_text(c->now, SNAPSHOT_APPLICATION), "DISA") &&
           !slice_is(seen->text[SNAPSHOT_EXTEN], "h") &&
           (!slice_equal(snapshot_text(c->now, SNAPSHOT_CONTEXT), seen->text[SNAPSHOT_CONTEXT]) ||
            !slice_equal(snapshot_text(c->now, SNAPSHOT_EXTEN), seen->text[SNAPSHOT_EXTEN]));
}

/* Parking sent it to this place before. */
static void take_place_of_parking(struct channel *c, const struct snapshot_values *seen)
{
    struct snapshot_values v = snapshot_values(c->now);
    if (!c->parked_out)
        return;
    c->parked_out = false;
    v.text[SNAPSHOT_CONTEXT] = seen->text[SNAPSHOT_CONTEXT];
    v.text[SNAPSHOT_EXTEN] = seen->text[SNAPSHOT_EXTEN];
    v.priority = seen->priority;
    channel_alter(c, &v);
}

void tap_on_newexten(struct tap *tap, const struct ami_message *m)
{
    struct snapshot_values seen;
    if (!tap_read_look(tap, m, &channel_headers_plain, &seen))
        return;
    struct channel *c = tap_channel(tap, seen.text[SNAPSHOT_UNIQUEID]);
    if (!c) {
        tap->unknown_channels++;
        return;
    }
    struct slice application = ami_message_get(m, AMI_HEADER_APPLICATION);
    seen.text[SNAPSHOT_APPLICATION] = application;
    seen.text[SNAPSHOT_APPDATA] = ami_message_get(m, AMI_HEADER_APPDATA);
    if (leaves_disa(c, &seen))
        run(tap, c, SLICE("ResetCDR"), SLICE(""));
    c->sent_elsewhere = is_goto(tap, c, &seen);
    if (c->sent_elsewhere)
        settle_data(tap, c, &seen);
    c->queued |= slice_is(application, "AppQueue");
    take_place_of_parking(c, &seen);
    if (slice_is(seen.text[SNAPSHOT_EXTEN], "h") && seen.priority == 1) {
        journey_hangup_logic(c);
        c->hangup_logic = true;
    }
    if (runs_dialplan(c, application) || is_originated(c, application))
        channel_set_flag(c, SNAPSHOT_DIALED, false);
    if (c->call && !c->hangup_logic && !tap_is_outgoing(application))
        journey_goes_on(journey_call(c), c);
    if (!c->sent_elsewhere && !tap_is_outgoing(application))
        tap_remember_place(tap, &seen);
    visits_moved_on(&tap->visits, channel_uniqueid(c), seen.text[SNAPSHOT_EXTEN]);
    tap_seen(tap, c);
    struct channel_change change = channel_take(c, &seen, CHANNEL_EVENT_NEWEXTEN, tap->emit->now);
    tap_look(tap, &change);
    if (c->sent_elsewhere)
        return;
    run(tap, c, application, seen.text[SNAPSHOT_APPDATA]);
    handoff_application(&tap->calls, c);
}

void tap_run_unshown(struct tap *tap, struct channel *c, struct slice application,
                     struct slice data)
{
    struct buf text = buf_new(SNAPSHOT_TEXT_MAX);
    unsigned flags = 0;
    tap_application_over(tap, c);
    c->sent_elsewhere = false;
    visits_moved_on(&tap->visits, channel_uniqueid(c), snapshot_text(c->now, SNAPSHOT_EXTEN));
    if (!data.p) {
        struct place_key key = {snapshot_text(c->now, SNAPSHOT_CONTEXT),
                                snapshot_text(c->now, SNAPSHOT_EXTEN), snapshot_priority(c->now)};
        enum place_found found = place_memory_data(&tap->places, &key, application, &text);
        data = buf_slice(&text);
        if (found != PLACE_SEEN)
            flags = SNAPSHOT_DATA_MISSING;
        if (found == PLACE_SIBLING)
            flags |= SNAPSHOT_DATA_GUESSED;
    }
    struct channel_change change = channel_run(c, application, data, flags, tap->emit->now);
    tap_look(tap, &change);
    buf_free(&text);
    handoff_application(&tap->calls, c);
}

void tap_look_again(struct tap *tap, struct channel *c)
{
    struct channel_change change = channel_again(c);
    tap_look(tap, &change);
}

void tap_set_cause(struct channel *c, int cause)
{
    struct snapshot_values v = snapshot_values(c->now);
    v.cause = cause;
    channel_alter(c, &v);
}

void tap_on_hangup_request(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    int64_t cause = 0;
    if (!c)
        return;
    /* SoftHangupRequest's Cause is not a hang-up cause but the flags of the request. The CDR engine
     * sees the cause with the channel's next look only (Asterisk 22). */
    if (ami_text_int(ami_message_get(m, AMI_HEADER_CAUSE), &cause) &&
        m->event == AMI_EVENT_HANGUPREQUEST)
        tap_set_cause(c, (int)cause);
    c->hangup_requested = true;
    saved_touch(&c->saved);
    journey_hangup_requested(c, m->event == AMI_EVENT_SOFTHANGUPREQUEST, (int)cause,
                             tap->emit->now);
    visits_hangup_requested(&tap->visits, channel_uniqueid(c));
}

/* A channel that ends in a bridge: its BridgeLeave was not seen. */
static void leave_bridge(struct tap *tap, struct channel *c)
{
    struct bridge *b = c->bridge;
    if (!b)
        return;
    bridge_leave(b, c);
    talk_left(&tap->calls, c);
    talk_bridge(&tap->calls, b);
}

/* What was not seen is not counted: a channel that was lost sight of goes up to where it surely
 * was.
 */
static void leave_call(struct tap *tap, struct channel *c)
{
    int64_t now = tap->emit->now;
    if (c->lost.latest)
        tap->emit->now = c->lost.earliest;
    handoff_gone(&tap->calls, c);
    recording_gone(&tap->calls, c);
    leave_bridge(tap, c);
    if (c->half)
        c->half->half = NULL;
    journey_end(c, tap->emit->now);
    talk_forget(&tap->calls, c);
    tap->emit->now = now;
}

void tap_channel_gone(struct tap *tap, struct channel *c)
{
    c->ringing = false;
    tap_application_over(tap, c);
    tap_member_holds(tap, c, false);
    tap_phone(tap, c, false, false);
    tap_leave_trunk(tap, c, c->from_snapshot);
    tap_agent_gone(tap, c);
    visits_hangup(&tap->visits, channel_uniqueid(c));
    leave_call(tap, c);
    calls_leave(&tap->calls, c);
    cdr_chain_free(c->chain);
    saved_end(&c->saved, SLICE("channel/"), channel_uniqueid(c));
    table_remove(&tap->channels, channel_uniqueid(c));
    channel_free(c);
}

/* Each application leaves the channel with what it had before, which for most is none; a member's
 * phone that went on in the dialplan has AppQueue again in its last look, and its row takes it. */
static void end_dialplan(struct channel *c, const struct snapshot_values *seen)
{
    struct snapshot_values v = snapshot_values(c->now);
    if (!c->queued || (v.flags & SNAPSHOT_APPLICATION_UNSEEN))
        return;
    v.text[SNAPSHOT_APPLICATION] = SLICE("AppQueue");
    v.text[SNAPSHOT_APPDATA] = SLICE("(Outgoing Line)");
    v.text[SNAPSHOT_CONTEXT] = seen->text[SNAPSHOT_CONTEXT];
    v.text[SNAPSHOT_EXTEN] = seen->text[SNAPSHOT_EXTEN];
    v.priority = seen->priority;
    channel_alter(c, &v);
}

void tap_on_hangup(struct tap *tap, const struct ami_message *m)
{
    struct snapshot_values seen;
    if (!tap_read_look(tap, m, &channel_headers_plain, &seen))
        return;
    struct channel *c = tap_channel(tap, seen.text[SNAPSHOT_UNIQUEID]);
    if (!c) {
        tap->unknown_channels++;
        return;
    }
    int64_t cause = 0;
    ami_text_int(ami_message_get(m, AMI_HEADER_CAUSE), &cause);
    seen.cause = (int)cause;
    seen.flags |= SNAPSHOT_DEAD;
    if ((seen.flags & SNAPSHOT_APPLICATION_UNSEEN) && seen.state == CHANNEL_STATE_BUSY) {
        /* Busy or Congestion set the cause; its name being unseen, the cause in the end tells. */
        tap_set_cause(c, seen.cause);
        tap_look_again(tap, c);
    }
    tap_note_place(c, &seen);
    end_dialplan(c, &seen);
    struct channel_change change = channel_take(c, &seen, CHANNEL_EVENT_STATE, tap->emit->now);
    follow_linkedid(tap, c);
    handoff_gone(&tap->calls, c);
    cdr_snapshot(&tap->cdr, &change, tap->emit->now);
    tap_channel_gone(tap, c);
}

void tap_on_hangup_handler(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (!c)
        return;
    journey_hangup_logic(c);
    c->hangup_logic = true;
    saved_touch(&c->saved);
}

static void enter_subroutine(struct channel *c, int levels)
{
    c->subroutines = (unsigned)((int)c->subroutines + levels);
    saved_touch(&c->saved);
}

/* How an AGI or a Stasis ended, or with no value that a Stasis begins. */
static void follow_status(struct tap *tap, struct channel *c, enum ami_variable variable,
                          struct slice value)
{
    if (!value.n && c->sent_elsewhere && variable == AMI_VARIABLE_STASISSTATUS)
        tap_run_unshown(tap, c, SLICE("Stasis"), (struct slice){NULL, 0});
    else
        handoff_status(&tap->calls, c, variable, value);
}

void tap_on_varset(struct tap *tap, const struct ami_message *m)
{
    enum ami_variable variable = ami_variable_from_slice(ami_message_get(m, AMI_HEADER_VARIABLE));
    struct slice value = ami_message_get(m, AMI_HEADER_VALUE);
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (!c)
        return;
    tap_keep_variable(tap, c, m);
    if (variable == AMI_VARIABLE_LOCAL_ARGC)
        enter_subroutine(c, 1);
    else if (variable == AMI_VARIABLE_GOSUB_RETVAL && c->subroutines)
        enter_subroutine(c, -1);
    else if (variable == AMI_VARIABLE_MIXMONITOR_FILENAME)
        tap_recording_named(tap, c, m);
    else if (variable == AMI_VARIABLE_AGISTATUS || variable == AMI_VARIABLE_STASISSTATUS)
        follow_status(tap, c, variable, value);
    else if (variable == AMI_VARIABLE_QUEUE_WITHDRAW_INFO)
        visits_withdraw_info(&tap->visits, channel_uniqueid(c), value);
    else if (variable == AMI_VARIABLE_QUEUESTATUS)
        tap_queue_status(tap, c, value);
    else if (variable == AMI_VARIABLE_DIALSTATUS && !value.n && c->sent_elsewhere)
        tap_run_unshown(tap, c, SLICE("Dial"), (struct slice){NULL, 0});
    else if (ami_variable_is_look(variable))
        tap_look_again(tap, c);
}

/* Asterisk's own row; nothing is derived from it. */
void tap_on_cdr(struct tap *tap, const struct ami_message *m)
{
    drift_cdr(&tap->drift, m);
}

/* An origination to an application: the answered channel runs it without a Newexten. */
void tap_on_originate_response(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    struct slice application = ami_message_get(m, AMI_HEADER_APPLICATION);
    if (c && application.n)
        tap_run_unshown(tap, c, application, ami_message_get(m, AMI_HEADER_DATA));
}
