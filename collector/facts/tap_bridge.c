/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"
#include "collector/facts/cdr_chain.h"
#include "collector/facts/talk.h"
#include "collector/facts/tap_internal.h"
#include "parsers/ami_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static bool runs_stasis(const struct channel *c)
{
    return c && slice_is(snapshot_text(c->now, SNAPSHOT_APPLICATION), "Stasis");
}

/* The first argument of a list, taken off it. */
static struct slice next_argument(struct slice *list)
{
    struct slice argument = slice_until(*list, ',');
    *list = slice_from_offset(*list, argument.n + 1);
    return argument;
}

/* The phone that the dialplan's Originate(technology/resource,app,application,data) dials will run
 * that application when it answers, and no Newexten will show it. */
static void take_origination(struct tap *tap, struct channel *dest, const struct ami_message *m)
{
    struct slice list = tap_originates(tap), name = channel_name(dest);
    struct slice resource = next_argument(&list),
                 string = ami_message_get(m, AMI_HEADER_DIALSTRING);
    const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
    size_t technology = slash ? (size_t)(slash - name.p) + 1 : 0;
    if (!technology || !slice_starts(resource, slice_head(name, technology)) ||
        !slice_equal(slice_from_offset(resource, technology), string))
        return;
    if (slice_is(next_argument(&list), "app")) {
        text_set(&dest->will_run, next_argument(&list));
        text_set(&dest->will_run_data, next_argument(&list));
    }
    text_set(&tap->originate, SLICE(""));
}

/* An origination was answered: it runs what its Originate said. */
static void run_originated(struct tap *tap, struct channel *c)
{
    if (!c->will_run || !c->will_run[0])
        return;
    tap_run_unshown(tap, c, slice_from(c->will_run),
                    c->will_run_data ? slice_from(c->will_run_data) : SLICE(""));
    text_set(&c->will_run, SLICE(""));
}

/* Without a caller, a channel that is its own linkedid is an origination, and one that belongs to
 * the call of a channel in Stasis is ARI's; one of another's call (Page) was dialed, and one that
 * is in Stasis itself was created by ARI first and is dialed now (Asterisk 22). */
static void dial_without_caller(struct tap *tap, struct channel *dest, const struct ami_message *m)
{
    struct slice linkedid = channel_linkedid(dest);
    bool own = slice_equal(channel_uniqueid(dest), linkedid);
    if (!runs_stasis(dest) && (own || runs_stasis(tap_channel(tap, linkedid))))
        channel_set_flag(dest, SNAPSHOT_DIALED, false);
    if (!own)
        return;
    dest->originated = true;
    journey_set_role(dest, LEG_ORIGINATED);
    take_origination(tap, dest, m);
}

/* What ran in the caller's subroutine before the dial (Dial's option B) is over without an event:
 * the channel has Dial again, as its row still has. (app_dial, pbx_exec; Asterisk 22) */
static void leave_subroutine(struct channel *caller)
{
    const struct cdr_row *row = caller->chain ? caller->chain->last : NULL;
    struct snapshot_values v = snapshot_values(caller->now);
    if (!row || !(row->flags & CDR_APPLICATION_LOCKED) ||
        !slice_is(v.text[SNAPSHOT_APPLICATION], "Return"))
        return;
    v.text[SNAPSHOT_APPLICATION] = snapshot_text(row->application, SNAPSHOT_APPLICATION);
    v.text[SNAPSHOT_APPDATA] = snapshot_text(row->application, SNAPSHOT_APPDATA);
    channel_alter(caller, &v);
}

void tap_on_dial_begin(struct tap *tap, const struct ami_message *m)
{
    struct channel *caller = tap_see(tap, m, &channel_headers_plain);
    struct channel *dest = tap_see(tap, m, &channel_headers_dest);
    if (!dest)
        return;
    bool has_caller = ami_message_has(m, AMI_HEADER_UNIQUEID);
    if (has_caller && !caller)
        return;
    dest->called_up = true;
    saved_touch(&dest->saved);
    if (!has_caller)
        dial_without_caller(tap, dest, m);
    if (caller) {
        leave_subroutine(caller);
        tap_commanded(tap, caller);
        tap_complete_data(tap, caller, m);
        handoff_moved_on(&tap->calls, caller);
        tap_dialed(caller, dest);
    }
    visits_dial_begin(&tap->visits, m);
    cdr_dial_begin(&tap->cdr, caller, dest, tap->emit->now);
}

void tap_on_dial_state(struct tap *tap, const struct ami_message *m)
{
    tap_see(tap, m, &channel_headers_plain);
    struct channel *dest = tap_see(tap, m, &channel_headers_dest);
    if (dest && slice_is(ami_message_get(m, AMI_HEADER_DIALSTATUS), "RINGING")) {
        calls_ringing(&tap->calls, dest);
        journey_follow(dest, tap->emit->now);
        tap_phone(tap, dest, dest->ringing, dest->phone_use.up);
    }
}

/* The look that a DialEnd itself shows at a channel; what is held where memory is short. */
static struct snapshot *look_at(struct tap *tap, const struct ami_message *m,
                                const struct channel_headers *headers, struct channel *c)
{
    struct snapshot_values seen;
    if (!c || !channel_read(m, headers, &tap->scratch, &seen))
        return NULL;
    struct snapshot *look = channel_look(c, &seen);
    return look ? look : snapshot_ref(c->now);
}

static void follow_dial_end(struct tap *tap, struct channel *dest, struct slice status)
{
    bool answered = slice_is(status, "ANSWER");
    dest->picks_up = answered && tap_answers_for_another(dest);
    if (answered && !dest->picks_up)
        calls_answered(&tap->calls, dest);
    else if (dest->ringing)
        calls_touch(&tap->calls, dest->call);
    dest->ringing = false;
    saved_touch(&dest->saved);
    journey_follow(dest, tap->emit->now);
    tap_phone(tap, dest, false, snapshot_state(dest->now) == CHANNEL_STATE_UP);
}

/* Q.850 causes. */
enum { CAUSE_NORMAL = 16, CAUSE_BUSY = 17, CAUSE_CONGESTION = 34 };

/* For which cause the phone refused, also where no HangupRequest showed it: these two statuses have
 * one cause each. One that is up had answered, and the subroutine of option U sent it away. */
static int refused_for(const struct channel *dest, struct slice status)
{
    int cause = snapshot_cause(dest->now);
    if (snapshot_state(dest->now) == CHANNEL_STATE_UP)
        return CAUSE_NORMAL;
    if (!cause && slice_is(status, "BUSY"))
        return CAUSE_BUSY;
    return !cause && slice_is(status, "CONGESTION") ? CAUSE_CONGESTION : cause;
}

/* A caller takes over the cause for which the phone it dialed refused; not of one that forwards,
 * also where Dial's option i ignores that, nor of one that a queue called for it (app_dial and
 * app_queue, Asterisk 22). */
static void take_cause(struct channel *caller, const struct channel *dest, struct slice status)
{
    int cause = refused_for(dest, status);
    if (!caller || !cause || dest->forwards || slice_is(status, "ANSWER") ||
        slice_is(status, "CANCEL"))
        return;
    bool queued = slice_equal(slice_from(dest->called.caller), channel_uniqueid(caller)) ||
                  slice_is(snapshot_text(caller->now, SNAPSHOT_APPLICATION), "Queue");
    if (!queued)
        tap_set_cause(caller, cause);
}

/* Once one phone is up, as when somebody picks it up, Dial cancels those that it has made and not
 * called yet. What marks a channel as dialed is the call (ast_call), so these count as none.
 * (app_dial, Asterisk 22) */
static void was_never_called(struct channel *dest, struct slice status)
{
    bool seen_whole = !dest->born_unseen && !dest->blind;
    if (slice_is(status, "CANCEL") && seen_whole && !dest->called_up)
        channel_set_flag(dest, SNAPSHOT_DIALED, false);
}

void tap_on_dial_end(struct tap *tap, const struct ami_message *m)
{
    struct channel *caller = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    struct channel *dest = tap_channel(tap, ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    struct slice status = ami_message_get(m, AMI_HEADER_DIALSTATUS);
    visits_dial_end(&tap->visits, m);
    if (!dest || (!caller && ami_message_has(m, AMI_HEADER_UNIQUEID)))
        return;
    was_never_called(dest, status);
    struct cdr_dial_end end = {.caller = caller,
                               .dest = dest,
                               .caller_look = look_at(tap, m, &channel_headers_plain, caller),
                               .dest_look = look_at(tap, m, &channel_headers_dest, dest),
                               .status = status};
    if (end.dest_look)
        cdr_dial_end(&tap->cdr, &end, tap->emit->now);
    snapshot_unref(end.caller_look);
    snapshot_unref(end.dest_look);
    dest->forwards |= ami_message_get(m, AMI_HEADER_FORWARD).n != 0;
    take_cause(caller, dest, status);
    if (slice_is(status, "ANSWER"))
        run_originated(tap, dest);
    journey_dial_end(dest, status, ami_message_get(m, AMI_HEADER_FORWARD), tap->emit->now);
    follow_dial_end(tap, dest, status);
}

struct bridge *tap_bridge(struct tap *tap, const struct ami_message *m)
{
    struct slice id = ami_message_get(m, AMI_HEADER_BRIDGEUNIQUEID);
    struct bridge *b = table_find(&tap->bridges, id);
    if (b || !id.n)
        return b;
    b = bridge_new(m);
    if (b && !table_add(&tap->bridges, b)) {
        bridge_free(b);
        return NULL;
    }
    return b;
}

static void count_members(struct bridge *b, const struct ami_message *m)
{
    uint32_t shown = 0;
    if (ami_text_unsigned(ami_message_get(m, AMI_HEADER_BRIDGENUMCHANNELS), &shown))
        b->shown = shown;
}

/* A conference is entered by ConfBridge, also where Page or an async goto runs it unshown. */
static void enter_conference(struct tap *tap, struct channel *c, const struct bridge *b)
{
    struct slice application = snapshot_text(c->now, SNAPSHOT_APPLICATION);
    bool shown = application.n == strlen("ConfBridge") &&
                 strncasecmp(application.p, "ConfBridge", application.n) == 0;
    if (b->confbridge && (!shown || c->sent_elsewhere))
        tap_run_unshown(tap, c, SLICE("ConfBridge"), b->name);
}

void tap_touch_members(struct tap *tap, const struct bridge *b)
{
    for (size_t i = 0; i < b->count; i++) {
        calls_touch(&tap->calls, b->members[i]->call);
        calls_touch(&tap->calls, journey_call(b->members[i]));
        if (!tap->sees_dialplan)
            tap_look_again(tap, b->members[i]);
    }
}

static void set_parking(struct channel *c, struct slice data)
{
    text_set(&c->parking, data);
    saved_touch(&c->saved);
}

/* A ParkedCall that came before the parking bridge was entered waits for it. */
static void park(struct tap *tap, struct channel *c, struct slice data)
{
    struct snapshot_values v = snapshot_values(c->now);
    v.text[SNAPSHOT_APPLICATION] = SLICE("Park");
    v.text[SNAPSHOT_APPDATA] = data;
    v.flags &= ~(unsigned)(SNAPSHOT_DATA_GUESSED | SNAPSHOT_DATA_MISSING);
    struct snapshot *look = snapshot_new(&v);
    if (look)
        cdr_parked(&tap->cdr, c, look, tap->emit->now);
    snapshot_unref(look);
}

/* What looked like an origination was a call back to a transferer whose target did not answer: it
 * goes straight into the waiting bridge, where an origination would run an application first. */
static bool was_called_back(const struct channel *c, const struct bridge *b)
{
    bool ran_nothing = snapshot_flags(c->now) & SNAPSHOT_APPLICATION_UNSEEN
                           ? c->chain && c->chain->count == 1 /* has dialed nobody */
                           : slice_is(snapshot_text(c->now, SNAPSHOT_APPLICATION), "AppDial2");
    return c->originated && !c->been_bridged && b->kind == BRIDGE_BASIC && !b->confbridge &&
           !b->stasis && ran_nothing;
}

/* The first argument of the Stasis that a member of the bridge runs: the ARI application's name. */
static struct slice stasis_application(const struct bridge *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct snapshot *look = b->members[i]->now;
        struct slice data = snapshot_text(look, SNAPSHOT_APPDATA);
        if (!slice_is(snapshot_text(look, SNAPSHOT_APPLICATION), "Stasis") || !data.n)
            continue;
        return slice_until(data, ',');
    }
    return (struct slice){NULL, 0};
}

/* externalMedia hands its data to the application too (Asterisk 22); over AudioSocket that is the
 * UUID at the end of the channel's name. */
static struct slice stasis_data(const struct channel *c, struct slice name, char *text, size_t size)
{
    enum { UUID_LENGTH = 36 };
    struct slice channel = channel_name(c);
    if (!slice_starts(channel, SLICE("AudioSocket/")) || channel.n <= UUID_LENGTH)
        return name;
    int n = snprintf(text, size, "%.*s,%.*s", (int)slice_head(name, size / 2).n, name.p,
                     UUID_LENGTH, channel.p + channel.n - UUID_LENGTH);
    return (struct slice){text, (size_t)n};
}

/* A channel that ARI dialed is in its Stasis application, which no Newexten showed; that it shares
 * the bridge with another channel of the application tells its name. */
static void enter_stasis(struct tap *tap, struct channel *c, const struct bridge *b)
{
    struct slice name = stasis_application(b);
    if (snapshot_flags(c->now) & SNAPSHOT_APPLICATION_UNSEEN)
        channel_set_flag(c, SNAPSHOT_DIALED, false);
    if (!slice_is(snapshot_text(c->now, SNAPSHOT_APPLICATION), "AppDial2") || !name.n)
        return;
    channel_set_flag(c, SNAPSHOT_DIALED, false);
    char text[512];
    struct slice data = stasis_data(c, name, text, sizeof(text));
    struct channel_change change =
        channel_run(c, SLICE("Stasis"), data, SNAPSHOT_DATA_GUESSED, tap->emit->now);
    tap_look(tap, &change);
}

/* The look that BridgeEnter shows. Whom the manager's Bridge or Park takes out of an application
 * goes on in a channel made just then, which has his name and id and stands behind that application
 * in the dialplan, while the application sees its own channel hung up. (ast_channel_yank, Asterisk
 * 22) */
static void see_entering(struct tap *tap, struct channel *c, const struct bridge *b,
                         const struct ami_message *m)
{
    bool ran = snapshot_text(c->now, SNAPSHOT_APPLICATION).n && !c->sent_elsewhere;
    int priority = snapshot_priority(c->now);
    bool waited = visits_bridge_enter(&tap->visits, channel_uniqueid(c), bridge_id(b));
    tap_see(tap, m, &channel_headers_plain);
    bool behind = ran && !snapshot_text(c->now, SNAPSHOT_APPLICATION).n &&
                  snapshot_priority(c->now) == priority + 1;
    if (waited || behind)
        c->made = (struct channel_age){.count = -1, .time = tap->emit->now};
}

void tap_on_bridge_enter(struct tap *tap, const struct ami_message *m)
{
    struct bridge *b = tap_bridge(tap, m);
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    if (!b)
        return;
    tap_settle_bridge(tap, b, m);
    count_members(b, m);
    if (!c) {
        tap->unknown_channels++;
        return;
    }
    /* It lived on after a bridge, so it was moved, merged or transferred: dialed no more. */
    if (c->left_bridge)
        channel_set_flag(c, SNAPSHOT_DIALED, false);
    else if (was_called_back(c, b))
        channel_set_flag(c, SNAPSHOT_DIALED, true);
    else
        tap_foresee_pickup(c, b);
    if (b->stasis)
        enter_stasis(tap, c, b);
    see_entering(tap, c, b, m);
    enter_conference(tap, c, b);
    if (!bridge_enter(b, c)) {
        tap->members_refused++;
        return;
    }
    c->been_bridged = true;
    talk_merge(&tap->calls, b);
    talk_bridge(&tap->calls, b);
    if (b->confbridge)
        call_conference(&tap->calls, c, b, true);
    cdr_bridge_enter(&tap->cdr, b, c, tap->emit->now);
    tap_bridged(tap, c);
    if (b->kind == BRIDGE_PARKING && c->parking) {
        park(tap, c, slice_from(c->parking));
        set_parking(c, SLICE(""));
    }
    if (!tap->sees_dialplan && b->kind == BRIDGE_BASIC && !b->confbridge)
        tap_share_linkedid(tap, b);
    tap_touch_members(tap, b);
    handoff_bridged(&tap->calls, b);
}

void tap_on_bridge_leave(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    struct bridge *b = tap_bridge(tap, m);
    if (!b)
        return;
    tap_settle_bridge(tap, b, m);
    count_members(b, m);
    if (!c)
        return;
    calls_touch(&tap->calls, c->call);
    calls_touch(&tap->calls, journey_call(c));
    if (c->held_since)
        call_resumed(&tap->calls, c);
    if (c->bridge == b)
        bridge_leave(b, c);
    talk_left(&tap->calls, c);
    talk_bridge(&tap->calls, b);
    c->left_bridge = true;
    tap_bridged(tap, c);
    if (b->confbridge)
        call_conference(&tap->calls, c, b, false);
    cdr_bridge_leave(&tap->cdr, b, c, tap->emit->now);
    tap_touch_members(tap, b);
}

void tap_on_bridge_destroy(struct tap *tap, const struct ami_message *m)
{
    struct bridge *b = table_find(&tap->bridges, ami_message_get(m, AMI_HEADER_BRIDGEUNIQUEID));
    if (!b)
        return;
    while (b->count) {
        struct channel *c = b->members[b->count - 1];
        bridge_leave(b, c);
        talk_left(&tap->calls, c);
        talk_bridge(&tap->calls, b);
    }
    table_remove(&tap->bridges, bridge_id(b));
    bridge_free(b);
}

void tap_on_parked_call(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_parkee);
    char text[512];
    if (!c)
        return;
    struct slice lot = slice_head(ami_message_get(m, AMI_HEADER_PARKINGLOT), 256);
    struct slice space = slice_head(ami_message_get(m, AMI_HEADER_PARKINGSPACE), 128);
    int n = snprintf(text, sizeof(text), "%.*s:%.*s", (int)lot.n, lot.n ? lot.p : "", (int)space.n,
                     space.n ? space.p : "");
    struct slice data = {text, (size_t)n};
    struct call_parking parking = {.kind = FACT_CALL_PARKED, .lot = lot, .space = space};
    ami_text_seconds(ami_message_get(m, AMI_HEADER_PARKINGTIMEOUT), &parking.timeout);
    call_parking(&tap->calls, c, &parking);
    if (c->bridge && c->bridge->kind != BRIDGE_PARKING)
        set_parking(c, data);
    else
        park(tap, c, data);
}

/* UnParkedCall, ParkedCallTimeOut and ParkedCallGiveUp show looks from when the call was parked, or
 * not published: nothing is taken from these. */
void tap_on_unparked_call(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_PARKEEUNIQUEID));
    struct call_parking parking = {.kind = FACT_CALL_RETRIEVED,
                                   .lot = ami_message_get(m, AMI_HEADER_PARKINGLOT),
                                   .space = ami_message_get(m, AMI_HEADER_PARKINGSPACE),
                                   .by = ami_message_get(m, AMI_HEADER_RETRIEVERCHANNEL)};
    if (c)
        call_parking(&tap->calls, c, &parking);
}

void tap_on_park_ended(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_PARKEEUNIQUEID));
    struct call_parking parking = {.kind = FACT_CALL_PARK_ENDED,
                                   .lot = ami_message_get(m, AMI_HEADER_PARKINGLOT),
                                   .space = ami_message_get(m, AMI_HEADER_PARKINGSPACE),
                                   .reason = m->event == AMI_EVENT_PARKEDCALLTIMEOUT ? "timeout"
                                                                                     : "gave_up"};
    if (!c)
        return;
    call_parking(&tap->calls, c, &parking);
    /* Where it runs nothing no Newexten shows that it is sent to its new place, before another does
     * what it runs there. */
    c->parked_out =
        m->event == AMI_EVENT_PARKEDCALLTIMEOUT && !snapshot_text(c->now, SNAPSHOT_APPLICATION).n;
    saved_touch(&c->saved);
}

static bool succeeded(const struct ami_message *m)
{
    return slice_is(ami_message_get(m, AMI_HEADER_RESULT), "Success");
}

void tap_on_blind_transfer(struct tap *tap, const struct ami_message *m)
{
    if (!succeeded(m))
        return;
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_TRANSFERERUNIQUEID));
    struct call_transfer moved = {.how = "blind",
                                  .context = ami_message_get(m, AMI_HEADER_CONTEXT),
                                  .to = ami_message_get(m, AMI_HEADER_EXTENSION)};
    if (c)
        call_transferred(&tap->calls, c, &moved);
    struct visit_transfer transfer = {
        .bridge = ami_message_get(m, AMI_HEADER_BRIDGEUNIQUEID),
        .event = "BLINDTRANSFER",
        .args = {ami_message_get(m, AMI_HEADER_EXTENSION), ami_message_get(m, AMI_HEADER_CONTEXT)},
        .count = 2};
    visits_transfer(&tap->visits, &transfer);
}

/* Where an attended transfer went, by DestType. */
static struct slice attended_target(const struct ami_message *m)
{
    struct slice type = ami_message_get(m, AMI_HEADER_DESTTYPE);
    if (slice_is(type, "Bridge"))
        return ami_message_get(m, AMI_HEADER_DESTBRIDGEUNIQUEID);
    if (slice_is(type, "App"))
        return ami_message_get(m, AMI_HEADER_DESTAPP);
    return ami_message_get(m, AMI_HEADER_TRANSFERTARGETCHANNEL);
}

/* A Queue answers its caller, a Dial does not. */
static bool waits_for_answer(const struct channel *dialler, const struct ami_message *m)
{
    struct slice application = dialler ? snapshot_text(dialler->now, SNAPSHOT_APPLICATION)
                                       : ami_message_get(m, AMI_HEADER_DESTAPP);
    return (dialler && snapshot_state(dialler->now) != CHANNEL_STATE_UP) ||
           slice_is(application, "Dial") || slice_is(application, "Queue");
}

/* The other half of the Local channel in the transferee's bridge: it dials for him. */
static struct channel *dialling_for(const struct channel *transferee)
{
    const struct bridge *b = transferee ? transferee->bridge : NULL;
    for (size_t i = 0; b && i < b->count; i++) {
        if (b->members[i]->half)
            return b->members[i]->half;
    }
    return NULL;
}

/* When AttendedTransfer comes the transferee is where he was sent (Asterisk 22). Blonde: nobody
 * there had answered yet, as where the target is an application that waits for an answer itself. */
static void tell_attended(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_ORIGTRANSFERERUNIQUEID));
    struct channel *moved = tap_channel(tap, ami_message_get(m, AMI_HEADER_TRANSFEREEUNIQUEID));
    struct channel *with = moved ? talk_partner(&tap->calls, moved, c) : NULL;
    struct channel *dialler = with ? NULL : dialling_for(moved);
    struct call_transfer transfer = {
        .how = "attended",
        .to = attended_target(m),
        .stays = slice_is(ami_message_get(m, AMI_HEADER_DESTTYPE), "Threeway")};
    if (!with && waits_for_answer(dialler, m))
        transfer.how = "blonde";
    if (with)
        transfer.to = snapshot_text(with->now, SNAPSHOT_CALLER_NUMBER);
    else if (dialler)
        transfer.to = snapshot_text(dialler->now, SNAPSHOT_EXTEN);
    if (c)
        call_transferred(&tap->calls, c, &transfer);
}

void tap_on_attended_transfer(struct tap *tap, const struct ami_message *m)
{
    struct slice type = ami_message_get(m, AMI_HEADER_DESTTYPE);
    if (!succeeded(m))
        return;
    tell_attended(tap, m);
    struct visit_transfer transfer = {.bridge = ami_message_get(m, AMI_HEADER_ORIGBRIDGEUNIQUEID),
                                      .event = "ATTENDEDTRANSFER",
                                      .count = 2};
    if (slice_is(type, "Bridge")) {
        transfer.args[0] = SLICE("BRIDGE");
        transfer.args[1] = attended_target(m);
    } else if (slice_is(type, "App")) {
        transfer.args[0] = SLICE("APP");
        transfer.args[1] = attended_target(m);
    } else if (slice_is(type, "Link")) {
        transfer.args[0] = SLICE("LINK");
        transfer.args[1] = ami_message_get(m, AMI_HEADER_LOCALONECHANNEL);
        transfer.args[2] = ami_message_get(m, AMI_HEADER_LOCALTWOCHANNEL);
        transfer.count = 3;
    } else {
        return; /* three-way and failed ones are not logged */
    }
    visits_transfer(&tap->visits, &transfer);
}

/* The options of a Dial's data: from its first comma on. */
static struct slice options_of(struct slice data)
{
    return slice_from_offset(data, slice_until(data, ',').n);
}

/* Last resort of cdr-rules 8.1: what is dialed, with the options of the Dial that the channel ran
 * before. Marked as a guess. */
void tap_complete_data(struct tap *tap, struct channel *c, const struct ami_message *dial)
{
    char text[SNAPSHOT_TEXT_MAX];
    unsigned flags = snapshot_flags(c->now);
    if (!(flags & SNAPSHOT_DATA_MISSING) || (flags & SNAPSHOT_DATA_GUESSED))
        return;
    struct slice name = ami_message_get(dial, AMI_HEADER_DESTCHANNEL);
    const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
    struct slice technology = slice_head(name, slash ? (size_t)(slash - name.p) : name.n);
    struct slice string = slice_head(ami_message_get(dial, AMI_HEADER_DIALSTRING), 2048);
    struct slice options = slice_head(options_of(slice_from(tap->last_dial)), 1024);
    /* A parked call that goes back to its parker runs a Dial that res_parking made itself, with
     * comebackdialtime, 30 unless set. */
    if (slice_is(snapshot_text(c->now, SNAPSHOT_CONTEXT), "park-dial"))
        options = SLICE(",30");
    int n = snprintf(text, sizeof(text), "%.*s/%.*s%.*s", (int)slice_head(technology, 64).n,
                     technology.n ? technology.p : "", (int)string.n, string.n ? string.p : "",
                     (int)options.n, options.n ? options.p : "");
    struct channel_change change =
        channel_run(c, SLICE("Dial"), (struct slice){text, (size_t)n},
                    SNAPSHOT_DATA_MISSING | SNAPSHOT_DATA_GUESSED, tap->emit->now);
    tap_look(tap, &change);
    if (c->chain)
        cdr_data_guessed(c->chain, c->now);
}
