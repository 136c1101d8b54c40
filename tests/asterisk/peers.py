# SPDX-License-Identifier: MIT
"""The other ends that a PBX hands calls to: a FastAGI server, an AudioSocket server, an ARI application."""
import base64
import json
import os
import queue
import socket
import struct
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


class Server:
    """Accepts connections on a loopback port, each served in a thread of its own."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                self.serve(connection)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # else it listens on for as long as accept() waits
        self.listener.close()


class FastAgi(Server):
    def serve(self, connection):
        stream = connection.makefile("rw", newline="\n")
        while stream.readline().strip():
            pass
        for command in ("SET VARIABLE AI_SESSION_ID fast-1", "EXEC Playback beep", 'VERBOSE "bye" 1'):
            stream.write(command + "\n")
            stream.flush()
            stream.readline()


class AudioSocket(Server):
    """Talks silence for some seconds, then hangs its end up."""

    def __init__(self, port, seconds):
        self.seconds = seconds
        super().__init__(port)

    def serve(self, connection):
        for _ in range(self.seconds * 50):
            connection.sendall(struct.pack(">BH", 0x10, 320) + bytes(320))
            time.sleep(0.02)
        connection.sendall(struct.pack(">BH", 0x00, 0))


class Ari:
    """An ARI application: its WebSocket for events, its requests over HTTP."""

    def __init__(self, port, user, password, application):
        self.port, self.application = port, application
        self.key = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.events = queue.Queue()

    def __enter__(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.stream = self.socket.makefile("rb")
        nonce = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /ari/events?app={self.application} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                             f"Authorization: Basic {self.key}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        if b" 101 " not in self.stream.readline():
            raise RuntimeError("ARI refused the WebSocket")
        while self.stream.readline().strip():
            pass
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _read(self):
        """Text frames of a server are neither masked nor, from Asterisk, fragmented."""
        try:
            while head := self.stream.read(2):
                length = head[1] & 0x7F
                if length == 126:
                    length = struct.unpack(">H", self.stream.read(2))[0]
                elif length == 127:
                    length = struct.unpack(">Q", self.stream.read(8))[0]
                payload = self.stream.read(length)
                if head[0] & 0x0F == 1:
                    self.events.put(json.loads(payload))
        except (OSError, ValueError, struct.error):
            return

    def ask(self, method, path, **query):
        url = f"http://127.0.0.1:{self.port}/ari/{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, method=method, headers={"Authorization": f"Basic {self.key}"}, data=b"")
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def await_event(self, kind, timeout=15):
        while True:
            event = self.events.get(timeout=timeout)
            if event["type"] == kind:
                return event

    def hold_and_hand_back(self, callee, seconds):
        """Take the next caller, put it into a bridge with a called leg for some seconds, give it back to the dialplan."""
        caller = self.await_event("StasisStart")["channel"]["id"]
        bridge = self.ask("POST", "bridges", type="mixing")["id"]
        self.ask("POST", f"bridges/{bridge}/addChannel", channel=caller)
        leg = self.ask("POST", "channels", endpoint=callee, app=self.application, originator=caller)["id"]
        self.await_event("StasisStart")
        self.ask("POST", f"bridges/{bridge}/addChannel", channel=leg)
        self._talk_and_hand_back(caller, leg, bridge, seconds)

    def _talk_and_hand_back(self, caller, leg, bridge, seconds):
        time.sleep(seconds)
        self.ask("DELETE", f"channels/{leg}")
        self.ask("DELETE", f"bridges/{bridge}")
        self.ask("POST", f"channels/{caller}/continue")

    def media_and_hand_back(self, session, seconds, **media):
        """The same with a leg of external media as an AI has it; the caller's AI_SESSION_ID is set."""
        caller = self.await_event("StasisStart")["channel"]["id"]
        self.ask("POST", f"channels/{caller}/variable", variable="AI_SESSION_ID", value=session)
        bridge = self.ask("POST", "bridges", type="mixing")["id"]
        self.ask("POST", f"bridges/{bridge}/addChannel", channel=caller)
        leg = self.ask("POST", "channels/externalMedia", app=self.application, **media)["id"]
        self.await_event("StasisStart")
        self.ask("POST", f"bridges/{bridge}/addChannel", channel=leg)
        self._talk_and_hand_back(caller, leg, bridge, seconds)
