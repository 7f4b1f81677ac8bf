"""Producer and consumer of the lag experiment, each a process of its own: `tradeoff.lab.lag`.

Run by its path and with the standard library alone, so that a killed consumer is back in
milliseconds. The queue is an append-only SQLite log. A consumer owns one more file, which holds its
committed offset and the result of its work, and writes both in one transaction; to a third it
appends a message for each event, which, like a mail that is sent, no transaction takes back.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import struct
import sys
import threading
import time
from pathlib import Path

LOG = "log.sqlite"
MESSAGE = struct.Struct("<q")
APPEND_EVERY_SECONDS = 0.02
POLL_SECONDS = 0.005


def connect(path: Path) -> sqlite3.Connection:
    """A write-ahead log, so that readers do not wait; it survives its process, not a power cut."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def create_log(folder: Path) -> None:
    log = connect(folder / LOG)
    log.execute(
        "CREATE TABLE events (log_offset INTEGER PRIMARY KEY, amount_cents INTEGER NOT NULL)"
    )
    log.close()


def produce(folder: Path, events_per_second: float) -> None:
    """Append the events that are due, by the clock, until the process is stopped."""
    log = connect(folder / LOG)
    [last] = log.execute("SELECT coalesce(max(log_offset), 0) FROM events").fetchone()
    first, started = last, time.monotonic()
    while True:
        due = first + int((time.monotonic() - started) * events_per_second)
        if due > last:
            rows = [(offset, offset * 7919 % 10_000) for offset in range(last + 1, due + 1)]
            log.execute("BEGIN IMMEDIATE")
            log.executemany("INSERT INTO events VALUES (?, ?)", rows)
            log.execute("COMMIT")
            last = due
        time.sleep(APPEND_EVERY_SECONDS)


def consume(folder: Path, name: str, wait_seconds: float, most_events: int) -> None:
    """Read on from the committed offset, work, and commit result and offset together, for ever."""
    log, own = connect(folder / LOG), connect(folder / f"{name}.sqlite")
    own.execute(
        "CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY CHECK (id = 1),"
        " committed INTEGER, events INTEGER, amount_cents INTEGER)"
    )
    own.execute("INSERT OR IGNORE INTO progress VALUES (1, 0, 0, 0)")
    [committed] = own.execute("SELECT committed FROM progress").fetchone()
    messages = os.open(
        folder / f"{name}.messages",
        os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0),
    )
    while True:
        rows = log.execute(
            "SELECT log_offset, amount_cents FROM events WHERE log_offset > ?"
            " ORDER BY log_offset LIMIT ?",
            (committed, most_events),
        ).fetchall()
        if not rows:
            time.sleep(POLL_SECONDS)
            continue
        os.write(messages, b"".join(MESSAGE.pack(offset) for offset, _ in rows))
        time.sleep(wait_seconds * len(rows))
        committed = rows[-1][0]
        own.execute(
            "UPDATE progress SET committed = ?, events = events + ?,"
            " amount_cents = amount_cents + ?",
            (committed, len(rows), sum(amount for _, amount in rows)),
        )


def _stop_with_the_parent() -> None:
    """The parent holds the other end of stdin: when it is gone, however, so are we."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--produce", type=float, metavar="EVENTS_PER_SECOND")
    parser.add_argument("--consume", metavar="NAME")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS_PER_EVENT")
    parser.add_argument("--most", type=int, default=100, metavar="EVENTS_PER_COMMIT")
    asked = parser.parse_args()
    threading.Thread(target=_stop_with_the_parent, daemon=True).start()
    if asked.produce is not None:
        produce(asked.folder, asked.produce)
    else:
        consume(asked.folder, asked.consume, asked.wait, asked.most)


if __name__ == "__main__":
    main()
