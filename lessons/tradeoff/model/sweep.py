"""Many designs in one call."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model.columns import (
    STATE,
    STATE_SPANS,
    SWEEPABLE,
    columns_of,
    curves_of,
    derived,
    figures_of,
)
from tradeoff.model.design import Design
from tradeoff.model.engine import Engine
from tradeoff.model.quantities import HOUR_SECONDS, QUANTITIES, check, check_array
from tradeoff.model.rhythm import Cadence, Rhythm
from tradeoff.model.tiers import Consumer

# Rows evaluated at once: arrays of 24 slots that stay in a processor's cache.
CHUNK_ROWS = 4096


def sweep(design: Design, horizon_days: int = 1, **axes: Iterable[Any]) -> pd.DataFrame:
    """Evaluate every combination of the axes around one design; tidy, one row a combination.

    Axes are fields of the workload, its state or the engine by name, `nodes`, `interval_seconds`,
    `start_hour`, `run_window_hours`, `incremental`, or whole objects: `engine`, `rhythm`,
    `cadence`. The DataFrame holds one column an axis (objects by name) and all figures: about 250
    bytes a row, and little more is needed to make it.

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
    base, curves = columns_of(designs), curves_of(designs)
    same_curve = bool((curves == curves[0]).all())
    names = {
        name: np.array([_label(combination[i]) for combination in combinations], dtype=object)
        for i, name in enumerate(objects)
    }
    whole = {name for name in numbers if name in QUANTITIES and QUANTITIES[name].whole}

    def rows(start: int) -> dict[str, np.ndarray]:
        flat = np.arange(start, min(start + CHUNK_ROWS, total))
        which, *places = np.unravel_index(flat, sizes)
        if len(designs) == 1:
            columns = {name: np.broadcast_to(column, len(flat)) for name, column in base.items()}
        else:
            columns = {name: column[which] for name, column in base.items()}
        chosen = {
            name: axis[place] for (name, axis), place in zip(numbers.items(), places, strict=True)
        }
        columns = derived({**columns, **chosen})
        figures = figures_of(columns, curves[:1] if same_curve else curves[which], days)
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


def serves(
    figures: pd.DataFrame | Mapping[str, np.ndarray],
    consumers: Sequence[Consumer],
    run_window_hours: float | None = None,
) -> np.ndarray:
    """Which rows keep up, fit the run window, bound their state and serve all the consumers.

    `figures` is a sweep, or the model's figures as columns; what `Evaluation.serves` says of one
    design without a budget, (rows,) of bool.
    """
    columns = {name: np.asarray(figures[name]) for name in _DECIDING}
    good = columns["keeps_up"].astype(bool) & ~columns["state_grows"].astype(bool)
    if run_window_hours is not None:
        good &= columns["run_longest_seconds"] <= run_window_hours * HOUR_SECONDS * (1 + 1e-9)
    for consumer in consumers:
        need = consumer.freshness_seconds or math.inf
        good &= columns["latency_worst_seconds"] <= need * (1 + 1e-9)
        if consumer.deadline_hour is not None:
            good &= columns["yesterday_complete_hour"] <= consumer.deadline_hour + 1e-9
    return np.asarray(good)


_DECIDING = (
    "keeps_up",
    "state_grows",
    "run_longest_seconds",
    "latency_worst_seconds",
    "yesterday_complete_hour",
)


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
    if design.workload.state is None and set(numbers) & {*STATE, *STATE_SPANS}:
        raise ValueError("the workload is stateless: give it a State before sweeping state fields")
    if design.rhythm is Rhythm.STREAMING and not numbers.get("incremental", np.ones(1)).all():
        raise ValueError("a stream reads each event once: incremental must be True")
