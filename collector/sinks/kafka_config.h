/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_KAFKA_CONFIG_H
#define COLLECTOR_SINKS_KAFKA_CONFIG_H

#include "collector/config/config.h"
#include <librdkafka/rdkafka.h>

/* The producer's properties: those that nothing is lost and nothing reordered by, which cannot be
 * changed, and those of the configuration's kafka section. A property "<name>_file=PATH" is the
 * property <name> with the file's contents, so that a secret need not stand in the configuration.
 */

/* Checks the section's properties, if there is a section: names that librdkafka does not know,
 * values that it refuses, what would break the guarantees, files that cannot be read. False, and a
 * fault in report for each, when something is wrong. Connects to nothing. */
bool kafka_config_check(const struct config *config, struct config_report *report);

/* The properties for a producer, to be freed with rd_kafka_conf_destroy. NULL with one line in
 * error. Values of properties that hold secrets never stand in it. */
rd_kafka_conf_t *kafka_config_new(const struct config_section *kafka, char *error,
                                  size_t error_size);

#endif
