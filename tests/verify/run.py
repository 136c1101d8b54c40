#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`amitap verify` and `amitap import` on what amitap stored of amisim's calls and on what Asterisk wrote about them.
Needs build/amitap and build/amisim. One line "ok …" or "FAIL …" each.

    run.py [--amitap PROGRAM] [--amisim PROGRAM] [NAME…]
"""
import argparse
import contextlib
import csv
import datetime
import functools
import io
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import zoneinfo

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
import waiting  # noqa: E402
from programs import Programs, stop  # noqa: E402
from report import Report  # noqa: E402

RECORDINGS = ("answered", "busy", "queue-answered", "queue-abandon", "fork-cdr", "blind-transfer-dtmf", "queue-members",
              "mixed-busy-minute", "queue-timeout-empty")
COLUMNS = ("clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,"
           "amaflags,accountcode,peeraccount,uniqueid,linkedid,sequence,userfield")
MASTER = ("accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,"
          "disposition,amaflags,uniqueid,userfield,peeraccount,linkedid,sequence")
CUT = ("queue-answered", "queue-abandon", "answered", "ring-group", "queue-timeout-empty", "busy")
LIMIT = 90
until = functools.partial(waiting.until, limit=LIMIT)


class Scene(Programs):
    """amisim plays, amitap taps; everything lies in one folder."""

    def __init__(self, programs, folder, *options, kafka="", store="", recordings=RECORDINGS):
        super().__init__(folder)
        self.programs = programs
        self.truth, self.database = self.folder / "truth", self.folder / "amitap.db"
        self.summary, self.config = self.folder / "summary.json", self.folder / "amitap.conf"
        port = self.start_amisim(programs.amisim, "--truth", self.truth, "--wait-clients", "1", "--summary", self.summary,
                                 *options, *(ROOT / "tests/captures" / name for name in recordings))
        text = (f"pbx main {{ host = 127.0.0.1\n port = {port}\n user = tap\n"
                f" secret = 'tapsecret'\n }}\nstore {{ path = '{self.database}'\n {store} }}\n")
        self.config.write_text(text + (f'kafka {{ brokers = "127.0.0.1:1"\n {kafka} }}\n' if kafka else ""))
        self.run_tap()

    def run_tap(self):
        self.tap = self.start("amitap", self.programs.amitap, "run", "-c", self.config)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            stop(process, 15)

    def played(self):
        assert until(self.summary.exists), "amisim did not come to its end"
        time.sleep(1.5)

    def stop_tap(self):
        assert stop(self.tap) == 0, self.said("amitap")[-800:]

    def sql(self, statement, path=None):
        with contextlib.closing(sqlite3.connect(path or self.database)) as database, database:
            return database.execute(statement).fetchall()

    def command(self, name, *options, cdr=None, columns=COLUMNS, zone="UTC"):
        """Exit status and what was printed."""
        words = [self.programs.amitap, name, "-c", self.config, "--cdr", cdr or self.truth / "cdr.csv", "--queue-log",
                 self.truth / "queue_log", "--zone", zone, *options]
        words += ["--cdr-columns", columns] if columns else []
        run = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                             check=False)
        return run.returncode, run.stdout.decode()


def figure(text, kind, what):
    """A number of the table that verify or import prints about a kind."""
    part = text[text.index(f"\n{kind}:") if f"\n{kind}:" in text else text.index(f"{kind}:"):]
    part = part.split("\nqueue_log:")[0] if kind == "cdr" else part
    return int(re.search(rf"(\d+) {re.escape(what)}", part)[1])


def expect(fact, what):
    return [] if fact else [what]


def equal(scene, text, status):
    faults = expect(status == 0, f"exit {status}: {text[-1200:]}")
    return faults + expect(figure(text, "cdr", "equal") >= 30 and figure(text, "queue_log", "equal") >= 20, text)


def rewritten(scene, columns, zone=None, head=False, count=None):
    """The truth's CDRs with other columns, in another zone, with a line of names."""
    def moved(value):
        if not value or not zone:
            return value
        when = datetime.datetime.fromisoformat(value).replace(tzinfo=datetime.timezone.utc)
        return when.astimezone(zoneinfo.ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    names, out = columns.split(",")[:count], io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    if head:
        writer.writerow(names)
    for row in csv.reader((scene.truth / "cdr.csv").open(newline="")):
        record = dict(zip(COLUMNS.split(","), row))
        for name in ("start", "answer", "end"):
            record[name] = moved(record[name])
        for name in ("duration", "billsec"):
            record[name] = int(float(record[name]))
        writer.writerow([record[name] for name in names])
    path = scene.folder / "other.csv"
    path.write_text(out.getvalue())
    return path


def forms(programs, folder):
    """The same rows in every form of file that Asterisk writes, in any zone, equal the history."""
    with Scene(programs, folder, "--pace", "20") as scene:
        scene.played()
        status, text = scene.command("verify")
        found = equal(scene, text, status)
        scene.stop_tap()
        for what, count in (("21 columns of Master.csv", 21), ("uniqueid and userfield", 18), ("uniqueid", 17), ("neither", 16)):
            status, text = scene.command("verify", cdr=rewritten(scene, MASTER, count=count), columns=None)
            found += [f"{what}: {fault}" for fault in equal(scene, text, status)]
        berlin = rewritten(scene, MASTER, zone="Europe/Berlin", head=True)
        status, text = scene.command("verify", cdr=berlin, columns=None, zone="Europe/Berlin")
        found += [f"Europe/Berlin: {fault}" for fault in equal(scene, text, status)]
        status, text = scene.command("verify", "--from", "2020-01-01", cdr=berlin, columns=None)
        found += expect(status == 1, f"the wrong zone is not noticed: {text}")
        drift = scene.sql("SELECT body FROM drift")
        return found + expect(not drift, f"drift: {drift[:3]}")


def a_broken_row(programs, folder):
    """A row that was changed, one that was removed and one too many are named, with column and both values."""
    with Scene(programs, folder, "--pace", "20") as scene:
        scene.played()
        scene.stop_tap()
        changed, removed, doubled = (row[0] for row in scene.sql(
            "SELECT uniqueid FROM cdr GROUP BY uniqueid HAVING count(*) = 1 ORDER BY min(rowid) LIMIT 6")[3:])
        names = ", ".join(f'"{name}"' for _, name, *_ in scene.sql("PRAGMA table_info(cdr)") if name != "ce_id")
        for statement in (f"UPDATE cdr SET dst = '999' WHERE uniqueid = '{changed}'",
                          f"DELETE FROM cdr WHERE uniqueid = '{removed}'",
                          f"INSERT INTO cdr (ce_id, {names}) SELECT 'double', {names} FROM cdr WHERE uniqueid = '{doubled}'",
                          "UPDATE queue_log SET agent = 'No' || char(27) || 'body' WHERE event = 'CONNECT' AND rowid = (SELECT min(rowid) "
                          "FROM queue_log WHERE event = 'CONNECT')"):
            scene.sql(statement)
        status, text = scene.command("verify")
        found = expect(status == 1, f"exit {status}")
        for wanted in (rf"differs .*{re.escape(changed)}.*\n    dst: file \"[^\"]*\", history \"999\"",
                       rf"missing .*{re.escape(removed)}", rf"extra .*{re.escape(doubled)}",
                       r"differs .*CONNECT.*\n    agent: file \"\w+\", history \"No\?body\""):
            found += expect(re.search(wanted, text), f"not said: {wanted}: {text}")
        numbers = [figure(text, "cdr", what) for what in ("differ", "missing", "extra")]
        return found + expect(numbers == [1, 1, 1], f"{numbers}")


def import_fills_a_cut(programs, folder):
    """What was missed while amitap was cut off comes from Asterisk's files, once, marked, and observed rows stay."""
    # At its own pace: gaps are in this machine's time, which is that of the PBX then.
    with Scene(programs, folder, "--pace", "1", "--cut-after", "60,220", kafka="partitions = 1", recordings=CUT) as scene:
        scene.played()
        observed = scene.sql("SELECT ce_id, body FROM cdr WHERE inferred IS NULL")
        status, text = scene.command("verify")
        blind = figure(text, "cdr", "not equal, within gaps")
        found = expect(status == 0 and blind, f"exit {status} before the import: {text}")
        status, said = scene.command("import")
        taken = figure(said, "cdr", "rows imported")
        found += expect(status == 0 and taken, f"exit {status}: {said}")
        status, again = scene.command("import")
        found += expect(status == 0 and not figure(again, "cdr", "rows imported"), f"a second import: {again}")
        status, text = scene.command("verify")
        found += expect(status == 0 and figure(text, "cdr", "of them imported") == taken, f"exit {status} after: {text}")
        found += expect(figure(text, "cdr", "not equal, within gaps") == 0, f"left in gaps: {text}")
        found += expect(figure(text, "queue_log", "not equal, within gaps") == 0, f"left in gaps: {text}")
        kept = set(scene.sql("SELECT ce_id, body FROM cdr WHERE imported IS NULL"))
        found += expect(set(observed) <= kept, "an observed row was changed")
        marked = scene.sql("SELECT count(*) FROM cdr WHERE imported = 1 AND body ->> 'imported' = 1")[0][0]
        found += expect(marked == taken, f"{marked} rows are marked")
        outbox = scene.sql("SELECT count(DISTINCT ce_id) FROM facts WHERE kind = 'cdr' AND flags & 16",
                           f"{scene.database}-outbox")[0][0]
        found += expect(outbox == taken, f"{outbox} rows on their way to Kafka")
        scene.stop_tap()
        rows = scene.sql("SELECT count(*) FROM cdr")
        scene.run_tap()
        time.sleep(2)
        scene.stop_tap()
        found += expect(scene.sql("SELECT count(*) FROM cdr") == rows, "a start changed the rows")
        return found + expect(not re.search("Sanitizer|ssert|refused, see", scene.said("amitap")), scene.said("amitap")[-600:])


def masked(programs, folder):
    """A history that hides numbers is held against the files under its own policy, and imported rows are hidden too."""
    key = pathlib.Path(folder) / "key"
    key.write_text("0123456789abcdef0123456789abcdef\n")
    key.chmod(0o600)
    store = f"privacy = hmac\n privacy_key_file = '{key}'"
    with Scene(programs, folder, "--pace", "20", store=store, kafka="privacy = digits") as scene:
        scene.played()
        status, text = scene.command("verify")
        found = equal(scene, text, status)
        scene.sql("DELETE FROM cdr WHERE rowid % 5 = 0")
        scene.sql("DELETE FROM queue_log WHERE rowid % 5 = 0")
        status, said = scene.command("import", "--from", "2020-01-01", "--to", "2100-01-01")
        taken = figure(said, "cdr", "rows imported")
        found += expect(status == 0 and taken > 3, f"exit {status}: {said}")
        status, text = scene.command("verify")
        found += equal(scene, text, status) + expect(figure(text, "cdr", "of them imported") == taken, text)
        numbers = {row[1] for row in csv.reader((scene.truth / "cdr.csv").open(newline="")) if len(row[1]) > 8}
        written = scene.sql("SELECT body FROM cdr") + scene.sql("SELECT body FROM queue_log")
        written += scene.sql("SELECT body FROM facts WHERE flags & 16", f"{scene.database}-outbox")
        shown = [number for number in numbers if any(number in body for body, in written)]
        return found + expect(numbers and not shown, f"in clear: {shown}")


def what_is_wrong_is_said(programs, folder):
    """Files that are not there, columns that are none, a history of another version."""
    with Scene(programs, folder, "--pace", "50") as scene:
        scene.played()
        scene.stop_tap()
        found = []
        for what, status, options in (("no such file", 2, {"cdr": "nowhere.csv"}), ("columns", 2, {"columns": "who,what"}),
                                      ("zone", 2, {"zone": "Nowhere/Else"})):
            got, text = scene.command("verify", **options)
            found += expect(got == status and text.startswith("amitap: verify: "), f"{what}: exit {got}: {text}")
        with contextlib.closing(sqlite3.connect(scene.database)) as other:
            other.execute("BEGIN IMMEDIATE")
            got, text = scene.command("import", "--from", "2020-01-01", "--to", "2100-01-01")
            other.rollback()
        scene.sql("PRAGMA user_version = 999")
        newer, said = scene.command("import")
        found += expect(newer == 1 and "newer amitap" in said, f"exit {newer}: {said}")
        return found + expect(got == 1 and "locked" in text, f"a locked history: exit {got}: {text}")


SCENES = (forms, a_broken_row, import_fills_a_cut, masked, what_is_wrong_is_said)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amitap", default=ROOT / "build/amitap")
    parser.add_argument("--amisim", default=ROOT / "build/amisim")
    parser.add_argument("names", nargs="*", metavar="NAME")
    programs, report = parser.parse_args(), Report()
    for scene in SCENES:
        if programs.names and scene.__name__ not in programs.names:
            continue
        with tempfile.TemporaryDirectory(prefix="amitap-verify-") as folder:
            report.attempt(scene.__name__.replace("_", " "), lambda: scene(programs, folder))
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
