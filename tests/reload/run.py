#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SIGHUP: a changed configuration is read while amitap follows two PBXs, and what may change does, without the other PBX
noticing. Needs build/amitap and build/amisim. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--amisim PROGRAM] [NAME…]
"""
import argparse
import functools
import json
import pathlib
import re
import signal
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
import waiting  # noqa: E402
from metrics import Metrics  # noqa: E402
from programs import SANITIZER, Programs, stop  # noqa: E402
from report import Report  # noqa: E402
from stored import query  # noqa: E402

LIMIT = 10
until = functools.partial(waiting.until, limit=LIMIT)


class Scene(Programs):
    """PBXs a, b and c, and amitap, which taps a and b."""

    def __init__(self, programs, folder):
        super().__init__(folder)
        self.ports = {name: self._pbx(programs, name) for name in "abc"}
        self.web = waiting.free_port()
        self.secret = self.folder / "secret"
        self.secret.write_text("tapsecret\n")
        self.config = self.folder / "amitap.conf"
        self.programs, self.expected = programs, 0
        self.values = {"a": {"port": self.ports["a"]}, "b": {"port": self.ports["b"]}, "store": {}}
        self.tap = self._run()
        assert until(lambda: self.count("following events") == 2), self.said("amitap")

    def _run(self):
        self.write()
        return self.start("amitap", self.programs.amitap, "run", "-c", self.config)

    def begin_anew(self):
        """amitap is started once more, as the values are now, and what it said is forgotten."""
        wrong = self.end()
        assert not wrong, wrong
        (self.folder / "amitap.log").unlink()
        self.tap = self._run()

    def _pbx(self, programs, name):
        return self.start_amisim(programs.amisim, "--loop", "0", "--record", self.folder / f"{name}.actions",
                                 ROOT / "tests/captures/answered", name=name)

    def count(self, text):
        return self.said("amitap").count(text)

    def write(self, more=""):
        def lines(values):
            return "".join(f" {key} = {value}\n" for key, value in values.items())
        every = {"host": "127.0.0.1", "user": "tap", "secret_file": f"'{self.secret}'"}
        pbxs = "".join(f"pbx {name} {{\n{lines(every | values)} }}\n"
                       for name, values in self.values.items() if name != "store")
        self.config.write_text(f"{pbxs}store {{ path = '{self.folder}/amitap.db'\n{lines(self.values['store'])} }}\n"
                               f"web {{ listen = '127.0.0.1:{self.web}' }}\n{more}")

    def reload(self, more=""):
        """What amitap logs of it, one line."""
        said = re.compile(r"^.*(?:read again|not applied).*$", re.M)
        before = len(said.findall(self.said("amitap")))
        self.write(more)
        self.tap.send_signal(signal.SIGHUP)
        until(lambda: len(said.findall(self.said("amitap"))) > before)
        return (said.findall(self.said("amitap")) or [""])[-1]

    def logins(self):
        """How often each PBX was logged in to."""
        return {name: (self.folder / f"{name}.actions").read_text().count(" allowed Login") for name in "abc"}

    def reloads(self, result):
        return Metrics(self.web).get(f'amitap_config_reloads_total{{result="{result}"}}', 0)

    def gaps(self):
        return [json.loads(body) for body, in query(self.folder / "amitap.db", "SELECT body FROM gaps")]

    def close(self):
        """What is wrong with its end, if anything."""
        wrong = self.end()
        self.end_all()
        return wrong

    def end(self):
        """What is wrong with amitap's end, if anything."""
        status = stop(self.tap, LIMIT)
        said = self.said("amitap")
        bad = status != self.expected or SANITIZER.search(said)
        return [f"amitap ended with {status}: {said[-600:]}"] if bad else []


def another_address(scene):
    """PBX a is now where c is: it alone is connected to anew, and the gap says so."""
    scene.values["a"]["port"] = scene.ports["c"]
    said = scene.reload()
    yield "connecting anew: a" in said and "only a restart" not in said, said
    yield until(lambda: scene.count("following events") == 3), "it does not follow again"
    yield scene.logins() == {"a": 1, "b": 1, "c": 1}, scene.logins()
    yield until(lambda: [gap["pbx"] for gap in scene.gaps()] == ["a"]), scene.gaps()
    yield scene.reloads("applied") == 1, "not counted"


def another_secret(scene):
    """What stands in a secret file is compared too; with a wrong one the others go on, with the right one it comes back."""
    scene.secret.write_text("wrong\n")
    scene.values["b"]["ping_seconds"] = 14
    said = scene.reload()
    yield "connecting anew: a, b" in said, said
    yield until(lambda: scene.count("REFUSED") == 2), "nobody refuses it"
    scene.secret.write_text("tapsecret\n")
    said = scene.reload()
    yield "connecting anew: a, b" in said, said
    yield until(lambda: scene.count("following events") == 4), "they do not come back"


def the_same(scene):
    """Nothing changed: nothing happens."""
    said = scene.reload()
    yield "no PBX's connection changes" in said and "only a restart" not in said, said
    yield scene.logins() == {"a": 1, "b": 1, "c": 0}, scene.logins()


def needs_a_restart(scene):
    """Each key that only a restart applies is named, and no session ends."""
    scene.values["store"]["retain_days"] = 7
    scene.values["b"]["trunks"] = "{ 'PJSIP/carrier' }"
    scene.values["d"] = {"port": scene.ports["c"]}
    said = scene.reload("kafka { brokers = '127.0.0.1:9' }\n")
    yield said.endswith("only a restart applies pbx b: trunks, pbx d, store: retain_days, kafka"), said
    yield scene.logins() == {"a": 1, "b": 1, "c": 0}, scene.logins()


def faults(scene):
    """A configuration with faults is refused whole."""
    scene.values["a"]["port"] = scene.ports["c"]
    scene.values["b"]["port"] = 99999
    said = scene.reload("kafka { brokers = '127.0.0.1:9'\n properties = { 'acks=0' }\n }\n")
    yield "not applied" in said, said
    yield "port: 99999 is not within" in scene.said("amitap"), "the fault is not named"
    yield scene.reloads("refused") == 1, "not counted"
    yield scene.logins() == {"a": 1, "b": 1, "c": 0}, scene.logins()


def many_at_once(scene):
    """Twenty SIGHUPs while the address goes back and forth: the last one counts."""
    for turn in range(20):
        scene.values["a"]["port"] = scene.ports["c" if turn % 2 else "a"]
        scene.write()
        scene.tap.send_signal(signal.SIGHUP)
        time.sleep(0.05)
    scene.reload()
    yield until(lambda: scene.logins()["c"] >= 1 and scene.count("following events") >= 3), scene.said("amitap")
    yield scene.logins()["b"] == 1, scene.logins()


def stopped_while_it_reloads(scene):
    """SIGTERM right behind SIGHUP."""
    scene.values["a"]["port"] = scene.ports["c"]
    scene.write()
    scene.tap.send_signal(signal.SIGHUP)
    scene.tap.send_signal(signal.SIGTERM)
    yield until(lambda: scene.tap.poll() is not None), "it does not end"


def one_wrong_account(scene):
    """A PBX that refuses amitap again and again stops neither it nor the other one; that it did is no fault of a clean end."""
    scene.values["b"]["user"] = "nobody"
    scene.begin_anew()
    for turn in (1, 2):
        yield until(lambda n=turn: scene.count("REFUSED") == n and scene.count("following events") == 1), scene.said("amitap")
        scene.values["b"]["ping_seconds"] = 15 + turn  # it begins anew, without waiting for a minute
        scene.reload()
    yield until(lambda: scene.count("REFUSED") == 3), scene.said("amitap")
    yield scene.tap.poll() is None and "stopping" not in scene.said("amitap"), scene.said("amitap")


def every_account_wrong(scene):
    """Nobody lets amitap in: it says so and ends, and that is a fault."""
    for name in "ab":
        scene.values[name]["user"] = "nobody"
    scene.begin_anew()
    yield until(lambda: scene.tap.poll() is not None), scene.said("amitap")
    yield scene.count("no PBX lets amitap in") == 1 and scene.tap.returncode == 1, scene.said("amitap")
    scene.expected = 1


SCENES = (another_address, another_secret, the_same, needs_a_restart, faults, many_at_once, stopped_while_it_reloads,
          one_wrong_account, every_account_wrong)


def first_fault(checks):
    return next(([str(what)] for good, what in checks if not good), [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=ROOT / "build/amitap")
    parser.add_argument("--amisim", default=ROOT / "build/amisim")
    parser.add_argument("scenes", nargs="*", metavar="NAME")
    programs = parser.parse_args()
    report = Report()
    for play in SCENES:
        name = play.__name__.replace("_", " ")
        if programs.scenes and name not in programs.scenes:
            continue
        with tempfile.TemporaryDirectory() as folder:
            begin = time.monotonic()
            scene = Scene(programs, folder)
            wrong = first_fault(play(scene)) + scene.close()
            report(f"{name} ({time.monotonic() - begin:.0f} s)", wrong)
    return report.status()


sys.exit(main())
