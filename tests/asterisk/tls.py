#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""AMI over TLS to a real Asterisk: amitap takes a right certificate and no expired, foreign, self-signed or wrong-name one.

One Asterisk; each certificate is put in place and the manager reloaded. What each is refused for must be said, and
Asterisk's own log must have no action of a session that was not trusted.

usage: tls.py [--amitap BINARY] [--instance NAME]
The last line counts the checks: N passed, N failed."""
import argparse
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

import lab as laboratory  # it says where the kit lies
import manager_log
from certificates import Authority, self_signed
from report import Report
from waiting import free_port, until

LIMIT = 20
GENERAL = "tlsenable = yes\ntlsbindaddr = 127.0.0.1:{port}\ntlscertfile = {inside}/tls.pem\ntlsprivatekey = {inside}/tls.key\n"


class Pbx:
    """The lab's PBX with TLS on a port of its manager."""

    def __init__(self, lab):
        self.lab, self.port, self.etc = lab, 0, lab.pbx_folder / "etc"
        self.plain = (self.etc / "manager.conf").read_text()

    def show(self, pem, key):
        """Puts a certificate in place; true once Asterisk shows it. It reads one only when the port is a new one."""
        shutil.copy(pem, self.etc / "tls.pem")
        shutil.copy(key, self.etc / "tls.key")
        self.port = free_port()
        general = GENERAL.format(port=self.port, inside="/" + str(self.etc.relative_to(self.lab.folder / "root")))
        (self.etc / "manager.conf").write_text(self.plain.replace("[general]\n", "[general]\n" + general, 1))
        self.lab.cli("manager reload")
        wanted = ssl.PEM_cert_to_DER_cert(pathlib.Path(pem).read_text())
        return until(lambda: self.shown() == wanted, LIMIT, 0.1)

    def shown(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain, \
                    context.wrap_socket(plain) as secured:
                return secured.getpeercert(binary_form=True)
        except OSError:
            return None


class Tests:
    def __init__(self, lab, options, folder, checks):
        self.amitap, self.folder, self.checks, self.lab = options.amitap, folder, checks, lab
        self.pbx, self.ours, self.others = Pbx(lab), Authority(folder, "ours"), Authority(folder, "others")

    def audit(self, host, *keys):
        """An audit is the shortest session that there is."""
        file = self.folder / "amitap.conf"
        file.write_text(f"pbx main {{\n host = {host}\n port = {self.pbx.port}\n user = tap\n secret = 'tapsecret'\n tls = yes\n"
                        + "".join(f" {key}\n" for key in keys) + "}\n")
        return subprocess.run([self.amitap, "audit", "-c", file, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=LIMIT, check=False)

    def attempt(self, what, certificate, *keys, host="127.0.0.1", refused=None):
        """With our authority's file, unless keys are given."""
        if not self.checks_shown(certificate):
            return
        log = manager_log.ManagerLog(self.lab)
        done = self.audit(host, *(keys or (f"tls_ca_file = \"{self.ours.ca}\"",)))
        until(lambda: refused or log.actions({"tap"})["Logoff"], LIMIT, 0.05)
        asked = log.actions({"tap"})
        if refused:
            good = done.returncode == 3 and refused in done.stderr and not done.stdout and not asked
        else:
            good = done.returncode == 1 and '"asterisk":"22.' in done.stdout and asked["ListCommands"] == 1
        self.checks.say(good, f"{what}: {'refused' if refused else 'taken'}" + ("" if good else
                        f"\n  exit status {done.returncode}, asked {dict(asked)}: {done.stderr}"))

    def checks_shown(self, certificate):
        shown = self.pbx.show(*certificate)
        if not shown:
            self.checks.say(False, f"Asterisk shows {certificate[0]}")
        return shown

    def run(self):
        right = self.ours.sign("right", "IP:127.0.0.1,DNS:localhost")
        self.attempt("a right certificate, by address", right)
        self.attempt("a right certificate, by name", right, host="localhost")
        self.attempt("one of an authority that the system does not know", right, "connect_seconds = 10",
                     refused="unable to get local issuer certificate")
        self.attempt("an expired one", self.ours.sign("expired", "IP:127.0.0.1", begin=-3, end=-1),
                     refused="certificate has expired")
        wrong = self.ours.sign("wrong", "DNS:other.example.org,IP:127.0.0.2")
        self.attempt("one for another address", wrong, refused="IP address mismatch")
        self.attempt("one for another name", wrong, host="localhost", refused="hostname mismatch")
        alone = self_signed(self.folder, "alone")
        self.attempt("a self-signed one", alone, refused="self-signed certificate")
        self.attempt("a self-signed one that is the CA file", alone, f"tls_ca_file = \"{alone[0]}\"")
        self.attempt("one of another authority", self.others.sign("foreign", "IP:127.0.0.1"),
                     refused="unable to get local issuer certificate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amitap", default="build/amitap", metavar="BINARY")
    parser.add_argument("--instance", default="tls")
    options, checks = parser.parse_args(), Report()
    with laboratory.Lab(options.instance) as lab, tempfile.TemporaryDirectory() as folder:
        Tests(lab, options, pathlib.Path(folder), checks).run()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
