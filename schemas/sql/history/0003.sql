-- SPDX-License-Identifier: MIT
-- Journeys: who ended a call, and which calls were merged. call_aliases leads from the linkedid of
-- a call to that of the one which took it in; that one may have been taken in itself.

ALTER TABLE calls ADD COLUMN hung_up_side TEXT;
ALTER TABLE calls ADD COLUMN merged_into TEXT;
ALTER TABLE calls ADD COLUMN aliases TEXT;

CREATE TABLE call_aliases (
    ce_id TEXT PRIMARY KEY NOT NULL,
    ce_subject TEXT NOT NULL,
    ce_time TEXT NOT NULL,
    ce_key TEXT NOT NULL,
    ce_sequence INTEGER NOT NULL,
    pbx TEXT NOT NULL,
    tenant TEXT,
    linkedid TEXT NOT NULL,
    merged_into TEXT NOT NULL,
    uniqueid TEXT,
    channel TEXT,
    inferred INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX call_aliases_linkedid ON call_aliases (linkedid);
CREATE INDEX call_aliases_merged_into ON call_aliases (merged_into);
