"""Every event pushed through a design's cadence: a proof of the closed form, and its correction.

Arrivals are drawn from the workload's day (a Poisson process, bursts on request, or evenly spaced)
or replayed from a list. A batch starts at its trigger, or when the one before ends if that is
later, and takes all that has arrived; triggers that pass meanwhile are not made up for. A loop
without a trigger starts the next batch at once, or when an event arrives. A stream is a queue.
Each event's age when it becomes visible is counted, also under overload.

Times are seconds after the first midnight; durations and rates are those of `model.timing`. Memory
does not grow with the number of events: arrivals come in chunks and are drawn a second time when a
batch is longer than what is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.model import Design, Rhythm, Workload, evaluate
from tradeoff.model.columns import columns_of
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS, Quantity, check
from tradeoff.model.timing import fixed_per_run, seconds_per_event, service_seconds

CHUNK_EVENTS = 1 << 16  # half a megabyte: stays in a processor's cache
KEPT_EVENTS = 1 << 21  # up to 16 MB of arrivals are kept instead of drawn twice
MOST_TRIGGERS = 5_000_000
BACKLOG_EVERY_SECONDS = 600.0
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

_WHOLE = Quantity("count", least=1, whole=True)
_BATCH_SECONDS = ("trigger_seconds", "start_seconds", "end_seconds", "read_until_seconds")
_SEED = Quantity("seed", least=0, whole=True)


# --- arrivals -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bursts:
    """Arrivals that come in waves: the day's rate is multiplied anew every `lasting_seconds`.

    The factors are independent draws from a gamma distribution of mean 1, so the volume expected
    of a day is unchanged.

    Attributes
    ----------
    variation : standard deviation of the factor; 1 is an exponential distribution.
    lasting_seconds : how long one factor holds, at least 0.1 s.
    """

    variation: float
    lasting_seconds: float

    def __post_init__(self) -> None:
        check("variation", self.variation, Quantity("ratio to the mean rate", above=0, most=100))
        check("lasting_seconds", self.lasting_seconds, Quantity("seconds", least=0.1))


class Arrivals:
    """Arrival times of a workload from `begin` to `end`, in order, the same at each reading.

    `chunks()` gives them as arrays of at most `CHUNK_EVENTS` seconds. What comes before midnight is
    drawn apart from what comes after it, so designs that begin at different triggers see the same
    events of the day under the same seed.
    """

    def __init__(
        self,
        workload: Workload,
        begin: float,
        end: float,
        *,
        seed: int = 0,
        even: bool = False,
        bursts: Bursts | None = None,
        events_per_arrival: int = 1,
    ) -> None:
        rates = np.asarray(workload.curve) * workload.events_per_second / events_per_arrival
        seeds = np.random.SeedSequence(seed).spawn(2)
        sides = ((begin, min(end, 0.0)), (max(begin, 0.0), end))
        self._stretches = [
            _Stretch(rates, start, stop, even, bursts, own)
            for (start, stop), own in zip(sides, seeds, strict=True)
            if start < stop
        ]

    @property
    def expected(self) -> float:
        """Mean number of arrivals, given the bursts."""
        return sum(stretch.expected for stretch in self._stretches)

    def chunks(self) -> Iterator[np.ndarray]:
        for stretch in self._stretches:
            yield from stretch.chunks()


class _Stretch:
    """A unit-rate process, stretched so that it follows the day's rates (a change of time)."""

    def __init__(
        self,
        rates: np.ndarray,
        begin: float,
        end: float,
        even: bool,
        bursts: Bursts | None,
        seed: np.random.SeedSequence,
    ) -> None:
        self._even = even
        self._gaps, factors = seed.spawn(2)
        cuts = [np.array([begin, end])]
        for step in (HOUR_SECONDS, bursts.lasting_seconds if bursts else DAY_SECONDS):
            cuts.append(np.arange(math.ceil(begin / step), math.ceil(end / step)) * step)
        self._edges = np.unique(np.concatenate(cuts))
        middle = (self._edges[:-1] + self._edges[1:]) / 2
        rate = rates[np.floor(middle / HOUR_SECONDS).astype(int) % 24]
        if bursts:
            wave = np.floor(middle / bursts.lasting_seconds).astype(int)
            shape = bursts.variation**-2
            drawn = np.random.default_rng(factors).gamma(shape, 1 / shape, np.ptp(wave) + 1)
            rate = rate * drawn[wave - wave[0]]
        self._expected = np.concatenate([[0.0], np.cumsum(rate * np.diff(self._edges))])
        self.expected = float(self._expected[-1])

    def chunks(self) -> Iterator[np.ndarray]:
        draw = np.random.default_rng(self._gaps)
        reached = -0.5 if self._even else 0.0  # an even arrival stands in the middle of its gap
        while reached < self.expected:
            if self._even:
                passed = reached + np.arange(1.0, CHUNK_EVENTS + 1)
            else:
                passed = reached + np.cumsum(draw.standard_exponential(CHUNK_EVENTS))
            reached = passed[-1]
            if reached >= self.expected:
                passed = passed[: np.searchsorted(passed, self.expected)]
            if len(passed):
                yield np.interp(passed, self._expected, self._edges)


class _Replayed:
    """Arrival times given by the caller, in views of at most `CHUNK_EVENTS`."""

    def __init__(self, times: np.ndarray, horizon: float) -> None:
        self.times = np.asarray(times, dtype=np.float64)
        good = self.times.ndim == 1 and len(self.times) > 0
        if not good or not (self.times[0] >= 0 and self.times[-1] < horizon):
            raise ValueError(
                "arrivals must be a column of seconds after the first midnight, from 0 to below "
                f"{horizon:g}, got shape {self.times.shape}"
            )
        if not (self.times[1:] >= self.times[:-1]).all():
            raise ValueError("arrivals must be in order of time and without NaN")

    @property
    def expected(self) -> float:
        return float(len(self.times))

    def chunks(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.times), CHUNK_EVENTS):
            yield self.times[start : start + CHUNK_EVENTS]


Source = Arrivals | _Replayed


# --- what is counted ------------------------------------------------------------------------------


class _Ages:
    """Latencies seen so far: count, sum and extremes exactly, the rest as a histogram.

    A bin holds the latencies that agree in exponent and first ten bits of mantissa, so a quantile
    read from the middle of its bin is off by at most 0.05 % (2**-11).
    """

    CUT = 42  # of 52 bits of mantissa
    LEAST, MOST = 2.0**-40, 2.0**40  # a picosecond, 35 thousand years

    def __init__(self, keep: bool) -> None:
        self.count, self._total, self._best, self._worst = 0, 0.0, math.inf, 0.0
        self._lowest, highest = self._bin(np.array([self.LEAST, self.MOST])).tolist()
        self._bins = np.zeros(highest - self._lowest, dtype=np.int64)
        self._kept: list[np.ndarray] | None = [] if keep else None

    def _bin(self, latency: np.ndarray) -> np.ndarray:
        return latency.view(np.int64) >> self.CUT

    def add(self, latency: np.ndarray) -> None:
        best, worst = float(latency.min()), float(latency.max())
        self.count += len(latency)
        self._total += float(latency.sum())
        self._best, self._worst = min(self._best, best), max(self._worst, worst)
        if self._kept is not None:
            self._kept.append(latency)
        if best < self.LEAST:
            latency, best = np.maximum(latency, self.LEAST), self.LEAST
        bins = self._bin(latency)
        first = int(self._bin(np.array([best]))[0])
        bins -= first
        counts = np.bincount(bins)
        self._bins[first - self._lowest :][: len(counts)] += counts

    @property
    def latencies(self) -> np.ndarray | None:
        return None if self._kept is None else np.concatenate(self._kept)

    def figures(self) -> dict[str, float]:
        """The latency fields of `Simulation`."""
        if not self.count:
            raise ValueError("no event arrived within the horizon: raise events_per_day or days")
        ranks = np.ceil(np.array(list(QUANTILES.values())) * self.count)
        index = np.searchsorted(np.cumsum(self._bins), ranks)
        index += self._lowest
        lower, upper = (((index + i) << self.CUT).view(np.float64) for i in (0, 1))
        found = np.clip((lower + upper) / 2.0, self._best, self._worst).tolist()
        return {
            "latency_best_seconds": self._best,
            "latency_mean_seconds": self._total / self.count,
            **{f"latency_{name}_seconds": at for name, at in zip(QUANTILES, found, strict=True)},
            "latency_worst_seconds": self._worst,
        }


class _Passed:
    """How many events of an ordered series had passed at each of some times, chunk by chunk."""

    def __init__(self, times: np.ndarray) -> None:
        self.times = times
        self.count = np.zeros(len(times), dtype=np.int64)

    def add(self, chunk: np.ndarray) -> None:
        first, after = np.searchsorted(self.times, chunk[[0, -1]])
        self.count[after:] += len(chunk)
        self.count[first:after] += np.searchsorted(chunk, self.times[first:after], "right")


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


# --- batches --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Loop:
    """When batches start and how long they take, in seconds.

    `interval` is 0 without a trigger. `span` is the most history one run can cover: all of it for
    an incremental run, whose `each` is the time an arrival adds.
    """

    begin: float
    interval: float
    fixed: float
    each: float
    span: float

    @classmethod
    def of(cls, design: Design, events_per_arrival: int) -> _Loop:
        columns = columns_of([design])
        each, fixed = seconds_per_event(columns).item(), fixed_per_run(columns).item()
        interval = design.cadence.interval_seconds
        # Nothing is left over at the trigger before the first one from midnight on.
        begin = design.start_hour * HOUR_SECONDS % interval - interval if interval else 0.0
        if design.incremental:
            return cls(begin, interval, fixed, each * events_per_arrival, math.inf)
        days = design.workload.full_read_days
        read = fixed + days * design.workload.events_per_day * each
        return cls(begin, interval, read, 0.0, max(interval, days * DAY_SECONDS))

    def run(self, chunks: Iterable[np.ndarray], until: float) -> np.ndarray:
        """Batches until all that arrived before `until` is taken.

        Shape (batches, 5): trigger, start, end, read-until, arrivals taken.
        """
        if self.interval and (until - self.begin) / self.interval > MOST_TRIGGERS:
            raise ValueError(
                f"a simulation takes at most {MOST_TRIGGERS:,} triggers: "
                f"interval_seconds of {self.interval:g} is too short for it"
            )
        rows, line = [], _Line(chunks)
        taken, turn, free, covered = 0, 1, self.begin, self.begin
        while covered < until:
            if self.interval:
                trigger = self.begin + turn * self.interval
                start = max(trigger, free)
                late = int((start - self.begin) // self.interval) if start > trigger else turn
                turn = max(turn, late) + 1
            else:
                trigger, start = math.nan, max(free, line.arrival(taken))
                if start == math.inf:
                    break
            covered = min(start, covered + self.span)
            arrived = line.arrived(covered)
            free = start + self.fixed + (arrived - taken) * self.each
            rows.append((trigger, start, free, covered, arrived - taken))
            taken = arrived
        return np.array(rows).reshape(-1, 5)


class _Line:
    """Arrivals as a line that is only walked forward, one chunk in hand."""

    def __init__(self, chunks: Iterable[np.ndarray]) -> None:
        self._chunks = iter(chunks)
        self._chunk = np.empty(0)
        self._before = 0

    def _next(self) -> bool:
        following = next(self._chunks, None)
        if following is None:
            return False
        self._before += len(self._chunk)
        self._chunk = following
        return True

    def arrived(self, time: float) -> int:
        """Arrivals up to and at `time`, which never decreases from call to call."""
        while (not len(self._chunk) or self._chunk[-1] <= time) and self._next():
            pass
        return self._before + int(self._chunk.searchsorted(time, "right"))

    def arrival(self, number: int) -> float:
        """Time of an arrival (0 is the first) not before the chunk in hand; inf after the last."""
        while number >= self._before + len(self._chunk):
            if not self._next():
                return math.inf
        return float(self._chunk[number - self._before])


# --- streams --------------------------------------------------------------------------------------


class _Queue:
    """First come, first served, by Lindley's recursion over whole chunks.

    The k-th event starts when it has arrived and the server is free. With C the summed service
    before it, start - C is the running maximum of arrival - C: one cumulative sum and one running
    maximum replace the loop over events. With several servers and one service time for all, the
    events go round the servers in turn, so each server is a queue of its own (a column here).
    """

    def __init__(self, each: float, servers: int | None, draw: np.random.Generator) -> None:
        self._each, self._draw = each, draw
        self._random = servers is None
        self.servers = servers or 1
        self._free = np.full(self.servers, -math.inf)  # next server first

    def serve(self, arrivals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When each event's service starts, and ends."""
        rounds = -(-len(arrivals) // self.servers)
        arrived = np.full(rounds * self.servers, math.inf)
        arrived[: len(arrivals)] = arrivals
        if self._random:
            took = self._draw.standard_exponential((rounds, 1)) * self._each
        else:
            took = np.full((rounds, 1), self._each * self.servers)
        before = np.cumsum(took, axis=0) - took
        slack = arrived.reshape(rounds, self.servers) - before
        np.maximum(slack[0], self._free, out=slack[0])
        starts = (np.maximum.accumulate(slack, axis=0) + before).ravel()[: len(arrivals)]
        ends = starts + np.broadcast_to(took, slack.shape).ravel()[: len(arrivals)]
        self._free = np.concatenate([self._free, ends])[-self.servers :]
        return starts, ends


# --- the whole ------------------------------------------------------------------------------------


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
    block = int(check("events_per_arrival", events_per_arrival, _WHOLE))
    seed = int(check("seed", seed, _SEED))
    streaming = design.rhythm is Rhythm.STREAMING
    if streaming and block > 1:
        raise ValueError("events_per_arrival must be 1 for a stream: it waits event by event")
    if servers is not None:
        check("servers", servers, _WHOLE)
        if not streaming:
            raise ValueError(f"servers is for streams, got rhythm {design.rhythm.value!r}")
    horizon = days * DAY_SECONDS
    loop = None if streaming else _Loop.of(design, block)
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
        source = _Replayed(arrivals, horizon)
    ages = _Ages(keep_latencies)
    if loop:
        return _batches(design, days, source, loop, block, ages)
    columns = columns_of([design])
    services = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[2])
    queue = _Queue(seconds_per_event(columns).item(), servers, services)
    visible_after = (columns["latency_floor_seconds"] + service_seconds(columns)).item()
    return _stream(design, days, source, queue, visible_after, ages)


def _batches(
    design: Design, days: int, source: Source, loop: _Loop, block: int, ages: _Ages
) -> Simulation:
    horizon = days * DAY_SECONDS
    # First when the batches run, which needs how many had arrived by when; then each event's age.
    drawn = list(source.chunks()) if source.expected <= KEPT_EVENTS else None
    rows = loop.run(drawn or source.chunks(), horizon)
    trigger, start, end, read_until, events = rows.T
    grid = np.arange(0.0, horizon + 1, BACKLOG_EVERY_SECONDS)
    arrived, arrived_by_end = _Passed(grid), _Passed(end)
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
    design: Design, days: int, source: Source, queue: _Queue, visible_after: float, ages: _Ages
) -> Simulation:
    horizon = days * DAY_SECONDS
    grid = np.arange(0.0, horizon + 1, BACKLOG_EVERY_SECONDS)
    arrived, visible = _Passed(grid), _Passed(grid)
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


# --- beside the closed form -----------------------------------------------------------------------


def against_closed_form(
    designs: Iterable[Design],
    days: int = 1,
    *,
    arrivals_per_day: int = 1_000_000,
    **options: Any,
) -> pd.DataFrame:
    """Latencies of the closed form and of the simulation, one row a design and figure.

    Batches are simulated with blocks of events, about `arrivals_per_day` of them; streams event by
    event. `options` go to `simulate`.

    Columns: design (its name), figure (best, mean, p50, p95, worst; a stream's wait has no worst),
    closed_form_seconds, simulated_seconds, error_percent (of the closed form, by the simulated),
    exact (the closed form is meant to be exact here: see `is_exact`).
    """
    check("arrivals_per_day", arrivals_per_day, _WHOLE)
    rows = []
    for design in designs:
        found = evaluate(design, horizon_days=days)
        stream = design.rhythm is Rhythm.STREAMING
        block = 1 if stream else math.ceil(design.workload.events_per_day / arrivals_per_day)
        simulated = simulate(design, days, **{"events_per_arrival": block} | options)
        for figure in ("best", "mean", "p50", "p95", *(() if stream else ("worst",))):
            closed = found.figures[f"latency_{figure}_seconds"]
            counted = getattr(simulated, f"latency_{figure}_seconds")
            rows.append(
                {
                    "design": design.name,
                    "figure": figure,
                    "closed_form_seconds": closed,
                    "simulated_seconds": counted,
                    "error_percent": 100.0 * (closed / counted - 1.0),
                    "exact": is_exact(design),
                }
            )
    return pd.DataFrame(rows)


def is_exact(design: Design) -> bool:
    """True where the closed form takes no short cut: runs end before the next trigger, and an
    interval divides the hour or is made of hours.
    """
    interval = design.cadence.interval_seconds
    if not interval:
        return False
    whole = interval > HOUR_SECONDS or math.isclose(
        HOUR_SECONDS / interval, round(HOUR_SECONDS / interval), rel_tol=1e-9
    )
    return whole and evaluate(design).run_longest_seconds <= interval
