/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_COMMANDS_FILES_FIXTURE_H
#define TESTS_UNIT_COMMANDS_FILES_FIXTURE_H

#include "collector/outbox/outbox.h"
#include "collector/sinks/history.h"
#include "tests/unit/outbox/store_fixture.h"

/* The outbox and the history that a configuration with store { path = in_directory("db") } names,
 * as a running amitap has them open. */
struct files {
    struct outbox *outbox;
    struct history *history;
};

static inline struct files open_files(void)
{
    struct clock clock = clock_system();
    struct outbox_options options = {.path = in_directory("db-outbox")};
    struct files f = {.outbox = outbox_open(&options, error, sizeof(error))};
    ck_assert_msg(f.outbox != NULL, "%s", error);
    f.history = history_open(
        &(struct history_options){.path = in_directory("db"), .outbox = f.outbox, .clock = &clock},
        error, sizeof(error));
    ck_assert_msg(f.history != NULL, "%s", error);
    return f;
}

static inline void close_files(struct files *f)
{
    history_stop(f->history);
    outbox_free(f->outbox);
}

#endif
