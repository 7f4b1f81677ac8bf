"""Batch pipelines whose runs fit or do not, and what else is wrong with them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.model import TIER_SECONDS, Design, State, day_curve, engine, tier_of
from tradeoff.model.quantities import DAY_SECONDS
from tradeoff.model.stages import STAGES, stage_seconds
from tradeoff.model.state import entry_bytes, over_time
from tradeoff.scenarios.faults.consumers import readers, shared
from tradeoff.scenarios.faults.telemetry import odd_runs, sized_run, table

RUNS = 112
RECENT = 28  # runs that stand for "now"; as many at the start stand for "then"
FITS = ("fits", "outgrown", "slowed")
TROUBLES = ("none", "latency", "state", "cost")
FIRST_RUNS, LAST_RUNS = ("usual", "heavy", "light"), ("usual", "struck", "light")
INSIDE, OUTSIDE, CLOCK = "one second inside", "one second outside", "daylight saving"
CLOCK_CHANGES = ("2025-03-09", "2025-11-02")  # in the shop's zone
CYCLES = 7  # runs of an hour of the day by which it is known


@dataclass(frozen=True)
class History:
    """One pipeline's telemetry and what is true of it.

    Attributes
    ----------
    runs : the columns of `data.order_runs` (without run_date) and state_bytes; oldest first.
    consumers : name, freshness_seconds, deadline_hour.
    limits : interval_hours, run_window_hours, budget_usd_per_day, state_limit_bytes.
    outgrown : recent runs do not fit the run window, and volume did it.
    rereads : a run reads a multiple of what arrived since the run before.
    slowest_stage : read, transform or write.
    fails : latency, throughput, state, cost or none: the first of `failing`.
    label : what kind of pipeline it is, in words.
    cause : one of `CAUSES`, or `cadence too slow`: a need of the same tier that is not met.
    failing : every dimension beyond its limit, in the order throughput, latency, cost, state.
    shared : consumers of more than one tier share the pipeline.
    slower : of streaming that nobody needs, a batch in the model that serves everyone.
    saves_usd_per_day : what that batch costs less, in the model.
    """

    runs: pd.DataFrame
    consumers: pd.DataFrame
    limits: dict[str, float]
    outgrown: bool
    rereads: bool
    slowest_stage: str
    fails: str
    label: str = field(default="")
    cause: str = "healthy"
    failing: tuple[str, ...] = ()
    shared: bool = False
    slower: Design | None = field(default=None, repr=False)
    saves_usd_per_day: float = 0.0


def history(
    rng: np.random.Generator,
    fit: str,
    rereads: bool,
    slowest_stage: str,
    trouble: str,
    *,
    first: str | None = None,
    last: str | None = None,
) -> History:
    """Draw the telemetry of a batch with these causes; all else is drawn at random.

    `fit` is one of `FITS`: recent runs fit the window, volume has outgrown it, or the runs became
    slower at the same volume. `trouble` is one of `TROUBLES`; only runs that fit can have one.
    `first` is `usual`, `heavy` (it loads what had waited) or `light` (it began in the middle);
    `last` is `usual`, `struck` or `light`. None draws: two in five of each odd kind.

    Raises ValueError for other words, and for trouble beside runs that do not fit.
    """
    if fit in FITS and fit != "fits" and trouble != "none":
        raise ValueError("runs that do not fit fail on throughput: trouble must be 'none'")
    if trouble not in TROUBLES:
        raise ValueError(f"must be one of {', '.join(TROUBLES)}, got {trouble!r}")
    troubles = () if trouble == "none" else (trouble,)
    return batch(rng, fit, rereads, slowest_stage, troubles, first=first, last=last)


def batch(
    rng: np.random.Generator,
    fit: str,
    rereads: bool,
    slowest_stage: str,
    troubles: Collection[str],
    *,
    first: str | None = None,
    last: str | None = None,
    edge: str | None = None,
    finer_tier: bool = False,
) -> History:
    """`history` with several troubles at once, beside any fit, or on an edge.

    `finer_tier` asks that a need which is not met be of a fresher tier than what it gets.
    """
    first = odd(rng, FIRST_RUNS) if first is None else first
    last = odd(rng, LAST_RUNS) if last is None else last
    for word, allowed in (
        (fit, FITS),
        (slowest_stage, STAGES),
        (first, FIRST_RUNS),
        (last, LAST_RUNS),
    ):
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, got {word!r}")
    quiet = edge in (INSIDE, OUTSIDE)
    interval_hours = float(rng.choice([24, 12, 6, 1]))
    window = float(np.round(interval_hours * rng.uniform(0.25, 0.75), 2))
    filled_now, filled_then, growth = (1.0, 0.0, rng.uniform(2, 4)) if quiet else _filling(rng, fit)
    rows_new, starts = _arrivals(rng, interval_hours, growth, edge)
    typical = float(np.median(rows_new[-RECENT:]))
    if fit == "fits" and not quiet:  # in its busiest hour as well
        filled_now /= _busiest(rows_new, starts, interval_hours) / typical
    factor = rng.uniform(3, 30) if rereads else 1 + rng.uniform(0, 0.15)
    read = rows_new * factor
    if rereads:  # a fixed span: a run that was missed does not make the next one read more
        read = np.minimum(read, 1.5 * typical * factor)
    arrived = odd_runs(rng, rows_new, first, last)
    rows_read = arrived * factor
    if rereads:
        rows_read[1:] = read[1:]
    before, lately = np.arange(RUNS - RECENT), np.arange(RUNS - RECENT, RUNS - 1)
    spikes = [*rng.choice(before, int(rng.integers(1, 5)), False), *rng.choice(lately, 2, False)]
    if last == "struck":
        spikes[-1] = RUNS - 1
    struck = rng.uniform(2.5, 5)
    backfills = not rereads and rng.random() < 0.5  # the struck runs read old rows once more
    if backfills:
        rows_read[spikes] *= struck
    design = sized_run(
        rng,
        rows=typical * factor,
        run_seconds=filled_now * window * 3600,
        slowest_stage=slowest_stage,
        fixed_share=rng.uniform(0, 0.1),
    )
    stages = pd.DataFrame([stage_seconds(design, max(rows, 1.0)) for rows in rows_read])
    if fit == "slowed":
        # Since a day in the middle third everything takes longer: a busier source, a lost index.
        since = int(rng.integers(RUNS // 3, 2 * RUNS // 3))
        stages.iloc[:since] *= filled_then / filled_now
    if fit == "fits" and rng.random() < 0.5:
        # Until some day another stage was the slow one: what was mended then is not today's news.
        other = str(rng.choice([stage for stage in STAGES if stage != slowest_stage]))
        mended = int(rng.integers(RUNS // 2, 2 * RUNS // 3))
        stages.loc[: mended - 1, other] *= rng.uniform(8, 14)
    if not backfills:
        stages.iloc[spikes] *= struck
    if not quiet:
        stages *= rng.lognormal(0, 0.02, stages.shape)
    stages = stages.round(1)
    took = stages.sum(axis=1)
    typical_run = float(took[-RECENT:].median())
    if quiet:
        window = (typical_run + (1.0 if edge == INSIDE else -1.0)) / 3600

    cost = (took / 3600 * rng.uniform(2, 40)).round(4)
    bill = float(cost[-RECENT:].median()) * 24 / interval_hours
    budget = bill / (rng.uniform(1.3, 2.5) if "cost" in troubles else rng.uniform(0.2, 0.55))
    limit = float(10 ** rng.uniform(9, 12))
    per_day = typical * 24 / interval_hours
    runs = table(
        rng,
        starts=starts,
        stages=stages,
        rows_new=arrived,
        rows_read=rows_read,
        cost_usd=cost,
        state_bytes=_state_bytes(rng, limit, per_day, interval_hours, "state" in troubles),
    )
    age = interval_hours * 3600 + typical_run
    freshest = None
    late = "latency" in troubles
    if late and fit == "fits":
        freshest = _fresher(rng, age, finer_tier)
    elif fit != "fits" and not quiet and (late or rng.random() < 0.6):
        # Often late as well: a need that runs within their window would meet, and these do not.
        freshest = (interval_hours + window * rng.uniform(1.02, 1.1)) * 3600
    # Where the day's first run could last into the night nobody waits for midnight.
    latest = (min(interval_hours, 12) + 1) * 3600 + typical_run
    consumers = readers(rng, 1.5 * age, 12 * age, freshest, latest < 0.9 * DAY_SECONDS)
    failing = tuple(
        name
        for name, beyond in (
            ("throughput", fit != "fits"),
            ("latency", freshest is not None),
            ("cost", "cost" in troubles),
            ("state", "state" in troubles),
        )
        if beyond
    )
    return History(
        runs=runs,
        consumers=consumers,
        limits={
            "interval_hours": interval_hours,
            "run_window_hours": window,
            "budget_usd_per_day": round(budget, 2),
            "state_limit_bytes": round(limit),
        },
        outgrown=fit == "outgrown",
        rereads=rereads,
        slowest_stage=slowest_stage,
        fails=failing[0] if failing else "none",
        label=_label(fit, growth, troubles, edge),
        cause=_cause(fit, failing, age, freshest),
        failing=failing,
        shared=shared(consumers),
    )


def odd(rng: np.random.Generator, kinds: tuple[str, str, str]) -> str:
    """The first of the kinds once in five, each other twice."""
    return str(rng.choice(kinds, p=(0.2, 0.4, 0.4)))


def _cause(fit: str, failing: tuple[str, ...], age: float, freshest: float | None) -> str:
    if fit != "fits":
        return "outgrown window" if fit == "outgrown" else "slower runs"
    if "latency" in failing and freshest is not None:
        return "tier mismatch" if tier_of(freshest) < tier_of(age) else "cadence too slow"
    known = {"cost": "over budget", "state": "state growth"}
    return known[failing[0]] if failing else "healthy"


def _fresher(rng: np.random.Generator, age: float, finer_tier: bool) -> float:
    """A need that is not met, on demand of a fresher tier than what there is."""
    most = 0.65 * age
    if finer_tier:
        most = min(most, 0.95 * TIER_SECONDS[max(tier_of(age) - 1, 1)])
    return most * rng.uniform(0.08, 1.0)


def _filling(rng: np.random.Generator, fit: str) -> tuple[float, float, float]:
    """Shares of the window a run takes now and took then, and growth of volume between them."""
    if fit == "fits":
        now = rng.uniform(0.4, 0.82)
        growth = rng.uniform(2, 5) if rng.random() < 0.75 else rng.uniform(0.95, 1.05)
        return now, now / growth, growth
    now = rng.uniform(1.3, 1.8)
    if fit == "slowed":
        return now, rng.uniform(0.45, 0.75), rng.uniform(0.97, 1.03)
    return now, 0.0, now * rng.uniform(1.9, 4.0)


def _arrivals(
    rng: np.random.Generator, interval_hours: float, growth: float, edge: str | None
) -> tuple[np.ndarray, pd.Series]:
    """Rows that arrive before each run, and when the runs start; some runs are missing."""
    planned = RUNS + int(rng.integers(0, 4))
    first = pd.Timestamp("2025-01-06") + pd.Timedelta(days=int(rng.integers(0, 364)))
    first += pd.Timedelta(hours=int(rng.integers(0, 5)))
    step = pd.Timedelta(hours=interval_hours)
    if edge == CLOCK:  # the night lies in the history, and a nightly run starts in it
        before = round(rng.uniform(0.1, 0.9) * RUNS * interval_hours / 24)
        night = pd.Timestamp(str(rng.choice(CLOCK_CHANGES))) - pd.Timedelta(days=before)
        first = night + pd.Timedelta(hours=int(rng.integers(1, 3)))
    if interval_hours == 24:  # a schedule of the local clock: one start moves with summer time
        wall = pd.date_range(first, periods=planned, freq=step)
        starts = wall.tz_localize(data.SHOP_ZONE, nonexistent="shift_forward", ambiguous=False)
    else:
        begin = first.tz_localize(data.SHOP_ZONE, nonexistent="shift_forward", ambiguous=False)
        starts = pd.date_range(begin, periods=planned, freq=step)
    hours = starts.hour.to_numpy()
    # Volume moves between the first and the last quarter, and is level within each.
    ramp = np.clip((np.arange(planned) / planned - 0.25) / 0.45, 0, 1)
    rows = 10 ** rng.uniform(5, 8) * growth**ramp
    if edge not in (INSIDE, OUTSIDE):  # quiet: the source hands out the same share each time
        curve = np.array(day_curve(1.2))[hours] if interval_hours < 24 else np.ones(planned)
        week = np.where(starts.day_of_week.to_numpy() >= 5, rng.uniform(0.85, 1.15), 1.0)
        rows = rows * curve * week * rng.lognormal(0, 0.03, planned)
    missing = rng.choice(np.arange(RECENT, planned - 2), size=planned - RUNS, replace=False)
    for run in sorted(missing):
        rows[run + 1] += rows[run]
    kept = np.setdiff1d(np.arange(planned), missing)
    return np.rint(rows[kept]), pd.Series(starts[kept]).dt.as_unit("us")


def _busiest(rows: np.ndarray, starts: pd.Series, interval_hours: float) -> float:
    """Rows of a run in the busiest hour of the day, over the last runs of each hour."""
    slots = (starts.dt.hour // max(interval_hours, 1)).to_numpy()
    found = [np.median(rows[slots == slot][-CYCLES:]) for slot in np.unique(slots)]
    return float(max(*found, np.median(rows[-RECENT:])))


def _state_bytes(
    rng: np.random.Generator,
    limit: float,
    events_per_day: float,
    interval_hours: float,
    grows: bool,
) -> np.ndarray:
    """What the logic keeps after each run, by the model: keys that nothing drops, or bounded."""
    days = np.arange(RUNS) * interval_hours / 24
    kept = engine("spark_streaming")
    if grows:  # steadily since the first run; passes the limit in 3 to 15 days
        lowest = max(0.4, days[-1] / (days[-1] + 15) + 0.01)
        now = rng.uniform(lowest, 0.95)
        soonest = max(3.0, (1 - now) / now * days[-1])
        pace = (1 - now) / rng.uniform(soonest, 15)  # of the limit, a day
        state = State(keys=1.0, new_keys_per_day=events_per_day * 10 ** rng.uniform(-4, -1))
        level = pace * limit / (state.new_keys_per_day * entry_bytes(state, kept))
        since = now / pace - days[-1] + 0.01  # days from its start to the first run
        held = over_time(state, events_per_day, since + days)
    else:  # level, often close to the limit
        filled = rng.choice([rng.uniform(0.1, 0.9), rng.uniform(0.9, 0.955)])
        day = TIER_SECONDS[3] * 12
        state = State(keys=events_per_day / 50, window_seconds=day, watermark_seconds=3600.0)
        held = over_time(state, events_per_day, 2 + days)
        level = filled * limit / (held[0] * entry_bytes(state, kept))
    state = replace(state, bytes_per_value=level * state.bytes_per_value)
    values = held * entry_bytes(state, kept)
    return np.rint(values * rng.lognormal(0, 0.0003, RUNS)).astype("int64")


def _label(fit: str, growth: float, troubles: Collection[str], edge: str | None) -> str:
    if fit == "slowed":
        said = "same volume, slower runs"
    else:
        said = "volume grew" if growth > 1.2 else "volume is level"
        said += ", runs outgrew the window" if fit == "outgrown" else ", runs fit"
    if troubles:
        said += f", trouble with {' and '.join(sorted(troubles))}"
    return said + (f", {edge}" if edge else "")
