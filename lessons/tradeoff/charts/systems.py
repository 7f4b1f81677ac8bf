"""The lab's closing picture: every system as it was measured, latency against throughput."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from tradeoff.charts.theme import COLOURS, INK
from tradeoff.model import words
from tradeoff.model.quantities import DAY_SECONDS

WIDTH, HEIGHT = 680, 460
LETTER, LINE = 6.0, 13  # pixels that a letter and a line of a label take, at most
DETOUR, NEAR = 40, 7  # pixels: a label goes that far not to cross a line, or be near another mark
LABEL: Any = {"fontSize": 11, "baseline": "middle", "align": "left", "aria": False}
SHAPES = {
    "batch": ("blue", "square"),
    "micro-batch": ("purple", "triangle-up"),
    "streaming": ("vermillion", "diamond"),
    "one by one": ("green", "cross"),
}
TIMES = {
    **{1e-6: "1 µs", 1e-5: "10 µs", 1e-4: "100 µs", 1e-3: "1 ms", 0.01: "10 ms", 0.1: "100 ms"},
    **{1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", DAY_SECONDS: "1 day"},
}
RATES = {10**power: words.count(10**power) for power in range(10)}


class Box(NamedTuple):
    """A rectangle in pixels, from the upper left."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The point of it that is nearest to this one."""
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)

    def grown(self, by: float) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


Point = tuple[float, float]  # in pixels, from the upper left


class Scale(NamedTuple):
    """A logarithmic axis: the values at its ends, and its length in pixels."""

    least: float
    most: float
    pixels: float

    def at(self, value: float) -> float:
        """Pixels from the least; what lies beyond an end is at the end."""
        part = math.log(max(value, self.least) / self.least) / math.log(self.most / self.least)
        return self.pixels * min(part, 1.0)

    def value(self, pixels: float) -> float:
        return float(self.least * (self.most / self.least) ** (pixels / self.pixels))


def systems(
    measured: pd.DataFrame, curves: pd.DataFrame, stated: pd.DataFrame, what: str
) -> alt.TopLevelMixin:
    """Latency against throughput of the measured systems, the model's curves, the text's ranges.

    Parameters
    ----------
    measured : columns system, rhythm (of `SHAPES`), latency_p50_seconds and latency_p99_seconds,
        events_per_second, machine, measured_on; at least one row.
    curves : columns engine, rhythm, latency_seconds, events_per_second, or no row.
    stated : columns workload, claims, latency_low, latency_high (s), rate_low, rate_high
        (events/s; empty where nothing is said of it).
    what : "recorded run", "your run"; the day and the machine are said with it.
    """
    first = measured.iloc[0]
    where = f"{what.capitalize()}, {first['measured_on']}: {first['machine']}."
    drawn = [measured["events_per_second"], curves["events_per_second"]]
    rates = pd.concat([*drawn, stated["rate_low"], stated["rate_high"]]).astype(float)
    x = Scale(1e-6, 2 * DAY_SECONDS, WIDTH)
    y = Scale(rates.min() / 1.5, 2 * rates.max(), HEIGHT)
    ranges = stated.assign(
        latency_low=stated["latency_low"].clip(lower=x.least),
        rate_low=stated["rate_low"].fillna(y.least),
        rate_high=stated["rate_high"].fillna(y.most),
    )
    labels, threads = _labels(measured, curves, ranges, x, y)

    def across(field: str) -> alt.X:
        names = " : ".join(f"datum.value == {at} ? '{says}'" for at, says in TIMES.items())
        return (
            alt.X(f"{field}:Q")
            .scale(type="log", domain=[x.least, x.most], nice=False)
            .axis(values=list(TIMES), labelExpr=f"{names} : ''", labelOverlap=False)
            .title("latency: an order's commit until it is visible, 99th percentile (time, log)")
        )

    def up(field: str) -> alt.Y:
        names = " : ".join(f"datum.value == {at} ? '{says}'" for at, says in RATES.items())
        return (
            alt.Y(f"{field}:Q")
            .scale(type="log", domain=[y.least, y.most], nice=False)
            .axis(values=list(RATES), labelExpr=f"{names} : ''")
            .title("throughput, all orders there at once (orders/s, log)")
        )

    domain = [rhythm for rhythm in SHAPES if rhythm in set(measured["rhythm"])]
    colour = (
        alt.Color("rhythm:N")
        .scale(domain=domain, range=[COLOURS[SHAPES[each][0]] for each in domain])
        .legend(title=None, orient="bottom", symbolOpacity=1, symbolStrokeWidth=0)
    )
    shape = alt.Shape("rhythm:N").scale(domain=domain, range=[SHAPES[each][1] for each in domain])
    boxes = (
        alt.Chart(ranges)
        .mark_rect(fill=INK, fillOpacity=0.07, stroke=INK, strokeOpacity=0.5, strokeDash=[4, 3])
        .encode(across("latency_low"), up("rate_low"), x2="latency_high:Q", y2="rate_high:Q")
    )
    lines = (
        alt.Chart(curves.assign(curve=curves["engine"] + curves["rhythm"]))
        .mark_line(strokeWidth=1.8)
        .encode(
            across("latency_seconds"), up("events_per_second"), colour, detail="curve:N",
            order="latency_seconds:Q",
        )
    )  # fmt: skip
    base = alt.Chart(measured).encode(up("events_per_second"), colour)
    spread = base.mark_rule(strokeWidth=1.2).encode(
        across("latency_p50_seconds"), x2="latency_p99_seconds:Q"
    )
    marks = base.mark_point(size=90, filled=True, opacity=1).encode(
        across("latency_p99_seconds"), shape.legend(title=None, orient="bottom")
    )
    leaders = (
        alt.Chart(threads)
        .mark_rule(strokeWidth=0.8, opacity=0.6)
        .encode(across("x"), up("y"), x2="x2:Q", y2="y2:Q")
    )
    names = [
        alt.Chart(part)
        .mark_text(**LABEL, fontStyle=str(style))
        .encode(across("x"), up("y"), text="label:N")
        for style, part in labels.groupby("style", sort=False)
    ]
    return alt.layer(boxes, lines, spread, leaders, marks, *names).properties(
        width=WIDTH,
        height=HEIGHT,
        title=alt.TitleParams(
            f"{len(measured)} systems, the same orders, one machine",
            subtitle=[
                where,
                "Marks are measured; a thin line leads to the median age. Thick lines: the model, "
                "from small runs, over all intervals.",
                "Dashed boxes, in italics: what the text states of its own clusters.",
            ],
            subtitleColor=INK,
            subtitlePadding=6,
        ),
        description=_described(measured, curves, stated, where),
    )


def _labels(
    measured: pd.DataFrame, curves: pd.DataFrame, ranges: pd.DataFrame, x: Scale, y: Scale
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where each name stands (label, style, x, y), and threads (x, y, x2, y2) to those far away."""

    def pixels(latency: float, rate: float) -> Point:
        return x.at(latency), y.pixels - y.at(rate)

    marks, names, styles = [], [], []
    for row in measured.to_dict("records"):
        (median, at), (oldest, _) = (
            pixels(row[f"latency_{part}_seconds"], row["events_per_second"])
            for part in ("p50", "p99")
        )
        marks.append(Box(min(median, oldest - 6), at - 6, oldest + 6, at + 6))
        names.append(row["system"])
        styles.append("normal")
    crossed = []
    for _, curve in curves.groupby(["engine", "rhythm"]):
        line = map(pixels, curve["latency_seconds"], curve["events_per_second"])
        crossed += [Box(*at, *at).grown(2) for at in _dense(sorted(line))]
    for row in ranges.to_dict("records"):
        left, bottom = pixels(row["latency_low"], row["rate_low"])
        right, top = pixels(row["latency_high"], row["rate_high"])
        marks.append(Box(left, top, right, bottom))
        crossed += [Box(left, edge - 1, right, edge + 1) for edge in (top, bottom)]
        crossed += [Box(edge - 1, top, edge + 1, bottom) for edge in (left, right)]
        names.append(f"{row['workload']} ({row['claims']})")
        styles.append("italic")
    points = marks[: len(measured)]
    sizes = [(LETTER * len(name) + 6, LINE) for name in names]  # with a space behind
    found = placed(marks, sizes, points, crossed, (x.pixels, y.pixels))
    labels = [
        {"label": name, "style": style, "x": x.value(box.left),
         "y": y.value(y.pixels - (box.top + box.bottom) / 2)}
        for name, style, box in zip(names, styles, found, strict=True)
    ]  # fmt: skip
    threads = []
    for number, (mark, box) in enumerate(zip(marks, found, strict=True)):
        if ends := _thread(mark, box, point=number < len(points)):
            (left, top), (right, bottom) = ends
            threads.append(
                {"x": x.value(left), "y": y.value(y.pixels - top),
                 "x2": x.value(right), "y2": y.value(y.pixels - bottom)}
            )  # fmt: skip
    return pd.DataFrame(labels), pd.DataFrame(threads, columns=["x", "y", "x2", "y2"])


def _thread(mark: Box, label: Box, point: bool) -> tuple[Point, Point] | None:
    """From a mark to its label, where that is not beside it; of a system's mark, from its point."""
    if mark.grown(NEAR).meets(label):
        return None
    if point:
        start = mark.right - 6, (mark.top + mark.bottom) / 2
    else:
        start = mark.nearest((label.left + label.right) / 2, (label.top + label.bottom) / 2)
    return start, label.nearest(*start)


def _dense(points: Sequence[Point]) -> Iterator[Point]:
    """Points of a line that goes through these, none further than 4 pixels from the next."""
    for (left, top), (right, bottom) in pairwise(points):
        for part in np.linspace(0, 1, 2 + int(math.hypot(right - left, bottom - top) / 4)):
            yield left + part * (right - left), top + part * (bottom - top)


def placed(
    marks: Sequence[Box],
    sizes: Sequence[tuple[float, float]],
    kept_free: Sequence[Box],
    crossed: Iterable[Box],
    within: tuple[float, float],
) -> list[Box]:
    """A place for the label of each mark: near it, over no label and nothing that is kept free.

    Of the places around a mark the nearest wins; to cross something counts as `DETOUR` pixels, to
    lie in another mark, or near one that is kept free, as that many more, and so does a thread to
    the mark over another label. No label covers a thread that is there. A mark that itself lies in
    another may have its label there.

    Parameters
    ----------
    marks : what is labelled. sizes : of the labels, in the same order: width and height.
    kept_free : never covered. crossed : covered only where there is no other place.
    within : width and height of the picture; no label leaves it.

    All in pixels. Raises ValueError where there is no room for a label.
    """
    taken, soft, found = list(kept_free), list(crossed), list[Box]()
    for mark, (width, height) in zip(marks, sizes, strict=True):
        others = [other for other in marks if other != mark and not other.holds(mark)]
        others += [other.grown(NEAR) for other in kept_free if other != mark]
        least, best = math.inf, None
        for gap, box in _around(mark, width, height):
            if gap >= least:
                break
            if min(box.left, box.top) < 0 or box.right > within[0] or box.bottom > within[1]:
                continue
            if any(map(box.meets, taken)):
                continue
            ends = _thread(mark, box, mark in kept_free)
            thread = [Box(*at, *at).grown(1) for at in _dense(ends)] if ends else []
            cost = gap + DETOUR * (
                any(map(box.meets, soft))
                + any(map(box.meets, others))
                + any(part.meets(other) for part in thread for other in found)
            )
            if cost < least:
                least, best = cost, [box, *thread]
        if best is None:
            raise ValueError(f"no room for a label of {width:.0f} by {height:.0f} pixels")
        found.append(best[0])
        taken += best
    return found


def _around(mark: Box, width: float, height: float) -> Iterator[tuple[float, Box]]:
    """Places for a label in and around a mark, each with its distance; near ones first."""
    centre, middle = (mark.left + mark.right - width) / 2, (mark.top + mark.bottom - height) / 2
    if width < mark.right - mark.left and height < mark.bottom - mark.top:
        yield 0, Box(centre, mark.top + 4, centre + width, mark.top + 4 + height)
    area = mark.right - mark.left > mark.bottom - mark.top > height
    along = sorted(np.linspace(mark.left, mark.right - width, 17).tolist(),
                   key=lambda start: abs(start - centre))  # fmt: skip
    for gap in range(2, 200, 4):
        right, left = mark.right + gap, mark.left - gap - width
        above, below = mark.top - gap - height, mark.bottom + gap
        sides = [(right, middle), (left, middle)]
        ends = [(start, top) for start in along for top in (above, below)]
        corners = [(start, top) for start in (right, left) for top in (above, below)]
        for start, top in (*ends, *sides, *corners) if area else (*sides, *ends, *corners):
            yield gap, Box(start, top, start + width, top + height)


def _described(
    measured: pd.DataFrame, curves: pd.DataFrame, stated: pd.DataFrame, where: str
) -> str:
    said = "; ".join(
        f"{row['system']} {words.duration(row['latency_p99_seconds'])}, "
        f"{words.count(row['events_per_second'])} orders/s"
        for row in measured.to_dict("records")
    )
    drawn = dict.fromkeys(curves["engine"].str.cat(curves["rhythm"], sep=", "))
    return (
        f"{where} Throughput against the age that 99 % of the orders stay under, both logarithmic. "
        f"Measured: {said}. "
        + (f"Lines are the model's, for {' and '.join(drawn)}. " if drawn else "")
        + "Dashed boxes are what the text states of its own clusters: "
        + "; ".join(stated["workload"])
        + "."
    )
