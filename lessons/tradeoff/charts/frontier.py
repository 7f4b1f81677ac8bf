"""Figures of latency against throughput: the frontier, and an overhead that is shared.

Each takes a tidy table and draws what stands in it; units are in the axis titles.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tradeoff.charts.theme import COLOURS, INK
from tradeoff.model import words

WIDTH = 620
LEAST_SECONDS = 0.001  # what is faster is drawn at the edge
BELOW = alt.Legend(title=None, orient="bottom")
BILLINGS = {
    "a cluster for each run": ("blue", "square"),
    "warm pool": ("green", "circle"),
    "micro-batch, always on": ("purple", "triangle-up"),
    "stream, always on": ("vermillion", "diamond"),
}
TIMES: dict[float, str] = {
    **{0.001: "1 ms", 0.01: "10 ms", 0.1: "100 ms", 1: "1 s", 10: "10 s", 60: "1 min"},
    **{600: "10 min", 3_600: "1 h", 36_000: "10 h", 172_800: "2 days"},
}
DECADES = [10**power for power in range(11)]
_STEPS = [number * decade for decade in DECADES for number in (1, 2, 5)]
_TIME_LABEL = " : ".join(f"datum.value == {at} ? '{says}'" for at, says in TIMES.items()) + " : ''"


def _time(field: str, title: str, least: float, most: float) -> alt.X:
    """A logarithmic axis of durations, ticked at those people say."""
    values = [at for at in TIMES if least <= at <= most]
    return (
        alt.X(f"{field}:Q")
        .scale(type="log", domain=[least, most], clamp=True)
        .axis(values=values, labelExpr=_TIME_LABEL)
        .title(title)
    )


def frontier(designs: str, picked: str, asked: str, named: pd.DataFrame) -> alt.TopLevelMixin:
    """A calculator's picture: designs of one workload, their frontier, and the one picked.

    Parameters
    ----------
    designs, picked, asked : names of the rows that a `View` gets: designs with latency (s), gain
        (events per dollar), billing, every and standing (frontier or beaten); the picked one with
        its label; and the two limits, latency and gain, with their labels within and budget.
    named : columns workload, latency_seconds, events_per_usd: other pipelines, for orientation.
    """
    x = _time("latency", "latency: age of the oldest event when visible (log)", LEAST_SECONDS, 4e5)
    y = (
        alt.Y("gain:Q")
        .scale(type="log", nice=False, padding=14)
        .axis(format="~s", values=_STEPS)
        .title("events per dollar (log)")
    )
    base = alt.Chart(alt.NamedData(designs))
    best = base.transform_filter("datum.standing == 'frontier'")
    colour, shape = (
        [COLOURS[pair[0]] for pair in BILLINGS.values()],
        [pair[1] for pair in BILLINGS.values()],
    )
    points = base.mark_point(size=60, strokeWidth=1.8).encode(
        x,
        y,
        alt.Color("billing:N").scale(domain=list(BILLINGS), range=colour).legend(BELOW),
        alt.Shape("billing:N").scale(domain=list(BILLINGS), range=shape).legend(BELOW),
        alt.Opacity("standing:N").scale(domain=["frontier", "beaten"], range=[1, 0.7]).legend(None),
        alt.Size("standing:N").scale(domain=["frontier", "beaten"], range=[90, 35]).legend(None),
    )
    line = best.mark_line(strokeWidth=1.5, color=INK, opacity=0.6).encode(
        x, y, order=alt.Order("latency:Q")
    )
    here = alt.Chart(alt.NamedData(picked)).encode(x, y)
    ring = here.mark_point(shape="circle", size=420, color=INK, strokeWidth=2.5)
    label = here.mark_text(dy=-20, fontWeight="bold", fontSize=13).encode(text="label:N")
    limits = alt.Chart(alt.NamedData(asked))
    dashed: Any = {"strokeDash": [5, 4], "opacity": 0.7}
    within = limits.mark_rule(**dashed).encode(x)
    within_name = limits.mark_text(align="left", dx=5, baseline="top", opacity=0.85).encode(
        x, y=alt.value(2), text="within:N"
    )
    budget = limits.mark_rule(**dashed).encode(y)
    budget_name = limits.mark_text(align="left", dx=4, dy=-6, opacity=0.85).encode(
        y, x=alt.value(0), text="budget:N"
    )
    beyond = named["latency_seconds"] < LEAST_SECONDS
    others = alt.Chart(
        pd.DataFrame(
            {
                "latency": named["latency_seconds"],
                "gain": named["events_per_usd"],
                "label": named["workload"] + beyond.map({True: " (less than 1 ms)", False: ""}),
                "above": [row % 2 == 1 for row in range(len(named))],
            }
        )
    ).encode(x, y)
    crosses = others.mark_point(shape="cross", size=70, color=INK, filled=True, opacity=0.8)
    names = [
        others.transform_filter(alt.datum.above == above)
        .mark_text(align="left", dx=8, dy=-9 if above else 9, fontSize=11, opacity=0.85)
        .encode(text="label:N")
        for above in (True, False)
    ]
    layers = [within, within_name, budget, budget_name, line, points, crosses, *names, ring, label]
    return alt.layer(*layers).properties(
        width=WIDTH + 40,
        height=380,
        title="What a latency costs: events per dollar, design by design",
        description=(
            "Designs of one workload, latency in seconds against events per dollar, both "
            "logarithmic. Large marks joined by a line are the frontier; faint small ones are "
            "beaten by another. Dashed lines are the latency and the budget asked for; a ring "
            "with a label is the design picked. Crosses are other pipelines: "
            + ", ".join(named["workload"])
            + "."
        ),
    )


STORES: dict[str, Any] = {
    "sqlite": ("vermillion", "square", [1, 0]),
    "duckdb": ("blue", "circle", [6, 3]),
}


def _stores(names: list[str], channel: str) -> alt.Scale:
    looks = [STORES[name] for name in names]
    part: Any = {
        "colour": [COLOURS[look[0]] for look in looks],
        "shape": [look[1] for look in looks],
        "dash": [look[2] for look in looks],
    }
    return alt.Scale(domain=names, range=part[channel])


def amortised(points: pd.DataFrame, lines: pd.DataFrame) -> alt.TopLevelMixin:
    """Throughput against batch size: measured points, and the fitted t(n) = overhead + n x cost.

    Parameters
    ----------
    points, lines : columns store (sqlite or duckdb), events (of a batch) and events_per_second.
    """
    names = list(dict.fromkeys(lines["store"]))
    x = (
        alt.X("events:Q")
        .scale(type="log")
        .axis(format="~s", values=DECADES)
        .title("events per commit (log)")
    )
    y = (
        alt.Y("events_per_second:Q")
        .scale(type="log")
        .axis(format="~s", values=DECADES)
        .title("throughput (events/s, log)")
    )
    colour = alt.Color("store:N").scale(_stores(names, "colour")).legend(None)
    curve = (
        alt.Chart(lines)
        .mark_line(strokeWidth=2)
        .encode(x, y, colour, alt.StrokeDash("store:N").scale(_stores(names, "dash")).legend(None))
    )
    dots = (
        alt.Chart(points)
        .mark_point(filled=True, size=70)
        .encode(x, y, colour, alt.Shape("store:N").scale(_stores(names, "shape")).legend(None))
    )
    last = lines[lines["events"] == lines["events"].max()]
    label = alt.Chart(last).mark_text(align="left", dx=8).encode(x, y, text="store:N")
    return alt.layer(curve, dots, label).properties(
        width=WIDTH - 100,
        height=270,
        title="An overhead that more events share: measured just now, and the fit",
        description=(
            "Events per second against events per commit, both logarithmic, for "
            + " and ".join(names)
            + ". Points are measured, lines are fitted: they rise in proportion to the batch "
            "and level off where the work of the events outweighs the overhead."
        ),
    )


def measured_frontier(sizes: pd.DataFrame, events_per_second: float) -> alt.TopLevelMixin:
    """Latency and throughput of each measured batch size at a rate of arrival.

    Parameters
    ----------
    sizes : columns store, events, latency_seconds, throughput_per_second, keeps_up.
    events_per_second : the rate: a horizontal line, below which a size cannot keep up.
    """
    names = list(dict.fromkeys(sizes["store"]))
    table = sizes.assign(
        standing=sizes["keeps_up"].map({True: "keeps up", False: "falls behind"}),
        label=[words.count(events) for events in sizes["events"]],
    )
    latency = sizes["latency_seconds"]
    x = _time(
        "latency_seconds",
        "latency of a batch's first event (log)",
        latency.min() / 2,
        2 * latency.max(),
    )
    y = (
        alt.Y("throughput_per_second:Q")
        .scale(type="log")
        .axis(format="~s", values=DECADES)
        .title("throughput (events/s, log)")
    )
    base = alt.Chart(table).encode(x, y)
    legend = alt.Legend(
        title=None, orient="bottom", symbolType="square", symbolOpacity=1, symbolStrokeWidth=0
    )
    colour = alt.Color("store:N").scale(_stores(names, "colour")).legend(legend)
    line = base.mark_line(strokeWidth=1, opacity=0.9).encode(
        colour,
        alt.StrokeDash("store:N").scale(_stores(names, "dash")).legend(None),
        order="events:Q",
    )
    points = base.mark_point(strokeWidth=2).encode(
        colour,
        alt.Shape("standing:N")
        .scale(
            domain=["keeps up", "falls behind"],
            range=["circle", "M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8"],
        )
        .legend(BELOW),
    )
    said = [base.transform_filter(f"datum.store == '{name}'") for name in names]
    sides: Any = ((-1, "right"), (1, "left"))  # up and left of the first store's marks
    texts = [
        chart.mark_text(align=align, dx=side * 9, dy=side * 8, fontSize=11).encode(
            text="label:N", color=alt.value(INK)
        )
        for chart, (side, align) in zip(said, sides, strict=False)
    ]
    rate = pd.DataFrame(
        {"throughput_per_second": [events_per_second], "label": [f"{events_per_second:,.0f}/s"]}
    )
    rule = alt.Chart(rate).mark_rule(strokeDash=[6, 4]).encode(y)
    name = (
        alt.Chart(rate)
        .mark_text(align="right", dx=-4, dy=-7)
        .encode(y, x=alt.value(WIDTH - 60), text="label:N")
    )
    return alt.layer(line, points, *texts, rule, name).properties(
        width=WIDTH - 60,
        height=290,
        title="The same measured batches: throughput is bought with waiting",
        description=(
            "Throughput against the latency of a batch's first event, one point a batch size, for "
            + " and ".join(names)
            + f". Circles keep up with {events_per_second:,.0f} events a second, crosses fall "
            "behind. Both grow with the batch."
        ),
    )


def live_latency(events: pd.DataFrame) -> alt.TopLevelMixin:
    """End-to-end latency of each event of some live runs, over its time of arrival.

    Parameters
    ----------
    events : columns run, arrived_seconds and latency_seconds.
    """
    names = list(dict.fromkeys(events["run"]))
    return (
        alt.Chart(events)
        .mark_circle(size=14, opacity=0.9, aria=False)
        .encode(
            alt.X("arrived_seconds:Q").title("arrival (seconds after the start)"),
            alt.Y("latency_seconds:Q")
            .scale(type="log")
            .axis(format="~g", tickCount=4)
            .title("latency (s, log)"),
            alt.Color("run:N").scale(domain=names, range=list(COLOURS.values())).legend(None),
        )
        .properties(width=WIDTH // len(names) - 25, height=170)
        .facet(alt.Column("run:N").sort(names).title(None).header(labelColor=INK, labelFontSize=12))
        .properties(
            title="Each event's age when it became visible, measured",
            description=(
                "Latency of each event against its time of arrival, one panel a run: "
                + ", ".join(names)
                + ". Event by event it is low and level while the loop keeps up and climbs when it "
                "does not; a timed loop draws a saw-tooth."
            ),
        )
    )
