"""The figures of lesson 3: bills in parts, what lateness is worth, growing state, and lag."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tradeoff.charts.theme import COLOURS, INK

WIDTH = 620
PARTS = ("compute", "state", "operations")
_PART_COLOURS = [COLOURS["blue"], COLOURS["purple"], COLOURS["green"]]
_CONSUMER_COLOURS = [COLOURS["green"], COLOURS["blue"], COLOURS["vermillion"]]
_DASHES = [[1, 0], [6, 3], [2, 2]]
BELOW = alt.Legend(title=None, orient="bottom")
_SPAN = (
    "datum.value < 1 ? datum.value * 1000 + ' ms' : datum.value < 60 ? datum.value + ' s'"
    " : datum.value < 3600 ? datum.value / 60 + ' min' : datum.value / 3600 + ' h'"
)
_DOLLARS = (
    "(datum.value < 0 ? '−' : '') + '$' + (abs(datum.value) < 10 ? format(abs(datum.value), '~g')"
    " : replace(format(abs(datum.value), '~s'), 'G', 'B'))"
)


_COUNT = "format(datum.value, ',d')"


def bills_in_parts(parts: str, totals: str, unit: str) -> alt.TopLevelMixin:
    """A calculator's picture: four bills in three parts, and each part's share of its bill.

    Parameters
    ----------
    parts : name of the rows plan, part (compute, state, operations) and amount.
    totals : name of the rows plan, amount and says, which is written behind the bar.
    unit : name of one row, says: the unit of all amounts.
    """
    plan = alt.Y("plan:N").sort(None).title(None)
    left = plan.axis(labelLimit=255, minExtent=255, labelPadding=8, domain=False, ticks=False)
    colour = alt.Color("part:N").scale(domain=list(PARTS), range=_PART_COLOURS).legend(BELOW)
    order = alt.Order("rank:Q")
    ranked = alt.Chart(alt.NamedData(parts)).transform_calculate(
        rank=f"indexof({list(PARTS)}, datum.part)"
    )
    amount = alt.X("amount:Q").title(None).axis(tickCount=4, labelExpr=_DOLLARS)
    bars = ranked.mark_bar().encode(amount, left, colour, order)
    names = (
        alt.Chart(alt.NamedData(totals))
        .mark_text(align="left", dx=5)
        .encode(amount, left, text="says:N")
    )
    shares = ranked.mark_bar().encode(
        alt.X("amount:Q")
        .stack("normalize")
        .title("share of its bill (%)")
        .axis(format="%", tickCount=3),
        plan.axis(None),
        colour,
        order,
    )
    said = (
        alt.Chart(alt.NamedData(unit))
        .mark_text(align="left", fontSize=12)
        .encode(x=alt.value(0), text="says:N")
        .properties(width=300, height=14)
    )
    pair = alt.hconcat(
        alt.LayerChart(layer=[bars, names], width=240, height=alt.Step(34)),
        shares.properties(width=120, height=alt.Step(34)),
        spacing=105,
    )
    return alt.vconcat(
        said,
        pair,
        title="One workload at four rhythms: what each bill is made of",
        spacing=4,
        description=(
            "Stacked bars of the cost of a nightly batch, an hourly batch, a micro-batch and a "
            "stream in US dollars, in three parts: compute, state, operations; behind each bar "
            "its sum and its ratio to the nightly one. Beside them each part's share of its bill."
        ),
    )


def worth_of_latency(curve: str, designs: str, bars: str) -> alt.TopLevelMixin:
    """A calculator's picture: what being late costs, and the value against the premium.

    Parameters
    ----------
    curve : name of the rows seconds and usd (lost in a year at that latency).
    designs : name of the rows design, seconds, usd and says: the slow and the fast one.
    bars : name of the rows what, usd and says: the value and the premium of a year.
    """
    span = (
        alt.X("seconds:Q")
        .scale(type="log", nice=False)
        .title("latency (log)")
        .axis(values=[0.1, 1, 10, 60, 600, 3600, 21_600, 86_400], labelExpr=_SPAN)
    )
    usd = alt.Y("usd:Q").title("lost (USD a year)").axis(tickCount=4, labelExpr=_DOLLARS)
    line = alt.Chart(alt.NamedData(curve)).mark_line(color=COLOURS["blue"], strokeWidth=2)
    points = alt.Chart(alt.NamedData(designs)).encode(span, usd)
    scale = alt.Scale(domain=["fast", "slow"], range=[COLOURS["green"], COLOURS["vermillion"]])
    shapes = alt.Scale(domain=["fast", "slow"], range=["circle", "triangle-up"])
    marks = points.mark_point(filled=True).encode(
        alt.Color("design:N", scale=scale, legend=None),
        alt.Shape("design:N", scale=shapes, legend=None),
    )
    said_of = points.encode(text="says:N")
    fast = said_of.transform_filter("datum.design == 'fast'").mark_text(
        align="left", dx=6, baseline="bottom", dy=-3
    )
    slow = said_of.transform_filter("datum.design == 'slow'").mark_text(
        align="right", dx=-8, baseline="bottom", dy=-3
    )
    what = alt.Y("what:N").sort(None).title(None).axis(minExtent=70, domain=False, ticks=False)
    money = (
        alt.X("usd:Q").title("value and premium (USD a year)").axis(tickCount=4, labelExpr=_DOLLARS)
    )
    base = alt.Chart(alt.NamedData(bars)).encode(money, what)
    colours = alt.Scale(domain=["value", "premium"], range=[COLOURS["green"], COLOURS["purple"]])
    bar = base.mark_bar().encode(alt.Color("what:N", scale=colours, legend=None))
    said = base.mark_text(align="left", dx=5).encode(text="says:N")
    return alt.vconcat(
        alt.layer(line.encode(span, usd), marks, fast, slow).properties(width=440, height=150),
        alt.LayerChart(layer=[bar, said], width=330, height=alt.Step(30)),
        title="What being late costs, and whether the faster design earns its premium",
        description=(
            "Above, US dollars lost in a year against latency from 50 milliseconds to two days, "
            "with a circle at the faster design and a triangle at the slower one. Below, two bars: "
            "what the faster design is worth in a year, and the premium it costs."
        ),
    ).resolve_scale(color="independent", shape="independent", x="independent", y="independent")


def stated_and_computed(bills: pd.DataFrame) -> alt.TopLevelMixin:
    """Ranges as stated, with what the model computes, on a log scale.

    Parameters
    ----------
    bills : columns name, low, high and computed (USD a day), in the order to draw.
    """
    order = bills["name"].tolist()
    name = alt.Y("name:N").sort(order).title(None)
    dollars = alt.X("low:Q").scale(type="log", domain=[20, 5000]).title("cost (USD a day, log)")
    dollars = dollars.axis(values=[30, 100, 300, 1000, 3000], format="$,.0f")
    base = alt.Chart(bills)
    ranges = base.mark_bar(height=9, opacity=0.75, color=COLOURS["blue"])
    points = base.mark_point(shape="diamond", filled=True, size=110, color=COLOURS["vermillion"])
    computed = alt.X("computed:Q")
    said = base.mark_text(dy=-14).encode(
        computed, name, text=alt.Text("computed:Q", format="$,.0f")
    )
    return alt.layer(
        ranges.encode(dollars, name, alt.X2("high:Q")), points.encode(computed, name), said
    ).properties(
        width=400,
        height=alt.Step(44),
        title="Each figure computed (diamond) lies in the range the text gives (bar)",
        description=(
            "For "
            + "; ".join(order)
            + ": a bar over the range stated in US dollars a day, and a diamond at what the model "
            "computes, inside each bar."
        ),
    )


def state_bill(days: pd.DataFrame, held_bytes: float) -> alt.TopLevelMixin:
    """State that nothing bounds, and what it adds to the bill, over days.

    Parameters
    ----------
    days : columns day, gigabytes (local) and usd (a day, for state).
    held_bytes : what the nodes one started with hold.
    """
    day = alt.X("day:Q").scale(nice=False, zero=True).title("time in production (days)")
    day = day.axis(tickCount=8)
    line = alt.Chart(days).mark_line(strokeWidth=2, color=COLOURS["blue"])
    size = line.encode(day.title(None), alt.Y("gigabytes:Q").title("local state (GB)"))
    held = pd.DataFrame({"gigabytes": [held_bytes / 1e9], "name": ["what the first nodes hold"]})
    rule = alt.Chart(held).mark_rule(strokeDash=[6, 4]).encode(y="gigabytes:Q")
    name = (
        alt.Chart(held)
        .mark_text(align="left", baseline="bottom", dx=4, dy=-3)
        .encode(x=alt.value(0), y="gigabytes:Q", text="name:N")
    )
    steps = alt.Chart(days).mark_line(
        strokeWidth=2, color=COLOURS["vermillion"], interpolate="step-before"
    )
    usd = steps.encode(day, alt.Y("usd:Q").title("state (USD a day)"))
    return alt.vconcat(
        alt.layer(size, rule, name).properties(width=WIDTH, height=130),
        usd.properties(width=WIDTH, height=110),
        title="State costs the same for months, then a node, and another",
        description=(
            "Two line charts over days in production. Above, local state in gigabytes grows in a "
            "straight line and crosses what the first nodes hold. Below, the cost of state in US "
            "dollars a day stays level until then and rises in steps."
        ),
    )


def lag(samples: pd.DataFrame, moments: dict[str, float]) -> alt.TopLevelMixin:
    """Committed offset and lag of some consumers over time: the two pictures.

    Parameters
    ----------
    samples : columns consumer, seconds, end_offset, committed_offset and lag.
    moments : what happened, and when in seconds: vertical lines.
    """
    names = list(dict.fromkeys(samples["consumer"]))
    seconds = (
        alt.X("seconds:Q").scale(nice=False).title("time (seconds)").axis(format="d", tickMinStep=1)
    )
    lines = (
        alt.Chart(samples)
        .mark_line(strokeWidth=2)
        .encode(
            alt.Color("consumer:N")
            .scale(domain=names, range=_CONSUMER_COLOURS[: len(names)])
            .legend(BELOW),
            alt.StrokeDash("consumer:N").scale(domain=names, range=_DASHES[: len(names)]),
        )
    )
    ends = samples[samples["consumer"] == names[0]]
    newest = (
        alt.Chart(ends)
        .mark_line(strokeWidth=6, opacity=0.22, color=INK)
        .encode(seconds, y="end_offset:Q")
    )
    happened = pd.DataFrame({"moment": list(moments), "seconds": list(moments.values())})
    rules = alt.Chart(happened).mark_rule(strokeDash=[2, 3], opacity=0.7).encode(x="seconds:Q")
    said = (
        alt.Chart(happened)
        .mark_text(align="left", baseline="top", dx=4)
        .encode(x="seconds:Q", y=alt.value(0), text="moment:N")
    )
    committed = (
        alt.Y("committed_offset:Q").title("committed offset (events)").axis(labelExpr=_COUNT)
    )
    behind = alt.Y("lag:Q").title("lag (events)").axis(labelExpr=_COUNT)
    return alt.vconcat(
        alt.layer(newest, lines.encode(seconds.title(None), committed), rules, said).properties(
            width=WIDTH, height=180
        ),
        alt.layer(lines.encode(seconds, behind), rules).properties(width=WIDTH, height=150),
        title="Dead: commits stop. Slow: commits go on. Lag grows for both",
        description=(
            f"Two line charts over seconds for the consumers {', '.join(names)}. Above, the "
            "committed offset under a broad line, the newest event: it is flat while the killed "
            "consumer is dead, and rises less steeply than the broad line for the slow one. "
            "Below, their lag: it grows for both, fastest for the dead one until it is restarted."
        ),
    )
