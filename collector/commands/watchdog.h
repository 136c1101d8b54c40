/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_WATCHDOG_H
#define COLLECTOR_COMMANDS_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* systemd's watchdog (WatchdogSec=): it is fed by the loop, and only while the writer of the outbox
 * gets on as well. A writer that tries again and again on a disk that fails gets on: a restart
 * would lose what waits for it. */
struct watchdog {
    int64_t every_us; /* how often to feed it; 0: there is none */
    int64_t fed_at;
    uint64_t turns; /* the writer's, when it was fed */
};

/* What systemd asks for in the environment (WATCHDOG_USEC, WATCHDOG_PID): fed four times as often.
 */
struct watchdog watchdog_from_environment(void);

/* From the loop, each second: now_us is monotonic, turns counts the writer's (writer_turns). True
 * when it was fed. */
bool watchdog_feed(struct watchdog *w, int64_t now_us, uint64_t turns);

#endif
