#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""headers.py [ROOT]: every header begins with the license and its guard, and every prototype has a
comment above it: directly, or above the group without blank lines in which it stands, or one that
stands alone and holds for what follows up to the next comment or type."""
import pathlib
import re
import sys

import source

PROTOTYPE = re.compile(r"^(?!static|typedef|#|\s|\}|/)[\w\s\*]*?\b(\w+)\s*\(")


def prototype_faults(path, text):
    commented = False  # the group that we are in
    alone = False  # the last comment stands between blank lines
    depth = 0  # of braces: members and bodies are no prototypes
    only_comment = False
    plain = source.code(text).splitlines()
    for number, (line, code) in enumerate(zip(text.splitlines(), plain), 1):
        if not line.strip():
            alone = alone or only_comment
            commented = only_comment = False
        elif depth == 0 and not code.strip():
            if not commented:
                commented = only_comment = True
                alone = False
        elif depth == 0:
            only_comment = False
            match = PROTOTYPE.match(code)
            if match and not (commented or alone or "/*" in line):
                yield f"{path}:{number}: {match[1]}() has no comment"
            if "{" in code:
                alone = False
        depth += code.count("{") - code.count("}")


def frame_faults(path, text):
    if not text.startswith("/* SPDX-License-Identifier: MIT */\n"):
        yield f"{path}:1: the SPDX line is missing"
    if path.suffix == ".h" and path.parts[0] != "tests":
        guard = re.sub(r"[^A-Z0-9]", "_", path.as_posix().upper())
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            yield f"{path}:2: the include guard is not {guard}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    faults = []
    for path in source.files(root, ["parsers", "collector", "web", "schemas", "tests"],
                             (".c", ".h", ".def")):
        text = (root / path).read_text()
        faults += frame_faults(path, text)
        if path.suffix == ".h" and not path.as_posix().startswith("tests/unit"):
            faults += prototype_faults(path, text)
    source.finish("headers", faults)


main()
