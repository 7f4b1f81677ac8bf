"""How much a transform remembers, and what bounds it."""

from __future__ import annotations

import numpy as np

from tradeoff.model.engine import Engine
from tradeoff.model.quantities import DAY_SECONDS, check
from tradeoff.model.timing import Columns
from tradeoff.model.workload import State


def entries(columns: Columns, horizon_days: float) -> np.ndarray:
    """Entries held at the end of the horizon, before values and bytes.

    An entry is one key, or one key in one pane. A key is seen in a span of s seconds with
    probability 1 - exp(-rate * s / keys): keys are taken as equally likely. Without a watermark
    nothing is ever dropped, so the span is the horizon.
    """
    horizon = horizon_days * DAY_SECONDS
    rate = columns["events_per_day"] / DAY_SECONDS
    keys = columns["keys"] + columns["new_keys_per_day"] * horizon_days
    bounded = np.isfinite(columns["window_seconds"]) & np.isfinite(columns["watermark_seconds"])
    kept = np.where(bounded, columns["window_seconds"] + columns["watermark_seconds"], horizon)
    paned = np.isfinite(columns["pane_seconds"])
    pane = np.where(paned, columns["pane_seconds"], kept)
    panes = np.where(paned, np.ceil(kept / pane - 1e-9), 1.0)
    seen = keys * -np.expm1(-rate * pane / keys)
    return np.asarray(np.where(columns["has_state"], np.maximum(panes, 1.0) * seen, 0.0))


def sizes(columns: Columns, horizon_days: float) -> dict[str, np.ndarray]:
    """Bytes of state kept between events or batches; 0 for batch, which keeps none.

    `state_values_bytes` the values alone; `state_local_bytes` with keys and index, on one node's
    disk or memory; `state_hot_bytes` with snapshots and replicas; `state_nodes` the nodes needed
    beside the compute nodes (what those cannot hold, and stand-bys); `state_grows` True where
    nothing bounds it.
    """
    held = entries(columns, horizon_days)
    values = held * columns["values_per_key"] * columns["bytes_per_value"]
    values = np.where(columns["keeps_state"], values, 0.0)
    local = values * (1.0 + columns["state_index_overhead"])
    needed = np.ceil(local / columns["state_bytes_per_node"] - 1e-9)
    missing = np.maximum(needed - columns["nodes"], 0.0)
    unbounded = ~(
        np.isfinite(columns["window_seconds"]) & np.isfinite(columns["watermark_seconds"])
    )
    endless = np.isfinite(columns["pane_seconds"]) | (columns["new_keys_per_day"] > 0)
    return {
        "state_values_bytes": values,
        "state_local_bytes": local,
        "state_hot_bytes": local * columns["state_copies"],
        "state_nodes": np.where(values > 0, missing + columns["standby_nodes"], 0.0),
        "state_grows": columns["keeps_state"] & unbounded & endless,
    }


def values_bytes(state: State) -> float:
    """Bytes of the values alone with every key present: keys x values x bytes (one pane)."""
    return state.keys * state.values_per_key * state.bytes_per_value


def hot_bytes(state: State, engine: Engine) -> float:
    """Bytes on all copies with every key present: values, index, snapshots and replicas."""
    return values_bytes(state) * (1.0 + engine.state_index_overhead) * engine.state_copies


def closes_at(window_end_seconds: float, watermark_seconds: float) -> float:
    """The newest event time (seconds) at which the window is still open.

    A window is dropped once its end is more than the watermark behind the largest event time seen.
    Engines differ on the boundary itself: Spark already evicts when the end is equal.
    """
    end = float(window_end_seconds)
    return end + check("watermark_seconds", watermark_seconds)
