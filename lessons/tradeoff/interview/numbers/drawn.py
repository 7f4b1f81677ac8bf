"""What a numeric question draws, and how an answer with a unit is read and judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tradeoff.model import words

# unit as one may write it: what it measures, and how many of the base unit it is.
UNITS: dict[str, tuple[str, float]] = {
    **{name: ("time", 1e-9) for name in ("ns",)},
    **{name: ("time", 1e-6) for name in ("us", "µs", "μs")},
    **{name: ("time", 1e-3) for name in ("ms", "msec", "millisecond", "milliseconds")},
    **{name: ("time", 1.0) for name in ("s", "sec", "secs", "second", "seconds")},
    **{name: ("time", 60.0) for name in ("min", "mins", "minute", "minutes")},
    **{name: ("time", 3_600.0) for name in ("h", "hr", "hrs", "hour", "hours")},
    **{name: ("time", 86_400.0) for name in ("d", "day", "days")},
    **{name: ("money", 1.0) for name in ("usd", "$", "dollar", "dollars")},
    **{name: ("size", 1.0) for name in ("b", "byte", "bytes")},
    **{name: ("size", 1e3) for name in ("kb",)},
    **{name: ("size", 1e6) for name in ("mb",)},
    **{name: ("size", 1e9) for name in ("gb",)},
    **{name: ("size", 1e12) for name in ("tb",)},
    **{name: ("share", 1.0) for name in ("", "x", "times", "fold")},
    **{name: ("share", 0.01) for name in ("%", "percent")},
    **{name: ("count", 1.0) for name in ("event", "events", "node", "nodes", "key", "keys")},
    **{name: ("count", 1.0) for name in ("order", "orders", "entries", "windows", "runs")},
    "node-hours": ("node-hours", 1.0),
}
PER = {"s": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3_600.0, "hour": 3_600.0}
PER |= {"sec": 1.0, "day": 86_400.0, "d": 86_400.0, "week": 604_800.0, "year": 31_536_000.0}
MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9, "million": 1e6, "billion": 1e9}
MULTIPLES["thousand"] = 1e3
NUMBER = re.compile(r"^\$?\s*([-+]?\d[\d,_ ]*(?:\.\d+)?(?:e[-+]?\d+)?|[-+]?\.\d+)\s*(.*)$", re.I)


class UnitError(ValueError):
    """The answer cannot be read as a number with a unit of the kind asked for."""


@dataclass(frozen=True)
class Drawn:
    """The numbers of one asked question.

    Attributes
    ----------
    given : the texts that stand for the question's placeholders.
    answer : the right number, in `unit`. unit : as one may write it: "s", "USD/day", "events/s".
    within : how far off an answer may be, as a share of the right one; a tenth by default.
    because : one sentence with the arithmetic, shown after an answer.
    """

    given: Mapping[str, str]
    answer: float
    unit: str
    within: float = 0.1
    because: str = ""

    @property
    def answer_in_words(self) -> str:
        kind, scale = _kind(self.unit)
        base = self.answer * scale
        if kind == "time":
            return words.duration(base)
        if kind == "size":
            return words.size(base)
        if kind == "share":
            return f"{base:.3g} times" if self.unit != "%" else f"{self.answer:.3g} %"
        per = self.unit.partition("/")[2]
        amount = self.answer
        if kind.startswith("money"):
            return f"{amount:,.0f} USD" + (f" a {per}" if per else "")
        return f"{words.count(amount)} {self.unit}"

    def judge(self, text: str) -> bool:
        """Whether what somebody typed is right. Raises UnitError when it cannot be read."""
        said = parse(text, self.unit)
        right = self.answer * _kind(self.unit)[1]
        return bool(abs(said - right) <= self.within * abs(right) + 1e-12)


Number = Callable[[np.random.Generator], Drawn]
NUMBERS: dict[str, Number] = {}


def number(make: Number) -> Number:
    """Register a numeric question under its function's name."""
    name = make.__name__
    if name in NUMBERS:
        raise ValueError(f"two numbers are called {name!r}")
    NUMBERS[name] = make
    return make


def parse(text: str, unit: str) -> float:
    """A typed answer in base units (seconds, USD a second, bytes, shares …).

    Parameters
    ----------
    text : "36 min", "2,000 USD/day", "$40", "11.6k events/s", "30 %".
    unit : the unit asked for; a bare number is taken in it.

    Raises UnitError, saying what was expected.
    """
    hint = f"give a number with its unit, such as 12 {unit}".rstrip()
    matched = NUMBER.match(text.strip())
    if not matched:
        raise UnitError(f"{text.strip()!r} is not a number: {hint}")
    amount = float(re.sub(r"[,_ ]", "", matched[1]))
    said = matched[2].strip().lower()
    wanted, scale = _kind(unit)
    if not said:
        return amount * scale
    first, _, rest = said.partition(" ")
    if first in MULTIPLES and (rest or first not in UNITS):
        amount, said = amount * MULTIPLES[first], rest.strip()
    elif matched[0].strip().startswith("$") and said in MULTIPLES:
        amount, said = amount * MULTIPLES[said], ""
    if not said:
        return amount * scale
    if text.strip().startswith("$"):
        said = f"usd {said}" if not said.startswith(("usd", "dollar")) else said
    try:
        kind, factor = _kind(said)
    except UnitError as error:
        raise UnitError(f"{error}: {hint}") from None
    if kind != wanted:
        raise UnitError(f"{said!r} is not a unit of {wanted}: {hint}")
    return amount * factor


def _kind(unit: str) -> tuple[str, float]:
    """What a unit measures, and how many base units it is. Raises UnitError."""
    plain = re.sub(r"\s+(per|a|an)\s+|\s*/\s*", "/", unit.strip().lower())
    top, _, per = plain.partition("/")
    top = top.strip()
    if top not in UNITS:
        raise UnitError(f"no unit {top!r} is known here")
    kind, scale = UNITS[top]
    if not per:
        return kind, scale
    if per not in PER:
        raise UnitError(f"no unit {per!r} is known here")
    return f"{kind} a second", scale / PER[per]
