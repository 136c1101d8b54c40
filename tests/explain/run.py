#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`amitap explain`: the timeline of one call of each recording named in CALLS stands in expect/, and the history gives
the same lines, save those that only a recording has.

    run.py [--amitap FILE]    one line "ok …" or "FAIL …" each
    run.py --take             takes expect/ anew
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests/kit"), str(ROOT / "tests/history")]
import history_file  # noqa: E402
from report import Report  # noqa: E402

# Recording, and how the call is asked for: a linkedid, one that was merged into it, or a Uniqueid.
CALLS = [
    ("attended-transfer-dtmf", "pbxA-1795219149.24"),
    ("blind-transfer-dtmf", "pbxA-1795219175.35"),
    ("queue-local-member", "pbxA-1795219341.87"),
    ("queue-abandon", None),
    ("park-timeout", "pbxA-1795219231.47"),
    ("pickup", "pbxA-1795219497.138"),
    ("local-forward", "pbxA-1795219328.81"),
    ("conference-three", None),
    ("ring-group", None),
    ("agi-ai-then-queue", None),
]
RECORDING_ONLY = {"cdr_dropped", "ring_no_answer", "ring_canceled"}
LAST_LINE = "not in the history, but in a recording"

report = Report()


class Amitap:
    def __init__(self, path, folder):
        self.path = path
        self.folder = pathlib.Path(folder)

    def run(self, *arguments, stdin=None):
        return subprocess.run([self.path, *arguments], capture_output=True, text=True, stdin=stdin, timeout=60)

    def replay(self, recording, kinds):
        return self.run("replay", "--records", kinds, recording).stdout.splitlines()

    def configure(self, database):
        return history_file.configuration(self.folder, database)


def raw(name):
    return str(ROOT / "tests/captures" / name / "ami.raw")


def asked(amitap, name, wanted):
    return wanted or json.loads(amitap.replay(raw(name), "call")[0])["linkedid"]


def lines_of(output):
    return [json.loads(line) for line in output.splitlines()]


def check_call(amitap, name, wanted):
    wanted = asked(amitap, name, wanted)
    text = amitap.run("explain", wanted, raw(name))
    expected = (HERE / "expect" / f"{name}.txt").read_text()
    report(f"{name}: the timeline is as expected",
           [] if text.stdout == expected else ["it is not", *text.stdout.splitlines(), text.stderr])
    database = amitap.folder / f"{name}.db"
    file = history_file.create(database)
    history_file.insert_records(file, amitap.replay(raw(name), "events"))
    file.close()
    recorded = lines_of(amitap.run("explain", wanted, raw(name), "--json").stdout)
    stored = amitap.run("explain", wanted, "-c", amitap.configure(database), "--json")
    both = [line for line in recorded if line["rule"] not in RECORDING_ONLY]
    report(f"{name}: the history gives the same {len(both)} lines",
           [] if lines_of(stored.stdout) == both else [stored.stderr, *stored.stdout.splitlines()])


def check_ways(amitap):
    name, wanted = "pickup", "pbxA-1795219495.136"
    whole = amitap.run("explain", wanted, raw(name)).stdout
    with open(raw(name), encoding="latin-1") as file:
        piped = amitap.run("explain", wanted, "-", stdin=file).stdout
    report("standard input gives the same", [] if piped == whole else [piped])
    parts = [amitap.folder / "1.raw", amitap.folder / "2.raw"]
    content = pathlib.Path(raw(name)).read_bytes()
    parts[0].write_bytes(content[:len(content) // 2])
    parts[1].write_bytes(content[len(content) // 2:])
    split = amitap.run("explain", wanted, *map(str, parts)).stdout
    report("several files are one stream", [] if split == whole else [split])
    alias = amitap.run("explain", "pbxA-1795219497.138", raw(name)).stdout
    report("a merged linkedid gives the whole call", [] if alias == whole else [alias])
    config = amitap.configure(amitap.folder / "pickup.db")
    stored = amitap.run("explain", wanted, "-c", config).stdout.splitlines()
    report("the history says what only a recording has",
           [] if stored and stored[-1].startswith(LAST_LINE) else [stored])


def check_escapes(amitap):
    """A caller names himself so that a terminal would obey; --json gives the name as it came."""
    name, wanted = "pickup", "pbxA-1795219495.136"
    evil = "Zo\u00eb\x1b]0;pwned\x07\x1b[2J\u202eid"
    recording = amitap.folder / "evil.raw"
    recording.write_bytes(pathlib.Path(raw(name)).read_bytes().replace(b"Caller 0138", evil.encode()))
    text = amitap.run("explain", wanted, str(recording)).stdout
    hidden = [c for c in text if c != "\n" and (not c.isprintable())]
    report("a name full of escapes is shown, not obeyed",
           [] if "Zo\u00eb?]0;pwned??[2J???id" in text and not hidden else [f"{hidden} in {text!r}"])
    told = lines_of(amitap.run("explain", wanted, str(recording), "--json").stdout)
    report("machines get it as it came", [] if any(evil in line["what"] for line in told) else told[:3] or ["nothing is told"])
    asked_for = amitap.run("explain", "\x1b[2J", str(recording)).stderr
    report("nor is what was asked for", [] if "no call ?[2J in" in asked_for else [repr(asked_for)])


def check_refused(amitap):
    database = amitap.folder / "pickup.db"

    def refused(what, arguments, words):
        got = amitap.run("explain", *arguments)
        good = got.returncode != 0 and all(word in got.stderr for word in words) and got.stderr.count("\n") <= 3
        report(what, [] if good and not got.stdout else [f"exit {got.returncode}: {got.stderr}{got.stdout}"])

    config = amitap.configure(database)
    near = ["no call pbxA-1795219490.1", "the nearest is pbxA-1795219495.136", "2026-11-21T00:04:55"]
    refused("no such call in the history: the nearest is named", ["pbxA-1795219490.1", "-c", config], near)
    refused("no such call in the recording: the nearest is named", ["pbxA-1795219490.1", raw("pickup")], near)
    refused("no such call, and no number in it", ["nonsense", "-c", config], ["no call nonsense", "it reaches from"])
    refused("a PBX that has no such call", ["pbxA-1795219495.136", "-c", config, "--pbx", "other"], ["no call"])
    refused("nothing to read", ["1.1"], ["usage:"])
    refused("no recording there", ["1.1", str(amitap.folder / "none")], ["none", "No such file"])
    refused("no history there", ["1.1", "-c", amitap.configure(amitap.folder / "none.db")], ["none.db"])
    empty = amitap.folder / "empty.db"
    history_file.create(empty).close()
    refused("an empty history", ["1.1", "-c", amitap.configure(empty)], ["holds no calls"])
    for version, words in (1, "older amitap"), (999, "newer amitap"):
        file = history_file.create(amitap.folder / f"{version}.db")
        file.execute(f"PRAGMA user_version = {version}")
        file.close()
        refused(f"a history of version {version}",
                ["1.1", "-c", amitap.configure(amitap.folder / f"{version}.db")], [words])


def check_broken(amitap):
    """What cannot be read whole is not told as if it were all."""
    wanted = "pbxA-1795219495.136"

    def told(what, path, words):
        got = amitap.run("explain", wanted, "-c", amitap.configure(path))
        good = got.returncode == 1 and not got.stdout and words in got.stderr and got.stderr.count("\n") == 1
        report(what, [] if good else [f"exit {got.returncode}: {got.stderr}{got.stdout}"])

    no_json = amitap.folder / "no-json.db"
    file = history_file.create(no_json)
    history_file.insert_records(file, amitap.replay(raw("pickup"), "events"))
    file.execute("UPDATE call_events SET body = '{' WHERE rowid = (SELECT max(rowid) FROM call_events)")
    file.commit()
    file.close()
    told("a record that is no JSON is said", no_json, "cannot be read")
    broken = amitap.folder / "broken.db"
    file = history_file.create(broken)
    file.execute("PRAGMA journal_mode = DELETE")
    history_file.insert_records(file, amitap.replay(raw("pickup"), "events"))
    body = json.dumps({"kind": "call", "linkedid": wanted, "padding": "overflow" * 4000})
    history_file.insert(file, "calls", {"linkedid": wanted, "start": "2026-11-21T00:05:00Z", "body": body})
    file.commit()
    file.close()
    bytes_of = bytearray(broken.read_bytes())
    page = bytes_of.index(b"overflow" * 400) // 4096 + 1
    bytes_of[page * 4096:page * 4096 + 4] = b"\0\0\0\0"  # the next page of the body
    broken.write_bytes(bytes_of)
    told("a damaged history is said", broken, "malformed")


def check_two_pbxs(amitap):
    file = history_file.create(amitap.folder / "two.db")
    for pbx in "east", "west":
        history_file.insert(file, "calls", {"linkedid": "1.1", "pbx": pbx, "start": "2026-01-01T00:00:00.000000Z",
                                            "body": json.dumps({"kind": "call", "pbx": pbx, "linkedid": "1.1"})})
    file.commit()
    file.close()
    config = amitap.configure(amitap.folder / "two.db")
    both = amitap.run("explain", "1.1", "-c", config)
    report("a linkedid of two PBXs is refused, with both named",
           [] if both.returncode == 1 and "east" in both.stderr and "west" in both.stderr and "--pbx" in both.stderr
           else [both.stderr])
    west = amitap.run("explain", "1.1", "-c", config, "--pbx", "west")
    report("--pbx tells them apart", [] if west.returncode == 0 and "of west" in west.stdout else [west.stderr])


def take(amitap):
    for name, wanted in CALLS:
        text = amitap.run("explain", asked(amitap, name, wanted), raw(name)).stdout
        (HERE / "expect" / f"{name}.txt").write_text(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/amitap"))
    parser.add_argument("--take", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="amitap-explain-") as folder:
        amitap = Amitap(arguments.amitap, folder)
        if arguments.take:
            take(amitap)
            return 0
        for name, wanted in CALLS:
            check_call(amitap, name, wanted)
        check_ways(amitap)
        check_escapes(amitap)
        check_refused(amitap)
        check_two_pbxs(amitap)
        check_broken(amitap)
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
