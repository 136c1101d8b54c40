# SPDX-License-Identifier: MIT
"""The list of what can't be derived from what AMI sends: each entry is one row of one recording, with its reason.

    [reason]                             a heading, with comments over it
    FOLDER KIND ID COLUMN[,COLUMN]       in captures/NAME or the like the row of this uniqueid or linkedid differs in
                                         exactly these columns, or is `missing` on our side

A blank in a column's name is written as a dash. An entry that no longer differs is an error of the list."""
import typing

import rows


class Entry(typing.NamedTuple):
    folder: str
    kind: str
    identity: str
    columns: tuple
    reason: str

    def __str__(self):
        return f"{self.folder} {self.kind} {self.identity} {','.join(self.columns)}"


def read(path):
    entries, reason = [], None
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if line.startswith("["):
            reason = line.strip("[]")
        elif len(words) != 4 or not reason:
            raise ValueError(f"{path}:{number}: FOLDER KIND ID COLUMNS under a [reason] is wanted")
        else:
            entries.append(Entry(*words[:3], tuple(sorted(words[3].split(","))), reason))
    return entries


def is_guess(row, other, _):
    """They differ in nothing but what the record itself calls a guess."""
    return {name for name, *_ in row.differences(other)} <= other.guessed


def is_order(row, other, truth):
    """Which of two channels' events came first decided this row, and its channel went on to another one: they differ in
    nothing but the place from where it was sent elsewhere, or, as party B was picked up, in whether and when party A had
    last been heard of."""
    names = {name for name, *_ in row.differences(other)}
    went_on = sum(each.identity() == row.identity() for each in truth) > 1
    short = all(each.near["billsec"][0] <= rows.LATE for each in (row, other))
    return went_on and (names <= {"dst", "dcontext"} or (names <= {"answer", "disposition", "end", "duration"} and short))


AGI = ("AGI", "EAGI")


def is_agi_over(row, other, _):
    """The caller hung up as an AGI had an application executed: whether it was over before the call's last look, in which
    Asterisk has the AGI then, is up to two threads."""
    names = {name for name, *_ in row.differences(other)}
    return names == {"lastapp", "lastdata"} and row.exact["lastapp"] in AGI and other.exact["lastapp"] not in AGI


def take_by_rule(missing, extra, truth):
    """The same for recordings that nobody has looked at: take out the CDR rows whose difference is of a kind that is in
    the list; how many."""
    taken = 0
    for rule in (is_guess, is_order, is_agi_over):
        for row in list(missing):
            other = next((other for other in extra if rule(row, other, truth)), None)
            if other:
                missing.remove(row)
                extra.remove(other)
                taken += 1
    return taken


def columns_of(differences):
    return tuple(sorted(name.replace(" ", "-") for name, *_ in differences))


def take(entries, missing, extra):
    """Take out of both lists what the entries name; the entries that named nothing."""
    unused = []
    for entry in entries:
        rows = [row for row in missing if row.identity() == entry.identity]
        pairs = [(row, None) for row in rows if entry.columns == ("missing",)]
        pairs += [(row, other) for row in rows for other in extra if columns_of(row.differences(other)) == entry.columns]
        if not pairs:
            unused.append(entry)
            continue
        row, other = pairs[0]
        missing.remove(row)
        if other:
            extra.remove(other)
    return unused
