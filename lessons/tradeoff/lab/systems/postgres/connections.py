"""Ways into PostgreSQL: psycopg2 for statements, ADBC for Arrow; errors say what to do."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from tradeoff.lab.systems.processes import LabError

GONE = (
    "The source is gone or cannot be reached. What was not committed is lost, what was is kept: "
    "start it, or correct its address, and run this again."
)
REFUSED = "The server refused it; nothing of it was kept."
DISK_FULL = "53100"
# By SQLSTATE, as PostgreSQL's manual lists them.
ADVICE = {
    "23505": "One of the rows is there already: another run, or an earlier delivery, wrote it. "
    "This one changed nothing; run it again once the other has ended.",
    DISK_FULL: "The source's disk is full; nothing of it was kept. Make room, and run it again.",
    "42501": "The user may not do this: give the role CREATEDB, or let the lab start its own.",
}


class Connections:
    """Ways into one database; threads may share them.

    Attributes
    ----------
    url : the address, as libpq, psycopg2 and ADBC take it; with its password.
    place : the same without user and password, for messages.
    """

    def __init__(self, url: str) -> None:
        self.url, self.place = url, place_of(url)
        self._idle = {"psycopg2": _Idle(), "adbc": _Idle()}

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Any]:
        """A psycopg2 cursor in a transaction that commits at the end, or never was."""
        with self.connected(doing) as connection, connection.cursor() as cursor:
            yield cursor
            connection.commit()

    @contextmanager
    def connected(self, doing: str) -> Iterator[Any]:
        """A psycopg2 connection; what the block does not commit is rolled back."""
        import psycopg2

        with (
            told(doing, self.place),
            self._idle["psycopg2"].lent(lambda: psycopg2.connect(self.url)) as connection,
        ):
            connection.rollback()
            yield connection
            connection.rollback()
            connection.autocommit = False

    @contextmanager
    def adbc(self, doing: str) -> Iterator[Any]:
        """An ADBC connection that commits each statement."""
        from adbc_driver_postgresql import dbapi

        with (
            told(doing, self.place),
            self._idle["adbc"].lent(lambda: dbapi.connect(self.url, autocommit=True)) as connection,
        ):
            yield connection

    def close(self) -> None:
        """Let go of the idle connections."""
        for idle in self._idle.values():
            idle.close()


class _Idle:
    """Connections kept for the next one who asks: a new one costs 5 to 50 ms."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @contextmanager
    def lent(self, connect: Callable[[], Any]) -> Iterator[Any]:
        """One that answers; it comes back unless the block fails."""
        connection = self._answering() or connect()
        try:
            yield connection
        except BaseException:
            with suppress(Exception):
                connection.close()
            raise
        self._waiting.put(connection)

    def close(self) -> None:
        while (connection := self._next()) is not None:
            connection.close()

    def _answering(self) -> Any:
        """None when all that wait have died, with their server for one."""
        while (connection := self._next()) is not None:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    cursor.fetchall()
                return connection
            except Exception:
                with suppress(Exception):
                    connection.close()
        return None

    def _next(self) -> Any:
        try:
            return self._waiting.get_nowait()
        except queue.Empty:
            return None


def place_of(url: str) -> str:
    """The address without user and password."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2] or 'local'}{parts.path}"


@contextmanager
def told(doing: str, place: str) -> Iterator[None]:
    """The drivers' errors as LabError, with what to do about it."""
    import adbc_driver_manager
    import psycopg2

    try:
        yield
    except (psycopg2.Error, adbc_driver_manager.Error, OSError) as error:
        text = str(error).strip()
        # Arrow's word for an error in the midst of a result.
        if isinstance(error, OSError) and "[libpq]" not in text:
            raise
        raise LabError(f"{doing} at {place} failed: {text}\n{_advice(error, text)}") from error


def _advice(error: Exception, text: str) -> str:
    state = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None) or ""
    # A file cut short by a limit, not by the disk's end, has no SQLSTATE of its own.
    if "Check free disk space" in text or "could not write" in text:
        return ADVICE[DISK_FULL]
    if state in ADVICE:
        return ADVICE[state]
    # A connection that broke has no SQLSTATE, and no word of the server's.
    said = state or "ERROR:" in text
    return REFUSED if said and not state.startswith(("08", "57P")) else GONE
