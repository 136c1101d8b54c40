#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""/metrics of an amitap at work, held against what amisim says that it sent, against schemas/metrics.def and by
`promtool check metrics` (Debian's prometheus). One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--amisim PROGRAM]
"""
import argparse
import functools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
import waiting  # noqa: E402
from programs import Programs, stop  # noqa: E402
from report import Report  # noqa: E402

RECORDINGS = ("answered", "busy", "queue-answered", "queue-abandon", "internal-call")
LIMIT = 60
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (-?[0-9.e+]+|\+Inf)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
until = functools.partial(waiting.until, limit=LIMIT)


def table():
    """The rows of metrics.def: name -> type, unit, labels."""
    text = (ROOT / "schemas/metrics.def").read_text()
    found = re.findall(r'^METRIC\(\w+, "(\w+)", (\w+), (\w+), "(\w*)", "(\w*)", "', text, re.M)
    return {name: (kind.lower(), unit, tuple(label for label in labels if label)) for name, kind, unit, *labels in found}


class Page:
    def __init__(self, url):
        with urllib.request.urlopen(url + "metrics") as answer:
            self.type = answer.headers["Content-Type"]
            self.text = answer.read().decode()
        self.values, self.types = {}, dict(re.findall(r"^# TYPE (\w+) (\w+)$", self.text, re.M))
        for line in self.text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                self.values[name, tuple(LABEL.findall(labels or ""))] = float(value)

    def __call__(self, name, **labels):
        return self.values.get((name, tuple(labels.items())))


class Scene(Programs):
    """amisim, which hangs up once, and amitap with everything that has metrics."""

    def __init__(self, programs, folder):
        super().__init__(folder)
        self.summary = self.folder / "summary.json"
        port = self.start_amisim(programs.amisim, "--pace", "25", "--hold", "--cut-after", "100", "--summary", self.summary,
                                 *(ROOT / "tests/captures" / name for name in RECORDINGS))
        web, broker = waiting.free_ports(2)
        self.url = f"http://127.0.0.1:{web}/"
        config = self.folder / "amitap.conf"
        config.write_text(f"pbx main {{ host = 127.0.0.1\n port = {port}\n"
                          " user = tap\n secret = 'tapsecret'\n }\n"
                          f"store {{ path = '{self.folder}/amitap.db' }}\nweb {{ listen = '127.0.0.1:{web}' }}\n"
                          f"kafka {{ brokers = '127.0.0.1:{broker}' }}\n")
        self.tap = self.start("amitap", programs.amitap, "run", "-c", config)


def wrong_names(page):
    """Each metric of the table is shown, as the table says, and no other."""
    known = table()
    for name, (kind, _, labels) in known.items():
        if page.types.get(name) != kind:
            yield f"{name} is shown as {page.types.get(name)}, not as {kind}"
        for shown, pairs in page.values:
            if shown in (name, f"{name}_bucket", f"{name}_sum", f"{name}_count") and \
                    tuple(label for label, _ in pairs if label != "le") != labels:
                yield f"{shown} has the labels {pairs}, not {labels}"
    yield from (f"{name} is not in metrics.def" for name in page.types if name not in known)
    if page.type != "text/plain; version=0.0.4; charset=utf-8":
        yield f"the type is {page.type}"
    done = subprocess.run(["promtool", "check", "metrics"], input=page.text, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        yield f"promtool: {done.stdout}"


def wrong_values(page, scene):
    pbx = {"pbx": "main"}
    sent = json.loads(scene.summary.read_text())
    events = sum(page("amitap_ami_events_total", **pbx, **{"class": name}) for name in ("read", "skipped", "unknown"))
    turns = page("amitap_loop_turn_seconds_count")
    now = time.time()
    for what, good in {
        "up": page("amitap_up", **pbx) == 1,
        "one loss": page("amitap_ami_losses_total", **pbx) == 1,
        "one reconnect": page("amitap_ami_reconnects_total", **pbx) == 1,
        "one gap": page("amitap_gaps_total", **pbx, reason="disconnected") == 1,
        f"{events} events of at least {sent['events']}": events >= sent["events"],
        "no call is up": page("amitap_calls", **pbx) == 0,
        "nothing cut": page("amitap_ami_parse_errors_total", **pbx, reason="cut_frame") == 0,
        "the last event": now - 20 < page("amitap_ami_last_event_timestamp_seconds", **pbx) < now + 1,
        "nothing dropped": page("amitap_ring_dropped_total", ring="writer") == 0,
        "ring": page("amitap_ring_max_bytes", ring="writer") == 256 << 20,
        "all in the history": page("amitap_history_lag_rows") == 0 and
                              page("amitap_history_rows_total") == page("amitap_outbox_facts_total") > 100,
        "all waits for Kafka": page("amitap_kafka_waiting_rows") == page("amitap_outbox_facts_total") and
                               page("amitap_kafka_up") == 0,
        "commits": page("amitap_commit_seconds_count", file="outbox") > 10,
        "WAL": page("amitap_wal_bytes", file="history") > 0,
        "turns": turns == page("amitap_loop_turn_seconds_bucket", le="+Inf") > 10,
        "longest turn": 0 < page("amitap_loop_turn_longest_seconds") <= page("amitap_loop_turn_seconds_sum"),
        "requests": page("amitap_http_requests_total") >= 1,
        "start": now - 60 < page("process_start_time_seconds") < now + 1,
        "files": 10 < page("process_open_fds") < 200,
        "memory": 1 << 22 < page("process_resident_memory_bytes"),
    }.items():
        if not good:
            yield f"{what}: not so"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=ROOT / "build/amitap")
    parser.add_argument("--amisim", default=ROOT / "build/amisim")
    programs = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(programs, folder)
        try:
            # While it writes: once there is nothing to write the writer empties the outbox's WAL.
            wrong = [] if until(lambda: "wallboard at" in scene.said("amitap") and
                                   Page(scene.url)("amitap_wal_bytes", file="outbox") > 0, limit=15) else ["the outbox has no WAL"]
            wrong += [] if until(lambda: scene.summary.exists() or scene.tap.poll() is not None) else ["not played to the end: " + scene.said("amitap")[-500:]]
            if scene.tap.poll() is not None:
                raise SystemExit(f"FAIL amitap ended: {scene.said('amitap')}")
            # The loop hands its counts on once a second, and the history is right behind the outbox.
            until(lambda: Page(scene.url)("amitap_history_lag_rows") == 0)
            time.sleep(1.1)
            page = Page(scene.url)
            wrong += list(wrong_names(page)) + list(wrong_values(page, scene))
        finally:
            status = stop(scene.tap, 30)
            scene.end_all()
        wrong += [f"amitap ended with {status}: {scene.said('amitap')[-500:]}"] if status else []
        report = Report()
        report(f"metrics: {len(page.values)} samples", wrong)
    return report.status()


sys.exit(main())
