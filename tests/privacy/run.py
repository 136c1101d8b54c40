#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One telephone number, seeded wherever a call can carry one, and where it is found afterwards: files, WAL, log, REST, SSE,
Kafka. Also what `amitap erase` and `amitap backup` do with it. Needs build/amitap, build/amisim and build/kafka_mock. One
line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [NAME…]      the tests whose names hold one of these words; all unless named
"""
import argparse
import concurrent.futures
import contextlib
import functools
import http.client
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
import waiting  # noqa: E402
from programs import Programs, end, stop  # noqa: E402
from report import Report, Tests, expect  # noqa: E402
from stored import query  # noqa: E402

LIMIT = 60
NUMBER, NAME, KEYED = "+4915901234567", "Erika Mustermann", "8675309420"
DIGITS = NUMBER[1:]
# Seven digits in a row of it, as they stand and by themselves, are the number.
TRACES = [DIGITS[at:at + 7].encode() for at in range(len(DIGITS) - 6)]
RECORDINGS = {"answered": "601", "queue-answered": "600", "ivr-digit-to-queue": "607", "agi-ai-then-queue": "610",
              "queue-abandon": "600", "hold-and-resume": None, "blind-transfer-dtmf": None}
POLICIES = ("digits", "hmac", "drop", "clear")
test = Tests()
wait_for = functools.partial(waiting.wait_for, limit=LIMIT)


def traces(data):
    """The number's traces in these bytes, each with what stands around it."""
    return [data[max(0, at - 40):at + 20] for trace in TRACES if (at := data.find(trace)) >= 0]


def nowhere(places, name=NAME):
    """That none of these (name to bytes) holds the number, nor whose it is."""
    for place, data in places.items():
        expect(not traces(data), f"{place} holds the number: {traces(data)[:2]}")
        expect(name is None or name.encode() not in data, f"{place} holds the name")


def seeded_event(channel, uniqueid, stamp):
    """What a dialplan may tell of a caller: a VarSet, a UserEvent, and what he keys in."""
    head = f"Privilege: all,all\r\nTimestamp: {stamp}\r\nChannel: {channel}\r\nUniqueid: {uniqueid}\r\nLinkedid: {uniqueid}\r\n"
    events = [f"Event: VarSet\r\n{head}Variable: AI_SESSION_ID\r\nValue: {NUMBER}\r\n",
              f"Event: VarSet\r\n{head}Variable: CALLBACK\r\nValue: call {NUMBER}\r\n",
              f"Event: UserEvent\r\n{head}UserEvent: Callback\r\nNumber: {NUMBER}\r\nText: call {NAME} at 0{DIGITS}\r\n",
              f"Event: Newexten\r\n{head}Context: in\r\nExtension: {NUMBER}\r\nPriority: 1\r\nApplication: NoOp\r\n"
              f"AppData: {NUMBER},{NAME}\r\n"]
    events += [f"Event: DTMFEnd\r\n{head}Digit: {digit}\r\nDurationMs: 90\r\nDirection: Received\r\n"
               for digit in (KEYED, *DIGITS)]
    return "".join(event + "\r\n" for event in events)


def seed(folder, names, devices):
    """Copies of recordings in which the number is caller, called, name, text and keys, and names devices if asked. Asterisk's
    own CDRs name an application that no event does, so each differs from amitap's."""
    for name in names:
        dialled = RECORDINGS[name]
        text = (ROOT / "tests/captures" / name / "ami.raw").read_bytes().decode("latin-1")
        if dialled:
            text = re.sub(rf"\b{dialled}\b", f"0{DIGITS}", text)
        text = re.sub(r"\+1415555\d{4}\b", NUMBER, text)
        text = re.sub(r"Caller \d{4}|Agent 10[59]", f"{NAME} {NUMBER}", text)
        text = re.sub(r"(?m)^LastApplication: .*$", "LastApplication: Other\r", text)
        if devices:
            text = text.replace("PJSIP/carrier-", f"PJSIP/{NUMBER}-").replace("PJSIP/105", f"PJSIP/{DIGITS}")
        found = re.search(r"Event: Newstate\r\n(?:.+\r\n)*?\r\n", text)
        field = dict(line.split(": ", 1) for line in found[0].split("\r\n") if ": " in line)
        extra = seeded_event(field["Channel"], field["Uniqueid"], field["Timestamp"])
        (folder / name).mkdir(parents=True)
        (folder / name / "ami.raw").write_bytes((text[:found.end()] + extra + text[found.end():]).encode("latin-1"))
    return [folder / name for name in names]


class Stage(Programs):
    """amisim with the seeded recordings, a Kafka, amitap, and everybody who looks."""

    amitap = None

    def __init__(self, store="clear", kafka="clear", web="clear", devices=True, names=tuple(RECORDINGS), pace=20):
        self.own = tempfile.TemporaryDirectory(prefix="amitap-privacy-")
        super().__init__(self.own.name)
        self.database, self.config, self.heard = self.folder / "amitap.db", self.folder / "amitap.conf", {}
        (self.folder / "key").write_text("0123456789abcdef0123456789abcdef\n")
        (self.folder / "key").chmod(0o600)
        self.cluster = subprocess.Popen([ROOT / "build/kafka_mock", self.folder / "records"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = self.start_amisim(ROOT / "build/amisim", "--pace", pace, "--together", "--hold", "--keep", "Cdr", "--timestamps",
                                 "now", "--summary", self.folder / "summary.json",
                                 *seed(self.folder / "recordings", names, devices))
        self.web = waiting.free_port()
        key = f"privacy_key_file = '{self.folder}/key'"
        policy = {name: f"privacy = {mode}" + (f"\n {key}" if mode == "hmac" else "")
                  for name, mode in (("store", store), ("kafka", kafka), ("web", web))}
        self.config.write_text(
            f"pbx main {{\n host = 127.0.0.1\n port = {port}\n user = tap\n secret = 'tapsecret'\n}}\n"
            f"store {{\n path = '{self.database}'\n {policy['store']}\n}}\n"
            f"kafka {{\n brokers = '{self.cluster.stdout.readline().strip()}'\n {policy['kafka']}\n}}\n"
            f"web {{\n listen = '127.0.0.1:{self.web}'\n {policy['web']}\n}}\n")
        self.tap, self.runs = None, 0
        self.run()

    def run(self):
        self.tap = self.start("amitap", self.amitap, "run", "-c", self.config, cwd=self.folder)
        self.runs += 1
        wait_for(lambda: self.said("amitap").count("following events") == self.runs, "amitap follows")

    def ask(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=LIMIT).read()

    def listen(self):
        """Everything that the stream tells, until it ends."""
        chunks = self.heard.setdefault("stream", [])

        def read():
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException), \
                    urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/v1/stream", timeout=LIMIT) as stream:
                while part := stream.read1(65536):
                    chunks.append(part)
        threading.Thread(target=read, daemon=True).start()

    def played(self):
        """To the end; what the wallboard's address says is looked at meanwhile."""
        states = self.heard.setdefault("state", [])

        def done():
            states.append(self.ask("/api/v1/state"))
            expect(self.tap.poll() is None, f"amitap ended: {self.said('amitap')}")
            return (self.folder / "summary.json").exists() and json.loads(states[-1])["calls"] == []
        wait_for(done, "all calls ended")
        wait_for(lambda: self.sql("SELECT count(*) FROM facts", f"{self.database}-outbox")[0][0] == 0, "all was delivered")

    def sql(self, statement, path=None):
        return query(path or self.database, statement)

    def files(self, prefix=""):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()
                if path.is_file() and path.name.startswith(f"amitap.db{prefix}")}

    def history(self):
        return {name: data for name, data in self.files().items() if not name.startswith("amitap.db-outbox")}

    def records(self):
        """What was published, every byte of it."""
        self.cluster.stdin.write("now\n")
        self.cluster.stdin.flush()
        count = int(self.cluster.stdout.readline())
        expect(count > 100, f"{count} records")
        return (self.folder / "records").read_bytes()

    def command(self, *words, good=True):
        done = subprocess.run([str(word) for word in (self.amitap, *words)], text=True, capture_output=True, timeout=LIMIT,
                              check=False)
        expect((done.returncode == 0) == good, f"{words}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def stop(self):
        expect(stop(self.tap, LIMIT) == 0, f"amitap: {self.said('amitap')}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_rest):
        self.end_all()
        end(self.cluster)
        if kind:
            sys.stdout.write(f"   amitap said: {self.said('amitap')[-1500:]}\n")
        self.own.cleanup()


def whole_run(**policies):
    """What each place held at the end and in between, and the history's rows."""
    with Stage(**policies) as stage:
        stage.listen()
        stage.played()
        wait_for(lambda: (stage.folder / "amitap.db-outbox-wal").stat().st_size == 0, "the outbox's WAL is emptied")
        files = [stage.files()]
        rows = {table: stage.sql(f"SELECT * FROM {table}") for table in ("cdr", "calls", "call_events", "queue_visits")}
        expect(all(rows.values()), f"nothing in {[table for table in rows if not rows[table]]}")
        joined = stage.sql("SELECT count(*), count(DISTINCT cdr.src) FROM cdr JOIN calls USING (linkedid) JOIN queue_visits v "
                           "USING (linkedid) JOIN call_events e USING (linkedid) WHERE cdr.src = calls.caller_number")[0]
        places = {"Kafka": stage.records(), "REST": b"".join(stage.heard["state"]), "SSE": b"".join(stage.heard["stream"])}
        stage.stop()
        files.append(stage.files())
        for name in files[0].keys() | files[1].keys():
            places[name] = b"".join(some.get(name, b"") for some in files)
        places["log"] = stage.said("amitap").encode()
        expect(KEYED.encode() not in b"".join(places.values()), "what was keyed in is stored")
        return places, rows, joined


def each(mode):
    """The number is a caller's, in names and in texts, but not a device's: with its last call it goes from everywhere."""
    places, _, joined = whole_run(store=mode, kafka=mode, web=mode, devices=False)
    expect(len(places) >= 8, list(places))
    nowhere(places)
    return places, joined


@test
def last_digits_alone_are_shown():
    places, _ = each("digits")
    for name in ("amitap.db", "Kafka", "SSE", "REST"):
        expect(b"*****567" in places[name], f"{name} does not show the last digits")


@test
def a_hash_stands_for_it_everywhere():
    places, joined = each("hmac")
    found = {name: set(re.findall(rb"p1:[0-9a-f]{32}", places[name])) for name in ("amitap.db", "Kafka", "SSE", "REST")}
    expect(joined[0] > 5 and joined[1] == 1, f"tables cannot be joined by it: {joined}")
    shared = set.intersection(*found.values())
    expect(shared, f"no hash is the same in all: {({name: len(some) for name, some in found.items()})}")


@test
def nothing_is_shown_where_it_is_dropped():
    each("drop")


def all_but_live_state(places, *others):
    return {name: data for name, data in places.items() if not name.startswith("amitap.db-outbox") and name not in others}


@test
def each_place_has_its_own_policy():
    ways = ({"store": "hmac", "kafka": "drop", "web": "digits"}, {"store": "digits", "kafka": "clear", "web": "hmac"},
            {"store": "clear", "kafka": "hmac", "web": "clear"})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        masked, kafka_clear, kafka_masked = pool.map(lambda way: whole_run(**way, devices=True), ways)
    nowhere(all_but_live_state(masked[0]))
    expect(traces(masked[0]["amitap.db-outbox"]), "a device of that name is not in the live state: this shows nothing")
    nowhere(all_but_live_state(kafka_clear[0], "Kafka"))
    expect(len(traces(kafka_clear[0]["Kafka"])) > 5, "Kafka does not get it in clear")
    nowhere({"Kafka": kafka_masked[0]["Kafka"]})
    expect(NUMBER in json.dumps(kafka_masked[1]) and NUMBER.encode() in kafka_masked[0]["SSE"], "it is not shown in clear")


@test
def a_difference_is_logged_as_the_history_has_it():
    """At the pace of the recording: nothing is compared of calls that began before amitap, as they do at another one."""
    def logged(mode):
        with Stage(store=mode, devices=True, names=("answered",), pace=1) as stage:
            wait_for(lambda: stage.sql("SELECT count(*) FROM drift") == [(1,)], "a difference is stored")
            wait_for(lambda: '{"kind":"drift",' in stage.said("amitap"), "a difference is logged")
            return stage.said("amitap").encode()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        logs = dict(zip(POLICIES, pool.map(logged, POLICIES)))
    for mode, log in logs.items():
        expect(b'"derived":{' in log and b'"asterisk":{' in log and b"..." not in log, f"{mode}: not both rows: {log}")
    expect(traces(logs.pop("clear")), "it is not in the log in clear: this shows nothing")
    nowhere(logs)


@test
def a_state_that_cannot_be_read_is_told_without_its_name():
    with Stage(store="drop", names=("blind-transfer-dtmf",)) as stage:
        stage.played()
        stage.stop()
        with contextlib.closing(sqlite3.connect(f"{stage.database}-outbox")) as outbox:
            damaged = outbox.execute("UPDATE live_state SET body = '{' WHERE entity LIKE ?", (f"endpoint/%{DIGITS}",)).rowcount
            outbox.commit()
        expect(damaged, "no device has the number")
        stage.run()
        expect(stage.said("amitap").count("a saved state (endpoint) cannot be read") == damaged, stage.said("amitap"))
        nowhere({"log": stage.said("amitap").encode()})


def erase(stage, *numbers):
    done = stage.command("erase", "-c", stage.config, *(word for number in numbers for word in ("--number", number)))
    expect(not traces(done.stdout.encode()), done.stdout)
    return int(re.search(r"^erased from (\d+) rows$", done.stdout, re.M)[1])


@test
def erased_while_it_runs_it_is_nowhere():
    with Stage(devices=False) as stage:
        stage.played()
        count = "SELECT (SELECT count(*) FROM cdr), (SELECT count(*) FROM calls), (SELECT count(*) FROM call_events)"
        before = stage.sql(count)
        expect(len(traces(b"".join(stage.history().values()))) > 5, "it is not there before")
        other = stage.sql("SELECT count(*) FROM calls WHERE caller_number = '105'")
        rows = erase(stage, NUMBER)
        expect(rows > 20, f"{rows} rows")
        nowhere(stage.files(), name=None)  # a free text keeps what else it says
        expect(stage.sql(count) == before, "rows are missing")
        expect(stage.sql("SELECT count(*) FROM calls WHERE caller_number = '105'") == other, "others' rows have changed")
        bodies = stage.sql("SELECT ce_id, caller_number, caller_name, body FROM calls WHERE caller_number LIKE 'erased-%'")
        expect(bodies, "nothing stands for it")
        for _, number, name, body in bodies:
            record = json.loads(body)
            expect(record["caller_number"] == number and record["caller_name"] is None and name is None, body)
        expect(stage.sql("SELECT count(DISTINCT caller_number) FROM calls WHERE caller_number LIKE 'erased-%'") == [(1,)], "tokens")
        expect(stage.sql("PRAGMA integrity_check") == [("ok",)], "the file is damaged")
        expect(erase(stage, NUMBER) == 0, "erased again")
        expect(stage.tap.poll() is None, "amitap has ended")
        stage.stop()
        nowhere(stage.files(), name=None)


@test
def a_hash_is_erased_by_its_number():
    with Stage(store="hmac", devices=False) as stage:
        stage.played()
        [(hashed,)] = stage.sql("SELECT DISTINCT caller_number FROM calls WHERE caller_number LIKE 'p1:%'")
        expect(erase(stage, NUMBER) > 20, "too few rows")
        for name, data in stage.files().items():
            expect(hashed.encode() not in data, f"{name} holds {hashed}")
        (stage.folder / "key").write_text("another key of enough letters for it\n")
        done = stage.command("erase", "-c", stage.config, "--number", NUMBER)
        expect("was not looked for" in done.stderr, f"rows of another key are not told: {done.stderr}")


@test
def what_cannot_be_erased_is_said():
    with Stage() as stage:
        for words in (("--number", "1234"), ("--number", "sip:x"), ("--number", ""), ()):
            done = stage.command("erase", "-c", stage.config, *words, good=False)
            expect(done.stderr, f"{words}: nothing is said")
        with contextlib.closing(sqlite3.connect(stage.database)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM cdr").fetchall()
            done = stage.command("erase", "-c", stage.config, "--number", NUMBER, good=False)
            expect("reads the file without a pause" in done.stderr, done.stderr)


@test
def a_backup_of_a_running_history_is_whole():
    with Stage() as stage:
        wait_for(lambda: stage.sql("SELECT count(*) FROM call_events")[0][0] > 20, "some rows")
        copy, outbox = stage.folder / "copy.db", stage.folder / "copy-outbox.db"
        writing = stage.sql("SELECT count(*) FROM call_events")[0][0]
        stage.command("backup", "-c", stage.config, "-o", copy, "--outbox", outbox)
        expect(sorted(path.name for path in stage.folder.glob("copy*")) == ["copy-outbox.db", "copy.db"], "more files")
        for path in (copy, outbox):
            expect(path.stat().st_mode & 0o777 == 0o600, f"{path.name} can be read by others")
            expect(stage.sql("PRAGMA integrity_check", path) == [("ok",)], f"{path.name} is damaged")
        copied = stage.sql("SELECT count(*) FROM call_events", copy)[0][0]
        expect(writing <= copied, f"{copied} rows of {writing}")
        done = stage.command("backup", "-c", stage.config, "-o", copy, good=False)
        expect("File exists" in done.stderr and stage.sql("SELECT count(*) FROM call_events", copy)[0][0] == copied,
               f"an existing file: {done.stderr}")
        expect("No such file" in stage.command("backup", "-c", stage.config, "-o", "/nowhere/copy", good=False).stderr, "a folder")
        stage.played()
        stage.stop()
        stage.config.write_text(stage.config.read_text().replace("amitap.db'", "copy.db'").replace("}\nkafka", " outbox = "
                                f"'{outbox}'\n}}\nkafka"))
        stage.run()
        stage.stop()
        expect(stage.sql("SELECT count(*) FROM call_events", copy)[0][0] >= copied, "amitap does not go on with the copy")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amitap", type=pathlib.Path, default=ROOT / "build/amitap")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    Stage.amitap = options.amitap.resolve()
    report = Report()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they wait most of their time
        list(pool.map(lambda chosen: report.attempt(*chosen), test.chosen(options.names).items()))
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
