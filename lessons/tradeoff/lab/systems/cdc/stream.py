"""The changes of a table in the order of their commits, read from a replication slot."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tradeoff.lab.systems.cdc.pgoutput import (
    UNSENT,
    Begin,
    Commit,
    Decoder,
    Delete,
    Insert,
    Row,
    Truncate,
    Update,
)
from tradeoff.lab.systems.cdc.slots import (
    TABLE,
    SlotInUse,
    Source,
    SourceGone,
    drop,
    prepare,
    replicating,
    text,
    told,
)
from tradeoff.lab.systems.processes import LabError

SLOT = "tradeoff_cdc"
ASK_SECONDS = 0.05  # how often an idle stream asks how far the server has read
MOST_CHANGES = 20_000  # that one `read` returns, unless one transaction is larger


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was inserted, updated or deleted, or a table that was truncated.

    Attributes
    ----------
    lsn : end of its transaction in the WAL, in bytes: the position to confirm. All changes of a
        transaction share it, later transactions have larger ones.
    number : its place in its transaction, from 0; `(lsn, number)` is a change's name for good.
    kind : "insert", "update", "delete" or "truncate".
    committed_seconds : when it was committed, since the epoch, by the server's clock.
    row : the row after the change; a deleted row as it was. Timestamps are microseconds since the
        epoch, text where no calendar holds them ("infinity"). Empty for "truncate".
    before : the row before an update or delete.
    """

    lsn: int
    number: int
    kind: str
    committed_seconds: float
    row: Row
    before: Row | None = None


class Stream:
    """The changes of one table, in the order of their commits; made by `changes`.

    Only `end_at` may be called from another thread.

    Attributes
    ----------
    position : every change that was committed before it has been returned.
    busy_seconds : spent receiving and decoding, waiting left out.
    """

    def __init__(self, cursor: Any, slot: str, start: int) -> None:
        self.slot, self.position, self.busy_seconds = slot, start, 0.0
        self._cursor, self._decoder, self._start = cursor, Decoder(), start
        self._open: list[tuple[str, Row, Row | None]] = []
        self._inside = False
        self._until: int | None = None
        self._asked = 0.0

    def read(self, wait_seconds: float = 0.0) -> list[Change]:
        """What has arrived, whole transactions only; waits so long for the first of them.

        Raises SourceGone when the server goes away.
        """
        taken: list[Change] = []
        began, waited = time.perf_counter(), 0.0
        end = began + wait_seconds
        with told(self.slot):
            while len(taken) < MOST_CHANGES:
                if message := self._cursor.read_message():
                    taken += self._decoded(message.payload)
                    continue
                if not self._inside:
                    self.position = max(self.position, self._cursor.wal_end)
                now = time.perf_counter()
                if taken or now >= end or self.ended:
                    break
                if now >= self._asked + ASK_SECONDS:  # its answer wakes us: ask seldom
                    self._cursor.send_feedback(reply=True)
                    self._asked = now
                wait = min(end, self._asked + ASK_SECONDS) - now
                select.select([self._cursor], [], [], wait)
                waited += time.perf_counter() - now
        self.busy_seconds += time.perf_counter() - began - waited
        return taken

    def __iter__(self) -> Iterator[Change]:
        """Change after change; endless until `end_at` is called."""
        while not self.ended:
            yield from self.read(0.2)

    def end_at(self, lsn: int) -> None:
        """Let the iteration end once all that was committed before this position has come."""
        self._until = lsn

    @property
    def ended(self) -> bool:
        """Whether all before the position given to `end_at` has come."""
        return self._until is not None and self.position >= self._until

    def confirm(self, lsn: int) -> None:
        """All changes up to this one are done with: the server may forget them, sends none again.

        Call it after the consumer's own commit, never before: a crash in between repeats changes,
        a crash after a confirmation that came too early loses them.
        """
        with told(self.slot):
            self._cursor.send_feedback(write_lsn=lsn, flush_lsn=lsn, apply_lsn=lsn, force=True)

    def _decoded(self, payload: bytes) -> list[Change]:
        """The changes of a transaction once its end is there, else none."""
        message = self._decoder.decode(payload)
        if isinstance(message, Begin):
            self._open, self._inside = [], True
        elif isinstance(message, Insert):
            self._open.append(("insert", message.new, None))
        elif isinstance(message, Update):
            old = message.old or {}
            new = {
                name: old.get(name) if value is UNSENT else value
                for name, value in message.new.items()
            }
            self._open.append(("update", new, message.old))
        elif isinstance(message, Delete):
            self._open.append(("delete", message.old, message.old))
        elif isinstance(message, Truncate):
            self._open.append(("truncate", {}, None))
        elif isinstance(message, Commit):
            self._inside = False
            self.position = max(self.position, message.end_lsn)
            if message.end_lsn > self._start:  # else the consumer has had it
                return [
                    Change(message.end_lsn, number, kind, message.committed_seconds, row, before)
                    for number, (kind, row, before) in enumerate(self._open)
                ]
        return []


@contextmanager
def changes(
    source: Source | str,
    slot: str = SLOT,
    *,
    table: str = TABLE,
    start: int = 0,
    keep: bool = False,
) -> Iterator[Stream]:
    """The changes of a table from now on, or from where the slot of this name was left.

    Parameters
    ----------
    source : a PostgreSQL (`.url`) or its libpq URL.
    slot : name of the replication slot, and of the publication beside it; made where missing. A
        slot that a killed consumer left is read on from its last confirmed position.
    table : "schema.table". Its replica identity is set to FULL, so that updates and deletes bring
        the row before: without that an amount that is corrected cannot be taken back.
    start : a position the consumer has stored: changes up to it are not returned again, whatever
        was confirmed.
    keep : leave the slot when the block ends; whoever keeps it must `drop` it, since a slot that
        nobody reads from keeps WAL for ever.

    Raises SlotInUse while another consumer reads from the slot, SourceGone without a server,
    LabError where it does not allow logical replication.
    """
    prepare(source, slot, table)
    try:
        with replicating(source, slot, start) as cursor:
            yield Stream(cursor, slot, start)
    except SlotInUse:
        keep = True  # it is another consumer's
        raise
    finally:
        if not keep:
            with suppress(SourceGone):  # never hide why the block ended
                drop(source, slot)


def signed(change: Change) -> list[Row]:
    """A change as rows to add up, each with its sign; see `land`.

    Raises LabError for a truncated table, whose rows nobody names, and for an update or delete that
    does not bring the whole row before.
    """
    if change.kind == "truncate":
        raise LabError(
            f"the table was truncated at {text(change.lsn)}: which rows that took away the log "
            "does not say; empty the result and start a new slot, or DELETE instead"
        )
    name: Row = {"committed": change.committed_seconds, "lsn": change.lsn, "number": change.number}
    rows = []
    if change.kind != "insert":
        if change.before is None or len(change.before) < len(change.row) or len(change.before) < 2:
            raise LabError(
                f"the {change.kind} at {text(change.lsn)} does not bring the row before: "
                "ALTER TABLE … REPLICA IDENTITY FULL, and start a new slot"
            )
        rows.append(change.before | name | {"sign": -1})
    if change.kind != "delete":
        rows.append(change.row | name | {"sign": 1})
    return rows
