#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three taps that cannot see a real Asterisk for a while: one is cut off, one is killed, one's connection is half open, all
while calls are up, queue callers wait and members are paused. Then Asterisk is started anew, and once more after kill -9.
Calls that were up go on as the same ones, queues are those of QueueStatus within a second of the log-in, what lies outside of the published gaps
equals what Asterisk wrote, and nothing is told that was not.

    blind.py [--amitap PROGRAM] [--instance NAME] [--keep FOLDER]

The last line counts the checks: N passed, N failed."""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import sys
import threading
import time

import lab as laboratory

sys.path.insert(0, str(laboratory.HERE.parent / "blind"))
import run  # noqa: E402  it says where the next ones lie
import oracle  # noqa: E402
import rows  # noqa: E402
from fault_log import FaultLog  # noqa: E402
from report import Report  # noqa: E402
from troubled_relay import TroubledRelay  # noqa: E402

TABLES = {"cdr": "cdr", "call": "calls", "queue": "queue_visits"}
BLIND = 2.0  # seconds
STAGGER = 0.2  # seconds between calls
APART = 1.5  # seconds between what is done and a gap
NEAR = 0.1  # seconds that CEL's time and an event's may be apart
LONGEST = 8.0  # seconds between a fault and the end of its gap, on a slow machine


class Tap(run.Scene):
    """One amitap on the lab's PBX, through a relay of its own."""

    def __init__(self, lab, programs, folder, trouble, mend, reason, ping=15):
        self.programs, self.folder, self.environment, self.tap = programs, folder, dict(os.environ), None
        self.trouble, self.mend, self.reason = trouble, mend, reason
        folder.mkdir(parents=True)
        self.database, self.log = folder / "amitap.db", open(folder / "amitap.log", "ab")
        self.relays, self.sims, self.witnesses = [TroubledRelay(lab.ports["PBX_AMI"])], [], []
        self.config = self._config("amitap", f"host = 127.0.0.1\n port = {self.relays[0].port}\n ping_seconds = {ping}\n",
                                   "web { listen = '127.0.0.1:0' }\n")
        self.start()

    @property
    def web(self):
        """The port that it took this time."""
        return re.findall(r"wallboard at http://127\.0\.0\.1:(\d+)/", self.said())[-1]

    def calls(self):
        return {call["linkedid"]: call["start"] for call in self.state()["calls"]}

    def talking(self):
        """Which members have a call of which queue."""
        return {(agent["queue"], agent["interface"]) for agent in self.state()["agents"]
                if agent["queue"] and agent["state"] in ("on_call", "on_hold")}


def taps_on(lab, programs, folder):
    return {
        "connection cut": Tap(lab, programs, folder / "cut", lambda t: t.relays[0].cut(), lambda t: t.relays[0].heal(),
                              "disconnected"),
        "amitap killed": Tap(lab, programs, folder / "killed", lambda t: run.stop_tap(t, signal.SIGKILL),
                             lambda t: t.start(), "restart"),
        "half-open connection": Tap(lab, programs, folder / "silent", lambda t: t.relays[0].swallow(), lambda t: None,
                                    "silent", ping=1),
    }


def first_channel(lab, to, caller=None):
    """Places a call; the event of its first channel on the PBX."""
    found = lab.event("Newchannel", lambda m: m["Exten"] == to and (not caller or m["Channel"].startswith(f"PJSIP/{caller}-")))
    lab.call(to, caller, seconds=60)
    return found()


def calls(lab, *numbers, seconds=20):
    """One after the other: of two that meet in a conference the older one has the row, and AMI does not tell which is
    when they begin within some milliseconds."""
    for number in numbers:
        lab.call(number, seconds=seconds)
        time.sleep(STAGGER)


def short_calls(lab):
    """Over within some five seconds: busy, refused, answered."""
    calls(lab, "602", "622", "655")


def listed(lab, action, event, last):
    """The events that answer an action on the PBX."""
    name = f"{action}-{time.monotonic_ns()}-{threading.get_ident()}"
    found, done = (lab.pbx.expect(lambda m, wanted=wanted: m.get("Event") == wanted and m.get("ActionID") == name)
                   for wanted in (event, last))
    lab.pbx.send(Action=action, ActionID=name)
    done.get(timeout=10)
    return [found.get() for _ in range(found.qsize())]


def linkedids(lab):
    return {m["Linkedid"] for m in listed(lab, "CoreShowChannels", "CoreShowChannel", "CoreShowChannelsComplete")}


def talking(lab):
    members = listed(lab, "QueueStatus", "QueueMember", "QueueStatusComplete")
    return {(m["Queue"], m["Location"]) for m in members if m["InCall"] == "1"}


class Story:
    """What happens, and what shows at once."""

    def __init__(self, lab, programs, folder, checks):
        self.lab, self.checks, self.port = lab, checks, lab.ports["PBX_AMI"]
        self.sizes = lab.truth_sizes()
        self.dark, self.dropped = [], []  # when each fault was injected; the calls that each start of the PBX ended
        self.taps = taps_on(lab, programs, folder)

    def say(self, name, what, wrong):
        wrong = list(wrong)
        self.checks.say(not wrong, f"{name}: {what}" + "".join(f"\n  {fault}"[:600] for fault in wrong[:5]))

    def at_once(self, look):
        """look(name, tap) of all taps, each within its own second; what it yields is said."""
        with concurrent.futures.ThreadPoolExecutor(len(self.taps)) as pool:
            for name, found in zip(self.taps, pool.map(lambda item: list(look(*item)), self.taps.items())):
                for what, wrong in found:
                    self.say(name, what, wrong)

    def play(self):
        for tap in self.taps.values():
            tap.follows(1)
        self.blind()
        self.restart("started anew", 3, self.lab.restart)
        self.restart("killed", 4, self.lab.crash)
        time.sleep(APART)
        short_calls(self.lab)
        calls(self.lab, "601", "600", seconds=3)
        time.sleep(2)
        self.checks.say(self.lab.await_idle(), "the PBX is idle again")
        time.sleep(0.5)
        for name, tap in self.taps.items():
            self.say(name, "amitap stopped cleanly", tap.stop())

    def blind(self):
        """The taps are blind at once, and see again each at its time."""
        lab = self.lab
        short_calls(lab)
        calls(lab, "601", "609", "609", "600", "600", seconds=18)
        ending = [first_channel(lab, "109", "108"), first_channel(lab, "642")]
        lab.call("642", seconds=60)
        time.sleep(5 + APART)
        lab.call("644", seconds=60)
        time.sleep(APART)
        before = {name: tap.calls() for name, tap in self.taps.items()}
        self.dark.append(time.time())
        for tap in self.taps.values():
            tap.trouble(tap)
        seen = time.monotonic() + BLIND
        self.unseen(ending)
        time.sleep(max(0, seen - time.monotonic()))
        for tap in self.taps.values():
            tap.mend(tap)
        self.at_once(lambda name, tap: self.returned(tap, before[name], {m["Linkedid"] for m in ending}))
        time.sleep(APART)
        short_calls(lab)
        lab.call("600", seconds=3)
        time.sleep(5 + APART)

    def unseen(self, ending):
        """Calls end, begin, and do both; a member is paused."""
        for gone in ending:
            self.lab.pbx.ask(Action="Hangup", Channel=gone["Channel"])
        self.lab.pbx.ask(Action="QueuePause", Queue="recorded", Interface="PJSIP/108", Paused="true", Reason="lunch")
        for number, seconds in (("622", 1), ("642", 60), ("639", 9)):
            self.lab.call(number, seconds=seconds)

    def returned(self, tap, before, ended):
        since = tap.follows(2)
        yield "queues and members are right within a second", tap.queues_are_right(since, self.port)
        same = run.until(lambda: tap.talking() == talking(self.lab), limit=1)
        yield (f"so is who talks with a queue's caller: {len(tap.talking())}",
               [] if same and tap.talking() else [f"{tap.talking()}, not {talking(self.lab)}"])
        same = run.until(lambda: tap.calls().keys() == linkedids(self.lab), limit=1)
        yield "the calls are those of the PBX", [] if same else [f"{sorted(tap.calls())}, not {sorted(linkedids(self.lab))}"]
        now = tap.calls()
        both = before.keys() & now.keys()
        wrong = list(run.goes_on(tap, before)) + [f"{call} goes on" for call in ended & now.keys()]
        yield (f"{len(both)} of {len(before)} calls go on, with their start",
               wrong + ([] if len(both) > 3 and ended <= before.keys() else ["too few to judge"]))

    def restart(self, how, times, restart):
        lab = self.lab
        calls(lab, "601", "609", "642", seconds=60)
        time.sleep(APART)
        self.dropped.append(linkedids(lab))
        self.dark.append(time.time())
        for name, tap in self.taps.items():
            self.say(name, f"follows {len(self.dropped[-1])} calls as the PBX is {how}", self.dropped[-1] ^ tap.calls().keys())
        restart()
        self.at_once(lambda _, tap: self.renewed(tap, times))

    def renewed(self, tap, times):
        since = tap.follows(times)
        yield "queues of the new PBX are right within a second", tap.queues_are_right(since, self.port)
        yield "no call of before lives on", self.dropped[-1] & tap.calls().keys()

    def close(self):
        for tap in self.taps.values():
            tap.close()


class Truth:
    """What Asterisk wrote, and when something happened to each call, by its linkedid."""

    def __init__(self, folder, killed, calls):
        """killed: the moment when Asterisk was, with these calls; it could not write that."""
        self.folder = folder
        self.rows = {kind: rows.truth_rows(kind, self.content) for kind in TABLES}
        self.moments, self.call_of = collections.defaultdict(list), {}
        for record in rows.csv_records(self.content("cel.csv"), rows.CEL_COLUMNS):
            self.moments[record["linkedid"]].append(rows.epoch(record["time"]))
            self.call_of[record["uniqueid"]] = self.call_of[record["linkedid"]] = record["linkedid"]
        for call in calls:
            self.moments[call].append(killed)

    def content(self, name):
        return (self.folder / name).read_text()

    def begin(self, row):
        return min(self.moments[self.call_of[row.identity()]])

    def seen(self, row, windows):
        """Whether nothing happened to its call in a gap: it lay outside, or was up and as before behind it."""
        moments = self.moments[self.call_of[row.identity()]]
        return not any(windows.touch(moment - NEAR, moment + NEAR) for moment in moments)

    def ended_calls(self):
        found = rows.calls_of(rows.csv_records(self.content("cel.csv"), rows.CEL_COLUMNS))
        return [{"kind": "call", "subject": call["linkedid"], "end": call["end"]} for call in found]


def differences(tap, truth, windows, era, figures):
    """Rows of calls of an era to which nothing happened in a gap are Asterisk's."""
    for kind, table in TABLES.items():
        sides = truth.rows[kind], rows.derived_rows(kind, tap.records(table), late=True)
        expected, derived = ([row for row in side if row.identity() in truth.call_of and era(truth.begin(row))
                              and truth.seen(row, windows)] for side in sides)
        pairs, missing, extra = rows.pair(expected, derived)
        figures["sent"] += len(expected)
        figures["found"] += pairs
        figures["lost"] += len(missing)
        yield from (f"{kind} missing: {row}" for row in missing)
        yield from (f"{kind} extra: {row}" for row in extra)


def inventions(tap, truth, windows):
    """Of calls to which something happened in a gap: none that was not, none twice, and each within its true bounds."""
    for kind, table in TABLES.items():
        derived = rows.derived_rows(kind, tap.records(table), late=True)
        count, most = (collections.Counter(row.identity() for row in side) for side in (derived, truth.rows[kind]))
        for identity, number in count.items():
            if identity not in truth.call_of:
                yield f"{kind} of {identity}, which never was"
            elif number > max(1, most[identity]):
                yield f"{number} rows of {kind} {identity}, Asterisk has {most[identity]}"
    for record in tap.records("calls"):
        begin = min(truth.moments.get(record["linkedid"], [0]))
        if not windows.touch(begin, begin) and abs(rows.epoch(record["start"]) - begin) > rows.LATE:
            yield f"{record['id']} began at {record['start']}, not at {begin}"
    yield from run.ends_are_bounded(tap.records("calls"), truth.ended_calls())


def wrong_gaps(story, tap, gaps):
    """Each begins before it got dark and ends when amitap saw again, and is not much longer than that."""
    reasons = [tap.reason, "pbx_restart", "pbx_restart"]
    if [gap["reason"] for gap in gaps] != reasons:
        return [f"gaps {gaps}, not {reasons}"]
    spans = [(rows.epoch(gap["from"]), rows.epoch(gap["to"])) for gap in gaps]
    return [f"{gap}, but it was blind from {dark}" for gap, (begin, end), dark in zip(gaps, spans, story.dark)
            if not dark - LONGEST < begin < dark + 0.5 < end < dark + LONGEST]


def dropped_calls(story, tap):
    """The calls of a PBX that was started anew are over: it said when, or that is said not to be known."""
    records = {record["linkedid"]: record for record in tap.records("calls")}
    for dark, calls in zip(story.dark[1:], story.dropped):
        for call in sorted(calls):
            record = records.get(call)
            if not record:
                yield f"{call} is not over"
            elif not dark - LONGEST < rows.epoch(record["end"]) < dark + 1:
                yield f"{call} ended at {record['end']}, not about {dark}"
            elif "end_latest" in record and not dark < rows.epoch(record["end_latest"]) < dark + LONGEST:
                yield f"{call} ended at {record['end_latest']} at the latest, not after {dark}"
    if not any("end_latest" in records.get(call, ()) for call in story.dropped[-1]):
        yield "of a PBX that was killed it says when each call ended"


def judge(story, truth):
    faults, anew, count = FaultLog("asterisk_blind"), collections.Counter(), len(story.dropped)
    for name, tap in story.taps.items():
        gaps, figures = tap.records("gaps"), collections.Counter()
        story.say(name, f"{len(gaps)} gaps are told, with from, to and reason", wrong_gaps(story, tap, gaps))
        spans = [(rows.epoch(gap["from"]), rows.epoch(gap["to"])) for gap in gaps]
        windows, blind = oracle.Windows(spans), [end - begin for begin, end in spans]
        wrong = list(differences(tap, truth, windows, lambda begin: begin < story.dark[1], figures))
        story.say(name, f"{figures['found']} of {figures['sent']} records are Asterisk's, blind for {sum(blind[:1]):.1f} s",
                  wrong + ([] if figures["sent"] > 25 else ["too few to judge"]))
        story.say(name, "nothing is told that was not", inventions(tap, truth, windows))
        before, anew["blind"] = anew["sent"], anew["blind"] + sum(blind[1:])
        wrong = list(differences(tap, truth, windows, lambda begin: begin >= story.dark[1], anew))
        story.say(name, f"{anew['sent'] - before} records of the PBX that was started anew are Asterisk's",
                  wrong + ([] if anew["sent"] - before > 8 else ["too few to judge"]))
        story.say(name, f"the {sum(map(len, story.dropped))} calls that it dropped are over", dropped_calls(story, tap))
        faults.add(f"{name}, real Asterisk", injected=1, sent=figures["sent"], found=figures["found"], lost=figures["lost"],
                   blind_seconds=sum(blind[:1]))
    faults.add("real Asterisk started anew", injected=count * len(story.taps), sent=anew["sent"], found=anew["found"],
               lost=anew["lost"], blind_seconds=anew["blind"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amitap", default="build/amitap", metavar="PROGRAM", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--instance", default="blind", help="name of the lab, for several at once")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("build/test-logs/asterisk-blind"), metavar="FOLDER")
    options, checks = parser.parse_args(), Report()
    folder = options.keep.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with laboratory.Lab(options.instance) as lab:
        story = Story(lab, options, folder, checks)
        try:
            story.play()
        finally:
            story.close()
            lab.save_truth(story.sizes, folder)
            lab.keep_log(folder)
    judge(story, Truth(folder, story.dark[-1], story.dropped[-1]))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
