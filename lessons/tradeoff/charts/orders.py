"""The figures of the orders pipeline: its history, its redesigns, and what a real engine measured.

Each takes a tidy table and draws what stands in it; units are in the axis titles.
"""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import pandas as pd

from tradeoff.charts.theme import COLOURS, INK
from tradeoff.scenarios.proposals import PARTS, VERDICTS

WIDTH = 620
CROSS = "M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8"
BELOW = alt.Legend(title=None, orient="bottom")
_TIMES_THE_LIMIT = (
    "datum.value < 1 ? '1/' + round(1 / datum.value)"
    " : datum.value > 1 ? datum.value + ' ×' : 'limit'"
)
_PART_COLOURS = [COLOURS["blue"], COLOURS["green"], COLOURS["purple"]]
_VERDICT_COLOURS = [COLOURS["green"], COLOURS["purple"], COLOURS["vermillion"]]


def run_history(nights: pd.DataFrame, limits: dict[str, float]) -> alt.TopLevelMixin:
    """Run time of each night over its volume, with horizontal limits.

    Parameters
    ----------
    nights : columns run_date, hours (of the run) and millions (of orders it read).
    limits : what each limit is called, and the hours it allows.
    """
    when = alt.X("run_date:T").title(None).axis(format="%b %Y", tickCount=8)
    lines = alt.Chart(nights).mark_line(color=COLOURS["blue"], strokeWidth=1.2)
    hours = lines.encode(when, alt.Y("hours:Q").title("run time (hours)"))
    allowed = pd.DataFrame({"limit": list(limits), "hours": list(limits.values())})
    start = alt.value(0)
    rule = alt.Chart(allowed).mark_rule(strokeDash=[6, 4]).encode(y="hours:Q")
    names = (
        alt.Chart(allowed)
        .mark_text(align="left", baseline="bottom", dx=4, dy=-3)
        .encode(x=start, y="hours:Q", text="limit:N")
    )
    orders = lines.encode(when, alt.Y("millions:Q").title("orders (millions a day)"))
    return alt.vconcat(
        alt.layer(hours, rule, names).properties(width=WIDTH, height=220),
        orders.properties(width=WIDTH, height=110),
        title="Run time grew with volume, and passed one limit after the other",
        description=(
            "Two line charts over two years. Above, the run time of each night in hours, which "
            f"rises and crosses {' and '.join(limits)}. Below, millions of orders a day, which "
            "rise in the same shape."
        ),
    )


def stage_hours(stages: pd.DataFrame) -> alt.TopLevelMixin:
    """Hours a night spent in each stage.

    Parameters
    ----------
    stages : columns month (a date), stage (read, transform, write) and hours.
    """
    names = list(dict.fromkeys(stages["stage"]))
    base = alt.Chart(stages).encode(
        alt.X("month:T").title(None).axis(format="%b %Y", tickCount=8),
        alt.Y("hours:Q").title("time (hours a night, monthly mean)"),
        alt.Color("stage:N")
        .scale(domain=names, range=[COLOURS["green"], COLOURS["blue"], COLOURS["vermillion"]])
        .legend(None),
    )
    last = stages[stages["month"] == stages["month"].max()]
    lines = base.mark_line(strokeWidth=2).encode(
        alt.StrokeDash("stage:N").scale(domain=names, range=[[6, 3], [1, 0], [2, 3]]).legend(None)
    )
    label = (
        alt.Chart(last)
        .mark_text(align="left", dx=6)
        .encode(x="month:T", y="hours:Q", text="stage:N")
    )
    return alt.layer(lines, label).properties(
        width=WIDTH,
        height=200,
        title="Where the hours go: the transform, and more of it each month",
        description=(
            "Three lines over two years, hours a night in reading, transforming and writing. "
            "All rise; transforming takes most of the time throughout."
        ),
    )


def run_time_by_volume(
    nights: pd.DataFrame, curves: pd.DataFrame, window_hours: float
) -> alt.TopLevelMixin:
    """Run time against volume: measured nights, and what the model says of some designs.

    Parameters
    ----------
    nights : columns millions (of orders a day) and hours.
    curves : columns design, millions and hours: points of one line a design.
    window_hours : a horizontal limit.
    """
    names = list(dict.fromkeys(curves["design"]))
    millions = alt.X("millions:Q").title("orders (millions a day)")
    hours = alt.Y("hours:Q").title("one run (hours)")
    dots = (
        alt.Chart(nights)
        .mark_circle(size=8, opacity=0.35, color=INK, aria=False)
        .encode(millions, hours)
    )
    base = alt.Chart(curves).encode(
        millions,
        hours,
        alt.Color("design:N")
        .scale(domain=names, range=list(COLOURS.values())[: len(names)])
        .legend(None),
    )
    lines = base.mark_line(strokeWidth=2).encode(
        alt.StrokeDash("design:N")
        .scale(domain=names, range=[[1, 0], [6, 3], [2, 3], [8, 3, 2, 3]][: len(names)])
        .legend(None)
    )
    last = curves[curves["millions"] == curves["millions"].max()]
    label = alt.Chart(last).mark_text(align="left", dx=6).encode(millions, hours, text="design:N")
    limit = pd.DataFrame({"hours": [window_hours], "name": [f"{window_hours:g} h window"]})
    rule = alt.Chart(limit).mark_rule(strokeDash=[6, 4]).encode(y="hours:Q")
    name = (
        alt.Chart(limit)
        .mark_text(align="left", baseline="bottom", dx=4, dy=-3)
        .encode(x=alt.value(0), y="hours:Q", text="name:N")
    )
    return alt.layer(dots, lines, label, rule, name).properties(
        width=WIDTH - 120,
        height=240,
        title="Run time is a line with a foot: the part that volume does not change",
        description=(
            f"Run time in hours against millions of orders a day for {' and '.join(names)}. "
            "The nights of the run history lie on the line of the nightly full read, which "
            "does not start at zero."
        ),
    )


def plans_compared(bills: pd.DataFrame, needs: pd.DataFrame) -> alt.TopLevelMixin:
    """Cost a day of each plan, in parts, beside whom it serves.

    Parameters
    ----------
    bills, needs : as `scenarios.proposals` gives them, in the order to draw; one column is drawn
        for each need that stands in the second.
    """
    order, columns = (list(dict.fromkeys(names)) for names in (bills["plan"], needs["need"]))
    plan = alt.Y("plan:N").sort(order).title(None)
    marks = alt.Chart(needs).encode(
        alt.X("need:N").sort(columns).title(None).axis(orient="top", labelAngle=0, domain=False),
        plan.axis(labels=False, ticks=False, domain=False),
    )
    return alt.hconcat(
        _bill(alt.Chart(bills), plan).properties(width=330, height=alt.Step(30)),
        _verdicts(marks, needs["verdict"]).properties(width=alt.Step(150), height=alt.Step(30)),
        title="What each proposal costs, and whom it serves",
        description=(
            "Bars of the cost in US dollars a day of "
            + "; ".join(order)
            + ". Beside each bar a circle where a consumer is served and a cross where not: "
            + ", ".join(columns)
            + "."
        ),
    ).resolve_scale(color="independent", shape="independent")


def measured_runs(totals: pd.DataFrame) -> alt.TopLevelMixin:
    """What a real engine read and how long it took, one bar a pipeline.

    Parameters
    ----------
    totals : columns pipeline, millions (of rows read) and seconds, in the order to draw.
    """
    order = list(dict.fromkeys(totals["pipeline"]))
    pipeline = alt.Y("pipeline:N").sort(order).title(None)

    def bars(column: str, title: str, y: alt.Y, colour: str) -> alt.LayerChart:
        base = alt.Chart(totals).encode(y, alt.X(f"{column}:Q").title(title).axis(tickCount=5))
        amount = base.mark_text(align="left", dx=4).encode(
            text=alt.Text(f"{column}:Q", format=",.3~r")
        )
        layers = [base.mark_bar(color=colour), amount]
        return alt.LayerChart(layer=layers, width=230, height=alt.Step(34))

    return alt.hconcat(
        bars("millions", "rows read (millions)", pipeline, COLOURS["blue"]),
        bars(
            "seconds",
            "wall time (seconds)",
            pipeline.axis(labels=False, ticks=False),
            COLOURS["vermillion"],
        ),
        title="One day of orders on DuckDB, measured just now",
        description=(
            "Two bar charts, millions of rows read and seconds of wall time, for "
            + "; ".join(order)
            + "."
        ),
    )


def needs_and_cost(needs: str, bills: str) -> alt.TopLevelMixin:
    """A calculator's picture: each need against its limit, above the cost a day.

    Parameters
    ----------
    needs, bills : names of the rows that a `View` gets, as `scenarios.proposals` makes them.
    """
    width, gap = 260, 12
    need = alt.Y("need:N").sort(None).title(None).axis(labelLimit=220, labelPadding=8)
    points = _verdicts(
        alt.Chart(alt.NamedData(needs)).encode(
            alt.X("limit_used:Q")
            .scale(type="log", domain=[0.01, 100], clamp=True)
            .title("part of its limit in use (ratio, log)")
            .axis(values=[0.01, 0.1, 1, 10, 100], labelExpr=_TIMES_THE_LIMIT),
            need,
        )
    )
    said = (
        alt.Chart(alt.NamedData(needs))
        .mark_text(align="left", baseline="middle")
        .encode(x=alt.value(width + gap), y=need, text="says:N")
    )
    limit = alt.Chart(alt.Data(values=[{}])).mark_rule(strokeDash=[6, 4]).encode(x=alt.datum(1))
    plan = alt.Y("plan:N").sort(None).title(None).axis(labelLimit=220, labelPadding=8)
    return alt.vconcat(
        alt.layer(limit, points, said).properties(width=width, height=alt.Step(26)),
        _bill(alt.Chart(alt.NamedData(bills)), plan).properties(
            width=width + 240, height=alt.Step(30)
        ),
        title="Whom it serves, and what it costs",
        description=(
            "Above, for each consumer and for the longest run, the share of its limit that is in "
            "use, with a circle, triangle or cross. Below, bars of the cost in US dollars a day "
            "of this design and of the nightly run."
        ),
    ).resolve_scale(color="independent", shape="independent", y="independent")


def _bill(chart: alt.Chart, plan: alt.Y) -> alt.LayerChart:
    """Stacked bars of the rows plan, part, usd, with their sums written behind them."""
    summed = chart.encode(plan, alt.X("sum(usd):Q").title("cost (USD a day)").axis(tickCount=5))
    parts = alt.Scale(domain=list(PARTS), range=_PART_COLOURS)
    return alt.LayerChart(
        layer=[
            summed.mark_bar().encode(
                alt.Color("part:N", scale=parts, legend=BELOW), alt.Order("part:N")
            ),
            summed.mark_text(align="left", dx=4).encode(
                text=alt.Text("sum(usd):Q", format="$,.0f")
            ),
        ]
    )


def _verdicts(chart: alt.Chart, occurring: Iterable[str] = VERDICTS) -> alt.Chart:
    """A circle, a triangle or a cross for each row's verdict; the legend has those occurring."""
    explained = [verdict for verdict in VERDICTS if verdict in set(occurring)]
    legend = alt.Legend(title=None, orient="bottom", values=explained)
    shapes = alt.Scale(domain=list(VERDICTS), range=["circle", "triangle-up", CROSS])
    colours = alt.Scale(domain=list(VERDICTS), range=_VERDICT_COLOURS)
    return chart.mark_point(filled=False).encode(
        alt.Shape("verdict:N", scale=shapes, legend=legend),
        alt.Color("verdict:N", scale=colours, legend=legend),
    )
