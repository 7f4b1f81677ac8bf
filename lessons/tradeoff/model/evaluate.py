"""One call for one design, one for many, one to compare plans: the same arithmetic behind all."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model import cost, state, timing, words
from tradeoff.model.design import Design, Plan
from tradeoff.model.engine import Billing, Engine
from tradeoff.model.quantities import HOUR_SECONDS, QUANTITIES, check, check_array
from tradeoff.model.rhythm import Cadence, Rhythm
from tradeoff.model.tiers import Consumer
from tradeoff.model.workload import State

DIMENSIONS = ("latency", "throughput", "state", "cost")
# Rows evaluated at once: arrays of 24 slots that stay in a processor's cache.
CHUNK_ROWS = 4096

_WORKLOAD = (
    "events_per_day",
    "bytes_per_event",
    "work_per_event",
    "fixed_seconds",
    "fixed_seconds_incremental",
    "full_read_days",
)
_LIMITS = ("source_events_per_second", "sink_events_per_second")
_STATE = ("keys", "new_keys_per_day", "values_per_key", "bytes_per_value")
_STATE_SPANS = ("window_seconds", "watermark_seconds", "pane_seconds")
_ENGINE = (
    "start_up_seconds",
    "overhead_seconds",
    "latency_floor_seconds",
    "events_per_second_per_slot",
    "slots_per_node",
    "node_usd_per_hour",
    "minimum_billed_seconds",
    "minimum_nodes",
    "standby_nodes",
    "stateful_slowdown",
    "state_index_overhead",
    "state_copies",
    "state_bytes_per_node",
    "state_usd_per_gb_month",
    "operations_usd_per_day",
)
_NUMBERS = (
    *_WORKLOAD,
    *_LIMITS,
    *_STATE,
    *_STATE_SPANS,
    *_ENGINE,
    "interval_seconds",
    "nodes",
    "start_hour",
    "run_window_hours",
)
SWEEPABLE = (*_NUMBERS, "incremental", "engine", "cadence", "rhythm")


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
    row = _figures(_columns([design]), _curves([design]), days)
    figures = {name: values[0].item() for name, values in row.items()}
    ratios = _ratios(design, figures)
    rejected = _rejections(design, figures)
    worst = max(ratios, key=lambda name: ratios[name])
    # Runs that no longer fit make their results late too: the cause is named, not the symptom.
    binds = "throughput" if rejected and not figures["fits_window"] else worst
    return Evaluation(
        design, figures, binds, rejected, _sentence(design, figures, binds, rejected), ratios
    )


def sized(design: Design, target_utilisation: float = 0.7) -> Design:
    """The design with the fewest nodes that keep its peak at the target utilisation.

    Raises ValueError where no number of nodes does (the time is not in the transform).
    """
    target = np.array([check("target_utilisation", target_utilisation)])
    nodes = timing.nodes_needed(_columns([design]), _curves([design]), target)[0]
    if not nodes:
        raise ValueError(
            f"no number of nodes keeps {design.name!r} at {target_utilisation:.0%} utilisation: "
            "what nodes do not shorten (start-up, fixed work, source, sink) already takes longer"
        )
    return design.but(nodes=int(nodes))


def sweep(design: Design, horizon_days: int = 1, **axes: Iterable[Any]) -> pd.DataFrame:
    """Evaluate every combination of the axes around one design; tidy, one row a combination.

    Axes are fields of the workload, its state or the engine by name, `nodes`, `interval_seconds`,
    `start_hour`, `run_window_hours`, `incremental`, or whole objects: `engine`, `rhythm`,
    `cadence`. The DataFrame holds one column an axis (objects by name) and all figures.

    Raises ValueError for an unknown or empty axis, and what the design raises for bad values.
    """
    days = int(check("horizon_days", horizon_days))
    values = {name: list(axis) for name, axis in axes.items()}
    for name, axis in values.items():
        if name not in SWEEPABLE:
            raise ValueError(f"cannot sweep {name!r}; axes are {', '.join(SWEEPABLE)}")
        if not axis:
            raise ValueError(f"axis {name!r} is empty")
    objects = [name for name in ("engine", "rhythm", "cadence") if name in values]
    numbers = {name: _axis(name, axis) for name, axis in values.items() if name not in objects}
    _check_axes(design, numbers)
    combinations = list(itertools.product(*(values[name] for name in objects)))
    designs = [design.but(**dict(zip(objects, chosen, strict=True))) for chosen in combinations]
    sizes = [len(designs), *(len(axis) for axis in numbers.values())]
    total = math.prod(sizes)
    base, curves = _columns(designs), _curves(designs)
    same_curve = bool((curves == curves[0]).all())
    names = {
        name: np.array([_label(combination[i]) for combination in combinations], dtype=object)
        for i, name in enumerate(objects)
    }
    whole = {name for name in numbers if name in QUANTITIES and QUANTITIES[name].whole}

    def rows(start: int) -> dict[str, np.ndarray]:
        flat = np.arange(start, min(start + CHUNK_ROWS, total))
        which, *places = np.unravel_index(flat, sizes)
        columns = {name: column[which] for name, column in base.items()}
        chosen = {
            name: axis[place] for (name, axis), place in zip(numbers.items(), places, strict=True)
        }
        columns = _derived({**columns, **chosen})
        figures = _figures(columns, curves[:1] if same_curve else curves[which], days)
        shown = {name: label[which] for name, label in names.items()} | {
            name: axis.astype(np.int64) if name in whole else axis for name, axis in chosen.items()
        }
        return {**{name: shown[name] for name in axes}, **figures}

    starts = range(0, total, CHUNK_ROWS)
    table: dict[str, np.ndarray] = {}
    # NumPy lets go of the interpreter in its loops, so chunks share the machine's cores.
    with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
        for start, part in zip(starts, pool.map(rows, starts), strict=True):
            for name, values_of in part.items():
                if start == 0:
                    table[name] = np.empty(total, dtype=values_of.dtype)
                table[name][start : start + len(values_of)] = values_of
    return pd.DataFrame(table, copy=False)


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


def _label(value: Any) -> str:
    return str(value.name if isinstance(value, Engine) else value)


def _axis(name: str, axis: list[Any]) -> np.ndarray:
    if name == "incremental":
        if not all(isinstance(value, bool | np.bool_) for value in axis):
            raise TypeError(f"incremental must be True or False, got {axis!r}")
        return np.array(axis, dtype=bool)
    return check_array(name, axis)


def _check_axes(design: Design, numbers: Mapping[str, np.ndarray]) -> None:
    """What a design checks across fields, for swept columns too."""
    if "interval_seconds" in numbers:
        if design.cadence.kind != "every":
            raise ValueError(
                f"interval_seconds needs Cadence.every(...), got {design.cadence.kind!r}"
            )
        for value in numbers["interval_seconds"][numbers["interval_seconds"] > HOUR_SECONDS]:
            Cadence.every(value)
    if design.workload.state is None and set(numbers) & {*_STATE, *_STATE_SPANS}:
        raise ValueError("the workload is stateless: give it a State before sweeping state fields")
    if design.rhythm is Rhythm.STREAMING and not numbers.get("incremental", np.ones(1)).all():
        raise ValueError("a stream reads each event once: incremental must be True")


def _curves(designs: Sequence[Design]) -> np.ndarray:
    return np.array([design.workload.curve for design in designs])


def _columns(designs: Sequence[Design]) -> dict[str, np.ndarray]:
    rows = [_numbers(design) for design in designs]
    numbers = {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}
    flags = {
        "incremental": [design.incremental for design in designs],
        "streaming": [design.rhythm is Rhythm.STREAMING for design in designs],
        "timed": [design.cadence.kind == "every" for design in designs],
        "has_state": [design.workload.state is not None for design in designs],
        "keeps_state": [
            design.workload.state is not None and design.rhythm is not Rhythm.BATCH
            for design in designs
        ],
        "always_on": [design.engine.billing is Billing.ALWAYS_ON for design in designs],
    }
    return _derived({**numbers, **{name: np.array(flag) for name, flag in flags.items()}})


def _numbers(design: Design) -> dict[str, float]:
    workload, engine = design.workload, design.engine
    kept = workload.state or State(keys=1.0)
    values: dict[str, Any] = {name: getattr(workload, name) for name in (*_WORKLOAD, *_LIMITS)}
    values |= {name: getattr(kept, name) for name in (*_STATE, *_STATE_SPANS)}
    values |= {name: getattr(engine, name) for name in _ENGINE}
    values |= {
        "interval_seconds": design.cadence.interval_seconds,
        "nodes": design.nodes,
        "start_hour": design.start_hour,
        "run_window_hours": design.run_window_hours,
        "operations_factor": cost.OPERATIONS_FACTOR[design.rhythm.value],
    }
    return {name: math.inf if value is None else float(value) for name, value in values.items()}


def _derived(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        **columns,
        "coarse": columns["interval_seconds"] > HOUR_SECONDS,
        "run_window_seconds": columns["run_window_hours"] * HOUR_SECONDS,
    }


def _figures(
    columns: Mapping[str, np.ndarray], curve: np.ndarray, horizon_days: int
) -> dict[str, np.ndarray]:
    found = timing.slots(columns, curve, horizon_days)
    held = state.sizes(columns, horizon_days)
    return {
        **timing.runs(columns, found),
        **timing.latencies(columns, found),
        **held,
        **cost.costs(columns, found, held),
    }


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
