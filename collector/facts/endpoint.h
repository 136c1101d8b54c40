/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_ENDPOINT_H
#define COLLECTOR_FACTS_ENDPOINT_H

#include "collector/facts/emit.h"
#include "collector/state/saved.h"
#include "collector/state/table.h"
#include "parsers/ami_message.h"

/* Endpoints: phones and carriers by their device name, "PJSIP/101". Their device state comes with
 * DeviceStateChange (class call), their contacts with ContactStatus (PJSIP) and PeerStatus (the
 * other technologies; class system), Asterisk 13 to 23. Kept are devices of channel technologies
 * that register or are wired; queues, hints, parking, conferences and Local are not. */

/* The device state while it is not known; else it is one of enum ami_device_state. */
#define ENDPOINT_NO_STATE (-1)

enum endpoint_registered { ENDPOINT_NOT_KNOWN, ENDPOINT_UNREGISTERED, ENDPOINT_REGISTERED };

struct endpoint_contact {
    char *uri;         /* without a password; an address where there is no URI */
    char *status;      /* Asterisk's word */
    int64_t roundtrip; /* microseconds, 0: not known */
};

/* Further contacts of one endpoint are not kept (counted in refused). */
#define ENDPOINT_CONTACTS_MAX 32u

struct endpoint {
    char *name;
    int state; /* AMI_DEVICE_*, or ENDPOINT_NO_STATE */
    int64_t since;
    bool since_snapshot; /* the present state was not seen to begin */
    enum endpoint_registered registered;
    char *address; /* of PeerStatus, or NULL */
    struct endpoint_contact *contacts;
    size_t count;
    uint64_t seen; /* number of the event or list item that showed its state last */
    bool changed;
    struct endpoint *next_changed;
    uint64_t told; /* what of it was told last (emit_end_state) */
    struct saved saved;
};

struct endpoints {
    struct table by_name;
    struct emitter *emit;
    struct endpoint *changed;
    struct saved_list *saved; /* NULL: endpoints are not saved */
    uint64_t refused;
};

/* The endpoint that a device's name stands for: "DAHDI/i1" of "DAHDI/i1/5551212"; empty for devices
 * that are none. Borrowed from the name. */
struct slice endpoint_of_device(struct slice device);

/* The same of a device of any technology. */
struct slice endpoint_of_line(struct slice device);

/* A URI as it may be shown: without a password and without what follows a '?', in text. */
struct slice endpoint_uri(struct slice uri, char text[256]);

/* No endpoints yet. emit is borrowed; past max further ones are refused. */
struct endpoints endpoints_new(struct emitter *emit, size_t max);
/* Frees them all; tells nothing. */
void endpoints_free(struct endpoints *endpoints);

/* DeviceStateChange: an event, or an item of DeviceStateList that was asked for after event number
 * `asked`; an event that came since counts for more than the item. */
void endpoints_device(struct endpoints *endpoints, const struct ami_message *m, uint64_t asked);
/* ContactStatus. */
void endpoints_contact(struct endpoints *endpoints, const struct ami_message *m);
/* PeerStatus. */
void endpoints_peer(struct endpoints *endpoints, const struct ami_message *m);

/* DeviceStateList was answered in full: devices that it did not hold, and no event has shown since
 * event number `asked`, have no known state. */
void endpoints_lose_missing(struct endpoints *endpoints, uint64_t asked);

/* Tells the live state of those that changed. */
void endpoints_tell(struct endpoints *endpoints);

/* A new endpoint, for one that was saved, and a new contact of it. NULL when there is no room. */
struct endpoint *endpoints_restore(struct endpoints *endpoints, struct slice name);
struct endpoint_contact *endpoints_restore_contact(struct endpoints *endpoints, struct endpoint *e,
                                                   struct slice uri);
/* All endpoints were taken back: tells them. */
void endpoints_restored(struct endpoints *endpoints);

/* The tap was blind: no present state was seen from its beginning on. */
void endpoints_blind(struct endpoints *endpoints);

#endif
