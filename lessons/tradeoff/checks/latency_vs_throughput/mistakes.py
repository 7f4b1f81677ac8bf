"""The misconceptions behind wrong answers to lesson 1's exercise, as functions that have them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.checks.assignment import Misconception

Figures = dict[str, float]
Targets = dict[str, float]


def _latencies(log: pd.DataFrame, **wrong: Any) -> Figures:
    """The three figures, with one exchanged by keyword."""
    end = log["visible_seconds"].max()
    latency = log["visible_seconds"].fillna(end) - log["arrived_seconds"]
    right = {
        "p50_seconds": float(latency.median()),
        "p99_seconds": float(latency.quantile(0.99)),
        "processing_seconds": float((log["done_seconds"] - log["started_seconds"]).mean()),
    }
    return right | {name: float(value) for name, value in wrong.items()}


def _both(latency: pd.Series) -> Figures:
    p50, p99 = latency.quantile([0.5, 0.99]).tolist()
    return {"p50_seconds": p50, "p99_seconds": p99}


def _worst_for_p99(log: pd.DataFrame) -> Figures:
    latency = log["visible_seconds"] - log["arrived_seconds"]
    return _latencies(log, p99_seconds=latency.max())


def _mean_for_median(log: pd.DataFrame) -> Figures:
    latency = log["visible_seconds"].fillna(log["visible_seconds"].max()) - log["arrived_seconds"]
    return _latencies(log, p50_seconds=latency.mean())


LATENCIES = (
    Misconception(
        "survivors only",
        "drops the events that are still waiting, and measures those that got through",
        lambda log: _latencies(log, **_both(log["visible_seconds"] - log["arrived_seconds"])),
    ),
    Misconception(
        "processing for end to end",
        "takes processing for the whole latency, and forgets that an event waits",
        lambda log: _latencies(log, **_both(log["done_seconds"] - log["started_seconds"])),
    ),
    Misconception(
        "done for visible",
        "stops the clock when an event is done, before its commit made it visible",
        lambda log: _latencies(
            log,
            **_both(
                log["done_seconds"].fillna(log["visible_seconds"].max()) - log["arrived_seconds"]
            ),
        ),
    ),
    Misconception(
        "started for arrived",
        "starts the clock when the work starts, after the wait",
        lambda log: _latencies(log, **_both(log["visible_seconds"] - log["started_seconds"])),
    ),
    Misconception("worst for p99", "takes the worst event for the 99th percentile", _worst_for_p99),
    Misconception("mean for median", "takes the mean latency for the median one", _mean_for_median),
    Misconception(
        "commit for work",
        "counts the commit as processing",
        lambda log: _latencies(
            log, processing_seconds=(log["visible_seconds"] - log["started_seconds"]).mean()
        ),
    ),
    Misconception(
        "wait for work",
        "counts the wait before the work as processing",
        lambda log: _latencies(
            log, processing_seconds=(log["done_seconds"] - log["arrived_seconds"]).mean()
        ),
    ),
)


def _throughput(
    log: pd.DataFrame,
    usd_per_hour: float,
    *,
    events: float | None = None,
    seconds: float | None = None,
    paid: float | None = None,
) -> Figures:
    """The two figures, with events, seconds of the clock or seconds paid exchanged."""
    span = float(log["visible_seconds"].max() - log["arrived_seconds"].min())
    events = float(log["visible_seconds"].notna().sum()) if events is None else events
    seconds = span if seconds is None else seconds
    paid = seconds if paid is None else paid
    return {
        "events_per_second": events / seconds,
        "usd_per_million_events": usd_per_hour / 3_600 * paid / events * 1e6,
    }


def _one_over_latency(log: pd.DataFrame, usd_per_hour: float) -> Figures:
    latency = float((log["visible_seconds"] - log["arrived_seconds"]).mean())
    return _throughput(log, usd_per_hour) | {"events_per_second": 1 / latency}


def _busy(log: pd.DataFrame) -> float:
    return float((log["done_seconds"] - log["started_seconds"]).sum())


def _events_an_hour(log: pd.DataFrame, usd_per_hour: float) -> Figures:
    right = _throughput(log, usd_per_hour)
    return right | {"usd_per_million_events": usd_per_hour / right["events_per_second"] * 1e6}


THROUGHPUT_AND_COST = (
    Misconception(
        "latency for throughput",
        "takes one over the latency for throughput, as if events went through one at a time",
        _one_over_latency,
    ),
    Misconception(
        "busy for paid",
        "bills only the seconds of work, for machines that are paid around the clock",
        lambda log, usd_per_hour: _throughput(log, usd_per_hour, paid=_busy(log)),
    ),
    Misconception(
        "capacity for throughput",
        "divides by the seconds of work alone: what the loop could do, not what it did",
        lambda log, usd_per_hour: _throughput(log, usd_per_hour, seconds=_busy(log)),
    ),
    Misconception(
        "arrived for done",
        "counts events that arrived, whether or not they became visible",
        lambda log, usd_per_hour: _throughput(log, usd_per_hour, events=float(len(log))),
    ),
    Misconception(
        "clock from zero",
        "divides by the reading of the clock, which did not start at zero",
        lambda log, usd_per_hour: _throughput(
            log, usd_per_hour, seconds=float(log["visible_seconds"].max())
        ),
    ),
    Misconception(
        "until the last arrival",
        "stops the clock at the last arrival, before the last event became visible",
        lambda log, usd_per_hour: _throughput(
            log,
            usd_per_hour,
            seconds=float(log["arrived_seconds"].max() - log["arrived_seconds"].min()),
        ),
    ),
    Misconception(
        "hour for second",
        "multiplies a price by the hour with seconds",
        _events_an_hour,
    ),
)


def _constants(overhead: float, each: float) -> Figures:
    return {"overhead_seconds": float(overhead), "seconds_per_event": float(each)}


def _no_overhead(batches: pd.DataFrame) -> Figures:
    return _constants(0.0, batches["seconds"].sum() / batches["events"].sum())


def _absolute(batches: pd.DataFrame) -> Figures:
    each, overhead = np.polyfit(batches["events"], batches["seconds"], 1)
    return _constants(overhead, each)


def _smallest(batches: pd.DataFrame) -> Figures:
    large = batches[batches["events"] == batches["events"].max()]
    small = batches.loc[batches["events"] == batches["events"].min(), "seconds"].mean()
    return _constants(small, (large["seconds"].mean() - small) / large["events"].iloc[0])


def _average_cost(batches: pd.DataFrame) -> Figures:
    each = (batches["seconds"] / batches["events"]).mean()
    return _constants((batches["seconds"] - each * batches["events"]).mean(), each)


FIT_OVERHEAD = (
    Misconception(
        "no overhead",
        "divides seconds by events, as if a batch had no overhead",
        _no_overhead,
    ),
    Misconception(
        "absolute error",
        "fits in absolute error, where the scatter of the largest batches drowns the overhead",
        _absolute,
    ),
    Misconception(
        "smallest batch for overhead",
        "takes the whole smallest batch for overhead, its events included",
        _smallest,
    ),
    Misconception(
        "shared overhead for work",
        "averages seconds per event over all sizes, so that overhead passes for work",
        _average_cost,
    ),
)


def _bounds(
    given: dict[str, float],
    *,
    waits: float = 1.0,
    runs: bool = True,
    least: float | None = None,
    checks: bool = True,
) -> list[int] | None:
    """Smallest and largest size; `waits` is the share of its batch's gathering an event waits."""
    rate = given["events_per_second"]
    room = 1 - rate * given["seconds_per_event"]
    if least is None:
        if room <= 0:
            return None
        least = rate * given["overhead_seconds"] / room
    overhead, each = (given["overhead_seconds"], given["seconds_per_event"]) if runs else (0.0, 0.0)
    largest = (given["within_seconds"] - overhead + waits / rate) / (waits / rate + each)
    if checks and least > largest:
        return None
    return [max(1, math.ceil(least)), math.floor(largest)]


def _overhead_only(**given: float) -> list[int] | None:
    return _bounds(given, least=given["events_per_second"] * given["overhead_seconds"])


def _half_speed(**given: float) -> list[int] | None:
    return _bounds(given, least=given["overhead_seconds"] / given["seconds_per_event"])


def _any_size(**given: float) -> list[int] | None:
    return _bounds(given, least=1.0)


BATCH_SIZES = (
    Misconception(
        "the batch for the latency",
        "takes the time of a batch for the latency, and forgets the wait for company",
        lambda **given: _bounds(given, waits=0.0),
    ),
    Misconception(
        "the wait for the latency",
        "counts the wait for company only, and forgets the batch itself",
        lambda **given: _bounds(given, runs=False),
    ),
    Misconception(
        "average for worst",
        "lets the average event decide, which waits half as long as the first",
        lambda **given: _bounds(given, waits=0.5),
    ),
    Misconception(
        "overhead is all",
        "counts only the overhead as the batch's time when asking what keeps up",
        _overhead_only,
    ),
    Misconception(
        "half speed is enough",
        "takes the half-speed batch for the smallest that keeps up, whatever the rate",
        _half_speed,
    ),
    Misconception(
        "every size keeps up",
        "asks only how late an event may be, as if every size kept up",
        _any_size,
    ),
    Misconception(
        "crossed bounds",
        "gives two sizes where the smallest that keeps up is already too late",
        lambda **given: _bounds(given, checks=False),
    ),
)

AXES = ["latency_seconds", "usd_per_million_events"]


def _unbeaten(designs: pd.DataFrame, signs: dict[str, int], both: bool = False) -> list[str]:
    """Names of those that nothing beats on these columns (-1: more is better)."""
    points = designs[list(signs)].to_numpy(float) * np.array(list(signs.values()))
    if both:
        beaten = [bool((points < mine).all(axis=1).any()) for mine in points]
    else:
        beaten = [
            bool(((points <= mine).all(axis=1) & (points < mine).any(axis=1)).any())
            for mine in points
        ]
    names: list[str] = designs.loc[~np.array(beaten), "design"].tolist()
    return names


def _lower_hull(designs: pd.DataFrame) -> list[str]:
    """Those that are the best of some weighted sum of latency and cost."""
    able = designs[designs["keeps_up"]]
    late, usd = (able[axis].to_numpy(float) for axis in AXES)
    late, usd = late / late.max(), usd / usd.max()
    sums = np.geomspace(1e-7, 1e7, 3_000)[:, None] * late + usd
    best = (sums <= sums.min(axis=1, keepdims=True) * (1 + 1e-12)).any(axis=0)
    names: list[str] = able.loc[best, "design"].tolist()
    return names


def _ends(designs: pd.DataFrame) -> list[str]:
    able = designs[designs["keeps_up"]]
    ends = pd.concat([able.nsmallest(1, AXES), able.nsmallest(1, AXES[::-1])])
    return sorted(set(ends["design"]))


FRONTIER = (
    Misconception(
        "overload on the frontier",
        "keeps designs that do not keep up, whose latency has no bound",
        lambda designs: _unbeaten(designs, dict.fromkeys(AXES, 1)),
    ),
    Misconception(
        "better in both",
        "calls a design beaten only when another is better in both figures, ties aside",
        lambda designs: _unbeaten(designs[designs["keeps_up"]], dict.fromkeys(AXES, 1), both=True),
    ),
    Misconception(
        "the best weighted sum",
        "keeps what is best for some weighted sum, which misses part of the frontier",
        _lower_hull,
    ),
    Misconception(
        "one of two alike",
        "lets one of two designs beat the other though they are alike",
        lambda designs: _unbeaten(
            designs[designs["keeps_up"]].drop_duplicates(AXES), dict.fromkeys(AXES, 1)
        ),
    ),
    Misconception(
        "the two ends",
        "keeps the fastest and the cheapest, and nothing between them",
        _ends,
    ),
    Misconception(
        "throughput for cost",
        "sets latency against throughput, where the task asks for the cost of an event",
        lambda designs: _unbeaten(
            designs[designs["keeps_up"]], {"latency_seconds": 1, "events_per_second": -1}
        ),
    ),
)


def _binds(
    hours: pd.DataFrame,
    targets: Targets,
    *,
    keeps_up: bool | None = None,
    latency: float | None = None,
    unit: float | None = None,
    order: tuple[str, ...] = ("throughput", "latency", "cost"),
) -> str:
    """A diagnosis with one figure, or the order, exchanged."""
    arrived, visible = (hours[name].to_numpy() for name in ("arrived_events", "visible_events"))
    if keeps_up is None:
        busiest = int(arrived.argmax())
        keeps_up = bool(visible[busiest] >= 0.95 * arrived[busiest])
    worst = hours["p99_seconds"].max() if latency is None else latency
    if unit is None:
        unit = hours["usd"].sum() / visible.sum() * 1e6
    fails = {
        "throughput": not keeps_up,
        "latency": worst > targets["within_seconds"],
        "cost": unit > targets["usd_per_million_events"],
    }
    return next((name for name in order if fails[name]), "none")


def _units(hours: pd.DataFrame) -> pd.Series:
    return hours["usd"] / hours["visible_events"] * 1e6


CONSTRAINING_DIMENSION = (
    Misconception(
        "symptom for cause",
        "takes late events, the symptom of an overload, for the cause",
        lambda hours, targets: _binds(hours, targets, order=("latency", "throughput", "cost")),
    ),
    Misconception(
        "the day for the peak",
        "asks whether it keeps up over the day, where the night makes up for the peak",
        lambda hours, targets: _binds(
            hours,
            targets,
            keeps_up=hours["visible_events"].sum() >= 0.95 * hours["arrived_events"].sum(),
        ),
    ),
    Misconception(
        "busy for overloaded",
        "takes busy machines for a lack of throughput",
        lambda hours, targets: _binds(
            hours, targets, keeps_up=bool(hours["busy_share"].max() < 0.75)
        ),
    ),
    Misconception(
        "average for worst hour",
        "averages latency over the day, where a late hour disappears",
        lambda hours, targets: _binds(hours, targets, latency=hours["p99_seconds"].mean()),
    ),
    Misconception(
        "mean of hourly prices",
        "averages the hours' prices of an event, as if quiet hours had as many events",
        lambda hours, targets: _binds(hours, targets, unit=_units(hours).mean()),
    ),
    Misconception(
        "the peak's price",
        "takes the price of an event at the peak, where a paid machine is best used, for the day's",
        lambda hours, targets: _binds(hours, targets, unit=_units(hours).min()),
    ),
    Misconception(
        "throughput forgotten",
        "looks at latency and cost only",
        lambda hours, targets: _binds(hours, targets, keeps_up=True),
    ),
)
