"""Orders that arrive in a log, and the loops that read it: processes that can be killed.

A thread appends orders as they arrive (SQLite, a commit for each handful); consumers are processes
of their own (`trigger_loop`), each with its own trigger, result and checkpoint. All files live in a
temporary folder that is gone when the block ends, also when it is interrupted.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.lab import trigger_loop
from tradeoff.model import Cadence
from tradeoff.model.quantities import Quantity, check

ASAP = "as soon as possible"
ONCE = "once"  # one batch over all there is, after the source has ended
DAY = "2026-04-25"
RATE = Quantity("orders a second", above=0, most=20_000)
LASTING = Quantity("seconds", above=0, most=600)
INTERVAL = Quantity("seconds between triggers", least=0.05, most=60)
GRACE_SECONDS = 60.0  # for a consumer to finish after its last tick, on a busy machine
LOG_SCHEMA = """
CREATE TABLE log (position INTEGER PRIMARY KEY, order_id INTEGER, region TEXT,
                  amount_cents INTEGER, arrived REAL)
"""


class LoopError(RuntimeError):
    """A consumer ended when it should not have; the message holds what it said."""


def interval_seconds(every: str) -> float:
    """Seconds of a trigger, 0 for `ASAP` and `ONCE`. Raises ValueError below 50 ms, above 1 min."""
    if every in (ASAP, ONCE):
        return 0.0
    return check("interval_seconds", Cadence.every(every).interval_seconds, INTERVAL)


class Consumer:
    """A consumer's process; killed if still alive when the shop closes."""

    def __init__(self, shop: Shop, every: str, interval: float, options: tuple[str, ...]) -> None:
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


class Shop:
    """A folder with the log, the thread that fills it, and the consumers that read it."""

    def __init__(self, folder: Path, orders: pd.DataFrame, due: np.ndarray, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        # Ticks lie on multiples of the interval from here on; restarts keep to them.
        self.origin = self.began = 0.0
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
        self._consumers: list[Consumer] = []
        with closing(self._open_log()) as log:
            log.execute("PRAGMA journal_mode = WAL")  # readers do not hold up the source
            log.execute(LOG_SCHEMA)
        self.origin = time.time()

    def __enter__(self) -> Shop:
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

    def start(self, every: str, interval: float, *options: str) -> Consumer:
        consumer = Consumer(self, every, interval, options)
        self._consumers.append(consumer)
        consumer.hear("ready")
        return consumer

    def let_arrive(self) -> None:
        self.begin()
        self.end()

    def begin(self) -> None:
        self.began = time.time()
        self._source.start()

    def end(self) -> None:
        self._source.join()
        if self._failed:
            raise LoopError(f"the source failed: {self._failed[0]}")

    def _open_log(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / trigger_loop.LOG, isolation_level=None, timeout=30)

    def _arrive(self) -> None:
        """Append what is due, and say when: the moment at which it can be read."""
        try:
            with closing(self._open_log()) as log:
                log.execute("PRAGMA synchronous = OFF")
                done = 0
                while done < len(self._rows) and not self._stop.is_set():
                    now = time.time()
                    due = int(np.searchsorted(self._due, now - self.began, "right"))
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
            (self.folder / trigger_loop.CLOSED).touch()  # loops end once they have it all
        except BaseException as error:  # shown by the thread that waits for this one
            self._failed.append(error)

    def measure(self, every: str, interval: float) -> dict[str, Any]:
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
        began = self.began
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
def open_shop(seconds: float, orders_per_second: float, seed: int) -> Iterator[Shop]:
    """A shop whose orders will arrive for so long, at that rate (Poisson). Raises ValueError."""
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
        yield stack.enter_context(Shop(Path(folder), orders, due, lasting))
