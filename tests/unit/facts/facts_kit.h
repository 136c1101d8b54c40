/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_FACTS_FACTS_KIT_H
#define TESTS_UNIT_FACTS_FACTS_KIT_H

#include "collector/facts/tap.h"
#include "parsers/ami_frame.h"

#include <check.h>
#include <stdio.h>

/* What the tests of this room share: a stream of AMI events fed to a tap, and the facts that come
 * out as lines. */

/* The whole file without the lines that begin with '#', to be freed; {NULL, 0} when it cannot be
 * read. */
struct slice kit_read(const char *path);

/* What a case asks for beside its input, one a line of its file "options":
 *   show KIND...              the kinds of fact that are printed (else: cdr)
 *   also FIELD...             fields that are printed beside the usual ones; "id" is one of them
 *   journey yes               a call's own figures, and a line for each leg, talk and the like
 *   unanswered no             as in cdr.conf; so are its other options (struct cdr_options)
 *   log_membername_as_agent yes   as in queues.conf; so are its other log_… options
 *   variables NAME...         handoff_variables of the configuration
 *   wrapuptimes QUEUE=SECONDS
 *   short_abandon SECONDS
 *   trunks PJSIP/carrier      in the pbx section; one is enough
 *   trunk_minutes MINUTES */
struct kit_options {
    struct tap_options tap;
    bool show[FACT_KIND_COUNT];
    bool also[FIELD_COUNT];
    bool ids;
    bool journey;
};

/* Options of a case; text may be empty. Aborts the test on a word that is none. */
struct kit_options kit_options(struct slice text);

/* A stream being fed frame by frame. Beside events it may hold blocks that begin with
 *   Tap: connected | disconnected | gap | list-begin | list-end | check-begin |
 *        check-end | tick
 * for the calls of tap.h with these names; their arguments are Timestamp, Version, Reason, From,
 * To, List (channels, bridges, queues, devices, registrations) and Complete (yes unless it says
 * no). An event that has no Timestamp may have an Arrival. */
struct kit_stream {
    struct slice rest;
    struct ami_framer framer;
};

/* A stream from its beginning. */
struct kit_stream kit_stream(struct slice text);

/* Feeds the next frame that a tap takes. False at the end. */
bool kit_step(struct kit_stream *stream, struct tap *tap);

/* One line about a fact: "kind subject field=value …", fields that are empty or null left out
 * (but a null lastapp or lastdata, which is not known), times and durations in seconds; a queue_log
 * line as Asterisk writes it. */
void kit_print(FILE *to, struct slice fact, const struct kit_options *options);

/* Runs the suite of one test case and returns main's exit status. */
int kit_run(const char *name, TCase *tcase);

/* AMITAP_SEED, or one of the clock; printed, and given to srandom(). */
unsigned kit_seed(void);

#define ck_slice(got, expected)                                                                    \
    ck_assert_msg(slice_is((got), (expected)), "%s is \"%.*s\", expected \"%s\"", #got,            \
                  (int)(got).n, (got).n ? (got).p : "", (expected))

#endif
