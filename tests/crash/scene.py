# SPDX-License-Identifier: MIT
"""amisim, a relay that keeps what it sends, and amitap in a folder of their own; amitap is started as often as it dies."""
import contextlib
import datetime
import functools
import json
import pathlib
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/kit"), str(ROOT / "tests/compare")]
import waiting  # noqa: E402
from programs import end, listening_port, stop  # noqa: E402
from relay import Relay  # noqa: E402
from stored import query  # noqa: E402

RECORDINGS = ("answered", "busy", "cancelled-by-caller", "queue-answered", "hold-and-resume", "internal-call",
              "ivr-timeout-to-dial", "no-answer-then-playback", "queue-abandon")
# Of these no two have a device in common, so that they can be played at once.
APART = ("queue-answered", "busy", "cancelled-by-caller", "hold-and-resume", "queue-abandon")
TABLES = ("cdr", "calls", "queue_visits", "queue_log", "agent_intervals", "endpoint_intervals", "registration_intervals",
          "trunk_intervals", "call_events", "call_aliases")
# What each copy of the recordings calls in its own way, so that no two have a device, a queue or a name in common.
WORDS = (*map(str, range(101, 111)), "carrier", "sales", "support", "xfer", "axfer", "empty", "closed", "exitkey", "full",
         "leave", "overflow", "pen", "wrap", "Alice", "Bob", "Ned", "NoAnswerNed", "BlindBea", "AttAnn", "Lou", "LocalLou")
LIMIT = 60
until = functools.partial(waiting.until, limit=LIMIT, pause=0.01)


def tombstone(kind, subject, identity, microseconds):
    """What ends a compacted key, as replay prints it."""
    when = datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + datetime.timedelta(microseconds=microseconds)
    return {"kind": kind, "id": identity, "subject": subject, "time": f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"}


def copies(number, folder):
    """amisim's options for so many PBXs' worth of calls at once."""
    words = pathlib.Path(folder) / "words"
    words.write_text("".join(" ".join([word, *(f"{word}{copy}" for copy in range(1, number))]) + "\n" for word in WORDS))
    return "--copies", str(number), "--words", str(words), "--stagger", "0.2"


class Scene:
    """sim: amisim's options. keep_facts: a Kafka that is never there keeps every fact in the outbox. environment: amitap's."""

    def __init__(self, program, folder, *, sim=None, keep_facts=False, data=None, environment=None):
        self.program, self.folder, self.keep_facts = program, pathlib.Path(folder), keep_facts
        self.environment = {"PATH": "/usr/bin:/bin", **(environment or {})}
        self.summary, self.database = self.folder / "summary.json", pathlib.Path(data or folder) / "amitap.db"
        self.outbox = pathlib.Path(f"{self.database}-outbox")
        self.tap, self.said_before, self.log = None, 0, open(self.folder / "amitap.log", "ab")
        self.starts = []  # of each life, seconds since 1970
        paths = [str(ROOT / "tests/captures" / name) for name in (APART if sim is None else RECORDINGS)]
        sim = sim or ("--pace", "3", "--together", *copies(3, folder))
        said = self.folder / "amisim.log"
        with open(said, "wb") as log:
            self.sim = subprocess.Popen([str(ROOT / "build/amisim"), "--port", "0", "--hold", "--timestamps", "now",
                                         "--summary", str(self.summary), *sim, *paths], stdout=log, stderr=log)
        self.relay = Relay(listening_port(said.read_text, self.sim), self.folder)
        self.config = self.folder / "amitap.conf"
        self.config.write_text(f"pbx main {{ host = 127.0.0.1\n port = {self.relay.port}\n user = tap\n"
                               f" secret = 'tapsecret'\n }}\nstore {{ path = '{self.database}' }}\n"
                               + ("kafka { brokers = '127.0.0.1:1' }\n" if keep_facts else ""))

    def start(self, **environment):
        self.said_before = len(self.said())
        self.starts.append(time.time())
        self.tap = subprocess.Popen([str(self.program), "run", "-c", str(self.config)], stdout=self.log, stderr=self.log,
                                    env={**self.environment, **environment})

    def kill(self):
        self.tap.kill()
        self.tap.wait()

    def begins(self, life):
        """When what a life knows begins, counted from 0: it connected then, by this machine's clock, which is amisim's."""
        return next((at for at in self.relay.opened if at >= self.starts[life]), 0.0)

    def dies(self):
        """Waits until it was killed; False when it was not."""
        until(lambda: self.tap.poll() is not None or self.summary.exists())
        return self.tap.poll() == -signal.SIGKILL

    def played(self):
        return self.summary.exists()

    def finish(self):
        """Plays to the end; what is wrong, if anything."""
        if not until(lambda: self.played() or self.tap.poll() is not None) or self.tap.poll() is not None:
            return [f"not played to the end: {self.said()[-700:]}"]
        return self.stop()

    def stop(self):
        """Ends amitap once it follows the stream and has read what it was sent; what is wrong, if anything."""
        if not until(lambda: "following events" in self.said()[self.said_before:]):
            return [f"it never followed the stream: {self.said()[-700:]}"]
        until(lambda: all(self.relay.drained() or time.sleep(0.01) for _ in range(3)))
        status = stop(self.tap, 30)
        return [f"amitap ended with {status}: {self.said()[-700:]}"] if status else []

    def said(self):
        return (self.folder / "amitap.log").read_text(errors="replace")

    def close(self):
        end(self.tap, self.sim)
        self.relay.close()
        self.log.close()

    def commits_on_disk(self):
        """How many transactions the outbox's WAL holds: frames whose header tells the size after a commit."""
        wal = pathlib.Path(f"{self.outbox}-wal").read_bytes()
        if len(wal) < 32:
            return 0
        size, salts = struct.unpack(">I", wal[8:12])[0], wal[16:24]
        frames = range(32, len(wal) - 24 - size + 1, 24 + size)
        return sum(wal[at + 8:at + 16] == salts and struct.unpack(">I", wal[at + 4:at + 8])[0] != 0 for at in frames)

    def position(self):
        """How far the dead amitap had committed the stream: its last event's Timestamp, or that of the one before it was
        blind, if it still was, in microseconds; None when nothing was, 0 when facts were without it. Looked at in a copy, so
        that the files stay as they were left."""
        if not self.outbox.exists():
            return None
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for path in (self.outbox, pathlib.Path(f"{self.outbox}-wal")):
                if path.exists():
                    shutil.copy(path, folder)
            with contextlib.closing(sqlite3.connect(f"{folder}/{self.outbox.name}")) as copy:
                try:
                    body = copy.execute("SELECT body FROM live_state WHERE entity = 'tap'").fetchone()
                    facts = copy.execute("SELECT seq FROM sqlite_sequence WHERE name = 'facts'").fetchone()
                except sqlite3.OperationalError:  # before its first migration
                    return None
        if facts and not body:
            return 0
        state = json.loads(body[0]) if body else {}
        return state.get("blind_from") or state.get("event_time") or None

    def history(self, sql):
        return query(self.database, sql)

    def damage(self):
        """What SQLite itself finds wrong with the two files."""
        for path in (self.database, self.outbox):
            yield from (f"{path.name}: {line}" for line, in query(path, "PRAGMA integrity_check") if line != "ok")

    def gaps(self):
        return [json.loads(body) for body, in self.history("SELECT body FROM gaps ORDER BY ce_time")]

    def stored(self):
        """The records in the history."""
        return [json.loads(body) for table in TABLES for body, in self.history(f"SELECT body FROM {table}")]

    def kept(self):
        """Every fact, with its key, in the order of the outbox."""
        rows = query(self.outbox, "SELECT key, kind, subject, ce_id, ce_time, body FROM facts ORDER BY seq")
        return [(key, json.loads(body) if body else tombstone(*head, microseconds))
                for key, *head, microseconds, body in rows]

    def clean(self):
        """Every fact of a clean replay of what was sent, in its order."""
        done = subprocess.run([str(self.program), "replay", "-c", str(self.config), "--records", "events",
                               *map(str, self.relay.files)], stdout=subprocess.PIPE, check=True,
                              env={"PATH": "/usr/bin:/bin"})
        records = map(json.loads, done.stdout.splitlines())
        return [record if len(record) > 6 else {name: record[name] for name in ("kind", "id", "subject", "time")}
                for record in records]
