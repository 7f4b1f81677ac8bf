"""A real micro-batch loop over arriving orders: measured, killed, and held against the model.

A thread appends orders to a log as they arrive (SQLite, a commit for each handful); consumers are
processes of their own (`trigger_loop`), each with its own trigger, result and checkpoint. All files
live in a temporary folder that is gone when a call returns, also when it is interrupted.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.lab import trigger_loop
from tradeoff.model import Billing, Cadence, Design, Engine, Evaluation, Rhythm, Workload, evaluate
from tradeoff.model.quantities import DAY_SECONDS, Quantity, check

ASAP = "as soon as possible"
ONCE = "once"  # one batch over all there is, after the source has ended
DAY = "2026-04-25"
RATE = Quantity("orders a second", above=0, most=20_000)
LASTING = Quantity("seconds", above=0, most=600)
GRACE_SECONDS = 60.0  # for a consumer to finish after its last tick, on a busy machine
LOG_SCHEMA = """
CREATE TABLE log (position INTEGER PRIMARY KEY, order_id INTEGER, region TEXT,
                  amount_cents INTEGER, arrived REAL)
"""


class LoopError(RuntimeError):
    """A consumer ended when it should not have; the message holds what it said."""


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
    with _shop(seconds, orders_per_second, seed) as shop:
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
    with _shop(seconds, orders_per_second, seed) as shop:
        consumer = shop.start(every, interval)
        shop.begin()
        moments = []
        for moment in (np.arange(count) + draws) / count * seconds:
            time.sleep(max(0.0, shop.origin + moment - time.time()))
            consumer.kill()
            moments.append(time.time() - shop.origin)
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
    with _shop(seconds, orders_per_second, seed) as shop:
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
        found: Evaluation = evaluate(design)
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


# --- the shop: source, log and consumers ----------------------------------------------------------


def interval_seconds(every: str) -> float:
    """Seconds of a trigger, 0 for `ASAP` and `ONCE`. Raises ValueError below 50 ms."""
    if every in (ASAP, ONCE):
        return 0.0
    return check("interval_seconds", Cadence.every(every).interval_seconds, Quantity("s", 0.05))


class _Consumer:
    """A consumer's process; killed if still alive when the shop closes."""

    def __init__(self, shop: _Shop, every: str, interval: float, options: tuple[str, ...]) -> None:
        self.every, self.file = every, every.replace(" ", "_")
        how = ["--once"] if every == ONCE else []
        if interval:
            how = ["--every", repr(interval), "--origin", repr(shop.origin)]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", trigger_loop.__file__, str(shop.folder), self.file),
                *how,
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def hear(self, line: str) -> None:
        """Wait until the consumer says so."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != line:
            self.kill()
            raise LoopError(f"the {self.every} loop said {said!r}, not {line!r}: {self._errors}")

    def finish(self, interval: float) -> None:
        """Wait for it to end by itself."""
        try:
            status = self._process.wait(interval + GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LoopError(f"the {self.every} loop did not end") from None
        if status:
            raise LoopError(f"the {self.every} loop ended with {status}: {self._errors}")
        self.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    @property
    def _errors(self) -> str:
        stderr = self._process.stderr
        return stderr.read().strip() if stderr is not None and not stderr.closed else ""


class _Shop:
    """A folder with the log, the thread that fills it, and the consumers that read it."""

    def __init__(self, folder: Path, orders: pd.DataFrame, due: np.ndarray, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        # Ticks lie on multiples of the interval from here on; restarts keep to them.
        self.origin = 0.0
        self._rows = list(
            zip(
                orders["order_id"].tolist(),
                orders["region"].astype(str).tolist(),
                orders["amount_cents"].tolist(),
                strict=True,
            )
        )
        self._due = due
        self._stop, self._failed = Event(), list[BaseException]()
        self._source = Thread(target=self._arrive, daemon=True)
        self._consumers: list[_Consumer] = []
        with closing(self._open_log()) as log:
            log.execute("PRAGMA journal_mode = WAL")  # readers do not hold up the source
            log.execute(LOG_SCHEMA)
        self.origin = time.time()

    def __enter__(self) -> _Shop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._source.is_alive():
            self._source.join()
        for consumer in self._consumers:
            consumer.close()

    def start(self, every: str, interval: float, *options: str) -> _Consumer:
        consumer = _Consumer(self, every, interval, options)
        self._consumers.append(consumer)
        consumer.hear("ready")
        return consumer

    def let_arrive(self) -> None:
        self.begin()
        self.end()

    def begin(self) -> None:
        self._source.start()

    def end(self) -> None:
        self._source.join()
        if self._failed:
            raise LoopError(f"the source failed: {self._failed[0]}")
        (self.folder / trigger_loop.CLOSED).touch()

    def _open_log(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / trigger_loop.LOG, isolation_level=None, timeout=30)

    def _arrive(self) -> None:
        """Append what is due, and say when: the moment at which it can be read."""
        try:
            with closing(self._open_log()) as log:
                log.execute("PRAGMA synchronous = OFF")
                began, done = time.time(), 0
                while done < len(self._rows) and not self._stop.is_set():
                    now = time.time()
                    due = int(np.searchsorted(self._due, now - began, "right"))
                    if due > done:
                        rows = [
                            (at + 1, *row, now)
                            for at, row in enumerate(self._rows[done:due], start=done)
                        ]
                        log.execute("BEGIN")
                        log.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?)", rows)
                        log.execute("COMMIT")
                        done = due
                    self._stop.wait(0.002)
        except BaseException as error:  # shown by the thread that waits for this one
            self._failed.append(error)

    def measure(self, every: str, interval: float) -> dict[str, object]:
        """The fields of `Measured`, from the log, the sink and the record of what was readable."""
        name = every.replace(" ", "_")
        with closing(self._open_log()) as log:
            arrived = pd.read_sql_query("SELECT * FROM log ORDER BY position", log)
        with closing(sqlite3.connect(self.folder / f"{name}.sqlite")) as sink:
            facts = pd.read_sql_query("SELECT * FROM facts ORDER BY region", sink)
            batches = pd.read_sql_query("SELECT * FROM batches ORDER BY batch", sink)
        record = (self.folder / f"{name}.seen").read_text(encoding="utf-8").splitlines()
        seen = dict(_pair(line) for line in record if line.endswith("]"))
        # Of a batch killed between commit and record, all that is known is when it went to commit.
        ends = batches["batch"].map(seen).fillna(batches["committing"])
        began = float(arrived["arrived"].iloc[0])
        taken = arrived[arrived["position"] <= self._last(batches)]
        batch_of = np.searchsorted(batches["last"], taken["position"])
        at = taken["arrived"].to_numpy()
        recount = (
            taken.groupby("region", sort=True)
            .agg(orders=("order_id", "count"), revenue_cents=("amount_cents", "sum"))
            .reset_index()
        )
        return {
            "every": every,
            "interval_seconds": interval,
            "orders": len(arrived),
            "lasting_seconds": self.seconds,
            "batches": pd.DataFrame(
                {
                    "start_seconds": batches["start"] - began,
                    "end_seconds": ends - began,
                    "events": batches["last"] - batches["first"] + 1,
                    "seconds": ends - batches["start"],
                }
            ),
            "ages": pd.DataFrame(
                {"arrival_seconds": at - began, "age_seconds": ends.to_numpy()[batch_of] - at}
            ),
            "facts": facts,
            "exact": len(taken) == len(arrived) and facts.equals(recount.astype(facts.dtypes)),
        }

    @staticmethod
    def _last(batches: pd.DataFrame) -> int:
        return 0 if batches.empty else int(batches["last"].max())


def _pair(line: str) -> tuple[int, float]:
    batch, moment = line.strip("[]").split(",")
    return int(batch), float(moment)


@contextmanager
def _shop(seconds: float, orders_per_second: float, seed: int) -> Iterator[_Shop]:
    lasting = check("seconds", seconds, LASTING)
    rate = check("orders_per_second", orders_per_second, RATE)
    gaps = np.random.default_rng([seed, 0]).exponential(1 / rate, int(2 * rate * lasting) + 50)
    due = np.cumsum(gaps)
    due = due[due < lasting]
    if not len(due):
        raise ValueError(
            f"seconds of {lasting:g} at orders_per_second of {rate:g} gave no order: ask for more"
        )
    orders = data.orders(DAY, len(due), seed=data.SEED + seed)
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="tradeoff-", ignore_cleanup_errors=True)
        )
        yield stack.enter_context(_Shop(Path(folder), orders, due, lasting))
