"""The micro-batch path: changes of raw.orders, merged into the mart at each trigger, by DuckDB.

    with postgres.open_source() as source:
        measured = run(source, data.orders("2026-04-25", 3_000), "1 s", seconds=10)
        measured.age(50), measured.wrong_rows(orders)

The loop is a process of its own (`loop`), which reads the orders from a replication slot
(`cdc`) and writes result and position in one transaction of the same PostgreSQL.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd

from tradeoff.lab.order_log import ASAP, interval_seconds
from tradeoff.lab.systems import cdc, contract, needs
from tradeoff.lab.systems.held_out import interleaved, pieces
from tradeoff.lab.systems.micro_batch.loop import ADDRESS
from tradeoff.lab.systems.processes import LabError, Program, running, scratch

if TYPE_CHECKING:
    from tradeoff.lab.systems.postgres import Source

PATH = "micro_batch"
DAY = "2026-04-25"  # whose orders a sweep counts
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
        """Start it; its first batch then stops at `pause`, if that is given, until it is killed.

        Parameters
        ----------
        pause : one of `loop.PHASES`.

        Raises LabError when it ends before it is ready.
        """
        for suffix in (".ready", ".paused"):
            self._log.with_suffix(suffix).unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", __name__, self.path]
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
        """What it wrote of each batch; a batch that it was killed in has no line, nor one after
        which its disk was full."""
        if not self._log.exists():
            return []
        whole = self._log.read_text("utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

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
    snapshot: bool = False,
    path: str = PATH,
) -> Iterator[Loop]:
    """A loop, started and ready, that takes all changes committed while the block runs.

    Parameters
    ----------
    every : trigger interval, such as "1 s", on multiples since the block began; or `ASAP`.
    window : length of an event-time window, whole seconds. watermark : None updates the table with
        each batch, however late an order is; else a window appears once, when the newest order is
        more than this past its end, and orders that come later are rejected and counted as late.
    snapshot : begin with the orders that are in the table already, as one batch. Without it they
        do not count, and must not be corrected.
    path : the results' partition, emptied first; lower-case letters, digits and _.

    The slot goes with the block; a notebook that is killed leaves it, `tradeoff_PATH`, on a server
    of yours, where it holds WAL: `cdc.drop` it. Raises LabError, its sub-classes of `cdc` and
    ValueError.
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
    if snapshot:
        words.append("--snapshot")
    _empty(source, path)
    with scratch() as folder:
        loop = Loop(source, path, every, words, folder)
        if not snapshot:  # else the loop makes it
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


def sweep(source: Source, events: Sequence[int], repeats: int = 3) -> pd.DataFrame:
    """What so many orders take, committed at once, one commit after the other into one loop.

    The orders are a day's, in their order. Ahead of each commit goes one of the smallest size that
    is not reported: what comes first, or after a large one, waits for the server's own work.

    Parameters
    ----------
    source : without orders. events : the sizes, at least 1 each.

    Returns columns events and seconds (from the commit, by the server's clock, until all of it is
    visible), a row a commit, sizes interleaved. Raises LabError for a wrong table, and as
    `following`.
    """
    sizes = [size for each in interleaved(events, repeats) for size in (min(events), each)]
    fed = pieces(DAY, sizes)
    with following(source) as loop:
        took = [_visible_after(loop, orders) for orders in fed]
        loop.finish()
        orders = pd.concat(fed)
        wrong = measured(loop, orders).wrong_rows(orders)
    if len(wrong):
        raise LabError(f"the micro-batch loop made a wrong table:\n{wrong.head()}")
    return pd.DataFrame({"events": sizes[1::2], "seconds": took[1::2]})


def _visible_after(loop: Loop, orders: pd.DataFrame) -> float:
    """Load them as one commit; the seconds from there until the loop has counted the last."""
    assert loop.program is not None
    before = len(loop.lines)
    loop.source.load(orders)
    loop.program.wait_for(
        lambda: sum(line["events"] for line in loop.lines[before:]) >= len(orders),
        GRACE_SECONDS + len(orders) / 1_000,  # a loop on a slow machine counts more than that
    )
    return float(loop.lines[-1]["seen"] - loop.lines[before]["committed"])


def measured(
    loop: Loop, orders: pd.DataFrame, committed: pd.Series | None = None, window: str = "1h"
) -> MicroBatch:
    """What a loop that has finished made of these orders; of batches, those that it ended.

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
        seconds=float(batches["seen"].max() - (batches["start"] - batches["read"]).min()),
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


def _empty(source: Source, path: str) -> None:
    """A partition without rows, and no memory of an earlier loop."""
    source.write_facts(path, pd.DataFrame(columns=contract.FACTS), [])
    with source.transaction(f"emptying {path}") as cursor:
        cursor.execute("DELETE FROM mart.fact_orders WHERE path = %s", [path])
        cursor.execute("DELETE FROM raw.rejected WHERE path = %s", [path])
        cursor.execute("SELECT to_regclass('mart.checkpoint') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("DELETE FROM mart.checkpoint WHERE path = %s", [path])
