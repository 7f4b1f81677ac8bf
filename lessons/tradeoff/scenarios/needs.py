"""Need by need: how far each consumer, and each run, is inside or outside its limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from tradeoff.model import Consumer, Evaluation, Plan, evaluate, words
from tradeoff.model.quantities import HOUR_SECONDS

# A figure this close above its limit is rounding.
SLACK = 1e-9


def needs(plans: Sequence[Plan]) -> pd.DataFrame:
    """One row a need of each plan: of every consumer, and of every path's longest run.

    ============= ===== ==========================================================================
    plan, path    str
    need          str   the consumer's name, or "longest run"
    limit_used    float figure over limit: above 1 the limit is passed
    met           bool  False rejects the plan; a run that outlasts its interval but has caught up
                        by the end of the day is allowed
    says          str   figure and limit as a person says them
    ============= ===== ==========================================================================

    A plan serves everyone when all its needs are met.
    """
    return pd.DataFrame(
        [
            {"plan": plan.name, "path": path.name, **row}
            for plan in plans
            for path in plan.paths
            for row in of_path(evaluate(path))
        ]
    )


def of_path(found: Evaluation) -> Iterator[dict[str, Any]]:
    """The needs of one evaluated path: its consumers', then its longest run's."""
    for consumer in found.design.consumers:
        # The limit that is used most speaks for the consumer.
        yield max(_of_consumer(found, consumer), key=lambda row: row["limit_used"])
    yield _of_run(found)


def _of_consumer(found: Evaluation, consumer: Consumer) -> Iterator[dict[str, Any]]:
    worst, need = found.latency_worst_seconds, consumer.freshness_seconds or math.inf
    yield _row(
        consumer.name,
        worst / need,
        f"oldest order {words.duration(worst)}, needed within {words.duration(need)}",
    )
    if consumer.deadline_hour is not None:
        complete = found.yesterday_complete_hour
        yield _row(
            consumer.name,
            complete / consumer.deadline_hour,
            f"yesterday complete at {words.clock(complete)}, "
            f"needed by {words.clock(consumer.deadline_hour)}",
        )


def _of_run(found: Evaluation) -> dict[str, Any]:
    name, longest = "longest run", words.duration(found.run_longest_seconds)
    window = found.design.run_window_hours
    if not found.keeps_up:
        waiting = words.count(found.backlog_events)
        return _row(
            name,
            found.utilisation_peak,
            f"{longest}; at midnight {waiting} orders still wait",
            met=False,
        )
    if window is not None:
        used = found.run_longest_seconds / (window * HOUR_SECONDS)
        return _row(name, used, f"{longest}, window {window:g} h")
    if found.design.cadence.kind == "per event":
        share = f"{found.utilisation_peak:.0%} of its capacity at the peak"
        return _row("longest run", found.utilisation_peak, f"no runs: {share}")
    interval = words.duration(found.design.cadence.interval_seconds)
    return _row(name, found.utilisation_peak, f"{longest}, next one after {interval}", met=True)


def _row(need: str, used: float, says: str, met: bool | None = None) -> dict[str, Any]:
    met = used <= 1 + SLACK if met is None else met
    return {"need": need, "limit_used": used, "met": met, "says": says}
