"""The lowest latency: orders counted one by one in memory by a small C++ program, compiled here.

    low_latency(data.orders("2026-04-25", 100_000))                       # as fast as it can
    low_latency(data.orders("2026-04-25", 100_000), orders_per_second=50_000)

What is measured is an order's way from one thread to another and into the count. What a pipeline
needs besides is left out: no database or broker gives the order, no network carries it, nothing
survives a crash, and both cores poll all the time. The figures say how little of a stream's seconds
is counting; they are no stream's.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.contract import FACTS, Measured, as_facts
from tradeoff.lab.systems.processes import LabError, running, scratch

SOURCE = needs.PROGRAMS / "low_latency.cpp"
ORDER = np.dtype(
    [
        ("order_id", "<i8"),
        ("timestamp", "<i8"),
        ("product_id", "<i4"),
        ("amount_cents", "<i4"),
        ("region", "<i4"),
        ("unused", "<i4"),
    ]
)
NO_CATEGORY = 255  # a byte: at most 255 categories


@dataclass(frozen=True, eq=False)
class LowLatency(Measured):
    """A run of the program. `ages` are from when an order was due until it was counted.

    Attributes
    ----------
    counting_seconds : of these, from taking the order until it was counted; one an order.
    clock_seconds : what reading the clock adds to each of both.
    rejected : orders of no known product or region, or of a negative amount. repeated : whose
        order_id had been counted.
    """

    counting_seconds: np.ndarray = field(default_factory=lambda: np.empty(0))
    clock_seconds: float = 0.0
    rejected: int = 0
    repeated: int = 0

    def nanoseconds(self) -> pd.DataFrame:
        """Percentiles in nanoseconds: one row each, columns age and counting."""
        shares = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9, "max": 100}
        both = {"age": self.ages, "counting": self.counting_seconds}
        return pd.DataFrame(
            {name: np.percentile(each, list(shares.values())) * 1e9 for name, each in both.items()},
            index=pd.Index(list(shares), name="percentile"),
        )


def low_latency(
    orders: pd.DataFrame,
    orders_per_second: float | None = None,
    window: str = "1h",
    products: pd.DataFrame | None = None,
) -> LowLatency:
    """Compile the program, count the orders with it, and read back what it measured.

    Parameters
    ----------
    orders : columns `data.ORDER_COLUMNS`, at least one row; counted in this order.
    orders_per_second : evenly paced, ages counted from when each was due; by default as fast as the
        program takes them, so that ages are mostly the wait in a full ring of 1,024.
    window, products : as in `contract.facts`.

    Raises Missing without a C++ compiler, LabError when it fails, ValueError for no orders or a
    pace that is not positive.
    """
    if not len(orders):
        raise ValueError("orders must hold at least one order")
    if orders_per_second is not None and not orders_per_second > 0:
        raise ValueError(f"orders_per_second must be positive or None, got {orders_per_second!r}")
    needs.demand("the low-latency path", "c++")
    catalogue = data.products() if products is None else products
    category, categories = pd.factorize(catalogue["category"].astype("str"), sort=True)
    by_product = np.full(int(catalogue["product_id"].max()) + 1, NO_CATEGORY, dtype=np.uint8)
    by_product[catalogue["product_id"]] = category
    region, regions = pd.factorize(orders["region"].astype("str"), sort=True)
    stamps = orders["order_timestamp"].astype("datetime64[us]")
    length = int(pd.Timedelta(window).total_seconds() * 1e6)
    first = stamps.min().floor(window)
    base = first.value // 1000  # nanoseconds, whatever its unit
    count = (int(stamps.astype("int64").max()) - base) // length + 1

    with scratch() as folder:
        began = perf_counter()
        program, engine = compiled(folder)
        start_seconds = perf_counter() - began
        _records(orders, stamps, region).tofile(folder / "orders")
        by_product.tofile(folder / "categories")
        words = [folder / "orders", folder / "categories", len(regions), base, length, count,
                 orders_per_second or 0, folder / "out"]  # fmt: skip
        with running("the low-latency path", [program, *map(str, words)], folder / "log") as ran:
            ran.finish(60 + (len(orders) / orders_per_second if orders_per_second else 0))
        table, visible, counting, summary = (
            np.fromfile(folder / f"out.{part}", dtype="<i8")
            for part in ("table", "visible", "counting", "summary")
        )
    took, clock, state_bytes, rejected, repeated = map(int, summary)
    pace = f"{orders_per_second:,.0f} orders/s" if orders_per_second else "as fast as possible"
    return LowLatency(
        system="low latency",
        engine=engine,
        setting=pace,
        orders=len(orders),
        table=_facts(table, first, pd.Timedelta(window), categories, regions),
        rows_read=len(orders),
        seconds=took / 1e9,
        stages={"start": start_seconds},
        ages=visible / 1e9,
        state_bytes=state_bytes,
        counting_seconds=counting / 1e9,
        clock_seconds=clock / 1e9,
        rejected=rejected,
        repeated=repeated,
    )


def compiled(folder: Path) -> tuple[Path, str]:
    """The program compiled into a folder, and the compiler's name and version."""
    compiler = needs.compiler()
    if compiler is None:
        raise needs.Missing(str(needs.lacks("c++")))
    program = folder / "low_latency.exe"
    command = [*compiler, "-O2", "-std=c++17", "-pthread", str(SOURCE), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True).stdout
    return program, "C++ by " + version.partition("\n")[0].strip()


def _records(orders: pd.DataFrame, stamps: pd.Series, region: np.ndarray) -> np.ndarray:
    records = np.zeros(len(orders), dtype=ORDER)
    records["order_id"] = orders["order_id"]
    records["timestamp"] = stamps.astype("int64")
    records["product_id"] = orders["product_id"].fillna(-1)
    records["amount_cents"] = orders["amount_cents"].fillna(-1)
    records["region"] = region  # -1 where there is none
    return records


def _facts(
    table: np.ndarray,
    first: pd.Timestamp,
    window: pd.Timedelta,
    categories: pd.Index,
    regions: pd.Index,
) -> pd.DataFrame:
    counts = table.reshape(-1, 2)
    at, category, region = np.unravel_index(
        np.arange(len(counts)),
        (len(counts) // (len(categories) * len(regions)), len(categories), len(regions)),
    )
    found = pd.DataFrame(
        {
            "window_start": (first + at * window).astype("datetime64[us]"),
            "category": categories[category],
            "region": regions[region],
            "orders": counts[:, 0],
            "revenue_cents": counts[:, 1],
        }
    )
    return as_facts(found[found["orders"] > 0][FACTS])
