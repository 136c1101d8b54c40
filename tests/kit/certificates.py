# SPDX-License-Identifier: MIT
"""Certificates of every kind for tests, by openssl."""
import subprocess
import time


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """Signs certificates in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.ca = folder / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
                "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", self.ca)

    def sign(self, name, names, begin=-1, end=1):
        """A certificate for these names, valid from and to so many days from now."""
        key, pem, request = (self.folder / f"{name}.{kind}" for kind in ("key", "pem", "csr"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        day = lambda days: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text(f"{int(time.time_ns()):x}"[-8:].rjust(8, "1") + "\n")
        settings = self.folder / "ca.conf"
        settings.write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {self.folder}/index.txt\nserial = {self.folder}/serial\n"
                            f"new_certs_dir = {self.folder}\ndefault_md = sha256\npolicy = p\nunique_subject = no\n"
                            "[p]\ncommonName = supplied\n")
        openssl("ca", "-batch", "-config", settings, "-cert", self.ca, "-keyfile", self.folder / f"{self.name}.key",
                "-in", request, "-out", pem, "-extfile", extensions, "-startdate", day(begin), "-enddate", day(end), "-notext")
        return pem, key


def self_signed(folder, name):
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
            "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem)
    return pem, key
