/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_AMI_LINK_H
#define COLLECTOR_LINK_AMI_LINK_H

#include "collector/base/clock.h"
#include "collector/base/random.h"
#include "collector/link/ami_hosts.h"
#include "collector/link/ami_snapshot.h"
#include "collector/link/ami_tls.h"
#include "collector/link/ami_transport.h"
#include "collector/link/resolver.h"
#include "parsers/ami_action.h"
#include "parsers/ami_message.h"

/* One PBX's manager session, for as long as amitap runs: connects, logs in by MD5 challenge, takes
 * a snapshot, hands over events, pings, and comes back after a loss. It sends nothing but what
 * parsers/ami_action.h can write. It neither logs nor keeps what it hands over. */
struct ami_link;

enum ami_link_state {
    AMI_LINK_STOPPED,     /* not started, or stopped for good */
    AMI_LINK_WAITING,     /* for the next attempt */
    AMI_LINK_RESOLVING,   /* the PBX's name */
    AMI_LINK_CONNECTING,  /* by TCP */
    AMI_LINK_GREETING,    /* connected; its banner must come */
    AMI_LINK_CHALLENGING, /* asked for a challenge */
    AMI_LINK_LOGGING_IN,  /* answered it */
    AMI_LINK_BOOTING,     /* logged in; FullyBooted comes, or never does without class "system" */
    AMI_LINK_SNAPSHOT,    /* asking for lists, while events come already */
    AMI_LINK_LIVE,        /* all asked; events come */
    AMI_LINK_LEAVING      /* Logoff was sent */
};

enum ami_link_reason {
    AMI_LINK_FINE,            /* the happy path */
    AMI_LINK_NO_ADDRESS,      /* the name was not found, or not in time */
    AMI_LINK_NOT_CONNECTED,   /* nobody listens, or no route */
    AMI_LINK_CONNECT_TIMEOUT, /* nobody answers at all */
    AMI_LINK_NOT_TRUSTED,     /* TLS failed: no TLS there, or a certificate that is not accepted */
    AMI_LINK_NO_AMI,          /* something else listens there, or it says nothing */
    AMI_LINK_LOGIN_REFUSED,   /* the PBX knows not the account, its secret or our address; told as
                                 the next host's name is looked up, too */
    AMI_LINK_LOGIN_TIMEOUT,   /* no answer to Challenge or Login */
    AMI_LINK_LOST,            /* the connection broke or the PBX closed it */
    AMI_LINK_PBX_SHUTDOWN,    /* the PBX said so before it closed */
    AMI_LINK_SILENT,          /* no answer to Ping */
    AMI_LINK_ASKED            /* ami_link_stop was called */
};

struct ami_link_change {
    enum ami_link_state from, to;
    enum ami_link_reason reason;
    const char *detail; /* for people: an error's or the PBX's own words; "" when there are none */
    const char *host;   /* that is or was tried */
    uint16_t port;
    int64_t delay_us; /* until the next attempt, when to is AMI_LINK_WAITING */
    bool shut_out;    /* then: no host takes the account */
};

enum ami_link_outcome { AMI_LINK_LIST_DONE, AMI_LINK_LIST_REFUSED, AMI_LINK_LIST_TIMEOUT };

/* What the owner gets, in the loop. Any may be NULL. What is passed lives as long as the call. A
 * callback may call ami_link_stop, but not ami_link_free. */
struct ami_link_events {
    /* An event that somebody reads (ami_event_wanted), between log-in and loss; the answers to the
     * snapshot's lists are among them. arrival_us: since 1970. */
    void (*message)(void *ctx, const struct ami_message *m, int64_t arrival_us);
    /* The state changed; it is the new one already. */
    void (*state)(void *ctx, const struct ami_link_change *change);
    /* A snapshot begins; each of its actions is sent and done, one after the other (BridgeInfo once
     * for each bridge); it ends. A loss ends it without snapshot_end. */
    void (*snapshot_begin)(void *ctx);
    void (*snapshot_action_sent)(void *ctx, enum ami_action action);
    void (*snapshot_action_done)(void *ctx, enum ami_action action, enum ami_link_outcome outcome);
    void (*snapshot_end)(void *ctx);
    /* While live QueueStatus was sent once more, to check what is held; it is done. A loss or a
     * new snapshot ends it without check_done. */
    void (*check_sent)(void *ctx);
    void (*check_done)(void *ctx, enum ami_link_outcome outcome);
    /* First, whenever the loop woke the link. */
    void (*turn_begin)(void *ctx);
    /* Once after any others that belong to one turn of the loop. */
    void (*turn_end)(void *ctx);
    /* All that the PBX sent, from the banner on, as it came: before the others that it causes. Must
     * not stop the link. */
    void (*bytes)(void *ctx, struct slice bytes);
    /* The response to an action of the snapshot, accepted or refused; before what follows of a
     * list, and before snapshot_action_done. Must not stop the link. */
    void (*answer)(void *ctx, enum ami_action action, const struct ami_message *m);
};

/* What to connect to, and how. Texts and lists are borrowed and must outlive the link. */
struct ami_link_config {
    const char *const *hosts; /* tried in turn */
    size_t host_count;        /* 1 to AMI_HOSTS_MAX */
    uint16_t port;
    const char *user;
    struct slice secret;
    struct ami_tls *tls; /* NULL: in clear */
    const char *event_mask;
    unsigned lists;     /* the snapshot has: a set of enum ami_snapshot_lists */
    int64_t connect_us; /* how long connecting, and each step of logging in, may take; a name to be
                           looked up three times that */
    int64_t ping_us;    /* silence after which it pings, and then gives up */
    int64_t boot_us;  /* how long to wait for FullyBooted, which comes right after the log-in unless
                         the PBX is still starting or the account does not see it */
    int64_t list_us;  /* how long a list may say nothing */
    int64_t check_us; /* how often to look at the queues while live; 0: never */
    int64_t leave_us; /* how long to wait for the end after Logoff */
    int64_t retry_us; /* first delay after a loss */
    int64_t retry_max_us;   /* longest */
    int64_t refused_us;     /* first delay after a refused log-in */
    int64_t refused_max_us; /* longest */
};

/* Where it runs; the pointers are borrowed and must outlive the link. */
struct ami_link_env {
    struct event_base *base;
    struct resolver *resolver;
    struct clock clock;
    struct random_source random;
};

struct ami_link_counters {
    uint64_t bytes_in, bytes_out;
    uint64_t frames;
    uint64_t cut_frames, cut_lines; /* past the caps of ami_frame.h */
    uint64_t events_wanted;         /* handed over */
    uint64_t events_unwanted;       /* known, but nobody reads them */
    uint64_t events_unknown;
    uint64_t cut_messages; /* handed over, but not whole */
    uint64_t connects;     /* attempts */
    uint64_t logins;
    uint64_t logins_refused;
    uint64_t losses; /* of a session that was logged in */
    uint64_t pings;
    uint64_t snapshots;        /* that came to their end */
    uint64_t checks;           /* of the queues, that came to their end */
    uint64_t lists_refused;    /* of snapshots, or that did not end in time */
    uint64_t bridges_left_out; /* whose members were not asked for, past AMI_SNAPSHOT_BRIDGES_MAX */
    int64_t longest_turn_us;
    int64_t last_frame_us; /* when a whole frame came last, since 1970; 0: never */
};

/* All the times as they should be but for tests; the rest is empty. */
struct ami_link_config ami_link_config_default(void);

/* How long a state may last by itself, in microseconds; 0: as long as it likes. */
int64_t ami_link_state_time(const struct ami_link_config *config, enum ami_link_state state);

/* A stopped link, or NULL when memory is short. config, env and events are copied. */
struct ami_link *ami_link_new(const struct ami_link_config *config, const struct ami_link_env *env,
                              const struct ami_link_events *events, void *ctx);

/* Ends it at once, without Logoff and without callbacks. Not from a callback. NULL is allowed. */
void ami_link_free(struct ami_link *link);

/* Begins. The link must be stopped. */
void ami_link_start(struct ami_link *link);

/* Another configuration, from the next ami_link_start on. The link must be stopped. */
void ami_link_configure(struct ami_link *link, const struct ami_link_config *config);

/* Logs off; the state AMI_LINK_STOPPED is told when that is done or leave_us have passed, which may
 * be within this call. */
void ami_link_stop(struct ami_link *link);

/* Takes a snapshot once more. False, and nothing is asked: it is not live, or QueueStatus is being
 * answered. */
bool ami_link_look_again(struct ami_link *link);

/* Where it stands now. */
enum ami_link_state ami_link_state(const struct ami_link *link);

/* Its version, from the banner ("11.0.0" is Asterisk 22); "" before the first. Borrowed until the
 * next turn. */
const char *ami_link_version(const struct ami_link *link);

/* The addresses of the connection that is up; empty when none is. */
struct ami_transport_ends ami_link_ends(const struct ami_link *link);

/* What it counted since it was made, over all its sessions. */
struct ami_link_counters ami_link_counters(const struct ami_link *link);

/* A constant: "live", "waiting". */
const char *ami_link_state_name(enum ami_link_state state);

/* One line for the log on a change that an operator wants to know of: "pbx main: logged in to
 * 127.0.0.1 ...". False for steps in between, which nobody wants in a log. */
bool ami_link_change_text(const char *name, const struct ami_link_change *change, char *text,
                          size_t size);

/* Whether that line is a fault rather than good news. */
bool ami_link_change_is_fault(const struct ami_link_change *change);

#endif
