#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amitap against a real Apache Kafka: amisim plays the recordings, a consumer holds what arrives against the contracts
and against what `amitap replay` prints for the same stream.

usage: run.py [--outage SECONDS] [--seed N] [--amitap FILE] [STAGE…]
stages: played, topics, outage, restart, unready, empty, killed, twotaps, rate, secure
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import confluent_kafka
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

import examples
import records
import twotaps
from broker import Broker
from middle import Middle

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
from fault_log import FaultLog  # noqa: E402
from programs import Programs, end, stop  # noqa: E402
from relay import Relay  # noqa: E402
from report import Report  # noqa: E402
from stored import query  # noqa: E402
from waiting import free_port, until  # noqa: E402

WORK = ROOT / "build/kafka"
CRASHING = ROOT / "build/crash/amitap"
TWIN_KILLS = 10
CONFIGURATION = """pbx main {{
  host = 127.0.0.1
  port = {port}
  user = tap
  secret = tapsecret
  drift_interval = 0  # what it asks for in between is told with the time of its arrival, which no recording has
}}
store {{ path = "{folder}/amitap.db" }}
kafka {{
  brokers = "{brokers}"
  topic_prefix = "{prefix}"
  properties = {{ {properties} }}
}}
"""


class Checks(Report):
    LENGTH = 400

    def __init__(self):
        super().__init__()
        self.fault_log = FaultLog("kafka")

    def none(self, faults, what):
        faults = list(faults)
        self.say(not faults, what + (f" ({len(faults)} faults)" if faults else ""), faults)


class Simulator(Programs):
    """amisim, playing the folders."""

    def __init__(self, folder, *options, folders):
        super().__init__(folder)
        self.port = self.start_amisim(ROOT / "build/amisim", "--summary", folder / "summary.json", *options, *folders)

    def played(self):
        """amisim writes its summary when all was played and sent."""
        try:
            return '"finished":true' in (self.folder / "summary.json").read_text()
        except FileNotFoundError:
            return False


class Tap:
    """amitap run, in a folder, as often as it is started."""
    binary = ROOT / "build/amitap"

    def __init__(self, folder, port, broker, prefix, brokers=None):
        self.folder, self.process = folder, None
        self.config = folder / "amitap.conf"
        properties = ", ".join(f'"{p}"' for p in broker.properties())
        self.config.write_text(CONFIGURATION.format(port=port, folder=folder, brokers=brokers or broker.address,
                                                    prefix=prefix, properties=properties))

    def start(self, crash=""):
        """crash: a named place, and how often it is passed before the process dies there (make CRASH_POINTS=1)."""
        program = CRASHING if crash else Tap.binary
        with open(self.folder / "amitap.log", "ab") as log:
            self.process = subprocess.Popen([program, "run", "-c", self.config], env=dict(os.environ, AMITAP_CRASH=crash),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def dies(self):
        """Waits for its end; whether that was a kill."""
        try:
            return self.process.wait(30) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            end(self.process)
            return False

    def stop(self):
        """Its exit status, also that of a kill."""
        status = stop(self.process) if self.process else 0
        self.process = None
        return status

    def log(self):
        return (self.folder / "amitap.log").read_text(errors="replace")

    def waiting(self):
        """How many committed records Kafka has not acknowledged, as the outbox's file has it."""
        return query(self.folder / "amitap.db-outbox", "SELECT count(*) FROM facts WHERE seq > "
                     "(SELECT coalesce(max(seq), 0) FROM cursors WHERE sink = 'kafka')")[0][0]


def wait_until(what, limit, done):
    """Whether it came about; says so when it did not."""
    came = bool(until(done, limit, 0.2))
    if not came:
        print(f"   {what}: not within {limit} s", flush=True)
    return came


def fresh_folder(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def captures():
    return sorted(path.parent for path in (ROOT / "tests/captures").glob("*/ami.raw"))


def named(*names):
    return [ROOT / "tests/captures" / name for name in names]


class Play:
    """One stage: amisim, a relay, amitap and the topics behind a prefix of its own."""

    def __init__(self, name, broker, *options, folders=None, brokers=None):
        self.name, self.broker, self.prefix = name, broker, f"{name}."
        self.folder = fresh_folder(f"stage-{name}")
        self.simulator = Simulator(self.folder, *options, folders=folders or captures())
        self.relay = Relay(self.simulator.port, self.folder)
        self.tap = Tap(self.folder, self.relay.port, broker, self.prefix, brokers)

    def finish(self, checks, limit=200):
        """Waits for the end of the stream and of its way to Kafka, and stops everything."""
        done = wait_until("the stream's end", limit, self.simulator.played)
        time.sleep(1)
        done = wait_until("the last acknowledgement", 60, lambda: self.tap.waiting() == 0) and done
        status = self.tap.stop()
        left = self.tap.waiting()
        self.close()
        checks.say(done and status == 0 and left == 0,
                   f"{self.name}: the stream was played and published, amitap ended with {status}, {left} records left")

    def database(self):
        return (self.folder / "amitap.db").exists()

    def close(self):
        self.tap.stop()
        self.relay.close()
        self.simulator.end_all()

    def check(self, checks, contracts, repeats=True, fault=None, injected=1):
        """Everything that is true of any stream. repeats: live state that says again what it said counts, too. fault:
        the fault log's name of what was injected."""
        messages = records.consume(self.broker.client(), self.prefix)
        distinct = records.dropped_doubles(messages)
        checks.none(records.double_faults(messages),
                    f"{self.name}: {len(messages)} messages, {len(messages) - len(distinct)} doubles, the same each time")
        checks.none((fault for m in distinct for fault in records.envelope_faults(m, self.prefix)),
                    f"{self.name}: topics, keys and headers are as they should be")
        checks.none((fault for m in distinct for fault in contracts.schema_faults(m)),
                    f"{self.name}: every value fits its schema")
        checks.none(records.call_key_faults(distinct), f"{self.name}: a call keeps the key that it began with")
        checks.none(records.sequence_faults(distinct), f"{self.name}: ce_sequence orders a call's facts across topics")
        expected = records.replayed(Tap.binary, self.tap.config, self.relay.files)
        found = distinct if repeats else records.without_repeats(distinct, records.Message.record)
        if not repeats:
            expected = records.without_repeats(expected)
        gaps = [m.record() for m in distinct if m.kind == "gap"]
        blind = records.touched(expected, gaps)
        checks.none(records.comparison_faults(found, expected, blind),
                    f"{self.name}: {len(expected)} records as replay prints them, each once, in order per key, but for "
                    f"{len(blind)} calls and queues in {len(gaps)} gaps")
        ids = {m.id for m in found}
        checks.none((id for id in kept(self) if id not in ids), f"{self.name}: all records of the history are on Kafka")
        if fault:
            expected = [record for record in expected if record["kind"] not in records.CLOCKED]
            missing = [record for record in expected if record["id"] not in ids]
            checks.fault_log.add(fault, injected=injected, sent=len(expected), found=len(expected) - len(missing),
                                 doubles=len(messages) - len(distinct),
                                 lost=sum(records.entity(record) not in blind for record in missing),
                                 blind_seconds=records.seconds(gaps))
        tombs = sum(m.value is None for m in distinct)
        kinds = collections.Counter(m.kind for m in distinct)
        checks.say(tombs and len(kinds) > 10, f"{self.name}: {len(kinds)} kinds, {tombs} tombstones")
        return messages


def stage_played(broker, checks, contracts, options):
    play = Play("played", broker, "--pace", "4", "--together")
    play.tap.start()
    play.finish(checks)
    messages = play.check(checks, contracts)
    check_topics(broker, play.prefix, checks)
    examples.check(checks, broker, play.prefix, messages, play.folder)


def check_topics(broker, prefix, checks):
    """amitap made the topics with their stated partitions and policies."""
    admin = AdminClient(broker.client())
    there = admin.list_topics(timeout=20).topics
    resources = [ConfigResource(ConfigResource.Type.TOPIC, prefix + topic) for topic in records.TOPICS]
    policies = {resource.name: future.result()["cleanup.policy"].value
                for resource, future in admin.describe_configs(resources).items()}
    checks.none((f"{prefix}{topic}: {len(there[prefix + topic].partitions)} partitions, {policies[prefix + topic]}"
                 for topic, row in records.TOPICS.items()
                 if len(there[prefix + topic].partitions) != row["partitions"] or
                 policies[prefix + topic] != row["policy"]),
                "topics: made with the partitions and policies of topics.def")


def make_topics(broker, prefix):
    """As amitap would, so that they are ready when it comes."""
    made = [NewTopic(prefix + name, row["partitions"], 1, config={"cleanup.policy": row["policy"]})
            for name, row in records.TOPICS.items()]
    admin = AdminClient(broker.client())
    for future in admin.create_topics(made).values():
        future.result()
    time.sleep(1)


def stage_topics(broker, checks, contracts, options):
    """Topics that are there and do not fit are named, and nothing is published until they do."""
    prefix = "topics."
    admin = AdminClient(broker.client())
    wrong = [NewTopic(prefix + "cdr", 3, 1), NewTopic(prefix + "calls-state", 6, 1),
             NewTopic(prefix + "queues", 6, 1, config={"cleanup.policy": "compact"})]
    for future in admin.create_topics(wrong).values():
        future.result()
    time.sleep(1)
    folder = [ROOT / "tests/captures/answered"]
    play = Play("topics", broker, "--pace", "20", folders=folder)
    play.tap.start()
    wait_until("the stream's end", 60, play.simulator.played)
    wait_until("a line about topics", 20, lambda: "should have" in play.tap.log())
    time.sleep(2)
    log = play.tap.log()
    checks.say("topic topics.cdr has 3 partitions and should have 6" in log and log.count("should have") == 1,
               "topics: wrong partitions are told before anything else is made", [] if "should have" in log else [log])
    for future in admin.delete_topics([prefix + "cdr"]).values():
        future.result()
    done = wait_until("a line about policies", 45, lambda: "cleanup.policy" in play.tap.log())
    log = play.tap.log()
    checks.say(done and "topic topics.calls-state has cleanup.policy=delete and should have compact" in log and
               "topic topics.queues has cleanup.policy=compact and should have delete" in log,
               "topics: wrong policies are told", [] if done else [log])
    waiting = play.tap.waiting()
    checks.say(waiting > 0, f"topics: {waiting} records wait in the outbox meanwhile")
    for future in admin.delete_topics([prefix + "calls-state", prefix + "queues"]).values():
        future.result()
    done = wait_until("the last acknowledgement", 45, lambda: play.tap.waiting() == 0)
    checks.say(done and play.tap.stop() == 0, "topics: published once they fit")
    play.close()
    check_topics(broker, prefix, checks)


def stage_outage(broker, checks, contracts, options):
    """The broker is killed in the middle and away for a while; amitap began before it was there."""
    broker.stop()
    play = Play("outage", broker, "--pace", "1", "--together")
    play.tap.start()
    time.sleep(3)
    checks.say("cannot publish" in play.tap.log() and play.tap.process.poll() is None,
               "outage: a broker that is absent at the start is a warning")
    broker.start()
    wait_until("records", 30, lambda: "publishing again" in play.tap.log())
    time.sleep(15)
    broker.kill()
    print(f"      the broker is away for {options.outage} s", flush=True)
    time.sleep(options.outage)
    waiting = play.tap.waiting()
    begin = time.monotonic()
    broker.start()
    wait_until("all that waited", 60, lambda: play.tap.waiting() < 50)
    checks.say(waiting > 500, f"outage: {waiting} records waited; they were published "
                              f"{time.monotonic() - begin:.1f} s after Kafka was started")
    play.finish(checks, limit=240)
    log = play.tap.log()
    checks.say(log.count("cannot publish") == 2 and log.count("publishing again") == 2,
               "outage: each change of state is one line", [] if log.count("cannot publish") == 2 else [log])
    play.check(checks, contracts, fault="broker killed and away")


def stage_restart(broker, checks, contracts, options):
    """amitap is stopped in the middle, and started again; amisim holds its stream meanwhile."""
    play = Play("restart", broker, "--pace", "4", "--together", "--hold")
    play.tap.start()
    for _ in range(2):
        time.sleep(7)
        checks.say(play.tap.stop() == 0 and not play.simulator.played(), "restart: amitap stopped in the middle")
        time.sleep(1)
        play.tap.start()
    play.finish(checks)
    play.check(checks, contracts, repeats=False, fault="amitap stopped, Kafka's records under way", injected=2)


def stage_unready(broker, checks, contracts, options):
    """The broker is slow, and does not lead some partitions yet when a producer's first request for them comes, and does for the next
    one. It knows nothing of that producer and takes any sequence number as its first."""
    middle = Middle(broker.middle, broker.behind, delay=0.1, refuse="unready.calls-state")
    folders = named("answered", "busy", "cancelled-by-caller", "internal-call", "no-answer-then-playback", "park-retrieve",
                    "queue-abandon", "hold-and-resume", "queue-answered", "pickup", "ring-group", "local-forward")
    play = Play("unready", broker, "--pace", "8", folders=folders,
                brokers=f"127.0.0.1:{broker.middle}")
    play.tap.start()
    play.finish(checks)
    middle.close()
    checks.say(middle.refused >= 4, f"unready: {middle.refused} first requests were refused")
    checks.say(middle.overtaken == 0, f"unready: {middle.overtaken} of them were overtaken by the next")
    play.check(checks, contracts, fault="broker slow, and not leading a partition yet", injected=middle.refused)


def kept(play):
    """The history's records by their ids: their bodies."""
    return {identity: body for table in records.TABLES
            for identity, body in query(play.folder / "amitap.db", f"SELECT ce_id, body FROM {table}")}


def republish(play, *arguments):
    return subprocess.run([Tap.binary, "republish", "-c", play.tap.config, *arguments], capture_output=True, text=True,
                          check=False, timeout=120)


def stage_empty(broker, checks, contracts, options):
    """The cluster comes back as a new one without topics; republish fills it."""
    play = Play("empty", broker, "--pace", "6", "--together", folders=captures()[::3])
    play.tap.start()
    wait_until("records of calls", 60, lambda: play.database() and len(kept(play)) > 100 and play.tap.waiting() < 10)
    broker.kill()
    broker.format()
    broker.start()
    done = wait_until("the new topics", 60, lambda: "made anew" in play.tap.log())
    checks.say(done and "amitap republish" in play.tap.log(), "empty: a line says that the topics are new",
               [] if done else [play.tap.log()])
    wait_until("the stream's end", 120, play.simulator.played)
    wait_until("the last acknowledgement", 60, lambda: play.tap.waiting() == 0)
    before = {m.id for m in records.consume(broker.client(), play.prefix)}
    missing = [id for id in kept(play) if id not in before]
    checks.say(missing, f"empty: {len(missing)} records of the history are not in the new cluster")
    done = republish(play, "--from", "2020-01-01")
    checks.say(done.returncode == 0, f"empty: {done.stdout.strip()}", [done.stderr] if done.returncode else [])
    time.sleep(2)
    play.finish(checks)
    history = kept(play)
    messages = records.consume(broker.client(), play.prefix)
    found = {m.id: m for m in records.dropped_doubles(messages)}
    lost = [id for id in history if id not in found]
    checks.none(lost, f"empty: {len(history)} records of the history are each found by their ce_id")
    checks.none((id for id in history if id in found and found[id].value.decode() != history[id]), "empty: with the same body")
    checks.none(records.double_faults(messages), "empty: doubles have the same topic, key, headers and body")
    checks.none((fault for m in found.values() for fault in records.envelope_faults(m, play.prefix)),
                "empty: topics, keys and headers are as they should be")
    sent = [r["id"] for r in records.replayed(Tap.binary, play.tap.config, play.relay.files) if r["kind"] in records.KEPT]
    checks.none((id for id in sent if id not in found), f"empty: {len(sent)} records of a clean replay that the history keeps")
    checks.fault_log.add("broker back as an empty cluster, then republish", injected=1, sent=len(sent),
                         found=sum(id in found for id in sent), doubles=len(messages) - len(found),
                         lost=sum(id not in found for id in sent))
    check_refusals(play, checks)


def check_refusals(play, checks):
    text = play.tap.config.read_text()
    play.tap.config.write_text(text.replace("topic_prefix", "privacy = digits\n  topic_prefix"))
    done = republish(play, "--from", "2020-01-01")
    checks.say(done.returncode == 1 and "privacy differs" in done.stderr,
               f"republish: {done.stderr.strip().removeprefix('amitap: republish: ')}")
    play.tap.config.write_text(text)
    done = republish(play, "--from", "2020-01-01", "--to", "2020-02-01")
    checks.say(done.returncode == 0 and done.stdout.startswith("0 records"), f"republish: {done.stdout.strip()}")
    checks.say(republish(play).returncode == 2, "republish: without --from it is called wrongly")


def stage_killed(broker, checks, contracts, options):
    """amitap is killed where a record was handed to the producer, where one was acknowledged, and where the cursor is
    being saved; amisim holds its stream meanwhile."""
    make_topics(broker, "killed.")
    play = Play("killed", broker, "--pace", "2", "--together", "--hold", "--timestamps", "now", folders=named(
        "answered", "busy", "cancelled-by-caller", "queue-answered", "hold-and-resume", "internal-call",
        "ivr-timeout-to-dial", "no-answer-then-playback", "queue-abandon"))
    points = ("produced:40", "acked:30", "cursor_moved:2", "acked:1")
    for point in points:
        play.tap.start(point)
        checks.say(play.tap.dies(), f"killed: at {point}")
    play.tap.start()
    play.finish(checks)
    messages = records.consume(broker.client(), play.prefix)
    distinct = records.dropped_doubles(messages)
    found = {m.id: m for m in distinct}
    history = kept(play)
    gaps = [json.loads(body) for body in history.values() if json.loads(body)["kind"] == "gap"]
    sent = records.replayed(Tap.binary, play.tap.config, play.relay.files)
    missing = [record["id"] for record in sent if record["id"] not in found]
    lost = [id for id in missing if id not in records.in_gaps(sent, gaps)]
    checks.none((id for id in history if id not in found), f"killed: {len(history)} records of the history are on Kafka")
    checks.none(lost, f"killed: {len(sent)} records as replay prints them, all but {len(missing)} in {len(gaps)} gaps")
    checks.none(records.double_faults(messages), f"killed: {len(messages) - len(distinct)} doubles, the same each time")
    checks.none(records.order_faults(distinct), "killed: order per key holds once doubles are dropped")
    checks.fault_log.add("killed -9 with records under way to Kafka", injected=len(points), sent=len(sent),
                         found=len(sent) - len(missing), doubles=len(messages) - len(distinct), lost=len(lost),
                         blind_seconds=records.seconds(gaps))


def stage_twotaps(broker, checks, contracts, options):
    """Two taps on one PBX publish to the same topics; either is killed at any moment, never both at once. The consumer's
    recipe for two taps (examples/consumers) gives each fact once."""
    print(f"      twotaps: --seed {options.seed}", flush=True)
    folder, chance = fresh_folder("stage-twotaps"), random.Random(options.seed)
    simulator = Simulator(folder, "--timestamps", "now", "--loop", "0", "--together", "--wait-clients", "3", "--seed",
                          str(options.seed), *twotaps.copies(3, folder), folders=named(*twotaps.APART))
    twins = [twotaps.Twin(Tap(fresh_folder(f"stage-twotaps/{name}"), simulator.port, broker, "twotaps."), name)
             for name in ("tap1", "tap2")]
    witness = twotaps.Witness(Tap.binary, twins[0].tap, folder)
    try:
        good = kill_in_turn(twins, chance, TWIN_KILLS)
        witness.stop()
    finally:
        for twin in twins:
            twin.tap.stop()
        simulator.end_all()
    left = [twin.tap.waiting() for twin in twins]
    checks.say(good and left == [0, 0], f"twotaps: {TWIN_KILLS} times one of them was killed; {left} records left")
    check_twins(checks, contracts, twins, records.consume(broker.client(), "twotaps."), witness.clean())


def kill_in_turn(twins, chance, times):
    """Either at any moment while the other follows. Whether each came back and ended well."""
    for twin in twins:
        twin.begin()
    begin = time.monotonic()
    followed = all([wait_until("a tap that follows", 20, twin.follows) for twin in twins])
    for _ in range(times if followed else 0):
        time.sleep(chance.uniform(0.3, 1.5))
        twin = chance.choice(twins)
        twin.die()
        print(f"      {twin.name} killed {time.monotonic() - begin:.1f} s on", flush=True)
        time.sleep(chance.uniform(0.0, 0.8))
        twin.begin()
        if not wait_until("a tap that follows", 20, twin.follows):
            return False
    wait_until("the last acknowledgement", 20, lambda: all(twin.tap.waiting() < 50 for twin in twins))
    time.sleep(1)  # of more events, behind which nobody dies
    statuses = [twin.tap.stop() for twin in twins]
    return followed and statuses == [0, 0]


def check_twins(checks, contracts, twins, messages, clean):
    distinct, figures = records.dropped_doubles(messages), collections.Counter()
    checks.none(twotaps.double_faults(messages),
                f"twotaps: {len(messages)} messages, {len(messages) - len(distinct)} doubles; but for states the same from either tap")
    checks.none((fault for m in distinct for fault in records.envelope_faults(m, "twotaps.") + contracts.schema_faults(m)),
                "twotaps: topics, keys and headers are as they should be, every value fits its schema")
    ids = {m.id for m in distinct}
    checks.none((id for twin in twins for id in kept(twin.tap) if id not in ids),
                "twotaps: all records of both histories are on Kafka")
    faults = twotaps.merge_faults(messages, twins, clean, figures)
    checks.none(faults, f"twotaps: a consumer of both holds each fact once: {figures['found']} of {figures['sent']} observed")
    checks.none(twotaps.state_faults(messages, twins, clean), "twotaps: it holds the live states that the PBX has")
    checks.fault_log.add("one of two taps killed, one consumer on Kafka", injected=TWIN_KILLS, sent=figures["sent"],
                         found=figures["found"], doubles=len(messages) - len(distinct), lost=figures["lost"],
                         blind_seconds=figures["blind"])


class Watcher:
    """A consumer that is there from the beginning: when did each call_ringing come?"""

    def __init__(self, broker, prefix):
        self.came = {}
        self.stopping = False
        self.consumer = confluent_kafka.Consumer(
            broker.client() | {"group.id": "watcher", "enable.auto.commit": False, "fetch.wait.max.ms": 100,
                               "fetch.queue.backoff.ms": 1})
        self.consumer.assign([confluent_kafka.TopicPartition(prefix + "call-events", p, 0)
                              for p in range(records.TOPICS["call-events"]["partitions"])])
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.stopping:
            for message in self.consumer.consume(500, timeout=0.05):
                now = time.time()
                if not message.error() and dict(message.headers())["ce_type"] == b"amitap.call_ringing.v0":
                    self.came[dict(message.headers())["ce_subject"].decode()] = now
        self.consumer.close()

    def stop(self):
        self.stopping = True
        self.thread.join()
        return self.came


def sent_ringing(path):
    """When amisim sent the event by which each channel began to ring."""
    sent = {}
    for line in path.read_text().splitlines():
        words = line.split("\t") if "\t" in line else line.split()
        if len(words) >= 3 and words[1] == "Newstate":
            sent.setdefault(words[2], []).append(int(words[0]) / 1e6)
    return sent


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def stage_rate(broker, checks, contracts, options):
    """Ring to consumer at 1,000 events a second."""
    play = Play("rate", broker, "--rate", "1000", "--timestamps", "now", "--together", "--copies", "2",
                "--log-sent", WORK / "stage-rate/sent.log")
    play.relay.close()
    play.tap = Tap(play.folder, play.simulator.port, broker, play.prefix)
    play.tap.process = None
    make_topics(broker, play.prefix)
    watcher = Watcher(broker, play.prefix)
    time.sleep(2)
    play.tap.start()
    done = wait_until("the stream's end", 120, play.simulator.played)
    time.sleep(2)
    came = watcher.stop()
    play.close()
    sent = sent_ringing(play.folder / "sent.log")
    delays = []
    for channel, at in came.items():
        before = [t for t in sent.get(channel, []) if t <= at]
        if before:
            delays.append((at - min(before, key=lambda t: at - t)) * 1000)
    checks.say(done and len(delays) > 200, f"rate: {len(delays)} of {len(came)} phones that rang were found in amisim's log")
    if delays:
        print(f"      ring to consumer at 1,000 events/s, {len(delays)} rings: median {percentile(delays, .5):.1f} ms, "
              f"p99 {percentile(delays, .99):.1f} ms, longest {max(delays):.1f} ms (goal: p99 below 100 ms)", flush=True)
        checks.say(percentile(delays, .5) < 1000, "rate: half of them within a second")


def stage_secure(broker, checks, contracts, options):
    """The same over TLS, with SASL/SCRAM and the password in a file."""
    play = Play("secure", broker, "--pace", "20", "--together")
    play.tap.start()
    play.finish(checks)
    examples.check(checks, broker, play.prefix, play.check(checks, contracts), play.folder)
    checks.say("secret" not in play.tap.config.read_text().replace("tapsecret", "").replace("secret =", "") and
               "# secret" not in play.tap.log(), "secure: the password stands neither in the configuration nor in the log")
    wrong = Broker.client(broker) | {"sasl.password": "wrong"}
    folder = fresh_folder("stage-refused")
    (folder / "password").write_text(wrong["sasl.password"])
    tap = Tap(folder, free_port(), broker, "secure.")
    tap.config.write_text(tap.config.read_text().replace(str(broker.folder / "password"), str(folder / "password")))
    tap.start()
    done = wait_until("a line about the refusal", 20, lambda: "cannot publish" in tap.log())
    checks.say(done and "uthentication" in tap.log(), "secure: a wrong password is told", [] if done else [tap.log()])
    tap.stop()


STAGES = {"played": stage_played, "topics": stage_topics, "outage": stage_outage, "restart": stage_restart,
          "unready": stage_unready, "empty": stage_empty, "killed": stage_killed, "twotaps": stage_twotaps,
          "rate": stage_rate, "secure": stage_secure}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outage", type=float, default=30, help="seconds without a broker (default 30)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of what is left to chance")
    parser.add_argument("--amitap", type=pathlib.Path, default=Tap.binary, help="another build of it")
    parser.add_argument("stages", nargs="*", metavar="STAGE", choices=[*STAGES, []])
    options = parser.parse_args()
    Tap.binary = options.amitap.resolve()
    checks, contracts = Checks(), records.Contracts()
    for secure in (False, True):
        names = [name for name in options.stages or STAGES if (name == "secure") == secure]
        if not names:
            continue
        broker = Broker(WORK / ("broker-secure" if secure else "broker"), secure)
        broker.start()
        try:
            for name in names:
                STAGES[name](broker, checks, contracts, options)
        finally:
            broker.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
