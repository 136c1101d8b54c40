#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap killed at named places, a hundred times at random moments under load, and with its power cut: what is stored
afterwards is held against a clean replay of exactly what amisim sent (oracle.py). Needs build/crash/amitap
(make CRASH_POINTS=1 O=build/crash) and build/amisim. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--kills N] [--power-cuts N] [--jobs N] [--seed N] [NAME…]
"""
import argparse
import collections
import concurrent.futures
import pathlib
import random
import sys
import tempfile
import time

import scene  # it says where the next two lie
from scene import ROOT, Scene
import oracle
from fault_log import FaultLog
from report import Report
from stored import kinds_in

# Each place, and how often it is passed before the process dies there.
POINTS = ("batch_begun:1", "batch_begun:12", "rows_written:12", "state_saved:1", "state_saved:90", "commit_returned:1",
          "commit_returned:12", "history_written:8", "history_committed:8", "cursor_moved:1", "cursor_moved:2",
          "rows_deleted:1", "migration_step:1", "migration_step:2")
KILLED, RANDOM, POWER = "kill -9 at a named step", "kill -9 at any moment", "power loss"
KINDS = kinds_in(scene.TABLES)


class Play:
    """How one scene is made and played. play(scene, chance) returns what is wrong with it itself."""

    def __init__(self, fault, play, *, times=1, power=False, load=False):
        self.fault, self.play, self.times, self.power, self.load = fault, play, times, power, load

    def scene(self, program, folder):
        # The stream has to outlast the lives between so many deaths.
        sim = None
        if self.load:
            sim = ("--pace", "1.6", "--loop", str(1 + self.times // 120), "--all-queues", *scene.copies(12, folder))
        return Scene(program, folder, sim=sim, keep_facts=self.load,
                     environment={"AMITAP_POWER": "1"} if self.power else {})


def die(stage):
    """Kills it; where it had committed the stream."""
    stage.kill()
    return stage.position()


def at_point(point, power):
    name, times = point.split(":")

    def play(stage, _, deaths):
        stage.start(AMITAP_CRASH=point)
        if not stage.dies():
            return [f"it never came to {point}"]
        commits = stage.commits_on_disk() if power and name == "commit_returned" else int(times)
        if commits < int(times):
            return [f"{times} commits returned, {commits} are on disk"]
        deaths.append(stage.position())
        stage.start()
        return stage.finish()
    return Play(POWER if power else KILLED, play, power=power)


def at_random(times, power):
    def play(stage, chance, deaths):
        for _ in range(times):
            stage.start()
            time.sleep(chance.uniform(0.02, 0.6))
            if stage.played():
                return [f"the stream was over after {len(deaths)} deaths"]
            deaths.append(die(stage))
        stage.start()
        return stage.finish()
    return Play(POWER if power else RANDOM, play, times=times, power=power, load=True)


def plays(options):
    every = {f"killed {options.kills} times": at_random(options.kills, False),
             f"power lost {options.power_cuts} times": at_random(options.power_cuts, True)}
    every |= {f"killed at {point}": at_point(point, False) for point in POINTS}
    every |= {f"power lost at {point}": at_point(point, True) for point in POINTS if "migration" not in point}
    return every


def judge(stage, deaths, figures):
    """What is wrong with what was left behind."""
    yield from stage.damage()
    windows, wrong = oracle.published(stage.gaps(), deaths, stage.begins)
    yield from wrong
    expected = stage.clean()
    records = stage.stored()
    counts = collections.Counter(record["id"] for record in records)
    yield from (f"{identity} is there {count} times" for identity, count in counts.items() if count > 1)
    if stage.keep_facts:
        kept = stage.kept()
        yield from oracle.order_of_keys(kept, expected)
        yield from oracle.unlike([record for _, record in kept], records)
        figures["doubles"] += len(kept) - len({record["id"] for _, record in kept})
        records = [record for _, record in kept]
    else:
        expected = [record for record in expected if record["kind"] in KINDS]
    yield from oracle.ended_early(expected, records)
    yield from oracle.compare(expected, records, windows, figures)
    figures["blind"] += windows.seconds()


def run(program, name, play, seed):
    """The seconds it took, what is wrong, and the figures."""
    begin, figures, deaths = time.monotonic(), collections.Counter(injected=play.times), []
    with tempfile.TemporaryDirectory() as folder:
        stage = play.scene(program, folder)
        try:
            wrong = play.play(stage, random.Random(f"{seed} {name}"), deaths) or list(judge(stage, deaths, figures))
        finally:
            stage.close()
    return time.monotonic() - begin, wrong, figures


def note(totals):
    """One row for each kind of fault."""
    log = FaultLog("crash")
    for fault, figures in totals.items():
        print(f"{fault}: {figures['injected']} times, sent {figures['sent']}, found {figures['found']}, doubles "
              f"{figures['doubles']}, lost {figures['lost']}, blind {figures['blind']:.1f} s")
        log.add(fault, injected=figures["injected"], sent=figures["sent"], found=figures["found"],
                doubles=figures["doubles"], lost=figures["lost"], blind_seconds=figures["blind"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/crash/amitap"))
    parser.add_argument("--kills", type=int, default=100, metavar="N")
    parser.add_argument("--power-cuts", type=int, default=30, metavar="N")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="scenes at once")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    print(f"crash: --seed {options.seed}", flush=True)
    chosen = {name: play for name, play in plays(options).items() if not options.names or name in options.names}
    totals, report = collections.defaultdict(collections.Counter), Report()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(run, pathlib.Path(options.amitap), name, play, options.seed): (name, play)
                   for name, play in chosen.items()}
        for done in concurrent.futures.as_completed(running):
            (name, play), (seconds, wrong, figures) = running[done], done.result()
            totals[play.fault] += figures
            report(f"{name} ({seconds:.0f} s)", wrong)
    note(totals)
    return report.finish()


sys.exit(main())
