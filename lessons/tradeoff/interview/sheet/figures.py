"""The figures of the cheat sheet: each is a claim's range, or what the model answers today.

In the sheet's words a figure stands in braces:

    {C4a}               the range of a claim, with its unit: 3-8 M events/min
    {C12b bare}         the same without its unit, for a column whose head says it
    {C12b model}        what the model computes for the claim
    {C12b model bare}   the same without its unit
    {C12b: 4 nodes}     a condition of the claim, in the claim's own numbers
    {=node_price}       a call of the model: one of `CALLS`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from tradeoff import data
from tradeoff.model import Evaluation, claims, tiers, words
from tradeoff.model.claims import Scenarios
from tradeoff.model.quantities import DAY_SECONDS

# {} is the number or the range.
UNITS = {
    "hours": "{} h",
    "minutes": "{} min",
    "minutes past 00:00": "{} min",
    "seconds": "{} s",
    "ratio": "{}×",
    "USD/day": "{} USD a day",
    "USD/night": "{} USD a night",
    "node-hours/day": "{} node-hours",
}
EXACT = 1.05  # a range no wider than this only allows for rounding


def _stateless_premium_of_clicks(text: Scenarios) -> str:
    stream, batch = text.streaming(text.clicks), text.nightly("clicks")
    return f"{number(stream.cost_usd_per_day / batch.cost_usd_per_day)}×"


def _flink(text: Scenarios) -> Evaluation:
    return text.streaming(text.clicks_with_state, nodes=4)


CALLS: Mapping[str, Callable[[Scenarios], str]] = {
    "tier_1": lambda text: words.duration(tiers.TIER_SECONDS[1]),
    "tier_2": lambda text: words.duration(tiers.TIER_SECONDS[2]),
    "deadline": lambda text: words.clock(float(data.consumers()["deadline_hour"].min())),
    "work": lambda text: (
        number(
            text.workload("nightly_100gb").work_per_event / text.workload("relay").work_per_event
        )
        + "×"
    ),
    "node_price": lambda text: number(text.engine("spark_ephemeral").node_usd_per_hour),
    "flink_node_hours": lambda text: number(_flink(text).node_hours_per_day),
    "state_nodes": lambda text: number(_flink(text).state_nodes),
    "billion_rate": lambda text: (
        f"{words.count(text.workload('billion').events_per_day / DAY_SECONDS)} events/s"
    ),
    "clicks": lambda text: words.count(text.clicks.events_per_day),
    "clicks_premium": _stateless_premium_of_clicks,
}


@dataclass(frozen=True)
class Figure:
    """A figure as it stands on the sheet.

    Attributes
    ----------
    says : the words, such as "3-8 M events/min".
    kind : "claim" (its range), "given" (a condition of it) or "model".
    source : a claim's id or the name of a call.
    about : what it is, in the claim's words; "" for a call.
    """

    says: str
    kind: str
    source: str
    about: str = ""


class Figures:
    """All figures, from the tables and the constants as they are now."""

    def __init__(self) -> None:
        self._scenarios = Scenarios()

    @cached_property
    def _claims(self) -> pd.DataFrame:
        return data.claims().set_index("id")

    def __getitem__(self, written: str) -> Figure:
        """The figure for the words between braces.

        Raises KeyError for a claim or a call that is not there, and ValueError for a condition
        with a number that the claim does not name.
        """
        if written.startswith("="):
            return Figure(CALLS[written[1:]](self._scenarios), "model", written[1:])
        name, _, given = written.partition(":")
        name, *how = name.split()
        row: Any = self._claims.loc[name]
        about = f"{name}: {row['claim']}"
        if given:
            named = set(numerals(f"{row['claim']} {row['reading']}"))
            if strange := set(numerals(given)) - named:
                raise ValueError(f"{name} does not name {', '.join(sorted(strange))}: {about}")
            return Figure(given.strip(), "given", name, about)
        unit = "{}" if "bare" in how else UNITS.get(str(row["unit"]), f"{{}} {row['unit']}")
        low, high = float(row["low"]), float(row["high"])
        if "model" in how or low < high <= low * EXACT:
            low = high = claims.figures(name, self._scenarios)[0]
        says = unit.format(between(low, high))
        if str(row["unit"]) == "seconds" and low == 0:
            says = f"under {words.duration(high)}"
        elif str(row["unit"]) == "ratio" and high < 0.1:
            says = f"{number(100 * high)} %"
        return Figure(says, "model" if "model" in how else "claim", name, about)


def between(low: float, high: float) -> str:
    """3-8 M, 50-120 K, 400 K-1 M, 2,000-10,000; one number where both are alike."""
    first, last = number(low), number(high)
    if first == last:
        return last
    if first[-1].isalpha() and first[-1] == last[-1]:
        first = first[:-2]
    return f"{first}–{last}"


def number(value: float) -> str:
    """8 M, 120 K, 10,000, 1,157, 34.3: three digits where there are no more before the point."""
    if value > 10_000:
        return words.count(value)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def numerals(text: str) -> list[str]:
    """The numbers of a text as they are written."""
    return re.findall(r"\d+(?:[.,]\d+)*", text)
