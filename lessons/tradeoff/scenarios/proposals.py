"""Proposals need by need and bill by bill: plans as tidy tables, ready to print and to draw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from tradeoff.model import Consumer, Evaluation, Plan, evaluate, words
from tradeoff.model.quantities import HOUR_SECONDS

PARTS = ("compute", "operations", "state")
VERDICTS = WITHIN, CATCHES_UP, MISSED = (
    "within its limit",
    "overruns, catches up",
    "misses its limit",
)
# A figure this close above its limit is rounding.
SLACK = 1e-9


def needs(plans: Sequence[Plan]) -> pd.DataFrame:
    """One row a need of each plan: of every consumer, and of every path's longest run.

    ============ ===== =========================================================================
    plan, path   str
    need         str   the consumer's name, or "longest run" (with the path's name in a split)
    limit_used   float figure over limit: above 1 the limit is passed
    verdict      str   `WITHIN`; `MISSED`, which rejects the plan (also a limit kept today by a path
                       that falls behind); or `CATCHES_UP`: a run outlasts its interval, and the
                       day's work is done all the same
    says         str   figure and limit as a person says them
    ============ ===== =========================================================================

    A plan serves everyone when none of its needs is `MISSED`.
    """
    return pd.DataFrame(
        [row for plan in plans for row in needs_of(plan, map(evaluate, plan.paths))]
    )


def bills(plans: Sequence[Plan]) -> pd.DataFrame:
    """Three rows a plan, columns plan, part (`PARTS`) and usd: what its paths cost a day."""
    return pd.DataFrame(
        [row for plan in plans for row in bills_of(plan, list(map(evaluate, plan.paths)))]
    )


def needs_of(plan: Plan, found: Iterable[Evaluation]) -> Iterator[dict[str, Any]]:
    """The rows of `needs` for one plan whose paths are evaluated already."""
    run = "longest run" if len(plan.paths) == 1 else "longest run, {}"
    for one in found:
        path = one.design
        consumers = [_of_consumer(one, consumer) for consumer in path.consumers]
        for row in (*consumers, _of_run(one, run.format(path.name))):
            yield {"plan": plan.name, "path": path.name, **row}


def bills_of(plan: Plan, found: Sequence[Evaluation]) -> Iterator[dict[str, Any]]:
    """The rows of `bills` for one plan whose paths are evaluated already."""
    for part in PARTS:
        usd = sum(one.figures[f"{part}_usd_per_day"] for one in found)
        yield {"plan": plan.name, "part": part, "usd": usd}


def _of_consumer(found: Evaluation, consumer: Consumer) -> dict[str, Any]:
    """The consumer's freshness or its deadline, whichever limit is used more."""
    worst, need = found.latency_worst_seconds, consumer.freshness_seconds or math.inf
    said = f"oldest order {words.duration(worst)}, needed within {words.duration(need)}"
    rows = [_row(consumer.name, worst / need, said)]
    if consumer.deadline_hour is not None:
        complete, due = found.yesterday_complete_hour, consumer.deadline_hour
        said = f"yesterday complete at {words.clock(complete)}, needed by {words.clock(due)}"
        rows.append(_row(consumer.name, complete / due, said))
    row = max(rows, key=lambda row: row["limit_used"])
    if found.keeps_up or row["verdict"] == MISSED:
        return row
    return row | {"verdict": MISSED, "says": f"{row['says']}; later each day: it falls behind"}


def _of_run(found: Evaluation, name: str) -> dict[str, Any]:
    design, longest = found.design, words.duration(found.run_longest_seconds)
    window, used = design.run_window_hours, found.utilisation_peak
    if not found.keeps_up:
        waiting = words.count(found.backlog_events)
        return _row(name, used, f"{longest}; at the day's end {waiting} orders wait", MISSED)
    if window is not None:
        used = found.run_longest_seconds / (window * HOUR_SECONDS)
        return _row(name, used, f"{longest}, window {window:g} h")
    if design.cadence.kind == "per event":
        return _row(name, used, f"none: busy {used:.0%} of the time at the peak")
    interval = words.duration(design.cadence.interval_seconds)
    said = f"{longest}, next one due after {interval}"
    return _row(name, used, said, WITHIN if used <= 1 + SLACK else CATCHES_UP)


def _row(need: str, used: float, says: str, verdict: str | None = None) -> dict[str, Any]:
    verdict = verdict or (WITHIN if used <= 1 + SLACK else MISSED)
    return {"need": need, "limit_used": used, "verdict": verdict, "says": says}
