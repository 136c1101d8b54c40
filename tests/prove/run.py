#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that the tests can fail: each patch in this folder breaks one rule, and some suite must then turn red.

    run.py [NAME…]      the patches of these names; all when none is given

A patch begins with a sentence that says what it breaks and a line "suites: NAME …", those that are tried in turn until
one fails. The patches are applied one at a time to a copy of the source in build/prove, which must pass unbroken first.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/prove"
TREE = ROOT / "build/prove/tree"
SUITE_SECONDS = 300

MAKE = ["make", "-s", "-j2", "WERROR=", "CFLAGS=-O1 -g"]
CRASH = ["power lost at commit_returned:1", "killed at rows_written:25", "killed at cursor_moved:1"]


class Suite:
    """What is built for it, and how it is run."""

    def __init__(self, build, command):
        self.build, self.command = build, command


def of_room(room):
    return Suite(MAKE + [f"ROOM={room}", "unit"], MAKE + [f"ROOM={room}", "run-unit"])


SUITES = {
    **{room: of_room(room) for room in ("parsers", "base", "link", "state", "facts", "outbox", "sinks", "view", "commands")},
    "captures": Suite(MAKE + ["all"], ["tests/compare/compare.py", "--known", "tests/compare/known"]),
    "filtered": Suite(MAKE + ["all"], ["tests/compare/compare.py", "--known", "tests/compare/known", "--eventfilter",
                                       "examples/manager.conf"]),
    "pbx_writes": Suite(["true"], ["tests/lint/pbx_writes.py"]),
    "audit": Suite(MAKE + ["all"], ["tests/audit/run.py"]),
    "tls": Suite(MAKE + ["all"], ["tests/tls/run.py"]),
    "loop": Suite(MAKE + ["all", "loop-shim"], ["tests/loop/run.py", "--rate", "3000", "--seconds", "4", "everything stuck"]),
    "overflow": Suite(MAKE + ["all", "loop-shim"], ["tests/loop/run.py", "--rate", "3000", "ring overflows"]),
    "reload": Suite(MAKE + ["all"], ["tests/reload/run.py", "another address", "faults"]),
    "metrics": Suite(MAKE + ["all"], ["tests/metrics/run.py"]),
    "kafka-acks": Suite(MAKE + ["ROOM=sinks", "unit"], ["build/unit/sinks/check_kafka_acks"]),
    "crash": Suite(MAKE + ["O=build/crash", "CRASH_POINTS=1", "build/crash/amitap"],
                   ["tests/crash/run.py", *CRASH]),
}


def arguments(name):
    if name in ("captures", "filtered"):
        folders = sorted(str(path) for path in (TREE / "tests/captures").iterdir() if path.is_dir())
        return SUITES[name].command + folders
    return SUITES[name].command


def run(command):
    """Exit status and what was printed."""
    environment = dict(os.environ, GIT_CEILING_DIRECTORIES=str(TREE.parent), PYTHONDONTWRITEBYTECODE="1")
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        environment.pop(name, None)
    try:
        done = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=SUITE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 124, f"no end after {SUITE_SECONDS} s"
    return done.returncode, done.stdout.decode(errors="replace")


def copy_source():
    """The tree as git knows it, with what has changed since; objects of an earlier run are kept."""
    TREE.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    wanted = {name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()}
    for name in wanted:
        source, copy = ROOT / name, TREE / name
        if copy.is_file() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        shutil.copymode(source, copy)
    for room in ("parsers", "collector", "schemas", "web", "tests"):
        for path in sorted((TREE / room).rglob("*"), reverse=True):
            if path.is_file() and str(path.relative_to(TREE)) not in wanted:
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()  # a case that is gone


def restore(names):
    for name in names:
        shutil.copyfile(ROOT / name, TREE / name)


def first_fault(output):
    """The line that tells which test noticed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for pattern in (r"case \S+$", r".*:F:", r".*(differs|missing|extra)", r"FAIL"):
        for line in lines:
            if re.match(pattern, line):
                return line[:110]
    return lines[-1][:110] if lines else ""


def suites_of(path):
    line = re.search(r"^suites: (.+)$", path.read_text(), re.M)
    if not line:
        sys.exit(f"prove: {path.name} has no line \"suites: …\"")
    return line[1].split()


def prove(path):
    """None when some suite noticed, else what is wrong."""
    names = re.findall(r"^\+\+\+ b/(\S+)$", path.read_text(), re.M)
    status, output = run(["git", "apply", "-C1", "--recount", str(path)])
    if status:
        restore(names)
        return f"does not fit the source any more: {output.strip()}"
    try:
        for suite in suites_of(path):
            status, output = run(SUITES[suite].build)
            if status:
                return "does not compile: " + first_fault(output)
            begin = time.monotonic()
            status, output = run(arguments(suite))
            if status:
                print(f"ok {path.stem}: red in {suite} after {time.monotonic() - begin:.0f} s: {first_fault(output)}",
                      flush=True)
                return None
        return f"nothing noticed it ({' '.join(suites_of(path))})"
    finally:
        restore(names)


def main():
    patches = sorted(HERE.glob("*.patch"))
    if len(sys.argv) > 1:
        known = {path.stem: path for path in patches}
        unknown = [name for name in sys.argv[1:] if name not in known]
        if unknown:
            sys.exit(f"prove: no patch named {', '.join(unknown)}")
        patches = [known[name] for name in sys.argv[1:]]
    copy_source()
    status, output = run(MAKE + ["all"])  # amisim, too
    for suite in sorted({suite for path in patches for suite in suites_of(path)}):
        for command in (SUITES[suite].build, arguments(suite)):
            if not status:
                status, output = run(command)
    if status:
        sys.exit(f"prove: the tests must pass before anything is broken:\n{output[-3000:]}")
    failed = 0
    for path in patches:
        wrong = prove(path)
        if wrong:
            failed += 1
            print(f"FAIL {path.stem}: {wrong}", flush=True)
    print(f"{len(patches) - failed} passed, {failed} failed")
    return 1 if failed or not patches else 0


if __name__ == "__main__":
    sys.exit(main())
