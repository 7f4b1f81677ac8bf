"""The micro-batch path: changes of raw.orders, merged into the mart at each trigger, by DuckDB.

    with postgres.open_source() as source:
        measured = run(source, data.orders("2026-04-25", 3_000), "1 s", seconds=10)
        measured.age(50), measured.wrong_rows(orders)

The loop is a process of its own (`change_loop`), which reads the orders from a replication slot
(`cdc`) and writes result and position in one transaction of the same PostgreSQL.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd

from tradeoff import data
from tradeoff.fit import BatchFit, fit_batches
from tradeoff.lab.order_log import ASAP, interval_seconds
from tradeoff.lab.systems import cdc, contract, needs
from tradeoff.lab.systems.change_loop import (
    ADDRESS,
    BEFORE_COMMIT,
    BEFORE_CONFIRM,
    BEFORE_WRITE,
    PHASES,
)
from tradeoff.lab.systems.processes import Program, running

if TYPE_CHECKING:
    from tradeoff.lab.systems.postgres import Source

__all__ = [
    "ASAP",
    "BEFORE_COMMIT",
    "BEFORE_CONFIRM",
    "BEFORE_WRITE",
    "PHASES",
    "Kill",
    "Loop",
    "MicroBatch",
    "fit",
    "following",
    "kill_and_restart",
    "predicted",
    "run",
    "sweep",
]

PATH = "micro_batch"
START_SECONDS = 60.0
GRACE_SECONDS = 60.0  # for a loop to take what has come after its last trigger, on a busy machine
BATCH = ["batch", "events", "start", "seen", "read", "transform", "write"]
KEPT = ["windows", "entries", "state_bytes"]


@dataclass(frozen=True, eq=False)
class MicroBatch(contract.Measured):
    """One run of the path.

    Attributes
    ----------
    batches : one row a batch: events (changes), seconds (from its trigger until it was visible),
        start and seen (those two moments, since the epoch), transform and write (the two parts of
        seconds), read (seconds spent receiving its changes, before the trigger), windows, entries
        and state_bytes (held after it).
    played_per_second : the rate at which the orders were committed.
    late : changes too late for their window. rejected : orders refused, by reason; late ones too.
    """

    batches: pd.DataFrame = field(default_factory=pd.DataFrame)
    played_per_second: float = float("nan")
    late: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)


class Loop:
    """A loop that follows the orders and can be killed and started again; made by `following`."""

    def __init__(self, source: Source, path: str, every: str, words: list[str], at: Path) -> None:
        self.source, self.path, self.every = source, path, every
        self.slot = f"tradeoff_{path}"
        self.start_seconds = 0.0
        self._words, self._log, self._end = words, at / "batches.jsonl", at / "end"
        self._said = at / "said.txt"
        self._exit = ExitStack()
        self.program: Program | None = None

    def start(self, pause: str | None = None) -> None:
        """Start it; with `pause`, one of `PHASES`, its first batch stops there until it is killed.

        Raises LabError when it ends before it is ready.
        """
        for suffix in (".ready", ".paused"):
            self._log.with_suffix(suffix).unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", "tradeoff.lab.systems.change_loop", self.path]
        command += [self.slot, "--log", str(self._log), "--end", str(self._end), *self._words]
        command += ["--pause", pause] if pause else []
        began = time.monotonic()
        self.program = self._exit.enter_context(
            running(
                "the micro-batch loop",
                command,
                self._said,
                environment={ADDRESS: self.source.url},
            )
        )
        self.program.wait_for(self._log.with_suffix(".ready").exists, START_SECONDS)
        self.start_seconds = time.monotonic() - began

    def wait_until_paused(self) -> None:
        """Until it has stopped where `start` was told to."""
        assert self.program is not None
        self.program.wait_for(self._log.with_suffix(".paused").exists, START_SECONDS)

    def kill(self) -> None:
        """SIGKILL, as in a power cut: nothing of its own is cleaned up."""
        assert self.program is not None
        self.program.kill()

    def finish(self) -> None:
        """Let it take all that was committed before this call, and wait for its end.

        Raises LabError when it fails: the message is what it said.
        """
        assert self.program is not None
        beside = self._end.with_suffix(".new")
        beside.write_text(str(cdc.position(self.source)), encoding="utf-8")
        beside.replace(self._end)
        self.program.finish(interval_seconds(self.every) + GRACE_SECONDS)
        self._end.unlink()

    def close(self) -> None:
        self._exit.close()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it wrote of each batch; a batch that it was killed in has no line."""
        if not self._log.exists():
            return []
        return [json.loads(line) for line in self._log.read_text("utf-8").splitlines()]

    @property
    def late(self) -> int:
        query = "SELECT late FROM mart.checkpoint WHERE path = %s"
        return int(self.source.execute(query, [self.path])[0][0])


@contextmanager
def following(
    source: Source,
    every: str = ASAP,
    *,
    window: str = "1h",
    watermark: str | None = None,
    path: str = PATH,
) -> Iterator[Loop]:
    """A loop, started and ready, that takes all changes committed while the block runs.

    Parameters
    ----------
    every : trigger interval, such as "1 s", on multiples since the block began; or `ASAP`.
    window : length of an event-time window, whole seconds. watermark : None updates the table with
        each batch, however late an order is; else a window appears once, when the newest order is
        more than this past its end, and orders that come later are rejected and counted as late.
    path : the results' partition, emptied first; lower-case letters, digits and _.

    The slot goes with the block. Raises LabError, its sub-classes of `cdc` and ValueError.
    """
    needs.demand("the micro-batch path", "psycopg2", "pyarrow")
    if not re.fullmatch("[a-z][a-z0-9_]{0,40}", path):
        raise ValueError(f"path must be lower-case letters, digits and _, got {path!r}")
    length = pd.Timedelta(window).total_seconds()
    if length < 1 or length != int(length):
        raise ValueError(f"window must be whole seconds, at least one, got {window!r}")
    words = ["--window", str(int(length)), "--origin", repr(time.time())]
    if interval := interval_seconds(every):
        words += ["--every", repr(interval)]
    if watermark is not None:
        words += ["--watermark", repr(pd.Timedelta(watermark).total_seconds())]
    _empty(source, path)
    with tempfile.TemporaryDirectory(prefix="tradeoff-") as folder:
        loop = Loop(source, path, every, words, Path(folder))
        cdc.prepare(source, loop.slot)
        try:
            loop.start()
            yield loop
        finally:
            loop.close()
            with suppress(cdc.SourceGone):  # a slot of a server that is gone cannot be dropped
                cdc.drop(source, loop.slot)


def run(
    source: Source,
    orders: pd.DataFrame,
    every: str = ASAP,
    *,
    seconds: float = 5.0,
    window: str = "1h",
    watermark: str | None = None,
    path: str = PATH,
) -> MicroBatch:
    """Play the orders into the source over so many seconds and follow them; see `following`.

    Ages and table are those of the orders that were counted; raises as `following`.
    """
    with following(source, every, window=window, watermark=watermark, path=path) as loop:
        committed = source.play(orders, seconds)
        loop.finish()
        return measured(loop, orders, committed, window)


def measured(
    loop: Loop, orders: pd.DataFrame, committed: pd.Series | None = None, window: str = "1h"
) -> MicroBatch:
    """What a loop that has finished made of these orders.

    Ages need `committed`, as `play` returns it, a loop that was not killed (it does not tell when
    what became visible), and orders of which none was corrected.
    """
    lines = loop.lines
    batches = pd.DataFrame(lines, columns=[*BATCH, *KEPT])
    batches["seconds"] = batches["seen"] - batches["start"]
    rejected = loop.source.read_rejected(loop.path)
    counted = orders[~orders["order_id"].isin(rejected["order_id"])]
    groups = [[*group, line["seen"]] for line in lines for group in line["counts"]]
    seen = pd.DataFrame(groups, columns=[*contract.KEYS, "orders", "at"])
    seen["window_start"] = pd.to_datetime(seen["window_start"], unit="us")
    # A reason may end with the value that was refused.
    reasons = rejected["reason"].str.split(":").str[0].value_counts()
    return MicroBatch(
        system="micro-batch",
        engine=f"DuckDB {duckdb.__version__}",
        setting=loop.every if loop.every == ASAP else f"{loop.every} trigger",
        orders=len(orders),
        table=loop.source.read_facts(loop.path),
        rows_read=int(batches["events"].sum()),
        seconds=float(batches["seen"].max() - batches["start"].min()),
        stages={
            "start": loop.start_seconds,
            **{stage: float(batches[stage].sum()) for stage in ("read", "transform", "write")},
        },
        ages=np.empty(0) if committed is None else contract.ages(counted, committed, seen, window),
        state_bytes=int(batches["state_bytes"].max()),
        batches=batches,
        played_per_second=(
            float("nan") if committed is None else len(orders) / max(float(np.ptp(committed)), 1e-9)
        ),
        late=loop.late,
        rejected={str(reason): int(count) for reason, count in reasons.items()},
    )


# --- kills ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill:
    """A SIGKILL, and what the server said of the loop just before.

    Attributes
    ----------
    phase : where it was asked for. transaction : the sink connection's state: "idle", or "idle in
        transaction" with rows written and not committed.
    committed : whether the batch's transaction had been committed.
    confirmed : whether the slot had been told so.
    """

    phase: str
    transaction: str
    committed: bool
    confirmed: bool


def kill_and_restart(
    source: Source,
    orders: pd.DataFrame,
    kills: int = 20,
    *,
    window: str = "1h",
    watermark: str | None = None,
    path: str = PATH,
) -> tuple[MicroBatch, list[Kill]]:
    """Kill the loop so many times, in each of the `PHASES` in turn, and start it again each time.

    Each kill hits a batch with orders in it: those that have just come, and those of the batch
    before where that was lost.
    """
    parts = np.array_split(np.arange(len(orders)), kills + 1)
    hit = []
    with following(source, window=window, watermark=watermark, path=path) as loop:
        loop.kill()
        for number, part in enumerate(parts[:-1]):
            phase = PHASES[number % len(PHASES)]
            [before] = _batch(loop)
            loop.start(pause=phase)
            source.play(orders.iloc[part], 0.02)
            loop.wait_until_paused()
            [after] = _batch(loop)
            hit.append(Kill(phase, _transaction(loop), after > before, _confirmed(loop)))
            loop.kill()
        loop.start()
        source.play(orders.iloc[parts[-1]], 0.02)
        loop.finish()
        return measured(loop, orders, window=window), hit


def _batch(loop: Loop) -> Sequence[int]:
    rows = loop.source.execute("SELECT batch FROM mart.checkpoint WHERE path = %s", [loop.path])
    return [int(batch) for (batch,) in rows]


def _transaction(loop: Loop) -> str:
    rows = loop.source.execute(
        "SELECT state FROM pg_stat_activity WHERE application_name = %s", [loop.slot]
    )
    return ", ".join(str(state) for (state,) in rows)


def _confirmed(loop: Loop) -> bool:
    rows = loop.source.execute(
        "SELECT confirmed_flush_lsn >= lsn FROM mart.checkpoint, pg_replication_slots "
        "WHERE path = %s AND slot_name = %s",
        [loop.path, loop.slot],
    )
    return bool(rows[0][0])


# --- beside the model -----------------------------------------------------------------------------


def sweep(
    source: Source,
    triggers: Iterable[str],
    *,
    orders_per_second: float | Iterable[float] = 300.0,
    seconds: float = 8.0,
) -> list[MicroBatch]:
    """The path at several triggers and rates, one run after the other, each on a day of its own.

    Every run's `batches` give pairs of events and seconds, from which overhead and cost of an event
    follow; `fit` does so.
    """
    rates = [orders_per_second] if isinstance(orders_per_second, float | int) else orders_per_second
    day = pd.Timestamp("2026-05-01")
    runs: list[MicroBatch] = []
    for rate in rates:
        for every in triggers:
            orders = data.orders(day, round(rate * seconds))
            runs.append(run(source, orders, every, seconds=seconds, path=f"sweep_{len(runs)}"))
            day += pd.Timedelta(days=1)
    return runs


def measurements(runs: Iterable[MicroBatch]) -> pd.DataFrame:
    """Runs as `tradeoff.fit_batches` takes them, one row each."""
    return pd.DataFrame(
        [
            {
                "events_per_second": each.played_per_second,
                "interval_seconds": _interval(each),
                "latency_p50_seconds": each.age(50),
                "latency_p99_seconds": each.age(99),
                "batch_seconds": float(each.batches["seconds"].mean()),
            }
            for each in runs
        ]
    )


def fit(runs: Iterable[MicroBatch]) -> BatchFit:
    """The model of a micro-batch pipeline, fitted to runs of this one."""
    return fit_batches(measurements(runs))


def predicted(fitted: BatchFit, held_out: Iterable[MicroBatch]) -> pd.DataFrame:
    """Prediction and measurement of runs that the fit has not seen.

    Columns setting, figure (p50, p99), predicted_seconds, measured_seconds, error_percent.
    """
    rows = []
    for each in held_out:
        [row] = measurements([each]).to_dict("records")
        said = fitted.predict(row["events_per_second"], row["interval_seconds"]).iloc[0]
        for figure in ("p50", "p99"):
            name = f"latency_{figure}_seconds"
            rows.append(
                {
                    "setting": each.setting,
                    "figure": figure,
                    "predicted_seconds": float(said[name]),
                    "measured_seconds": row[name],
                    "error_percent": 100.0 * (float(said[name]) / row[name] - 1.0),
                }
            )
    return pd.DataFrame(rows)


def _interval(run: MicroBatch) -> float:
    return interval_seconds(run.setting.removesuffix(" trigger"))


def _empty(source: Source, path: str) -> None:
    """A partition without rows, and no memory of an earlier loop."""
    source.write_facts(path, pd.DataFrame(columns=contract.FACTS), [])
    with source.transaction(f"emptying {path}") as cursor:
        cursor.execute("DELETE FROM mart.fact_orders WHERE path = %s", [path])
        cursor.execute("DELETE FROM raw.rejected WHERE path = %s", [path])
        cursor.execute("SELECT to_regclass('mart.checkpoint') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("DELETE FROM mart.checkpoint WHERE path = %s", [path])
