"""A real micro-batch loop over arriving orders: measured, killed, and held against the model.

Each call opens an `order_log` shop, lets orders arrive, and reads back what the loops made of them.
No file is left when it returns.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tradeoff.lab.order_log import ASAP, ONCE, LoopError, interval_seconds, open_shop
from tradeoff.model import Billing, Cadence, Design, Engine, Rhythm, Workload, evaluate
from tradeoff.model.quantities import DAY_SECONDS, Quantity, check

__all__ = [
    "ASAP",
    "ONCE",
    "Killed",
    "LoopError",
    "Mailed",
    "Measured",
    "as_design",
    "beside_model",
    "compared",
    "kill_and_restart",
    "kill_before_checkpoint",
    "run",
]


@dataclass(frozen=True, eq=False)
class Measured:
    """What one trigger did with the orders.

    Attributes
    ----------
    every : the trigger: an interval as text, `ASAP` or `ONCE`.
    interval_seconds : 0 without an interval.
    orders : arrived and counted. lasting_seconds : how long the source ran.
    batches : one row a batch: start_seconds, end_seconds (committed and readable), events,
        seconds (its duration); times since the source began.
    ages : one row an order: arrival_seconds, age_seconds (arrival until readable).
    facts : the result: region, orders, revenue_cents.
    exact : True when the result equals a recount of the whole log, row for row.
    """

    every: str
    interval_seconds: float
    orders: int
    lasting_seconds: float
    batches: pd.DataFrame = field(repr=False)
    ages: pd.DataFrame = field(repr=False)
    facts: pd.DataFrame = field(repr=False)
    exact: bool = True

    @property
    def busy_share(self) -> float:
        """Part of the source's time that batches took."""
        return float(self.batches["seconds"].sum() / self.lasting_seconds)

    @property
    def busy_seconds_per_million(self) -> float:
        """Batch time for a million orders at this trigger."""
        return float(self.batches["seconds"].sum() / self.orders * 1e6)


@dataclass(frozen=True, eq=False)
class Killed(Measured):
    """A loop that was killed and restarted: `kills` are the moments, seconds since the start."""

    kills: tuple[float, ...] = ()


@dataclass(frozen=True)
class Mailed:
    """What a kill between side effect and checkpoint left behind.

    Attributes
    ----------
    orders : distinct orders that arrived. counted : orders in the batches' own result.
    replayed : orders of the batch that ran twice.
    appended, keyed : mails sent by the append-only sink and by the one keyed on the order.
    """

    orders: int
    counted: int
    replayed: int
    appended: int
    keyed: int

    @property
    def table(self) -> pd.DataFrame:
        """The three sinks, one row each: sink, sent, twice (surplus), missing."""
        sinks = {
            "result, in the batch's transaction": self.counted,
            "mail, appended": self.appended,
            "mail, keyed on the order": self.keyed,
        }
        return pd.DataFrame(
            {
                "sink": list(sinks),
                "orders": self.orders,
                "written": list(sinks.values()),
                "twice": [max(0, sent - self.orders) for sent in sinks.values()],
                "missing": [max(0, self.orders - sent) for sent in sinks.values()],
            }
        )


# --- the experiments ------------------------------------------------------------------------------


def run(
    triggers: Iterable[str],
    *,
    seconds: float = 6.0,
    orders_per_second: float = 400.0,
    seed: int = 0,
) -> dict[str, Measured]:
    """Let orders arrive for some seconds; every trigger reads the same log, side by side.

    Parameters
    ----------
    triggers : intervals such as "500 ms" or "2 s", `ASAP`, `ONCE` (after the source has ended).
    orders_per_second : Poisson arrivals of this rate, the orders of `data.orders`.

    Raises ValueError for a bad argument, LoopError when a consumer fails.
    """
    chosen = list(dict.fromkeys(triggers))
    if not chosen:
        raise ValueError("triggers must name at least one trigger, such as '1 s'")
    intervals = {each: interval_seconds(each) for each in chosen}
    with open_shop(seconds, orders_per_second, seed) as shop:
        live = [shop.start(each, intervals[each]) for each in chosen if each != ONCE]
        shop.let_arrive()
        for consumer in live:
            consumer.finish(intervals[consumer.every])
        if ONCE in chosen:
            shop.start(ONCE, 0.0).finish(0.0)
        return {each: Measured(**shop.measure(each, intervals[each])) for each in chosen}


def kill_and_restart(
    every: str = "250 ms",
    *,
    kills: int = 3,
    seconds: float = 5.0,
    orders_per_second: float = 400.0,
    seed: int = 0,
) -> Killed:
    """Kill the loop at moments it does not know (SIGKILL, TerminateProcess), restart it each time.

    Moments are drawn from the middle of equal stretches of the run. Raises as `run`, and ValueError
    unless `kills` is a whole number from 1 to 20.
    """
    interval = interval_seconds(every)
    count = int(check("kills", kills, Quantity("kills", least=1, most=20, whole=True)))
    draws = np.random.default_rng([seed, 1]).uniform(0.4, 0.8, count)
    with open_shop(seconds, orders_per_second, seed) as shop:
        consumer = shop.start(every, interval)
        shop.begin()
        moments = []
        for moment in (np.arange(count) + draws) / count * seconds:
            time.sleep(max(0.0, shop.began + moment - time.time()))
            consumer.kill()
            moments.append(time.time() - shop.began)
            consumer = shop.start(every, interval)
        shop.end()
        consumer.finish(interval)
        return Killed(**shop.measure(every, interval), kills=tuple(moments))


def kill_before_checkpoint(
    every: str = "250 ms",
    *,
    batch: int = 4,
    seconds: float = 2.0,
    orders_per_second: float = 400.0,
    seed: int = 0,
) -> Mailed:
    """Kill the loop after it mailed a batch's orders and before that batch's commit; restart it.

    The loop mails each order twice over: into a file it appends to, and into a table keyed on the
    order. Raises as `run`, and LoopError when the loop ends before it reaches the batch.
    """
    interval = interval_seconds(every)
    with open_shop(seconds, orders_per_second, seed) as shop:
        consumer = shop.start(every, interval, "--mail", "--stop-in", str(batch))
        shop.begin()
        consumer.hear("mailed, not committed")
        consumer.kill()
        outbox = shop.folder / f"{consumer.file}.outbox"
        sent = len(outbox.read_text(encoding="utf-8").splitlines())
        with closing(sqlite3.connect(shop.folder / f"{consumer.file}.sqlite")) as sink:
            [(counted_before,)] = sink.execute("SELECT coalesce(sum(orders), 0) FROM facts")
        consumer = shop.start(every, interval, "--mail")
        shop.end()
        consumer.finish(interval)
        measured = shop.measure(every, interval)
        with closing(sqlite3.connect(shop.folder / f"{consumer.file}.sqlite")) as sink:
            [(keyed,)] = sink.execute("SELECT count(*) FROM mail")
        return Mailed(
            orders=measured["orders"],
            counted=int(measured["facts"]["orders"].sum()),
            replayed=sent - counted_before,
            appended=len(outbox.read_text(encoding="utf-8").splitlines()),
            keyed=keyed,
        )


# --- beside the model -----------------------------------------------------------------------------


def as_design(asap: Measured, once: Measured, every: str) -> Design:
    """This loop as a design of the model, from two of its own runs on one log.

    `asap` gives the overhead (its batches hold hardly an order each: their median length), `once`
    what an order adds (one batch of all, less that overhead).
    """
    overhead = float(asap.batches["seconds"].median())
    whole = once.batches.iloc[0]
    each = max(float(whole["seconds"]) - overhead, 1e-9) / float(whole["events"])
    loop = Engine(
        "this loop",
        (Rhythm.MICRO_BATCH,),
        Billing.ALWAYS_ON,
        events_per_second_per_slot=1.0 / each,
        slots_per_node=1,
        overhead_seconds=overhead,
    )
    arriving = Workload("orders", asap.orders / asap.lasting_seconds * DAY_SECONDS)
    cadence = Cadence.as_soon_as_possible() if every == ASAP else Cadence.every(every)
    return Design(arriving, loop, Rhythm.MICRO_BATCH, cadence, name=every)


def beside_model(measured: Iterable[Measured], predicted: Iterable[Design]) -> pd.DataFrame:
    """Measured and predicted latencies, one row a trigger and figure.

    Columns: trigger, figure (p50, worst), predicted_seconds, measured_seconds, error_percent (of
    the prediction, by the measured).
    """
    rows = []
    for one, design in zip(measured, predicted, strict=True):
        found = evaluate(design)
        ages = one.ages["age_seconds"]
        for figure, counted in (("p50", ages.median()), ("worst", ages.max())):
            said = found.figures[f"latency_{figure}_seconds"]
            rows.append(
                {
                    "trigger": one.every,
                    "figure": figure,
                    "predicted_seconds": said,
                    "measured_seconds": counted,
                    "error_percent": 100.0 * (said / counted - 1.0),
                }
            )
    return pd.DataFrame(rows)


def compared(measured: Iterable[Measured]) -> pd.DataFrame:
    """What each trigger paid, one row each: batches, orders a batch, busy share, and so on."""
    return pd.DataFrame(
        [
            {
                "trigger": one.every,
                "batches": len(one.batches),
                "orders_per_batch": one.orders / len(one.batches),
                "batch_ms": 1e3 * one.batches["seconds"].median(),
                "busy_share": one.busy_share,
                "busy_seconds_per_million": one.busy_seconds_per_million,
                "worst_seconds": one.ages["age_seconds"].max(),
                "equals_recount": one.exact,
            }
            for one in measured
        ]
    )
