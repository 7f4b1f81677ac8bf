"""What a faster design is worth in a year, held against the premium it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tradeoff.model import cost_of_latency, words
from tradeoff.model.quantities import check

DAYS_PER_YEAR = 365


@dataclass(frozen=True)
class Lateness:
    """What being late costs the business: a rate above a threshold, up to a most.

    Attributes
    ----------
    usd_per_minute : lost for each minute of latency above the threshold, each time.
    threshold_seconds : below it, lateness costs nothing.
    times_a_year : how often a year lateness costs that; 365 is every day.
    most_usd_per_year : all there is to lose in a year; None where nothing bounds it.

    Raises ValueError for values that are negative or not finite.
    """

    usd_per_minute: float
    threshold_seconds: float = 0.0
    times_a_year: float = DAYS_PER_YEAR
    most_usd_per_year: float | None = None

    def __post_init__(self) -> None:
        for name in ("usd_per_minute", "times_a_year", "most_usd_per_year"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1e15:
                raise ValueError(f"{name} must be a number of at least 0, got {value!r}")
        check("threshold_seconds", self.threshold_seconds)

    def usd_per_year(self, latency_seconds: float) -> float:
        """What a latency costs in a year."""
        once = cost_of_latency(latency_seconds, self.usd_per_minute, self.threshold_seconds)
        lost = once * self.times_a_year
        return lost if self.most_usd_per_year is None else min(lost, self.most_usd_per_year)

    @property
    def lost_from_seconds(self) -> float:
        """The latency from which on all there is to lose is lost; infinite without a most."""
        if self.most_usd_per_year is None or not self.usd_per_minute * self.times_a_year:
            return math.inf
        minutes = self.most_usd_per_year / self.usd_per_minute / self.times_a_year
        return self.threshold_seconds + 60 * minutes

    def value_usd_per_year(self, slow_seconds: float, fast_seconds: float) -> float:
        """What the faster of two latencies gains in a year."""
        return self.usd_per_year(slow_seconds) - self.usd_per_year(fast_seconds)

    def break_even_usd_per_minute(
        self, premium_usd_per_year: float, slow_seconds: float, fast_seconds: float
    ) -> float | None:
        """The least a minute must cost, each time, for the premium to pay; None: it never does.

        With a most, value grows with the rate until the slow design loses all there is to lose;
        a premium above that value is never earned, whatever a minute costs.
        """
        if premium_usd_per_year <= 0:
            return 0.0
        one = Lateness(1.0, self.threshold_seconds, self.times_a_year)
        slow, fast = one.usd_per_year(slow_seconds), one.usd_per_year(fast_seconds)
        if slow <= fast:
            return None
        most = self.most_usd_per_year
        if most is not None and premium_usd_per_year > most * (1 - fast / slow):
            return None
        return premium_usd_per_year / (slow - fast)


def said_usd(amount: float) -> str:
    """$5,768, $515,000, $2.44 M: dollars as one says them in a meeting."""
    if abs(amount) >= 1e6:
        return ("-$" if amount < 0 else "$") + words.count(abs(amount))
    if abs(amount) >= 1e5:
        return words.usd(float(f"{amount:.3g}"))
    return words.usd(round(amount) if abs(amount) >= 10 else float(f"{amount:.3g}"))
