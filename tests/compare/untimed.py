#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the PBX sends without timestampevents tells the same of programs, recordings and parking, but for the times.

usage: untimed.py [--amitap FILE] FOLDER ...

Each FOLDER's stream is replayed as it is and without its Timestamps: every call's record must name the same
recordings, hand-offs and what became of them, and parked calls. The last line counts the folders: N passed, N failed.
"""
import argparse
import json
import pathlib
import re
import sys

import compare
import recording

KEPT = {"recordings": ("file", "uniqueid"),
        "handoffs": ("uniqueid", "handed_to", "application", "appdata", "outcome", "variables"),
        "parks": ("uniqueid", "parking_lot", "parking_space", "outcome", "retrieved_by")}
TIMESTAMP = re.compile(rb"(?m)^Timestamp: .*\r?\n")


def told(replay, stream):
    """By linkedid, what is compared of its call."""
    return {call["linkedid"]: {name: [[entry[key] for key in keys] for entry in call[name]] for name, keys in KEPT.items()}
            for call in replay.records("call", stream)}


def difference(replay, folder):
    stream = recording.stream_of(folder / "ami.raw", set(recording.CLASSES.split(",")))
    timed, untimed = told(replay, stream), told(replay, TIMESTAMP.sub(b"", stream))
    for linkedid in sorted(timed.keys() | untimed.keys()):
        if timed.get(linkedid) != untimed.get(linkedid):
            return f"{linkedid}: {json.dumps(timed.get(linkedid))}, without times {json.dumps(untimed.get(linkedid))}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amitap", default="build/amitap")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    replay, failed = compare.Replay(options.amitap, []), 0
    for folder in options.folders:
        try:
            wrong = difference(replay, folder)
        except compare.Failed as error:
            wrong = str(error)
        if wrong:
            failed += 1
            print(f"FAIL {folder}: {wrong}")
    print(f"{len(options.folders) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
