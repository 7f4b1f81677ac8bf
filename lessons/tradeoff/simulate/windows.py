"""Two operators with state, event by event, and what they hold beside the closed form.

`TumblingCount` counts per key in windows of event time, `RecentKeys` remembers which keys came
lately (what a deduplication with a time to live, or a rolling window, keeps). Times are numbers in
one unit of the caller's choice, windows begin at multiples of their length, and the watermark
follows the largest event time seen.
"""

from __future__ import annotations

import heapq
import json
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model import State
from tradeoff.model.quantities import DAY_SECONDS, Quantity, check
from tradeoff.model.state import over_time

MORE_THAN, AT_LEAST = "more than the watermark behind", "at least the watermark behind"

Result = tuple[float, Any, int]  # a window's start, a key, its count


class TumblingCount:
    """Counts per key and tumbling window, held until the watermark has passed the window's end.

    Parameters
    ----------
    window : length of a window, above 0.
    watermark : how far the newest event may be ahead of a window's end before that is dropped, at
        least 0; None never drops one.
    boundary : `MORE_THAN`, or `AT_LEAST` as Spark has it: a window whose end is exactly the
        watermark behind is still open in the first and dropped in the second.

    Attributes
    ----------
    newest : largest event time seen.
    held : entries in state now, one a key and open window.
    late : events that came for a window already dropped, and were not counted.
    """

    def __init__(
        self, window: float, watermark: float | None = None, boundary: str = MORE_THAN
    ) -> None:
        self.window = check("window", window, Quantity("the unit of time", above=0))
        unit = Quantity("the unit of time", least=0)
        self.watermark = None if watermark is None else check("watermark", watermark, unit)
        if boundary not in (MORE_THAN, AT_LEAST):
            raise ValueError(f"boundary must be {MORE_THAN!r} or {AT_LEAST!r}, got {boundary!r}")
        self.boundary = boundary
        self.newest, self.held, self.late = -math.inf, 0, 0
        self._counts: dict[float, dict[Any, int]] = {}
        self._starts: list[float] = []  # a heap: the oldest open window first

    def update(self, time: float, key: Hashable) -> list[Result]:
        """Take one event; return the counts of the windows that its time closes."""
        start = time // self.window * self.window
        if self._closed(start):
            self.late += 1
            return []
        counts = self._counts.get(start)
        if counts is None:
            counts = self._counts[start] = {}
            heapq.heappush(self._starts, start)
        if key in counts:
            counts[key] += 1
        else:
            counts[key] = 1
            self.held += 1
        if time <= self.newest:
            return []
        self.newest = time
        done: list[Result] = []
        while self._starts and self._closed(self._starts[0]):
            done += self._drop_oldest()
        return done

    def flush(self) -> list[Result]:
        """Close all windows: the input has ended."""
        done: list[Result] = []
        while self._starts:
            done += self._drop_oldest()
        return done

    @property
    def open_windows(self) -> list[float]:
        """Starts of the windows in state, oldest first."""
        return sorted(self._starts)

    def snapshot(self) -> str:
        """The state as JSON; `restore` takes it back. Keys must be text or numbers."""
        windows = [[start, list(counts.items())] for start, counts in self._counts.items()]
        newest = None if math.isinf(self.newest) else self.newest
        return json.dumps({"newest": newest, "late": self.late, "windows": windows})

    def restore(self, snapshot: str) -> None:
        """Take the state of a snapshot in place of one's own."""
        kept = json.loads(snapshot)
        self.newest = -math.inf if kept["newest"] is None else kept["newest"]
        self.late = kept["late"]
        self._counts = {start: {key: n for key, n in counts} for start, counts in kept["windows"]}
        self._starts = sorted(self._counts)
        self.held = sum(map(len, self._counts.values()))

    def _closed(self, start: float) -> bool:
        if self.watermark is None:
            return False
        behind = self.newest - (start + self.window)
        return behind > self.watermark or (self.boundary == AT_LEAST and behind == self.watermark)

    def _drop_oldest(self) -> list[Result]:
        start = heapq.heappop(self._starts)
        counts = self._counts.pop(start)
        self.held -= len(counts)
        return [(start, key, count) for key, count in counts.items()]


class RecentKeys:
    """Keys with an event in the last `kept` units of event time; None forgets none.

    `update` returns True for a key that is not in state: a deduplication lets that event pass.
    Events must come in order of time.
    """

    def __init__(self, kept: float | None) -> None:
        unit = Quantity("the unit of time", above=0)
        self.kept = None if kept is None else check("kept", kept, unit)
        self._last: OrderedDict[Hashable, float] = OrderedDict()  # the longest silent first

    @property
    def held(self) -> int:
        return len(self._last)

    def update(self, time: float, key: Hashable) -> bool:
        last = self._last
        if self.kept is not None:
            while last and time - next(iter(last.values())) > self.kept:
                last.popitem(last=False)
        new = key not in last
        last[key] = time
        last.move_to_end(key)
        return new


def held_over_time(
    state: State, events_per_day: float, days: float, *, points: int = 12, seed: int = 0
) -> pd.DataFrame:
    """Events drawn and passed through an operator, beside `model.state.over_time`.

    Arrivals are a Poisson process in order of time; a share of them bring a new key, the others
    fall on all keys alike. Every event is handled in Python: a million take about two seconds.

    Parameters
    ----------
    state : with panes a `TumblingCount` (panes as long as the window), without a `RecentKeys`.
    events_per_day, days : the mean rate, and how long.
    points : times to compare at, evenly spaced; moved to the end of a pane where there are panes,
        since the formula counts state at its largest.

    Returns
    -------
    Columns days, simulated (entries), formula (entries) and error_percent of the formula.

    Raises ValueError where the panes are not the window's length, or as `over_time` does.
    """
    check("days", days, Quantity("days", above=0))
    check("points", points, Quantity("points", least=1, whole=True))
    at = np.arange(1, points + 1) / points * days
    if state.pane_seconds is not None:
        if state.pane_seconds != state.window_seconds:
            raise ValueError("pane_seconds must be window_seconds: a tumbling window has one pane")
        pane = state.pane_seconds / DAY_SECONDS
        at = np.unique(np.maximum(np.round(at / pane), 1.0) * pane)
    formula = over_time(state, events_per_day, at)  # checks state and rate
    times, keys = _drawn(state, events_per_day, float(at[-1]), np.random.default_rng(seed))
    simulated = _followed(_operator(state), times, keys, at * DAY_SECONDS)
    errors = (formula / np.maximum(simulated, 1) - 1) * 100
    return pd.DataFrame(
        {"days": at, "simulated": simulated, "formula": formula, "error_percent": errors}
    )


def _operator(state: State) -> TumblingCount | RecentKeys:
    window, watermark = state.window_seconds, state.watermark_seconds
    if state.pane_seconds is not None:
        return TumblingCount(state.pane_seconds, watermark)
    bounded = window is not None and watermark is not None
    return RecentKeys(window + watermark if bounded else None)  # type: ignore[operator]


def _drawn(
    state: State, events_per_day: float, days: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    times = np.sort(rng.random(rng.poisson(events_per_day * days))) * days * DAY_SECONDS
    first = rng.random(len(times)) < state.new_keys_per_day / events_per_day
    known = int(state.keys) + np.cumsum(first)
    old = (rng.random(len(times)) * (known - first)).astype(np.int64)
    return times, np.where(first, known - 1, old)


def _followed(
    operator: TumblingCount | RecentKeys, times: np.ndarray, keys: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Entries held at each of some times, which rise."""
    update = operator.update
    held, begin = [], 0
    for end in np.searchsorted(times, at).tolist():
        pairs: Iterable[tuple[float, int]] = zip(
            times[begin:end].tolist(), keys[begin:end].tolist(), strict=True
        )
        for time, key in pairs:
            update(time, key)
        held.append(operator.held)
        begin = end
    return np.array(held)
