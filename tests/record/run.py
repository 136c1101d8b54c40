#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds `amitap record` to its word: every byte is kept, and a scrubbed recording gives the same rows without the
numbers and names. Needs build/amitap. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM]
"""
import argparse
import collections
import glob
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time

from fake_pbx import FakePbx

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
from programs import end  # noqa: E402
from report import Report  # noqa: E402
from waiting import wait_for  # noqa: E402

NAME_HEADER = re.compile(r"^(?:\w*CallerIDName|\w*ConnectedLineName|MemberName): (.+)$", re.M)
NUMBER_HEADER = re.compile(r"^\w*(?:CallerIDNum|ConnectedLineNum|Exten): (\+?\d{5,})$", re.M)
# What a person typed or is called: it differs in a scrubbed row, and nothing else does.
PERSONAL = {"clid", "src", "dst", "caller_number", "caller_name", "number", "name", "dialled", "userfield", "lastdata",
            "args", "agent", "member", "transferred_to", "appdata"}
LIMIT = 30

report = Report()
recorders = []


class Recorder:
    """One run of `amitap record` in a folder of its own."""

    def __init__(self, program, folder, port, *options):
        self.out = folder / f"out-{len(list(folder.iterdir()))}.raw"
        config = folder / f"{self.out.stem}.conf"
        config.write_text(f"pbx main {{ host = 127.0.0.1\n port = {port}\n user = tap\n secret = 'x'\n }}\n")
        self.process = subprocess.Popen([program, "record", "-c", config, "-o", self.out, *options],
                                        stderr=subprocess.PIPE, text=True)
        recorders.append(self.process)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        _, self.said = self.process.communicate(timeout=LIMIT)
        return self.process.returncode


def replay(program, path):
    run = subprocess.run([program, "replay", "--records", "events", path], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def captures():
    return sorted(glob.glob(str(ROOT / "tests/captures/*/ami.raw")))


def check_raw(program, folder):
    stream = b"".join(pathlib.Path(path).read_bytes() for path in captures()[:6])
    pbx = FakePbx([stream])
    recorder = Recorder(program, folder, pbx.port)
    wait_for(lambda: recorder.out.exists() and recorder.out.stat().st_size >= len(stream), "all is kept", LIMIT)
    time.sleep(0.3)
    status = recorder.stop(signal.SIGINT)
    pbx.close()
    faults = [f"exit status {status}: {recorder.said}"] if status else []
    if recorder.out.read_bytes() != pbx.sent[0]:
        faults.append("the file is not what was sent")
    if stat.S_IMODE(recorder.out.stat().st_mode) != 0o600:
        faults.append("others may read the file")
    report("every byte is kept", faults)

    before = recorder.out.read_bytes()
    again = subprocess.run([program, "record", "-c", recorder.out.with_suffix(".conf"), "-o", recorder.out],
                           stderr=subprocess.PIPE, text=True, check=False, timeout=LIMIT)
    report("a file that exists is left alone",
           [] if again.returncode == 1 and "exists" in again.stderr and recorder.out.read_bytes() == before
           else [f"exit status {again.returncode}: {again.stderr}"])


def personal_words(text):
    """The numbers and names of a recording that must not be found in what is shown of it."""
    words = set(NUMBER_HEADER.findall(text))
    for name in NAME_HEADER.findall(text):
        name = re.sub(r"\\(.)", r"\1", name.strip())
        if "/" not in name and len(name) >= 3 and re.search(r"[^\d+]", name) and name != "<unknown>":
            words.add(name)
    words |= {word.lstrip("+") for word in words if word.startswith("+")}
    return words


def found_in(words, text):
    lower = text.lower()
    return [word for word in sorted(words)
            if word.lower() in lower and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.I)]


def without_people(value):
    if isinstance(value, dict):
        return {key: "…" if key in PERSONAL and item else without_people(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_people(item) for item in value]
    return value


def check_mapping(before, after):
    """The same word is replaced by the same word everywhere, and different ones by different ones."""
    there, back = {}, {}
    for one, other in zip(before, after):
        for key in ("caller_number", "caller_name", "src"):
            if one.get(key):
                if there.setdefault(one[key], other[key]) != other[key]:
                    yield f"{one[key]} is {there[one[key]]} and {other[key]}"
                if back.setdefault(other[key], one[key]) != one[key]:
                    yield f"{other[key]} stands for {back[other[key]]} and {one[key]}"


def check_scrubbed(program, folder, paths, what):
    stream = b"".join(pathlib.Path(path).read_bytes() for path in paths)
    pbx = FakePbx([stream])
    recorder = Recorder(program, folder, pbx.port, "--scrub")
    wait_for(lambda: pbx.sent and pbx.sent[0].endswith(b"Permission denied\r\n\r\n"), "all was sent", LIMIT)
    time.sleep(0.5)
    early = recorder.out.stat().st_size
    leftovers = [path.name for path in folder.iterdir() if path.name.startswith(recorder.out.name + ".")]
    status = recorder.stop()
    pbx.close()
    sent = folder / "sent.raw"
    sent.write_bytes(pbx.sent[0])
    text, shown = (path.read_bytes().decode(errors="replace") for path in (sent, recorder.out))
    words = personal_words(text)
    before, after = replay(program, sent), replay(program, recorder.out)
    kinds = collections.Counter(record["kind"] for record in before)
    faults = [f"exit status {status}: {recorder.said}"] if status else []
    faults += [f"{early} bytes stood in the file before they were scrubbed"] * bool(early)
    faults += [f"{name} was left" for name in leftovers]
    faults += [f"{word} is still there" for word in found_in(words, shown)]
    if not words or not kinds["cdr"]:
        faults.append("the recording shows nothing")
    if len(before) != len(after):
        faults.append(f"{len(before)} records became {len(after)}")
    faults += [f"{one}\n   became {other}" for one, other in zip(before, after)
               if without_people(one) != without_people(other)]
    faults += check_mapping(before, after)
    if text.count("\r\n") != shown.count("\r\n"):
        faults.append("the recording has other lines")
    report(f"{what}: scrubbed, {kinds['cdr']} CDRs and {len(before)} records are the same without "
           f"{len(words)} numbers and names", faults)
    return shown


def check_key(program, folder):
    shown = [check_scrubbed(program, folder, captures()[:1], "first run"),
             check_scrubbed(program, folder, captures()[:1], "second run")]
    report("another run has another key", [] if shown[0] != shown[1] else ["both replaced the same way"])


def check_reconnect(program, folder):
    first, second = (pathlib.Path(path).read_bytes() for path in captures()[2:4])
    cut = first[:len(first) - 100]
    pbx = FakePbx([cut, second])
    recorder = Recorder(program, folder, pbx.port)
    wait_for(lambda: len(pbx.sent) == 2 and recorder.out.stat().st_size >= len(cut) + len(second), "both are kept", LIMIT)
    time.sleep(0.3)
    status = recorder.stop()
    pbx.close()
    faults = [f"exit status {status}: {recorder.said}"] if status else []
    if recorder.out.read_bytes() != pbx.sent[0] + b"\r\n\r\n" + pbx.sent[1]:
        faults.append("the file is not both sessions with a blank line between")
    report("a lost PBX is taken up again behind a blank line", faults)


def check_ends(program, folder):
    pbx = FakePbx([b""])
    recorder = Recorder(program, folder, pbx.port, "--seconds", "1")
    begin = time.monotonic()
    status = recorder.wait()
    took = time.monotonic() - begin
    pbx.close()
    report("--seconds ends it", [] if status == 0 and 0.8 < took < 4 else [f"status {status} after {took:.1f} s"])
    recorder = Recorder(program, folder, 1, "--seconds", "1")
    status = recorder.wait()
    report("where nobody listens no file is left",
           [] if status == 1 and not recorder.out.exists() else [f"exit status {status}: {recorder.said}"])
    wrong = subprocess.run([program, "record", "-o", folder / "x"], stderr=subprocess.PIPE, check=False)
    report("wrong arguments are told", [] if wrong.returncode == 2 else [f"exit status {wrong.returncode}"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=ROOT / "build/amitap")
    program = parser.parse_args().amitap
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_raw(program, folder)
        for path in captures()[::8]:
            check_scrubbed(program, folder, [path], pathlib.Path(path).parent.name)
        check_scrubbed(program, folder, captures(), "all")
        check_key(program, folder)
        check_reconnect(program, folder)
        check_ends(program, folder)
    return report.status()


try:
    sys.exit(main())
finally:
    end(*recorders)
