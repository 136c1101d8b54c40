#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""AMI over TLS: what is trusted, what is not and what amitap then says. Needs build/amitap and openssl. A fake PBX behind
a TLS server shows certificates of every kind. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM]
"""
import argparse
import glob
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/record"), str(ROOT / "tests/kit")]
from certificates import Authority, self_signed  # noqa: E402
from fake_pbx import FakePbx  # noqa: E402
from programs import stop  # noqa: E402
from report import Report  # noqa: E402
from waiting import until  # noqa: E402

LIMIT = 30
report = Report()


class TlsServer:
    """Takes TLS and passes what is inside on to a port; remembers the name that was asked for (SNI)."""

    def __init__(self, port, pem, key, newest=None):
        self.asked, self.port_behind = [], port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem, key)
        if newest:
            self.context.minimum_version, self.context.maximum_version = ssl.TLSVersion.TLSv1, newest
            self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.context.sni_callback = lambda _socket, name, _context: self.asked.append(name)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(raw,), daemon=True).start()

    def pass_on(self, raw):
        try:
            outer = self.context.wrap_socket(raw, server_side=True)
        except (ssl.SSLError, OSError):
            raw.close()
            return
        inner = socket.create_connection(("127.0.0.1", self.port_behind))
        self.open.append((outer, inner))
        thread = threading.Thread(target=self.pump, args=(outer, inner), daemon=True)
        thread.start()
        self.pump(inner, outer)
        thread.join(LIMIT)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        """The connections break without TLS saying so."""
        for outer, inner in self.open:
            for end in (outer, inner):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.close()


class Attempt:
    """`amitap record` against a port, until it has kept `bytes` or said a line that holds `words`."""

    def __init__(self, program, folder, port, *keys, host="127.0.0.1"):
        number = len(list(folder.glob("*.conf")))
        self.config, self.out, self.log = (folder / f"try-{number}.{kind}" for kind in ("conf", "raw", "log"))
        self.config.write_text(f"pbx main {{\n host = {host}\n port = {port}\n user = tap\n secret = 'x'\n"
                               + "".join(f" {key}\n" for key in keys) + "}\n")
        with self.log.open("w") as log:
            self.process = subprocess.Popen([program, "record", "-c", self.config, "-o", self.out], stderr=log)

    def until(self, done):
        return until(done, LIMIT, process=self.process)

    def says(self, words):
        return self.until(lambda: words in self.log.read_text())

    def keeps(self, count):
        return self.until(lambda: self.out.exists() and self.out.stat().st_size >= count)

    def stop(self):
        stop(self.process, LIMIT)
        return self.log.read_text()


class Tests:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.ours, self.others = (Authority(folder, name) for name in ("ours", "others"))
        self.stream = b"".join(pathlib.Path(path).read_bytes()
                               for path in sorted(glob.glob(str(ROOT / "tests/captures/*/ami.raw")))[:6])
        self.trust = ("tls = yes", f"tls_ca_file = \"{self.ours.ca}\"")

    def accepted(self, what, pem, key, *keys, host="127.0.0.1", sni=None):
        pbx = FakePbx([self.stream])
        server = TlsServer(pbx.port, pem, key)
        attempt = Attempt(self.program, self.folder, server.port, *keys, host=host)
        faults = []
        if not attempt.keeps(len(self.stream)):
            faults.append("not all came")
        time.sleep(0.2)
        said = attempt.stop()
        if faults or attempt.out.read_bytes() != pbx.sent[0]:
            faults += ["what was kept is not what was sent", said]
        if sni and sni not in server.asked:
            faults.append(f"SNI was {server.asked}")
        report(what, faults)
        server.close()
        pbx.close()

    def refused(self, what, pem, key, words, *keys, host="127.0.0.1"):
        pbx = FakePbx([self.stream])
        server = TlsServer(pbx.port, pem, key)
        attempt = Attempt(self.program, self.folder, server.port, *(keys or self.trust), host=host)
        said_so = attempt.until(lambda: pbx.sent or words in attempt.log.read_text()) and not pbx.sent
        said = attempt.stop()
        faults = [] if said_so else [f"not said: {words}", said]
        if pbx.sent:
            faults.append("the PBX was reached")
        report(what, faults)
        server.close()
        pbx.close()

    def run(self):
        right = self.ours.sign("right", "IP:127.0.0.1,DNS:localhost,DNS:pbx.example.org")
        self.accepted("a right certificate, by address", *right, *self.trust)
        self.accepted("a right certificate, by name, which is asked for", *right, *self.trust, host="localhost",
                      sni="localhost")
        self.accepted("another name than the host's", *right, *self.trust, "tls_name = \"pbx.example.org\"",
                      sni="pbx.example.org")
        self.accepted("a self-signed one that is the CA file", *(alone := self_signed(self.folder, "alone")), "tls = yes",
                      f"tls_ca_file = \"{alone[0]}\"")
        self.accepted("any, without tls_verify", *self_signed(self.folder, "stranger"), "tls = yes", "tls_verify = no")
        self.refused("an expired one", *self.ours.sign("expired", "IP:127.0.0.1", begin=-3, end=-1),
                     "certificate has expired")
        self.refused("one of tomorrow", *self.ours.sign("early", "IP:127.0.0.1", begin=1, end=2),
                     "certificate is not yet valid")
        wrong = self.ours.sign("wrong", "DNS:other.example.org,IP:127.0.0.2")
        self.refused("one for another address", *wrong, "IP address mismatch")
        self.refused("one for another name", *wrong, "hostname mismatch", host="localhost")
        self.refused("a self-signed one", *self_signed(self.folder, "selfmade"), "self-signed certificate")
        self.refused("one of another authority", *self.others.sign("foreign", "IP:127.0.0.1"),
                     "unable to get local issuer certificate")
        self.refused("one of an authority that the system does not know", *right, "unable to get local issuer certificate",
                     "tls = yes")
        self.no_certificate()
        self.old_protocol(right)
        self.no_tls_there()
        self.lost(right)

    def no_certificate(self):
        """A CA file that holds none is one fault, told in one line, by record too."""
        attempt = Attempt(self.program, self.folder, 1, "tls = yes", 'tls_ca_file = "/etc/passwd"')
        until(lambda: attempt.process.poll() is not None, LIMIT)
        said = attempt.stop()
        status = attempt.process.returncode
        good = status == 1 and said.count("\n") == 1 and "/etc/passwd" in said
        report("a CA file that holds no certificate", [] if good else [f"exit {status}: {said}"])

    def old_protocol(self, right):
        pbx = FakePbx([self.stream])
        server = TlsServer(pbx.port, *right, newest=ssl.TLSVersion.TLSv1_1)
        attempt = Attempt(self.program, self.folder, server.port, *self.trust)
        good = attempt.says("no trusted TLS connection to")
        report("TLS 1.1 is not spoken", [] if good and not pbx.sent else [attempt.stop()])
        attempt.stop()
        server.close()
        pbx.close()

    def no_tls_there(self):
        pbx = FakePbx([self.stream])
        attempt = Attempt(self.program, self.folder, pbx.port, *self.trust)
        good = attempt.says("no trusted TLS connection to 127.0.0.1")
        said = attempt.stop()
        report("a PBX that speaks in clear", [] if good else [said])
        pbx.close()

    def lost(self, right):
        """It comes back by itself after the connection broke in the middle."""
        pbx = FakePbx([self.stream, self.stream], hold_each=True)
        server = TlsServer(pbx.port, *right)
        attempt = Attempt(self.program, self.folder, server.port, *self.trust)
        faults = [] if attempt.keeps(len(self.stream)) else ["not all came"]
        server.cut()
        if not attempt.keeps(2 * len(self.stream)):
            faults.append("it did not come back")
        said = attempt.stop()
        if "connection lost to" not in said:
            faults += ["the loss was not said", said]
        report("a connection that breaks", faults)
        server.close()
        pbx.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", default=str(ROOT / "build/amitap"))
    options = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # that TLS 1.1 is old is why it is tried
    with tempfile.TemporaryDirectory() as folder:
        Tests(options.amitap, pathlib.Path(folder)).run()
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
