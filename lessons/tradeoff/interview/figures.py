"""Figures of answers: out of a claim's range or a call of the model, never typed."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from typing import Any

import pandas as pd

import tradeoff
from tradeoff import data, model, scenarios
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
    source : a claim's id, such as "C5b", for its range with its unit; or an expression whose value
        is a text or a number: "words.usd(text.billion_streaming.cost_usd_per_day)". It may use all
        of `tradeoff`; `model` and its modules by name (words, claims, amortise, frontier, cost,
        state, ...); the modules of `tradeoff.scenarios` by name (triggers, ...); `data`; and
        `text`, the designs behind the claims (`claims.Scenarios()`). Dollars are said as claims
        say them, "5,768 USD", for JupyterLab takes two dollar signs for mathematics.

    Raises ValueError for a claim that is not there, and whatever the expression raises.
    """
    if re.fullmatch(r"C\d+[a-z]?", source):
        return claim(source)
    value = eval(source, _names())  # our own file's words, never a learner's
    if not isinstance(value, str):
        return words.count(float(value))
    return re.sub(r"\$(\d+(?:,\d{3})*(?:\.\d+)?)", lambda found: _usd(found[1]), value)


def _usd(digits: str) -> str:
    amount = float(digits.replace(",", ""))
    return f"{amount:,.0f} USD" if amount >= 10 else f"{digits} USD"


def claim(name: str) -> str:
    """The range of a claim with its unit: "2,000 to 10,000 USD a day"."""
    table = _claims()
    if name not in table.index:
        raise ValueError(f"no claim {name!r} in data/claims.csv")
    row: Any = table.loc[name]
    low, high, unit = float(row["low"]), float(row["high"]), str(row["unit"])
    if unit == "seconds" and high < 1:
        return f"at most {words.duration(high)}"
    said = words.count if high >= 1e5 else "{:,g}".format
    both = said(low) if low == high else f"{said(low)} to {said(high)}"
    return UNITS.get(unit, "{} " + unit).format(both)


@cache
def _claims() -> pd.DataFrame:
    return data.claims().set_index("id")


@cache
def _names() -> dict[str, Any]:
    public = {name: getattr(tradeoff, name) for name in dir(tradeoff) if name[0] != "_"}
    modules = {
        found.name: importlib.import_module(f"{package.__name__}.{found.name}")
        for package in (scenarios, model)  # a function of the model's keeps its name
        for found in pkgutil.iter_modules(package.__path__)
        if found.name not in public
    }
    text = modules["claims"].Scenarios()
    return {**modules, **public, "model": model, "data": data, "text": text}
