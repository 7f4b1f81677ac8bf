"""What PostgreSQL's output plugin `pgoutput` says, from bytes to rows.

Protocol version 1, values as text: message layouts as in PostgreSQL's manual, chapter "Logical
Replication Message Formats". A whole transaction is sent once it is committed, between a Begin and
a Commit, transactions in the order of their commits. The layout of a table comes before its first
row and again whenever it may have changed, so a decoder keeps what it was told: one per connection.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

# Seconds from 1970 to PostgreSQL's own beginning of time, 2000-01-01.
POSTGRES_EPOCH_SECONDS = 946_684_800
MICROSECOND = timedelta(microseconds=1)
BEGINNING = datetime(1970, 1, 1)

INT64 = struct.Struct("!q")
UINT64 = struct.Struct("!Q")
UINT32 = struct.Struct("!I")
UINT16 = struct.Struct("!H")

Row = dict[str, Any]


class ProtocolError(ValueError):
    """Bytes that are no message of the protocol, or not of the version that was asked for."""


class _Unsent:
    """In place of a large value, stored apart, that an update left as it was: it is not sent."""

    def __repr__(self) -> str:
        return "UNSENT"


UNSENT = _Unsent()


@dataclass(frozen=True)
class Begin:
    """A transaction begins. commit_lsn : where its commit record stands, below `Commit.end_lsn`."""

    commit_lsn: int
    committed_seconds: float
    transaction: int


@dataclass(frozen=True)
class Commit:
    """It ends. end_lsn : the position after it; once that is confirmed, it is not sent again.

    committed_seconds : since 1970, by the server's clock.
    """

    commit_lsn: int
    end_lsn: int
    committed_seconds: float


@dataclass(frozen=True)
class Column:
    name: str
    type_oid: int
    in_key: bool


@dataclass(frozen=True)
class Relation:
    """A table's layout.

    identity : what an old row brings: "d" its primary key, "f" all columns, "n" nothing, "i" the
    columns of an index.
    """

    oid: int
    schema: str
    table: str
    identity: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Insert:
    relation: Relation
    new: Row


@dataclass(frozen=True)
class Update:
    """old : the whole row with identity "f"; else None, or the key alone where that changed."""

    relation: Relation
    old: Row | None
    new: Row


@dataclass(frozen=True)
class Delete:
    """old : the whole row with identity "f", else its key alone."""

    relation: Relation
    old: Row


@dataclass(frozen=True)
class Truncate:
    relations: tuple[Relation, ...]


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate


class Decoder:
    """Decodes the messages of one connection, in the order in which they came."""

    def __init__(self) -> None:
        self._relations: dict[int, tuple[Relation, list[Callable[[str], Any]]]] = {}

    def decode(self, payload: bytes) -> Message | None:
        """One message; None for those that change no row here (origins, types, plain messages).

        Raises ProtocolError for bytes that are not one whole message of protocol version 1.
        """
        read = _Reader(payload)
        kind = read.letter()
        if kind in "OYM":
            return None
        decode = _KINDS.get(kind)
        if decode is None:
            raise ProtocolError(f"no message of protocol version 1 begins with {payload[:1]!r}")
        message = decode(self, read)
        if read.at != len(payload):
            raise ProtocolError(f"{len(payload) - read.at} bytes too many in a message {kind!r}")
        return message

    def _begin(self, read: _Reader) -> Begin:
        return Begin(read.uint64(), read.seconds(), read.uint32())

    def _commit(self, read: _Reader) -> Commit:
        read.bytes(1)  # flags, none of them in use
        return Commit(read.uint64(), read.uint64(), read.seconds())

    def _relation(self, read: _Reader) -> Relation:
        oid, schema, table, identity = read.uint32(), read.text(), read.text(), read.letter()
        columns = []
        for _ in range(read.uint16()):
            in_key, name, type_oid = read.bytes(1) == b"\x01", read.text(), read.uint32()
            read.bytes(4)  # the type's modifier: a length or a precision
            columns.append(Column(name, type_oid, in_key))
        # The schema of PostgreSQL's own tables is sent empty.
        relation = Relation(oid, schema or "pg_catalog", table, identity, tuple(columns))
        self._relations[oid] = relation, [VALUES.get(each.type_oid, str) for each in columns]
        return relation

    def _insert(self, read: _Reader) -> Insert:
        relation, values = self._known(read.uint32())
        read.expect("N")
        return Insert(relation, _row(read, relation, values))

    def _update(self, read: _Reader) -> Update:
        relation, values = self._known(read.uint32())
        kind, old = read.letter(), None
        if kind in "KO":
            old = _old(read, relation, values, kind)
            kind = read.letter()
        if kind != "N":
            raise ProtocolError(f"an update's new row begins with 'N', got {kind!r}")
        return Update(relation, old, _row(read, relation, values))

    def _delete(self, read: _Reader) -> Delete:
        relation, values = self._known(read.uint32())
        return Delete(relation, _old(read, relation, values, read.letter()))

    def _truncate(self, read: _Reader) -> Truncate:
        count = read.uint32()
        read.bytes(1)  # options: CASCADE, RESTART IDENTITY
        return Truncate(tuple(self._known(read.uint32())[0] for _ in range(count)))

    def _known(self, oid: int) -> tuple[Relation, list[Callable[[str], Any]]]:
        try:
            return self._relations[oid]
        except KeyError:
            raise ProtocolError(f"table {oid} was not described before its first row") from None


_KINDS: dict[str, Callable[[Decoder, _Reader], Message]] = {
    "B": Decoder._begin,
    "C": Decoder._commit,
    "R": Decoder._relation,
    "I": Decoder._insert,
    "U": Decoder._update,
    "D": Decoder._delete,
    "T": Decoder._truncate,
}


# --- values ---------------------------------------------------------------------------------------


def microseconds(text: str) -> int | str:
    """A timestamp without time zone (DateStyle ISO) as microseconds since 1970.

    Text that Python's calendar does not hold, such as `infinity` or a year BC, stays text.
    """
    try:
        return (datetime.fromisoformat(text) - BEGINNING) // MICROSECOND
    except ValueError:
        return text


# By the type's fixed number in pg_type; all others stay text.
VALUES: dict[int, Callable[[str], Any]] = {
    16: ("t", "true").__contains__,  # boolean
    20: int,  # bigint
    21: int,  # smallint
    23: int,  # integer
    700: float,  # real
    701: float,  # double precision
    1114: microseconds,  # timestamp
}


def _row(read: _Reader, relation: Relation, values: list[Callable[[str], Any]]) -> Row:
    count = read.uint16()
    if count != len(values):
        raise ProtocolError(f"{relation.table} has {len(values)} columns, a row brought {count}")
    row: Row = {}
    for column, value in zip(relation.columns, values, strict=True):
        kind = read.letter()
        if kind == "t":
            row[column.name] = value(read.bytes(read.uint32()).decode())
        elif kind == "n":
            row[column.name] = None
        elif kind == "u":
            row[column.name] = UNSENT
        else:
            raise ProtocolError(f"a value as text was asked for, got one of kind {kind!r}")
    return row


def _old(read: _Reader, relation: Relation, values: list[Callable[[str], Any]], kind: str) -> Row:
    if kind not in "KO":
        raise ProtocolError(f"an old row begins with 'K' or 'O', got {kind!r}")
    row = _row(read, relation, values)
    if kind == "O":
        return row
    # Of a key alone the other columns come as null, which says nothing of them.
    return {each.name: row[each.name] for each in relation.columns if each.in_key}


class _Reader:
    """A place in a message's bytes that moves on as they are read."""

    __slots__ = ("at", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload, self.at = payload, 0

    def bytes(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.payload):
            self._short()
        part = self.payload[self.at : end]
        self.at = end
        return part

    def letter(self) -> str:
        return self.bytes(1).decode("latin-1")

    def expect(self, letter: str) -> None:
        if (found := self.letter()) != letter:
            raise ProtocolError(f"{letter!r} was due at byte {self.at - 1}, got {found!r}")

    def uint16(self) -> int:
        return int(UINT16.unpack(self.bytes(2))[0])

    def uint32(self) -> int:
        return int(UINT32.unpack(self.bytes(4))[0])

    def uint64(self) -> int:
        return int(UINT64.unpack(self.bytes(8))[0])

    def seconds(self) -> float:
        """A moment: sent as microseconds since 2000, given as seconds since 1970."""
        return float(INT64.unpack(self.bytes(8))[0] / 1e6 + POSTGRES_EPOCH_SECONDS)

    def text(self) -> str:
        end = self.payload.find(b"\0", self.at)
        if end < 0:
            self._short()
        text = self.payload[self.at : end].decode()
        self.at = end + 1
        return text

    def _short(self) -> NoReturn:
        raise ProtocolError(f"the message ends early, after {len(self.payload)} bytes")
