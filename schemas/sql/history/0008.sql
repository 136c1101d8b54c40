-- SPDX-License-Identifier: MIT
-- Between which moments something ended that the tap lost sight of. NULL: its end was seen.
ALTER TABLE cdr ADD COLUMN end_earliest TEXT;
ALTER TABLE cdr ADD COLUMN end_latest TEXT;
ALTER TABLE calls ADD COLUMN end_earliest TEXT;
ALTER TABLE calls ADD COLUMN end_latest TEXT;
ALTER TABLE queue_visits ADD COLUMN end_earliest TEXT;
ALTER TABLE queue_visits ADD COLUMN end_latest TEXT;
