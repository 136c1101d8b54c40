/* SPDX-License-Identifier: MIT */
#include "collector/commands/metrics_feed.h"

#include "collector/base/log.h"
#include "collector/base/metrics.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define US INT64_C(1000000)

static void set(enum metric metric, const char *value, const char *second, uint64_t to)
{
    metrics_set(metrics_line(metric, value, second), (int64_t)to);
}

static void feed_link(const char *pbx, const struct ami_link_counters *c)
{
    set(METRIC_AMI_CONNECTS, pbx, NULL, c->connects);
    set(METRIC_AMI_RECONNECTS, pbx, NULL, c->logins ? c->logins - 1 : 0);
    set(METRIC_AMI_LOGINS_REFUSED, pbx, NULL, c->logins_refused);
    set(METRIC_AMI_LOSSES, pbx, NULL, c->losses);
    set(METRIC_AMI_EVENTS, pbx, "read", c->events_wanted);
    set(METRIC_AMI_EVENTS, pbx, "skipped", c->events_unwanted);
    set(METRIC_AMI_EVENTS, pbx, "unknown", c->events_unknown);
    set(METRIC_AMI_BYTES, pbx, "in", c->bytes_in);
    set(METRIC_AMI_BYTES, pbx, "out", c->bytes_out);
    set(METRIC_AMI_PARSE_ERRORS, pbx, "cut_frame", c->cut_frames);
    set(METRIC_AMI_PARSE_ERRORS, pbx, "cut_line", c->cut_lines);
    set(METRIC_AMI_PARSE_ERRORS, pbx, "cut_message", c->cut_messages);
    set(METRIC_AMI_PINGS, pbx, NULL, c->pings);
    set(METRIC_AMI_SNAPSHOTS, pbx, NULL, c->snapshots);
    set(METRIC_AMI_LISTS_REFUSED, pbx, NULL, c->lists_refused);
    if (c->last_frame_us)
        metrics_set(metrics_line(METRIC_AMI_LAST_EVENT, pbx, NULL), c->last_frame_us);
}

void metrics_feed_pbx(const char *pbx, bool up, const struct ami_link_counters *link,
                      const struct tap_counters *tap)
{
    set(METRIC_UP, pbx, NULL, up);
    feed_link(pbx, link);
    set(METRIC_AMI_PARSE_ERRORS, pbx, "fact_too_large", tap->facts_too_large);
    set(METRIC_CALLS, pbx, NULL, tap->calls);
    set(METRIC_CHANNELS, pbx, NULL, tap->channels);
    set(METRIC_BRIDGES, pbx, NULL, tap->bridges);
    set(METRIC_QUEUE_VISITS, pbx, NULL, tap->visits);
    set(METRIC_UNKNOWN_CHANNELS, pbx, NULL, tap->unknown_channels);
    set(METRIC_TABLE_REFUSALS, pbx, NULL, tap->refused);
}

static void feed_ring(const char *name, struct ring *ring)
{
    set(METRIC_RING_BYTES, name, NULL, ring_bytes(ring));
    set(METRIC_RING_MAX, name, NULL, ring_max(ring));
    set(METRIC_RING_DROPPED, name, NULL, ring_refused(ring));
}

static void feed_outbox(struct outbox *outbox)
{
    const struct outbox_stats stats = outbox_stats(outbox);
    set(METRIC_OUTBOX_ROWS, NULL, NULL, stats.backlog);
    set(METRIC_OUTBOX_FACTS, NULL, NULL, stats.facts);
    set(METRIC_OUTBOX_MALFORMED, NULL, NULL, stats.malformed);
    set(METRIC_COMMIT_FAILURES, "outbox", NULL, stats.failures);
    set(METRIC_WAL_BYTES, "outbox", NULL, stats.wal_bytes);
}

static void feed_history(struct history *history)
{
    const struct history_stats stats = history_stats(history);
    set(METRIC_HISTORY_ROWS, NULL, NULL, stats.rows);
    set(METRIC_HISTORY_LAG, NULL, NULL, stats.lag);
    set(METRIC_HISTORY_EXPIRED, NULL, NULL, stats.expired);
    set(METRIC_DEAD_LETTERS, "history", NULL, stats.refused);
    set(METRIC_COMMIT_FAILURES, "history", NULL, stats.failures);
    set(METRIC_WAL_BYTES, "history", NULL, stats.wal_bytes);
}

static void feed_kafka(struct kafka *kafka)
{
    const struct kafka_stats stats = kafka_stats(kafka);
    set(METRIC_KAFKA_UP, NULL, NULL, stats.publishing);
    set(METRIC_KAFKA_ACKED, NULL, NULL, stats.acked);
    set(METRIC_KAFKA_WAITING, NULL, NULL, stats.waiting);
    set(METRIC_KAFKA_IN_FLIGHT, NULL, NULL, stats.in_flight);
    set(METRIC_KAFKA_RECREATED, NULL, NULL, stats.restarted);
    set(METRIC_KAFKA_DOUBLES, NULL, NULL, stats.doubles);
    for (unsigned i = 0; i < FACT_WORTH_COUNT; i++)
        set(METRIC_KAFKA_GIVEN_UP, fact_worth_name((enum fact_worth)i), NULL, stats.given_up[i]);
    set(METRIC_KAFKA_OLDEST, NULL, NULL, stats.oldest_age);
    set(METRIC_DEAD_LETTERS, "kafka", NULL, stats.refused);
}

void metrics_feed_stores(const struct metrics_feed *feed)
{
    if (feed->writer_ring)
        feed_ring("writer", feed->writer_ring);
    if (feed->view_ring)
        feed_ring("view", feed->view_ring);
    if (feed->outbox)
        feed_outbox(feed->outbox);
    if (feed->history)
        feed_history(feed->history);
    if (feed->kafka)
        feed_kafka(feed->kafka);
    set(METRIC_RING_DROPPED, "log", NULL, log_lost());
}

void metrics_feed_web(const struct web_counts *counts)
{
    set(METRIC_SSE_CLIENTS, NULL, NULL, counts->sse_clients);
    set(METRIC_SSE_RESETS, NULL, NULL, counts->sse_resets);
    set(METRIC_SSE_REFUSED, NULL, NULL, counts->sse_refused);
    set(METRIC_HTTP_CONNECTIONS, NULL, NULL, counts->connections);
    set(METRIC_HTTP_CONNECTIONS_REFUSED, NULL, NULL, counts->connections_refused);
    set(METRIC_HTTP_CONNECTIONS_CUT, NULL, NULL, counts->connections_cut);
    set(METRIC_HTTP_REQUESTS, NULL, NULL, counts->requests);
    set(METRIC_HTTP_REQUESTS_ODD, NULL, NULL, counts->requests_odd);
    set(METRIC_HTTP_SNAPSHOT_BYTES, NULL, NULL, counts->snapshot_bytes);
}

/* Which numbers of /proc/self/stat are read, counted from the one behind the name and the state. */
enum { STAT_START = 18, STAT_VIRTUAL, STAT_PAGES, STAT_NUMBERS };

/* Start is since the machine's, in clock ticks. */
static bool read_stat(uint64_t numbers[STAT_NUMBERS])
{
    char text[1024] = "";
    FILE *file = fopen("/proc/self/stat", "re");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        fclose(file);
    text[n] = '\0';
    const char *at = strrchr(text, ')');
    at = at && strlen(at) > 3 ? at + 3 : NULL;
    for (size_t i = 0; at && i < STAT_NUMBERS; i++) {
        char *end;
        numbers[i] = strtoull(at, &end, 10);
        at = end > at ? end : NULL;
    }
    return at != NULL;
}

static int64_t boot_time_us(void)
{
    struct timespec now, since;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &since);
    return (now.tv_sec - since.tv_sec) * US + (now.tv_nsec - since.tv_nsec) / 1000;
}

/* What is listed in a folder, the folder that is opened for it left out. */
static uint64_t count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t n = 0;
    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n < 3 ? 0 : n - 3;
}

void metrics_feed_process(void)
{
    struct rusage usage;
    struct rlimit files;
    uint64_t numbers[STAT_NUMBERS];
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        set(METRIC_PROCESS_CPU, NULL, NULL,
            (uint64_t)((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * US +
                       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        set(METRIC_PROCESS_FDS_MAX, NULL, NULL, files.rlim_cur);
    set(METRIC_PROCESS_FDS, NULL, NULL, count_fds());
    if (!read_stat(numbers))
        return;
    struct metric_line *began = metrics_line(METRIC_PROCESS_START, NULL, NULL);
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    metrics_set(began, boot_time_us() + (int64_t)(numbers[STAT_START] * (uint64_t)US / ticks));
    set(METRIC_PROCESS_VIRTUAL, NULL, NULL, numbers[STAT_VIRTUAL]);
    set(METRIC_PROCESS_RSS, NULL, NULL, numbers[STAT_PAGES] * (uint64_t)sysconf(_SC_PAGESIZE));
}
