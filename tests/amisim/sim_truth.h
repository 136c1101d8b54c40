/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_TRUTH_H
#define TESTS_AMISIM_SIM_TRUTH_H

#include "collector/base/json_out.h"
#include "tests/amisim/sim_model.h"

/* Counts of what Asterisk's own files say: CDR rows by disposition, calls, queue visits by
 * outcome. A visit is its lines in queue_log from ENTERQUEUE to the last; one left open is none. */

struct sim_truth_queue {
    char name[SIM_ID_SIZE];
    uint64_t entered, answered, abandoned, timeout, leave_empty, exit_key, withdrawn;
    UT_hash_handle hh;
};

struct sim_truth_counts {
    uint64_t cdr_rows, answered, no_answer, busy, failed, congestion;
    uint64_t calls; /* linkedids that the CEL file closed */
    uint64_t queue_log_lines;
    struct sim_truth_queue *queues;
};

/* Each counts what one recording's truth file holds. */
void sim_truth_cdr(struct sim_truth_counts *counts, struct slice csv);
void sim_truth_cel(struct sim_truth_counts *counts, struct slice csv);
void sim_truth_queue_log(struct sim_truth_counts *counts, struct slice log);

/* The counts as members of an open JSON object. */
void sim_truth_write(const struct sim_truth_counts *counts, struct json_out *j);
/* Sets all to none and frees the queues. */
void sim_truth_clear(struct sim_truth_counts *counts);

#endif
