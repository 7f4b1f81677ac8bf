"""The clicks of the text as a micro-batch: one knob, the trigger interval, and what it decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model import (
    Billing,
    Cadence,
    Consumer,
    Design,
    Engine,
    Evaluation,
    Rhythm,
    engine,
    evaluate,
    serves,
    sized,
    sweep,
    workload,
)
from tradeoff.model.quantities import check, seconds

ASAP = "as soon as possible"
# What people set a trigger to, and the first two cadences of batch.
INTERVALS = (
    *("200 ms", "500 ms", "1 s", "2 s", "3 s", "5 s", "10 s", "15 s", "20 s", "30 s"),
    *("1 min", "2 min", "3 min", "4 min", "5 min", "6 min", "8 min", "10 min", "12 min"),
    *("15 min", "20 min", "30 min", "1 h", "2 h"),
)
BILLINGS = {Billing.ALWAYS_ON: "spark_streaming", Billing.WARM: "spark_warm"}


def cadence(every: str) -> Cadence:
    """`ASAP`, or an interval such as "4 min". Raises ValueError as `Cadence.every` does."""
    return Cadence.as_soon_as_possible() if every == ASAP else Cadence.every(every)


def pipeline(
    events_per_day: float,
    every: str,
    *,
    billing: Billing | str = Billing.ALWAYS_ON,
    overhead_seconds: float | None = None,
    nodes: int = 4,
    tolerance: Any = None,
) -> Design:
    """The text's clicks (work, day and cluster of its one-minute example) under a trigger.

    Parameters
    ----------
    billing : always on, or warm (a pool paid by the busy second, which takes 2 s to hand over
        nodes to each batch).
    overhead_seconds : what planning and committing a batch takes; None: the catalogue's 5 s.
    tolerance : the oldest an event may be when its consumer sees it; None: nobody is asking.

    Raises ValueError naming the field, for another billing or a bad value.
    """
    known = {kind.value: name for kind, name in BILLINGS.items()}
    if str(billing) not in known:
        raise ValueError(f"billing must be one of {list(known)}, got {billing!r}")
    runs_on: Engine = engine(known[str(billing)])
    if overhead_seconds is not None:
        runs_on = replace(runs_on, overhead_seconds=check("overhead_seconds", overhead_seconds))
    consumers: tuple[Consumer, ...] = ()
    if tolerance is not None:
        consumers = (Consumer.needing("the consumer", seconds("freshness_seconds", tolerance)),)
    return Design(
        workload("clicks").at(events_per_day),
        runs_on,
        Rhythm.MICRO_BATCH,
        cadence(every),
        nodes=nodes,
        consumers=consumers,
    )


def hourly_batch(design: Design) -> Design:
    """The same work once an hour: on its pool, or on a cluster started for each run."""
    on_a_pool = design.engine.billing is Billing.WARM
    return design.but(
        engine=design.engine if on_a_pool else engine("spark_ephemeral"),
        rhythm=Rhythm.BATCH,
        cadence=Cadence.every("1 h"),
        name="hourly batch",
    )


def stream(design: Design) -> Design:
    """The same work event by event, with the nodes that its peak needs."""
    return sized(
        design.but(
            engine=engine("flink"),
            rhythm=Rhythm.STREAMING,
            cadence=Cadence.per_event(),
            name="stream",
        )
    )


def over_intervals(design: Design, intervals: Iterable[str] = INTERVALS) -> pd.DataFrame:
    """The model's figures at each trigger interval, one row each, shortest first.

    Columns: every (as given), serves (keeps up and meets the tolerance), and those of `sweep`,
    with events_per_run and run_mean_seconds as `settled` has them.
    """
    given = {cadence(every).interval_seconds: every for every in intervals}
    timed = design.but(cadence=Cadence.every("1 min"))
    table = sweep(timed, interval_seconds=sorted(given))
    table.insert(0, "every", table["interval_seconds"].map(given))
    loop = evaluate(design.but(cadence=Cadence.as_soon_as_possible()))
    outlast = table["keeps_up"] & (table["events_per_run"] < loop.events_per_run)
    for name in ("events_per_run", "run_mean_seconds"):
        table[name] = table[name].mask(outlast, loop.figures[name])
    return table.assign(serves=serves(table, design.consumers))


def largest_serving(table: pd.DataFrame) -> dict[str, Any] | None:
    """The row of `over_intervals` with the largest interval that serves; None if there is none."""
    good = table[table["serves"]]
    return None if good.empty else dict(good.iloc[-1])


def settled(found: Evaluation) -> Evaluation:
    """What the loop does where batches outlast their interval: it runs without a pause.

    The model's batch holds what arrives in one interval. Where the next one starts late it holds
    what has arrived by then, as without a trigger. Other designs are returned as they are, and so
    is one that falls behind, for its batches never settle.
    """
    loop = evaluate(found.design.but(cadence=Cadence.as_soon_as_possible()))
    return loop if found.keeps_up and found.events_per_run < loop.events_per_run else found


def period_seconds(found: Evaluation) -> float:
    """Time from one batch's start to the next at the busiest hour (an overrun stretches it)."""
    if not found.keeps_up:
        raise ValueError(
            f"{found.design.name!r} falls behind, so its batches have no steady period"
        )
    return float(found.latency_worst_seconds - found.run_longest_seconds)


def saw_tooth(found: Evaluation, teeth: int = 3) -> pd.DataFrame:
    """How old an event is when it becomes visible, by when it arrived, at the busiest hour.

    An event that arrives just after a batch has started waits a whole period and the run that
    follows; one that arrives just before waits for the run alone.

    Returns two rows a tooth: batch (1, 2, …), arrival_seconds (0 is the start of a batch),
    age_seconds. Raises ValueError for a design that falls behind.
    """
    period, run = period_seconds(found), float(found.run_longest_seconds)
    batch = np.repeat(np.arange(1, teeth + 1), 2)
    late = np.tile([0, 1], teeth)
    return pd.DataFrame(
        {
            "batch": batch,
            "arrival_seconds": (batch - 1 + late) * period,
            "age_seconds": np.where(late, run, period + run),
        }
    )


def overhead_share(found: Evaluation) -> float:
    """Part of a mean batch's time that is paid whatever it holds."""
    fixed = (
        found.design.engine.start_up_seconds
        + found.design.engine.overhead_seconds
        + found.design.workload.fixed_seconds_incremental
    )
    return float(fixed / found.run_mean_seconds)


def shared_half(design: Design) -> float:
    """Events a second at which a mean batch spends as long on events as on its overhead."""
    found = evaluate(design)
    fixed = overhead_share(found) * found.run_mean_seconds
    each = (found.run_mean_seconds - fixed) / found.events_per_run
    return fixed / each / design.cadence.interval_seconds
