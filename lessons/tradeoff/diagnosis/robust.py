"""Medians, lines and steps that a few odd runs cannot move, each with how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FEWEST = 5  # values below which a median has no range worth the name
MOST_PAIRS = 400  # points of a line, at most: its slopes are all pairs


@dataclass(frozen=True)
class Estimate:
    """A figure with the range it lies in at about 95 % confidence."""

    low: float
    mid: float
    high: float

    @property
    def ends(self) -> tuple[float, float, float]:
        """low, mid, high."""
        return self.low, self.mid, self.high

    def plus(self, amount: float) -> Estimate:
        return Estimate(self.low + amount, self.mid + amount, self.high + amount)

    def product(self, other: Estimate) -> Estimate:
        """The product of two positive figures that were estimated apart."""
        mid, low = self.mid * other.mid, max(self.low, 0.0) * max(other.low, 0.0)
        # Each is at its end of the range, but hardly ever both at once.
        spread = math.hypot(self.high / self.mid - 1, other.high / other.mid - 1)
        return Estimate(mid - (mid - low) / math.sqrt(2), mid, mid * (1 + spread))

    def against(self, limit: float) -> str:
        """`below`, `above`, or `borderline` when the range holds the limit."""
        if self.high <= limit:
            return "below"
        return "above" if self.low > limit else "borderline"


def median(values: np.ndarray, slots: np.ndarray | None = None) -> Estimate | None:
    """The median and its range, from the median absolute deviation; None below `FEWEST` values.

    `slots` says which place in a cycle (hour of the day) each value has: what differs from slot to
    slot is no doubt about the median, so the range is that of the values over their slot's median.
    Slots with fewer than four values on average are not used.
    """
    known = np.isfinite(values)
    values, count = values[known], int(known.sum())
    if count < FEWEST:
        return None
    middle = float(np.median(values))
    usual: float | np.ndarray = middle
    if slots is not None:
        names, which = np.unique(slots[known], return_inverse=True)
        if 1 < len(names) <= count / 4:
            levels = np.array([np.median(values[which == i]) for i in range(len(names))])
            usual = levels[which]
    away = np.abs(values - usual) * middle / np.maximum(usual, 1e-9)
    # 1.25: a median's error over a mean's; 6 / count: few values know their own spread badly.
    reach = (2 + 6 / count) * 1.25 * 1.4826 * float(np.median(away)) / math.sqrt(count)
    return Estimate(middle - reach, middle, middle + reach)


def mean(values: np.ndarray) -> Estimate | None:
    """The mean, odd values pulled in to five robust standard deviations; None for too few values.

    For figures with a cycle (rows by the hour of the day), whose median falls into a gap.
    """
    known = values[np.isfinite(values)]
    if len(known) < FEWEST:
        return None
    centre = float(np.median(known))
    reach = 5 * 1.4826 * float(np.median(np.abs(known - centre))) + 0.2 * abs(centre)
    known = np.clip(known, centre - reach, centre + reach)
    middle = float(known.mean())
    error = 2 * float(known.std()) / math.sqrt(len(known))
    return Estimate(middle - error, middle, middle + error)


@dataclass(frozen=True)
class Line:
    """Theil and Sen's line: the median slope of all pairs of points.

    The range of `slope` turns about `middle`, a point whose own height is known to within `level`.
    """

    slope: Estimate
    middle: tuple[float, float]
    level: float

    def at(self, x: float) -> Estimate:
        """The line at x, with the range of its height (not of a single point's)."""
        return Estimate(*self.along(np.array([x]))[:, 0].tolist())

    def along(self, x: np.ndarray) -> np.ndarray:
        """low, mid and high of the line at each x: shape (3, len(x))."""
        away = x - self.middle[0]
        mid = self.middle[1] + self.slope.mid * away
        reach = np.hypot(self.level, (self.slope.high - self.slope.mid) * away)
        return np.stack([mid - reach, mid, mid + reach])


def line(x: np.ndarray, y: np.ndarray) -> Line | None:
    """A line through points; None for fewer than `FEWEST` or when all x are equal.

    The ranges are those of least squares with a robust noise, which may change with x (the sandwich
    estimate), widened for residuals that follow each other (their lag-one correlation).
    """
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good].astype(float), y[good].astype(float)
    if len(x) > MOST_PAIRS:
        some = np.linspace(0, len(x) - 1, MOST_PAIRS).round().astype(int)
        x, y = x[some], y[some]
    count, spread = len(x), float(np.ptp(x)) if len(x) else 0.0
    if count < FEWEST or spread == 0.0:
        return None
    first, second = np.triu_indices(count, 1)
    apart = np.abs(x[second] - x[first]) > 1e-9 * spread
    first, second = first[apart], second[apart]
    slope = float(np.median((y[second] - y[first]) / (x[second] - x[first])))
    height = float(np.median(y - slope * (x - x.mean())))
    left = y - height - slope * (x - x.mean())
    noise = 1.4826 * float(np.median(np.abs(left)))
    left = np.clip(left, -3 * noise, 3 * noise)
    power = float((left**2).sum())
    follow = float((left[1:] * left[:-1]).sum()) / power if power > 0 else 0.0
    follow = min(max(follow, 0.0), 0.9)
    # 1.1 and 1.25: what these medians lose against means; 6 / count: few points know noise badly.
    wide = (2 + 6 / count) * math.sqrt((1 + follow) / (1 - follow))
    around = x - x.mean()
    squares = float((around**2).sum())
    reach = 1.1 * wide * math.sqrt(float((around**2 * left**2).sum())) / squares
    return Line(
        Estimate(slope - reach, slope, slope + reach),
        (float(x.mean()), height),
        1.25 * wide * noise / math.sqrt(count),
    )


def step(values: np.ndarray, edge: int = FEWEST) -> int | None:
    """Where a series jumps from one level to another: the first place of the new level.

    The place that leaves the least absolute distance to the two sides' medians; None when the
    series is shorter than four edges.
    """
    if len(values) < 4 * edge:
        return None
    places = np.unique(np.linspace(edge, len(values) - edge, 120).round().astype(int))
    left = [
        float(np.abs(part - np.median(part)).sum())
        for place in places
        for part in (values[:place], values[place:])
    ]
    return int(places[int(np.argmin(np.array(left).reshape(-1, 2).sum(axis=1)))])
