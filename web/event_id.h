/* SPDX-License-Identifier: MIT */
#ifndef WEB_EVENT_ID_H
#define WEB_EVENT_ID_H

#include <stdbool.h>
#include <stdint.h>

/* The seq of a Last-Event-ID "<boot>-<seq>" when it is of this boot and not ahead of the newest. */
bool event_id_read(const char *id, const char *boot, uint64_t newest, uint64_t *ret_seq);

#endif
