"""Numbers of lesson 1's questions: latency, throughput, the frontier."""

from __future__ import annotations

import numpy as np

from tradeoff.interview.numbers.drawn import Drawn, number
from tradeoff.model import day_curve, evaluate, words, workload
from tradeoff.model.amortise import Overhead, fit_overhead
from tradeoff.model.claims import Scenarios
from tradeoff.scenarios import triggers


@number
def worst_age_under_a_schedule(rng: np.random.Generator) -> Drawn:
    """A batch on a schedule: how old its oldest event is."""
    interval = float(rng.choice([15, 30, 60, 120, 360])) * 60
    minutes = int(np.ceil(interval * rng.uniform(0.15, 0.6) / 60))
    every = words.duration(interval)
    # A run that is all overhead: at a thousand events a day nothing else shows.
    found = evaluate(triggers.pipeline(1e3, every, overhead_seconds=minutes * 60))
    return Drawn(
        {"interval": every, "run": f"{minutes} min"},
        found.latency_worst_seconds / 60,
        "min",
        within=0.02,
        because=f"{every} of waiting and {minutes} min of running",
    )


def _overhead(rng: np.random.Generator) -> Overhead:
    """A commit of some milliseconds, an event of some microseconds."""
    return Overhead(
        float(rng.choice([2, 3, 4, 5, 8, 10])) / 1e3, float(rng.choice([1, 2, 4, 5])) / 1e6
    )


def _said(loop: Overhead) -> dict[str, str]:
    return {
        "overhead": words.duration(loop.overhead_seconds),
        "each": words.duration(loop.seconds_per_event),
    }


@number
def throughput_of_a_batch_size(rng: np.random.Generator) -> Drawn:
    """Events a second of batches of one size, from overhead and work."""
    loop = _overhead(rng)
    # Up to twice the batch at half speed: there the ceiling is still far from the answer.
    size = round(loop.half_speed_events * float(rng.choice([0.1, 0.2, 0.5, 1, 2])))
    work = size * loop.seconds_per_event
    single = float(loop.events_per_second(1))
    return Drawn(
        {
            **_said(loop),
            "size": f"{size:,}",
            "single": words.count(single),
            "ceiling": words.count(1 / loop.seconds_per_event),
            "gain": words.count(float(loop.events_per_second(size)) / single),
        },
        float(loop.events_per_second(size)),
        "events/s",
        because=f"{size:,} events / ({words.duration(loop.overhead_seconds)} + "
        f"{words.duration(work)})",
    )


@number
def half_speed_batch(rng: np.random.Generator) -> Drawn:
    """The batch size at half of the highest throughput."""
    loop = _overhead(rng)
    return Drawn(
        {**_said(loop), "ceiling": words.count(1 / loop.seconds_per_event)},
        loop.half_speed_events,
        "events",
        because=f"overhead {words.duration(loop.overhead_seconds)} / "
        f"{words.duration(loop.seconds_per_event)} an event: both parts take equally long",
    )


@number
def least_batch_that_keeps_up(rng: np.random.Generator) -> Drawn:
    """The smallest batch whose events do not arrive faster than it runs."""
    loop = _overhead(rng)
    share = float(rng.choice([0.2, 0.4, 0.5, 0.6, 0.8]))
    rate = share / loop.seconds_per_event
    return Drawn(
        {**_said(loop), "rate": words.count(rate), "ceiling": words.count(rate / share)},
        loop.least_events(rate),
        "events",
        because=f"events need {share:.0%} of each second, so the overhead may take "
        f"{1 - share:.0%}: {words.count(rate)}/s × {words.duration(loop.overhead_seconds)} "
        f"/ {1 - share:.1f}",
    )


@number
def overhead_from_two_batches(rng: np.random.Generator) -> Drawn:
    """Overhead out of two measured batches."""
    loop = _overhead(rng)
    sizes = [int(rng.choice([100, 200])), int(rng.choice([10_000, 20_000, 50_000]))]
    took = [float(loop.seconds(size)) for size in sizes]
    fitted = fit_overhead(sizes, took)
    return Drawn(
        {
            "small": f"{sizes[0]:,}",
            "large": f"{sizes[1]:,}",
            "small_took": f"{took[0] * 1e3:.2f} ms",
            "large_took": f"{took[1] * 1e3:.1f} ms",
            "each": words.duration(fitted.seconds_per_event),
        },
        fitted.overhead_seconds * 1e3,
        "ms",
        because=f"({took[1] * 1e3:.1f} − {took[0] * 1e3:.2f}) ms / {sizes[1] - sizes[0]:,} events "
        f"= {words.duration(fitted.seconds_per_event)} an event; {took[0] * 1e3:.2f} ms less "
        f"{sizes[0]} of them",
    )


@number
def rate_at_the_peak(rng: np.random.Generator) -> Drawn:
    """Events a second in the busiest hour, from events a day and a peak factor."""
    day = float(rng.choice([0.5e9, 0.8e9, 1e9, 1.5e9, 2e9, 3e9]))
    factor = float(rng.choice([1.8, 2.0, 2.2, 2.5, 3.0]))
    shaped = workload("relay").at(day, curve=day_curve(factor))
    return Drawn(
        {
            "day": words.count(day),
            "factor": f"{factor:g}",
            "mean": words.count(shaped.events_per_second),
        },
        shaped.peak_events_per_second,
        "events/s",
        because=f"{words.count(day)} / 86,400 s = {words.count(shaped.events_per_second)}/s, "
        f"× {factor:g}",
    )


@number
def dollars_for_a_million(rng: np.random.Generator) -> Drawn:
    """Cost per million events of a stream of the text's heavy work."""
    day = float(rng.choice([0.2e9, 0.3e9, 0.5e9, 0.8e9, 1e9, 2e9]))
    text = Scenarios()
    stream = text.streaming(text.workload("billion").at(day))
    nightly = text.nightly("billion", day)
    return Drawn(
        {
            "day": words.count(day),
            "bill": f"{stream.cost_usd_per_day:,.0f}",
            "nightly": f"{nightly.cost_usd_per_million_events:.2f}",
        },
        stream.cost_usd_per_million_events,
        "USD/million events",
        within=0.05,
        because=f"{stream.cost_usd_per_day:,.0f} USD / {day / 1e6:,.0f} million events",
    )


@number
def run_at_the_peak_hour(rng: np.random.Generator) -> Drawn:
    """An hourly run in the busiest hour, of which the mean run is known."""
    day = float(rng.choice([1e9, 1.2e9, 1.5e9, 1.8e9, 2e9, 2.2e9]))
    found = evaluate(Scenarios().hourly("billion").design.but(events_per_day=day))
    runs_on, factor = found.design.engine, found.design.workload.peak_factor
    fixed = runs_on.start_up_seconds + runs_on.overhead_seconds
    work = found.run_mean_seconds - fixed
    return Drawn(
        {
            "mean": f"{found.run_mean_seconds / 60:.1f} min",
            "fixed": f"{fixed / 60:.1f} min",
            "factor": f"{factor:.1f}",
            "linear": f"{found.run_mean_seconds * factor / 60:.0f} min",
        },
        found.run_longest_seconds / 60,
        "min",
        within=0.05,
        because=f"{fixed / 60:.1f} min once, and {work / 60:.1f} min of work × {factor:.1f}",
    )


@number
def wait_behind_a_backlog(rng: np.random.Generator) -> Drawn:
    """Four hours of arrivals at a stream of fixed capacity: what an event waits at their end."""
    capacity = int(rng.choice([8, 10, 12]))
    rates = [capacity - 2, *(int(capacity + rng.integers(2, 6)) for _ in range(2)), capacity - 1]
    waiting = [0.0]  # events in thousands at the end of each hour
    for rate in rates:
        waiting.append(max(0.0, waiting[-1] + (rate - capacity) * 3.6e3))
    rows = ", ".join(
        f"{hour}:00 {rate} K/s" for hour, rate in zip(range(8, 12), rates, strict=True)
    )
    over = sum(rate - capacity for rate in rates[1:])
    return Drawn(
        {
            "rates": rows,
            "capacity": str(capacity),
            "backlog": words.count(waiting[-1] * 1e3),
        },
        waiting[-1] / capacity / 60,
        "min",
        because=f"{over} K/s-hours piled up = {words.count(waiting[-1] * 1e3)} events, "
        f"at {capacity} K/s",
    )
