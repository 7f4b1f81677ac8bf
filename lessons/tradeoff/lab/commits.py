"""Events read, transformed and written in batches of any size, every commit on the disk.

    with commits.open_bench("sqlite", events=1_000_000) as bench:
        bench.run(0, 1_000)                                      # one batch: read, transform, write
        bench.measure([1, 10, 100, 1_000], seconds=2)            # the mean batch of each size
        bench.follow(events_per_second=100, seconds=2.5)         # a live pipeline's event log

Two stores do the same work. SQLite handles a batch row by row, in Python and in its engine; DuckDB
column by column. Both force a commit to the disk before they report it, so what a batch costs
whatever its size is real: a query, a transaction, a flush. How long a flush takes depends on the
disk and on who else uses it; sizes are measured in turns, so that all see the same mood of it.
"""

from __future__ import annotations

import math
import sqlite3
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from tradeoff.model.quantities import Quantity, check

SIZES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)

TABLES = (
    "CREATE TABLE arrived (event BIGINT, cents BIGINT)",
    "CREATE TABLE visible (event BIGINT, usd DOUBLE)",
)
READ = "SELECT event, cents FROM arrived WHERE event >= ? AND event < ? ORDER BY event"

_EVENTS = Quantity("events", least=1, most=1e8, whole=True)
_FIRST = Quantity("position of an event", least=0, whole=True)
_SECONDS = Quantity("seconds", above=0, most=600)
_RATE = Quantity("events a second", above=0, most=1e6)
_WARM_UP = 3
_GRACE_SECONDS = 0.05  # for the last event of a live run


@dataclass(frozen=True)
class Batch:
    """One batch as measured: its events, and the seconds of its three stages."""

    events: int
    read_seconds: float
    transform_seconds: float
    write_seconds: float

    @property
    def seconds(self) -> float:
        return self.read_seconds + self.transform_seconds + self.write_seconds


class Bench(ABC):
    """Events that have arrived, in a database file, and the table of those made visible.

    A context manager; closing it removes what it made. `read`, `transform` and `write` are the
    stages, for a cell that wants to put them together itself.
    """

    _connection: Any = None  # either store's

    def __init__(self, events: int, folder: Path | None) -> None:
        self.events = int(check("events", events, _EVENTS))
        self._own = tempfile.TemporaryDirectory() if folder is None else None
        self._path = Path(self._own.name if self._own else str(folder)) / "events.db"
        try:
            self._open(np.random.default_rng(1).integers(100, 20_000, self.events))
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _open(self, cents: np.ndarray) -> None:
        """Make the file, its tables, and the events that have arrived."""

    @abstractmethod
    def read(self, first: int, events: int) -> Any:
        """The next events of the source, from one position on: one query."""

    @abstractmethod
    def transform(self, block: Any) -> Any:
        """Cents to dollars, for the whole block."""

    @abstractmethod
    def write(self, block: Any) -> None:
        """Append a block to the visible table: one transaction, flushed to the disk."""

    @abstractmethod
    def visible(self) -> int:
        """How many events a reader sees now."""

    def close(self) -> None:
        """Close the file and remove it, if the bench made the folder. Closing twice is fine."""
        if self._connection:
            self._connection.close()
        if self._own:
            self._own.cleanup()

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, first: int, events: int) -> Batch:
        """One batch through the three stages, timed.

        Raises ValueError for a range of events that the source does not have.
        """
        first = int(check("first", first, _FIRST))
        events = int(check("events", events, _EVENTS))
        if first + events > self.events:
            raise ValueError(
                f"events {first:,} to {first + events:,} were asked for, there are {self.events:,}"
            )
        clock = time.perf_counter
        started = clock()
        block = self.read(first, events)
        read = clock()
        made = self.transform(block)
        transformed = clock()
        self.write(made)
        return Batch(events, read - started, transformed - read, clock() - transformed)

    def measure(
        self,
        sizes: Sequence[int] = SIZES,
        seconds: float = 4.0,
        progress: Callable[[str], None] | None = None,
    ) -> pd.DataFrame:
        """The mean batch of each size, one row a size, in about `seconds` altogether.

        Each size gets an equal share of the time and at least one batch; it is always the turn of
        the one that has used the least. `progress` is told about each second what was done.

        Columns: events (of a batch), batches (how many were run), seconds (of one),
        read_seconds, transform_seconds, write_seconds, events_per_second.
        """
        share = check("seconds", seconds, _SECONDS) / max(1, len(sizes))
        wanted = [int(check("sizes", size, _EVENTS)) for size in sizes]
        if not wanted or len(set(wanted)) < len(wanted) or max(wanted) > self.events:
            raise ValueError(
                f"sizes must be different, at least one, at most {self.events:,}, got {wanted}"
            )
        for _ in range(_WARM_UP):
            self.run(0, min(wanted))
        done: dict[int, list[Batch]] = {size: [] for size in wanted}
        used = dict.fromkeys(wanted, 0.0)
        position, told = 0, time.perf_counter()
        while min(used.values()) < share:
            size = min(used, key=lambda each: used[each])
            position = position if position + size <= self.events else 0
            batch = self.run(position, size)
            position += size
            done[size].append(batch)
            used[size] += batch.seconds
            if progress and time.perf_counter() - told > 1.0:
                told = time.perf_counter()
                progress(f"{sum(used.values()):.0f} s: {sum(map(len, done.values())):,} batches")
        means = [pd.DataFrame(map(asdict, batches)).mean() for batches in done.values()]
        table = pd.DataFrame(means)
        table.insert(1, "batches", [len(batches) for batches in done.values()])
        stages = ["read_seconds", "transform_seconds", "write_seconds"]
        table.insert(2, "seconds", table[stages].sum(axis=1))
        table["events"] = wanted
        return table.assign(events_per_second=table["events"] / table["seconds"])

    def follow(
        self,
        events_per_second: float,
        seconds: float,
        every_seconds: float | None = None,
        at_most: int | None = None,
    ) -> pd.DataFrame:
        """A live pipeline: events arrive evenly while it runs; its event log, one row an event.

        Parameters
        ----------
        every_seconds : a batch starts at each tick; None: whenever something has arrived.
        at_most : events of a batch; None: all that have arrived, 1: event by event.

        It works until `seconds` have passed (a timed one until the tick after that). Columns,
        seconds from its start: event, arrived_seconds, started_seconds (its batch began to read),
        visible_seconds (committed), transform_seconds (its part of its batch's), batch (a number).
        Events never taken have NaN. Raises ValueError for more events than the source has.
        """
        rate = check("events_per_second", events_per_second, _RATE)
        lasts = check("seconds", seconds, _SECONDS)
        tick = None if every_seconds is None else check("every_seconds", every_seconds, _SECONDS)
        most = self.events if at_most is None else int(check("at_most", at_most, _EVENTS))
        total = math.ceil(rate * lasts)
        if total > self.events:
            raise ValueError(f"{total:,} events would arrive, the source has {self.events:,}")
        begin = time.perf_counter()
        taken, due = 0, tick or 0.0
        done: list[tuple[int, float, float, float]] = []
        while taken < total:
            # A late batch starts at once; ticks that passed meanwhile are not made up for.
            _sleep(begin + (due if tick else taken / rate))
            now = time.perf_counter() - begin
            if now > lasts + (tick or 0.0) + _GRACE_SECONDS:
                break
            due = (math.floor(now / tick) + 1) * tick if tick else 0.0
            size = min(min(total, math.floor(now * rate) + 1) - taken, most)
            batch = self.run(taken, size)
            done.append((size, now, time.perf_counter() - begin, batch.transform_seconds / size))
            taken += size
        return _event_log(total, rate, done)


def _event_log(
    total: int, rate: float, done: list[tuple[int, float, float, float]]
) -> pd.DataFrame:
    batches = pd.DataFrame(done, columns=["events", *_LATER]).rename_axis("batch").reset_index()
    rows = batches.loc[batches.index.repeat(batches.pop("events"))].reset_index(drop=True)
    arrived = pd.DataFrame({"event": np.arange(total), "arrived_seconds": np.arange(total) / rate})
    return arrived.join(rows)


_LATER = ("started_seconds", "visible_seconds", "transform_seconds")


def _sleep(until: float) -> None:
    left = until - time.perf_counter()
    if left > 0:
        time.sleep(left)


class _Sqlite(Bench):
    """Rows: a list of tuples in Python, one statement executed for each of them in the engine."""

    def _open(self, cents: np.ndarray) -> None:
        connection = self._connection = sqlite3.connect(self._path, isolation_level=None)
        # A commit returns when the write-ahead log is on the disk, on macOS in earnest, too.
        for setting in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute(TABLES[0].replace("event BIGINT", "event INTEGER PRIMARY KEY"))
        connection.execute(TABLES[1])
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO arrived VALUES (?, ?)", enumerate(cents.tolist()))
        connection.execute("COMMIT")

    def read(self, first: int, events: int) -> list[tuple[int, int]]:
        return list(self._connection.execute(READ, (first, first + events)))

    def transform(self, block: list[tuple[int, int]]) -> list[tuple[int, float]]:
        return [(event, cents / 100) for event, cents in block]

    def write(self, block: list[tuple[int, float]]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO visible VALUES (?, ?)", block)
        self._connection.execute("COMMIT")

    def visible(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM visible").fetchone()[0])


class _Duck(Bench):
    """Columns: a DataFrame in Python, one INSERT … SELECT over all of it in the engine."""

    def _open(self, cents: np.ndarray) -> None:
        self._connection = duckdb.connect(str(self._path))
        for table in TABLES:
            self._connection.execute(table)
        events = pd.DataFrame({"event": np.arange(len(cents)), "cents": cents})
        self._insert("arrived", events)

    def read(self, first: int, events: int) -> pd.DataFrame:
        return pd.DataFrame(self._connection.execute(READ, (first, first + events)).df())

    def transform(self, block: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"event": block["event"], "usd": block["cents"] / 100})

    def write(self, block: pd.DataFrame) -> None:
        self._insert("visible", block)

    def visible(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM visible").fetchone()[0])

    def _insert(self, table: str, block: pd.DataFrame) -> None:
        self._connection.register("block", block)
        self._connection.execute(f"INSERT INTO {table} SELECT * FROM block")  # commits itself
        self._connection.unregister("block")


STORES: dict[str, type[Bench]] = {"sqlite": _Sqlite, "duckdb": _Duck}


def open_bench(
    store: str = "sqlite", events: int = 1_000_000, folder: str | Path | None = None
) -> Bench:
    """A bench over so many arrived events, in a temporary folder unless one is given.

    Raises ValueError for a store that is not one of `STORES`.
    """
    if store not in STORES:
        raise ValueError(f"store must be one of {', '.join(STORES)}, got {store!r}")
    return STORES[store](events, None if folder is None else Path(folder))


def four_metrics(log: pd.DataFrame, node_usd_per_hour: float) -> dict[str, float]:
    """The four metrics of a pipeline, from its event log (`Bench.follow`).

    End-to-end latency is arrival until visible, and for events never seen until the log ends;
    processing latency is an event's part of the transform. Throughput is events made visible over
    the time from start to end, and `busy_events_per_second` over the time at work. A dollar figure
    is the node's price for that whole time, or for the time at work, by million events.

    Raises ValueError when nothing became visible.
    """
    price = check("node_usd_per_hour", node_usd_per_hour) / 3_600
    seen = log.dropna()
    if seen.empty:
        raise ValueError("no event of this log became visible: let it run longer")
    end = float(seen["visible_seconds"].max())
    latency = log["visible_seconds"].fillna(end) - log["arrived_seconds"]
    batches = seen.groupby("batch")[["started_seconds", "visible_seconds"]].first()
    busy = float((batches["visible_seconds"] - batches["started_seconds"]).sum())
    return {
        "end_to_end_p50_seconds": float(latency.median()),
        "end_to_end_worst_seconds": float(latency.max()),
        "processing_us": float(seen["transform_seconds"].mean() * 1e6),
        "events_per_second": len(seen) / end,
        "busy_events_per_second": len(seen) / busy,
        "busy_share": busy / end,
        "usd_per_million_always_on": price * end / len(seen) * 1e6,
        "usd_per_million_busy": price * busy / len(seen) * 1e6,
        "waiting_events": float(len(log) - len(seen)),
    }
