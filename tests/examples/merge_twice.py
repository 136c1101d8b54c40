# SPDX-License-Identifier: MIT
"""examples/consumers/python/merge.py keeps each record once, and what was observed instead of what was inferred."""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples/consumers/python"))
from merge import Merge  # noqa: E402

SEEN = {"kind": "call", "id": "call:1.1:5:0", "subject": "1.1", "time": "2026-11-28T01:00:09.000000Z",
        "start": "2026-11-28T01:00:00.000000Z", "end": "2026-11-28T01:00:09.000000Z"}
LOST = {**SEEN, "id": "call:1.1:7:0@tap2", "end": "2026-11-28T01:00:04.000000Z", "inferred": True,
        "end_earliest": "2026-11-28T01:00:04.000000Z", "end_latest": "2026-11-28T01:00:30.000000Z"}
NEARER = {**LOST, "id": "call:1.1:8:0@tap1", "end_latest": "2026-11-28T01:00:12.000000Z"}


def held(*records):
    merge = Merge(":memory:")
    taken = [merge.take(record) for record in records]
    return taken, [record["id"] for record in merge.holds()]


assert held(SEEN, SEEN, LOST) == ([True, False, True], [SEEN["id"]])
assert held(LOST, SEEN) == ([True, True], [SEEN["id"]])
assert held(LOST, NEARER) == ([True, True], [NEARER["id"]])
other = {**SEEN, "id": "call:1.1:9:0", "subject": "2.2"}
assert held(LOST, other) == ([True, True], sorted([LOST["id"], other["id"]]))
