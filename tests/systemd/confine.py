#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a program under what of a unit file's hardening can be had without systemd as process 1. Needs root.

    confine.py UNIT STATE COMMAND…

STATE is the only folder that can be written. Applied are, as the unit has them: ProtectSystem=strict (every mount read-only),
ProcSubset=pid and ProtectProc=invisible (a /proc of its own), CapabilityBoundingSet= (none left), User= (nobody),
NoNewPrivileges=, UMask=, LimitCORE=, SystemCallFilter= with its sets as systemd-analyze lists them,
SystemCallArchitectures=native, MemoryDenyWriteExecute=, RestrictAddressFamilies= and RestrictNamespaces=.
"""
import ctypes
import os
import re
import resource
import socket
import subprocess
import sys

import seccomp

NOBODY = 65534
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
CLONE_NEWNS, CLONE_NAMESPACES = 0x20000, 0x7e020080
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, LAST_CAPABILITY = 24, 38, 63
PROT_WRITE, PROT_EXEC = 2, 4
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags, data=None):
    check(libc.mount(*(text and text.encode() for text in (source, target, kind)), ctypes.c_ulong(flags),
                     data and data.encode()), f"mount {target}")


def settings(unit):
    """{name: [value, …]} of the unit's section Service."""
    found = {}
    for line in re.search(r"(?ms)^\[Service\]$(.*?)^\[", open(unit).read())[1].splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def read_only(state):
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", 0, "subset=pid,hidepid=invisible")
    mount(state, state, None, MS_BIND)
    for line in open("/proc/self/mountinfo"):
        target = line.split()[4].encode().decode("unicode_escape")
        if target != state and not re.match(r"/(dev|proc|sys)(/|$)", target):
            try:
                mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
            except OSError as error:  # hidden by another one
                if error.errno != 22:
                    raise


def calls(name):
    """The system calls of a set, those of the sets within it too."""
    if not name.startswith("@"):
        return {name}
    lines = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.splitlines()[1:]
    return set().union(*(calls(line.strip()) for line in lines if line.strip() and not line.strip().startswith("#")))


def allowed_calls(filters):
    allowed = set()
    for value in filters:
        sets = set().union(*(calls(name) for name in value.lstrip("~").split()))
        allowed = allowed - sets if value.startswith("~") else allowed | sets
    return allowed


def filter_calls(unit):
    denied = seccomp.ERRNO(1)
    rules = seccomp.SyscallFilter(denied)
    names = allowed_calls(unit["SystemCallFilter"])
    families = [getattr(socket, name) for name in unit["RestrictAddressFamilies"][0].split()]
    for name in names - {"socket", "mmap", "mprotect", "pkey_mprotect", "unshare", "setns", "clone", "clone3"}:
        try:
            rules.add_rule(seccomp.ALLOW, name)
        except (RuntimeError, ValueError):
            pass  # not one of this machine's
    for family in families:
        rules.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, family))
    for protection in range(8):  # all but writable and executable at once; not executable afterwards
        if protection & (PROT_WRITE | PROT_EXEC) != PROT_WRITE | PROT_EXEC:
            rules.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, 7, protection))
        if not protection & PROT_EXEC:
            rules.add_rule(seccomp.ALLOW, "mprotect", seccomp.Arg(2, seccomp.MASKED_EQ, 7, protection))
    rules.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_NAMESPACES, 0))
    rules.add_rule(seccomp.ERRNO(38), "clone3")  # so that clone is taken, whose flags can be looked at
    return rules


def main():
    unit, state, command = settings(sys.argv[1]), sys.argv[2], sys.argv[3:]
    rules = filter_calls(unit)
    os.chown(state, NOBODY, NOBODY)
    read_only(state)
    os.umask(int(unit["UMask"][0], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (int(unit["LimitCORE"][0]),) * 2)
    os.chdir(state)
    if unit["CapabilityBoundingSet"] == [""]:
        for capability in range(LAST_CAPABILITY):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    rules.load()
    os.execv(command[0], command)


main()
