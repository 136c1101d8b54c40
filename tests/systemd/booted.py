#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap as `make install` lays it down and the head of its unit tells, started by systemd as process 1 of a container that
sees this machine's files, and changes none of them. Needs root, build/amitap, build/amisim, and cgroups that can be mounted.
One line "ok …" or "FAIL …" each.

    booted.py [NAME…]
"""
import contextlib
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
import waiting  # noqa: E402
from mounts import own_mounts  # noqa: E402
from programs import Programs, stop  # noqa: E402
from report import Report, Tests  # noqa: E402

LIMIT = 40
AMISIM = ROOT / "build/amisim"
RECORDING = ROOT / "tests/captures/answered"
PORT, PAGE = 5038, "http://127.0.0.1:8080/"  # of the container's own network
CONFIGURATION = f"""pbx main {{
  host = localhost
  port = {PORT}
  user = tap
  secret_file = "credential:main.secret"
}}
store {{ path = "/var/lib/amitap/amitap.db" }}
web {{ listen = "127.0.0.1:8080" }}
"""
# Short enough to see both come about.
DROP_IN = "[Service]\nRestartSec=1\nWatchdogSec=3\n"
SIMULATOR = f"[Service]\nExecStart=/opt/amisim --port {PORT} --loop 0 /opt/answered\n"
until = functools.partial(waiting.until, limit=LIMIT, pause=0.1)
tests = Tests()


def must(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, **more).stdout


class Machine(Programs):
    """Debian with systemd at its head: this machine's files under what is written on top, which is forgotten."""

    def __init__(self, folder):
        super().__init__(folder)
        layers, self.root = self.folder / "layers", self.folder / "root"
        layers.mkdir()
        self.root.mkdir()
        must("mount", "-t", "tmpfs", "none", layers)
        for part in ("upper", "work"):
            (layers / part).mkdir()
        must("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={layers}/upper,workdir={layers}/work", self.root)
        self.leader = None

    def write(self, path, text, mode=0o644):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode)
        file.write_text(text)

    def install(self):
        """What the README and the head of the unit tell an operator to do."""
        must("make", "-s", "-C", ROOT, "install", f"DESTDIR={self.root}")
        must("useradd", "-R", self.root, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "amitap")
        self.write("etc/amitap/main.secret", "tapsecret\n", 0o600)
        self.write("etc/amitap/amitap.conf", CONFIGURATION)
        self.write("etc/systemd/system/amitap.service.d/test.conf", DROP_IN)
        self.write("etc/systemd/system/amisim.service", SIMULATOR)
        must("cp", "-r", AMISIM, RECORDING, self.root / "opt")  # where this checkout lies may be hidden inside

    def boot(self):
        container = self.start("machine", "systemd-nspawn", f"--directory={self.root}", "--boot", "--register=no",
                               "--keep-unit", f"--machine=amitap-{os.getpid()}", "--private-network", "--console=pipe",
                               "systemd.unit=basic.target", stdin=subprocess.DEVNULL)
        children = pathlib.Path(f"/proc/{container.pid}/task/{container.pid}/children")
        until(lambda: children.read_text().split(), process=container)
        assert container.poll() is None, self.said("machine")
        self.leader = children.read_text().split()[0]
        assert until(lambda: self.run("systemctl", "is-system-running").stdout.strip() == "running"), self.said("machine")

    def run(self, *command):
        """A command inside; what it printed and its status."""
        return subprocess.run(["nsenter", "-t", self.leader, "-a", *command], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=LIMIT, check=False)

    def shown(self, name):
        return self.run("systemctl", "show", "--value", "-p", name, "amitap").stdout.strip()

    def journal(self):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", "amitap").stdout

    def serves(self):
        return self.run("curl", "-sf", f"{PAGE}healthz").returncode == 0

    def stored(self):
        return int(self.run("sqlite3", "-readonly", "/var/lib/amitap/amitap.db", "SELECT count(*) FROM cdr").stdout or 0)

    def shut_down(self):
        # Stopped as a container is: its systemd ends what runs.
        stop(self.processes["machine"], LIMIT)
        self.end_all()


def restarted(machine, before):
    """Whether systemd started it once more, and it serves again."""
    return until(lambda: int(machine.shown("NRestarts")) > before and machine.shown("SubState") == "running"
                 and machine.serves())


@tests
def it_starts_and_taps(machine):
    begin = time.monotonic()
    started = machine.run("systemctl", "start", "amisim", "amitap")
    if started.returncode != 0:
        return [started.stdout, machine.journal()]
    print(f"   told systemd after {time.monotonic() - begin:.1f} s that it is up")
    faults = [] if machine.serves() else ["the wallboard does not answer"]
    faults += [] if until(lambda: machine.stored() > 0) else ["no CDR was stored"]
    status = machine.run("cat", f"/proc/{machine.shown('MainPID')}/status").stdout
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        faults += [] if line in status else [f"not in its status: {line}"]
    files = machine.run("find", "/var/lib/amitap", "-type", "f", "!", "-perm", "600").stdout
    return faults + [f"not its own alone: {line}" for line in files.split()]


@tests
def the_secret_is_nobody_else_s(machine):
    path = "/run/credentials/amitap.service/main.secret"
    faults = [] if machine.run("cat", path).stdout == "tapsecret\n" else [f"{path} is not there"]
    other = machine.run("setpriv", "--reuid=nobody", "--clear-groups", "cat", path)
    return faults + ([] if other.returncode != 0 else ["another user reads it"])


@tests
def a_reload_does_not_end_it(machine):
    process, said = machine.shown("MainPID"), machine.journal().count("read again")
    reloaded = machine.run("systemctl", "reload", "amitap")
    faults = [] if reloaded.returncode == 0 else [reloaded.stdout]
    faults += [] if until(lambda: machine.journal().count("read again") > said) else ["it does not read its configuration again"]
    return faults + ([] if machine.shown("MainPID") == process and machine.serves() else [machine.journal()])


@tests
def killed_it_is_started_again(machine):
    before = int(machine.shown("NRestarts"))
    machine.run("systemctl", "kill", "-s", "KILL", "amitap")
    return [] if restarted(machine, before) else [machine.journal()]


@tests
def stuck_it_is_ended_and_started_again(machine):
    before = int(machine.shown("NRestarts"))
    machine.run("systemctl", "kill", "-s", "STOP", "amitap")
    faults = [] if restarted(machine, before) else ["it was left stuck"]
    faults += [] if "Watchdog timeout" in machine.journal() else ["the watchdog did not bark"]
    return faults and [*faults, machine.journal()]


@tests
def it_stops_cleanly(machine):
    stopped = machine.run("systemctl", "stop", "amitap")
    said = machine.journal().splitlines()[-4:]
    result = machine.shown("Result"), machine.shown("ExecMainStatus")
    good = stopped.returncode == 0 and result == ("success", "0") and any("logged off" in line for line in said)
    return [] if good else [stopped.stdout, result, said]


@tests
def a_fault_in_its_configuration_is_in_the_journal(machine):
    machine.write("etc/amitap/amitap.conf", CONFIGURATION.replace("port =", "prot ="))
    started = machine.run("systemctl", "start", "amitap")
    return [] if started.returncode != 0 and re.search(r"amitap\.conf:3: .*prot", machine.journal()) else [machine.journal()]


def main():
    own_mounts()
    report = Report()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, contextlib.ExitStack() as at_end:
        machine = Machine(folder)
        at_end.callback(lambda: must("umount", "-l", machine.root, machine.folder / "layers"))
        machine.install()
        at_end.callback(machine.shut_down)
        machine.boot()
        print(f"   {machine.run('systemctl', '--version').stdout.splitlines()[0]}, process 1 of a container")
        for name, test in tests.chosen(sys.argv[1:]).items():
            report.attempt(name, functools.partial(test, machine))
    return report.finish()


sys.exit(main())
