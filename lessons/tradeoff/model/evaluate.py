"""One design evaluated, with the sentence that says which dimension binds; plans compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model import capacity, words
from tradeoff.model.columns import columns_of, curves_of, figures_of
from tradeoff.model.design import Design, Plan
from tradeoff.model.quantities import HOUR_SECONDS, check
from tradeoff.model.tiers import Consumer


@dataclass(frozen=True)
class Evaluation:
    """What the model says of one design. All figures are in `figures`, by column name.

    Attributes
    ----------
    binds : the dimension closest to (or furthest beyond) its limit.
    rejected : reasons why the design does not do, each a sentence; empty when it serves everyone.
    sentence : which dimension binds and why, in one sentence.
    """

    design: Design
    figures: Mapping[str, Any]
    binds: str
    rejected: tuple[str, ...]
    sentence: str
    ratios: Mapping[str, float] = field(repr=False)

    @property
    def serves(self) -> bool:
        """True when every consumer, window and budget of the design is met."""
        return not self.rejected

    def __getattr__(self, name: str) -> Any:
        figures = self.__dict__.get("figures", {})
        if name in figures:
            return figures[name]
        raise AttributeError(
            f"an evaluation has no figure {name!r}: it has {', '.join(sorted(figures))}"
        )


def evaluate(design: Design, horizon_days: int = 1) -> Evaluation:
    """Evaluate one design over a horizon of whole days.

    The horizon matters under overload (what has piled up by its end) and for state that nothing
    bounds. Raises what `Design` and `quantities.check` raise.
    """
    if not isinstance(design, Design):
        raise TypeError(f"evaluate takes one Design, got {design!r}; plans go to compare()")
    days = int(check("horizon_days", horizon_days))
    row = figures_of(columns_of([design]), curves_of([design]), days)
    figures = {name: values[0].item() for name, values in row.items()}
    ratios = _ratios(design, figures)
    rejected = _rejections(design, figures)
    worst = max(ratios, key=lambda name: ratios[name])
    # Runs that no longer fit make their results late too: the cause is named, not the symptom.
    binds = "throughput" if rejected and _does_not_fit(design, figures) else worst
    return Evaluation(
        design, figures, binds, rejected, _sentence(design, figures, binds, rejected), ratios
    )


def sized(design: Design, target_utilisation: float = capacity.TARGET_UTILISATION) -> Design:
    """The design with the fewest nodes that keep its peak at the target utilisation.

    Raises ValueError where no number of nodes does (the time is not in the transform).
    """
    target = np.array([check("target_utilisation", target_utilisation)])
    nodes = capacity.nodes_needed(columns_of([design]), curves_of([design]), target)[0]
    if not nodes:
        raise ValueError(
            f"no number of nodes keeps {design.name!r} at {target_utilisation:.0%} utilisation: "
            "what nodes do not shorten (start-up, fixed work, source, sink) already takes longer"
        )
    return design.but(nodes=int(nodes))


def compare(plans: Sequence[Plan | Design], horizon_days: int = 1) -> pd.DataFrame:
    """One row a path of each plan: figures, `serves`, `binds`, `sentence`, and the plan's cost."""
    rows = []
    for plan in plans:
        paths = plan.paths if isinstance(plan, Plan) else (plan,)
        found = [evaluate(path, horizon_days) for path in paths]
        bill = sum(one.figures["cost_usd_per_day"] for one in found)
        for path, one in zip(paths, found, strict=True):
            rows.append(
                {
                    "plan": plan.name,
                    "path": path.name,
                    "consumers": ", ".join(consumer.name for consumer in path.consumers),
                    "serves": one.serves,
                    "binds": one.binds,
                    "plan_cost_usd_per_day": bill,
                    **one.figures,
                    "sentence": one.sentence,
                }
            )
    return pd.DataFrame(rows)


def _need(design: Design) -> Consumer | None:
    return min(design.consumers, key=lambda one: one.freshness_seconds or 0, default=None)


def _ratios(design: Design, figures: Mapping[str, Any]) -> dict[str, float]:
    """Each dimension's figure over its limit; 0 where nothing limits it."""
    latency = [
        figures["latency_worst_seconds"] / (consumer.freshness_seconds or math.inf)
        for consumer in design.consumers
    ] + [
        figures["yesterday_complete_hour"] / consumer.deadline_hour
        for consumer in design.consumers
        if consumer.deadline_hour is not None
    ]
    window = (design.run_window_hours or math.inf) * HOUR_SECONDS
    timed = design.cadence.kind == "every"
    capacity = design.nodes * design.engine.state_bytes_per_node
    filled = figures["state_local_bytes"] / capacity
    return {
        "latency": max(latency, default=0.0),
        "throughput": max(
            figures["utilisation_peak"],
            figures["run_longest_seconds"] / window if timed else 0.0,
        ),
        "state": 1.0 + filled if figures["state_grows"] else filled,
        "cost": figures["cost_usd_per_day"] / (design.budget_usd_per_day or math.inf),
    }


def _does_not_fit(design: Design, figures: Mapping[str, Any]) -> bool:
    """Work piles up, or a typical run outlasts its interval or window (not just at the peak)."""
    window = (design.run_window_hours or math.inf) * HOUR_SECONDS
    timed = design.cadence.kind == "every"
    room = min(window, design.cadence.interval_seconds) if timed else math.inf
    return not figures["keeps_up"] or figures["run_mean_seconds"] > room * (1 + 1e-9)


def _rejections(design: Design, figures: Mapping[str, Any]) -> tuple[str, ...]:
    reasons = []
    longest = words.duration(figures["run_longest_seconds"])
    if not figures["keeps_up"]:
        reasons.append(
            f"it falls behind: after the horizon {words.count(figures['backlog_events'])} events "
            f"({words.duration(figures['backlog_seconds'])} of work) wait"
        )
    window = design.run_window_hours
    if window is not None and figures["run_longest_seconds"] > window * HOUR_SECONDS * (1 + 1e-9):
        reasons.append(f"its longest run takes {longest}, its window is {window:g} h")
    for consumer in design.consumers:
        worst, need = figures["latency_worst_seconds"], consumer.freshness_seconds or math.inf
        if worst > need * (1 + 1e-9):
            reasons.append(
                f"{consumer.name} needs events within {words.duration(need)} (tier "
                f"{consumer.tier}), the oldest is {words.duration(worst)} old"
            )
        complete, deadline = figures["yesterday_complete_hour"], consumer.deadline_hour
        if deadline is not None and complete > deadline + 1e-9:
            reasons.append(
                f"{consumer.name} needs yesterday by {words.clock(deadline)}, "
                f"it is complete at {words.clock(complete)}"
            )
    if figures["state_grows"]:
        reasons.append("nothing bounds its state: it needs a window and a watermark")
    budget = design.budget_usd_per_day
    if budget is not None and figures["cost_usd_per_day"] > budget * (1 + 1e-9):
        reasons.append(
            f"it costs {words.usd(figures['cost_usd_per_day'])} a day, "
            f"the budget is {words.usd(budget)}"
        )
    return tuple(reasons)


def _sentence(
    design: Design, figures: Mapping[str, Any], binds: str, rejected: tuple[str, ...]
) -> str:
    said = {
        "latency": f"the oldest event is {words.duration(figures['latency_worst_seconds'])} old",
        "throughput": f"its busiest time uses {figures['utilisation_peak']:.0%} of the time it has",
        "state": f"it keeps {words.size(figures['state_hot_bytes'])} of state",
        "cost": f"it costs {words.usd(figures['cost_usd_per_day'])} a day",
    }[binds]
    if rejected:
        return f"Rejected on {binds}: " + "; ".join(rejected) + "."
    need = _need(design)
    served = "serves every consumer" if need else "keeps up"
    overrun = "" if figures["fits_window"] else "; at the peak a run outlasts its interval"
    return (
        f"{design.name} {served} at {words.usd(figures['cost_usd_per_day'])} a day; "
        f"{binds} is closest to its limit: {said}{overrun}."
    )
