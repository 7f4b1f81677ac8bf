"""The figures of the micro-batch: its saw-tooth, what an interval costs, and a loop as measured.

Each takes a tidy table and draws what stands in it; units are in the axis titles.
"""

from __future__ import annotations

from typing import Literal

import altair as alt
import pandas as pd

from tradeoff.charts.theme import COLOURS, INK

WIDTH = 620
DECADES = [1, 10, 100, 1e3, 1e4, 1e5, 1e6]
TRIGGERS = [0.2, 1, 10, 60, 300, 900, 3600]
_AS_SAID = (
    "datum.value < 60 ? format(datum.value, '~r') + ' s'"
    " : datum.value < 3600 ? format(datum.value / 60, '.3~r') + ' min'"
    " : format(datum.value / 3600, '.3~r') + ' h'"
)
SERVES, LATE, BEHIND = "serves", "too old", "falls behind"
CROSS = "M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8"
BELOW = alt.Legend(title=None, orient="bottom")
_VERDICTS = [SERVES, LATE, BEHIND]
_DASHES = [[1, 0], [6, 3], [2, 3], [8, 3, 2, 3]]


def trigger_tuner(teeth: str, limits: str, curve: str, marks: str, notes: str) -> alt.TopLevelMixin:
    """A calculator's picture: how old events become over a few triggers, and the cost curve.

    Parameters
    ----------
    names of the rows that a `View` gets:
    teeth : batch, at, age (both in one unit). limits : age, name of a horizontal line.
    curve : seconds (the interval), usd, verdict (serves, too old, falls behind).
    marks : seconds, usd, label, what (chosen, other), up (pixels of the label above the point).
    notes : one row: x, y (titles of the upper axes with their unit), over (text in the picture),
        seconds, largest (a vertical line at the largest interval that serves, and its name).
    """
    at = alt.X("at:Q").title(None).axis(tickCount=7)
    age = alt.Y("age:Q").title(None).axis(tickCount=5).scale(zero=True)
    line = (
        alt.Chart(alt.NamedData(teeth))
        .mark_line(color=COLOURS["blue"], strokeWidth=2)
        .encode(at, age, alt.Detail("batch:N"))
    )
    limit = (
        alt.Chart(alt.NamedData(limits))
        .mark_rule(strokeDash=[6, 4], color=COLOURS["vermillion"], strokeWidth=2)
        .encode(y=age)
    )
    called = (
        alt.Chart(alt.NamedData(limits))
        .mark_text(align="right", baseline="bottom", dy=-3)
        .encode(x=alt.value(WIDTH), y=age, text="name:N")
    )
    above = alt.layer(
        line,
        limit,
        called,
        _note(notes, "y", x=0, y=-12, align="left"),
        _note(notes, "x", x=WIDTH / 2, y=212, align="center"),
        _note(notes, "over", x=WIDTH, y=-12, align="right"),
    ).properties(width=WIDTH, height=180)

    every = (
        alt.X("seconds:Q")
        .scale(type="log", domain=[0.15, 9000], clamp=True)
        .title("time between batches (log)")
        .axis(values=TRIGGERS, labelExpr=_AS_SAID)
    )
    usd = alt.Y("usd:Q").scale(type="log", nice=True).title("cost (USD a day, log)")
    usd = usd.axis(values=DECADES, format="$~s")
    points = (
        alt.Chart(alt.NamedData(curve))
        .mark_point(size=55, strokeWidth=2)
        .encode(
            every,
            usd,
            alt.Shape("verdict:N")
            .scale(domain=_VERDICTS, range=["circle", CROSS, "triangle-down"])
            .legend(BELOW),
            alt.Color("verdict:N")
            .scale(
                domain=_VERDICTS,
                range=[COLOURS["green"], COLOURS["vermillion"], COLOURS["purple"]],
            )
            .legend(BELOW),
        )
    )
    marked = alt.Chart(alt.NamedData(marks))
    chosen = marked.transform_filter("datum.what == 'chosen'")
    other = marked.transform_filter("datum.what == 'other'")
    largest = alt.Chart(alt.NamedData(notes)).transform_filter("datum.seconds > 0")
    below = alt.layer(
        largest.mark_rule(strokeDash=[2, 3]).encode(x=every),
        largest.mark_text(align="right", baseline="top", dx=-5).encode(
            x=every, y=alt.value(2), text="largest:N"
        ),
        points,
        other.mark_point(shape="square", size=70, color=INK).encode(every, usd),
        other.mark_text(dy=18, dx=12, align="right").encode(every, usd, text="label:N"),
        chosen.mark_point(
            shape="diamond", size=260, color=COLOURS["blue"], strokeWidth=3, filled=False
        ).encode(every, usd),
        chosen.mark_text(dy=-18, fontWeight="bold").encode(every, usd, text="label:N"),
    ).properties(width=WIDTH, height=200)
    return alt.vconcat(
        above,
        below,
        spacing=48,
        title="How old an event gets between two triggers, and what the trigger costs",
        description=(
            "Above, the age of events when they become visible, by their time of arrival: a "
            "saw-tooth that falls from one trigger to the next, and the consumer's tolerance as a "
            "dashed line. Below, the cost a day over the trigger interval on logarithmic axes, "
            "circles where the consumer is served, crosses where not, a diamond at the chosen "
            "trigger, squares for as soon as possible and for an hourly batch."
        ),
    ).resolve_scale(x="independent", y="independent", color="independent", shape="independent")


def _note(
    notes: str, column: str, *, x: float, y: float, align: Literal["left", "center", "right"]
) -> alt.Chart:
    """A text of the notes at a fixed place; titles here follow the unit of the rows."""
    return (
        alt.Chart(alt.NamedData(notes))
        .mark_text(align=align, baseline="middle")
        .encode(x=alt.value(x), y=alt.value(y), text=f"{column}:N")
    )


def cost_by_interval(curves: pd.DataFrame) -> alt.TopLevelMixin:
    """Cost a day over the trigger interval, one line a billing and volume.

    Parameters
    ----------
    curves : columns line (its name), seconds (interval), usd.
    """
    names = list(dict.fromkeys(curves["line"]))
    every = (
        alt.X("seconds:Q")
        .scale(type="log", domain=[curves["seconds"].min(), curves["seconds"].max()])
        .title("trigger interval (log)")
        .axis(values=TRIGGERS, labelExpr=_AS_SAID)
    )
    usd = (
        alt.Y("usd:Q")
        .scale(type="log")
        .title("cost (USD a day, log)")
        .axis(values=DECADES, format="$~s")
    )
    base = alt.Chart(curves).encode(
        every,
        usd,
        alt.Color("line:N")
        .scale(domain=names, range=list(COLOURS.values())[: len(names)])
        .legend(None),
    )
    lines = base.mark_line(strokeWidth=2).encode(
        alt.StrokeDash("line:N").scale(domain=names, range=_DASHES[: len(names)]).legend(None)
    )
    last = curves[curves["seconds"] == curves["seconds"].max()]
    label = alt.Chart(last).mark_text(align="left", dx=6).encode(every, usd, text="line:N")
    return alt.layer(lines, label).properties(
        width=WIDTH - 150,
        height=240,
        title="An interval costs what its billing makes of it",
        description=(
            "Cost in US dollars a day over the trigger interval, both logarithmic, for "
            + "; ".join(names)
            + ". Always on is a flat line; paid by the busy second it falls with the interval, "
            "less far at a high volume."
        ),
    )


def measured_saw_tooth(ages: pd.DataFrame) -> alt.TopLevelMixin:
    """Age of real orders when they became readable, by arrival, one row of panels a trigger.

    Parameters
    ----------
    ages : columns trigger, arrival_seconds, age_seconds; some hundred rows a trigger read best.
    """
    triggers = list(dict.fromkeys(ages["trigger"]))
    return (
        alt.Chart(ages)
        .mark_circle(size=14, opacity=0.8, color=COLOURS["blue"], aria=False)
        .encode(
            alt.X("arrival_seconds:Q").title("arrival (s since the source began)"),
            alt.Y("age_seconds:Q").title("age (s)").axis(tickCount=3),
            alt.Row("trigger:N")
            .sort(triggers)
            .title(None)
            .header(labelAngle=0, labelAlign="left", labelFontSize=12, labelColor=INK),
        )
        .properties(
            width=WIDTH - 110,
            height=90,
            title="One stream, three triggers, measured just now: the saw-tooth is real",
            description=(
                "Three panels of dots, one for each trigger of "
                + ", ".join(triggers)
                + ": the age of each order when it became readable over its time of arrival. Each "
                "panel is a saw-tooth as high as its trigger interval."
            ),
        )
    )


def predicted_and_measured(table: pd.DataFrame) -> alt.TopLevelMixin:
    """Predicted against measured latencies with the error of each.

    Parameters
    ----------
    table : columns trigger, figure (p50, worst), predicted_seconds, measured_seconds,
        error_percent.
    """
    rows = table.assign(
        name=table["trigger"] + ", " + table["figure"],
        says=[f"{value:+.1f} %" for value in table["error_percent"]],
    )
    order = rows["name"].tolist()
    long = rows.melt(["name", "says"], ["predicted_seconds", "measured_seconds"], "what", "seconds")
    long["what"] = long["what"].str.removesuffix("_seconds")
    kinds = ["measured", "predicted"]
    what = alt.YOffset("what:N").scale(domain=kinds)
    base = alt.Chart(long).encode(
        alt.X("seconds:Q").title("latency (s)"), alt.Y("name:N").sort(order).title(None)
    )
    bars = base.mark_bar().encode(
        what,
        alt.Color("what:N")
        .scale(domain=kinds, range=[COLOURS["blue"], COLOURS["vermillion"]])
        .legend(BELOW),
    )
    error = (
        base.transform_aggregate(seconds="max(seconds)", groupby=["name", "says"])
        .mark_text(align="left", dx=5)
        .encode(text="says:N")
    )
    return alt.layer(bars, error).properties(
        width=WIDTH - 150,
        height=alt.Step(34, **{"for": "position"}),
        title="Predicted before the run, measured after it; the error in per cent",
        description=(
            "Pairs of bars, measured and predicted seconds of latency, median and worst, for each "
            "trigger, with the prediction's error in per cent behind them."
        ),
    )


def killed_loop(ages: pd.DataFrame, kills: pd.DataFrame) -> alt.TopLevelMixin:
    """Age of orders over a run in which the loop was killed.

    Parameters
    ----------
    ages : columns arrival_seconds, age_seconds. kills : column seconds.
    """
    dots = (
        alt.Chart(ages)
        .mark_circle(size=14, opacity=0.8, color=COLOURS["blue"], aria=False)
        .encode(
            alt.X("arrival_seconds:Q").title("arrival (s since the source began)"),
            alt.Y("age_seconds:Q").title("age when readable (s)"),
        )
    )
    rule = (
        alt.Chart(kills)
        .mark_rule(strokeDash=[6, 4], color=COLOURS["vermillion"], strokeWidth=2)
        .encode(x="seconds:Q")
    )
    name = (
        alt.Chart(kills)
        .transform_calculate(name="'killed'")
        .mark_text(align="left", baseline="top", dx=4)
        .encode(x="seconds:Q", y=alt.value(0), text="name:N")
    )
    return alt.layer(dots, rule, name).properties(
        width=WIDTH,
        height=170,
        title="A kill can make orders later, never fewer",
        description=(
            f"Dots, the age of each order over its arrival, and {len(kills)} vertical lines where "
            "the loop was killed. Where a kill met a batch, some orders are older: they waited for "
            "the restart."
        ),
    )
