"""dbt's incremental model, a batch an hour (strategy `microbatch`), on DuckDB.

    with dbt.open_project(begin="2026-04-25", lookback=3) as project:
        project.land(data.orders("2026-04-25", 20_000))
        project.run("2026-04-26 00:00")                  # 24 batches, the first time
        project.land(late)
        project.run("2026-04-26 02:30")                  # hours 00 to 02, and 3 before them

Orders land as Parquet files. dbt knows no watermark and keeps no state beside its table: a run
replaces the hours since the last run and `lookback` hours before; an order later than that waits
for a backfill (`start`, `end`). The model and the program are in `lab/programs`. dbt pins packages
that the course has newer, so it runs in an environment of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.contract import Measured, as_facts
from tradeoff.lab.systems.processes import running, scratch

NEEDS = ("uv",)
RUN_SECONDS = 600.0  # the first run makes dbt's environment
HOUR = pd.Timedelta("1h")
# What the model's batch comes to, without dbt.
PLAIN = """
BEGIN;
DELETE FROM fact_orders WHERE window_start = $start;
INSERT INTO fact_orders
SELECT $start, p.category, o.region, count(*), sum(o.amount_cents)
FROM (SELECT DISTINCT * FROM '{landing}/orders-*.parquet'
      WHERE order_timestamp >= $start AND order_timestamp < $start + INTERVAL 1 HOUR) AS o
JOIN '{landing}/product.parquet' AS p USING (product_id)
WHERE o.region IS NOT NULL AND o.amount_cents >= 0
GROUP BY ALL;
COMMIT
"""

# An order id with two contents, if there is one.
CHANGED = """
SELECT order_id FROM (SELECT DISTINCT * FROM ({landed} FROM landing))
GROUP BY order_id HAVING count(*) > 1 ORDER BY order_id LIMIT 1
"""


@dataclass(frozen=True, eq=False)
class Run:
    """One `dbt run`.

    Attributes
    ----------
    engine : dbt and DuckDB with their versions.
    batches : one row a batch, in order: start (its hour), seconds (as dbt reports them: compile,
        delete and insert of the hour), rows (orders read).
    model_seconds : of the model, all its batches and what is between them, by run_results.json.
    seconds : of the whole command: Python, dbt's start and parsing, the model.
    """

    engine: str
    batches: pd.DataFrame
    model_seconds: float
    seconds: float

    @property
    def start_seconds(self) -> float:
        """What the command took beside the model: paid once a run, whatever the number of hours."""
        return self.seconds - self.model_seconds


class Project:
    """A dbt project with a landing folder and a warehouse; made by `open_project`."""

    def __init__(self, folder: Path, begin: str, lookback: int) -> None:
        self.folder, self.begin, self.lookback = folder, begin, lookback
        self._landed = 0
        (folder / "landing").mkdir()
        self._write("product", data.products())

    def land(self, orders: pd.DataFrame) -> None:
        """Put orders into the landing folder, as one more Parquet file.

        An order may land again as it was. Raises ValueError, and lands none, where one has other
        contents than before: the model would count both.
        """
        orders = orders[list(data.ORDER_COLUMNS)]
        landed = f"FROM '{self._orders}' UNION ALL BY NAME" if self._landed else ""
        with duckdb.connect() as connection:
            connection.register("landing", orders)
            changed = connection.execute(CHANGED.format(landed=landed)).fetchone()
        if changed is not None:
            raise ValueError(
                f"order {changed[0]} lands with other contents than before; an order that has "
                "landed stays as it is: land it under an id of its own"
            )
        self._landed += 1
        self._write(f"orders-{self._landed:04}", orders)

    def run(self, as_of: Any, start: Any = None, end: Any = None) -> Run:
        """Run the model, with dbt's clock at `as_of` (UTC).

        The first run fills every hour from `begin`. Later ones replace the hours since the last
        run and `lookback` hours before. With `start` and `end` it is a backfill: those hours alone.

        Raises ValueError for a `start` without an `end` or the other way round, LabError when dbt
        fails; the hours it had finished then stand.
        """
        if (start is None) != (end is None):
            raise ValueError(f"a backfill needs both ends, got start={start!r}, end={end!r}")
        words = [str(self.folder), _stamp(as_of), f"--begin={_stamp(self.begin)}"]
        words += [f"--lookback={self.lookback}"]
        if start is not None:
            words += [f"--from={_stamp(start)}", f"--to={_stamp(end)}"]
        begun = time.perf_counter()
        command = needs.script("dbt_run.py", *words)
        with running("dbt", command, self.folder / "log.txt") as program:
            program.finish(RUN_SECONDS)
        seconds = time.perf_counter() - begun
        said = json.loads((self.folder / "run.json").read_text("utf-8"))
        batches = pd.DataFrame(said["batches"], columns=["start", "seconds"])
        batches["start"] = pd.to_datetime(batches["start"]).dt.tz_localize(None)
        batches["rows"] = self._orders_by_hour().reindex(batches["start"], fill_value=0).to_numpy()
        return Run(said["engine"], batches, said["model_seconds"], seconds)

    def without_dbt(self, hours: Sequence[Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The same hours from the same files by plain DuckDB, each a delete and an insert.

        Returns
        -------
        The batches (start, seconds), which say what dbt adds to one, and the table they make; in
        a warehouse of their own. DuckDB is the course's here, and one that dbt works with there.
        """
        statements = PLAIN.format(landing=(self.folder / "landing").as_posix()).split(";")
        rows = []
        with duckdb.connect(str(self.folder / "plain.duckdb")) as warehouse:
            warehouse.execute(
                """CREATE OR REPLACE TABLE fact_orders (window_start TIMESTAMP, category VARCHAR,
                region VARCHAR, orders BIGINT, revenue_cents BIGINT)"""
            )
            for hour in hours:
                begun = time.perf_counter()
                for statement in statements:
                    given = {"start": pd.Timestamp(hour)} if "$start" in statement else None
                    warehouse.execute(statement, given)
                rows.append({"start": hour, "seconds": time.perf_counter() - begun})
            table = warehouse.execute("FROM fact_orders").df()
        return pd.DataFrame(rows), as_facts(table)

    def table(self) -> pd.DataFrame:
        """The model's table, columns `contract.FACTS`."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as warehouse:
            return as_facts(warehouse.execute("FROM fact_orders").df())

    def rejected(self) -> pd.DataFrame:
        """Orders of the landing folder that the model does not count: their columns and reason."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as warehouse:
            return warehouse.execute("FROM rejected_orders ORDER BY order_id").df()

    @property
    def _orders(self) -> str:
        return f"{(self.folder / 'landing').as_posix()}/orders-*.parquet"

    def _orders_by_hour(self) -> pd.Series:
        """Orders in the landing folder now, by the hour they belong to; what a batch reads."""
        hour = "date_trunc('hour', order_timestamp) AS hour"
        with duckdb.connect() as connection:
            counted = connection.execute(
                f"SELECT {hour}, count(*) AS n FROM '{self._orders}' GROUP BY ALL"
            )
            return counted.df().set_index("hour")["n"]

    def _write(self, name: str, table: pd.DataFrame) -> None:
        path = (self.folder / "landing" / f"{name}.parquet").as_posix()
        with duckdb.connect() as connection:
            connection.register("landing", table)
            connection.sql(f"COPY landing TO '{path}' (FORMAT parquet)")


@contextmanager
def open_project(begin: str, lookback: int = 3) -> Iterator[Project]:
    """A project in a temporary folder that is gone after the block.

    Parameters
    ----------
    begin : the first hour of the model's table (UTC). lookback : hours before the last run's that
        each run makes anew, for the orders that came late.

    Raises ValueError for a negative lookback, Missing without uv.
    """
    if lookback < 0:
        raise ValueError(f"lookback must be 0 hours or more, got {lookback}")
    needs.demand("dbt", *NEEDS)
    with scratch() as folder:
        yield Project(folder, begin, lookback)


def measure(orders: pd.DataFrame) -> Measured:
    """One run over all hours of these orders, which lie in the landing folder when it begins."""
    begin = orders["order_timestamp"].min().floor("1h")
    with open_project(str(begin)) as project:
        project.land(orders)
        run = project.run(orders["order_timestamp"].max().floor("1h") + HOUR)
        return Measured(
            system="hourly batch",
            engine=run.engine,
            setting="dbt microbatch, hourly",
            orders=len(orders),
            table=project.table(),
            rows_read=int(run.batches["rows"].sum()),
            seconds=run.model_seconds,
            stages={"start": run.start_seconds},
        )


def _stamp(moment: Any) -> str:
    return pd.Timestamp(moment).strftime("%Y-%m-%dT%H:%M:%S")
