# SPDX-License-Identifier: MIT
"""A TCP relay in front of a PBX that can be made to fail: cut, half open, pointed at another PBX, its clock set."""
import re
import socket
import threading

TIMESTAMP = re.compile(rb"^Timestamp: (\d+)", re.M)


class TroubledRelay:
    """ahead: seconds that are added to each Timestamp that passes from now on."""

    def __init__(self, target, host="127.0.0.1", port=0):
        self.target, self.ahead, self.deaf, self.open = target, 0, False, True
        self.pairs, self.lock = [], threading.Lock()
        self.listener = socket.create_server((host, port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.open:
                    raise OSError
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            pair = {"ends": (client, server), "deaf": False}
            with self.lock:
                self.pairs.append(pair)
            threading.Thread(target=self._pump, args=(pair, server, client, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(pair, client, server, False), daemon=True).start()

    def _pump(self, pair, source, sink, from_pbx):
        rest = b""
        try:
            while data := source.recv(1 << 16):
                if pair["deaf"]:
                    continue
                if from_pbx and self.ahead:
                    whole, _, rest = (rest + data).rpartition(b"\n")
                    data = TIMESTAMP.sub(lambda m: b"Timestamp: %d" % (int(m[1]) + self.ahead), whole + b"\n") if whole else b""
                sink.sendall(data)
        except OSError:
            pass
        if not pair["deaf"]:  # half open: the end that is left never hears of it
            self._close(pair)

    @staticmethod
    def _close(pair):
        for end in pair["ends"]:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends all connections, and takes no new ones until heal."""
        self.open = False
        with self.lock:
            for pair in self.pairs:
                self._close(pair)

    def swallow(self):
        """The connections that are there stand, and carry nothing any more."""
        with self.lock:
            for pair in self.pairs:
                pair["deaf"] = True

    def heal(self):
        self.open = True

    def close(self):
        self.cut()
        self.listener.close()
