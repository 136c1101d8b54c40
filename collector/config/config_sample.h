/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CONFIG_SAMPLE_H
#define COLLECTOR_CONFIG_CONFIG_SAMPLE_H

#include <stdio.h>

/* Writes the sample configuration, made of schemas/config.def: every section and key with its
 * sentence, default and range. It is what examples/amitap.conf holds. */
void config_sample_print(FILE *to);

#endif
