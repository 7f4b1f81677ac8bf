"""What a running pipeline leaves behind, drawn so that its figures are known beforehand.

An event log is built from the latencies it is to have; timings of batches from an overhead and a
cost of one event; a table of designs from its frontier; a day of a pipeline from what limits it.
Traps are drawn apart from the truth, so that no single column gives it away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

HOURS = 24
OVERLOADS = ("overloaded at its peak", "overloaded all day", "overloaded, not yet late")
LATE = ("late in every hour", "late in some hours")
DEAR = ("too dear, always on", "too dear, paid by use")
FINE = ("within its targets, always on", "within its targets, paid by use")
BINDS = {
    **dict.fromkeys(OVERLOADS, "throughput"),
    **dict.fromkeys(LATE, "latency"),
    **dict.fromkeys(DEAR, "cost"),
    **dict.fromkeys(FINE, "none"),
}
# Shares of a log's events that are held up together, and that are later than anything else.
HELD_UP, WORST = 0.025, 3


@dataclass(frozen=True)
class Log:
    """An event log, and the figures it was built from (durations in seconds)."""

    table: pd.DataFrame
    p50_seconds: float
    p99_seconds: float
    processing_seconds: float
    span_seconds: float
    visible: int


def event_log(rng: np.random.Generator, still_waiting: bool) -> Log:
    """400 to 1,000 events: most are quick, some are held up together, three are the worst.

    Those held up make the 99th percentile; with `still_waiting` they are not visible when the log
    ends. The clock does not start at zero.
    """
    number = int(rng.integers(400, 1_001))
    span = float(rng.uniform(60, 3_600))
    worst = span * rng.uniform(0.06, 0.15)
    held = worst * rng.uniform(0.5, 0.7)
    some = round(HELD_UP * number)
    latency = rng.lognormal(np.log(held * rng.uniform(0.05, 0.15)), 0.5, number)
    latency = np.minimum(latency, held * 0.8)
    arrived = np.sort(rng.uniform(0, span - worst, number))
    arrived[[0, -1]] = 0.0, span - worst
    latency[-WORST:] = (span - arrived[-WORST:]) * [0.9, 0.95, 1.0]
    # Held up together: their waits lie within a per cent or so of each other.
    if still_waiting:
        chosen = np.arange(number - WORST - some, number - WORST)
        arrived[chosen] = span - held * rng.uniform(0.995, 1.005, some)
        latency[chosen] = span - arrived[chosen]
    else:
        chosen = int(rng.integers(number // 4, number // 2)) + np.arange(some)
        latency[chosen] = held * rng.uniform(0.995, 1.005, some)
    # An event's latency is its wait, its transform, and the commit that makes it visible.
    commit = latency * rng.uniform(0.2, 0.4)
    work = np.minimum(rng.lognormal(np.log(0.02 * np.median(latency)), 0.4, number), latency / 4)
    table = pd.DataFrame({"arrived_seconds": arrived})
    table["visible_seconds"] = arrived + latency
    table["done_seconds"] = table["visible_seconds"] - commit
    table["started_seconds"] = table["done_seconds"] - work
    columns = ["arrived_seconds", "started_seconds", "done_seconds", "visible_seconds"]
    visible = np.ones(number, bool)
    if still_waiting:
        visible[chosen] = False
        table.loc[~visible, columns[1:]] = np.nan
    clock = float(rng.uniform(1_000, 80_000))
    table = (table[columns] + clock).sort_values("arrived_seconds", ignore_index=True)
    p50, p99 = np.quantile(latency, [0.5, 0.99])
    return Log(table, float(p50), float(p99), float(work[visible].mean()), span, int(visible.sum()))


@dataclass(frozen=True)
class Batches:
    """Timings of batches of several sizes, and the two constants they were made from."""

    table: pd.DataFrame
    overhead_seconds: float
    seconds_per_event: float


def batch_timings(rng: np.random.Generator) -> Batches:
    """8 to 12 sizes, each timed 2 to 4 times, from below the half-speed batch to far above it.

    Timings scatter by up to 5 %, in proportion; the order is mixed.
    """
    overhead = float(10 ** rng.uniform(-3.5, 1.5))
    half_speed = float(10 ** rng.uniform(1.5, 5))
    each = overhead / half_speed
    sizes = np.geomspace(
        half_speed * rng.uniform(0.15, 0.3),
        half_speed * rng.uniform(300, 2_000),
        int(rng.integers(8, 13)),
    )
    events = np.repeat(np.maximum(1, sizes.round()), int(rng.integers(2, 5)))
    noise = np.clip(rng.normal(0, 0.02, len(events)), -0.05, 0.05)
    table = pd.DataFrame(
        {"events": events.astype("int64"), "seconds": (overhead + events * each) * (1 + noise)}
    )
    return Batches(table.iloc[rng.permutation(len(table))].reset_index(drop=True), overhead, each)


@dataclass(frozen=True)
class Sizes:
    """A batch's constants, a rate and a need, and the sizes that serve them (None: no size)."""

    given: dict[str, float]
    least: float
    largest: float
    served: list[int] | None
    label: str


SIZING = ("some sizes serve", "no size is in time", "no size keeps up")


def batch_sizes(rng: np.random.Generator, kind: str) -> Sizes:
    """A case of one of `SIZING`; the smallest size that keeps up is 20 to 20,000 events.

    At times one size serves and no other, or events alone take exactly the time there is.
    """
    overhead = float(10 ** rng.uniform(-3, 1))
    busy = float(rng.uniform(0.15, 0.85))  # share of the time that events take by themselves
    least = float(10 ** rng.uniform(1.3, 4.3))
    factor = rng.uniform(0.3, 0.85) if kind == "no size is in time" else rng.uniform(1.5, 12)
    largest = least * float(factor)
    edge = rng.random() < 0.2
    if kind == "some sizes serve" and edge:
        # So far from the next whole numbers that an event more or less to wait for is no matter.
        least, largest = math.ceil(least) - 0.95, math.ceil(least) + 0.95
    rate = least * (1 - busy) / overhead
    each = busy / rate
    within = (largest - 1) / rate + overhead + largest * each
    if kind == "no size keeps up":
        if edge:
            each = 2.0 ** round(math.log2(each))  # its product with the rate is 1 to the last bit
        rate = (1.0 if edge else float(rng.uniform(1.05, 2))) / each
        least = math.inf
    given = {
        "overhead_seconds": overhead,
        "seconds_per_event": each,
        "events_per_second": rate,
        "within_seconds": within,
    }
    served = [math.ceil(least), math.floor(largest)] if least <= largest else None
    return Sizes(given, least, largest, served, kind)


ENGINES = ("batch", "pool", "warm", "flink", "spark", "cpp", "sql", "lambda")


@dataclass(frozen=True)
class Table:
    """Designs of one workload, and the names of those that nothing beats."""

    designs: pd.DataFrame
    frontier: list[str]


def design_table(rng: np.random.Generator, twins: bool) -> Table:
    """A frontier of 5 or 6 designs, the designs they beat, and some that do not keep up.

    One of the frontier saves little against the one before and so is the best of no weighted sum;
    some beaten ones tie with their better in one column; with `twins` two designs are alike.
    """
    number = int(rng.integers(5, 7))
    latency = float(10 ** rng.uniform(-2, 0.5)) * np.cumprod(rng.uniform(3, 6, number))
    steps = rng.uniform(0.3, 0.6, number)
    steps[int(rng.integers(1, number - 1))] = rng.uniform(0.93, 0.97)
    cost = float(10 ** rng.uniform(-1, 2)) * np.cumprod(steps)
    kept = [(float(late), float(usd), True) for late, usd in zip(latency, cost, strict=True)]
    if twins:
        kept.append(kept[int(rng.integers(number))])
    beaten = []
    for i in range(int(rng.integers(3, 6))):
        late, usd, _ = kept[int(rng.integers(number))]
        worse, dearer = rng.uniform(1.2, 2.5), rng.uniform(1.1, 1.8)
        beaten.append((late * (1 if i == 0 else worse), usd * (1 if i == 1 else dearer), True))
    # Those that do not keep up look better than one of the frontier, or than all.
    late, usd, _ = kept[int(rng.integers(number))]
    out = [(late * rng.uniform(0.5, 0.9), usd * rng.uniform(0.4, 0.9), False)]
    if rng.integers(2):
        out.append((float(latency[0]) * 0.5, float(cost[-1]) * 0.8, False))
    rows = [*kept, *beaten, *out]
    names = [f"{rng.choice(ENGINES)}-{n}" for n in rng.permutation(90)[: len(rows)] + 10]
    table = pd.DataFrame(rows, columns=["latency_seconds", "usd_per_million_events", "keeps_up"])
    table.insert(0, "design", names)
    table["events_per_second"] = (10 ** rng.uniform(3, 6, len(rows))).round()
    mixed = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
    return Table(mixed, names[: len(kept)])


@dataclass(frozen=True)
class Day:
    """24 hours of a pipeline, its targets, and what limits it (a key of `BINDS`)."""

    hours: pd.DataFrame
    targets: dict[str, float]
    label: str

    @property
    def binds(self) -> str:
        return BINDS[self.label]


def pipeline_day(rng: np.random.Generator, label: str) -> Day:
    """A day that begins in the quiet hours and has one peak.

    What keeps up stays within 2 % in every hour. An overload leaves at least a tenth of the busiest
    hour's events over; how busy the machines look has nothing to do with it. A p99 may be just what
    is wanted; money is never within 5 % of its target.
    """
    hour = np.arange(HOURS)
    peak = int(rng.integers(10, 15))
    swing = float(rng.uniform(0.5, 0.8))
    arrived = 10 ** rng.uniform(4, 8) * (1 + swing * np.cos((hour - peak) / HOURS * 2 * np.pi))
    arrived *= rng.uniform(0.97, 1.03, HOURS)
    visible = arrived * np.clip(rng.normal(1, 0.005, HOURS), 0.985, 1.015)
    p99 = float(10 ** rng.uniform(-1, 3)) * rng.uniform(0.85, 1.15, HOURS)
    within = float(p99.max() * rng.uniform(1.3, 4))
    if label in OVERLOADS:
        # More than the mean lets the night catch up; less, and the backlog grows to the end.
        lasting = label == OVERLOADS[1] or (label == OVERLOADS[2] and rng.integers(2))
        can = arrived.mean() * (rng.uniform(0.7, 0.9) if lasting else rng.uniform(1.22, 1.3))
        visible, backlog = _served(arrived, float(can))
        p99 = p99 + backlog / can * 3600
        within = float(p99.max() * 1.3 if label == OVERLOADS[2] else min(within, p99.max() / 2))
    elif label == LATE[0]:
        within = float(p99.min() * rng.uniform(0.4, 0.9))
    elif label == LATE[1]:
        late = rng.choice(HOURS, int(rng.integers(1, 4)), replace=False)
        p99[late] = within * rng.uniform(1.2, 2, len(late))
        within = float(max(within, p99.mean() * 1.1))
        p99[late] = np.maximum(p99[late], within * 1.15)
    elif label in FINE and rng.random() < 0.3:
        within = float(p99.max())
    by_use = label in (DEAR[1], FINE[1]) or (label in (*OVERLOADS, *LATE) and rng.integers(2))
    usd = float(10 ** rng.uniform(-1, 2)) * (visible / visible.mean() if by_use else np.ones(HOURS))
    unit = usd.sum() / visible.sum() * 1e6
    allowed = rng.uniform(0.75, 0.88) if label in DEAR else rng.uniform(1.05, 1.12)
    hours = pd.DataFrame(
        {
            "hour": hour,
            "arrived_events": arrived.round().astype("int64"),
            "visible_events": visible.round().astype("int64"),
            "p99_seconds": p99,
            "usd": usd,
            "busy_share": (rng.uniform(0.4, 0.95) * rng.uniform(0.9, 1.1, HOURS)).clip(max=1.0),
        }
    )
    targets = {"within_seconds": within, "usd_per_million_events": float(unit * allowed)}
    return Day(hours, targets, label)


def _served(arrived: np.ndarray, can: float) -> tuple[np.ndarray, np.ndarray]:
    """What a limited pipeline makes visible in each hour, and what it leaves over."""
    left, visible, backlog = 0.0, [], []
    for events in arrived.tolist():
        done = min(can, events + left)
        left += events - done
        visible.append(done)
        backlog.append(left)
    return np.array(visible), np.array(backlog)
