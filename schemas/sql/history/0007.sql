-- SPDX-License-Identifier: MIT
-- The privacy policy that a row was rendered under: what may be sent on from here follows from it.
-- NULL: in clear, as all rows of before.
ALTER TABLE cdr ADD COLUMN privacy TEXT;
ALTER TABLE calls ADD COLUMN privacy TEXT;
ALTER TABLE queue_visits ADD COLUMN privacy TEXT;
ALTER TABLE agent_intervals ADD COLUMN privacy TEXT;
ALTER TABLE call_events ADD COLUMN privacy TEXT;
ALTER TABLE alerts ADD COLUMN privacy TEXT;
ALTER TABLE gaps ADD COLUMN privacy TEXT;
ALTER TABLE dead_letters ADD COLUMN privacy TEXT;
ALTER TABLE call_aliases ADD COLUMN privacy TEXT;
ALTER TABLE endpoint_intervals ADD COLUMN privacy TEXT;
ALTER TABLE registration_intervals ADD COLUMN privacy TEXT;
ALTER TABLE trunk_intervals ADD COLUMN privacy TEXT;
ALTER TABLE queue_log ADD COLUMN privacy TEXT;
ALTER TABLE drift ADD COLUMN privacy TEXT;

-- By their time, for retain_days.
CREATE INDEX cdr_time ON cdr (ce_time);
CREATE INDEX agent_intervals_time ON agent_intervals (ce_time);
CREATE INDEX gaps_time ON gaps (ce_time);
CREATE INDEX call_aliases_time ON call_aliases (ce_time);
CREATE INDEX endpoint_intervals_time ON endpoint_intervals (ce_time);
CREATE INDEX registration_intervals_time ON registration_intervals (ce_time);
CREATE INDEX trunk_intervals_time ON trunk_intervals (ce_time);
CREATE INDEX dead_letters_stored ON dead_letters (stored);
