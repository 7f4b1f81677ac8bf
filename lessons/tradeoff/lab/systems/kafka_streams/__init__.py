"""True streaming on Kafka Streams: `programs/OrderCount.java`, run and measured.

    with kafka.open_broker() as broker:
        counted = kafka_streams.count(broker, orders, seconds=10, commit_seconds=1.0)
        counted.measured.age(50), counted.rocksdb_bytes, counted.changelog_bytes

How old a result is follows from the commit interval. An order goes through two transactions: one
that puts it into the topic by group, one that counts it; each becomes visible when it commits. So
its age lies between one and two intervals, and what both commits take on top.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import contract, kafka, needs
from tradeoff.lab.systems.contract import Measured
from tradeoff.lab.systems.kafka import Broker, publish
from tradeoff.lab.systems.kafka.results import Watched, newest, read_all
from tradeoff.lab.systems.processes import Program, running, scratch

if TYPE_CHECKING:
    from tradeoff.lab.systems import postgres

JARS = [
    f"org.apache.kafka:kafka-streams:{kafka.VERSION}",  # with RocksDB for six platforms: 68 MB
    "com.fasterxml.jackson.core:jackson-databind:2.21.2",
    "org.slf4j:slf4j-simple:1.7.36",
]
NEEDS = kafka.NEEDS
BEFORE, BETWEEN, AFTER = "before the write", "between write and commit", "after the commit"
READY_SECONDS = 120.0


@dataclass(frozen=True, eq=False)
class Counted:
    """A run of the count.

    Attributes
    ----------
    measured : as every system gives it; `state_bytes` is what RocksDB has on disk.
    rocksdb_bytes : by store: "count", the windows, and "seen", the orders remembered so that none
        counts twice. Of the stores as the program closed them.
    changelog_bytes : by store, the log segments of the topic that a lost store is rebuilt from;
        None on a cluster whose disk is not here.
    dead_letters : reason and message of what could not be counted.
    late : orders left out because their window had closed.
    """

    measured: Measured
    rocksdb_bytes: dict[str, int]
    changelog_bytes: dict[str, int | None]
    dead_letters: pd.DataFrame = field(repr=False)
    late: int


class OrderCount:
    """The program with its topics and its state, which outlive a kill of it.

    Parameters
    ----------
    orders : topic it reads. name : of the application; its topics are `NAME-counts` and
        `NAME-dead-letters`. folder : for its state.
    window, grace : length of the event-time window, and how long after its end, in event time, an
        order may still come. commit_seconds : the knob. once : count copies of an order once.

    One partition of the orders keeps them in order. With more, a program that catches up may read
    one partition hours of event time ahead of another, whose orders are then late.
    """

    def __init__(
        self,
        broker: Broker,
        orders: str,
        folder: Path,
        *,
        name: str = "order-count",
        window: str = "5min",
        grace: str = "10min",
        commit_seconds: float = 0.1,
        once: bool = True,
    ) -> None:
        if not 0.01 <= commit_seconds <= 60:
            raise ValueError(f"commit_seconds must be from 0.01 to 60, got {commit_seconds!r}")
        lengths = {"window": _whole_seconds("window", window)}
        lengths["grace"] = _whole_seconds("grace", grace)
        self.broker, self.orders, self.folder = broker, orders, folder
        self.application, self.window = broker.named(name), window
        self.counts = broker.create_topic(f"{name}-counts")
        self.dead = broker.create_topic(f"{name}-dead-letters")
        self.stores = ["count", "seen"] if once else ["count"]
        self.mark = folder / "paused"
        self._log = folder / "program.txt"
        products = folder / "products.csv"
        catalogue = data.products()[["product_id", "category"]]
        catalogue.to_csv(products, index=False, header=False)
        self._words = {
            "servers": broker.address,
            "application": self.application,
            "state": folder / "state",
            "products": products,
            "orders": orders,
            "counts": self.counts,
            "dead": self.dead,
            **lengths,
            "commit": round(commit_seconds * 1000),
            "once": str(once).lower(),
            "mark": self.mark,
        }

    @contextmanager
    def running(self, pause: str = "", at: int = 1) -> Iterator[Program]:
        """The program while the block runs, ready to count.

        With `pause` it stops for good when it gets to that moment, one of `BEFORE`, `BETWEEN`,
        `AFTER`, with its `at`-th result or later, and writes how many it has to the file `mark`.
        """
        self.mark.unlink(missing_ok=True)
        self._log.unlink(missing_ok=True)
        words = [f"{key}={value}" for key, value in self._words.items()]
        words += [f"pause={pause}", f"at={at}"] if pause else []
        command = kafka.java(str(needs.PROGRAMS / "OrderCount.java"), *words, jars=JARS)
        with running("Kafka Streams", command, self._log) as program:
            program.wait_for(lambda: self._says("RUNNING") or self.mark.exists(), READY_SECONDS)
            yield program

    def wait(self, program: Program, seconds: float = 120.0) -> None:
        """Until it has counted and committed all orders sent."""

        def asked_seldom() -> bool:
            time.sleep(0.1)  # the broker has orders to serve
            return self.caught_up()

        program.wait_for(asked_seldom, seconds)

    def caught_up(self) -> bool:
        """Whether it has committed up to the end of both topics it reads; False if unknown."""
        from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException

        admin = self.broker.admin
        topics = [self.orders, f"{self.application}-group-repartition"]
        with suppress(KafkaException, KeyError):
            ends = {topic: self.broker.end_offsets(topic) for topic in topics}
            asked = [ConsumerGroupTopicPartitions(self.application)]
            group = admin.list_consumer_group_offsets(asked, request_timeout=10)
            found = group[self.application].result(30).topic_partitions
            committed = {(each.topic, each.partition): each.offset for each in found}
            return all(
                committed.get((topic, number), 0) >= end
                for topic, partitions in ends.items()
                for number, end in partitions.items()
                if end
            )
        return False

    def table(self) -> pd.DataFrame:
        """The counts that a reader of committed results sees, as `facts`."""
        return newest(read_all(self.broker, self.counts))

    def dead_letters(self) -> pd.DataFrame:
        """Messages that could not be counted: reason and message."""
        letters = read_all(self.broker, self.dead)
        return pd.DataFrame([json.loads(each) for each in letters], columns=["reason", "message"])

    def late(self) -> int:
        """Orders that the last run left out as late; known once it has ended in good order."""
        said = self._log.read_text("utf-8", errors="replace").splitlines()
        return int(next(line for line in said if line.startswith("late ")).split()[1])

    def rocksdb_bytes(self) -> dict[str, int]:
        """Bytes of each store in its files; what is in memory joins them as the program ends."""
        found = {}
        for store in self.stores:
            files = self.folder.glob(f"state/*/*/{store}/**/*.sst")
            found[store] = sum(path.stat().st_size for path in files)
        return found

    def changelog_bytes(self) -> dict[str, int | None]:
        """Bytes of the topic that keeps each store's changes."""
        topics = {store: f"{self.application}-{store}-changelog" for store in self.stores}
        return {store: self.broker.topic_bytes(topic) for store, topic in topics.items()}

    def _says(self, state: str) -> bool:
        return state in self._log.read_text("utf-8", errors="replace").splitlines()


def count(
    broker: Broker,
    orders: pd.DataFrame,
    seconds: float = 10.0,
    *,
    window: str = "5min",
    grace: str = "10min",
    commit_seconds: float = 0.1,
    once: bool = True,
    name: str = "order-count",
    source: postgres.Source | None = None,
) -> Counted:
    """Play orders at an even pace over so many seconds, and count them as they come.

    Into `source`, whose changes are published to Kafka: an order's age begins with its commit in
    PostgreSQL. Without one, into Kafka itself: it begins when the order is sent.

    A store keeps windows in segments, each a RocksDB of its own that takes tens of milliseconds to
    open, and 15 minutes of window and grace make one every 7.5 minutes of event time. Play an hour
    or two of a busy day; a whole day in ten seconds would measure the opening of 192 of them.

    The first order goes ahead: with it the program finds its coordinators and opens its stores, so
    it belongs to the start and has no age.

    Raises LabError when the program fails or does not keep up.
    """
    with scratch() as folder:
        topic = broker.create_topic(f"{name}-orders")
        counting = OrderCount(
            broker,
            topic,
            folder,
            name=name,
            window=window,
            grace=grace,
            commit_seconds=commit_seconds,
            once=once,
        )
        started = time.monotonic()
        with ExitStack() as stack:
            program = stack.enter_context(counting.running())
            watched = stack.enter_context(Watched(broker, counting.counts))
            play: Callable[[pd.DataFrame, float], pd.Series] = partial(kafka.play, broker, topic)
            if source is not None:
                stack.enter_context(publish.publishing(source, broker, topic))
                play = source.play
            first, rest = orders.iloc[:1], orders.iloc[1:]
            committed = play(first, 0.1)
            program.wait_for(lambda: bool(watched.arrived), READY_SECONDS)
            ready = time.monotonic()
            committed = pd.concat([committed, play(rest, seconds)])
            program.wait_for(lambda: broker.end_offset(topic) >= len(orders), READY_SECONDS)
            counting.wait(program)
            expected = len(read_all(broker, counting.counts))
            program.wait_for(lambda: len(watched.arrived) >= expected, 30)
            seen = watched.seen
        late = counting.late()
        # An order that was late is in no result; then which of its group was seen cannot be told.
        ages = np.empty(0) if late else contract.ages(orders, committed, seen, window)[1:]
        stores = counting.rocksdb_bytes()
        measured = Measured(
            system="streaming",
            engine=f"Kafka Streams {kafka.VERSION}",
            setting=f"commit every {commit_seconds:g} s",
            orders=len(orders),
            table=counting.table(),
            rows_read=broker.end_offset(topic),
            seconds=float(seen["at"].max() - committed.iloc[1:].min()),
            stages={"start": ready - started},
            ages=ages,
            state_bytes=sum(stores.values()),
        )
        letters, changes = counting.dead_letters(), counting.changelog_bytes()
    return Counted(measured, stores, changes, letters, late)


def _whole_seconds(name: str, length: str) -> int:
    seconds = pd.Timedelta(length).total_seconds()
    if seconds < 0 or seconds != int(seconds):
        raise ValueError(f"{name} must be whole seconds, as '5min', got {length!r}")
    return int(seconds)
