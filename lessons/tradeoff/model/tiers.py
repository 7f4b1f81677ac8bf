"""Freshness tiers: what a consumer needs, not how often a pipeline runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS, check, check_fields

# The oldest an event may be when it becomes visible. Tier 1 "seconds and below" and tier 2
# "under 15 minutes" are the course's text, 10 s is our number for the first. An hourly (daily)
# consumer is served when an event is visible by the end of the hour (day) after its own: it waits
# at most one period for the trigger and at most one for the run.
TIER_SECONDS = {1: 10.0, 2: 15 * 60.0, 3: 2 * HOUR_SECONDS, 4: 2 * DAY_SECONDS}


@dataclass(frozen=True)
class Consumer:
    """Who reads the result.

    Attributes
    ----------
    tier : 1 seconds and below, 2 under 15 minutes, 3 hourly, 4 daily.
    freshness_seconds : the oldest an event may be when it becomes visible; by default its tier's.
    deadline_hour : local o'clock by which all of yesterday must be visible; None if there is none.
    share : the part of the events its view is built from; a path of its own needs no more. The
        views are taken as nested: a path for two consumers carries the larger share.
    """

    name: str
    tier: int
    freshness_seconds: float | None = None
    deadline_hour: float | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.tier not in TIER_SECONDS:
            raise ValueError(f"tier must be 1, 2, 3 or 4, got {self.tier!r}")
        if self.freshness_seconds is None:
            object.__setattr__(self, "freshness_seconds", TIER_SECONDS[self.tier])
        check_fields(self, "freshness_seconds", "deadline_hour", "share")

    @classmethod
    def needing(
        cls, name: str, freshness_seconds: Any, deadline_hour: Any = None, share: Any = 1.0
    ) -> Consumer:
        """A consumer whose tier follows from the freshness it needs."""
        return cls(name, tier_of(freshness_seconds), freshness_seconds, deadline_hour, share)


def tier_of(freshness_seconds: Any) -> int:
    """The tier of a need: 1 up to 10 s, 2 up to 15 minutes, 3 up to two hours, 4 beyond.

    A tier names the class; what must be met is the need itself: 20 minutes is tier 3, and still
    an hourly run is too late for it.
    """
    need = check("freshness_seconds", freshness_seconds)
    return min((tier for tier, bound in TIER_SECONDS.items() if need <= bound), default=4)
