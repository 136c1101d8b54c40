# SPDX-License-Identifier: MIT
"""Waiting for what a program is to do, never longer than a limit; and ports that nobody listens on."""
import socket
import time


def until(what, limit, pause=0.02, process=None):
    """Asks what() until it is so; limit: for so many seconds, and only while the process runs, if one is given. The last
    answer."""
    end = time.monotonic() + limit
    while not (found := what()):
        if time.monotonic() > end or process and process.poll() is not None:
            return what()  # it may have come about just before
        time.sleep(pause)
    return found


def wait_for(what, name, limit, process=None, said=lambda: ""):
    """until, for what has to come about: raises an AssertionError that names it, with what was said meanwhile."""
    if not until(what, limit, process=process):
        ended = f"; it ended with {process.returncode}" if process and process.poll() is not None else ""
        raise AssertionError(f"never: {name}{ended}; {said()}".rstrip("; "))


def free_ports(count):
    """So many, no two the same."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def free_port():
    return free_ports(1)[0]
