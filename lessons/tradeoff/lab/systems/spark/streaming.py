"""Micro-batch on Spark: Structured Streaming from Kafka, or from a folder where changes land.

    with open_source() as source:
        spark_streaming.play(source, orders, seconds=10, trigger_seconds=1.0)

A batch writes its counts into mart.fact_orders together with its number, in one transaction
(`programs/spark_stream.py`): a query that was killed runs its last batch again from the checkpoint
and finds whether that one is in the table. The driver runs on this machine.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tradeoff.lab.systems import cdc, spark
from tradeoff.lab.systems.contract import KEYS, Measured, ages
from tradeoff.lab.systems.kafka import Broker
from tradeoff.lab.systems.kafka.publish import publishing
from tradeoff.lab.systems.postgres import Source
from tradeoff.lab.systems.processes import Program, scratch

# Maven Central's newest connector; it works with the PySpark that the programs name, one later.
KAFKA = ["org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"]
# Where a batch can be stopped for a kill, in the order in which it comes past.
BEFORE_WRITE = "before the write"
BEFORE_COMMIT = "between write and commit"
AFTER_COMMIT = "after the commit"
PHASES = (BEFORE_WRITE, BEFORE_COMMIT, AFTER_COMMIT)
PATH = "spark stream"
FINISH_SECONDS = 600.0
# Columns of `Run.batches` by what Spark's progress calls them, milliseconds there.
DURATIONS = {
    "seconds": "triggerExecution",
    "read_seconds": "latestOffset",
    "plan_seconds": "queryPlanning",
    "log_seconds": "walCommit",
    "add_seconds": "addBatch",
    "commit_seconds": "commitOffsets",
}


@dataclass(frozen=True)
class Query:
    """What a streaming query reads, counts and how often.

    Attributes
    ----------
    folder : where files of changes land (`cdc.land`); or topic : of the Kafka at `address`.
    trigger_seconds : the trigger interval; 0 starts a batch as soon as the one before has ended,
        None takes what is there now and ends.
    window, watermark : of event time, as pandas writes them: "5min". Without a watermark a batch
        adds its orders to the table, however late they are, and keeps nothing; with one, the state
        holds the counts of open windows, and orders of closed ones are dropped. For a folder.
    once_each : count an order of a topic once, though its message come again: publishers send at
        least once. The state then holds every order_id, for good.
    rehearse : before it begins, run once over an order that is not counted, so that ages are those
        of a query that has been running.
    path : its partition of mart.fact_orders. checkpoint : a folder, by default a temporary one.
    limit : most files, or messages, that one batch takes; 0 for all there are.
    pause : (phase, batch): stop in this phase of the first batch with that number or a later one,
        and wait to be killed.
    """

    folder: Path | None = None
    topic: str | None = None
    address: str | None = None
    trigger_seconds: float | None = 0.0
    window: str = "1h"
    watermark: str | None = None
    once_each: bool = False
    rehearse: bool = False
    path: str = PATH
    checkpoint: Path | None = None
    limit: int = 0
    pause: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.topic is None):
            raise ValueError("a query reads either a folder or a topic: give one of the two")
        if self.topic is not None and self.watermark is not None:
            raise ValueError(
                "a watermark is for a folder: of a topic, a message that comes again would count "
                "again, and with a watermark Spark cannot remember which orders have come"
            )
        if self.once_each and self.topic is None:
            raise ValueError("once_each is for a topic: in a folder no change lands twice")
        if self.pause is not None and self.pause[0] not in PHASES:
            raise ValueError(f"pause must name one of {PHASES}, got {self.pause[0]!r}")

    @property
    def setting(self) -> str:
        if self.trigger_seconds is None:
            return "available now"
        return (
            f"{self.trigger_seconds:g} s trigger" if self.trigger_seconds else "as soon as it can"
        )

    def _as_job(self, folder: Path) -> dict[str, Any]:
        trigger: dict[str, Any] = {}
        if self.trigger_seconds is None:
            trigger = {"availableNow": True}
        elif self.trigger_seconds:
            trigger = {"processingTime": f"{round(self.trigger_seconds * 1000)} milliseconds"}
        feed = {"folder": str(self.folder)} if self.folder else {"topic": self.topic}
        pause = self.pause and {"phase": self.pause[0], "batch": self.pause[1]}
        return {
            "feed": feed | {"address": self.address, "limit": self.limit},
            "trigger": trigger,
            "window": _spark(self.window),
            "watermark": self.watermark and _spark(self.watermark),
            "once_each": self.once_each,
            "rehearse": self.rehearse,
            "path": self.path,
            "checkpoint": str(self.checkpoint or folder / "checkpoint"),
            "pause": pause,
        }


@dataclass(frozen=True, eq=False)
class Run:
    """What a query did.

    Attributes
    ----------
    batches : a row a batch that brought rows or moved the watermark: batch, events, seconds and
        the columns of `DURATIONS`, transform_seconds and write_seconds (within add_seconds: the
        count, and the transaction in PostgreSQL), repeated (its result was there already),
        watermark, state_rows, state_bytes, dropped, refused (lines that are no order to count).
    seen : the results as they came out, as `contract.ages` takes them.
    table : the path's results. rejected : orders it refused, as `Source.read_rejected` has them;
        with a watermark none is kept, and `refused` says how many there were.
    start_seconds : until the query ran. query, engine : what ran.
    """

    query: Query
    engine: str
    start_seconds: float
    batches: pd.DataFrame
    seen: pd.DataFrame
    table: pd.DataFrame = field(repr=False)
    rejected: pd.DataFrame = field(repr=False)

    def measured(self, orders: pd.DataFrame, committed: pd.Series | None = None) -> Measured:
        """The run as every system reports it; `committed` as `contract.ages` takes it."""
        window, each = self.query.window, self.batches
        stages = {
            "start": self.start_seconds,
            "read": float(each["read_seconds"].sum()),
            "transform": float(each["transform_seconds"].sum()),
            "write": float(each["write_seconds"].sum()),
        }
        counted = orders[~orders["order_id"].isin(self.rejected["order_id"])]
        old = {} if committed is None else {"ages": ages(counted, committed, self.seen, window)}
        return Measured(
            system="micro-batch",
            engine=self.engine,
            setting=self.query.setting,
            orders=len(orders),
            table=self.table,
            rows_read=int(each["events"].sum()),
            seconds=float(each["seconds"].sum()),
            stages=stages,
            state_bytes=int(each["state_bytes"].iloc[-1]),
            **old,
        )


class Running:
    """A query under way; made by `started`."""

    def __init__(self, program: Program, source: Source, query: Query, folder: Path) -> None:
        self.program, self.query, self._source, self._folder = program, query, source, folder

    @property
    def paused(self) -> tuple[str, int] | None:
        """The phase and the batch in which it waits to be killed."""
        marker = self._folder / "paused"
        if not marker.exists():
            return None
        found = json.loads(marker.read_text("utf-8"))
        return found["phase"], found["batch"]

    def kill_when_paused(self, seconds: float = FINISH_SECONDS) -> tuple[str, int]:
        """SIGKILL once it waits where it was told to; the phase and the batch it was killed in."""
        self.program.wait_for(lambda: self.paused is not None, seconds)
        place = self.paused
        self.program.kill()
        assert place is not None
        return place

    def finish(self, seconds: float = FINISH_SECONDS) -> Run:
        """Count all that has come by now, and end. Raises LabError when the query fails."""
        (self._folder / "finish").touch()
        self.program.finish(seconds)
        return _run(self._source, self.query, self._folder)


def play(
    source: Source,
    orders: pd.DataFrame,
    seconds: float,
    *,
    trigger_seconds: float = 1.0,
    broker: Broker | None = None,
    window: str = "1h",
    watermark: str | None = None,
) -> Measured:
    """Insert orders into the source over so many seconds, and count them as they come.

    Their changes go by Kafka where a broker is given, else by a landing folder; the other
    parameters are those of `Query`. "start" is Spark's start and a rehearsal, over before the first
    order is inserted. What an earlier call counted is forgotten: the path begins anew.

    Raises as `started` does.
    """
    forget(source, PATH)
    with ExitStack() as stack:
        common: dict[str, Any] = {
            "trigger_seconds": trigger_seconds,
            "window": window,
            "watermark": watermark,
            "rehearse": True,
        }
        if broker is not None:
            topic = broker.create_topic(f"spark-{secrets.token_hex(4)}", partitions=spark.CORES)
            published = stack.enter_context(publishing(source, broker, topic, slot="spark_kafka"))
            query = Query(topic=topic, address=broker.address, once_each=True, **common)
        else:
            folder = stack.enter_context(scratch()) / "landing"
            landing = stack.enter_context(cdc.land(source, folder, slot="spark_landing"))
            query = Query(folder, **common)
        running = stack.enter_context(started(source, query))
        committed = source.play(orders, seconds)
        if broker is not None:
            published.wait(len(orders))
        else:
            landing.finish()
        return running.finish().measured(orders, committed)


def forget(source: Source, path: str) -> None:
    """Empty a path, and let a new checkpoint count into it."""
    spark.ensure_partition(source, path)
    with source.transaction(f"forgetting {path}") as cursor:
        cursor.execute("DELETE FROM mart.fact_orders WHERE path = %s", [path])
        cursor.execute("DELETE FROM raw.rejected WHERE path = %s", [path])
        cursor.execute("SELECT to_regclass('mart.spark_batch')")
        if cursor.fetchone() != (None,):
            cursor.execute("DELETE FROM mart.spark_batch WHERE path = %s", [path])


@contextmanager
def started(source: Source, query: Query) -> Iterator[Running]:
    """A streaming query while the block runs; it has begun when the block does.

    Raises Missing without Java, Maven or uv, LabError when Spark does not start the query.
    """
    with _program(source, [query]) as (program, folder):
        ready = folder / "0" / "ready"
        program.wait_for(ready.exists, spark.START_SECONDS)
        yield Running(program, source, query, folder / "0")


def run_all(source: Source, queries: Sequence[Query]) -> list[Run]:
    """Run queries that end by themselves (`trigger_seconds=None`), one after the other."""
    if any(query.trigger_seconds is not None for query in queries):
        raise ValueError("every query must have trigger_seconds=None: another one would not end")
    with _program(source, queries) as (program, folder):
        program.finish(spark.START_SECONDS + FINISH_SECONDS)
        return [_run(source, query, folder / str(at)) for at, query in enumerate(queries)]


@contextmanager
def _program(source: Source, queries: Sequence[Query]) -> Iterator[tuple[Program, Path]]:
    coordinates = KAFKA if any(query.topic for query in queries) else []
    for query in queries:
        spark.ensure_partition(source, query.path)
    with scratch() as folder:
        results = folder / "results"
        results.mkdir()
        each = []
        for at, query in enumerate(queries):
            own = folder / str(at)
            own.mkdir()
            each.append(query._as_job(own))
        job = {"queries": each, **spark.settings(source, coordinates)}
        with spark.started("spark_stream", job, results) as program:
            yield program, results


def _run(source: Source, query: Query, folder: Path) -> Run:
    ready = json.loads((folder / "ready").read_text("utf-8"))
    progress = [_batch(line) for line in _lines(folder / "progress.jsonl")]
    told = _lines(folder / "seen.jsonl")
    batches = pd.DataFrame(progress, columns=[*_batch({})]).drop_duplicates("batch", keep="last")
    own = ["batch", "transform_seconds", "write_seconds", "repeated"]
    batches = batches.merge(pd.DataFrame(told, columns=own), on="batch")
    seen = pd.DataFrame(
        [(*row, line["at"]) for line in told for row in line["changed"]],
        columns=[*KEYS, "orders", "at"],
    ).astype({"window_start": "datetime64[us]"})
    table, rejected = source.read_facts(query.path), source.read_rejected(query.path)
    return Run(query, ready["engine"], ready["start"], batches, seen, table, rejected)


def _batch(progress: dict[str, Any]) -> dict[str, Any]:
    durations, states = progress.get("durationMs", {}), progress.get("stateOperators", [])
    seconds = {column: durations.get(name, 0) / 1000 for column, name in DURATIONS.items()}
    watermark = progress.get("eventTime", {}).get("watermark")
    return {
        "batch": progress.get("batchId"),
        "events": progress.get("numInputRows"),
        **seconds,
        "watermark": pd.Timestamp(watermark).tz_localize(None) if watermark else pd.NaT,
        "state_rows": sum(state["numRowsTotal"] for state in states),
        "state_bytes": sum(state["memoryUsedBytes"] for state in states),
        "dropped": sum(state["numRowsDroppedByWatermark"] for state in states),
        "refused": progress.get("observedMetrics", {}).get("orders", {}).get("refused", 0),
    }


def _spark(duration: str) -> str:
    return f"{round(pd.Timedelta(duration).total_seconds() * 1_000_000)} microseconds"


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
