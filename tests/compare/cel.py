# SPDX-License-Identifier: MIT
"""What became of each channel and call, by cel.csv alone: who was bridged with whom and when, seen through Local
channels; who hung up and why; transfers, pickups, parking, conferences.

People talk while at least two phones are connected: in one bridge, or in bridges that a Local channel's two halves join.
Holding and parking bridges connect nobody. Whoever hears a conference is in it. A phone is a channel that is no Local
half and none of the conference's own; who is a program's own ear and mouth (externalMedia, AudioSocket) talks with
nobody."""
import collections
import json

import rows

NO_PHONES = ("Local", "CBAnn", "CBRec", "Message", "Surrogate")
MEDIA = ("UnicastRTP", "AudioSocket", "WebSocket")


class Clock:
    """How many seconds something lasted, in so many stretches: Asterisk may have cut each end to the second."""

    def __init__(self):
        self.seconds, self.stretches, self.since = 0.0, 0, None

    def set(self, on, now):
        if on and self.since is None:
            self.since, self.stretches = now, self.stretches + 1
        elif not on and self.since is not None:
            self.seconds, self.since = self.seconds + now - self.since, None
            return True
        return False


class Channel:
    def __init__(self, record, now):
        self.uniqueid, self.name, self.linkedid = record["uniqueid"], record["channel"], record["linkedid"]
        uuid = self.name.startswith("AudioSocket/")
        self.interface = self.name[:-37] if uuid else self.name.rpartition("-")[0]
        self.start, self.answer, self.end = now, None, None
        self.picked_up = self.refused = False
        self.hung_up = None  # number of the line
        self.talked = 0      # and of the one since which it talks no more
        self.started = 0     # and of its first
        self.cause = self.source = self.bridge = self.conference = None
        self.talk = Clock()
        self.calls = {self.linkedid}
        self.app = record["app"]

    @property
    def phone(self):
        return self.name.partition("/")[0] not in NO_PHONES

    @property
    def talker(self):
        return self.phone and self.name.partition("/")[0] not in MEDIA

    def other_half(self):
        """The name of a Local half's other one, or None."""
        halves = {";1": ";2", ";2": ";1"}
        return self.name[:-2] + halves[self.name[-2:]] if self.name[-2:] in halves else None


class Bridge:
    def __init__(self, technology):
        self.members = {}
        self.connects, self.conference = technology != "holding_bridge", False


class Call:
    def __init__(self, linkedid):
        self.linkedid, self.talk = linkedid, Clock()
        self.start = self.end = None
        self.talked = 0    # number of the line since which nobody talks any more
        self.hangups = []  # of phones, in order


class Truth:
    def __init__(self):
        self.channels, self.calls, self.bridges = {}, {}, {}
        self.pairs = collections.defaultdict(Clock)  # by both Uniqueids, in order
        self.transfers, self.pickups, self.parks, self.conferences = [], [], [], []
        self.line = 0
        self.exact = True  # times have fractions of a second
        self.live = {}     # by name
        self.phones, self.talking_pairs, self.talking_calls = [], set(), set()

    def call(self, linkedid):
        if linkedid not in self.calls:
            self.calls[linkedid] = Call(linkedid)
        return self.calls[linkedid]

    def tolerance(self, stretches=1):
        """Both ends of a stretch may have been cut, which makes it up to 1 s longer or shorter."""
        return rows.LATE + (0 if self.exact else 1.0) * max(stretches, 1)


def read(content):
    """The truth of a cel.csv. Lines that say nothing of channels and calls are passed over."""
    truth = Truth()
    for record in rows.csv_records(content, rows.CEL_COLUMNS):
        now = rows.epoch(record["time"])
        truth.line += 1
        truth.exact &= "." in record["time"]
        extra = json.loads(record["extra"]) if record["extra"] else {}
        channel = truth.channels.get(record["uniqueid"])
        if record["event"] == "CHAN_START":
            channel = truth.channels[record["uniqueid"]] = truth.live[record["channel"]] = Channel(record, now)
        if not channel:
            continue
        relink(truth, channel, record["linkedid"])
        channel.app = record["app"]
        handler = HANDLERS.get(record["event"])
        if handler:
            handler(truth, channel, now, {**record, **extra})
    return truth


def relink(truth, channel, linkedid):
    """What a line shows of a channel's call, which may have changed since its last one. Who picked up a call is part of
    that, also where Asterisk leaves it its linkedid: when the phone picked up had just answered."""
    if channel.picked_up and age(linkedid) >= age(channel.linkedid):
        return
    channel.linkedid = linkedid
    channel.calls.add(linkedid)
    truth.call(linkedid)


def on_start(truth, channel, now, _):
    call = truth.call(channel.linkedid)
    call.start = call.start or now
    channel.started = truth.line
    if channel.phone:
        truth.phones.append(channel)


def on_answer(truth, channel, now, _):
    channel.answer = channel.answer or now


def on_enter(truth, channel, now, line):
    bridge = truth.bridges.setdefault(line["bridge_id"], Bridge(line["bridge_technology"]))
    bridge.conference |= line["app"].lower() == "confbridge" or "CBAnn/" in line["peer"]
    bridge.members[channel.uniqueid], channel.bridge = channel, bridge
    if bridge.connects and not bridge.conference:
        oldest = min((member.linkedid for member in bridge.members.values()), key=age)
        for member in bridge.members.values():
            relink(truth, member, oldest)
    recount(truth, now)


def age(uniqueid):
    """Uniqueids sort by their second, then by their counter: the oldest linkedid becomes that of all in a bridge."""
    second, _, counter = uniqueid.rpartition("-")[2].partition(".")
    return int(second), int(counter)


def on_exit(truth, channel, now, line):
    bridge = truth.bridges.get(line["bridge_id"])
    if not bridge or channel.uniqueid not in bridge.members:
        return
    del bridge.members[channel.uniqueid]
    if channel.bridge is bridge:
        channel.bridge = None
    recount(truth, now)


def on_hangup(truth, channel, now, line):
    channel.end, channel.cause, channel.source = now, line["hangupcause"] or None, line["hangupsource"]
    channel.hung_up = truth.line
    channel.refused = line["app"] == "AppDial2" and not channel.answer
    truth.live.pop(channel.name, None)
    if channel.bridge:
        channel.bridge.members.pop(channel.uniqueid, None)
    if channel.phone:
        truth.call(channel.linkedid).hangups.append(channel)
    recount(truth, now)


def on_linkedid_end(truth, channel, now, line):
    truth.call(line["linkedid"]).end = now


def on_blind(truth, channel, now, line):
    truth.transfers.append({"linkedid": line["linkedid"], "time": now, "transfer": "blind", "uniqueid": channel.uniqueid,
                            "transferred_to": line["extension"], "context": line["context"]})


def on_attended(truth, channel, now, line):
    """Blonde while nobody has answered at the target. Its Local half may stand with the transferee already, so it is
    looked at from the other one."""
    target = truth.channels.get(line.get("transfer_target_channel_uniqueid")) or target_of(truth, channel, line)
    far = truth.live.get(target.other_half()) if target else None
    there = connected(truth, far, behind=target) if far else {target.uniqueid} if target else set()
    answered = any(truth.channels[each].answer for each in there if not waits(truth.channels[each]))
    truth.transfers.append({"linkedid": line["linkedid"], "time": now, "uniqueid": channel.uniqueid,
                            "second": line.get("channel2_uniqueid"),
                            "transfer": "attended" if answered else "blonde"})


def waits(channel):
    """It runs what waits for somebody else to answer, and so its own answer is that of the dialplan."""
    return channel.app in ("Dial", "Queue") and not channel.bridge


def target_of(truth, channel, line):
    """CEL names no target ("N/A") when it has left the second bridge for the first by then."""
    gone = {channel.uniqueid, line["channel2_uniqueid"], line["transferee_channel_uniqueid"]}
    bridges = [truth.bridges[line[name]] for name in ("bridge1_id", "bridge2_id") if line[name] in truth.bridges]
    others = [member for bridge in bridges for member in bridge.members.values() if member.uniqueid not in gone]
    return others[0] if others else None


def on_pickup(truth, channel, now, line):
    """The picker takes the target's place, a bridge included if the target had just been answered."""
    truth.pickups.append({"linkedid": line["linkedid"], "time": now, "uniqueid": line["pickup_channel_uniqueid"],
                          "target": channel.name})
    picker = truth.channels.get(line["pickup_channel_uniqueid"])
    if picker:
        picker.picked_up = True
        truth.call(channel.linkedid)
        picker.linkedid = channel.linkedid
    if picker and channel.bridge:
        picker.bridge, channel.bridge = channel.bridge, None
        del picker.bridge.members[channel.uniqueid]
        picker.bridge.members[picker.uniqueid] = picker
        recount(truth, now)


def on_park_start(truth, channel, now, line):
    truth.parks.append({"linkedid": line["linkedid"], "uniqueid": channel.uniqueid, "parking_lot": line["parking_lot"],
                        "from": now, "to": None, "outcome": None})


OUTCOMES = {"ParkedCallTimeOut": "timeout", "ParkedCallGiveUp": "gave_up", "ParkedCallUnparked": "retrieved"}


def on_park_end(truth, channel, now, line):
    for park in truth.parks:
        if park["uniqueid"] == channel.uniqueid and park["to"] is None:
            park.update(to=now, outcome=OUTCOMES.get(line["reason"], line["reason"]))
            return


HANDLERS = {"CHAN_START": on_start, "ANSWER": on_answer, "BRIDGE_ENTER": on_enter, "BRIDGE_EXIT": on_exit,
            "HANGUP": on_hangup, "LINKEDID_END": on_linkedid_end, "BLINDTRANSFER": on_blind,
            "ATTENDEDTRANSFER": on_attended, "PICKUP": on_pickup, "PARK_START": on_park_start,
            "PARK_END": on_park_end}


def connected(truth, channel, conferences=True, behind=None):
    """The Uniqueids of all whom the channel hears, itself included; of whom it hears without passing `behind`."""
    seen, waiting = {behind.uniqueid} if behind else set(), [channel]
    while waiting:
        here = waiting.pop()
        if here.uniqueid in seen:
            continue
        seen.add(here.uniqueid)
        if here.bridge and here.bridge.connects and (conferences or not here.bridge.conference):
            waiting += here.bridge.members.values()
        other = truth.live.get(here.other_half())
        if other:
            waiting.append(other)
    return seen - {behind.uniqueid} if behind else seen


def stay(truth, channel, heard, now):
    """Begin or end the channel's stay in a conference by whom it hears now, itself included."""
    bridges = [truth.channels[each].bridge for each in heard]
    [conference] = [bridge for bridge in bridges if bridge and bridge.conference and channel.talker][:1] or [None]
    if conference is channel.conference:
        return
    if channel.conference:
        [going_on] = [c for c in truth.conferences if c["uniqueid"] == channel.uniqueid and c["to"] is None]
        going_on["to"] = now
    if conference:
        truth.conferences.append({"uniqueid": channel.uniqueid, "from": now, "to": None})
    channel.conference = conference


def recount(truth, now):
    """Set every clock by who is connected with whom now."""
    pairs, talking_calls = set(), set()
    for channel in truth.phones:
        heard = connected(truth, channel) if channel.end is None else set()
        stay(truth, channel, heard, now)
        talks = channel.talker and any(truth.channels[each].talker for each in heard - {channel.uniqueid})
        if channel.talk.set(talks, now):
            channel.talked = truth.line
        if talks:
            talking_calls.add(channel.linkedid)
            near = connected(truth, channel, conferences=False)
            pairs |= {tuple(sorted((channel.uniqueid, each))) for each in near - {channel.uniqueid}
                      if truth.channels[each].talker}
    for pair in pairs | truth.talking_pairs:
        truth.pairs[pair].set(pair in pairs, now)
    for linkedid in talking_calls | truth.talking_calls:
        if truth.call(linkedid).talk.set(linkedid in talking_calls, now):
            truth.call(linkedid).talked = truth.line
    truth.talking_pairs, truth.talking_calls = pairs, talking_calls
    truth.phones = [channel for channel in truth.phones if channel.end is None]


def ended_by(truth, call):
    """Who ended the call: a channel's name, or what CEL has instead; None where it does not say or says two things.

    Those count who were in its last conversation, if no other phone was tried after it, or all if there was none. It is what the channel that opened the call
    has as its source, if it is among them, else what they agree on. A source that hung up before the others is left over
    from a conversation after which the call went on: CEL then says nothing of its end. A phone that refuses what
    the PBX originated had no call to end."""
    final = [channel for channel in call.hangups if channel.talked >= call.talked]
    tried_after = call.talked and any(channel.started > call.talked for channel in call.hangups)
    if not final or final[0].refused or tried_after:
        return None
    opener = [channel for channel in final if channel.uniqueid == call.linkedid]
    sources = {channel.source for channel in opener or final if channel.source}
    if len(sources) != 1:
        return None
    source = sources.pop()
    [channel] = [channel for channel in truth.channels.values() if channel.name == source][-1:] or [None]
    if channel and channel.talked and channel not in final:
        return None
    if channel and (channel.end is None or call.hangups[-1].end - channel.end > (0.5 if truth.exact else 0)):
        return None
    return source


def lateness(truth, stream):
    """By how many seconds AMI's stamps of answers and hang-ups were behind CEL's at most: Asterisk stamps an event as it
    writes it, which on a busy machine may be later than what it tells of."""
    late = 0.0
    for message in stream.split("\r\n\r\n"):
        headers = dict(line.partition(": ")[::2] for line in message.split("\r\n"))
        event, channel = headers.get("Event"), truth.channels.get(headers.get("Uniqueid"))
        answered = event == "Newstate" and headers["ChannelStateDesc"] == "Up"
        true = channel and (channel.end if event == "Hangup" else channel.answer if answered else None)
        late = max(late, float(headers["Timestamp"]) - true if true else 0)
    return late
