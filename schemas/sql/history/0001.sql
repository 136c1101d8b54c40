-- SPDX-License-Identifier: MIT
-- The history: one table for each kind of record, filled by the history sink. ce_* are the
-- record's CloudEvents attributes and ce_key its Kafka key behind "<pbx>/"; every other column is
-- the body's field of that name, and body is the record as it was published. Times are RFC 3339 in
-- UTC, durations seconds. What could not be known is NULL, an empty text is what Asterisk sent.

CREATE TABLE cdr (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    clid TEXT,
    src TEXT,
    dst TEXT,
    dcontext TEXT,
    channel TEXT,
    dstchannel TEXT,
    lastapp TEXT,
    lastdata TEXT,
    start TEXT,
    answer TEXT,
    "end" TEXT,
    duration REAL,
    billsec REAL,
    disposition TEXT,
    amaflags TEXT,
    accountcode TEXT,
    peeraccount TEXT,
    uniqueid TEXT NOT NULL,
    linkedid TEXT,
    userfield TEXT,
    recording TEXT,
    guessed TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX cdr_start ON cdr (start);
CREATE INDEX cdr_linkedid ON cdr (linkedid);
CREATE INDEX cdr_uniqueid ON cdr (uniqueid);

CREATE TABLE calls (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    linkedid TEXT NOT NULL,
    start TEXT,
    answer TEXT,
    "end" TEXT,
    duration REAL,
    caller_number TEXT,
    caller_name TEXT,
    dialled TEXT,
    queue TEXT,
    answered_by TEXT,
    wait_seconds REAL,
    ring_seconds REAL,
    talk_seconds REAL,
    hold_seconds REAL,
    legs TEXT,
    hung_up_by TEXT,
    cause INTEGER,
    cause_text TEXT,
    accountcode TEXT,
    recording TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX calls_time ON calls (ce_time);
CREATE INDEX calls_start ON calls (start);
CREATE INDEX calls_linkedid ON calls (linkedid);

CREATE TABLE queue_visits (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    queue TEXT NOT NULL,
    uniqueid TEXT NOT NULL,
    linkedid TEXT,
    outcome TEXT NOT NULL,
    joined TEXT,
    start TEXT,
    "end" TEXT,
    wait_seconds REAL,
    position INTEGER,
    member TEXT,
    interface TEXT,
    ring_attempts INTEGER,
    talk_seconds REAL,
    hold_seconds REAL,
    service_level_seconds REAL,
    ended_by TEXT,
    caller_number TEXT,
    caller_name TEXT,
    recording TEXT,
    guessed TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX queue_visits_time ON queue_visits (ce_time);
CREATE INDEX queue_visits_queue ON queue_visits (queue, joined);
CREATE INDEX queue_visits_member ON queue_visits (member, joined);
CREATE INDEX queue_visits_linkedid ON queue_visits (linkedid);
CREATE INDEX queue_visits_uniqueid ON queue_visits (uniqueid);

CREATE TABLE agent_intervals (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    agent TEXT,
    interface TEXT,
    queue TEXT,
    state TEXT,
    reason TEXT,
    start TEXT,
    "end" TEXT,
    duration REAL,
    linkedid TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX agent_intervals_agent ON agent_intervals (agent, start);
CREATE INDEX agent_intervals_interface ON agent_intervals (interface, start);
CREATE INDEX agent_intervals_start ON agent_intervals (start);

CREATE TABLE call_events (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    linkedid TEXT,
    uniqueid TEXT,
    channel TEXT,
    interface TEXT,
    number TEXT,
    caller_number TEXT,
    caller_name TEXT,
    context TEXT,
    dialled TEXT,
    queue TEXT,
    wait_seconds REAL,
    duration REAL,
    cause INTEGER,
    cause_text TEXT,
    hung_up_by TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX call_events_linkedid ON call_events (linkedid);
CREATE INDEX call_events_uniqueid ON call_events (uniqueid);
CREATE INDEX call_events_time ON call_events (ce_time);

CREATE TABLE alerts (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    name TEXT,
    state TEXT,
    queue TEXT,
    agent TEXT,
    linkedid TEXT,
    since TEXT,
    reason TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX alerts_time ON alerts (ce_time);

CREATE TABLE gaps (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    "from" TEXT,
    "to" TEXT,
    reason TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX gaps_from ON gaps ("from");

-- Records that a sink refused for good, with the reason. Nothing is dropped silently.
CREATE TABLE dead_letters (
    number INTEGER PRIMARY KEY,
    stored TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    sink TEXT NOT NULL,
    reason TEXT NOT NULL,
    kind TEXT NOT NULL,
    pbx TEXT NOT NULL,
    ce_id TEXT NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    body TEXT
);

-- One row: up to where which outbox was read, written with the rows.
CREATE TABLE outbox_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    outbox TEXT NOT NULL,
    seq INTEGER NOT NULL
);
INSERT INTO outbox_cursor VALUES (1, '', 0);
