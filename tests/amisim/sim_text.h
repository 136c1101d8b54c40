/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_TEXT_H
#define TESTS_AMISIM_SIM_TEXT_H

#include "collector/base/buf.h"
#include <stdint.h>

/* Recorded text (an event, a truth file) cut once into what stays and what changes each time it is
 * played: times, unique ids, channel serials, bridge ids, outside numbers, and words that a copy
 * has its own word for. The same rule for the stream and for its truth keeps them comparable. */

#define SIM_TEXT_WORDS_MAX  64u
#define SIM_TEXT_COPIES_MAX 16u

/* Words of the recording and what each copy calls them: line "word word-of-copy-1 …" of a file,
 * where the recorded word stands for copy 0. Copies beyond the last column start over. A recorded
 * "word" may hold blanks. */
struct sim_words {
    unsigned count;
    unsigned first; /* the column that copy 0 takes and others start over at */
    struct {
        char *text[SIM_TEXT_COPIES_MAX];
        unsigned copies;
    } word[SIM_TEXT_WORDS_MAX];
    bool caller_names; /* "Caller 0103" becomes an invented name */
};

/* Reads the words from a file, where ~ stands for a blank in a word. 0, or -1 with one line of
 * reason in error. */
int sim_words_load(struct sim_words *words, const char *path, char *error, size_t error_size);
void sim_words_free(struct sim_words *words);

/* What one play of a recording puts in place of the recorded values. */
struct sim_rename {
    int64_t shift;         /* whole seconds added to every time */
    int64_t stamp_us;      /* when not 0: what every Timestamp header says instead */
    int64_t uid_delta;     /* added to the serial of a unique id */
    int64_t channel_delta; /* added to the serial of a channel name */
    uint32_t bridge_key;   /* XOR on the first 32 bits of a bridge id */
    uint32_t number_key;   /* picks the area code of outside numbers, and callers' names */
    unsigned copy;         /* which column of the words */
    const struct sim_words *words;
};

struct sim_text;

/* Cuts text, which is borrowed and must outlive the result. NULL when memory is short. */
struct sim_text *sim_text_new(struct slice text, const struct sim_words *words);
void sim_text_free(struct sim_text *text);

/* The recorded text. */
struct slice sim_text_recorded(const struct sim_text *text);

/* Lowest and highest serials found, for giving each play a range of its own. */
struct sim_serials {
    int64_t uid_min, uid_max; /* uid_min > uid_max: none */
    int64_t channel_min, channel_max;
};

/* Widens *serials by those in text. */
void sim_text_serials(const struct sim_text *text, struct sim_serials *serials);

/* Appends the text as this play says it. False when `to` is full. */
bool sim_text_render(const struct sim_text *text, const struct sim_rename *rename, struct buf *to);

#endif
