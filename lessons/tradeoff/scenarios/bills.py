"""Bills and needs drawn for practice, each with what is true of it.

A draw fixes the hours, the fixed part of a run or the saving first and makes the figures that a
learner sees from them; a choice is drawn until one design wins clearly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model.cost import DAYS_PER_MONTH, OPERATIONS_FACTOR
from tradeoff.scenarios.premium import HOURLY, MICRO_BATCH, NIGHTLY, STREAMING

Facts = dict[str, Any]
DAYS_PER_YEAR = 365
CLEAR = 0.05  # the best design of a choice is ahead of the next by this share of its own cost
THRESHOLDS = (0.0, 0.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0)
OCCASIONS = (365, 365, 250, 52, 12)
WISHES = ("daily", "hourly", "every few minutes", "real time")
KINDS = ("ephemeral batch", "always on micro-batch", "warm micro-batch", "stream")


@dataclass(frozen=True)
class Drawn:
    """What a learner is given, what is true, and the kind in words."""

    given: Facts
    truth: Any
    label: str


def prices(rng: np.random.Generator) -> Facts:
    """What a node-hour, a gigabyte and the people of one batch pipeline cost."""
    return {
        "node_usd_per_hour": round(float(rng.uniform(0.5, 15)), 2),
        "state_usd_per_gb_month": round(float(rng.uniform(0.05, 0.4)), 2),
        "batch_people_usd_per_day": float(rng.choice([4, 10, 40, 100, 200])),
    }


def design(rng: np.random.Generator, kind: str, stateful: bool = False) -> Facts:
    """The facts of one design of `KINDS` that decide its bill."""
    runs = {KINDS[0]: [1, 2, 4, 24], KINDS[1]: [288, 1440], KINDS[2]: [96, 288], KINDS[3]: [0]}
    a_day = int(rng.choice(runs[kind]))
    most = 0.4 * 1440 / max(a_day, 1)  # no run meets the next
    stream = kind == KINDS[3]
    return {
        "rhythm": "streaming" if stream else kind.split()[-1],
        "billing": "always on" if stream else kind.removesuffix(f" {kind.split()[-1]}"),
        "nodes": int(rng.integers(2, 13)),
        "runs_per_day": a_day,
        "run_minutes": 0.0 if stream else round(float(rng.uniform(0.1, 0.6)) * min(most, 120), 2),
        "start_up_minutes": round(float(rng.uniform(1.5, 6)), 1),
        "state_nodes": int(rng.integers(1, 4)) if stateful and "warm" not in kind else 0,
        "state_gb": float(rng.integers(20, 3000)) if stateful else 0.0,
    }


def parts(design: Mapping[str, Any], prices: Mapping[str, float]) -> dict[str, float]:
    """USD a day for compute, state and operations, as `tradeoff.model.cost` counts them."""
    paid = {
        "ephemeral": design["runs_per_day"] * (design["run_minutes"] + design["start_up_minutes"]),
        "warm": design["runs_per_day"] * design["run_minutes"],
        "always on": 1440.0,
    }
    stored = design["state_gb"] * prices["state_usd_per_gb_month"] / DAYS_PER_MONTH
    return {
        "compute": design["nodes"] * paid[design["billing"]] / 60 * prices["node_usd_per_hour"],
        "state": 24 * design["state_nodes"] * prices["node_usd_per_hour"] + stored,
        "operations": prices["batch_people_usd_per_day"] * OPERATIONS_FACTOR[design["rhythm"]],
    }


def bill(rng: np.random.Generator, kind: str, stateful: bool) -> Drawn:
    """One design and prices; the truth is its three parts."""
    drawn, paid = design(rng, kind, stateful), prices(rng)
    label = kind + (" with state" if stateful else "")
    return Drawn({"design": drawn, "prices": paid}, parts(drawn, paid), label)


def pipeline(rng: np.random.Generator) -> Drawn:
    """A pipeline known by two trial runs; the truth is its bill nightly, hourly and as a stream."""
    millions, share = int(rng.integers(50, 900)), rng.uniform(0.3, 0.6)
    fixed, per_day = round(float(rng.uniform(1, 6)), 1), float(rng.uniform(60, 300))
    trials = [millions / 100, round(millions * share)]
    return two_trials(
        millions,
        trials,
        fixed,
        per_day / millions,
        prices(rng),
        design(rng, KINDS[3], True),
        nodes=int(rng.integers(2, 13)),
        start_up_minutes=round(float(rng.uniform(1.5, 6)), 1),
    )


def two_trials(
    millions: float,
    trial_millions: list[float],
    fixed_minutes: float,
    minutes_per_million: float,
    prices: Facts,
    stream: Facts,
    *,
    nodes: int,
    start_up_minutes: float,
) -> Drawn:
    """The pipeline whose runs take a fixed time and a time for each event."""
    given = {
        "events_per_day": round(millions * 1e6),
        "trial_events": [round(each * 1e6) for each in trial_millions],
        "trial_minutes": [
            round(fixed_minutes + minutes_per_million * each, 3) for each in trial_millions
        ],
        "nodes": nodes,
        "start_up_minutes": start_up_minutes,
        "stream_nodes": stream["nodes"],
        "state_nodes": stream["state_nodes"],
        "state_gb": stream["state_gb"],
    }
    batch = {
        **{"rhythm": "batch", "billing": "ephemeral", "nodes": nodes, "state_nodes": 0},
        **{"state_gb": 0.0, "start_up_minutes": start_up_minutes},
    }
    ways = {"streaming": sum(parts(stream, prices).values())}
    for name, runs in ((NIGHTLY, 1), (HOURLY, 24)):
        minutes = fixed_minutes + minutes_per_million * millions / runs
        run = {**batch, "runs_per_day": runs, "run_minutes": minutes}
        ways[name] = sum(parts(run, prices).values())
    return Drawn({"pipeline": given, "prices": prices}, ways, "two trial runs")


BREAK_EVENS = {
    "pays": 5,
    "pays, free until a threshold": 7,
    "pays, free below the faster": 4,
    "pays, on some days": 7,
    "both are within what is free": 5,
    "the faster is no fresher": 3,
    "the faster is no dearer": 3,
    "they cost the same, and no minute that is saved costs anything": 2,
}
"""Kinds of `break_even`, and how many of each a check draws."""


def break_even(rng: np.random.Generator, kind: str) -> Drawn:
    """Two designs and when lateness costs; the truth is the least that a minute must cost."""
    slow = round(float(np.exp(rng.uniform(np.log(30), np.log(90_000)))))
    fast = slow if "no fresher" in kind else round(slow * float(rng.uniform(0.1, 0.5)))
    threshold = {
        "pays, free until a threshold": fast + (slow - fast) * rng.uniform(0.1, 0.9),
        "pays, free below the faster": fast * rng.uniform(0.2, 0.9),
    }.get(kind, 0.0)
    if "both are within" in kind or "cost the same" in kind:
        threshold = slow * rng.uniform(1.0, 3.0)
    bill = round(float(rng.uniform(20, 900)), 2)
    premium = round(float(rng.uniform(20, 2000)), 2)
    if "no dearer" in kind:
        premium = -round(bill * float(rng.uniform(0.1, 0.6)), 2)
    elif "cost the same" in kind:
        premium = 0.0
    times = int(rng.choice([12, 52, 120, 250])) if "some days" in kind else DAYS_PER_YEAR
    return two_designs(slow, fast, bill, premium, math.ceil(threshold), times, kind)


def two_designs(
    slow: float,
    fast: float,
    bill: float,
    premium: float,
    threshold: float,
    times: int,
    kind: str,
) -> Drawn:
    """Seconds, USD a day, and occasions a year."""
    given = {
        "slow": {"usd_per_day": bill, "latency_seconds": slow},
        "fast": {"usd_per_day": round(bill + premium, 2), "latency_seconds": fast},
        "threshold_seconds": threshold,
        "times_a_year": times,
    }
    saved = (slow - max(fast, threshold)) / 60 * times  # minutes a year that cost something
    truth = premium * DAYS_PER_YEAR / saved if saved > 0 else None
    return Drawn(given, 0.0 if premium <= 0 else truth, kind)


def yearly(designs: pd.DataFrame, need: Mapping[str, Any], without: str = "") -> dict[str, float]:
    """USD a year of each usable design, its lateness included; `without` one part of the need."""
    return _yearly(_rows(designs), need, without)


def best(designs: pd.DataFrame, need: Mapping[str, Any], without: str = "") -> str | None:
    """The design with the smallest sum of its bill and what its lateness costs; None: none will.

    `without` names a part of the need that is forgotten (threshold, occasions, most, limit; equal:
    a latency may be the limit itself), or of the reasoning: lateness (only bills are compared),
    between (only the cheapest and the dearest are), premium (value is held against the whole bill).
    """
    return _best(_rows(designs), need, without)


Row = tuple[str, float, float]  # name, USD a day, latency in seconds


def _rows(designs: pd.DataFrame) -> list[Row]:
    columns = (designs[name].tolist() for name in ("name", "usd_per_day", "latency_seconds"))
    return list(zip(*columns, strict=True))


def _yearly(rows: list[Row], need: Mapping[str, Any], without: str) -> dict[str, float]:
    free = 0.0 if without == "threshold" else need["threshold_seconds"]
    times = DAYS_PER_YEAR if without == "occasions" else need["times_a_year"]
    most = math.inf if without == "most" else need["most_usd_per_year"] or math.inf
    limit = math.inf if without == "limit" else need["limit_seconds"] or math.inf
    each = 0.0 if without == "lateness" else need["usd_per_minute"] / 60 * times
    return {
        name: usd * DAYS_PER_YEAR + min(each * max(late - free, 0.0), most)
        for name, usd, late in rows
        if late < limit or (late == limit and without != "equal")
    }


def _best(rows: list[Row], need: Mapping[str, Any], without: str) -> str | None:
    total = _yearly(rows, need, without)
    if not total:
        return None
    usable = sorted((row for row in rows if row[0] in total), key=lambda row: row[1])
    if without == "between":
        total = {name: total[name] for name, *_ in (usable[0], usable[-1])}
    if without == "premium":
        late = {name: total[name] - usd * DAYS_PER_YEAR for name, usd, _ in usable}
        least = usable[0][0]
        pays = [n for n, usd, _ in usable if late[least] - late[n] > usd * DAYS_PER_YEAR]
        return pays[-1] if pays else least
    return min(total, key=lambda name: total[name])


CHOICES: tuple[tuple[str | None, str, int], ...] = (
    *((NIGHTLY, part, 2) for part in ("", "threshold", "occasions")),
    (NIGHTLY, "most", 4),  # who loses all there is to lose either way takes the cheapest
    *((HOURLY, part, 2) for part in ("threshold", "occasions", "limit")),
    *((MICRO_BATCH, part, 2) for part in ("threshold", "occasions", "limit")),
    *((HOURLY, part, 2) for part in ("between", "premium")),
    *((MICRO_BATCH, part, 2) for part in ("between", "premium")),
    *((STREAMING, part, 3) for part in ("lateness", "premium", "limit")),
    *((name, "equal", 1) for name in (HOURLY, MICRO_BATCH, STREAMING)),
    (None, "limit", 4),
)
"""The design to build, what the answer hangs on, and how many a check draws."""


def offer(rng: np.random.Generator) -> list[Row]:
    """Four designs of one pipeline in no order; each faster one is dearer."""
    nightly = rng.uniform(20, 120)
    hourly = nightly * rng.uniform(1.5, 4)
    micro = hourly * rng.uniform(2.5, 8)
    stream = micro * rng.uniform(1.15, 2.5)
    rows = [
        (NIGHTLY, round(nightly, 2), float(rng.integers(87_000, 93_000))),
        (HOURLY, round(hourly, 2), float(rng.integers(3_700, 5_400))),
        (MICRO_BATCH, round(micro, 2), float(rng.integers(65, 600))),
        (STREAMING, round(stream, 2), round(float(rng.uniform(0.3, 3)), 1)),
    ]
    return [rows[i] for i in rng.permutation(4)]


def choice(rng: np.random.Generator, wanted: str | None, hangs_on: str) -> Drawn:
    """Designs and a need for which `wanted` is clearly the one to build.

    Without what it `hangs_on` (see `best`) the answer would be another; and but where a limit
    decides, a design that is not the cheapest earns its premium. Raises RuntimeError when none was
    found.
    """
    for _ in range(100_000):
        rows = offer(rng)
        need = _need(rng, rows, hangs_on)
        total = _yearly(rows, need, "")
        first, *others = sorted(total.values()) or [0.0]
        if wanted != (min(total, key=lambda name: total[name]) if total else None):
            continue
        if others and others[0] < first * (1 + CLEAR):
            continue
        if hangs_on and _best(rows, need, hangs_on) == wanted:
            continue
        if (
            wanted in (None, NIGHTLY)
            or hangs_on in ("limit", "equal")
            or wanted != _best(rows, need, "lateness")
        ):
            table = pd.DataFrame(rows, columns=["name", "usd_per_day", "latency_seconds"])
            given = {"designs": table, "need": need}
            return Drawn(given, wanted, said(wanted))
    raise RuntimeError(f"no need was found that {wanted} meets best and hangs on {hangs_on!r}")


def said(wanted: str | None) -> str:
    """The kind of a choice in words."""
    return "no design is of use" if wanted is None else f"{wanted} is the one to build"


def _need(rng: np.random.Generator, rows: list[Row], hangs_on: str) -> Facts:
    late = sorted(row[2] for row in rows)
    worth = float(f"{10 ** rng.uniform(-2, 3.5):.2g}") if rng.random() > 0.15 else 0.0
    limited = hangs_on in ("limit", "equal") or rng.random() < 0.35
    gap = int(rng.integers(5))
    edges = [0.05, *late, 4 * late[-1]]
    limit = float(f"{math.sqrt(edges[gap] * edges[gap + 1]):.2g}") if limited else None
    if hangs_on == "equal":
        limit = late[int(rng.integers(4))]
    capped = hangs_on == "most" or rng.random() < 0.35
    return {
        "asks_for": WISHES[int(rng.integers(4))],
        "usd_per_minute": worth,
        "threshold_seconds": THRESHOLDS[int(rng.integers(len(THRESHOLDS)))],
        "times_a_year": OCCASIONS[int(rng.integers(len(OCCASIONS)))],
        "most_usd_per_year": float(f"{10 ** rng.uniform(3.5, 6):.2g}") if capped else None,
        "limit_seconds": limit,
    }
