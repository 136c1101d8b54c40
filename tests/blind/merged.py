# SPDX-License-Identifier: MIT
"""What the consumer of examples/consumers keeps of two taps, held against a tap that saw everything."""
import collections

import oracle
import rows
from merge import Merge, thing


def windows_of(gaps):
    return oracle.Windows((rows.epoch(gap["from"]), rows.epoch(gap["to"])) for gap in gaps)


def twice(held, clean, lives, blind):
    """What is held more often than it happened, but for what neither tap saw the whole of. A call that goes on may yet give
    what a tap that was blind had to take for over."""
    happened = collections.Counter(map(thing, clean))
    over = {record["linkedid"] for record in clean if record["kind"] == "call_ended"}
    holds = collections.defaultdict(list)
    for record in held:
        if record.get("linkedid") in over | {None}:
            holds[thing(record)].append(record)
    for what, some in holds.items():
        spans = [oracle.span(record) for record in some]
        spans += [lives[name] for record in some for name in oracle.calls_of(record) if name in lives]
        begin, end = min(begin for begin, _ in spans), max(end for _, end in spans)
        if len(some) > happened[what] and not all(window.touch(begin, end) for window in blind):
            yield f"{what} is held {len(some)} times: {[record['id'] for record in some]}"


def judge(taps, clean, figures):
    """taps: of each its records and its gaps."""
    merge, blind = Merge(":memory:"), [windows_of(gaps) for _, gaps in taps]
    for records, _ in taps:
        for record in records:
            figures["doubles"] += not merge.take(record)
    held = list(merge.holds())
    last = max(rows.epoch(record["time"]) for record in held) - 1.0
    by_id = {record["id"]: record for record in held}
    lives = collections.defaultdict(lambda: [float("inf"), 0.0])
    for record in clean:
        begin, end = oracle.span(record)
        for name in oracle.calls_of(record):
            lives[name] = [min(lives[name][0], begin), max(lives[name][1], end)]
    for record in clean:
        if oracle.is_own(record) or rows.epoch(record["time"]) > last:
            continue
        figures["sent"] += 1
        begin = min([oracle.span(record)[0], *(lives[name][0] for name in oracle.calls_of(record))])
        unseen = all(window.touch(begin, oracle.span(record)[1]) for window in blind)
        there = by_id.pop(record["id"], None)
        figures["found"] += there is not None
        if there is None and not unseen:
            figures["lost"] += 1
            yield f"{record['id']} is missing, though one tap saw all of it"
        elif there != record and not unseen:
            yield f"{record['id']} differs: {there} instead of {record}"
    for record in by_id.values():
        if rows.epoch(record["time"]) > last:
            continue
        if not record.get("inferred"):
            if not any(window.touch(*oracle.span(record)) for window in blind):
                yield f"{record['id']} was never sent"
            continue
        if "@" not in record["id"]:
            yield f"{record['id']} is one tap's own and does not say whose"
    yield from twice([record for record in held if rows.epoch(record["time"]) <= last], clean, lives, blind)
    figures["blind"] += sum(window.seconds() for window in blind)
    if figures["found"] < 100:
        yield f"only {figures['found']} records to judge"
