#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sizes.py [ROOT]: no function over 100 lines, complexity 20 or 5 parameters, half of them at most 15
lines, no file of 800 lines. Run it with a Python that has lizard."""
import pathlib
import statistics
import sys

import lizard

import source

LINES, COMPLEXITY, PARAMETERS, MEDIAN, FILE_LINES = 100, 20, 5, 15, 800

# Callbacks whose parameters a library lays down.
GIVEN = {("web/http.c", "handle")}


def function_faults(path, f):
    if f.length > LINES:
        yield f"{path}:{f.start_line}: {f.name}() has {f.length} lines; {LINES} are the most"
    if f.cyclomatic_complexity > COMPLEXITY:
        yield (f"{path}:{f.start_line}: {f.name}() has complexity {f.cyclomatic_complexity}; "
               f"{COMPLEXITY} is the most")
    if f.parameter_count > PARAMETERS and (path.as_posix(), f.name) not in GIVEN:
        yield (f"{path}:{f.start_line}: {f.name}() has {f.parameter_count} parameters; "
               f"{PARAMETERS} are the most")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    faults = []
    lengths = []
    for path in source.files(root, ["parsers", "collector", "web", "tests"]):
        lines = len((root / path).read_text().splitlines())
        if lines >= FILE_LINES:
            faults.append(f"{path}: has {lines} lines; it must stay below {FILE_LINES}")
        if path.parts[:2] == ("tests", "unit"):
            continue
        for f in lizard.analyze_file(str(root / path)).function_list:
            faults += function_faults(path, f)
            lengths.append(f.length)
    median = statistics.median(lengths) if lengths else 0
    if median > MEDIAN:
        faults.append(f"the median function has {median} lines; {MEDIAN} are the most")
    print(f"lint: {len(lengths)} functions, median {median:g} lines")
    source.finish("sizes", faults)


main()
