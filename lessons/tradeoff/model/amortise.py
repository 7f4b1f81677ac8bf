"""An overhead shared by the events of a batch: t(n) = overhead + n x cost of one event.

The same two constants decide throughput, n / t(n), and how long the first event of a batch waits
for company, n / rate + t(n). Fitted from measured points, they predict sizes not measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model.quantities import Quantity, check

_EVENTS = Quantity("events", least=1)
_RATE = Quantity("events a second", above=0)
_SECONDS = Quantity("seconds", least=0)


@dataclass(frozen=True)
class Overhead:
    """What a batch of n events takes: `overhead_seconds` once, `seconds_per_event` for each.

    Methods take a number or an array of them, and return the same.
    """

    overhead_seconds: float
    seconds_per_event: float

    def __post_init__(self) -> None:
        for name in ("overhead_seconds", "seconds_per_event"):
            check(name, getattr(self, name), _SECONDS)
        if self.overhead_seconds + self.seconds_per_event <= 0:
            raise ValueError("a batch must take some time: both its parts are 0")

    def seconds(self, events: Any) -> Any:
        """Time of one batch of so many events."""
        return self.overhead_seconds + np.asarray(events) * self.seconds_per_event

    def events_per_second(self, events: Any) -> Any:
        """Throughput of batches of so many events, one after the other."""
        return np.asarray(events) / self.seconds(events)

    @property
    def half_speed_events(self) -> float:
        """The batch whose overhead and work take equally long: half of the highest throughput.

        Infinite where an event costs nothing of its own.
        """
        if self.seconds_per_event == 0:
            return float("inf")
        return self.overhead_seconds / self.seconds_per_event

    def least_events(self, events_per_second: float) -> float:
        """The smallest batch that keeps up with a rate: its events arrive while it runs.

        At least one; infinite at and above the highest throughput.
        """
        room = 1.0 - check("events_per_second", events_per_second, _RATE) * self.seconds_per_event
        if room <= 0:
            return float("inf")
        return max(1.0, events_per_second * self.overhead_seconds / room)


def fit_overhead(events: Iterable[float], seconds: Iterable[float]) -> Overhead:
    """Overhead and cost per event that come closest to measured batches, in relative error.

    Least squares of (fitted / measured - 1), so that a millisecond at one event weighs as much as a
    second at a million. Neither part becomes negative. Raises ValueError for fewer than two
    different sizes, or values that are not positive.
    """
    sizes, took = (np.asarray(list(values), dtype=float) for values in (events, seconds))
    if sizes.shape != took.shape or len(np.unique(sizes)) < 2:
        raise ValueError(
            "a fit needs batches of at least two sizes, each with its seconds, got "
            f"{len(sizes)} sizes and {len(took)} durations"
        )
    for name, values in (("events", sizes), ("seconds", took)):
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"{name} must be positive, got {values.min():g}")
    parts = np.stack([1.0 / took, sizes / took], axis=1)
    overhead, each = np.linalg.lstsq(parts, np.ones(len(took)), rcond=None)[0].tolist()
    if overhead < 0 or each < 0:  # the best of the two edges
        alone = [max(0.0, float(part.sum() / (part @ part))) for part in parts.T]
        left = [
            float(((part * best - 1) ** 2).sum()) for part, best in zip(parts.T, alone, strict=True)
        ]
        overhead, each = (alone[0], 0.0) if left[0] <= left[1] else (0.0, alone[1])
    return Overhead(overhead, each)


def at_arrival_rate(batches: pd.DataFrame, events_per_second: float) -> pd.DataFrame:
    """What batches of each size give when events arrive at a steady rate.

    Parameters
    ----------
    batches : columns events (of a batch) and seconds (that it takes).

    Returns the table with four more columns: throughput_per_second, wait_seconds (the first event
    of a batch waits until the last has arrived), latency_seconds (that and the batch), keeps_up.
    """
    rate = check("events_per_second", events_per_second, _RATE)
    events, took = (batches[name].to_numpy(dtype=float) for name in ("events", "seconds"))
    for value in events:
        check("events", float(value), _EVENTS)
    throughput, wait = events / took, (events - 1) / rate
    return batches.assign(
        throughput_per_second=throughput,
        wait_seconds=wait,
        latency_seconds=wait + took,
        keeps_up=throughput >= rate,
    )
