/* SPDX-License-Identifier: MIT */
#include "collector/outbox/outbox_schema.h"

#include "schemas/outbox_migrations.h"

const struct sqlite_schema outbox_schema = {
    .what = "outbox",
    .application_id = 0x616D7478, /* "amtx" */
    .migrations = outbox_migrations,
    .version = sizeof(outbox_migrations) / sizeof(outbox_migrations[0]),
    .durable = true,
    .secret = true,
};
