# SPDX-License-Identifier: MIT
"""The eventfilter lines of a manager.conf, as Asterisk 22 applies them (main/manager.c, should_send_event): either form,
as far as `amitap audit` writes it."""
import re

LINE = re.compile(r"(?m)^eventfilter(?:\((.*)\))? = ?(.*)$")
CRITERION = re.compile(r"(\w+)\(([^)]*)\)")


def posix(expression):
    return re.compile(expression.replace("[[:space:]]", r"\s").encode(), re.S)


class Filter:
    """One line: which events it is about, and whether it lets them through."""

    def __init__(self, criteria, expression):
        self.include, self.name, self.header, self.pattern = True, None, None, None
        if criteria is None:
            self.include = not expression.startswith("!")
            self.pattern = posix(expression.lstrip("!"))
            return
        found = dict(CRITERION.findall(criteria))
        if unknown := found.keys() - {"action", "name", "header", "method"}:
            raise ValueError(f"eventfilter({criteria}): {unknown}")
        self.include = found.get("action", "include") == "include"
        self.name, self.header = found.get("name"), found.get("header")
        if found.get("method", "none") not in ("none", "regex"):
            raise ValueError(f"eventfilter({criteria}): method")
        if expression:
            self.pattern = posix(expression)

    def matches(self, message):
        if self.name and not message.startswith(f"Event: {self.name}\r\n".encode()):
            return False
        if self.header:
            value = re.search(rf"(?m)^{self.header}: ([^\r\n]*)".encode(), message)
            return bool(value and (not self.pattern or self.pattern.search(value[1])))
        return not self.pattern or bool(self.pattern.search(message + b"\r\n"))


class EventFilter:
    def __init__(self, manager_conf):
        filters = [Filter(line[1], line[2]) for line in LINE.finditer(manager_conf)]
        self.includes = [one for one in filters if one.include]
        self.excludes = [one for one in filters if not one.include]

    def lets_through(self, message):
        """Whether a block of the stream is sent; answers to an action are not filtered."""
        message = message.lstrip(b"\r\n")
        if not message.startswith(b"Event: ") or b"\r\nActionID: " in message:
            return True
        included = not self.includes or any(one.matches(message) for one in self.includes)
        return included and not any(one.matches(message) for one in self.excludes)

    def stream(self, raw):
        return b"\r\n\r\n".join(filter(self.lets_through, raw.split(b"\r\n\r\n")))
