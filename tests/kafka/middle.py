# SPDX-License-Identifier: MIT
"""A stand between a Kafka client and its broker that knows the protocol as far as it must: it answers late, or refuses a
client's first request for a partition as a broker does that does not lead it yet, and lets the next ones through."""
import queue
import socket
import struct
import threading
import time

PRODUCE = 0
NOT_LEADER = 6


def whole(connection):
    """One message, its length before it. None at the end."""
    head = connection.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return None
    body = connection.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)
    return head + body


class Words:
    def __init__(self, message):
        self.message, self.at = message, 4

    def take(self, form):
        value = struct.unpack_from(">" + form, self.message, self.at)[0]
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        size = self.take("h")
        value = self.message[self.at:self.at + max(size, 0)]
        self.at += max(size, 0)
        return value


def produce_place(message):
    """Correlation id, topic and partition of a Produce request of version 3 to 7, else None. librdkafka puts one
    partition into a request."""
    words = Words(message)
    key, version, correlation = words.take("h"), words.take("h"), words.take("i")
    if key != PRODUCE or not 3 <= version <= 7:
        return None
    words.text(), words.text(), words.take("h"), words.take("i"), words.take("i")
    topic = words.text()
    words.take("i")
    return correlation, version, topic, words.take("i")


def refusal(correlation, version, topic, partition):
    """The answer NOT_LEADER_OR_FOLLOWER."""
    body = struct.pack(">iih", correlation, 1, len(topic)) + topic
    body += struct.pack(">iihqq", 1, partition, NOT_LEADER, -1, -1)
    body += struct.pack(">q", -1) if version >= 5 else b""
    body += struct.pack(">i", 0)
    return struct.pack(">i", len(body)) + body


class Middle:
    """Listens on port, talks to the broker's. delay: seconds by which each answer is late. refuse: a topic. The first
    request for each of its partitions on a connection is not passed on; it is refused once the next one for that
    partition has come, or after REFUSE_AFTER seconds."""
    REFUSE_AFTER = 1.0

    def __init__(self, port, target, delay=0.0, refuse=""):
        self.target, self.delay, self.refuse = target, delay, refuse.encode()
        self.refused = self.overtaken = 0
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=Session(self, client).serve, daemon=True).start()

    def close(self):
        self.listener.close()


class Session:
    """One client's connection."""

    def __init__(self, middle, client):
        self.middle, self.client, self.server = middle, client, None
        self.lock, self.due = threading.Lock(), queue.Queue()
        self.refused, self.held = set(), {}

    def serve(self):
        try:
            self.server = socket.create_connection(("127.0.0.1", self.middle.target))
            threading.Thread(target=self.answer, daemon=True).start()
            while message := whole(self.client):
                place = produce_place(message)
                if place and place[2] == self.middle.refuse and self.hold(place):
                    continue
                self.due.put(time.monotonic() + self.middle.delay)
                self.server.sendall(message)
        except OSError:
            pass
        self.due.put(None)
        self.end()

    def hold(self, place):
        """True for the first request for a partition. The next one ends its waiting."""
        if place[2:] in self.refused:
            self.middle.overtaken += self.release(place[2:])
            return False
        self.refused.add(place[2:])
        self.middle.refused += 1
        self.held[place[2:]] = refusal(*place)
        threading.Timer(self.middle.REFUSE_AFTER, self.release, [place[2:]]).start()
        return True

    def release(self, partition):
        with self.lock:
            answer = self.held.pop(partition, None)
            if answer:
                self.client.sendall(answer)
        return answer is not None

    def answer(self):
        try:
            while at := self.due.get():
                answer = whole(self.server)
                if not answer:
                    break
                time.sleep(max(0.0, at - time.monotonic()))
                with self.lock:
                    self.client.sendall(answer)
        except OSError:
            pass
        self.end()

    def end(self):
        for connection in (self.server, self.client):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except (OSError, AttributeError):
                pass
