"""Nightly and hourly batch over the source in PostgreSQL: the lesson's two queries, one engine.

    with open_source() as source:
        source.load(data.orders("2026-04-25", 100_000))
        nightly(source, "2026-04-25")
        hourly(source, "2026-04-25")          # 24 runs of `run_hour`, and the roll-up to the day

A run reads the orders of [start, end) and the products, counts them, and overwrites its windows of
its own partition in mart.fact_orders. It may be repeated: it changes nothing unless orders came in
between. An order that cannot be counted stands in raw.rejected with the reason: nothing is lost,
and a run whose counts do not add up fails.

The engine is DuckDB, fed by ADBC; any other with the methods of `engine.Engine` will do.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pandas as pd

from tradeoff import data
from tradeoff.lab.systems.batch.engine import PRODUCTS, Engine, duck_engine
from tradeoff.lab.systems.contract import FACTS, Measured
from tradeoff.lab.systems.postgres import Source
from tradeoff.lab.systems.processes import LabError

NIGHTLY, HOURLY, ROLLED_UP = "nightly", "hourly", "hourly by day"


@dataclass(frozen=True, eq=False)
class Run:
    """One run: its orders read, rejected, and wall seconds by stage (read, transform, write)."""

    start: pd.Timestamp
    rows_read: int
    rejected: int
    stages: dict[str, float] = field(default_factory=dict)


# --- the queries ----------------------------------------------------------------------------------


def orders_between(start: Any, end: Any) -> str:
    """The orders of [start, end): a range that the index on order_timestamp answers."""
    return (
        f"SELECT {', '.join(data.ORDER_COLUMNS)} FROM raw.orders"
        f" WHERE order_timestamp >= '{pd.Timestamp(start)}'"
        f" AND order_timestamp < '{pd.Timestamp(end)}'"
    )


def orders_by_cast(day: Any) -> str:
    """The same orders of a day, the way the old query asks: behind a cast, where no index helps."""
    return (
        f"SELECT {', '.join(data.ORDER_COLUMNS)} FROM raw.orders"
        f" WHERE CAST(order_timestamp AS date) = '{data.as_day(day):%Y-%m-%d}'"
    )


def rows_scanned(source: Source, query: str) -> int:
    """Rows of the tables that PostgreSQL goes through to answer a query, by its own account.

    The query is run for it (EXPLAIN ANALYZE). Rows that a filter or an index's recheck drops count.
    """
    [([plan],)] = source.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}")
    return round(sum(_scanned(plan["Plan"])))


def _scanned(node: dict[str, Any]) -> Iterator[float]:
    below = node.get("Plans", [])
    if "Relation Name" in node:  # a bitmap's index below it reads no rows
        kept = node["Actual Rows"] + sum(
            node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck")
        )
        yield kept * node["Actual Loops"]
    else:
        for each in below:
            yield from _scanned(each)


# --- the runs -------------------------------------------------------------------------------------


def nightly(
    source: Source, day: Any, *, window: str = "1D", engine: Engine | None = None
) -> Measured:
    """The nightly batch: one run over the whole day; its table is `facts(orders, window)`.

    Raises LabError when another run of the day is under way, the source goes away, or a disk is
    full; the results are then as they were.
    """
    start = data.as_day(day)
    with _engine(engine) as (own, start_seconds):
        began = perf_counter()
        done = run(source, NIGHTLY, start, start + pd.Timedelta("1D"), window, own)
        seconds = perf_counter() - began
        version = own.version
    return _measured("nightly batch", version, source, NIGHTLY, start, [done], seconds, window,
                     {"start": start_seconds})  # fmt: skip


def hourly(source: Source, day: Any, *, engine: Engine | None = None) -> Measured:
    """The incremental batch: the day's 24 hours, each run for itself, and the roll-up to the day.

    The table is that of the hours, `facts(orders)`; the day's stands under the path `ROLLED_UP`.
    Raises as `nightly` does; the hours before the one that failed are written.
    """
    start = data.as_day(day)
    hours = pd.date_range(start, periods=24, freq="h")
    with _engine(engine) as (own, start_seconds):
        began = perf_counter()
        runs = [run_hour(source, hour, engine=own) for hour in hours]
        rolled = roll_up(source, start)
        seconds = perf_counter() - began
        version = own.version
    return _measured("hourly batch", version, source, HOURLY, start, runs, seconds, "hourly",
                     {"start": start_seconds} | rolled)  # fmt: skip


def run_hour(source: Source, hour: Any, *, engine: Engine | None = None) -> Run:
    """One hour of the incremental batch; also the way to count an order that came late."""
    start = pd.Timestamp(hour)
    if start != start.floor("h") or start.tz is not None:
        raise ValueError(f'hour must be a full UTC hour, such as "2026-04-25 07:00", got {hour!r}')
    with _engine(engine) as (own, _):
        return run(source, HOURLY, start, start + pd.Timedelta("1h"), "1h", own)


def roll_up(source: Source, day: Any) -> dict[str, float]:
    """Sum the day's hours into the path `ROLLED_UP`; seconds by stage. Reads no order."""
    start = data.as_day(day)
    with source.claimed(ROLLED_UP, [start]):
        began = perf_counter()
        rows = source.execute(
            "SELECT date_trunc('day', window_start), category, region, sum(orders)::bigint,"
            " sum(revenue_cents)::bigint FROM mart.fact_orders WHERE path = %s"
            " AND window_start >= %s AND window_start < %s GROUP BY 1, 2, 3",
            [HOURLY, start.to_pydatetime(), (start + pd.Timedelta("1D")).to_pydatetime()],
        )
        summed = perf_counter()
        source.write_facts(ROLLED_UP, pd.DataFrame(rows, columns=FACTS), [start])
    return {"transform": summed - began, "write": perf_counter() - summed}


def run(
    source: Source, path: str, start: pd.Timestamp, end: pd.Timestamp, window: str, engine: Engine
) -> Run:
    """Count the orders of [start, end) into a path's windows, overwriting them; the one way."""
    windows = list(pd.date_range(start, end, freq=window, inclusive="left"))
    if pd.Timedelta("1D") % pd.Timedelta(window):
        raise ValueError(f'window must divide a day, such as "1h" or "5min", got {window!r}')
    with source.claimed(path, windows) as held:
        times = [perf_counter()]
        orders = engine.read(source, orders_between(start, end))
        products = engine.read(source, PRODUCTS)
        times.append(perf_counter())
        counted = engine.aggregate(orders, products, window)
        times.append(perf_counter())
        added = int(counted.facts["orders"].sum()) + len(counted.rejected)
        if added != counted.rows:
            raise LabError(
                f"{path} read {counted.rows:,} orders from {start} on, and counted or rejected "
                f"{added:,}. Nothing was written: is a product twice in dim.product?"
            )
        held()
        engine.write(source, path, windows, counted)
        times.append(perf_counter())
    stages = dict(
        zip(("read", "transform", "write"), map(_seconds, itertools.pairwise(times)), strict=True)
    )
    return Run(start, counted.rows, len(counted.rejected), stages)


# --- helpers --------------------------------------------------------------------------------------


@contextmanager
def _engine(given: Engine | None) -> Iterator[tuple[Engine, float]]:
    """The engine, and the seconds it took to start; 0 for one that ran already."""
    if given is not None:
        yield given, 0.0
        return
    began = perf_counter()
    with duck_engine() as own:
        yield own, perf_counter() - began


def _seconds(pair: tuple[float, float]) -> float:
    return pair[1] - pair[0]


def _measured(
    system: str,
    version: str,
    source: Source,
    path: str,
    day: pd.Timestamp,
    runs: Sequence[Run],
    seconds: float,
    setting: str,
    more: dict[str, float],
) -> Measured:
    table = source.read_facts(path)
    stages = dict(more)
    for name in ("read", "transform", "write"):
        stages[name] = stages.get(name, 0.0) + sum(run.stages[name] for run in runs)
    rows = sum(run.rows_read for run in runs)
    starts = table["window_start"]
    return Measured(
        system=system,
        engine=version,
        setting=setting,
        orders=rows,
        table=table[(starts >= day) & (starts < day + pd.Timedelta("1D"))].reset_index(drop=True),
        rows_read=rows,
        seconds=seconds,
        stages=stages,
    )
