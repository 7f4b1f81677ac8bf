"""A micro-batch loop over changes, as a process of its own: it can be killed and started again.

`python -m tradeoff.lab.systems.micro_batch PATH SLOT …` reads a slot's changes, and at each
trigger merges a batch of them into mart.fact_orders. The batch and the position up to which it read
stand in one transaction, so a loop that died between any two statements goes on from its last
commit. The server's address, which holds a password, comes by the variable TRADEOFF_CHANGES.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tradeoff.lab.systems import cdc
from tradeoff.lab.systems.cdc.pgoutput import BEGINNING, Row
from tradeoff.lab.systems.cdc.slots import told
from tradeoff.lab.systems.cdc.stream import MOST_CHANGES
from tradeoff.lab.systems.micro_batch.batches import (
    CORRECTED_TOO_LATE,
    Added,
    ChangeBatches,
    Outcome,
)
from tradeoff.lab.systems.processes import LabError

ADDRESS = "TRADEOFF_CHANGES"
# Where a kill can be asked for, in the order in which a batch comes past.
BEFORE_WRITE = "before the write"
BEFORE_COMMIT = "between write and commit"
BEFORE_CONFIRM = "after the commit, before the position is confirmed"
PHASES = (BEFORE_WRITE, BEFORE_COMMIT, BEFORE_CONFIRM)

SCHEMA = """
CREATE TABLE IF NOT EXISTS mart.checkpoint (
    path text PRIMARY KEY, lsn pg_lsn NOT NULL, batch bigint NOT NULL, late bigint NOT NULL,
    state text)
"""
MERGE = """
INSERT INTO mart.fact_orders AS fact
SELECT %s, each.* FROM unnest(
    %s::timestamp[], %s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS each
ON CONFLICT (path, window_start, category, region) DO UPDATE SET
    orders = fact.orders + excluded.orders,
    revenue_cents = fact.revenue_cents + excluded.revenue_cents
RETURNING window_start, category, region, orders
"""
ADVANCE = """
UPDATE mart.checkpoint SET lsn = %s, batch = batch + 1, late = late + %s, state = %s
WHERE path = %s AND lsn = %s
"""


class Loop:
    """One consumer: its stream of changes, and its sink with result and checkpoint."""

    def __init__(self, given: argparse.Namespace, url: str) -> None:
        self.given = given
        self._sink = _connect(url, given.slot)
        with told(given.slot), self._sink, self._sink.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('checkpoint', 0))")
            cursor.execute(SCHEMA)
            cursor.execute(
                "INSERT INTO mart.checkpoint VALUES (%s, '0/0', 0, 0) ON CONFLICT DO NOTHING",
                [given.path],
            )
            cursor.execute(
                "SELECT lsn - '0/0', batch, state FROM mart.checkpoint WHERE path = %s",
                [given.path],
            )
            position, self.batch, saved = cursor.fetchone()
            self.position = int(position)
            products = _products(cursor)
            cursor.execute(
                "SELECT order_id FROM raw.rejected WHERE path = %s AND reason <> %s",
                [given.path, CORRECTED_TOO_LATE],
            )
            refused = [order_id for (order_id,) in cursor.fetchall()]
        self._batches = ChangeBatches(products, given.window, given.watermark, saved, refused)
        _end_line(given.log)
        self._log = given.log.open("a", encoding="utf-8")

    def close(self) -> None:
        self._batches.close()
        self._log.close()
        self._sink.close()

    def run(self, stream: cdc.Stream) -> None:
        """A batch at each trigger, until all is in that came before the position in --end."""
        for changes, read_seconds in self._triggers(stream):
            ended = stream.ended
            if changes or (ended and self.given.watermark is not None):
                self._run_batch(stream, changes, read_seconds, ended)
            if ended:
                break
        stream.confirm(stream.position)  # also of what other tables wrote, which nobody waits for

    def _triggers(self, stream: cdc.Stream) -> Iterator[tuple[list[cdc.Change], float]]:
        """What has come, at each multiple of the interval; without one, as soon as it has come.

        Changes are received while a trigger is waited for, as they arrive; beside them, the seconds
        that this took, without the waiting.
        """
        every, origin = self.given.every, self.given.origin
        while True:
            changes: list[cdc.Change] = []
            busy = stream.busy_seconds
            due = (origin + ((time.time() - origin) // every + 1) * every) if every else 0.0
            while True:
                self._look_for_end(stream)
                left = due - time.time()
                if left <= 0 and (every or changes or stream.ended):
                    break
                changes += stream.read(min(left, 0.1) if every else 0.1)
                if stream.ended and every:
                    time.sleep(max(0.0, due - time.time()))
            yield changes, stream.busy_seconds - busy

    def _look_for_end(self, stream: cdc.Stream) -> None:
        if self.given.end is not None and self.given.end.exists():
            stream.end_at(int(self.given.end.read_text("utf-8")))

    def take_table(self, url: str) -> None:
        """A first batch: all that the table holds; the slot's changes go on from there.

        Cut short, it has written nothing, and is done again.
        """
        start = time.time()
        with cdc.snapshot(url, self.given.slot) as (position, rows):
            outcomes = []
            while part := list(itertools.islice(rows, MOST_CHANGES)):
                changes = [
                    cdc.Change(position, n, "insert", start, row) for n, row in enumerate(part)
                ]
                outcomes.append((len(part), self._batches.take(changes)))
            events = sum(count for count, _ in outcomes)
            self._write([outcome for _, outcome in outcomes], position, events, start, start, 0.0)

    def _run_batch(
        self, stream: cdc.Stream, changes: list[cdc.Change], read_seconds: float, last: bool
    ) -> None:
        start = time.time()
        if self._batches.lacks(changes):
            with told(self.given.slot), self._sink, self._sink.cursor() as cursor:
                self._batches.learn(_products(cursor))
        outcome = self._batches.take(changes)
        if last and self.given.watermark is not None:
            outcome.rows += self._batches.flush()
        position = changes[-1].lsn if changes else self.position
        committed = changes[0].committed_seconds if changes else start
        self._write([outcome], position, len(changes), committed, start, read_seconds)
        self._pause(BEFORE_CONFIRM)
        stream.confirm(position)

    def _write(
        self,
        outcomes: list[Outcome],
        position: int,
        events: int,
        committed: float,
        start: float,
        read_seconds: float,
    ) -> None:
        """Result and position, in one transaction; then a line of the log."""
        state = self._batches.state() if self.given.watermark is not None else None
        transformed = time.time()
        self._pause(BEFORE_WRITE)
        with told(self.given.slot), self._sink, self._sink.cursor() as cursor:
            counts = [group for outcome in outcomes for group in self._merge(cursor, outcome)]
            self._pause(BEFORE_COMMIT)
            advance = [cdc.text(position), sum(outcome.late for outcome in outcomes), state]
            cursor.execute(ADVANCE, [*advance, self.given.path, cdc.text(self.position)])
            if cursor.rowcount != 1:
                raise LabError(
                    f"path {self.given.path!r} is not at {cdc.text(self.position)} any more: "
                    "another loop writes to it. One path takes one loop; this one wrote nothing"
                )
        seen = time.time()
        self.position, self.batch = position, self.batch + 1
        windows, entries = self._batches.held
        line = {
            "batch": self.batch,
            "events": events,
            "committed": committed,
            "start": start,
            "seen": seen,
            "read": read_seconds,
            "transform": transformed - start,
            "write": seen - transformed,
            "windows": windows,
            "entries": entries,
            "state_bytes": len(state.encode()) if state else 0,
            "counts": counts,
        }
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()

    def _merge(self, cursor: Any, outcome: Outcome) -> list[list[Any]]:
        """Write a batch; returns the groups it touched, with the count they now have."""
        path = self.given.path
        counts = []
        if outcome.rows:
            cursor.execute(MERGE, [path, *_columns(outcome.rows)])
            counts = [
                [(at - BEGINNING) // timedelta(microseconds=1), *others]
                for at, *others in cursor.fetchall()
            ]
            if any(orders < 0 for *_, orders in counts):
                raise LabError(
                    f"path {path!r} would hold fewer than no orders: an order was taken back that "
                    "it never counted. Were orders in the table before? Begin with a snapshot"
                )
            if any(orders <= 0 for *_, orders, _ in outcome.rows):
                cursor.execute(
                    "DELETE FROM mart.fact_orders WHERE path = %s AND orders = 0", [path]
                )
        if outcome.accepted:
            cursor.execute(
                "DELETE FROM raw.rejected WHERE path = %s AND order_id = ANY(%s) AND reason <> %s",
                [path, outcome.accepted, CORRECTED_TOO_LATE],
            )
        for row, reason in outcome.rejected:
            cursor.execute(
                "INSERT INTO raw.rejected VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [path, *self._as_rejected(row), reason],
            )
        return counts

    def _as_rejected(self, row: Row) -> list[Any]:
        at = row["order_timestamp"]
        known = isinstance(at, int)
        window = self.given.window * 1_000_000
        return [
            _moment(at // window * window) if known else None,
            row["order_id"],
            _moment(at) if known else at,
            *(row[name] for name in ("product_id", "region", "amount_cents")),
        ]

    def _pause(self, phase: str) -> None:
        """Where a kill was asked for: say that it is reached, and wait for it."""
        if self.given.pause == phase:
            beside = self.given.log.with_suffix(".paused")
            beside.write_text(phase, encoding="utf-8")
            time.sleep(600)


def _end_line(log: Path) -> None:
    """Cut off the half of a line with which a log ends whose disk was full."""
    if log.exists():
        whole = log.read_bytes().rpartition(b"\n")
        os.truncate(log, len(whole[0] + whole[1]))


def _products(cursor: Any) -> dict[int, str]:
    cursor.execute("SELECT product_id, category FROM dim.product")
    return dict(cursor.fetchall())


def _columns(rows: list[Added]) -> list[list[Any]]:
    starts, *others = zip(*rows, strict=True)
    return [[_moment(start) for start in starts], *map(list, others)]


def _moment(microseconds: int) -> datetime:
    return BEGINNING + timedelta(microseconds=microseconds)


def _connect(url: str, name: str) -> Any:
    import psycopg2

    with told():
        return psycopg2.connect(url, application_name=name)


def main(arguments: list[str]) -> None:
    """Without --every a batch follows the one before as soon as something has come."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("slot")
    parser.add_argument("--log", type=Path, required=True, help="a line for each batch")
    parser.add_argument("--end", type=Path, help="a file that will hold the position to end at")
    parser.add_argument("--every", type=float, default=0.0)
    parser.add_argument("--origin", type=float, default=0.0)
    parser.add_argument("--window", type=int, default=3600)
    parser.add_argument("--watermark", type=float)
    parser.add_argument("--snapshot", action="store_true", help="begin with the whole table")
    parser.add_argument("--pause", choices=PHASES)
    given = parser.parse_args(arguments)
    url = os.environ[ADDRESS]
    try:
        with closing(Loop(given, url)) as loop:
            if given.snapshot and not loop.position:
                loop.take_table(url)
            with cdc.changes(url, given.slot, start=loop.position, keep=True) as stream:
                given.log.with_suffix(".ready").write_text(str(os.getpid()), encoding="utf-8")
                loop.run(stream)
    except LabError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except OSError as error:
        sys.exit(
            f"{given.log.parent} takes no line any more: {error}. What was committed is in the "
            "table, and no change is lost: make room there, and start again"
        )
