/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_OUTBOX_SCHEMA_H
#define COLLECTOR_OUTBOX_OUTBOX_SCHEMA_H

#include "collector/outbox/sqlite_file.h"

/* The outbox file's kind and migrations. */
extern const struct sqlite_schema outbox_schema;

#endif
