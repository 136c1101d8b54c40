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
import merged  # noqa: E402
import waiting  # noqa: E402
from fault_log import FaultLog  # noqa: E402
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


def taken(twin):
    return twin.records(*run.TABLES), twin.records("gaps")


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
        return wrong + list(merged.judge([taken(twin) for twin in twins], first.clean(), figures))
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
