#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""banned.py [ROOT]: nobody calls a function of banned.txt."""
import pathlib
import re
import sys

import source


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    instead = {}
    for line in (pathlib.Path(__file__).parent / "banned.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, advice = line.split(None, 1)
            instead[name] = advice
    call = re.compile(r"(?<![\w.>])(" + "|".join(instead) + r")\s*\(")
    faults = []
    for path in source.files(root, ["parsers", "collector", "web", "tests"]):
        text = source.code((root / path).read_text())
        for number, line in enumerate(text.splitlines(), 1):
            for name in call.findall(line):
                faults.append(f"{path}:{number}: {name}(): use {instead[name]}")
    source.finish("banned functions", faults)


main()
