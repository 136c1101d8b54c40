# SPDX-License-Identifier: MIT
"""A small SIP phone for what an Asterisk that plays a phone cannot do: hold and resume, and transfer a call by REFER with
Replaces. UDP on loopback, where nothing is lost: it repeats nothing and ignores repeats."""
import queue
import socket
import threading
import time
import uuid


class Message:
    def __init__(self, data):
        head, _, self.body = data.decode().partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def get(self, name):
        return next(iter(self.all(name)), "")

    @property
    def status(self):
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self):
        return self.get("cseq").split()[-1]

    @property
    def target(self):
        return self.get("contact").partition("<")[2].partition(">")[0]


def tag_of(address):
    return address.partition(";tag=")[2].partition(";")[0]


class Dialog:
    """One call of the phone, from either side."""

    def __init__(self, phone, call_id, local, remote, target):
        self.phone, self.call_id, self.local, self.remote, self.target = phone, call_id, local, remote, target
        self.sequence, self.answers, self.ended = 100, queue.Queue(), threading.Event()

    def send(self, method, sequence, body="", more=()):
        lines = [f"{method} {self.target} SIP/2.0",
                 f"Via: SIP/2.0/UDP 127.0.0.1:{self.phone.port};branch=z9hG4bK{uuid.uuid4().hex};rport",
                 f"From: {self.local}", f"To: {self.remote}", f"Call-ID: {self.call_id}", f"CSeq: {sequence} {method}",
                 f"Contact: {self.phone.contact}", "Max-Forwards: 70", *more]
        self.phone.send(lines, body)

    def request(self, method, body="", more=()):
        """Send a request and return its final response."""
        self.sequence += 1
        sequence = self.sequence
        self.send(method, sequence, body, more)
        while True:
            answer = self.answers.get(timeout=20)
            if answer.status >= 200 and answer.get("cseq") == f"{sequence} {method}":
                if method == "INVITE":
                    self.remote, self.target = answer.get("to"), answer.target or self.target
                    self.send("ACK", sequence)
                return answer

    def invite(self, direction):
        return self.request("INVITE", self.phone.sdp(direction))


class Phone:
    """Answers every call after a second and then does `behave(phone, dialog)`."""

    def __init__(self, number, port, pbx_port, behave):
        self.number, self.port, self.pbx_port, self.behave = number, port, pbx_port, behave
        self.contact = f"<sip:{number}@127.0.0.1:{port}>"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.dialogs, self.version, self.lock = {}, 0, threading.Lock()
        self.deaf = False  # answers nothing
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        self.socket.close()

    def sdp(self, direction="sendrecv"):
        with self.lock:
            self.version += 1
            return (f"v=0\r\no=phone 1 {self.version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                    f"m=audio 4000 RTP/AVP 0\r\na={direction}\r\n")

    def send(self, lines, body=""):
        kind = ["Content-Type: application/sdp"] if body else []
        text = "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}", "", body])
        self.socket.sendto(text.encode(), ("127.0.0.1", self.pbx_port))

    def reply(self, request, status, to=None, body=""):
        self.send([f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.all("via")), f"From: {request.get('from')}",
                   f"To: {to or request.get('to')}", f"Call-ID: {request.get('call-id')}",
                   f"CSeq: {request.get('cseq')}", f"Contact: {self.contact}"], body)

    def call(self, number):
        """Call through the PBX; the dialog once it is answered, or None."""
        dialog = Dialog(self, uuid.uuid4().hex, f"<sip:{self.number}@127.0.0.1>;tag={uuid.uuid4().hex[:8]}",
                        f"<sip:{number}@127.0.0.1:{self.pbx_port}>", f"sip:{number}@127.0.0.1:{self.pbx_port}")
        self.dialogs[dialog.call_id] = dialog
        return dialog if dialog.invite("sendrecv").status == 200 else None

    def register(self, seconds):
        """Register with the PBX for so long; 0 unregisters. Its final response."""
        dialog = Dialog(self, uuid.uuid4().hex, f"<sip:{self.number}@127.0.0.1>;tag={uuid.uuid4().hex[:8]}",
                        f"<sip:{self.number}@127.0.0.1>", f"sip:127.0.0.1:{self.pbx_port}")
        self.dialogs[dialog.call_id] = dialog
        return dialog.request("REGISTER", more=[f"Expires: {seconds}"])

    def _listen(self):
        while True:
            try:
                message = Message(self.socket.recv(65536))
            except OSError:
                return
            if self.deaf:
                continue
            dialog = self.dialogs.get(message.get("call-id"))
            if message.status:
                if dialog:
                    dialog.answers.put(message)
            elif message.method == "INVITE" and dialog is None:
                threading.Thread(target=self._ring, args=(message,), daemon=True).start()
            elif message.method == "INVITE" and tag_of(message.get("to")):
                self.reply(message, "200 OK", body=self.sdp())
            elif message.method in ("BYE", "CANCEL", "NOTIFY", "OPTIONS"):
                self.reply(message, "200 OK")
                if dialog and message.method in ("BYE", "CANCEL"):
                    dialog.ended.set()

    def _ring(self, invite):
        local = f"{invite.get('to')};tag={uuid.uuid4().hex[:8]}"
        dialog = Dialog(self, invite.get("call-id"), local, invite.get("from"), invite.target)
        self.dialogs[dialog.call_id] = dialog
        self.reply(invite, "180 Ringing", local)
        if dialog.ended.wait(1):
            self.reply(invite, "487 Request Terminated", local)
            return
        self.reply(invite, "200 OK", local, self.sdp())
        try:
            self.behave(self, dialog)
        except (OSError, queue.Empty):
            pass  # the phone was closed, or the PBX said no more


class Registrar:
    """Where the PBX registers its line: answers every REGISTER with `answer`, 200 at first."""

    def __init__(self, port):
        self.answer = "200 OK"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        self.socket.close()

    def _listen(self):
        while True:
            try:
                data, sender = self.socket.recvfrom(65536)
            except OSError:
                return
            request = Message(data)
            if request.method != "REGISTER":
                continue
            lines = [f"SIP/2.0 {self.answer}", *(f"Via: {via}" for via in request.all("via")),
                     f"From: {request.get('from')}", f"To: {request.get('to')};tag={uuid.uuid4().hex[:8]}",
                     f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}",
                     f"Contact: {request.get('contact')}", f"Expires: {request.get('expires')}", "Content-Length: 0"]
            self.socket.sendto("\r\n".join([*lines, "", ""]).encode(), sender)


def hold_and_resume(_, dialog):
    time.sleep(1.5)
    dialog.invite("sendonly")
    time.sleep(2)
    dialog.invite("sendrecv")


def transfer_with_replaces(phone, dialog):
    """Hold the caller, consult 105, and have the PBX put the two together."""
    time.sleep(1)
    dialog.invite("sendonly")
    consulted = phone.call("105")
    if not consulted:
        return
    time.sleep(1)
    replaces = f"{consulted.call_id}%3Bto-tag%3D{tag_of(consulted.remote)}%3Bfrom-tag%3D{tag_of(consulted.local)}"
    dialog.request("REFER", more=[f"Refer-To: <{consulted.target}?Replaces={replaces}>",
                                  f"Referred-By: {phone.contact}"])
