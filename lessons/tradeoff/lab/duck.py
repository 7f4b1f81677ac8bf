"""Lesson 5's orders pipeline on a real engine: DuckDB, in this process, over millions of orders.

    with open_warehouse() as shop:
        shop.load_orders("2026-04-25", 18_000_000)
        nightly = shop.nightly_insert("2026-04-25")
        hourly = [shop.hourly_overwrite(hour) for hour in hours_of("2026-04-25")]
        rollup = shop.rollup_daily("2026-04-25")
        shop.compare("2026-04-25").equal            # True
        as_frame([nightly, *hourly, rollup])        # rows and seconds side by side

Every timestamp is UTC without a zone, and a day is a UTC day.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from tradeoff import data

# revenue is DECIMAL, never DOUBLE: sums of doubles depend on the order of adding, so 24 hourly sums
# would differ from the day's in the last digits and no row-for-row proof could hold.
SCHEMA = """
CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS dim;
CREATE SCHEMA IF NOT EXISTS mart;

CREATE TABLE IF NOT EXISTS raw.orders (
    order_id BIGINT, order_timestamp TIMESTAMP, product_id INTEGER, region VARCHAR,
    amount_cents INTEGER);

CREATE TABLE IF NOT EXISTS dim.product (
    product_id INTEGER PRIMARY KEY, category VARCHAR, name VARCHAR, price_cents INTEGER);

-- The nightly table has no key: nothing keeps a plain INSERT from adding a day twice.
CREATE TABLE IF NOT EXISTS mart.fact_daily_orders (
    order_date DATE, category VARCHAR, region VARCHAR, orders BIGINT, revenue DECIMAL(18, 2));

-- The key makes two simultaneous runs of one hour collide instead of adding it twice.
CREATE TABLE IF NOT EXISTS mart.fact_hourly_orders (
    hour_ts TIMESTAMP, category VARCHAR, region VARCHAR, orders BIGINT, revenue DECIMAL(18, 2),
    PRIMARY KEY (hour_ts, category, region));

CREATE TABLE IF NOT EXISTS mart.fact_daily_rollup (
    order_date DATE, category VARCHAR, region VARCHAR, orders BIGINT, revenue DECIMAL(18, 2),
    PRIMARY KEY (order_date, category, region));
"""

# The filter hides the timestamp in a cast. DuckDB sees through it and skips what other days fill;
# an engine with a plain index on order_timestamp could not use that index here.
DAILY_INSERT = """
INSERT INTO mart.fact_daily_orders
SELECT CAST(o.order_timestamp AS DATE), p.category, o.region,
       count(*), CAST(sum(o.amount_cents) AS DECIMAL(16, 0)) * 0.01
FROM raw.orders AS o
JOIN dim.product AS p USING (product_id)
WHERE CAST(o.order_timestamp AS DATE) = $day
GROUP BY ALL
"""
DAILY_DELETE = "DELETE FROM mart.fact_daily_orders WHERE order_date = $day"

HOURLY_INSERT = """
INSERT INTO mart.fact_hourly_orders
SELECT date_trunc('hour', o.order_timestamp), p.category, o.region,
       count(*), CAST(sum(o.amount_cents) AS DECIMAL(16, 0)) * 0.01
FROM raw.orders AS o
JOIN dim.product AS p USING (product_id)
WHERE o.order_timestamp >= $hour AND o.order_timestamp < $hour + INTERVAL 1 HOUR
GROUP BY ALL
"""
HOURLY_DELETE = "DELETE FROM mart.fact_hourly_orders WHERE hour_ts = $hour"

ROLLUP_INSERT = """
INSERT INTO mart.fact_daily_rollup
SELECT CAST(hour_ts AS DATE), category, region, sum(orders), sum(revenue)
FROM mart.fact_hourly_orders
WHERE hour_ts >= $day AND hour_ts < $day + INTERVAL 1 DAY
GROUP BY ALL
"""
ROLLUP_DELETE = "DELETE FROM mart.fact_daily_rollup WHERE order_date = $day"


class WarehouseError(RuntimeError):
    """The warehouse cannot be opened, or a run collided with another one."""


@dataclass(frozen=True)
class Load:
    """What filling raw.orders took: rows, and the seconds to draw the orders and to store them."""

    rows_written: int
    generate_seconds: float
    write_seconds: float

    @property
    def seconds(self) -> float:
        return self.generate_seconds + self.write_seconds


@dataclass(frozen=True)
class Run:
    """One run of a pipeline, as measured.

    Attributes
    ----------
    name : the pipeline. partition : start of the day or hour it computed.
    rows_read : source rows the engine's scan went through, by its own profile. DuckDB skips blocks
        whose least and greatest timestamp miss the filter, and reads the others whole: so this is
        less than the table holds and somewhat more than `rows_matched`.
    rows_matched : those that passed the filter. rows_written : rows added to the target.
    read_seconds, transform_seconds, write_seconds : wall time. Within the one INSERT … SELECT the
        engine overlaps its stages; its wall time is divided in proportion to the processor time its
        profile gives to the scan, to join and aggregation, and to the insert. Deleting the old
        partition and committing count as writing.
    """

    name: str
    partition: pd.Timestamp
    rows_read: int
    rows_matched: int
    rows_written: int
    read_seconds: float
    transform_seconds: float
    write_seconds: float

    @property
    def seconds(self) -> float:
        return self.read_seconds + self.transform_seconds + self.write_seconds


@dataclass(frozen=True, eq=False)
class Comparison:
    """The nightly table against the rolled-up hourly one for one day, duplicates counted."""

    day: pd.Timestamp
    nightly_rows: int
    rollup_rows: int
    only_in_nightly: pd.DataFrame
    only_in_rollup: pd.DataFrame

    @property
    def equal(self) -> bool:
        return self.only_in_nightly.empty and self.only_in_rollup.empty


def open_warehouse(
    path: str | Path = ":memory:",
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    products: pd.DataFrame | None = None,
) -> Warehouse:
    """Open the shop's warehouse, and create its tables if it is new.

    Parameters
    ----------
    path : a DuckDB file, made if missing; by default a database in memory, gone when closed.
    memory_limit, threads : as DuckDB takes them ("2GB", 2); by default its own choice, 80 % of the
        machine's memory and every core.
    products : the catalogue of a new warehouse, by default `data.products()`; a file keeps its own.

    Raises WarehouseError when the file cannot be opened, for one because another process has it
    open; ValueError when DuckDB refuses a setting.
    """
    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        raise WarehouseError(
            f"cannot open the warehouse {path}: {error}\n"
            "One process at a time may have a DuckDB file open for writing: close the other "
            "notebook's warehouse or restart its kernel, or open another file."
        ) from error
    for name, value in (("memory_limit", memory_limit), ("threads", threads)):
        if value is not None:
            try:
                connection.execute(f"SET {name} = $value", {"value": value})
            except duckdb.Error as error:
                connection.close()
                raise ValueError(
                    f"{name} must be what DuckDB takes, got {value!r}: {error}"
                ) from None
    connection.execute(SCHEMA)
    if _count(connection.execute("SELECT count(*) FROM dim.product")) == 0:
        catalogue = data.products() if products is None else products
        connection.register("catalogue", catalogue)
        connection.execute(
            "INSERT INTO dim.product SELECT product_id, category, name, price_cents FROM catalogue"
        )
        connection.unregister("catalogue")
    return Warehouse(connection)


class Warehouse:
    """The shop's tables and the runs that fill them; made by `open_warehouse`.

    Tables: raw.orders, dim.product, mart.fact_daily_orders (nightly), mart.fact_hourly_orders and
    mart.fact_daily_rollup (the hourly table summed to days). Close it, or use it in a `with`.

    Each run is one transaction on a cursor of its own, so threads may share a warehouse. A run that
    fails leaves the tables as they were.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    # --- the source -------------------------------------------------------------------------------

    def load_orders(
        self,
        day: Any,
        events: int,
        *,
        seed: int = data.SEED,
        chunk_rows: int = 1_000_000,
        progress: Callable[[int, int], None] | None = None,
    ) -> Load:
        """Put `data.orders(day, events)` into raw.orders, in place of what it has of that day.

        Orders are drawn and stored `chunk_rows` at a time, so memory holds one chunk of them beside
        the table. `progress(done, events)` is called after each chunk; `text_progress` prints it.

        Raises ValueError or TypeError as `data.orders` does.
        """
        day = data.as_day(day)
        catalogue = self.sql("FROM dim.product ORDER BY product_id")
        chunks = data.order_chunks(
            day, events, seed=seed, products=catalogue, chunk_rows=chunk_rows
        )
        generate_seconds, rows, started = 0.0, 0, perf_counter()
        with self._transaction(f"raw.orders of {day:%Y-%m-%d}") as cursor:
            cursor.execute(
                "DELETE FROM raw.orders WHERE CAST(order_timestamp AS DATE) = $day",
                {"day": day.date()},
            )
            while True:
                asked = perf_counter()
                chunk = next(chunks, None)
                generate_seconds += perf_counter() - asked
                if chunk is None:
                    break
                rows += _insert_orders(cursor, chunk)
                if progress is not None:
                    progress(rows, events)
            cursor.commit()
        return Load(rows, generate_seconds, perf_counter() - started - generate_seconds)

    def append_orders(self, orders: pd.DataFrame) -> int:
        """Add orders that arrive now, such as `data.late_orders` gives; return how many.

        Raises ValueError when a column of `data.ORDER_COLUMNS` is missing.
        """
        missing = [name for name in data.ORDER_COLUMNS if name not in orders.columns]
        if missing:
            raise ValueError(f"orders must have the columns {data.ORDER_COLUMNS}, lacks {missing}")
        with self._transaction("raw.orders") as cursor:
            rows = _insert_orders(cursor, orders)
            cursor.commit()
        return rows

    # --- the runs ---------------------------------------------------------------------------------

    def nightly_insert(self, day: Any) -> Run:
        """The old pipeline: read the whole day, add its facts. A second run doubles the day."""
        return self._run("nightly insert", data.as_day(day), None, DAILY_INSERT)

    def daily_overwrite(self, day: Any) -> Run:
        """The nightly query made safe to repeat, not incremental: read the whole day, replace it.

        For one run of a day at a time: unlike the hourly table, the nightly one has no key to stop
        two first runs at once from both adding the day.
        """
        return self._run("daily overwrite", data.as_day(day), DAILY_DELETE, DAILY_INSERT)

    def hourly_overwrite(self, hour: Any) -> Run:
        """The new pipeline: read the orders of [hour, hour + 1 h), replace that hour's partition.

        A second run changes nothing unless orders of that hour arrived in between.

        Raises
        ------
        ValueError
            when `hour` is not a full hour, such as "2026-04-25 07:00".
        WarehouseError
            when another run writes the same hour at the same time; this one then changed nothing.
        """
        return self._run("hourly overwrite", _as_hour(hour), HOURLY_DELETE, HOURLY_INSERT)

    def rollup_daily(self, day: Any) -> Run:
        """Sum the day's hourly partitions into mart.fact_daily_rollup, in place of what it has."""
        return self._run("rollup", data.as_day(day), ROLLUP_DELETE, ROLLUP_INSERT)

    # --- the proof --------------------------------------------------------------------------------

    def compare(self, day: Any) -> Comparison:
        """Hold mart.fact_daily_orders against mart.fact_daily_rollup for one day, row by row.

        EXCEPT ALL both ways, so a row that stands twice on one side is a difference.

        Raises ValueError when neither table has the day: two empty tables prove nothing.
        """
        stamp = data.as_day(day)
        nightly = "SELECT * FROM mart.fact_daily_orders WHERE order_date = $day"
        rollup = "SELECT * FROM mart.fact_daily_rollup WHERE order_date = $day"
        nightly_rows = len(self.sql(nightly, day=stamp))
        rollup_rows = len(self.sql(rollup, day=stamp))
        if nightly_rows == rollup_rows == 0:
            raise ValueError(
                f"neither daily table has {stamp:%Y-%m-%d}: run nightly_insert, and "
                "hourly_overwrite for its hours with rollup_daily, before comparing"
            )
        return Comparison(
            stamp,
            nightly_rows,
            rollup_rows,
            self.sql(f"{nightly} EXCEPT ALL {rollup} ORDER BY ALL", day=stamp),
            self.sql(f"{rollup} EXCEPT ALL {nightly} ORDER BY ALL", day=stamp),
        )

    def sql(self, query: str, **parameters: Any) -> pd.DataFrame:
        """Any query as a DataFrame; `$name` in it stands for a keyword argument."""
        with self._connection.cursor() as cursor:
            return cursor.execute(query, parameters or None).df()

    # --- how a run is made and measured -----------------------------------------------------------

    def _run(self, name: str, partition: pd.Timestamp, delete: str | None, insert: str) -> Run:
        moment = partition.to_pydatetime()
        parameters = {"hour": moment} if "$hour" in insert else {"day": moment.date()}
        with self._transaction(f"the partition {partition}") as cursor:
            began = perf_counter()
            if delete is not None:
                cursor.execute(delete, parameters)
            cursor.execute("PRAGMA enable_profiling = 'no_output'")
            deleted = perf_counter()
            rows_written = _count(cursor.execute(insert, parameters))
            inserted = perf_counter()
            profile = _Profile.of_last_statement(cursor)
            profiled = perf_counter()
            cursor.commit()
            committed = perf_counter()
        statement = inserted - deleted
        return Run(
            name,
            partition,
            profile.rows_scanned,
            profile.rows_matched,
            rows_written,
            read_seconds=statement * profile.read_share,
            transform_seconds=statement * (1 - profile.read_share - profile.write_share),
            write_seconds=statement * profile.write_share
            + (deleted - began)
            + (committed - profiled),
        )

    @contextmanager
    def _transaction(self, what: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in a transaction. The block commits; closed without, the cursor rolls back."""
        with self._connection.cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
            except (duckdb.TransactionException, duckdb.ConstraintException) as error:
                raise WarehouseError(
                    f"another run wrote {what} at the same time. This run changed nothing: "
                    f"run it again ({error})"
                ) from error


@dataclass(frozen=True)
class _Profile:
    """What DuckDB's profile says of an INSERT … SELECT over one source table.

    Shares are of the processor time of all operators: the source's scan, and the insert itself.
    """

    rows_scanned: int
    rows_matched: int
    read_share: float
    write_share: float

    @classmethod
    def of_last_statement(cls, cursor: duckdb.DuckDBPyConnection) -> _Profile:
        operators = list(_walk(json.loads(cursor.get_profiling_information(format="json"))))
        # The join's other side is a scan too, of the small catalogue. There is no scan at all when
        # the table's statistics alone show that no row can match.
        reads = [
            operator
            for operator in operators
            if operator["type"] == "TABLE_SCAN"
            and not operator["extra_info"]["Table"].endswith(".dim.product")
        ]
        writes = [operator for operator in operators if operator["type"] == "INSERT"]
        total = _seconds(operators)
        return cls(
            rows_scanned=sum(operator["rows_scanned"] for operator in reads),
            rows_matched=sum(operator["intermediate_rows"] for operator in reads),
            read_share=_seconds(reads) / total,
            write_share=_seconds(writes) / total,
        )


def _walk(profile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operator below the root, children after parents."""
    for operator in profile.get("operator", []) + profile.get("children", []):
        yield operator
        yield from _walk(operator)


def _seconds(operators: list[dict[str, Any]]) -> float:
    return float(sum(operator["timing"] for operator in operators))


def _count(result: duckdb.DuckDBPyConnection) -> int:
    """The number of rows an INSERT reports, or the one number of a query."""
    [(number,)] = result.fetchall()
    return int(number)


def _insert_orders(cursor: duckdb.DuckDBPyConnection, orders: pd.DataFrame) -> int:
    cursor.register("arriving", orders)
    inserted = cursor.execute(
        f"INSERT INTO raw.orders SELECT {', '.join(data.ORDER_COLUMNS)} FROM arriving"
    )
    rows = _count(inserted)
    cursor.unregister("arriving")
    return rows


def _as_hour(hour: Any) -> pd.Timestamp:
    error = ValueError(
        f'hour must be a full UTC hour without a zone, such as "2026-04-25 07:00", got {hour!r}'
    )
    if not isinstance(hour, str | datetime.date | np.datetime64):
        raise error
    try:
        stamp = pd.Timestamp(hour)
    except ValueError:
        raise error from None
    if pd.isna(stamp) or stamp.tz is not None or stamp != stamp.floor("h"):
        raise error
    return stamp.as_unit("us")


# --- what a notebook calls beside the warehouse ---------------------------------------------------


def hours_of(day: Any) -> list[pd.Timestamp]:
    """The 24 UTC hours of a day, each by its start."""
    return list(pd.date_range(data.as_day(day), periods=24, freq="h"))


def as_frame(runs: Iterable[Run]) -> pd.DataFrame:
    """One row a run: the fields of `Run` and their total, `seconds`."""
    return pd.DataFrame([{**asdict(run), "seconds": run.seconds} for run in runs])


def text_progress(done: int, total: int) -> None:
    """Print one line that overwrites itself: how many orders are stored, of how many."""
    print(f"\r{done:,} of {total:,} orders", end="" if done < total else "\n", flush=True)
