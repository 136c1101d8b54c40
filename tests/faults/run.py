#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap against a PBX that fails: amisim cuts, stalls and damages the stream; amitap comes back, says what it may have
missed, and what it derives is right again. Needs build/amitap and build/amisim. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--amisim PROGRAM] [NAME…]
"""
import argparse
import functools
import json
import pathlib
import signal
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/kit"), str(ROOT / "tests/compare")]
import rows  # noqa: E402
import waiting  # noqa: E402
from programs import SANITIZER, Programs, stop  # noqa: E402
from report import Report  # noqa: E402
from stored import query  # noqa: E402

RECORDINGS = ("answered", "busy", "cancelled-by-caller", "queue-answered", "hold-and-resume", "internal-call",
              "ivr-timeout-to-dial", "no-answer-then-playback", "queue-abandon")
LIMIT = 90
until = functools.partial(waiting.until, limit=LIMIT)


class Scene(Programs):
    """amisim and amitap at work in a folder; stopped at the end of the with block."""

    def __init__(self, programs, folder, *options, ping=15):
        super().__init__(folder)
        self.snapshots, self.followed_since = 0, 0.0
        self.truth, self.summary_file = self.folder / "truth", self.folder / "summary.json"
        self.sent, self.database = self.folder / "sent", self.folder / "amitap.db"
        port = self.start_amisim(programs.amisim, "--truth", self.truth, "--summary", self.summary_file, "--log-sent",
                                 self.sent, *options, *(ROOT / "tests/captures" / name for name in RECORDINGS))
        config = self.folder / "amitap.conf"
        config.write_text(f"pbx main {{ host = 127.0.0.1\n port = {port}\n user = tap\n"
                          f" secret = 'tapsecret'\n ping_seconds = {ping}\n }}\nstore {{ path = '{self.database}' }}\n")
        self.tap = self.start("amitap", programs.amitap, "run", "-c", config)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tap.send_signal(signal.SIGCONT)
        for process in self.processes.values():
            stop(process, 15)

    def look(self):
        """Notes since when the stream is followed, again after a loss: the PBX's clock that gaps go by runs with the pace."""
        snapshots = self.said("amitap").count("snapshot taken")
        if snapshots > self.snapshots:
            self.snapshots, self.followed_since = snapshots, time.time()

    def summary(self):
        return json.loads(self.summary_file.read_text())

    def played(self):
        """Waits until all was played and what it led to was stored."""
        def is_over():
            self.look()
            return self.summary_file.exists() or self.tap.poll() is not None
        if not until(is_over) or self.tap.poll() is not None:
            return False
        time.sleep(1.5)
        return True

    def stop_tap(self):
        return stop(self.tap)

    def records(self, table):
        return [json.loads(body) for body, in query(self.database, f"SELECT body FROM {table} ORDER BY ce_time")]

    def calls_since(self, begin):
        """The linkedids of calls whose first event was sent after a moment, in seconds since 1970."""
        first = {}
        for line in self.sent.read_text().splitlines():
            time_us, _, uniqueid, linkedid = line.split()
            if linkedid != "-":
                first.setdefault(linkedid, int(time_us) / 1e6)
        return {linkedid for linkedid, when in first.items() if when > begin}

    def wrong_rows(self, calls=None):
        """Rows that Asterisk wrote and amitap did not, and the other way round; of some calls only when given."""
        tables = {"cdr": "cdr", "call": "calls", "queue": "queue_visits"}
        counted = 0
        for kind, table in tables.items():
            truth = rows.truth_rows(kind, lambda name: (self.truth / name).read_text())
            derived = rows.derived_rows(kind, self.records(table))
            if calls is not None:
                truth, derived = ([row for row in side if set(row.exact.values()) & calls] for side in (truth, derived))
            pairs, missing, extra = rows.pair(truth, derived)
            counted += pairs
            yield from (f"{kind} is missing: {row.exact} {row.near}" for row in missing)
            yield from (f"{kind} is too many: {row.exact} {row.near}" for row in extra)
        if counted < 10:
            yield f"only {counted} rows to compare"

    def faults(self, clients, calls=None):
        """What is wrong in the end: a fault, a number of log-ins that is too small, wrong rows."""
        status = self.stop_tap()
        if status != 0 or SANITIZER.search(self.said("amitap")):
            yield f"amitap ended with {status}: {self.said('amitap')[-600:]}"
        summary = self.summary()
        if summary["clients"] < clients:
            yield f"{summary['clients']} log-ins, not {clients}"
        yield from self.wrong_rows(calls)
        gaps = [gap for gap in self.records("gaps") if gap["reason"] in ("disconnected", "silent")]
        if len(gaps) != summary["clients"] - 1:
            yield f"{len(gaps)} gaps for {summary['clients']} log-ins"


def clean(programs, folder):
    """Nothing goes wrong: what the others are held against."""
    with Scene(programs, folder, "--pace", "25") as scene:
        if not scene.played():
            return ["amisim did not come to its end"]
        return list(scene.faults(clients=1))


def cuts_that_lose_nothing(programs, folder):
    """The PBX hangs up again and again, and nothing happens while nobody is logged in."""
    with Scene(programs, folder, "--pace", "25", "--hold", "--cut-after", "60,200,201,390") as scene:
        if not scene.played():
            return ["amisim did not come to its end"]
        return list(scene.faults(clients=5))


def cuts_that_lose_events(programs, folder):
    """The PBX hangs up while calls go on; those that begin once amitap is back are whole."""
    with Scene(programs, folder, "--pace", "8", "--loop", "2", "--cut-after", "60,350,600") as scene:
        if not scene.played():
            return ["amisim did not come to its end"]
        return list(scene.faults(clients=4, calls=scene.calls_since(scene.followed_since + 1)))


def stall_within_patience(programs, folder):
    """The PBX stands still for a while, then all comes at once."""
    with Scene(programs, folder, "--pace", "25", "--stall-after", "300", "--stall-ms", "1500") as scene:
        if not scene.played():
            return ["amisim did not come to its end"]
        found = list(scene.faults(clients=1))
        return found if scene.summary()["stalls"] == 1 else ["there was no stall"]


def stall_beyond_patience(programs, folder):
    """The PBX answers no ping: amitap hangs up and comes again."""
    options = ("--pace", "8", "--loop", "2", "--stall-after", "200", "--stall-ms", "4000")
    with Scene(programs, folder, *options, ping=1) as scene:
        if not scene.played():
            return ["amisim did not come to its end"]
        return list(scene.faults(clients=2, calls=scene.calls_since(scene.followed_since + 1)))


def reader_that_stands_still(programs, folder):
    """amitap gets no time for a second: Asterisk hangs up after its 100 ms, once its small buffer is full."""
    options = ("--rate", "2000", "--loop", "60", "--sndbuf", "4608")
    with Scene(programs, folder, *options) as scene:
        until(lambda: scene.sent.exists() and scene.sent.stat().st_size > 100000)
        for _ in range(5):
            scene.tap.send_signal(signal.SIGSTOP)
            time.sleep(1.2)
            scene.tap.send_signal(signal.SIGCONT)
            if until(lambda: "closed the connection" in scene.said("amitap"), limit=0.5):
                break
        if not scene.played():
            return ["amisim did not come to its end"]
        if not scene.summary()["clients_cut"]:
            return ["amisim cut nobody"]
        return list(scene.faults(clients=2, calls=scene.calls_since(scene.followed_since + 1)))


def damaged_events(programs, folder, seed):
    """A third of the events arrive damaged; calls that begin when that is over are whole."""
    options = ("--pace", "25", "--loop", "2", "--garble", "0.3", "--garble-first", "700", "--seed", seed)
    with Scene(programs, folder, *options) as scene:
        if not scene.played():
            return ["amisim did not come to its end"]
        lines = scene.sent.read_text().splitlines()
        over = int(lines[700].split()[0]) / 1e6
        found = list(scene.faults(clients=1, calls=scene.calls_since(over)))
        damaged = sum(scene.summary()["garbled"].values())
        return found if damaged > 150 else [f"only {damaged} events were damaged"]


SCENES = {
    "clean": clean,
    "cuts, no event lost": cuts_that_lose_nothing,
    "cuts, events lost": cuts_that_lose_events,
    "short stall": stall_within_patience,
    "long stall": stall_beyond_patience,
    "reader stands still": reader_that_stands_still,
    **{f"damaged events, seed {seed}": lambda programs, folder, seed=seed: damaged_events(programs, folder, seed)
       for seed in ("1", "2", "3")},
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=ROOT / "build/amitap")
    parser.add_argument("--amisim", default=ROOT / "build/amisim")
    parser.add_argument("scenes", nargs="*", metavar="NAME", help=", ".join(SCENES))
    programs = parser.parse_args()
    report = Report()
    for name in programs.scenes or SCENES:
        with tempfile.TemporaryDirectory() as folder:
            report.attempt(name, lambda: SCENES[name](programs, folder))
    return report.status()


sys.exit(main())
