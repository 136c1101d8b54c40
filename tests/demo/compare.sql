-- SPDX-License-Identifier: MIT
-- Holds what amitap stored (amitap.db) and showed (state.json, a copy of /api/v1/state) against what amisim played
-- (truth/cdr.csv, summary.json), in the folder where it is run. Prints lines "ok    ..." and "FAIL  ...".
.bail on
.mode list
ATTACH 'amitap.db' AS tap;
CREATE TABLE truth (clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, start, answer, "end", duration,
  billsec, disposition, amaflags, accountcode, peeraccount, uniqueid, linkedid, sequence, userfield);
.import --csv truth/cdr.csv truth
CREATE TABLE json AS
  SELECT CAST(readfile('state.json') AS TEXT) AS state, CAST(readfile('summary.json') AS TEXT) AS summary;

-- CDRs. The PBX wrote its times as whole seconds of its own clock.
CREATE TABLE row AS
  SELECT 'played' AS side, strftime('%s', start) AS start_s, strftime('%s', "end") AS end_s,
    duration + 0.0 AS seconds, uniqueid, linkedid, channel, dstchannel, disposition, src, dst, lastapp, userfield
  FROM truth
  UNION ALL
  SELECT 'stored', strftime('%s', start), strftime('%s', "end"),
    duration, uniqueid, linkedid, channel, coalesce(dstchannel, ''), disposition, src, dst, lastapp, userfield
  FROM tap.cdr;
-- Truly equal rows exist: they are told apart by counting them.
CREATE TABLE numbered AS
  SELECT *, row_number() OVER (PARTITION BY side, uniqueid, linkedid, channel, dstchannel, disposition, src, dst, lastapp,
    userfield ORDER BY start_s, end_s, seconds) AS nth
  FROM row;
CREATE TABLE pair AS
  SELECT p.rowid AS played, s.rowid AS stored
  FROM numbered p JOIN numbered s
    USING (uniqueid, linkedid, channel, dstchannel, disposition, src, dst, lastapp, userfield, nth)
  WHERE p.side = 'played' AND s.side = 'stored' AND abs(p.start_s - s.start_s) <= 1
    AND abs(p.end_s - s.end_s) <= 1 AND abs(p.seconds - s.seconds) < 1;

SELECT printf('%s  every row of Asterisk''s CDRs is stored, and no other: %d of %d, %d too many',
    CASE WHEN paired = played AND paired = stored AND played > 0 THEN 'ok  ' ELSE 'FAIL' END,
    paired, played, stored - paired)
  FROM (SELECT (SELECT count(*) FROM pair) AS paired, (SELECT count(*) FROM truth) AS played,
    (SELECT count(*) FROM tap.cdr) AS stored);
SELECT printf('FAIL  %s only: %s %s %s -> %s %s at %s for %.1f s', side, uniqueid, src, channel, dstchannel,
    disposition, time(start_s, 'unixepoch'), seconds)
  FROM numbered WHERE rowid NOT IN (SELECT played FROM pair UNION ALL SELECT stored FROM pair)
  ORDER BY uniqueid, side LIMIT 20;

-- Figures: what they are called, what amisim played, what amitap says.
CREATE TABLE figure (name, played, said);
CREATE TABLE counts AS
  SELECT json_extract(value, '$.queue') AS queue, value AS doc FROM json, json_each(state, '$.counts');
INSERT INTO figure
  SELECT 'page: calls that go on', 0, json_array_length(state, '$.calls') FROM json;
INSERT INTO figure
  SELECT 'page: ' || name, json_extract(summary, path), (SELECT json_extract(doc, field) FROM counts WHERE queue IS NULL)
  FROM json, (SELECT 'calls today' AS name, '$.truth.calls' AS path, '$.started' AS field
    UNION ALL SELECT 'CDRs today', '$.truth.cdr_rows', '$.cdrs');
INSERT INTO figure
  SELECT 'page: calls that are over', json_extract(summary, '$.truth.calls'),
    (SELECT json_extract(doc, '$.answered') + json_extract(doc, '$.unanswered') FROM counts WHERE queue IS NULL)
  FROM json;
INSERT INTO figure
  SELECT 'stored: calls', json_extract(summary, '$.truth.calls'), (SELECT count(*) FROM tap.calls) FROM json;
INSERT INTO figure
  SELECT 'stored: CDRs ' || d.key, d.value, (SELECT count(*) FROM tap.cdr WHERE disposition = d.key)
  FROM json, json_each(summary, '$.truth.cdr_dispositions') d;
INSERT INTO figure
  SELECT 'amisim: actions it had to refuse', 0, json_extract(summary, '$.actions.refused') +
    json_extract(summary, '$.actions.unknown') + json_extract(summary, '$.actions.failed')
  FROM json;

CREATE TABLE queue AS
  SELECT json_extract(value, '$.queue') AS queue, value AS doc FROM json, json_each(summary, '$.truth.queues');
CREATE TABLE outcome (name, shown, played);
INSERT INTO outcome VALUES ('offered', '$.offered', 'entered'), ('answered', '$.answered', 'answered'),
  ('abandoned', '$.abandoned', 'abandoned'), ('left', '$.other', 'timeout'), ('left', '$.other', 'leave_empty'),
  ('left', '$.other', 'exit_key'), ('left', '$.other', 'withdrawn');
INSERT INTO figure
  SELECT 'page: queue ' || q.queue || ', ' || o.name, sum(json_extract(q.doc, '$.' || o.played)),
    json_extract(c.doc, o.shown)
  FROM queue q JOIN outcome o LEFT JOIN counts c ON c.queue = q.queue
  GROUP BY q.queue, o.name;
INSERT INTO figure
  SELECT 'page: queue ' || queue || ', offered', 0, json_extract(doc, '$.offered')
  FROM counts WHERE queue IS NOT NULL AND queue NOT IN (SELECT queue FROM queue);
INSERT INTO figure
  SELECT 'stored: visits of queue ' || queue, json_extract(doc, '$.entered'),
    (SELECT count(*) FROM tap.queue_visits v WHERE v.queue = q.queue)
  FROM queue q;

SELECT printf('%s  the figures shown and stored are those played: %d of %d (%d calls, %d CDRs, %d queues)',
    CASE WHEN same = n THEN 'ok  ' ELSE 'FAIL' END, same, n, json_extract(summary, '$.truth.calls'),
    json_extract(summary, '$.truth.cdr_rows'), json_array_length(summary, '$.truth.queues'))
  FROM json, (SELECT count(*) AS n, count(*) FILTER (WHERE played IS said) AS same FROM figure);
SELECT printf('FAIL  %s: %s played, %s said', name, played, coalesce(said, 'nothing'))
  FROM figure WHERE played IS NOT said;
.quit
