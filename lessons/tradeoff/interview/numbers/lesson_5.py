"""Numbers of lesson 5's questions: runs that outgrow their window, and what mends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tradeoff.interview.numbers.drawn import Drawn, given, number
from tradeoff.model import Cadence, Design, day_curve, evaluate, words
from tradeoff.model.quantities import HOUR_SECONDS
from tradeoff.model.stages import stage_seconds
from tradeoff.scenarios import orders

MILLION = 1e6
QUARTERS = ("January", "April", "July", "October")


def _job(
    millions: float, foot_minutes: float, minutes_per_million: float, *, every: str = "24 h"
) -> Design:
    """The orders job with other constants: minutes a run, and minutes for each million orders.

    A third of the time of an order is spent in the source and the sink, as in the lesson.
    """
    night = orders.nightly(millions * MILLION)
    fixed = 60 * foot_minutes - night.engine.start_up_seconds - night.engine.overhead_seconds
    seconds = 60 * minutes_per_million / MILLION
    rate = night.engine.slots_per_node * night.engine.events_per_second_per_slot
    work = night.workload.at(
        millions * MILLION,
        work_per_event=seconds * 2 / 3 * rate,
        source_events_per_second=6 / seconds,
        sink_events_per_second=6 / seconds,
        fixed_seconds=fixed,
        fixed_seconds_incremental=fixed,
    )
    if every == "24 h":
        return night.but(workload=work)
    cadence = Cadence.every(every)
    return night.but(
        workload=work, cadence=cadence, incremental=True, start_hour=0, run_window_hours=None
    )


def _foot_seconds(design: Design) -> float:
    """What a run repeats whatever the volume: the run over a single order, to the millisecond."""
    return sum(stage_seconds(design, 1).values())


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR_SECONDS:.1f} h"


@number
def lateness_of_a_night(rng: np.random.Generator) -> Drawn:
    """How long after its deadline a nightly run is done."""
    foot, each = int(rng.choice([20, 30, 40, 45])), int(rng.choice([25, 30, 35, 40]))
    millions = int(rng.integers(11, 17))
    start, deadline = int(rng.choice([1, 2, 3])), 6
    found = evaluate(_job(millions, foot, each).but(start_hour=start))
    late = found.yesterday_complete_hour - deadline
    # what it seems to be to whoever takes the time of an order alone
    wrong = late - foot / 60
    return Drawn(
        {
            "foot": f"{foot} min",
            "each": f"{each} min",
            "orders": f"{millions} M",
            "start": f"{start}:00",
            "deadline": f"{deadline}:00",
            "complete": words.clock(found.yesterday_complete_hour),
            "wrong": words.duration(wrong * HOUR_SECONDS),
        },
        late,
        "h",
        within=0.03,
        because=f"{foot} min + {millions} x {each} min is "
        f"{found.run_mean_seconds / HOUR_SECONDS:.2f} h of run from {start}:00",
    )


@number
def volume_that_fills_the_window(rng: np.random.Generator) -> Drawn:
    """The volume at which a run is as long as its window, from two nights of its history."""
    foot, each = int(rng.choice([50, 60, 75, 90])), int(rng.choice([20, 25, 30, 35]))
    first = int(rng.choice([2, 3]))
    then = first + int(rng.choice([1, 2]))
    window = float(rng.choice([6, 7, 8])) * HOUR_SECONDS
    took = [evaluate(_job(each_day, foot, each)).run_mean_seconds for each_day in (first, then)]
    per_million = (took[1] - took[0]) / (then - first)
    least = (window - (took[0] - first * per_million)) / per_million
    return Drawn(
        {
            "first": f"{first} M",
            "then": f"{then} M",
            "first_took": f"{took[0] / 60:.0f} min",
            "then_took": f"{took[1] / 60:.0f} min",
            "window": words.duration(window),
            "foot": f"{foot} min",
            "each": f"{each} min",
            "wrong": f"{window / took[1] * then:.1f} M",
        },
        least * MILLION,
        "orders",
        within=0.03,
        because=f"{each} min for each million and {foot} min whatever the volume; "
        f"({window / 60:.0f} - {foot}) / {each} million",
    )


@number
def work_of_hourly_runs(rng: np.random.Generator) -> Drawn:
    """Hours of work a day of 24 incremental runs, beside one nightly run over the same orders."""
    foot, night_foot = int(rng.choice([9, 10, 11, 12])), int(rng.choice([35, 40, 45]))
    each, millions = int(rng.choice([20, 25, 30])), int(rng.integers(12, 21))
    # Few enough in the busiest hour for each run to end before the next.
    hourly = evaluate(_job(millions, foot, each, every="1 h"))
    night = evaluate(_job(millions, night_foot, each))
    total = 24 * hourly.run_mean_seconds
    return Drawn(
        {
            "orders": f"{millions} M",
            "each": f"{each} min",
            "night_foot": f"{night_foot} min",
            "foot": f"{foot} min",
            "night": _hours(night.run_mean_seconds),
            "run": f"{hourly.run_mean_seconds / 60:.0f} min",
            "wrong": _hours(night.run_mean_seconds),
        },
        total / HOUR_SECONDS,
        "h",
        within=0.03,
        because=f"24 x {foot} min and {millions} x {each} min",
    )


@number
def most_a_faster_engine_saves(rng: np.random.Generator) -> Drawn:
    """The part of a run that another engine can touch at all."""
    run = float(rng.choice([3, 4, 5, 8])) * HOUR_SECONDS
    read, write = int(rng.choice([55, 60, 65, 70])), int(rng.choice([8, 12, 15]))
    transform = 100 - read - write
    return Drawn(
        {
            "run": words.duration(run),
            "read": f"{read} %",
            "transform": f"{transform} %",
            "write": f"{write} %",
            "rest": words.duration(run * (read + write) / 100),
        },
        run * transform / 100 / 60,
        "min",
        within=0.03,
        because=f"{transform} % of {words.duration(run)}; reads and writes stay",
    )


@number
def run_on_more_nodes(rng: np.random.Generator) -> Drawn:
    """A run on more nodes: only the part of the transform that grows with rows is divided."""
    millions, nodes = float(rng.choice([12, 14, 16, 18, 20])), int(rng.choice([2, 3, 4, 5]))
    one = orders.nightly(millions * MILLION)
    took = stage_seconds(one, millions * MILLION)
    foot = _foot_seconds(one)
    more = evaluate(one.but(nodes=nodes))
    run = sum(took.values())
    return Drawn(
        {
            "run": _hours(run),
            "read": f"{took['read'] / 60:.0f} min",
            "transform": f"{took['transform'] / 60:.0f} min",
            "write": f"{took['write'] / 60:.0f} min",
            "foot": f"{foot / 60:.0f} min",
            "nodes": str(nodes),
            "stays": _hours(took["read"] + took["write"] + foot),
            "wrong": _hours(run / nodes),
        },
        more.run_mean_seconds / HOUR_SECONDS,
        "h",
        within=0.03,
        because=f"({took['transform'] / 60:.0f} - {foot / 60:.0f}) min / {nodes}, and "
        f"{_hours(took['read'] + took['write'] + foot)} that nodes do not shorten",
    )


@number
def dearer_than_the_night(rng: np.random.Generator) -> Drawn:
    """By how much hourly runs on clusters started for each are dearer than the nightly run."""
    millions, nodes = float(rng.choice([12, 14, 15, 16, 18])), int(rng.choice([1, 2]))
    night = evaluate(orders.nightly(millions * MILLION).but(nodes=nodes))
    plan = orders.redesign("hourly", millions * MILLION, every="1 h", nodes=nodes)
    hourly = evaluate(plan.paths[0])
    runs_on = night.design.engine
    return Drawn(
        {
            "nodes": f"{nodes} node{'s' if nodes > 1 else ''}",
            "night": f"{night.run_mean_seconds / HOUR_SECONDS:.2f} h",
            "run": f"{hourly.run_mean_seconds / 60:.1f} min",
            "price": f"{runs_on.node_usd_per_hour:g} USD",
            "people": f"{runs_on.operations_usd_per_day:g} USD",
            "night_usd": f"{night.cost_usd_per_day:,.0f} USD",
            "hourly_usd": f"{hourly.cost_usd_per_day:,.0f} USD",
        },
        100 * (hourly.cost_usd_per_day / night.cost_usd_per_day - 1),
        "%",
        within=0.1,
        because=f"{hourly.cost_usd_per_day:,.0f} over {night.cost_usd_per_day:,.0f} USD a day",
    )


@number
def volume_that_fills_the_peak_hour(rng: np.random.Generator) -> Drawn:
    """The daily volume at which the run of the busiest hour takes its whole hour."""
    foot, each = int(rng.choice([9, 10, 11, 12])), int(rng.choice([15, 20, 25, 30]))
    factor = float(rng.choice([1.8, 2.0, 2.2, 2.5]))
    job = _job(1, foot, each, every="1 h")
    job = job.but(workload=job.workload.at(MILLION, curve=day_curve(factor)))
    # Busy a share of its busiest hour by the foot alone, and by so much more for each million.
    one = evaluate(job).utilisation_peak
    two = evaluate(job.but(events_per_day=2 * MILLION)).utilisation_peak
    least = 1 + (1 - one) / (two - one)
    return Drawn(
        {
            "foot": f"{foot} min",
            "each": f"{each} min",
            "factor": f"{factor:g}",
            "left": f"{60 - foot} min",
            "wrong": words.count(least * factor * MILLION),
        },
        least * MILLION,
        "orders",
        within=0.04,
        because=f"{60 - foot} min / {each} min are the millions of the busiest hour; a day has "
        f"24 / {factor:g} times as many",
    )


# --- run histories ---


def _history(rows: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{when}: {what}" for when, what in rows)


def _noise(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.asarray(1 + rng.uniform(-0.01, 0.01, count))


@given
def runs_that_outgrew(rng: np.random.Generator) -> Mapping[str, str]:
    """A year in which volume grows and runs with it, past a window of seven hours."""
    now = float(rng.choice([14, 15, 16, 17, 18]))
    volumes = now * np.array([0.3, 0.45, 0.7, 1.0]) * _noise(rng, 4)
    took = [stage_seconds(orders.nightly(), 1e6 * volume) for volume in volumes]
    rows = [
        (
            quarter,
            f"{volume:.1f} M orders a night, {_hours(sum(run.values()))}",
        )
        for quarter, volume, run in zip(QUARTERS, volumes, took, strict=True)
    ]
    last = took[-1]
    share = {stage: f"{last[stage] / sum(last.values()):.0%}" for stage in last}
    return {
        "history": _history(rows),
        "grew": f"{volumes[-1] / volumes[0]:.1f} times",
        "longer": f"{sum(last.values()) / sum(took[0].values()):.1f} times",
        "shares": f"read {share['read']}, transform {share['transform']}, write {share['write']}",
        "now": _hours(sum(last.values())),
    }


@given
def reads_that_slowed(rng: np.random.Generator) -> Mapping[str, str]:
    """A year of level volume in which the read stage alone grows, past the window."""
    volume = float(rng.choice([8, 8.5, 9]))
    volumes = volume * _noise(rng, 4)
    slower = np.array([1.0, 1.0, 1.0 + rng.uniform(0.9, 1.3), 1.0 + rng.uniform(3.0, 3.6)])
    night = orders.nightly()
    source = night.workload.source_events_per_second
    assert source is not None  # the shop's database has a limit
    rows, runs = [], []
    for quarter, orders_then, factor in zip(QUARTERS, volumes, slower, strict=True):
        design = night.but(
            workload=replace(night.workload, source_events_per_second=source / factor)
        )
        run = stage_seconds(design, 1e6 * orders_then)
        runs.append(run)
        rows.append(
            (
                quarter,
                f"{orders_then:.1f} M orders, read {_hours(run['read'])}, transform "
                f"{_hours(run['transform'])}, write {_hours(run['write'])}",
            )
        )
    return {
        "history": _history(rows),
        "before": _hours(sum(runs[0].values())),
        "after": _hours(sum(runs[-1].values())),
        "read_before": _hours(runs[0]["read"]),
        "read_after": _hours(runs[-1]["read"]),
    }


@given
def runs_that_still_fit(rng: np.random.Generator) -> Mapping[str, str]:
    """A year of growth that fits its window all the same, with one night that did not."""
    now = float(rng.choice([6.5, 7, 7.5]))
    volumes = now * np.array([0.4, 0.6, 0.8, 1.0]) * _noise(rng, 4)
    took = [sum(stage_seconds(orders.nightly(), 1e6 * volume).values()) for volume in volumes]
    struck = took[2] * rng.uniform(1.9, 2.1)
    rows = [
        (quarter, f"{volume:.1f} M orders a night, {_hours(run)}")
        for quarter, volume, run in zip(QUARTERS, volumes, took, strict=True)
    ]
    foot = _foot_seconds(orders.nightly())
    slope = (took[-1] - foot) / volumes[-1]
    return {
        "history": _history(rows),
        "spike": _hours(struck),
        "now": _hours(took[-1]),
        "limit": f"{(7 * HOUR_SECONDS - foot) / slope:.0f} M",
    }


@given
def evening_of_hourly_runs(rng: np.random.Generator) -> Mapping[str, str]:
    """Hourly runs that outlast their hour in the evening and have caught up by midnight."""
    millions = rng.uniform(17.2, 18.7)
    path = orders.redesign("hourly", millions * 1e6, every="1 h").paths[0]
    per_hour = millions * 1e6 / 24 * np.array(path.workload.curve)
    took = [sum(stage_seconds(path, rows).values()) / 60 for rows in per_hour]
    late, waits = 0.0, []
    for minutes in took:  # an hour's orders wait for the run before
        late = max(0.0, late + minutes - 60)
        waits.append(late)
    shown = (12, 18, 19, 20, 21, 22, 23)
    rows = [
        (
            f"{hour}:00",
            f"{took[hour]:.0f} min, "
            + (f"ends {waits[hour]:.0f} min past the hour" if waits[hour] >= 0.5 else "in time"),
        )
        for hour in shown
    ]
    two = evaluate(path.but(nodes=2))
    return {
        "history": _history(rows),
        "longest": f"{max(took):.0f} min",
        "behind": f"{max(waits):.0f} min",
        "two": f"{two.utilisation_peak:.0%}",
        "more": f"{two.cost_usd_per_day - evaluate(path).cost_usd_per_day:,.0f} USD a day",
        "complete": words.clock(evaluate(path).yesterday_complete_hour),
    }
