#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A million frames, random and hostile, into amitap: replayed, and a fifth of them by a PBX that was taken over. Its memory must stay within
a bound, its tables must refuse what is too much and count it, and it must go on. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--frames N] [--seed N]
"""
import argparse
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
from fault_log import FaultLog  # noqa: E402
from metrics import Metrics  # noqa: E402
from programs import end, stop  # noqa: E402
from report import Report, expect  # noqa: E402
from waiting import free_port, wait_for  # noqa: E402

LIMIT = 200
REPLAY_MB, RUN_MB = 800, 1100
BLOCK = 2000  # frames made at a time
POOL = 20000  # frames bent or of no sense that are drawn from


class Frames:
    """Frames of every kind, the same for the same seed: of calls that never end, of recordings with bytes changed, and of
    no sense."""

    def __init__(self, seed, strangers=0.5):
        self.random, self.number, self.strangers = random.Random(seed), 0, strangers
        names = ("mixed-busy-minute", "queue-attended-transfer", "conference-three", "park-retrieve", "agi-ai-then-queue")
        self.real = [frame for name in names
                     for frame in (ROOT / "tests/captures" / name / "ami.raw").read_bytes().split(b"\r\n\r\n") if frame]
        self.pool = [self.bent() for _ in range(POOL)] + [self.nonsense() for _ in range(POOL // 100)]

    def stranger(self):
        """An event of a call of its own, which no other event ends."""
        self.number += 1
        n, dice = self.number, self.random.randrange(10)
        channel, uid = f"PJSIP/{self.random.randrange(1 << 40):x}-{n:08x}", f"1795{n:06d}.{n}"
        head = f"Privilege: call,all\r\nTimestamp: 1795219175.{n % 1000000:06d}\r\nChannel: {channel}\r\nUniqueid: {uid}\r\nLinkedid: {uid}\r\n"
        if dice < 5:
            return (f"Event: Newchannel\r\n{head}ChannelState: 0\r\nCallerIDNum: {n}\r\nCallerIDName: {'N' * (n % 300)}\r\n"
                    f"Context: c{n}\r\nExten: {n}\r\n")
        if dice == 5:
            return f"Event: QueueCallerJoin\r\n{head}Queue: q{n}\r\nPosition: 1\r\nCount: 1\r\n"
        if dice == 6:
            return f"Event: BridgeCreate\r\nPrivilege: call,all\r\nBridgeUniqueid: b{n}\r\nBridgeType: basic\r\n"
        if dice == 7:
            return f"Event: QueueMemberAdded\r\nPrivilege: agent,all\r\nQueue: q{n % 5000}\r\nMemberName: m{n}\r\nInterface: PJSIP/{n}\r\n"
        if dice == 8:
            return f"Event: DeviceStateChange\r\nPrivilege: call,all\r\nDevice: PJSIP/{n}\r\nState: INUSE\r\n"
        return f"Event: VarSet\r\n{head}Variable: V{n}\r\nValue: {n}\r\n"

    def bent(self):
        """A real one of which some bytes are others, or a piece is there often."""
        frame = bytearray(self.random.choice(self.real))
        for _ in range(self.random.randrange(1, 6)):
            frame[self.random.randrange(len(frame))] = self.random.randrange(256)
        if self.random.randrange(20) == 0:
            at = self.random.randrange(len(frame))
            frame[at:at] = frame[at:at + 40] * self.random.randrange(400)
        return bytes(frame) + b"\r\n\r\n"

    def nonsense(self):
        kind = self.random.randrange(5)
        if kind == 0:
            return self.random.randbytes(self.random.randrange(2000)) + b"\r\n\r\n"
        if kind == 1:
            return b"Event: " + b"A" * self.random.randrange(100000) + b"\r\n\r\n"
        if kind == 2:
            return b"".join(b"H%d: x\r\n" % n for n in range(self.random.randrange(2000))) + b"\r\n"
        if kind == 3:
            return b"\0" * self.random.randrange(5000) + b"\r\n\r\n"
        return b"\r\n" * self.random.randrange(50)

    def block(self):
        new = int(BLOCK * self.strangers)
        parts = [self.stranger().encode() + b"\r\n" for _ in range(new)] + self.random.choices(self.pool, k=BLOCK - new)
        self.random.shuffle(parts)
        return b"".join(parts)

    def blocks(self, frames):
        for _ in range(frames // BLOCK):
            yield self.block()


def replayed(program, frames, seed, _log):
    """Derives from them as from a recording."""
    process = subprocess.Popen([program, "replay", "--records", "none", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stderr.read()))
    reader.start()
    try:
        for block in Frames(seed, 0.1).blocks(frames):
            process.stdin.write(block)
        process.stdin.close()
    except BrokenPipeError:
        pass
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    megabytes = usage.ru_maxrss / 1024
    expect(process.returncode in (0, 1), f"ended by {process.returncode}: {said[0][-800:]!r}")
    expect(megabytes < REPLAY_MB, f"{megabytes:.0f} MB")
    print(f"   {megabytes:.0f} MB")


class Pbx:
    """Lets amitap in, answers its lists with nothing, and sends the frames."""

    def __init__(self, frames, seed):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.sent, self.logins = self.listener.getsockname()[1], False, 0
        self.frames = Frames(seed).blocks(frames)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.logins += 1
            try:
                self.session(client)
            except OSError:
                pass

    def session(self, client):
        client.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        flooding = None
        text = b""
        while part := client.recv(65536):
            text += part
            while b"\r\n\r\n" in text:
                action, text = text.split(b"\r\n\r\n", 1)
                name, number = (re.search(rb"(?i)^%s: (.*?)\r?$" % key, action, re.M) for key in (b"Action", b"ActionID"))
                more = b"Challenge: 1234\r\n" if name and name[1].lower() == b"challenge" else b"Message: Authentication accepted\r\n"
                client.sendall(b"Response: Success\r\n" + (b"ActionID: " + number[1] + b"\r\n" if number else b"") + more + b"\r\n")
                if name and name[1].lower() == b"login" and not flooding:
                    flooding = threading.Thread(target=self.flood, args=(client,), daemon=True)
                    flooding.start()

    def flood(self, client):
        try:
            for block in self.frames:
                client.sendall(block)
            self.sent = True
        except OSError:
            pass  # amitap may hang up on what it cannot frame; the rest comes at the next log-in


def rss_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def run(program, frames, seed, log):
    """Taps a PBX that sends them as fast as amitap takes them."""
    with tempfile.TemporaryDirectory(prefix="amitap-flood-") as folder:
        folder, pbx, web = pathlib.Path(folder), Pbx(frames, seed), free_port()
        config, said = folder / "amitap.conf", folder / "log"
        config.write_text(f"pbx main {{\n host = 127.0.0.1\n port = {pbx.port}\n user = tap\n secret = 'x'\n}}\n"
                          f"store {{ path = '{folder}/amitap.db' }}\nweb {{ listen = '127.0.0.1:{web}' }}\n")
        with said.open("wb") as out:
            process = subprocess.Popen([program, "run", "-c", config], stderr=out)
        try:
            wait_for(lambda: pbx.sent, "all is taken", LIMIT, process,
                     lambda: f"after {pbx.logins} log-ins: {said.read_text()[-800:]}")
            refused = Metrics(web)['amitap_table_refusals_total{pbx="main"}']
            state = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{web}/api/v1/state", timeout=LIMIT).read())
            megabytes = rss_mb(process.pid)
            expect(megabytes < RUN_MB, f"{megabytes:.0f} MB")
            expect(refused > 0, "no table was full: this shows nothing")
            expect("calls" in state, "the state is not told")
            expect(stop(process, LIMIT) == 0, f"exit {process.returncode}: {said.read_text()[-800:]}")
        finally:
            end(process)
            pbx.listener.close()
        log.add("hostile frames", injected=frames, sent=0, found=0)
        print(f"   {megabytes:.0f} MB, {refused:.0f} entries refused, {pbx.logins} log-ins")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", type=pathlib.Path, default=ROOT / "build/amitap")
    parser.add_argument("--frames", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"flood: --seed {options.seed}", flush=True)
    log, report = FaultLog("flood"), Report()
    for test, frames in ((replayed, options.frames), (run, options.frames // 5)):
        report.attempt(f"{frames} hostile frames {test.__name__}",
                       lambda: test(options.amitap.resolve(), frames, options.seed, log))
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
