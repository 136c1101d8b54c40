#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The pages make no code out of text: nothing in them parses a text as HTML or as a script, and no page has code inline."""
import pathlib
import re
import sys

PAGES = pathlib.Path(__file__).resolve().parents[2] / "web/pages"
SCRIPT = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser|"
                    r"createContextualFragment|setHTML|javascript:|set(?:Timeout|Interval)\(['\"`]")
PAGE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", re.I)


def main():
    found = [f"{path.name}:{number}: {line.strip()[:100]}"
             for path in sorted(PAGES.iterdir()) if path.suffix in (".js", ".html")
             for number, line in enumerate(path.read_text().splitlines(), 1)
             if (SCRIPT if path.suffix == ".js" else PAGE).search(line)]
    for line in found:
        print(f"FAIL {line}")
    print("lint: pages " + ("make code out of text" if found else "ok"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
