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
CLEARER = 6.0  # difference of twice the log likelihood from which one shape is chosen: 20 to 1
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
        curves = [_curve(shape, line, days)[1] for shape, line in self.lines]
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
    """The shapes that describe the points, with the squared noise they leave (hours²)."""
    found = []
    for shape in ("linear", "exponential"):
        line = robust.line(x, _scaled(shape, y))
        if line is None:
            continue
        left = y - _curve(shape, line, x)[1]
        if _describes(left, float(np.median(y))):
            most = 3 * 1.4826 * float(np.median(np.abs(left)))
            found.append((shape, line, float((np.clip(left, -most, most) ** 2).mean())))
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


def _curve(shape: str, line: Line, x: np.ndarray) -> np.ndarray:
    """Hours on these days by the line: its low, mid and high, (3, days)."""
    values = line.along(x)
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
    start, end = _curve(fitted[0][0], fitted[0][1], ends)[1]
    flat = fitted[0][1].slope.low <= 0 <= fitted[0][1].slope.high
    lines = tuple((shape, line) for shape, line, _ in fitted)
    if flat or abs(end - start) <= LEVEL * start:
        says = f"run time is level over {span}, at {end:.1f} h"
        return Trend("level", says, points, origin, x[0], lines[:1])
    if len(fitted) == 2:
        (_, _, straight), (_, _, bent) = fitted
        evidence = len(x) * np.log(max(bent, 1e-12) / max(straight, 1e-12))
        if evidence >= CLEARER:
            lines = lines[:1]
        elif evidence <= -CLEARER:
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
    days = last + np.linspace(0.0, 2 * horizon, 1000)
    late, mids, early = zip(*(_meets(*one, days, hours) for one in trend.lines), strict=True)
    others = [_meets(*one, days, hours)[1] for one in trend.later]
    known = [day for day in mids if np.isfinite(day)]
    if not known or min(known) > last + horizon:
        return never
    mid = float(np.mean(known))
    when = Estimate(min(*early, *others, mid), mid, max(*late, *others, mid))
    return Crossing(
        name,
        hours,
        "ahead",
        f"{name} ({words.duration(hours * 3600)}) will be passed {_ahead(trend, when, horizon)}",
        when,
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


def _meets(shape: str, line: Line, days: np.ndarray, hours: float) -> list[float]:
    """The first day on which the line's low, mid and high reach the limit; else infinity."""
    reached = _curve(shape, line, days) >= hours
    return [float(days[one.argmax()]) if one.any() else np.inf for one in reached]


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
