"""A micro-batch loop as a process of its own: read what is new, add it up, commit, wait.

`python -P trigger_loop.py FOLDER NAME …` is one consumer of the order log that
`tradeoff.lab.micro_batch` writes. Result and offset stand in one SQLite file and change in one
transaction: a loop that is killed and started again goes on from its last commit. Standard library
only, and run as a file (not as a module of its package), so that a restart is quick.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

LOG = "log.sqlite"
CLOSED = "closed"  # the source has ended: what stands in the log is all
LOOK_AGAIN_SECONDS = 0.005  # without a trigger, when nothing is new

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (region TEXT PRIMARY KEY, orders INTEGER, revenue_cents INTEGER);
CREATE TABLE IF NOT EXISTS checkpoint (
    only INTEGER PRIMARY KEY CHECK (only = 1), position INTEGER, batch INTEGER);
CREATE TABLE IF NOT EXISTS batches (
    batch INTEGER PRIMARY KEY, first INTEGER, last INTEGER, start REAL, committing REAL);
CREATE TABLE IF NOT EXISTS mail (order_id INTEGER PRIMARY KEY);
INSERT OR IGNORE INTO checkpoint VALUES (1, 0, 0);
"""
UPSERT = """
INSERT INTO facts VALUES (?, ?, ?)
ON CONFLICT (region) DO UPDATE SET
    orders = orders + excluded.orders, revenue_cents = revenue_cents + excluded.revenue_cents
"""
NEW = "SELECT position, order_id, region, amount_cents FROM log WHERE position > ? ORDER BY 1"

Row = tuple[int, int, str, int]


class Loop:
    """One consumer: its view of the log, and its sink with result and checkpoint."""

    def __init__(self, folder: Path, name: str, mail: bool, stop_in: int | None) -> None:
        self._closed, self._mail, self._stop_in = folder / CLOSED, mail, stop_in
        self._log = sqlite3.connect(folder / LOG, isolation_level=None, timeout=30)
        self._sink = sqlite3.connect(folder / f"{name}.sqlite", isolation_level=None, timeout=30)
        self._sink.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
        self._sink.executescript(SCHEMA)
        [(self.position, self.batch)] = self._sink.execute("SELECT position, batch FROM checkpoint")
        # Beside the sink, without a transaction: when results could be read, and what was mailed.
        self._seen = (folder / f"{name}.seen").open("a", encoding="utf-8")
        self._outbox = (folder / f"{name}.outbox").open("a", encoding="utf-8")

    def close(self) -> None:
        for each in (self._log, self._sink, self._seen, self._outbox):
            each.close()

    def ended(self) -> bool:
        """True when the source has ended and everything in the log is committed."""
        if not self._closed.exists():
            return False
        [(last,)] = self._log.execute("SELECT coalesce(max(position), 0) FROM log")
        return bool(self.position >= last)

    def run_batch(self) -> bool:
        """Take what is new; False when nothing is."""
        start = time.time()
        rows = self._log.execute(NEW, (self.position,)).fetchall()
        if not rows:
            return False
        batch = self.batch + 1
        if self._mail:
            self._send(rows)
        added = totals(rows)
        first, last = rows[0][0], rows[-1][0]
        self._sink.execute("BEGIN IMMEDIATE")
        self._sink.executemany(UPSERT, [(region, *sums) for region, sums in added.items()])
        if batch == self._stop_in:
            print("mailed, not committed", flush=True)
            time.sleep(600)  # until somebody kills this process
        self._sink.execute("UPDATE checkpoint SET position = ?, batch = ?", (last, batch))
        self._sink.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?)", (batch, first, last, start, time.time())
        )
        self._sink.execute("COMMIT")
        self._seen.write(json.dumps([batch, time.time()]) + "\n")
        self._seen.flush()
        self.position, self.batch = last, batch
        return True

    def _send(self, rows: list[Row]) -> None:
        """A side effect for each order, outside the batch's transaction, into two kinds of sink."""
        for _, order_id, _, _ in rows:
            self._outbox.write(f"{order_id}\n")  # append: nothing knows that it was sent before
        self._outbox.flush()
        self._sink.execute("BEGIN")
        self._sink.executemany(  # keyed: a second time changes nothing
            "INSERT OR IGNORE INTO mail VALUES (?)", [(order_id,) for _, order_id, _, _ in rows]
        )
        self._sink.execute("COMMIT")


def totals(rows: list[Row]) -> dict[str, list[int]]:
    """Orders and revenue in cents by region: the transform, the same for a batch of any size."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for _, _, region, cents in rows:
        sums[region][0] += 1
        sums[region][1] += cents
    return sums


def ticks(origin: float, interval: float) -> Iterator[None]:
    """Return at each multiple of the interval after the origin; ticks missed are not made up."""
    while True:
        passed = (time.time() - origin) // interval
        time.sleep(max(0.0, origin + (passed + 1) * interval - time.time()))
        yield


def main(arguments: list[str]) -> None:
    """Consume until the source has ended. Without --every a batch follows the one before at once;
    with --once one batch takes all there is.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--every", type=float, default=0.0)
    parser.add_argument("--origin", type=float, default=0.0)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--mail", action="store_true")
    parser.add_argument("--stop-in", type=int)
    given = parser.parse_args(arguments)
    with closing(Loop(given.folder, given.name, given.mail, given.stop_in)) as loop:
        print("ready", flush=True)
        if given.once:
            loop.run_batch()
        elif given.every:
            for _ in ticks(given.origin, given.every):
                loop.run_batch()
                if loop.ended():
                    break
        else:
            while not loop.ended():
                if not loop.run_batch():
                    time.sleep(LOOK_AGAIN_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
