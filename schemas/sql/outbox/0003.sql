-- SPDX-License-Identifier: MIT
-- Rows may be given up in the middle: how many are missing between the first one and the newest seq.
ALTER TABLE outbox ADD COLUMN holes INTEGER NOT NULL DEFAULT 0;
