/* SPDX-License-Identifier: MIT */
#include "collector/state/channel.h"

#include "collector/base/memory.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

/* Events of one group are written within microseconds; anything later is a new look. */
#define GROUP_SPAN_US 20000

#define CHANNEL_HEADERS(prefix)                                                                    \
    {                                                                                              \
        AMI_HEADER_##prefix##CHANNEL, AMI_HEADER_##prefix##CHANNELSTATE,                           \
            AMI_HEADER_##prefix##CALLERIDNUM, AMI_HEADER_##prefix##CALLERIDNAME,                   \
            AMI_HEADER_##prefix##CONNECTEDLINENUM, AMI_HEADER_##prefix##CONNECTEDLINENAME,         \
            AMI_HEADER_##prefix##ACCOUNTCODE, AMI_HEADER_##prefix##CONTEXT,                        \
            AMI_HEADER_##prefix##EXTEN, AMI_HEADER_##prefix##PRIORITY,                             \
            AMI_HEADER_##prefix##UNIQUEID, AMI_HEADER_##prefix##LINKEDID                           \
    }

const struct channel_headers channel_headers_plain = CHANNEL_HEADERS();
const struct channel_headers channel_headers_dest = CHANNEL_HEADERS(DEST);
const struct channel_headers channel_headers_parkee = CHANNEL_HEADERS(PARKEE);
const struct channel_headers channel_headers_transferer = CHANNEL_HEADERS(TRANSFERER);
const struct channel_headers channel_headers_transferee = CHANNEL_HEADERS(TRANSFEREE);

static struct slice known(const struct ami_message *m, enum ami_header_id id)
{
    return ami_text_known(ami_message_get(m, id));
}

bool channel_read(const struct ami_message *m, const struct channel_headers *headers,
                  struct channel_scratch *scratch, struct snapshot_values *ret_seen)
{
    struct slice uniqueid = ami_message_get(m, headers->uniqueid);
    if (!uniqueid.n)
        return false;
    *ret_seen = (struct snapshot_values){
        .text = {
            [SNAPSHOT_UNIQUEID] = uniqueid,
            [SNAPSHOT_NAME] = ami_message_get(m, headers->name),
            [SNAPSHOT_LINKEDID] = ami_message_get(m, headers->linkedid),
            [SNAPSHOT_CALLER_NUMBER] = known(m, headers->caller_number),
            [SNAPSHOT_CALLER_NAME] =
                ami_text_plain(m->event, headers->caller_name, known(m, headers->caller_name),
                               scratch->caller_name, sizeof(scratch->caller_name)),
            [SNAPSHOT_CONNECTED_NUMBER] = known(m, headers->connected_number),
            [SNAPSHOT_CONNECTED_NAME] =
                ami_text_plain(m->event, headers->connected_name, known(m, headers->connected_name),
                               scratch->connected_name, sizeof(scratch->connected_name)),
            [SNAPSHOT_ACCOUNTCODE] = ami_message_get(m, headers->accountcode),
            [SNAPSHOT_CONTEXT] = ami_message_get(m, headers->context),
            [SNAPSHOT_EXTEN] = ami_message_get(m, headers->exten),
        }};
    int64_t number = 0;
    if (ami_text_int(ami_message_get(m, headers->priority), &number))
        ret_seen->priority = (int)number;
    if (ami_text_int(ami_message_get(m, headers->state), &number))
        ret_seen->state = (int)number;
    return true;
}

static struct channel_age age_of(struct slice uniqueid, int64_t time)
{
    int64_t seconds, count;
    bool numbered = channel_id_parts(uniqueid, &seconds, &count);
    return (struct channel_age){.count = numbered ? count : -1, .time = time};
}

bool channel_is_older(const struct channel_age *one, const struct channel_age *other)
{
    if (one->count >= 0 && other->count >= 0)
        return one->count <= other->count;
    return one->time <= other->time;
}

struct channel *channel_new(const struct snapshot_values *seen, int64_t time)
{
    struct channel *c = memory_zeroed(1, sizeof(*c));
    if (!c)
        return NULL;
    struct snapshot_values values = *seen;
    if (values.state == CHANNEL_STATE_DOWN)
        values.flags |= SNAPSHOT_DIALED;
    c->birth = snapshot_new(&values);
    if (!c->birth) {
        free(c);
        return NULL;
    }
    c->now = snapshot_ref(c->birth);
    c->last_event = CHANNEL_EVENT_STATE;
    c->last_time = time;
    c->born = time;
    c->made = age_of(channel_uniqueid(c), time);
    c->saved.kind = SAVED_CHANNEL;
    return c;
}

void channel_free(struct channel *c)
{
    if (!c)
        return;
    snapshot_unref(c->birth);
    snapshot_unref(c->now);
    snapshot_unref(c->before);
    snapshot_unref(c->outer);
    variables_free(&c->variables);
    free(c->parking);
    free(c->half_id);
    free(c->called.member);
    free(c->called.caller);
    free(c->will_run);
    free(c->will_run_data);
    free(c->called.queue);
    free(c->dialer);
    free(c->agent);
    free(c);
}

static bool place_differs(const struct snapshot *s, const struct snapshot_values *seen)
{
    return snapshot_priority(s) != seen->priority ||
           !slice_equal(snapshot_text(s, SNAPSHOT_CONTEXT), seen->text[SNAPSHOT_CONTEXT]) ||
           !slice_equal(snapshot_text(s, SNAPSHOT_EXTEN), seen->text[SNAPSHOT_EXTEN]);
}

/* The application that a look of its own has goes back to the outer one. */
static void resume(const struct channel *c, struct snapshot_values *v)
{
    if (!c->outer_due)
        return;
    v->text[SNAPSHOT_APPLICATION] = snapshot_text(c->outer, SNAPSHOT_APPLICATION);
    v->text[SNAPSHOT_APPDATA] = snapshot_text(c->outer, SNAPSHOT_APPDATA);
}

static void forget_outer(struct channel *c)
{
    snapshot_unref(c->outer);
    c->outer = NULL;
    c->outer_due = false;
}

/* What the event does not carry is kept from what is held. */
static struct snapshot_values complete(const struct channel *c, const struct snapshot_values *seen,
                                       enum channel_event event)
{
    struct snapshot_values held = snapshot_values(c->now);
    struct snapshot_values v = *seen;
    v.text[SNAPSHOT_UNIQUEID] = held.text[SNAPSHOT_UNIQUEID];
    if (!v.text[SNAPSHOT_LINKEDID].n)
        v.text[SNAPSHOT_LINKEDID] = held.text[SNAPSHOT_LINKEDID];
    v.flags = held.flags | seen->flags;
    v.ama = held.ama;
    /* Hangup's cause is final, also when it is 0. */
    if (!v.cause && !(seen->flags & SNAPSHOT_DEAD))
        v.cause = held.cause;
    if (event == CHANNEL_EVENT_NEWEXTEN) {
        v.flags &= ~(unsigned)(SNAPSHOT_DATA_GUESSED | SNAPSHOT_DATA_MISSING |
                               SNAPSHOT_APPLICATION_UNSEEN);
        return v;
    }
    bool moved = place_differs(c->now, seen);
    v.text[SNAPSHOT_APPLICATION] = moved ? SLICE("") : held.text[SNAPSHOT_APPLICATION];
    v.text[SNAPSHOT_APPDATA] = moved ? SLICE("") : held.text[SNAPSHOT_APPDATA];
    /* Other events repeat the latest look, unless they show one that was not told. */
    bool is_look = event != CHANNEL_EVENT_OTHER || !snapshot_equal(c->now, &v);
    if (is_look && !moved && !(seen->flags & SNAPSHOT_DEAD))
        resume(c, &v);
    return v;
}

/* Whether the event goes on with the group of events that the last one began. */
static bool goes_on(const struct channel *c, enum channel_event event,
                    const struct snapshot_values *v, int64_t time)
{
    if (event <= c->last_event || c->last_event == CHANNEL_EVENT_OTHER ||
        time - c->last_time > GROUP_SPAN_US)
        return false;
    struct snapshot_values same_but_application = *v;
    struct snapshot_values held = snapshot_values(c->now);
    same_but_application.text[SNAPSHOT_APPLICATION] = held.text[SNAPSHOT_APPLICATION];
    same_but_application.text[SNAPSHOT_APPDATA] = held.text[SNAPSHOT_APPDATA];
    same_but_application.flags = held.flags;
    return snapshot_equal(c->now, &same_but_application);
}

struct channel_change channel_take(struct channel *c, const struct snapshot_values *seen,
                                   enum channel_event event, int64_t time)
{
    struct snapshot_values v = complete(c, seen, event);
    int64_t last_seen = c->last_time;
    bool changed = !snapshot_equal(c->now, &v);
    struct snapshot *next = changed ? snapshot_new(&v) : snapshot_ref(c->now);
    if (!next) {
        next = snapshot_ref(c->now);
        changed = false;
    }
    if (!goes_on(c, event, &v, time))
        snapshot_set(&c->before, c->now);
    if (event == CHANNEL_EVENT_NEWEXTEN || (changed && c->outer_due))
        forget_outer(c);
    snapshot_unref(c->now);
    c->now = next;
    c->last_event = event;
    c->last_time = time;
    if (changed)
        saved_touch(&c->saved);
    return (struct channel_change){c, c->before, c->now, changed, last_seen};
}

struct snapshot *channel_look(const struct channel *c, const struct snapshot_values *seen)
{
    struct snapshot_values v = complete(c, seen, CHANNEL_EVENT_OTHER);
    return snapshot_new(&v);
}

struct channel_change channel_run(struct channel *c, struct slice application, struct slice data,
                                  unsigned flags, int64_t time)
{
    struct snapshot_values v = snapshot_values(c->now);
    v.text[SNAPSHOT_APPLICATION] = application;
    v.text[SNAPSHOT_APPDATA] = data;
    v.flags &=
        ~(unsigned)(SNAPSHOT_DATA_GUESSED | SNAPSHOT_DATA_MISSING | SNAPSHOT_APPLICATION_UNSEEN);
    v.flags |= flags;
    int64_t last_seen = c->last_time;
    snapshot_set(&c->before, c->now);
    channel_alter(c, &v);
    c->last_event = CHANNEL_EVENT_OTHER;
    c->last_time = time;
    return (struct channel_change){c, c->before, c->now, true, last_seen};
}

struct channel_change channel_run_inside(struct channel *c, struct slice application,
                                         struct slice data, int64_t time)
{
    if (!c->outer)
        c->outer = snapshot_ref(c->now);
    c->outer_due = false;
    return channel_run(c, application, data, 0, time);
}

void channel_inside_over(struct channel *c)
{
    c->outer_due = c->outer != NULL;
    saved_touch(&c->saved);
}

struct channel_change channel_again(struct channel *c)
{
    struct snapshot_values v = snapshot_values(c->now);
    if (!c->outer_due)
        return (struct channel_change){.channel = c, .old = c->now, .now = c->now};
    snapshot_set(&c->before, c->now);
    resume(c, &v);
    channel_alter(c, &v);
    forget_outer(c);
    return (struct channel_change){.channel = c, .old = c->before, .now = c->now};
}

void channel_alter(struct channel *c, const struct snapshot_values *values)
{
    struct snapshot *next = snapshot_new(values);
    if (!next)
        return;
    snapshot_unref(c->now);
    c->now = next;
    saved_touch(&c->saved);
}

void channel_set_flag(struct channel *c, unsigned flag, bool on)
{
    struct snapshot_values v = snapshot_values(c->now);
    unsigned flags = on ? v.flags | flag : v.flags & ~flag;
    if (flags == v.flags)
        return;
    v.flags = flags;
    channel_alter(c, &v);
}

struct slice channel_uniqueid(const struct channel *c)
{
    return snapshot_text(c->birth, SNAPSHOT_UNIQUEID);
}

struct slice channel_name(const struct channel *c)
{
    return snapshot_text(c->now, SNAPSHOT_NAME);
}

struct slice channel_linkedid(const struct channel *c)
{
    return snapshot_text(c->now, SNAPSHOT_LINKEDID);
}

/* Behind an AudioSocket's service stands a UUID, which has '-' in it, where others have a serial.
 */
static struct slice audiosocket_interface(struct slice name)
{
    enum { UUID_LENGTH = 36 };
    return slice_head(name, name.n > UUID_LENGTH ? name.n - UUID_LENGTH - 1 : name.n);
}

bool channel_id_parts(struct slice id, int64_t *ret_seconds, int64_t *ret_count)
{
    size_t dot = id.n;
    while (dot && id.p[dot - 1] != '.')
        dot--;
    size_t begin = dot ? dot - 1 : 0;
    while (begin && id.p[begin - 1] >= '0' && id.p[begin - 1] <= '9')
        begin--;
    return dot &&
           ami_text_int_within((struct slice){id.p + begin, dot - 1 - begin}, 0,
                               AMI_TEXT_SECONDS_MAX, ret_seconds) &&
           ami_text_int(slice_from_offset(id, dot), ret_count);
}

struct slice channel_interface(struct slice name)
{
    if (slice_starts(name, SLICE("AudioSocket/")))
        return audiosocket_interface(name);
    for (size_t i = name.n; i > 0; i--) {
        if (name.p[i - 1] == '-')
            return slice_head(name, i - 1);
    }
    return name;
}

bool channel_is_local(struct slice name)
{
    return slice_starts(name, SLICE("Local/"));
}

bool channel_is_media(struct slice name)
{
    return slice_starts(name, SLICE("UnicastRTP/")) || slice_starts(name, SLICE("AudioSocket/")) ||
           slice_starts(name, SLICE("WebSocket/"));
}
