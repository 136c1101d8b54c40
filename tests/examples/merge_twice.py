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
# Each call ends once, whenever it began; a tap that came later has its beginning to the second.
unsure = {**SEEN, "id": "call:1.1:5:0@tap1", "start": "2026-11-28T01:00:06.000000Z", "inferred": True}
assert held(unsure, SEEN) == ([True, True], [SEEN["id"]])
# A row of which the dialled phone is not known.
row = {**SEEN, "kind": "cdr", "id": "cdr:1.1:5:0", "dstchannel": "PJSIP/1-2"}
assert held({**row, "id": "cdr:1.1:5:0@tap1", "dstchannel": "", "inferred": True}, row)[1] == [row["id"]]
# An end of a visit that nobody saw is told as queue_left.
visit = {"kind": "queue_completed", "id": "queue_completed:1.1/sales/x:5:0", "subject": "1.1/sales/x", "uniqueid": "1.1",
         "queue": "sales", "joined": SEEN["start"], "time": SEEN["time"]}
left = {**visit, "kind": "queue_left", "id": "queue_left:1.1/sales/x:5:0@tap1", "inferred": True}
assert held(left, visit)[1] == [visit["id"]]
# Two lines of queue_log of one moment.
line = {"kind": "queue_log", "id": "queue_log:1.1:CONNECT:5:0", "subject": "1.1", "event": "CONNECT", "time": SEEN["time"]}
lost = {**line, "id": "queue_log:1.1:COMPLETECALLER:5:0@tap1", "event": "COMPLETECALLER", "inferred": True}
assert len(held(line, lost)[1]) == 2 and len(held(line, {**lost, "event": "CONNECT"})[1]) == 1
other = {**SEEN, "id": "call:1.1:9:0", "subject": "2.2"}
assert held(LOST, other) == ([True, True], sorted([LOST["id"], other["id"]]))


def up(*records):
    merge = Merge(":memory:")
    for record in records:
        merge.take_state(record)
    return [record["id"] for record in merge.states()]


BUSY = {"kind": "call_state", "id": "call_state:1.1:5:0", "subject": "1.1", "time": "2026-11-28T01:00:01.000000Z", "pbx": "main",
        "tenant": None, "state": "answered"}
LATER = {**BUSY, "id": "call_state:1.1:5:1"}
GONE = {key: BUSY[key] for key in ("kind", "subject", "pbx", "tenant")} | {"id": "call_state:1.1:6:0",
                                                                         "time": "2026-11-28T01:00:02.000000Z"}
assert up(BUSY) == [BUSY["id"]] and up(BUSY, GONE) == []
assert up(GONE, BUSY) == [], "what a tap says late does not bring a call back"
assert up(LATER, BUSY) == [LATER["id"]]
assert up(LATER, {**BUSY, "id": "call_state:1.1:5:7@tap:2", "inferred": True}) == [LATER["id"]]
