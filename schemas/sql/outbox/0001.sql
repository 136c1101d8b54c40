-- SPDX-License-Identifier: MIT
-- The outbox: facts on their way to the sinks, and the live calls' state as of the newest fact.
-- Only amitap reads this file; it holds numbers and names in clear.

-- One row: which file this is, so that a sink notices when it was replaced.
CREATE TABLE outbox (
    name TEXT NOT NULL
);
INSERT INTO outbox VALUES (lower(hex(randomblob(16))));

-- AUTOINCREMENT: a seq is never given twice, also after its row was deleted.
CREATE TABLE facts (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    flags       INTEGER NOT NULL,
    pbx         TEXT NOT NULL,
    subject     TEXT NOT NULL,
    key         TEXT NOT NULL,     -- what follows "<pbx>/" in the Kafka key; empty: the PBX alone
    ce_id       TEXT NOT NULL,
    ce_time     INTEGER NOT NULL,  -- microseconds since 1970 UTC
    ce_sequence INTEGER NOT NULL,
    body        TEXT               -- NULL: a tombstone
);

-- How far each sink has come: it needs nothing up to seq any more.
CREATE TABLE cursors (
    sink TEXT PRIMARY KEY NOT NULL,
    seq  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE live_state (
    pbx    TEXT NOT NULL,
    entity TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (pbx, entity)
) WITHOUT ROWID;
