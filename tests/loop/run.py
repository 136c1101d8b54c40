#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The loop never waits: amitap behind a PBX that hangs up on who does not read for 100 ms, while its disk does not answer,
no broker does, the history is being read and wallboards that read nothing hang on it. Needs build/amitap, build/amisim and
build/loop/freeze.so (make loop-shim). One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--seconds N] [--rate N] [NAME…]      all but the soak, which goes on for --seconds, unless named
"""
import argparse
import contextlib
import functools
import json
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/kit"), str(ROOT / "tests/compare")]
import rows  # noqa: E402
import waiting  # noqa: E402
from fault_log import FaultLog  # noqa: E402
from metrics import Metrics  # noqa: E402
from programs import Programs, stop  # noqa: E402
from report import Report  # noqa: E402
from stored import kinds_in, query  # noqa: E402

RECORDINGS = ("answered", "busy", "cancelled-by-caller", "queue-answered", "hold-and-resume", "internal-call",
              "ivr-timeout-to-dial", "no-answer-then-playback", "queue-abandon")
TABLES = ("cdr", "calls", "queue_visits", "call_events", "queue_log")
SSE_MIB = 24  # what 100 of them may take
WAL_MIB = 128
ALLOWED = {"MiB of memory": 8, "files open": 3, "MiB of WAL": 16}
BEFORE_OTHERS = ("nice", "-n", "-10") if os.geteuid() == 0 else ()
COPIES = 20  # of the recordings at once
LIMIT = 120
TURN_MOST, TURN_LONGEST = 0.02, 0.1
SHARE = 0.999
until = functools.partial(waiting.until, limit=LIMIT, pause=0.05)


def events_of(recordings):
    """How many amisim plays of them: all but the answers to actions and what it leaves out."""
    frames = [frame for name in recordings
              for frame in (ROOT / "tests/captures" / name / "ami.raw").read_bytes().split(b"\r\n\r\n")]
    return sum(frame.startswith(b"Event: ") and b"\nActionID:" not in frame and
               not frame.startswith((b"Event: Cdr\r", b"Event: CEL\r", b"Event: TestEvent\r")) for frame in frames)


class Scene(Programs):
    """amisim, amitap, and a recorder beside it that keeps what was sent; nothing is played before play()."""

    def __init__(self, options, folder, *, events, store=""):
        super().__init__(folder)
        self.sockets, self.flag, self.database = [], self.folder / "frozen", self.folder / "amitap.db"
        self.summary, self.stream = self.folder / "summary.json", self.folder / "stream.raw"
        self.program = options.amitap
        loops = max(1, round(events / events_of(RECORDINGS) / COPIES))
        self.port = self.start_amisim(ROOT / "build/amisim", "--rate", options.rate, "--sndbuf", "16384", "--timestamps",
                                      "now", "--copies", COPIES, "--loop", loops, "--wait-clients", "3", "--summary",
                                      self.summary, *(ROOT / "tests/captures" / name for name in RECORDINGS))
        silent = socket.create_server(("127.0.0.1", 0))
        self.sockets.append(silent)
        self.web, broker = waiting.free_ports(2)
        self.config = self.folder / "amitap.conf"
        self.config.write_text(f"pbx main {{ host = 127.0.0.1\n port = {self.port}\n user = tap\n secret = 'tapsecret'\n }}\n"
                               f"store {{ path = '{self.database}'\n {store} }}\nweb {{ listen = '127.0.0.1:{self.web}' }}\n"
                               f"kafka {{ brokers = '127.0.0.1:{broker},127.0.0.1:{silent.getsockname()[1]}' }}\n")
        self.start("amitap", self.program, "run", "-c", self.config, LD_PRELOAD=ROOT / "build/loop/freeze.so",
                   AMITAP_FREEZE=self.flag)
        self.wait("amitap", "following events")
        self.start("record", self.program, "record", "-c", self.config, "-o", self.stream)
        self.wait("record", "following events|logged in")

    def start(self, name, *command, **environment):
        """Before what else this machine does, as far as we may: a test of waiting, not of its load."""
        return super().start(name, *BEFORE_OTHERS, *command,
                             env=os.environ | {key: str(value) for key, value in environment.items()})

    def wait(self, name, pattern):
        waiting.wait_for(lambda: re.search(pattern, self.said(name)), f"{name} says {pattern}", 20, self.processes[name],
                         lambda: self.said(name))

    def metrics(self):
        return Metrics(self.web)

    def freeze(self, frozen):
        self.flag.touch() if frozen else self.flag.unlink()

    def play(self):
        """One that wants no events logs in as the third."""
        s = socket.create_connection(("127.0.0.1", self.port))
        s.sendall(b"Action: Login\r\nUsername: tap\r\nSecret: tapsecret\r\nEvents: off\r\n\r\n")
        self.sockets.append(s)

    def played(self):
        return self.summary.exists()

    def sse_clients(self, n):
        """So many that ask for the stream and read nothing of it; those that amitap gave up are replaced."""
        assert until(lambda: self.missing_clients(n) == 0, limit=20), f"{self.missing_clients(n)} of {n} streams are not open"

    def missing_clients(self, n):
        """How many there are less than n; as many are asked for anew."""
        missing = n - int(self.metrics()["amitap_sse_clients"])
        for i in range(missing):
            s = socket.create_connection(("127.0.0.1", self.web), source_address=(f"127.0.0.{2 + i % 4}", 0))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.sockets.append(s)
        return max(0, missing)

    def caught_up(self):
        m = self.metrics()
        return m['amitap_ring_bytes{ring="writer"}'] == 0 and m["amitap_history_lag_rows"] == 0

    def stop(self, name):
        return stop(self.processes[name], 60)

    def close(self):
        self.flag.unlink(missing_ok=True)
        self.end_all()
        for s in self.sockets:
            s.close()

    def bodies(self, tables):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as history:
            for table in tables:
                for body, in history.execute(f"SELECT body FROM {table}"):
                    yield json.loads(body)

    def gaps(self):
        return list(self.bodies(["gaps"]))

    def found(self):
        return [Fact(body) for body in self.bodies(TABLES)]

    def clean(self):
        """The facts that a replay of what was sent gives."""
        kinds = kinds_in(TABLES)
        done = subprocess.Popen([str(self.program), "replay", "-c", str(self.config), "--records", "events", str(self.stream)],
                                stdout=subprocess.PIPE)
        with done:
            return [Fact(body) for body in map(json.loads, done.stdout) if body["kind"] in kinds]


class Fact:
    """What is compared of a record: its id, what it is about and when, and a hash of all of it."""
    __slots__ = ("id", "about", "begin", "end", "all")

    def __init__(self, body):
        times = [rows.epoch(body[key]) for key in ("start", "joined", "end", "time") if body.get(key)]
        self.id, self.about = body["id"], body.get("linkedid") or body["subject"]
        self.begin, self.end = min(times), max(times)
        self.all = hash(json.dumps(body, sort_keys=True))


class Readers:
    """Who reads the history all the while."""

    def __init__(self, scene):
        self.scene, self.stopping, self.runs = scene, False, 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        scene = self.scene
        commands = [[scene.program, "figures", "-c", scene.config, "--agent"],
                    [scene.program, "explain", "1", "-c", scene.config],
                    ["sqlite3", f"file:{scene.database}?mode=ro", "SELECT count(*) FROM call_events WHERE body LIKE '%never%'"]]
        while not self.stopping:
            for command in commands:
                subprocess.run(["nice", *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            self.runs += 1
            time.sleep(0.5)

    def stop(self):
        self.stopping = True
        self.thread.join()


def turn_faults(metrics):
    """How the loop's turns were, in words, and what is wrong with them."""
    turns, most = (metrics[f'amitap_loop_turn_seconds_bucket{{le="{le}"}}'] for le in ("+Inf", TURN_MOST))
    longest = metrics["amitap_loop_turn_longest_seconds"]
    share = most / turns
    said = f"{turns:.0f} turns, {share:.3%} within {TURN_MOST * 1000:.0f} ms, longest {longest * 1000:.1f} ms"
    faults = [said] if share < SHARE or longest >= TURN_LONGEST else []
    return said, faults


def lives_of(facts):
    """From when to when each call, or other subject, is told of."""
    lives = {}
    for fact in facts:
        begin, end = lives.get(fact.about, (fact.begin, fact.end))
        lives[fact.about] = min(begin, fact.begin), max(end, fact.end)
    return lives


def judge(scene, log, fault, gaps=(), injected=1):
    """Each fact of the clean replay is in the history, or its call was up in a gap."""
    expected, found = scene.clean(), scene.found()
    windows = [(rows.epoch(gap["from"]), rows.epoch(gap["to"])) for gap in gaps]
    lives = lives_of(expected + found)
    by_id = {fact.id: fact for fact in found}
    missing = [fact for fact in expected if fact.id not in by_id]
    lost = [fact for fact in missing
            if not any(lives[fact.about][0] <= to and lives[fact.about][1] >= since for since, to in windows)]
    doubles = len(found) - len(by_id)
    log.add(fault, injected=injected, sent=len(expected), found=len(expected) - len(missing), doubles=doubles, lost=len(lost),
            blind_seconds=sum(end - begin for begin, end in windows))
    print(f"   {len(expected)} facts sent, {len(missing)} not found, {len(lost)} of these lost, {doubles} doubles")
    if len(expected) < 1000:
        yield f"only {len(expected)} facts to compare"
    yield from (f"{fact.id} is missing" for fact in lost[:3])
    if doubles:
        yield f"{doubles} are there more than once"
    if not windows:
        yield from (f"{fact.id} differs" for fact in expected if fact.id in by_id and by_id[fact.id].all != fact.all)


def everything_stuck(options, folder, log):
    """No disk, no broker, readers, wallboards that read nothing: the PBX notices nothing and nothing is missing."""
    with contextlib.closing(Scene(options, folder, events=options.rate * options.seconds)) as scene:
        scene.sse_clients(100)
        readers, most = Readers(scene), 0
        scene.freeze(True)
        scene.play()
        begin = time.monotonic()
        while not scene.played() and time.monotonic() < begin + options.seconds * 2 + 30:
            most = max(most, scene.metrics()['amitap_ring_bytes{ring="writer"}'])
            scene.sse_clients(100)
            time.sleep(1)
        frozen = time.monotonic() - begin
        metrics = scene.metrics()
        scene.freeze(False)
        readers.stop()
        events = sum(metrics[f'amitap_ami_events_total{{pbx="main",class="{c}"}}'] for c in ("read", "skipped", "unknown"))
        said, faults = turn_faults(metrics)
        print(f"   frozen {frozen:.0f} s at {events / frozen:.0f} events/s; {said}; up to {most / 2**20:.0f} MiB in the ring, "
              f"{readers.runs} rounds of readers, {metrics['amitap_sse_clients']:.0f} wallboards")
        if not scene.played():
            return faults + ["not played to the end"]
        summary = json.loads(scene.summary.read_text())
        if summary["clients_cut"]:
            faults.append(f"the PBX hung up: {scene.said('amitap')[-400:]} {scene.said('record')[-400:]}")
        begin = time.monotonic()
        if not until(scene.caught_up):
            faults.append("it does not catch up")
        print(f"   caught up {time.monotonic() - begin:.1f} s after the disk came back")
        scene.stop("record")
        if status := scene.stop("amitap"):
            faults.append(f"amitap ended with {status}: {scene.said('amitap')[-400:]}")
        if gaps := scene.gaps():
            faults.append(f"gaps: {gaps}")
        return faults + list(judge(scene, log, "disk, broker and wallboards stuck at "
                                   f"{options.rate} events/s for {options.seconds} s"))


def memory_of_wallboards(options, folder, log):
    """100 wallboards that read nothing cost no more than their sockets do, however long they hang on it."""
    del log
    with contextlib.closing(Scene(options, folder, events=options.rate * 12)) as scene:
        scene.play()
        # What a busy amitap takes by itself has settled by then.
        until(lambda: scene.metrics()["amitap_outbox_facts_total"] > 3000)
        before = scene.metrics()
        scene.sse_clients(100)
        first = scene.metrics()
        until(scene.played)
        last = scene.metrics()
        grown = (last["process_resident_memory_bytes"] - before["process_resident_memory_bytes"]) / 2**20
        facts = last["amitap_outbox_facts_total"] - first["amitap_outbox_facts_total"]
        print(f"   {last['amitap_sse_clients']:.0f} streams, {facts:.0f} facts while they hang, {grown:.1f} MiB more")
        faults = [f"{grown:.1f} MiB more for 100 streams"] if grown > SSE_MIB else []
        return faults + ([] if facts > 3000 and last["amitap_sse_clients"] == 100 else ["they did not hang on it"])


def ring_overflows(options, folder, log):
    """The disk stands still for longer than a small ring holds: what is lost is counted and published, nothing else is, and
    the live state that is stored is right again."""
    with contextlib.closing(Scene(options, folder, events=options.rate * 6, store="ring_mib = 1")) as scene:
        scene.play()
        until(lambda: scene.metrics()["amitap_outbox_facts_total"] > 100)
        scene.freeze(True)
        dropped = 'amitap_ring_dropped_total{ring="writer"}'
        faults = [] if until(lambda: scene.metrics()[dropped] > 0 or scene.played(), limit=30) else ["nothing was dropped"]
        time.sleep(1)
        if scene.played():
            faults.append("all was played before the disk came back")
        scene.freeze(False)
        if not until(scene.played) or not until(scene.caught_up):
            return faults + [f"not played to the end: {scene.said('amitap')[-400:]}"]
        time.sleep(1.5)
        metrics = scene.metrics()
        scene.stop("record")
        if status := scene.stop("amitap"):
            faults.append(f"amitap ended with {status}")
        gaps = scene.gaps()
        told = metrics.get('amitap_gaps_total{pbx="main",reason="overflow"}')
        print(f"   {metrics[dropped]:.0f} batches dropped, gaps {[(gap['reason'], gap['from'], gap['to']) for gap in gaps]}")
        if not gaps or len(gaps) != told or any(gap["reason"] != "overflow" for gap in gaps):
            faults.append(f"{told} gaps are counted, those stored are {gaps}")
        if "facts are lost" not in scene.said("amitap") or "takes facts again" not in scene.said("amitap"):
            faults.append("the log does not say so")
        live = [entity for entity, in query(f"{scene.database}-outbox", "SELECT entity FROM live_state WHERE entity LIKE 'c%/%'")]
        faults += [f"still live in the outbox: {live[:5]}"] if live else []
        return faults + list(judge(scene, log, "ring full while the disk stands still", gaps))


class Sizes:
    """What must stay flat: the greatest seen in each third of the time."""

    def __init__(self, seconds):
        self.begin, self.seconds, self.most = time.monotonic(), seconds, [{}, {}, {}]

    def look(self, scene, metrics):
        third = min(2, int((time.monotonic() - self.begin) / self.seconds * 3))
        now = {"MiB of memory": metrics["process_resident_memory_bytes"] / 2**20,
               "files open": metrics["process_open_fds"] - metrics["amitap_http_connections"],
               "MiB of WAL": sum(path.stat().st_size for path in scene.folder.glob("*-wal")) / 2**20}
        for name, value in now.items():
            self.most[third][name] = max(value, self.most[third].get(name, 0))

    def faults(self):
        for name, most in self.most[2].items():
            before = self.most[1].get(name, 0)
            print(f"   {name}: {', '.join(f'{third.get(name, 0):.0f}' for third in self.most)} at most in each third")
            if most > before * 1.05 + ALLOWED[name]:
                yield f"{name}: {before:.1f}, then {most:.1f}"
        if self.most[2].get("MiB of WAL", 0) > WAL_MIB:
            yield f"the WAL grew to {self.most[2]['MiB of WAL']:.0f} MiB"


def soak(options, folder, log):
    """For as long as asked: the disk freezes and thaws again and again, wallboards come and go, the history is read."""
    with contextlib.closing(Scene(options, folder, events=options.rate * options.seconds)) as scene:
        readers, sizes, freezes, thawed = Readers(scene), Sizes(options.seconds), 0, time.monotonic()
        scene.play()
        while not until(scene.played, limit=1) and time.monotonic() < sizes.begin + options.seconds * 2 + 30:
            scene.sse_clients(100)
            if time.monotonic() > thawed + 20:
                scene.freeze(True)
                until(scene.played, limit=10)
                scene.freeze(False)
                freezes, thawed = freezes + 1, time.monotonic()
            sizes.look(scene, scene.metrics())
        readers.stop()
        said, faults = turn_faults(scene.metrics())
        print(f"   {freezes} freezes of 10 s; {said}")
        faults += list(sizes.faults())
        if not scene.played() or json.loads(scene.summary.read_text())["clients_cut"] or not until(scene.caught_up):
            faults.append(f"the PBX hung up, or it does not catch up: {scene.said('amitap')[-400:]}")
        scene.stop("record")
        if status := scene.stop("amitap"):
            faults.append(f"amitap ended with {status}")
        return faults + list(judge(scene, log, f"disk stuck for 10 s, {options.rate} events/s", scene.gaps(), freezes))


LONG = {"soak": soak}
SCENES = {"everything stuck": everything_stuck, "ring overflows": ring_overflows,
          "memory of wallboards": memory_of_wallboards}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=ROOT / "build/amitap", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--seconds", default=60, type=int)
    parser.add_argument("--rate", default=5000, type=int, help="events a second")
    parser.add_argument("scenes", nargs="*", metavar="NAME", help=", ".join(SCENES | LONG))
    options = parser.parse_args()
    log, report = FaultLog("loop"), Report()
    for name in options.scenes or SCENES:
        with tempfile.TemporaryDirectory() as folder:
            report.attempt(name, lambda: (SCENES | LONG)[name](options, folder, log))
    return report.status()


sys.exit(main())
