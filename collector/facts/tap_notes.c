/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"
#include "collector/facts/tap_internal.h"
#include <stdlib.h>

/* What an application of the dialplan tells of events to come, which do not say that it caused
 * them. It may cause none: who is a member already is not added, and who is in no queue is not
 * paused. So nothing that it told counts once its channel goes on: the application raises its
 * events before it ends (AddQueueMember, RemoveQueueMember, PauseQueueMember, UnpauseQueueMember;
 * Asterisk 22). */

/* A dial begins at once, also that of Originate's option a, which lets its channel go on before
 * (Asterisk 22). */
#define ORIGINATE_WITHIN_US 5000000

void tap_application_over(struct tap *tap, const struct channel *c)
{
    if (slice_equal(slice_from(tap->member_channel), channel_uniqueid(c)))
        text_set(&tap->member_channel, SLICE(""));
    if (slice_equal(slice_from(tap->pause_channel), channel_uniqueid(c)))
        text_set(&tap->pause_all, SLICE(""));
}

void tap_forget_notes(struct tap *tap)
{
    text_set(&tap->member_channel, SLICE(""));
    text_set(&tap->pause_all, SLICE(""));
    text_set(&tap->originate, SLICE(""));
}

/* Who adds or removes a member is in the queue_log, but not in the event about the member. */
static void note_member(struct tap *tap, const struct channel *c, struct slice application)
{
    if (slice_is(application, "AddQueueMember") || slice_is(application, "RemoveQueueMember"))
        text_set(&tap->member_channel, channel_uniqueid(c));
}

/* PauseQueueMember(,interface): with no queue named it is all of them. */
static void note_pause_all(struct tap *tap, const struct channel *c, struct slice application,
                           struct slice data)
{
    if ((!slice_is(application, "PauseQueueMember") &&
         !slice_is(application, "UnpauseQueueMember")) ||
        !slice_starts(data, SLICE(",")))
        return;
    text_set(&tap->pause_channel, channel_uniqueid(c));
    text_set(&tap->pause_all, slice_until(slice_from_offset(data, 1), ','));
}

/* Originate(technology/resource,app,application,data…): what the phone will run raises no Newexten.
 */
static void note_origination(struct tap *tap, struct slice application, struct slice data)
{
    if (!slice_is(application, "Originate"))
        return;
    text_set(&tap->originate, data);
    tap->originate_at = tap->emit->now;
}

void tap_note_application(struct tap *tap, const struct channel *c, struct slice application,
                          struct slice data)
{
    tap_application_over(tap, c);
    note_member(tap, c, application);
    note_pause_all(tap, c, application, data);
    note_origination(tap, application, data);
}

struct slice tap_originates(const struct tap *tap)
{
    if (llabs(tap->emit->now - tap->originate_at) > ORIGINATE_WITHIN_US)
        return SLICE("");
    return slice_from(tap->originate);
}
