#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap when memory is short: one allocation fails, or all from one on, in our code, jansson and SQLite. It never crashes;
what it derives is what it would have been, or it says that it may not be. Needs build/asan/amitap-memory and build/amisim.
One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--every] [--samples N] [--runs N] [--seed N] [NAME…]
"""
import argparse
import collections
import concurrent.futures
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/crash"))
from scene import Scene, until  # it says where the next two lie
import oracle
from fault_log import FaultLog
from programs import stop
from report import Report

RECORDING = ROOT / "tests/captures/queue-answered/ami.raw"
SANITIZER = re.compile(rb"(Address|Leak)Sanitizer|runtime error:|Assertion")
# Memory that is not freed where it was short is the exit's to free.
QUIET = {"PATH": "/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=0"}


def places(command):
    """Each allocation's place in the program, in order, and what the command does undisturbed."""
    with tempfile.NamedTemporaryFile() as listed:
        done = subprocess.run(command, capture_output=True, env={**QUIET, "AMITAP_MEMORY_LIST": listed.name}, check=False)
        return pathlib.Path(listed.name).read_text().split(), done


def chosen(all_places, samples, chance):
    """The first and the last allocation at each place, and some at random."""
    first, last = {}, {}
    for number, place in enumerate(all_places, 1):
        first.setdefault(place, number)
        last[place] = number
    picked = {*first.values(), *last.values()}
    return sorted(picked | set(chance.sample(range(1, len(all_places) + 1), min(samples, len(all_places)))))


def try_one(command, wish, whole):
    """What is wrong when this allocation fails, or None."""
    done = subprocess.run(command, capture_output=True, env={**QUIET, "AMITAP_MEMORY": wish}, timeout=120, check=False)
    if done.returncode < 0 or done.returncode > 2 or SANITIZER.search(done.stderr):
        return f"AMITAP_MEMORY={wish}: ended with {done.returncode}: {done.stderr.decode(errors='replace')[:900]}"
    told = done.returncode != 0 and done.stderr
    if not told and (done.returncode, done.stdout) != (whole.returncode, whole.stdout):
        return f"AMITAP_MEMORY={wish}: other output, and nothing is said; it ended with {done.returncode}"
    return None


def command_case(command, options, chance, figures):
    all_places, whole = places(command)
    numbers = range(1, len(all_places) + 1) if options.every else chosen(all_places, options.samples, chance)
    # All from one on: at a tenth of the places.
    wishes = [str(number) for number in numbers] + [f"{number}+" for number in list(numbers)[::10]]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = list(filter(None, pool.map(lambda wish: try_one(command, wish, whole), wishes)))
    figures["injected"] += len(wishes)
    print(f"   {len(wishes)} of {2 * len(all_places)} failures tried")
    return wrong


def live_case(program, wish, figures):
    """amitap run against amisim: it does not start and says so, or the records are right but for published gaps."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Scene(program, folder, keep_facts=True, environment=QUIET)
        try:
            stage.start(AMITAP_MEMORY=wish)
            until(lambda: stage.tap.poll() is not None or stage.played())
            if stage.tap.poll() is not None:
                if stage.tap.returncode != 1 or "amitap: " not in stage.said():
                    return f"AMITAP_MEMORY={wish}: ended with {stage.tap.returncode}: {stage.said()[-900:]}"
                return None
            status = stop(stage.tap, 60)
            if status not in (0, 1) or SANITIZER.search(stage.said().encode()):
                return f"AMITAP_MEMORY={wish}: ended with {status}: {stage.said()[-900:]}"
            deaths = [stage.position()]
            stage.start()
            wrong = stage.finish()
            windows, _ = oracle.published(stage.gaps(), deaths, stage.begins)
            records = [record for _, record in stage.kept()]
            wrong += list(stage.damage()) + list(oracle.compare(stage.clean(), records, windows, figures))
            figures["blind"] += windows.seconds()
            return f"AMITAP_MEMORY={wish}: {wrong[0][:600]}" if wrong else None
        finally:
            stage.close()


def allocations(program, to_the_end):
    """How many a run makes that goes on to the end of the stream, or no further than to its log-in."""
    with tempfile.TemporaryDirectory() as folder:
        listed = pathlib.Path(folder) / "list"
        stage = Scene(program, folder, keep_facts=True, environment=QUIET)
        try:
            stage.start(AMITAP_MEMORY_LIST=str(listed))
            if to_the_end:
                good = not stage.finish()
            else:
                good = until(lambda: "following events" in stage.said()) and stop(stage.tap, 60) == 0
            return listed.read_bytes().count(b"\n") if good else 0
        finally:
            stage.close()


def live(program, options, chance, figures):
    begun, whole = allocations(program, False), allocations(program, True)
    print(f"   {whole} allocations in a run, {begun} in one that ends when it is logged in")
    if not 1 < begun < whole:
        return ["amitap does not run"]
    # Two of three while events come.
    parts = [(1, begun), (begun, whole), (begun, whole)]
    wishes = [str(chance.randrange(*parts[i % 3])) + chance.choice(("", "", "+")) for i in range(options.runs)]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        wrong = list(filter(None, pool.map(lambda wish: live_case(program, wish, figures), wishes)))
    figures["injected"] += options.runs
    return wrong if figures["sent"] else wrong + ["no run came as far as the stream"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/asan/amitap-memory"))
    parser.add_argument("--every", action="store_true", help="every allocation of replay and check fails, one after the other")
    parser.add_argument("--samples", type=int, default=30, metavar="N", help="so many more than one for each place")
    parser.add_argument("--runs", type=int, default=12, metavar="N", help="of amitap run against amisim")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    print(f"memory: --seed {options.seed}", flush=True)
    chance, figures, report = random.Random(options.seed), collections.Counter(), Report()
    program, sample = options.amitap, str(ROOT / "examples/amitap.conf")
    cases = {"replay": lambda: command_case([program, "replay", "--records", "events", str(RECORDING)], options, chance, figures),
             "check": lambda: command_case([program, "check", "-c", sample], options, chance, figures),
             "run": lambda: live(program, options, chance, figures)}
    cases = {name: case for name, case in cases.items() if not options.names or name in options.names}
    for name, case in cases.items():
        begin, wrong = time.monotonic(), case()
        report(f"{name} ({time.monotonic() - begin:.0f} s, {len(wrong)} wrong)", wrong)
    print(f"failed allocations: {figures['injected']}, sent {figures['sent']}, found {figures['found']}, lost "
          f"{figures['lost']}, blind {figures['blind']:.1f} s")
    FaultLog("memory").add("failed allocation", injected=figures["injected"], sent=figures["sent"], found=figures["found"],
                           lost=figures["lost"], blind_seconds=figures["blind"])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
