# SPDX-License-Identifier: MIT
"""What a consumer finds, held against the contracts and against what replay prints."""
import collections
import datetime
import json
import pathlib
import re
import subprocess

import confluent_kafka
import jsonschema
import referencing

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"
ENVELOPE = {"kind", "id", "subject", "time", "pbx", "tenant", "cause_event", "tap", "inferred"}
HEADERS = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_sequence", "content-type"]


def rows_of(name, macro):
    text = (SCHEMAS / name).read_text()
    return [[word.strip().strip('"') for word in row.split(",")]
            for row in re.findall(rf"^{macro}\((.*)\)$", text, re.M)]


KINDS = {row[1]: dict(topic=row[2], table=row[3], type=row[4], key=row[5], schema=row[6], state=row[7] == "STATE")
         for row in rows_of("facts.def", "FACT_KIND")}
KEPT = {kind for kind, row in KINDS.items() if row["table"]}
TABLES = sorted({row["table"] for row in KINDS.values()} - {""})
TOPICS = {row[1]: dict(partitions=int(row[2]), policy=row[3].lower()) for row in rows_of("topics.def", "TOPIC")}


class Message:
    def __init__(self, message):
        self.topic, self.partition, self.offset = message.topic(), message.partition(), message.offset()
        self.key = (message.key() or b"").decode()
        self.headers = [(name, value.decode()) for name, value in message.headers() or []]
        self.value = message.value()
        self.body = json.loads(self.value) if self.value is not None else None

    def header(self, name):
        return dict(self.headers).get(name)

    @property
    def id(self):
        return self.header("ce_id")

    @property
    def kind(self):
        return (self.header("ce_type") or "").removeprefix("amitap.").removesuffix(".v0")

    def record(self):
        """As replay prints it: a tombstone is its envelope."""
        if self.body is not None:
            return self.body
        return {"kind": self.kind, "id": self.id, "subject": self.header("ce_subject"), "time": self.header("ce_time"),
                "pbx": self.header("ce_source").removeprefix("amitap://"), "tenant": None}


def own(record):
    """A tap's own, or not observed: another run need not say the same."""
    return bool(record.get("tap") or record.get("inferred"))


def consume(client, prefix):
    """Every message of the topics behind the prefix, in order of partition and offset, up to what is there now."""
    consumer = confluent_kafka.Consumer(client | {"group.id": "test", "enable.auto.commit": False,
                                                  "auto.offset.reset": "earliest"})
    metadata = consumer.list_topics(timeout=20)
    parts = [confluent_kafka.TopicPartition(prefix + topic, partition, 0)
             for topic in TOPICS for partition in metadata.topics[prefix + topic].partitions]
    left = {}
    for part in parts:
        low, high = consumer.get_watermark_offsets(part, timeout=20)
        if high > low:
            left[part.topic, part.partition] = high
    consumer.assign([part for part in parts if (part.topic, part.partition) in left])
    messages = []
    while left:
        batch = consumer.consume(1000, timeout=20)
        if not batch:
            raise RuntimeError(f"nothing comes any more from {sorted(left)}")
        for message in batch:
            if message.error():
                raise RuntimeError(str(message.error()))
            messages.append(Message(message))
            place = message.topic(), message.partition()
            if message.offset() + 1 >= left.get(place, 0):
                left.pop(place, None)
    consumer.close()
    return sorted(messages, key=lambda m: (m.topic, m.partition, m.offset))


class Contracts:
    def __init__(self):
        files = {path.name: json.loads(path.read_text()) for path in (SCHEMAS / "json").glob("*.json")}
        registry = referencing.Registry().with_resources(
            (name, referencing.Resource.from_contents(schema)) for name, schema in files.items())
        self.validators = {kind: jsonschema.Draft202012Validator({"$ref": row["schema"]}, registry=registry)
                           for kind, row in KINDS.items()}

    def schema_faults(self, message):
        if message.body is None:
            return []
        validator = self.validators.get(message.body.get("kind"))
        if not validator:
            return [f"{message.id}: unknown kind {message.body.get('kind')!r}"]
        return [f"{message.id}: {'.'.join(map(str, error.path))}: {error.message[:200]}"
                for error in validator.iter_errors(message.body)]


def key_of(record, first_linkedid):
    """The key that a record should have, by facts.def."""
    key = KINDS[record["kind"]]["key"]
    if key == "CALL":
        return f"{record['pbx']}/{first_linkedid}"
    if key == "ENDPOINT":
        return f"{record['pbx']}/{'trunk/' if record['kind'].startswith('trunk') else ''}{record['subject']}"
    field = {"QUEUE": "queue", "AGENT": "interface", "HANDOFF": "subject"}.get(key)
    return f"{record['pbx']}/{record[field]}" if field else record["pbx"]


def envelope_faults(message, prefix):
    """What is wrong with the topic, key and headers of one message."""
    row = KINDS.get(message.kind)
    if not row:
        return [f"{message.id}: ce_type is {message.header('ce_type')}"]
    faults = []
    record = message.record()
    expected = {"ce_specversion": "1.0", "ce_id": record["id"], "ce_source": f"amitap://{record['pbx']}",
                "ce_type": row["type"], "ce_time": record["time"], "ce_subject": record["subject"],
                "ce_sequence": message.header("ce_sequence"), "content-type": "application/json"}
    if message.body is None:
        del expected["content-type"]
        if not row["state"]:
            faults.append("has no value, and its topic is not compacted")
    if message.headers != list(expected.items()):
        faults.append(f"its headers are {message.headers}")
    if not re.fullmatch(r"\d{20}", message.header("ce_sequence") or ""):
        faults.append(f"ce_sequence is {message.header('ce_sequence')}")
    if message.topic != prefix + row["topic"]:
        faults.append(f"is in {message.topic}")
    pbx, slash, rest = message.key.partition("/")
    if pbx != record["pbx"] or bool(slash) != (row["key"] != "PBX") or slash and not rest:
        faults.append(f"its key is {message.key}")
    elif message.body is not None and row["key"] != "CALL" and message.key != key_of(record, None):
        faults.append(f"its key is {message.key}, not {key_of(record, None)}")
    return [f"{message.id}: {fault}" for fault in faults]


def call_key_faults(messages):
    """All that belongs to a call has the key of the call's beginning, whatever its linkedid became."""
    first = {m.body["uniqueid"]: m.key for m in messages if m.kind == "call_started"}
    for m in messages:
        if KINDS[m.kind]["key"] != "CALL" or own(m.record()):
            continue
        if m.kind in ("call", "call_state", "call_ended") and m.record()["subject"] in first and \
                m.key != first[m.record()["subject"]]:
            yield f"{m.id}: its key is {m.key}, its call began with {first[m.record()['subject']]}"
        elif m.key not in first.values():
            yield f"{m.id}: no call began with its key {m.key}"


def sequence_faults(messages):
    """A call's facts of all topics, sorted by ce_sequence, are in the order in which they happened."""
    calls = collections.defaultdict(dict)
    for m in messages:
        if KINDS[m.kind]["key"] == "CALL":
            calls[m.key][m.id] = m
    for key, some in calls.items():
        ordered = sorted(some.values(), key=lambda m: m.header("ce_sequence"))
        for a, b in zip(ordered, ordered[1:]):
            if a.header("ce_sequence") == b.header("ce_sequence"):
                yield f"{key}: {a.id} and {b.id} have the same ce_sequence"
            elif a.header("ce_time") > b.header("ce_time") and not own(a.record()) and not own(b.record()):
                yield f"{key}: {b.id} comes behind {a.id} and is older"


def dropped_doubles(messages):
    seen = {}
    for m in messages:
        seen.setdefault(m.id, m)
    return list(seen.values())


def double_faults(messages):
    """Copies of a record must be the same record."""
    seen = {}
    for m in messages:
        other = seen.setdefault(m.id, m)
        if (other.value, other.key, other.headers) != (m.value, m.key, m.headers):
            yield f"{m.id}: came twice and differs: {other.value!r} {m.value!r}"


def order_faults(messages):
    """The facts of a call stand in each topic in the order of their ce_sequence."""
    last = {}
    for m in messages:
        place = m.topic, m.key, m.header("ce_subject")
        if KINDS[m.kind]["key"] != "CALL" or own(m.record()):
            continue
        before = last.get(place)
        if before and before.header("ce_sequence") > m.header("ce_sequence"):
            yield f"{m.id}: behind {before.id} in {m.topic} under {m.key}"
        last[place] = m


def epoch(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# What lies so near to a gap may have been seen on one side of it only.
SLACK = 0.3


def entity(record):
    return record.get("linkedid") or record["subject"]


def touched(sent, gaps):
    """The calls, queues and other entities that told something within a gap, or were there before and after."""
    windows = [(epoch(gap["from"]) - SLACK, epoch(gap["to"]) + SLACK) for gap in gaps]
    lives = collections.defaultdict(list)
    for record in sent:
        lives[entity(record)].append(epoch(record["time"]))
    return {one for one, times in lives.items() if any(min(times) <= to and max(times) >= begin for begin, to in windows)}


def in_gaps(sent, gaps):
    """Ids of the records of such entities."""
    blind = touched(sent, gaps)
    return {record["id"] for record in sent if entity(record) in blind}


def seconds(gaps):
    return sum(epoch(gap["to"]) - epoch(gap["from"]) for gap in gaps)


def replayed(amitap, config, files):
    """What replay prints for the stream, in its order, without what is a tap's own."""
    done = subprocess.run([amitap, "replay", "-c", config, "--pbx", "main", "--records", "events", *map(str, files)],
                          check=True, stdout=subprocess.PIPE)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return [record for record in records if not own(record)]


def without_repeats(items, record_of=lambda item: item):
    """Live state without what says again what was said last: how often that is said may change with a restart, where
    what other calls had shown is not known any more."""
    last, kept = {}, []
    for item in items:
        record = record_of(item)
        if KINDS[record["kind"]]["state"] and not own(record):
            content = {name: value for name, value in record.items() if name not in ("id", "time")}
            if last.get((record["kind"], record["subject"])) == content:
                continue
            last[record["kind"], record["subject"]] = content
        kept.append(item)
    return kept


# What the passing of a minute alone may change: live the clock tells it, in a recording the next event.
CLOCKED = {"handoff_state"}


def comparison_faults(messages, expected, blind=frozenset()):
    """The consumer's records are replay's, each once, in replay's order per topic and key. blind: entities that were in a
    gap; of these there may be fewer and other records."""
    found = {m.id: m for m in messages if not own(m.record()) and m.kind not in CLOCKED}
    expected = [record for record in expected if record["kind"] not in CLOCKED]
    place = {}
    for n, record in enumerate(expected):
        if record["id"] in place:
            yield f"{record['id']}: printed twice by replay"
        place[record["id"]] = n
    for record in expected:
        m = found.get(record["id"])
        if entity(record) in blind:
            continue
        if not m:
            yield f"{record['id']}: not published"
        elif m.record() != record:
            yield f"{record['id']}: differs: {m.record()} replay: {record}"
    yield from (f"{id}: published and not in the stream" for id, m in found.items()
                if id not in place and entity(m.record()) not in blind)
    last = {}
    for m in found.values():
        if m.id not in place:
            continue
        before = last.get((m.topic, m.key))
        if before and place[before] > place[m.id]:
            yield f"{m.id}: behind {before} in {m.topic} under {m.key}"
        last[m.topic, m.key] = m.id
