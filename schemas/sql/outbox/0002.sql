-- SPDX-License-Identifier: MIT
-- Facts are rendered under the sinks' privacy policies before they are written. Only live_state is
-- in clear.

-- Makes the keyed hashes of ids under policies that name no key of their own.
ALTER TABLE outbox ADD COLUMN secret TEXT NOT NULL DEFAULT '';
UPDATE outbox SET secret = lower(hex(randomblob(32)));

CREATE TABLE policies (
    policy INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE
);
INSERT INTO policies VALUES (0, 'clear');

-- The policy that subject, key, ce_id and body of the row were rendered under.
ALTER TABLE facts ADD COLUMN policy INTEGER NOT NULL DEFAULT 0;

-- The same facts for sinks with another policy.
CREATE TABLE renderings (
    seq     INTEGER NOT NULL,
    policy  INTEGER NOT NULL,
    subject TEXT NOT NULL,
    key     TEXT NOT NULL,
    ce_id   TEXT NOT NULL,
    body    TEXT,
    PRIMARY KEY (seq, policy)
) WITHOUT ROWID;

-- Which policy a sink had for what came behind since; NULL: there was no such sink.
CREATE TABLE sink_policies (
    sink   TEXT NOT NULL,
    since  INTEGER NOT NULL,
    policy INTEGER,
    PRIMARY KEY (sink, since)
) WITHOUT ROWID;
INSERT INTO sink_policies SELECT sink, 0, 0 FROM cursors;
