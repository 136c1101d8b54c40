#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two taps on one PBX, either killed at random moments while the other follows: the consumer of examples/consumers has
each fact once, and holds as inferred only what neither tap saw whole.

    two_taps.py [--amitap PROGRAM] [--amisim PROGRAM] [--seconds N] [--seed N]
"""
import argparse
import collections
import pathlib
import random
import sys
import tempfile
import time

import run  # it says where the next ones lie
from run import ROOT, Scene

sys.path.append(str(ROOT / "examples/consumers/python"))
import oracle  # noqa: E402
import rows  # noqa: E402
import waiting  # noqa: E402
from fault_log import FaultLog  # noqa: E402
from merge import Merge  # noqa: E402
from programs import stop  # noqa: E402
from report import Report  # noqa: E402


class Twin(Scene):
    """The second tap of the first one's PBX."""

    def __init__(self, first, name):
        self.programs, self.folder, self.environment = first.programs, first.folder / name, first.environment
        self.folder.mkdir()
        self.sims, self.relays, self.witnesses, self.tap, self.begun = first.sims, first.relays, first.witnesses, None, 0
        self.database, self.log = self.folder / "amitap.db", open(self.folder / "amitap.log", "ab")
        self.web = waiting.free_port()
        self.config = self._config("amitap", f"host = 127.0.0.1\n port = {first.relays[0].port}\n tap = {name}\n",
                                   f"web {{ listen = '127.0.0.1:{self.web}' }}\n")

    def begin(self):
        self.begun += 1
        self.start()
        self.follows(self.begun)

    def die(self):
        self.tap.kill()
        self.tap.wait()

    def stop_alone(self):
        status = stop(self.tap)
        return [f"amitap ended with {status}: {self.said()[-400:]}"] if status else []


def windows_of(twin):
    return oracle.Windows((rows.epoch(gap["from"]), rows.epoch(gap["to"])) for gap in twin.records("gaps"))


def judge(twins, clean, figures):
    merge, blind = Merge(":memory:"), [windows_of(twin) for twin in twins]
    for twin in twins:
        for record in twin.records(*run.TABLES):
            figures["doubles"] += not merge.take(record)
    held = list(merge.holds())
    last = max(rows.epoch(record["time"]) for record in held) - 1.0
    by_id = {record["id"]: record for record in held}
    lives = collections.defaultdict(lambda: [float("inf"), 0.0])
    for record in clean:
        begin, end = oracle.span(record)
        for name in oracle.calls_of(record):
            lives[name] = [min(lives[name][0], begin), max(lives[name][1], end)]
    excused = collections.Counter()
    for record in clean:
        if oracle.is_own(record) or rows.epoch(record["time"]) > last:
            continue
        figures["sent"] += 1
        begin = min([oracle.span(record)[0], *(lives[name][0] for name in oracle.calls_of(record))])
        unseen = all(window.touch(begin, oracle.span(record)[1]) for window in blind)
        there = by_id.pop(record["id"], None)
        figures["found"] += there is not None
        if there is None and unseen:
            excused[record["kind"], record["subject"]] += 1
        elif there is None:
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
    figures["blind"] += sum(window.seconds() for window in blind)
    if figures["found"] < 100:
        yield f"only {figures['found']} records to judge"


def play(programs, folder, chance, figures):
    first = Scene(programs, folder, "--wait-clients", "3")
    twins = [Twin(first, "tap1"), Twin(first, "tap2")]
    try:
        for twin in twins:
            twin.begin()
        end = time.monotonic() + programs.seconds
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.3, 1.5))
            victim = chance.choice(twins)
            victim.die()
            figures["kills"] += 1
            time.sleep(chance.uniform(0.0, 0.8))
            victim.begin()
        time.sleep(1)
        wrong = [fault for twin in reversed(twins) for fault in twin.stop_alone()]
        for witness, _ in first.witnesses:
            witness.terminate()
            witness.wait(10)
        return wrong + list(judge(twins, first.clean(), figures))
    finally:
        for twin in twins:
            if twin.tap and twin.tap.poll() is None:
                twin.die()
            twin.log.close()
        first.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=ROOT / "build/amitap", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--amisim", default=ROOT / "build/amisim")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    programs = parser.parse_args()
    print(f"two taps: --seed {programs.seed}", flush=True)
    figures = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        wrong = play(programs, folder, random.Random(programs.seed), figures)
    report = Report()
    report(f"two taps, either killed {figures['kills']} times together: {figures['found']} of {figures['sent']} records "
           f"observed, {figures['doubles']} doubles dropped, blind {figures['blind']:.1f} s", wrong)
    FaultLog("two_taps").add("one of two taps killed", injected=figures["kills"], sent=figures["sent"],
                             found=figures["found"], doubles=figures["doubles"], lost=figures["lost"],
                             blind_seconds=figures["blind"])
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
