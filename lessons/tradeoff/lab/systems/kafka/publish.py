"""The changes of PostgreSQL's orders, published to Kafka.

    with postgres.open_source() as source, kafka.open_broker() as broker:
        topic = broker.create_topic("orders")
        with kafka_publish.publishing(source, broker, topic) as published:
            committed = source.play(orders, seconds=10)
            published.wait(len(orders))

A position is confirmed to PostgreSQL only when Kafka has acknowledged all changes up to it. So a
publisher that is killed loses nothing, and what it had sent and not confirmed is sent again: at
least once. Whoever counts tells copies by their key, the order's number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tradeoff.lab.systems import cdc, kafka
from tradeoff.lab.systems.kafka import Broker
from tradeoff.lab.systems.processes import LabError

SLOT = "tradeoff_kafka"


class Published:
    """What has been published while the block of `publishing` runs.

    Attributes
    ----------
    sent : changes that Kafka has acknowledged. confirmed : the last position PostgreSQL was told.
    """

    def __init__(self) -> None:
        self.sent = self.confirmed = 0
        self._failed: BaseException | None = None
        self._ready, self._leave = threading.Event(), threading.Event()

    def wait(self, changes: int, seconds: float = 120.0) -> None:
        """Until so many are acknowledged; raises what ended the publisher, or LabError."""
        end = time.monotonic() + seconds
        while self.sent < changes:
            self.check()
            if time.monotonic() > end:
                raise LabError(f"{self.sent:,} of {changes:,} changes published in {seconds:g} s")
            time.sleep(0.02)

    def check(self) -> None:
        """Raise what ended the publisher."""
        if self._failed is not None:
            raise self._failed


@contextmanager
def publishing(
    source: cdc.Source | str, broker: Broker, topic: str, *, slot: str = SLOT, keep: bool = False
) -> Iterator[Published]:
    """Publish the changes of `raw.orders` from now on, in a thread, while the block runs.

    Parameters
    ----------
    source, slot, keep : as `cdc.changes` takes them. topic : the topic, see `Broker.create_topic`.

    An order that is updated or deleted ends it with LabError: the topic's messages are orders
    placed, and hold no way to take one back.
    """
    published = Published()
    words = (published, source, broker, topic, slot, keep)
    thread = threading.Thread(target=_run, args=words, name="publisher", daemon=True)
    thread.start()
    try:
        published._ready.wait()
        published.check()
        yield published
        published.check()
    finally:
        published._leave.set()
        thread.join()


def _run(
    published: Published,
    source: cdc.Source | str,
    broker: Broker,
    topic: str,
    slot: str,
    keep: bool,
) -> None:
    try:
        sender = kafka.Sender(broker, topic)
        with cdc.changes(source, slot, keep=keep) as stream:
            published._ready.set()
            while not published._leave.is_set():
                if changes := stream.read(0.1):
                    publish(sender, changes)
                    stream.confirm(changes[-1].lsn)
                    published.sent, published.confirmed = sender.delivered, changes[-1].lsn
    except BaseException as error:  # told to whoever waits
        published._failed = error
    finally:
        published._ready.set()


def publish(sender: kafka.Sender, changes: list[cdc.Change]) -> None:
    """Send changes, whole transactions, until Kafka has acknowledged every one of them.

    Raises LabError for a change that is no insert, and when Kafka does not acknowledge.
    """
    for change in changes:
        if change.kind != "insert":
            raise LabError(
                f"the {change.kind} at {cdc.text(change.lsn)} cannot be published: the topic "
                f"{sender.topic} holds orders placed, none taken back"
            )
        sender.send_order(change.row, change.committed_seconds)
    sender.flush()
