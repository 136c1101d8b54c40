#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The oracle and the comparison of journeys.py: what a cel.csv says, and that every difference is found."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

import cel
import journeys
import known

NAMES = {"a": "PJSIP/carrier-00000001", "b": "PJSIP/101-00000002", "c": "PJSIP/105-00000003",
         "x1": "Local/105@in-00000001;1", "x2": "Local/105@in-00000001;2"}
IDS = {"a": "pbx-1795223230.1", "b": "pbx-1795223230.2", "c": "pbx-1795223235.3", "x1": "pbx-1795223234.4",
       "x2": "pbx-1795223234.5"}


def line(event, second, who, linkedid="a", app="", peer="", fraction="", **extra):
    fields = (event, f"2026-11-21 01:07:{second:02d}{fraction}", "", "", "", NAMES[who], app, IDS[who], IDS[linkedid], peer,
              json.dumps(extra) if extra else "")
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n"


def start(second, *channels, linkedid="a"):
    return "".join(line("CHAN_START", second, who, linkedid) for who in channels)


def enter(second, bridge, *channels, linkedid="a", technology="simple_bridge", app="", fraction=""):
    return "".join(line("BRIDGE_ENTER", second, who, linkedid, app, fraction=fraction, bridge_id=bridge,
                        bridge_technology=technology) for who in channels)


def leave(second, bridge, *channels, linkedid="a"):
    return "".join(line("BRIDGE_EXIT", second, who, linkedid, bridge_id=bridge, bridge_technology="native_rtp")
                   for who in channels)


def hangup(second, who, source="", cause=16, linkedid="a"):
    return line("HANGUP", second, who, linkedid, hangupcause=cause, hangupsource=NAMES.get(source, source))


def end(second, linkedid="a"):
    return line("LINKEDID_END", second, linkedid, linkedid)


PLAIN = (start(10, "a", "b") + line("ANSWER", 11, "b") + line("ANSWER", 11, "a") + enter(11, "1", "b", "a")
         + leave(16, "1", "a", "b") + hangup(16, "a", "a") + hangup(16, "b", "a") + end(16))


class Oracle(unittest.TestCase):
    def talked(self, text, *pair):
        clock = cel.read(text).pairs[tuple(sorted(IDS[each] for each in pair))]
        return clock.seconds, clock.stretches

    def test_two_in_a_bridge_talk(self):
        truth = cel.read(PLAIN)
        self.assertEqual(self.talked(PLAIN, "a", "b"), (5, 1))
        self.assertEqual(truth.calls[IDS["a"]].talk.seconds, 5)
        self.assertEqual(truth.channels[IDS["b"]].talk.seconds, 5)
        self.assertEqual(cel.ended_by(truth, truth.calls[IDS["a"]]), NAMES["a"])

    def test_one_alone_or_with_a_local_half_does_not_talk(self):
        text = start(10, "a", "x1", "x2") + enter(11, "1", "a", "x1") + leave(15, "1", "a", "x1")
        truth = cel.read(text)
        self.assertEqual(truth.calls[IDS["a"]].talk.seconds, 0)
        self.assertFalse(truth.pairs)

    def test_local_channels_are_seen_through_and_optimised_away(self):
        text = (start(10, "a", "x1", "x2", "c") + enter(11, "1", "a", "x1") + enter(13, "2", "c", "x2")
                + leave(14, "1", "x1") + leave(14, "2", "c") + enter(14, "1", "c") + hangup(14, "x1") + hangup(14, "x2")
                + leave(18, "1", "a", "c"))
        self.assertEqual(self.talked(text, "a", "c"), (5, 2))

    def test_holding_and_parking_bridges_connect_nobody(self):
        text = start(10, "a", "b") + enter(11, "1", "a", "b", technology="holding_bridge") + leave(15, "1", "a", "b")
        self.assertFalse(cel.read(text).pairs)

    def test_a_conference_talks_but_has_no_pairs(self):
        text = (start(10, "a") + start(10, "b", linkedid="b") + enter(11, "1", "a", technology="softmix", app="ConfBridge")
                + enter(12, "1", "b", linkedid="b", technology="softmix", app="ConfBridge") + leave(15, "1", "b", linkedid="b")
                + leave(19, "1", "a"))
        truth = cel.read(text)
        self.assertFalse(truth.pairs)
        self.assertEqual([call.talk.seconds for call in truth.calls.values()], [3, 3])
        self.assertEqual([c["to"] - c["from"] for c in truth.conferences], [8, 3])

    def test_the_oldest_linkedid_is_that_of_all(self):
        text = (start(10, "a") + start(10, "c", linkedid="c") + enter(11, "1", "c", linkedid="c") + enter(12, "1", "a")
                + leave(15, "1", "a") + leave(15, "1", "c"))
        truth = cel.read(text)
        self.assertEqual(truth.calls[IDS["a"]].talk.seconds, 3)
        self.assertEqual(truth.calls[IDS["c"]].talk.seconds, 0)

    def test_a_hang_up_closes_what_no_exit_did(self):
        self.assertEqual(self.talked(start(10, "a", "b") + enter(11, "1", "a", "b") + hangup(14, "a"), "a", "b"), (3, 1))

    def test_who_picks_up_an_answered_phone_is_in_its_bridge(self):
        text = (start(10, "a", "b") + start(12, "c", linkedid="c") + enter(11, "1", "b", "a")
                + line("PICKUP", 13, "b", pickup_channel=NAMES["c"], pickup_channel_uniqueid=IDS["c"]) + hangup(13, "b")
                + leave(18, "1", "c") + leave(18, "1", "a"))
        self.assertEqual(self.talked(text, "a", "c"), (5, 1))
        self.assertEqual(self.talked(text, "a", "b"), (2, 1))

    def stays(self, text):
        truth = cel.read(text)
        return [(c["uniqueid"], c["to"] - c["from"]) for c in truth.conferences]

    def test_who_picks_up_a_phone_in_a_conference_is_in_it_instead(self):
        conference = dict(technology="softmix", app="ConfBridge")
        text = (start(10, "a", "b") + start(12, "c", linkedid="c") + enter(11, "1", "b", "a", **conference)
                + line("PICKUP", 13, "b", pickup_channel=NAMES["c"], pickup_channel_uniqueid=IDS["c"]) + hangup(13, "b")
                + leave(18, "1", "c") + leave(19, "1", "a"))
        self.assertEqual(self.stays(text), [(IDS["b"], 2), (IDS["a"], 8), (IDS["c"], 5)])

    def test_who_hears_a_conference_through_a_local_channel_is_in_it(self):
        text = (start(10, "a", "x1", "x2", "c") + enter(11, "1", "a", "x1", technology="softmix", app="ConfBridge")
                + enter(13, "2", "c", "x2") + leave(16, "2", "c") + leave(18, "1", "a"))
        self.assertEqual(self.stays(text), [(IDS["a"], 7), (IDS["c"], 3)])

    def test_a_cut_second_widens_what_is_equal(self):
        self.assertEqual(cel.read(PLAIN).tolerance(2), 2.1)
        self.assertEqual(cel.read(line("CHAN_START", 10, "a", fraction=".250000")).tolerance(2), 0.1)

    def ended_by(self, text):
        truth = cel.read(text)
        return cel.ended_by(truth, truth.calls[IDS["a"]])

    def test_who_ended_a_call(self):
        talk = start(10, "a", "b") + enter(11, "1", "b", "a") + leave(16, "1", "a", "b")
        self.assertEqual(self.ended_by(talk + hangup(16, "b", "b") + hangup(16, "a", "b")), NAMES["b"])
        self.assertEqual(self.ended_by(talk + hangup(16, "b") + hangup(16, "a", "dialplan/builtin")), "dialplan/builtin")
        self.assertIsNone(self.ended_by(talk + hangup(16, "b") + hangup(16, "a")))
        self.assertIsNone(self.ended_by(talk + hangup(16, "b", "b") + hangup(19, "a", "b")), "the call went on")

    def test_a_phone_tried_after_the_last_conversation_hides_who_ended_the_call(self):
        talk = start(10, "a", "b") + enter(11, "1", "b", "a") + leave(16, "1", "a", "b") + hangup(16, "b", "b")
        self.assertIsNone(self.ended_by(talk + start(16, "c") + hangup(16, "c") + hangup(16, "a", "b")))

    def test_who_refuses_an_origination_ended_nothing(self):
        refused = line("HANGUP", 10, "a", app="AppDial2", hangupcause=17, hangupsource=NAMES["a"])
        self.assertIsNone(self.ended_by(start(10, "a") + refused))
        self.assertEqual(self.ended_by(start(10, "a") + line("ANSWER", 10, "a") + refused), NAMES["a"])

    def test_who_left_a_conversation_that_went_on_ended_nothing(self):
        text = (start(10, "a", "b", "c") + enter(11, "1", "b", "a", "c") + leave(13, "1", "a") + hangup(13, "a", "a")
                + leave(13, "1", "b", "c") + hangup(13, "b", "b") + hangup(13, "c", "b"))
        self.assertEqual(self.ended_by(text), NAMES["b"])

    def attended(self, target):
        truth = cel.read(start(10, "a", "b", "x1", "x2", "c") + line("ANSWER", 10, "b") + enter(11, "1", "b", "a")
                         + leave(12, "1", "b") + enter(12, "2", "x1", "b") + target + leave(14, "2", "b") + leave(14, "2", "x1")
                         + enter(14, "1", "x1")
                         + line("ATTENDEDTRANSFER", 14, "b", bridge1_id="1", bridge2_id="2", channel2_uniqueid=IDS["b"],
                                transferee_channel_uniqueid=IDS["a"], transfer_target_channel_uniqueid="N/A"))
        [transfer] = truth.transfers
        self.assertEqual(transfer["uniqueid"], IDS["b"])
        return transfer["transfer"]

    def test_attended_and_blonde_transfers(self):
        self.assertEqual(self.attended(line("ANSWER", 13, "c") + enter(13, "3", "c", "x2")), "attended")
        self.assertEqual(self.attended(line("ANSWER", 13, "x2", app="Playback")), "attended")
        self.assertEqual(self.attended(""), "blonde")

    def test_a_queue_that_answered_waits_for_somebody(self):
        waiting = line("ANSWER", 13, "x2", app="Answer") + line("APP_START", 13, "x2", app="Queue")
        self.assertEqual(self.attended(waiting), "blonde")
        self.assertEqual(self.attended(waiting + line("ANSWER", 13, "c") + enter(13, "3", "c", "x2", app="Queue")), "attended")

    def test_blind_transfers_and_parking(self):
        truth = cel.read(start(10, "a", "b") + line("BLINDTRANSFER", 12, "b", extension="105", context="in", bridge_id="1")
                         + line("PARK_START", 13, "a", parking_lot="default")
                         + line("PARK_END", 17, "a", reason="ParkedCallTimeOut"))
        self.assertEqual([(t["transfer"], t["transferred_to"]) for t in truth.transfers], [("blind", "105")])
        self.assertEqual([(p["outcome"], p["to"] - p["from"]) for p in truth.parks], [("timeout", 4)])


RECORD = {
    "linkedid": IDS["a"], "talk_seconds": 5.4, "hung_up_by": NAMES["a"], "hung_up_side": "caller",
    "legs": [{"uniqueid": IDS[who], "channel": NAMES[who], "interface": NAMES[who][:-9], "cause": 16,
              "answer": "2026-11-21T01:07:11.900000Z", "start": "2026-11-21T01:07:10.100000Z",
              "end": "2026-11-21T01:07:16.200000Z", "talk_seconds": 5.4} for who in ("a", "b")],
    "talks": [{"a": {"uniqueid": IDS["a"]}, "b": {"uniqueid": IDS["b"]}, "from": "x", "talk_seconds": 5.4}],
    "transfers": [], "pickups": [], "parks": [], "conferences": []}


class Comparing(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)
        folder = self.top / "story"
        folder.mkdir()
        (folder / "ami.raw").write_text("")
        (folder / "cel.csv").write_text(PLAIN)
        program = self.top / "amitap"
        program.write_text(f"#!{sys.executable}\nimport pathlib\n"
                           "print((pathlib.Path(__file__).parent / 'answer').read_text(), end='')\n")
        program.chmod(0o755)

    def compare(self, *records, options=()):
        (self.top / "answer").write_text("".join(json.dumps(record) + "\n" for record in records))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = journeys.main(["--amitap", str(self.top / "amitap"), *options, str(self.top / "story")])
        self.output = output.getvalue()
        return status

    def changed(self, path, value):
        record = json.loads(json.dumps(RECORD))
        *way, last = path
        here = record
        for step in way:
            here = here[step]
        here[last] = value
        return record

    def test_the_same_is_the_same(self):
        self.assertEqual(self.compare(RECORD), 0, getattr(self, "output", ""))
        self.assertTrue(self.output.endswith("8 passed, 0 failed\n"))

    def test_every_field_counts(self):
        late = "2026-11-21T01:07:19Z"
        for path, value in ((("talk_seconds",), 7), (("hung_up_by",), NAMES["b"]), (("hung_up_side",), "called"),
                            (("legs", 1, "talk_seconds"), 3.8), (("legs", 0, "cause"), 17), (("legs", 1, "end"), late),
                            (("legs", 1, "answer"), None), (("legs", 1, "interface"), "PJSIP/9"), (("legs",), []),
                            (("talks", 0, "talk_seconds"), 7), (("talks",), []),
                            (("transfers",), [{"transfer": "blind", "uniqueid": IDS["b"], "transferred_to": "1",
                                               "context": "x", "time": late}]),
                            (("pickups",), [{"uniqueid": IDS["b"], "target": "x", "time": late}]),
                            (("parks",), [{"uniqueid": IDS["b"], "parking_lot": "x", "outcome": None, "from": late,
                                           "to": None}]),
                            (("conferences",), [{"uniqueid": IDS["b"], "from": late, "to": None}])):
            with self.subTest(path):
                self.assertEqual(self.compare(self.changed(path, value)), 1)

    def test_a_missing_record_and_one_too_many(self):
        self.assertEqual(self.compare(), 1)
        self.assertEqual(self.compare(RECORD, dict(RECORD, linkedid="other", legs=[], talks=[])), 1)

    def test_a_known_difference_is_none(self):
        (self.top / "known").write_text(f"[why]\n{self.top.name}/story talked {IDS['a']} talk_seconds\n")
        self.assertEqual(self.compare(self.changed(("talk_seconds",), 9), options=["--known", str(self.top / "known")]), 0)
        self.assertEqual(self.compare(RECORD, options=["--known", str(self.top / "known")]), 1)

    def test_a_run_that_fails(self):
        (self.top / "amitap").write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
        self.assertEqual(self.compare(RECORD), 1)

    def test_the_list_names_kinds_that_are_compared(self):
        here = pathlib.Path(__file__).parent / "known"
        kinds = {entry.kind for entry in known.read(here)}
        self.assertLessEqual(kinds, set(journeys.READERS) | {"cdr", "queue_log", "queue", "call"})


if __name__ == "__main__":
    unittest.main()
