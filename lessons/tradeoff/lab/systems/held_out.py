"""The model held against runs it has not seen: constants fitted to an engine's smaller runs.

    runs = pd.DataFrame({"events": [...], "seconds": [...]})       # a row a run, sizes repeated
    table = held_out("nightly, DuckDB", runs, fitted_to=1_000_000)

Of each size the median of its runs counts. Runs of up to `fitted_to` events give the engine's two
constants, the overhead of a batch and the cost of an event; `model.evaluate` says with them what
the larger runs take, and what follows from that.

Bounds are a bootstrap's: the runs of each size are drawn again, with repetition, and the constants
fitted again. They tell how far apart two such measurements lie. Whether a straight line is the law
at all, the held-out runs tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.model import Billing, Cadence, Design, Engine, Rhythm, Workload, evaluate
from tradeoff.model.amortise import Overhead, fit_overhead
from tradeoff.model.cost import bill_of_runs
from tradeoff.model.quantities import DAY_SECONDS

LEVEL = 0.9  # share of the redrawn fits between low and high
REDRAWN = 500
FIGURES = {
    "run_seconds": "run_mean_seconds",
    "events_per_second": "running_events_per_second",
    "utilisation": "utilisation_peak",
    "latency_mean_seconds": "latency_mean_seconds",
    "cost_usd_per_day": "cost_usd_per_day",
}


def interleaved(sizes: Sequence[int], repeats: int) -> list[int]:
    """Each size so many times, one round after the other, a round in an order of its own.

    What slows the machine for a while then slows all sizes, and none always comes first.
    """
    shuffle = np.random.default_rng(0).permutation
    return [int(size) for _ in range(repeats) for size in shuffle(sizes)]


def pieces(day: str, sizes: Sequence[int]) -> list[pd.DataFrame]:
    """A day's orders in their order, cut into so many each."""
    orders = data.orders(day, sum(sizes))
    ends = np.cumsum(sizes)
    return [orders.iloc[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def held_out(
    engine: str,
    runs: pd.DataFrame,
    *,
    fitted_to: int,
    every_seconds: float = DAY_SECONDS,
    batches: int = 1,
) -> pd.DataFrame:
    """What the smaller runs say of the larger ones, beside what was measured.

    Parameters
    ----------
    runs : columns events and seconds, a row a run; sizes in any order.
    fitted_to : the largest size that is fitted; those above are held out.
    every_seconds : the cadence at which batches of a held-out size come.
    batches : in how many a run's events are counted, 24 for a day by the hour. The overhead is that
        of one.

    Returns
    -------
    A row a held-out size and figure: engine; overhead_seconds and seconds_per_event, each with
    `_low` and `_high` (the middle 90 %); fitted_to; events; figure (a key of `FIGURES`), predicted,
    measured, error_percent. Seconds are those of all batches of a run; an event's mean latency is
    half the interval and its batch; cost is for busy seconds of one node at the model's price.

    Raises ValueError when fewer than two sizes are fitted or none is held out.
    """
    known = runs[runs["events"] <= fitted_to]
    unseen = runs[runs["events"] > fitted_to].groupby("events")["seconds"].median()
    if known["events"].nunique() < 2 or unseen.empty:
        raise ValueError(
            "fitted_to must leave two sizes to fit and one to hold out, got "
            f"{fitted_to} for the sizes {sorted(set(runs['events']))}"
        )
    repeats = {
        float(size): known.loc[known["events"] == size, "seconds"].to_numpy()
        for size in sorted(set(known["events"]))
    }
    fitted = _fitted(repeats, batches)
    redrawn = pd.DataFrame([vars(_fitted(each, batches)) for each in _redrawn(repeats)])
    low, high = (redrawn.quantile((1 + side * LEVEL) / 2) for side in (-1, 1))
    said = {**vars(fitted), **low.add_suffix("_low"), **high.add_suffix("_high")}
    rows = []
    for events, seconds in zip(unseen.index.tolist(), unseen.tolist(), strict=True):
        design = batch_design(engine, fitted, events / batches, every_seconds)
        predicted = _predicted(design, batches)
        measured = _measured(design, events, seconds, batches)
        rows += [
            {
                "engine": engine,
                **said,
                "fitted_to": fitted_to,
                "events": events,
                "figure": figure,
                **_beside(predicted[figure], measured[figure]),
            }
            for figure in FIGURES
        ]
    return pd.DataFrame(rows)


def held_out_latency(engine: str, fitted: Overhead, paced: pd.DataFrame) -> pd.DataFrame:
    """The median latency of events that arrive evenly, told from the engine's constants.

    Parameters
    ----------
    fitted : of its busy runs; an overhead is nothing to a stream.
    paced : columns events_per_second, interval_seconds (a micro-batch's trigger, 0 for a stream)
        and latency_p50_seconds, a row a run. The first row gives a stream's floor, what an event
        takes on an idle engine beside its own work; the others are held out.

    Returns
    -------
    A row a held-out run: engine, floor_seconds (0 with a trigger), events_per_second,
    interval_seconds, predicted, measured, error_percent.
    """
    first, *others = paced.to_dict("records")
    floor = 0.0
    if not first["interval_seconds"]:
        without = evaluate(stream_design(engine, fitted, 0.0, first["events_per_second"]))
        floor = max(0.0, first["latency_p50_seconds"] - without.latency_p50_seconds)
    rows = []
    for run in others:
        rate, interval = run["events_per_second"], run["interval_seconds"]
        design = (
            batch_design(engine, fitted, rate * interval, interval, Rhythm.MICRO_BATCH)
            if interval
            else stream_design(engine, fitted, floor, rate)
        )
        rows.append(
            {
                "engine": engine,
                "floor_seconds": floor,
                "events_per_second": rate,
                "interval_seconds": interval,
                **_beside(evaluate(design).latency_p50_seconds, run["latency_p50_seconds"]),
            }
        )
    return pd.DataFrame(rows)


# --- the model ------------------------------------------------------------------------------------


def batch_design(
    engine: str, fitted: Overhead, events: float, every_seconds: float, rhythm: Any = Rhythm.BATCH
) -> Design:
    """Batches of so many events, evenly over the day, on a warm engine of these constants."""
    constants = {"overhead_seconds": fitted.overhead_seconds, "billing": Billing.WARM}
    workload = _workload(engine, events * DAY_SECONDS / every_seconds)
    return Design(
        workload, _engine(engine, fitted, rhythm, constants), rhythm, Cadence.every(every_seconds)
    )


def stream_design(
    engine: str, fitted: Overhead, floor_seconds: float, events_per_second: float
) -> Design:
    """Events one by one, evenly over the day, on an engine of this cost of an event."""
    constants = {"latency_floor_seconds": floor_seconds, "billing": Billing.ALWAYS_ON}
    workload = _workload(engine, events_per_second * DAY_SECONDS)
    rhythm = Rhythm.STREAMING
    return Design(workload, _engine(engine, fitted, rhythm, constants), rhythm, Cadence.per_event())


def _workload(name: str, events_per_day: float) -> Workload:
    return Workload(name, events_per_day=events_per_day)


def _engine(name: str, fitted: Overhead, rhythm: Rhythm, constants: dict[str, Any]) -> Engine:
    rate = 1.0 / max(fitted.seconds_per_event, 1e-12)
    return Engine(name, (rhythm,), events_per_second_per_slot=rate, slots_per_node=1, **constants)


# --- fitted, predicted, measured ------------------------------------------------------------------


Repeats = dict[float, np.ndarray]  # seconds of the runs of each size


def _fitted(repeats: Repeats, batches: int) -> Overhead:
    sizes = np.array(list(repeats))
    medians = np.array([np.median(seconds) for seconds in repeats.values()])
    return fit_overhead(sizes / batches, medians / batches)


def _redrawn(repeats: Repeats) -> Iterator[Repeats]:
    choose = np.random.default_rng(0).choice
    for _ in range(REDRAWN):
        yield {size: choose(seconds, len(seconds)) for size, seconds in repeats.items()}


def _predicted(design: Design, batches: int) -> dict[str, float]:
    found = evaluate(design).figures
    figures = {figure: float(found[name]) for figure, name in FIGURES.items()}
    return figures | {"run_seconds": figures["run_seconds"] * batches}


def _measured(design: Design, events: float, seconds: float, batches: int) -> dict[str, float]:
    every, one = design.cadence.interval_seconds, seconds / batches
    return {
        "run_seconds": seconds,
        "events_per_second": events / seconds,
        "utilisation": one / every,
        "latency_mean_seconds": every / 2 + one,
        "cost_usd_per_day": bill_of_runs(
            design.engine, design.rhythm, design.nodes, one, DAY_SECONDS / every
        ),
    }


def _beside(predicted: float, measured: float) -> dict[str, float]:
    error = 100.0 * (predicted / measured - 1.0)
    return {"predicted": predicted, "measured": measured, "error_percent": error}
