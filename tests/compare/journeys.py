#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the journeys that amitap derives (`replay --records call`) against CEL, which is another witness of the same calls.

usage: journeys.py [options] FOLDER ...

A FOLDER holds ami.raw and cel.csv of one recording, plain or as .xz. What cel.csv says is worked out by cel.py alone.

talked      each linkedid that CEL opened and closed: the seconds in which at least two phones talked
end         who hung up (channel, and side), where CEL tells, and the cause
leg         each channel that is no Local half: answered or not, since when; seconds talked; its hang-up cause
talk        each two phones that talked outside conferences: how many seconds, Local channels seen through
transfer    who transferred when, blind, attended or blonde; where to, if blind
pickup      who picked up which channel
park        who was parked where, from when to when, and how that ended
conference  who was in a conference, from when to when

A time is equal within 0.1 s. Where CEL has whole seconds it cut both ends of what lasted, so that seconds of n stretches
are equal within n s more, and a time within 1 s more. Every row must be matched and none left over, save those in the FILE
of --known (known.py). The last line counts the checks, one of a kind and folder: N passed, N failed.
"""
import argparse
import os
import pathlib
import sys

import cel
import compare
import known
import recording
import rows


def near(value, tolerance):
    return (value, tolerance)


def time_of(record, name):
    return rows.epoch(record.get(name))


def closed(truth):
    return [call for call in truth.calls.values() if call.start is not None and call.end is not None]


def is_closed(truth, channel):
    """Of a call that goes on at the end of the recording no record is told yet."""
    return truth.call(channel.linkedid).end is not None


def legs_of(records):
    """What became of each channel, over all the calls it was in: one after the other."""
    legs = {}
    for record in records:
        for leg in record["legs"]:
            legs.setdefault(leg["uniqueid"], []).append(leg)
    for parts in legs.values():
        parts.sort(key=lambda leg: leg["start"])
    return legs


# Each kind has two readers: rows of the truth; rows of the records, which may look at the truth for what it tells at all.

def true_talked(truth):
    return [rows.Row({"linkedid": call.linkedid},
                     {"talk_seconds": near(call.talk.seconds, truth.tolerance(call.talk.stretches))})
            for call in closed(truth)]


def derived_talked(records, _):
    return [rows.Row({"linkedid": record["linkedid"]}, {"talk_seconds": near(record["talk_seconds"], 0)})
            for record in records]


def end_of(truth, call):
    """Who ended it, as (channel or None, side)."""
    source = cel.ended_by(truth, call)
    if source is None or source.startswith(("dialplan/", "manager/")):
        return None, source and source.partition("/")[0]
    [channel] = [c for c in truth.channels.values() if c.name == source][-1:] or [None]
    return source, "caller" if channel and channel.uniqueid == call.linkedid else "called"


def true_ends(truth):
    found = []
    for call in closed(truth):
        channel, side = end_of(truth, call)
        if side:
            found.append(rows.Row({"linkedid": call.linkedid, "hung_up_side": side, "hung_up_by": channel}, {}))
    return found


def derived_ends(records, truth):
    found, told = [], {row.exact["linkedid"]: row for row in true_ends(truth)}
    for record in records:
        if record["linkedid"] in told:
            true_channel = told[record["linkedid"]].exact["hung_up_by"]
            found.append(rows.Row({"linkedid": record["linkedid"], "hung_up_side": record["hung_up_side"],
                                   "hung_up_by": record["hung_up_by"] if true_channel else None}, {}))
    return found


def true_legs(truth):
    return [rows.Row({"uniqueid": c.uniqueid, "channel": c.name, "interface": c.interface, "cause": c.cause},
                     {"talk_seconds": near(c.talk.seconds, truth.tolerance(c.talk.stretches)),
                      "answer": near(c.answer, truth.tolerance()), "start": near(c.start, truth.tolerance()),
                      "end": near(c.end, truth.tolerance())})
            for c in truth.channels.values() if c.phone and c.end is not None and is_closed(truth, c)]


def derived_legs(records, _):
    found = []
    for uniqueid, parts in legs_of(records).items():
        answer = min((time_of(leg, "answer") for leg in parts if leg["answer"]), default=None)
        found.append(rows.Row({"uniqueid": uniqueid, "channel": parts[-1]["channel"],
                               "interface": parts[-1]["interface"], "cause": parts[-1]["cause"]},
                              {"talk_seconds": near(sum(leg["talk_seconds"] for leg in parts), 0),
                               "answer": near(answer, 0), "start": near(time_of(parts[0], "start"), 0),
                               "end": near(time_of(parts[-1], "end"), 0)}))
    return found


def true_talks(truth):
    return [rows.Row({"uniqueid": "+".join(pair)},
                     {"talk_seconds": near(clock.seconds, truth.tolerance(clock.stretches))})
            for pair, clock in truth.pairs.items() if all(is_closed(truth, truth.channels[each]) for each in pair)]


def derived_talks(records, truth):
    """The seconds of each two, once where the talk stands in both of two calls; two that CEL has together for no time
    at all may be missing."""
    total, spoken = {}, {}
    for record in records:
        for talk in record["talks"]:
            pair = "+".join(sorted((talk["a"]["uniqueid"], talk["b"]["uniqueid"])))
            spoken[pair, talk["from"]] = talk["talk_seconds"]
    for (pair, _), seconds in spoken.items():
        total[pair] = total.get(pair, 0) + seconds
    for pair, clock in truth.pairs.items():
        if clock.seconds <= rows.LATE:
            total.setdefault("+".join(pair), 0.0)
    return [rows.Row({"uniqueid": pair}, {"talk_seconds": near(seconds, 0)}) for pair, seconds in total.items()]


def true_transfers(truth):
    return [rows.Row({"linkedid": t["linkedid"], "transfer": t["transfer"], "transferer": t["uniqueid"],
                      "transferred_to": t.get("transferred_to"), "context": t.get("context")},
                     {"time": near(t["time"], truth.tolerance())}) for t in truth.transfers]


def derived_transfers(records, truth):
    """The second leg of who transferred, by REFER with Replaces another channel, is taken for the first."""
    first = {t["second"]: t["uniqueid"] for t in truth.transfers if t.get("second")}
    found = []
    for record in records:
        for t in record["transfers"]:
            blind = t["transfer"] == "blind"
            found.append(rows.Row({"linkedid": record["linkedid"], "transfer": t["transfer"],
                                   "transferer": first.get(t["uniqueid"], t["uniqueid"]),
                                   "transferred_to": t["transferred_to"] if blind else None,
                                   "context": t["context"] if blind else None}, {"time": near(time_of(t, "time"), 0)}))
    return found


def true_pickups(truth):
    return [rows.Row({"linkedid": p["linkedid"], "picker": p["uniqueid"], "target": p["target"]},
                     {"time": near(p["time"], truth.tolerance())}) for p in truth.pickups]


def derived_pickups(records, _):
    return [rows.Row({"linkedid": record["linkedid"], "picker": p["uniqueid"], "target": p["target"]},
                     {"time": near(time_of(p, "time"), 0)}) for record in records for p in record["pickups"]]


def true_parks(truth):
    return [rows.Row({"linkedid": p["linkedid"], "parked": p["uniqueid"], "parking_lot": p["parking_lot"],
                      "outcome": p["outcome"]},
                     {"from": near(p["from"], truth.tolerance()), "to": near(p["to"], truth.tolerance())})
            for p in truth.parks]


def derived_parks(records, _):
    return [rows.Row({"linkedid": record["linkedid"], "parked": p["uniqueid"], "parking_lot": p["parking_lot"],
                      "outcome": p["outcome"]},
                     {"from": near(time_of(p, "from"), 0), "to": near(time_of(p, "to"), 0)})
            for record in records for p in record["parks"]]


def true_conferences(truth):
    return [rows.Row({"uniqueid": c["uniqueid"]},
                     {"from": near(c["from"], truth.tolerance()), "to": near(c["to"], truth.tolerance())})
            for c in truth.conferences]


def derived_conferences(records, _):
    return [rows.Row({"uniqueid": c["uniqueid"]},
                     {"from": near(time_of(c, "from"), 0), "to": near(time_of(c, "to"), 0)})
            for record in records for c in record["conferences"]]


READERS = {"talked": (true_talked, derived_talked), "end": (true_ends, derived_ends), "leg": (true_legs, derived_legs),
           "talk": (true_talks, derived_talks), "transfer": (true_transfers, derived_transfers),
           "pickup": (true_pickups, derived_pickups), "park": (true_parks, derived_parks),
           "conference": (true_conferences, derived_conferences)}


def compare_folder(folder, options, tally):
    truth = cel.read(recording.content(folder / "cel.csv").decode("utf-8"))
    replay = compare.Replay(options.amitap, options.replay_option)
    try:
        records = replay.records("call", recording.stream_of(folder / options.raw, set(options.classes.split(","))))
    except (compare.Failed, OSError, ValueError) as error:
        tally.check(False)
        print(f"{folder.name:34s} FAILED: {error}")
        return {}
    words, figures = [], {}
    for kind, (read_truth, read_derived) in READERS.items():
        true = read_truth(truth)
        pairs, missing, extra = rows.pair(true, read_derived(records, truth))
        listed = [e for e in options.known if (e.folder, e.kind) == (compare.full_name(folder), kind)]
        unused = known.take(listed, missing, extra)
        same = not missing and not extra and not unused
        tally.check(same)
        figures[kind] = (pairs, len(true), len(listed) - len(unused), len(extra))
        if true or extra or not same:
            words.append(f"{kind} {pairs}/{len(true)}" + (f" ({len(listed) - len(unused)} known)" if listed else "")
                         + (f" +{len(extra)}" if extra else "") + ("" if same else " DIFFERS"))
        words += [f"NOT AS LISTED: {entry}" for entry in unused]
        compare.show_unmatched(kind, missing, extra, options.show)
    print(f"{folder.name:34s} " + "   ".join(words), flush=True)
    return figures


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--amitap", default="build/amitap", metavar="BINARY")
    parser.add_argument("--classes", default=recording.CLASSES, help="the account's read classes (default: %(default)s)")
    parser.add_argument("--raw", default="ami.raw", metavar="NAME", help="which stream of a folder")
    parser.add_argument("--replay-option", action="append", default=[], metavar="OPTION", help="further option for replay")
    parser.add_argument("--known", type=pathlib.Path, metavar="FILE", help="the rows that can't be equal")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print up to N unmatched rows of a kind and folder")
    options = parser.parse_args(argv)
    options.known = known.read(options.known) if options.known else []
    for folder in options.folders:
        if not folder.is_dir():
            parser.error(f"no such folder: {folder}")
    if not os.access(options.amitap, os.X_OK):
        parser.error(f"no such program: {options.amitap}")
    return options


def main(argv=None):
    options, tally = arguments(argv), compare.Tally()
    total = {kind: (0, 0, 0, 0) for kind in READERS}
    for folder in options.folders:
        for kind, figures in compare_folder(folder, options, tally).items():
            total[kind] = tuple(a + b for a, b in zip(total[kind], figures))
    print("all " + "   ".join(f"{kind} {pairs}/{true}" + (f" ({listed} known)" if listed else "")
                              + (f" +{extra}" if extra else "") for kind, (pairs, true, listed, extra) in total.items()))
    if not any(true for _, true, _, _ in total.values()):
        print("nothing to compare")
        tally.check(False)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
