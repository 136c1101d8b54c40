/* SPDX-License-Identifier: MIT */
#include "collector/config/config_sample.h"
#include "collector/config/config_table.h"
#include <inttypes.h>

/* A section in which nothing is set but comments stays a comment itself, so that the sample turns
 * on no more than it shows. */
static bool is_comment(enum config_section_id id)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct config_key_row *row = config_key_row(key);
        if (row->section == id && row->sample[0] != '#') {
            return false;
        }
    }
    return true;
}

static void print_key(const struct config_key_row *row, const char *prefix, FILE *to)
{
    bool comment = row->sample[0] == '#';
    fprintf(to, "%s    # %s", prefix, row->sentence);
    if (row->type == CONFIG_TYPE_NUMBER) {
        fprintf(to, " %" PRId64 " to %" PRId64 ".", row->low, row->high);
    }
    if (row->fallback) {
        fprintf(to, " Default: %s", row->fallback);
    }
    fprintf(to, "\n%s    %s%s = %s\n", prefix, comment && !*prefix ? "# " : "", row->name,
            row->sample + (comment ? 2 : 0));
}

void config_sample_print(FILE *to)
{
    fputs("# amitap's configuration. 'amitap check -c FILE' names every fault in it.\n"
          "# Values with other characters than letters, digits and . _ : / @ % [ ] ~ - stand in\n"
          "# 'single quotes', where nothing is expanded. A comment is set off by a blank.\n",
          to);
    for (unsigned id = 0; id < CONFIG_SECTION_COUNT; id++) {
        const struct config_section_row *section = config_section_row(id);
        const char *prefix = is_comment(id) ? "# " : "";
        fprintf(to, "\n# %s\n%s%s%s {\n", section->sentence, prefix, section->name,
                section->titled ? " main" : "");
        for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
            if (config_key_row(key)->section == id) {
                print_key(config_key_row(key), prefix, to);
            }
        }
        fprintf(to, "%s}\n", prefix);
    }
}
