"""The lab's closing picture: every system as it was measured, latency against throughput."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tradeoff.charts.frontier import TIMES
from tradeoff.charts.theme import COLOURS, INK

WIDTH = 640
SHAPES = {
    "batch": ("blue", "square"),
    "micro-batch": ("purple", "triangle-up"),
    "streaming": ("vermillion", "diamond"),
    "one by one": ("green", "cross"),
}
LABEL = " : ".join(f"datum.value == {at} ? '{says}'" for at, says in TIMES.items()) + " : ''"
NEAREST = 1e-6  # a microsecond: where the axis of latency begins


def systems(
    points: pd.DataFrame, curves: pd.DataFrame, ranges: pd.DataFrame, title: str
) -> alt.TopLevelMixin:
    """Latency against throughput of the measured systems, the model's curves, the text's ranges.

    Parameters
    ----------
    points : columns label, rhythm (of `SHAPES`), latency_seconds (the oldest order's age, or its
        99th percentile) and events_per_second (all that the system does when it has work).
    curves : columns engine, latency_seconds, events_per_second: the model's prediction for each
        engine, over all its intervals.
    ranges : columns workload, latency_low, latency_high (s), rate_low, rate_high (events/s): what
        the text says of large clusters.
    title : what the figure is, with the machine where it was measured.
    """
    times = {1e-6: "1 µs", 1e-5: "10 µs", 1e-4: "100 µs"} | TIMES
    label = " : ".join(f"datum.value == {at} ? '{says}'" for at, says in times.items()) + " : ''"
    most = 2 * max(points["latency_seconds"].max(), ranges["latency_high"].max())
    rates = [points["events_per_second"], ranges["rate_low"], ranges["rate_high"]]
    least_rate = min(each.min() for each in rates) / 2
    most_rate = 3 * max(each.max() for each in rates)
    x_scale: Any = {"type": "log", "domain": [NEAREST, most], "clamp": True}
    y_scale: Any = {"type": "log", "domain": [least_rate, most_rate], "clamp": True}
    axis = alt.Axis(values=list(times), labelExpr=label)
    x = (
        alt.X("latency_seconds:Q")
        .scale(**x_scale)
        .axis(axis)
        .title("latency: from an order's commit to its being visible (log)")
    )
    decades = [10**power for power in range(12)]
    y = (
        alt.Y("events_per_second:Q")
        .scale(**y_scale)
        .axis(format="~s", values=decades)
        .title("throughput (events/s, log)")
    )
    boxes = (
        alt.Chart(ranges)
        .mark_rect(fill=INK, fillOpacity=0.08, stroke=INK, strokeOpacity=0.45, strokeDash=[4, 3])
        .encode(
            alt.X("latency_low:Q").scale(**x_scale).axis(axis),
            alt.X2("latency_high:Q"),
            alt.Y("rate_low:Q").scale(**y_scale),
            alt.Y2("rate_high:Q"),
        )
    )
    said = (
        alt.Chart(ranges)
        .mark_text(align="right", dx=-6, fontSize=11, opacity=0.8)
        .encode(
            alt.X("latency_low:Q").scale(**x_scale),
            alt.Y("rate_middle:Q").scale(**y_scale),
            text="workload:N",
        )
        .transform_calculate(rate_middle="sqrt(datum.rate_low * datum.rate_high)")
    )
    lines = (
        alt.Chart(curves)
        .mark_line(strokeWidth=1.6, color=INK, opacity=0.6)
        .encode(x, y, detail="engine:N", order="latency_seconds:Q")
    )
    names = list(dict.fromkeys(points["rhythm"]))
    colour = alt.Color("rhythm:N").scale(domain=names, range=[COLOURS[SHAPES[n][0]] for n in names])
    shape = alt.Shape("rhythm:N").scale(domain=names, range=[SHAPES[n][1] for n in names])
    legend = alt.Legend(title=None, orient="bottom")
    base = alt.Chart(points).encode(x, y)
    marks = base.mark_point(size=110, strokeWidth=2.2, filled=True).encode(
        colour.legend(legend), shape.legend(legend)
    )
    labels = base.mark_text(align="left", dx=10, fontSize=11).encode(text="label:N")
    return alt.layer(boxes, said, lines, marks, labels).properties(
        width=WIDTH,
        height=420,
        title=title,
        description=(
            "Throughput against latency, both logarithmic. Marks are measured systems: "
            + "; ".join(points["label"])
            + ". Lines are the model's prediction for an engine over all its intervals. Dashed "
            "boxes are the text's ranges for large clusters: " + "; ".join(ranges["workload"]) + "."
        ),
    )
