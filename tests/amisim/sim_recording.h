/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_RECORDING_H
#define TESTS_AMISIM_SIM_RECORDING_H

#include "tests/amisim/sim_text.h"

/* One folder of tests/captures in memory: the events of ami.raw without the session around them,
 * the truth files, and the queues that the recording's own listing named. */

/* Classes of AMI's Privilege header, as bits; an account gets an event when it has them all. */
#define SIM_CLASS_ALL 0xffffffffu
/* "call,all" or "call,agent" as bits; an unknown class is no bit, "all" adds none. */
uint32_t sim_class_bits(struct slice privilege);
/* An EventMask or a `read=` list as bits: also "on", "off", "all" and "". */
uint32_t sim_class_mask(struct slice mask);

struct sim_event {
    struct slice name;     /* borrowed from the recording */
    struct sim_text *text; /* the frame with its CR LF lines and the blank line at its end */
    int64_t offset_us;     /* since the recording's first event; never decreases */
    uint32_t classes;
};

enum sim_truth { SIM_TRUTH_CDR, SIM_TRUTH_CEL, SIM_TRUTH_QUEUE_LOG, SIM_TRUTH_COUNT };

struct sim_recording {
    char *name; /* of the folder */
    char *raw;  /* what every slice and text points into */
    size_t raw_size;
    struct sim_event *events;
    size_t count;
    int64_t first_us;  /* Timestamp of the first event, microseconds since 1970 */
    int64_t length_us; /* offset of the last event */
    struct sim_serials serials;
    struct sim_text **queue_items; /* QueueParams and QueueMember of the listing at the end */
    size_t queue_items_count;
    char *truth_raw[SIM_TRUTH_COUNT];
    struct sim_text *truth[SIM_TRUTH_COUNT];
};

struct sim_recording_options {
    const char *keep;              /* comma list of Cdr, CEL, TestEvent: not left out */
    const struct sim_words *words; /* borrowed by the recording */
};

/* Reads a folder. NULL with one line of reason in error. Freed with sim_recording_free. */
struct sim_recording *sim_recording_load(const char *folder,
                                         const struct sim_recording_options *options, char *error,
                                         size_t error_size);
void sim_recording_free(struct sim_recording *recording);

#endif
