#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold schemas/field_needs.def against the recordings: each is replayed whole and with classes of events left out.

A record that needs the class that is missing must be absent, a field that needs it null, and all else as it is with every
class. Live states are held by what is null alone: how often they are told depends on what is seen.
"""
import collections
import datetime
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/compare"))
import compare  # noqa: E402
import recording  # noqa: E402

CLASSES = {"call", "agent", "dialplan", "system", "user", "agi", "reporting", "security", "dtmf"}
TAKEN_AWAY = ("dialplan", "agent", "agi", "user system reporting security dtmf",
              "dialplan agi user system reporting security dtmf")
# Of the record as such, and how it came to be known.
ENVELOPE = {"id", "time", "cause_event", "inferred", "opened_because", "closed_because"}
MOST = 0.95
NEAR = 0.1  # seconds: the moment of an event that is not seen is that of one next to it
TIME = re.compile(r"\d{4}-\d\d-\d\dT")


def needs():
    """{kind: {field: [(class, without)]}}"""
    table = collections.defaultdict(lambda: collections.defaultdict(list))
    text = (ROOT / "schemas/field_needs.def").read_text()
    for kind, field, name, without in re.findall(r'^FIELD_NEEDS\("(\w+)", "([\w*]+)", "([\w-]+)", (\w+)\)', text, re.M):
        table[kind][field].append((name, without))
    return table


def near(full, less):
    if isinstance(full, str) and isinstance(less, str) and TIME.match(full) and TIME.match(less):
        full, less = (datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() for time in (full, less))
    if isinstance(full, (int, float)) and isinstance(less, (int, float)) and not isinstance(full, bool):
        return abs(full - less) <= NEAR
    if isinstance(full, dict) and isinstance(less, dict):
        return full.keys() == less.keys() and all(near(full[name], less[name]) for name in full)
    if isinstance(full, list) and isinstance(less, list):
        return len(full) == len(less) and all(map(near, full, less))
    return full == less


def fits(full, less):
    """Null or empty, or right: also in what the value is made of."""
    if less in (None, "", [], {}, "lost_sight") or near(full, less):
        return True
    if isinstance(full, dict) and isinstance(less, dict):
        return all(fits(full.get(name), value) for name, value in less.items())
    if isinstance(full, list) and isinstance(less, list):
        return all(any(fits(one, value) for one in full) for value in less)
    return False


def same_record(record):
    return (record["kind"], record["subject"], record.get("dstchannel"), record.get("target"), record.get("event"))


class Check:
    def __init__(self):
        self.needs, self.faults, self.held = needs(), {}, 0
        self.most = collections.defaultdict(lambda: [0, 0])

    def fault(self, kind, field, missing, what):
        """Counted, with the first as an example."""
        key = f"{kind}.{field} without {' and '.join(sorted(missing))}"
        times, example = self.faults.get(key, (0, what))
        self.faults[key] = (times + 1, example)

    def rules(self, kind, field, missing):
        return {without for name, without in self.needs[kind].get(field, ()) if name in missing}

    def hold_field(self, full, less, field, missing):
        kind, rules = less["kind"], self.rules(less["kind"], field, missing)
        value = less.get(field)
        self.held += 1
        if "NONE" in rules and value is not None:
            self.fault(kind, field, missing, f"is {value!r}, must be null")
        elif full is None or {"NONE", "DEFAULT"} & rules or kind.endswith("_state"):
            return
        elif "MOST" in rules:
            right = (fits if "PART" in rules else near)(full.get(field), value)
            self.most[f"{kind}.{field} without {' and '.join(sorted(missing))}"][right] += 1
        elif "PART" in rules and not fits(full.get(field), value):
            self.fault(kind, field, missing, f"is {value!r}, with it {full.get(field)!r}: neither null nor right")
        elif not rules and not near(full.get(field), value):
            self.fault(kind, field, missing, f"is {value!r}, with it {full.get(field)!r}")

    def hold(self, whole, without, missing):
        by = collections.defaultdict(list)
        for record in whole:
            by[same_record(record)].append(record)
        count = {name: collections.Counter(record["kind"] for record in records)
                 for name, records in (("whole", whole), ("without", without))}
        for kind in sorted(count["whole"] | count["without"]):
            rules = self.rules(kind, "*", missing)
            if "ABSENT" in rules and count["without"][kind]:
                self.fault(kind, "*", missing, f"{count['without'][kind]} records, none may be")
            elif not rules and not kind.endswith("_state") and count["whole"][kind] != count["without"][kind]:
                self.fault(kind, "*", missing, f"{count['without'][kind]} records, with it {count['whole'][kind]}")
        for record in without:
            rules = self.rules(record["kind"], "*", missing)
            candidates = by[same_record(record)]
            full = candidates.pop(0) if candidates and not rules else candidates[0] if len(candidates) == 1 else None
            for field in sorted((record.keys() | (full or {}).keys()) - ENVELOPE):
                self.hold_field(full, record, field, missing)


def recordings():
    for path in sorted(ROOT.glob("tests/captures*/*/")):
        if recording.exists(path / "ami.raw"):
            yield path


def main():
    check, replay = Check(), compare.Replay(str(ROOT / "build/amitap"), [])
    kinds = set(re.findall(r'^FACT_KIND\(\w+, "(\w+)"', (ROOT / "schemas/facts.def").read_text(), re.M))
    for kind in sorted(kinds - {kind for kind in check.needs if "*" in check.needs[kind]}):
        check.faults[kind] = (1, f'has no row FIELD_NEEDS("{kind}", "*", CLASS, ABSENT)')
    for kind, fields in check.needs.items():
        path = ROOT / f"schemas/json/{kind}.json"
        known = json.loads(path.read_text())["properties"] if path.exists() else {}
        for field in sorted(fields.keys() - known.keys() - {"*"}):
            check.faults[f"{kind}.{field}"] = (1, "no such field")
    for path in recordings():
        whole = replay.records("events", recording.stream_of(path / "ami.raw", CLASSES))
        for words in TAKEN_AWAY:
            missing = set(words.split())
            without = replay.records("events", recording.stream_of(path / "ami.raw", CLASSES - missing))
            check.hold(whole, without, missing)
    return report(check)


def report(check):
    for what, (wrong, right) in check.most.items():
        if right < MOST * (wrong + right):
            check.faults[what] = (wrong, f"only {right} of {wrong + right} are right")
    for what, (times, example) in sorted(check.faults.items()):
        print(f"   {what}, {times} times: {example[:400]}")
    if check.faults:
        print("   A value that cannot be known without the class must be null: mend the derivation; then say so by a row in\n"
              "   schemas/field_needs.def, FIELD_NEEDS(kind, field, class, NONE or PART), and run make docs.")
    print(f"{'FAIL' if check.faults else 'ok'} {check.held} values with a class of events taken away are right or null")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())
