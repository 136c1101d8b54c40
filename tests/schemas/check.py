#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the contracts in schemas/ against each other and against what replay derives from every recording.

    check.py                    checks
    check.py --take-golden      takes golden samples anew from the recordings, of all kinds that these have
"""
import collections
import glob
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import referencing
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"
GOLDEN = ROOT / "tests/schemas/golden"
ENVELOPE = {"kind", "id", "subject", "time", "pbx", "tenant", "cause_event", "tap", "inferred", "imported"}
# Columns that a sink fills itself, and those whose field no record has yet.
SINK_COLUMNS = {"ce_id", "ce_subject", "ce_time", "ce_key", "ce_sequence", "body", "privacy"}
AWAITED = {
    "queue_visits": {"guessed"},
}
SHOWN_MAX = 5

failed = False


def report(what, faults):
    global failed
    faults = list(faults)
    failed = failed or bool(faults)
    for fault in faults[:SHOWN_MAX]:
        print(f"   {fault}")
    print(f"{'FAIL' if faults else 'ok'} {what}" + (f" ({len(faults)} faults)" if faults else ""))


def rows_of(path, macro):
    return [[word.strip().strip('"') for word in row.split(",")]
            for row in re.findall(rf"^{macro}\((.*)\)$", path.read_text(), re.M)]


class Contracts:
    def __init__(self):
        self.files = {path.name: json.loads(path.read_text()) for path in sorted((SCHEMAS / "json").glob("*.json"))}
        self.registry = referencing.Registry().with_resources(
            (name, referencing.Resource.from_contents(schema)) for name, schema in self.files.items())
        self.kinds = {row[1]: {"topic": row[2], "table": row[3], "ce_type": row[4], "schema": row[6],
                               "state": row[7] == "STATE"} for row in rows_of(SCHEMAS / "facts.def", "FACT_KIND")}
        self.fields = dict(row[:2] for row in rows_of(SCHEMAS / "fact_fields.def", "FACT_FIELD"))
        self.validators = {kind: self.validator({"$ref": row["schema"]}) for kind, row in self.kinds.items()
                           if row["schema"] in self.files}
        self.tombstone = self.validator({"$ref": "common.json#/$defs/tombstone"})

    def validator(self, schema):
        return jsonschema.Draft202012Validator(schema, registry=self.registry)

    def properties(self, kind):
        return self.files[self.kinds[kind]["schema"]]["properties"]

    def faults(self, record):
        """What is wrong with one record, as lines."""
        kind = record.get("kind")
        validator = self.validators.get(kind) if isinstance(kind, str) else None
        if not validator:
            return [f"kind {kind!r} has no schema"]
        if self.kinds[kind]["state"] and not set(record) - ENVELOPE:
            validator = self.tombstone
        return [f"{kind} {record.get('id')}: {'.'.join(map(str, error.path)) or 'record'}: {error.message[:200]}"
                for error in validator.iter_errors(record)]


def check_files(contracts):
    schemas = {row["schema"] for row in contracts.kinds.values()}
    report("every kind has a schema",
           (f"schemas/json/{name} is missing" for name in sorted(schemas - set(contracts.files))))
    report("every schema has a kind",
           (f"schemas/json/{name} is of no kind" for name in sorted(set(contracts.files) - schemas - {"common.json"})))
    faults = []
    for name, schema in contracts.files.items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            faults.append(f"{name}: {error.message}")
    for kind, row in contracts.kinds.items():
        schema = contracts.files.get(row["schema"], {})
        if row["schema"] != f"{kind}.json" or row["ce_type"] != f"amitap.{kind}.v0":
            faults.append(f"{kind}: facts.def names {row['schema']} and {row['ce_type']}")
        if schema.get("title") != row["ce_type"] or schema.get("properties", {}).get("kind") != {"const": kind}:
            faults.append(f"{row['schema']}: title or kind is not that of facts.def")
        if schema.get("additionalProperties") is not False or not ENVELOPE & set(schema.get("required", [])):
            faults.append(f"{row['schema']}: is open, or requires no envelope")
        if not schema.get("description"):
            faults.append(f"{row['schema']}: has no description")
    report("schemas are schemas, closed, and named as facts.def has them", faults)


def check_reasons(contracts):
    """The words of cdr_reasons.def, and those that the schema allows."""
    faults = []
    for macro, field in ("CDR_OPENED", "opened_because"), ("CDR_CLOSED", "closed_because"):
        words = [row[1] for row in rows_of(SCHEMAS / "cdr_reasons.def", macro)]
        if words != [word for word in contracts.files["common.json"]["$defs"][field]["enum"] if word]:
            faults.append(f"{field} has other words than {macro}: {' '.join(words)}")
    events = {row[1] for row in rows_of(SCHEMAS / "ami_events.def", "AMI_EVENT")}
    faults += [f"{row[1]}: there is no event {row[2]}" for macro in ("CDR_OPENED", "CDR_CLOSED")
               for row in rows_of(SCHEMAS / "cdr_reasons.def", macro) if row[2] not in events]
    report("the reasons of CDR rows are those of cdr_reasons.def", faults)


def names_in(schema):
    """The names of all properties in a schema, nested ones too."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties":
                yield from value
            yield from names_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from names_in(value)


def described(contracts, prop):
    """The description of a property, its own or that of what it refers to."""
    while "description" not in prop and "$ref" in prop:
        prop = contracts.files["common.json"]["$defs"][prop["$ref"].rsplit("/", 1)[1]]
    return prop.get("description")


def check_fields(contracts):
    declared = set(contracts.fields.values())
    used = {name for schema in contracts.files.values() for name in names_in(schema)} - ENVELOPE
    emitted = set()
    for path in (ROOT / "collector/facts").glob("*.c"):
        emitted |= {contracts.fields[word] for word in
                    re.findall(r"fact_(?:put_\w+|open_\w+)\(\s*[^,()]+,\s*FIELD_(\w+)", path.read_text())}
    report("every field of a schema is in fact_fields.def", sorted(used - declared))
    report("every field that the code puts into a fact is in a schema", sorted(emitted - used - ENVELOPE))
    report("every field is described", (f"{kind}.{name}" for kind in contracts.validators
                                        for name, prop in contracts.properties(kind).items()
                                        if name != "kind" and not described(contracts, prop)))


def sql_columns():
    """Table by table the columns of all migrations of the history."""
    tables = collections.defaultdict(set)
    for path in sorted((SCHEMAS / "sql/history").glob("*.sql")):
        text = re.sub(r"--.*", "", path.read_text())
        for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\);", text, re.S):
            tables[table] |= {line.split()[0].strip('"') for line in body.strip().splitlines()}
        for table, column in re.findall(r"ALTER TABLE (\w+) ADD COLUMN \"?(\w+)", text):
            tables[table].add(column)
    return tables


def check_sql(contracts):
    tables, faults = sql_columns(), []
    for table in sorted({row["table"] for row in contracts.kinds.values()} - {""}):
        fields = set()
        for kind, row in contracts.kinds.items():
            if row["table"] == table and kind in contracts.validators:
                fields |= set(contracts.properties(kind))
        columns = tables.get(table, set()) - SINK_COLUMNS
        awaited = AWAITED.get(table, set())
        faults += [f"{table}.{column} is a field of no record"
                   for column in sorted(columns - fields - awaited - ENVELOPE)]
        faults += [f"{table}.{column} is a field now: no longer awaited" for column in sorted(awaited & fields)]
        if not columns:
            faults.append(f"there is no table {table}")
    report("every column of the history is a field of its records", faults)


def check_golden(contracts, seen):
    faults = []
    for kind in contracts.kinds:
        path = GOLDEN / f"{kind}.json"
        if not path.exists():
            faults.append(f"tests/schemas/golden/{kind}.json is missing")
            continue
        record = json.loads(path.read_text())
        faults += contracts.faults(record)
        if record.get("kind") != kind or not set(record) - ENVELOPE:
            faults.append(f"golden/{kind}.json is no {kind}")
        if kind in seen and not any(record in some for some in seen[kind].values()):
            faults.append(f"golden/{kind}.json is none of the recordings' records: check.py --take-golden")
    faults += [f"golden/{path.name} is of no kind" for path in sorted(GOLDEN.glob("*.json"))
               if path.stem not in contracts.kinds]
    report("every kind has a golden sample that fits", faults)


def spoiled(contracts, record):
    """The record with one thing wrong, again and again."""
    kind = record["kind"]
    yield "with an unknown field", record | {"unknown": 1}
    for name in contracts.files[contracts.kinds[kind]["schema"]]["required"]:
        yield f"without {name}", {key: value for key, value in record.items() if key != name}
    for name in record:
        if name != "tap":
            yield f"with an object for {name}", record | {name: {"": {}} if name == "variables" else {}}
    yield "with a time without zone", record | {"time": record["time"].rstrip("Z")}


def check_spoiled(contracts):
    """A check that lets everything pass proves nothing."""
    faults = []
    for path in sorted(GOLDEN.glob("*.json")):
        record = json.loads(path.read_text())
        faults += [f"{path.name} {how} still fits" for how, wrong in spoiled(contracts, record)
                   if not contracts.faults(wrong)]
    report("a golden sample with one thing wrong fits no more", faults)


def check_recordings(contracts):
    """Returns kind by kind and recording by recording the records."""
    seen, faults, ids = collections.defaultdict(lambda: collections.defaultdict(list)), [], 0
    for path in sorted(glob.glob(str(ROOT / "tests/captures/*/ami*.raw"))):
        run = subprocess.run([ROOT / "build/amitap", "replay", "--records", "events", path],
                             stdout=subprocess.PIPE, check=True)
        known = set()
        for line in run.stdout.splitlines():
            record = json.loads(line)
            ids += 1
            faults += contracts.faults(record)
            if record["id"] in known:
                faults.append(f"{path}: the id {record['id']} came twice")
            known.add(record["id"])
            if set(record) - ENVELOPE:
                seen[record["kind"]][path].append(record)
    report(f"{ids} records of the recordings fit their schemas", faults if ids else ["there are none"])
    return seen


def check_docs(contracts):
    run = subprocess.run([sys.executable, SCHEMAS / "docs.py", "--check"], stdout=subprocess.PIPE, text=True,
                         check=False)
    report("README.md and asyncapi.yaml are up to date", run.stdout.splitlines())
    document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text())
    faults = []
    topics = {row[1] for row in rows_of(SCHEMAS / "topics.def", "TOPIC")}
    faults += [f"topic {topic} is in one of topics.def and asyncapi.yaml only"
               for topic in sorted(topics ^ set(document["channels"]))]
    for kind, row in contracts.kinds.items():
        channel = document["channels"].get(row["topic"], {})
        message = document["components"]["messages"].get(kind, {})
        if channel.get("address") != "{prefix}" + row["topic"] or kind not in channel.get("messages", {}):
            faults.append(f"topic {row['topic']} does not list {kind}")
        if message.get("name") != row["ce_type"] or message.get("payload", {}).get("$ref") != f"json/{row['schema']}":
            faults.append(f"message {kind} is not that of facts.def")
    report("asyncapi.yaml lists every topic and message", faults)


def weight(value):
    """How much a sample shows: what is null, empty or concluded shows less."""
    if isinstance(value, dict):
        return sum(map(weight, value.values())) - 3 * ("guessed" in value) - 100 * ("inferred" in value)
    if isinstance(value, list):
        return min(6, sum(map(weight, value)))
    return 0 if value in (None, "") else 2


def take_golden(seen):
    for kind, recordings in seen.items():
        whole = [record for path, some in recordings.items() if path.endswith("/ami.raw") for record in some]
        best = max(whole or [record for some in recordings.values() for record in some], key=weight)
        (GOLDEN / f"{kind}.json").write_text(json.dumps(best, indent=2, ensure_ascii=False) + "\n")


def main():
    contracts = Contracts()
    if sys.argv[1:] == ["--take-golden"]:
        take_golden(check_recordings(contracts))
        return failed
    check_files(contracts)
    check_reasons(contracts)
    check_fields(contracts)
    check_sql(contracts)
    check_golden(contracts, check_recordings(contracts))
    check_spoiled(contracts)
    check_docs(contracts)
    return failed


if __name__ == "__main__":
    sys.exit(main())
