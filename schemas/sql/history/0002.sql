-- SPDX-License-Identifier: MIT
-- Why a row of cdr was begun and why it has its end; NULL in rows of before.
ALTER TABLE cdr ADD COLUMN opened_because TEXT;
ALTER TABLE cdr ADD COLUMN closed_because TEXT;

-- For `amitap figures`: visits by when they were joined, and later calls of a number.
CREATE INDEX queue_visits_joined ON queue_visits (joined);
CREATE INDEX calls_caller_number ON calls (caller_number, answer);
CREATE INDEX agent_intervals_end ON agent_intervals ("end");
CREATE INDEX agent_intervals_linkedid ON agent_intervals (linkedid);
