/* SPDX-License-Identifier: MIT */
#include "collector/base/log.h"
#include "collector/base/printable.h"
#include "collector/base/ring.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096 /* a difference with both rows is some 2,000 */
#define RING_BYTES     (256 * 1024)
#define STOP_SECONDS   2

/* One log for the process: where stderr goes is a property of the process too. The lock makes the
 * many writers one for the ring; the ring's reader is the log thread. */
static struct {
    pthread_mutex_t lock;
    struct ring *ring;
    pthread_t thread;
    bool checked;
    bool journald;
    struct ring *stuck;      /* nobody read its last lines: its thread has it still */
    uint64_t refused_before; /* by rings that are gone */
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* systemd names the device and inode of the stream that it reads, so that a program started under
 * a service with another stderr does not write priorities into it. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st) != 0) {
        return false;
    }
    char expected[64];
    snprintf(expected, sizeof expected, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, expected) == 0;
}

static void write_all(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return; /* nobody is left to tell */
        }
        bytes += done;
        n -= (size_t)done;
    }
}

/* The whole line with prefix and newline, at most size bytes; a longer one is cut. */
static size_t format_line(char *line, size_t size, enum log_level level, const char *format,
                          va_list args)
{
    if (!the_log.checked) {
        the_log.journald = stderr_is_journal();
        the_log.checked = true;
    }
    size_t prefix = 0;
    if (the_log.journald) {
        prefix = (size_t)snprintf(line, size, "<%d>", (int)level);
    }
    int n = vsnprintf(line + prefix, size - prefix, format, args);
    size_t length = n < 0 ? 0 : (size_t)n;
    if (length > size - prefix - 1) {
        length = size - prefix - 1;
        memcpy(line + prefix + length - 3, "...", 3);
    }
    printable_make(line + prefix, length);
    line[prefix + length] = '\n';
    return prefix + length + 1;
}

static void write_loss(uint64_t lost)
{
    char line[64];
    int n = snprintf(line, sizeof line, "%slog: %ju lines were lost\n",
                     the_log.journald ? "<4>" : "", (uintmax_t)lost);
    write_all(line, (size_t)n);
}

static void *log_thread(void *arg)
{
    struct ring *ring = arg;
    uint64_t told = 0;
    struct slice line;
    while (ring_peek(ring, -1, &line)) {
        write_all(line.p, line.n);
        ring_pop(ring);
        uint64_t refused = ring_refused(ring);
        if (refused != told) {
            write_loss(refused - told);
            told = refused;
        }
    }
    return NULL;
}

int log_start(void)
{
    struct ring *ring = ring_new(RING_BYTES);
    if (!ring) {
        return -1;
    }
    pthread_mutex_lock(&the_log.lock);
    bool ok = !the_log.ring && pthread_create(&the_log.thread, NULL, log_thread, ring) == 0;
    if (ok) {
        the_log.ring = ring;
    }
    pthread_mutex_unlock(&the_log.lock);
    if (!ok) {
        ring_free(ring);
        return -1;
    }
    return 0;
}

/* Whoever reads stderr may have stopped doing so: that must not keep the process alive. */
static bool thread_ends(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_SECONDS;
    return pthread_timedjoin_np(the_log.thread, NULL, &until) == 0;
}

void log_stop(void)
{
    pthread_mutex_lock(&the_log.lock);
    struct ring *ring = the_log.ring;
    the_log.ring = NULL;
    pthread_mutex_unlock(&the_log.lock);
    if (!ring) {
        return;
    }
    ring_close(ring);
    bool ended = thread_ends();
    pthread_mutex_lock(&the_log.lock);
    the_log.refused_before += ring_refused(ring);
    the_log.stuck = ended ? NULL : ring;
    pthread_mutex_unlock(&the_log.lock);
    if (ended)
        ring_free(ring);
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&the_log.lock);
    size_t n = format_line(line, sizeof line, level, format, args);
    if (the_log.ring) {
        ring_push(the_log.ring, (struct slice){line, n});
    } else if (!the_log.stuck) {
        write_all(line, n);
    }
    pthread_mutex_unlock(&the_log.lock);
    va_end(args);
}

uint64_t log_lost(void)
{
    pthread_mutex_lock(&the_log.lock);
    uint64_t lost = the_log.refused_before + (the_log.ring ? ring_refused(the_log.ring) : 0);
    pthread_mutex_unlock(&the_log.lock);
    return lost;
}
