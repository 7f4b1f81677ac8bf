"""What a design costs a day, split in three, and what being late costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tradeoff.model.engine import Billing, Engine
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS, check
from tradeoff.model.rhythm import Rhythm
from tradeoff.model.timing import SLOTS, Columns, Slots

DAYS_PER_MONTH = 30.4
# People's time to run one pipeline, relative to a batch: the course's text says twice for
# streaming; a micro-batch fails and reruns like a batch but never ends, so ours is in between.
OPERATIONS_FACTOR = {"batch": 1.0, "micro-batch": 1.25, "streaming": 2.0}


def node_hours(nodes: Any, run_seconds: Any, runs_per_day: Any) -> Any:
    """Node-hours a day of runs that end: nodes x seconds x runs / 3600."""
    return np.asarray(nodes) * np.asarray(run_seconds) * np.asarray(runs_per_day) / HOUR_SECONDS


def bill_of_runs(
    engine: Engine, rhythm: Rhythm, nodes: float, run_seconds: float, runs_per_day: float
) -> float:
    """USD a day of runs whose length is known (measured, or given): compute plus operations.

    Start-up is taken to be inside `run_seconds`; an engine that is always on pays 24 hours.
    """
    check("nodes", nodes)
    billed = max(run_seconds, engine.minimum_billed_seconds)
    hours = (
        24.0 * nodes
        if engine.billing is Billing.ALWAYS_ON
        else float(node_hours(nodes, billed, runs_per_day))
    )
    people = engine.operations_usd_per_day * OPERATIONS_FACTOR[Rhythm(rhythm).value]
    return hours * engine.node_usd_per_hour + people


def costs(columns: Columns, found: Slots, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """USD a day: compute, state, operations, their sum, and per million events.

    Nodes are paid around the clock when always on, else for their busy seconds (start-up
    included, with the engine's minimum a run). State is paid as the extra nodes that hold it and
    the storage of all its copies. Operations is people's time, by rhythm.
    """
    day = slice(0, SLOTS)
    billed = np.maximum(found.run[:, day], columns["minimum_billed_seconds"][:, None])
    busy_share = np.minimum(billed / found.period[:, day], 1.0)
    busy_hours = np.where(columns["always_on"], DAY_SECONDS / HOUR_SECONDS, busy_share.sum(axis=1))
    compute_hours = columns["nodes"] * busy_hours
    price = columns["node_usd_per_hour"]
    compute = compute_hours * price
    kept = (
        state["state_nodes"] * DAY_SECONDS / HOUR_SECONDS * price
        + state["state_hot_bytes"] / 1e9 * columns["state_usd_per_gb_month"] / DAYS_PER_MONTH
    )
    operations = columns["operations_usd_per_day"] * columns["operations_factor"]
    total = compute + kept + operations
    return {
        "node_hours_per_day": compute_hours,
        "compute_usd_per_day": compute,
        "state_usd_per_day": kept,
        "operations_usd_per_day": operations,
        "cost_usd_per_day": total,
        "cost_usd_per_million_events": total / columns["events_per_day"] * 1e6,
    }


def cost_of_latency(
    latency_seconds: float, usd_per_minute: float, threshold_seconds: float = 0.0
) -> float:
    """USD a day that a latency costs the business.

    `usd_per_minute` is what a day loses for each minute of latency above `threshold_seconds`,
    below which lateness costs nothing.
    """
    latency = check("latency_seconds", latency_seconds)
    rate = check("usd_per_minute", usd_per_minute)
    return rate * max(0.0, latency - check("threshold_seconds", threshold_seconds)) / 60.0


def value_of_latency(
    slow_seconds: float,
    fast_seconds: float,
    usd_per_minute: float,
    threshold_seconds: float = 0.0,
) -> float:
    """USD a day gained by the faster of two latencies: hold it against the premium."""
    return cost_of_latency(slow_seconds, usd_per_minute, threshold_seconds) - cost_of_latency(
        fast_seconds, usd_per_minute, threshold_seconds
    )


def break_even_usd_per_minute(
    premium_usd_per_day: float,
    slow_seconds: float,
    fast_seconds: float,
    threshold_seconds: float = 0.0,
) -> float | None:
    """What a minute of latency must cost a day for the premium to pay; None if it never does."""
    premium = float(premium_usd_per_day)
    if not np.isfinite(premium):
        raise ValueError(
            f"premium_usd_per_day must be a finite number, got {premium_usd_per_day!r}"
        )
    gained = value_of_latency(slow_seconds, fast_seconds, 1.0, threshold_seconds)
    if premium <= 0:
        return 0.0
    return premium / gained if gained > 0 else None
