-- SPDX-License-Identifier: MIT
-- For each PBX, from when to when it has records that were given up and that no gap has told of yet.
CREATE TABLE untold (
    pbx     TEXT PRIMARY KEY NOT NULL,
    "first" INTEGER NOT NULL,  -- ce_time, microseconds since 1970 UTC
    "last"  INTEGER NOT NULL,
    mark    INTEGER NOT NULL   -- any number, another one with each change that adds records
) WITHOUT ROWID;
