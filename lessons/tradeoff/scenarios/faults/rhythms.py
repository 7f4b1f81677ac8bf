"""Pipelines that run by the hour or without end: a cluster too small at the peak, a stream."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.model import (
    Billing,
    Cadence,
    Consumer,
    Design,
    Rhythm,
    day_curve,
    engine,
    evaluate,
)
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS
from tradeoff.model.stages import stage_seconds
from tradeoff.scenarios.faults.consumers import readers, shared
from tradeoff.scenarios.faults.histories import RECENT, History
from tradeoff.scenarios.faults.telemetry import sized_run, table

PEAK_DAYS, STREAM_DAYS = 14, 2
SLOWER = "4 h"  # the cadence at which a batch serves those who read a stream that nobody needs
LEAST_SAVED = 2 / 3  # of the stream's bill


def peak(
    rng: np.random.Generator, rereads: bool, slowest_stage: str, troubles: Collection[str]
) -> History:
    """Runs every hour or half an hour that fit but for the busiest hours of each day.

    A run that rereads reads the last four or five hours, so its peak is wider. The only other
    trouble it may have is with cost.
    """
    interval_hours = float(rng.choice([1.0, 0.5]))
    window = float(np.round(interval_hours * rng.uniform(0.45, 0.7), 3))
    peak_factor = rng.uniform(3.0, 3.4) if rereads else rng.uniform(2.6, 3.2)
    count = round(PEAK_DAYS * 24 / interval_hours)
    starts = _starts(rng, count, interval_hours)
    expected, rows_new = _by_the_hour(rng, starts, peak_factor, 10 ** rng.uniform(5, 8))
    factor, span = 1 + rng.uniform(0, 0.15), 1
    if rereads:
        factor, span = 1.0, int(rng.integers(4, 6) / interval_hours)
    design = sized_run(
        rng,
        rows=float(_last(expected, span).max()) * factor,
        run_seconds=rng.uniform(1.2, 1.3) * window * HOUR_SECONDS,
        slowest_stage=slowest_stage,
        fixed_share=rng.uniform(0, 0.05),
    )
    spikes = rng.choice(np.arange(count), 5, replace=False)
    rows_read = _last(rows_new, span) * factor
    stages = pd.DataFrame([stage_seconds(design, rows) for rows in rows_read])
    stages.iloc[spikes] *= rng.uniform(2.5, 5)
    stages = (stages * rng.lognormal(0, 0.02, stages.shape)).round(1)
    took = stages.sum(axis=1)
    cost = (took / HOUR_SECONDS * rng.uniform(2, 40)).round(4)
    bill = float(cost[-RECENT:].median()) * 24 / interval_hours
    over = "cost" in troubles
    age = interval_hours * HOUR_SECONDS + 1.3 * window * HOUR_SECONDS
    consumers = readers(rng, 1.5 * age, 12 * age)
    level, limit = _level_state(rng, count)
    return History(
        runs=table(
            rng,
            starts=starts,
            stages=stages,
            rows_new=rows_new,
            rows_read=rows_read,
            cost_usd=cost,
            state_bytes=level,
        ),
        consumers=consumers,
        limits={
            "interval_hours": interval_hours,
            "run_window_hours": window,
            # A typical run's bill is the smaller part of a day's here: stay clear of both.
            "budget_usd_per_day": round(bill / rng.uniform(1.6, 2.5) if over else bill * 4, 2),
            "state_limit_bytes": limit,
        },
        outgrown=False,
        rereads=rereads,
        slowest_stage=slowest_stage,
        fails="throughput",
        label="typical runs fit, the busiest hour's do not" + (", over budget" if over else ""),
        cause="under-provisioned peak",
        failing=("throughput", "cost") if over else ("throughput",),
        shared=shared(consumers),
    )


def stream(rng: np.random.Generator, needed: bool, slowest_stage: str) -> History:
    """Micro-batches on a cluster that is paid around the clock, for two days.

    Needed: somebody must have data within 15 minutes, for which no cluster starts in time. Else
    nobody needs it within 8 hours, and a batch every four hours serves everyone for a third.

    Raises RuntimeError should the model not price them so (never seen).
    """
    interval = float(rng.choice([180, 300] if needed else [180, 300, 600, 900]))
    events_per_day = 10 ** rng.uniform(6, 8.3)
    used = rng.uniform(max(0.08, 36 / interval), 0.25)  # of the interval, by a mean run
    per_run = events_per_day * interval / DAY_SECONDS
    engine_ = replace(
        engine("spark_streaming"),
        node_usd_per_hour=engine("spark_streaming").node_usd_per_hour * rng.uniform(0.6, 1.6),
    )
    run = sized_run(rng, per_run, used * interval, slowest_stage, 5.0 / (used * interval))
    curve = day_curve(rng.uniform(1.3, 2.2))
    work = run.workload.at(
        events_per_day,
        curve=curve,
        fixed_seconds_incremental=0.0,
        work_per_event=run.workload.work_per_event
        * engine_.events_per_second_per_slot
        / run.engine.events_per_second_per_slot,
    )
    always = replace(engine_, overhead_seconds=run.workload.fixed_seconds_incremental)
    design = Design(work, always, Rhythm.MICRO_BATCH, Cadence.every(interval), nodes=run.nodes)
    count = round(STREAM_DAYS * DAY_SECONDS / interval)
    starts = _starts(rng, count, interval / HOUR_SECONDS)
    _, rows = _by_the_hour(rng, starts, curve, per_run)
    stages = pd.DataFrame([stage_seconds(design, each) for each in rows])
    stages.iloc[rng.choice(np.arange(count), 5, replace=False)] *= rng.uniform(2.5, 5)
    stages = (stages * rng.lognormal(0, 0.02, stages.shape)).round(1)
    an_interval = run.nodes * always.node_usd_per_hour * interval / HOUR_SECONDS
    age = interval + used * interval * max(curve)
    if needed:
        consumers = readers(rng, 1.5 * age, 300 * age, age * rng.uniform(1.4, 1.6))
    else:
        consumers = readers(rng, 8 * HOUR_SECONDS, 72 * HOUR_SECONDS)
    level, limit = _level_state(rng, count)
    slower, saves = None, 0.0
    if not needed:
        slower, saves = _slower(design, consumers)
    return History(
        runs=table(
            rng,
            starts=starts,
            stages=stages,
            rows_new=rows,
            rows_read=rows * (1 + rng.uniform(0, 0.1)),
            cost_usd=pd.Series(np.full(count, round(an_interval, 4))),
            state_bytes=level,
        ),
        consumers=consumers,
        limits={
            "interval_hours": interval / HOUR_SECONDS,
            "budget_usd_per_day": round(
                an_interval * DAY_SECONDS / interval / rng.uniform(0.2, 0.55), 2
            ),
            "state_limit_bytes": limit,
        },
        outgrown=False,
        rereads=False,
        slowest_stage=slowest_stage,
        fails="none" if needed else "cost",
        label="a stream that somebody needs" if needed else "a stream that nobody needs",
        cause="healthy" if needed else "unneeded streaming",
        failing=() if needed else ("cost",),
        shared=shared(consumers),
        slower=slower,
        saves_usd_per_day=saves,
    )


def _slower(design: Design, consumers: pd.DataFrame) -> tuple[Design, float]:
    """The stream's work as a batch of a cluster started for each run, and what that saves."""
    readers_ = [
        Consumer.needing(row["name"], row["freshness_seconds"], 24.0)
        for row in consumers.to_dict("records")
    ]
    started = replace(engine("spark_ephemeral"), node_usd_per_hour=design.engine.node_usd_per_hour)
    batch = Design(
        design.workload,
        started,
        Rhythm.BATCH,
        Cadence.every(SLOWER),
        nodes=design.nodes,
        consumers=tuple(readers_),
    )
    assert design.engine.billing is Billing.ALWAYS_ON
    now, then = evaluate(design).cost_usd_per_day, evaluate(batch)
    if not then.serves or then.cost_usd_per_day > (1 - LEAST_SAVED) * now:
        raise RuntimeError(f"not a stream that nobody needs: {then.sentence}, against {now:.0f}")
    return batch, float(now - then.cost_usd_per_day)


def _starts(rng: np.random.Generator, count: int, interval_hours: float) -> pd.Series:
    first = pd.Timestamp("2025-01-06") + pd.Timedelta(days=int(rng.integers(0, 364)))
    begin = first.tz_localize(data.SHOP_ZONE)
    step = pd.Timedelta(seconds=round(interval_hours * HOUR_SECONDS))
    return pd.Series(pd.date_range(begin, periods=count, freq=step)).dt.as_unit("us")


def _by_the_hour(
    rng: np.random.Generator,
    starts: pd.Series,
    curve: float | tuple[float, ...],
    mean_rows: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of each run by the hour of the day: expected, and drawn with weekends and noise."""
    weights = np.array(day_curve(curve) if isinstance(curve, float) else curve)
    expected = mean_rows * weights[starts.dt.hour.to_numpy()]
    week = np.where(starts.dt.day_of_week.to_numpy() >= 5, rng.uniform(0.85, 1.15), 1.0)
    drawn = expected * week * rng.lognormal(0, 0.03, len(starts))
    return expected, np.maximum(np.rint(drawn), 1.0)


def _last(rows: np.ndarray, span: int) -> np.ndarray:
    """The sum of the last `span` values up to each."""
    return pd.Series(rows).rolling(span, min_periods=1).sum().to_numpy()


def _level_state(rng: np.random.Generator, count: int) -> tuple[np.ndarray, float]:
    """State that a watermark bounds, and its limit."""
    limit = float(round(10 ** rng.uniform(9, 12)))
    filled = limit * rng.uniform(0.1, 0.9)
    return np.rint(filled * rng.lognormal(0, 0.0003, count)).astype("int64"), limit
