#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who gets in on the web side, and who does not: the real amitap, asked by hand over TLS and in clear, from this machine
(127.0.0.1) and from elsewhere (127.0.0.2). Needs build/amitap and openssl. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [NAME…]      the tests whose names hold one of these words; all unless named
"""
import argparse
import hashlib
import os
import pathlib
import pty
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import termios
import threading
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
from programs import SANITIZER, end, stop  # noqa: E402
from report import Report, Tests, expect  # noqa: E402
from waiting import free_port, wait_for  # noqa: E402

LIMIT = 20
STRANGER = "127.0.0.2"
PASSWORDS = {"anna": "correct horse battery", "bob": "p&=+%ü  \"word\""}
test = Tests()


def same(got, wanted, what=""):
    expect(got == wanted, f"{what}: {got!r} instead of {wanted!r}")


def quote(text):
    return "".join(f"%{b:02x}" for b in text.encode())


def person(name, ln, p):
    """A line of the users file, made without amitap."""
    salt = os.urandom(16)
    made = hashlib.scrypt(PASSWORDS[name].encode(), salt=salt, n=1 << ln, r=8, p=p, dklen=32, maxmem=1 << 28)
    return f"{name}:scrypt:{ln}:8:{p}:{salt.hex()}:{made.hex()}\n"


def rest_of(stream, limit=LIMIT):
    """Reads a stream (its last chunk is empty) to its end; how long that took, None when it does not end."""
    begin, tail = time.monotonic(), b""
    stream.settimeout(limit)
    try:
        while not tail.endswith(b"0\r\n\r\n") and (part := stream.recv(65536)):
            tail = (tail + part)[-10:]
    except (TimeoutError, socket.timeout):
        return None
    return time.monotonic() - begin


class Answer:
    """What came back: status, headers (names in lower case, repeated ones joined), body."""

    def __init__(self, data, closed):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.raw, self.closed = data, closed
        self.status = int(lines[0].split()[1]) if data else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = ", ".join(filter(None, [self.headers.get(name.lower()), value]))

    def cookie(self):
        """NAME=VALUE of the cookie that it sets."""
        return self.headers.get("set-cookie", "").partition(";")[0]


class Tap:
    """amitap run, with a web section of these lines, in a folder of its own."""

    program = None

    def __init__(self, *lines, users=True, slow=False, tls=False, secrets=None, listen="127.0.0.1"):
        self.own = tempfile.TemporaryDirectory(prefix="amitap-web-")
        self.folder = pathlib.Path(self.own.name)
        self.port = free_port()
        self.tls = tls
        self.config = self.folder / "amitap.conf"
        self.users = self.folder / "users"
        keys = [f'listen = "{listen}:{self.port}"', *lines]
        if users:
            keys.append(f'users_file = "{self.users}"')
        if tls:
            keys += [f'tls_certificate = "{CERTIFICATE[0]}"', f'tls_key = "{CERTIFICATE[1]}"']
        self.config.write_text(
            "pbx main {\n host = 127.0.0.1\n port = 1\n user = tap\n secret = 'pbxsecret'\n}\n"
            f'store {{ path = "{self.folder}/amitap.db" }}\nweb {{\n ' + "\n ".join(keys) + "\n}\n")
        if users:
            self.users.write_text("".join(person(name, 15 if slow else 14, 3 if slow else 1) for name in PASSWORDS))
            self.users.chmod(0o600)
        self.secrets = {name: self.say("token", *words).stdout.strip() for name, words in (secrets or {}).items()}
        self.log = self.folder / "log"
        self.process = None
        self.start()

    def say(self, *words, stdin="", good=True):
        """An `amitap user` or `token`."""
        done = subprocess.run([self.program, *words[:2], "-c", self.config, *words[2:]], input=stdin, text=True,
                              capture_output=True, timeout=LIMIT, check=False)
        expect((done.returncode == 0) == good, f"{words}: exit {done.returncode}: {done.stderr}")
        return done

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen([self.program, "run", "-c", self.config], stderr=log, cwd=self.folder)
        self.until(lambda: f":{self.port}/" in self.said().rpartition("stopping")[2], "amitap listens")

    def said(self):
        return self.log.read_text(errors="replace")

    def until(self, done, what):
        wait_for(done, what, LIMIT, self.process, self.said)

    def stop(self):
        same(stop(self.process, LIMIT), 0, "exit status")

    def close(self):
        self.stop()
        for text in list(PASSWORDS.values()) + [s.rpartition("=")[2] for s in self.secrets.values()] + ["pbxsecret"]:
            expect(text not in self.said(), "a secret is in the log")
        expect(not SANITIZER.search(self.said()), self.said())
        self.own.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_rest):
        if kind:
            end(self.process)
            sys.stdout.write(f"   amitap said: {self.said()}")
        else:
            self.close()

    def connect(self, source=None, plain=False):
        raw = socket.create_connection(("127.0.0.1", self.port), LIMIT, (source, 0) if source else None)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.tls or plain:
            return raw
        context = ssl.create_default_context(cafile=CERTIFICATE[0])
        return context.wrap_socket(raw, server_hostname="wallboard.test")

    def raw(self, data, source=None, until=None):
        """Sends bytes; what comes until the end, or until these."""
        got, closed = b"", False
        with self.connect(source) as s:
            try:
                s.sendall(data)
                while not (until and until in got):
                    part = s.recv(65536)
                    if not part:
                        closed = True
                        break
                    got += part
            except (ConnectionError, ssl.SSLError):
                closed = True
        return Answer(got, closed)

    def ask(self, path, method="GET", body=None, source=None, host="localhost", **headers):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
        if body is not None:
            headers.setdefault("Content_Type", "application/x-www-form-urlencoded")
            headers.setdefault("Content_Length", str(len(body)))
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
        return self.raw(("\r\n".join(lines) + "\r\n\r\n").encode() + (body or "").encode(), source)

    def login(self, name, password, **more):
        return self.ask("/login", "POST", f"name={quote(name)}&password={quote(password)}", **more)

    def cookie_of(self, name="anna", **more):
        answer = self.login(name, PASSWORDS[name], **more)
        same(answer.status, 303, "log-in")
        return answer.cookie()


def make_certificate(folder, name="web"):
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=wallboard.test", "-addext", "subjectAltName=DNS:wallboard.test",
                    "-keyout", key, "-out", pem], check=True, capture_output=True)
    key.chmod(0o600)
    return pem, key


SAFE = {"content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy",
        "cross-origin-resource-policy", "cross-origin-opener-policy", "permissions-policy", "cache-control"}
SECRET_PATHS = ["/", "/wallboard.js", "/lines.js", "/stream.js", "/api/v1/state", "/api/v1/stream"]
OPEN_PATHS = ["/login", "/login.js", "/wallboard.css", "/icon.svg"]


@test
def without_users_it_is_as_it_was():
    with Tap(users=False) as tap:
        for path in SECRET_PATHS[:5]:
            same(tap.ask(path).status, 200, path)
        same(tap.ask("/login").status, 404, "log-in page")
        same(tap.login("anna", "x").status, 405, "log-in")
        same(tap.ask("/logout", "POST").status, 405, "log-out")
        expect("set-cookie" not in tap.ask("/").headers, "a cookie")


@test
def nobody_sees_anything_without_logging_in():
    with Tap() as tap:
        for path in SECRET_PATHS + ["/favicon.ico", "/metrics2", "/users"]:
            for method in ("GET", "HEAD"):
                answer = tap.ask(path, method, source=STRANGER)
                same(answer.status, 303 if path == "/" else 401, f"{method} {path}")
                expect(b'"pbxs"' not in answer.body and b"<main" not in answer.body, path)
        same(tap.ask("/").headers["location"], "login", "where to")
        for path in OPEN_PATHS:
            same(tap.ask(path).status, 200, path)
        for cookie in ("amitap-1=s" + "0" * 64, "x", ";;;=", f"amitap-{tap.port}=s" + "0" * 64,
                       f"amitap-{tap.port}=k" + "0" * 64, f"amitap-{tap.port}=s" + "0" * 10000):
            same(tap.ask("/api/v1/state", Cookie=cookie).status, 401, cookie[:40])
        for bearer in ("Bearer " + "0" * 64, "Bearer", "Basic YW5uYTp4", "Bearer " + "g" * 64, ""):
            same(tap.ask("/api/v1/state", Authorization=bearer).status, 401, bearer)


@test
def every_answer_has_the_security_headers():
    with Tap() as tap:
        answers = [tap.ask(p) for p in SECRET_PATHS + OPEN_PATHS + ["/healthz", "/nothing"]]
        answers += [tap.ask("/", "PUT"), tap.ask("/", host="evil.example"), tap.login("anna", "wrong password"),
                    tap.login("anna", PASSWORDS["anna"]), tap.ask("/logout", "POST"),
                    tap.ask("/", X=" y" * 7000), tap.ask("/login", "POST", "x" * 3000)]
        for answer in answers:
            missing = SAFE - set(answer.headers)
            expect(not missing, f"{answer.status}: no {missing}")
            policy = answer.headers["content-security-policy"]
            expect("default-src 'none'" in policy and "unsafe" not in policy, policy)
        expect("form-action 'self'" in tap.ask("/login").headers["content-security-policy"], "form-action")
        page = tap.ask("/login").body.lower()
        expect(b"<style" not in page and b" style=" not in page and not re.search(rb"<script(?![^>]*src=)| on\w+=", page),
               "inline code")


@test
def a_person_logs_in_and_out():
    with Tap() as tap:
        answer = tap.login("anna", PASSWORDS["anna"])
        same((answer.status, answer.headers["location"]), (303, "./"), "log-in")
        attributes = [part.strip() for part in answer.headers["set-cookie"].split(";")][1:]
        same(attributes, ["Path=/", "HttpOnly", "SameSite=Strict"], "the cookie's attributes")
        cookie = answer.cookie()
        expect(re.fullmatch(rf"amitap-{tap.port}=s[0-9a-f]{{64}}", cookie), cookie)
        for path in SECRET_PATHS[:5]:
            same(tap.ask(path, Cookie=cookie).status, 200, path)
        same(tap.ask("/api/v1/state", Cookie=f"theme=dark; {cookie}; other=1").status, 200, "among other cookies")
        same(tap.ask("/api/v1/state", Cookie=f"{cookie}; {cookie}").status, 401, "the cookie twice")
        same(tap.cookie_of("bob").partition("=")[0], cookie.partition("=")[0], "bob")  # every kind of character
        expect(tap.cookie_of() != tap.cookie_of(), "the same cookie twice")
        stream = tap.raw(f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode(), until=b"snapshot")
        same(stream.headers["x-amitap-person"], "anna", "who the page says it is")
        answer = tap.ask("/logout", "POST", Cookie=cookie)
        same((answer.status, answer.headers["location"]), (303, "login"), "log-out")
        expect("Max-Age=0" in answer.headers["set-cookie"], "the cookie stays")
        same(tap.ask("/api/v1/state", Cookie=cookie).status, 401, "after the log-out")
        same(tap.ask("/logout", "POST").status, 303, "log-out of nobody")
        expect("web: anna at 127.0.0.1 logged in" in tap.said(), "log")


@test
def a_new_log_in_ends_the_old_session():
    with Tap() as tap:
        first = tap.cookie_of()
        second = tap.cookie_of("bob", Cookie=first)
        same(tap.ask("/api/v1/state", Cookie=first).status, 401, "the old one")
        same(tap.ask("/api/v1/state", Cookie=second).status, 200, "the new one")


@test
def a_wrong_password_takes_as_long_as_an_unknown_name():
    with Tap() as tap:
        times = {"anna": [], "nobody": [], "x" * 64: []}
        for i in range(9):  # ten attempts for one name
            for name, list_ in times.items():
                begin = time.monotonic()
                same(tap.login(name, "wrong password", source=f"127.0.2.{i + 1}").status, 401, name)
                list_.append(time.monotonic() - begin)
        best = {name: min(list_) for name, list_ in times.items()}
        expect(max(best.values()) < 1.6 * min(best.values()) and min(best.values()) > 0.02, best)
        expect("somebody unknown at 127.0.2.1 was refused" in tap.said() and "nobody" not in tap.said(), tap.said())


@test
def the_page_answers_while_passwords_are_hashed():
    with Tap(slow=True) as tap:
        cookie, late = tap.cookie_of(), []
        threads = [threading.Thread(target=tap.login, args=(f"nobody{i}", "wrong password"),
                                    kwargs={"source": f"127.0.1.{i + 1}"}) for i in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            begin = time.monotonic()
            same(tap.ask("/icon.svg", Cookie=cookie).status, 200, "a page")
            late.append(time.monotonic() - begin)
        for thread in threads:
            thread.join()
        late.sort()
        expect(late[len(late) // 2] < 0.1, f"median {late[len(late) // 2]:.3f} s of {len(late)}")


@test
def too_many_log_ins_at_once_are_refused():
    with Tap(slow=True) as tap:
        statuses = []
        threads = [threading.Thread(target=lambda i=i: statuses.append(
            tap.login(f"nobody{i}", "wrong password", source=f"127.0.1.{i + 1}").status)) for i in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same(set(statuses), {401, 503}, "statuses")
        same(tap.cookie_of()[:6], "amitap", "afterwards")


@test
def attempts_from_one_address_are_limited():
    with Tap() as tap:
        for i in range(10):
            same(tap.login(f"nobody{i}", "wrong password", source=STRANGER).status, 401, f"attempt {i}")
        answer = tap.login("anna", PASSWORDS["anna"], source=STRANGER)
        same(answer.status, 429, "the 11th")
        expect(1 <= int(answer.headers["retry-after"]) <= 10, answer.headers["retry-after"])
        same(tap.login("bob", "wrong password", source=STRANGER, Via="1.1 x").status, 429, "as if passed on")
        same(tap.login("anna", PASSWORDS["anna"]).status, 303, "from elsewhere")
        expect("at 127.0.0.2 tries too often" in tap.said() and "unknown address" not in tap.said(), tap.said())


@test
def attempts_for_one_name_are_limited():
    with Tap() as tap:
        session = tap.cookie_of()
        for i in range(10):
            same(tap.login("anna", "wrong password", source=f"127.0.1.{i + 1}").status, 401, f"attempt {i}")
        answer = tap.login("anna", PASSWORDS["anna"], source="127.0.1.99")
        same(answer.status, 429, "the 11th")
        expect(1 <= int(answer.headers["retry-after"]) <= 30, answer.headers["retry-after"])
        same(tap.ask("/api/v1/state", Cookie=session).status, 200, "who is logged in already")
        same(tap.login("bob", PASSWORDS["bob"]).status, 303, "somebody else")
        for _ in range(12):
            same(tap.login("bob", PASSWORDS["bob"]).status, 303, "right ones do not count")


@test
def sessions_end():
    with Tap("session_idle_seconds = 2", "session_seconds = 5") as tap:
        begin = time.monotonic()
        idle, busy = tap.cookie_of(), tap.cookie_of("bob")
        stream = tap.connect()
        stream.sendall(f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {busy}\r\n\r\n".encode())
        time.sleep(max(0, begin + 3.2 - time.monotonic()))
        same(tap.ask("/api/v1/state", Cookie=idle).status, 401, "an idle one")
        if time.monotonic() - begin < 4:
            same(tap.ask("/api/v1/state", Cookie=busy).status, 200, "one with an open page")
        expect(rest_of(stream) is not None, "its stream goes on")
        expect(4 < time.monotonic() - begin < 9, "when its stream ended")
        same(tap.ask("/api/v1/state", Cookie=busy).status, 401, "an old one")
        stream.close()


@test
def a_log_out_ends_the_streams():
    with Tap() as tap:
        cookie = tap.cookie_of()
        with tap.connect() as stream:
            stream.sendall(f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
            expect(b"snapshot" in stream.recv(65536) + stream.recv(65536), "the stream")
            tap.ask("/logout", "POST", Cookie=cookie)
            expect((rest_of(stream) or LIMIT) < 5, "a stream outlives its session")


@test
def sessions_end_with_amitap_but_screens_stay():
    with Tap(secrets={"lobby": ("url", "lobby")}) as tap:
        code = tap.secrets["lobby"].partition("#code=")[2]
        person = tap.cookie_of()
        screen = tap.ask("/login", "POST", f"code={code}").cookie()
        tap.stop()
        tap.start()
        same(tap.ask("/api/v1/state", Cookie=person).status, 401, "the person")
        same(tap.ask("/api/v1/state", Cookie=screen).status, 200, "the screen")
        same(tap.ask("/login", "POST", f"code={code}").status, 401, "its code again")


@test
def tokens():
    with Tap(secrets={"all": ("add", "grafana"), "display": ("add", "tv", "--display")}) as tap:
        for name, metrics in (("all", 200), ("display", 403)):
            bearer = "Bearer " + tap.secrets[name]
            expect(re.fullmatch("[0-9a-f]{64}", tap.secrets[name]), name)
            same(tap.ask("/api/v1/state", Authorization=bearer, source=STRANGER).status, 200, name)
            same(tap.ask("/metrics", Authorization=bearer, source=STRANGER).status, metrics, name + " /metrics")
            same(tap.ask("/nothing", Authorization=bearer, source=STRANGER).status, 404, name + " /nothing")
        expect(tap.secrets["all"] not in tap.users.read_text(), "a token stands in the file")
        expect(hashlib.sha256(tap.secrets["all"].encode()).hexdigest() in tap.users.read_text(), "its hash does not")
        hashed = hashlib.sha256(tap.secrets["all"].encode()).hexdigest()
        same(tap.ask("/api/v1/state", Authorization=f"Bearer {hashed}").status, 401, "what the file holds as a token")
        same(tap.login("grafana", tap.secrets["all"]).status, 401, "a token as password")
        same(tap.ask("/login", "POST", f"code={tap.secrets['all']}").status, 401, "a token as code")
        same(tap.ask("/api/v1/state", Authorization=bearer, Cookie=tap.cookie_of()).status, 200, "beside a cookie")
        same(tap.ask("/api/v1/state?token=" + tap.secrets["all"]).status, 401, "a token in the address")


@test
def a_screen_comes_in_once():
    with Tap("hosts = { \"wallboard.test\" }", tls=True, secrets={"lobby": ("url", "lobby")}) as tap:
        url = tap.secrets["lobby"]
        expect(url.startswith(f"https://wallboard.test:{tap.port}/login#code="), url)
        code = url.partition("#code=")[2]
        answer = tap.ask("/login", "POST", f"code={code}")
        same(answer.status, 303, "the code")
        attributes = [part.strip() for part in answer.headers["set-cookie"].split(";")][1:]
        same(attributes, ["Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=34560000"], "its cookie")
        cookie = answer.cookie()
        same(tap.ask("/login", "POST", f"code={code}").status, 401, "again")
        same(tap.ask("/login", "POST", f"code={'0' * 64}").status, 401, "no code")
        for path in SECRET_PATHS[:5]:
            same(tap.ask(path, Cookie=cookie, source=STRANGER).status, 200, path)
        same(tap.ask("/", Cookie=cookie).cookie(), cookie, "renewed")
        same(tap.ask("/metrics", Cookie=cookie, source=STRANGER).status, 403, "more than the wallboard")
        tap.say("token", "url", "lobby")  # another screen, or the same one anew
        tap.until(lambda: tap.ask("/api/v1/state", Cookie=cookie).status == 401, "the old screen is out")


@test
def a_screen_that_cannot_be_kept_is_told_so_and_may_come_again():
    with Tap(secrets={"lobby": ("url", "lobby")}) as tap:
        code, kiosks = tap.secrets["lobby"].partition("#code=")[2], tap.folder / "amitap.db-kiosks"
        kiosks.mkdir()
        same(tap.ask("/login", "POST", f"code={code}").status, 503, "no place for it")
        tap.until(lambda: f"web: {kiosks}: Is a directory" in tap.said(), "the log says why")
        expect("was refused" not in tap.said(), tap.said())
        kiosks.rmdir()
        same(tap.ask("/login", "POST", f"code={code}").status, 303, "there is a place")


@test
def who_is_removed_is_out():
    with Tap(secrets={"all": ("add", "grafana")}) as tap:
        cookie, bearer = tap.cookie_of(), "Bearer " + tap.secrets["all"]
        stays = tap.cookie_of("bob")
        tap.say("user", "remove", "anna")
        tap.say("token", "remove", "grafana")
        tap.until(lambda: tap.ask("/api/v1/state", Cookie=cookie).status == 401, "anna is out")
        same(tap.ask("/api/v1/state", Authorization=bearer).status, 401, "the token")
        same(tap.login("anna", PASSWORDS["anna"]).status, 401, "logging in")
        same(tap.ask("/api/v1/state", Cookie=stays).status, 200, "bob")
        tap.say("user", "add", "bob", stdin="another password\n")
        tap.until(lambda: tap.ask("/api/v1/state", Cookie=stays).status == 401, "bob's old session is out")
        same(tap.login("bob", "another password").status, 303, "his new password")
        broken = tap.folder / "broken"  # at once: emptied and then written, it might be read as one with nobody in it
        broken.write_text("nonsense\n")
        broken.chmod(0o600)
        broken.replace(tap.users)
        tap.until(lambda: "still may come in" in tap.said(), "a broken file is said")
        same(tap.login("bob", "another password").status, 303, "after a broken file")


@test
def over_tls():
    with Tap("hosts = { \"wallboard.test\" }", tls=True, listen="0.0.0.0") as tap:
        cookie = tap.cookie_of(host="wallboard.test", Origin="https://wallboard.test", Sec_Fetch_Site="same-origin")
        expect(cookie.startswith(f"__Host-amitap-{tap.port}=s"), cookie)
        attributes = tap.login("anna", PASSWORDS["anna"]).headers["set-cookie"]
        expect(attributes.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure"), attributes)
        same(tap.ask("/api/v1/state", Cookie=cookie).status, 200, "state")
        stream = tap.raw(f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode(), until=b"snapshot")
        same(stream.status, 200, "stream")
        with tap.connect(plain=True) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = b""
            try:
                while part := s.recv(4096):
                    got += part
            except ConnectionError:
                pass
            expect(b"HTTP/1" not in got, "an answer in clear")
        for newest in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = newest
            try:
                with context.wrap_socket(tap.connect(plain=True)) as s:
                    version, cipher = s.version(), s.cipher()[0]
            except (ssl.SSLError, ConnectionError):
                version = cipher = None
            good = newest >= ssl.TLSVersion.TLSv1_2
            expect((version is not None) == good, f"{newest}: {version}")
            expect(not good or "GCM" in cipher or "CHACHA" in cipher, cipher)


@test
def a_renewed_certificate_is_said_to_take_a_restart():
    with tempfile.TemporaryDirectory() as name:
        pem, key = make_certificate(pathlib.Path(name), "old")
        with Tap(f'tls_certificate = "{pem}"', f'tls_key = "{key}"') as tap:
            def reload():
                before = tap.said().count("read again")
                tap.process.send_signal(signal.SIGHUP)
                tap.until(lambda: tap.said().count("read again") > before, "the configuration is read again")
                return [line for line in tap.said().splitlines() if "read again" in line][-1]

            expect("restart" not in reload(), tap.said())
            for old, new in zip((pem, key), make_certificate(pathlib.Path(name), "new")):
                new.replace(old)
            for _ in range(2):
                expect("only a restart applies web: tls_certificate (another)" in reload(), tap.said())


@test
def hosts_are_listed():
    with Tap("hosts = { \"wallboard.test\" }") as tap:
        for host, status in (("wallboard.test", 200), ("WALLBOARD.test:99", 200), ("127.0.0.1", 200), ("[::1]:1", 200),
                             ("evil.test", 421), ("wallboard.test.evil.test", 421), ("wallboard.test:x", 421), ("", 421)):
            same(tap.ask("/login", host=host).status, status, host)
            same(tap.login("anna", PASSWORDS["anna"], host=host).status, 303 if status == 200 else 421, host)
        same(tap.raw(b"GET /login HTTP/1.1\r\nConnection: close\r\n\r\n").status, 400, "no Host")
        same(tap.raw(b"GET /login HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n").status, 400, "two")


@test
def other_sites_cannot_log_in_or_out():
    with Tap() as tap:
        cookie = tap.cookie_of()
        for headers in ({"Origin": "http://evil.test"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
                        {"Origin": "null"}, {"Origin": "http://localhost:1"}):
            same(tap.login("anna", PASSWORDS["anna"], **headers).status, 403, f"log-in {headers}")
            same(tap.ask("/logout", "POST", Cookie=cookie, **headers).status, 403, f"log-out {headers}")
        same(tap.ask("/api/v1/state", Cookie=cookie).status, 200, "still logged in")
        same(tap.login("anna", PASSWORDS["anna"], Origin="http://localhost", Sec_Fetch_Site="same-origin").status, 303, "own")
        same(tap.ask("/logout", Cookie=cookie).status, 404, "GET /logout")


@test
def methods_and_bodies():
    with Tap() as tap:
        for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND", "post", "X" * 300):
            for path in ("/", "/login", "/api/v1/state"):
                answer = tap.ask(path, method)
                expect(answer.status in (400, 405, 501), f"{method} {path}: {answer.status}")
        same(tap.ask("/", "POST", "x=y").status, 405, "POST /")
        same(tap.ask("/login", "PUT").headers["allow"], "GET, HEAD, POST", "Allow")
        same(tap.ask("/", "PUT").headers["allow"], "GET, HEAD", "Allow")
        same(tap.ask("/login", "GET", "x=y").status, 400, "a body with GET")
        same(tap.ask("/login", "POST", "x" * 2048).status, 400, "a form without name")
        same(tap.ask("/login", "POST", "x" * 2049).status, 413, "too large a form")
        same(tap.ask("/login", "POST", "x", Content_Length="9" * 30).status // 100, 4, "a huge length")
        same(tap.ask("/login", "POST", "x", Content_Length="-1").status // 100, 4, "a negative length")
        same(tap.ask("/login", "POST", "{}", Content_Type="application/json").status, 415, "JSON")
        same(tap.raw(b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status, 411, "no length")
        same(tap.ask("/login", "POST", "5\r\nname=\r\n0\r\n\r\n", Content_Length=None,
                     Transfer_Encoding="chunked").status, 400, "chunked")
        same(tap.ask("/login", "POST", "5\r\nname=\r\n0\r\n\r\n", Transfer_Encoding="chunked").status // 100, 4, "both")
        for form in ("", "name=anna", "password=x", "name=&password=x", "name=anna&name=bob&password=x",
                     "name=an%00na&password=x", "name=anna&password=" + "x" * 257, "name=" + "x" * 65 + "&password=x",
                     "name=anna&password=x%0a", "name=%zz&password=x", "\0", "code="):
            expect(tap.ask("/login", "POST", form).status in (400, 401), form)
        expect(tap.cookie_of(), "after all that")


@test
def tricks_with_paths():
    with Tap() as tap:
        for path in ("//", "/./", "/login/..", "/login/../api/v1/state", "/%2e%2e/", "/api%2fv1%2fstate", "/%61pi/v1/state",
                     "/api/v1/state/", "/api/v1/state%00.css", "/wallboard.css/../api/v1/state", "/api//v1/state",
                     "/API/V1/STATE", "/api/v1/state;x", "/login%00", "/%", "/%zz", "\\api\\v1\\state", "/api/v1/state%20",
                     "http://localhost/api/v1/state", "*", "/" + "a" * 8000):
            answer = tap.ask(path)
            expect(answer.status in (0, 400, 401, 404, 414, 431), f"{path[:40]}: {answer.status}")
            expect(b'"pbxs"' not in answer.body, path[:40])
        same(tap.ask("/?next=//evil.test").headers["location"], "login", "a redirect")
        same(tap.ask("/api/v1/state?a=%zz&b").status, 401, "a query")


@test
def odd_requests():
    with Tap("request_seconds = 1") as tap:
        for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
                     b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
                     b"GET /api/v1/state HTTP/1.1\nHost: localhost\nConnection: close\n\n",
                     b"GET /api/v1/state\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a\0b\r\nConnection: close\r\n\r\n",
                     b"\0" * 5000, os.urandom(5000)):
            with tap.connect() as s:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                got = b""
                try:
                    while part := s.recv(65536):
                        got += part
                except ConnectionError:
                    pass
                expect(b'"pbxs"' not in got, data[:40])
        smuggled = (b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                    b"Content-Length: 5\r\n\r\nname=GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", tap.raw(smuggled).raw)
        same(statuses[0], b"400", "the first of two")
        same(tap.ask("/login").status, 200, "after all that")


@test
def large_headers():
    with Tap() as tap:
        same(tap.ask("/login", X="y" * 11000).status, 200, "11 kB")
        same(tap.ask("/login", X="y" * 13000).status, 431, "13 kB")
        same(tap.ask("/login", **{f"X_{i}": "y" for i in range(70)}).status, 431, "72 headers")
        for size in (40000, 1000000):
            answer = tap.ask("/login", X="y" * size)
            expect(answer.status in (0, 413, 431) and answer.closed, f"{size}: {answer.status}")
        same(tap.ask("/login").status, 200, "after all that")


@test
def allowed_addresses():
    with Tap("allow = { \"127.0.0.3\" }") as tap:
        same(tap.ask("/login", source="127.0.0.3").status, 200, "a listed one")
        same(tap.ask("/login").status, 200, "this machine")
        same(tap.ask("/login", source=STRANGER).raw, b"", "a stranger")
        same(tap.ask("/login", X_Forwarded_For="127.0.0.3").status, 403, "through a proxy that is not listed")


@test
def behind_a_proxy():
    front = "127.0.0.5"
    with Tap(f'proxy = {{ "{front}" }}', 'allow = { "10.0.0.0/8" }', 'monitor = { "10.0.0.9" }') as tap:
        through = lambda who, path="/login", **more: tap.ask(path, source=front, X_Forwarded_For=who, **more).status
        same(through("10.1.2.3"), 200, "an allowed one")
        same(through("192.0.2.1"), 403, "a stranger")
        same(through("10.1.2.3, 192.0.2.1"), 403, "a stranger who claims to be another")
        same(through(None), 403, "nobody knows who")
        same(through("x"), 403, "nonsense")
        same(tap.ask("/login", source=STRANGER).raw, b"", "past the proxy")
        same(through("10.1.2.3", "/healthz"), 401, "/healthz for anybody")
        same(through("10.0.0.9", "/healthz"), 503, "/healthz for a monitor")
        same(through("127.0.0.1", "/healthz"), 401, "/healthz for who says to be this machine")
        same(tap.ask("/healthz").status, 503, "/healthz from this machine")
        answer = tap.login("anna", PASSWORDS["anna"], source=front, X_Forwarded_For="10.1.2.3", Origin="https://localhost")
        same(answer.status, 303, "log-in")
        expect("; Secure" in answer.headers["set-cookie"] and answer.cookie().startswith("__Host-"), "the cookie")
        for i in range(10):
            same(tap.login(f"x{i}", "wrong password", source=front, X_Forwarded_For="10.6.6.6").status, 401, f"attempt {i}")
        same(tap.login("x", "wrong password", source=front, X_Forwarded_For="10.6.6.6").status, 429, "the 11th")
        same(tap.login("x", "wrong password", source=front, X_Forwarded_For="10.6.6.7").status, 401, "another client")


@test
def a_monitor_beside_a_proxy_says_who_it_is():
    with Tap('proxy = { "127.0.0.1" }', 'monitor = { "127.0.0.1" }', 'allow = { "10.0.0.0/8" }') as tap:
        same(tap.ask("/healthz").status, 403, "nobody says for whom")
        same(tap.ask("/healthz", X_Forwarded_For="127.0.0.1").status, 503, "for this machine")
        same(tap.ask("/healthz", X_Forwarded_For="10.0.0.1").status, 401, "for another")


@test
def health_is_for_monitors():
    with Tap('monitor = { "127.0.0.4" }', secrets={"all": ("add", "prometheus")}) as tap:
        for path, there in (("/healthz", 503), ("/metrics", 200)):
            same(tap.ask(path).status, there, path)
            same(tap.ask(path, source="127.0.0.4").status, there, path + " for a monitor")
            same(tap.ask(path, source=STRANGER).status, 401, path + " for a stranger")
            same(tap.ask(path, source=STRANGER, Authorization="Bearer " + tap.secrets["all"]).status, there, path + " by token")
            same(tap.ask(path, X_Forwarded_For="10.0.0.1").status, 401, path + " through a proxy that is not listed")


def closed_after(s, limit):
    """How long until the other side closes; None when it does not."""
    begin = time.monotonic()
    s.settimeout(limit)
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    except (TimeoutError, socket.timeout):
        return None
    return time.monotonic() - begin


@test
def slow_requests_are_cut():
    with Tap("request_seconds = 2") as tap:
        def trickle(first):
            """Sends a byte each half second; how long that was taken."""
            begin = time.monotonic()
            with tap.connect() as s:
                s.sendall(first)
                s.settimeout(0.4)
                while time.monotonic() - begin < LIMIT:
                    try:
                        s.sendall(b"x")
                        if not s.recv(65536):
                            break
                    except (TimeoutError, socket.timeout):
                        time.sleep(0.1)
                    except ConnectionError:
                        break
            return time.monotonic() - begin

        expect(trickle(b"GET / HTTP/1.1\r\nX: ") < 12, "a slow head")
        expect(trickle(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\nContent-Type: "
                       b"application/x-www-form-urlencoded\r\n\r\n") < 8, "a slow body")
        for first in (b"", b"GET /", b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            with tap.connect() as s:
                s.sendall(first)
                expect((closed_after(s, LIMIT) or LIMIT) < 8, f"idle after {first}")


@test
def slow_tls_handshakes_are_cut():
    with Tap("request_seconds = 2", tls=True) as tap:
        for first in (b"", b"\x16\x03\x01\x02\x00\x01"):
            with tap.connect(plain=True) as s:
                s.sendall(first)
                expect((closed_after(s, LIMIT) or LIMIT) < 8, f"after {first}")
        same(tap.ask("/login").status, 200, "afterwards")


@test
def connections_per_address():
    with Tap("connections_per_address = 3") as tap:
        held = [tap.connect(STRANGER) for _ in range(3)]
        time.sleep(0.2)
        same(tap.ask("/login", source=STRANGER).raw, b"", "the fourth")
        same(tap.ask("/login", source="127.0.0.3").status, 200, "from elsewhere")
        held.pop().close()
        tap.until(lambda: tap.ask("/login", source=STRANGER).status == 200, "one closed, one comes")
        for s in held:
            s.close()


@test
def the_longest_waiting_gives_way_and_health_answers():
    with Tap("sse_clients_max = 2", "connections_per_address = 100000") as tap:
        held = [tap.connect(f"127.0.2.{i + 1}") for i in range(34)]  # 2 streams and 32 more
        time.sleep(0.3)
        same(tap.ask("/login", source=STRANGER).raw, b"", "a stranger while all are new")
        same(tap.ask("/healthz").status, 503, "/healthz all the same")
        same(tap.ask("/login").status, 503, "nothing else on the connections kept free")
        same(tap.login("anna", PASSWORDS["anna"]).status, 503, "a log-in")
        same(tap.ask("/logout", "POST").status, 503, "a log-out")
        time.sleep(2.2)
        same(tap.ask("/login", source=STRANGER).status, 200, "once they waited")
        expect((closed_after(held[0], 5) or 9) < 5, "the first was cut")
        for s in held:
            s.close()
        tap.until(lambda: tap.ask("/login", source=STRANGER).status == 200, "afterwards")


@test
def bodies_that_never_come_keep_nobody_out():
    head = (b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 2000\r\n\r\n")
    with Tap("sse_clients_max = 2", "connections_per_address = 100000") as tap:
        held = []
        for i in range(34):  # 2 streams and 32 more
            held.append(tap.connect(f"127.0.2.{i + 1}"))
            held[-1].sendall(head)
        end = time.monotonic() + 5
        while tap.ask("/login", source=STRANGER).status != 200:
            expect(time.monotonic() < end, "a stranger is not served")
        same(tap.login("anna", PASSWORDS["anna"], source="127.0.0.3").status, 303, "log-in")
        expect((closed_after(held[0], 5) or 9) < 5, "the first was cut")
        same(closed_after(held[-1], 0.2), None, "the last was cut")
        for s in held:
            s.close()


def ask_and_never_read(tap, path, n):
    """So many connections that ask and ask."""
    held = []
    for i in range(n):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.bind((f"127.0.2.{i + 1}", 0))
        s.connect(("127.0.0.1", tap.port))
        s.setblocking(False)
        s.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 2500)
        held.append(s)
    return held


@test
def answers_that_nobody_reads_give_way():
    limits = ("sse_clients_max = 2", "connections_per_address = 100000", "request_seconds = 60")
    with Tap(*limits) as pages, Tap(*limits, users=False) as streams:
        held = [streams.connect() for _ in range(2)]
        for s in held:
            s.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            expect(b"200 OK" in s.recv(65536), "a stream")
        held += ask_and_never_read(pages, "/wallboard.css", 34) + ask_and_never_read(streams, "/api/v1/stream", 32)
        time.sleep(3)
        for tap in (pages, streams):
            same(tap.ask("/icon.svg", source=STRANGER).raw, b"", "a stranger while they may still read")
        for tap, path in ((pages, "/login"), (streams, "/")):
            tap.until(lambda tap=tap, path=path: tap.ask(path, source=STRANGER).status == 200, "a stranger is served")
        for s in held:
            s.close()


@test
def streams_leave_room():
    with Tap("sse_clients_max = 3") as tap:
        cookie = tap.cookie_of()
        request = f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode()
        held = [tap.connect() for _ in range(3)]
        for s in held:
            s.sendall(request)
            expect(b"200 OK" in s.recv(65536), "a stream")
        same(tap.raw(request, until=b"too many").status, 503, "one too many")
        same(tap.ask("/api/v1/state", Cookie=cookie).status, 200, "state")
        for s in held:
            s.close()


@test
def it_stops_while_people_log_in():
    tap = Tap(slow=True)
    threads = [threading.Thread(target=tap.login, args=(f"nobody{i}", "wrong password"),
                                kwargs={"source": f"127.0.1.{i + 1}"}) for i in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    tap.close()
    for thread in threads:
        thread.join()


def check(folder, *lines):
    config = folder / "check.conf"
    config.write_text("pbx main {\n host = 127.0.0.1\n user = tap\n secret = 'x'\n}\nweb {\n " + "\n ".join(lines) + "\n}\n")
    config.chmod(0o600)
    done = subprocess.run([Tap.program, "check", "-c", config], capture_output=True, text=True, timeout=LIMIT, check=False)
    started = subprocess.run([Tap.program, "run", "-c", config], capture_output=True, text=True, timeout=LIMIT, check=False) \
        if done.returncode else None
    expect(not started or started.returncode == 1, "run starts what check refuses")
    return done.stderr.replace(str(config), "conf")


@test
def check_says_what_is_wrong():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        users, (pem, key), (_, other) = folder / "users", CERTIFICATE, make_certificate(folder, "other")
        everywhere = 'listen = "0.0.0.0:8443"'
        users_key, tls = f'users_file = "{users}"', (f'tls_certificate = "{pem}"', f'tls_key = "{key}"')
        expect("conf:7: web: listen: '0.0.0.0:8443': without users_file" in check(folder, everywhere), "no users")
        expect(f"conf:8: web: users_file: {users} cannot be read" in check(folder, everywhere, users_key, *tls), "no file")
        users.write_text("# nobody\n")
        users.chmod(0o600)
        expect("conf:8: web: users_file" in check(folder, everywhere, users_key, *tls) and
               "there is nobody in it" in check(folder, everywhere, users_key, *tls), "an empty file")
        users.write_text("\nanna:plain:x\n")
        expect("users line 2 is neither" in check(folder, everywhere, users_key, *tls), "a wrong line")
        users.write_text(f"t:token:all:{'0' * 64}\n")
        expect("conf:7: web: listen: '0.0.0.0:8443': without tls_certificate" in check(folder, everywhere, users_key), "no TLS")
        same(check(folder, everywhere, users_key, *tls), "", "all there")
        same(check(folder, everywhere, users_key, 'proxy = { "10.0.0.2" }'), "", "a proxy")
        expect("tls_certificate and tls_key go together" in check(folder, tls[0]), "half a pair")
        expect(f"conf:8: web: tls_key: {other}: is not the certificate's key" in check(folder, tls[0], f'tls_key = "{other}"'), "pair")
        expect("holds no certificate in PEM form" in check(folder, f'tls_certificate = "{users}"', tls[1]), "no PEM")
        locked = folder / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", key, "-out", locked, "-aes256", "-passout", "pass:x"], check=True)
        expect("without a password" in check(folder, tls[0], f'tls_key = "{locked}"'), "a key with a password")
        users.chmod(0o644)
        expect("can be read or written by others" in check(folder, users_key), "an open file")


@test
def a_password_that_is_not_typed_to_its_end():
    with Tap() as tap:
        ours, theirs = pty.openpty()
        # Under a session of its own the terminal is its own, and Ctrl-C comes to it.
        asking = subprocess.Popen(["setsid", "--ctty", tap.program, "user", "add", "-c", tap.config, "bob"], stdin=theirs,
                                  stdout=theirs, stderr=theirs)
        said = b""
        while b"Password: " not in said:
            said += os.read(ours, 1000)
        expect(not termios.tcgetattr(theirs)[3] & termios.ECHO, "it is shown while it is typed")
        os.write(ours, b"half a pass\x03")
        same(asking.wait(LIMIT), 1, "exit status")
        expect(termios.tcgetattr(theirs)[3] & termios.ECHO, "the terminal shows nothing any more")
        os.close(ours)
        os.close(theirs)


@test
def the_users_file_by_its_commands():
    with Tap() as tap:
        same(tap.say("user", "add", "bob", stdin=PASSWORDS["bob"]).stdout, "bob has another password\n", "add")
        same(stat.S_IMODE(tap.users.stat().st_mode), 0o600, "mode")
        same(tap.say("user", "list").stdout, "anna\tperson\nbob\tperson\n", "list")
        tap.say("token", "add", "tv", "--display")
        same(tap.say("token", "list").stdout, "tv\ttoken, for the wallboard only\n", "tokens")
        for words, stdin in ((("user", "add", "x"), "short\n"), (("user", "add", "x"), "\n"), (("user", "add", "x"), ""),
                             (("user", "add", "x"), "x" * 257 + "\n"), (("user", "add", "x"), "tab\tpassword\n"),
                             (("user", "add", "tv"), "long enough\n"), (("user", "add", "a:b"), "long enough\n"),
                             (("user", "add", "../x"), "long enough\n"), (("user", "remove", "tv"), ""),
                             (("user", "remove", "nobody"), ""), (("token", "remove", "anna"), ""),
                             (("token", "add", "anna"), ""), (("token", "url", "tv"), ""), (("user", "add"), ""),
                             (("user", "add", "x", "secretpassword"), ""), (("user", "frobnicate", "x"), ""),
                             (("user", "list", "x"), ""), (("token", "url", "--display", "x"), "")):
            before = tap.users.read_text()
            done = tap.say(*words, stdin=stdin, good=False)
            same(tap.users.read_text(), before, f"{words} changed the file")
            expect(done.stderr, f"{words} says nothing")
        same(sorted(p.name for p in tap.folder.iterdir() if ".new" in p.name), [], "left over")
        text = tap.users.read_text()
        for password in PASSWORDS.values():
            expect(password not in text, "a password stands in the file")
        threads = [threading.Thread(target=tap.say, args=("token", "add", f"t{i}")) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same(len(tap.say("token", "list").stdout.splitlines()), 9, "tokens added at once")


@test
def a_password_typed_on_a_terminal_is_not_shown():
    with Tap() as tap:
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(tap.program, [str(tap.program), "user", "add", "-c", str(tap.config), "carl"])
        shown = b""
        for prompt in (b"Password: ", b"Again: "):
            while prompt not in shown:
                shown += os.read(terminal, 1000)
            os.write(terminal, b"typed password\n")
        try:
            while part := os.read(terminal, 1000):
                shown += part
        except OSError:
            pass
        _, status = os.waitpid(pid, 0)
        same(status, 0, "exit status")
        expect(b"typed password" not in shown and b"carl may log in" in shown, shown)
        tap.until(lambda: tap.login("carl", "typed password").status == 303, "carl logs in")


def main():
    global CERTIFICATE
    warnings.simplefilter("ignore", DeprecationWarning)  # old TLS is asked for on purpose
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", type=pathlib.Path, default=ROOT / "build/amitap")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    Tap.program = options.amitap.resolve()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="amitap-web-") as folder:
        CERTIFICATE = make_certificate(pathlib.Path(folder))
        for name, run in test.chosen(options.names).items():
            report.attempt(name, run)
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
