# SPDX-License-Identifier: MIT
"""A real Apache Kafka of one node (KRaft), on loopback and free ports, in a folder of its own."""
import base64
import pathlib
import shutil
import socket
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kit"))
from programs import end, stop  # noqa: E402
from waiting import free_ports, until  # noqa: E402

JARS = ROOT / "build/kafka/jars"
USER, PASSWORD = "amitap", "it's # secret"
MECHANISM = "SCRAM-SHA-512"

LOG4J = """log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d %p %m (%c)%n
"""


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                   **options)


class Broker:
    """Make it, start it; stop and start it as often as wanted: it keeps its ports and what it holds."""

    def __init__(self, folder, secure=False):
        self.folder, self.secure, self.process = pathlib.Path(folder), secure, None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port, self.inner, self.controller, self.behind, self.middle = free_ports(5)
        self.address = f"127.0.0.1:{self.port}"
        if secure:
            self.make_certificates()
        (self.folder / "log4j.properties").write_text(LOG4J)
        (self.folder / "server.properties").write_text(self.settings())
        self.format()

    def format(self):
        """A new cluster, of another id and with nothing in it, at the same place."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        scram = ["--add-scram", f"{MECHANISM}=[name={USER},password={PASSWORD}]"] if self.secure else []
        run(*self.java(), "kafka.tools.StorageTool", "format", "-t", self.cluster_id(), "-c",
            self.folder / "server.properties", *scram)

    @staticmethod
    def cluster_id():
        """Its first two bits are 0, or it might begin with a dash and be taken for an option."""
        number = uuid.uuid4().bytes
        return base64.urlsafe_b64encode(bytes([number[0] & 0x3F]) + number[1:]).decode().rstrip("=")

    def java(self):
        return ["java", "-Xms256m", "-Xmx512m", f"-Dlog4j.configuration=file:{self.folder}/log4j.properties", "-cp",
                f"{JARS}/*"]

    def make_certificates(self):
        """An authority, and a certificate of the broker's from it, in PEM."""
        f = self.folder
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=test authority",
            "-keyout", f / "ca.key", "-out", f / "ca.pem")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", f / "broker.key",
            "-out", f / "broker.csr")
        (f / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        run("openssl", "x509", "-req", "-in", f / "broker.csr", "-CA", f / "ca.pem", "-CAkey", f / "ca.key",
            "-CAcreateserial", "-days", "30", "-extfile", f / "names", "-out", f / "broker.pem")
        (f / "keystore.pem").write_text((f / "broker.key").read_text() + (f / "broker.pem").read_text())
        (f / "password").write_text(PASSWORD + "\n")
        (f / "password").chmod(0o600)

    def settings(self):
        lines = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller}",
            "listeners": f"CLIENT://127.0.0.1:{self.port},INNER://127.0.0.1:{self.inner},"
                         f"BEHIND://127.0.0.1:{self.behind},CONTROLLER://127.0.0.1:{self.controller}",
            # Who comes by BEHIND is told to come by a stand between (middle.py).
            "advertised.listeners": f"CLIENT://127.0.0.1:{self.port},INNER://127.0.0.1:{self.inner},"
                                    f"BEHIND://127.0.0.1:{self.middle}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "INNER",
            "listener.security.protocol.map": f"CLIENT:{'SASL_SSL' if self.secure else 'PLAINTEXT'},INNER:PLAINTEXT,"
                                              "BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.folder / "data",
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "num.partitions": 1,  # not what amitap's topics have: they must not come about by themselves
            "auto.create.topics.enable": "true",
            "group.initial.rebalance.delay.ms": 0,
        }
        if self.secure:
            lines |= {
                "sasl.enabled.mechanisms": MECHANISM,
                "listener.name.client.scram-sha-512.sasl.jaas.config":
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": self.folder / "keystore.pem",
            }
        return "".join(f"{key}={value}\n" for key, value in lines.items())

    def start(self, timeout=120):
        with open(self.folder / "kafka.log", "ab") as log:
            self.process = subprocess.Popen([*self.java(), "kafka.Kafka", self.folder / "server.properties"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not until(self.answers, timeout, 0.2, self.process):
            self.stop()
            raise RuntimeError(f"Kafka does not start, see {self.folder}/kafka.log")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        if self.process:
            stop(self.process, 30)
        self.process = None

    def kill(self):
        end(self.process)
        self.process = None

    def client(self):
        """Properties for a librdkafka client, the password in clear."""
        properties = {"bootstrap.servers": self.address}
        if self.secure:
            properties |= {"security.protocol": "sasl_ssl", "ssl.ca.location": str(self.folder / "ca.pem"),
                           "sasl.mechanism": MECHANISM, "sasl.username": USER, "sasl.password": PASSWORD}
        return properties

    def properties(self):
        """The same for amitap's configuration, the password in a file."""
        properties = dict(self.client())
        del properties["bootstrap.servers"]
        if properties.pop("sasl.password", None):
            properties["sasl.password_file"] = str(self.folder / "password")
        return [f"{key}={value}" for key, value in properties.items()]
