"""The cheapest plan that serves every consumer, found by trying: the yardstick of a redesign.

Consumers are grouped in every way; for each group every engine, rhythm, cadence and number of
nodes of a grid is evaluated. Nothing here knows how a pipeline was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tradeoff.model import Cadence, Consumer, Design, Engine, Plan, Rhythm, Workload, serves, sweep

# Longest first: of equal bills the longest interval is taken (the largest a consumer tolerates).
INTERVALS_SECONDS = (
    *(hours * 3600 for hours in (24, 12, 8, 6, 4, 3, 2)),
    *(minutes * 60 for minutes in (60, 45, 30, 20, *range(15, 1, -1))),
    *(90, 60, 45, 30, 20, 15, 10, 5),
)
NODES = tuple(range(1, 33))


def cheapest_path(
    workload: Workload,
    consumers: Sequence[Consumer],
    engines: Sequence[Engine],
    start_hour: int = 0,
    run_window_hours: float | None = None,
    nodes: Sequence[int] = NODES,
    intervals: Sequence[float] = INTERVALS_SECONDS,
) -> tuple[Design, float] | None:
    """The cheapest incremental design for these consumers together, and its USD a day.

    The path carries the largest share of the events that one of them needs. None when nothing on
    the grid serves them.
    """
    needed = workload.narrowed(max(consumer.share for consumer in consumers))
    best: tuple[Design, float] | None = None
    for engine in engines:
        for rhythm in engine.rhythms:
            streaming = rhythm is Rhythm.STREAMING
            design = Design(
                needed,
                engine,
                rhythm,
                Cadence.per_event() if streaming else Cadence.every(3600),
                consumers=tuple(consumers),
                start_hour=start_hour,
                run_window_hours=run_window_hours,
            )
            axes: dict[str, Any] = {} if streaming else {"interval_seconds": intervals}
            counts = [count for count in nodes if count >= engine.minimum_nodes]
            frame = sweep(design, nodes=counts, **axes)
            bills = frame["cost_usd_per_day"].to_numpy(dtype=float)
            bills = np.where(serves(frame, consumers, run_window_hours), bills, np.inf)
            row = int(bills.argmin())
            if bills[row] == np.inf or (best is not None and bills[row] >= best[1]):
                continue
            found = design.but(nodes=int(frame["nodes"].to_numpy()[row]))
            if not streaming:
                interval = float(frame["interval_seconds"].to_numpy()[row])
                found = found.but(cadence=Cadence.every(interval))
            best = found, float(bills[row])
    return best


def cheapest_plan(
    workload: Workload,
    consumers: Sequence[Consumer],
    engines: Sequence[Engine],
    start_hour: int = 0,
    run_window_hours: float | None = None,
) -> tuple[Plan, float] | None:
    """The cheapest way to group the consumers into paths, and its USD a day; None if none serves.

    Tries every partition of the consumers, so it is meant for a handful of them.
    """
    paths: dict[frozenset[str], tuple[Design, float] | None] = {}
    best: tuple[Plan, float] | None = None
    for groups in _partitions(list(consumers)):
        found = []
        for group in groups:
            key = frozenset(consumer.name for consumer in group)
            if key not in paths:
                paths[key] = cheapest_path(workload, group, engines, start_hour, run_window_hours)
            found.append(paths[key])
        designs = [one for one in found if one is not None]
        if len(designs) < len(found):
            continue
        cost = sum(one[1] for one in designs)
        if best is None or cost < best[1]:
            best = Plan("cheapest", [one[0] for one in designs]), cost
    return best


def _partitions(items: list[Consumer]) -> Iterator[list[list[Consumer]]]:
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for groups in _partitions(rest):
        for place in range(len(groups)):
            yield [*groups[:place], [first, *groups[place]], *groups[place + 1 :]]
        yield [[first], *groups]
