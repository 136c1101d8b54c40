# SPDX-License-Identifier: MIT
"""A PBX that lets anybody in and then sends the bytes it was given, so that a test knows every byte a client got."""
import socket
import threading

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


class FakePbx:
    """Serves each connection the next of `streams`; `sent` has what went to each, login answers included. The last
    connection is held open, or each, or none: one that is closed with actions in it unread may lose what was sent."""

    def __init__(self, streams, hold_open=True, hold_each=False):
        self.streams = streams
        self.hold_open = hold_open
        self.hold_each = hold_each
        self.sent = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.done = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.done.set()
        self.listener.close()

    def _serve(self):
        for number, stream in enumerate(self.streams):
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                self.sent.append(b"")
                try:
                    self._session(client, stream)
                    if self.hold_each or self.hold_open and number == len(self.streams) - 1:
                        self._answer_until_closed(client)
                except OSError:
                    pass

    def _send(self, client, data):
        client.sendall(data)
        self.sent[-1] += data

    @staticmethod
    def _actions(client):
        """The client's actions, each as a dictionary."""
        waiting = b""
        while True:
            data = client.recv(65536)
            if not data:
                return
            waiting += data
            while b"\r\n\r\n" in waiting:
                text, waiting = waiting.split(b"\r\n\r\n", 1)
                yield dict(line.split(b": ", 1) for line in text.split(b"\r\n") if b": " in line)

    def _session(self, client, stream):
        self._send(client, BANNER)
        self.actions = self._actions(client)
        for action in self.actions:
            name = action.get(b"Action", b"").lower()
            more = b"Challenge: 123456789\r\n" if name == b"challenge" else b""
            self._answer(client, action, b"Success", more)
            if name == b"login":
                break
        self._send(client, b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n")
        self._send(client, stream)

    def _answer(self, client, action, word, more=b""):
        identity = b"ActionID: %s\r\n" % action[b"ActionID"] if b"ActionID" in action else b""
        self._send(client, b"Response: %s\r\n%s%s\r\n" % (word, identity, more))

    def _answer_until_closed(self, client):
        """No list is allowed; the client goes on without."""
        for action in self.actions:
            if action.get(b"Action", b"").lower() == b"logoff":
                self._answer(client, action, b"Goodbye")
                return
            self._answer(client, action, b"Error", b"Message: Permission denied\r\n")
