/* SPDX-License-Identifier: MIT */
/* The only place that puts the rooms together: it knows every command, and the web edge. */
#include "collector/base/metrics.h"
#include "collector/commands/audit.h"
#include "collector/commands/backup.h"
#include "collector/commands/check.h"
#include "collector/commands/erase.h"
#include "collector/commands/explain.h"
#include "collector/commands/figures_command.h"
#include "collector/commands/import.h"
#include "collector/commands/people.h"
#include "collector/commands/record.h"
#include "collector/commands/replay.h"
#include "collector/commands/republish.h"
#include "collector/commands/run.h"
#include "collector/commands/verify.h"
#include "web/http.h"
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef AMITAP_VERSION
#define AMITAP_VERSION "unknown"
#endif

static int run(int argc, char **argv)
{
    metrics_set(metrics_line(METRIC_BUILD_INFO, AMITAP_VERSION, NULL), 1);
    return run_command(argc, argv, &http_edge_ops);
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments;
    const char *sentence;
} commands[] = {
    {"run", run, "-c FILE", "tap the PBXs that FILE names, until SIGTERM"},
    {"replay", replay_command, "[-c FILE] [--pbx NAME] [--records KIND[,KIND]] FILE...",
     "derive records from recorded AMI bytes ('-' is stdin), print them"},
    {"record", record_command, "-c FILE [--pbx NAME] -o OUT [--scrub] [--seconds N]",
     "keep what a PBX sends, for replay; --scrub replaces numbers and names"},
    {"explain", explain_command, "LINKEDID (-c FILE [--pbx NAME] | RECORDING...) [--json]",
     "one call as a timeline, with the reason for each line"},
    {"figures", figures_command,
     "-c FILE [--pbx NAME] [--queue Q] [--agent] [--from T] [--to T] [--every 15m|30m|1h|day]\n"
     "                 [--zone ZONE] [--threshold SECONDS] [--short SECONDS] [--json]",
     "service levels, waits, occupancy and the like, of stored visits and agents"},
    {"user", user_command, "add|remove|list -c FILE [NAME]",
     "who may log in to the wallboard; a password is read from stdin"},
    {"token", token_command, "add|url|remove|list -c FILE [--display] [NAME]",
     "machines and screens that may see it"},
    {"verify", verify_command,
     "-c FILE [--cdr FILE] [--queue-log FILE] [--pbx NAME] [--from T] [--to T] [--zone ZONE]\n"
     "                [--cdr-columns NAME,NAME…] [--show N]",
     "hold the history against Asterisk's own CDRs and queue_log"},
    {"import", import_command, "-c FILE [--cdr FILE] [--queue-log FILE], and the options of verify",
     "fill the gaps of the history, and of Kafka, from Asterisk's own files"},
    {"republish", republish_command, "-c FILE --from TIME [--to TIME]",
     "send the history to Kafka again, for a cluster that lost it"},
    {"erase", erase_command, "-c FILE --number N [--number N...]",
     "take a number out of the history and of what waits in the outbox"},
    {"backup", backup_command, "-c FILE -o OUT [--outbox OUT]",
     "copy the history, and the outbox, while amitap runs"},
    {"audit", audit_command, "-c FILE [--pbx NAME] [--json]",
     "what the account could change on its PBX, and a manager.conf that grants less"},
    {"check", check_command, "-c FILE | --print-sample", "name every fault of a configuration"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *to)
{
    fputs("amitap taps the Asterisk Manager Interface, read-only.\n\n", to);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(to, "  amitap %s %s\n        %s\n", commands[i].name, commands[i].arguments,
                commands[i].sentence);
    }
    fputs("  amitap --version\n", to);
}

/* Memory holds secrets and numbers: no core dump is written, and no other process of this user may
 * look into it. */
static void keep_memory_private(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

/* 0: done well. 1: it failed, and a line on stderr says why. 2: it was called wrongly. Two commands
 * answer a question: verify gives 1 for rows that differ, and 2 for whatever kept it from looking;
 * audit gives 1 for an account that can change too much, and 3 for what kept it from asking. */
int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    keep_memory_private();
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--version") == 0) {
        puts("amitap " AMITAP_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        usage(stdout);
        return 0;
    }
    if (*name) {
        fprintf(stderr, "amitap: there is no command '%s'\n\n", name);
    }
    usage(stderr);
    return 2;
}
