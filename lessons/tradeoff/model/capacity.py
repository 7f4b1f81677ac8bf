"""How many nodes a peak asks for."""

from __future__ import annotations

import numpy as np

from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS
from tradeoff.model.timing import SLOTS, Columns, events_per_second_per_node, fixed_per_run

# A cluster that must follow its peak keeps this head-room; `sized` takes any other target.
TARGET_UTILISATION = 0.7


def nodes_needed(
    columns: Columns, curve: np.ndarray, target_utilisation: np.ndarray | float
) -> np.ndarray:
    """Nodes that keep the peak at the target utilisation; 0 where no number of nodes does.

    A batch's run must end within the target share of its interval (and run window); a stream's
    and an as-soon-as-possible loop's load must stay below the target.
    """
    rows = len(columns["events_per_day"])
    curve = np.broadcast_to(curve, (rows, SLOTS))
    per_node = events_per_second_per_node(columns)
    fixed = fixed_per_run(columns)
    source = 1.0 / columns["source_events_per_second"]
    sink = 1.0 / columns["sink_events_per_second"]
    peak_rate = columns["events_per_day"] / DAY_SECONDS * curve.max(axis=1)
    # A loop without a trigger that reads everything each time has its span to do so.
    timed = columns["timed"] | ~columns["incremental"]
    limit = np.where(
        columns["timed"],
        np.fmin(columns["interval_seconds"], columns["run_window_seconds"]),
        columns["full_read_days"] * DAY_SECONDS,
    )

    new = peak_rate * columns["interval_seconds"]
    coarse = columns["coarse"]
    if coarse.any():  # a few whole hours: the busiest stretch between two triggers
        new[coarse] = _busiest(columns, curve, coarse)
    full = columns["full_read_days"] * columns["events_per_day"]
    events = np.where(columns["incremental"], new, full)
    # Batches: fixed + events * (1 / (n * per_node) + source + sink) <= target * limit
    timed_room = target_utilisation * limit - fixed - events * (source + sink)
    # Loops without a trigger: peak_rate * (1 / (n * per_node) + source + sink) <= target
    loop_room = target_utilisation - peak_rate * (source + sink)
    # Streams: each stage alone must stay below the target.
    stream_room = np.where(peak_rate * np.maximum(source, sink) <= target_utilisation, 1.0, -1.0)
    room = np.select([columns["streaming"], timed], [stream_room, timed_room], loop_room)
    demand = np.select(
        [columns["streaming"], timed],
        [peak_rate / target_utilisation, events],
        peak_rate,
    )
    needed = np.where(room > 0, demand / (per_node * np.where(room > 0, room, 1.0)), 0.0)
    whole = np.maximum(np.ceil(needed - 1e-9), columns["minimum_nodes"])
    return np.where((room > 0) & (whole <= 1e6), whole, 0.0)


def _busiest(columns: Columns, curve: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Most events between two triggers, of the rows whose interval is whole hours."""
    hours = np.rint(columns["interval_seconds"][rows] / HOUR_SECONDS).astype(int)[:, None]
    start = columns["start_hour"][rows].astype(int)[:, None]
    sums = np.cumsum(np.tile(curve[rows], 2), axis=1)
    sums = np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
    ends = np.broadcast_to(SLOTS + np.arange(SLOTS), (len(sums), SLOTS))
    volume = np.take_along_axis(sums, ends, 1) - np.take_along_axis(sums, ends - hours, 1)
    triggered = (ends - start) % hours == 0
    most = np.where(triggered, volume, 0.0).max(axis=1)
    return np.asarray(most * columns["events_per_day"][rows] / SLOTS)
