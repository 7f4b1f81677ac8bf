"""Numbers of lesson 3's questions: the premium, the value of a latency, lag."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.interview.numbers.drawn import Drawn, number
from tradeoff.interview.numbers.four_designs import usd
from tradeoff.model import (
    Rhythm,
    break_even_usd_per_minute,
    cost,
    engine,
    value_of_latency,
    words,
)
from tradeoff.model.quantities import DAY_SECONDS
from tradeoff.scenarios import lag_signals
from tradeoff.scenarios.worth import DAYS_PER_YEAR, Lateness


def _bills(
    nodes: int, run_seconds: float, price: float, people: float, stream_nodes: int
) -> tuple[float, float]:
    """USD a day of a nightly run and of a stream, with the same prices."""
    prices: dict[str, Any] = {"node_usd_per_hour": price, "operations_usd_per_day": people}
    night = replace(engine("spark_ephemeral"), **prices)
    stream = replace(engine("flink"), **prices)
    return (
        cost.bill_of_runs(night, Rhythm.BATCH, nodes, run_seconds, 1),
        cost.bill_of_runs(stream, Rhythm.STREAMING, stream_nodes, DAY_SECONDS, 1),
    )


@number
def raw_compute_ratio(rng: np.random.Generator) -> Drawn:
    nodes = int(rng.choice([4, 6, 8]))
    stream = int(rng.integers(2, nodes))
    run = float(rng.choice([20, 30, 40, 60, 90])) * 60
    night, always = cost.node_hours(nodes, run, 1), cost.node_hours(stream, DAY_SECONDS, 1)
    return Drawn(
        {
            "nodes": str(nodes),
            "stream_nodes": str(stream),
            "run": words.duration(run),
            "night": f"{night:.3g} node-hours",
            "always": f"{always:g} node-hours",
        },
        float(always / night),
        "times",
        within=0.05,
        because=f"{stream} nodes x 24 h are {always:g} node-hours; {nodes} nodes for "
        f"{words.duration(run)} are {night:.3g}; {always:g} / {night:.3g}",
    )


@number
def premium_over_nightly(rng: np.random.Generator) -> Drawn:
    nodes = int(rng.choice([3, 4, 6]))
    run = float(rng.choice([30, 40, 60, 90])) * 60
    price, people = float(rng.choice([8, 10, 12])), float(rng.choice([4, 10, 25]))
    night, stream = _bills(nodes, run, price, people, nodes + 1)
    return Drawn(
        {
            "nodes": str(nodes),
            "run": words.duration(run),
            "price": f"{price:g} USD",
            "people": f"{people:g} USD",
            "night": f"{night:,.0f} USD",
            "stream": f"{stream:,.0f} USD",
            "year": usd(DAYS_PER_YEAR * (stream - night)),
        },
        stream - night,
        "USD/day",
        within=0.05,
        because=f"stream {nodes + 1} nodes x 24 h x {price:g} + 2 x {people:g} = {stream:,.0f}; "
        f"nightly {nodes} nodes x {run / 3600:.3g} h x {price:g} + {people:g} = {night:,.0f}",
    )


@number
def ratio_at_list_price(rng: np.random.Generator) -> Drawn:
    nodes = int(rng.choice([3, 4, 6]))
    run = float(rng.choice([40, 60, 120])) * 60
    price, people = float(rng.choice([0.6, 0.7, 0.8])), float(rng.choice([150, 200, 300]))
    night, stream = _bills(nodes, run, price, people, nodes + 1)
    full = engine("spark_ephemeral")  # the all-in prices behind the lesson's table
    dear_price, dear_people = full.node_usd_per_hour, full.operations_usd_per_day
    dear = _bills(nodes, run, dear_price, dear_people, nodes + 1)
    return Drawn(
        {
            "nodes": str(nodes),
            "run": words.duration(run),
            "price": f"{price:.2f} USD",
            "people": f"{people:g} USD",
            "gap": f"{stream - night:,.0f} USD",
            "dear_price": f"{dear_price:g} USD",
            "dear_people": f"{dear_people:g} USD",
            "all_in": f"{dear[1] / dear[0]:.0f} times",
        },
        stream / night,
        "times",
        within=0.05,
        because=f"stream {nodes + 1} nodes x 24 h x {price:.2f} + 2 x {people:g} = {stream:,.0f}; "
        f"nightly {nodes} x {run / 3600:.3g} h x {price:.2f} + {people:g} = {night:,.0f}",
    )


@number
def value_of_being_faster(rng: np.random.Generator) -> Drawn:
    slow, fast = float(rng.choice([30, 45, 60, 90])) * 60, float(rng.choice([2, 5, 10])) * 60
    rate = float(rng.choice([4, 8, 15, 30]))
    a_day = value_of_latency(slow, fast, rate)
    return Drawn(
        {
            "slow": words.duration(slow),
            "fast": words.duration(fast),
            "rate": f"{rate:g} USD",
            "a_day": f"{a_day:,.0f} USD",
        },
        DAYS_PER_YEAR * a_day,
        "USD/year",
        within=0.05,
        because=f"{(slow - fast) / 60:g} minutes saved x {rate:g} = {a_day:,.0f} USD a day, "
        f"x {DAYS_PER_YEAR}",
    )


@number
def value_above_a_threshold(rng: np.random.Generator) -> Drawn:
    slow, fast = float(rng.choice([60, 90, 120])) * 60, float(rng.choice([1, 2, 5])) * 60
    threshold = float(rng.choice([15, 20, 30])) * 60
    rate = float(rng.choice([5, 10, 20, 40]))
    gained = value_of_latency(slow, fast, rate, threshold)
    return Drawn(
        {
            "slow": words.duration(slow),
            "fast": words.duration(fast),
            "threshold": words.duration(threshold),
            "rate": f"{rate:g} USD",
            "wrong": f"{value_of_latency(slow, fast, rate):,.0f} USD",
        },
        gained,
        "USD/day",
        within=0.02,
        because=f"{slow / 60:g} - {threshold / 60:g} minutes count, x {rate:g}; "
        "below the threshold nothing is lost, so nothing is gained",
    )


@number
def break_even_minute(rng: np.random.Generator) -> Drawn:
    extra = float(rng.integers(14, 30)) * 50
    slow, fast = float(rng.choice([30, 40, 50, 60])) * 60, float(rng.choice([10, 30, 60]))
    least = break_even_usd_per_minute(extra, slow, fast)
    assert least is not None  # slow is later than fast
    return Drawn(
        {
            "extra": f"{extra:,.0f} USD",
            "slow": words.duration(slow),
            "fast": words.duration(fast),
            "year": usd(DAYS_PER_YEAR * extra),
            "saved": f"{(slow - fast) / 60:.3g} minutes",
        },
        least,
        "USD/minute",
        within=0.05,
        because=f"{extra:,.0f} USD a day / {(slow - fast) / 60:.3g} minutes saved",
    )


@number
def the_last_step(rng: np.random.Generator) -> Drawn:
    slow, late = float(rng.choice([60, 90, 120])) * 60, float(rng.choice([70, 90, 120, 150]))
    soon = float(rng.choice([0.3, 0.5, 1.0]))
    rate = float(rng.choice([20, 40, 60, 100]))
    last = DAYS_PER_YEAR * value_of_latency(late, soon, rate)
    before = DAYS_PER_YEAR * value_of_latency(slow, late, rate)
    return Drawn(
        {
            "slow": words.duration(slow),
            "late": f"{late:g} s",
            "soon": words.duration(soon),
            "rate": f"{rate:g} USD",
            "before": usd(before),
            "kept": f"{before / (before + last):.0%}",
        },
        last,
        "USD/year",
        within=0.05,
        because=f"({late:g} - {soon:g}) s are {(late - soon) / 60:.3g} minutes, x {rate:g} USD "
        f"x {DAYS_PER_YEAR} days",
    )


@number
def outages_that_pay(rng: np.random.Generator) -> Drawn:
    rate, sooner = float(rng.choice([500, 800, 1000, 2000])), float(rng.choice([10, 15, 20, 30]))
    once = Lateness(rate, times_a_year=1).value_usd_per_year(60 * sooner, 0.0)
    often = int(rng.integers(12, 40))
    extra = round((often - rng.uniform(0.2, 0.8)) * once, -3)
    return Drawn(
        {
            "rate": f"{rate:,g} USD",
            "sooner": f"{sooner:g} minutes",
            "extra": f"{extra:,.0f} USD",
            "once": f"{once:,.0f} USD",
            "least": f"{math.ceil(extra / once)} outages",
        },
        float(math.ceil(extra / once)),
        "outages/year",
        within=0.05,
        because=f"{sooner:g} minutes x {rate:,g} = {once:,.0f} USD an outage; "
        f"{extra:,.0f} / {once:,.0f}, rounded up",
    )


@number
def lag_of_a_slow_consumer(rng: np.random.Generator) -> Drawn:
    arrivals = float(rng.choice([1000, 2000, 4000]))
    commits = arrivals * float(rng.choice([0.4, 0.55, 0.7, 0.8]))
    at = np.arange(0, 601, 100)
    first, behind = int(rng.integers(5, 40)) * 1_000_000, int(rng.integers(2, 9)) * 10_000
    seen = pd.DataFrame(
        {"consumer": "it", "seconds": at, "end_offset": first + arrivals * at}
        | {"committed_offset": first - behind + commits * at}
    )
    seen["lag"] = seen["end_offset"] - seen["committed_offset"]
    found = lag_signals.verdicts(seen, 0, 600).to_dict("index")["it"]
    return Drawn(
        {
            "end": f"{seen['end_offset'].iloc[0]:,.0f}",
            "end_later": f"{seen['end_offset'].iloc[-1]:,.0f}",
            "committed": f"{seen['committed_offset'].iloc[0]:,.0f}",
            "committed_later": f"{seen['committed_offset'].iloc[-1]:,.0f}",
            "arrivals": f"{found['arrivals_per_second']:,.0f}",
            "commits": f"{found['commits_per_second']:,.0f}",
            "verdict": str(found["state"]),
        },
        float(found["lag_per_second"]),
        "events/s",
        within=0.05,
        because=f"{arrivals:,.0f} arrive and {commits:,.0f} are committed a second",
    )


@number
def catching_up(rng: np.random.Generator) -> Drawn:
    arrivals = float(rng.choice([1000, 2000, 5000]))
    most = arrivals * float(rng.choice([1.25, 1.5, 2.0, 3.0]))
    down = float(rng.choice([10, 20, 30])) * 60
    waiting = arrivals * down
    return Drawn(
        {
            "arrivals": f"{arrivals:,.0f}",
            "most": f"{most:,.0f}",
            "down": words.duration(down),
            "waiting": words.count(waiting),
            "wrong": words.duration(waiting / most),
            "spare": f"{most - arrivals:,.0f}",
        },
        waiting / (most - arrivals),
        "s",
        within=0.05,
        because=f"{words.count(waiting)} events wait; {most:,.0f} - {arrivals:,.0f} a second "
        "shrink the lag, since events go on arriving",
    )
