# SPDX-License-Identifier: MIT
"""The running lab as Python sees it: start and stop it, place and steer calls, record what AMI and Asterisk say."""
import os
import pathlib
import queue
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import sip_phone

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kit"))  # for all that import this
import relay  # noqa: E402

SNAPSHOT = ("CoreShowChannels", "Status", "BridgeList", "QueueStatus", "QueueSummary")
TRUTH = {"cdr.csv": "log/cdr-custom/cdr.csv", "cel.csv": "log/cel-custom/cel.csv", "queue_log": "log/queue_log"}


class Ami:
    """One manager session. Bytes received go to `sink` if given, parsed messages to whoever waits for them."""

    def __init__(self, port, user, secret, sink=None):
        self.sink, self.listeners, self.lock = sink, [], threading.Lock()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        login = self.ask(Action="Login", Username=user, Secret=secret)
        if login.get("Response") != "Success":
            raise RuntimeError(f"{user} was refused: {login}")

    def _read(self):
        rest = b""
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            if self.sink:
                self.sink.write(data)
            *whole, rest = (rest + data).split(b"\r\n\r\n")
            for raw in whole:
                message = dict(line.partition(": ")[::2] for line in raw.decode("latin-1").split("\r\n"))
                with self.lock:
                    for wanted, found in self.listeners:
                        if wanted(message):
                            found.put(message)

    def expect(self, wanted):
        """A queue that gets every coming message for which `wanted` holds."""
        found = queue.Queue()
        with self.lock:
            self.listeners.append((wanted, found))
        return found

    def send(self, **headers):
        lines = []
        for key, value in headers.items():
            lines += [f"{key}: {each}" for each in (value if isinstance(value, list) else [value])]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())

    def ask(self, **headers):
        """Send an action and return its response."""
        action_id = f"{headers['Action']}-{time.monotonic_ns()}"
        answer = self.expect(lambda m: m.get("ActionID") == action_id and "Response" in m)
        self.send(ActionID=action_id, **headers)
        return answer.get(timeout=10)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join(5)
        self.socket.close()


def log_in(seconds, *account):
    """A manager session, as soon as it is let in: the PBX may still be starting or reading its configuration."""
    end = time.monotonic() + seconds
    while True:
        try:
            return Ami(*account)
        except (OSError, RuntimeError, queue.Empty):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Lab:
    """Both Asterisks. As a context manager it starts them and stops them again."""

    def __init__(self, instance="lab"):
        self.instance = instance
        self.folder = pathlib.Path(os.environ.get("LAB", HERE / "../../build/asterisk-lab")).resolve()
        self.ports, self.serial, self.lock = {}, 0, threading.Lock()

    def script(self, command):
        environment = dict(os.environ, LAB=str(self.folder), INSTANCE=self.instance)
        subprocess.run([HERE / "lab.sh", command], check=True, env=environment)

    def __enter__(self):
        self.script("start")
        try:
            lines = (self.folder / f"run-{self.instance}/ports").read_text().split()
            self.ports = {name: int(value) for name, value in (line.split("=") for line in lines)}
            self.pbx = Ami(self.ports["PBX_AMI"], "admin", "adminsecret")
            self.phones = Ami(self.ports["PHONES_AMI"], "admin", "adminsecret")
            self.sip_phones = [sip_phone.Phone(number, self.ports[port], self.ports["PBX_SIP"], behave)
                               for number, port, behave in (("107", "HOLD_SIP", sip_phone.hold_and_resume),
                                                            ("121", "REPLACES_SIP", sip_phone.transfer_with_replaces),
                                                            ("123", "ROAMING_SIP", sip_phone.hold_and_resume))]
            self.registrar = sip_phone.Registrar(self.ports["REGISTRAR_SIP"])
        except BaseException:
            self.script("stop")
            raise
        return self

    def __exit__(self, *_):
        for phone in (*self.sip_phones, self.registrar):
            phone.close()
        self.script("stop")

    @property
    def pbx_folder(self):
        return self.folder / "root/srv" / self.instance / "pbx"

    def version(self):
        return self.pbx.ask(Action="CoreSettings")["AsteriskVersion"]

    def number(self):
        """An outside number that no other call of this lab has."""
        with self.lock:
            self.serial += 1
            return f"+1415555{self.serial:04d}"

    def call(self, to, caller=None, seconds=20, ring=60, application=None, data=None, name=None):
        """Have the carrier (or phone `caller`, if three digits) call `to` and talk for `seconds` once answered;
        give up after ringing for `ring` seconds. Returns the calling number."""
        caller = caller or self.number()
        inside = caller.isdigit()
        if to.startswith("*") or not to.isdigit():
            channel = f"PJSIP/as{caller}/sip:{to}@127.0.0.1:{self.ports['PBX_SIP']}"
        else:
            channel = f"PJSIP/{to}@{'as' + caller if inside else 'pbx'}"
        self.phones.send(Action="Originate", Channel=channel, Async="true", Timeout=int(ring * 1000),
                         CallerID=f'"{name or "Caller " + caller[-4:]}" <{caller}>',
                         Application=application or "Wait", Data=str(seconds) if data is None else data)
        return caller

    def press(self, to, keys, caller=None):
        """A call that sends DTMF once answered; `w` waits half a second."""
        return self.call(to, caller, application="SendDTMF", data=keys)

    def channel_of(self, wanted, timeout=20):
        """Wait on the PBX for a new channel for which `wanted(message)` holds; its name. Call before what causes it."""
        found = self.pbx.expect(lambda m: m.get("Event") == "Newchannel" and wanted(m))
        return lambda: found.get(timeout=timeout)["Channel"]

    def event(self, name, wanted=lambda m: True, timeout=20):
        """The same for any event; the message."""
        found = self.pbx.expect(lambda m: m.get("Event") == name and wanted(m))
        return lambda: found.get(timeout=timeout)

    def cli(self, command):
        return self.pbx.ask(Action="Command", Command=command)

    def restart(self, timeout=30):
        """Start the PBX anew by its console: it hangs up and says that it stops. Asterisk 22.10 may get stuck in that; then it is
        killed."""
        self.pbx.send(Action="Command", Command="core restart now")
        self.pbx.reader.join(15)
        if self.pbx.reader.is_alive():
            print("      Asterisk is stuck in core restart now: killed", flush=True)
            self.script("crash")
        self._log_in_again(timeout)

    def crash(self, timeout=30):
        """Kill the PBX with the calls that it has, and start it again."""
        self.script("crash")
        self._log_in_again(timeout)

    def _log_in_again(self, timeout):
        self.pbx.reader.join(timeout)
        self.pbx.socket.close()
        self.pbx = log_in(timeout, self.ports["PBX_AMI"], "admin", "adminsecret")

    def await_idle(self, timeout=90):
        """Wait until the PBX has no channel and has written its last row; False if it never gets there."""
        end, quiet = time.monotonic() + timeout, 0
        while time.monotonic() < end and quiet < 3:
            done = self.pbx.expect(lambda m: m.get("Event") == "CoreShowChannelsComplete")
            self.pbx.send(Action="CoreShowChannels")
            quiet = quiet + 1 if done.get(timeout=10)["ListItems"] == "0" else 0
            time.sleep(0.4)
        return quiet == 3

    def truth_sizes(self):
        """How long Asterisk's own files are now, to cut out what it writes from here on."""
        sizes = {}
        for name, path in TRUTH.items():
            file = self.pbx_folder / path
            sizes[name] = file.stat().st_size if file.exists() else 0
        return sizes

    def save_truth(self, sizes, folder):
        for name, path in TRUTH.items():
            file = self.pbx_folder / path
            data = file.read_bytes() if file.exists() else b""
            (folder / name).write_bytes(data[sizes[name]:])

    def keep_log(self, folder):
        shutil.copy(self.pbx_folder / "log/full", folder / "asterisk.log")


def actions_in(data):
    """The names of the actions in bytes that a client sent."""
    return [name.decode("latin-1") for name in re.findall(rb"(?im)^action:\s*(\S+)", data)]


class Relay(relay.Relay):
    """To the PBX's manager port; keeps what passes in both directions, of all connections together."""

    def __init__(self, port, from_pbx, to_pbx):
        self.both = from_pbx, to_pbx
        super().__init__(port, None)

    def kept(self):
        return self.both
