"""Plain cases for lesson 1's exercise: a few events, round numbers, a truth by construction.

Each function is a Hypothesis strategy that shrinks to the plainest case.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tradeoff.checks.assignment import Case
from tradeoff.scenarios.measured import HOURS

CLOCK = 1_000.0


def _log(waits: int, works: int, commits: int, stuck: int, clock: bool) -> pd.DataFrame:
    """20 events alike, one a second; `stuck` more arrived with the first and are not visible."""
    arrived = np.arange(20.0) + (CLOCK if clock else 0.0)
    started = arrived + waits
    table = pd.DataFrame({"arrived_seconds": arrived, "started_seconds": started})
    table["done_seconds"] = started + works
    table["visible_seconds"] = started + works + commits
    waiting = pd.DataFrame({"arrived_seconds": [arrived[0]] * stuck})
    # As many as that make both quantiles theirs.
    both = pd.concat([table, waiting]) if stuck else table
    return both.astype(float).sort_values("arrived_seconds", kind="stable", ignore_index=True)


def _label(stuck: int) -> str:
    return f"{stuck} events still waiting" if stuck else "every event became visible"


def _latency_case(waits: int, works: int, commits: int, stuck: int, clock: bool) -> Case:
    log = _log(waits, works, commits, stuck, clock)
    latency = float(waits + works + commits)
    longest = 19.0 + latency if stuck else latency
    truth = {"p50_seconds": longest, "p99_seconds": longest, "processing_seconds": float(works)}
    return Case({"log": log}, truth, _label(stuck))


def latencies() -> SearchStrategy[Case]:
    return st.builds(
        _latency_case,
        waits=st.integers(1, 5),
        works=st.integers(1, 5),
        commits=st.integers(1, 5),
        stuck=st.sampled_from([0, 30]),
        clock=st.booleans(),
    )


def _throughput_case(
    waits: int, works: int, commits: int, stuck: int, clock: bool, usd: int
) -> Case:
    log = _log(waits, works, commits, stuck, clock)
    span = 19.0 + waits + works + commits
    truth = {
        "events_per_second": 20 / span,
        "usd_per_million_events": usd * span / 3_600 / 20 * 1e6,
    }
    return Case({"log": log, "usd_per_hour": float(usd)}, truth, _label(stuck))


def throughput_and_cost() -> SearchStrategy[Case]:
    return st.builds(
        _throughput_case,
        waits=st.integers(1, 5),
        works=st.integers(1, 5),
        commits=st.integers(1, 5),
        stuck=st.sampled_from([0, 30]),
        clock=st.booleans(),
        usd=st.integers(1, 10),
    )


def _fit(overhead: int, each: int, off: float) -> Case:
    """Three sizes without scatter, but for the largest, which is `off` by some per cent."""
    events = np.array([100, 1_000, 100_000])
    seconds = overhead + events * each / 1_000
    seconds[-1] *= 1 + off
    table = pd.DataFrame({"events": events, "seconds": seconds})
    label = "three sizes" + (f", the largest off by {off:.0%}" if off else "")
    truth = {"overhead_seconds": float(overhead), "seconds_per_event": each / 1_000}
    return Case({"batches": table}, truth, label)


def fit_overhead() -> SearchStrategy[Case]:
    return st.builds(
        _fit,
        overhead=st.integers(1, 5),
        each=st.integers(2, 5),
        off=st.sampled_from([0.0, 0.03]),
    )


def _sizes(rate: int, share: int, factor: float) -> Case:
    """An overhead of a second; events take `share` tenths of the time, or more than all of it."""
    busy = share / 10
    given = {
        "overhead_seconds": 1.0,
        "seconds_per_event": busy / (100 * rate),
        "events_per_second": 100.0 * rate,
        "within_seconds": 10.0,
    }
    if busy >= 1:
        return Case(given, None, "no size keeps up")
    least = given["events_per_second"] / (1 - busy)
    largest = least * factor
    given["within_seconds"] = (
        (largest - 1) / given["events_per_second"] + 1 + largest * given["seconds_per_event"]
    )
    served = [round(least), round(largest)] if factor > 1 else None
    label = "some sizes serve" if served else "no size is in time"
    return Case(given, served, label)


def batch_sizes() -> SearchStrategy[Case]:
    return st.builds(
        _sizes,
        rate=st.integers(1, 100),
        share=st.sampled_from([5, 2, 8, 12, 15]),
        factor=st.sampled_from([2.0, 5.0, 0.5]),
    )


def _designs(kinds: list[str]) -> Case:
    """The frontier 1 s for 9 dollars, 5 s for 8.8 and 10 s for 1, and others beside it."""
    rows: list[dict[str, Any]] = [
        {"latency_seconds": 1.0, "usd_per_million_events": 9.0, "keeps_up": True},
        {"latency_seconds": 5.0, "usd_per_million_events": 8.8, "keeps_up": True},
        {"latency_seconds": 10.0, "usd_per_million_events": 1.0, "keeps_up": True},
    ]
    others = {
        "beaten": (11.0, 2.0, True),
        "as fast, dearer": (5.0, 8.9, True),
        "as dear, slower": (20.0, 1.0, True),
        "does not keep up": (2.0, 0.5, False),
        "alike": (10.0, 1.0, True),
    }
    rows += [dict(zip(rows[0], others[kind], strict=True)) for kind in kinds]
    table = pd.DataFrame(rows)
    table.insert(0, "design", list("ABCDEFGH")[: len(rows)])
    table["events_per_second"] = [
        5_000.0,
        4_000.0,
        3_000.0,
        9_000.0,
        2_000.0,
        1_000.0,
        800.0,
        700.0,
    ][: len(rows)]
    label = "three on the frontier" + "".join(f", one {kind}" for kind in kinds)
    twins = table.loc[3:, "design"][[kind == "alike" for kind in kinds]].tolist()
    return Case({"designs": table}, ["A", "B", "C", *twins], label)


def frontier() -> SearchStrategy[Case]:
    kinds = ("beaten", "as fast, dearer", "as dear, slower", "does not keep up", "alike")
    return st.builds(_designs, st.lists(st.sampled_from(kinds), max_size=5, unique=True))


def _day(kind: str, late_hour: int, busy: float) -> Case:
    """24 hours, 1 M events in each and 4 M at noon; the machines cost 1 dollar an hour."""
    arrived = np.full(HOURS, 1_000_000)
    arrived[12] = 4_000_000
    visible, p99 = arrived.copy(), np.full(HOURS, 10.0)
    if kind.startswith("throughput"):
        visible[12], visible[13] = 2_500_000, 2_500_000
    if kind == "throughput, late too":
        p99[12] = 2_000.0
    if kind == "latency":
        p99[late_hour] = 200.0
    hours = pd.DataFrame(
        {
            "hour": np.arange(HOURS),
            "arrived_events": arrived,
            "visible_events": visible,
            "p99_seconds": p99,
            "usd": np.ones(HOURS),
            "busy_share": np.full(HOURS, busy),
        }
    )
    # 24 dollars for 27 M events are 0.89 a million; the mean of the hours' prices is 0.97.
    targets = {"within_seconds": 60.0, "usd_per_million_events": 0.8 if kind == "cost" else 0.93}
    fails = kind.partition(",")[0]
    label = "nothing constrains" if kind == "none" else f"{fails} constrains"
    return Case(
        {"hours": hours, "targets": targets},
        fails,
        label + (", events are late, too" if kind.endswith("too") else ""),
    )


def constraining_dimension() -> SearchStrategy[Case]:
    return st.builds(
        _day,
        kind=st.sampled_from(["none", "throughput", "throughput, late too", "latency", "cost"]),
        late_hour=st.sampled_from([12, 3]),
        busy=st.sampled_from([0.5, 0.9]),
    )
