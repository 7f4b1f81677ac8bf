"""What every system of the lab is given, and what it gives back.

Given: orders with the columns of `data.ORDER_COLUMNS`. Given back: a `Measured`, whose table must
be `facts(orders)`, row for row. A table that differs is a defect, never a rounding matter: money
is whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import data

KEYS = ["window_start", "category", "region"]
FACTS = [*KEYS, "orders", "revenue_cents"]
STAGES = ("start", "read", "transform", "write")


@dataclass(frozen=True, eq=False)
class Measured:
    """One run of a system, as measured.

    Attributes
    ----------
    system : what the text calls it: "nightly batch", "hourly batch", "micro-batch", "streaming",
        "low latency". engine : what ran it, with its version: "DuckDB 2.0.1".
    setting : the knob as it was set: "1 s trigger", "hourly"; empty where there is none.
    orders : orders fed. table : the result, columns `FACTS`, sorted as `facts` sorts.
    rows_read : source rows the system went through, rereads counted.
    seconds : wall time from the first read to the last commit, start-up left out.
    stages : wall seconds by stage, keys of `STAGES`; a stage that the engine does not tell apart
        is left out. "start" is the engine's start-up, which `seconds` does not hold.
    ages : seconds from an order's commit in the source to its being visible in the table, one an
        order; empty where the orders lay there before the run began.
    state_bytes : what the system keeps between batches or events, on disk or in memory;
        0 for a system that keeps none, None where it cannot be read.
    """

    system: str
    engine: str
    orders: int
    table: pd.DataFrame
    rows_read: int
    seconds: float
    setting: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    ages: np.ndarray = field(default_factory=lambda: np.empty(0))
    state_bytes: int | None = 0

    def __post_init__(self) -> None:
        if unknown := set(self.stages) - set(STAGES):
            raise ValueError(f"stages must be among {STAGES}, got {sorted(unknown)}")
        if list(self.table.columns) != FACTS:
            raise ValueError(f"table must have the columns {FACTS}, got {list(self.table.columns)}")

    @property
    def events_per_second(self) -> float:
        """Orders by wall time, start-up left out."""
        return self.orders / self.seconds if self.seconds > 0 else float("nan")

    def age(self, percentile: float) -> float:
        """A percentile (0 to 100) of `ages`, in seconds; NaN where there are none."""
        return float(np.percentile(self.ages, percentile)) if len(self.ages) else float("nan")

    def wrong_rows(self, orders: pd.DataFrame, window: str = "1h") -> pd.DataFrame:
        """Rows of the table that `facts(orders, window)` lacks, and the other way round.

        Columns `FACTS` and `where` ("table" or "expected"); empty if the table is right.
        """
        return differing(self.table, facts(orders, window))

    def as_row(self) -> dict[str, Any]:
        """The run as a row of the lab's table."""
        return {
            "system": self.system,
            "engine": self.engine,
            "setting": self.setting,
            "orders": self.orders,
            "rows_read": self.rows_read,
            "seconds": self.seconds,
            **{f"{stage}_seconds": self.stages.get(stage, float("nan")) for stage in STAGES},
            "events_per_second": self.events_per_second,
            "age_p50_seconds": self.age(50),
            "age_p99_seconds": self.age(99),
            "state_bytes": self.state_bytes,
        }


def facts(
    orders: pd.DataFrame, window: str = "1h", products: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The table every system must make of these orders, counted by pandas.

    Parameters
    ----------
    orders : columns `data.ORDER_COLUMNS`; an order_id that stands twice is counted once.
    window : length of the event-time window, as pandas writes it: "1h", "5min".
    products : the catalogue, by default `data.products()`.

    Returns
    -------
    Columns `FACTS`: window_start (datetime64[us], UTC without a zone), category and region (text),
    orders and revenue_cents (int64); sorted by the first three.
    """
    catalogue = data.products() if products is None else products
    category = catalogue.set_index("product_id")["category"].astype(str)
    once = orders.drop_duplicates("order_id")
    counted = (
        pd.DataFrame(
            {
                "window_start": once["order_timestamp"].dt.floor(window),
                "category": once["product_id"].map(category),
                "region": once["region"].astype(str),
                "amount_cents": once["amount_cents"].astype("int64"),
            }
        )
        .groupby(KEYS, as_index=False)
        .agg(orders=("amount_cents", "size"), revenue_cents=("amount_cents", "sum"))
    )
    return as_facts(counted)


def as_facts(table: pd.DataFrame) -> pd.DataFrame:
    """A table with the columns `FACTS` in their types and order, whichever engine made it."""
    return (
        table[FACTS]
        .astype(
            {
                "window_start": "datetime64[us]",
                "category": "str",
                "region": "str",
                "orders": "int64",
                "revenue_cents": "int64",
            }
        )
        .sort_values(KEYS, ignore_index=True)
    )


def differing(table: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Rows that stand on one side only, duplicates counted; columns `FACTS` and `where`."""
    sides = {"table": as_facts(table), "expected": as_facts(expected)}
    numbered = {
        where: side.assign(copy=side.groupby(FACTS).cumcount()) for where, side in sides.items()
    }
    both = numbered["table"].merge(
        numbered["expected"], how="outer", on=[*FACTS, "copy"], indicator="where"
    )
    found = both[both["where"] != "both"].drop(columns="copy")
    names = {"left_only": "table", "right_only": "expected"}
    return found.assign(where=found["where"].map(names).astype("str")).reset_index(drop=True)


def ages(
    orders: pd.DataFrame, committed: pd.Series, seen: pd.DataFrame, window: str = "1h"
) -> np.ndarray:
    """How old each order was when the table first counted it.

    A result says how many orders a group holds, not which. Orders of one group are counted in the
    order they were committed in, so the r-th of them is visible once its group's count reaches r.

    Parameters
    ----------
    orders : the orders fed, columns `data.ORDER_COLUMNS`.
    committed : when the source had committed an order, seconds since the epoch, by order_id.
    seen : the results as they came out: columns `KEYS`, orders (the group's count then) and at
        (seconds since the epoch when a reader could see it).
    window : as in `facts`.

    Returns
    -------
    Seconds, one an order, in the order of `orders`. Raises ValueError when an order was never seen.
    """
    if orders.empty:
        return np.empty(0)
    category = data.products().set_index("product_id")["category"].astype(str)
    fed = pd.DataFrame(
        {
            "window_start": orders["order_timestamp"].dt.floor(window).astype("datetime64[us]"),
            "category": orders["product_id"].map(category).to_numpy(),
            "region": orders["region"].astype("str").to_numpy(),
            "committed": committed.reindex(orders["order_id"]).to_numpy(),
            "at_row": np.arange(len(orders)),
        }
    ).sort_values("committed", kind="stable")
    fed["orders"] = fed.groupby(KEYS).cumcount() + 1
    results = seen.assign(
        window_start=seen["window_start"].astype("datetime64[us]"),
        category=seen["category"].astype("str"),
        region=seen["region"].astype("str"),
        orders=seen["orders"].astype("int64"),
        at=seen["at"].astype("float64"),
    )[[*KEYS, "orders", "at"]].sort_values("orders", kind="stable", ignore_index=True)
    # The earliest moment of all results that count at least as many.
    results["at"] = results[::-1].groupby(KEYS)["at"].cummin()
    found = pd.merge_asof(
        fed.assign(orders=fed["orders"].astype("int64")).sort_values("orders", kind="stable"),
        results,
        on="orders",
        by=KEYS,
        direction="forward",
    ).sort_values("at_row")
    if missing := int(found["at"].isna().sum()):
        raise ValueError(f"{missing:,} of {len(orders):,} orders were never seen in the results")
    return (found["at"] - found["committed"]).to_numpy()
