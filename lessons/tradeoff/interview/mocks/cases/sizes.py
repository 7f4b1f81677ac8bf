"""Workloads by the time they take, as stories have it: node-hours and hours, not rates."""

from __future__ import annotations

import numpy as np

from tradeoff.model import State, Workload, day_curve, engine
from tradeoff.model.quantities import HOUR_SECONDS


def sized_work(
    name: str,
    events_per_day: float,
    node_hours: float,
    *,
    read_hours: float = 0.0,
    write_hours: float = 0.0,
    peak_factor: float = 2.2,
    fixed_seconds: float = 0.0,
    fixed_seconds_incremental: float = 0.0,
    bytes_per_event: float = 500.0,
    state: State | None = None,
) -> Workload:
    """A workload whose day of events takes one Spark node `node_hours` to transform.

    Reading and writing a day take `read_hours` and `write_hours`, however many nodes ask; 0: no
    limit.
    """
    batch = engine("spark_ephemeral")
    rate = batch.slots_per_node * batch.events_per_second_per_slot
    return Workload(
        name,
        events_per_day,
        bytes_per_event=bytes_per_event,
        work_per_event=node_hours * HOUR_SECONDS * rate / events_per_day,
        curve=day_curve(peak_factor),
        source_events_per_second=events_per_day / read_hours / HOUR_SECONDS if read_hours else None,
        sink_events_per_second=events_per_day / write_hours / HOUR_SECONDS if write_hours else None,
        fixed_seconds=fixed_seconds,
        fixed_seconds_incremental=fixed_seconds_incremental,
        state=state,
    )


def millions(rng: np.random.Generator, low: float, high: float) -> float:
    """A number of events a day, in whole millions."""
    return float(rng.integers(round(low), round(high) + 1)) * 1e6


def round_usd(amount: float) -> float:
    """A budget as somebody would set it: two digits, or three above a thousand dollars."""
    step = 10.0 ** max(0, int(np.floor(np.log10(amount))) - 1)
    return float(round(amount / step) * step)
