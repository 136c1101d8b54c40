#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap killed at named places, at random moments and with its power cut: what is in the history afterwards is held
against a clean replay of exactly what amisim sent. Needs build/crash/amitap (make CRASH_POINTS=1 O=build/crash) and
build/amisim. One line "ok …" or "FAIL …" each, and a line of figures at the end.

    run.py [--amitap PROGRAM] [--random N] [--seed N] [NAME…]
"""
import argparse
import collections
import contextlib
import json
import pathlib
import random
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/kit"), str(ROOT / "tests/compare")]
import rows  # noqa: E402
from relay import Relay  # noqa: E402

RECORDINGS = ("answered", "busy", "cancelled-by-caller", "queue-answered", "hold-and-resume", "internal-call",
              "ivr-timeout-to-dial", "no-answer-then-playback", "queue-abandon")
# Each place, and how often it is passed before the process dies there.
POINTS = ("batch_begun:1", "batch_begun:25", "rows_written:25", "state_saved:1", "state_saved:150", "commit_returned:1",
          "commit_returned:25", "history_written:20", "history_committed:20", "cursor_moved:1", "cursor_moved:2",
          "rows_deleted:1", "migration_step:1", "migration_step:2")
TABLES = ("cdr", "calls", "queue_visits", "agent_intervals", "call_events")
LIMIT = 60
# What lies so near to a gap may have been seen on one side of it only.
SLACK = 0.3


def until(what, limit=LIMIT):
    end = time.monotonic() + limit
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Scene:
    """amisim, a relay and amitap in a folder; amitap is started as often as it dies."""

    def __init__(self, program, folder, power):
        self.program, self.folder, self.power = program, pathlib.Path(folder), power
        self.summary, self.database = self.folder / "summary.json", self.folder / "amitap.db"
        self.tap, self.log = None, open(self.folder / "amitap.log", "ab")
        paths = [str(ROOT / "tests/captures" / name) for name in RECORDINGS]
        said = self.folder / "amisim.log"
        with open(said, "wb") as log:
            self.sim = subprocess.Popen([str(ROOT / "build/amisim"), "--port", "0", "--hold", "--pace", "3", "--together",
                                         "--timestamps", "now", "--summary", str(self.summary), *paths],
                                        stdout=log, stderr=log)
        port = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
        assert until(lambda: port.search(said.read_text())), said.read_text()
        self.relay = Relay(int(port.search(said.read_text())[1]), self.folder)
        self.config = self.folder / "amitap.conf"
        self.config.write_text(f"pbx main {{ host = 127.0.0.1\n port = {self.relay.port}\n user = tap\n"
                               f" secret = 'tapsecret'\n }}\nstore {{ path = '{self.database}' }}\n")

    def start(self, crash=""):
        environment = {"AMITAP_CRASH": crash, "PATH": "/usr/bin:/bin", **({"AMITAP_POWER": "1"} if self.power else {})}
        self.tap = subprocess.Popen([str(self.program), "run", "-c", str(self.config)], stdout=self.log, stderr=self.log,
                                    env=environment)

    def kill(self):
        self.tap.kill()
        self.tap.wait()

    def dies(self):
        """Waits until it was killed; False when it was not."""
        until(lambda: self.tap.poll() is not None or self.summary.exists())
        return self.tap.poll() == -signal.SIGKILL

    def finish(self):
        """Plays to the end; what is wrong, if anything."""
        if not until(lambda: self.summary.exists() or self.tap.poll() is not None) or self.tap.poll() is not None:
            return [f"not played to the end: {self.said()}"]
        time.sleep(1.2)
        self.tap.send_signal(signal.SIGTERM)
        status = self.tap.wait(30)
        return [f"amitap ended with {status}: {self.said()}"] if status else []

    def said(self):
        return (self.folder / "amitap.log").read_text(errors="replace")[-700:]

    def close(self):
        for process in (self.tap, self.sim):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        self.relay.close()
        self.log.close()

    def commits_on_disk(self):
        """How many transactions the outbox's WAL holds: frames whose header tells the size after a commit."""
        wal = pathlib.Path(f"{self.database}-outbox-wal").read_bytes()
        if len(wal) < 32:
            return 0
        size, salts = struct.unpack(">I", wal[8:12])[0], wal[16:24]
        frames = range(32, len(wal) - 24 - size + 1, 24 + size)
        return sum(wal[at + 8:at + 16] == salts and struct.unpack(">I", wal[at + 4:at + 8])[0] != 0 for at in frames)

    def found(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as history:
            faults = [line for line, in history.execute("PRAGMA integrity_check") if line != "ok"]
            records = [json.loads(body) for table in TABLES for body, in history.execute(f"SELECT body FROM {table}")]
            gaps = [json.loads(body) for body, in history.execute("SELECT body FROM gaps")]
        return faults, records, gaps

    def clean(self):
        done = subprocess.run([str(self.program), "replay", "-c", str(self.config), "--records", "events",
                               *map(str, self.relay.files)], stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]


def spans(record):
    """The time that a record is about, from and to."""
    times = [rows.epoch(record[key]) for key in ("start", "joined", "end", "time") if record.get(key)]
    return min(times), max(times)


def touches(span, gaps):
    return any(span[0] <= to + SLACK and span[1] >= begin - SLACK for begin, to in gaps)


def judge(scene, figures):
    """Every fact of the clean replay is found, or its call was up in a gap; nothing is invented."""
    faults, records, gaps = scene.found()
    yield from faults
    windows = [(rows.epoch(gap["from"]), rows.epoch(gap["to"])) for gap in gaps]
    expected = [record for record in scene.clean() if record["kind"] in KINDS]
    lives = {}
    for record in expected + records:
        begin, end = spans(record)
        key = record.get("linkedid") or record["subject"]
        old = lives.get(key, (begin, end))
        lives[key] = min(begin, old[0]), max(end, old[1])
    ids = collections.Counter(record["id"] for record in records)
    yield from (f"{identity} is there {count} times" for identity, count in ids.items() if count > 1)
    by_id = {record["id"]: record for record in records}
    for record in expected:
        there = by_id.pop(record["id"], None)
        disturbed = touches(lives[record.get("linkedid") or record["subject"]], windows)
        figures["sent"] += 1
        figures["found"] += there is not None
        if there is None:
            figures["in a gap"] += disturbed
            if not disturbed:
                figures["lost"] += 1
                yield f"{record['id']} is missing; gaps: {gaps}"
        elif there != record and not disturbed and not record.get("inferred"):
            yield f"{record['id']} differs: {there} instead of {record}"
    for record in by_id.values():
        if not record.get("inferred") and not touches(lives[record.get("linkedid") or record["subject"]], windows):
            yield f"{record['id']} was never sent: {record}"
    figures["seconds blind"] += sum(to - begin for begin, to in windows)


KINDS = set()


def read_kinds():
    table = re.findall(r'^FACT_KIND\(\w+, "(\w+)", "[\w-]+", "(\w*)"', (ROOT / "schemas/facts.def").read_text(), re.M)
    KINDS.update(kind for kind, name in table if name in TABLES)


def at_point(point, power):
    def play(scene, _):
        scene.start(point)
        if not scene.dies():
            return [f"it never came to {point}"]
        name, times = point.split(":")
        commits = scene.commits_on_disk() if power and name == "commit_returned" else int(times)
        if commits < int(times):
            return [f"{times} commits returned, {commits} are on disk"]
        scene.start()
        return scene.finish()
    return power, play


def at_random(times, power):
    def play(scene, chance):
        for _ in range(times):
            scene.start()
            time.sleep(chance.uniform(0.02, 1.5))
            scene.kill()
        scene.start()
        return scene.finish()
    return power, play


def scenes(options):
    every = {f"killed at {point}": at_point(point, False) for point in POINTS}
    every |= {f"power lost at {point}": at_point(point, True) for point in POINTS if "migration" not in point}
    for run in range(options.random):
        every[f"killed five times, run {run + 1}"] = at_random(5, False)
        every[f"power lost five times, run {run + 1}"] = at_random(5, True)
    return every


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/crash/amitap"))
    parser.add_argument("--random", type=int, default=2, metavar="N", help="so many runs of five random kills")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("scenes", nargs="*", metavar="NAME")
    options = parser.parse_args()
    print(f"crash: --seed {options.seed}", flush=True)
    read_kinds()
    chance, figures, failed = random.Random(options.seed), collections.Counter(), 0
    chosen = {name: scene for name, scene in scenes(options).items() if not options.scenes or name in options.scenes}
    for name, (power, play) in chosen.items():
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(options.amitap, folder, power)
            try:
                wrong = play(scene, chance) or list(judge(scene, figures))
            finally:
                scene.close()
        failed += bool(wrong)
        for fault in wrong[:4]:
            print(f"   {fault[:600]}")
        print(f"{'FAIL' if wrong else 'ok'} {name} ({time.monotonic() - begin:.0f} s)", flush=True)
    print(", ".join(f"{name} {value:.1f}" if isinstance(value, float) else f"{name} {value}"
                    for name, value in figures.items()))
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return bool(failed) or not chosen


sys.exit(main())
