"""Figures of lesson 3's four designs, "nightly", "hourly", "micro-batch" and "streaming", in words.

One workload on four nodes at the prices behind the course's cost table; for the figures of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from tradeoff.model import Evaluation, break_even_usd_per_minute, evaluate, words
from tradeoff.scenarios import premium
from tradeoff.scenarios.worth import DAYS_PER_YEAR


@cache
def table() -> Mapping[str, Evaluation]:
    """The lesson's four designs of one workload, evaluated, by name: "nightly" to "streaming"."""
    return {name: evaluate(design) for name, design in premium.table_designs().items()}


def usd(amount: float) -> str:
    """Dollars of an answer, three digits: "515,000 USD"."""
    return f"{float(f'{amount:.3g}'):,.0f} USD"


def bill(name: str) -> str:
    """What one of the four designs costs a day."""
    return f"{table()[name].cost_usd_per_day:,.0f} USD a day"


def for_state(name: str) -> str:
    """What one of the four designs pays a day for the state it keeps."""
    return f"{table()[name].state_usd_per_day:,.0f} USD"


def oldest(name: str) -> str:
    """The age of the oldest event that a consumer of the design can see."""
    seconds = table()[name].latency_worst_seconds
    if 120 <= seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return words.duration(round(seconds) if seconds > 1 else seconds)


def more_a_day(fast: str, slow: str) -> str:
    """The premium of one of the four designs over another, a day."""
    return f"{premium.premium(table()[fast], table()[slow]):,.0f} USD a day"


def more_a_year(fast: str, slow: str) -> str:
    """The premium of one of the four designs over another, a year."""
    return f"{usd(DAYS_PER_YEAR * premium.premium(table()[fast], table()[slow]))} a year"


def times(fast: str, slow: str) -> str:
    """How many times one design's bill is another's."""
    return f"{table()[fast].cost_usd_per_day / table()[slow].cost_usd_per_day:.0f} times"


def breaks_even(fast: str, slow: str) -> str:
    """What a minute must cost, every day, for the faster of two designs to pay."""
    quick, late = table()[fast], table()[slow]
    least = break_even_usd_per_minute(
        premium.premium(quick, late), late.latency_worst_seconds, quick.latency_worst_seconds
    )
    assert least is not None  # the faster one is faster
    return f"{float(f'{least:.2g}'):,g} USD a minute"
