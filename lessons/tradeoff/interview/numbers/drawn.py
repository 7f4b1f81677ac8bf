"""What a numeric question draws, and how an answer with a unit is read and judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tradeoff.model import words
from tradeoff.model.cost import DAYS_PER_MONTH

TIME: Mapping[str, float] = {
    **dict.fromkeys(("ns",), 1e-9),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("week", "weeks"), 7 * 86_400.0),
    **dict.fromkeys(("month", "months"), DAYS_PER_MONTH * 86_400.0),
    **dict.fromkeys(("yr", "year", "years"), 365 * 86_400.0),
}
SIZE: Mapping[str, float] = {
    **dict.fromkeys(("b", "byte", "bytes"), 1.0),
    **{f"{letter}b": 10.0 ** (3 * power) for power, letter in enumerate("kmgtp", 1)},
    **{f"{letter}ib": 1024.0**power for power, letter in enumerate("kmgtp", 1)},
    **{
        f"{prefix}byte{plural}": 10.0 ** (3 * power)
        for power, prefix in enumerate(("kilo", "mega", "giga", "tera", "peta"), 1)
        for plural in ("", "s")
    },
}
# Things that are counted, by what they are: nodes are not an answer to "how many events?".
COUNTED: Mapping[str, str] = {
    "events": "event events record records row rows message messages msg msgs order orders",
    "keys": "key keys entry entries user users value values device devices",
    "nodes": "node nodes machine machines worker workers instance instances",
    "slots": "slot slots core cores",
    "runs": "run runs batch batches commit commits trigger triggers snapshot snapshots",
    "windows": "window windows pane panes",
    "files": "file files",
    "partitions": "partition partitions",
    "node-hours": "node-hour node-hours",
    "outages": "outage outages",
}
# A unit as one may write it: what it measures, and how many of the base unit it is.
UNITS: dict[str, tuple[str, float]] = {
    **{name: ("time", scale) for name, scale in TIME.items()},
    **{name: ("money", 1.0) for name in ("usd", "dollar", "dollars")},
    **{name: ("size", scale) for name, scale in SIZE.items()},
    **{name: ("share", 1.0) for name in ("", "x", "×", "times", "fold", "-fold", "to 1", ":1")},
    **{name: ("share", 0.01) for name in ("%", "percent", "per cent", "pct")},
    **{name: (kind, 1.0) for kind, names in COUNTED.items() for name in names.split()},
}
MULTIPLES = {
    **dict.fromkeys(("k", "thousand"), 1e3),
    **dict.fromkeys(("m", "mn", "mio", "million", "millions"), 1e6),
    **dict.fromkeys(("b", "bn", "billion", "billions"), 1e9),
    **dict.fromkeys(("trillion",), 1e12),
}
ABOUT = re.compile(r"^(?:about|around|roughly|approximately|approx\.?|ca\.?|~|≈)\s*", re.I)
AMOUNT = r"[-+]?(?:\d{1,3}(?:[,_ ]\d{3})+(?!\d)|\d+)?(?:\.\d+)?(?:e[-+]?\d+(?![a-z]))?"
NUMBER = re.compile(rf"^({AMOUNT})\s*(.*)$", re.I)
MULTIPLE = re.compile(rf"^({'|'.join(sorted(MULTIPLES, key=len, reverse=True))})(?![a-z])\s*(.*)$")
# "/s", "a day" without what it is a day of
BARE_PER = re.compile(r"/|(?:per|a|an|each|every) (?!cent\b)")
# "1 h 15 min", "1h15m"
SPANS = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zµμ]+)(?:\s*,|\s+and\b)?\s*")


class UnitError(ValueError):
    """The answer cannot be read as a number with a unit of the kind asked for."""


@dataclass(frozen=True)
class Drawn:
    """The numbers of one asked question.

    Attributes
    ----------
    given : the texts that stand for the question's placeholders.
    answer : the right number, in `unit`. unit : as one may write it: "s", "USD/day", "events/s",
        "GB/h", "USD/million events", "times", "%", "nodes"; what is read stands in `UNITS`.
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
        """The right number as people say it, which `judge` takes for right."""
        kind, scale = _kind(self.unit)
        top, _, per = _plain(self.unit).partition("/")
        base = self.answer * scale
        if kind == "time":
            return words.duration(base)
        if kind == "size":
            return words.size(base)
        if kind == "share":
            if top in ("%", "percent"):
                return f"{_count(self.answer)} %"
            return f"{_count(base)} times" if top else _count(base)
        if top in ("usd", "dollar", "dollars"):
            amount = words.usd(self.answer)[1:] if self.answer >= 1 else _count(self.answer)
            return f"{amount} USD" + (f" per {per}" if per else "")
        if top in SIZE:
            return f"{words.size(self.answer * SIZE[top])} per {per}"
        return f"{_count(self.answer)} {self.unit}"

    def judge(self, text: str) -> bool:
        """Whether what somebody typed is right. Raises UnitError when it cannot be read."""
        said = parse(text, self.unit)
        right = self.answer * _kind(self.unit)[1]
        return bool(abs(said - right) <= self.within * abs(right) * (1 + 1e-9))


Number = Callable[[np.random.Generator], Drawn]
NUMBERS: dict[str, Number] = {}


def number(make: Number) -> Number:
    """Register a numeric question under its function's name."""
    name = make.__name__
    if name in NUMBERS:
        raise ValueError(f"two numbers are called {name!r}")
    NUMBERS[name] = make
    return make


Given = Callable[[np.random.Generator], Mapping[str, str]]
GIVEN: dict[str, Given] = {}


def given(make: Given) -> Given:
    """Register what a question without a numeric answer is given, under its function's name."""
    name = make.__name__
    if name in GIVEN:
        raise ValueError(f"two givens are called {name!r}")
    GIVEN[name] = make
    return make


def parse(text: str, unit: str) -> float:
    """A typed answer in base units (seconds, USD a second, bytes, shares …).

    What a letter means follows from the unit asked for: "5 m" is five minutes of time and five
    million of anything else, "5 b" five bytes of size and five billion of anything else.

    Parameters
    ----------
    text : "36 min", "1 h 15 min", "2,000 USD/day", "$2k/day", "11.6k/s", "30 %", "about 80M".
    unit : the unit asked for; a bare number is taken in it.

    Raises UnitError, saying what was expected.
    """
    wanted, scale = _kind(unit)
    hint = f"give a number with its unit, such as 12 {unit}".rstrip()
    typed = re.sub(r"\s+", " ", text).strip().rstrip(".!")  # no-break spaces, too
    plain = re.sub(r"us\$", "$", ABOUT.sub("", typed).lower())
    if plain.startswith("-$"):
        plain = f"$-{plain[2:].strip()}"
    in_usd = "$" in plain
    matched = NUMBER.match(plain.replace("$", "").strip())
    if not matched or not re.search(r"\d", matched[1]):
        raise UnitError(f"{typed!r} is not a number: {hint}")
    amount, said = float(re.sub(r"[,_ ]", "", matched[1])), matched[2].strip()
    if re.match(r"[,_.]\d", said):
        raise UnitError(f"{typed!r} can be read in two ways: write 1500 or 1,500, and 1.5")
    if in_usd and not re.search(r"usd|dollar", said):
        said = _in_usd(said, unit if wanted.startswith("money") else "usd")
    if not said:
        return amount * scale
    if wanted == "time" and (whole := _span(plain)) is not None:
        return whole
    problem = None
    for reading, many in _readings(said, unit):
        try:
            kind, factor = _kind(reading)
        except UnitError as error:
            problem = problem or error
            continue
        if kind == wanted:
            return amount * many * factor
        problem = UnitError(f"{said!r} is not a unit of {_in_words(wanted)}")
    raise UnitError(f"{problem}: {hint}")


def _readings(said: str, unit: str) -> list[tuple[str, float]]:
    """What follows a number, as a unit and how many of it; the plainest reading first."""
    top = _plain(unit).partition("/")[0]
    found = [(f"{top} {said}" if BARE_PER.match(said) else said, 1.0)]
    if times := MULTIPLE.match(said):
        rest = times[2].strip() or unit
        found.append((f"{top} {rest}" if BARE_PER.match(rest) else rest, MULTIPLES[times[1]]))
    return found


def _in_words(kind: str) -> str:
    return kind.replace(" a second", " over time")


def _count(number: float) -> str:
    """Three digits, below one, too: 18 M, 4.5 K, 0.0235."""
    return words.count(number) if abs(number) >= 1 else f"{number:.3g}"


def _in_usd(said: str, unit: str) -> str:
    """What follows a dollar sign's number, with its unit: "k/day" becomes "k usd /day".

    A sign with nothing more stands for the unit asked for.
    """
    times = MULTIPLE.match(said)
    many, rest = (times[1], times[2].strip()) if times else ("", said)
    return f"{many} {f'usd {rest}' if rest else unit}".strip()


def _span(text: str) -> float | None:
    """Seconds of "1 h 15 min", if that is what it is."""
    parts = SPANS.findall(text)
    whole = "".join(match[0] for match in SPANS.finditer(text)) == text
    if len(parts) < 2 or not whole or not all(name in TIME for _, name in parts):
        return None
    return sum(float(amount) * TIME[name] for amount, name in parts)


def _plain(unit: str) -> str:
    """A unit in lower case, "per" and its sisters as a stroke."""
    unit = re.sub(r"\s+", " ", unit.strip().lower())
    unit = {"eps": "events/s", "node hours": "node-hours"}.get(unit, unit)
    unit = re.sub(r"\bnode hour", "node-hour", unit)
    unit = re.sub(r"\s*\b(hourly|daily)$", lambda m: f"/{_EVERY[m[1]]}", unit)
    unit = re.sub(r"\s+of\b.*$", "", unit) or unit
    return re.sub(r"\s*(?:\b(?:per|a|an|each|every)\s+(?!cent\b)|/\s*)", "/", unit, count=1)


_EVERY = {"hourly": "hour", "daily": "day"}


def _kind(unit: str) -> tuple[str, float]:
    """What a unit measures, and how many base units it is. Raises UnitError."""
    top, stroke, per = _plain(unit).partition("/")
    if top not in UNITS:
        raise UnitError(f"no unit {top!r} is known here")
    kind, scale = UNITS[top]
    if not stroke:
        return kind, scale
    if per in TIME and per != "m":
        return f"{kind} a second", scale / TIME[per]
    many = MULTIPLE.match(re.sub(r"^1 ?", "", per))
    times, per = (MULTIPLES[many[1]], many[2]) if many else (1.0, per)
    per = per or "events"  # "USD a million"
    if per in UNITS and UNITS[per][0] in (*COUNTED, "size"):
        below, size = UNITS[per]
        return f"{kind} for {below}", scale / times / size
    raise UnitError(f"no unit {per!r} is known here")
