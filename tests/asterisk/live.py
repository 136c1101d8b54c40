#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap runs live on a real Asterisk while scenarios are played; what it stored must equal what Asterisk wrote.

usage: live.py [NAME ...]                      these scenarios at once (default: the plain ones)
       live.py --mix SECONDS [--seed SEED]     random calls instead; the seed is printed. CDR rows that differ in a way
                                               that is in tests/compare/known are taken for equal

Its account is the one that `amitap audit` prints. Two more taps run beside it: one whose account has read=call,agent, and
one that joins while calls are up. Asterisk's own log must have their actions and no others.

The streams that they saw stay in the folder --keep, with Asterisk's own files beside them, so that tests/compare can
replay a difference. The last line counts the checks: N passed, N failed.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request

import lab as laboratory  # it says where the kit lies
import least
import manager_log
import scenarios
from programs import stop
from report import Report
from waiting import free_port

sys.path.insert(0, str(laboratory.HERE.parent / "compare"))
import cel  # noqa: E402
import compare  # noqa: E402
import journeys  # noqa: E402
import rows  # noqa: E402
import known  # noqa: E402

# All that a tap may ever ask of a PBX.
ALLOWED = {"login", "challenge", "logoff", "ping", "events", "listcommands", "queuestatus", "queuesummary", "status",
           "coreshowchannels", "bridgelist", "bridgeinfo", "devicestatelist", "coresettings", "corestatus",
           "confbridgelistrooms", "confbridgelist", "pjsipshowregistrationsoutbound"}
STAGGER = 0.7

CONFIGURATION = """\
pbx main {{
  host = 127.0.0.1
  port = {port}
  user = {user}
  secret_file = "{folder}/secret"
  trunks = {{ "PJSIP/carrier" }}
  trunk_minutes = 1
  drift_interval = 3
}}
store {{ path = "{folder}/history.db" }}
web {{ listen = "127.0.0.1:{web}" }}
"""


class Tap:
    """One amitap on the lab's PBX, through a relay that keeps both directions."""

    def __init__(self, lab, binary, user, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.heard, self.said = open(folder / "ami.raw", "wb"), open(folder / "sent.raw", "wb")
        self.relay = laboratory.Relay(lab.ports["PBX_AMI"], self.heard, self.said)
        (folder / "secret").write_text(user + "secret\n")
        (folder / "secret").chmod(0o600)
        self.web = free_port()
        (folder / "amitap.conf").write_text(
            CONFIGURATION.format(port=self.relay.port, user=user, folder=folder, web=self.web))
        with open(folder / "amitap.log", "wb") as log:
            self.process = subprocess.Popen([binary, "run", "-c", folder / "amitap.conf"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def await_snapshot(self, timeout=15):
        """True once it is logged in and its first questions are answered."""
        end, size = time.monotonic() + timeout, -1
        while time.monotonic() < end and self.process.poll() is None:
            data = (self.folder / "ami.raw").read_bytes()
            if b"Authentication accepted" in data and len(data) == size:
                return True
            size = len(data)
            time.sleep(0.5)
        return False

    def stop(self):
        """Its exit status after a clean stop was asked for, or that of a kill."""
        status = stop(self.process, 15)
        self.relay.close()
        self.heard.close()
        self.said.close()
        return status

    def state(self):
        """The live state that its wallboard gets."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/v1/state", timeout=5) as answer:
            return json.load(answer)

    def log(self):
        return (self.folder / "amitap.log").read_text(errors="replace")


def play(lab, names, checks):
    """Every scenario in a thread of its own, one beginning shortly after the other."""
    def one(name):
        try:
            scenarios.named(name)(lab)
        except Exception as error:  # whatever stops a story must be told
            troubles.append(f"{name}: {error!r}")
    troubles, threads = [], []
    for name in names:
        threads.append(threading.Thread(target=one, args=(name,)))
        threads[-1].start()
        time.sleep(STAGGER)
    for thread in threads:
        thread.join()
    checks.say(not troubles, f"{len(names)} scenarios played: {', '.join(names)}" + "".join("\n  " + t for t in troubles))


def compared(what, arguments, checks):
    """Run the comparison of tests/compare; its own lines are printed, and its verdict is one check."""
    checks.say(compare.main([*arguments, "--show", "5"]) == 0, what)


def trunk_faults(folder, state):
    """Whether the trunk's intervals and its present figures hold every channel of the carrier's in the stream, once."""
    raw = (folder / "ami.raw").read_bytes().decode(errors="replace")
    events = [dict(line.partition(": ")[::2] for line in block.split("\r\n")) for block in raw.split("\r\n\r\n")]
    mine = [e for e in events if e.get("Channel", "").startswith("PJSIP/carrier-")]
    born = [e["ChannelState"] for e in mine if e.get("Event") == "Newchannel"]
    ended = [e["ChannelState"] for e in mine if e.get("Event") == "Hangup"]
    expected = {"calls": 0, "attempts_in": born.count("4"), "attempts_out": len(born) - born.count("4"),
                "answered": ended.count("6"), "failed": len(ended) - ended.count("6")}
    trunk = next((t for t in state["trunks"] if t["trunk"] == "PJSIP/carrier"), None)
    if not trunk:
        return ["there is no trunk"]
    shown = {key: trunk[key] for key in expected}
    with sqlite3.connect(folder / "history.db") as history:
        for key in list(expected)[1:]:
            shown[key] += history.execute(f"SELECT coalesce(sum({key}), 0) FROM trunk_intervals").fetchone()[0]
    return [f"{key}: {shown[key]}, but {value} in the stream" for key, value in expected.items() if shown[key] != value]


def check_endpoints(folder, state, names, checks):
    faults = trunk_faults(folder, state)
    checks.say(not faults, "the trunk's figures are those of the carrier's channels " + ", ".join(faults))
    if "endpoint-comes-and-goes" not in names:
        return
    with sqlite3.connect(folder / "history.db") as history:
        states = [row[0] for row in history.execute(
            "SELECT state FROM endpoint_intervals WHERE endpoint = 'PJSIP/123' ORDER BY start")]
    expected = ["UNAVAILABLE", "NOT_INUSE", "UNAVAILABLE", "NOT_INUSE", "BUSY", "NOT_INUSE"]
    checks.say(states == expected, f"a phone that comes and goes was {', '.join(states)}")


def is_known(drift):
    """A difference of a kind that is in tests/compare/known."""
    columns = set(drift["columns"])
    return drift["what"] == "cdr" and (columns == {"lastdata"} and "lastdata" in drift.get("guessed", ())
                                       or columns <= {"dst", "dcontext"}
                                       or columns == {"lastapp", "lastdata"} and drift["asterisk"]["lastapp"] in known.AGI
                                       or columns <= {"answer", "disposition", "end", "duration"})


def check_drift(folder, mixed, checks):
    """amitap itself compared Cdr events and QueueStatus with what it held."""
    stream = (folder / "ami.raw").read_bytes()
    seen = stream.count(b"\nEvent: Cdr\r"), stream.count(b"\nEvent: QueueStatusComplete\r")
    with sqlite3.connect(folder / "history.db") as history:
        drift = [row[0] for row in history.execute("SELECT body FROM drift ORDER BY ce_time")]
    drift = [body for body in drift if not (mixed and is_known(json.loads(body)))]
    checks.say(min(seen) > 2 and not drift, f"no drift from {seen[0]} Cdr events and {seen[1]} readings of the queues"
               + "".join("\n  " + body for body in drift))


def end_all(lab):
    """Random calls may leave one that nobody ends: who hangs up as the other dials to transfer him leaves the target
    alone in it for good."""
    print("hanging up what is left")
    lab.cli("channel request hangup all")
    return lab.await_idle(20)


class Beside:
    """Taps with less sight than the first one: a narrow account, and one that joins when calls are up."""

    def __init__(self, lab, options):
        self.lab, self.options, self.late = lab, options, None
        self.narrow = Tap(lab, options.amitap, "narrow", options.keep / "narrow")
        self.narrow.await_snapshot()
        seconds = options.mix / 2 if options.mix else len(options.names) * STAGGER * 0.6
        self.timer = threading.Timer(seconds, self.join)
        self.timer.start()

    def join(self):
        self.late = Tap(self.lab, self.options.amitap, "tap", self.options.keep / "late")

    def stop(self, truth):
        """Stops both and lays Asterisk's files beside what they saw; their exit statuses."""
        self.timer.cancel()
        self.timer.join()
        taps = [tap for tap in (self.narrow, self.late) if tap]
        statuses = [tap.stop() for tap in taps]
        self.sent = [action for tap in taps for action in laboratory.actions_in((tap.folder / "sent.raw").read_bytes())]
        for tap in taps:
            for name in ("cdr.csv", "cel.csv", "queue_log"):
                if (truth / name).exists():
                    shutil.copy(truth / name, tap.folder)
        return statuses

    def check(self, checks):
        lenient = ["--lenient"] if self.options.mix else []
        narrow, late = self.options.keep / "narrow", self.options.keep / "late"
        # Chance may deal many of the calls that such an account cannot know all of (README): ForkCDR, Dial's option G.
        least = "70" if self.options.mix else "80"
        compared("an account with read=call,agent gets the rows without lastapp, lastdata and userfield",
                 [*lenient, "--sqlite", str(narrow / "history.db"), "--unknown", "cdr.lastapp,cdr.lastdata,cdr.userfield",
                  "--must-match", "/dev/null", "--at-least", least, str(narrow)], checks)
        compared("one that joined while calls were up is right from then on",
                 [*lenient, "--late", "--whole", "../tap/ami.raw", "--sqlite", str(late / "history.db"), "--unknown", "cdr.lastapp,cdr.lastdata", str(late)],
                 checks)
        with sqlite3.connect(late / "history.db") as history:
            marked, = history.execute("SELECT count(*) FROM calls WHERE inferred").fetchone()
        checks.say(marked or self.options.mix, f"{marked} calls that were up already are marked")


def live(lab, options, checks):
    version = lab.version()
    print("Asterisk", version)
    checks.say(re.match(r"22\.", version), "the PBX is an Asterisk 22")
    folder = options.keep / "tap"
    shutil.rmtree(options.keep, ignore_errors=True)
    options.keep.mkdir(parents=True)
    least.live_under(lab, least.check_accounts(lab, options.amitap, options.keep, checks))
    sizes, log = lab.truth_sizes(), manager_log.ManagerLog(lab)
    unfiltered = least.Unfiltered(lab, options.keep)
    tap, beside = Tap(lab, options.amitap, "tap", folder), None
    try:
        checks.say(tap.await_snapshot(), "amitap is logged in")
        beside = Beside(lab, options)
        if options.mix:
            print(f"mixer: --mix {options.mix} --seed {options.seed}", flush=True)
            scenarios.mixer(lab, options.seed, options.mix)
        else:
            play(lab, options.names, checks)
        checks.say(lab.await_idle() or options.mix and end_all(lab), "the PBX is idle again")
        time.sleep(1)
        state = tap.state()
    finally:
        unfiltered.stop()
        status = tap.stop()
        lab.save_truth(sizes, folder)
        lab.keep_log(folder)
        others = beside.stop(folder) if beside else []
    checks.say(status == 0, f"amitap stopped cleanly (status {status})" + ("" if status == 0 else "\n" + tap.log()[-2000:]))
    checks.say(others == [0, 0], f"so did the taps beside it (statuses {others})")
    asked = laboratory.actions_in((folder / "sent.raw").read_bytes())
    foreign = {action for action in asked if action.lower() not in ALLOWED}
    checks.say(asked and not foreign, f"{len(asked)} actions came, none that is not allowed {sorted(foreign) or ''}")
    log.check({"tap", "narrow"}, asked + beside.sent, ALLOWED, checks)
    unfiltered.check((folder / "ami.raw").read_bytes(), checks)
    late = cel.lateness(cel.read((folder / "cel.csv").read_text()), (folder / "ami.raw").read_bytes().decode(errors="replace"))
    print(f"AMI's stamps were {late:.3f} s behind CEL's at most")
    rows.allow(late)
    lenient = ["--lenient"] if options.mix else []
    compared("the cdr table equals what Asterisk wrote", [*lenient, "--sqlite", str(folder / "history.db"), str(folder)],
             checks)
    compared("so does what replay makes of the same stream", [*lenient, "--amitap", options.amitap, str(folder)], checks)
    checks.say(journeys.main(["--amitap", options.amitap, "--show", "5", str(folder)]) == 0,
               "the journeys equal what CEL says of them")
    check_endpoints(folder, state, [] if options.mix else options.names, checks)
    check_drift(folder, options.mix, checks)
    beside.check(checks)
    print("kept in", options.keep)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amitap", default="build/amitap", metavar="BINARY")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("build/test-logs/live"), metavar="FOLDER")
    parser.add_argument("--instance", default="live", help="name of the lab, for several at once")
    parser.add_argument("--mix", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("names", nargs="*", metavar="NAME",
                        default=[play.__name__.replace("_", "-") for play in scenarios.PLAIN])
    options, checks = parser.parse_args(), Report()
    if not os.access(options.amitap, os.X_OK):
        parser.error(f"no such program: {options.amitap}")
    options.keep = options.keep.resolve()
    with laboratory.Lab(options.instance) as lab:
        live(lab, options, checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
