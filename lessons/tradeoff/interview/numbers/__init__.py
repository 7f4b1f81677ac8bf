"""Numeric questions: each draws fresh numbers and lets the model compute the answer.

One module a lesson. A number is a function from a random generator to a `Drawn`:

    @number
    def worst_age(rng):
        interval = rng.choice([10, 15, 30, 60]) * 60.0
        ...
        return Drawn({"interval": words.duration(interval)}, answer, "s", within=0.1)
"""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np

from tradeoff.interview.numbers.drawn import NUMBERS, Drawn, number

__all__ = ["NUMBERS", "Drawn", "draw", "number"]


def draw(name: str, rng: np.random.Generator) -> Drawn:
    """The numbers of one question. Raises KeyError for a name that is not there."""
    return NUMBERS[name](rng)


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
