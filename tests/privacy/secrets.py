#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Secrets of every kind, and where they are found afterwards: not in logs, error lines, process lists, files or answers,
and in no core dump. Needs build/amitap, build/amisim and openssl. One line "ok …" or "FAIL …" each.

    secrets.py [--amitap PROGRAM]
"""
import argparse
import contextlib
import functools
import os
import pathlib
import re
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
import waiting  # noqa: E402
from programs import Programs, end, stop  # noqa: E402
from report import Report, expect  # noqa: E402

LIMIT = 30
SECRETS = {"ami": "ami-secret-Vq7", "kafka": "kafka-secret-Jd2", "privacy": "privacy-secret-Tz9-0123456789abcdef",
           "password": "person-secret-Wm4"}
NOBODY = 65534
wait_for = functools.partial(waiting.wait_for, limit=LIMIT)


class Stage:
    """A folder with secrets in files, and a configuration that names them."""

    def __init__(self, program, folder):
        self.program, self.folder, self.web = program, folder, waiting.free_port()
        self.config, self.users = folder / "amitap.conf", folder / "users"
        for name in ("ami", "kafka", "privacy"):
            self.secret_file(name, SECRETS[name])
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2", "-subj", "/CN=localhost", "-keyout", folder / "web.secret", "-out", folder / "web.pem"],
                       check=True, capture_output=True)
        key = (folder / "web.secret").read_text()
        self.said = {"key": key.splitlines()[1], **SECRETS}  # what must be found nowhere
        self.write()
        self.amitap("user", "add", "-c", self.config, "anna", stdin=SECRETS["password"] + "\n")
        self.said["token"] = self.amitap("token", "add", "-c", self.config, "machine").stdout.strip()
        self.said["code"] = self.amitap("token", "url", "-c", self.config, "lobby").stdout.strip().partition("code=")[2]

    def secret_file(self, name, text, mode=0o600):
        path = self.folder / f"{name}.secret"
        path.write_text(text + "\n")
        path.chmod(mode)
        return path

    def write(self, port=1, more=""):
        f = self.folder
        self.config.write_text(
            f"pbx main {{\n host = 127.0.0.1\n port = {port}\n user = tap\n secret_file = '{f}/ami.secret'\n}}\n"
            f"store {{\n path = '{f}/amitap.db'\n privacy = hmac\n privacy_key_file = '{f}/privacy.secret'\n}}\n"
            f"kafka {{\n brokers = '127.0.0.1:1'\n properties = {{ 'security.protocol=sasl_plaintext', "
            f"'sasl.mechanism=PLAIN', 'sasl.username=tap', 'sasl.password_file={f}/kafka.secret' }}\n}}\n"
            f"web {{\n listen = '127.0.0.1:{self.web}'\n users_file = '{self.users}'\n tls_certificate = '{f}/web.pem'\n"
            f" tls_key = '{f}/web.secret'\n}}\n{more}")

    def amitap(self, *words, stdin="", good=True):
        done = subprocess.run([str(word) for word in (self.program, *words)], input=stdin, text=True, capture_output=True,
                              timeout=LIMIT, check=False)
        expect((done.returncode == 0) == good, f"{words}: exit {done.returncode}: {done.stderr}")
        return done

    def nowhere(self, places):
        for place, text in places.items():
            text = text if isinstance(text, bytes) else text.encode()
            for name, secret in self.said.items():
                expect(secret.encode() not in text, f"{place} holds the secret of {name}: {text[:2000]!r}")

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file() and path.suffix != ".secret"}


def sim(stage, secret):
    programs = Programs(stage.folder)
    stage.write(programs.start_amisim(ROOT / "build/amisim", "--secret", secret, "--loop", "0", ROOT / "tests/captures/answered"))
    return programs.processes["amisim"]


def unlimited():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def answers(stage):
    """What the web side tells, to whom it knows and to strangers; the token is in no answer."""
    context = ssl._create_unverified_context()
    base, out = f"https://localhost:{stage.web}", {}
    for path in ("/", "/login", "/healthz", "/metrics", "/api/v1/state", "/nothing"):
        for bearer in ("", stage.said["token"]):
            request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {bearer}"} if bearer else {})
            try:
                with urllib.request.urlopen(request, context=context, timeout=LIMIT) as answer:
                    out[path] = out.get(path, b"") + str(answer.headers).encode() + answer.read()
            except urllib.error.HTTPError as error:
                out[path] = out.get(path, b"") + str(error.headers).encode() + error.read()
    return out


def a_run_tells_none(stage):
    process = sim(stage, SECRETS["ami"])
    log, tap = stage.folder / "log", None
    try:
        with log.open("ab") as out:
            tap = subprocess.Popen([stage.program, "run", "-c", stage.config], stderr=out, cwd=stage.folder, preexec_fn=unlimited)
        wait_for(lambda: b"following events" in log.read_bytes(), "amitap follows", process=tap)
        proc = pathlib.Path(f"/proc/{tap.pid}")
        stage.nowhere({name: (proc / name).read_bytes() for name in ("cmdline", "environ")})
        expect(re.search(r"Max core file size +0 +0 ", (proc / "limits").read_text()), "core dumps are not forbidden")
        with contextlib.suppress(urllib.error.URLError):
            stage.nowhere(answers(stage))
        wait_for(lambda: b"kafka" in log.read_bytes(), "Kafka's fault is said", process=tap)
        tap.send_signal(signal.SIGSEGV)
        tap.wait(LIMIT)
        expect(not list(stage.folder.glob("core*")), "a core dump")
        with log.open("ab") as out:
            tap = subprocess.Popen([stage.program, "run", "-c", stage.config], stderr=out, cwd=stage.folder)
        wait_for(lambda: log.read_bytes().count(b"following events") == 2, "amitap follows again", process=tap)
        expect(stop(tap, LIMIT) == 0, log.read_text())
    finally:
        end(tap, process)
    stage.nowhere(stage.files())


def no_other_process_may_look_into_it(stage):
    """Files of a process that may not be dumped belong to root, also where it runs as somebody else."""
    program = stage.folder / "amitap"
    shutil.copy(stage.program, program)
    stage.folder.chmod(0o755)
    program.chmod(0o755)
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    sleeper = subprocess.Popen([program, "replay", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               env=environment, **({"user": NOBODY} if os.getuid() == 0 else {}))
    try:
        proc = pathlib.Path(f"/proc/{sleeper.pid}/environ")
        wait_for(lambda: b"\0" in pathlib.Path(f"/proc/{sleeper.pid}/cmdline").read_bytes(), "it runs", process=sleeper)
        wait_for(lambda: proc.stat().st_uid == 0, "its memory is its own", process=sleeper)
    finally:
        end(sleeper)
        program.unlink()


def a_wrong_secret_is_said_without_it(stage):
    process = sim(stage, "another")
    try:
        done = stage.amitap("run", "-c", stage.config, good=False)
    finally:
        end(process)
    expect(done.stderr, "nothing is said")
    stage.nowhere({"the log": done.stderr, "stdout": done.stdout})


def faults_beside_a_secret_do_not_show_it(stage):
    stage.write()
    good = stage.config.read_text()
    inline = f"secret = '{SECRETS['ami']}'"
    for old, new in (("secret_file =", f"secret = {SECRETS['ami']}#x\n secret_file ="), ("secret_file =", f"{inline}\n secret_file ="),
                     ("user = tap", f"{inline} {inline}\n user = tap"), ("user = tap", f"secrt = '{SECRETS['ami']}'\n user = tap"),
                     ("user = tap", f"secret = '{SECRETS['ami']}\n user = tap"), ("secret_file", f"secret = \"{SECRETS['ami']}${{X}}\" #"),
                     ("sasl.password_file=", f"sasl.password={SECRETS['kafka']}', 'x="),
                     ("sasl.mechanism=PLAIN", f"ssl.key.password={SECRETS['kafka']}"),
                     ("sasl.mechanism=PLAIN", "sasl.mechanism=NONE")):
        stage.config.write_text(good.replace(old, new, 1))
        done = stage.amitap("check", "-c", stage.config, good=False)
        stage.nowhere({f"check of {new.split('=')[0]}": done.stderr + done.stdout})
    for name, text in (("ami", SECRETS["ami"] + "\nsecond line"), ("ami", SECRETS["ami"] * 100), ("privacy", SECRETS["privacy"][:15]),
                       ("privacy", SECRETS["privacy"] * 10)):
        stage.write()
        stage.secret_file(name, text)
        done = stage.amitap("check", "-c", stage.config, good=False)
        expect(SECRETS[name][:12] not in done.stderr, done.stderr)
        stage.secret_file(name, SECRETS[name])
    (stage.folder / "web.secret").rename(stage.folder / "kept.secret")
    stage.secret_file("web", SECRETS["password"] + stage.said["key"])
    done = stage.amitap("check", "-c", stage.config, good=False)
    stage.nowhere({"check of a wrong key": done.stderr})
    (stage.folder / "kept.secret").rename(stage.folder / "web.secret")
    stage.amitap("check", "-c", stage.config)


def files_that_everybody_can_read_are_named(stage):
    stage.write()
    said = stage.amitap("check", "-c", stage.config).stderr
    expect("everybody" not in said and "others" not in said, f"named though none is open: {said}")
    for name in ("ami", "kafka", "privacy", "web"):
        path = stage.folder / f"{name}.secret"
        path.chmod(0o644)
        said = stage.amitap("check", "-c", stage.config).stderr
        expect(str(path) in said and ("everybody" in said or "others" in said), f"{name}: {said}")
        path.chmod(0o600)
    stage.config.write_text(stage.config.read_text().replace(f"secret_file = '{stage.folder}/ami.secret'", "secret = 'x'"))
    stage.config.chmod(0o644)
    expect("a file that everybody can read" in stage.amitap("check", "-c", stage.config).stderr, "the configuration itself")
    stage.config.chmod(0o600)
    said = stage.amitap("check", "-c", stage.config).stderr
    expect("everybody" not in said, f"named though it is not open: {said}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", type=pathlib.Path, default=ROOT / "build/amitap")
    program = parser.parse_args().amitap.resolve()
    report = Report()
    for test in (a_run_tells_none, no_other_process_may_look_into_it, a_wrong_secret_is_said_without_it,
                 faults_beside_a_secret_do_not_show_it, files_that_everybody_can_read_are_named):
        with tempfile.TemporaryDirectory(prefix="amitap-secrets-") as folder:
            report.attempt(test.__name__.replace("_", " "), lambda: test(Stage(program, pathlib.Path(folder))))
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
