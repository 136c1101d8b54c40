#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap while it cannot see the PBX: cut, half open, the PBX started anew, the other host of a pair, itself stopped and
killed, clocks that are set. A second connection that nothing happens to keeps all that amisim sent; what amitap stored is
held against a clean replay of that (../crash/oracle.py): found, or within a gap that says why. A second after the log-in
its queues and agents are those that QueueStatus tells. Needs build/amitap and build/amisim. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--amisim PROGRAM] [NAME…]
"""
import argparse
import collections
import concurrent.futures
import contextlib
import functools
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / path) for path in ("tests/kit", "tests/compare", "tests/crash")]
import oracle  # noqa: E402
import rows  # noqa: E402
import waiting  # noqa: E402
from fault_log import FaultLog  # noqa: E402
from metrics import Metrics  # noqa: E402
from programs import end, listening_port, stop  # noqa: E402
from report import Report  # noqa: E402
from stored import kinds_in, query  # noqa: E402
from troubled_relay import TroubledRelay  # noqa: E402

RECORDINGS = ("answered", "cancelled-by-caller", "queue-answered", "hold-and-resume", "internal-call", "ivr-timeout-to-dial",
              "no-answer-then-playback", "queue-abandon", "park-timeout", "queue-members")
TABLES = ("cdr", "calls", "queue_visits", "queue_log", "agent_intervals", "call_events", "call_aliases")
LIMIT = 40
NEAR = 0.005  # what amitap and the other connection may be apart in an inferred time
KINDS = kinds_in(TABLES)
until = functools.partial(waiting.until, limit=LIMIT)


class Manager:
    """A connection to amisim that asks for the queues as they are."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self._send("Action: Login", "Username: tap", "Secret: tapsecret", "Events: off")
        self._until(lambda m: m.get("Response") == "Success")

    def _send(self, *lines):
        self.socket.sendall("\r\n".join((*lines, "", "")).encode())

    def _until(self, last):
        got = []
        while True:
            message = {}
            while line := self.file.readline().decode(errors="replace").rstrip("\r\n"):
                key, _, value = line.partition(": ")
                message[key] = value
            got.append(message)
            if last(message):
                return got

    def queues(self):
        """Who waits and who is paused, in each queue that has callers or members."""
        self._send("Action: QueueStatus")
        waiting, paused = set(), set()
        for m in self._until(lambda m: m.get("Event") == "QueueStatusComplete"):
            if m.get("Event") == "QueueEntry":
                waiting.add((m["Queue"], m["Uniqueid"]))
            elif m.get("Event") == "QueueMember":
                paused.add((m["Queue"], m["Location"], m["Paused"] == "1"))
        return waiting, paused

    def close(self):
        self.socket.close()


class Scene:
    def __init__(self, programs, folder, *options, hosts=1, ping=15):
        self.programs, self.folder, self.options = programs, pathlib.Path(folder), options
        self.database, self.log = self.folder / "amitap.db", open(self.folder / "amitap.log", "ab")
        self.sims, self.relays, self.witnesses, self.tap = [], [], [], None
        self.environment = dict(os.environ)
        self.start_pbx()
        self.relays.append(TroubledRelay(self.sims[0][1]))
        self.web = waiting.free_port()
        names = ["127.0.0.1", "127.0.0.2"][:hosts]
        hosts = "hosts = { " + ", ".join(f'"{name}"' for name in names) + " }"
        self.config = self._config("amitap", f"{hosts}\n port = {self.relays[0].port}\n ping_seconds = {ping}\n",
                                   f"web {{ listen = '127.0.0.1:{self.web}' }}\n")

    def _config(self, name, where, more=""):
        path = self.folder / f"{name}.conf"
        path.write_text(f"pbx main {{ {where} user = tap\n secret = 'tapsecret'\n }}\n"
                        f"store {{ path = '{self.folder}/{name}.db' }}\n{more}")
        return path

    def start_pbx(self):
        """One more, and who keeps what it sends."""
        number = len(self.sims)
        log = self.folder / f"amisim-{number}.log"
        paths = [str(ROOT / "tests/captures" / name) for name in RECORDINGS]
        with open(log, "wb") as file:
            sim = subprocess.Popen([self.programs.amisim, "--port", "0", "--timestamps", "now", "--pace", "2", "--loop", "0",
                                    "--together", "--wait-clients", "2", "--seed", str(number), *self.options, *paths],
                                   stdout=file, stderr=file)
        port = listening_port(log.read_text, sim)
        self.sims.append((sim, port))
        raw = self.folder / f"witness-{number}.raw"
        config = self._config(f"witness-{number}", f"host = 127.0.0.1\n port = {port}\n")
        self.witnesses.append((subprocess.Popen([self.programs.amitap, "record", "-c", config, "-o", raw, "--seconds", "120"],
                                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), raw))
        return port

    def start(self):
        self.tap = subprocess.Popen([self.programs.amitap, "run", "-c", self.config], stdout=self.log, stderr=self.log,
                                    env=self.environment)

    def said(self):
        return (self.folder / "amitap.log").read_text(errors="replace")

    def follows(self, times):
        """Waits until it follows the stream for the so many-th time; the moment when it did."""
        assert until(lambda: self.said().count("snapshot taken, following events") >= times), \
            f"it does not follow the stream: {self.said()[-500:]}"
        return time.monotonic()

    def state(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/v1/state", timeout=5) as answer:
            return json.load(answer)

    def metrics(self):
        return Metrics(self.web)

    def busy(self):
        """Waits until calls are up, some in a queue."""
        assert until(lambda: len(self.state()["calls"]) >= 4), "no calls"
        return {call["linkedid"]: call["start"] for call in self.state()["calls"]}

    def queues(self):
        state = self.state()
        waiting = {(queue["queue"], caller["uniqueid"]) for queue in state["queues"] for caller in queue["waiting"]}
        paused = {(member["queue"], agent["interface"], member["paused"])
                  for agent in state["agents"] for member in agent["members"]}
        return waiting, paused

    def queues_are_right(self, since, port):
        """Within a second of the log-in; both sides go on while they are asked, so each may be a little ahead."""
        manager, last = Manager(port), None
        with contextlib.closing(manager):
            while time.monotonic() < since + 1:
                last = manager.queues(), self.queues()
                if last[0] == last[1]:
                    return []
        return ["a second after the log-in queues differ: " +
                f"{[(sorted(pbx - ours), sorted(ours - pbx)) for pbx, ours in zip(*last)]}"]

    def stop(self):
        for witness, _ in self.witnesses:
            witness.terminate()
        status = stop(self.tap)
        for witness, _ in self.witnesses:
            witness.wait(10)
        return [f"amitap ended with {status}: {self.said()[-500:]}"] if status else []

    def close(self):
        end(self.tap, *(witness for witness, _ in self.witnesses), *(sim for sim, _ in self.sims))
        for relay in self.relays:
            relay.close()
        self.log.close()

    def records(self, *tables):
        return [json.loads(body) for table in tables for body, in query(self.database, f"SELECT body FROM {table}")]

    def clean(self):
        """What a tap that saw everything has, of the kinds that the history keeps."""
        records = []
        for _, raw in self.witnesses:
            done = subprocess.run([self.programs.amitap, "replay", "-c", self.config, "--records", "events", raw],
                                  stdout=subprocess.PIPE, check=True)
            records += [json.loads(line) for line in done.stdout.splitlines()]
        return [record for record in records if record["kind"] in KINDS]


def ends_are_bounded(records, clean):
    """What was lost sight of ended between its two moments."""
    ends = {(record["kind"], record["subject"]): rows.epoch(record["end"]) for record in clean if record["kind"] == "call"}
    for record in records:
        if "end_latest" not in record or record["kind"] != "call":
            continue
        if "end_earliest" not in record or not record.get("inferred") or "@" not in record["id"]:
            yield f"{record['id']} is not marked as inferred: {record}"
        end = ends.get((record["kind"], record["subject"]))
        if end and not rows.epoch(record["end_earliest"]) - NEAR <= end <= rows.epoch(record["end_latest"]) + NEAR:
            yield f"{record['id']} ended at {end}, not between {record['end_earliest']} and {record['end_latest']}"


def judge(scene, reasons, figures):
    gaps = scene.records("gaps")
    if [gap["reason"] for gap in gaps] != reasons:
        yield f"gaps {gaps}, not {reasons}"
    records, clean = scene.records(*TABLES), scene.clean()
    windows = oracle.Windows((rows.epoch(gap["from"]), rows.epoch(gap["to"])) for gap in gaps)
    last = max((rows.epoch(record["time"]) for record in records), default=0)
    expected = [record for record in clean if rows.epoch(record["time"]) <= last - 0.5]
    yield from oracle.compare(expected, [r for r in records if rows.epoch(r["time"]) <= last - 0.5], windows, figures)
    yield from ends_are_bounded(records, clean)
    for record in records:
        short = [key for key, value in record.items() if key.endswith(("seconds", "duration", "billsec"))
                 and isinstance(value, (int, float)) and value < 0]
        if short:
            yield f"{record['id']} has less than no seconds: {short}"
    figures["blind"] += windows.seconds()
    if figures["found"] < 40:
        yield f"only {figures['found']} records to judge"


def goes_on(scene, before):
    """Calls that were up and are have the start that they had."""
    now = {call["linkedid"]: call["start"] for call in scene.state()["calls"]}
    both = before.keys() & now.keys()
    yield from (f"call {call} began at {before[call]}, then at {now[call]}" for call in both if before[call] != now[call])
    if not both:
        yield "no call went on"


def blinded(trouble, mend, reason, **how):
    """trouble(scene); 1.5 s; mend(scene)."""
    def play(programs, folder, figures):
        scene = Scene(programs, folder, **how)
        try:
            scene.start()
            scene.follows(1)
            before = scene.busy()
            trouble(scene)
            time.sleep(1.5)
            mend(scene)
            since = scene.follows(2)
            wrong = list(goes_on(scene, before)) + scene.queues_are_right(since, scene.sims[-1][1])
            time.sleep(4)
            return wrong + scene.stop() + list(judge(scene, [reason], figures))
        finally:
            scene.close()
    return play


def other_pbx(start, reason, **how):
    """start(scene) leaves amitap with a PBX that has none of the calls of before."""
    def play(programs, folder, figures):
        scene = Scene(programs, folder, **how)
        try:
            scene.start()
            scene.follows(1)
            before = scene.busy()
            time.sleep(1.1)  # it was started in another second
            start(scene)
            scene.follows(2)
            alive = before.keys() & {call["linkedid"] for call in scene.state()["calls"]}
            wrong = [f"calls of before live on: {alive}"] if alive else []
            scene.busy()
            time.sleep(4)
            return wrong + scene.stop() + list(judge(scene, [reason], figures))
        finally:
            scene.close()
    return play


def restart_pbx(scene):
    scene.sims[0][0].kill()
    scene.relays[0].target = scene.start_pbx()


def fail_over(scene):
    scene.relays.append(TroubledRelay(scene.start_pbx(), "127.0.0.2", scene.relays[0].port))
    scene.sims[0][0].kill()
    scene.relays[0].cut()


def stop_tap(scene, number):
    scene.tap.send_signal(number)
    scene.tap.wait(20)


def age_outlives_amitap(scene, ahead):
    """Started again while the PBX is away, it shows how old the figures are, and by which clock."""
    stop_tap(scene, signal.SIGTERM)
    stopped = time.time()
    scene.relays[0].cut()
    scene.start()

    def away():
        try:
            return [pbx for pbx in scene.state()["pbxs"] if pbx["since"]]
        except OSError:
            return None
    pbx = until(away)[0]
    wrong = [] if pbx["last_event"] and stopped - 10 < rows.epoch(pbx["last_event"]) <= stopped else \
        [f"stopped at {stopped}, and the last event is said to be of {pbx['last_event']}"]
    return wrong if abs((pbx["clock_skew_seconds"] or 0) - ahead) < 2 else wrong + [f"the clock's skew is forgotten: {pbx}"]


def pbx_clock(by):
    """The PBX's clock is set while calls are up: no seconds are less than none, and calls end."""
    def play(programs, folder, figures):
        scene = Scene(programs, folder)
        try:
            scene.start()
            scene.follows(1)
            before = scene.busy()
            scene.relays[0].ahead = by
            assert until(lambda: not before.keys() & {call["linkedid"] for call in scene.state()["calls"]})
            shown = scene.metrics()['amitap_pbx_clock_skew_seconds{pbx="main"}']
            told = scene.state()["pbxs"][0]["clock_skew_seconds"]
            wrong = age_outlives_amitap(scene, by) + scene.stop()
            if by > 0 and abs(shown - by) > 1:
                wrong.append(f"a skew of {shown} is shown, not {by}")
            if abs(shown - told) > 1:
                wrong.append(f"the wallboard is told a skew of {told}, not {shown}")
            short = [r for r in scene.records(*TABLES) for key in ("duration", "billsec", "talk_seconds", "wait_seconds")
                     if (r.get(key) or 0) < 0]
            figures["sent"] += len(before)
            figures["found"] += len(before)
            return wrong + [f"less than no seconds: {record}" for record in short[:3]]
        finally:
            scene.close()
    return play


def own_clock(programs, folder, figures):
    """The machine's clock is set back by an hour: nothing stops, and nothing shows it."""
    scene = Scene(programs, folder)
    try:
        shim, when = scene.folder / "clock_step.so", scene.folder / "set"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, ROOT / "tests/blind/clock_step.c"], check=True)
        scene.environment |= {"LD_PRELOAD": str(shim), "AMITAP_CLOCK_FILE": str(when)}
        scene.start()
        scene.follows(1)
        scene.busy()
        when.touch()
        time.sleep(1.5)
        scene.relays[0].cut()
        time.sleep(0.5)
        scene.relays[0].heal()
        since = scene.follows(2)
        wrong = scene.queues_are_right(since, scene.sims[0][1])
        time.sleep(3)
        return wrong + scene.stop() + list(judge(scene, ["disconnected"], figures))
    finally:
        scene.close()


NO_REPORTING = ("--write", "none")
SCENES = {
    "connection cut": blinded(lambda s: s.relays[0].cut(), lambda s: s.relays[0].heal(), "disconnected"),
    "half-open connection": blinded(lambda s: s.relays[0].swallow(), lambda s: None, "silent", ping=1),
    "amitap stopped": blinded(lambda s: stop_tap(s, signal.SIGTERM), lambda s: s.start(), "restart"),
    "amitap killed": blinded(lambda s: stop_tap(s, signal.SIGKILL), lambda s: s.start(), "restart"),
    "PBX started anew": other_pbx(restart_pbx, "pbx_restart"),
    "other host of a pair": other_pbx(fail_over, "failover", hosts=2),
    "PBX's clock set forward": pbx_clock(3600),
    "PBX's clock set back": pbx_clock(-3600),
    "own clock set back": own_clock,
}


def play(programs, name):
    begin, figures = time.monotonic(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            wrong = SCENES[name](programs, folder, figures)
        except (AssertionError, OSError) as fault:
            wrong = [f"{type(fault).__name__}: {fault}"]
    return name, wrong, figures, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=ROOT / "build/amitap", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--amisim", default=ROOT / "build/amisim")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("scenes", nargs="*", metavar="NAME", help=", ".join(SCENES))
    programs = parser.parse_args()
    faults, report = FaultLog("blind"), Report()
    with concurrent.futures.ThreadPoolExecutor(programs.jobs) as pool:
        for name, wrong, figures, seconds in pool.map(lambda name: play(programs, name), programs.scenes or SCENES):
            report(f"{name} ({seconds:.0f} s; {figures['found']} of {figures['sent']} records found, "
                   f"blind {figures['blind']:.1f} s)", wrong)
            faults.add(name, injected=1, sent=figures["sent"], found=figures["found"], lost=figures["lost"],
                       blind_seconds=figures["blind"])
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
