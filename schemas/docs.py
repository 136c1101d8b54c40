#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes schemas/README.md and schemas/asyncapi.yaml from facts.def, topics.def and the JSON Schemas.

    make docs              writes both
    docs.py --check        writes nothing; not zero, and a line for each, when one is not up to date
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
KEYS = {
    "CALL": ("<pbx>/<linkedid>", "the Linkedid that the call's first channel had first"),
    "QUEUE": ("<pbx>/<queue>", "the queue's name"),
    "AGENT": ("<pbx>/<interface>", "the agent's interface"),
    "ENDPOINT": ("<pbx>/<entity>", "the subject; that of a trunk has `trunk/` before it, since its endpoint has one too"),
    "HANDOFF": ("<pbx>/<kind>", "what is handed to: its kind, or stasis/ and the application"),
    "PBX": ("<pbx>", "the PBX's name"),
}
TOPICS = {
    "call-events": "What happens in calls, as it happens.",
    "calls": "One log for each call that has ended.",
    "cdr": "Call detail records as Asterisk writes them.",
    "queue-events": "What happens in queues, as it happens, and the lines of queue_log.",
    "queues": "One log for each visit to a queue that has ended.",
    "agent-events": "What agents do: intervals, and changes of their memberships.",
    "endpoint-events": "How long phones and registrations were in a state, and what went over trunks.",
    "alerts": "What needs somebody's attention; nothing yet.",
    "tap": "The tap's own: where it was blind, when it had the PBX.",
    "calls-state": "The live state of each call.",
    "queues-state": "The live state of each queue.",
    "agents-state": "The live state of each agent.",
    "endpoints-state": "The live state of each endpoint, outbound registration and trunk.",
    "load-state": "How much is handed to programs outside of the dialplan now.",
}
HEADERS = [
    ("ce_specversion", "1.0", "of CloudEvents"),
    ("ce_type", "amitap.<kind>.v0", "the kind and the version of its schema"),
    ("ce_source", "amitap://<pbx>", "the PBX"),
    ("ce_id", "`id` of the body", "the same in every delivery: drop doubles by it"),
    ("ce_subject", "`subject` of the body", "the entity: upsert by it"),
    ("ce_time", "`time` of the body", "when the PBX says that it happened"),
    ("ce_sequence", "zero-padded number", "orders the facts of one call across topics, per tap"),
    ("content-type", "application/json", ""),
]


def facts():
    """The rows of facts.def, as dictionaries, with the description of the schema."""
    names = ("id", "kind", "topic", "table", "ce_type", "key", "schema", "retention", "worth")
    for row in re.findall(r"^FACT_KIND\((.*)\)$", (HERE / "facts.def").read_text(), re.M):
        fact = dict(zip(names, (word.strip().strip('"') for word in row.split(","))))
        path = HERE / "json" / fact["schema"]
        if not path.exists():
            sys.exit(f"schemas/json/{fact['schema']} is missing")
        schema = json.loads(path.read_text())
        yield fact | {"text": schema["description"]}


WITHOUT = {
    "ABSENT": "no such records", "FEWER": "fewer records, or other ones: those that something else shows",
    "NONE": "null", "PART": "null, or empty, where nothing else shows it",
    "MOST": "right in most records only", "DEFAULT": "Asterisk's default",
}
# Settings that a field needs beside the account's classes.
SETTINGS = [
    ("`timestampevents = yes` (manager.conf)", "each `id` and every time",
     "times are those of arrival, to the delay of the network and of Asterisk's own queue (null in a replay, where "
     "nothing tells the arrival); an `id` has the tap's name and a counter, so that two taps do not give the same"),
    ("`systemname` (asterisk.conf)", "`uniqueid`, `linkedid`, `subject`",
     "they are unique on this PBX alone; keys and `ce_source` have the PBX's name"),
    ("`channelvars` (manager.conf)", "`variables` of hand-offs", "those that only the dialplan class shows, or none"),
    ("`write = reporting` (manager.conf)", "calls that were up before the tap joined",
     "they are not seen until their channels do something new, and a call in no bridge whose end was missed is unsure, and ended after unsure_seconds"),
    ("`unanswered`, `congestion` … of the `pbx` section", "`cdr`", "the rows are those of Asterisk's with amitap's defaults"),
]


def needs():
    """The rows of field_needs.def."""
    text = (HERE / "field_needs.def").read_text()
    return re.findall(r'^FIELD_NEEDS\("(\w+)", "([\w*]+)", "([\w-]+)", (\w+)\)', text, re.M)


def needs_section():
    """Kinds by what brings them, then the fields that need more."""
    table, kinds = needs(), {}
    for kind, field, name, without in table:
        if field == "*" and kind not in kinds:
            kinds[kind] = name
    out = ["""
## What the account must see
Classes are those of `read =` in manager.conf; Asterisk sends an event to whom all of its classes are granted. A record
needs the class beside its kind, each field of it no more than that, save the fields in the second table. Where a call was
up before the tap joined its records are `inferred` and what the lists did not tell is null.

| class | kinds |
|---|---|
"""]
    for name in sorted(set(kinds.values())):
        of_class = ", ".join(f"`{kind}`" for kind, needed in kinds.items() if needed == name)
        out.append(f"| {'none' if name == '-' else f'`{name}`'} | {of_class} |\n")
    out.append("\n| kind | field | class | without it |\n|---|---|---|---|\n")
    groups = {}
    for kind, field, name, without in table:
        if field != "*" or without == "FEWER" and name != "-":
            groups.setdefault((kind, name, without), []).append("the record" if field == "*" else f"`{field}`")
    for (kind, name, without), fields in groups.items():
        out.append(f"| `{kind}` | {', '.join(fields)} | `{name}` | {WITHOUT[without]} |\n")
    out.append("\n| setting | what needs it | without it |\n|---|---|---|\n")
    out += [f"| {setting} | {what} | {without} |\n" for setting, what, without in SETTINGS]
    return "".join(out)


def topics():
    """The rows of topics.def: name, and how many partitions and what is kept."""
    for row in re.findall(r"^TOPIC\((.*)\)$", (HERE / "topics.def").read_text(), re.M):
        _, name, partitions, policy = (word.strip().strip('"') for word in row.split(","))
        yield name, partitions, policy


UNITS = {"COUNT": "count", "PERCENT": "%", "SECONDS": "s"}
SCOPES = {"VISITS": "queues", "STAFF": "agents", "EVERY": "both"}


def figures():
    """The rows of figures.def: name, unit, whose rows have it, formula."""
    rows = re.findall(r'^FIGURE\(\w+, "(\w+)", (\w+), (\w+), "(.*?)", ', (HERE / "figures.def").read_text(), re.M)
    for name, unit, scope, formula in rows:
        yield name, UNITS[unit], SCOPES[scope], formula


METRIC_TYPES = {"COUNTER": "counter", "GAUGE": "gauge", "HISTOGRAM": "histogram"}


def metrics_section():
    """The rows of metrics.def."""
    out = ["""
## Metrics
`/metrics` tells these in Prometheus' text format 0.0.4. A metric that has nothing to tell yet is absent. What is counted by
PBX is up to a second old.

| metric | type | labels | what |
|---|---|---|---|
"""]
    text = (HERE / "metrics.def").read_text()
    for name, kind, label, second, what in re.findall(
            r'^METRIC\(\w+, "(\w+)", (\w+), \w+, "(\w*)", "(\w*)", "(.*)"\)$', text, re.M):
        labels = ", ".join(f"`{word}`" for word in (label, second) if word)
        out.append(f"| `{name}` | {METRIC_TYPES[kind]} | {labels} | {what} |\n")
    return "".join(out)


def readme(rows):
    out = ["""<!-- Written by `make docs` from facts.def and json/*.json: change those. -->
# Contracts

Everything that amitap publishes is one of the records below: an object in JSON, the same on Kafka, in the `body` column
of the history, from `amitap replay --records events` and in the browser. The schemas are `v0`: they may still change
until they are frozen as `v1`; from then on fields are only added. A field that could not be known is null, an empty
string is what Asterisk sent. Times are RFC 3339 in UTC with microseconds, durations are seconds.

| file | what |
|---|---|
| `json/<kind>.json` | JSON Schema 2020-12 of one kind of record |
| `json/common.json` | what they have in common, and each field once with its meaning |
| `asyncapi.yaml` | the topics as AsyncAPI 3 |
| `facts.def`, `topics.def`, `fact_fields.def` | the tables below and the names of the fields, as the program reads them |
| `field_needs.def` | which read class of the account each record and field needs |
| `sql/` | the tables of the history and of the outbox |
| `cdr_reasons.def`, `figures.def` | why CDR rows begin, end or are dropped; the figures and their formulas |
| `metrics.def` | what `/metrics` tells |
| `ami_*.def`, `config.def` | what amitap knows of AMI, and its configuration |

## Kinds
Topics stand behind a prefix, `amitap.` unless the configuration names another.

| kind | what | topic | SQL table | key | worth | schema |
|---|---|---|---|---|---|---|
"""]
    for row in rows:
        table = f"`{row['table']}`" if row["table"] else "–"
        out.append(f"| `{row['kind']}` | {row['text']} | `{row['topic']}` | {table} | `{KEYS[row['key']][0]}` | "
                   f"{row['worth'].lower()} | [{row['schema']}](json/{row['schema']}) |\n")
    out.append("\n`ce_type` is `amitap.<kind>.v0` for each. Keys are made of " +
               "; ".join(f"`{key}`: {text}" for key, text in KEYS.values()) + ".\n")
    out.append("\nWhat is given up first when too much waits for Kafka: `live`, then `event`, then `log`, and `cdr` at last; "
               "the oldest of them first. A message without value, the end of a state, counts as `log`.\n")
    out.append("\n## Topics\n| topic | what | partitions | kept |\n|---|---|---|---|\n")
    for topic, partitions, policy in topics():
        kept = "the last per key (compacted); no value ends a subject" if policy == "COMPACT" else "each"
        out.append(f"| `{topic}` | {TOPICS[topic]} | {partitions} | {kept} |\n")
    out.append("\n## Headers\nMessages are CloudEvents 1.0 in the Kafka binding's binary mode.\n\n"
               "| header | value | |\n|---|---|---|\n")
    out += [f"| `{name}` | {value if ' ' in value else f'`{value}`'} | {text} |\n" for name, value, text in HEADERS]
    out.append("""
## Figures
`amitap figures` computes these from `queue_visits` and `agent_intervals` alone, so that another threshold or another
bound of a short abandon gives what it would have given then. w is a visit's `wait_seconds`; T the threshold, by default
each visit's own `service_level_seconds`, and where a visit has none its service levels are null; short is 5 s by
default. A visit counts in the window in which it was joined; what has not ended is not counted. Where there is nothing
to divide by, a figure is null. Queues, agents: whose rows have it; the row of all has every figure, or those of agents.

| figure | unit | of | formula |
|---|---|---|---|
""")
    out += [f"| `{name}` | {unit} | {scope} | {formula} |\n" for name, unit, scope, formula in figures()]
    out.append(needs_section())
    out.append(metrics_section())
    out.append("""
## Reading them
Records come at least once, in order per key within a topic. Drop doubles by `id`. Where you keep one row per entity,
upsert by `subject`; what was observed beats what is `inferred`. Records with `tap` are a tap's own; two taps on one PBX
give the same `id` to everything else that both saw.
""")
    return "".join(out)


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def channel(topic, partitions, policy, rows):
    lines = [f"  {topic}:", f"    address: '{{prefix}}{topic}'", f"    description: {quoted(TOPICS[topic])}",
             "    parameters:", "      prefix:", "        $ref: '#/components/parameters/prefix'",
             "    messages:" if rows else "    messages: {}"]
    for row in rows:
        lines += [f"      {row['kind']}:", f"        $ref: '#/components/messages/{row['kind']}'"]
    lines += ["    bindings:", "      kafka:", f"        partitions: {partitions}", "        topicConfiguration:",
              f"          cleanup.policy: [{policy.lower()}]", "        bindingVersion: '0.5.0'"]
    return lines


def message(row):
    key, text = KEYS[row["key"]]
    end = " A message without value is a tombstone: the subject is gone." if row["retention"] == "STATE" else ""
    return [f"    {row['kind']}:", f"      name: {row['ce_type']}", f"      title: {row['kind']}",
            f"      summary: {quoted(row['text'] + end)}", "      contentType: application/json",
            "      headers:", "        $ref: '#/components/schemas/headers'",
            "      payload:", f"        $ref: 'json/{row['schema']}'",
            "      bindings:", "        kafka:", "          key:", "            type: string",
            f"            description: {quoted(key + ': ' + text)}", "          bindingVersion: '0.5.0'"]


def asyncapi(rows):
    out = ["# SPDX-License-Identifier: MIT", "# Written by `make docs` from facts.def and json/*.json: change those.",
           "asyncapi: 3.0.0", "info:", "  title: amitap", "  version: '0'",
           "  description: Facts about calls, queues and agents, derived from the Asterisk Manager Interface.",
           "  license:", "    name: MIT", "defaultContentType: application/json", "channels:"]
    for topic, partitions, policy in topics():
        out += channel(topic, partitions, policy, [row for row in rows if row["topic"] == topic])
    out.append("operations:")
    for topic, _, _ in topics():
        out += [f"  publish-{topic}:", "    action: send", "    channel:", f"      $ref: '#/channels/{topic}'"]
    out += ["components:", "  parameters:", "    prefix:", "      default: 'amitap.'",
            "      description: kafka.topic_prefix of the configuration", "  schemas:", "    headers:",
            "      type: object", "      properties:"]
    for name, value, text in HEADERS:
        what = ": ".join(word for word in (value.replace("`", ""), text) if word)
        out += [f"        {name}:", "          type: string", f"          description: {quoted(what)}"]
    out.append("      required: [" + ", ".join(name for name, _, _ in HEADERS) + "]")
    out.append("  messages:")
    for row in rows:
        out += message(row)
    return "\n".join(out) + "\n"


def main():
    rows = list(facts())
    stale = 0
    for name, text in (("README.md", readme(rows)), ("asyncapi.yaml", asyncapi(rows))):
        path = HERE / name
        if path.exists() and path.read_text() == text:
            continue
        if sys.argv[1:] == ["--check"]:
            print(f"schemas/{name} is not up to date: make docs")
            stale = 1
        else:
            path.write_text(text)
    return stale


sys.exit(main())
