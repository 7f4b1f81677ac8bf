"""A replication slot: what PostgreSQL remembers of a consumer of changes, and holds back for it.

Beside each slot stands a publication of the same name, which says whose changes are sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from tradeoff.lab.systems import needs
from tradeoff.lab.systems.cdc.pgoutput import VALUES, Row
from tradeoff.lab.systems.processes import LabError

TABLE = "raw.orders"
# A server whose consumer was killed lets go of the slot when it finds the connection closed.
IN_USE_SECONDS = 5.0


class SlotInUse(LabError):
    """Another consumer reads from this slot."""


class SourceGone(LabError):
    """PostgreSQL is not there, or went away; the slot remains and can be read on from."""


class Source(Protocol):
    """A PostgreSQL by its libpq URL: what `postgres.open_source` gives."""

    @property
    def url(self) -> str: ...


def prepare(source: Source | str, slot: str, table: str = TABLE) -> None:
    """Make publication and slot where they are missing: changes committed from now on are kept."""
    publish(source, slot, table)
    from psycopg2 import errors

    with connected(source, slot) as cursor:
        cursor.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", (slot,))
        if cursor.fetchone() is None:
            with suppress(errors.DuplicateObject):
                cursor.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))


def publish(source: Source | str, slot: str, table: str = TABLE) -> None:
    """Make the publication where it is missing; updates and deletes then bring the row before.

    Raises LabError where the server does not allow logical replication or lacks the table.
    """
    needs.demand("change data capture", "psycopg2")
    from psycopg2 import errors

    with connected(source, slot) as cursor:
        cursor.execute("SHOW wal_level")
        [level] = cursor.fetchone()
        if level != "logical":
            raise LabError(f"wal_level must be logical, got {level}: set it and restart PostgreSQL")
        cursor.execute("SELECT relreplident FROM pg_class WHERE oid = to_regclass(%s)", (table,))
        found = cursor.fetchone()
        if found is None:
            raise LabError(f"table must be one of the database, got {table}")
        if found[0] != "f":
            cursor.execute(f"ALTER TABLE {table} REPLICA IDENTITY FULL")
        # Before the slot: a change is looked up in the publication as it was when it was made.
        cursor.execute("SELECT 1 FROM pg_publication WHERE pubname = %s", (slot,))
        if cursor.fetchone() is None:
            with suppress(errors.DuplicateObject):
                cursor.execute(f'CREATE PUBLICATION "{slot}" FOR TABLE {table}')


@contextmanager
def snapshot(
    source: Source | str, slot: str, table: str = TABLE, order: str = "order_timestamp"
) -> Iterator[tuple[int, Iterator[Row]]]:
    """Make a slot anew, beside the table as it was at the slot's first position.

    Yields that position and the table's rows, by a column: with the changes after it, every row
    comes exactly once, whoever writes meanwhile. The rows are read as they are asked for.
    """
    drop(source, slot)
    publish(source, slot, table)
    import psycopg2
    from psycopg2.extras import LogicalReplicationConnection

    url = url_of(source)
    with told(slot):
        maker = psycopg2.connect(url, connection_factory=LogicalReplicationConnection)
    with closing(maker), maker.cursor() as command:
        with told(slot):
            # What is exported lives as long as this connection does nothing else.
            command.execute(f'CREATE_REPLICATION_SLOT "{slot}" LOGICAL pgoutput EXPORT_SNAPSHOT')
            _, first, exported, _ = command.fetchone()
            reader = psycopg2.connect(url, options="-c DateStyle=ISO")
        with closing(reader):
            reader.set_session(isolation_level="REPEATABLE READ", readonly=True)
            yield _lsn(first), _rows(reader, exported, table, order)


def _rows(reader: Any, exported: str, table: str, order: str) -> Iterator[Row]:
    with told():
        with reader.cursor() as cursor:
            cursor.execute("SET TRANSACTION SNAPSHOT %s", (exported,))
            cursor.execute(f"SELECT * FROM {table} LIMIT 0")
            columns = [(each.name, VALUES.get(each.type_code, str)) for each in cursor.description]
        with reader.cursor(name="snapshot") as cursor:
            as_text = ", ".join(f'"{name}"::text' for name, _ in columns)
            cursor.execute(f"SELECT {as_text} FROM {table} ORDER BY {table}.{order}")
            for values in cursor:
                yield {
                    name: None if said is None else value(said)
                    for (name, value), said in zip(columns, values, strict=True)
                }


def _lsn(said: str) -> int:
    high, low = said.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def drop(source: Source | str, slot: str) -> None:
    """Remove slot and publication, if they are there; the WAL kept for them is free again.

    Raises SlotInUse when a consumer still reads from it.
    """
    end = time.monotonic() + IN_USE_SECONDS
    with connected(source, slot) as cursor:
        while True:
            try:
                with told(slot):
                    cursor.execute(
                        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                        "WHERE slot_name = %s",
                        (slot,),
                    )
                break
            except SlotInUse:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        cursor.execute(f'DROP PUBLICATION IF EXISTS "{slot}"')


@dataclass(frozen=True)
class Held:
    """What a slot holds back on the server.

    Attributes
    ----------
    wal_bytes : WAL kept since the oldest place the slot may need again; it grows with all that the
        server writes, not with the table's changes alone, until the disk is full.
    behind_bytes : from the last confirmed position to the newest: the lag.
    active : whether a consumer is reading from it.
    """

    wal_bytes: int
    behind_bytes: int
    active: bool


def held(source: Source | str, slot: str) -> Held:
    """What this slot holds back now. Raises LabError when there is no such slot."""
    with connected(source) as cursor:
        cursor.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint, "
            "pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint, active "
            "FROM pg_replication_slots WHERE slot_name = %s",
            (slot,),
        )
        found = cursor.fetchone()
    if found is None:
        raise LabError(f"slot must be one of the server's, got {slot!r}")
    return Held(*found)


def position(source: Source | str) -> int:
    """A place in the WAL before which lies all that was committed until now: for `end_at`."""
    with connected(source) as cursor:
        # A record of our own: a stream comes past it even where nothing else is written.
        cursor.execute("SELECT pg_logical_emit_message(true, 'tradeoff', '') - '0/0'")
        return int(cursor.fetchone()[0])


def text(lsn: int) -> str:
    """A position as PostgreSQL writes it: two halves in hexadecimal."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:08X}"


def url_of(source: Source | str) -> str:
    return source if isinstance(source, str) else source.url


# --- connections ----------------------------------------------------------------------------------


@contextmanager
def connected(source: Source | str, slot: str = "") -> Iterator[Any]:
    """A cursor of an ordinary connection, each statement its own transaction."""
    needs.demand("change data capture", "psycopg2")
    import psycopg2

    with told(slot), closing(psycopg2.connect(url_of(source))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


@contextmanager
def replicating(source: Source | str, slot: str, start: int) -> Iterator[Any]:
    """A cursor that the slot's changes come to, from its confirmed position or a later `start`."""
    needs.demand("change data capture", "psycopg2")
    import psycopg2
    from psycopg2.extras import LogicalReplicationConnection

    with told(slot):
        connection = psycopg2.connect(
            url_of(source),
            connection_factory=LogicalReplicationConnection,
            options="-c DateStyle=ISO",  # the form in which timestamps are sent
        )
    options = {"proto_version": "1", "publication_names": slot}
    end = time.monotonic() + IN_USE_SECONDS
    with closing(connection), connection.cursor() as cursor:
        while True:
            try:
                with told(slot):
                    cursor.start_replication(slot_name=slot, start_lsn=start, options=options)
                break
            except SlotInUse:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        yield cursor


@contextmanager
def told(slot: str = "") -> Iterator[None]:
    """psycopg2's errors as LabError, with what to do about them."""
    import psycopg2

    try:
        yield
    except psycopg2.errors.ObjectInUse as error:
        raise SlotInUse(
            f"slot {slot!r} is in use: {str(error).strip()}. A slot has one consumer at a time: "
            "end the other one, or give this one a slot of its own"
        ) from error
    except psycopg2.Error as error:
        said = str(error).strip()
        if error.pgcode is None or error.pgcode[:2] in ("08", "57"):
            kept = f" What was not confirmed is still in slot {slot!r}." if slot else ""
            raise SourceGone(
                f"PostgreSQL went away or is not there: {said}.{kept} Start it, and this again"
            ) from error
        raise LabError(f"PostgreSQL refused: {said}") from error
