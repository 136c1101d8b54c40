/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_report.h"
#include "tests/amisim/sim_frame.h"
#include "tests/amisim/sim_truth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define TRUTH_MAX   (64u * 1024 * 1024)
#define SUMMARY_MAX (1024u * 1024)
#define PATH_SIZE   4096

static const char *const truth_files[SIM_TRUTH_COUNT] = {"cdr.csv", "cel.csv", "queue_log"};
static const char *const verdicts[SIM_VERDICT_COUNT] = {"allowed", "refused", "unknown", "failed"};

struct sim_report {
    char summary[PATH_SIZE];
    FILE *record;
    FILE *log_sent;
    FILE *truth[SIM_TRUTH_COUNT];
    struct buf text;
    uint64_t events;
    uint64_t played;
    uint64_t actions[SIM_VERDICT_COUNT];
    struct sim_truth_counts counts;
};

static FILE *open_file(const char *folder, const char *name, char *error, size_t error_size)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
    FILE *f = fopen(path, "we");
    if (!f)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    return f;
}

static bool open_files(struct sim_report *r, const struct sim_report_files *files, char *error,
                       size_t error_size)
{
    if (files->record && !(r->record = open_file(NULL, files->record, error, error_size)))
        return false;
    if (files->log_sent && !(r->log_sent = open_file(NULL, files->log_sent, error, error_size)))
        return false;
    if (!files->truth)
        return true;
    if (mkdir(files->truth, 0777) < 0 && errno != EEXIST) {
        snprintf(error, error_size, "%s: %s", files->truth, strerror(errno));
        return false;
    }
    for (int i = 0; i < SIM_TRUTH_COUNT; i++)
        if (!(r->truth[i] = open_file(files->truth, truth_files[i], error, error_size)))
            return false;
    return true;
}

struct sim_report *sim_report_new(const struct sim_report_files *files, char *error,
                                  size_t error_size)
{
    struct sim_report *r = calloc(1, sizeof(*r));
    if (!r) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    r->text = buf_new(TRUTH_MAX);
    if (files->summary)
        snprintf(r->summary, sizeof(r->summary), "%s", files->summary);
    if (open_files(r, files, error, error_size))
        return r;
    sim_report_free(r);
    return NULL;
}

void sim_report_free(struct sim_report *r)
{
    if (!r)
        return;
    FILE *files[] = {r->record, r->log_sent, r->truth[0], r->truth[1], r->truth[2]};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i])
            fclose(files[i]);
    sim_truth_clear(&r->counts);
    buf_free(&r->text);
    free(r);
}

void sim_report_action(struct sim_report *r, const struct sim_account *account, struct slice name,
                       enum sim_verdict verdict)
{
    r->actions[verdict]++;
    if (!r->record)
        return;
    int64_t now = sim_pbx_now();
    fprintf(r->record, "%lld.%06lld client=%llu %s ", (long long)(now / 1000000),
            (long long)(now % 1000000), (unsigned long long)account->id, verdicts[verdict]);
    for (size_t i = 0; i < name.n; i++)
        fputc(name.p[i] > ' ' && name.p[i] < 127 ? name.p[i] : '?', r->record);
    fputc('\n', r->record);
    fflush(r->record);
}

void sim_report_sent(struct sim_report *r, struct slice name, struct slice frame)
{
    r->events++;
    if (!r->log_sent)
        return;
    struct slice uniqueid = sim_frame_get(frame, "Uniqueid");
    struct slice linkedid = sim_frame_get(frame, "Linkedid");
    fprintf(r->log_sent, "%lld %.*s %.*s %.*s\n", (long long)sim_pbx_now(), (int)name.n, name.p,
            uniqueid.n ? (int)uniqueid.n : 1, uniqueid.n ? uniqueid.p : "-",
            linkedid.n ? (int)linkedid.n : 1, linkedid.n ? linkedid.p : "-");
}

void sim_report_played(struct sim_report *r, const struct sim_recording *recording,
                       const struct sim_rename *rename)
{
    static void (*const count[SIM_TRUTH_COUNT])(struct sim_truth_counts *, struct slice) = {
        sim_truth_cdr, sim_truth_cel, sim_truth_queue_log};
    r->played++;
    for (int i = 0; i < SIM_TRUTH_COUNT; i++) {
        buf_clear(&r->text);
        if (!sim_text_render(recording->truth[i], rename, &r->text))
            continue;
        count[i](&r->counts, buf_slice(&r->text));
        if (r->truth[i])
            fwrite(r->text.p, 1, r->text.n, r->truth[i]);
    }
}

static void summary_text(const struct sim_report *r, const struct sim_report_run *run,
                         struct buf *to)
{
    struct json_out j = json_out_to(to);
    json_out_object(&j, NULL);
    json_out_bool(&j, "finished", run->finished);
    json_out_int(&j, "recordings_begun", (int64_t)run->begun);
    json_out_int(&j, "recordings_played", (int64_t)r->played);
    json_out_int(&j, "events", (int64_t)r->events);
    json_out_int(&j, "calls_started", (int64_t)run->model->calls_started);
    json_out_int(&j, "calls_ended", (int64_t)run->model->calls_ended);
    json_out_int(&j, "channels_ringing", (int64_t)run->model->channels_ringing);
    json_out_int(&j, "channels_up", HASH_COUNT(run->model->channels));
    json_out_int(&j, "clients", (int64_t)run->clients);
    json_out_int(&j, "clients_cut", (int64_t)run->clients_cut);
    json_out_int(&j, "cuts", (int64_t)run->faults->cuts);
    json_out_int(&j, "stalls", (int64_t)run->faults->stalls);
    json_out_object(&j, "garbled");
    for (int i = 0; i < SIM_GARBLE_COUNT; i++)
        json_out_int(&j, sim_faults_garble_name((enum sim_garble)i),
                     (int64_t)run->faults->garbled[i]);
    json_out_close(&j, '}');
    json_out_object(&j, "actions");
    for (int i = 0; i < SIM_VERDICT_COUNT; i++)
        json_out_int(&j, verdicts[i], (int64_t)r->actions[i]);
    json_out_close(&j, '}');
    sim_truth_write(&r->counts, &j);
    json_out_close(&j, '}');
    buf_put_char(to, '\n');
}

static int write_whole(const char *path, struct slice text)
{
    char temporary[PATH_SIZE + 8];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    FILE *f = fopen(temporary, "we");
    if (!f)
        return -1;
    bool ok = fwrite(text.p, 1, text.n, f) == text.n;
    ok = fclose(f) == 0 && ok;
    return ok ? rename(temporary, path) : -1;
}

int sim_report_write(struct sim_report *r, const struct sim_report_run *run)
{
    FILE *files[] = {r->record, r->log_sent, r->truth[0], r->truth[1], r->truth[2]};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i])
            fflush(files[i]);
    if (!*r->summary)
        return 0;
    struct buf text = buf_new(SUMMARY_MAX);
    summary_text(r, run, &text);
    int rc = text.failed ? -1 : write_whole(r->summary, buf_slice(&text));
    buf_free(&text);
    return rc;
}
