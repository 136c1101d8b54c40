# SPDX-License-Identifier: MIT
"""What a suite did to amitap and what came of it, one row for each kind of fault. `make docs` makes the README's table of
the rows that the last `make test` and the last `make soak` left in build/fault-log."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/fault-log"
KINDS = ("test", "soak")


def commit():
    """Which commit is checked out; "" where that is not known."""
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip()


class FaultLog:
    """The rows of one suite; those of its run before are forgotten. FAULT_LOG=soak keeps them apart as a soak's."""

    def __init__(self, suite):
        kind = os.environ.get("FAULT_LOG", "test")
        if kind not in KINDS:
            raise ValueError(f"FAULT_LOG is {kind}: neither of {KINDS}")
        folder = FOLDER / kind
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{suite}.jsonl"
        self.path.write_text("")
        self.commit = commit()

    def add(self, fault, *, injected, sent, found, doubles=0, lost=0, blind_seconds=0.0):
        """fault: a few words that name it. injected: how often. sent: facts that a clean replay of what was sent has.
        found: those of them that were found. doubles: deliveries more than one of an id. lost: facts neither found nor
        within a published gap. blind_seconds: the gaps' seconds, all together."""
        row = {"commit": self.commit, "fault": fault, "injected": injected, "sent": sent, "found": found, "doubles": doubles,
               "lost": lost, "blind_seconds": round(blind_seconds, 3)}
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
