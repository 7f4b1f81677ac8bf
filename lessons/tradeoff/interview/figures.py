"""Figures of answers: out of a claim's range or a call of the model, never typed."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pandas as pd

import tradeoff
from tradeoff import data, model
from tradeoff.model import words

# How a claim's unit is said after its range; {} is the range.
UNITS = {
    "ratio": "{} times",
    "USD/day": "{} USD a day",
    "USD/night": "{} USD a night",
    "node-hours/day": "{} node-hours a day",
    "events/min": "{} events a minute",
    "events/s": "{} events a second",
}


def worded(source: str) -> str:
    """A figure in words.

    Parameters
    ----------
    source : a claim's id, such as "C5b", for its range with its unit; or an expression over
        `tradeoff`, `tradeoff.model` and `tradeoff.model.words`, whose value is a text or a number:
        "words.usd(evaluate(...).figures['cost_usd_per_day'])".

    Raises ValueError for a claim that is not there, and whatever the expression raises.
    """
    if re.fullmatch(r"C\d+[a-z]?", source):
        return claim(source)
    value = eval(source, _names())  # our own file's words, never a learner's
    return value if isinstance(value, str) else words.count(float(value))


def claim(name: str) -> str:
    """The range of a claim with its unit: "2 K to 10 K USD a day"."""
    table = _claims()
    if name not in table.index:
        raise ValueError(f"no claim {name!r} in data/claims.csv")
    row = table.loc[name]
    low, high, unit = row["low"], row["high"], str(row["unit"])
    both = f"{low:,g}" if low == high else f"{low:,g} to {high:,g}"
    return UNITS.get(unit, "{} " + unit).format(both)


@cache
def _claims() -> pd.DataFrame:
    return data.claims().set_index("id")


@cache
def _names() -> dict[str, Any]:
    public = {name: getattr(tradeoff, name) for name in dir(tradeoff) if name[0] != "_"}
    return {**public, "model": model, "words": words, "data": data}
