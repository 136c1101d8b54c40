/* SPDX-License-Identifier: MIT */
/* Allocations that fail: linked over malloc and its kin as our code calls them (--wrap), and given
 * to jansson and SQLite. AMITAP_MEMORY=N lets the Nth one fail, N+ all from the Nth on. With
 * AMITAP_MEMORY_LIST=FILE none fails, and each one's place in the program goes there, a line each,
 * at exit. */
#include <jansson.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MAX 4000000u
#define DEPTH      4

static atomic_ulong times;
static unsigned long at;
static bool lasting;
static uint32_t *listed; /* places, by number of the allocation */
static sqlite3_mem_methods sqlite;

/* Defined by the linker. */
extern const char __executable_start;
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number for who called whom to come here; frame is the caller's. */
static uint32_t place(void *const *frame)
{
    const char *top = (const char *)frame + 65536;
    uint64_t hash = 1;
    for (int i = 0; i < DEPTH; i++) {
        hash =
            (hash ^ (uint64_t)((const char *)frame[1] - &__executable_start)) * 0x9E3779B97F4A7C15u;
        void *const *next = frame[0];
        if ((const char *)next <= (const char *)frame || (const char *)next >= top ||
            (uintptr_t)next % sizeof(void *))
            break;
        frame = next;
    }
    return (uint32_t)(hash >> 32);
}

/* The frame is that of one of the wrapped functions; NULL: of a library, which keeps none. */
static bool fails(void *const *frame, uint32_t library)
{
    unsigned long n = atomic_fetch_add(&times, 1) + 1;
    if (listed && n < LISTED_MAX)
        listed[n] = frame ? place(frame) : library;
    return at && (lasting ? n >= at : n == at);
}

#define FRAME ((void *const *)__builtin_frame_address(0))

#define MEMORY_REFUSES() fails(FRAME, 0)
#include "tests/unit/wrapped_memory.h"

int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = fails(FRAME, 0) ? -1 : vasprintf(text, format, args);
    va_end(args);
    return n;
}

static void *for_jansson(size_t size)
{
    return fails(NULL, 1 + (uint32_t)(size & 0xFF)) ? NULL : __real_malloc(size);
}

static void *for_sqlite(int size)
{
    return fails(NULL, 0x1000 + (uint32_t)(size & 0xFF0)) ? NULL : sqlite.xMalloc(size);
}

static void *again_for_sqlite(void *p, int size)
{
    return fails(NULL, 0x2000 + (uint32_t)(size & 0xFF0)) ? NULL : sqlite.xRealloc(p, size);
}

static void write_list(void)
{
    FILE *file = fopen(getenv("AMITAP_MEMORY_LIST"), "w");
    unsigned long n = atomic_load(&times);
    for (unsigned long i = 1; file && i <= n && i < LISTED_MAX; i++)
        fprintf(file, "%x\n", listed[i]);
    if (file)
        fclose(file);
}

__attribute__((constructor)) static void begin(void)
{
    const char *wish = getenv("AMITAP_MEMORY");
    char *end = NULL;
    if (wish)
        at = strtoul(wish, &end, 10);
    lasting = end && *end == '+';
    if (getenv("AMITAP_MEMORY_LIST")) {
        listed = __real_calloc(LISTED_MAX, sizeof(*listed));
        atexit(write_list);
    }
    json_set_alloc_funcs(for_jansson, free);
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite);
    sqlite3_mem_methods ours = sqlite;
    ours.xMalloc = for_sqlite;
    ours.xRealloc = again_for_sqlite;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}
