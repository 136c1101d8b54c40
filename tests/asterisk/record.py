#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record scenarios on the lab: for each a folder with the AMI bytes and, beside them, what Asterisk itself wrote.

usage: record.py [-o FOLDER] [NAME ...]     all scenarios where none is named

ami.raw         what an account with every class received, from before the first call to a QueueStatus and a
                QueueSummary after the last one
ami-narrow.raw  the same for an account with the classes call and agent
ami-late.raw    from two seconds after the first call on, beginning with the snapshot actions
cdr.csv, cel.csv, queue_log   Asterisk's own account of the same time
"""
import argparse
import pathlib
import sys
import threading
import time

import lab as laboratory
import scenarios

LATE = 2.2


class Recorder:
    """One client that keeps what it receives."""

    def __init__(self, lab, user, file, snapshot=()):
        self.file = open(file, "wb")
        self.ami = laboratory.Ami(lab.ports["PBX_AMI"], user, user + "secret", sink=self.file)
        for action in snapshot:
            self.ami.send(Action=action, ActionID="snap-" + action.lower())

    def close(self):
        for action in ("QueueStatus", "QueueSummary", "Logoff"):
            self.ami.send(Action=action, ActionID="end-" + action.lower())
            time.sleep(0.3)
        self.ami.close()
        self.file.close()


def record(lab, name, play, folder):
    folder.mkdir(parents=True, exist_ok=True)
    sizes = lab.truth_sizes()
    clients = [Recorder(lab, "recorder", folder / "ami.raw"), Recorder(lab, "narrow", folder / "ami-narrow.raw")]
    late = threading.Timer(LATE, lambda: clients.append(
        Recorder(lab, "recorder", folder / "ami-late.raw", laboratory.SNAPSHOT)))
    time.sleep(0.3)
    late.start()
    trouble = ""
    try:
        play(lab)
    except Exception as error:  # a story that goes wrong is still a recording, but must be said
        trouble = f"  TROUBLE {error!r}"
    late.join()
    if not lab.await_idle():
        trouble += "  NOT IDLE"
        lab.cli("channel request hangup all")
        lab.await_idle(20)
    for client in clients:
        client.close()
    lab.save_truth(sizes, folder)
    events = (folder / "ami.raw").read_bytes().count(b"Event: ")
    rows, lines = ((folder / file).read_bytes().count(b"\n") for file in ("cdr.csv", "queue_log"))
    print(f"{name:36s} {events:6d} events {rows:4d} cdr rows {lines:3d} queue_log lines{trouble}", flush=True)
    return not trouble


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=pathlib.Path, default=laboratory.HERE / "../../build/recordings")
    parser.add_argument("-i", "--instance", default="record", help="name of the lab, for several at once")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    with laboratory.Lab(options.instance) as lab:
        print("Asterisk", lab.version())
        done = [record(lab, name, scenarios.named(name), options.out / name)
                for name in options.names or scenarios.names()]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
