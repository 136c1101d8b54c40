#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison must find what is wrong: every test hands it derived records that are the truth itself, broken or not."""
import contextlib
import io
import json
import lzma
import pathlib
import sys
import tempfile
import unittest

import compare
import recording
import rows

CDR = ('"""Ann \\""A\\"""" <+14155550101>","+14155550101","600","from-carrier","PJSIP/carrier-00000004",'
       '"PJSIP/101-00000005","Queue","support,tT,,,30","2026-11-21 01:07:10","2026-11-21 01:07:10",'
       '"2026-11-21 01:07:16","6.006224","5.005680","ANSWERED","DOCUMENTATION","acme","","pbx-1795223230.7",'
       '"pbx-1795223230.7","5","note"\n')
LOG = ("1795223200|NONE|NONE|NONE|QUEUESTART|\n"
       "1795223230|pbx-1795223230.7|support|NONE|ENTERQUEUE||+14155550101|1\n"
       "1795223231|pbx-1795223230.7|support|Alice|CONNECT|1|pbx-1795223230.8|1\n"
       "1795223236|pbx-1795223230.7|support|Alice|COMPLETECALLER|1|5|1\n"
       "1795223240|pbx-1795223240.9|support|NONE|ENTERQUEUE||+14155550102|1\n"
       "1795223241|pbx-1795223240.9|support|Bob|RINGNOANSWER|1000\n"
       "1795223245|pbx-1795223240.9|support|NONE|ABANDON|1|1|5\n"
       "1795223250|pbx-1795223250.3|support|NONE|ENTERQUEUE||+14155550103|1\n")
CEL = ('"CHAN_START","2026-11-21 01:07:10","+14155550101","600","from-carrier","PJSIP/carrier-00000004","",'
       '"pbx-1795223230.7","pbx-1795223230.7","",""\n'
       '"LINKEDID_END","2026-11-21 01:07:16","+14155550101","600","from-carrier","PJSIP/carrier-00000004","",'
       '"pbx-1795223230.7","pbx-1795223230.7","",""\n')
RAW = ("Asterisk Call Manager/11.0.0\r\n"
       "Event: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1795223230.000123\r\n"
       "Channel: PJSIP/carrier-00000004\r\nUniqueid: pbx-1795223230.7\r\nCallerIDNum: +14155550101\r\n\r\n"
       "Event: Cdr\r\nPrivilege: cdr,all\r\nDisposition: ANSWERED\r\n\r\n"
       "Event: VarSet\r\nPrivilege: dialplan,all\r\nValue: 1\r\n\r\n")

FAKE = '''#!{python}
import os, pathlib, sys
here = pathlib.Path(__file__).parent
kind = sys.argv[sys.argv.index("--records") + 1]
{body}
'''
ANSWER = 'sys.stdin.buffer.read(); sys.stdout.write((here / kind).read_text())'


class Fixture(unittest.TestCase):
    """A folder with a recording, and a program in amitap's place that prints what the test says."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)
        self.folder = self.top / "story"
        self.folder.mkdir()
        for name, text in (("cdr.csv", CDR), ("queue_log", LOG), ("cel.csv", CEL), ("ami.raw", RAW)):
            (self.folder / name).write_text(text, newline="")
        self.records = {
            "cdr": [dict(rows.csv_records(CDR, rows.CDR_COLUMNS)[0], start="2026-11-21T01:07:10.400000Z",
                         answer="2026-11-21T01:07:10.400300Z", end="2026-11-21T01:07:16.406000Z", duration=6.006,
                         billsec=5.006, peeraccount=None)],
            "queue": [{"uniqueid": "pbx-1795223230.7", "queue": "support", "outcome": "answered", "wait_seconds": 1.2,
                       "member": "Alice", "talk_seconds": 5.1},
                      {"uniqueid": "pbx-1795223240.9", "queue": "support", "outcome": "short_abandon",
                       "wait_seconds": 5.0}],
            "call": [{"linkedid": "pbx-1795223230.7", "start": "2026-11-21T01:07:10.4Z", "end": "2026-11-21T01:07:16.4Z"}],
        }
        self.log = LOG.split("\n")[1:-1]
        self.program(ANSWER)

    def program(self, body, name="amitap"):
        (self.top / name).write_text(FAKE.format(python=sys.executable, body=body))
        (self.top / name).chmod(0o755)

    def compare(self, *options):
        for kind, records in self.records.items():
            (self.top / kind).write_text("".join(json.dumps(record) + "\n" for record in records))
        (self.top / "queue_log").write_text("".join(line + "\n" for line in self.log))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = compare.main(["--amitap", str(self.top / "amitap"), *options, str(self.folder)])
        self.output = output.getvalue()
        return status

    def assert_last(self, line):
        self.assertEqual(self.output.rstrip().split("\n")[-1], line)


class Comparing(Fixture):
    def test_truth_itself_matches(self):
        self.assertEqual(self.compare(), 0, self.output if hasattr(self, "output") else "")
        self.assert_last("4 passed, 0 failed")

    def test_every_column_of_a_cdr_counts(self):
        changed = {name: "x" for name in rows.CDR_EXACT}
        changed.update(start="2026-11-21T01:07:08Z", answer=None, end="2026-11-21T01:07:18Z", duration=6.2, billsec=4.8)
        good = dict(self.records["cdr"][0])
        for name, value in changed.items():
            with self.subTest(name):
                self.records["cdr"] = [dict(good, **{name: value})]
                self.assertEqual(self.compare("--records", "cdr"), 1)
                self.assert_last("0 passed, 1 failed")

    def test_sequence_is_not_compared(self):
        self.records["cdr"][0]["sequence"] = "77"
        self.assertEqual(self.compare("--records", "cdr"), 0)

    def test_a_row_too_few_or_too_many(self):
        for kind in self.records:
            good = list(self.records[kind])
            for broken in (good[:-1], good + good[:1]):
                with self.subTest(kind, rows=len(broken)):
                    self.records[kind] = broken
                    self.assertEqual(self.compare("--records", kind), 1)
            self.records[kind] = good

    def test_every_field_of_a_queue_log_line_counts(self):
        good = list(self.log)
        changes = {0: {0: "1795223232", 1: "other", 2: "sales", 3: "Ann", 4: "DID", 5: "u", 6: "+1", 7: "2"},
                   1: {5: "3", 6: "other", 7: "3"}, 4: {5: "1200"}, 5: {5: "2", 6: "2", 7: "8"}}
        for line, fields in changes.items():
            for field, value in fields.items():
                with self.subTest(line=line, field=field):
                    parts = good[line].split("|")
                    parts[field] = value
                    self.log = good[:line] + ["|".join(parts)] + good[line + 1:]
                    self.assertEqual(self.compare("--records", "queue_log"), 1)

    def test_queue_log_tolerances(self):
        self.log[0] = self.log[0].replace("1795223230|", "1795223231|")
        self.log[2] = self.log[2].replace("|1|5|1", "|2|4|1")
        self.log[4] = self.log[4].replace("|1000", "|1090")
        self.assertEqual(self.compare("--records", "queue_log"), 0)

    def test_every_field_of_a_visit_counts(self):
        good = [dict(record) for record in self.records["queue"]]
        changes = [(0, "uniqueid", "x"), (0, "queue", "x"), (0, "outcome", "abandoned"), (0, "wait_seconds", 2.5),
                   (0, "member", "Bob"), (0, "talk_seconds", 7), (1, "outcome", "timeout"), (1, "wait_seconds", 3.5)]
        for index, name, value in changes:
            with self.subTest(name):
                self.records["queue"] = [dict(record) for record in good]
                self.records["queue"][index][name] = value
                self.assertEqual(self.compare("--records", "queue"), 1)

    def test_a_refused_join_is_no_visit(self):
        self.records["queue"].append({"uniqueid": "z", "queue": "narrow", "outcome": "blocked_full"})
        self.assertEqual(self.compare("--records", "queue"), 0)

    def test_every_field_of_a_call_counts(self):
        good = dict(self.records["call"][0])
        for name, value in (("linkedid", "x"), ("start", "2026-11-21T01:07:08Z"), ("end", None)):
            with self.subTest(name):
                self.records["call"] = [dict(good, **{name: value})]
                self.assertEqual(self.compare("--records", "call"), 1)

    def test_a_difference_is_shown_by_column(self):
        self.records["cdr"][0]["lastapp"] = "Dial"
        self.assertEqual(self.compare("--records", "cdr", "--show", "3"), 1)
        self.assertIn("lastapp: Asterisk 'Queue', derived 'Dial'", self.output)

    def test_a_folder_that_need_not_match_must_still_run(self):
        (self.top / "must").write_text("# none\n")
        self.records["cdr"] = []
        self.assertEqual(self.compare("--must-match", str(self.top / "must")), 0)
        self.assertIn("cdr 0/1", self.output)
        self.program("sys.exit(3)")
        self.assertEqual(self.compare("--must-match", str(self.top / "must")), 1)
        self.assert_last("0 passed, 4 failed")

    def test_a_folder_that_must_match_must_be_given(self):
        (self.top / "must").write_text("elsewhere\n")
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
            self.compare("--must-match", str(self.top / "must"))

    def test_a_derived_time_is_late_by_more_than_a_second_cut_off(self):
        self.records["cdr"][0]["end"] = "2026-11-21T01:07:17.000400Z"
        self.assertEqual(self.compare("--records", "cdr"), 0)
        self.records["cdr"][0]["end"] = "2026-11-21T01:07:17.200000Z"
        self.assertEqual(self.compare("--records", "cdr"), 1)

    def test_only_a_disabled_cdr_may_be_told_by_one_who_came_late(self):
        extra = dict(self.records["cdr"][0], uniqueid="pbx-1795223229.1", linkedid="pbx-1795223229.1", start=None, inferred=True)
        self.records["cdr"].append(extra)
        disabled = RAW + ("Event: Newexten\r\nPrivilege: dialplan,all\r\nUniqueid: pbx-1795223229.1\r\n"
                          "Application: Set\r\nAppData: CDR_PROP(disable)=1\r\n\r\n")
        late = ["--late", "--whole", "whole.raw", "--records", "cdr"]
        (self.folder / "whole.raw").write_text(RAW, newline="")
        self.assertEqual(self.compare(*late), 1)
        (self.folder / "whole.raw").write_text(disabled, newline="")
        self.assertEqual(self.compare(*late), 0, self.output)
        extra.update(inferred=None)
        self.assertEqual(self.compare(*late), 1)

    def test_packed_files_are_read(self):
        for name in ("ami.raw", "cel.csv", "cdr.csv", "queue_log"):
            (self.folder / f"{name}.xz").write_bytes(lzma.compress((self.folder / name).read_bytes()))
            (self.folder / name).unlink()
        self.assertEqual(self.compare(), 0)
        self.assert_last("4 passed, 0 failed")

    def known(self, *lines):
        (self.top / "known").write_text("# what it is\n[a reason]\n" + "".join(line + "\n" for line in lines))
        return "--known", str(self.top / "known")

    def test_a_known_difference_is_none(self):
        self.records["cdr"][0].update(lastapp="Dial", lastdata="x")
        entry = f"{self.top.name}/story cdr pbx-1795223230.7 "
        self.assertEqual(self.compare("--records", "cdr", *self.known(entry + "lastdata,lastapp")), 0)
        self.assertIn("cdr 0/1 (1 known)", self.output)
        for other in ("lastdata", "lastapp,lastdata,dst", "missing"):
            with self.subTest(other):
                self.assertEqual(self.compare("--records", "cdr", *self.known(entry + other)), 1)

    def test_lenient_takes_guesses_and_places_of_a_channel_that_moved(self):
        good = dict(self.records["cdr"][0])
        self.records["cdr"] = [dict(good, lastdata="x", guessed=["lastdata"])]
        self.assertEqual(self.compare("--records", "cdr"), 1)
        self.assertEqual(self.compare("--records", "cdr", "--lenient"), 0)
        self.records["cdr"] = [dict(good, lastdata="x", lastapp="y", guessed=["lastdata"])]
        self.assertEqual(self.compare("--records", "cdr", "--lenient"), 1)
        self.records["cdr"] = [dict(good, dst="700")]
        self.assertEqual(self.compare("--records", "cdr", "--lenient"), 1)
        (self.folder / "cdr.csv").write_text(CDR + CDR)
        self.records["cdr"] = [dict(good, dst="700"), good]
        self.assertEqual(self.compare("--records", "cdr", "--lenient"), 0)
        self.records["cdr"] = [dict(good, disposition="NO ANSWER", answer=None), good]
        self.assertEqual(self.compare("--records", "cdr", "--lenient"), 1, "it talked for five seconds")

    def test_a_known_row_may_be_missing(self):
        del self.log[2]
        line = f"{self.top.name}/story queue_log pbx-1795223230.7 missing"
        self.assertEqual(self.compare("--records", "queue_log", *self.known(line)), 0)

    def test_known_rows_are_renamed_too(self):
        self.records["cdr"] = [json.loads(recording.Renamer(7).text(json.dumps(dict(self.records["cdr"][0], dst="x"))))]
        line = f"{self.top.name}/story cdr pbx-1795223230.7 dst"
        self.assertEqual(self.compare("--rename", "7", "--records", "cdr", *self.known(line)), 0)

    def test_a_known_difference_that_is_gone_is_an_error(self):
        line = f"{self.top.name}/story cdr pbx-1795223230.7 dst"
        self.assertEqual(self.compare("--records", "cdr", *self.known(line)), 1)
        self.assertIn("NOT AS LISTED", self.output)

    def test_a_known_row_of_another_recording_excuses_nothing(self):
        self.records["cdr"][0]["dst"] = "x"
        line = "elsewhere/story cdr pbx-1795223230.7 dst"
        self.assertEqual(self.compare("--records", "cdr", *self.known(line)), 1)

    def test_a_row_without_a_reason_is_refused(self):
        (self.top / "known").write_text("here/story cdr pbx-1795223230.7 dst\n")
        with self.assertRaises(ValueError):
            self.compare("--known", str(self.top / "known"))

    def test_nothing_to_compare_is_a_failure(self):
        (self.folder / "cdr.csv").write_text("")
        self.records["cdr"] = []
        self.assertEqual(self.compare("--records", "cdr"), 1)

    def test_runs_that_fail(self):
        for body in ("sys.exit(1)", "os.abort()", ANSWER + '; print("not JSON")', ANSWER + '; print("[1]")',
                     ANSWER + '; sys.stderr.write("==1==ERROR: LeakSanitizer: detected memory leaks")',
                     ANSWER + '; sys.stderr.write("x.c:1:2: runtime error: signed integer overflow")'):
            with self.subTest(body):
                self.program(body)
                self.assertEqual(self.compare("--records", "cdr"), 1)
                self.assertIn("cdr FAILED", self.output)

    def test_a_history_is_compared(self):
        import sqlite3
        record = {name: self.records["cdr"][0][name] for name in rows.CDR_COLUMNS}
        for name, status in (("good", 0), ("bad", 1)):
            record["disposition"] = {"good": "ANSWERED", "bad": "BUSY"}[name]
            with contextlib.closing(sqlite3.connect(self.top / name)) as database:
                database.execute(f"create table cdr ({', '.join(rows.CDR_COLUMNS)})")
                database.execute(f"insert into cdr values ({', '.join('?' * len(record))})", list(record.values()))
                database.commit()
            self.assertEqual(self.compare("--sqlite", str(self.top / name)), status, name)


class Streams(Fixture):
    def test_forbidden_events_are_cut_out(self):
        seen = recording.visible(RAW.encode(), {"call"})
        self.assertIn(b"Newchannel", seen)
        self.assertNotIn(b"Cdr", seen)
        self.assertNotIn(b"VarSet", seen)
        self.assertIn(b"VarSet", recording.visible(RAW.encode(), {"call", "dialplan"}))

    def test_both_sides_are_renamed_alike(self):
        stream = recording.stream_of(self.folder / "ami.raw", {"call"}, recording.Renamer(7)).decode()
        row = rows.truth_rows("cdr", lambda name: recording.Renamer(7).text(CDR))[0].exact
        for name in ("uniqueid", "channel", "src"):
            self.assertIn(f": {row[name]}\r\n", stream)
            self.assertNotIn(rows.truth_rows("cdr", lambda name: CDR)[0].exact[name], stream)
        self.assertIn(".000123\r\n", stream)

    def test_the_order_of_unique_ids_stays(self):
        ids = ["pbx-1795223230.9", "pbx-1795223230.10", "pbx-1795223230.100", "pbx-1795223231.2"]
        renamed = [recording.Renamer(3).text(each) for each in ids]
        self.assertEqual([ids.index(each) for each in sorted(ids)], [renamed.index(each) for each in sorted(renamed)])

    def test_renamed_truth_still_matches_only_itself(self):
        self.assertEqual(self.compare("--rename", "7", "--records", "cdr"), 1)
        self.records["cdr"] = [json.loads(recording.Renamer(7).text(json.dumps(self.records["cdr"][0])))]
        self.assertEqual(self.compare("--rename", "7", "--records", "cdr"), 0)


class Splitting(Fixture):
    def setUp(self):
        super().setUp()
        (self.folder / "ami.raw").write_text(RAW * 40, newline="")

    def test_the_same_bytes_in_any_pieces(self):
        self.program("sys.stdout.buffer.write(sys.stdin.buffer.read())")
        self.assertEqual(self.compare("--split", "1"), 0)
        self.assert_last("2 passed, 0 failed")

    def test_a_program_that_sees_the_cuts_is_found(self):
        self.program('while data := os.read(0, 65536): os.write(1, b"%d\\n" % len(data))')
        self.assertEqual(self.compare("--split", "1"), 1)
        self.assert_last("0 passed, 2 failed")

    def test_the_other_build_must_say_the_same(self):
        self.program("sys.stdout.buffer.write(sys.stdin.buffer.read())")
        self.program("sys.stdout.buffer.write(sys.stdin.buffer.read()[:-1])", "other")
        self.assertEqual(self.compare("--split", "1", "--sanitized", str(self.top / "other")), 1)
        self.assert_last("2 passed, 2 failed")

    def test_a_crash_is_found_wherever_it_comes(self):
        for body in ("os.abort()", "os.read(0, 10); os.abort()", "os.read(0, 1 << 16)"):
            with self.subTest(body):
                self.program(body)
                self.assertEqual(self.compare("--split", "1"), 1)


if __name__ == "__main__":
    unittest.main()
