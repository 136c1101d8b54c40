# SPDX-License-Identifier: MIT
"""How the checks of a suite went."""
import sys
import time


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


class Tests:
    """The tests of a suite, in their order: functions that are decorated with it."""

    def __init__(self):
        self.tests = {}

    def __call__(self, function):
        self.tests[function.__name__.replace("_", " ")] = function
        return function

    def chosen(self, words):
        """By name, those whose names hold one of these words; all without words."""
        return {name: test for name, test in self.tests.items() if not words or any(word in name for word in words)}


class Report:
    """Says of each check "ok …" or "FAIL …", what is wrong before it, and counts them."""
    SHOWN, LENGTH = 8, 2000  # of faults; of one, in letters

    def __init__(self):
        self.passed = self.failed = 0

    def say(self, good, what, faults=()):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        lines = [f"   {fault}"[:self.LENGTH] for fault in list(faults)[:self.SHOWN]]
        # In one piece: threads may report.
        sys.stdout.write("".join(f"{line}\n" for line in (*lines, f"{'ok' if good else 'FAIL'} {what}")))
        sys.stdout.flush()

    def __call__(self, what, faults):
        """Good when there are no faults."""
        faults = list(faults)
        self.say(not faults, what, faults)

    def attempt(self, name, test):
        """Runs a test, which returns its faults, if any, or raises; whatever it is, the next one still runs."""
        begin = time.monotonic()
        try:
            faults = test() or ()
        except Exception as error:
            faults = [f"{type(error).__name__}: {error}"]
        self(f"{name} ({time.monotonic() - begin:.1f} s)", faults)

    def status(self):
        """The exit status: 0 when something passed and nothing failed."""
        return 1 if self.failed or not self.passed else 0

    def finish(self):
        """Says the count in the last line; the exit status."""
        print(f"{self.passed} passed, {self.failed} failed")
        return self.status()
