"""A real Kafka: one node of its own in a temporary folder, or a cluster that is there already.

    with kafka.open_broker() as broker:             # or open_broker(address="broker-1:9092")
        topic = broker.create_topic("orders", partitions=2)
        committed = kafka.play(broker, topic, data.orders("2026-03-02", 3_000), seconds=10)

Orders as messages are in `orders`, changes of PostgreSQL published in `publish`, results read back
in `results`, lag in `lag`; a count in `kafka_streams`.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tradeoff.lab.systems import needs
from tradeoff.lab.systems.kafka.orders import Sender, message, play, records, send
from tradeoff.lab.systems.processes import LabError, Program, free_port, listens, running, scratch

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

__all__ = ["Broker", "Sender", "java", "message", "open_broker", "play", "records", "send"]

VERSION = "4.3.0"
# The broker's jars, and a logger that says errors alone.
JARS = [f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36"]
NEEDS = ("java", "maven", "confluent_kafka")
# A small heap and one compiler tier: the lab's Java programs live for seconds.
JAVA = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
QUIET = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
START_SECONDS = 120.0
CLEAR_SECONDS = 60.0  # a killed member stays in its group for 10
CLUSTER_ID = "dHJhZGVvZmYgbGFiIG9uZQ"  # 16 bytes in base64: "tradeoff lab one"
ORDERS = "orders"

# Topics drop and refuse messages by the time they carry; a simulated day may lie far from today.
ANY_TIME = {"retention.ms": "-1", "message.timestamp.after.max.ms": str(2**63 - 1)}

# One node is broker and controller. Its internal topics have one partition and one copy, a consumer
# group starts at once instead of waiting for members to come, and a broker that was killed may
# register again after 3 s, not 9.
SETTINGS = """process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{address},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={controller}
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class Broker:
    """A cluster to work with; made by `open_broker`.

    Attributes
    ----------
    address : "host:port", the bootstrap servers of any client.
    prefix : put before the name of every topic, group and application; empty on a broker of ours.
    folder : where a broker of ours keeps its log; None for a cluster that was there.
    start_seconds : from starting Java until the broker answered; 0 for a cluster that was there.
    """

    def __init__(self, address: str, prefix: str = "", folder: Path | None = None) -> None:
        self.address, self.prefix, self.folder = address, prefix, folder
        self.start_seconds = 0.0
        self._program: Program | None = None
        self._running = ExitStack()

    def named(self, name: str) -> str:
        """The name of a topic, group or application in this cluster."""
        return self.prefix + name

    def check(self) -> None:
        """Raise LabError when a broker of ours has ended by itself: on a full disk it does."""
        program = self._program
        if program is not None and (code := program.process.poll()) is not None:
            raise LabError(
                f"Kafka ended with {code}:\n{program.said}\nWhat it had acknowledged is in its "
                f"log, {self.folder}: make room there, then stop() and start()"
            )

    @property
    def admin(self) -> AdminClient:
        """A client for questions to the cluster. Raises as `check`."""
        self.check()
        return self._admin

    @cached_property
    def _admin(self) -> AdminClient:
        """Kept: a client that is dropped takes its unanswered requests with it."""
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def create_topic(self, name: str, partitions: int = 1, **settings: str) -> str:
        """Make a topic, and return its name in this cluster.

        `settings` as Kafka names them, with an underscore for a dot: `cleanup_policy="compact"`.
        """
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import NewTopic

        topic = self.named(name)
        config = ANY_TIME | {key.replace("_", "."): value for key, value in settings.items()}
        new = NewTopic(topic, num_partitions=partitions, config=config)
        try:
            self.admin.create_topics([new], operation_timeout=30)[topic].result(60)
        except KafkaException as error:
            raise LabError(f"Kafka did not make the topic {topic}: {error.args[0].str()}") from None
        # A topic is made before each of its partitions knows that it leads.
        end = time.monotonic() + START_SECONDS
        while not self._leads(topic):
            if time.monotonic() > end:
                raise LabError(f"Kafka made the topic {topic}, but no broker leads it")
            time.sleep(0.05)
        return topic

    def _leads(self, topic: str) -> bool:
        from confluent_kafka import KafkaException

        try:
            self.end_offsets(topic)
        except (KafkaException, KeyError):
            return False
        return True

    def end_offset(self, topic: str) -> int:
        """Messages ever written to a topic, summed over its partitions: where its end is."""
        return sum(self.end_offsets(topic).values())

    def end_offsets(self, topic: str, *, committed_only: bool = False) -> dict[int, int]:
        """The offset after the last message, by partition.

        With `committed_only` the last stable offset: up to where a reader of `read_committed` sees.
        """
        from confluent_kafka import IsolationLevel, TopicPartition
        from confluent_kafka.admin import OffsetSpec

        level = IsolationLevel.READ_COMMITTED if committed_only else IsolationLevel.READ_UNCOMMITTED
        admin = self.admin
        partitions = admin.list_topics(topic, timeout=30).topics[topic].partitions
        asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}
        found = admin.list_offsets(asked, isolation_level=level, request_timeout=10)
        return {each.partition: future.result(30).offset for each, future in found.items()}

    def topic_bytes(self, topic: str) -> int | None:
        """Bytes of a topic's log segments on disk; None for a cluster that was there already."""
        if self.folder is None:
            return None
        segments = self.folder.glob(f"log/{topic}-*/*.log")
        return sum(path.stat().st_size for path in segments)

    def start(self) -> None:
        """Start a broker of ours, again after `stop`: same folder, same port."""
        if self.folder is None or self._program is not None:
            raise LabError("only a broker of the lab that does not run can be started")
        command = java("kafka.Kafka", str(self.folder / "server.properties"))
        started = time.monotonic()
        self._program = self._running.enter_context(
            running("Kafka", command, self.folder / "broker.txt")
        )
        self._program.wait_for(self._answers, START_SECONDS)
        self.start_seconds = time.monotonic() - started

    def stop(self) -> None:
        """SIGKILL to a broker of ours: what a machine that goes down does. `start` brings it back.

        What it had acknowledged is in its log; the log's last segment is checked at the next start.
        """
        program, self._program = self._program, None
        if program is None:
            raise LabError("only a running broker of the lab can be stopped")
        program.kill()
        # A client that knew this broker as a group's coordinator never finds it again.
        vars(self).pop("_admin", None)
        self._running.close()

    def _answers(self) -> bool:
        from confluent_kafka import KafkaException

        if not listens(int(self.address.rsplit(":", 1)[1])):
            return False
        with suppress(KafkaException):
            return bool(self.admin.list_topics(timeout=5).brokers)
        return False

    def _clear(self) -> None:
        """Delete the topics and groups of this prefix from a cluster that was there."""
        from confluent_kafka import KafkaException

        admin = self.admin
        end = time.monotonic() + CLEAR_SECONDS
        while True:
            topics = [name for name in admin.list_topics(timeout=30).topics if self._owns(name)]
            groups = [each.group_id for each in admin.list_consumer_groups().result(30).valid]
            groups = [name for name in groups if self._owns(name)]
            if not topics and not groups:
                return
            if time.monotonic() > end:
                left = ", ".join([*topics, *groups])
                raise LabError(f"Kafka at {self.address} still has what the lab made there: {left}")
            done = admin.delete_topics(topics, operation_timeout=30) if topics else {}
            done |= admin.delete_consumer_groups(groups) if groups else {}
            for future in done.values():
                with suppress(KafkaException):  # a group whose member was killed is in use yet
                    future.result(60)
            time.sleep(0.5)

    def _owns(self, name: str) -> bool:
        return bool(self.prefix) and name.startswith(self.prefix)


@contextmanager
def open_broker(address: str | None = None) -> Iterator[Broker]:
    """A broker that runs while the block does, or a cluster of yours.

    Parameters
    ----------
    address : bootstrap servers of a cluster that is there; by default the environment's
        TRADEOFF_KAFKA. Its topics of this block have a prefix of their own and are deleted at the
        end. Without one, a broker of the lab's own on this machine's loopback, gone at the end
        with all it kept.

    Raises Missing without Java, Maven or confluent-kafka, LabError when the broker does not start.
    """
    given = address or os.environ.get("TRADEOFF_KAFKA")
    if given:
        needs.demand("Kafka", "confluent_kafka")
        broker = Broker(given, prefix=f"tradeoff-{uuid.uuid4().hex[:8]}-")
        if not broker.admin.list_topics(timeout=30).brokers:
            raise LabError(f"no broker answers at {given}")
        try:
            yield broker
        finally:
            broker._clear()
        return
    needs.demand("Kafka", *NEEDS)
    with scratch() as folder:
        broker = Broker(f"127.0.0.1:{free_port()}", folder=folder)
        _format(broker.address, folder)
        try:
            broker.start()
            yield broker
        finally:  # nobody reads the log again, so no time is spent on closing it well
            if broker._program is not None:
                broker.stop()


def java(*words: str, jars: Sequence[str] = JARS) -> list[str]:
    """The command that runs a Java program of the lab with these jars."""
    return [str(needs.java()), *JAVA, *QUIET, "-cp", needs.classpath(jars), *words]


def _format(address: str, folder: Path) -> None:
    """Write the settings of a new node and make its log's folder, as a cluster of one."""
    settings = folder / "server.properties"
    logs = (folder / "log").as_posix()
    controller = f"127.0.0.1:{free_port()}"
    settings.write_text(SETTINGS.format(address=address, controller=controller, logs=logs), "utf-8")
    how = ["format", "--standalone", "--cluster-id", CLUSTER_ID, "--config", str(settings)]
    command = java("kafka.tools.StorageTool", *how)
    with running("Kafka's storage tool", command, folder / "format.txt") as program:
        program.finish(START_SECONDS)
