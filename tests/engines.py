"""Micro-batch engines whose truth is known, for `fit_batches` to be held against."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

CAPACITY = 20_000.0  # events a second, of every engine


@dataclass(frozen=True)
class SimulatedEngine:
    """A micro-batch engine: seconds of work per second of arrivals grow to 1 at its capacity."""

    overhead_seconds: float
    variation: float = 0.02  # cv of a whole batch's time
    pauses: float = 0.0  # share of a batch's time that is spent in pauses of random length
    quadratic: float = 0.0  # extra work per event at capacity, growing with the square of load
    knee: float = 0.0  # extra work per event at capacity, growing from 85 % of load on
    floor: float = 0.0  # latency outside the batch, as a share of the overhead

    def busy(self, load: float) -> float:
        knee = max(0.0, (load - 0.85) / 0.15)
        extra = (1 + self.quadratic * load**2) * (1 + self.knee * knee)
        return load * extra / ((1 + self.quadratic) * (1 + self.knee))

    def run(
        self, load: float, interval: float, rng: np.random.Generator, error: float = 0.0
    ) -> dict[str, float]:
        """Run 1,200 batches over Poisson arrivals; `error` is the relative error of the report."""
        rate, start, before = load * CAPACITY, 0.0, -max(interval, self.overhead_seconds)
        variance = np.log1p(self.variation**2)
        cycles, batches = [], []
        for _ in range(1_200):
            cycle = start - before
            arrived = rng.poisson(rate * cycle) / (cycle * CAPACITY)
            seconds = self.overhead_seconds + cycle * self.busy(arrived)
            if self.pauses:
                mean = self.overhead_seconds / 2
                pauses = rng.exponential(mean, rng.poisson(seconds * self.pauses / mean))
                seconds = seconds * (1 - self.pauses) + pauses.sum()
            seconds *= rng.lognormal(-variance / 2, variance**0.5)
            cycles.append(cycle)
            batches.append(seconds)
            trigger = (start // interval + 1) * interval if interval else 0.0
            before, start = start, max(trigger, start + seconds)
        cycle, batch = np.array(cycles[100:]), np.array(batches[100:])
        return reported(
            rate, interval, cycle, batch, self.floor * self.overhead_seconds, rng, error
        )


def reported(rate, interval, cycle, batch, floor, rng, error) -> dict[str, float]:
    """What a benchmark would print of these cycles and of the batches after them."""
    event = rng.choice(len(cycle), 20_000, p=cycle / cycle.sum())
    latency = batch[event] + cycle[event] * rng.random(len(event)) + floor
    noise = np.exp(rng.normal(0, error, 2))
    p50, p99 = np.quantile(latency, [0.5, 0.99]) * noise
    return {
        "events_per_second": rate,
        "interval_seconds": interval,
        "latency_p50_seconds": p50,
        "latency_p99_seconds": p99,
        "batch_seconds": batch.mean(),
    }


def simulated(rng, **extra) -> SimulatedEngine:
    return SimulatedEngine(float(np.exp(rng.uniform(np.log(0.1), np.log(3)))), **extra)


def constant(rng):
    return simulated(rng)


def lognormal(rng):
    return simulated(rng, variation=rng.uniform(0.1, 0.35))


def pauses(rng):
    return simulated(rng, pauses=rng.uniform(0.05, 0.2), variation=0.05)


def quadratic(rng):
    return simulated(rng, quadratic=rng.uniform(0.2, 1.0), variation=0.1)


def knee(rng):
    return simulated(rng, knee=rng.uniform(0.1, 1.0), variation=0.1)


def everything(rng):
    return simulated(
        rng,
        variation=rng.uniform(0.05, 0.3),
        pauses=rng.uniform(0, 0.1),
        quadratic=rng.uniform(0, 1),
        knee=rng.uniform(0, 0.6),
        floor=rng.uniform(-0.1, 0.3),
    )


@dataclass(frozen=True)
class ClusterEngine:
    """A driver, tasks on slots, a shuffle, a heap that fills: nothing here has the fitted form.

    A batch ends with its slowest task. Work per event grows with the square of the rate (shuffle)
    and with what the heap holds: collection costs grow as live data over what is left, and beyond
    four fifths of the heap a batch spills. So capacity ends where no batch catches up any more,
    at a finite latency. Times are in units where one second's work without any of this takes one.
    """

    overhead_seconds: float
    slots: int
    straggling: float  # sd of the logarithm of a task's time
    variation: float  # cv of the driver's part
    shuffle: float
    state: float  # share of the heap that is always live
    collection: float
    heap_seconds: float  # events of so many seconds at rate 1 fill the rest of the heap
    spill: float
    floor_seconds: float

    def work(self, events: float, rate: float) -> tuple[float, float]:
        """Seconds of tasks, and of collection per such second."""
        held = min(self.state + (1 - self.state) * events / self.heap_seconds, 0.97)
        spilled = 1 + self.spill * max(0.0, held - 0.8) / 0.2
        return events * (1 + self.shuffle * rate**2) * spilled, self.collection * held / (1 - held)

    def top_rate(self) -> float:
        """Highest rate at which batches of average length settle, from an idle start."""
        tasks = np.random.default_rng(0).normal(size=(400, self.slots)) * self.straggling
        slowest = np.exp(tasks - self.straggling**2 / 2).max(axis=1).mean()

        def settles(rate: float) -> bool:
            cycle = self.overhead_seconds
            for _ in range(4_000):
                tasks, collecting = self.work(rate * cycle, rate)
                batch = self.overhead_seconds + slowest * tasks * (1 + collecting)
                if abs(batch - cycle) < 1e-6 * cycle:
                    return True
                if batch > 1_000 * self.overhead_seconds:
                    return False
                cycle = batch
            return False

        low, high = 0.01, 1.2
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if settles(middle) else (low, middle)
        return low

    def run(
        self, load: float, interval: float, rng: np.random.Generator, error: float = 0.0
    ) -> dict[str, float]:
        """Run 900 batches at a share `load` of capacity."""
        rate, start, before = load * self.top_rate(), 0.0, -max(interval, self.overhead_seconds)
        cycles, batches = [], []
        for _ in range(900):
            cycle = start - before
            work, collecting = self.work(rate * cycle, rate)
            tasks = rng.lognormal(-(self.straggling**2) / 2, self.straggling, self.slots)
            seconds = work * tasks.max()
            pause = self.overhead_seconds / 5
            seconds += rng.exponential(pause, rng.poisson(seconds * collecting / pause)).sum()
            driver = rng.lognormal(-(self.variation**2) / 2, self.variation)
            seconds += self.overhead_seconds * driver
            cycles.append(cycle)
            batches.append(seconds)
            trigger = (start // interval + 1) * interval if interval else 0.0
            before, start = start, max(trigger, start + seconds)
        cycle, batch = np.array(cycles[100:]), np.array(batches[100:])
        return reported(load * CAPACITY, interval, cycle, batch, self.floor_seconds, rng, error)


def cluster(rng):
    overhead = float(np.exp(rng.uniform(np.log(0.15), np.log(1.5))))
    return ClusterEngine(
        overhead_seconds=overhead,
        slots=int(rng.choice([8, 16, 32, 64])),
        straggling=rng.uniform(0.05, 0.35),
        variation=rng.uniform(0.05, 0.25),
        shuffle=rng.uniform(0, 0.6),
        state=rng.uniform(0.1, 0.5),
        collection=rng.uniform(0.02, 0.12),
        heap_seconds=rng.uniform(4, 20),
        spill=rng.uniform(0.2, 1.5),
        floor_seconds=rng.uniform(0, 0.2) * overhead,
    )


STRAIGHT = (constant, lognormal, pauses)  # work per event is the same at any load
CONTENDED = (quadratic, knee, everything)  # what clusters do
HELD_OUT = (cluster,)  # built from parts that the fit does not have
FAMILIES = (*STRAIGHT, *CONTENDED, *HELD_OUT)
KINDS = {
    family.__name__: kind
    for kind, families in (("straight", STRAIGHT), ("contended", CONTENDED), ("held out", HELD_OUT))
    for family in families
}


def judge(fit_batches, family, seed: int, loads=None, columns=(), judged=(0.65, 0.75, 0.85)):
    """Fit one engine at low loads; how far off is the fit at the higher ones?

    Returns a dict: the family and its kind, the rows fitted, the highest of their loads, relative
    errors of the predicted median (`error_65%` …), the share of true medians inside their bounds,
    capacity and its bounds over the truth, whether they hold it, and how wide they are.
    """
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    engine = family(rng)
    interval = engine.overhead_seconds * rng.uniform(1.5, 6) if seed % 3 == 0 else 0.0
    if loads is None:
        loads = np.linspace(rng.uniform(0.1, 0.25), rng.uniform(0.35, 0.65), rng.integers(2, 5))
    error = float(rng.choice([0.005, 0.015, 0.03]))
    measured = pd.DataFrame([engine.run(load, interval, rng, error) for load in loads])
    truth = [engine.run(load, interval, rng)["latency_p50_seconds"] for load in judged]
    known = ["events_per_second", "interval_seconds", "latency_p50_seconds", *columns]
    fit = fit_batches(measured[known])
    predicted = fit.predict(np.array(judged) * CAPACITY, interval)
    errors = predicted["latency_p50_seconds"].to_numpy() / truth - 1
    low, high = predicted["latency_p50_seconds_low"], predicted["latency_p50_seconds_high"]
    capacity = fit.capacity_events_per_second
    return {
        "kind": KINDS[family.__name__],
        "family": family.__name__,
        "rows": len(loads),
        "top": max(loads),
        **{f"error_{share:.0%}": error for share, error in zip(judged, errors, strict=True)},
        "latency_inside": np.mean((low <= truth) & (truth <= high)),
        "capacity": capacity / CAPACITY,
        "capacity_low": fit.capacity_low / CAPACITY,
        "capacity_high": fit.capacity_high / CAPACITY,
        "capacity_inside": fit.capacity_low <= CAPACITY <= fit.capacity_high,
        "capacity_width": fit.capacity_high / capacity - 1,
    }


def summary(judged: pd.DataFrame, by) -> pd.DataFrame:
    """Median and 90th percentile of the errors, coverage and width, a column a group."""
    groups = judged.groupby(by, sort=False)
    means = ["latency_inside", "capacity_inside"]
    medians = ["capacity", "capacity_low", "capacity_high", "capacity_width"]
    parts = [groups[means].mean(), groups[medians].median()]
    for name in judged.filter(like="error_"):
        error = judged[name].abs().groupby([judged[key] for key in np.atleast_1d(by)], sort=False)
        parts.append(error.median().rename(f"median {name}"))
        parts.append(error.quantile(0.9).rename(f"90th {name}"))
    return pd.concat(parts, axis=1).round(3).T
