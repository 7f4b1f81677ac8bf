"""Results in a topic of Kafka: all there are, or each as it becomes visible."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pandas as pd

from tradeoff.lab.systems import contract
from tradeoff.lab.systems.contract import FACTS, KEYS
from tradeoff.lab.systems.kafka import Broker
from tradeoff.lab.systems.processes import LabError


class Watched:
    """The results as they become visible, from a reader of committed messages in a thread."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self.arrived: list[tuple[float, bytes]] = []
        self._reader = _reader(broker, topic, "read_committed")
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name="results", daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave.set()
        self._thread.join()
        self._reader.close()

    def _run(self) -> None:
        while not self._leave.is_set():
            for found in self._reader.consume(1000, 0.01):
                if found.error() is None:
                    self.arrived.append((time.time(), found.value()))

    @property
    def seen(self) -> pd.DataFrame:
        """Columns `FACTS` and `at`, seconds since the epoch: the `seen` of `contract.ages`."""
        arrived = list(self.arrived)
        return _frame([value for _, value in arrived]).assign(at=[at for at, _ in arrived])


def read_all(broker: Broker, topic: str, isolation: str = "read_committed") -> list[bytes]:
    """The messages of a topic up to its end; with "read_uncommitted" also those of transactions
    that are open or were given up."""
    reader = _reader(broker, topic, isolation)
    found: list[bytes] = []
    ended: set[int] = set()
    end, partitions = time.monotonic() + 60, len(reader.assignment())
    try:
        while len(ended) < partitions:
            for each in reader.consume(1000, 0.5):
                if each.error() is None:
                    found.append(each.value())
                else:  # asked for: the end of a partition
                    ended.add(each.partition())
            if time.monotonic() > end:
                raise LabError(f"the topic {topic} could not be read to its end in 60 s")
    finally:
        reader.close()
    return found


def newest(results: list[bytes]) -> pd.DataFrame:
    """The last result of every group and window, as `facts`."""
    return contract.as_facts(_frame(results).drop_duplicates(KEYS, keep="last"))


def _frame(results: list[bytes]) -> pd.DataFrame:
    found = pd.DataFrame([json.loads(each) for each in results], columns=FACTS)
    stamps = pd.to_datetime(found["window_start"].astype("int64"), unit="us")
    return found.assign(window_start=stamps.astype("datetime64[us]"))


def _reader(broker: Broker, topic: str, isolation: str) -> Any:
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    reader = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": broker.named("unused"),  # the client insists on one; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )
    partitions = broker.end_offsets(topic)
    reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    return reader
