# SPDX-License-Identifier: MIT
"""What must be there after amitap died: held against a clean replay of exactly what amisim sent.

Every fact of it is found, and is the same, unless it lies within a published gap: its own moment does, or what it tells of
went on there, or its call was up there before it, so that what led to it was not seen. A gap begins at the last event whose
effects were committed, in the PBX's time; the saved position of the stream says which that was.
"""
import bisect
import re

import rows
from scene import ROOT

# Order holds within a topic: kind to topic.
TOPICS = dict(re.findall(r'^FACT_KIND\(\w+, "(\w+)", "([\w-]+)"', (ROOT / "schemas/facts.def").read_text(), re.M))
BEGINNINGS = ("start", "joined", "since")
MICROSECOND = 1e-6


class Windows:
    """The times in which amitap may have missed something, in the PBX's time."""

    def __init__(self, spans):
        self.spans = sorted(spans)

    def touch(self, begin, end):
        return any(begin <= to + MICROSECOND and end >= start - MICROSECOND for start, to in self.spans)

    def seconds(self):
        total, until = 0.0, 0.0
        for begin, end in self.spans:
            if not begin:
                continue
            total += max(0.0, end - max(begin, until))
            until = max(until, end)
        return total


def published(gaps, deaths, begins):
    """The gaps as windows, and what is wrong with them: each begins where a death left the stream. Who died before a first
    commit had not begun: what the records know begins with the next life, which begins(life) tells of."""
    came = {position for position in deaths if position}
    spans, wrong = [], ["a death left facts, and not how far the stream was followed"] * deaths.count(0)
    for gap in gaps:
        begin, end = rows.epoch(gap["from"]), rows.epoch(gap["to"])
        at = round(begin * 1e6)
        if gap["reason"] == "restart" and at not in came:
            wrong.append(f"a gap begins at {gap['from']}, where no event was the last one committed")
        spans.append((begin, end))
    if None in deaths:
        spans.append((0.0, begins(deaths.count(None))))
    told = {round(rows.epoch(gap["from"]) * 1e6) for gap in gaps}
    wrong += [f"nothing was published for the death after {at}" for at in came if at not in told]
    return Windows(spans), wrong


def span(record):
    """The time that a record is about."""
    times = [rows.epoch(record[key]) for key in (*BEGINNINGS, "end", "time") if record.get(key)]
    return min(times), max(times)


def begins(records):
    """When each call began, by its linkedid and by its channels' Uniqueids, as far as any record says."""
    first = {}
    for record in records:
        for name in {record.get("linkedid"), record.get("uniqueid")} - {None}:
            first[name] = min(first.get(name, span(record)[0]), span(record)[0])
    return first


def calls_of(record):
    """The calls that a record speaks of."""
    named = [record, *record.get("waiting", [])]
    return {entry[key] for entry in named for key in ("linkedid", "uniqueid") if entry.get(key)} | {record["subject"]}


def is_own(record):
    """Known from lists or told by the tap itself: another tap would not have it."""
    return bool(record.get("inferred") or record.get("tap") or "@" in record["id"])


def order_of_keys(kept, expected):
    """Facts of a key come in the order in which they happened; one that comes again says the same. Of one moment a state may be
    told as inferred and as observed, in this order by a tap that comes back."""
    place = {record["id"]: at for at, record in enumerate(expected)}
    last, seen = {}, {}
    for key, record in kept:
        if record["id"] in seen:
            if seen[record["id"]] != record:
                yield f"{record['id']} came twice and was not the same"
            continue
        seen[record["id"]] = record
        at = place.get(record["id"])
        if at is None:
            continue
        topic = TOPICS[record["kind"]], key
        before = last.get(topic, -1)
        if at < before and record["id"].split("@")[0] != expected[before]["id"].split("@")[0]:
            yield f"{record['id']} stands behind {expected[last[topic]]['id']}, a later one of its key"
        last[topic] = max(at, before)


def ended_early(expected, records):
    """No call is told to have ended while it goes on: one that was up before a gap and behind it is the same one."""
    ends = {record["linkedid"]: rows.epoch(record["end"]) for record in expected if record["kind"] == "call_ended"}
    for record in records:
        if record["kind"] == "call_ended" and rows.epoch(record["time"]) < ends.get(record["linkedid"], 0) - MICROSECOND:
            yield f"{record['id']} is told, and the call ended at {ends[record['linkedid']]}: {record}"


def unlike(kept, stored):
    """The history has what the outbox had."""
    first = {}
    for record in kept:
        first.setdefault(record["id"], record)
    yield from (f"the history has {record} for {first.get(record['id'])}"
                for record in stored if first.get(record["id"]) != record)


class Blindness:
    """Which facts may be missing or other than they were."""

    def __init__(self, windows, expected, records):
        self.windows, self.begins = windows, begins(expected + records)
        self.sure = self._sure_states(expected, {record["id"]: record for record in records})

    @staticmethod
    def _sure_states(expected, by_id):
        """When each subject's state was told as it was. Only changes are told: what a gap hid shows in what is told, or
        is not, until then."""
        moments = {}
        for record in expected:
            if by_id.get(record["id"]) == record and record["kind"].endswith("_state"):
                moments.setdefault((record["kind"], record["subject"]), []).append(rows.epoch(record["time"]))
        return {subject: sorted(times) for subject, times in moments.items()}

    def excuses(self, *versions):
        return any(self._excuses(record) for record in versions if record)

    def _excuses(self, record):
        begin, end = span(record)
        since = [self.begins[name] for name in calls_of(record) if name in self.begins]
        if record["kind"].endswith("_state"):
            sure = self.sure.get((record["kind"], record["subject"]), [])
            before = bisect.bisect_left(sure, end)
            since.append(sure[before - 1] if before else 0)
        return self.windows.touch(min([begin, *since]), end)


def compare(expected, records, windows, figures):
    """Facts of the clean replay that are neither there nor in a gap, and facts that were never sent."""
    blindness = Blindness(windows, expected, records)
    by_id = {record["id"]: record for record in records}
    known = {record["id"] for record in expected}
    for record in expected:
        if is_own(record):
            continue
        there = by_id.get(record["id"])
        excused = there == record or blindness.excuses(record, there)
        figures["sent"] += 1
        figures["found"] += there is not None
        figures["lost"] += there is None and not excused
        if not excused:
            yield f"{record['id']} differs: {there} instead of {record}" if there else f"{record['id']} is missing: {record}"
    for record in records:
        if record["id"] not in known and not is_own(record) and not blindness.excuses(record):
            yield f"{record['id']} was never sent: {record}"
