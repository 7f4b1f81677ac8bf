"""What is believed of an engine before and after its rows are seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradeoff.fit.law import Engine
from tradeoff.fit.rows import OPTIONAL

# Mean and standard deviation of what is believed before a row is seen, each in a coordinate without
# limits. They are wide where two rows can tell and carry the answer where they cannot; their last
# digits were chosen so that bounds hold on simulated engines (tests/benchmarks/test_bench_fit.py).
PRIOR = {
    # log of overhead over half the least median; a long interval hides a small overhead
    "overhead": (0.0, 1.5),
    # log(capacity / greatest measured load - 1): those who measure low loads go to about half of
    # capacity. Student's t with 2 degrees of freedom: some stop at 10 %, some at 95 %.
    "headroom": (0.05, 0.45),
    # 1 - r, cut off at 0 and at 0.6: one engine in five keeps a straight line to the end, the
    # others lose anything up to more than half of it. What is meant by capacity is the sustainable
    # throughput, the highest load without a growing queue, of Karimov et al., Benchmarking
    # distributed stream data processing systems (ICDE 2018).
    "loss": (0.35, 0.4),
    # log m: between the quadratic of coordination and the cliff of a full heap
    "power": (np.log(3.5), 0.5),
    # log cv: batches of a quiet cluster differ by a tenth or two
    "variation": (np.log(0.15), 0.6),
    # floor over overhead: transport adds to it; output seen before the batch has committed takes
    # from it
    "floor": (0.05, 0.1),
    # log of the relative error of a published median: rounding, and run against run
    "noise": (np.log(0.03), 0.4),
}
_MEAN, _SPREAD = np.array(list(PRIOR.values())).T
_HEADROOM_FREEDOM = 2.0
_GREATEST_LOSS = 0.6
# Beside the noise: what the law of one lognormal variation misses in tails and in batch times.
_TAIL_ERROR, _BATCH_ERROR = 0.10, 0.03

WALKERS, MOVES, KEPT = 200, 8, 10
# Shares of the log likelihood let in, one after the other.
ANNEALING = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


def posterior(rows: pd.DataFrame) -> pd.DataFrame:
    """Engines that may have given these rows, one a row: the fields of `Engine`."""
    target = Target(rows)
    return target.engine(_sample(target, np.random.default_rng(0))).frame()


class Target:
    """Density of engines, given the rows; a point has one coordinate per entry of PRIOR."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.too_much = rows.loc[~rows["keeps_up"], "events_per_second"].min()
        rows = rows[rows["keeps_up"]]
        self.rate = rows["events_per_second"].to_numpy()
        self.interval = rows["interval_seconds"].to_numpy()
        columns = ("latency_p50_seconds", *OPTIONAL)
        gaps = np.full(len(rows), np.nan)
        self.p50, self.p99, self.batch = (
            rows[name].to_numpy() if name in rows else gaps for name in columns
        )
        self.tail = bool(np.isfinite(self.p99).any())

    def engine(self, points: np.ndarray) -> Engine:
        overhead, headroom, loss, power, variation, floor, noise = points.T[:, :, None]
        overhead_seconds = self.p50.min() / 2 * np.exp(overhead)
        return Engine(
            overhead_seconds=overhead_seconds,
            capacity_events_per_second=self.rate.max() * (1 + np.exp(headroom)),
            straight_line_share=1 - np.clip(loss, 0, _GREATEST_LOSS),
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
        likelihood = (
            _log_likelihood(self.p50, p50, error)
            + _log_likelihood(self.p99, p99, np.hypot(2 * error, _TAIL_ERROR))
            + _log_likelihood(self.batch, batch, np.hypot(error, _BATCH_ERROR))
        )
        if np.isfinite(self.too_much):  # a load it did not keep up with, known as well as a median
            beyond = np.log(engine.capacity_events_per_second / self.too_much)
            likelihood -= 0.5 * (np.maximum(beyond, 0) / error)[:, 0] ** 2
        return prior, likelihood


def _log_likelihood(measured: np.ndarray, fitted: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Normal in log space; a gap in what was measured says nothing."""
    known = np.isfinite(measured)
    if not known.any():
        return np.zeros(len(fitted))
    ratio = np.log(np.maximum(fitted[:, known], 1e-300) / measured[known])
    return np.asarray((-0.5 * (ratio / error) ** 2 - np.log(error)).sum(axis=1))


def _sample(target: Target, rng: np.random.Generator) -> np.ndarray:
    """Draw from the prior, let the likelihood in by steps, then keep walkers of the posterior.

    At each step walkers are drawn again in proportion to what was let in, so that none stays
    behind in a corner, and moved (annealed importance, as in Del Moral, Doucet & Jasra,
    Sequential Monte Carlo samplers, 2006).
    """
    points = rng.normal(_MEAN, _SPREAD, (20 * WALKERS, len(PRIOR)))
    points[:, 1] = _MEAN[1] + _SPREAD[1] * rng.standard_t(_HEADROOM_FREEDOM, len(points))
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
    target: Target,
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
