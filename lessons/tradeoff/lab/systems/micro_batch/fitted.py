"""The micro-batch path beside the model: runs at several triggers, a fit, and what it predicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from tradeoff import data
from tradeoff.fit import BatchFit, fit_batches
from tradeoff.lab.order_log import interval_seconds
from tradeoff.lab.systems.micro_batch import MicroBatch, run

if TYPE_CHECKING:
    from tradeoff.lab.systems.postgres import Source


def sweep(
    source: Source,
    triggers: Iterable[str],
    *,
    orders_per_second: float | Iterable[float] = 300.0,
    seconds: float = 8.0,
) -> list[MicroBatch]:
    """The path at several triggers and rates, run after run, each on a day's orders of its own.

    Every run's `batches` give pairs of events and seconds, from which overhead and cost of an event
    follow; `fit` does so.
    """
    rates = [orders_per_second] if isinstance(orders_per_second, float | int) else orders_per_second
    # An order that is in the source already would not come as a change.
    [(newest,)] = source.execute(
        "SELECT coalesce(max(order_timestamp), '2026-04-24') FROM raw.orders"
    )
    day = pd.Timestamp(newest).normalize() + pd.Timedelta(days=1)
    runs: list[MicroBatch] = []
    for rate in rates:
        for every in triggers:
            orders = data.orders(day, round(rate * seconds))
            runs.append(run(source, orders, every, seconds=seconds, path=f"sweep_{len(runs)}"))
            day += pd.Timedelta(days=1)
    return runs


def measurements(runs: Iterable[MicroBatch]) -> pd.DataFrame:
    """Runs as `tradeoff.fit_batches` takes them, one row each."""
    return pd.DataFrame(
        [
            {
                "events_per_second": each.played_per_second,
                "interval_seconds": _interval(each),
                "latency_p50_seconds": each.age(50),
                "latency_p99_seconds": each.age(99),
                "batch_seconds": float(each.batches["seconds"].mean()),
            }
            for each in runs
        ]
    )


def fit(runs: Iterable[MicroBatch]) -> BatchFit:
    """The model of a micro-batch pipeline, fitted to runs of this one."""
    return fit_batches(measurements(runs))


def predicted(fitted: BatchFit, held_out: Iterable[MicroBatch]) -> pd.DataFrame:
    """Prediction and measurement of runs that the fit has not seen.

    Columns setting, figure (p50, p99), predicted_seconds, measured_seconds, error_percent.
    """
    rows = []
    for each in held_out:
        [row] = measurements([each]).to_dict("records")
        said = fitted.predict(row["events_per_second"], row["interval_seconds"]).iloc[0]
        for figure in ("p50", "p99"):
            name = f"latency_{figure}_seconds"
            rows.append(
                {
                    "setting": each.setting,
                    "figure": figure,
                    "predicted_seconds": float(said[name]),
                    "measured_seconds": row[name],
                    "error_percent": 100.0 * (float(said[name]) / row[name] - 1.0),
                }
            )
    return pd.DataFrame(rows)


def _interval(run: MicroBatch) -> float:
    return interval_seconds(run.setting.removesuffix(" trigger"))
