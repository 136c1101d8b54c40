#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/systemd/amitap.service: what systemd says of it, how `make install` lays it down, and amitap under it as far as that
goes without systemd as process 1 (confine.py). Needs root, build/amitap, build/amisim. One line "ok …" or "FAIL …" each.

    run.py [unit_is_tight|unit_is_right|confined|watched …]
"""
import contextlib
import functools
import os
import pathlib
import re
import shutil
import socket
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
from stored import query  # noqa: E402

HERE = ROOT / "tests/systemd"
UNIT = ROOT / "examples/systemd/amitap.service"
AMITAP, AMISIM = ROOT / "build/amitap", ROOT / "build/amisim"
RECORDING = ROOT / "tests/captures/answered"
SCORE_MAX = 1.5
PYTHON = "/usr/bin/python3"  # Debian's, which python3-seccomp belongs to
LIMIT = 30
report = Report()
until = functools.partial(waiting.until, limit=LIMIT)


def run(*command, **more):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, check=False, **more)


def score(text):
    """The exposure that systemd gives a unit with this text, 0 to 10."""
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder) / "amitap.service"
        unit.write_text(text)
        said = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit).stdout
    found = re.search(r"Overall exposure level for amitap\.service: ([\d.]+)", said)
    return float(found[1]) if found else 10.0


def unit_is_tight():
    text = UNIT.read_text()
    value = score(text)
    report(f"systemd-analyze security: {value}, at most {SCORE_MAX}", [] if value <= SCORE_MAX else [value])
    value = score(text.replace("IPAddressAllow=localhost\n", "IPAddressAllow=localhost 10.0.0.0/8\n"))
    report(f"with another PBX's network let in: {value}", [] if value <= SCORE_MAX else [value])
    value = score(text.replace("SystemCallFilter=@system-service\n", "").replace("CapabilityBoundingSet=\n", ""))
    report(f"without two of its lines it would be {value}", [] if value > SCORE_MAX else [value])


def unit_is_right():
    with tempfile.TemporaryDirectory() as folder:
        said = run("make", "-s", "-C", ROOT, "install", f"DESTDIR={folder}", "PREFIX=/opt/amitap")
        unit = pathlib.Path(folder) / "opt/amitap/lib/systemd/system/amitap.service"
        installed = unit.read_text() if unit.exists() else ""
        report("make install lays it down with its own paths", [] if "ExecStart=/opt/amitap/bin/amitap run" in installed
               and "/usr/local" not in installed and os.access(f"{folder}/opt/amitap/bin/amitap", os.X_OK) else [said.stdout])
        unit = pathlib.Path(folder) / "amitap.service"
        unit.write_text(installed.replace("/opt/amitap/bin", f"{folder}/opt/amitap/bin"))
        said = run("systemd-analyze", "verify", "--man=no", unit)
        report("systemd-analyze verify", [] if said.returncode == 0 and not said.stdout else [said.stdout])


class Daemon(Programs):
    """amisim, and amitap with a socket of systemd's to tell how it stands."""

    def __init__(self, folder, *before, environment=()):
        super().__init__(folder)
        self.state = folder / "state"
        self.state.mkdir()
        credentials = folder / "credentials"
        credentials.mkdir()
        (credentials / "main.secret").write_text("tapsecret\n")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        os.chmod(folder / "notify", 0o777)
        for path in (folder, credentials):
            os.chmod(path, 0o755)
        port = self.start_amisim(AMISIM, "--loop", "0", RECORDING)
        config = folder / "amitap.conf"
        config.write_text(f"pbx main {{\n host = localhost\n port = {port}\n user = tap\n"
                          f" secret_file = \"credential:main.secret\"\n}}\nstore {{ path = \"{self.state}/amitap.db\" }}\n"
                          "web { listen = \"127.0.0.1:0\" }\n")
        self.tap = self.start("amitap", *before, AMITAP, "run", "-c", config,
                              env=dict(os.environ, NOTIFY_SOCKET=str(folder / "notify"),
                                       CREDENTIALS_DIRECTORY=str(credentials), **dict(environment)))

    def told(self, word, seconds):
        """Whether systemd is told that within so long; what was told before is dropped."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if self.socket.recv(200).decode() == word:
                    return True
            except TimeoutError:
                break
        return False

    def rows(self):
        path = self.state / "amitap.db"
        return query(path, "SELECT count(*) FROM cdr")[0][0] if path.exists() else 0

    def stop(self):
        status = stop(self.tap, LIMIT)
        self.end_all()
        self.socket.close()
        return status


@contextlib.contextmanager
def folder_for_all():
    """Not in /tmp, whose mounts differ; nobody may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        yield pathlib.Path(name)


def confined():
    """With no capability, no write but to its state, and the system calls of the unit's list it does its work."""
    with folder_for_all() as folder:
        build = folder / "bin"
        build.mkdir()
        shutil.copy(AMITAP, build / "amitap")
        daemon = Daemon(folder, PYTHON, HERE / "confine.py", UNIT, folder / "state")
        faults = [] if daemon.told("READY=1", LIMIT) else ["READY=1 was not told"]
        status = pathlib.Path(f"/proc/{daemon.tap.pid}/status").read_text() if daemon.tap.poll() is None else ""
        for line in ("CapBnd:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Uid:\t65534"):
            if line not in status:
                faults.append(f"not in its status: {line}")
        if not until(lambda: daemon.rows() > 0):
            faults.append("no CDR was stored")
        address = re.search(r"wallboard at (http://\S+)", daemon.said("amitap"))
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(address[1] + "healthz" if address else "http://127.0.0.1:1/", timeout=LIMIT) as answer:
                address = answer.status == 200
        if address is not True:
            faults.append("the wallboard does not answer")
        code = daemon.stop()
        if code != 0:
            faults.append(f"exit status {code}")
        report("amitap under the unit's restrictions taps, stores, serves and stops", faults and [daemon.said("amitap"), *faults])


def watched():
    """The watchdog is fed while the writer gets on, not while it is stuck, and again afterwards."""
    with folder_for_all() as folder:
        shim, flag = folder / "freeze.so", folder / "frozen"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", shim, ROOT / "tests/loop/freeze.c", "-ldl"], check=True)
        daemon = Daemon(folder, environment={"WATCHDOG_USEC": "4000000", "LD_PRELOAD": str(shim), "AMITAP_FREEZE": str(flag)})
        faults = [] if daemon.told("WATCHDOG=1", 10) and daemon.told("WATCHDOG=1", 10) else ["it is not fed"]
        flag.touch()
        begun = 0  # turns that had begun are told of yet
        while begun < 4 and daemon.told("WATCHDOG=1", 3):
            begun += 1
        if begun == 4:
            faults.append("it is fed although the writer is stuck")
        flag.unlink()
        if not daemon.told("WATCHDOG=1", 10):
            faults.append("it is not fed any more")
        code = daemon.stop()
        report("the watchdog is fed by the loop while the writer gets on", faults and [daemon.said("amitap"), code, *faults])


def main():
    stages = (unit_is_tight, unit_is_right, confined, watched)
    for stage in stages:
        if len(sys.argv) == 1 or stage.__name__ in sys.argv[1:]:
            stage()
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
