#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`amitap figures`: each folder of case/ is a small history (visits.csv, agents.csv, calls.csv), a command and the figures
that it must give, worked out by hand; then the recordings' visits, held against what Asterisk's queue_log says.

    run.py [--amitap FILE]    one line "ok …" or "FAIL …" each

A line of expect is one row: its figures that are named must be as they stand there. Times of a CSV are RFC 3339 in UTC.
"""
import argparse
import collections
import csv
import datetime
import json
import pathlib
import shlex
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests/kit"), str(ROOT / "tests/history")]
import history_file  # noqa: E402
from report import Report  # noqa: E402

TABLES = {"visits": "queue_visits", "agents": "agent_intervals", "calls": "calls"}
TIMES = {"joined", "start", "end", "answer"}
NEAR = 1e-6

report = Report()


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def stored_value(name, text):
    if text == "":
        return None
    if name in TIMES:
        return time_of(text).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return text


def fill(database, case):
    file = history_file.create(database)
    for name, table in TABLES.items():
        path = case / f"{name}.csv"
        if not path.exists():
            continue
        with open(path, encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines)):
                values = {key: stored_value(key, text) for key, text in row.items()}
                if name == "agents":
                    values["duration"] = (time_of(row["end"]) - time_of(row["start"])).total_seconds()
                if name == "visits":
                    values.setdefault("uniqueid", f"{number}.1")
                history_file.insert(file, table, values | {"ce_time": values["end"]})
    file.commit()
    file.close()


def figures(amitap, config, *arguments):
    run = subprocess.run([amitap, "figures", "-c", config, *arguments, "--json"], capture_output=True, text=True,
                         timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()], run.stderr


def differs(got, wanted):
    if isinstance(got, (int, float)) and isinstance(wanted, (int, float)):
        return abs(got - wanted) > NEAR
    return got != wanted


def check_case(amitap, case, folder):
    database = pathlib.Path(folder) / f"{case.name}.db"
    fill(database, case)
    rows, errors = figures(amitap, history_file.configuration(folder, database), *shlex.split((case / "command").read_text()))
    expected = [json.loads(line) for line in (case / "expect").read_text().splitlines() if line[:1] == "{"]
    faults = [errors] if errors else []
    if len(rows) != len(expected):
        faults.append(f"{len(rows)} rows instead of {len(expected)}: "
                      + " ".join(f"{row['from']}/{row['queue']}/{row['agent']}" for row in rows))
    for row, wanted in zip(rows, expected):
        faults += [f"{row['from']} {row['queue'] or row['agent']}: {name} is {row.get(name, 'missing')}, expected {value}"
                   for name, value in wanted.items() if differs(row.get(name, "missing"), value)]
    report(case.name, faults)


class Truth:
    """What queue_log says about one queue: whole seconds, from truncated clocks, so within one second."""

    def __init__(self):
        self.offered = self.flow_out = self.transferred = 0
        self.answered, self.abandoned, self.talks = [], [], []


def read_queue_log(path, truths):
    open_visits = {}
    for line in path.read_text().splitlines():
        _, callid, queue, _, event, *args = line.split("|")
        truth, key = truths[queue], (callid, queue)
        if event == "ENTERQUEUE":
            open_visits[key] = None
        elif event == "CONNECT":
            open_visits[key] = float(args[0])
        elif event in ("COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER"):
            moved = event.endswith("TRANSFER")
            truth.offered += 1
            truth.answered.append(open_visits.pop(key))
            truth.talks.append(float(args[-2] if moved else args[1]))
            truth.transferred += moved
        elif event == "ABANDON":
            truth.offered += 1
            truth.abandoned.append(float(args[2]))
            open_visits.pop(key)
        elif event in ("EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "WITHDRAW"):
            truth.offered += 1
            truth.flow_out += 1
            open_visits.pop(key)


def check_mean(name, got, values):
    if not values:
        return [] if got is None else [f"{name} is {got} of nothing"]
    mean = sum(values) / len(values)
    return [] if got is not None and abs(got - mean) <= 1 else [f"{name} is {got}, queue_log has {mean}"]


def check_service_level(row, truth, threshold):
    """Waits that are more than a second off the threshold are surely on one side of it."""
    least = sum(wait + 1 <= threshold for wait in truth.answered)
    most = sum(wait - 1 <= threshold for wait in truth.answered)
    whole = len(truth.answered) + len(truth.abandoned) + truth.flow_out
    got = row["sl_offered"]
    if not whole:
        return [] if got is None else [f"sl_offered is {got} of nothing"]
    good = 100 * least / whole - NEAR <= got <= 100 * most / whole + NEAR
    return [] if good else [f"sl_offered within {threshold} s is {got}, queue_log has {least} to {most} of {whole}"]


def check_truth(row, truth, threshold):
    counts = {"offered": truth.offered, "answered": len(truth.answered), "abandoned": len(truth.abandoned),
              "flow_out": truth.flow_out, "short_abandons": 0, "lost_sight": 0}
    yield from (f"{name} is {row[name]}, queue_log has {value}" for name, value in counts.items() if row[name] != value)
    yield from check_mean("asa", row["asa"], truth.answered)
    yield from check_mean("average_abandon_time", row["average_abandon_time"], truth.abandoned)
    yield from check_mean("aht", row["aht"], truth.talks)
    yield from check_service_level(row, truth, threshold)
    if truth.answered:
        if abs(row["wait_answered_max"] - max(truth.answered)) > 1:
            yield f"wait_answered_max is {row['wait_answered_max']}, queue_log has {max(truth.answered)}"
        if differs(row["transfer_percent"], round(100 * truth.transferred / len(truth.answered), 6)):
            yield f"transfer_percent is {row['transfer_percent']}, queue_log has {truth.transferred} transfers"


def check_recordings(amitap, folder):
    truths = collections.defaultdict(Truth)
    database = pathlib.Path(folder) / "recordings.db"
    file = history_file.create(database)
    for capture in sorted((ROOT / "tests/captures").glob("*/queue_log")):
        read_queue_log(capture, truths)
        replay = subprocess.run([amitap, "replay", "--records", "queue", capture.parent / "ami.raw"],
                                capture_output=True, text=True, check=True)
        history_file.insert_records(file, replay.stdout.splitlines())
    file.close()
    config = history_file.configuration(folder, database)
    for threshold in 2, 5, 20:
        rows, errors = figures(amitap, config, "--from", "2000-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z",
                               "--short", "0", "--threshold", str(threshold))
        by_queue = {row["queue"]: row for row in rows}
        faults = [errors] if errors else []
        visits = 0
        for queue, truth in truths.items():
            visits += truth.offered
            if truth.offered:
                faults += [f"{queue}: {fault}" for fault in check_truth(by_queue[queue], truth, threshold)]
        if by_queue[None]["offered"] != visits or not visits:
            faults.append(f"all have {by_queue[None]['offered']} offered, queue_log has {visits}")
        report(f"figures of the recordings' {visits} visits are those of queue_log, within {threshold} s", faults)


def check_refused(amitap, folder):
    config = history_file.configuration(folder, pathlib.Path(folder) / "none.db")

    def refused(what, arguments, words):
        run = subprocess.run([amitap, "figures", *arguments], capture_output=True, text=True, timeout=60)
        good = run.returncode != 0 and all(word in run.stderr for word in words)
        report(what, [] if good else [f"exit {run.returncode}: {run.stderr}{run.stdout}"])

    refused("no configuration", [], ["usage:"])
    refused("no history there", ["-c", config], ["none.db"])
    refused("a zone that is none", ["-c", config, "--zone", "Europe/Nowhere"], ["Europe/Nowhere", "zone"])
    refused("a zone out of the database", ["-c", config, "--zone", "../../etc/passwd"], ["zone"])
    refused("a time that is none", ["-c", config, "--from", "yesterday"], ["yesterday", "2026-03-29"])
    refused("a day that is none", ["-c", config, "--from", "2026-02-30"], ["2026-02-30", "2026-03-29"])
    refused("a time behind the other", ["-c", config, "--from", "2026-01-02", "--to", "2026-01-01"], ["not before"])
    refused("a step that is none", ["-c", config, "--every", "7m"], ["7m", "15m"])
    refused("a threshold that is none", ["-c", config, "--threshold", "-1"], ["-1", "seconds"])
    refused("too many windows", ["-c", config, "--from", "2000-01-01", "--to", "2026-01-01", "--every", "15m"],
            ["too many windows"])


def check_text(amitap, folder):
    case = HERE / "case/every-formula"
    config = history_file.configuration(folder, pathlib.Path(folder) / "every-formula.db")
    run = subprocess.run([amitap, "figures", "-c", config, "--zone", "Europe/Berlin",
                          *shlex.split((case / "command").read_text())], capture_output=True, text=True, timeout=60)
    expected = (HERE / "text.expect").read_text()
    report("the table for people is as expected", [] if run.stdout == expected else [run.stdout + run.stderr])


def check_escapes(amitap, folder):
    """An agent's name that a terminal would obey."""
    database = pathlib.Path(folder) / "every-formula-by-agent.db"
    file = sqlite3.connect(database)
    for table, column in ("agent_intervals", "agent"), ("queue_visits", "member"):
        file.execute(f"UPDATE {table} SET {column} = 'Al' || char(27) || '[2Jice' WHERE {column} = 'Alice'")
    file.commit()
    file.close()
    run = subprocess.run([amitap, "figures", "-c", history_file.configuration(folder, database), "--agent", "--from",
                          "2026-03-02T09:00:00Z", "--to", "2026-03-02T10:00:00Z"], capture_output=True, text=True,
                         timeout=60)
    report("a name full of escapes is shown, not obeyed",
           [] if "Al?[2Jice" in run.stdout and "\x1b" not in run.stdout else [repr(run.stdout) + run.stderr])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/amitap"))
    amitap = parser.parse_args().amitap
    with tempfile.TemporaryDirectory(prefix="amitap-figures-") as folder:
        for case in sorted((HERE / "case").iterdir()):
            check_case(amitap, case, folder)
        check_text(amitap, folder)
        check_escapes(amitap, folder)
        check_recordings(amitap, folder)
        check_refused(amitap, folder)
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
