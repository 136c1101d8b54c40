/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_NOTIFY_H
#define COLLECTOR_BASE_NOTIFY_H

/* Tells systemd (Type=notify) how the daemon stands. Without NOTIFY_SOCKET in the environment
 * nothing happens; a failure is not worth stopping for. */
void notify_ready(void);
void notify_stopping(void);
/* That all is well (WatchdogSec=). Never waits. */
void notify_watchdog(void);
/* The configuration is being read again; notify_ready ends that. */
void notify_reloading(void);

#endif
