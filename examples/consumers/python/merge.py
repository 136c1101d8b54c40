#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps the records of two taps on one PBX as one set, in SQLite: each fact once, and what was observed beats what was
inferred. Reads records as JSON lines (`amitap replay --records events`, or kcat's values), prints what holds in the end.

    merge.py DATABASE [KIND …] <RECORDS
"""
import json
import sqlite3
import sys

# Doubles have the same id, whichever tap they come from and however often. An entity may have several records of one kind
# (a channel its CDRs), so the id is the key, and the entity what is looked up.
TABLE = """
CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, kind TEXT, entity TEXT, begin REAL, party TEXT, inferred INT,
                                    doubt REAL, body TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_of ON records (kind, entity)"""

# The same thing as another tap had it: begun at the same time, as far as both know, and with the same party.
SAME = """o.kind = r.kind AND o.entity = r.entity AND o.id <> r.id
          AND (o.begin IS NULL OR r.begin IS NULL OR abs(o.begin - r.begin) <= 2.0)
          AND (o.party IS NULL OR r.party IS NULL OR o.party = r.party)"""

# An inferred record gives way to an observed one, and to an inferred one that leaves less in doubt.
HOLDS = f"""
SELECT r.body FROM records r WHERE NOT r.inferred OR NOT EXISTS (SELECT 1 FROM records o WHERE {SAME}
    AND (NOT o.inferred OR o.doubt < r.doubt OR (o.doubt = r.doubt AND o.id < r.id))) ORDER BY r.id"""


def seconds(text):
    """Since midnight of 1970 in no calendar's sense: only differences are used."""
    if not text:
        return None
    days = int(text[:4]) * 372 + int(text[5:7]) * 31 + int(text[8:10])
    return days * 86400.0 + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + float(text[17:-1])


class Merge:
    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.executescript(TABLE)

    def take(self, record):
        """False for a double."""
        entity = record["subject"]
        if "joined" in record:  # a visit that was not seen to begin has a time of its own in its subject
            entity = f"{record['uniqueid']}/{record['queue']}"
        begin = seconds(record.get("start") or record.get("joined"))
        if begin is None and "start" not in record:
            begin = seconds(record["time"])
        earliest, latest = seconds(record.get("end_earliest")), seconds(record.get("end_latest"))
        doubt = latest - earliest if latest else 0.0
        row = (record["id"], record["kind"], entity, begin, record.get("dstchannel"), bool(record.get("inferred")), doubt,
               json.dumps(record))
        return self.database.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount == 1

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
        # A tombstone says no more than that a state is over.
        if record.get("id") and len(record) > 4 and (not kinds or record["kind"] in kinds):
            merge.take(record)
    merge.commit()
    for record in merge.holds():
        print(json.dumps(record))


if __name__ == "__main__":
    main()
