#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layers.py [ROOT]: each room includes only itself and the rooms to its left, and libraries only where
they belong."""
import pathlib
import re
import sys

import source

ROOMS = ["parsers"] + [
    f"collector/{room}"
    for room in "base config link state facts outbox sinks view users commands".split()
]
MAIN = "collector/main.c"

# Libraries by the beginning of their headers' names, and the rooms that may know them.
LIBRARIES = {
    "confuse.h": ["collector/config"],
    "event2/": ["collector/link", "collector/commands"],
    "openssl/": ["collector/link", "collector/facts", "collector/users", "collector/commands"],
    "sqlite3.h": ["collector/outbox", "collector/sinks", "collector/commands"],
    "librdkafka/": ["collector/sinks"],
    "uthash.h": ["collector/state", "collector/facts", "collector/view"],
    "microhttpd.h": ["web"],
    "jansson.h": ["collector/facts", "collector/outbox", "collector/commands"],
}

# All else in angle brackets must be the C library's or the kernel's.
LIBC = re.compile(
    r"(assert|ctype|dirent|errno|fcntl|getopt|inttypes|libgen|limits|math|netdb|poll|pthread|signal|stdarg|"
    r"stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|unistd|emmintrin|"
    r"arpa/\w+|linux/\w+|netinet/\w+|sys/\w+)\.h$"
)


def room_of(path):
    """The room that owns a path: MAIN, a room's folder or "web"; None when there is none."""
    text = path.as_posix()
    if text == MAIN or text.startswith("web/"):
        return MAIN if text == MAIN else "web"
    folder = path.parent.as_posix()
    return folder if folder in ROOMS else None


def quoted_fault(room, name):
    """Why this room may not include "name", or None."""
    target = room_of(pathlib.PurePosixPath(name))
    if name.startswith("schemas/"):
        return None
    if target is None:
        return "is in no room"
    if room == MAIN:
        return None
    if room == "web" or target == "web":
        if room == target:
            return None
        if name == "web/web_source.h" and room in ("collector/view", "collector/commands"):
            return None
        return f"may not be included by {room}"
    if target == MAIN or ROOMS.index(target) > ROOMS.index(room):
        return f"stands to the right of {room}"
    return None


def angle_fault(room, name):
    """Why this room may not include <name>, or None."""
    for library, rooms in LIBRARIES.items():
        if name.startswith(library):
            return None if room in rooms else f"is not for {room}"
    return None if LIBC.match(name) else "is no header of the C library"


def file_faults(root, path):
    room = room_of(path)
    if room is None:
        yield f"{path}: stands in no room"
        return
    text = (root / path).read_text()
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
        if match:
            check = quoted_fault if match[1] == '"' else angle_fault
            fault = check(room, match[2])
            if fault:
                yield f"{path}:{number}: {match[2]} {fault}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    faults = []
    for path in source.files(root, ["parsers", "collector", "web"]):
        faults += file_faults(root, path)
    source.finish("layers", faults)


main()
