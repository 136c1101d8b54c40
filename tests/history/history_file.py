# SPDX-License-Identifier: MIT
"""A history file as amitap makes it, filled from records or from rows, and a configuration that names it, for the tests of
what reads it."""
import json
import pathlib
import re
import sqlite3

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
APPLICATION_ID = 0x616D7468


def tables():
    """The table of each kind that is kept."""
    rows = re.findall(r"^FACT_KIND\((.*)\)$", (SCHEMAS / "facts.def").read_text(), re.M)
    words = ([word.strip().strip('"') for word in row.split(",")] for row in rows)
    return {row[1]: row[3] for row in words if row[3]}


def create(path):
    """An empty file of the version that the source has."""
    file = sqlite3.connect(path)
    migrations = sorted((SCHEMAS / "sql/history").glob("*.sql"))
    for migration in migrations:
        file.executescript(migration.read_text())
    file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    file.execute(f"PRAGMA user_version = {len(migrations)}")
    file.execute("PRAGMA journal_mode = WAL")
    return file


def configuration(folder, file):
    """The path of a configuration in the folder, whose store is that file."""
    path = pathlib.Path(folder) / "amitap.conf"
    path.write_text(f"pbx main {{ host = 127.0.0.1\n user = tap\n secret = 'x' }}\nstore {{ path = '{file}' }}\n")
    return str(path)


def sql_value(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if isinstance(value, (list, dict)) else value


def insert(file, table, values):
    """A row; columns that values does not have are NULL, those of the envelope made up."""
    count = file.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    values = {"ce_id": f"{table}:{count}", "ce_subject": "", "ce_key": "", "ce_sequence": count, "pbx": "main",
              "body": "{}", "ce_time": values.get("end") or values.get("joined") or ""} | values
    columns = [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
    given = [name for name in columns if name in values]
    unknown = set(values) - set(columns) - {"kind"}
    assert not unknown, f"{table} has no column {unknown}"
    names, marks = ", ".join(f'"{name}"' for name in given), ", ".join("?" * len(given))
    file.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [sql_value(values[name]) for name in given])


def insert_records(file, lines):
    """Records as replay --records events prints them."""
    kept = tables()
    for number, line in enumerate(lines):
        record = json.loads(line)
        table = kept.get(record["kind"])
        if not table:
            continue
        columns = {row[1] for row in file.execute(f"PRAGMA table_info({table})")}
        values = {name: value for name, value in record.items() if name in columns}
        insert(file, table, values | {"ce_id": record["id"], "ce_subject": record["subject"], "ce_sequence": number,
                                      "ce_time": record["time"], "body": line.strip()})
    file.commit()
