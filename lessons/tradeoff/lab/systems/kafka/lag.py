"""A healthy, a slow and a dead consumer of a topic, told apart by what the broker knows of them.

    with kafka.open_broker() as broker:
        seen = kafka_lag.three_consumers(broker)
    seen.samples                                        # columns as lesson 3's own log gives them
    seen.growth                                         # of the lag: predicted beside measured

End offset and committed offset are the broker's own, read by the admin client: no consumer is
asked, so a dead one answers as well as a live one.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.lab.lag import HEALTHY, KILLED, SLOW
from tradeoff.lab.systems import kafka, needs
from tradeoff.lab.systems.kafka import Broker
from tradeoff.lab.systems.processes import LabError, Program, running, scratch

MOST_ORDERS = 50  # in one commit
READY_SECONDS = 60.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Lags:
    """What `three_consumers` saw.

    Attributes
    ----------
    samples : consumer, seconds (since the first order), end_offset, committed_offset, lag.
    killed_seconds, restarted_seconds, caught_up_seconds : of the killed consumer; it has caught up
        when its lag is below a fifth of a second's arrivals.
    events_per_second : as asked for. wait_seconds : spent on each order, by consumer.
    """

    samples: pd.DataFrame = field(repr=False)
    killed_seconds: float
    restarted_seconds: float
    caught_up_seconds: float
    events_per_second: float
    wait_seconds: dict[str, float]

    @property
    def window(self) -> tuple[float, float]:
        """While one consumer was dead: a second after the kill until the restart."""
        return self.killed_seconds + 1.0, self.restarted_seconds

    @property
    def growth(self) -> pd.DataFrame:
        """Orders by which the lag grows in a second of the window, by consumer.

        predicted : arrivals less what the consumer can work through: nothing when it is dead, one
        order in its wait when it is slow, all that arrives when that is quick enough.
        measured : slope of the lag by least squares.
        """
        since, until = self.window
        inside = self.samples[self.samples["seconds"].between(since, until)]
        rows = []
        for name, seen in inside.groupby("consumer", sort=False):
            able = 0.0 if name == KILLED else 1 / self.wait_seconds[str(name)]
            rows.append(
                {
                    "consumer": name,
                    "predicted": max(self.events_per_second - able, 0.0),
                    "measured": float(np.polyfit(seen["seconds"], seen["lag"], 1)[0]),
                }
            )
        return pd.DataFrame(rows).set_index("consumer")


def three_consumers(
    broker: Broker,
    events_per_second: float = 500.0,
    *,
    slow_share: float = 0.6,
    kill_seconds: float = 2.0,
    restart_seconds: float = 7.0,
    every_seconds: float = 0.1,
    name: str = "lag",
) -> Lags:
    """Send orders at a pace to three consumers, each a process and a group; kill one, restart it.

    The slow one can work through `slow_share` of what arrives, the other two through five times as
    much as arrives. The kill waits until that consumer keeps up, if it does not at `kill_seconds`;
    it is dead for `restart_seconds - kill_seconds`.

    Raises LabError when a process fails or the killed one does not catch up within
    a minute, ValueError for numbers that make no experiment.
    """
    if not 0 < slow_share < 1 or not 0 < events_per_second <= 5_000:
        raise ValueError(
            "slow_share must be between 0 and 1 and events_per_second above 0 and at most 5000, "
            f"got {slow_share!r} and {events_per_second!r}"
        )
    if not 0 < kill_seconds < restart_seconds - 1 or not 0 < every_seconds <= 1:
        raise ValueError(
            "kill_seconds must be above 0 and a second before restart_seconds, and every_seconds "
            f"above 0 and at most 1, got {kill_seconds!r}, {restart_seconds!r}, {every_seconds!r}"
        )
    quick = 1 / (5 * events_per_second)
    waits = {HEALTHY: quick, SLOW: 1 / (slow_share * events_per_second), KILLED: quick}
    topic = broker.create_topic(name)
    groups = {consumer: broker.named(f"{name}-{consumer}") for consumer in waits}
    rows: list[dict[str, object]] = []
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        programs: dict[str, Program] = {}

        def consume(consumer: str) -> None:
            log = folder / f"{consumer}.txt"
            log.unlink(missing_ok=True)
            words = [broker.address, topic, groups[consumer], str(waits[consumer])]
            program = str(needs.PROGRAMS / "order_consumer.py")
            command = [sys.executable, program, *words, str(MOST_ORDERS)]
            programs[consumer] = stack.enter_context(running(consumer, command, log))
            programs[consumer].wait_for(lambda: "ready" in programs[consumer].said, READY_SECONDS)

        for consumer, group in groups.items():
            consume(consumer)
            committed_offset(broker, group, topic)  # its first answer takes a while
        playing = stack.enter_context(_Playing(broker, topic, events_per_second))
        started = time.monotonic()

        def watch(until: Callable[[float, int], bool]) -> None:
            """Sample every consumer until told to stop, by the time and the killed one's lag."""
            while True:
                playing.check()
                lags = {}
                for consumer, group in groups.items():
                    committed, end = (
                        committed_offset(broker, group, topic),
                        broker.end_offset(topic),
                    )
                    lags[consumer] = end - committed
                    seconds = time.monotonic() - started
                    rows.append(
                        {"consumer": consumer, "seconds": seconds, "end_offset": end}
                        | {"committed_offset": committed, "lag": end - committed}
                    )
                if until(seconds, lags[KILLED]):
                    return
                if seconds > restart_seconds + PATIENCE_SECONDS:
                    raise LabError(f"lag was still {lags} after {seconds:.0f} s")
                time.sleep(every_seconds)

        enough = events_per_second / 5
        watch(lambda seconds, lag: seconds >= kill_seconds and lag <= enough)
        programs[KILLED].kill()
        killed = time.monotonic() - started
        watch(lambda seconds, _: seconds >= killed + restart_seconds - kill_seconds)
        restarted = time.monotonic() - started
        consume(KILLED)
        watch(lambda _, lag: lag <= enough)
        caught_up = time.monotonic() - started
    return Lags(pd.DataFrame(rows), killed, restarted, caught_up, events_per_second, waits)


def committed_offset(broker: Broker, group: str, topic: str) -> int:
    """Up to where a group has committed a topic, summed over partitions; 0 before its first."""
    from confluent_kafka import ConsumerGroupTopicPartitions

    asked = [ConsumerGroupTopicPartitions(group)]
    found = broker.admin.list_consumer_group_offsets(asked, request_timeout=10)[group].result(30)
    return sum(max(each.offset, 0) for each in found.topic_partitions if each.topic == topic)


class _Playing:
    """Orders sent at a pace by a thread, until the block ends."""

    def __init__(self, broker: Broker, topic: str, events_per_second: float) -> None:
        self._broker, self._topic, self._pace = broker, topic, events_per_second
        self._leave = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="orders", daemon=True)

    def __enter__(self) -> _Playing:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave.set()
        self._thread.join()

    def check(self) -> None:
        """Raise what ended the thread."""
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        try:
            sender = kafka.Sender(self._broker, self._topic)
            begun = time.time()
            for at, row in enumerate(cycle(kafka.records(data.orders("2026-03-02", 10_000)))):
                if self._leave.is_set():
                    break
                sender.pause(begun + at / self._pace)
                sender.send_order(row, time.time())
            sender.flush()
        except BaseException as error:  # told to whoever watches
            self._failed = error
