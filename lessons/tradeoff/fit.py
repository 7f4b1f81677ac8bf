"""Fit measured runs of a micro-batch pipeline, and say what happens at loads not yet measured.

    fit = fit_batches(measurements)                      # two rows are enough
    fit.predict([60_000, 80_000], interval_seconds=0)    # latencies with bounds, keeps up or not
    fit.capacity_low, fit.capacity_events_per_second, fit.capacity_high

The engine. A batch takes all events that arrived since the batch before took its own, so at λ
events a second the batch after a cycle of A seconds lasts

    B = ξ (o + ρ(λ) A)        o: overhead of a batch; ξ: its variation, lognormal, mean 1, sd `cv`

and the next cycle is A' = max(T, B): the trigger interval T, or, as soon as possible, T = 0. An
event waits for the rest of the cycle it falls into, which is the longer ones more often (the
inspection paradox; Kleinrock, Queueing Systems 1, 1975, section 5.2), then through its own batch:

    latency = U A + ξ (o + ρ A) + floor          U uniform in 0..1, A drawn in proportion to A

Without variation and with T = 0 the cycle is o/(1 - ρ) and the median 1.5 cycles: the plain
a/(1 - load/capacity). Real clusters leave that line as they fill. With u = λ/capacity and r the
share of the straight line's capacity that is really there,

    ρ(λ) = u (r + (1 - r) u^m)

grows like r u at first and reaches 1 at capacity: garbage collection, spilled shuffles and
coordination cost more per event in a fuller system. It plays the part of the contention and
coherency terms of Gunther's Universal Scalability Law (Guerrilla Capacity Planning, 2007), with a
free power m because memory that runs out is steeper than the square.

What low loads cannot tell (r and m, mostly) the prior must: see `PRIOR`. The posterior is sampled
by annealed stretch moves (Goodman & Weare, Ensemble samplers with affine invariance, 2010) with a
fixed seed, so the same rows always give the same answer. Bounds hold 85 % of the posterior. On
simulated engines fitted at two to four low loads (tests/test_fit.py) the true capacity lay inside
them for 80 to 100 % of those with contention, but for 10 to 30 % of those that keep a straight line
to the very end: these are underrated, by about a fifth. The true median latency at 65, 75 and 85 %
of capacity lay inside for 77 to 93 % of either.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

REQUIRED = ("events_per_second", "interval_seconds", "latency_p50_seconds")
OPTIONAL = ("latency_p99_seconds", "batch_seconds")
LEVEL = 0.85  # share of the posterior inside low..high
_PROBABILITIES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)

# Mean and standard deviation of what is believed before a row is seen, each in a coordinate without
# limits. They are wide where two rows can tell and carry the answer where they cannot.
PRIOR = {
    # log of overhead over half the least median; a long interval hides a small overhead
    "overhead": (0.0, 1.5),
    # log(capacity / greatest measured load - 1): those who measure low loads go to about half of
    # capacity. Student's t with 4 degrees of freedom: some stop at 10 %, some at 95 %.
    "headroom": (-0.1, 0.45),
    # logit of (r - 0.4) / 0.6: broad between two fifths of the straight line's capacity and all of
    # it, for low loads say next to nothing of it. What is meant by capacity is the sustainable
    # throughput, the highest load without a growing queue, of Karimov et al., Benchmarking
    # distributed stream data processing systems (ICDE 2018).
    "straight": (-0.3, 1.3),
    # log m: between the quadratic of coordination and the cliff of a full heap
    "power": (np.log(4.5), 0.5),
    # log cv: batches of a quiet cluster differ by a tenth or two
    "variation": (np.log(0.15), 0.6),
    # floor over overhead: transport adds to it; output seen before the batch has committed takes
    # from it
    "floor": (0.05, 0.1),
    # log of the relative error of a published median: rounding, and run against run
    "noise": (np.log(0.03), 0.4),
}
_MEAN, _SPREAD = np.array(list(PRIOR.values())).T
_HEADROOM_FREEDOM = 4.0
_LEAST_SHARE = 0.4
# Beside the noise: what the law of one lognormal variation misses in tails and in batch times.
_TAIL_ERROR, _BATCH_ERROR = 0.10, 0.05

WALKERS, MOVES, KEPT = 200, 8, 5
# Shares of the log likelihood let in, one after the other.
ANNEALING = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
# Rows evaluated at once: bounds the memory of a long sweep.
_ROWS_AT_ONCE = 32


def _normal_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


_BATCH_NODES, _BATCH_WEIGHTS = _normal_nodes(7)
_OWN_NODES, _OWN_WEIGHTS = _normal_nodes(5)


@dataclass(frozen=True, eq=False)
class BatchFit:
    """What the measurements allow to be said of one pipeline.

    Attributes
    ----------
    measurements : the rows fitted.
    draws : the posterior, a row a draw: overhead_seconds, capacity_events_per_second,
        straight_line_share (r), contention_power (m), variation (cv of a batch's time),
        floor_seconds, measurement_error (relative).
    """

    measurements: pd.DataFrame
    draws: pd.DataFrame

    @property
    def capacity_events_per_second(self) -> float:
        """Load above which it stops keeping up, at any interval: median of the posterior."""
        return self._capacity(_PROBABILITIES[1])

    @property
    def capacity_low(self) -> float:
        """Lower bound of the capacity, events a second."""
        return self._capacity(_PROBABILITIES[0])

    @property
    def capacity_high(self) -> float:
        """Upper bound of the capacity, events a second."""
        return self._capacity(_PROBABILITIES[2])

    def _capacity(self, probability: float) -> float:
        return float(self.draws["capacity_events_per_second"].quantile(probability))

    def predict(
        self, events_per_second: npt.ArrayLike, interval_seconds: npt.ArrayLike = 0.0
    ) -> pd.DataFrame:
        """Latency and load at other rates and trigger intervals, one row each.

        Arguments are numbers or sequences, broadcast against each other; an interval of 0 starts
        each batch as soon as the one before ends.

        Columns: `events_per_second`, `interval_seconds`; `latency_p50_seconds` and
        `latency_p99_seconds` **if it keeps up**, infinite where at most 1 % of the posterior
        does; `utilisation`, the load over capacity; `keeps_up_probability`; `stable`, whether
        that is at least one half; and, where it falls behind, `backlog_events_per_second`, how
        fast the queue grows, and `lag_seconds_per_second`, how much older each second makes what
        comes out: 1 - capacity/load, 0 where it keeps up. Latencies, utilisation and lag have
        `…_low` and `…_high` beside them.

        Latencies are over the draws that keep up at this load. The middle is the value of least
        expected relative error: their median when each is weighed by 1/latency, so that the few
        draws close to their capacity do not carry the answer off. The bounds hold 85 %.

        Raises TypeError or ValueError when a rate is not positive or an interval negative.
        """
        rate = _numbers("events_per_second", events_per_second, positive=True)
        interval = _numbers("interval_seconds", interval_seconds, positive=False)
        rate, interval = (np.atleast_1d(x) for x in np.broadcast_arrays(rate, interval))
        if rate.ndim > 1:
            raise ValueError("events_per_second and interval_seconds must be numbers or sequences")
        starts = range(0, len(rate), _ROWS_AT_ONCE)
        parts = [
            self._rows(rate[at : at + _ROWS_AT_ONCE], interval[at : at + _ROWS_AT_ONCE])
            for at in starts
        ]
        return pd.concat(parts, ignore_index=True)

    def _rows(self, rate: np.ndarray, interval: np.ndarray) -> pd.DataFrame:
        engine = _Engine(*(self.draws[field.name].to_numpy()[:, None] for field in fields(_Engine)))
        load = rate / engine.capacity_events_per_second
        p50, p99, _ = engine.latency(rate, interval, tail=True)
        lag = np.maximum(0.0, 1.0 - 1.0 / load)
        keeps_up = (load < 1).mean(axis=0)
        columns: dict[str, np.ndarray] = {"events_per_second": rate, "interval_seconds": interval}
        for name, latency in (("latency_p50_seconds", p50), ("latency_p99_seconds", p99)):
            low, mid, high = np.transpose(
                [_latency_bounds(latency[load[:, i] < 1, i], len(load)) for i in range(len(rate))]
            )
            columns |= {name: mid, f"{name}_low": low, f"{name}_high": high}
        columns |= _bounds("utilisation", load)
        columns |= {"keeps_up_probability": keeps_up, "stable": keeps_up >= 0.5}
        columns["backlog_events_per_second"] = np.median(lag, axis=0) * rate
        columns |= _bounds("lag_seconds_per_second", lag)
        return pd.DataFrame(columns)


def fit_batches(measurements: pd.DataFrame) -> BatchFit:
    """Fit one pipeline's measured runs.

    Parameters
    ----------
    measurements : a row a run at a steady load that it kept up with: `events_per_second`,
        `interval_seconds` (the trigger; 0 = as soon as possible), `latency_p50_seconds` (median
        over events, from arrival to visible). Where known also `latency_p99_seconds` and
        `batch_seconds` (mean duration of a batch); gaps in these two may be NaN. Two rows are
        enough; more rows, and rows at higher loads, narrow the bounds.

    Raises
    ------
    TypeError
        when it is no DataFrame, or a column holds something else than numbers.
    ValueError
        when a column is missing, there are fewer than two rows, a number is out of range, or all
        rows have one load and one interval, so that nothing tells overhead from work per event.
    """
    rows = _checked(measurements)
    rng = np.random.default_rng(0)
    target = _Target(rows)
    draws = target.engine(_sample(target, rng))
    return BatchFit(rows, draws.frame())


@dataclass(frozen=True)
class _Engine:
    """Engines side by side: arrays of shape (draws, 1), to be met by (rows,)."""

    overhead_seconds: np.ndarray
    capacity_events_per_second: np.ndarray
    straight_line_share: np.ndarray
    contention_power: np.ndarray
    variation: np.ndarray
    floor_seconds: np.ndarray
    measurement_error: np.ndarray

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame({name: column.ravel() for name, column in vars(self).items()})

    def latency(
        self, rate: np.ndarray, interval: np.ndarray, tail: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """p50 and p99 (p50 again unless `tail`) and mean batch time; meaningless above capacity."""
        load = np.minimum(rate / self.capacity_events_per_second, 0.999)
        r = self.straight_line_share
        busy = load * (r + (1 - r) * load**self.contention_power)
        law = _Law.of(*np.broadcast_arrays(busy, self.overhead_seconds, self.variation, interval))
        p50 = law.quantile(0.5) + self.floor_seconds
        return p50, law.quantile(0.99) + self.floor_seconds if tail else p50, law.batch_seconds


@dataclass(frozen=True)
class _Law:
    """Law of an event's latency, as points with weights.

    cycle, cycle_weight : the cycle an event falls into, (…, batch nodes).
    own : the batch it goes through after that cycle, (…, batch nodes, own nodes).
    batch_seconds : mean over batches, (…).
    """

    cycle: np.ndarray
    cycle_weight: np.ndarray
    own: np.ndarray
    batch_seconds: np.ndarray

    @classmethod
    def of(
        cls, busy: np.ndarray, overhead: np.ndarray, variation: np.ndarray, interval: np.ndarray
    ) -> _Law:
        """Solve b = o + ρ E[max(T, b z)] for the mean batch b, z lognormal with mean 1.

        The spread of log b adds that of the cycle before, scaled by ρ: σ² / (1 - ρ² s), s being
        the cycle's variance over the batch's, 1 when batches follow each other without a pause.
        Against simulation the median is within 5 % for cv <= 0.3 and ρ <= 0.92; the tail of a
        batch that varies much near capacity is longer than this says.
        """
        own_variance = np.log1p(variation**2)
        shared = np.where(interval > 0, 0.5, 1.0)
        interval = interval[..., None]
        mean = (overhead + busy * interval[..., 0]) / (1 - busy)
        for _ in range(2):
            variance = np.minimum(own_variance / (1 - busy**2 * shared), 1.5)
            spread = _lognormal(variance, _BATCH_NODES)
            for _ in range(6):  # Newton's method on a convex function
                batch = mean[..., None] * spread
                runs_over = batch > interval
                excess = overhead + busy * (np.maximum(batch, interval) @ _BATCH_WEIGHTS) - mean
                slope = busy * ((runs_over * spread) @ _BATCH_WEIGHTS) - 1
                mean = np.maximum(mean - excess / np.minimum(slope, -1e-4), overhead)
            cycle = np.maximum(mean[..., None] * spread, interval)
            log = np.log(cycle)
            log_mean = (log @ _BATCH_WEIGHTS)[..., None]
            log_variance = ((log - log_mean) ** 2) @ _BATCH_WEIGHTS
            shared = np.clip(log_variance / variance, 0, 1)
        weight = cycle * _BATCH_WEIGHTS  # longer cycles catch more events
        expected = overhead[..., None] + busy[..., None] * cycle
        own = expected[..., None] * _lognormal(own_variance, _OWN_NODES)[..., None, :]
        return cls(cycle, weight / weight.sum(axis=-1, keepdims=True), own, mean)

    def quantile(self, probability: float) -> np.ndarray:
        """Halve the bracket of P(U cycle + own <= x), exact between points, then a chord."""
        weight = self.cycle_weight[..., None] * _OWN_WEIGHTS
        slope = 1 / self.cycle[..., None]
        low = np.zeros(self.cycle.shape[:-1])
        high = (self.cycle[..., None] + self.own).max(axis=(-2, -1))
        at_low, at_high = np.zeros_like(low), np.ones_like(low)
        for _ in range(11):
            middle = (low + high) / 2
            until = np.clip((middle[..., None, None] - self.own) * slope, 0, 1)
            at = (weight * until).sum(axis=(-2, -1))
            below = at < probability
            low, at_low = np.where(below, middle, low), np.where(below, at, at_low)
            high, at_high = np.where(below, high, middle), np.where(below, at_high, at)
        chord = (probability - at_low) / np.maximum(at_high - at_low, 1e-12)
        return low + np.clip(chord, 0, 1) * (high - low)


class _Target:
    """Density of engines, given the rows; a point has one coordinate per entry of PRIOR."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rate = rows["events_per_second"].to_numpy()
        self.interval = rows["interval_seconds"].to_numpy()
        columns = ("latency_p50_seconds", *OPTIONAL)
        gaps = np.full(len(rows), np.nan)
        self.p50, self.p99, self.batch = (
            rows[name].to_numpy() if name in rows else gaps for name in columns
        )
        self.tail = bool(np.isfinite(self.p99).any())

    def engine(self, points: np.ndarray) -> _Engine:
        overhead, headroom, straight, power, variation, floor, noise = points.T[:, :, None]
        overhead_seconds = self.p50.min() / 2 * np.exp(overhead)
        return _Engine(
            overhead_seconds=overhead_seconds,
            capacity_events_per_second=self.rate.max() * (1 + np.exp(headroom)),
            straight_line_share=_LEAST_SHARE + (1 - _LEAST_SHARE) / (1 + np.exp(-straight)),
            contention_power=np.exp(power),
            variation=np.exp(variation),
            floor_seconds=floor * overhead_seconds,
            measurement_error=np.exp(noise),
        )

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log prior and log likelihood."""
        engine = self.engine(points)
        p50, p99, batch = engine.latency(self.rate, self.interval, self.tail)
        error = engine.measurement_error
        standard = (points - _MEAN) / _SPREAD
        freedom = _HEADROOM_FREEDOM
        prior = -0.5 * (standard**2).sum(axis=1) + 0.5 * standard[:, 1] ** 2
        prior -= (freedom + 1) / 2 * np.log1p(standard[:, 1] ** 2 / freedom)
        return prior, np.asarray(
            _log_likelihood(self.p50, p50, error)
            + _log_likelihood(self.p99, p99, np.hypot(2 * error, _TAIL_ERROR))
            + _log_likelihood(self.batch, batch, np.hypot(error, _BATCH_ERROR))
        )


def _log_likelihood(measured: np.ndarray, fitted: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Normal in log space; a gap in what was measured says nothing."""
    known = np.isfinite(measured)
    if not known.any():
        return np.zeros(len(fitted))
    ratio = np.log(np.maximum(fitted[:, known], 1e-300) / measured[known])
    return np.asarray((-0.5 * (ratio / error) ** 2 - np.log(error)).sum(axis=1))


def _sample(target: _Target, rng: np.random.Generator) -> np.ndarray:
    """Draw from the prior, let the likelihood in by steps, then keep walkers of the posterior.

    At each step walkers are drawn again in proportion to what was let in, so that none stays
    behind in a corner, and moved (annealed importance, as in Del Moral, Doucet & Jasra,
    Sequential Monte Carlo samplers, 2006).
    """
    points = rng.normal(_MEAN, _SPREAD, (20 * WALKERS, len(PRIOR)))
    prior, likelihood = target(points)
    share = 0.0
    for upto in ANNEALING:
        weight = np.exp((upto - share) * (likelihood - likelihood.max()))
        chosen = rng.choice(len(points), WALKERS, p=weight / weight.sum())
        points, prior, likelihood = points[chosen], prior[chosen], likelihood[chosen]
        share = upto
        for _ in range(MOVES):
            _move(target, points, prior, likelihood, share, rng)
    kept = []
    for _ in range(KEPT):
        for _ in range(MOVES):
            _move(target, points, prior, likelihood, share, rng)
        kept.append(points.copy())
    return np.concatenate(kept)


def _move(
    target: _Target,
    points: np.ndarray,
    prior: np.ndarray,
    likelihood: np.ndarray,
    share: float,
    rng: np.random.Generator,
) -> None:
    """Stretch one half of the walkers along lines to the other half, then the other way round."""
    size = WALKERS // 2
    halves = (np.arange(size), np.arange(size, WALKERS))
    for moved, other in (halves, halves[::-1]):
        stretch = (1 + rng.random(size)) ** 2 / 2  # density 1/sqrt(z) on 1/2..2
        partner = points[rng.choice(other, size)]
        proposed = partner + stretch[:, None] * (points[moved] - partner)
        new_prior, new_likelihood = target(proposed)
        gain = (points.shape[1] - 1) * np.log(stretch) + new_prior - prior[moved]
        gain += share * (new_likelihood - likelihood[moved])
        accepted = np.log(rng.random(size)) < gain
        at = moved[accepted]
        points[at], prior[at] = proposed[accepted], new_prior[accepted]
        likelihood[at] = new_likelihood[accepted]


def _latency_bounds(latency: np.ndarray, draws: int) -> tuple[float, float, float]:
    """Low, least expected relative error and high, unless next to no draw keeps up."""
    if len(latency) <= 0.01 * draws:
        return np.inf, np.inf, np.inf
    ordered = np.sort(latency)
    low, high = np.quantile(ordered, _PROBABILITIES[::2])
    weight = np.cumsum(1 / ordered)
    mid = ordered[np.searchsorted(weight, weight[-1] / 2)]
    return float(low), float(mid), float(high)


def _bounds(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    low, mid, high = np.quantile(values, _PROBABILITIES, axis=0)
    return {name: mid, f"{name}_low": low, f"{name}_high": high}


def _lognormal(variance: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Nodes of a lognormal of mean 1 whose logarithm has this variance."""
    variance = variance[..., None]
    return np.asarray(np.exp(np.sqrt(variance) * nodes - variance / 2))


def _checked(measurements: pd.DataFrame) -> pd.DataFrame:
    """The known columns as floats, or one sentence that says what is wrong."""
    if not isinstance(measurements, pd.DataFrame):
        raise TypeError(f"measurements must be a DataFrame, got {type(measurements).__name__}")
    missing = [name for name in REQUIRED if name not in measurements]
    if missing:
        raise ValueError(f"measurements lack {', '.join(missing)}; needed: {', '.join(REQUIRED)}")
    if len(measurements) < 2:
        raise ValueError(f"measurements need at least two rows, got {len(measurements)}")
    known = [*REQUIRED, *(name for name in OPTIONAL if name in measurements)]
    rows = pd.DataFrame(
        {
            name: _numbers(
                name,
                measurements[name],
                positive=name != "interval_seconds",
                gaps=name in OPTIONAL,
            )
            for name in known
        }
    )
    if len(rows[["events_per_second", "interval_seconds"]].drop_duplicates()) < 2:
        raise ValueError(
            "all rows have one load and one interval, which cannot tell a batch's overhead from "
            "its work per event: measure a second events_per_second"
        )
    if "latency_p99_seconds" in rows:
        wrong = rows["latency_p99_seconds"] < rows["latency_p50_seconds"]
        if wrong.any():
            raise ValueError(f"latency_p99_seconds is below the median in row {wrong.idxmax()}")
    return rows


def _numbers(name: str, values: npt.ArrayLike, positive: bool, gaps: bool = False) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold numbers, got {array.dtype}")
    numbers = array.astype(np.float64)
    good = np.isfinite(numbers) & ((numbers > 0) if positive else (numbers >= 0))
    good |= gaps & np.isnan(numbers)
    if not good.all():
        rule = "positive" if positive else "0 (as soon as possible) or more"
        raise ValueError(f"{name} must be {rule} and finite, got {numbers[~good].flat[0]:g}")
    return numbers
