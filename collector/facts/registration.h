/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_REGISTRATION_H
#define COLLECTOR_FACTS_REGISTRATION_H

#include "collector/facts/emit.h"
#include "collector/state/saved.h"
#include "collector/state/table.h"
#include "parsers/ami_message.h"

/* Outbound registrations: the PBX's own with its carriers, as Registry tells them (class system,
 * Asterisk 12 to 23) and PJSIPShowRegistrationsOutbound lists them. */
struct registration {
    char *key; /* "PJSIP/<username>/<domain>", both as Registry has them, without passwords */
    char *channeltype, *username, *domain;
    char *name;     /* its section's, or NULL while no list showed it */
    char *endpoint; /* whose calls it brings, "PJSIP/carrier", or NULL */
    char *state;    /* Asterisk's word: Registered, Unregistered, Rejected, Failed … */
    char *cause;    /* of the state, or NULL */
    int64_t since;
    bool since_snapshot; /* the present state was not seen to begin */
    uint64_t seen;       /* number of the event or list item that showed it last */
    bool changed;
    struct registration *next_changed;
    uint64_t told; /* what of it was told last (emit_end_state) */
    struct saved saved;
};

struct registrations {
    struct table by_key;
    struct emitter *emit;
    struct registration *changed;
    struct saved_list *saved; /* NULL: they are not saved */
    uint64_t refused;
};

/* None yet. emit is borrowed; past max further ones are refused. */
struct registrations registrations_new(struct emitter *emit, size_t max);
/* Frees them all; tells nothing. */
void registrations_free(struct registrations *registrations);

/* Registry. */
void registrations_event(struct registrations *registrations, const struct ami_message *m);

/* OutboundRegistrationDetail, an item of the list that was asked for after event number `asked`.
 * Returns the registration, or NULL when there is no room. */
const struct registration *registrations_item(struct registrations *registrations,
                                              const struct ami_message *m, uint64_t asked);

/* The list was answered in full: PJSIP's that it did not hold, and no event has shown since event
 * number `asked`, are gone. */
void registrations_lose_missing(struct registrations *registrations, uint64_t asked);

/* Tells the live state of those that changed. */
void registrations_tell(struct registrations *registrations);

/* A new registration, for one that was saved. NULL when there is no room or a part is empty. */
struct registration *registrations_restore(struct registrations *registrations,
                                           struct slice channeltype, struct slice username,
                                           struct slice domain);
/* All were taken back: tells them. */
void registrations_restored(struct registrations *registrations);

/* The tap was blind: no present state was seen from its beginning on. */
void registrations_blind(struct registrations *registrations);

#endif
