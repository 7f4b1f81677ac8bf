"""Latency against events per dollar: many designs for one workload, and which are worth having."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from tradeoff.model import capacity, columns, words
from tradeoff.model.design import Design
from tradeoff.model.engine import Engine
from tradeoff.model.quantities import HOUR_SECONDS, check, check_array
from tradeoff.model.rhythm import Cadence, Rhythm
from tradeoff.model.workload import Workload


def efficient(latency_seconds: Iterable[float], events_per_usd: Iterable[float]) -> np.ndarray:
    """Which designs no other beats: the Pareto frontier, (designs,) of bool.

    A design is beaten by one that is no worse in both and better in one. Of equal designs the
    first is kept. Raises ValueError for columns of different length or with a NaN.
    """
    latency, gain = (
        np.asarray(list(values), dtype=float) for values in (latency_seconds, events_per_usd)
    )
    if latency.shape != gain.shape or np.isnan(latency).any() or np.isnan(gain).any():
        raise ValueError(
            "latency_seconds and events_per_usd must be of one length and without NaN, "
            f"got {len(latency)} and {len(gain)} values"
        )
    order = np.lexsort((np.arange(len(gain)), -gain, latency))  # fastest first, of these the best
    best_so_far = np.maximum.accumulate(np.concatenate([[-np.inf], gain[order]]))
    kept = np.zeros(len(gain), dtype=bool)
    kept[order] = gain[order] > best_so_far[:-1]
    return kept


def offers(
    workload: Workload,
    engines: Sequence[Engine],
    intervals_seconds: Iterable[float],
    least_nodes: int = 1,
) -> pd.DataFrame:
    """Every engine at every interval (streams: event by event), incremental, one row a design.

    A cluster has `least_nodes`, and more where the workload's peak needs them (at 70 % of the
    interval, or of the stream's capacity). Designs that no number of nodes keeps up are left out.
    Runs of an hour or more apart are batches where the engine has that mode: they keep no state
    between runs.

    Columns: engine, rhythm, interval_seconds (0 for a stream), says (the cadence in words), nodes,
    latency_worst_seconds, cost_usd_per_day, events_per_usd, efficient (none of the others beats
    it). Raises what `Cadence.every` raises for an interval that does not fit the day.
    """
    least = int(check("nodes", least_nodes))
    intervals = check_array("interval_seconds", list(intervals_seconds))
    for interval in intervals[intervals > HOUR_SECONDS]:
        Cadence.every(interval.item())
    pairs = [pair for engine in engines for pair in _bases(workload, engine, intervals)]
    bases, spans = [base for base, _ in pairs], [span for _, span in pairs]
    which = np.repeat(np.arange(len(bases)), [len(span) for span in spans])
    numbers = {name: column[which] for name, column in columns.columns_of(bases).items()}
    numbers = columns.derived(numbers | {"interval_seconds": np.concatenate(spans)})
    curve = np.asarray(workload.curve)[None, :]
    needed = capacity.nodes_needed(numbers, curve, capacity.TARGET_UTILISATION)
    possible = needed > 0
    numbers = {name: column[possible] for name, column in numbers.items()}
    numbers["nodes"] = np.maximum(needed[possible], least)
    which = which[possible]
    table = pd.DataFrame(
        {
            "engine": [bases[i].engine.name for i in which],
            "rhythm": [bases[i].rhythm.value for i in which],
            "interval_seconds": numbers["interval_seconds"],
            "says": [_says(value) for value in numbers["interval_seconds"]],
            "nodes": numbers["nodes"].astype(int),
        }
    )
    if not len(table):
        return table.assign(
            latency_worst_seconds=[], cost_usd_per_day=[], events_per_usd=[], efficient=[]
        )
    figures = columns.figures_of(numbers, curve, 1)
    table["latency_worst_seconds"] = figures["latency_worst_seconds"]
    table["cost_usd_per_day"] = figures["cost_usd_per_day"]
    table["events_per_usd"] = workload.events_per_day / table["cost_usd_per_day"]
    table["efficient"] = efficient(table["latency_worst_seconds"], table["events_per_usd"])
    return table


def design_of(
    workload: Workload, engine: Engine, interval_seconds: float, nodes: int = 1
) -> Design:
    """One row of `offers` as a design: interval 0 is event by event."""
    base = _base(workload, engine, interval_seconds < HOUR_SECONDS)
    cadence = base.cadence if base.rhythm is Rhythm.STREAMING else Cadence.every(interval_seconds)
    return base.but(cadence=cadence, nodes=nodes)


def _base(workload: Workload, engine: Engine, often: bool) -> Design:
    if Rhythm.STREAMING in engine.rhythms:
        return Design(workload, engine, Rhythm.STREAMING, Cadence.per_event())
    wanted = Rhythm.MICRO_BATCH if often else Rhythm.BATCH
    rhythm = wanted if wanted in engine.rhythms else engine.rhythms[0]
    return Design(workload, engine, rhythm, Cadence.every(HOUR_SECONDS))


def _bases(
    workload: Workload, engine: Engine, intervals: np.ndarray
) -> Iterator[tuple[Design, np.ndarray]]:
    """A design for the intervals below an hour, one for the others; of a stream, one in all."""
    if Rhythm.STREAMING in engine.rhythms:
        yield _base(workload, engine, True), np.zeros(1)
        return
    for often in (True, False):
        yield _base(workload, engine, often), intervals[(intervals < HOUR_SECONDS) == often]


def _says(interval_seconds: float) -> str:
    return words.duration(interval_seconds) if interval_seconds else "per event"
