"""When events arrive: drawn from the day's curve, in bursts, evenly, or replayed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tradeoff.model import Workload
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS, Quantity, check

CHUNK_EVENTS = 1 << 16  # half a megabyte: stays in a processor's cache


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


class Replayed:
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


Source = Arrivals | Replayed
