"""True streaming on Apache Flink: `programs/flink_count.py`, run, measured and killed.

    with kafka.open_broker() as broker:
        run = flink.measure(broker, orders, seconds=10)
        run.age(50), run.age(99), run.state_bytes

Two ways to give a count out, one query each. `emit="event"`: every order changes its group's count
at once, late ones too. `emit="close"`: a window's count comes once, when the watermark has passed
its end; an order that comes after that is late, and in no count.

Every order is counted, a copy of one that is, or refused: `rejected` tells which and why. Flink
itself drops what a window no longer takes, and only counts it, in the metric numLateRecordsDropped
that a kill sets back to 0. So the query decides before the window does, by the newest time it has
read from the order's partition. That is part of its state. Which orders are late follows from
their places in the topic alone: a restart changes nothing, and a window that is given out a second
time has the same count.

The counts go to a compacted topic keyed by the group (`upsert-kafka`), visible as they are written.
After a kill Flink goes on from its last checkpoint and writes some counts again, older ones first;
as each is a whole count and not an addition, the last one written is exact. Transactions would hide
that, at the price of the checkpoint interval in every age. (The JDBC connector stops at Flink 2.0.)

Flink pins packages that the course has newer, so it runs in an environment of its own.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import contract, kafka, needs
from tradeoff.lab.systems.contract import Measured
from tradeoff.lab.systems.kafka import Broker
from tradeoff.lab.systems.kafka.lag import committed_offset
from tradeoff.lab.systems.kafka_streams import Watched, newest, read_all
from tradeoff.lab.systems.processes import LabError, Program, running, scratch

VERSION = "2.2"  # as in programs/flink_count.py; the connector's version ends with it
CONNECTOR = "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"
NEEDS = (*kafka.NEEDS, "uv")
# A small heap and one compiler tier, as for the lab's other Java programs.
JAVA = "-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
READY_SECONDS = 600.0  # the first run makes Flink's environment
LATE = pd.Timedelta("10min")
BEFORE, BETWEEN, AFTER = "before a checkpoint", "between checkpoints", "after a checkpoint"


@dataclass(frozen=True, eq=False)
class Counted(Measured):
    """One run. rejected : orders refused, by reason: late ones, of an unknown product, malformed.

    They have no age.
    """

    rejected: Mapping[str, int] = field(default_factory=dict)


class FlinkCount:
    """The program with its topics and checkpoints, which outlive a kill of it.

    Parameters
    ----------
    orders : topic it reads. folder : for its checkpoints. name : of its topics, `NAME-facts` and
        `NAME-rejects`.
    emit : "event" or "close". window : length of the event-time window, whole minutes. The
        watermark stays `LATE` behind the newest order.
    checkpoint_seconds : between checkpoints. mini_batch_seconds : how long changes of one group
        are gathered before one is given out; 0 gives out every one.
    flush_seconds : how long a buffer between two operators may fill before it is sent.
    java : words for the JVM.
    """

    def __init__(
        self,
        broker: Broker,
        orders: str,
        folder: Path,
        *,
        name: str = "flink",
        emit: str = "event",
        window: str = "1h",
        checkpoint_seconds: float = 1.0,
        mini_batch_seconds: float = 0.0,
        flush_seconds: float = 0.005,
        java: str = JAVA,
    ) -> None:
        if emit not in ("event", "close"):
            raise ValueError(f'emit must be "event" or "close", got {emit!r}')
        minutes = pd.Timedelta(window) / pd.Timedelta("1min")
        if minutes < 1 or minutes != int(minutes):
            raise ValueError(f"window must be whole minutes, as '5min', got {window!r}")
        if checkpoint_seconds < 0.01:
            raise ValueError(f"checkpoint_seconds must be 0.01 or more, got {checkpoint_seconds}")
        if mini_batch_seconds < 0:
            raise ValueError(f"mini_batch_seconds must be 0 or more, got {mini_batch_seconds}")
        self.broker, self.orders = broker, orders
        self.folder, self.checkpoints = folder, folder / "checkpoints"
        self.checkpoints.mkdir()
        self.facts = broker.create_topic(f"{name}-facts", cleanup_policy="compact")
        self.rejects = broker.create_topic(f"{name}-rejects", cleanup_policy="compact")
        products = folder / "products.csv"
        data.products().to_csv(products, index=False, header=False)
        jars = needs.classpath([CONNECTOR]).split(os.pathsep)
        words = {
            "brokers": broker.address,
            "jar": next(jar for jar in jars if "flink-sql-connector-kafka" in jar),
            "products": products,
            "checkpoints": self.checkpoints,
            "orders": orders,
            "facts": self.facts,
            "rejects": self.rejects,
            "emit": emit,
            "window-minutes": int(minutes),
            "late-minutes": int(LATE / pd.Timedelta("1min")),
            "mini-batch-ms": round(mini_batch_seconds * 1000),
            "flush-ms": round(flush_seconds * 1000),
        }
        self._words = [f"--{name}={value}" for name, value in words.items()]
        self._checkpoint_seconds, self._java = checkpoint_seconds, java
        self._runs = False

    @contextmanager
    def running(self, checkpoint_seconds: float | None = None) -> Iterator[Program]:
        """The program while the block runs: it goes on from the newest checkpoint, if there is one.

        Parameters
        ----------
        checkpoint_seconds : another interval for this run.

        It is still starting when the block begins; once it has made a checkpoint, all of it runs.
        Raises LabError while it runs already: two would write over each other's counts.
        """
        if self._runs:
            raise LabError(f"{self.facts} is counted by Flink already: end that program first")
        every = checkpoint_seconds or self._checkpoint_seconds
        words = [*self._words, f"--checkpoint-ms={round(every * 1000)}"]
        command = needs.script("flink_count.py", *words)
        environment = {"JVM_ARGS": self._java, "FLINK_LOG_DIR": str(self.folder)}
        log = self.folder / "program.txt"
        with running("Flink", command, log, environment=environment) as program:
            self._runs = True
            try:
                yield program
            finally:
                self._runs = False

    def checkpoint(self) -> Path | None:
        """The newest complete checkpoint: a folder whose _metadata, written last, is there."""
        done = [path.parent for path in self.checkpoints.glob("*/chk-*/_metadata")]
        return max(done, key=lambda path: int(path.name.removeprefix("chk-")), default=None)

    def state_bytes(self) -> int:
        """Bytes of the newest checkpoint: what Flink remembers, and where it was in the topic."""
        found = self.checkpoint()
        return sum(path.stat().st_size for path in found.iterdir()) if found else 0

    def wait(self, program: Program, seconds: float = READY_SECONDS) -> None:
        """Until it has counted all orders sent, and its checkpoint holds them."""

        def asked_seldom() -> bool:
            time.sleep(0.1)  # the broker has orders to serve
            return self.caught_up()

        program.wait_for(asked_seldom, seconds)

    def caught_up(self) -> bool:
        """Whether a checkpoint holds all orders sent, their counts written; False if unknown."""
        from confluent_kafka import KafkaException

        with suppress(KafkaException):  # the group's coordinator is not there yet
            committed = committed_offset(self.broker, self.facts, self.orders)
            return committed >= self.broker.end_offset(self.orders)
        return False

    def table(self) -> pd.DataFrame:
        """The counts, as `contract.facts`."""
        return newest(read_all(self.broker, self.facts))

    def rejected(self) -> pd.DataFrame:
        """Lines that are in no count: kafka_partition, kafka_offset, reason, line; each once.

        Reasons: "malformed", "unknown product", "negative amount" and, with `emit="close"`, "late".
        """
        columns = ["kafka_partition", "kafka_offset", "reason", "line"]
        found = [json.loads(each) for each in read_all(self.broker, self.rejects)]
        return (
            pd.DataFrame(found, columns=columns)
            .drop_duplicates(columns[:2], keep="last")
            .sort_values(columns[:2], ignore_index=True)
        )


def measure(
    broker: Broker,
    orders: pd.DataFrame,
    seconds: float = 10.0,
    *,
    topic: str = "",
    feed: Callable[[], pd.Series] | None = None,
    emit: str = "event",
    window: str = "1h",
    mini_batch_seconds: float = 0.0,
    name: str = "flink",
    java: str = JAVA,
) -> Counted:
    """Let orders arrive at an even pace over so many seconds, and count them as they come.

    Parameters
    ----------
    seconds : 0 puts all of them into the topic before Flink starts: the run then tells events per
        second, and no ages.
    topic, feed : where Flink reads, and what makes the orders arrive there and returns when the
        source had committed each, by order_id; by default a topic of its own and `kafka.play`.
        From PostgreSQL: `kafka.publish.publishing` around this call and `source.play` as the feed.
    Others as `FlinkCount` takes them. With `emit="close"` the last windows close when newer orders
    come, so one order of a later day follows; it is not in the table.

    `state_bytes` is the last checkpoint's size. Raises LabError when Flink fails.
    """
    topic = topic or broker.create_topic(f"{name}-orders")
    feed = feed or (lambda: kafka.play(broker, topic, orders, seconds))
    arrived = broker.end_offset(topic) + len(orders)
    setting = "each order" if emit == "event" else "windows as they close"
    setting += f", {mini_batch_seconds:g} s mini-batch" if mini_batch_seconds else ""
    with scratch() as folder:
        counting = FlinkCount(
            broker,
            topic,
            folder,
            name=name,
            emit=emit,
            window=window,
            mini_batch_seconds=mini_batch_seconds,
            java=java,
        )
        committed = feed() if not seconds else pd.Series(dtype="float64")
        begun = time.monotonic()
        with Watched(broker, counting.facts) as watched, counting.running() as program:
            program.wait_for(lambda: counting.checkpoint() is not None, READY_SECONDS)
            start = time.monotonic() - begun
            if seconds:
                committed = feed()
            program.wait_for(lambda: broker.end_offset(topic) >= arrived, READY_SECONDS)
            if emit == "close":
                _send_closing(broker, topic, orders)
            counting.wait(program)
            state_bytes = counting.state_bytes()
            written = len(read_all(broker, counting.facts))
            program.wait_for(lambda: len(watched.arrived) >= written, 60)
        seen = watched.seen
        table = newest([value for _, value in watched.arrived])
        first = committed.min() if seconds else seen["at"].min()
        rejected = counting.rejected()
        # A malformed line may name no order, and is none of those fed.
        named = rejected.loc[rejected["reason"] != "malformed", "line"].map(json.loads)
        refused = [line["order_id"] for line in named]
        counted = orders[~orders["order_id"].isin(refused)]
        return Counted(
            system="streaming",
            engine=f"Flink {VERSION}",
            setting=setting,
            orders=len(orders),
            table=table,
            rows_read=broker.end_offset(topic),
            seconds=float(seen["at"].max() - first),
            stages={"start": start},
            ages=contract.ages(counted, committed, seen, window) if seconds else np.empty(0),
            state_bytes=state_bytes,
            rejected={
                str(reason): int(count)
                for reason, count in rejected["reason"].value_counts().items()
            },
        )


def _send_closing(broker: Broker, topic: str, orders: pd.DataFrame) -> None:
    """An order of a later day: with it the watermark passes the end of every window before."""
    last = orders.loc[[orders["order_timestamp"].idxmax()]]
    later = last["order_timestamp"] + pd.Timedelta("2D")
    number = orders["order_id"].max() + 1
    kafka.play(broker, topic, last.assign(order_timestamp=later, order_id=number))


# --- killed ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Killed:
    """What `kill` saw, and what is left at the end.

    Attributes
    ----------
    kills : one row a kill: phase, checkpoints (whether that run had made one), results (written by
        that run), replayed (results of the next run that are no newer than what stood there).
    table : the counts after the last restart.
    """

    kills: pd.DataFrame
    table: pd.DataFrame = field(repr=False)


def kill(
    counting: FlinkCount, orders: pd.DataFrame, phases: Sequence[str] = (BEFORE, BETWEEN, AFTER)
) -> Killed:
    """Kill the count (SIGKILL) in each of these phases, start it again, and let it finish.

    Each run gets its share of the orders. Before a checkpoint: it has given out counts and made no
    checkpoint. Between: it has made one and given out more since. After: one holds all orders.
    Where Flink went on from is then read off the results: after the first two some come again,
    after the last none does.

    Raises LabError when a kill did not hit its phase.
    """
    broker, rows = counting.broker, []
    ends = [broker.end_offset(counting.facts)]
    cuts = np.linspace(0, len(orders), len(phases) + 1).astype(int)
    for phase, first, last in zip(phases, cuts, cuts[1:], strict=False):
        earlier, part = counting.checkpoint(), orders.iloc[first:last]
        with counting.running(3600 if phase == BEFORE else 0.5) as program:
            _bring_to(phase, counting, program, part)
            program.kill()
        made = counting.checkpoint() != earlier
        ends.append(broker.end_offset(counting.facts))
        rows.append({"phase": phase, "checkpoints": made, "results": ends[-1] - ends[-2]})
        kafka.play(broker, counting.orders, part)  # what the kill kept from being sent, and copies
    with counting.running() as program:
        counting.wait(program)
    kills = pd.DataFrame(rows).assign(replayed=_replayed(counting, ends))
    for phase, made, _, replayed in kills.itertuples(index=False):
        if made != (phase != BEFORE) or (replayed > 0) != (phase != AFTER):
            raise LabError(f"not {phase}: checkpoint made: {made}, results replayed: {replayed}")
    return Killed(kills, counting.table())


def _bring_to(phase: str, counting: FlinkCount, program: Program, orders: pd.DataFrame) -> None:
    """Feed the running program its orders until it is in that phase."""
    broker, topic = counting.broker, counting.orders
    half = len(orders) // 2

    def given_out(more: int) -> Callable[[], bool]:
        enough = broker.end_offset(counting.facts) + more
        return lambda: broker.end_offset(counting.facts) >= enough

    if phase == BEFORE:
        enough = given_out(half)
        kafka.play(broker, topic, orders)
        program.wait_for(enough, READY_SECONDS)
        return
    kafka.play(broker, topic, orders.iloc[:half])
    counting.wait(program)
    if phase == AFTER:
        return
    enough, rest = given_out(half // 4), orders.iloc[half:]
    playing = threading.Thread(target=kafka.play, args=(broker, topic, rest, 2.0))
    playing.start()
    try:
        program.wait_for(enough, READY_SECONDS)
        program.kill()  # while orders go on coming
    finally:
        playing.join()


def _replayed(counting: FlinkCount, ends: list[int]) -> list[int]:
    """Results that each run but the first gave out though as new a one of their group was there."""
    best: dict[tuple[object, ...], int] = {}
    replayed = [0] * len(ends)
    for offset, message in enumerate(read_all(counting.broker, counting.facts)):
        row = json.loads(message)
        group = tuple(row[key] for key in contract.KEYS)
        run = int(np.searchsorted(ends, offset, side="right")) - 1
        replayed[run] += row["orders"] <= best.get(group, 0)
        best[group] = max(row["orders"], best.get(group, 0))
    return replayed[1:]
