"""One call that pushes every event of some days through a design."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tradeoff.model import Design, Rhythm
from tradeoff.model.columns import columns_of
from tradeoff.model.quantities import DAY_SECONDS, Quantity, check
from tradeoff.model.timing import seconds_per_event, service_seconds
from tradeoff.simulate.arrivals import Arrivals, Bursts, Replayed, Source
from tradeoff.simulate.cadence import Loop, Queue
from tradeoff.simulate.count import Ages, Passed

KEPT_EVENTS = 1 << 21  # up to 16 MB of arrivals are kept instead of drawn twice
BACKLOG_EVERY_SECONDS = 600.0

WHOLE = Quantity("count", least=1, whole=True)
_SEED = Quantity("seed", least=0, whole=True)
_BATCH_SECONDS = ("trigger_seconds", "start_seconds", "end_seconds", "read_until_seconds")


@dataclass(frozen=True)
class Simulation:
    """What became of the events that arrived within the horizon.

    Attributes
    ----------
    events : how many arrived from the first midnight to the end of the horizon.
    latency_…_seconds : arrival until visible, over these events. Best, mean and worst are exact,
        quantiles within 0.05 % (of the latencies kept, take any other exactly).
    run_longest_seconds : the longest batch that took any of them; 0 for a stream.
    utilisation : share of the horizon in which the design was at work.
    batches : one row a batch: trigger_seconds (NaN without a trigger), start_seconds, end_seconds,
        read_until_seconds (it holds the events that arrived up to then and after the row before),
        events, waiting_events (arrived and not taken when it ended). Empty for a stream.
    backlog : every ten minutes: seconds, arrived_events, visible_events, waiting_events.
    latencies : seconds, in order of arrival, if they were kept (one for each drawn arrival).
    """

    design: Design
    days: int
    events: int
    latency_best_seconds: float
    latency_mean_seconds: float
    latency_p50_seconds: float
    latency_p95_seconds: float
    latency_p99_seconds: float
    latency_worst_seconds: float
    run_longest_seconds: float
    utilisation: float
    batches: pd.DataFrame = field(repr=False)
    backlog: pd.DataFrame = field(repr=False)
    latencies: np.ndarray | None = field(repr=False, default=None)


def simulate(
    design: Design,
    days: int = 1,
    *,
    seed: int = 0,
    arrivals: str | np.ndarray = "poisson",
    bursts: Bursts | None = None,
    events_per_arrival: int = 1,
    servers: int | None = None,
    keep_latencies: bool = False,
) -> Simulation:
    """Push every event of some days through a design.

    A timed cadence starts as if nothing had been left over at its last trigger before the first
    midnight, the others start empty at midnight. Arrivals go on after the horizon until its last
    event is visible, for one day at most.

    Parameters
    ----------
    arrivals : "poisson", "even" (no chance: as the closed form takes them), or arrival times to
        replay, seconds after the first midnight in order, each below `days` days.
    bursts : waves on top of the day's curve; not with replayed arrivals.
    events_per_arrival : events come in blocks of this many, drawn as one; batches only.
    servers : streams only. None: one server of the pooled rate with exponential service times, the
        closed form's queue. A number: so many servers that share the rate, the same service time
        for every event.
    keep_latencies : return every latency (8 bytes an arrival).

    Raises ValueError or TypeError, with the field and what is allowed, for bad values, for options
    that do not go together, for more than five million triggers, and when no event arrives.
    """
    if not isinstance(design, Design):
        raise TypeError(f"simulate takes one Design, got {design!r}")
    days = int(check("horizon_days", days))
    block = int(check("events_per_arrival", events_per_arrival, WHOLE))
    seed = int(check("seed", seed, _SEED))
    streaming = design.rhythm is Rhythm.STREAMING
    if streaming and block > 1:
        raise ValueError("events_per_arrival must be 1 for a stream: it waits event by event")
    if servers is not None:
        check("servers", servers, WHOLE)
        if not streaming:
            raise ValueError(f"servers is for streams, got rhythm {design.rhythm.value!r}")
    horizon = days * DAY_SECONDS
    loop = None if streaming else Loop.of(design, block)
    source: Source
    if isinstance(arrivals, str):
        if arrivals not in ("poisson", "even"):
            raise ValueError(f"arrivals must be 'poisson', 'even' or times, got {arrivals!r}")
        source = Arrivals(
            design.workload,
            loop.begin if loop else 0.0,
            horizon + DAY_SECONDS if loop else horizon,
            seed=seed,
            even=arrivals == "even",
            bursts=bursts,
            events_per_arrival=block,
        )
    else:
        if bursts is not None:
            raise ValueError("bursts cannot be laid over replayed arrivals")
        source = Replayed(arrivals, horizon)
    ages = Ages(keep_latencies)
    if loop:
        return _batches(design, days, source, loop, block, ages)
    columns = columns_of([design])
    # Arrivals are drawn from the seed's first two children.
    services = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[2])
    queue = Queue(seconds_per_event(columns).item(), servers, services)
    visible_after = (columns["latency_floor_seconds"] + service_seconds(columns)).item()
    return _stream(design, days, source, queue, visible_after, ages)


def _batches(
    design: Design, days: int, source: Source, loop: Loop, block: int, ages: Ages
) -> Simulation:
    horizon = days * DAY_SECONDS
    # First when the batches run, which needs how many had arrived by when; then each event's age.
    drawn = list(source.chunks()) if source.expected <= KEPT_EVENTS else None
    rows = loop.run(drawn or source.chunks(), horizon)
    trigger, start, end, read_until, events = rows.T
    grid = np.arange(0.0, horizon + 1, BACKLOG_EVERY_SECONDS)
    arrived, arrived_by_end = Passed(grid), Passed(end)
    latest = end.max(initial=horizon)
    first_taken, last_taken = len(rows), 0
    for chunk in drawn or source.chunks():
        if chunk[0] > latest:
            break
        arrived.add(chunk)
        arrived_by_end.add(chunk)
        inside = chunk[slice(*np.searchsorted(chunk, [0.0, horizon]))]
        if len(inside):
            first, last = np.searchsorted(read_until, inside[[0, -1]])
            cuts = np.searchsorted(inside, read_until[first:last], "right")
            counts = np.diff(cuts, prepend=0, append=len(inside))
            ages.add(np.repeat(end[first : last + 1], counts) - inside)
            first_taken, last_taken = min(first, first_taken), last
    figures = ages.figures()
    longest = float((end - start)[first_taken : last_taken + 1].max())
    events = events.astype(np.int64)
    taken = np.concatenate([[0], np.cumsum(events)])
    visible = taken[np.searchsorted(end, grid, "right")]
    batches = dict(zip(_BATCH_SECONDS, (trigger, start, end, read_until), strict=True)) | {
        "events": events * block,
        "waiting_events": (arrived_by_end.count - taken[1:]) * block,
    }
    busy = (np.clip(end, 0.0, horizon) - np.clip(start, 0.0, horizon)).sum()
    return Simulation(
        design=design,
        days=days,
        events=ages.count * block,
        **figures,
        run_longest_seconds=longest,
        utilisation=float(busy / horizon),
        batches=pd.DataFrame(batches),
        backlog=_backlog(grid, arrived.count * block, visible * block),
        latencies=ages.latencies,
    )


def _stream(
    design: Design, days: int, source: Source, queue: Queue, visible_after: float, ages: Ages
) -> Simulation:
    horizon = days * DAY_SECONDS
    grid = np.arange(0.0, horizon + 1, BACKLOG_EVERY_SECONDS)
    arrived, visible = Passed(grid), Passed(grid)
    busy = 0.0
    for chunk in source.chunks():
        starts, ends = queue.serve(chunk)
        seen = starts + visible_after
        ages.add(seen - chunk)
        arrived.add(chunk)
        visible.add(seen)
        busy += float((np.minimum(ends, horizon) - np.minimum(starts, horizon)).sum())
    return Simulation(
        design=design,
        days=days,
        events=ages.count,
        **ages.figures(),
        run_longest_seconds=0.0,
        utilisation=busy / (horizon * queue.servers),
        batches=_no_batches(),
        backlog=_backlog(grid, arrived.count, visible.count),
        latencies=ages.latencies,
    )


def _no_batches() -> pd.DataFrame:
    seconds = {name: pd.Series(dtype=np.float64) for name in _BATCH_SECONDS}
    counts = {name: pd.Series(dtype=np.int64) for name in ("events", "waiting_events")}
    return pd.DataFrame(seconds | counts)


def _backlog(grid: np.ndarray, arrived: np.ndarray, visible: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "seconds": grid,
            "arrived_events": arrived,
            "visible_events": visible,
            "waiting_events": arrived - visible,
        }
    )
