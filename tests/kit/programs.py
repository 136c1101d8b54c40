# SPDX-License-Identifier: MIT
"""The programs of a test: each with a log in the test's folder, and how they are brought to an end."""
import pathlib
import re
import subprocess

from waiting import until

SANITIZER = re.compile(r"(Address|Leak|Thread)Sanitizer|runtime error:")  # what one says of a program
LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")


def listening_port(said, process=None):
    """The port on which amisim says that it listens. said(): all that it said yet."""
    found = until(lambda: LISTENING.search(said()), 60, process=process)
    assert found, f"amisim does not listen: {said()}"
    return int(found[1])


def end(*processes):
    """Kills those that still run; one may be None."""
    for process in processes:
        if process and process.poll() is None:
            process.kill()
            process.wait()


def stop(process, limit=20):
    """Asks it to end. Its exit status: that of a kill when it did not end within so many seconds."""
    process.terminate()
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        end(process)
        return process.returncode


class Programs:
    """Started under a name; what one says goes to NAME.log in the folder, behind what was said under that name before."""

    def __init__(self, folder):
        self.folder, self.processes = pathlib.Path(folder), {}

    def start(self, name, *command, **options):
        """options: those of Popen."""
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, **options)
        return self.processes[name]

    def start_amisim(self, program, *arguments, name="amisim"):
        """On a port of its own, which is returned."""
        process = self.start(name, program, "--port", "0", *arguments)
        return listening_port(lambda: self.said(name), process)

    def said(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def end_all(self):
        end(*self.processes.values())
