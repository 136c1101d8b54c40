/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_VISIT_H
#define COLLECTOR_FACTS_VISIT_H

#include "collector/facts/queue.h"
#include "collector/facts/queue_log.h"
#include "collector/state/channel.h"
#include "collector/state/saved.h"

/* One stay of one caller in one queue, from QueueCallerJoin to the line that ends it in queue_log
 * (apps/app_queue.c, Asterisk 22). */

enum visit_state {
    VISIT_WAITING,
    VISIT_LEFT,      /* QueueCallerLeave came; why is not known yet */
    VISIT_CONNECTED, /* AgentConnect */
    VISIT_MOVING,    /* AgentComplete said transfer; which one is not known yet */
    VISIT_ENDED
};

enum visit_end {
    VISIT_ANSWERED,
    VISIT_ABANDONED,
    VISIT_SHORT_ABANDON,
    VISIT_TIMEOUT,
    VISIT_LEAVE_EMPTY,
    VISIT_EXIT_KEY,
    VISIT_WITHDRAWN,
    VISIT_BLOCKED_FULL,
    VISIT_BLOCKED_EMPTY,
    VISIT_LOST_SIGHT
};

/* A member's phone that rings, or rang, for the visit. */
struct visit_attempt {
    char *uniqueid;
    char *member;
    int64_t start;
    int64_t cancelled; /* when its dial was cancelled, 0: it was not */
    bool told;         /* its RINGNOANSWER or RINGCANCELED was written */
    bool forwards;     /* the phone forwards: the caller's next leg is the attempt's */
};

/* ringall over more members than this is not followed one by one. */
#define VISIT_ATTEMPTS_MAX 1024u

struct visit {
    struct visit *next;         /* the same caller's other visits */
    struct visit *next_closing; /* waits for what ends it, up to its deadline */
    int64_t deadline;
    struct visit *next_waiting; /* in the same queue */
    struct queue *queue;
    char *uniqueid;
    char *linkedid;
    char *caller_number;
    char *caller_name;
    char *member;    /* who answered */
    char *interface; /* of who answered */
    char *member_uniqueid;
    char *withdraw_info;
    char *bridge; /* where caller and member met first */
    enum visit_state state;
    int64_t joined, left, connected; /* microseconds */
    uint64_t seen;                   /* number of the event or list item that showed it last */
    int64_t position;                /* at joining */
    int64_t last_position;           /* at leaving */
    int64_t held;       /* whole seconds, as Asterisk said on AgentConnect or Abandon */
    int64_t talked;     /* whole seconds, as AgentComplete said */
    int64_t on_hold;    /* microseconds that the member held the caller, until held_since */
    int64_t held_since; /* 0: the member does not hold the caller */
    bool abandon_seen, answer_seen, hangup_seen;
    struct visit_attempt *attempts;
    size_t attempt_count, attempt_size;
    const char *ended_by; /* caller, agent, transfer; a constant, or NULL */
    unsigned rings;       /* attempts ever */
    struct saved saved;
    bool from_snapshot; /* it was not seen to begin */
    bool blind;         /* it was there while the tap was blind: how it ends is not all observed */
    struct unseen_end lost;
};

/* A transfer can be told before AgentComplete says that one happened: so many are remembered. */
#define VISIT_TRANSFERS_MAX 32u

struct visit_past_transfer {
    char *bridge;
    const char *event;
    char *args[3];
    size_t count;
    int64_t time;
};

struct visits {
    struct table by_caller; /* the first of each caller's visits */
    struct visit *closing;  /* linked by next_closing */
    struct visit_past_transfer transfers[VISIT_TRANSFERS_MAX];
    size_t transfer; /* the next to be overwritten */
    struct queues *queues;
    struct emitter *emit;
    struct saved_list *saved; /* NULL: visits are not saved */
    int64_t short_abandon;
    uint64_t refused;
    /* The call of a caller entered or left a queue. */
    void (*moved)(void *ctx, struct slice uniqueid, struct slice queue);
    /* The file that a visit was recorded in, p NULL without one; borrowed. */
    struct slice (*recording)(void *ctx, const struct visit *v);
    void *ctx;
};

/* No visits yet. queues and emit are borrowed; past max callers further ones are refused. */
struct visits visits_new(struct queues *queues, struct emitter *emit, size_t max);
/* Frees them all; tells nothing. */
void visits_free(struct visits *visits);

/* What the visit is stored under, "visit/<caller>/<queue>/<joined>", appended to text. */
void visit_key(const struct visit *v, struct buf *text);
/* The constant for ended_by with this word, or NULL. */
const char *visit_ended_by(struct slice word);
/* Takes back a visit that was saved, in the state that it has. False, and the visit is freed, when
 * it cannot be held. */
bool visits_restore(struct visits *visits, struct visit *v);
void visit_free(struct visit *v);

/* What ENTERQUEUE shows beside the position. */
struct visit_shown {
    struct slice url; /* third argument of the Queue application, empty when it is not known */
    bool number;
    bool name;
};

/* Handlers of app_queue's events, by their names. */
void visits_join(struct visits *visits, const struct ami_message *m,
                 const struct visit_shown *shown);
void visits_leave(struct visits *visits, const struct ami_message *m);
void visits_abandon(struct visits *visits, const struct ami_message *m);
void visits_agent_called(struct visits *visits, const struct ami_message *m);
void visits_agent_connect(struct visits *visits, const struct ami_message *m);
void visits_agent_complete(struct visits *visits, const struct ami_message *m);
void visits_agent_dump(struct visits *visits, const struct ami_message *m);
void visits_ring_no_answer(struct visits *visits, const struct ami_message *m);
/* QueueEntry, an item of QueueStatus: a caller who was waiting when the tap joined. */
void visits_entry(struct visits *visits, const struct ami_message *m, struct slice linkedid);

/* DialEnd of the caller's dial to a member. */
void visits_dial_end(struct visits *visits, const struct ami_message *m);
/* DialBegin: a member's phone that forwards (DialEnd with Forward) is replaced by the next leg. */
void visits_dial_begin(struct visits *visits, const struct ami_message *m);
/* VarSet QUEUESTATUS on the caller. False when the caller has no visit that it could be about. */
bool visits_status(struct visits *visits, struct slice caller, struct slice status);

/* Somebody who wanted to join a queue. */
struct visit_caller {
    struct slice uniqueid, linkedid, number, name, queue;
};
/* QUEUESTATUS FULL, JOINEMPTY, JOINUNAVAIL: the queue did not take the caller. */
bool visit_is_refusal(struct slice status);
/* A caller without a visit was refused. Such a visit is over as it begins. */
void visits_refused(struct visits *visits, const struct visit_caller *caller, struct slice status);

/* The member's phone holds the caller, or does so no more. It may do so also behind Local
 * channels, where app_queue does not see it. */
void visits_hold(struct visits *visits, struct slice caller, struct slice queue, bool on);
/* VarSet QUEUE_WITHDRAW_INFO on the caller, before it leaves. */
void visits_withdraw_info(struct visits *visits, struct slice caller, struct slice info);
/* Somebody else picked the call up at the member's ringing channel: an answer without DialEnd. */
void visits_picked_up(struct visits *visits, struct slice target);
/* Whether the caller has left a queue and it is not told yet why. */
bool visits_has_left(const struct visits *visits, struct slice caller);
/* The caller runs dialplan again: its next Newexten, or what it runs after an async goto. */
void visits_moved_on(struct visits *visits, struct slice caller, struct slice exten);
void visits_hangup_requested(struct visits *visits, struct slice caller);
void visits_hangup(struct visits *visits, struct slice caller);
/* BridgeEnter. True: the caller still waited, so that somebody took him out of the queue. */
bool visits_bridge_enter(struct visits *visits, struct slice caller, struct slice bridge);

/* A successful BlindTransfer or AttendedTransfer out of a bridge. */
struct visit_transfer {
    struct slice bridge;
    const char *event; /* BLINDTRANSFER or ATTENDEDTRANSFER */
    struct slice args[3];
    size_t count;
};
void visits_transfer(struct visits *visits, const struct visit_transfer *transfer);

/* What QueueStatus does not show any more. */
struct visit_loss {
    uint64_t began;        /* number of the last event before it was asked for */
    uint64_t blind;        /* and before the tap was blind last, whose visits ended then: */
    struct unseen_end end; /* others since they were joined */
};
/* QueueStatus was answered in full: who waited before it was asked for and is not in it has left
 * unseen. */
void visits_lose_missing(struct visits *visits, const struct visit_loss *loss);
/* The caller's channel ended unseen, and with it all its visits. */
void visits_lose_caller(struct visits *visits, struct slice caller, struct unseen_end end);
/* The tap was blind: nothing is told as all observed of what goes on. */
void visits_blind(struct visits *visits);

/* The PBX's clock was set: what is waited for is waited for as long as before. */
void visits_clock_set(struct visits *visits, int64_t by);

/* Ends the visits whose deadline has passed; called with each event. */
void visits_expire(struct visits *visits);

#endif
