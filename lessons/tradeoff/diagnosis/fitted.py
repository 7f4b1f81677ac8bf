"""The model's workload and engine, fitted to a run history: what lets it price other designs.

A run takes `fixed + rows_read * seconds_per_row`. The slope comes from runs of different size, so a
history of equal runs leaves it open; then every figure is given for both extremes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tradeoff.diagnosis import robust
from tradeoff.diagnosis.history import History
from tradeoff.diagnosis.questions import DAY_HOURS, Limits, Then, spikes
from tradeoff.diagnosis.robust import Estimate
from tradeoff.model import (
    Billing,
    Engine,
    Rhythm,
    State,
    Workload,
    constant,
    day_curve,
    engine,
    words,
)
from tradeoff.model.cost import OPERATIONS_FACTOR
from tradeoff.model.stages import STAGES

CADENCES_HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
KNOWN_WELL = 0.3  # the fixed part is known when its range is at most this share of a run
LEAST = 1e-9  # seconds a row: below it a stage is no limit
LOOP = 500  # runs of a loop that tell how it is paid
FOLLOWS = 0.005  # spread of run times from which cost could be seen to follow them


class CannotPrice(Exception):
    """Why the history is not enough to price other designs, as a sentence."""


@dataclass(frozen=True)
class Fitted:
    """What the history says of the pipeline, in the model's words.

    Attributes
    ----------
    rows_per_day, rows_per_run : rows that arrive in a day; rows that a recent run reads.
    run_seconds : a typical recent run.
    fixed_seconds : the part of it that rows do not change, with its range; `identified` is False
        when the history leaves it open.
    shares : each stage's part of the time that grows with rows.
    usd_per_hour, nodes : price of today's cluster, and how many nodes it is taken for.
    curve : 24 hourly weights of the day's arrivals.
    interval_hours : as one of the cadences that a model day holds.
    always_on : a loop's cluster is paid around the clock, not for its runs; None: can't tell.
    assumed : what no column said, one sentence each.
    """

    rows_per_day: float
    rows_per_run: float
    run_seconds: float
    fixed_seconds: Estimate
    identified: bool
    shares: Mapping[str, float]
    usd_per_hour: float
    nodes: int
    curve: tuple[float, ...]
    interval_hours: float
    assumed: tuple[str, ...]
    state: State | None = None
    always_on: bool | None = False

    @property
    def usd_around_the_clock(self) -> float:
        """USD a day of a loop that is always on, with the people it takes."""
        people = engine("spark_ephemeral").operations_usd_per_day
        people *= OPERATIONS_FACTOR[Rhythm.MICRO_BATCH.value]
        return self.usd_per_hour * DAY_HOURS + people

    @property
    def readings(self) -> list[float]:
        """Fixed seconds to evaluate a design with: the likely one, then the range's ends."""
        low, mid, high = self.fixed_seconds.low, self.fixed_seconds.mid, self.fixed_seconds.high
        return [mid, *(end for end in (low, high) if abs(end - mid) > 0.01 * self.run_seconds)]

    def workload(self, fixed_seconds: float) -> Workload:
        """The pipeline's input and logic, if `fixed_seconds` of a run do not grow with rows."""
        base = engine("spark_ephemeral")
        per_row = (self.run_seconds - fixed_seconds) / self.rows_per_run
        speed = self.nodes * base.slots_per_node * base.events_per_second_per_slot
        each = {stage: per_row * share for stage, share in self.shares.items()}
        own = max(0.0, fixed_seconds - base.start_up_seconds - base.overhead_seconds)
        return Workload(
            "yours",
            events_per_day=self.rows_per_day,
            work_per_event=max(each["transform"], LEAST) * speed,
            curve=self.curve,
            source_events_per_second=1 / each["read"] if each["read"] > LEAST else None,
            sink_events_per_second=1 / each["write"] if each["write"] > LEAST else None,
            fixed_seconds=own,
            fixed_seconds_incremental=min(own, constant("orders", "fixed_seconds_incremental")),
            full_read_days=self.rows_per_run / self.rows_per_day,
            state=self.state,
        )

    def today(self, fixed_seconds: float) -> Engine:
        """Today's cluster as an engine, paid from a run's start to its end unless always on."""
        base = engine("spark_ephemeral")
        if self.always_on:
            return replace(
                base,
                name="today's cluster",
                billing=Billing.ALWAYS_ON,
                start_up_seconds=0.0,
                overhead_seconds=fixed_seconds,
                node_usd_per_hour=self.usd_per_hour / self.nodes,
            )
        start = min(base.start_up_seconds, fixed_seconds)
        return replace(
            base,
            name="today's cluster",
            start_up_seconds=start,
            overhead_seconds=min(base.overhead_seconds, fixed_seconds - start),
            node_usd_per_hour=self.usd_per_hour / self.nodes,
        )

    def offered(self, name: str) -> Engine:
        """An engine of the catalogue at the price of today's nodes."""
        found = engine(name)
        factor = found.node_usd_per_hour / engine("spark_ephemeral").node_usd_per_hour
        return replace(found, node_usd_per_hour=self.usd_per_hour / self.nodes * factor)


def fitted(
    history: History,
    then: Then,
    limits: Limits,
    *,
    since_run: int = 0,
    nodes: int | None = None,
    peak_factor: float | None = None,
    state: State | None = None,
) -> Fitted:
    """Fit the model to a history; runs before `since_run` belong to another regime.

    Raises CannotPrice with the reason when rows or enough runs are missing, or when the cadence is
    none that a model day holds.
    """
    if then.hours_now is None:
        raise CannotPrice("there are too few runs")
    if not history.has("rows_new") and not history.has("rows_read"):
        raise CannotPrice("the history has no rows_new or rows_read")
    interval = _cadence(limits.interval_hours)
    assumed: list[str] = []
    read, new = (name if history.has(name) else None for name in ("rows_read", "rows_new"))
    if new is None:
        assumed.append("rows_read is taken for the rows that arrive: no run rereads")
    if read is None:
        assumed.append("rows_new is taken for the rows a run reads: no run rereads")
    day = _last_day(then, limits)
    per_run = _typical(day[read or new].to_numpy())
    arrive = _typical(day[new or read].to_numpy())
    per_day = arrive * DAY_HOURS / limits.interval_hours
    seconds, fixed, identified = _run_seconds(then, str(read or new), since_run, per_run)
    if not identified:
        assumed.append(
            f"runs of one size do not tell what part of a run grows with rows: figures are given "
            f"for {words.duration(fixed.low)} to {words.duration(fixed.high)} that do not"
        )
    awake = always_on(history, limits)
    usd, price = _price(history, limits.interval_hours if awake else None)
    assumed += price
    typical_price = engine("spark_ephemeral").node_usd_per_hour
    if nodes is None:
        nodes = max(1, round(usd / typical_price))
        assumed.append(f"today's cluster is taken for {nodes} node{'s' * (nodes > 1)} of 16 cores")
    curve = _curve(history, limits)
    if curve is None:
        peak = peak_factor or constant("day", "peak_factor")
        curve = day_curve(peak)
        if peak_factor is None:
            assumed.append(f"the busiest hour brings {peak:g} times the mean")
    if state is None:
        assumed.append("streams keep no state: a join over time would cost more")
    return Fitted(
        per_day,
        per_run,
        seconds,
        fixed,
        identified,
        _shares(history),
        usd,
        nodes,
        curve,
        interval,
        tuple(assumed),
        state,
        awake,
    )


def always_on(history: History, limits: Limits) -> bool | None:
    """Whether a loop of less than an hour costs the same whatever its runs take.

    None when runs take the same time anyway, or when the history has no cost.
    """
    if limits.interval_hours >= 1:
        return False
    if not history.has("cost_usd"):
        return None
    runs = history.runs.tail(LOOP)
    runs = runs[(runs["cost_usd"] > 0) & (runs["seconds"] > 0)]
    cost, seconds = (_spread(runs[name].to_numpy()) for name in ("cost_usd", "seconds"))
    return None if seconds < FOLLOWS else bool(cost < seconds / 4)


def _spread(values: np.ndarray) -> float:
    """How far values lie from their median, as a share of it; 0 for none."""
    middle = float(np.median(values)) if len(values) else 0.0
    return float(np.median(np.abs(values - middle))) / middle if middle else 0.0


def _last_day(then: Then, limits: Limits) -> pd.DataFrame:
    """Recent runs; of a loop, the last whole day's, for the hours of a day differ."""
    of_a_day = round(DAY_HOURS / limits.interval_hours)
    return (
        then.runs.tail(of_a_day) if len(then.recent) < of_a_day <= len(then.runs) else then.recent
    )


def _typical(rows: np.ndarray) -> float:
    known = robust.mean(np.where(rows > 0, rows, np.nan))
    if known is None:
        raise CannotPrice("too few recent runs say their rows")
    return known.mid


def _cadence(hours: float) -> float:
    if hours <= 1.0:
        return hours
    nearest = min(CADENCES_HOURS, key=lambda allowed: abs(allowed - hours))
    if abs(nearest - hours) > 0.05 * hours:
        raise CannotPrice(
            f"the model's day holds runs every {CADENCES_HOURS} h "
            f"or more often, these start every {hours:g} h"
        )
    return float(nearest)


def _run_seconds(
    then: Then, rows: str, since_run: int, per_run: float
) -> tuple[float, Estimate, bool]:
    """Seconds of a run over `per_run` rows, the part that rows do not change, and if it is known.

    That part is at least 0 and at most the whole run.
    """
    usual = then.runs[~spikes(then.runs)].loc[since_run:]
    recent = usual.tail(len(then.recent))
    line = robust.line(usual[rows].to_numpy(), usual["seconds"].to_numpy())
    if line is None:
        seconds = float(recent["seconds"].median())
        return seconds, Estimate(0.0, seconds / 2, seconds), False
    now, feet = float((recent["seconds"] - line.slope.mid * recent[rows]).median()), line.at(0.0)
    seconds = now + line.slope.mid * per_run
    if abs(now - feet.mid) < 0.05 * seconds:  # else the line is of other days: take today's level
        now, seconds = feet.mid, line.at(per_run).mid
    low, mid, high = (
        min(max(now + end - feet.mid, 0.0), seconds) for end in (feet.low, feet.mid, feet.high)
    )
    known = high - low <= KNOWN_WELL * seconds
    return seconds, Estimate(low, mid if known else (low + high) / 2, high), known


def _shares(history: History) -> dict[str, float]:
    """Parts of the time that grows with rows, by stage: slopes where they can be seen."""
    runs = history.runs
    if not all(history.has(f"{stage}_seconds") for stage in STAGES):
        return {"read": 0.0, "transform": 1.0, "write": 0.0}
    usual = runs[~spikes(runs)].tail(200)
    rows = usual["rows_read" if history.has("rows_read") else "rows_new"].to_numpy()
    slopes = {}
    for stage in STAGES:
        spent = usual[f"{stage}_seconds"].to_numpy()
        line = robust.line(rows, spent)
        sure = line is not None and line.slope.low > 0.7 * line.slope.mid > 0
        typical = float(np.nanmedian(spent) / np.nanmedian(rows))
        slopes[stage] = line.slope.mid if line is not None and sure else typical
    total = sum(slopes.values())
    return {stage: slope / total for stage, slope in slopes.items()}


def _price(history: History, paid_hours: float | None) -> tuple[float, list[str]]:
    """USD an hour of the cluster: of each run's own time, or of the `paid_hours` between two."""
    runs = history.runs.tail(100)
    if paid_hours is not None:
        awake = "its cluster is taken to be paid around the clock: cost does not follow run time"
        return float(runs["cost_usd"].median()) / paid_hours, [awake]
    if history.has("cost_usd"):
        hours = runs["seconds"].to_numpy() / 3600
        each = runs["cost_usd"].to_numpy()[hours > 0] / hours[hours > 0]
        usd = float(np.nanmedian(each)) if np.isfinite(each).any() else 0.0
        if usd > 0:
            return usd, []
    usd = engine("spark_ephemeral").node_usd_per_hour
    return usd, [f"the history has no cost_usd: a cluster-hour is priced at {words.usd(usd)}"]


def _curve(history: History, limits: Limits) -> tuple[float, ...] | None:
    """The day's arrivals by hour, where runs start at least once an hour for two days."""
    if limits.interval_hours > 1 or not history.has("rows_new"):
        return None
    runs = history.runs.tail(24 * 14)
    by_hour = runs.groupby(np.floor(runs["hour"]))["rows_new"].agg(["mean", "size"])
    if len(by_hour) < 24 or by_hour["size"].min() < 2 or by_hour["mean"].sum() <= 0:
        return None
    return tuple(by_hour["mean"].tolist())
