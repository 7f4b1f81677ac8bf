"""Numbers of the neighbouring subjects: checkpoints, retention, replay, small files."""

from __future__ import annotations

import numpy as np

from tradeoff.interview.numbers.drawn import Drawn, number
from tradeoff.model import words
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS


@number
def visible_after_a_checkpoint(rng: np.random.Generator) -> Drawn:
    """The age of the oldest record when a sink commits with each checkpoint."""
    every = float(rng.choice([1, 2, 3, 5, 10])) * 60
    took = float(rng.choice([10, 15, 20, 30]))
    return Drawn(
        {
            "every": words.duration(every),
            "took": words.duration(took),
            "typical": words.duration(every / 2 + took),
        },
        every + took,
        "s",
        within=0.02,
        because=f"{every:g} s until the next checkpoint begins and {took:g} s until it is complete",
    )


@number
def data_lost_to_retention(rng: np.random.Generator) -> Drawn:
    """Days until a consumer that is too slow reads at the edge of what the log still has."""
    arrivals = float(rng.choice([2_000, 4_000, 5_000, 8_000]))
    handled = arrivals * float(rng.choice([0.5, 0.6, 0.7, 0.75, 0.8]))
    days = float(rng.choice([3, 4, 7]))
    lost = days / (1 - handled / arrivals)
    return Drawn(
        {
            "arrivals": f"{arrivals:,.0f}",
            "handled": f"{handled:,.0f}",
            "days": f"{days:g} days",
            "a_day": words.duration((1 - handled / arrivals) * DAY_SECONDS),
            "lag": words.count(lost * DAY_SECONDS * (arrivals - handled)),
        },
        lost,
        "days",
        within=0.05,
        because=f"each day it falls {1 - handled / arrivals:.0%} of a day further behind, "
        f"and may be {days:g} days behind",
    )


@number
def speed_of_a_replay(rng: np.random.Generator) -> Drawn:
    """The rate a second job needs to replay the log and catch up with the live one in time."""
    arrivals = float(rng.choice([1_000, 2_000, 5_000, 10_000]))
    days, within = float(rng.choice([3, 5, 7, 14])), float(rng.choice([24, 48])) * HOUR_SECONDS
    needed = arrivals * (days * DAY_SECONDS / within + 1)
    return Drawn(
        {
            "arrivals": f"{arrivals:,.0f}",
            "days": f"{days:g} days",
            "within": words.duration(within) if within < DAY_SECONDS * 2 else "2 days",
            "times": f"{needed / arrivals:g} times",
            "backlog": words.count(arrivals * days * DAY_SECONDS),
            "wrong": f"{arrivals * days * DAY_SECONDS / within:,.0f}",
        },
        needed,
        "events/s",
        within=0.02,
        because=f"{words.count(arrivals * days * DAY_SECONDS)} events in {within / 3600:g} h, and "
        f"{arrivals:,.0f}/s that arrive meanwhile",
    )


@number
def log_to_keep(rng: np.random.Generator) -> Drawn:
    """Bytes of a log that can be replayed over so many days."""
    events, size = float(rng.choice([50, 100, 200, 500])) * 1e6, float(rng.choice([400, 500, 1000]))
    days, copies = float(rng.choice([7, 30, 90])), 3
    return Drawn(
        {
            "events": words.count(events),
            "size": f"{size:,g} bytes",
            "days": f"{days:g} days",
            "copies": str(copies),
            "a_day": words.size(events * size),
            "wrong": words.size(events * size * days),
        },
        events * size * days * copies / 1e12,
        "TB",
        within=0.05,
        because=f"{words.count(events)} x {size:,g} bytes = {words.size(events * size)} a day, "
        f"x {days:g} days x {copies} copies",
    )


@number
def files_a_day(rng: np.random.Generator) -> Drawn:
    """Data files a micro-batch writes a day, each task its own in each partition it meets."""
    every = float(rng.choice([10, 20, 30, 60]))
    tasks, partitions = int(rng.choice([8, 16, 20, 32])), int(rng.choice([2, 3, 4]))
    rate = float(rng.choice([500, 1_000, 2_000]))
    batches = DAY_SECONDS / every
    a_day = batches * tasks * partitions
    return Drawn(
        {
            "every": words.duration(every),
            "tasks": str(tasks),
            "partitions": str(partitions),
            "rate": f"{rate:,.0f}",
            "size": words.size(rate * DAY_SECONDS * 200 / a_day),
            "bytes": "200 bytes",
            "one_each": words.count(batches * partitions),
            "wrong": f"{batches:,.0f}",
        },
        a_day,
        "files",
        within=0.02,
        because=f"{batches:,.0f} batches x {tasks} tasks x {partitions} partitions",
    )
