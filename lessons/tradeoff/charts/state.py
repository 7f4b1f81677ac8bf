"""The figures of state: held over time, and what a watermark loses against what it holds."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tradeoff.charts.theme import COLOURS, INK

WIDTH = 620
# Days that a person has a name for, on a logarithmic axis.
NAMED_DAYS = {
    1 / 1440: "1 min",
    1 / 24: "1 h",
    1: "1 day",
    7: "1 week",
    30: "1 month",
    365: "1 year",
    3650: "10 years",
}
_AT = " : ".join(
    f"abs(datum.value / {days!r} - 1) < 0.01 ? '{name}'" for days, name in NAMED_DAYS.items()
)
BELOW = alt.Legend(title=None, orient="bottom", symbolSize=900, symbolStrokeWidth=2.5)
_LINES = ["with the watermark", "the same, all copies", "without a watermark"]


def state_over_time(lines: str, marks: str) -> alt.TopLevelMixin:
    """A calculator's picture: bytes of state against time, both logarithmic.

    Parameters
    ----------
    lines : name of the rows of lines: days, bytes, and line, one of with the watermark; the same,
        all copies; without a watermark.
    marks : name of the rows of labels: days, bytes, says, and kind: `memory` (a horizontal limit)
        or `end` (a point where a line reaches it).
    """
    days = (
        alt.X("days:Q")
        .scale(type="log", domain=[1 / 1440, 3650], clamp=True)
        .title("time since the start (log)")
        .axis(values=list(NAMED_DAYS), labelExpr=f"{_AT} : ''")
    )
    size = (
        alt.Y("bytes:Q")
        .scale(type="log", nice=False, padding=24)
        .title("state held (bytes, log)")
        .axis(tickCount=6, labelExpr="format(datum.value, '~s') + 'B'")
    )
    drawn = (
        alt.Chart(alt.NamedData(lines))
        .mark_line(strokeWidth=2.5, interpolate="monotone")
        .encode(
            days,
            size,
            alt.Color("line:N")
            .scale(domain=_LINES, range=[COLOURS["blue"], COLOURS["green"], COLOURS["vermillion"]])
            .legend(BELOW),
            alt.StrokeDash("line:N")
            .scale(domain=_LINES, range=[[1, 0], [2, 3], [8, 4]])
            .legend(BELOW),
        )
    )
    base = alt.Chart(alt.NamedData(marks))
    memory = base.transform_filter("datum.kind == 'memory'")
    ends = base.transform_filter("datum.kind == 'end'")
    # The moment is written above the plot, where no line runs.
    above = alt.value(-6)
    return alt.layer(
        drawn,
        memory.mark_rule(strokeDash=[6, 4]).encode(y=size),
        memory.mark_text(align="left", baseline="top", dx=4, dy=4).encode(
            x=alt.value(0), y=size, text="says:N"
        ),
        ends.mark_rule(strokeDash=[2, 3]).encode(days),
        ends.mark_point(shape="cross", color=INK, filled=True, size=130).encode(days, size),
        ends.transform_filter("datum.days > 10")
        .mark_text(align="right", fontWeight="bold")
        .encode(days, y=above, text="says:N"),
        ends.transform_filter("datum.days <= 10")
        .mark_text(align="left", fontWeight="bold")
        .encode(days, y=above, text="says:N"),
    ).properties(
        width=WIDTH,
        height=300,
        title="State over time, with and without a watermark",
        description=(
            "Bytes of state against time since the start, both on logarithmic axes, from a minute "
            "to ten years. One line with the watermark, which levels off, one with all its copies, "
            "one without a watermark, which grows as long as windows or keys are added. A "
            "horizontal line is the memory; a cross marks the moment at which it runs out."
        ),
    )


def loss_and_state(sweep: pd.DataFrame) -> alt.TopLevelMixin:
    """What each watermark loses against what it holds.

    Parameters
    ----------
    sweep : columns says (the watermark's label), held_mean (entries), late_percent and
        wrong_percent.
    """
    names = {"wrong_percent": "counts that are wrong", "late_percent": "events dropped"}
    long = sweep.melt(["says", "held_mean"], list(names), "measure", "percent")
    long = long.assign(measure=long["measure"].map(names))
    order = list(names.values())
    held = (
        alt.X("held_mean:Q")
        .scale(type="log", nice=False, padding=24)
        .title("state held (entries, mean over time, log)")
    )
    percent = alt.Y("percent:Q").title("lost (%)")
    below = alt.Legend(title=None, orient="bottom", symbolSize=120)
    base = alt.Chart(long).encode(
        held,
        percent,
        alt.Color("measure:N")
        .scale(domain=order, range=[COLOURS["vermillion"], COLOURS["blue"]])
        .legend(below),
    )
    lines = base.mark_line(strokeWidth=2).encode(
        alt.StrokeDash("measure:N").scale(domain=order, range=[[1, 0], [6, 3]]).legend(None)
    )
    points = base.mark_point(filled=True).encode(
        alt.Shape("measure:N").scale(domain=order, range=["square", "circle"]).legend(below)
    )
    labels = (
        alt.Chart(long[long["measure"] == order[0]])
        .mark_text(align="left", baseline="bottom", dx=6, dy=-5)
        .encode(held, percent, text="says:N")
    )
    return alt.layer(lines, points, labels).properties(
        width=WIDTH - 40,
        height=280,
        title="A longer watermark loses less and holds more",
        description=(
            "Percent of counts that are wrong, and of events dropped, against the mean number of "
            "entries in state, one point for each watermark: "
            + ", ".join(sweep["says"])
            + ". Both fall as the state grows."
        ),
    )


def entries_over_time(held: pd.DataFrame) -> alt.TopLevelMixin:
    """Entries in an operator's state through a stream.

    Parameters
    ----------
    held : columns when (a time), entries, and watermark (the name of the line).
    """
    names = list(dict.fromkeys(held["watermark"]))
    base = alt.Chart(held).encode(
        alt.X("when:T").title(None).axis(format="%d %b", tickCount=8),
        alt.Y("entries:Q").scale(type="log").title("entries in state (log)"),
        alt.Color("watermark:N")
        .scale(domain=names, range=list(COLOURS.values())[: len(names)])
        .legend(None),
    )
    lines = base.mark_line(strokeWidth=1.6, interpolate="step-after").encode(
        alt.StrokeDash("watermark:N")
        .scale(domain=names, range=[[1, 0], [6, 3], [2, 3]][: len(names)])
        .legend(None)
    )
    last = held.groupby("watermark", sort=False).tail(1)
    label = (
        alt.Chart(last)
        .mark_text(align="left", dx=6)
        .encode(alt.X("when:T"), alt.Y("entries:Q"), text="watermark:N")
    )
    return alt.layer(lines, label).properties(
        width=WIDTH - 110,
        height=220,
        title="With a watermark state breathes; without one it only grows",
        description=(
            "Entries in state through the week, on a logarithmic axis, for "
            + ", ".join(names)
            + ". Without a watermark the line rises all week."
        ),
    )


def held_and_formula(table: pd.DataFrame) -> alt.TopLevelMixin:
    """Entries counted by simulation as points, the closed form as lines.

    Parameters
    ----------
    table : columns case, hours, simulated and formula (entries).
    """
    names = list(dict.fromkeys(table["case"]))
    # Lines may end at one height, so a legend names them rather than their ends.
    below = alt.Legend(
        title=None, orient="bottom", columns=2, labelLimit=300, symbolSize=900, symbolType="stroke"
    )
    base = alt.Chart(table).encode(
        alt.X("hours:Q").title("time since the start (hours)"),
        color=alt.Color("case:N")
        .scale(domain=names, range=list(COLOURS.values())[: len(names)])
        .legend(below),
    )
    entries = alt.Y("formula:Q").scale(type="log").title("entries held (log)")
    lines = base.mark_line(strokeWidth=2).encode(
        entries,
        alt.StrokeDash("case:N")
        .scale(domain=names, range=[[1, 0], [6, 3], [2, 3], [8, 3, 2, 3]][: len(names)])
        .legend(below),
    )
    points = base.mark_point(filled=True, size=60).encode(alt.Y("simulated:Q"))
    return alt.layer(lines, points).properties(
        width=WIDTH,
        height=240,
        title="Simulated events hold what the formula says",
        description=(
            "Entries held against hours since the start, counted by simulation as points on the "
            "line of the closed form, for " + ", ".join(names) + "."
        ),
    )
