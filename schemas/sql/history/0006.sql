-- SPDX-License-Identifier: MIT
-- What makes an agent one, whose calls count, and whether the state is derived; NULL in rows of
-- before.
ALTER TABLE agent_intervals ADD COLUMN login TEXT;
ALTER TABLE agent_intervals ADD COLUMN device TEXT;
ALTER TABLE agent_intervals ADD COLUMN state_derived INTEGER;
