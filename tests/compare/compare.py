#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what amitap derives from a recorded AMI stream against what Asterisk itself wrote.

usage: compare.py [options] FOLDER ...                 replay each recording and compare
       compare.py --sqlite FILE FOLDER ...             compare the cdr table of a history instead
       compare.py --split SEED [options] FOLDER ...    the same stream in other pieces gives the same bytes

A FOLDER holds ami.raw, cdr.csv, cel.csv and queue_log of one recording (tests/captures, tests/asterisk/record.py). A
stream loses every Cdr, CEL and TestEvent event and those outside --classes before `amitap replay` gets it.

cdr        every column but sequence is equal; duration and billsec within 0.1 s; start, answer and end within this of
           the second to which Asterisk cut them
queue_log  time, and arguments in seconds, within 1 s; arguments in milliseconds within 100; all else is equal
queue      a record per visit: uniqueid, queue, outcome; wait_seconds, and of an answered one talk_seconds, as the times
           of cdr; the member who answered
call       a record per linkedid that CEL opened and closed: start and end as those of cdr

A file of a recording may be kept as FILE.xz. Every row of the truth must be matched and none be left over, save those
that the FILE of --known names (known.py); with --must-match only for the folders that its FILE names (a line may name
kinds behind the folder: only for these): the others must run, and their share is printed. --unknown names columns that
this account cannot know: they may be null, and where they are not they must be right. With --late the stream begins
while calls are up: every row of a call that began later must be matched; one that was up may be missing, and a record
that is marked inferred may have nulls, but must be right in all else, save fields that it names in guessed; of a channel
whose CDR was disabled, as the stream --whole shows, there may be one though Asterisk has none. The last line counts the
checks: N passed, N failed.
"""
import argparse
import fcntl
import json
import os
import pathlib
import random
import re
import sqlite3
import subprocess
import sys
import termios
import threading

import eventfilter
import known
import recording
import rows

TIMEOUT = 120
SANITIZER = re.compile(r"(Address|Leak|Thread)Sanitizer|runtime error:")


class Failed(Exception):
    """A run that gave nothing to compare."""


def run(command, feed):
    """Run with `feed(descriptor, ended)` writing standard input; the bytes of standard output. Any complaint is a
    failure."""
    reader, writer = os.pipe()
    ended = threading.Event()
    process = subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(reader)

    def write():
        try:
            feed(writer, ended)
        except BrokenPipeError:
            pass
        finally:
            os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failed(f"no end after {TIMEOUT} s") from None
    finally:
        ended.set()
        thread.join()
    errors = errors.decode(errors="replace")
    if process.returncode or SANITIZER.search(errors):
        raise Failed(f"exit {process.returncode}: {errors.strip()[:400]}")
    return output


def whole(data):
    return lambda writer, _: write_all(writer, data)


def write_all(writer, data):
    while data:
        data = data[os.write(writer, data):]


def in_pieces(data, sizes):
    """Write pieces of the sizes that the iterator gives, each only when the one before was read: no read gets two."""
    def feed(writer, ended):
        start, waiting = 0, bytearray(4)
        while start < len(data) and not ended.is_set():
            size = next(sizes)
            write_all(writer, data[start:start + size])
            start += size
            while not ended.is_set() and fcntl.ioctl(writer, termios.FIONREAD, waiting) == 0 and any(waiting):
                os.sched_yield()
    return feed


def random_sizes(seed):
    dice = random.Random(seed)
    while True:
        yield dice.choice((1, 2, 3, dice.randrange(1, 60), dice.randrange(1, 4000)))


def single_bytes():
    while True:
        yield 1


class Replay:
    def __init__(self, binary, options):
        self.binary, self.options = binary, options

    def bytes(self, kind, feed):
        return run([self.binary, "replay", *self.options, "--records", kind, "-"], feed)

    def records(self, kind, stream):
        output = self.bytes(kind, whole(stream)).decode("utf-8")
        if kind == "queue_log":
            return rows.log_lines(output)
        return [json.loads(line) for line in output.split("\n") if line]


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)


def history(path):
    """The cdr table of a live run, to be had while amitap has it open or after."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    with connection:
        return [dict(row) for row in connection.execute("select * from cdr")]


def show_unmatched(kind, missing, extra, limit):
    """Each missing row with the left-over row that is most like it, and what differs."""
    for row in missing[:limit]:
        print(f"    missing {kind} {row}")
        nearest = min(extra, key=lambda other: len(row.differences(other)), default=None)
        if nearest:
            for name, true, derived in row.differences(nearest):
                print(f"        {name}: Asterisk {true!r}, derived {derived!r}")
    for row in extra[:limit]:
        print(f"    extra   {kind} {row}")


def full_name(folder):
    """With the folder it is in: recordings in two of them may have one name."""
    return "/".join(folder.resolve().parts[-2:])


def compare(folder, derive, renamer, options, tally):
    """Hold each kind of one folder against its truth and print one line; returns pairs and rows of the truth by kind."""
    def content(name):
        path = folder / name
        found = recording.content(path).decode("utf-8") if recording.exists(path) else ""
        return renamer.text(found) if renamer else found

    words, figures = [], {}
    joined = recording.first_time(folder / options.raw, renamer) if options.late else 0
    silenced = recording.without_cdr(folder / options.whole, renamer) if options.whole else set()
    for kind in options.records:
        must = options.must_match is None or kind in options.must_match.get(folder.name, ())
        truth = rows.truth_rows(kind, content)
        try:
            pairs, missing, extra = rows.pair(truth, rows.derived_rows(kind, derive(kind), options.unknown.get(kind, ()), options.late))
            if options.late:
                missing = [row for row in missing if not row.began_before(joined)]
                extra = [row for row in extra if not (row.unknown and row.identity() in silenced)]
            listed = [entry._replace(identity=renamer.text(entry.identity)) if renamer else entry
                      for entry in options.known if (entry.folder, entry.kind) == (full_name(folder), kind)]
            unused = known.take(listed, missing, extra)
            ruled = known.take_by_rule(missing, extra, truth) if options.lenient and kind == "cdr" else 0
        except (Failed, OSError, sqlite3.Error, ValueError, TypeError, AttributeError) as error:
            tally.check(False)
            words.append(f"{kind} FAILED: {error}")
            figures[kind] = (0, len(truth), 0)
            continue
        same = not missing and not extra and not unused
        tally.check(same or not must)
        taken = len(listed) - len(unused) + ruled
        words.append(f"{kind} {pairs}/{len(truth)}" + (f" ({taken} known)" if taken else "")
                     + (f" +{len(extra)}" if extra else "") + (" DIFFERS" if must and not same else ""))
        words += [f"NOT AS LISTED: {entry}" for entry in unused]
        figures[kind] = (pairs, len(truth), len(extra))
        show_unmatched(kind, missing, extra, options.show)
    print(f"{folder.name:34s} " + "   ".join(words), flush=True)
    return figures


def compare_all(options, tally):
    renamer = recording.Renamer(options.rename) if options.rename is not None else None
    classes, replay = set(options.classes.split(",")), Replay(options.amitap, options.replay_option)
    total = {kind: [0, 0, 0] for kind in options.records}
    for folder in options.folders:
        stream = None if options.sqlite else recording.stream_of(folder / options.raw, classes, renamer, options.eventfilter)

        def derive(kind, stream=stream):
            return replay.records(kind, stream) if stream is not None else history(options.sqlite)

        for kind, figures in compare(folder, derive, renamer, options, tally).items():
            total[kind] = [a + b for a, b in zip(total[kind], figures)]
    print("all " + "   ".join(f"{kind} {pairs}/{truth}, {extra} extra" for kind, (pairs, truth, extra) in total.items()))
    if options.at_least is not None:
        pairs, truth, _ = total["cdr"]
        tally.check(truth and pairs >= options.at_least / 100 * truth)
    if not any(truth for _, truth, _ in total.values()):
        print("nothing to compare")
        tally.check(False)


def split(folder, options, tally):
    """The stream whole, cut at random places and, where it is small, byte by byte; and with the other binary, if given."""
    data = recording.stream_of(folder / options.raw, set(options.classes.split(",")))
    replay, kind = Replay(options.amitap, options.replay_option), ",".join(options.records)
    ways = [("random pieces", replay, in_pieces(data, random_sizes(f"{options.split} {folder.name}")))]
    if len(data) <= options.bytewise:
        ways.append(("single bytes", replay, in_pieces(data, single_bytes())))
    if options.sanitized:
        other = Replay(options.sanitized, options.replay_option)
        ways += [("sanitized", other, whole(data)),
                 ("sanitized, random pieces", other, in_pieces(data, random_sizes(f"{options.split} {folder.name} other")))]
    words = []
    try:
        expected = replay.bytes(kind, whole(data))
        if not expected:
            raise Failed("nothing was derived")
    except Failed as error:
        tally.check(False)
        print(f"{folder.name:34s} whole FAILED: {error}")
        return
    for name, how, feed in ways:
        try:
            good = how.bytes(kind, feed) == expected
            words.append(f"{name} {'same' if good else 'DIFFERS'}")
        except Failed as error:
            good = False
            words.append(f"{name} FAILED: {error}")
        tally.check(good)
    print(f"{folder.name:34s} {len(expected):8d} bytes: " + ", ".join(words), flush=True)


def names_in(path):
    """The kinds that must match by folder; all of them where none is named."""
    lines = path.read_text(encoding="utf-8").split("\n")
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {name: kinds or list(rows.READERS) for name, *kinds in words}


def columns_by_kind(words):
    """"cdr.lastapp,queue.outcome" as {"cdr": {"lastapp"}, "queue": {"outcome"}}."""
    found = {}
    for word in filter(None, words.split(",")):
        kind, _, column = word.partition(".")
        found.setdefault(kind, set()).add(column)
    return found


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--amitap", default="build/amitap", metavar="BINARY")
    parser.add_argument("--records", metavar="KIND[,KIND]", help="cdr, queue_log, queue, call; with --split any kind of replay's")
    parser.add_argument("--classes", default=recording.CLASSES, help="the account's read classes (default: %(default)s)")
    parser.add_argument("--eventfilter", type=lambda name: eventfilter.EventFilter(pathlib.Path(name).read_text()),
                        metavar="FILE", help="a manager.conf whose filters the account has")
    parser.add_argument("--raw", default="ami.raw", metavar="NAME", help="which stream of a folder")
    parser.add_argument("--rename", type=int, metavar="SEED", help="move times and replace ids and numbers on both sides")
    parser.add_argument("--replay-option", action="append", default=[], metavar="OPTION", help="further option for replay")
    parser.add_argument("--sqlite", metavar="FILE", help="a history database whose cdr table is compared")
    parser.add_argument("--known", type=pathlib.Path, metavar="FILE", help="the rows that can't be derived")
    parser.add_argument("--lenient", action="store_true",
                        help="also take CDR rows that differ in a way that is in the list of known ones (known.py)")
    parser.add_argument("--must-match", type=pathlib.Path, metavar="FILE", help="names of the folders that must match")
    parser.add_argument("--unknown", type=columns_by_kind, default={}, metavar="KIND.COLUMN[,…]",
                        help="what this account cannot know may be null")
    parser.add_argument("--late", action="store_true", help="the stream begins while calls are up")
    parser.add_argument("--whole", metavar="NAME", help="with --late: a folder's stream from before the calls were up")
    parser.add_argument("--at-least", type=float, metavar="PERCENT", help="of the CDR rows must be matched")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print up to N unmatched rows of a kind and folder")
    parser.add_argument("--split", type=int, metavar="SEED", help="cut the stream instead of comparing with the truth")
    parser.add_argument("--bytewise", type=int, default=60_000, metavar="SIZE", help="largest stream fed byte by byte")
    parser.add_argument("--sanitized", metavar="BINARY", help="with --split: another build that must say the same")
    options = parser.parse_args(argv)
    if options.records:
        options.records = options.records.split(",")
    else:
        options.records = ["events"] if options.split is not None else ["cdr"] if options.sqlite else list(rows.READERS)
    unknown = set(options.records) - set(rows.READERS)
    if unknown and options.split is None:
        parser.error("unknown records: " + ", ".join(sorted(unknown)))
    for folder in options.folders:
        if not folder.is_dir():
            parser.error(f"no such folder: {folder}")
    for binary in (None if options.sqlite else options.amitap, options.sanitized):
        if binary and not os.access(binary, os.X_OK):
            parser.error(f"no such program: {binary}")
    options.known = known.read(options.known) if options.known else []
    if options.must_match:
        options.must_match = names_in(options.must_match)
        absent = options.must_match.keys() - {folder.name for folder in options.folders}
        if absent:
            parser.error("must match, but not given: " + ", ".join(sorted(absent)))
    return options


def main(argv=None):
    options, tally = arguments(argv), Tally()
    if options.split is not None:
        for folder in options.folders:
            split(folder, options, tally)
    else:
        compare_all(options, tally)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
