"""Plain pipelines for lesson 5's exercise: round numbers, level volume, a fault by construction.

Each function is a Hypothesis strategy that shrinks to the plainest pipeline. 28 runs stand for
*then* and 28 for *now*; within each half all runs are alike, but for one struck run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tradeoff.checks.assignment import Case
from tradeoff.model.stages import STAGES
from tradeoff.scenarios.faults import RECENT

MILLION = 1_000_000
FIRST = pd.Timestamp("2025-06-02 02:00", tz="Europe/Berlin")


def _runs(
    hours: tuple[float, float],
    millions: tuple[float, float],
    *,
    slowest: tuple[str, str] = ("transform", "transform"),
    reads_each: float = 1.0,
    writes_each: float = 1.0,
    struck: float = 1.0,
    backfill: float = 1.0,
    first: float = 1.0,
    last: float = 1.0,
    interval_hours: int = 24,
    cost_usd: float = 10.0,
    state_bytes: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """A run history; pairs are (then, now). The tenth run from the end may be struck: it takes
    `struck` times as long, or reads `backfill` times as much. The first and the last run may have
    another volume, by a factor."""

    def halves(pair: tuple[Any, Any]) -> np.ndarray:
        return np.repeat(np.array(pair), RECENT)

    rows_new = halves(millions) * MILLION
    seconds = halves(hours) * 3600.0
    for place, factor in ((0, first), (-1, last)):
        rows_new[place] *= factor
        seconds[place] *= factor
    rows_read = rows_new * reads_each
    seconds[-10] *= struck
    rows_read[-10] *= backfill
    start = pd.Series(FIRST + pd.to_timedelta(np.arange(2 * RECENT) * interval_hours, unit="h"))
    places = halves(slowest)
    table = {
        "start": start.dt.as_unit("us"),
        "end": (start + pd.to_timedelta(seconds, unit="s")).dt.as_unit("us"),
        "rows_new": rows_new.astype("int64"),
        "rows_read": rows_read.astype("int64"),
        "rows_written": (rows_new * writes_each).astype("int64"),
        **{f"{stage}_seconds": seconds * np.where(places == stage, 0.6, 0.2) for stage in STAGES},
        "cost_usd": np.full(2 * RECENT, cost_usd),
        "pages": np.zeros(2 * RECENT, dtype="int64"),
    }
    if state_bytes is not None:
        table["state_bytes"] = np.linspace(*state_bytes, 2 * RECENT).astype("int64")
    return pd.DataFrame(table)


def _struck(factor: float) -> str:
    return ", one run struck" if factor > 1 else ""


def _outgrew(kind: str, window: int, growth: int, struck: float, first: float, last: float) -> Case:
    now = float(window + 1 if kind in ("outgrown", "slowed") else window - 1)
    grew = kind in ("outgrown", "grew and fits")
    then = {"level and fits": now, "slowed": now / 2}.get(kind, now / growth)
    millions = (1.0, float(growth) if grew else 1.0)
    runs = _runs((then, now), millions, struck=struck, first=first, last=last)
    label = {
        "level and fits": "volume is level, runs fit",
        "grew and fits": "volume grew, runs fit",
        "slowed": "same volume, slower runs",
        "outgrown": "volume grew, runs outgrew the window",
    }[kind]
    given = {"runs": runs, "run_window_hours": float(window)}
    label += _struck(struck)
    label += ", the first run brought more" if first > 1 else ""
    label += ", the last run brought little" if last < 1 else ""
    return Case(given, kind == "outgrown", label)


def outgrew_window() -> SearchStrategy[Case]:
    kinds = ("level and fits", "grew and fits", "slowed", "outgrown")
    return st.builds(
        _outgrew,
        kind=st.sampled_from(kinds),
        window=st.integers(2, 10),
        growth=st.integers(2, 5),
        struck=st.sampled_from([1.0, 5.0]),
        first=st.sampled_from([1.0, 10.0]),
        last=st.sampled_from([1.0, 0.1]),
    )


def _rereads(each: int, millions: int, writes: float, slowest: str, backfill: float) -> Case:
    runs = _runs(
        (1, 1),
        (millions, millions),
        reads_each=each,
        writes_each=writes,
        slowest=(slowest, slowest),
        backfill=backfill,
    )
    label = "every row is read once" if each == 1 else f"every row is read {each} times"
    return Case({"runs": runs}, each > 2, label + (", one backfill" if backfill > 1 else ""))


def rereads_source() -> SearchStrategy[Case]:
    return st.builds(
        _rereads,
        each=st.sampled_from([1, 3, 24]),
        millions=st.integers(1, 100),
        writes=st.sampled_from([1.0, 0.001]),
        slowest=st.sampled_from(["transform", "read", "write"]),
        backfill=st.sampled_from([1.0, 10.0]),
    )


def _slowest(now: str, then: str, hours: int, struck: float) -> Case:
    runs = _runs((4 * hours if then != now else hours, hours), (1, 1), slowest=(then, now))
    runs.loc[runs.index[-10], ["read_seconds", "transform_seconds", "write_seconds"]] *= struck
    runs.loc[runs.index[-10], "end"] += pd.Timedelta(hours=hours * (struck - 1))
    label = f"{now} takes most" + (f", {then} did" if then != now else "")
    return Case({"runs": runs}, now, label + _struck(struck))


def slowest_stage() -> SearchStrategy[Case]:
    return st.builds(
        _slowest,
        now=st.sampled_from(STAGES),
        then=st.sampled_from(STAGES),
        hours=st.integers(1, 6),
        struck=st.sampled_from([1.0, 3.0]),
    )


NEEDS = {1: 5.0, 2: 600.0, 3: 7200.0, 4: 172_800.0}


def _paths(readers: list[tuple[int, str, float, float]]) -> Case:
    names = ("executives", "marketing", "fraud desk")[: len(readers)]
    tiers, wishes, deadlines, shares = zip(*readers, strict=True)
    table = pd.DataFrame(
        {
            "name": names,
            "asks_for": wishes,
            "freshness_seconds": [NEEDS[tier] for tier in tiers],
            "deadline_hour": deadlines,
            "share": shares,
        }
    )
    groups = [
        [name for name, own in zip(names, tiers, strict=True) if own == tier]
        for tier in sorted(set(tiers))
    ]
    return Case({"consumers": table}, groups, f"{len(groups)} tier(s)")


def paths_by_tier() -> SearchStrategy[Case]:
    reader = st.tuples(
        st.sampled_from(list(NEEDS)),
        st.sampled_from(["daily", "real time"]),
        st.sampled_from([float("nan"), 6.0]),
        st.sampled_from([1.0, 0.1]),
    )
    return st.builds(_paths, st.lists(reader, min_size=1, max_size=3))


def _failing(
    kind: str, window: int, interval: int, filled: float, struck: float, grew: bool
) -> Case:
    too_long = kind in ("throughput", "throughput, late too")
    hours = float(window + 1 if too_long else 1)
    age = (interval + hours) * 3600
    # Late as well: a need that a run within its window would meet.
    symptom = (interval + window + 0.5) * 3600
    need = {"latency": age / 2, "throughput, late too": symptom}.get(kind, 2 * age)
    bill = 10.0 * 24 / interval
    limit = 1e9
    # Grown by a tenth of what is left before the limit every day, or level however full.
    days = (2 * RECENT - 1) * interval / 24
    state = (limit * filled, limit * filled)
    if kind == "state":
        left = limit * 0.1
        state = (max(0.0, limit - left - days * left / 10), limit - left)
    then = 1.0 if grew else hours  # a run's time, with its rows; the window sees today's alone
    runs = _runs(
        (then, hours), (1, hours / then), struck=struck, interval_hours=interval, state_bytes=state
    )
    consumers = pd.DataFrame(
        {"name": ["executives"], "freshness_seconds": [need], "deadline_hour": [np.nan]}
    )
    limits = {
        "interval_hours": float(interval),
        "run_window_hours": float(window),
        "budget_usd_per_day": bill / 2 if kind == "cost" else 2 * bill,
        "state_limit_bytes": limit,
    }
    given = {"runs": runs, "consumers": consumers, "limits": limits}
    failing, _, beside = kind.partition(", ")
    label = "nothing fails" if kind == "none" else f"{failing} fails"
    label += f", {beside}" if beside else ""
    return Case(given, failing, label + _struck(struck))


def failing_dimension() -> SearchStrategy[Case]:
    kinds = ("none", "throughput", "throughput, late too", "latency", "cost", "state")
    return st.builds(
        _failing,
        kind=st.sampled_from(kinds),
        window=st.integers(2, 5),
        interval=st.sampled_from([24, 12, 6]),
        filled=st.sampled_from([0.5, 0.95]),
        struck=st.sampled_from([1.0, 5.0]),
        grew=st.booleans(),
    )
