"""Designs as columns of numbers, one row a design: what every calculation of the model reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tradeoff.model import capacity, cost, latency, state, timing
from tradeoff.model.design import Design
from tradeoff.model.engine import NUMBERS as ENGINE
from tradeoff.model.engine import Billing
from tradeoff.model.quantities import HOUR_SECONDS
from tradeoff.model.rhythm import Rhythm
from tradeoff.model.workload import State

WORKLOAD = (
    "events_per_day",
    "bytes_per_event",
    "work_per_event",
    "fixed_seconds",
    "fixed_seconds_incremental",
    "full_read_days",
)
LIMITS = ("source_events_per_second", "sink_events_per_second")
STATE = ("keys", "new_keys_per_day", "values_per_key", "bytes_per_value")
STATE_SPANS = ("window_seconds", "watermark_seconds", "pane_seconds")
_NUMBERS = (
    *WORKLOAD,
    *LIMITS,
    *STATE,
    *STATE_SPANS,
    *ENGINE,
    "interval_seconds",
    "nodes",
    "start_hour",
    "run_window_hours",
)
SWEEPABLE = (*_NUMBERS, "incremental", "engine", "cadence", "rhythm")


def curves_of(designs: Sequence[Design]) -> np.ndarray:
    """The day curves of the designs' workloads, (designs, 24)."""
    return np.array([design.workload.curve for design in designs])


def columns_of(designs: Sequence[Design]) -> dict[str, np.ndarray]:
    """Every number and flag of the designs, by name, each of shape (designs,).

    None ("no limit", "no window") becomes infinity.
    """
    rows = [_numbers(design) for design in designs]
    numbers = {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}
    flags = {
        "incremental": [design.incremental for design in designs],
        "streaming": [design.rhythm is Rhythm.STREAMING for design in designs],
        "timed": [design.cadence.kind == "every" for design in designs],
        "has_state": [design.workload.state is not None for design in designs],
        "keeps_state": [
            design.workload.state is not None and design.rhythm is not Rhythm.BATCH
            for design in designs
        ],
        "always_on": [design.engine.billing is Billing.ALWAYS_ON for design in designs],
    }
    return derived({**numbers, **{name: np.array(flag) for name, flag in flags.items()}})


def _numbers(design: Design) -> dict[str, float]:
    workload, engine = design.workload, design.engine
    kept = workload.state or State(keys=1.0)
    values: dict[str, Any] = {name: getattr(workload, name) for name in (*WORKLOAD, *LIMITS)}
    values |= {name: getattr(kept, name) for name in (*STATE, *STATE_SPANS)}
    values |= {name: getattr(engine, name) for name in ENGINE}
    values |= {
        "interval_seconds": design.cadence.interval_seconds,
        "nodes": design.nodes,
        "start_hour": design.start_hour,
        "run_window_hours": design.run_window_hours,
        "operations_factor": cost.OPERATIONS_FACTOR[design.rhythm.value],
    }
    return {name: math.inf if value is None else float(value) for name, value in values.items()}


def derived(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns with those that follow from others; call it after changing some."""
    return {
        **columns,
        "coarse": columns["interval_seconds"] > HOUR_SECONDS,
        "run_window_seconds": columns["run_window_hours"] * HOUR_SECONDS,
    }


def figures_of(
    columns: Mapping[str, np.ndarray], curve: np.ndarray, horizon_days: int
) -> dict[str, np.ndarray]:
    """All figures of the model for these columns; `curve` is (designs or 1, 24)."""
    found = timing.slots(columns, curve, horizon_days)
    held = state.sizes(columns, horizon_days)
    return {
        **timing.runs(columns, found),
        **latency.latencies(columns, found),
        "nodes_needed": capacity.nodes_needed(columns, curve, capacity.TARGET_UTILISATION),
        **held,
        **cost.costs(columns, found, held),
    }
