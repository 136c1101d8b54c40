# SPDX-License-Identifier: MIT
"""What the lints share: which files there are, and C text without its comments and strings."""
import pathlib
import re
import sys

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def files(root, folders, suffixes=(".c", ".h")):
    """Paths below root's folders, relative to root, in order."""
    root = pathlib.Path(root)
    return sorted(
        p.relative_to(root)
        for folder in folders
        for p in (root / folder).rglob("*")
        if p.suffix in suffixes and p.is_file()
    )


def _blank(match):
    text = match.group()
    quote = text[0] if text[0] in "\"'" else ""
    inner = re.sub(r"[^\n]", " ", text)
    return quote + inner[len(quote) : len(inner) - len(quote)] + quote


def code(text):
    """The same text, line for line, with comments and the insides of strings blanked."""
    return TOKEN.sub(_blank, text)


def finish(name, faults):
    """Prints the faults and ends with 1, or says that all is well."""
    for fault in faults:
        print(fault)
    print(f"lint: {name} {'FAILED' if faults else 'ok'}")
    sys.exit(1 if faults else 0)
