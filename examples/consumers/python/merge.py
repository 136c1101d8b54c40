#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps the records of two taps on one PBX as one set, in SQLite: each fact once, and what was observed beats what was
inferred. Reads records as JSON lines (`amitap replay --records events`, or kcat's values), prints what holds in the end.

    merge.py DATABASE [KIND …] <RECORDS
"""
import json
import re
import sqlite3
import sys

# Doubles have the same id, whichever tap they come from and however often. An entity may have several records of one kind
# (a channel its CDRs), so the id is the key, and the entity what is looked up.
TABLE = """
CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, kind TEXT, entity TEXT, begin REAL, party TEXT, inferred INT,
                                    doubt REAL, body TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_of ON records (kind, entity);
CREATE TABLE IF NOT EXISTS states (kind TEXT, subject TEXT, time TEXT, observed INT, count INT, body TEXT,
                                   PRIMARY KEY (kind, subject)) WITHOUT ROWID"""

# Happens to a subject once, however well a tap knows when it began.
ONCE = {"call_started", "call", "call_ended"}
# One thing with several names, of which a tap that did not see it can only choose the last.
VISIT_ENDS = {"queue_completed", "queue_abandoned", "queue_timed_out", "queue_left"}

# The same thing as another tap had it: begun at the same time, as far as both know, and with the same party.
SAME = """o.kind = r.kind AND o.entity = r.entity AND o.id <> r.id
          AND (o.begin IS NULL OR r.begin IS NULL OR abs(o.begin - r.begin) <= 2.0)
          AND (o.party IS NULL OR r.party IS NULL OR o.party = r.party)"""

# An inferred record gives way to an observed one, and to an inferred one that leaves less in doubt.
HOLDS = f"""
SELECT r.body FROM records r WHERE NOT r.inferred OR NOT EXISTS (SELECT 1 FROM records o WHERE {SAME}
    AND (NOT o.inferred OR o.doubt < r.doubt OR (o.doubt = r.doubt AND o.id < r.id))) ORDER BY r.id"""

# Of a state counts what was said of the latest moment, not what came last: a tap that was down says late what the other one
# has long gone on from. Of one moment the observed one, and then the last: equal ids but for the count at their end.
NEWER = """
INSERT INTO states VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET time = excluded.time, observed = excluded.observed, count = excluded.count, body = excluded.body
WHERE (excluded.time, excluded.observed, excluded.count) > (time, observed, count)"""
ENVELOPE = {"kind", "id", "subject", "time", "pbx", "tenant", "cause_event", "inferred"}
COUNT = re.compile(r":(\d+)(@.*)?$", re.S)


def seconds(text):
    """Since midnight of 1970 in no calendar's sense: only differences are used."""
    if not text:
        return None
    days = int(text[:4]) * 372 + int(text[5:7]) * 31 + int(text[8:10])
    return days * 86400.0 + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + float(text[17:-1])


def thing(record):
    """What the record tells of: two that tell of one have the same."""
    kind = "visit_end" if record["kind"] in VISIT_ENDS else record["kind"]
    # A visit that was not seen to begin has a time of its own in its subject.
    return kind, f"{record['uniqueid']}/{record['queue']}" if "joined" in record else record["subject"]


class Merge:
    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.executescript(TABLE)

    def take(self, record):
        """False for a double."""
        kind, entity = thing(record)
        begin = seconds(record.get("start") or record.get("joined"))
        if begin is None and "start" not in record:
            begin = seconds(record["time"])
        if kind in ONCE:
            begin = None
        party = record.get("dstchannel") or record.get("event") or None
        earliest, latest = seconds(record.get("end_earliest")), seconds(record.get("end_latest"))
        doubt = latest - earliest if latest else 0.0
        row = (record["id"], kind, entity, begin, party, bool(record.get("inferred")), doubt,
               json.dumps(record))
        return self.database.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount == 1

    def take_state(self, record):
        """One of a compacted topic; with nothing but its envelope it is the end (in Kafka: headers without a value)."""
        count, tap = COUNT.search(record["id"]).groups()
        body = json.dumps(record) if record.keys() - ENVELOPE else None
        self.database.execute(NEWER, (record["kind"], record["subject"], record["time"], not tap, int(count), body))

    def states(self):
        """What is up now."""
        for body, in self.database.execute("SELECT body FROM states WHERE body NOT NULL ORDER BY kind, subject"):
            yield json.loads(body)

    def holds(self):
        """What is known of all, each fact once."""
        for body, in self.database.execute(HOLDS):
            yield json.loads(body)

    def commit(self):
        self.database.commit()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    merge, kinds = Merge(sys.argv[1]), set(sys.argv[2:])
    for line in sys.stdin:
        record = json.loads(line) if line.strip() else {}
        if not record or (kinds and record["kind"] not in kinds):
            continue
        if record["kind"].endswith("_state"):
            merge.take_state(record)
        else:
            merge.take(record)
    merge.commit()
    for record in (*merge.holds(), *merge.states()):
        print(json.dumps(record))


if __name__ == "__main__":
    main()
