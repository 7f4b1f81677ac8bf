"""Closed form of time: how long runs take, how old events become, what piles up.

The day is 24 hourly slots with a steady rate in each (a fluid, no randomness but in the queue of
a stream). Every function works on columns, one row a design, so that a sweep is one call.

What is exact: intervals that divide the hour or the day, whose runs end before the next trigger,
under the day's hourly rates. What is an approximation: other intervals, whose runs straddle two
hours (each hour's events are taken at that hour's run), a run longer than its interval (the loop is
taken at the length it settles at, or as far as it can stretch in an hour) and a stream's queue (the
wait of an M/M/1 queue of the pooled rate, an upper bound for several slots). Overload is followed
slot by slot to the end of the horizon, so nothing is infinite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS

Columns = Mapping[str, np.ndarray]
SLOTS = 24
# A queue's wait has no largest value; "worst" of a stream is the 99.9th percentile at its peak.
STREAM_WORST = 0.999


@dataclass(frozen=True)
class Slots:
    """What happens to the events of each slot: arrays of shape (designs, slots), in seconds.

    low, high : latency of the luckiest and the unluckiest event of the slot.
    run : duration of the run that takes the slot's events.
    period : time from one run's start to the next one's.
    load : work that arrives in the slot over the time it has; above 1 it piles up.
    weight : share of the horizon's events.
    tail_seconds, tail_share : streams only: mean and probability of an exponential wait.
    drift_seconds : streams only: how far overload moves the wait from one end of the slot to the
        other, on top of `low`.
    behind : seconds of work waiting at the end of the horizon, shape (designs,).
    last_complete : seconds after midnight until a day's last event is visible, (designs,).
    """

    low: np.ndarray
    high: np.ndarray
    run: np.ndarray
    period: np.ndarray
    load: np.ndarray
    weight: np.ndarray
    behind: np.ndarray
    last_complete: np.ndarray
    tail_seconds: np.ndarray | None = None
    tail_share: np.ndarray | None = None
    drift_seconds: np.ndarray | None = None


def seconds_per_event(columns: Columns) -> np.ndarray:
    """Time one more event adds to a run (batches), or the slowest stage's time (streams)."""
    compute = 1.0 / (columns["nodes"] * events_per_second_per_node(columns))
    source = 1.0 / columns["source_events_per_second"]
    sink = 1.0 / columns["sink_events_per_second"]
    slowest = np.maximum(compute, np.maximum(source, sink))
    return np.asarray(np.where(columns["streaming"], slowest, compute + source + sink))


def events_per_second_per_node(columns: Columns) -> np.ndarray:
    """Transform rate of one node for this workload's work and state."""
    slowdown = np.where(columns["keeps_state"], columns["stateful_slowdown"], 1.0)
    return np.asarray(
        columns["slots_per_node"]
        * columns["events_per_second_per_slot"]
        / (columns["work_per_event"] * slowdown)
    )


def fixed_per_run(columns: Columns) -> np.ndarray:
    """Seconds of a run that volume does not change: start-up, overhead and fixed work."""
    fixed = np.where(
        columns["incremental"], columns["fixed_seconds_incremental"], columns["fixed_seconds"]
    )
    return np.asarray(columns["start_up_seconds"] + columns["overhead_seconds"] + fixed)


def full_run_seconds(columns: Columns) -> np.ndarray:
    """Duration of a run that is not incremental: it reads its span whatever the interval."""
    rows = columns["full_read_days"] * columns["events_per_day"]
    return np.asarray(fixed_per_run(columns) + rows * seconds_per_event(columns))


def slots(columns: Columns, curve: np.ndarray, horizon_days: int) -> Slots:
    """Latency and load of every slot of the horizon; `curve` is (designs or 1, 24)."""
    rows = len(columns["events_per_day"])
    curve = np.broadcast_to(curve, (rows, SLOTS))
    # A full read that outlasts an interval of hours runs without a pause, like one of minutes;
    # where each run has a span of its own to read, late runs queue.
    interval, span = columns["interval_seconds"], columns["full_read_days"] * DAY_SECONDS
    paced = (full_run_seconds(columns) <= interval) | (span <= interval)
    by_the_hour = columns["coarse"] & (columns["incremental"] | paced)
    kinds = (
        (columns["streaming"], _stream),
        (~columns["streaming"] & ~by_the_hour, _fine),
        (by_the_hour, _coarse),
    )
    parts = []
    for mask, solve in kinds:
        if mask.all():
            return solve(columns, curve, horizon_days)
        index = np.flatnonzero(mask)
        if len(index):
            some = {name: column[index] for name, column in columns.items()}
            parts.append((index, solve(some, curve[index], horizon_days)))
    return _merge(rows, parts)


def _merge(rows: int, parts: list[tuple[np.ndarray, Slots]]) -> Slots:
    merged: dict[str, np.ndarray] = {}
    for name in Slots.__dataclass_fields__:
        pieces = [(index, getattr(part, name)) for index, part in parts]
        shapes = [piece.shape[1:] for _, piece in pieces if piece is not None]
        if not shapes:
            continue
        whole = np.zeros((rows, *shapes[0]))
        for index, piece in pieces:
            if piece is not None:
                whole[index] = piece
        merged[name] = whole
    return Slots(**merged)


def _rates(columns: Columns, curve: np.ndarray) -> np.ndarray:
    return np.asarray(columns["events_per_day"][:, None] / DAY_SECONDS * curve)


def _over_horizon(values: np.ndarray, horizon_days: int) -> np.ndarray:
    return values if horizon_days == 1 else np.tile(values, (1, horizon_days))


def _waiting(growth: np.ndarray) -> np.ndarray | None:
    """Seconds of work waiting at each slot's start and after the last: (designs, slots + 1).

    None where nothing ever waits, which is most sweeps.
    """
    if not (growth > 0).any():
        return None
    waiting = np.zeros((growth.shape[0], growth.shape[1] + 1))
    for slot in range(growth.shape[1]):
        waiting[:, slot + 1] = np.maximum(0.0, waiting[:, slot] + growth[:, slot])
    return waiting


def _delayed(
    low: np.ndarray, high: np.ndarray, waiting: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latencies with the work that waits before a slot's events, and what waits at the end."""
    if waiting is None:
        return low, high, np.zeros(len(low))
    before, after = waiting[:, :-1], waiting[:, 1:]
    return low + np.minimum(before, after), high + np.maximum(before, after), waiting[:, -1]


def _stream(columns: Columns, curve: np.ndarray, horizon_days: int) -> Slots:
    rates = _rates(columns, curve)
    each = seconds_per_event(columns)[:, None]
    load = rates * each
    busy = np.minimum(load, 1.0)
    # Near a load of 1 the steady queue takes longer than an hour to build: it cannot be longer
    # than what an hour of critically loaded arrivals leaves (a reflected random walk's spread).
    steady = each / np.maximum(1.0 - busy, 1e-12)
    tail = np.minimum(steady, each + np.sqrt(2.0 * each * HOUR_SECONDS))
    visible = columns["latency_floor_seconds"][:, None] + service_seconds(columns)[:, None]
    load, busy, tail = (_over_horizon(array, horizon_days) for array in (load, busy, tail))
    waiting = _waiting((load - 1.0) * HOUR_SECONDS)
    soonest = np.broadcast_to(visible, load.shape)
    low, shifted, behind = _delayed(soonest, soonest, waiting)
    beyond = tail * np.maximum(0.0, np.log(np.maximum(busy, 1e-300) / (1.0 - STREAM_WORST)))
    high = shifted + beyond
    return Slots(
        low=low,
        high=high,
        run=np.broadcast_to(each, load.shape).copy(),
        period=np.broadcast_to(each, load.shape).copy(),
        load=load,
        weight=_over_horizon(curve, horizon_days) / (SLOTS * horizon_days),
        behind=behind,
        last_complete=high[:, SLOTS - 1 :: SLOTS].max(axis=1),
        tail_seconds=tail,
        tail_share=busy,
        drift_seconds=shifted - low,
    )


def service_seconds(columns: Columns) -> np.ndarray:
    """Processing latency: time one slot actively transforms one event."""
    return np.asarray(1.0 / (events_per_second_per_node(columns) / columns["slots_per_node"]))


def _fine(columns: Columns, curve: np.ndarray, horizon_days: int) -> Slots:
    rates = _rates(columns, curve)
    each = seconds_per_event(columns)[:, None]
    fixed = fixed_per_run(columns)[:, None]
    interval = columns["interval_seconds"][:, None]
    reads_new = columns["incremental"][:, None]

    # Incremental: a batch of period b takes fixed + load * b; the loop settles where the two agree.
    # Starting from the trigger interval it can stretch in an hour only so far: db/dt <= fixed / b.
    load_new = rates * each
    settled = fixed / np.maximum(1.0 - load_new, 1e-12)
    start = np.maximum(interval, fixed)
    reach = np.sqrt(start**2 + 2.0 * fixed * HOUR_SECONDS)
    period_new = np.maximum(interval, np.minimum(settled, reach))
    run_new = fixed + load_new * period_new

    # Not incremental: every run reads the same span, so a late run only makes the next one later,
    # until the span itself takes longer than it lasts.
    span_days = columns["full_read_days"][:, None]
    run_full = full_run_seconds(columns)[:, None] + 0 * rates
    span = np.maximum(interval, span_days * DAY_SECONDS)
    period_full = np.minimum(np.maximum(interval, run_full), span)

    run = np.where(reads_new, run_new, run_full)
    period = np.maximum(np.where(reads_new, period_new, period_full), 1e-9)
    load = np.where(reads_new, load_new, run_full / span)
    run, period, load = (_over_horizon(array, horizon_days) for array in (run, period, load))
    waiting = _waiting((load - 1.0) * HOUR_SECONDS)
    low, high, behind = _delayed(run, period + run, waiting)
    return Slots(
        low=low,
        high=high,
        run=run,
        period=period,
        load=load,
        weight=_over_horizon(curve, horizon_days) / (SLOTS * horizon_days),
        behind=behind,
        last_complete=high[:, SLOTS - 1 :: SLOTS].max(axis=1),
    )


def _coarse(columns: Columns, curve: np.ndarray, horizon_days: int) -> Slots:
    count = len(curve)
    each = seconds_per_event(columns)[:, None]
    fixed = fixed_per_run(columns)[:, None]
    interval = columns["interval_seconds"][:, None]
    hours = np.rint(interval / HOUR_SECONDS).astype(int)
    hour = np.arange(SLOTS)
    wait = np.mod(columns["start_hour"][:, None].astype(int) - hour - 1, hours)

    # Events between a slot's trigger and the trigger before it, from sums over three days.
    sums = np.concatenate([np.zeros((count, 1)), np.cumsum(np.tile(curve, 3), axis=1)], axis=1)
    trigger = hour + 1 + wait + SLOTS
    share = np.take_along_axis(sums, trigger, 1) - np.take_along_axis(sums, trigger - hours, 1)
    new = columns["events_per_day"][:, None] * share / SLOTS
    full = columns["full_read_days"][:, None] * columns["events_per_day"][:, None] + 0 * new
    run = fixed + np.where(columns["incremental"][:, None], new, full) * each

    days = horizon_days + 1  # a slot's trigger may lie in the next day
    run, wait, period = (_over_horizon(array, days) for array in (run, wait, interval + 0.0 * run))
    late = np.zeros((count, days * SLOTS))
    behind = np.zeros(count)
    kept = horizon_days * SLOTS
    if (run > period).any():
        lateness = np.zeros(count)
        for slot in range(days * SLOTS):
            triggers = wait[:, slot] == 0
            late[:, slot] = lateness
            grown = np.maximum(0.0, lateness + run[:, slot] - period[:, slot])
            lateness = np.where(triggers, grown, lateness)
            if slot == kept - 1:
                behind = lateness.copy()
    served = np.minimum(np.arange(days * SLOTS) + wait, days * SLOTS - 1)
    late = np.take_along_axis(late, served, 1)
    low = wait * HOUR_SECONDS + run + late
    low, run, period = low[:, :kept], run[:, :kept], period[:, :kept]
    return Slots(
        low=low,
        high=low + HOUR_SECONDS,
        run=run,
        period=period,
        load=run / period,
        weight=_over_horizon(curve, horizon_days) / (SLOTS * horizon_days),
        behind=behind,
        last_complete=low[:, SLOTS - 1 :: SLOTS].max(axis=1),
    )


def runs(columns: Columns, found: Slots) -> dict[str, np.ndarray]:
    """Run durations, utilisation, fit, backlog and throughput of each design."""
    each = seconds_per_event(columns)
    fixed = fixed_per_run(columns)
    streaming, timed = columns["streaming"], columns["timed"]
    interval = np.where(timed, columns["interval_seconds"], np.nan)
    day = slice(0, SLOTS)
    run_longest = found.run[:, day].max(axis=1)
    peak = found.load[:, day].max(axis=1)
    # At its nominal trigger: an overrun shows as more than 1 although the loop would stretch.
    nominal = np.where(
        columns["coarse"],
        run_longest,
        np.where(
            columns["incremental"],
            fixed + peak * columns["interval_seconds"],
            found.run[:, 0],
        ),
    )
    utilisation = np.where(timed, nominal / interval, peak)
    limit = np.where(timed, np.fmin(interval, columns["run_window_seconds"]), np.inf)
    kept_up = found.behind <= 1e-9
    in_window = np.where(streaming | ~timed, peak < 1.0, nominal <= limit * (1 + 1e-12))
    # The mean run: a day's events spread evenly over its runs.
    per_run = np.where(
        timed,
        columns["events_per_day"] * columns["interval_seconds"] / DAY_SECONDS,
        columns["events_per_day"] * (found.weight * found.period).sum(axis=1) / DAY_SECONDS,
    )
    read = np.where(
        columns["incremental"], per_run, columns["full_read_days"] * columns["events_per_day"]
    )
    run_mean = np.where(streaming, each, fixed + read * each)
    running = np.where(streaming, 1.0 / each, per_run / run_mean)
    return {
        "run_mean_seconds": run_mean,
        "run_longest_seconds": run_longest,
        "events_per_run": np.where(streaming, 1.0, per_run),
        "rows_read_per_run": np.where(streaming, 1.0, read),
        "rows_read_per_day": np.where(
            columns["incremental"],
            columns["events_per_day"],
            read * (HOUR_SECONDS / found.period[:, day]).sum(axis=1),
        ),
        "processing_latency_seconds": service_seconds(columns),
        "utilisation_peak": utilisation,
        "fits_window": in_window & kept_up,
        "keeps_up": kept_up,
        "backlog_seconds": found.behind,
        "backlog_events": found.behind / each,
        "yesterday_complete_hour": found.last_complete / HOUR_SECONDS,
        "running_events_per_second": running,
        "running_bytes_per_second": running * columns["bytes_per_event"],
        "sustainable_events_per_second": _sustainable(columns, each, fixed),
    }


def _sustainable(columns: Columns, each: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Steady rate at which each run just ends before the next trigger (0: none does)."""
    interval = columns["interval_seconds"]
    span = columns["full_read_days"] * DAY_SECONDS
    room = np.where(columns["timed"], interval - fixed, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        new = np.where(columns["timed"], np.maximum(room, 0.0) / np.maximum(interval, 1e-9), 1.0)
        full = np.maximum(np.where(columns["timed"], room, span - fixed), 0.0) / span
    return np.asarray(np.where(columns["incremental"], new, full) / each)
