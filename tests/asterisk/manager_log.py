# SPDX-License-Identifier: MIT
"""Asterisk's own record of the manager actions that came: its debug log names each that it runs, its security log each
that it refuses or does not know."""
import collections
import re

from waiting import until  # as lab.py says where it lies

RUN = re.compile(r"DEBUG\[(\d+)\]\S* manager\.c: Running action '([^']*)'")
REFUSED = re.compile(r'SecurityEvent="(?:RequestNotAllowed|RequestBadFormat|RequestNotSupported)".*'
                     r'RequestType="(?:Action: )?([^",]*)[^"]*"')
ACCOUNT = re.compile(r'AccountID="([^"]*)"')
SECONDS = 10


class ManagerLog:
    """Of a lab, from now on."""

    def __init__(self, lab):
        self.path = lab.pbx_folder / "log/ami"
        lab.cli("core set debug 1 manager.c")
        self.begin = self.path.stat().st_size if self.path.exists() else 0

    def actions(self, accounts):
        """How often each action came from sessions that log in by a challenge, which amitap alone does here; with those
        that were refused to these accounts. A session has a thread of its own."""
        count, ours = collections.Counter(), set()
        for line in self.path.read_bytes()[self.begin:].decode(errors="replace").splitlines():
            run, refused = RUN.search(line), REFUSED.search(line)
            if run:
                thread, action = run.groups()
                if action == "Challenge":
                    ours.add(thread)
                if thread in ours:
                    count[action] += 1
                if action == "Logoff":
                    ours.discard(thread)
            elif refused and (account := ACCOUNT.search(line)) and account[1] in accounts:
                count[refused[1]] += 1
        return count

    def check(self, accounts, sent, allowed, checks):
        """Every action that left the taps is in Asterisk's record, no other is, and all are allowed."""
        expected = collections.Counter(sent)
        until(lambda: self.actions(accounts) == expected, SECONDS, 0.2)
        logged = self.actions(accounts)
        foreign = {action for action in logged if action.lower() not in allowed}
        checks.say(logged and logged == expected and not foreign,
                   f"Asterisk's own log has {sum(logged.values())} actions of amitap's, {len(logged)} kinds, none that is not "
                   f"allowed {sorted(foreign) or ''}" + ("" if logged == expected else f"\n  sent {expected}\n  logged {logged}"))
