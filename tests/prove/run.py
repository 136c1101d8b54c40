#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that the tests can fail: each patch in this folder breaks one rule, and some suite must then turn red.

    run.py [--jobs N] [NAME…]      the patches of these names; all when none is given

A patch begins with a sentence that says what it breaks and a line "suites: NAME …", those that are tried in turn until
one fails. The patches are applied one at a time to copies of the source in build/prove, one for each job; the first of them
must pass unbroken before.
"""
import argparse
import concurrent.futures
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/prove"
TREES = ROOT / "build/prove"
SUITE_SECONDS = 300

MAKE = ["make", "-s", "WERROR=", "CFLAGS=-O1 -g"]
CRASH = ["power lost at commit_returned:1", "killed at rows_written:12", "killed at cursor_moved:1"]


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
    "watchdog": Suite(MAKE + ["all"], ["tests/systemd/run.py", "watched"]),
    "audit": Suite(MAKE + ["all"], ["tests/audit/run.py"]),
    "tls": Suite(MAKE + ["all"], ["tests/tls/run.py"]),
    "loop": Suite(MAKE + ["all", "loop-shim"], ["tests/loop/run.py", "--rate", "3000", "--seconds", "4", "everything stuck"]),
    "overflow": Suite(MAKE + ["all", "loop-shim"], ["tests/loop/run.py", "--rate", "3000", "ring overflows"]),
    "reload": Suite(MAKE + ["all"], ["tests/reload/run.py", "another address", "faults", "one wrong account"]),
    "blind": Suite(MAKE + ["all"], ["tests/blind/run.py", "connection cut", "amitap killed"]),
    "clocks": Suite(MAKE + ["all"], ["tests/blind/run.py", "own clock set back"]),
    "web": Suite(MAKE + ["all"], ["tests/web/run.py", "nobody sees", "every answer", "person logs", "from one address",
                                  "hosts are", "tokens", "check says", "bodies that"]),
    "page-clocks": Suite(["true"], ["node", "tests/browser/clocks.js"]),
    "privacy": Suite(MAKE + ["all", "build/kafka_mock"], ["tests/privacy/run.py", "each place", "last digits", "erased while", "difference"]),
    "secrets": Suite(MAKE + ["all"], ["tests/privacy/secrets.py"]),
    "pages": Suite(["true"], ["tests/lint/pages.py"]),
    "metrics": Suite(MAKE + ["all"], ["tests/metrics/run.py"]),
    **{f"kafka-{name}": Suite(MAKE + ["ROOM=sinks", "unit"], [f"build/unit/sinks/check_kafka_{name}"])
       for name in ("acks", "leaders", "refusals")},
    **{name: Suite(MAKE + [f"ROOM={room}", "unit"], [f"build/unit/{room}/check_{name}"])
       for room, name in (("base", "printable"), ("base", "random"), ("outbox", "limits"), ("outbox", "writer"),
                          ("outbox", "sqlite_file"), ("outbox", "sqlite_copy"), ("sinks", "history"),
                          ("commands", "republish"), ("commands", "import"), ("commands", "session"),
                          ("commands", "session_memory"), ("commands", "check_command"))},
    "explain": Suite(MAKE + ["all"], ["tests/explain/run.py"]),
    "crash": Suite(MAKE + ["O=build/crash", "CRASH_POINTS=1", "build/crash/amitap"],
                   ["tests/crash/run.py", *CRASH]),
    "memory": Suite(MAKE + ["O=build/memory", "SANITIZE=address,undefined", "build/memory/amitap-memory"],
                    ["tests/memory/run.py", "--amitap", "build/memory/amitap-memory", "--samples", "0", "replay"]),
    "disk": Suite(MAKE + ["O=build/crash", "CRASH_POINTS=1", "build/crash/amitap"],
                  ["tests/crash/disk.py", "a full disk", "a full disk for longer than the ring holds",
                   "sync 40 and all behind it fail"]),
}


class Tree:
    """A copy of the source with what was built of it."""

    def __init__(self, number):
        self.path = TREES / f"tree{number}"

    def arguments(self, name):
        if name in ("captures", "filtered"):
            folders = sorted(str(path) for path in (self.path / "tests/captures").iterdir() if path.is_dir())
            return SUITES[name].command + folders
        return SUITES[name].command

    def run(self, command):
        """Exit status and what was printed."""
        environment = dict(os.environ, GIT_CEILING_DIRECTORIES=str(TREES), PYTHONDONTWRITEBYTECODE="1")
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
            environment.pop(name, None)
        try:
            done = subprocess.run(command, cwd=self.path, env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=SUITE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return 124, f"no end after {SUITE_SECONDS} s"
        return done.returncode, done.stdout.decode(errors="replace")

    def copy_source(self):
        """The source as git knows it, with what has changed since; objects of an earlier run are kept."""
        self.path.mkdir(parents=True, exist_ok=True)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        wanted = {name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()}
        for name in wanted:
            source, copy = ROOT / name, self.path / name
            if copy.is_file() and copy.read_bytes() == source.read_bytes():
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            shutil.copymode(source, copy)
        for room in ("parsers", "collector", "schemas", "web", "tests"):
            for path in sorted((self.path / room).rglob("*"), reverse=True):
                if path.is_file() and str(path.relative_to(self.path)) not in wanted:
                    path.unlink()
                elif path.is_dir() and not any(path.iterdir()):
                    path.rmdir()  # a case that is gone

    def copy_of(self, other):
        """All of the other tree, with what was built there."""
        shutil.rmtree(self.path, ignore_errors=True)
        subprocess.run(["cp", "-a", str(other.path), str(self.path)], check=True)

    def restore(self, names):
        for name in names:
            shutil.copyfile(ROOT / name, self.path / name)

    def passes(self, suites):
        """What is wrong with these suites while nothing is broken; None when all pass."""
        status, output = self.run(MAKE + ["-j2", "all"])  # amisim, too
        if status:
            return output[-3000:]
        for suite in suites:
            begin = time.monotonic()
            for command in (SUITES[suite].build, self.arguments(suite)):
                status, output = self.run(command)
                if status:
                    break
            if status:
                return f"{suite}: {output[-3000:]}"
            print(f"   {suite} passes unbroken, {time.monotonic() - begin:.0f} s", flush=True)
        return None

    def prove(self, path):
        """None when some suite noticed, else what is wrong."""
        names = re.findall(r"^\+\+\+ b/(\S+)$", path.read_text(), re.M)
        status, output = self.run(["git", "apply", "-C1", "--recount", str(path)])
        if status:
            self.restore(names)
            return f"does not fit the source any more: {output.strip()}"
        try:
            for suite in suites_of(path):
                status, output = self.run(SUITES[suite].build)
                if status:
                    return "does not compile: " + first_fault(output)
                begin = time.monotonic()
                status, output = self.run(self.arguments(suite))
                if status:
                    print(f"ok {path.stem}: red in {suite} after {time.monotonic() - begin:.0f} s: {first_fault(output)}",
                          flush=True)
                    return None
            return f"nothing noticed it ({' '.join(suites_of(path))})"
        finally:
            self.restore(names)


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


def chosen(names):
    patches = {path.stem: path for path in sorted(HERE.glob("*.patch"))}
    unknown = [name for name in names if name not in patches]
    if unknown:
        sys.exit(f"prove: no patch named {', '.join(unknown)}")
    return [patches[name] for name in names or patches]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("patches", nargs="*", metavar="NAME")
    options = parser.parse_args()
    # Those of one suite one after the other: the less is built anew.
    patches = sorted(chosen(options.patches), key=suites_of)
    trees = [Tree(number) for number in range(max(1, min(options.jobs, len(patches))))]
    trees[0].copy_source()
    wrong = trees[0].passes(sorted({suite for path in patches for suite in suites_of(path)}))
    if wrong:
        sys.exit(f"prove: the tests must pass before anything is broken:\n{wrong}")
    free = queue.SimpleQueue()
    for tree in trees:
        if tree is not trees[0]:
            tree.copy_of(trees[0])
        free.put(tree)

    def prove(path):
        tree = free.get()
        try:
            said = tree.prove(path)
        finally:
            free.put(tree)
        if said:
            print(f"FAIL {path.stem}: {said}", flush=True)
        return said is None

    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        good = sum(pool.map(prove, patches))
    print(f"{good} passed, {len(patches) - good} failed")
    return 0 if patches and good == len(patches) else 1


if __name__ == "__main__":
    sys.exit(main())
