#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints screen-pops, call logs and CDRs from amitap's topics; see ../README.md.

usage: consumer.py PROPERTIES [PREFIX]
       consumer.py -
"""
import collections
import json
import re
import signal
import sys

SEEN_MAX = 100_000
TOPICS = ("call-events", "calls", "cdr")


class Seen:
    """The ids printed last."""

    def __init__(self):
        self.ids = collections.OrderedDict()

    def before(self, identity):
        """Whether a record with this id was printed before; from now on it was."""
        if identity in self.ids:
            return True
        self.ids[identity] = None
        if len(self.ids) > SEEN_MAX:
            self.ids.popitem(last=False)
        return False


def caller(record):
    number, name = record["caller_number"] or "unknown", record["caller_name"]
    return number + (f' "{name}"' if name else "") + f", dialled {record['dialled']}"


def ring(record):
    queue = f", queue {record['queue']}" if record["queue"] else ""
    return f"RING {record['time']} {record['interface']} number {record['number']}: {caller(record)}{queue}"


def call(record):
    end = f", hung up by {record['hung_up_by']}" if record["hung_up_by"] else ""
    answered = "answered" if record["answer"] else "not answered"
    return f"CALL {record['start'] or '-'} {caller(record)}: {answered}, {int(record['duration'] or 0)} s{end}"


def cdr(record):
    to = f" to {record['dstchannel']}" if record["dstchannel"] else ""
    return (f"CDR {record['start'] or '-'} {record['src']} -> {record['dst']}: {record['disposition']}, "
            f"{int(record['billsec'] or 0)} s of {int(record['duration'] or 0)} s, {record['channel']}{to}")


LINES = {"call_ringing": ring, "call": call, "cdr": cdr}


def take(record, seen):
    line = LINES.get(record["kind"])
    if line is None or seen.before(record["id"]):
        return
    text = line(record) + (" (inferred)" if record.get("inferred") else "")
    # What comes from a caller must not move the cursor.
    print(re.sub("[\x00-\x1f\x7f-\x9f]", "?", text), flush=True)


def properties(path):
    """Lines "name=value"; '#' begins a comment line."""
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\r\n") for line in file]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def consume(path, prefix, seen):
    from confluent_kafka import Consumer

    stopping = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.append(True))
    consumer = Consumer(properties(path))
    consumer.subscribe([prefix + topic for topic in TOPICS])
    while not stopping:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            print(f"consumer: {message.error()}", file=sys.stderr)
            continue
        # The kind is in the header too: what is not printed need not be parsed.
        kind = dict(message.headers() or ()).get("ce_type", b"").decode().removeprefix("amitap.").removesuffix(".v0")
        if message.value() is not None and kind in LINES:
            take(json.loads(message.value()), seen)
    consumer.close()


def main():
    if not 2 <= len(sys.argv) <= 3:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    seen = Seen()
    if sys.argv[1] == "-":
        for line in sys.stdin.buffer:
            take(json.loads(line), seen)
    else:
        consume(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "amitap.", seen)
    return 0


sys.exit(main())
