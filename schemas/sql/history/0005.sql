-- SPDX-License-Identifier: MIT
-- The lines of queue_log as Asterisk writes them; args is a JSON array.
CREATE TABLE queue_log (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    event TEXT NOT NULL,
    uniqueid TEXT NOT NULL,
    queue TEXT NOT NULL,
    agent TEXT NOT NULL,
    args TEXT,
    tap INTEGER,
    inferred INTEGER,
    imported INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX queue_log_time ON queue_log (ce_time);
CREATE INDEX queue_log_uniqueid ON queue_log (uniqueid);

-- The same with the names and types of Asterisk's own realtime table queue_log, for what reads that.
CREATE VIEW asterisk_queue_log AS
SELECT rowid AS id, strftime('%Y-%m-%d %H:%M:%f', ce_time) AS time, uniqueid AS callid,
       queue AS queuename, agent, event,
       coalesce(args ->> 0, '') AS data1, coalesce(args ->> 1, '') AS data2,
       coalesce(args ->> 2, '') AS data3, coalesce(args ->> 3, '') AS data4,
       coalesce(args ->> 4, '') AS data5
FROM queue_log;

-- Where what was derived differs from what Asterisk itself said.
CREATE TABLE drift (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    what TEXT NOT NULL,
    uniqueid TEXT,
    linkedid TEXT,
    queue TEXT,
    interface TEXT,
    columns TEXT,
    derived TEXT,
    asterisk TEXT,
    guessed TEXT,
    tap INTEGER,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX drift_time ON drift (ce_time);
CREATE INDEX drift_uniqueid ON drift (uniqueid);

-- Rows that came from Asterisk's own files (amitap import).
ALTER TABLE cdr ADD COLUMN imported INTEGER;
