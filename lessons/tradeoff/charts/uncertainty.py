"""What the constants' ranges do to a figure."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tradeoff.charts.theme import COLOURS

WIDTH = 420
VISIBLE = 0.005  # of the widest bar: less would be no bar at all
# Constants whose field alone does not say what it is; the others are read word by word.
READABLE = {
    "node_usd_per_hour": "price of a node-hour",
    "slots_per_node": "slots a node",
    "operations_usd_per_day": "people, a day",
    "events_per_second_per_slot": "events a second, a slot",
    "work_per_event": "work on an event",
    "overhead_seconds": "overhead of a run",
    "start_up_seconds": "start-up of a run",
    "fixed_seconds": "fixed work of a run",
    "state_usd_per_gb_month": "price of a GB-month of state",
    "source_events_per_second": "events a second, the source",
    "sink_events_per_second": "events a second, the sink",
}


def readable(constant: str) -> str:
    """A constant's name for a reader: `flink.standby_nodes` is "standby nodes (flink)"."""
    subject, _, field = constant.partition(".")
    said = READABLE.get(field, field.replace("_", " "))
    return said if subject == "node" else f"{said} ({subject.replace('_', ' ')})"


def tornado(
    swings: pd.DataFrame, title: str = "cost (USD a day)", most: int = 12
) -> alt.TopLevelMixin:
    """Bars from a figure at each constant's low to the figure at its high, widest swing on top.

    Parameters
    ----------
    swings : what `tradeoff.tornado` returns: constant, unit, low, high, at_low, at_high, mid,
        swing.
    title : what the figure is, with its unit.
    most : how many constants to show.

    Raises ValueError for an empty table: nothing moves the figure.
    """
    if swings.empty:
        raise ValueError("nothing moves this figure: all its constants were set by hand")
    shown = swings[swings["swing"] >= VISIBLE * swings["swing"].max()].head(most)
    shown = shown.assign(constant=shown["constant"].map(readable))
    order = shown["constant"].tolist()
    rows = alt.Y("constant:N").sort(order).title(None).axis(labelLimit=260)
    mid = float(shown["mid"].iloc[0])
    ends = pd.concat(
        [
            shown.assign(end=f"constant at its {end}", to=shown[f"at_{end}"], mid=mid)
            for end in ("low", "high")
        ]
    )
    reach = [*ends["to"], mid]
    pad = 0.04 * (max(reach) - min(reach))
    figure = alt.X("mid:Q").title(title).axis(tickCount=5)
    figure = figure.scale(domain=[min(reach) - pad, max(reach) + pad], nice=False)
    bars = (
        alt.Chart(ends)
        .mark_bar(height=12)
        .encode(
            figure,
            rows,
            alt.X2("to"),
            alt.Color("end:N")
            .scale(
                domain=["constant at its low", "constant at its high"],
                range=[COLOURS["blue"], COLOURS["vermillion"]],
            )
            .legend(title=None, orient="bottom"),
        )
    )
    # A letter at each end says low or high without colour.
    letters = (
        alt.Chart(ends.assign(letter=ends["end"].map(lambda end: end.split()[-1][0].upper())))
        .mark_text(
            baseline="middle",
            fontSize=10,
            align=alt.expr("datum.to < datum.mid ? 'right' : 'left'"),
            dx=alt.expr("datum.to < datum.mid ? -4 : 4"),
        )
        .encode(alt.X("to:Q"), rows, text="letter:N")
    )
    now = alt.Chart(pd.DataFrame({"mid": [mid]})).mark_rule(strokeDash=[6, 4]).encode(x="mid:Q")
    return alt.layer(bars, letters, now).properties(
        width=WIDTH,
        height=alt.Step(20),
        title=f"What moves it most: {order[0]}",
        description=(
            f"Horizontal bars, {title} when one constant at a time moves over its range, around "
            f"{mid:,.4g}. The widest is {order[0]}, from {shown['at_low'].iloc[0]:,.4g} to "
            f"{shown['at_high'].iloc[0]:,.4g}."
        ),
    )
