"""How run time grows, and when it passes a limit: a date with a range, or why there is none.

Runs of a day are one point (their median), weeks likewise once there are eight: hours of the day
and days of the week are then no trend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradeoff.diagnosis import robust
from tradeoff.diagnosis.history import History
from tradeoff.diagnosis.robust import Estimate, Line
from tradeoff.model import words

WEEKS_FROM_DAYS = 56
FEWEST_POINTS = 8
BLOCKS = 4
LEVEL = 0.05  # a change of less than this over the whole span is none
CLEARER = 0.85  # one shape is chosen when its noise is this share of the other's, or less
HORIZON_DAYS = 730.0


@dataclass(frozen=True)
class Trend:
    """How run time moves, over the longest recent stretch that one shape describes.

    Attributes
    ----------
    shape : `level`, `linear`, `exponential`, `linear or exponential` (the points do not tell which)
        or `can't tell`.
    says : the trend in words.
    points : columns day (since the first run) and hours, one row a day or week.
    since : day from which the trend was fitted; `origin` is the local day of day 0.
    lines : the fitted lines by shape, in hours or in their logarithm against days.
    later : the same shapes fitted to the later half alone: a pace that changes widens the dates.
    """

    shape: str
    says: str
    points: pd.DataFrame
    origin: pd.Timestamp
    since: float = 0.0
    lines: tuple[tuple[str, Line], ...] = ()
    later: tuple[tuple[str, Line], ...] = ()

    def at(self, days: np.ndarray) -> np.ndarray:
        """Hours on these days, by the mean of the fitted shapes."""
        curves = [_curve(shape, line, line.slope.mid, days) for shape, line in self.lines]
        return np.asarray(np.mean(curves, axis=0))


@dataclass(frozen=True)
class Crossing:
    """When run time passes a limit.

    `when` is `passed`, `ahead`, `not within …` or `can't tell`; `days` (since the first run) has a
    range for the first two. `since` is the date in words when it is passed.
    """

    limit: str
    hours: float
    when: str
    says: str
    days: Estimate | None = None
    since: str = ""


def trend(history: History) -> Trend:
    """The trend of run time; `can't tell` for fewer than `FEWEST_POINTS` days."""
    points = _points(history)
    origin = history.runs["day"].iloc[0]
    x, y = points["day"].to_numpy(), np.maximum(points["hours"].to_numpy(), 1e-6)
    if len(points) < FEWEST_POINTS:
        short = f"{len(points)} days are too short a history for a trend"
        return Trend("can't tell", short, points, origin)
    for share in (1.0, 0.5, 0.25, 0.125):
        count = max(FEWEST_POINTS, round(share * len(points)))
        if count < len(points) * share - 1:
            continue
        some_x, some_y = x[-count:], y[-count:]
        fitted = _shapes(some_x, some_y)
        if fitted or count == FEWEST_POINTS:
            break
    span = f"the last {round(some_x[-1] - some_x[0])} days"
    if not fitted:
        jumps = f"run time jumps about, or bends, within {span}: no line describes it"
        return Trend("can't tell", jumps, points, origin)
    return _chosen(fitted, some_x, some_y, points, origin, span)


def _points(history: History) -> pd.DataFrame:
    runs = history.runs
    days = ((runs["day"] - runs["day"].iloc[0]) / pd.Timedelta(days=1)).to_numpy()
    weeks = days[-1] - days[0] >= WEEKS_FROM_DAYS
    size = 7.0 if weeks else 1.0
    # Counted back from the last run, so that the newest point is a whole one.
    bin_of = np.floor((days[-1] - days) / size)
    table = pd.DataFrame({"bin": bin_of, "day": days, "hours": runs["seconds"] / 3600})
    grouped = table.groupby("bin").agg(
        day=("day", "mean"), hours=("hours", "median"), runs=("hours", "size")
    )
    whole = grouped[grouped["runs"] >= 0.5 * grouped["runs"].median()]
    return whole[["day", "hours"]].sort_values("day").reset_index(drop=True)


def _shapes(x: np.ndarray, y: np.ndarray) -> list[tuple[str, Line, float]]:
    """The shapes that describe the points, with the noise they leave in hours."""
    found = []
    for shape in ("linear", "exponential"):
        line = robust.line(x, _scaled(shape, y))
        if line is None:
            continue
        left = y - _curve(shape, line, line.slope.mid, x)
        if _describes(left, float(np.median(y))):
            found.append((shape, line, float(np.median(np.abs(left)))))
    return found


def _describes(left: np.ndarray, level: float) -> bool:
    """No stretch of the residuals lies to one side by more than the noise from point to point."""
    noise = 1.4826 * float(np.median(np.abs(np.diff(left)))) / np.sqrt(2)
    return all(
        abs(float(np.median(block))) <= 3 * 1.25 * noise / np.sqrt(len(block)) + 0.01 * level
        for block in np.array_split(left, BLOCKS)
    )


def _scaled(shape: str, hours: np.ndarray) -> np.ndarray:
    return hours if shape == "linear" else np.log(hours)


def _curve(shape: str, line: Line, slope: float, x: np.ndarray) -> np.ndarray:
    middle_x, middle_y = line.middle
    values = middle_y + slope * (x - middle_x)
    return np.asarray(values if shape == "linear" else np.exp(np.minimum(values, 50.0)))


def _chosen(
    fitted: list[tuple[str, Line, float]],
    x: np.ndarray,
    y: np.ndarray,
    points: pd.DataFrame,
    origin: pd.Timestamp,
    span: str,
) -> Trend:
    ends = np.array([x[0], x[-1]])
    start, end = _curve(fitted[0][0], fitted[0][1], fitted[0][1].slope.mid, ends)
    flat = fitted[0][1].slope.low <= 0 <= fitted[0][1].slope.high
    lines = tuple((shape, line) for shape, line, _ in fitted)
    if flat or abs(end - start) <= LEVEL * start:
        says = f"run time is level over {span}, at {end:.1f} h"
        return Trend("level", says, points, origin, x[0], lines[:1])
    if len(fitted) == 2:
        (_, _, straight), (_, _, bent) = fitted
        if straight <= CLEARER * bent:
            lines = lines[:1]
        elif bent <= CLEARER * straight:
            lines = lines[1:]
    shape = " or ".join(shape for shape, _ in lines)
    pace = (end - start) / (x[-1] - x[0]) * 30.4 * 60
    moves = "grows" if pace > 0 else "shrinks"
    says = f"run time {moves} by {abs(pace):.0f} min a month over {span} ({shape})"
    half = len(x) // 2
    later = [(name, robust.line(x[half:], _scaled(name, y[half:]))) for name, _ in lines]
    kept = tuple((name, line) for name, line in later if line is not None)
    return Trend(shape, says, points, origin, x[0], lines, kept)


def crossing(trend: Trend, name: str, hours: float) -> Crossing:
    """When the trend passes `hours`, the limit called `name`."""
    x, y = trend.points["day"].to_numpy(), trend.points["hours"].to_numpy()
    passed = _passed(x, y, hours)
    if passed is not None:
        since = "before this history begins"
        range_ = ""
        if passed.high > 0:
            since = f"about {_date(trend.origin, passed.mid)}"
            range_ = f" ({_span(trend.origin, passed.low, passed.high)})"
        says = f"{name} ({words.duration(hours * 3600)}) is passed since {since}{range_}"
        return Crossing(name, hours, "passed", says, passed, since)
    if trend.shape == "can't tell":
        return Crossing(name, hours, "can't tell", f"no date for {name}: {trend.says}")
    last = float(x[-1])
    # A trend carries no further than twice the stretch it was seen on.
    horizon = min(HORIZON_DAYS, 2 * (last - trend.since))
    never = Crossing(
        name,
        hours,
        "not ahead",
        f"{name} is not reached in the next {round(horizon)} days at this pace",
    )
    if trend.shape == "level":
        return never
    meets = [
        _meets(shape, line, slope, hours)
        for shape, line in trend.lines
        for slope in (line.slope.high, line.slope.mid, line.slope.low)
    ]
    mids = [day for day in meets[1::3] if np.isfinite(day)]
    if not mids or min(mids) > last + horizon:
        return never
    meets += [_meets(shape, line, line.slope.mid, hours) for shape, line in trend.later]
    mid = max(float(np.mean(mids)), last)
    days = Estimate(min(max(min(meets), last), mid), mid, max(max(meets), mid))
    return Crossing(
        name,
        hours,
        "ahead",
        f"{name} ({words.duration(hours * 3600)}) will be passed {_ahead(trend, days, horizon)}",
        days,
    )


def _passed(x: np.ndarray, y: np.ndarray, hours: float) -> Estimate | None:
    """The first of the points from which on most are above, if the last ones are above."""
    over = y > hours
    if len(y) < 3 or not np.median(over[-3:]):
        return None
    # The split that agrees best with "below before, above after", and where the two mix about it.
    wrong = np.concatenate([[0], np.cumsum(over)]) + np.concatenate(
        [np.cumsum(~over[::-1])[::-1], [0]]
    )
    place = int(np.argmin(wrong))
    if place == 0:
        return Estimate(0.0, 0.0, 0.0)
    first = min(int(np.flatnonzero(over)[0]), place)
    last = max(int(np.flatnonzero(~over)[-1]) + 1, place)
    early, late = x[max(first - 1, 0)], x[min(last, len(x) - 1)]
    return Estimate(float(early), float(x[place]), float(late))


def _meets(shape: str, line: Line, slope: float, hours: float) -> float:
    """The day on which the line through its middle at this slope reaches the limit."""
    middle_x, middle_y = line.middle
    target = hours if shape == "linear" else np.log(hours)
    return float(middle_x + (target - middle_y) / slope) if slope > 0 else np.inf


def _ahead(trend: Trend, days: Estimate, horizon: float) -> str:
    on, end = _date(trend.origin, days.mid), float(trend.points["day"].iloc[-1]) + horizon
    if days.high <= end:
        return f"about {on} ({_span(trend.origin, days.low, days.high)})"
    return f"about {on} ({_date(trend.origin, days.low)} or later, no end in sight)"


def _span(origin: pd.Timestamp, low: float, high: float) -> str:
    early, late = _date(origin, low), _date(origin, high)
    return f"{early.removesuffix(late[-5:])} to {late}"


def _date(origin: pd.Timestamp, day: float) -> str:
    when = origin + pd.Timedelta(days=round(day))
    return f"{when.day} {when:%b %Y}"


def crossings(trend: Trend, limits: Sequence[tuple[str, float]]) -> list[Crossing]:
    """`crossing` for each limit by name, the smallest hours first."""
    return [crossing(trend, name, hours) for name, hours in sorted(limits, key=lambda one: one[1])]
