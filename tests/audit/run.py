#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`amitap audit` against amisim, and what a PBX is asked by every command that talks to one. Needs build/amitap and
build/amisim. One line "ok …" or "FAIL …" each. The same against a real Asterisk: tests/asterisk/live.py.

    run.py [--amitap PROGRAM] [--amisim PROGRAM]
"""
import argparse
import contextlib
import functools
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / path) for path in ("tests/kit", "tests/asterisk", "tests/record")]
import least  # noqa: E402
import waiting  # noqa: E402
from fake_pbx import FakePbx  # noqa: E402
from programs import Programs, stop  # noqa: E402
from report import Report  # noqa: E402

RECORDING = ROOT / "tests/captures/queue-answered"
LIMIT = 30
# What any account may do, with an empty write= too, of the actions that amisim knows; and what class reporting adds.
EVERY_ACCOUNT = {"BridgeDestroy", "BridgeKick", "QueueChangePriorityCaller", "QueueReload", "QueueReset",
                 "QueueWithdrawCaller"}
BY_REPORTING = {"Getvar", "PJSIPQualify", "PJSIPUnregister", "Status"}
# All that may ever be asked of a PBX, by which commands.
AUDIT_ASKS = ["Challenge", "Login", "CoreSettings", "ListCommands", "Logoff"]
RUN_ASKS = ["Challenge", "Login", "CoreStatus", "CoreShowChannels", "Status", "BridgeList", "QueueStatus",
            "DeviceStateList", "PJSIPShowRegistrationsOutbound", "Logoff"]
report = Report()
until = functools.partial(waiting.until, limit=LIMIT)


@contextlib.contextmanager
def pbx(program, *options):
    """An amisim: its port, and a function that gives the (verdict, action) pairs it was asked."""
    with tempfile.TemporaryDirectory() as name:
        asked, programs = pathlib.Path(name) / "asked", Programs(name)
        try:
            port = programs.start_amisim(program, "--loop", "0", "--record", asked, *options, RECORDING)
            yield port, lambda: [tuple(line.split()[2:4]) for line in asked.read_text().splitlines()]
        finally:
            programs.end_all()


class Silent(FakePbx):
    """Lets anybody in, and says nothing more."""

    def _answer_until_closed(self, client):
        for _action in self.actions:
            pass


class Tests:
    def __init__(self, options, folder):
        self.amitap, self.amisim, self.folder = options.amitap, options.amisim, folder

    def configure(self, port, *keys, secret="tapsecret", more=""):
        file = self.folder / "amitap.conf"
        file.write_text(f"pbx main {{\n host = 127.0.0.1\n port = {port}\n user = tap\n secret = '{secret}'\n"
                        + "".join(f" {key}\n" for key in keys) + f"}}\n{more}")
        return file

    def audit(self, *arguments):
        return subprocess.run([self.amitap, "audit", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=LIMIT, text=True, check=False)

    def account(self, what, write, status, expected, *keys):
        """An account with these write classes: what it can change, by class, and that nothing else was asked."""
        with pbx(self.amisim, "--write", write) as (port, asked):
            done = self.audit("-c", self.configure(port, *keys), "--json")
            faults = [] if done.returncode == status else [f"exit status {done.returncode}, not {status}", done.stderr]
            found = json.loads(done.stdout or '{"changes": []}')
            classes = {}
            for action in found["changes"]:
                classes.setdefault(action["class"], set()).add(action["action"])
            faults += [f"{name or 'no class'}: {sorted(classes.get(name, ()))}, not {sorted(actions)}"
                       for name, actions in expected.items() if not actions <= classes.get(name, set())]
            faults += [f"{name} is not expected" for name in classes if name not in expected]
            names = [action for _verdict, action in asked()]
            if names != AUDIT_ASKS:
                faults.append(f"the PBX was asked {names}")
            report(what, faults)
            return found

    def text(self):
        """What people read: every action under its class with one sentence, then the section."""
        with pbx(self.amisim) as (port, _asked):
            said = self.audit("-c", self.configure(port, "trunks = { \"PJSIP/carrier\" }"))
            expected = (ROOT / "tests/audit/text.expect").read_text()
            got = said.stdout.replace(f":{port}", ":PORT").replace(f"port = {port}", "port = PORT")
            report("the text for people", [] if got == expected else ["not as in tests/audit/text.expect:", *got.splitlines()])

    def example(self):
        """examples/manager.conf is what is printed for an Asterisk 22, but for what is another one on each machine."""
        with pbx(self.amisim) as (port, _asked):
            section = json.loads(self.audit("-c", self.configure(port), "--json").stdout)["section"]
        printed, kept = (least.effective(text) for text in (section, (ROOT / "examples/manager.conf").read_text()))
        report("examples/manager.conf is what is printed", [line for line in printed if line not in kept]
               + [line for line in kept if line not in printed])

    def fails(self, what, status, words, *arguments):
        done = self.audit(*arguments)
        report(what, [] if done.returncode == status and words in done.stderr and not done.stdout else
               [f"exit status {done.returncode}, not {status}", done.stderr])

    def run(self):
        every = {"": EVERY_ACCOUNT}
        found = self.account("an account with write=reporting", "reporting", 1, {**every, "reporting": BY_REPORTING})
        report("its section has the filters of a new Asterisk",
               [] if "\neventfilter(action(include),name(VarSet)" in found["section"] else [found["section"]])
        found = self.account("the least of all", "", 0, every, "list_channels = no")
        report("its section asks for no write class, and has the older filters since the version is not told",
               [] if "\nwrite =  ;" in found["section"] and "\neventfilter = ^Event: VarSet" in found["section"]
               and found["asterisk"] is None else [found["section"]])
        self.account("one that may start calls", "reporting,originate", 1, {**every, "reporting": BY_REPORTING,
                                                                            "originate": {"Originate"}})
        self.account("one that may do anything", "all", 1,
                     {**every, "reporting": set(), "call": {"Redirect", "Setvar"}, "command": {"Command"},
                      "originate": {"Originate"}, "system": {"DBPut", "ModuleLoad"}, "agent": {"QueueAdd"},
                      "user": {"UserEvent"}})
        self.text()
        self.example()
        self.failures()
        self.asked_by_run()

    def failures(self):
        with pbx(self.amisim) as (port, _asked):
            self.fails("a wrong secret", 3, f"pbx main: LOG-IN REFUSED by 127.0.0.1:{port}: Authentication failed", "-c",
                       self.configure(port, secret="wrong"))
            self.fails("a section that is not there", 3, "no pbx section named \"other\"", "-c", self.configure(port),
                       "--pbx", "other")
        for what, server, words in (
                ("a PBX that refuses the question", FakePbx([b""]), "pbx main: ListCommands is refused: Permission denied"),
                ("one that does not answer it", Silent([b""]), "pbx main: no answer to ListCommands within 1 s"),
                ("one that hangs up", FakePbx([b""], hold_open=False), "pbx main: connection lost to 127.0.0.1")):
            self.fails(what, 3, words, "-c", self.configure(server.port, "connect_seconds = 1"))
            server.close()
        port = waiting.free_port()
        self.fails("nobody listens", 3, f"pbx main: cannot connect to 127.0.0.1:{port}: Connection refused", "-c",
                   self.configure(port))
        self.fails("a file that is not there", 3, "nosuch.conf", "-c", self.folder / "nosuch.conf")
        self.fails("used wrongly", 2, "usage: amitap audit")
        self.fails("used wrongly, with a word too many", 2, "usage: amitap audit", "-c", "x", "y")

    def asked_by_run(self):
        """A tap with every list switched on: what it asks is on the list of what may be asked, in this order."""
        for keys, left_out in (((), set()), (("list_channels = no",), {"CoreStatus", "CoreShowChannels", "Status",
                                                                      "DeviceStateList"})):
            with pbx(self.amisim) as (port, asked):
                config = self.configure(port, "list_registrations = yes", *keys,
                                        more=f"store {{ path = \"{self.folder}/{len(keys)}.db\" }}\n")
                with (self.folder / "log").open("w") as log:
                    tap = subprocess.Popen([self.amitap, "run", "-c", config], stderr=log)
                until(lambda: any(action == RUN_ASKS[-2] for _verdict, action in asked()), process=tap)
                status = stop(tap, LIMIT)
                until(lambda: asked()[-1][1] == "Logoff")
                names = [action for verdict, action in asked() if verdict == "allowed" and action != "BridgeInfo"]
                expected = [action for action in RUN_ASKS if action not in left_out]
                report(f"run asks the PBX {len(expected)} things and no others", [] if status == 0 and names == expected else
                       [f"{names}", (self.folder / "log").read_text()])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/amitap"))
    parser.add_argument("--amisim", default=str(ROOT / "build/amisim"))
    with tempfile.TemporaryDirectory() as folder:
        Tests(parser.parse_args(), pathlib.Path(folder)).run()
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
