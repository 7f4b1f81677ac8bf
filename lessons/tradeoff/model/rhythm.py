"""Rhythm is the mode of a pipeline, cadence is how often it runs: two choices, not one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS, seconds


class Rhythm(StrEnum):
    """The mode: bounded runs, small batches under a long-running query, or event by event."""

    BATCH = "batch"
    MICRO_BATCH = "micro-batch"
    STREAMING = "streaming"


@dataclass(frozen=True)
class Cadence:
    """How often work starts. Build it with `every`, `as_soon_as_possible` or `per_event`.

    `interval_seconds` is the trigger interval of `every`; 0 for the other two.
    """

    kind: str
    interval_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("every", "as soon as possible", "per event"):
            raise ValueError(
                "cadence must be 'every', 'as soon as possible' or 'per event', "
                f"got {self.kind!r}: use Cadence.every('4 min') and its sisters"
            )
        if self.kind == "every":
            object.__setattr__(
                self, "interval_seconds", seconds("interval_seconds", self.interval_seconds)
            )
            if self.interval_seconds > HOUR_SECONDS and (
                DAY_SECONDS % self.interval_seconds or self.interval_seconds % HOUR_SECONDS
            ):
                raise ValueError(
                    "interval_seconds must be at most an hour or one of 2, 3, 4, 6, 8, 12, 24 "
                    f"hours, so that a day holds whole runs, got {self.interval_seconds:g} s"
                )
        elif self.interval_seconds:
            raise ValueError(f"interval_seconds must be 0 for {self.kind!r}")

    @classmethod
    def every(cls, interval: Any) -> Cadence:
        """Every `interval`: seconds, a Timedelta, or text such as "4 min".

        Raises ValueError for an interval that is not positive, longer than the model's day, or
        longer than an hour without dividing the day.
        """
        return cls("every", interval)

    @classmethod
    def as_soon_as_possible(cls) -> Cadence:
        """The next batch starts when the one before ends (Spark without a trigger)."""
        return cls("as soon as possible")

    @classmethod
    def per_event(cls) -> Cadence:
        """No waiting for company: each event is processed when it arrives."""
        return cls("per event")

    def __str__(self) -> str:
        if self.kind != "every":
            return self.kind
        for size, word in ((DAY_SECONDS, "day"), (HOUR_SECONDS, "h"), (60.0, "min")):
            if self.interval_seconds >= size and self.interval_seconds % size == 0:
                count = self.interval_seconds / size
                return "daily" if word == "day" else f"every {count:g} {word}"
        return f"every {self.interval_seconds:g} s"
