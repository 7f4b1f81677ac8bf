"""One day of orders at any volume, counted by four engines: nightly in one run, hourly in 24.

    with volume.a_day(18_000_000) as day:
        volume.count(day, "DuckDB", "nightly")

Each run is a process of its own that reads the same Parquet file, sorted by time, and writes the
table of `contract.facts`. What it takes is told by that process: wall seconds without the engine's
start, and the peak of its resident memory.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tradeoff import data
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.contract import as_facts
from tradeoff.lab.systems.processes import running, scratch

DATE = "2026-04-25"
HOW = ("nightly", "hourly")
ENGINES = {
    "DuckDB": (["volume_duckdb.py"], ()),
    "pandas": (["volume_pandas.py"], ()),
    "Polars": (["volume_polars.py"], ("uv",)),
    "Spark": (["on_spark.py", "volume_spark"], ("uv", "java")),
}
ROW_GROUP_ROWS = 500_000
COUNT_SECONDS = 3600.0  # of a count; the longest measured, Spark by the hour, took 104
SCHEMA = pa.schema(
    {
        "order_id": pa.int64(),
        "order_timestamp": pa.timestamp("us"),
        "product_id": pa.int32(),
        "region": pa.string(),
        "amount_cents": pa.int32(),
    }
)


@dataclass(frozen=True)
class Day:
    """A day's orders in a file, their number, and the file of the catalogue."""

    orders: int
    path: Path
    products: Path


@dataclass(frozen=True, eq=False)
class Counted:
    """One engine's run over a day: its name and version, what it took, and the table it made.

    `seconds` is wall time without the engine's start-up, `peak_bytes` the most resident memory.
    """

    engine: str
    how: str
    orders: int
    seconds: float
    peak_bytes: int
    table: pd.DataFrame


@contextmanager
def a_day(orders: int, progress: Callable[[int, int], None] | None = None) -> Iterator[Day]:
    """A day of so many orders in a Parquet file of a temporary folder, gone after the block.

    Takes about 12 bytes of disk an order. `progress(done, orders)` is called after each million.
    """
    with scratch() as folder:
        path, products = folder / f"orders-{DATE}.parquet", folder / "products.csv"
        data.products().to_csv(products, index=False)
        done = 0
        with pq.ParquetWriter(path, SCHEMA) as writer:
            for chunk in data.order_chunks(DATE, orders):
                chunk["region"] = chunk["region"].astype("str")
                table = pa.Table.from_pandas(chunk, SCHEMA, preserve_index=False)
                writer.write_table(table, ROW_GROUP_ROWS)
                done += len(chunk)
                if progress is not None:
                    progress(done, orders)
        yield Day(orders, path, products)


def count(day: Day, engine: str, how: str, *, memory_mb: int = 4_000, threads: int = 2) -> Counted:
    """Count the day on one of `ENGINES`, `how` one of `HOW`.

    Parameters
    ----------
    memory_mb : the limit for engines that have one: DuckDB and Spark's driver.
    threads : as many cores it may use; pandas uses one.

    Raises Missing where the engine cannot run here, LabError when it fails.
    """
    if engine not in ENGINES or how not in HOW:
        raise ValueError(f"engine must be one of {list(ENGINES)}, how one of {HOW}")
    (script, *first), needed = ENGINES[engine]
    needs.demand(engine, *needed)
    own = needs.script(script) if needed else [sys.executable, str(needs.PROGRAMS / script)]
    with scratch() as folder:
        results, log = folder / "results", folder / "said.txt"
        results.mkdir()
        words = [str(day.path), str(day.products), str(results), how, str(memory_mb), str(threads)]
        name = f"{engine} on {day.orders:,} orders"
        with running(name, [*own, *first, *words], log, temporary=folder) as program:
            program.finish(COUNT_SECONDS)
        lines = log.read_text("utf-8", errors="replace").splitlines()
        said = json.loads(next(line for line in reversed(lines) if line.startswith("{")))
        parts = [pq.read_table(part).to_pandas() for part in sorted(results.iterdir())]
    table = as_facts(pd.concat(parts))
    return Counted(said["engine"], how, day.orders, said["seconds"], said["peak_bytes"], table)
