/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_FACT_H
#define COLLECTOR_FACTS_FACT_H

#include "collector/base/json_out.h"
#include "parsers/ami_name.h"

/* A fact is one record as it will be published: a head and a list of named, typed values, packed
 * into one block of bytes without pointers, so that rings can carry it from the loop to the writer
 * and to the live view. The field names are those of schemas/fact_fields.def. */

enum fact_kind {
#define FACT_KIND(id, kind, topic, table, ce_type, key, schema, retention, worth) FACT_##id,
#include "schemas/facts.def"
#undef FACT_KIND
    FACT_KIND_COUNT
};

enum fact_field {
#define FACT_FIELD(id, name, privacy) FIELD_##id,
#include "schemas/fact_fields.def"
#undef FACT_FIELD
    FIELD_COUNT
};

enum fact_key {
    FACT_KEY_CALL,
    FACT_KEY_QUEUE,
    FACT_KEY_AGENT,
    FACT_KEY_ENDPOINT,
    FACT_KEY_HANDOFF,
    FACT_KEY_PBX
};

/* What is given up first when too much waits, lowest first. */
enum fact_worth {
    FACT_WORTH_LIVE,
    FACT_WORTH_EVENT,
    FACT_WORTH_LOG,
    FACT_WORTH_CDR,
    FACT_WORTH_COUNT
};

struct fact_kind_info {
    const char *kind, *topic, *table, *ce_type, *schema;
    enum fact_key key;
    bool state; /* compacted: the last per subject counts, a tombstone ends it */
    enum fact_worth worth;
};

/* The kind's row of schemas/facts.def; a constant. */
const struct fact_kind_info *fact_kind_info(enum fact_kind kind);

/* The kind with this name, or FACT_KIND_COUNT. */
enum fact_kind fact_kind_by_name(struct slice name);

enum fact_flags {
    FACT_IS_TAP = 1,       /* a tap's own: its name is in the id */
    FACT_IS_INFERRED = 2,  /* not observed (lost_sight, known from a snapshot) */
    FACT_IS_TOMBSTONE = 4, /* a state kind's subject is gone; the body is empty */
    FACT_IS_QUIET = 8,     /* known before the tap looked (snapshot); nothing new happened */
    FACT_IS_IMPORTED = 16, /* out of Asterisk's own file */
    FACT_IS_AGAIN = 32     /* out of the history, for Kafka to have it again */
};

struct fact_head {
    enum fact_kind kind;
    unsigned flags;
    enum ami_event_id cause; /* the causing event; UNKNOWN: none was */
    int64_t time;            /* Timestamp of the causing event, microseconds since 1970 UTC */
    uint64_t sequence;       /* order among the facts of one call, per tap (ce_sequence) */
    struct slice pbx;
    struct slice subject; /* ce_subject: the entity the fact is about */
    struct slice key;     /* what follows "<pbx>/" in the Kafka key; empty for PBX keys */
    struct slice id;      /* ce_id */
};

/* The worth of a fact with these flags: its kind's, but the end of a state (FACT_IS_TOMBSTONE) is
 * LOG, and what has no kind of ours (FACT_KIND_COUNT) CDR. */
enum fact_worth fact_worth(enum fact_kind kind, unsigned flags);

/* "live", "event", "log" or "cdr"; a constant. */
const char *fact_worth_name(enum fact_worth worth);

/* Builds one fact after the other in one reused buffer. */
struct fact_builder {
    struct buf bytes;
    bool timeless; /* no time is known: neither is any duration */
};

/* An empty builder; allocates nothing yet. */
struct fact_builder fact_builder_new(void);
/* One for facts that fact_rewrite makes longer. */
struct fact_builder fact_builder_masked(void);
/* Takes all the memory that it may ever need. False when there is none. */
bool fact_builder_reserve(struct fact_builder *b);
/* Frees its bytes, and with them the fact that fact_finish returned. */
void fact_builder_free(struct fact_builder *b);

/* Starts a fact; what was built before is gone. */
void fact_begin(struct fact_builder *b, const struct fact_head *head);
void fact_put_string(struct fact_builder *b, enum fact_field field, struct slice value);
/* The string, or null when value.p is NULL: a field that could not be known. */
void fact_put_known(struct fact_builder *b, enum fact_field field, struct slice value);
void fact_put_null(struct fact_builder *b, enum fact_field field);
void fact_put_int(struct fact_builder *b, enum fact_field field, int64_t value);
void fact_put_bool(struct fact_builder *b, enum fact_field field, bool value);
/* Microseconds, rendered as seconds; null in a fact at no known time. */
void fact_put_seconds(struct fact_builder *b, enum fact_field field, int64_t us);
/* The same; null when they are negative. */
void fact_put_seconds_known(struct fact_builder *b, enum fact_field field, int64_t us);
/* A part of a whole, 0 to 1 in millionths; null when the whole is 0. */
void fact_put_share(struct fact_builder *b, enum fact_field field, uint64_t part, uint64_t whole);
/* Microseconds since 1970, rendered as RFC 3339; 0 is null. */
void fact_put_time(struct fact_builder *b, enum fact_field field, int64_t us);
/* A string under a name that is not one of ours (a channel variable's), inside an object. */
void fact_put_named(struct fact_builder *b, struct slice name, struct slice value);
/* Nested values: between open and close, array elements are objects or strings of any field. */
void fact_open_object(struct fact_builder *b, enum fact_field field);
void fact_open_array(struct fact_builder *b, enum fact_field field);
void fact_close(struct fact_builder *b);
/* The finished bytes, borrowed until the next fact_begin; empty when the fact passed its bound. */
struct slice fact_finish(struct fact_builder *b);

/* A hash of what the fact being built says: its flags and values, without id and time. 0 when it
 * passed its bound. */
uint64_t fact_hash(const struct fact_builder *b);

/* Reads a packed fact's head. The slices point into bytes. False when it is not a fact. */
bool fact_read_head(struct slice bytes, struct fact_head *ret_head);

/* The first top-level value of a field: strings as they are, numbers and times through ret_number
 * (microseconds). False when the fact has none or it is null. Either ret may be NULL. */
bool fact_find(struct slice bytes, enum fact_field field, struct slice *ret_string,
               int64_t *ret_number);

/* The string at an index of a top-level array of strings. False when there is none. */
bool fact_find_element(struct slice bytes, enum fact_field field, size_t index,
                       struct slice *ret_string);

/* Where a string stands in a fact. */
struct fact_place {
    enum fact_field field;  /* an element's is its array's, a named value's its object's */
    enum fact_field within; /* of the innermost object or array; FIELD_COUNT at the top */
    bool is_element;        /* of an array, or a named value: it cannot be null */
};

/* Gives the string that is to stand there, borrowed until the next call; p NULL: null. */
struct fact_rewriter {
    struct slice (*string)(void *ctx, const struct fact_place *place, struct slice text);
    void *ctx;
};

/* The same fact with another head and other strings, borrowed until the builder's next fact_begin;
 * empty when it is no fact or passed the builder's bound. */
struct slice fact_rewrite(struct slice fact, const struct fact_head *head,
                          const struct fact_rewriter *how, struct fact_builder *to);

/* The record as one JSON object: kind, id, subject, time, pbx, tenant, cause_event (not of a state
 * kind: it is what holds now, whatever came last), then the fact's values, and "tap"/"inferred":
 * true where they apply. This is what Kafka, SQLite, replay and the web get. */
void fact_json(struct slice bytes, struct json_out *j);

#endif
