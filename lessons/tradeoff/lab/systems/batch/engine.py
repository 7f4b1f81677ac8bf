"""What computes a batch run: the rule every engine counts by, and DuckDB, which does by default."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import pandas as pd

from tradeoff.lab.systems.contract import as_facts
from tradeoff.lab.systems.postgres.source import Source
from tradeoff.lab.systems.postgres.tables import REJECTED
from tradeoff.lab.systems.processes import LabError, scratch

PRODUCTS = "SELECT product_id, category FROM dim.product"

# Why an order is not counted; NULL if it is. An amount of 0 is a sale, one below is none: a refund
# is no order here, and would hide in the revenue. Every engine counts by this rule.
REASON = """CASE
    WHEN o.product_id IS NULL THEN 'no product'
    WHEN p.product_id IS NULL THEN 'unknown product'
    WHEN o.region IS NULL THEN 'no region'
    WHEN o.amount_cents IS NULL THEN 'no amount'
    WHEN o.amount_cents < 0 THEN 'negative amount'
END"""


@dataclass(frozen=True, eq=False)
class Counted:
    """What an engine made of a run's orders.

    rows : orders read. facts : columns `FACTS`. rejected : those not counted, columns `REJECTED`.
    """

    rows: int
    facts: pd.DataFrame
    rejected: pd.DataFrame


class Engine(Protocol):
    """What computes a run. What `read` returns is the engine's own affair; `aggregate` takes it."""

    @property
    def version(self) -> str:
        """As `Measured.engine` names it."""

    def read(self, source: Source, query: str) -> Any:
        """The rows of a query on the source."""

    def aggregate(self, orders: Any, products: Any, window: str) -> Counted:
        """Orders counted by window ("1h", "1D"), category and region, by the rule `REASON`."""

    def write(self, source: Source, path: str, windows: Sequence[Any], counted: Counted) -> None:
        """Overwrite these windows of the path's partition, in one transaction."""


class DuckEngine:
    """DuckDB in this process, made by `duck_engine`.

    Orders come batch by batch into a temporary table, which DuckDB moves to disk when it outgrows
    the memory limit.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: str) -> None:
        self._connection, self._folder = connection, folder
        self._names = (f"read_{number}" for number in itertools.count())
        self.version = f"DuckDB {duckdb.__version__}"

    def read(self, source: Source, query: str) -> str:
        name = next(self._names)
        with source.batches(query) as reader, self._told():
            empty = reader.schema.empty_table()
            self._connection.register("arriving", empty)
            self._connection.execute(f"CREATE TEMP TABLE {name} AS FROM arriving")
            for batch in reader:
                self._connection.register("arriving", batch)
                self._connection.execute(f"INSERT INTO {name} FROM arriving")
            self._connection.unregister("arriving")
        return name

    def aggregate(self, orders: str, products: str, window: str) -> Counted:
        judged = (
            f"SELECT time_bucket(INTERVAL '{pd.Timedelta(window).total_seconds():.0f} seconds',"
            f" o.order_timestamp) AS window_start, o.*, p.category, {REASON} AS reason"
            f" FROM {orders} AS o LEFT JOIN {products} AS p USING (product_id)"
        )
        with self._told():
            [(rows,)] = self._connection.execute(f"SELECT count(*) FROM {orders}").fetchall()
            facts = self._connection.execute(
                "SELECT window_start, category, region, count(*) AS orders,"
                f" CAST(sum(amount_cents) AS BIGINT) AS revenue_cents FROM ({judged})"
                " WHERE reason IS NULL GROUP BY ALL"
            ).df()
            rejected = self._connection.execute(
                f"SELECT {', '.join(REJECTED)} FROM ({judged}) WHERE reason IS NOT NULL"
            ).df()
            for name in (orders, products):
                self._connection.execute(f"DROP TABLE {name}")
        return Counted(int(rows), as_facts(facts), rejected)

    def write(self, source: Source, path: str, windows: Sequence[Any], counted: Counted) -> None:
        source.write_facts(path, counted.facts, windows, counted.rejected)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise LabError(
                f"DuckDB has neither memory nor disk left ({self._folder}): {error}\n"
                "Nothing was written. Make room there, name another folder by TMPDIR, or raise the "
                "memory limit."
            ) from error


@contextmanager
def duck_engine(memory_limit: str | None = None) -> Iterator[DuckEngine]:
    """DuckDB with a temporary folder of its own. memory_limit : as it takes it, "2GB"."""
    with scratch() as made:
        folder = str(made)
        settings: dict[str, str | bool | int | float | list[str]] = {"temp_directory": folder}
        if memory_limit is not None:
            settings["memory_limit"] = memory_limit
        connection = duckdb.connect(":memory:", config=settings)
        try:
            yield DuckEngine(connection, folder)
        finally:
            connection.close()
