-- SPDX-License-Identifier: MIT
-- Endpoints and registrations by state, and what went over each trunk.

CREATE TABLE endpoint_intervals (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL,
    start TEXT,
    "end" TEXT,
    duration REAL,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX endpoint_intervals_endpoint ON endpoint_intervals (endpoint, start);
CREATE INDEX endpoint_intervals_start ON endpoint_intervals (start);

CREATE TABLE registration_intervals (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    registration TEXT,
    channeltype TEXT NOT NULL,
    username TEXT,
    domain TEXT,
    endpoint TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    start TEXT,
    "end" TEXT,
    duration REAL,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX registration_intervals_start ON registration_intervals (start);

CREATE TABLE trunk_intervals (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    trunk TEXT NOT NULL,
    start TEXT,
    "end" TEXT,
    calls_max INTEGER,
    attempts_in INTEGER,
    attempts_out INTEGER,
    answered INTEGER,
    failed INTEGER,
    asr REAL,
    failures TEXT,
    used_seconds REAL,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX trunk_intervals_trunk ON trunk_intervals (trunk, start);
CREATE INDEX trunk_intervals_start ON trunk_intervals (start);
