"""Plain cases for lesson 3's assignment: round numbers, one reason each, truth by construction.

Each function is a Hypothesis strategy that shrinks to the plainest case.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tradeoff.checks.assignment import Case
from tradeoff.scenarios import bills, offsets

PRICES = {
    "node_usd_per_hour": 10.0,
    "state_usd_per_gb_month": 0.1,
    "batch_people_usd_per_day": 4.0,
}


def _price(kind: str, nodes: int, runs: int, minutes: int, start: int, state: tuple) -> Case:
    rhythm = kind.split()[-1]
    stream = kind == "stream"
    standing, gigabytes = (0, 0.0) if rhythm == "batch" else state
    design = {
        "rhythm": "streaming" if stream else rhythm,
        "billing": "always on" if stream else kind.removesuffix(f" {rhythm}"),
        "nodes": nodes,
        "runs_per_day": 0 if stream else runs,
        "run_minutes": 0.0 if stream else float(minutes),
        "start_up_minutes": float(start),
        "state_nodes": 0 if "warm" in kind else standing,
        "state_gb": gigabytes,
    }
    label = kind + (" with state" if gigabytes else "")
    return Case({"design": design, "prices": PRICES}, bills.parts(design, PRICES), label)


def price() -> SearchStrategy[Case]:
    return st.builds(
        _price,
        kind=st.sampled_from(bills.KINDS),
        nodes=st.integers(1, 6),
        runs=st.sampled_from([1, 24]),
        minutes=st.sampled_from([6, 12, 30]),
        start=st.integers(0, 5),
        state=st.sampled_from([(0, 0.0), (1, 304.0), (2, 304.0)]),
    )


def _ways(millions: int, fixed: int, hours: int, start: int, nodes: int, state: int) -> Case:
    stream = {
        **{"rhythm": "streaming", "billing": "always on", "nodes": 3, "state_nodes": state},
        **{"runs_per_day": 0, "run_minutes": 0.0, "start_up_minutes": 0.0, "state_gb": 304.0},
    }
    drawn = bills.two_trials(
        millions,
        [millions / 60, millions / 2],
        float(fixed),
        60.0 * hours / millions,
        PRICES,
        stream,
        nodes=nodes,
        start_up_minutes=float(start),
    )
    return Case(drawn.given, drawn.truth, drawn.label)


def price_three_ways() -> SearchStrategy[Case]:
    return st.builds(
        _ways,
        millions=st.sampled_from([60, 120, 600]),
        fixed=st.integers(0, 5),
        hours=st.integers(1, 5),
        start=st.integers(0, 5),
        nodes=st.integers(1, 6),
        state=st.integers(0, 2),
    )


def _even(slow: int, fast: int, premium: int, free: float, times: int) -> Case:
    """Latencies in minutes; `free` as a share of the slower one's."""
    drawn = bills.two_designs(
        60 * slow,
        60 * min(fast, slow),
        100.0,
        float(premium),
        round(60 * slow * free),
        times,
        "free until a threshold" if free else "every minute costs",
    )
    return Case(drawn.given, drawn.truth, drawn.label)


def break_even() -> SearchStrategy[Case]:
    return st.builds(
        _even,
        slow=st.sampled_from([60, 90, 1440]),
        fast=st.sampled_from([10, 30, 1440]),
        premium=st.sampled_from([50, 500, -50, 0]),
        free=st.sampled_from([0.0, 0.1, 0.5, 2.0]),
        times=st.sampled_from([365, 12]),
    )


def _decide(
    shown: list[str],
    worth: float,
    free: float,
    times: int,
    most: float | None,
    limit: float | None,
    asks_for: str,
) -> Case:
    table = pd.DataFrame(
        {
            "name": ["nightly", "hourly", "micro-batch", "streaming"],
            "usd_per_day": [40.0, 100.0, 1000.0, 1500.0],
            "latency_seconds": [90_000.0, 4200.0, 120.0, 0.6],
        }
    )
    designs = table[table["name"].isin(shown)].reset_index(drop=True)
    need: dict[str, Any] = {
        "asks_for": asks_for,
        "usd_per_minute": worth,
        "threshold_seconds": free,
        "times_a_year": times,
        "most_usd_per_year": most,
        "limit_seconds": limit,
    }
    best = bills.best(designs, need)
    return Case({"designs": designs, "need": need}, best, bills.said(best))


def _clear(case: Case) -> bool:
    first, *others = sorted(bills.yearly(**case.arguments).values()) or [0.0]
    return not others or others[0] > first * (1 + bills.CLEAR)


def decide() -> SearchStrategy[Case]:
    names = ("nightly", "hourly", "micro-batch", "streaming")
    pairs = [list(names), *([one, two] for one, two in zip(names, names[1:], strict=False))]
    return st.builds(
        _decide,
        shown=st.sampled_from(sorted(pairs, key=len)),
        worth=st.sampled_from([0.0, 0.05, 1.0, 20.0, 1000.0]),
        free=st.sampled_from([0.0, 3600.0, 100_000.0]),
        times=st.sampled_from([365, 12]),
        most=st.sampled_from([None, 10_000.0, 100_000.0]),
        limit=st.sampled_from([None, 7200.0, 300.0, 10.0, 0.1]),
        asks_for=st.sampled_from(bills.WISHES),
    ).filter(_clear)


def _consumer(kind: str, rate: int, pauses: int) -> Case:
    """Evenly arriving events; who slows or speeds up does so after four minutes."""
    early, late, behind = offsets.pace(kind, 0.5, 1.2)
    late_by, start = round(behind * rate), 10_000_000
    drawn = offsets.sampled(None, kind, rate, early, late, late_by, 240, pauses, 0, start)
    return Case(drawn.given, drawn.truth, drawn.label)


def slow_or_dead() -> SearchStrategy[Case]:
    return st.builds(
        _consumer,
        kind=st.sampled_from(list(offsets.CONSUMERS)),
        rate=st.sampled_from([100, 1000]),
        pauses=st.sampled_from([10, 20]),
    )
