"""The nightly orders pipeline of lesson 5: its design, its two years of runs, its redesigns."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.model import (
    Billing,
    Cadence,
    Consumer,
    Design,
    Plan,
    Rhythm,
    engine,
    sized,
    workload,
)
from tradeoff.model.quantities import DAY_SECONDS, check
from tradeoff.model.stages import stage_seconds

START_HOUR = 2
RUN_WINDOW_HOURS = 7.0  # 2 to 9 am, when the office needs the machines: our reading of the text
FIRST_DAY, LAST_DAY = "2024-04-25", "2026-04-24"
EVENTS_THEN, EVENTS_NOW = 4e6, 18e6
# Growth is a logistic curve over the two years: its middle and its width, in days.
GROWTH_MIDDLE_DAY, GROWTH_WIDTH_DAYS = 470.0, 62.0
# Relative volume from Monday to Sunday; mean 1.
WEEK = (0.97, 0.95, 0.96, 0.98, 1.03, 1.08, 1.03)
# Once a run reaches into the 9 am window somebody is paged on about half of the mornings.
PAGE_SHARE_LATE, PAGE_SHARE_ON_TIME = 0.5, 0.005
SEED = 20_260_424


@cache
def consumers() -> tuple[Consumer, ...]:
    """Executives (tier 4, by 6 am) and marketing (tier 2), as in `data/consumers.csv`."""
    return tuple(
        Consumer(
            row["name"],
            int(row["tier"]),
            float(row["freshness_seconds"]),
            None if pd.isna(row["deadline_hour"]) else float(row["deadline_hour"]),
            float(row["share"]),
        )
        for row in data.consumers().to_dict("records")
    )


def nightly(events_per_day: float = EVENTS_NOW) -> Design:
    """The pipeline as it runs today: one node, from 2 am, a full read of the day."""
    return Design(
        workload("orders").at(events_per_day),
        engine("spark_ephemeral"),
        Rhythm.BATCH,
        Cadence.every("24 h"),
        incremental=False,
        consumers=consumers(),
        start_hour=START_HOUR,
        run_window_hours=RUN_WINDOW_HOURS,
        name="nightly, full read",
    )


def redesign(
    name: str = "",
    events_per_day: float = EVENTS_NOW,
    *,
    engine_name: str = "spark_ephemeral",
    every: str | float = "24 h",
    incremental: bool = True,
    nodes: int = 1,
    marketing_apart: bool = False,
) -> Plan:
    """One way to build the pipeline: a main path and, if wanted, marketing's own beside it.

    Parameters
    ----------
    engine_name : one of `tradeoff.ENGINES`; an engine that only streams has no use for `every` and
        `incremental`, and gets at least its minimum of nodes.
    every : the interval between runs, as `Cadence.every` takes it. A nightly run starts at 2 am and
        has the run window; below a day, runs go on all day, the first at midnight.
    marketing_apart : give the consumers of tier 2 or fresher a 1-minute micro-batch of their own,
        always on, with the nodes that their share of the orders needs at its peak.

    Raises what `Cadence.every`, `Design` and `tradeoff.engine` raise.
    """
    today = nightly(events_per_day)
    main = engine(engine_name)
    streams = main.rhythms == (Rhythm.STREAMING,)
    cadence = Cadence.per_event() if streams else Cadence.every(every)
    served, fresh = today.consumers, tuple(one for one in today.consumers if one.tier <= 2)
    # A change stream hands every change over as it is committed: reading stops being a stage.
    changes = today.workload.at(events_per_day, source_events_per_second=None)
    nightly_run = cadence.interval_seconds >= DAY_SECONDS
    paths = [
        today.but(
            workload=changes if main.billing is Billing.ALWAYS_ON else today.workload,
            engine=main,
            rhythm=main.rhythms[0],
            cadence=cadence,
            incremental=incremental or streams,
            nodes=max(int(check("nodes", nodes)), int(main.minimum_nodes)),
            consumers=[one for one in served if one not in fresh] if marketing_apart else served,
            start_hour=START_HOUR if nightly_run else 0,
            run_window_hours=RUN_WINDOW_HOURS if nightly_run else None,
            name="main path",
        )
    ]
    if marketing_apart:
        minute = Design(
            changes.narrowed(max(one.share for one in fresh)),
            engine("spark_streaming"),
            Rhythm.MICRO_BATCH,
            Cadence.every("1 min"),
            consumers=fresh,
            name="marketing's path",
        )
        paths.append(sized(minute))
    return Plan(name or "redesign", paths)


def redesigns(events_per_day: float = EVENTS_NOW) -> list[Plan]:
    """What people propose, from doing nothing to a stream for everybody; for `compare`."""

    def plan(name: str, **changes: Any) -> Plan:
        return redesign(name, events_per_day, **changes)

    stream = plan("all to streaming", engine_name="flink")
    return [
        plan("keep", incremental=False),
        plan("8 nodes", incremental=False, nodes=8),
        plan("hourly, full read", every="1 h", incremental=False),
        plan("every 6 h, incremental", every="6 h"),
        plan("hourly, incremental", every="1 h"),
        plan("split by tier", every="1 h", marketing_apart=True),
        plan("one path, always on", engine_name="spark_streaming", every="8 min", nodes=2),
        plan("one path, warm pool", engine_name="spark_warm", every="6 min"),
        Plan(stream.name, [sized(path) for path in stream.paths]),
    ]


def run_history(seed: int = SEED) -> pd.DataFrame:
    """Two years of nightly runs while 4 M orders a day become 18 M; see `data.order_runs`.

    Durations are the model's for the night's volume, with some noise; the same seed gives the
    same table (`data/order_runs.csv` holds it, `write_run_history` writes it).
    """
    rng = np.random.default_rng(seed)
    days = pd.date_range(FIRST_DAY, LAST_DAY, freq="D")
    count = len(days)
    grown = 1.0 / (1.0 + np.exp(-(np.arange(count) - GROWTH_MIDDLE_DAY) / GROWTH_WIDTH_DAYS))
    grown = (grown - grown[0]) / (grown[-1] - grown[0])
    volume = EVENTS_THEN + (EVENTS_NOW - EVENTS_THEN) * grown
    rows = np.rint(volume * np.take(WEEK, days.day_of_week) * rng.lognormal(0, 0.02, count))
    design = nightly()
    stages = pd.DataFrame([stage_seconds(design, events) for events in rows])
    stages *= rng.lognormal(0, 0.015, stages.shape)
    took = stages.sum(axis=1).round(1)
    # 2 am does not exist on the night when the clocks go forward: the run starts at 3 am.
    start = (
        pd.Series(days + pd.Timedelta(days=1, hours=START_HOUR))
        .dt.tz_localize(data.SHOP_ZONE, nonexistent="shift_forward", ambiguous=False)
        .dt.as_unit("us")
    )
    late = took > RUN_WINDOW_HOURS * 3600
    paged = rng.random(count) < np.where(late, PAGE_SHARE_LATE, PAGE_SHARE_ON_TIME)
    groups = data.products()["category"].nunique() * len(data.REGIONS)
    return pd.DataFrame(
        {
            "run_date": days.as_unit("us"),
            "start": start,
            "end": start + pd.to_timedelta(took.round().astype("int64"), unit="s"),
            "rows_new": rows.astype("int64"),
            "rows_read": rows.astype("int64"),
            "rows_written": np.full(count, groups, dtype="int64"),
            "read_seconds": stages["read"].round(1),
            "transform_seconds": stages["transform"].round(1),
            "write_seconds": stages["write"].round(1),
            "cost_usd": (took / 3600 * design.nodes * design.engine.node_usd_per_hour).round(2),
            "pages": paged.astype("int64"),
        }
    )


def write_run_history() -> None:
    """Write `data/order_runs.csv` anew (times as ISO 8601 with their UTC offset)."""
    table = run_history()
    table["run_date"] = table["run_date"].dt.strftime("%Y-%m-%d")
    for column in ("start", "end"):
        table[column] = [moment.isoformat() for moment in table[column]]
    path = data.folder() / "order_runs.csv"
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
