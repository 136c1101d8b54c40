#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes README.md's table of faults: what the last `make test` and the last `make soak` injected, and what came of it.

    fault_table.py             takes build/fault-log (fault_log.py) into fault_results.json, suite by suite, and writes both
    fault_table.py --check     writes nothing; not zero when the README is not what fault_results.json gives
"""
import datetime
import json
import pathlib
import sys

from fault_log import FOLDER, KINDS, ROOT, commit

RESULTS = pathlib.Path(__file__).with_name("fault_results.json")
README = ROOT / "README.md"
BEGIN, END = "<!-- faults: written by `make docs` -->\n", "<!-- end of faults -->\n"
HEAD = ("| fault | injected | facts sent | found | doubles | lost | seconds blind |\n"
        "|---|---|---|---|---|---|---|\n")


def collect(results):
    """The rows of each suite that has run since they were last taken; a suite that logged nothing keeps its old ones."""
    for kind in KINDS:
        for path in sorted((FOLDER / kind).glob("*.jsonl")):
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            known = results.setdefault(kind, {}).get(path.stem, {})
            ended = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.timezone.utc).isoformat(" ", "minutes")[:16]
            if rows and ended != known.get("ended"):
                # The programs of unit tests do not know theirs.
                told = [row.pop("commit", "") for row in rows][-1]
                results[kind][path.stem] = {"commit": told or commit(), "ended": ended, "rows": rows}
    return results


def number(value):
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def table(suites):
    names = ("injected", "sent", "found", "doubles", "lost", "blind_seconds")
    rows = [row for suite in sorted(suites) for row in suites[suite]["rows"]]
    return HEAD + "".join(f"| {row['fault']} | {' | '.join(number(row[name]) for name in names)} |\n" for row in rows)


def section(results):
    out = []
    for kind, words in (("test", "make test"), ("soak", "make soak")):
        suites = results.get(kind, {})
        if suites:
            runs = sorted(suites.values(), key=lambda suite: suite["ended"])
            commits = ", ".join(dict.fromkeys(run["commit"] for run in runs))
            out.append(f"The last `{words}`, {runs[-1]['ended'][:10]}, at {commits}:\n\n{table(suites)}")
    return "\n".join(out)


def readme(text, results):
    before, rest = text.split(BEGIN)
    return before + BEGIN + section(results) + END + rest.split(END)[1]


def main():
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    if sys.argv[1:] == ["--check"]:
        if readme(text, results) == text:
            return 0
        print("README.md's table of faults is not up to date: make docs")
        return 1
    collect(results)
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    README.write_text(readme(text, results), encoding="utf-8")
    return 0


sys.exit(main())
