"""What is counted of the events that pass, chunk by chunk, in bounded memory."""

from __future__ import annotations

import math

import numpy as np

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Ages:
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


class Passed:
    """How many events of an ordered series had passed at each of some times, chunk by chunk."""

    def __init__(self, times: np.ndarray) -> None:
        self.times = times
        self.count = np.zeros(len(times), dtype=np.int64)

    def add(self, chunk: np.ndarray) -> None:
        first, after = np.searchsorted(self.times, chunk[[0, -1]])
        self.count[after:] += len(chunk)
        self.count[first:after] += np.searchsorted(chunk, self.times[first:after], "right")
