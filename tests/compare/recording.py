# SPDX-License-Identifier: MIT
"""A recording as an account with fewer rights would have got it, and under other names."""
import datetime
import lzma
import random
import re

NEVER = (b"Event: Cdr\r", b"Event: CEL\r", b"Event: TestEvent\r")
CLASSES = "call,agent,dialplan,system,user,agi,reporting,security"


class Renamer:
    """One consistent change of times, ids, channel serials and outside numbers, the same for a stream and its truth.

    The order of unique ids, also as strings, stays what it was: Asterisk's own rules depend on it."""

    PATTERN = re.compile(
        r"(?P<epoch>\b1[67]\d{8}(?!\d))(?P<fraction>\.\d+)?"
        r"|\b(?P<uuid>[0-9a-f]{8})(?=-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)"
        r"|(?<=[\w@]-)(?P<serial>[0-9a-f]{8})(?![-0-9a-f])"
        r"|\+(?P<area>\d{3})(?=\d{4,9})"
        r"|\b(?P<clock>20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d)")

    def __init__(self, seed):
        dice = random.Random(seed)
        self.seconds = dice.randrange(-200_000_000, 40_000_000)
        self.serial = dice.randrange(1 << 20)
        self.counter = str(dice.randrange(1, 90))
        self.area = dice.randrange(900)

    def text(self, text):
        return self.PATTERN.sub(self._one, text)

    def _one(self, match):
        kind = match.lastgroup if match.lastgroup != "fraction" else "epoch"
        value = match[kind]
        if kind == "epoch":
            return str(int(value) + self.seconds) + self._fraction(match["fraction"] or "")
        if kind == "uuid":
            return f"{int(value, 16) ^ self.serial:08x}"
        if kind == "serial":
            return f"{(int(value, 16) + self.serial) & 0xFFFFFFFF:08x}"
        if kind == "area":
            return f"+{(int(value) + self.area) % 900 + 100}"
        when = datetime.datetime.fromisoformat(value) + datetime.timedelta(seconds=self.seconds)
        return when.isoformat(sep=value[10])

    def _fraction(self, fraction):
        """Six digits are the microseconds of a Timestamp; fewer are the counter of a unique id."""
        return fraction if len(fraction) in (1, 7) or not fraction else "." + self.counter + fraction[1:]


def classes_of(message):
    found = re.search(rb"(?m)^Privilege: ([\w,]+)", message)
    return set(found[1].decode().split(",")) - {"all"} if found else set()


def visible(raw, classes):
    """The bytes without what an account with these classes does not see, and without Cdr, CEL and TestEvent."""
    def kept(message):
        head = message.lstrip()
        return not head.startswith(NEVER) and not (head.startswith(b"Event: ") and classes_of(message) - classes)
    return b"\r\n\r\n".join(filter(kept, raw.split(b"\r\n\r\n")))


def exists(path):
    return path.exists() or packed(path).exists()


def packed(path):
    return path.with_name(path.name + ".xz")


def content(path):
    """The bytes of a file of a recording, which may be kept as FILE.xz."""
    return path.read_bytes() if path.exists() else lzma.decompress(packed(path).read_bytes())


def stream_of(path, classes, renamer=None, eventfilter=None):
    data = visible(content(path), classes)
    data = eventfilter.stream(data) if eventfilter else data
    return renamer.text(data.decode("latin-1")).encode("latin-1") if renamer else data


def first_time(path, renamer=None):
    """The Timestamp of the first event, in seconds."""
    found = re.search(rb"(?m)^Timestamp: (\d+)", content(path))
    return int(found[1]) + (renamer.seconds if renamer else 0)


def without_cdr(path, renamer=None):
    """The unique ids of channels that may have no CDR of what a list shows of them, as a stream of all events tells: whose
    CDRs the dialplan disabled, whose call was picked up (the row was over then, whoever they talk with now), and whom a
    Page called (who is never party A)."""
    found, calls = set(), {}
    for message in content(path).decode("latin-1").split("\r\n\r\n"):
        uniqueid, linkedid = (re.search(rf"(?m)^{name}: (\S+)", message) for name in ("Uniqueid", "Linkedid"))
        if uniqueid and linkedid:
            calls[uniqueid[1]] = linkedid[1]
        if re.search(r"(?m)^Application: Set\r$", message) and re.search(r"(?m)^AppData: CDR_PROP\(disable\)=", message):
            found.add(uniqueid[1])
        if re.search(r"(?m)^Event: Pickup\r$", message):
            picked = re.search(r"(?m)^TargetLinkedid: (\S+)", message)[1]
            found |= {channel for channel, call in calls.items() if call == picked}
        if re.search(r"(?m)^Event: DialBegin\r$", message) and not re.search(r"(?m)^Channel: ", message):
            phone, call = (re.search(rf"(?m)^Dest{name}: (\S+)", message)[1] for name in ("Uniqueid", "Linkedid"))
            found |= {phone} - {call}
    return {renamer.text(each) for each in found} if renamer else found
