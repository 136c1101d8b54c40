/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_STATE_STATE_KIT_H
#define TESTS_UNIT_STATE_STATE_KIT_H

#include "collector/state/channel.h"

#include <check.h>

/* What the tests of this room share. */

/* AMITAP_SEED, or one of the clock; printed, and given to srandom(). */
unsigned kit_seed(void);

/* The one frame in text (lines end in LF). The message lives until the next call and points into
 * text. */
const struct ami_message *kit_message(const char *text);

/* Values of a channel that has uniqueid for its Uniqueid, name and Linkedid: state Ring, at
 * from-inside, 200, 1. The slices point into uniqueid. */
struct snapshot_values kit_values(const char *uniqueid);

/* A channel with these values. */
struct channel *kit_channel(const char *uniqueid);

/* Runs the suite of one test case and returns main's exit status. */
int kit_run(const char *name, TCase *tcase);

/* ck_assert_msg for loops: it costs nothing where it holds. */
#define must(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

#define ck_slice(got, expected)                                                                    \
    ck_assert_msg(slice_is((got), (expected)), "%s is \"%.*s\", expected \"%s\"", #got,            \
                  (int)(got).n, (got).n ? (got).p : "", (expected))

#endif
