/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: amisim [OPTION]… FOLDER…\n"
    "Plays recordings (FOLDER/ami.raw) as an Asterisk would send them over AMI, on 127.0.0.1, to\n"
    "every client that logs in, with new ids, numbers and times. Prints the port it listens on.\n"
    "\n"
    "what is played\n"
    "  --loop N             the list N times, 0 for ever (default 1)\n"
    "  --copies N           so many copies of the list at once (default 1)\n"
    "  --stagger SECONDS    between the starts of two copies (default: evenly over one loop)\n"
    "  --together           all folders at once, not one behind the other\n"
    "  --keep LIST          of Cdr,CEL,TestEvent: do not leave these events out\n"
    "  --words FILE         lines 'word word-of-copy-1 word-of-copy-2 …', replaced everywhere;\n"
    "                       ~ in a word is a blank\n"
    "  --first-copy N       the copies take the words of copy N and on, and then start over\n"
    "                       there (default 0: the first one plays what was recorded)\n"
    "  --caller-names       invented names in place of 'Caller 0103'\n"
    "  --all-queues         list every queue that the recorded PBX had, not only those used\n"
    "  --seed N             other numbers and names (default 0)\n"
    "how fast\n"
    "  --pace X             1 real time (default), 10 ten times, 0 as fast as the socket takes\n"
    "  --rate N             N events a second, whatever their times were\n"
    "  --timestamps WHICH   original: their recorded spacing (default); now: when they are sent,\n"
    "                       which makes the truth files' durations those of another pace\n"
    "  --wait-clients N     begins when N clients have logged in (default 1)\n"
    "  --hold               waits while nobody is logged in; otherwise time goes on\n"
    "                       (pace 0 always waits)\n"
    "  --exit-when-played   ends when all was played and sent; otherwise goes on answering\n"
    "the AMI side\n"
    "  --port N             0 takes any free one (default 5038)\n"
    "  --user NAME          (default tap)     --secret TEXT   (default tapsecret)\n"
    "  --read LIST          classes of events for the account (default all)\n"
    "  --write LIST         classes of actions for the account (default reporting)\n"
    "  --writetimeout-ms N  cuts a client that reads nothing for so long (default 100; 0 never)\n"
    "  --sndbuf BYTES       of the sockets (default: the system's)\n"
    "  --queue-bytes BYTES  cuts a client for which more waits (default 67108864)\n"
    "what goes wrong (counted in events played)\n"
    "  --cut-after N[,N…]   cuts all clients behind these events, which they still get whole\n"
    "  --cut-every N        the same behind every Nth\n"
    "  --stall-after N      sends nothing behind this one, for\n"
    "  --stall-ms N         so many milliseconds (default 1000), then all that has come meanwhile\n"
    "  --garble P           damages an event with this probability, 0 to 1; --seed draws how\n"
    "  --garble-first N     only so many events from the start\n"
    "what is written down\n"
    "  --record FILE        every action: time, client, allowed|refused|unknown|failed, name\n"
    "  --log-sent FILE      every event: microseconds since 1970, name, Uniqueid, Linkedid\n"
    "  --truth DIR          cdr.csv, cel.csv, queue_log of all recordings played to their end\n"
    "  --summary FILE       what was played in numbers (JSON), when all was played and at the end\n"
    "\n"
    "At another pace than 1 the times of a list with an end are put so that they end now; a list\n"
    "without an end runs into the future. Stops on SIGTERM or SIGINT.\n";

enum id {
    LOOP = 1000,
    COPIES,
    STAGGER,
    TOGETHER,
    KEEP,
    WORDS,
    FIRST_COPY,
    CALLER_NAMES,
    ALL_QUEUES,
    SEED,
    PACE,
    RATE,
    TIMESTAMPS,
    WAIT_CLIENTS,
    HOLD,
    EXIT,
    PORT,
    USER,
    SECRET,
    READ,
    WRITE,
    WRITETIMEOUT,
    SNDBUF,
    QUEUE_BYTES,
    CUT_AFTER,
    CUT_EVERY,
    STALL_AFTER,
    STALL_MS,
    GARBLE,
    GARBLE_FIRST,
    RECORD,
    LOG_SENT,
    TRUTH,
    SUMMARY,
    HELP
};

static const struct option table[] = {
    {"loop", required_argument, NULL, LOOP},
    {"copies", required_argument, NULL, COPIES},
    {"stagger", required_argument, NULL, STAGGER},
    {"together", no_argument, NULL, TOGETHER},
    {"keep", required_argument, NULL, KEEP},
    {"words", required_argument, NULL, WORDS},
    {"first-copy", required_argument, NULL, FIRST_COPY},
    {"caller-names", no_argument, NULL, CALLER_NAMES},
    {"all-queues", no_argument, NULL, ALL_QUEUES},
    {"seed", required_argument, NULL, SEED},
    {"pace", required_argument, NULL, PACE},
    {"rate", required_argument, NULL, RATE},
    {"timestamps", required_argument, NULL, TIMESTAMPS},
    {"wait-clients", required_argument, NULL, WAIT_CLIENTS},
    {"hold", no_argument, NULL, HOLD},
    {"exit-when-played", no_argument, NULL, EXIT},
    {"port", required_argument, NULL, PORT},
    {"user", required_argument, NULL, USER},
    {"secret", required_argument, NULL, SECRET},
    {"read", required_argument, NULL, READ},
    {"write", required_argument, NULL, WRITE},
    {"writetimeout-ms", required_argument, NULL, WRITETIMEOUT},
    {"sndbuf", required_argument, NULL, SNDBUF},
    {"queue-bytes", required_argument, NULL, QUEUE_BYTES},
    {"cut-after", required_argument, NULL, CUT_AFTER},
    {"cut-every", required_argument, NULL, CUT_EVERY},
    {"stall-after", required_argument, NULL, STALL_AFTER},
    {"stall-ms", required_argument, NULL, STALL_MS},
    {"garble", required_argument, NULL, GARBLE},
    {"garble-first", required_argument, NULL, GARBLE_FIRST},
    {"record", required_argument, NULL, RECORD},
    {"log-sent", required_argument, NULL, LOG_SENT},
    {"truth", required_argument, NULL, TRUTH},
    {"summary", required_argument, NULL, SUMMARY},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

/* A whole number from min to max; false when text is none. */
static bool whole(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || n < min || n > max)
        return false;
    *ret = n;
    return true;
}

static bool fraction(const char *text, double *ret)
{
    char *end;
    errno = 0;
    double x = strtod(text, &end);
    if (errno || end == text || *end || !(x >= 0 && x <= 1e9))
        return false;
    *ret = x;
    return true;
}

static bool set_timestamps(struct sim_options *o, const char *text)
{
    o->player.stamp_now = strcmp(text, "now") == 0;
    return o->player.stamp_now || strcmp(text, "original") == 0;
}

/* "100,250": adds each to cut_after. */
static bool set_cuts(struct sim_faults_options *f, const char *text)
{
    char word[24];
    for (;;) {
        size_t n = strcspn(text, ",");
        if (n >= sizeof(word) || f->cut_after_count == SIM_FAULTS_AFTER_MAX)
            return false;
        memcpy(word, text, n);
        word[n] = '\0';
        if (!whole(word, 1, INT64_MAX, &f->cut_after[f->cut_after_count++]))
            return false;
        if (!text[n])
            return true;
        text += n + 1;
    }
}

static bool set_fault(struct sim_faults_options *f, int id, const char *text)
{
    uint64_t ms = 0;
    switch (id) {
    case CUT_AFTER:
        return set_cuts(f, text);
    case CUT_EVERY:
        return whole(text, 1, INT64_MAX, &f->cut_every);
    case STALL_AFTER:
        return whole(text, 1, INT64_MAX, &f->stall_after);
    case STALL_MS:
        if (!whole(text, 1, INT32_MAX, &ms))
            return false;
        f->stall_ms = (unsigned)ms;
        return true;
    case GARBLE:
        return fraction(text, &f->garble) && f->garble <= 1;
    default:
        return whole(text, 1, INT64_MAX, &f->garble_first_n);
    }
}

static bool set_whole(struct sim_options *o, int id, const char *text)
{
    uint64_t n = 0;
    uint64_t max = id == PORT ? UINT16_MAX : id == COPIES ? 10000 : INT32_MAX;
    if (!whole(text, id == COPIES, max, &n))
        return false;
    switch (id) {
    case LOOP:
        o->player.loops = n;
        return true;
    case COPIES:
        o->player.copies = (unsigned)n;
        return true;
    case FIRST_COPY:
        o->first_copy = (unsigned)n;
        return true;
    case SEED:
        o->player.seed = o->faults.seed = (uint32_t)n;
        return true;
    case WAIT_CLIENTS:
        o->wait_clients = (unsigned)n;
        return true;
    case PORT:
        o->session.port = (uint16_t)n;
        return true;
    case WRITETIMEOUT:
        o->session.writetimeout_ms = (unsigned)n;
        return true;
    case SNDBUF:
        o->session.sndbuf = (int)n;
        return true;
    default:
        o->session.queue_bytes = n;
        return true;
    }
}

static bool set_flag(struct sim_options *o, int id)
{
    bool *flag = id == TOGETHER       ? &o->player.together
                 : id == CALLER_NAMES ? &o->caller_names
                 : id == ALL_QUEUES   ? &o->all_queues
                 : id == HOLD         ? &o->hold
                                      : &o->exit_when_played;
    *flag = true;
    return true;
}

static bool set_text(struct sim_options *o, int id, const char *text)
{
    const char **to = id == KEEP       ? &o->keep
                      : id == WORDS    ? &o->words
                      : id == USER     ? &o->user
                      : id == SECRET   ? &o->secret
                      : id == READ     ? &o->read
                      : id == WRITE    ? &o->write
                      : id == RECORD   ? &o->files.record
                      : id == LOG_SENT ? &o->files.log_sent
                      : id == TRUTH    ? &o->files.truth
                                       : &o->files.summary;
    *to = text;
    return true;
}

static bool is_fault(int id)
{
    return id >= CUT_AFTER && id <= GARBLE_FIRST;
}

static bool set_option(struct sim_options *o, int id, const char *text)
{
    switch (id) {
    case TOGETHER:
    case CALLER_NAMES:
    case ALL_QUEUES:
    case HOLD:
    case EXIT:
        return set_flag(o, id);
    case STAGGER:
        return fraction(text, &o->player.stagger_s);
    case PACE:
        return fraction(text, &o->player.pace);
    case RATE:
        return fraction(text, &o->player.rate);
    case TIMESTAMPS:
        return set_timestamps(o, text);
    case LOOP:
    case COPIES:
    case FIRST_COPY:
    case SEED:
    case WAIT_CLIENTS:
    case PORT:
    case WRITETIMEOUT:
    case SNDBUF:
    case QUEUE_BYTES:
        return set_whole(o, id, text);
    default:
        return is_fault(id) ? set_fault(&o->faults, id, text) : set_text(o, id, text);
    }
}

int sim_options_read(struct sim_options *o, int argc, char **argv)
{
    *o = (struct sim_options){
        .player = {.pace = 1, .loops = 1, .copies = 1, .stagger_s = -1},
        .session = {.port = 5038, .writetimeout_ms = 100, .queue_bytes = 64u * 1024 * 1024},
        .faults = {.stall_ms = 1000},
        .user = "tap",
        .secret = "tapsecret",
        .read = "all",
        .write = "reporting",
        .wait_clients = 1};
    int id, index = 0;
    while ((id = getopt_long(argc, argv, "", table, &index)) != -1) {
        if (id == HELP) {
            fputs(help, stdout);
            return 1;
        }
        if (id == '?')
            return -1;
        if (!set_option(o, id, optarg)) {
            fprintf(stderr, "amisim: --%s %s: not a value for it\n", table[index].name, optarg);
            return -1;
        }
    }
    o->folders = argv + optind;
    o->folders_count = (size_t)(argc - optind);
    if (o->folders_count)
        return 0;
    fputs("amisim: no folder to play; see --help\n", stderr);
    return -1;
}
