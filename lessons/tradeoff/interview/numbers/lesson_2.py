"""Numbers of lesson 2's questions: trigger intervals, what they cost, what they hold."""

from __future__ import annotations

import math

import numpy as np

from tradeoff.interview.numbers.drawn import Drawn, number
from tradeoff.model import Billing, State, evaluate, words
from tradeoff.model.cost import node_hours
from tradeoff.scenarios import triggers


@number
def worst_age_under_a_trigger(rng: np.random.Generator) -> Drawn:
    """The oldest event under a trigger whose batches take a known time."""
    every = str(rng.choice(["30 s", "1 min", "2 min", "4 min", "5 min"]))
    share = float(rng.choice([0.1, 0.2, 0.3]))
    overhead = share * triggers.cadence(every).interval_seconds
    found = evaluate(triggers.pipeline(1e3, every, overhead_seconds=overhead))
    interval = found.design.cadence.interval_seconds
    return Drawn(
        {
            "every": every,
            "run": f"{overhead:g} s",
            "median": words.duration(found.latency_p50_seconds),
        },
        found.latency_worst_seconds,
        "s",
        within=0.02,
        because=f"{interval:g} s of waiting for the next batch and {overhead:g} s of its run",
    )


@number
def events_that_share_an_overhead(rng: np.random.Generator) -> Drawn:
    """Events in a batch, from the rate a minute and the trigger."""
    per_minute = float(rng.choice([6e3, 30e3, 60e3, 90e3, 120e3, 240e3]))
    every = str(rng.choice(["10 s", "30 s", "2 min", "4 min", "5 min"]))
    found = evaluate(triggers.pipeline(per_minute * 1440, every))
    minutes = found.design.cadence.interval_seconds / 60
    return Drawn(
        {
            "rate": words.count(per_minute),
            "every": every,
            # Rounded down: it is never all of the batch.
            "share": f"{math.floor(100 * triggers.overhead_share(found))}%",
            "overhead": words.duration(found.design.engine.overhead_seconds),
        },
        found.events_per_run,
        "events",
        within=0.02,
        because=f"{words.count(per_minute)} a minute × {minutes:.3g} min",
    )


@number
def largest_trigger_that_serves(rng: np.random.Generator) -> Drawn:
    """The longest interval whose worst age is still what the consumer accepts."""
    tolerance = float(rng.choice([2, 3, 5, 8, 10])) * 60
    overhead = float(rng.choice([6, 10, 15, 20, 24]))
    # Worst age grows second for second with the interval, so one evaluation gives the room.
    tried = evaluate(triggers.pipeline(1e3, "1 min", overhead_seconds=overhead))
    room = tolerance - (tried.latency_worst_seconds - tried.design.cadence.interval_seconds)
    return Drawn(
        {
            "tolerance": words.duration(tolerance),
            "run": f"{overhead:g} s",
            "exceeded": words.duration(tolerance + overhead),
        },
        room,
        "s",
        within=0.01,
        because=f"{tolerance:g} s less the {overhead:g} s that the batch itself takes",
    )


@number
def price_of_a_shorter_trigger(rng: np.random.Generator) -> Drawn:
    """How many times the compute a shorter trigger costs on a pool."""
    fast, slow = "30 s", str(rng.choice(["2 min", "3 min", "4 min", "5 min"]))
    day = float(rng.choice([86.4e6, 150e6, 200e6, 300e6, 500e6, 1e9]))
    found = [
        evaluate(triggers.pipeline(day, every, billing=Billing.WARM)) for every in (fast, slow)
    ]
    short, long = found
    fixed = triggers.overhead_share(long) * long.run_mean_seconds
    each = (long.run_mean_seconds - fixed) / long.events_per_run
    intervals = [one.design.cadence.interval_seconds for one in found]
    return Drawn(
        {
            "day": words.count(day),
            "fast": fast,
            "slow": slow,
            "fixed": f"{fixed:g} s",
            "million": words.duration(each * 1e6),
            "bound": f"{intervals[1] / intervals[0]:g}",
        },
        short.compute_usd_per_day / long.compute_usd_per_day,
        "times",
        within=0.1,
        because=f"busy {short.run_mean_seconds:.3g} s in each {intervals[0]:g} s, against "
        f"{long.run_mean_seconds:.3g} s in each {intervals[1]:g} s",
    )


@number
def age_when_batches_outlast_their_trigger(rng: np.random.Generator) -> Drawn:
    """The oldest event where a trigger is set below a batch's overhead."""
    every = str(rng.choice(["1 s", "2 s"]))
    overhead = float(rng.choice([4, 5, 6, 8]))
    found = triggers.settled(
        evaluate(triggers.pipeline(10e6, every, overhead_seconds=overhead, nodes=4))
    )
    run = found.run_longest_seconds
    return Drawn(
        {"every": every, "run": f"{run:.1f} s", "batches": words.count(86_400 / run)},
        found.latency_worst_seconds,
        "s",
        because=f"an event waits for the batch that is running, {run:.1f} s, and then for its own",
    )


@number
def rate_at_which_half_goes_into_events(rng: np.random.Generator) -> Drawn:
    """Events a second at which a batch's overhead is half of it."""
    every = str(rng.choice(["30 s", "1 min", "2 min", "4 min"]))
    nodes = int(rng.choice([2, 4, 8]))
    overhead = float(rng.choice([4, 5, 8, 10]))
    design = triggers.pipeline(86.4e6, every, overhead_seconds=overhead, nodes=nodes)
    found = evaluate(design)
    bare = found.events_per_run / (found.run_mean_seconds - overhead)
    return Drawn(
        {"every": every, "overhead": f"{overhead:g} s", "capacity": words.count(bare)},
        triggers.shared_half(design),
        "events/s",
        because=f"{overhead:g} s × {words.count(bare)}/s = {words.count(overhead * bare)} events "
        f"a batch, spread over {every}",
    )


@number
def node_hours_on_a_pool(rng: np.random.Generator) -> Drawn:
    """Busy node-hours a day of batches of known length."""
    nodes, every = int(rng.choice([2, 4, 6])), str(rng.choice(["1 min", "2 min", "5 min"]))
    run = float(rng.choice([6, 8, 10, 12, 15]))
    per_day = 86_400 / triggers.cadence(every).interval_seconds
    return Drawn(
        {
            "nodes": str(nodes),
            "every": every,
            "run": f"{run:g} s",
            "always": f"{float(node_hours(nodes, 86_400, 1)):g}",
        },
        float(node_hours(nodes, run, per_day)),
        "node-hours/day",
        within=0.05,
        because=f"{nodes} nodes × {run:g} s × {per_day:,.0f} batches / 3,600",
    )


@number
def snapshots_written_whole(rng: np.random.Generator) -> Drawn:
    """Upper bound of what a day's checkpoints write."""
    keys = float(rng.choice([1e5, 1e6, 2e6, 5e6, 10e6]))
    every = str(rng.choice(["30 s", "1 min", "2 min", "5 min"]))
    held = State(keys, values_per_key=100, window_seconds=7 * 86_400, watermark_seconds=600)
    design = triggers.pipeline(86.4e6, every)
    found = evaluate(design.but(workload=design.workload.at(86.4e6, state=held)))
    per_day = 86_400 / design.cadence.interval_seconds
    return Drawn(
        {
            "keys": words.count(keys),
            "every": every,
            "state": words.size(found.state_local_bytes),
        },
        found.state_local_bytes * per_day / 1e9,
        "GB/day",
        because=f"{words.size(found.state_local_bytes)} × {per_day:,.0f} batches a day",
    )


@number
def share_of_overhead(rng: np.random.Generator) -> Drawn:
    """Share of a batch that is overhead, from its time and that of one big batch."""
    every = str(rng.choice(["30 s", "1 min", "2 min", "4 min"]))
    day = float(rng.choice([5e6, 20e6, 86.4e6, 150e6, 250e6]))
    found = evaluate(triggers.pipeline(day, every, billing=Billing.WARM))
    share = triggers.overhead_share(found)
    work = found.run_mean_seconds * (1 - share)
    million = work / found.events_per_run * 1e6
    return Drawn(
        {
            "every": every,
            "events": words.count(found.events_per_run),
            "run": f"{found.run_mean_seconds:.2f} s",
            "million": f"{million:.1f} s",
        },
        share * 100,
        "%",
        within=0.05,
        because=f"{words.count(found.events_per_run)} events × {million:.1f} µs = {work:.2f} s of "
        f"work; the rest of {found.run_mean_seconds:.2f} s is overhead",
    )


@number
def mails_sent_twice(rng: np.random.Generator) -> Drawn:
    """At most how many side effects a few kills repeat: a whole batch each."""
    per_minute = float(rng.choice([60, 120, 300, 600, 1_200]))
    every = str(rng.choice(["30 s", "2 min", "4 min", "5 min"]))
    kills = int(rng.choice([2, 3, 4, 5]))
    found = evaluate(triggers.pipeline(per_minute * 1440, every))
    batch = found.events_per_run
    return Drawn(
        {
            "rate": f"{per_minute:,.0f}",
            "every": every,
            "kills": str(kills),
            "batch": f"{batch:,.0f}",
        },
        kills * batch,
        "orders",
        because=f"{kills} kills × {batch:,.0f} orders in a batch of {every}",
    )
