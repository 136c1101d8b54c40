/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BLANKS " \t\r\n"

static bool words_line(struct sim_words *words, char *line)
{
    unsigned copies = 0;
    for (char *w = line + strspn(line, BLANKS), *end; *w && *w != '#'; w = end) {
        end = w + strcspn(w, BLANKS);
        if (*end)
            *end++ = 0;
        end += strspn(end, BLANKS);
        if (words->count == SIM_TEXT_WORDS_MAX || copies == SIM_TEXT_COPIES_MAX)
            return false;
        char *text = strdup(w);
        if (!text)
            return false;
        for (char *tilde = text; (tilde = strchr(tilde, '~'));)
            *tilde = ' ';
        words->word[words->count].text[copies++] = text;
        words->word[words->count].copies = copies;
    }
    words->count += copies > 0;
    return true;
}

int sim_words_load(struct sim_words *words, const char *path, char *error, size_t error_size)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    char line[1024];
    int rc = 0;
    for (unsigned n = 1; !rc && fgets(line, sizeof(line), f); n++) {
        if (!words_line(words, line)) {
            snprintf(error, error_size, "%s:%u: too many words", path, n);
            rc = -1;
        }
    }
    fclose(f);
    return rc;
}

void sim_words_free(struct sim_words *words)
{
    for (unsigned w = 0; w <= words->count && w < SIM_TEXT_WORDS_MAX; w++)
        for (unsigned c = 0; c < words->word[w].copies; c++)
            free(words->word[w].text[c]);
    *words = (struct sim_words){.count = 0};
}
