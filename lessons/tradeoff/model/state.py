"""How much a transform remembers, and what bounds it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tradeoff.model.engine import Engine
from tradeoff.model.quantities import DAY_SECONDS, Quantity, check
from tradeoff.model.timing import Columns
from tradeoff.model.workload import State


def entries(columns: Columns, horizon_days: float) -> np.ndarray:
    """Entries held at the end of the horizon, before values and bytes.

    An entry is one key, or one key in one pane. State that a window and a watermark bound is taken
    as it stands once it is full, however short the horizon; it is counted at its largest, when a
    pane is about to end. Without a watermark nothing is ever dropped, so what is kept reaches back
    over the whole horizon.
    """
    bounded = np.isfinite(columns["window_seconds"]) & np.isfinite(columns["watermark_seconds"])
    kept = np.where(bounded, columns["window_seconds"] + columns["watermark_seconds"], np.inf)
    held = _held(
        columns["events_per_day"],
        columns["keys"],
        columns["new_keys_per_day"],
        np.where(bounded, kept / DAY_SECONDS, horizon_days),
        columns["pane_seconds"] / DAY_SECONDS,
        np.asarray(horizon_days, dtype=float),
    )
    return np.asarray(np.where(columns["has_state"], held, 0.0))


def _held(
    events: np.ndarray,
    keys: np.ndarray,
    new_keys: np.ndarray,
    kept_days: np.ndarray,
    pane_days: np.ndarray,
    at_days: np.ndarray,
) -> np.ndarray:
    """Entries at a time, of events and new keys a day; a pane without end is one entry a key."""
    pane = np.where(np.isfinite(pane_days), pane_days, kept_days)
    panes = np.maximum(np.ceil(kept_days / pane - 1e-9), 1.0)
    # The mean over the panes kept, by Gauss and Legendre's three points: keys may grow meanwhile.
    oldest = np.maximum(at_days - kept_days, 0.0) + np.minimum(pane, at_days)
    seen = np.zeros(1)
    for place, weight in ((0.5 - 0.15**0.5, 5 / 18), (0.5, 8 / 18), (0.5 + 0.15**0.5, 5 / 18)):
        when = np.where(panes > 1, oldest + place * np.maximum(at_days - oldest, 0.0), at_days)
        seen = seen + weight * _seen(events, keys, new_keys, pane, when)
    return np.asarray(panes * seen)


def _seen(
    events: np.ndarray, keys: np.ndarray, new_keys: np.ndarray, span: np.ndarray, when: np.ndarray
) -> np.ndarray:
    """Distinct keys in a span of days that ends at `when`.

    A new key's first event is its birth. The other events fall on all keys there are alike, so a
    key of an age above the span is seen in it with probability 1 - exp(-hazard), where hazard is
    the integral of those events a day over the keys of the time. Without new keys that is
    events * span / keys.
    """
    births = np.minimum(new_keys, events)
    lived = np.minimum(span, when)
    at_end = keys + new_keys * when
    # The share of the keys that came within the span; rounding must not make it 1.
    added = np.minimum(new_keys * lived / at_end, 1.0 - 1e-15)
    slowly = np.maximum(added, 1e-9)
    growth = np.where(added > 1e-9, -np.log1p(-slowly) / slowly, 1.0)
    days_per_key = lived / at_end * growth + (span - lived) / (at_end * (1.0 - added))
    born = births * lived
    old = np.maximum(at_end - born, 0.0)
    return np.asarray(born + old * -np.expm1(-(events - births) * days_per_key))


def over_time(state: State, events_per_day: float, days: ArrayLike) -> np.ndarray:
    """Entries held that many days after an empty start, at a flat rate; as `entries` counts them.

    `days` is any array of times above 0. A state with window and watermark fills until both are
    over and then stays, but for keys that are added; one without them grows with its panes and new
    keys.

    Raises ValueError for more new keys a day than events, since a key comes with an event.
    """
    at = np.asarray(days, dtype=np.float64)
    for when in at[~(np.isfinite(at) & (at > 0))].tolist():
        check("days", when, Quantity("days", above=0))
    events = check("events_per_day", events_per_day)
    if state.new_keys_per_day > events:
        raise ValueError(
            f"new_keys_per_day must be at most events_per_day, {events:,.0f}, for each new key "
            f"comes with an event; got {state.new_keys_per_day:,.0f}"
        )
    kept_days = np.inf
    if state.window_seconds is not None and state.watermark_seconds is not None:
        kept_days = (state.window_seconds + state.watermark_seconds) / DAY_SECONDS
    pane_days = np.inf if state.pane_seconds is None else state.pane_seconds / DAY_SECONDS
    return _held(
        np.asarray(events),
        np.asarray(state.keys),
        np.asarray(state.new_keys_per_day),
        np.minimum(kept_days, at),
        np.minimum(pane_days, at) if np.isfinite(pane_days) else np.asarray(np.inf),
        at,
    )


def entry_bytes(state: State, engine: Engine) -> float:
    """Bytes of one entry on one node's memory or disk: its values, with key and index."""
    return state.values_per_key * state.bytes_per_value * (1.0 + engine.state_index_overhead)


def full_after_days(
    state: State, events_per_day: float, engine: Engine, memory_bytes: float, most_days: float
) -> float | None:
    """Days from an empty start until the local copy fills the memory; None: not in `most_days`.

    Raises ValueError as `over_time` does.
    """
    entries_that_fit = check("memory_bytes", memory_bytes, Quantity("bytes", above=0))
    entries_that_fit /= entry_bytes(state, engine)

    def fits(days: float) -> bool:
        return bool(over_time(state, events_per_day, [days])[0] <= entries_that_fit)

    if fits(most_days):
        return None
    # State never shrinks, so halve the logarithm of the time: from a microsecond up.
    low, high = 1e-6 / DAY_SECONDS, most_days
    while high / low > 1 + 1e-9:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if fits(middle) else (low, middle)
    return high


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
