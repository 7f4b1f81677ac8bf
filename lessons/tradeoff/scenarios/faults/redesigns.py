"""Redesign problems: consumers to sort by tier, and pipelines to serve at the least cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model import (
    TIER_SECONDS,
    Consumer,
    Engine,
    State,
    Workload,
    day_curve,
    engine,
    tier_of,
)
from tradeoff.scenarios.faults.consumers import READERS
from tradeoff.scenarios.search import cheapest_path, cheapest_plan

DAY = 86_400.0


def readers_by_tier(rng: np.random.Generator) -> tuple[pd.DataFrame, list[list[str]]]:
    """Consumers with what they need and what they ask for, and their names grouped by tier.

    Words, deadlines and shares are drawn apart from the need. Groups go from the freshest tier.
    """
    count = int(rng.integers(2, 6))
    bands = {1: (1, 10), 2: (30, 900), 3: (3600, 7200), 4: (DAY, 3 * DAY)}
    rows = []
    for name in rng.choice(READERS, count, replace=False):
        low, high = bands[int(rng.integers(1, 5))]
        rows.append(
            {
                "name": str(name),
                "asks_for": str(rng.choice(["real time", "live", "hourly", "daily", "soon"])),
                "freshness_seconds": float(np.round(rng.uniform(low, high))),
                "deadline_hour": float(rng.choice([np.nan, 6.0, 8.0, 9.0])),
                "share": float(np.round(rng.uniform(0.05, 1), 2)),
            }
        )
    table = pd.DataFrame(rows)
    names, needs = table["name"].tolist(), table["freshness_seconds"].tolist()
    groups = [
        [name for name, need in zip(names, needs, strict=True) if tier_of(need) == tier]
        for tier in TIER_SECONDS
    ]
    return table, [group for group in groups if group]


# What a platform offers; most have no warm pool. Without one, splitting by tier often pays.
MENUS = (
    ("spark_ephemeral", "spark_streaming", "flink"),
    ("spark_ephemeral", "spark_streaming", "flink"),
    ("spark_ephemeral", "spark_streaming", "flink"),
    ("spark_ephemeral", "spark_warm", "flink"),
    ("spark_ephemeral", "spark_warm", "spark_streaming", "flink"),
)


@dataclass(frozen=True)
class Redesign:
    """A pipeline to redesign: what it carries, for whom, what may run it, and the least cost."""

    workload: Workload
    consumers: tuple[Consumer, ...]
    engines: tuple[Engine, ...]
    best_paths: list[dict[str, Any]]
    best_usd_per_day: float


def redesign(rng: np.random.Generator, split: bool | None = None) -> Redesign:
    """Draw a pipeline that can be served, and search for the cheapest plan that serves it.

    `split` True asks for one whose consumers cannot share a single path at a tenth above the least
    cost, False for one where a single path is the cheapest; None takes what comes.

    Raises RuntimeError if a thousand draws in a row do not suit (never seen).
    """
    for _ in range(1000):
        work, readers = _problem(rng, far_apart=bool(split))
        menu = MENUS[int(rng.integers(3 if split else len(MENUS)))]
        engines = tuple(engine(name) for name in menu)
        found = cheapest_plan(work, readers, engines)
        if found is None:
            continue
        plan, bill = found
        if split is not None and split != (len(plan.paths) > 1):
            continue
        if split:
            single = cheapest_path(work, readers, engines)
            if single is not None and single[1] <= 1.1 * bill:
                continue
        return Redesign(work, readers, engines, [path.facts() for path in plan.paths], bill)
    raise RuntimeError("no pipeline out of a thousand suited")


def _problem(rng: np.random.Generator, far_apart: bool) -> tuple[Workload, tuple[Consumer, ...]]:
    """A workload and its readers; far apart: a fresh narrow view beside a relaxed one of all."""
    events = float(np.round(10 ** rng.uniform(6.3, 8.6), -5))
    batch = engine("spark_ephemeral")
    node_seconds = float(10 ** rng.uniform(1.0 if far_apart else 0.3, 1.8)) * 3600
    rate = batch.slots_per_node * batch.events_per_second_per_slot
    beside = rng.uniform(0.02, 0.2, 2) * min(node_seconds, 0.4 * DAY)
    state = None
    if rng.random() < 0.6:
        state = State(
            keys=float(10 ** rng.uniform(4, 7)),
            bytes_per_value=float(rng.choice([8, 100])),
            window_seconds=float(rng.choice([3600, DAY])),
            watermark_seconds=600.0,
        )
    work = Workload(
        "generated",
        events_per_day=events,
        work_per_event=node_seconds * rate / events,
        curve=day_curve(float(rng.uniform(1.3, 2.5))),
        source_events_per_second=events / beside[0],
        sink_events_per_second=events / beside[1],
        fixed_seconds=float(np.round(rng.uniform(600, 3000))),
        fixed_seconds_incremental=float(np.round(rng.uniform(3, 30))),
        state=state,
    )
    count = int(rng.choice([2, 2, 3] if far_apart else [1, 2, 2, 3, 3]))
    bands = {1: (2, 10), 2: (120, 900), 3: (5400, 7200), 4: (2 * DAY, 2 * DAY)}
    readers = []
    for place, name in enumerate(rng.choice(READERS, count, replace=False)):
        tier = int(rng.choice([1, 2, 2, 3, 4, 4]))
        narrow = rng.random() < (0.85 if tier <= 2 else 0.15)
        if far_apart and place < 2:
            tier, narrow = (int(rng.choice([1, 2])), True) if place == 0 else (4, False)
        low, high = bands[tier]
        readers.append(
            Consumer(
                str(name),
                tier,
                float(np.round(rng.uniform(low, high))),
                6.0 if tier == 4 and rng.random() < 0.7 else None,
                float(np.round(rng.uniform(0.03, 0.25), 2)) if narrow else 1.0,
            )
        )
    return work, tuple(readers)
