"""What has to be processed: events, their day, their work, and the state the logic needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tradeoff.data import DAY_CURVE
from tradeoff.model.quantities import check, check_fields

FLAT = (1.0,) * 24


@dataclass(frozen=True)
class State:
    """What a stateful transform remembers.

    Attributes
    ----------
    keys, new_keys_per_day : distinct keys today, and how many more each day.
    values_per_key, bytes_per_value : what is kept for a key (in one pane, when there are panes).
    window_seconds : how far back the logic looks; None is a GROUP BY over all history.
    watermark_seconds : how late an event may be; None means no watermark, so nothing is dropped.
    pane_seconds : None keeps one entry a key, dropped once the key was silent for window plus
        watermark (rolling counts, deduplication, sessions). A number keeps one entry a key and
        pane: equal to the window it is a tumbling window.
    """

    keys: float
    values_per_key: float = 1.0
    bytes_per_value: float = 8.0
    window_seconds: float | None = None
    watermark_seconds: float | None = None
    pane_seconds: float | None = None
    new_keys_per_day: float = 0.0

    def __post_init__(self) -> None:
        check_fields(
            self,
            "keys",
            "values_per_key",
            "bytes_per_value",
            "window_seconds",
            "watermark_seconds",
            "pane_seconds",
            "new_keys_per_day",
        )
        if self.pane_seconds is not None and self.window_seconds is None:
            raise ValueError("pane_seconds needs a window_seconds: panes are slices of a window")


@dataclass(frozen=True)
class Workload:
    """One pipeline's input and logic, whatever engine runs it.

    Attributes
    ----------
    events_per_day : mean volume.
    curve : 24 hourly weights with mean 1, hour 0 first (local time); `day_curve` makes them.
    work_per_event : transform work as a multiple of relaying one event (filter, forward).
    source_events_per_second, sink_events_per_second : what source and sink can give and take,
        however many nodes ask; None is no limit. A batch run reads, transforms, then writes; a
        stream does the three at once and is as fast as the slowest.
    fixed_seconds : serial work a full (not incremental) run repeats whatever the volume.
    fixed_seconds_incremental : what remains of it when a run reads only what is new.
    full_read_days : days of events a full run reads, however often it runs.
    state : what the logic remembers; None for stateless logic.
    """

    name: str
    events_per_day: float
    bytes_per_event: float = 500.0
    work_per_event: float = 1.0
    curve: Sequence[float] = FLAT
    source_events_per_second: float | None = None
    sink_events_per_second: float | None = None
    fixed_seconds: float = 0.0
    fixed_seconds_incremental: float = 0.0
    full_read_days: float = 1.0
    state: State | None = None

    def __post_init__(self) -> None:
        check_fields(
            self,
            "events_per_day",
            "bytes_per_event",
            "work_per_event",
            "source_events_per_second",
            "sink_events_per_second",
            "fixed_seconds",
            "fixed_seconds_incremental",
            "full_read_days",
        )
        weights = np.asarray(self.curve, dtype=float)
        if weights.shape != (24,) or not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError(
                "curve must be 24 hourly weights of at least 0, "
                f"got shape {weights.shape}: {self.curve!r}"
            )
        if weights.sum() <= 0:
            raise ValueError("curve must have some hour above 0, got only zeros")
        object.__setattr__(self, "curve", tuple((weights / weights.mean()).tolist()))

    @property
    def peak_factor(self) -> float:
        """Rate in the busiest hour over the mean rate."""
        return max(self.curve)

    @property
    def events_per_second(self) -> float:
        """Mean arrival rate."""
        return self.events_per_day / 86_400.0

    @property
    def peak_events_per_second(self) -> float:
        """Arrival rate in the busiest hour."""
        return self.events_per_second * self.peak_factor

    def at(self, events_per_day: float, **changes: Any) -> Workload:
        """The same pipeline at another volume (and with other fields, by keyword)."""
        return replace(self, events_per_day=events_per_day, **changes)

    def narrowed(self, share: float) -> Workload:
        """The same logic over a part of the events, as a path for some consumers needs it."""
        return self.at(self.events_per_day * check("share", share))


def day_curve(peak_factor: float) -> tuple[float, ...]:
    """The shop's day (`data.DAY_CURVE`) made flatter or steeper: 24 weights, mean 1, given peak.

    The weights are raised to one power, found by bisection, and scaled back to mean 1; so the
    shape stays and no hour becomes negative.

    Raises ValueError when the peak is below 1 or above 12.
    """
    if not 1.0 <= peak_factor <= 12.0:
        raise ValueError(f"peak_factor must be from 1 to 12, got {peak_factor!r}")
    base = np.asarray(DAY_CURVE, dtype=float)

    def shaped(power: float) -> np.ndarray:
        weights = (base / base.max()) ** power
        return np.asarray(weights / weights.mean())

    low, high = 0.0, 64.0
    for _ in range(80):
        middle = (low + high) / 2
        if shaped(middle).max() < peak_factor:
            low = middle
        else:
            high = middle
    return tuple(shaped(high).tolist())
