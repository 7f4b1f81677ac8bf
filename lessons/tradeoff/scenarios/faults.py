"""Pipelines with a known fault: run histories and redesign problems whose truth is constructed.

Every cause is drawn apart from every symptom: volume grows in pipelines that fit and in those that
do not, long runs may fit a long window, a pipeline may reread its source and be fine, pages say
nothing. So no column alone gives a diagnosis away. Run times come from the model's stages.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.model import (
    TIER_SECONDS,
    Cadence,
    Consumer,
    Design,
    Engine,
    Rhythm,
    State,
    Workload,
    day_curve,
    engine,
    tier_of,
)
from tradeoff.model.stages import STAGES, stage_seconds
from tradeoff.scenarios.search import cheapest_path, cheapest_plan

RUNS = 112
RECENT = 28  # runs that stand for "now"; as many at the start stand for "then"
FITS = ("fits", "outgrown", "slowed")
TROUBLES = ("none", "latency", "state", "cost")
DAY = 86_400.0
READERS = (
    "executives",
    "marketing",
    "operations",
    "finance",
    "fraud desk",
    "support",
    "warehouse",
    "partners",
)


@dataclass(frozen=True)
class History:
    """One pipeline's telemetry and what is true of it.

    Attributes
    ----------
    runs : the columns of `data.order_runs` (without run_date) and state_bytes; oldest first.
    consumers : name, freshness_seconds, deadline_hour.
    limits : interval_hours, run_window_hours, budget_usd_per_day, state_limit_bytes.
    outgrown : recent runs do not fit the run window, and volume did it.
    rereads : a run reads a multiple of what arrived since the run before.
    slowest_stage : read, transform or write.
    fails : latency, throughput, state, cost or none.
    label : what kind of pipeline it is, in words.
    """

    runs: pd.DataFrame
    consumers: pd.DataFrame
    limits: dict[str, float]
    outgrown: bool
    rereads: bool
    slowest_stage: str
    fails: str
    label: str = field(default="")


def history(
    rng: np.random.Generator, fit: str, rereads: bool, slowest_stage: str, trouble: str
) -> History:
    """Draw the telemetry of a pipeline with these causes; all else is drawn at random.

    `fit` is one of `FITS`: recent runs fit the window, volume has outgrown it, or the runs became
    slower at the same volume. `trouble` is one of `TROUBLES`; only runs that fit can have one.

    Raises ValueError for other words, and for trouble beside runs that do not fit.
    """
    for word, allowed in ((fit, FITS), (slowest_stage, STAGES), (trouble, TROUBLES)):
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, got {word!r}")
    if fit != "fits" and trouble != "none":
        raise ValueError("runs that do not fit fail on throughput: trouble must be 'none'")
    interval_hours = float(rng.choice([24, 12, 6, 1]))
    window = float(np.round(interval_hours * rng.uniform(0.25, 0.75), 2))
    filled_now, filled_then, growth = _filling(rng, fit)
    rows_new, starts = _arrivals(rng, interval_hours, growth)
    factor = rng.uniform(3, 30) if rereads else 1 + rng.uniform(0, 0.15)
    typical = float(np.median(rows_new[-RECENT:]))
    rows_read = rows_new * factor
    before, lately = np.arange(RUNS - RECENT), np.arange(RUNS - RECENT, RUNS)
    spikes = [*rng.choice(before, int(rng.integers(1, 5)), False), *rng.choice(lately, 2, False)]
    struck = rng.uniform(2.5, 5)
    backfills = not rereads and rng.random() < 0.5  # the struck runs read old rows once more
    if backfills:
        rows_read[spikes] *= struck
    if rereads:  # a fixed span: a run that was missed does not make the next one read more
        rows_read = np.minimum(rows_read, 1.5 * typical * factor)
    design = _design(
        rng,
        rows=typical * factor,
        run_seconds=filled_now * window * 3600,
        slowest_stage=slowest_stage,
        fixed_share=rng.uniform(0, 0.1),
    )
    stages = pd.DataFrame([stage_seconds(design, max(rows, 1.0)) for rows in rows_read])
    if fit == "slowed":
        # Since a day in the middle third everything takes longer: a busier source, a lost index.
        since = int(rng.integers(RUNS // 3, 2 * RUNS // 3))
        stages.iloc[:since] *= filled_then / filled_now
    if fit == "fits" and rng.random() < 0.5:
        # Until some day another stage was the slow one: what was mended then is not today's news.
        other = str(rng.choice([stage for stage in STAGES if stage != slowest_stage]))
        mended = int(rng.integers(RUNS // 2, 2 * RUNS // 3))
        stages.loc[: mended - 1, other] *= rng.uniform(8, 14)
    if not backfills:
        stages.iloc[spikes] *= struck
    stages = (stages * rng.lognormal(0, 0.02, stages.shape)).round(1)
    took = stages.sum(axis=1)

    typical_run = float(took[-RECENT:].median())
    dollars = rng.uniform(2, 40)
    cost = (took / 3600 * dollars).round(4)
    bill = float(cost[-RECENT:].median()) * 24 / interval_hours
    budget = bill / (rng.uniform(1.3, 2.5) if trouble == "cost" else rng.uniform(0.2, 0.55))
    limit = float(10 ** rng.uniform(9, 12))
    paged = rng.random(RUNS) < rng.uniform(0, 0.5)
    runs = pd.DataFrame(
        {
            "start": starts,
            "end": starts + pd.to_timedelta(took, unit="s").astype("timedelta64[us]"),
            "rows_new": rows_new.astype("int64"),
            "rows_read": np.maximum(rows_read, 1).astype("int64"),
            "rows_written": (rows_new * rng.choice([1.0, 1e-3])).astype("int64"),
            "read_seconds": stages["read"],
            "transform_seconds": stages["transform"],
            "write_seconds": stages["write"],
            "cost_usd": cost,
            "pages": paged.astype("int64"),
            "state_bytes": _state_bytes(rng, limit, interval_hours, trouble == "state"),
        }
    )
    age = interval_hours * 3600 + typical_run
    freshest = None
    if trouble == "latency":
        freshest = age * rng.uniform(0.05, 0.65)
    elif fit != "fits" and rng.random() < 0.6:
        # Often late as well: a need that runs within their window would meet, and these do not.
        freshest = (interval_hours + window * rng.uniform(1.02, 1.2)) * 3600
    fails = trouble if fit == "fits" else "throughput"
    return History(
        runs=runs,
        consumers=_readers(rng, age, freshest),
        limits={
            "interval_hours": interval_hours,
            "run_window_hours": window,
            "budget_usd_per_day": round(budget, 2),
            "state_limit_bytes": round(limit),
        },
        outgrown=fit == "outgrown",
        rereads=rereads,
        slowest_stage=slowest_stage,
        fails=fails,
        label=_label(fit, growth, trouble),
    )


def _filling(rng: np.random.Generator, fit: str) -> tuple[float, float, float]:
    """Shares of the window a run takes now and took then, and growth of volume between them."""
    if fit == "fits":
        now = rng.uniform(0.4, 0.82)
        growth = rng.uniform(2, 5) if rng.random() < 0.75 else rng.uniform(0.95, 1.05)
        return now, now / growth, growth
    now = rng.uniform(1.3, 1.8)
    if fit == "slowed":
        return now, rng.uniform(0.45, 0.75), rng.uniform(0.97, 1.03)
    return now, 0.0, now * rng.uniform(1.9, 4.0)


def _arrivals(
    rng: np.random.Generator, interval_hours: float, growth: float
) -> tuple[np.ndarray, pd.Series]:
    """Rows that arrive before each run, and when the runs start; some runs are missing."""
    planned = RUNS + int(rng.integers(0, 4))
    first = pd.Timestamp("2025-01-06") + pd.Timedelta(days=int(rng.integers(0, 364)))
    first += pd.Timedelta(hours=int(rng.integers(0, 5)))
    step = pd.Timedelta(hours=interval_hours)
    if interval_hours == 24:  # a schedule of the local clock: one start moves with summer time
        wall = pd.date_range(first, periods=planned, freq=step)
        starts = wall.tz_localize(data.SHOP_ZONE, nonexistent="shift_forward", ambiguous=False)
    else:
        begin = first.tz_localize(data.SHOP_ZONE, nonexistent="shift_forward", ambiguous=False)
        starts = pd.date_range(begin, periods=planned, freq=step)
    hours = starts.hour.to_numpy()
    curve = np.array(day_curve(1.2))[hours] if interval_hours < 24 else np.ones(planned)
    week = np.where(starts.day_of_week.to_numpy() >= 5, rng.uniform(0.85, 1.15), 1.0)
    # Volume moves between the first and the last quarter, and is level within each.
    ramp = np.clip((np.arange(planned) / planned - 0.25) / 0.45, 0, 1)
    volume = 10 ** rng.uniform(5, 8) * growth**ramp
    rows = volume * curve * week * rng.lognormal(0, 0.03, planned)
    missing = rng.choice(np.arange(RECENT, planned - 2), size=planned - RUNS, replace=False)
    for run in sorted(missing):
        rows[run + 1] += rows[run]
    kept = np.setdiff1d(np.arange(planned), missing)
    return np.rint(rows[kept]), pd.Series(starts[kept]).dt.as_unit("us")


def _design(
    rng: np.random.Generator,
    rows: float,
    run_seconds: float,
    slowest_stage: str,
    fixed_share: float,
) -> Design:
    """A pipeline whose run over `rows` takes `run_seconds`, most of it in one stage."""
    shares = dict(zip(STAGES, rng.dirichlet([4, 4, 4]), strict=True))
    top = rng.uniform(0.55, 0.75)
    rest = sum(share for stage, share in shares.items() if stage != slowest_stage)
    shares = {stage: share / rest * (1 - top) for stage, share in shares.items()}
    shares[slowest_stage] = top
    fixed = min(fixed_share, 0.5 * shares["transform"]) * run_seconds
    base = engine("spark_warm")
    batch = replace(base, start_up_seconds=0.0, overhead_seconds=0.0)
    nodes = int(rng.integers(1, 9))
    rate = nodes * batch.slots_per_node * batch.events_per_second_per_slot
    seconds = {stage: share * run_seconds for stage, share in shares.items()}
    work = Workload(
        "generated",
        events_per_day=rows,
        work_per_event=(seconds["transform"] - fixed) * rate / rows,
        source_events_per_second=rows / seconds["read"],
        sink_events_per_second=rows / seconds["write"],
        fixed_seconds_incremental=fixed,
    )
    return Design(work, batch, Rhythm.BATCH, Cadence.every("1 h"), nodes=nodes)


def _state_bytes(
    rng: np.random.Generator, limit: float, interval_hours: float, grows: bool
) -> np.ndarray:
    days = np.arange(RUNS) * interval_hours / 24
    if grows:  # steadily since the first run; passes the limit in 3 to 15 days
        lowest = max(0.4, days[-1] / (days[-1] + 15) + 0.01)
        now = rng.uniform(lowest, 0.95)
        soonest = max(3.0, (1 - now) / now * days[-1])
        filled = now - (1 - now) / rng.uniform(soonest, 15) * (days[-1] - days)
    else:  # level, often close to the limit
        filled = np.full(RUNS, rng.choice([rng.uniform(0.1, 0.9), rng.uniform(0.9, 0.955)]))
    return np.rint(limit * filled * rng.lognormal(0, 0.0003, RUNS)).astype("int64")


def _readers(
    rng: np.random.Generator, age_seconds: float, freshest_seconds: float | None
) -> pd.DataFrame:
    """Who reads the result: content with what they get, but for the freshest need, if given."""
    count = int(rng.integers(1, 4))
    needs = age_seconds * rng.uniform(1.5, 12, count)
    if freshest_seconds is not None:
        needs[int(rng.integers(count))] = freshest_seconds
    deadlines = np.where(rng.random(count) < 0.4, 24.0, np.nan)
    names = rng.choice(READERS, count, replace=False)
    return pd.DataFrame(
        {"name": names, "freshness_seconds": needs.round(), "deadline_hour": deadlines}
    )


def _label(fit: str, growth: float, trouble: str) -> str:
    if fit == "slowed":
        return "same volume, slower runs"
    grown = "volume grew" if growth > 1.2 else "volume is level"
    if fit == "outgrown":
        return f"{grown}, runs outgrew the window"
    return f"{grown}, runs fit" + ("" if trouble == "none" else f", trouble with {trouble}")


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
