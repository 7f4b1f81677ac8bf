"""Lesson 3's second calculator: what latency is worth in a year, against the premium."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tradeoff import charts
from tradeoff.calculators.calculator import Calculator, Steps
from tradeoff.model import evaluate, words
from tradeoff.model.quantities import check
from tradeoff.scenarios import premium
from tradeoff.scenarios.worth import DAYS_PER_YEAR, Lateness, said_usd

USD_PER_MINUTE = (0, *(number * 10**power for power in range(-2, 6) for number in (1, 2, 5)))
TIMES_A_YEAR = (1, 2, 4, 6, 12, 26, 52, 104, 250, 365, 1000, 3650, 10_000)
MINUTE, HOUR, DAY = 60, 3600, 86_400
THRESHOLDS = (
    *(0, 0.1, 1, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE),
    *(30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY),
)
LATENCIES = (
    *(0.05, 0.1, 0.3, 0.5, 1, 2, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE),
    *(15 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR),
    *(12 * HOUR, DAY, 26 * HOUR, 36 * HOUR, 48 * HOUR),
)
NO_MOST = 0  # of usd_per_year to lose: nothing bounds it
MOSTS = (NO_MOST, *(number * 10**power for power in range(3, 9) for number in (1, 2, 5)), 10**9)
PREMIUMS = (0, *(number * 10**power for power in range(0, 5) for number in (1, 2, 3, 5)), 10**5)
# The designs of the text's cost table: latencies in whole seconds, the premiums in whole dollars.
_TABLE = {name: evaluate(design) for name, design in premium.table_designs().items()}
HOURLY_SECONDS = round(_TABLE[premium.HOURLY].latency_worst_seconds)
NIGHTLY_SECONDS = round(_TABLE[premium.NIGHTLY].latency_worst_seconds)
STREAM_SECONDS = round(_TABLE[premium.STREAMING].latency_worst_seconds, 1)
OVER_HOURLY = round(premium.premium(_TABLE[premium.STREAMING], _TABLE[premium.HOURLY]))
OVER_NIGHTLY = round(premium.premium(_TABLE[premium.STREAMING], _TABLE[premium.NIGHTLY]))
CURVE_FROM_SECONDS, CURVE_POINTS = 0.05, 45


@dataclass(frozen=True)
class Settings:
    """What lateness costs, two designs' latencies, and the premium of the fast one.

    `usd_per_minute` is lost for each minute above the threshold, each time, `times_a_year`;
    `most_usd_per_year` 0 sets no most. `premium_usd_per_day` is over the slow design's bill.
    """

    usd_per_minute: float = 100
    times_a_year: float = DAYS_PER_YEAR
    threshold_seconds: float = 5
    most_usd_per_year: float = NO_MOST
    slow_seconds: float = HOURLY_SECONDS
    fast_seconds: float = STREAM_SECONDS
    premium_usd_per_day: float = OVER_HOURLY

    def __post_init__(self) -> None:
        for name in ("slow_seconds", "fast_seconds", "premium_usd_per_day"):
            value = getattr(self, name)
            if not 0 <= value <= 1e12:
                raise ValueError(f"{name} must be a number of at least 0, got {value!r}")
        check("threshold_seconds", self.threshold_seconds)
        self.lateness()

    def lateness(self) -> Lateness:
        return Lateness(
            self.usd_per_minute,
            self.threshold_seconds,
            self.times_a_year,
            self.most_usd_per_year or None,
        )


@dataclass(frozen=True)
class Outcome:
    """Value, premium (USD a year) and break-even (USD a minute, each time; None: never)."""

    settings: Settings
    value_usd_per_year: float
    premium_usd_per_year: float
    break_even_usd_per_minute: float | None

    @property
    def pays(self) -> bool:
        return self.value_usd_per_year > self.premium_usd_per_year

    @cached_property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        now, late = self.settings, self.settings.lateness()
        # A little beyond the slower design, so that the two fill the picture.
        until = 1.6 * max(now.slow_seconds, now.fast_seconds, MINUTE)
        curve = np.geomspace(CURVE_FROM_SECONDS, until, CURVE_POINTS).round(4).tolist()
        kinks = {now.threshold_seconds, late.lost_from_seconds}
        curve += [kink for kink in kinks if CURVE_FROM_SECONDS < kink < until]
        designs = [
            {
                "design": design,
                "seconds": seconds,
                "usd": _rounded(late.usd_per_year(seconds)),
                "says": f"{design}, {words.duration(seconds)}",
            }
            for design, seconds in (("fast", now.fast_seconds), ("slow", now.slow_seconds))
        ]
        return {
            "curve": [
                {"seconds": seconds, "usd": _rounded(late.usd_per_year(seconds))}
                for seconds in sorted(curve)
            ],
            "designs": designs,
            "bars": [
                {"what": what, "usd": _rounded(usd), "says": said_usd(usd)}
                for what, usd in (
                    ("value", self.value_usd_per_year),
                    ("premium", self.premium_usd_per_year),
                )
            ],
        }

    @property
    def meaning(self) -> str:
        now, even = self.settings, self.break_even_usd_per_minute
        value = (
            f"<b>{said_usd(self.value_usd_per_year)} a year</b> is what the faster design is worth"
        )
        against = f"against a premium of {said_usd(self.premium_usd_per_year)}"
        if now.fast_seconds >= now.slow_seconds:
            verdict = "<b>It is not faster</b>: there is nothing to pay for."
        elif self.value_usd_per_year <= 0:
            verdict = (
                "<b>Build the slower one</b>: nobody loses a dollar by it. A stream here is a "
                "feature that nobody uses."
            )
        elif self.pays:
            left = self.value_usd_per_year - self.premium_usd_per_year
            verdict = f"<b>It pays</b>, with {said_usd(left)} a year to spare."
        else:
            verdict = "<b>Build the slower one</b>: the premium is more than it brings."
        if now.fast_seconds >= now.slow_seconds or even is None:
            least = "At no price of a minute would it pay."
        else:
            least = (
                f"Break-even: a minute must cost {said_usd(even)} each time; you say "
                f"{said_usd(now.usd_per_minute)}."
            )
        return f'<div role="status">{value}, {against}. {verdict} {least}</div>'

    @property
    def idle(self) -> tuple[str, ...]:
        return ()


def solve(settings: Settings) -> Outcome:
    """Hold value against premium; `Settings` has refused what has no answer."""
    late, yearly = settings.lateness(), settings.premium_usd_per_day * DAYS_PER_YEAR
    slow, fast = settings.slow_seconds, settings.fast_seconds
    return Outcome(
        settings,
        late.value_usd_per_year(slow, fast),
        yearly,
        late.break_even_usd_per_minute(yearly, slow, fast),
    )


def _rounded(amount: float) -> float:
    return float(f"{amount:.5g}")


# The occasions are the text's; it prices none, so the dollars are ours, to be replaced.
PRESETS = {
    "Fraud within seconds": Settings(),
    "Bids within 100 ms": Settings(
        usd_per_minute=100_000,
        threshold_seconds=0.1,
        most_usd_per_year=2_000_000,
        fast_seconds=0.05,
    ),
    "Outage, 20 min sooner": Settings(
        usd_per_minute=1_000,
        times_a_year=12,
        threshold_seconds=0,
        slow_seconds=20 * MINUTE,
    ),
    "A dashboard nobody needs": Settings(
        usd_per_minute=0,
        slow_seconds=NIGHTLY_SECONDS,
        premium_usd_per_day=OVER_NIGHTLY,
    ),
}


def latency_value(**settings: Any) -> Calculator:
    """The value-of-latency calculator, with the settings (fields of `Settings`) as given.

    Raises ValueError or TypeError for a setting that it does not have or that no control has.
    """
    return Calculator(
        "calculators.latency_value",
        Settings(**settings),
        PRESETS,
        {
            "usd_per_minute": Steps("A minute late costs", USD_PER_MINUTE, words.usd),
            "times_a_year": Steps("Times a year", TIMES_A_YEAR, words.count),
            "threshold_seconds": Steps("Free below", THRESHOLDS, words.duration),
            "most_usd_per_year": Steps("Most to lose, a year", MOSTS, _say_most),
            "slow_seconds": Steps("Slow design", LATENCIES, words.duration),
            "fast_seconds": Steps("Fast design", LATENCIES, words.duration),
            "premium_usd_per_day": Steps("Premium, a day", PREMIUMS, words.usd),
        },
        solve,
        charts.worth_of_latency("curve", "designs", "bars"),
    )


def _say_most(usd: float) -> str:
    if usd == NO_MOST:
        return "no limit"
    return "$" + words.count(usd).replace(" ", "\N{NO-BREAK SPACE}")
