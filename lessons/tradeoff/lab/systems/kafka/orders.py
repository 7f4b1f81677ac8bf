"""Orders as messages of Kafka, sent so that the broker keeps them.

An order is a JSON message, see `message`; its key is the order's number, so that what happens to
one order stays in one partition, in order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tradeoff.lab.systems.processes import LabError

if TYPE_CHECKING:
    from tradeoff.lab.systems.kafka import Broker


def message(row: Mapping[Any, Any], committed: float) -> bytes:
    """An order as JSON, the message of the topic `orders`.

    Keys: order_id, order_timestamp (microseconds since the epoch, UTC), product_id, region,
    amount_cents, committed (seconds since the epoch: when the source had it committed).
    """
    stamp = row["order_timestamp"]
    micros = stamp if isinstance(stamp, int) else pd.Timestamp(stamp).value // 1_000
    order = {
        "order_id": int(row["order_id"]),
        "order_timestamp": micros,
        "product_id": int(row["product_id"]),
        "region": str(row["region"]),
        "amount_cents": int(row["amount_cents"]),
        "committed": committed,
    }
    return json.dumps(order, separators=(",", ":")).encode()


class Sender:
    """Sends to one topic, for good: all copies acknowledge, a retry neither doubles nor reorders.

    It goes on trying for two minutes while a broker is away, unless that is one of ours that ended
    by itself (`Broker.check`). One thread uses it.

    Attributes
    ----------
    delivered : messages that the broker has acknowledged.
    """

    def __init__(self, broker: Broker, topic: str) -> None:
        from confluent_kafka import Producer

        self.topic, self.delivered, self._broker = topic, 0, broker
        self._failed: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": broker.address,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 5,
                "delivery.timeout.ms": 120_000,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )

    def send(self, key: str, value: bytes | None) -> None:
        """Hand a message over; it is delivered once `flush` has returned."""
        while True:
            try:
                self._producer.produce(self.topic, value, key, on_delivery=self._told)
                break
            except BufferError:  # its queue is full: let it deliver
                self._broker.check()
                self._producer.poll(0.1)
        self._producer.poll(0)

    def send_order(self, row: Mapping[Any, Any], committed: float) -> None:
        """The same for an order, see `message`; its key is its number."""
        self.send(str(row["order_id"]), message(row, committed))

    def pause(self, until: float) -> None:
        """Deliver until that wall time, in seconds since the epoch."""
        while (left := until - time.time()) > 0:
            self._producer.poll(min(left, 0.05))

    def flush(self, seconds: float = 150.0) -> None:
        """Until all that was sent is acknowledged; raises LabError for what is not."""
        end = time.monotonic() + seconds
        while (left := self._producer.flush(0.5)) and time.monotonic() < end:
            self._broker.check()
        if left or self._failed:
            raise LabError(
                f"Kafka acknowledged {self.delivered:,} messages, not {left + len(self._failed):,} "
                f"others: {self._failed[0] if self._failed else 'no answer in time'}"
            )

    def _told(self, error: Any, delivered: Any) -> None:
        if error is not None:
            self._failed.append(str(error))
        else:
            self.delivered += 1


def play(broker: Broker, topic: str, orders: pd.DataFrame, seconds: float = 0.0) -> pd.Series:
    """Send orders at an even pace over so many seconds; 0 sends as fast as it goes.

    Stands for the source: an order counts as committed when it is sent.

    Returns
    -------
    Seconds since the epoch by order_id, the `committed` of `contract.ages`; of an order that stands
    twice, the first.
    """
    sender, rows = Sender(broker, topic), records(orders)
    pace = seconds / max(len(rows), 1)
    committed = np.empty(len(rows))
    begun = time.time()
    for at, row in enumerate(rows):
        sender.pause(begun + at * pace)
        committed[at] = time.time()
        sender.send_order(row, committed[at])
    sender.flush()
    times = pd.Series(committed, pd.Index(orders["order_id"]), name="committed")
    return times[~times.index.duplicated()]


def send(broker: Broker, topic: str, messages: Iterable[tuple[str, bytes | None]]) -> int:
    """Send (key, value) pairs as they are, malformed ones too; returns how many were delivered."""
    sender = Sender(broker, topic)
    for key, value in messages:
        sender.send(key, value)
    sender.flush()
    return sender.delivered


def records(orders: pd.DataFrame) -> list[dict[Any, Any]]:
    """Orders as rows for `message`, their time in microseconds since the epoch."""
    micros = orders["order_timestamp"].astype("datetime64[us]").astype("int64")
    return orders.assign(order_timestamp=micros).to_dict("records")
