/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_MEMORY_H
#define COLLECTOR_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Memory for what is derived. What does not get any is left out and the rest goes on; since records
 * may then lack something, each failure is counted for its thread, and who derives them says so. */

/* As malloc, calloc and realloc; the caller frees the result. NULL, and one more failure, when
 * there is none to be had. */
void *memory_bytes(size_t n);
void *memory_zeroed(size_t count, size_t size);
void *memory_resized(void *p, size_t n);

/* How often the calling thread got none since it began. */
uint64_t memory_failures(void);

#endif
