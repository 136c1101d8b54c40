/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_REPORT_H
#define TESTS_AMISIM_SIM_REPORT_H

#include "tests/amisim/sim_faults.h"
#include "tests/amisim/sim_pbx.h"
#include "tests/amisim/sim_recording.h"

/* What is written down of a run: the actions received, the events sent, the truth of what was
 * played, and all of it in numbers. */

struct sim_report_files {
    const char *record; /* NULL: not wanted */
    const char *log_sent;
    const char *truth; /* a folder, made when missing */
    const char *summary;
};

struct sim_report;

/* Opens the files. NULL with one line of reason in error. */
struct sim_report *sim_report_new(const struct sim_report_files *files, char *error,
                                  size_t error_size);
void sim_report_free(struct sim_report *report);

/* One action was answered. */
void sim_report_action(struct sim_report *report, const struct sim_account *account,
                       struct slice name, enum sim_verdict verdict);

/* One event was given to whoever is logged in. */
void sim_report_sent(struct sim_report *report, struct slice name, struct slice frame);

/* A recording was played to its end: its truth under the names it was played with. */
void sim_report_played(struct sim_report *report, const struct sim_recording *recording,
                       const struct sim_rename *rename);

/* What only the others know of a run. */
struct sim_report_run {
    bool finished; /* everything of the list was played */
    uint64_t begun;
    uint64_t clients;
    uint64_t clients_cut;
    const struct sim_model *model;
    const struct sim_faults *faults;
};

/* Writes the summary, whole or not at all, and flushes the other files. 0, or -1 with errno. */
int sim_report_write(struct sim_report *report, const struct sim_report_run *run);

#endif
