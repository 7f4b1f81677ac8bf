"""The cause behind a diagnosis, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradeoff.model import tier_of

if TYPE_CHECKING:
    from tradeoff.diagnosis.verdict import Diagnosis

HEALTHY = "healthy"
OUTGROWN, SLOWER, PEAK = "outgrown window", "slower runs", "under-provisioned peak"
TIER, CADENCE, DEADLINE = "tier mismatch", "cadence too slow", "deadline missed"
BUDGET, STREAM, STATE = "over budget", "unneeded streaming", "state growth"


def cause(found: Diagnosis) -> str | None:
    """What makes the failing dimension fail; None when the history does not tell.

    Beside the constants above there is no other. `tier mismatch`: a need that is not met is of a
    fresher tier than what the cadence gives; `cadence too slow`: it is of the same one.
    """
    if found.fails == "throughput":
        if found.findings["peak"].verdict == "yes":
            return PEAK
        if found.outgrown:
            return OUTGROWN
        return SLOWER if found.slowed else None
    if found.fails == "latency":
        return _too_old(found)
    if found.fails == "cost":
        return STREAM if found.findings["rhythm"].verdict == "yes" else BUDGET
    return {"state": STATE, "none": HEALTHY, None: None}[found.fails]


def _too_old(found: Diagnosis) -> str:
    late = [one for one in found.served if one.state == "above"]
    gets = [tier_of(one.age_hours.mid * 3600) for one in late]
    if any(one.consumer.tier < tier for one, tier in zip(late, gets, strict=True)):
        return TIER
    aged = any(one.age_hours.against(one.need_hours) == "above" for one in late)
    return CADENCE if aged else DEADLINE
