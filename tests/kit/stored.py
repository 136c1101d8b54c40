# SPDX-License-Identifier: MIT
"""What amitap has stored."""
import contextlib
import pathlib
import re
import sqlite3

ROOT = pathlib.Path(__file__).resolve().parents[2]


def query(path, statement):
    """The rows that a statement gives of a file that amitap may be writing; it is opened to be read only."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(statement).fetchall()


def kinds_in(tables):
    """The kinds of fact that the history keeps in one of these tables."""
    found = re.findall(r'^FACT_KIND\(\w+, "(\w+)", "[\w-]+", "(\w*)"', (ROOT / "schemas/facts.def").read_text(), re.M)
    return {kind for kind, table in found if table in tables}
