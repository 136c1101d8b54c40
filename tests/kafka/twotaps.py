# SPDX-License-Identifier: MIT
"""Two taps on one PBX that publish to the same topics, each killed and started again while the other follows, and what a
consumer makes of their topics."""
import json
import pathlib
import re
import subprocess
import sys

import records

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Behind this folder: some of the names there are also here.
sys.path += [str(ROOT / path) for path in ("tests/blind", "tests/crash", "tests/compare", "examples/consumers/python")]
import merged  # noqa: E402
import rows  # noqa: E402
from merge import Merge  # noqa: E402
from programs import end, stop  # noqa: E402
from scene import APART, copies  # noqa: E402


class Witness:
    """A connection that nothing happens to: it keeps all that amisim sends."""

    def __init__(self, amitap, tap, folder):
        self.amitap, self.config, self.raw = amitap, tap.config, folder / "witness.raw"
        self.process = subprocess.Popen([amitap, "record", "-c", tap.config, "-o", self.raw, "--seconds", "120"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        stop(self.process)

    def clean(self):
        """All records of a tap that saw everything, its own ones too."""
        done = subprocess.run([self.amitap, "replay", "-c", self.config, "--records", "events", self.raw], check=True,
                              stdout=subprocess.PIPE)
        return [json.loads(line) for line in done.stdout.splitlines()]


class Twin:
    """One of the taps, as often as it is started."""

    def __init__(self, tap, name):
        self.tap, self.name, self.begun = tap, name, 0
        tap.config.write_text(tap.config.read_text().replace("user = tap", f"user = tap\n  tap = {name}"))

    def begin(self):
        self.begun += 1
        self.tap.start()

    def follows(self):
        return self.tap.log().count("snapshot taken, following events") >= self.begun

    def die(self):
        end(self.tap.process)


def gaps_of(name, messages):
    return [m.body for m in messages if m.kind == "gap" and m.id.endswith(f"@{name}")]


def said(message):
    """The same of a record whichever tap it comes from: ce_sequence is each tap's own, and how many calls an agent has taken
    amisim's lists tell as it was recorded."""
    text = re.sub(r'"calls_taken":\d+', "", (message.value or b"").decode())
    return message.topic, message.key, text, [header for header in message.headers if header[0] != "ce_sequence"]


def double_faults(messages):
    """Of states state_faults judges what matters: what a tap says of one right behind a gap may lack a detail that only the
    other one saw."""
    first = {}
    for message in messages:
        if records.KINDS[message.kind]["state"]:
            continue
        other = first.setdefault(message.id, message)
        if said(other) != said(message):
            yield f"{message.id}: came twice and differs: {other.value!r} {message.value!r}"


def merge_faults(messages, twins, clean, figures):
    """Each fact once, as a clean replay has it."""
    found = [m.body for m in messages if m.body and not records.KINDS[m.kind]["state"] and not m.body.get("tap")]
    sent = [record for record in clean if not records.KINDS[record["kind"]]["state"] and not record.get("tap")]
    gaps = [gaps_of(twin.name, messages) for twin in twins]
    return list(merged.judge([(found, gaps[0]), ([], gaps[1])], sent, figures))


# What a state is about.
ABOUT = {"call_state": lambda r: r["state"], "agent_state": lambda r: r["state"], "endpoint_state": lambda r: r["state"],
         "queue_state": lambda r: [caller["uniqueid"] for caller in r["waiting"]]}


def up_at(moment, states):
    merge = Merge(":memory:")
    for record in states:
        if record["time"] <= moment and record["kind"] in ABOUT:
            merge.take_state(record)
    what = {(record["kind"], record["subject"]): ABOUT[record["kind"]](record) for record in merge.states()}
    return {subject: about for subject, about in what.items() if about != []}  # a queue is listed when it is asked for


def state_faults(messages, twins, clean):
    """What the consumer holds as the state, at some twenty moments between gaps, is what one holds who saw everything. While one of the
    taps asks for its lists, which come one after the other, it says more of the state with each."""
    found = [m.record() for m in messages]
    blind = [merged.windows_of(gaps_of(twin.name, messages)) for twin in twins]
    # The witness goes on when the taps have ended.
    last = max(record["time"] for record in found)
    times = sorted(record["time"] for record in clean if record["kind"] in ABOUT and record["time"] < last)[20:]
    seen = [time for time in times if not any(windows.touch(rows.epoch(time), rows.epoch(time)) for windows in blind)]
    if len(seen) < 100:
        yield f"only {len(seen)} moments to judge"
    for moment in seen[:: max(1, len(seen) // 20)]:
        ours, right = up_at(moment, found), up_at(moment, clean)
        for subject in sorted(ours.keys() | right.keys()):
            if ours.get(subject) != right.get(subject):
                yield f"at {moment} {subject} is {ours.get(subject)}, not {right.get(subject)}"
