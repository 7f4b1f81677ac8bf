"""The shop's tables in PostgreSQL: orders put in, queries read, results overwritten by window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tradeoff.lab.systems.contract import FACTS, as_facts
from tradeoff.lab.systems.postgres.connections import Connections, told
from tradeoff.lab.systems.postgres.server import Server
from tradeoff.lab.systems.postgres.tables import (
    FACT_TYPES,
    ORDER_TYPES,
    REJECTED,
    REJECTED_TYPES,
    insert_into,
    lists,
    order_columns,
)
from tradeoff.lab.systems.processes import LabError

if TYPE_CHECKING:
    import pyarrow as pa

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

        table = pa.Table.from_pandas(order_columns(orders), preserve_index=False)
        with self.adbc("loading orders") as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("orders", table, mode="append", db_schema_name="raw")
            cursor.execute("ANALYZE raw.orders")

    def deliver(self, orders: pd.DataFrame) -> Delivered:
        """Add orders that may repeat, or lack an order_id or a time; one transaction.

        An order_id that is there already changes nothing, whatever else the row says.
        """
        rows = order_columns(orders)
        lacking = [
            ("no order_id", rows["order_id"].isna()),
            ("no order_timestamp", rows["order_id"].notna() & rows["order_timestamp"].isna()),
        ]
        usable = rows[rows["order_id"].notna() & rows["order_timestamp"].notna()]
        with self.transaction("delivering orders") as cursor:
            cursor.execute(
                insert_into("raw.orders", ORDER_TYPES, "ON CONFLICT DO NOTHING"), lists(usable)
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
        insert = insert_into("raw.orders", ORDER_TYPES, "ON CONFLICT DO NOTHING")
        rows = order_columns(orders)
        columns = lists(rows)
        committed = []
        with self.connected("playing orders") as connection, connection.cursor() as cursor:
            began, done = time.perf_counter(), 0
            while done < len(rows):
                passed = time.perf_counter() - began
                due = len(rows) if passed >= seconds else int(passed / seconds * len(rows))
                if due > done:
                    cursor.execute(insert, [values[done:due] for values in columns])
                    connection.commit()
                    committed += [time.time()] * (due - done)
                    done = due
                if done < len(rows):
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
            insert = insert_into("mart.fact_orders", FACT_TYPES, path=True)
            cursor.execute(insert, [path, *lists(rows)])
            if rejected is not None:
                self._reject(cursor, path, rejected)

    @contextmanager
    def claimed(self, path: str, windows: Iterable[Any]) -> Iterator[Callable[[], None]]:
        """Keep these windows of a path to oneself, from before they are read until written.

        Two runs that write one after the other do not collide, yet the one that read first may
        write last and put an older count over a newer. Raises LabError when another run has one
        of the windows. The claim goes with the connection: a run that dies holds nothing.

        Yields a function to call before writing: it raises LabError when the claim was lost, since
        the server was restarted for one.
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

                def held() -> None:
                    with told(f"claiming {path}", self.place):
                        cursor.execute("SELECT")
                        connection.commit()

                yield held
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
        insert = insert_into("raw.rejected", REJECTED_TYPES, path=True)
        cursor.execute(insert, [path, *lists(rows[REJECTED])])
