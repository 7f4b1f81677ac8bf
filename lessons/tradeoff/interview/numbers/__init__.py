"""Numeric questions: each draws fresh numbers and lets the model compute the answer.

One module a lesson. A number is a function from a random generator to a `Drawn`:

    @number
    def worst_age(rng):
        interval = rng.choice([10, 15, 30, 60]) * 60.0
        ...
        return Drawn({"interval": words.duration(interval)}, answer, "s", within=0.1)

A given draws the figures of a question that is answered by a choice or in words; whatever it
draws, the same answer is right. It is a function from a random generator to texts by name:

    @given
    def runs_that_slowed(rng):
        ...
        return {"runs": "January 3.1 h, ..."}
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

import numpy as np

from tradeoff.interview.numbers.drawn import GIVEN, NUMBERS, Drawn, given, number

__all__ = ["GIVEN", "NUMBERS", "Drawn", "draw", "draw_given", "given", "number"]


def draw(name: str, rng: np.random.Generator) -> Drawn:
    """The numbers of one question. Raises KeyError for a name that is not there."""
    return NUMBERS[name](rng)


def draw_given(name: str, rng: np.random.Generator) -> Mapping[str, str]:
    """The figures of one question without a numeric answer. Raises KeyError, as `draw` does."""
    return GIVEN[name](rng)


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
