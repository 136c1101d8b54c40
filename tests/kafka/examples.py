# SPDX-License-Identifier: MIT
"""The example consumers against a broker: what they print is what the records say, each once though some come twice."""
import json
import pathlib
import shutil
import subprocess
import sys
import time
import uuid

import confluent_kafka

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
from programs import stop  # noqa: E402
from waiting import until  # noqa: E402

EXAMPLES = ROOT / "examples/consumers"
NODE = ROOT / "build/examples/node"
DOUBLES = 200
LIMIT = 60
PRINTED = ("call_ringing", "call", "cdr")


def programs():
    """Each example's command; kafkajs is installed once, in a copy of its folder."""
    NODE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "consumer.js"):
        shutil.copy(EXAMPLES / "javascript" / name, NODE / name)
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]["kafkajs"]
    there = NODE / "node_modules/kafkajs/package.json"
    if not there.exists() or json.loads(there.read_text())["version"] != wanted:
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=NODE, check=True)
    return {"c": [ROOT / "build/examples/consumer"],
            "python": [sys.executable, EXAMPLES / "python/consumer.py"],
            "javascript": ["node", NODE / "consumer.js"]}


def lines_of(records):
    """What an example prints of these records, in their order."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    run = subprocess.run([sys.executable, EXAMPLES / "python/consumer.py", "-"], input=text, stdout=subprocess.PIPE,
                         text=True, check=True)
    return run.stdout.splitlines()


def deliver_again(client, messages):
    """The first messages that are printed once more, as after a restart of amitap."""
    producer = confluent_kafka.Producer(client)
    again = [message for message in messages if message.kind in PRINTED][:DOUBLES]
    for message in again:
        producer.produce(message.topic, message.value, message.key, message.partition, headers=message.headers)
    producer.flush(30)
    return len(again)


def printed(name, command, client, prefix, wanted, folder):
    """What an example prints of a topic from its beginning on; it is ended when it has printed enough."""
    properties = folder / f"{name}.properties"
    values = client | {"group.id": f"example-{name}-{uuid.uuid4()}", "auto.offset.reset": "earliest"}
    properties.write_text("# of a test\n\n" + "".join(f"{key}={value}\n" for key, value in values.items()))
    properties.chmod(0o600)
    out = folder / f"{name}.out"
    with open(out, "wb") as to, open(folder / f"{name}.err", "wb") as errors:
        process = subprocess.Popen([*map(str, command), str(properties), prefix], stdin=subprocess.DEVNULL, stdout=to,
                                   stderr=errors)
    until(lambda: out.read_bytes().count(b"\n") >= wanted, LIMIT, 0.2, process)
    time.sleep(2)  # for what is too much
    return stop(process), out.read_text().splitlines(), (folder / f"{name}.err").read_text()


def check(checks, broker, prefix, messages, folder):
    """Runs each example on the topics behind the prefix, which hold these messages, and some of them once more."""
    distinct = list({message.id: message for message in messages}.values())
    expected = sorted(lines_of(message.body for message in distinct if message.kind in PRINTED))
    client = broker.client()
    again = deliver_again(client, distinct)
    for name, command in programs().items():
        status, lines, said = printed(name, command, client, prefix, len(expected), folder)
        faults = [] if status == 0 else [f"exit status {status}: {said[-500:]}"]
        faults += [f"too many: {line}" for line in sorted(set(lines) - set(expected))]
        faults += [f"missing: {line}" for line in sorted(set(expected) - set(lines))]
        if sorted(lines) != expected:
            faults.append(f"{len(lines)} lines, not {len(expected)}")
        checks.none(faults, f"example in {name}: {len(expected)} lines of {prefix}*, {again} records came twice")
