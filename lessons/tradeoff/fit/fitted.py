"""A fitted pipeline, and what it predicts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeoff.fit.law import Engine
from tradeoff.fit.posterior import posterior
from tradeoff.fit.rows import checked, numbers

LEVEL = 0.8  # share of the posterior inside low..high
# What no engine keeps to better, as a share of its capacity: the form of the law itself.
LAW_ERROR = 0.05
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
# Rows evaluated at once: bounds the memory of a long sweep.
_ROWS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class BatchFit:
    """What the measurements allow to be said of one pipeline.

    Attributes
    ----------
    measurements : the rows fitted, `keeps_up` among them.
    draws : the posterior, a row a draw: overhead_seconds, capacity_events_per_second,
        straight_line_share (r), contention_power (m), variation (cv of a batch's time),
        floor_seconds, measurement_error (relative).
    """

    measurements: pd.DataFrame
    draws: pd.DataFrame

    @property
    def capacity_events_per_second(self) -> float:
        """Load above which it stops keeping up, at any interval: the middle of its bounds."""
        return (self.capacity_low + self.capacity_high) / 2

    @property
    def capacity_low(self) -> float:
        """Lower bound of the capacity, events a second."""
        return self._capacity_bounds[0]

    @property
    def capacity_high(self) -> float:
        """Upper bound of the capacity, events a second."""
        return self._capacity_bounds[1]

    @cached_property
    def _capacity_bounds(self) -> tuple[float, float]:
        """Quantiles of the draws, and what rows near capacity must not make one forget."""
        low, high = np.log(self.draws["capacity_events_per_second"].quantile(_TAILS))
        half = np.hypot((high - low) / 2, LAW_ERROR)
        middle = (low + high) / 2
        return float(np.exp(middle - half)), float(np.exp(middle + half))

    def predict(
        self, events_per_second: npt.ArrayLike, interval_seconds: npt.ArrayLike = 0.0
    ) -> pd.DataFrame:
        """Latency and load at other rates and trigger intervals, one row each.

        Arguments are numbers or sequences, broadcast against each other; an interval of 0 starts
        each batch as soon as the one before ends.

        Columns: `events_per_second`, `interval_seconds`; `latency_p50_seconds` and
        `latency_p99_seconds` **if it keeps up**, infinite where at most 1 % of the posterior
        does; `utilisation`, the load over capacity; `stable`, whether that is below 1;
        `keeps_up_probability`, the share of the posterior that keeps up; and, where it falls
        behind, `backlog_events_per_second`, how fast the queue grows, and
        `lag_seconds_per_second`, how much older each second makes what comes out: 1 -
        capacity/load, 0 where it keeps up. Latencies, utilisation and lag have `…_low` and
        `…_high` beside them.

        Latencies are over the draws that keep up at this load. The middle is the value of least
        expected relative error: their median when each is weighed by 1/latency, so that the few
        draws close to their capacity do not carry the answer off. The bounds hold 80 %.

        Raises TypeError or ValueError when a rate is not positive or an interval negative.
        """
        rate = numbers("events_per_second", events_per_second, positive=True)
        interval = numbers("interval_seconds", interval_seconds, positive=False)
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
        engine = Engine(*(self.draws[field.name].to_numpy()[:, None] for field in fields(Engine)))
        keeps_up = rate < engine.capacity_events_per_second
        p50, p99, _ = engine.latency(rate, interval, tail=True)
        columns: dict[str, np.ndarray] = {"events_per_second": rate, "interval_seconds": interval}
        for name, latency in (("latency_p50_seconds", p50), ("latency_p99_seconds", p99)):
            low, mid, high = np.transpose(
                [_latency_bounds(latency[keeps_up[:, i], i], len(p50)) for i in range(len(rate))]
            )
            columns |= {name: mid, f"{name}_low": low, f"{name}_high": high}
        capacities = {
            "": self.capacity_events_per_second,
            "_low": self.capacity_high,
            "_high": self.capacity_low,
        }
        columns |= {f"utilisation{end}": rate / capacity for end, capacity in capacities.items()}
        columns["keeps_up_probability"] = keeps_up.mean(axis=0)
        columns["stable"] = columns["utilisation"] < 1
        excess = np.maximum(0.0, rate - self.capacity_events_per_second)
        columns["backlog_events_per_second"] = excess
        columns |= {
            f"lag_seconds_per_second{end}": np.maximum(0.0, 1 - capacity / rate)
            for end, capacity in capacities.items()
        }
        return pd.DataFrame(columns)


def fit_batches(measurements: pd.DataFrame) -> BatchFit:
    """Fit one pipeline's measured runs.

    Parameters
    ----------
    measurements : a row a run at a steady load that it kept up with: `events_per_second`,
        `interval_seconds` (the trigger; 0 = as soon as possible), `latency_p50_seconds` (median
        over events, from arrival to visible). Where known also `latency_p99_seconds` and
        `batch_seconds` (mean duration of a batch); gaps in these two may be NaN. Two rows are
        enough; more rows, and rows at higher loads, narrow the bounds. Runs whose queue grew are
        welcome too, marked False in a column `keeps_up`: capacity lies below their load, and their
        latencies, which only say how long the run lasted, are not looked at.

    Raises
    ------
    TypeError
        when it is no DataFrame, or a column holds something else than numbers, or `keeps_up`
        something else than booleans.
    ValueError
        when a column is missing, there are fewer than two rows, a number is out of range, all
        rows that keep up have one load and one interval, so that nothing tells overhead from work
        per event, it is said to keep up at a load above one it did not, or, without a column
        `keeps_up`, a median grows more than tenfold from one load to the next.
    """
    rows = checked(measurements)
    return BatchFit(rows, posterior(rows))


def _latency_bounds(latency: np.ndarray, draws: int) -> tuple[float, float, float]:
    """Low, least expected relative error and high, unless next to no draw keeps up."""
    if len(latency) <= 0.01 * draws:
        return np.inf, np.inf, np.inf
    ordered = np.sort(latency)
    low, high = np.quantile(ordered, _TAILS)
    weight = np.cumsum(1 / ordered)
    mid = ordered[np.searchsorted(weight, weight[-1] / 2)]
    return float(low), float(mid), float(high)
