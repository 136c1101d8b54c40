#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap with a disk that is full, and with one that fails: the PBX is read on, it is said once, and when the disk is well
again everything is stored; what was stored is never damaged. A small tmpfs of this process's own is the full disk; the
failing one is tests/crash/io_vfs.c. Needs build/crash/amitap (make CRASH_POINTS=1 O=build/crash) and build/amisim. One
line "ok …" or "FAIL …" each.

    disk.py [--amitap PROGRAM] [--every] [--jobs N] [NAME…]
"""
import argparse
import collections
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from scene import ROOT, Scene, until  # it says where the next two lie
import oracle
import rows
from fault_log import FaultLog
from mounts import own_mounts
from programs import stop
from report import Report

DISK = "6m"
FULL, OVERFLOW, FAILING = "full disk", "full disk, and more than the ring holds", "I/O error"
# Which call fails: a few early ones, while the files are made, and many while events come.
CALLS = {"write": (1, 9, 60, 200, 420), "sync": (1, 4, 12, 40), "read": (1, 12, 60, 150), "truncate": (1, 2), "full": (5, 250)}
EVERY = {"write": range(1, 600, 7), "sync": range(1, 120, 3), "read": range(1, 300, 5), "truncate": range(1, 4),
         "full": range(1, 600, 9)}


class Disk:
    """A file system of a few MiB."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "disk"
        self.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", self.folder], check=True)

    def fill(self):
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass

    def empty(self):
        (self.folder / "filler").unlink()

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=True)


class Overflow:
    """The gaps of facts that had no room: each begins behind the last fact before it that is there."""

    def __init__(self, gaps, records):
        times = sorted(rows.epoch(record["time"]) for record in records if not oracle.is_own(record))
        spans = []
        for gap in gaps:
            begin = rows.epoch(gap["from"])
            spans.append((max([at for at in times if at <= begin], default=begin), rows.epoch(gap["to"])))
        self.windows = oracle.Windows(spans)


def check_said(stage, count=1):
    """Each file's trouble is told once, and its end."""
    for name in ("amitap.db-outbox", "amitap.db"):
        begun = stage.said().count(f"/{name}: cannot write: ")
        ended = stage.said().count(f"/{name}: writing again")
        if begun != ended or begun > count:
            yield f"{name}: told {begun} times that it cannot be written and {ended} times that it can: {stage.said()}"


def judge(stage, windows, figures):
    yield from stage.damage()
    expected, kept = stage.clean(), stage.kept()
    records = [record for _, record in kept]
    yield from oracle.order_of_keys(kept, expected)
    yield from oracle.unlike(records, stage.stored())
    yield from oracle.compare(expected, records, windows, figures)
    figures["doubles"] += len(kept) - len({record["id"] for record in records})
    figures["blind"] += windows.seconds()


def full_disk(bound):
    """bound: of the writer's ring, in bytes, for more than it holds; None: all is held."""
    def play(program, folder, figures):
        disk = Disk(folder)
        environment = {"AMITAP_BOUND_WRITER_RING": str(bound)} if bound else {}
        stage = Scene(program, folder, keep_facts=True, data=disk.folder, environment=environment)
        try:
            stage.start()
            until(lambda: "following events" in stage.said() and len(stage.kept()) > 60)
            disk.fill()
            if not until(lambda: "cannot write" in stage.said(), limit=20):
                return ["it does not say that the disk is full"]
            if not until(stage.played, limit=20):
                return ["the PBX was not read on"]
            if bound and "facts are lost" not in stage.said():
                return ["it does not say that the ring is full"]
            disk.empty()
            if not until(lambda: "amitap.db-outbox: writing again" in stage.said(), limit=10):
                return ["it does not write again"]
            until(lambda: not bound or stage.gaps())
            wrong = stage.finish() + list(check_said(stage))
            gaps = stage.gaps()
            if bool(gaps) != bool(bound) or any(gap["reason"] != "overflow" for gap in gaps):
                return wrong + [f"gaps: {gaps}"]
            if len(stage.relay.files) != 1:
                wrong.append("it was cut off by the PBX")
            windows = Overflow(gaps, [record for _, record in stage.kept()]).windows
            return wrong + list(judge(stage, windows, figures))
        finally:
            stage.close()
            disk.close()
    return OVERFLOW if bound else FULL, play


def failing(wish):
    """Fails once, or from some call on; then, at the end, the disk is well again."""
    def play(program, folder, figures):
        well = pathlib.Path(folder) / "well"
        stage = Scene(program, folder, keep_facts=True)
        try:
            stage.start(AMITAP_IO=wish, AMITAP_IO_UNTIL=str(well))
            until(lambda: stage.tap.poll() is not None or stage.played() or "following events" in stage.said())
            if stage.tap.poll() is not None:
                if stage.tap.returncode != 1 or "amitap: /" not in stage.said():
                    return [f"it ended with {stage.tap.returncode}: {stage.said()[-700:]}"]
                stage.start()  # it said why it cannot start
            until(stage.played)
            well.touch()
            until(lambda: stage.said().count("cannot write: ") == stage.said().count("writing again"), limit=10)
            wrong = stage.finish() + list(check_said(stage, 3))
            windows, faults = oracle.published(stage.gaps(), [], stage.begins)
            return wrong + faults + list(judge(stage, windows, figures))
        finally:
            stage.close()
    return FAILING, play


def given_up(wish):
    """Fails for good: amitap says what it gave up when it is stopped; the next one goes on with what was committed."""
    def play(program, folder, figures):
        stage = Scene(program, folder, keep_facts=True)
        try:
            stage.start(AMITAP_IO=wish)
            until(lambda: "cannot write" in stage.said() or stage.tap.poll() is not None)
            if stop(stage.tap, 30) != 1 or "gave up" not in stage.said():
                return [f"it ended with {stage.tap.returncode}: {stage.said()[-700:]}"]
            deaths = [stage.position()]
            stage.start()
            wrong = stage.finish()
            windows, faults = oracle.published(stage.gaps(), deaths, stage.begins)
            return wrong + faults + list(judge(stage, windows, figures))
        finally:
            stage.close()
    return FAILING, play


def plays(options):
    every = {"a full disk": full_disk(None), "a full disk for longer than the ring holds": full_disk(64 * 1024)}
    for what, calls in (EVERY if options.every else CALLS).items():
        for at in calls:
            every[f"{what} {at} fails"] = failing(f"{what}:{at}")
            every[f"{what} {at} and all behind it fail"] = failing(f"{what}:{at}+")
    every["writes fail for good"] = given_up("write:600+")
    every["syncs fail for good"] = given_up("sync:60+")
    return every


def run(program, play, figures):
    begin = time.monotonic()
    folder = tempfile.mkdtemp()
    try:
        return play(program, folder, figures), time.monotonic() - begin
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/crash/amitap"))
    parser.add_argument("--every", action="store_true", help="many more calls fail, one after the other")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="scenes at once")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    chosen = {name: play for name, play in plays(options).items() if not options.names or name in options.names}
    own_mounts()
    totals, report = collections.defaultdict(collections.Counter), Report()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {}
        for name, (fault, play) in chosen.items():
            figures = collections.Counter(injected=1)
            running[pool.submit(run, pathlib.Path(options.amitap), play, figures)] = name, fault, figures
        for done in concurrent.futures.as_completed(running):
            (name, fault, figures), (wrong, seconds) = running[done], done.result()
            totals[fault] += figures
            report(f"{name} ({seconds:.0f} s)", wrong)
    log = FaultLog("disk")
    for fault, f in totals.items():
        log.add(fault, injected=f["injected"], sent=f["sent"], found=f["found"], doubles=f["doubles"], lost=f["lost"],
                blind_seconds=f["blind"])
    return report.finish()


sys.exit(main())
