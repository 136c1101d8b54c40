# SPDX-License-Identifier: MIT
"""Rows of both sides in one form, read from what Asterisk wrote and from what amitap derived, and how they are paired.

A Row is equal to another when `exact` is the same and each of `near` is within its tolerance."""
import csv
import datetime
import io
import json
import re
import typing

CDR_COLUMNS = ("clid src dst dcontext channel dstchannel lastapp lastdata start answer end duration billsec disposition "
               "amaflags accountcode peeraccount uniqueid linkedid sequence userfield").split()
CDR_TIMES = ("start", "answer", "end")
CDR_SPANS = ("duration", "billsec")
CDR_EXACT = [column for column in CDR_COLUMNS if column not in (*CDR_TIMES, *CDR_SPANS, "sequence")]
# Asterisk cuts a time to the second, and ours is when AMI wrote the event, some milliseconds later at most: a derived
# time is up to this much more than the true one. The durations, which Asterisk gives in microseconds, show that delay.
LATE = 0.1
CUT = 1.0 + LATE


def allow(late):
    """AMI's stamps were late by so many seconds (cel.lateness): a time may be that much more off."""
    global LATE, CUT
    LATE, CUT = LATE + late, CUT + late


CEL_COLUMNS = "event time cid_num exten context channel app uniqueid linkedid peer extra".split()

# Which arguments of a queue_log event are seconds, and which milliseconds.
SECONDS = {"CONNECT": (0, 2), "COMPLETECALLER": (0, 1), "COMPLETEAGENT": (0, 1), "ABANDON": (2,),
           "EXITWITHTIMEOUT": (2,), "EXITEMPTY": (2,), "EXITWITHKEY": (3,), "BLINDTRANSFER": (2, 3),
           "ATTENDEDTRANSFER": (1, 2, 3, 4), "WITHDRAW": (2,), "AGENTLOGOFF": (1,)}
MILLISECONDS = {"RINGNOANSWER": (0,), "RINGCANCELED": (0,)}
ARGUMENTS = 6
# About the PBX, not about a call or a member.
NOT_COMPARED = ("QUEUESTART", "CONFIGRELOAD")

OUTCOMES = {"ABANDON": "abandoned", "EXITWITHTIMEOUT": "timeout", "EXITEMPTY": "leave_empty",
            "EXITWITHKEY": "exit_key", "WITHDRAW": "withdrawn"}
# Where queue_log gives the seconds waited (of a visit that nobody answered) and the seconds talked.
WAITED = {event: 3 if event == "EXITWITHKEY" else 2 for event in OUTCOMES}
ENDED_TALKS = ("COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER")
# Joins that were refused leave no line in queue_log.
REFUSED = ("blocked_full", "blocked_empty")

# A Uniqueid begins with the second of its channel's birth.
SECONDS_IN_ID = re.compile(r"(\d+)\.\d+$")


class Row(typing.NamedTuple):
    exact: dict  # by name of column
    near: dict   # name: (value or None, tolerance)
    unknown: frozenset = frozenset()  # columns whose value the account could not see: not compared
    guessed: frozenset = frozenset()  # columns that the record itself marks as guesses

    def differences(self, other):
        """What is not the same, as (name, mine, the other's)."""
        unknown = self.unknown | other.unknown
        names = (self.exact.keys() | other.exact.keys()) - unknown
        found = [(name, self.exact.get(name), other.exact.get(name)) for name in names
                 if self.exact.get(name) != other.exact.get(name)]
        for name in (self.near.keys() | other.near.keys()) - unknown:
            (mine, tolerance), (others, _) = self.near.get(name, (None, 0)), other.near.get(name, (None, 0))
            if mine != others and (mine is None or others is None or abs(mine - others) > tolerance):
                found.append((name, mine, others))
        return sorted(found, key=lambda difference: difference[0])

    def identity(self):
        """The uniqueid or linkedid that it is about."""
        return next(self.exact[name] for name in ("uniqueid", "linkedid", "call") if name in self.exact)

    def began_before(self, moment):
        """Whether its call was there then; a line about a member alone, by its own time."""
        ids = [self.exact[name] for name in ("linkedid", "uniqueid", "call") if name in self.exact]
        begun = [int(found[1]) for found in map(SECONDS_IN_ID.search, map(text, ids)) if found]
        return min(begun, default=self.near.get("time", (0, 0))[0]) <= moment


def pair(truth, derived):
    """One-to-one: (number of pairs, rows of the truth left over, derived rows left over)."""
    extra, missing = list(derived), []
    for row in truth:
        for i, candidate in enumerate(extra):
            if not row.differences(candidate):
                del extra[i]
                break
        else:
            missing.append(row)
    return len(truth) - len(missing), missing, extra


def epoch(time):
    """Seconds since 1970 of a time in UTC as Asterisk or RFC 3339 writes it; None where there is none."""
    if not time:
        return None
    when = datetime.datetime.fromisoformat(str(time).replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()


def text(value):
    return "" if value is None else str(value)


def guessed_in(record):
    """The columns that a record marks as guesses; in a history they are JSON."""
    guessed = record.get("guessed") or []
    return json.loads(guessed) if isinstance(guessed, str) else guessed


def cdr_row(record):
    near = {name: (epoch(record.get(name)), CUT) for name in CDR_TIMES}
    near.update({name: (float(record.get(name) or 0), LATE) for name in CDR_SPANS})
    return Row({name: text(record.get(name)) for name in CDR_EXACT}, near, guessed=frozenset(guessed_in(record)))


def log_row(fields):
    """A queue_log line, split at its bars."""
    if len(fields) < 5:
        raise ValueError("not a queue_log line: " + "|".join(fields))
    time, call, queue, agent, event = fields[:5]
    exact, near = {"call": call, "queue": queue, "agent": agent, "event": event}, {"time": (float(time), 1.0)}
    for i, value in enumerate((fields[5:] + [""] * ARGUMENTS)[:ARGUMENTS]):
        tolerance = 1 if i in SECONDS.get(event, ()) else 100 if i in MILLISECONDS.get(event, ()) else 0
        if tolerance and value.isdigit():
            near[f"argument {i + 1}"] = (int(value), tolerance)
        else:
            exact[f"argument {i + 1}"] = value
    return Row(exact, near)


def visit_row(record):
    outcome = "abandoned" if record.get("outcome") == "short_abandon" else record.get("outcome")
    exact = {"uniqueid": record.get("uniqueid"), "queue": record.get("queue"), "outcome": outcome}
    near = {"wait_seconds": (float(record.get("wait_seconds") or 0), CUT)}
    if outcome == "answered":
        exact["member"] = record.get("member")
        near["talk_seconds"] = (float(record.get("talk_seconds") or 0), CUT)
    return Row(exact, near)


def call_row(record):
    return Row({"linkedid": record.get("linkedid")},
               {"start": (epoch(record.get("start")), CUT), "end": (epoch(record.get("end")), CUT)})


def csv_records(content, columns):
    return [dict(zip(columns, row)) for row in csv.reader(io.StringIO(content, newline=""))]


def log_lines(content):
    lines = [line.rstrip("\r").split("|") for line in content.split("\n") if line.strip()]
    return [line for line in lines if len(line) < 5 or line[4] not in NOT_COMPARED]


def taken_away(here, queue, abandoned, arguments):
    """Who abandoned under an id that never entered: Asterisk gives the queue a channel of another one in place of the caller
    whom the manager takes out (Park, Bridge). The place and the moment at which he joined tell who it was."""
    _, place, waited, *_ = arguments
    found = [call for call, visit in here.items() if visit["queue"] == queue and visit["place"] == place
             and abs(int(abandoned) - int(waited) - visit["joined"]) <= 1]
    return found[0] if len(found) == 1 else None


def visits_of(lines):
    """queue_log folded into visits, those that the file leaves open left out."""
    visits, here = [], {}
    for time, call, queue, agent, event, *arguments in lines:
        if event == "ABANDON" and call not in here:
            call = taken_away(here, queue, time, arguments)
        if event == "ENTERQUEUE":
            here[call] = {"uniqueid": call, "queue": queue, "joined": int(time), "place": arguments[2]}
        elif call not in here:
            continue
        elif event in OUTCOMES:
            visits.append({**here.pop(call), "outcome": OUTCOMES[event], "wait_seconds": arguments[WAITED[event]]})
        elif event == "CONNECT":
            here[call].update(outcome="answered", wait_seconds=arguments[0], member=agent)
        elif event in ENDED_TALKS:
            # held, talked, position close every such line, after where a transfer went; COMPLETE* has nothing before
            talked = [argument for argument in arguments if argument][-2]
            visits.append({**here.pop(call), "talk_seconds": talked})
    return visits


def calls_of(records):
    """CEL folded into one record per linkedid that it opened and closed."""
    calls = {}
    for record in records:
        call = calls.setdefault(record["linkedid"], {"linkedid": record["linkedid"]})
        if record["event"] == "CHAN_START":
            call.setdefault("start", record["time"])
        elif record["event"] == "LINKEDID_END":
            call["end"] = record["time"]
    return [call for call in calls.values() if "start" in call and "end" in call]


def truth_rows(kind, content):
    """Rows of a kind from the truth; `content(name)` gives the text of a file of the recording."""
    if kind == "cdr":
        return [cdr_row(record) for record in csv_records(content("cdr.csv"), CDR_COLUMNS)]
    if kind == "call":
        return [call_row(record) for record in calls_of(csv_records(content("cel.csv"), CEL_COLUMNS))]
    lines = log_lines(content("queue_log"))
    return [log_row(line) for line in lines] if kind == "queue_log" else [visit_row(v) for v in visits_of(lines)]


def not_known(record, column):
    """Whether the record says itself that the value could not be known."""
    return record.get(column) is None or (column == "outcome" and record[column] == "lost_sight")


def left_out(record, unknown, late):
    """The columns of a record that are not compared: those it says it does not know, where it may not know them."""
    may = record if late and record.get("inferred") else unknown
    nulls = {column for column in may if not_known(record, column)}
    return frozenset(nulls | set(guessed_in(record) if late else ()))


def derived_rows(kind, records, unknown=(), late=False):
    """Rows of a kind from amitap's records: objects, or split lines for queue_log. A column in `unknown` that the
    record does not know is not compared; when the stream begins `late`, none that an inferred record does not know."""
    if kind == "queue":
        records = [record for record in records if record.get("outcome") not in REFUSED]
    derived = [READERS[kind](record) for record in records]
    if kind == "queue_log":
        return derived
    # Those that leave nothing out have the first pick.
    derived = [row._replace(unknown=left_out(record, unknown, late)) for row, record in zip(derived, records)]
    return sorted(derived, key=lambda row: len(row.unknown))


READERS = {"cdr": cdr_row, "queue_log": log_row, "queue": visit_row, "call": call_row}
