# SPDX-License-Identifier: MIT
"""A TCP relay that keeps what a PBX sends, so that a test can derive from exactly that again."""
import socket
import threading
import time


def _send(sink, data):
    """False when nobody is there any more."""
    try:
        sink.sendall(data)
    except OSError:
        return False
    return True


class Relay:
    """Between amitap and a PBX on this machine: keeps what the PBX sends, one file for each connection."""

    def __init__(self, port, folder):
        self.target, self.folder, self.files = port, folder, []
        self.opened = []  # when each connection came, seconds since 1970
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.opened.append(time.time())
            server = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, file in zip((server, client), (client, server), self.kept()):
                threading.Thread(target=self._pump, args=(source, sink, file), daemon=True).start()

    def kept(self):
        """Where it keeps what comes and what goes over one more connection; None: nowhere."""
        self.files.append(self.folder / f"stream-{len(self.files)}.raw")
        return open(self.files[-1], "wb"), None

    @staticmethod
    def _pump(source, sink, file):
        """Until the source ends. What it sent is kept also where nobody takes it any more: a program that was killed has
        no part in it, but what is derived from the stream has."""
        taken = True
        try:
            while data := source.recv(1 << 18):
                if file:
                    file.write(data)
                    file.flush()
                taken = taken and _send(sink, data)
        except OSError:
            pass
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def drained(self):
        """Nothing is under way between the two: the kernel holds no byte for either end."""
        ports = {f"{port:04X}" for port in (self.port, self.target)}
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table][1:]
        return not any(row[4] != "00000000:00000000" and ports & {row[1][-4:], row[2][-4:]} for row in rows if row[3] == "01")

    def close(self):
        self.listener.close()
