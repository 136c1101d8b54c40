/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_EXPLAIN_SOURCE_H
#define COLLECTOR_COMMANDS_EXPLAIN_SOURCE_H

#include "collector/facts/tap.h"
#include <jansson.h>

/* Where `amitap explain` has the records of one call from. */

struct explain_wanted {
    const char *id;  /* a linkedid, the linkedid of a call that was merged, or a Uniqueid */
    const char *pbx; /* name of the pbx section, or NULL: whichever has it */
};

/* All records about the call, objects as fact_json writes them, in their order; of calls that were
 * merged all together. NULL after one line on stderr: there is no such call, or the source cannot
 * be read. To be given back by json_decref. */
json_t *explain_from_history(const char *path, const struct explain_wanted *wanted);

/* The same out of recorded AMI bytes (as ami_files_read takes them), with the CDR rows that
 * Asterisk does not write: records of kind cdr that have a reason. */
json_t *explain_from_recording(char *const *files, const struct tap_options *options,
                               const char *id);

#endif
