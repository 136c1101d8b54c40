/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_OPTIONS_H
#define TESTS_AMISIM_SIM_OPTIONS_H

#include "tests/amisim/sim_faults.h"
#include "tests/amisim/sim_player.h"
#include "tests/amisim/sim_report.h"
#include "tests/amisim/sim_session.h"

/* What the command line asks for. Texts are borrowed from argv. */
struct sim_options {
    struct sim_player_options player;
    struct sim_session_options session;
    struct sim_faults_options faults;
    struct sim_report_files files;
    const char *user, *secret, *read, *write;
    const char *words;
    const char *keep;
    unsigned first_copy;
    unsigned wait_clients;
    bool caller_names;
    bool hold;
    bool all_queues;
    bool exit_when_played;
    char **folders;
    size_t folders_count;
};

/* Reads the command line. 0: go on; 1: --help was answered; -1: wrong, and said on stderr. */
int sim_options_read(struct sim_options *options, int argc, char **argv);

#endif
